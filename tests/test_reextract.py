"""Reading again by unchanged rules leaves no trace; by changed ones it gives what a new archive would, told beforehand."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines import bulk, flow, reading, spool
from pipelines import reextract as module
from pipelines.archive import schema, stored
from pipelines.archive.article_record import article_id
from pipelines.archive.records import sha256
from pipelines.choice import chooser
from pipelines.errors import OutOfSpace
from pipelines.export import What as Wanted
from pipelines.export import export
from pipelines.feed import feed
from pipelines.model import Reason, Rejection
from pipelines.reextract import Difference, What, reextract, today
from pipelines.verify import verify
from tests.crawler.commands.invoke import invoke
from tests.small_site import BATTERY, NOTE, ROBOT, START, Small, confirmation, exchange, page, rules, small, url, usual
from tests.test_index_in_step import identical

STRICTER = "drop = ['.note']\n"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """An archive by the first rules; never touched."""
    later = (*ROBOT[:2], "公司昨天又宣布，第二座工厂的选址还没有定下来，要等到明年。")
    return small(tmp_path_factory.mktemp("sound"), [*usual(), exchange("robot", page(later), 3), confirmation("battery", 4)])


@pytest.fixture
def made(sound: Small, tmp_path: Path) -> Small:
    shutil.copytree(sound.folder, tmp_path / "archive")
    return Small(tmp_path / "archive", warcs=list(sound.warcs))


def read_again(made: Small, more: str | None = None, deny: str | None = None, **how: Any) -> Difference:
    made.more = made.more if more is None else more
    made.deny = made.deny if deny is None else deny
    with made.open() as archive:
        archive.keep_rules(made.site, rules(made.more, made.deny))
        sites = {"small": made.site}
        return reextract(archive, today(sites, chooser(sites)), **how)


def exported(made: Small) -> str:
    out = io.BytesIO()
    with made.open() as archive:
        export(archive, Wanted(everything=True), out)
    return out.getvalue().decode("utf-8")


def cursor(made: Small) -> int:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        return stored.cursor(tx)


def fed(made: Small, since: int) -> dict[str, str]:
    """Which operations the feed has after a cursor, by article."""
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        return {str(change["id"]): str(change["op"]) for change in feed(tx, since) if "op" in change}


def count(made: Small, table: sa.Table) -> int:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        return tx.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def fresh(made: Small, tmp_path: Path) -> Small:
    """A new archive of the same WARC files, by the rules of today."""
    new = Small(tmp_path / "fresh" / "archive", made.more, made.deny)
    new.replay(*made.warcs)
    return new


def found(difference: Difference) -> dict[What, int]:
    counts: dict[What, int] = {}
    for (_, _, what), number in difference.counts.items():
        counts[what] = counts.get(what, 0) + number
    return counts


# ── nothing to change ────────────────────────────────────────────────────────────────────────────────────────────────


def test_unchanged_rules_change_nothing_and_the_feed_says_nothing(made: Small) -> None:
    before, at = exported(made), cursor(made)
    difference = read_again(made)
    assert (difference.read, difference.same, difference.applied) == (8, 8, 0)
    assert not difference.counts
    assert exported(made) == before
    assert cursor(made) == at


def test_worker_processes_find_the_same(made: Small) -> None:
    here = read_again(made, STRICTER, dry_run=True)
    there = read_again(made, STRICTER, dry_run=True, workers=2)
    assert here == there


def test_an_empty_archive_is_read_again_too(tmp_path: Path) -> None:
    assert read_again(Small(tmp_path / "archive")) == Difference()


# ── changed rules ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_selector_that_drops_more_changes_the_texts_and_the_report_shows_how(made: Small) -> None:
    difference = read_again(made, STRICTER)
    assert found(difference) == {What.TEXT: 5}
    assert set(difference.counts) == {("small", "layout:page", What.TEXT)}
    (samples,) = difference.samples.values()
    assert len(samples) == spool.SAMPLES
    assert samples[0].lines == (f"- {NOTE}",)
    assert samples[0].url == url("robot")
    assert NOTE not in exported(made)


def test_the_result_is_that_of_a_new_archive_byte_for_byte(made: Small, tmp_path: Path) -> None:
    read_again(made, STRICTER)
    assert exported(made) == exported(fresh(made, tmp_path))


def test_reading_again_by_the_first_rules_brings_the_first_archive_back(made: Small) -> None:
    before = exported(made)
    read_again(made, STRICTER)
    assert exported(made) != before
    read_again(made, "")
    assert exported(made) == before


def test_the_changes_flow_into_the_feed_as_modify(made: Small) -> None:
    at = cursor(made)
    read_again(made, STRICTER)
    assert fed(made, at) == {article_id(url(name)): "modify" for name in ("robot", "battery", "telescope")}  # the copy is not shown


def test_a_dry_run_tells_everything_and_changes_nothing(made: Small) -> None:
    before, at = exported(made), cursor(made)
    told = read_again(made, STRICTER, dry_run=True)
    assert found(told) == {What.TEXT: 5}
    assert told.applied == 0
    assert exported(made) == before
    assert cursor(made) == at
    assert not (made.folder / "reextract.jsonl").exists()


def test_the_report_comes_before_anything_is_written(made: Small) -> None:
    at, seen = cursor(made), []
    read_again(made, STRICTER, report=lambda difference: seen.append((cursor(made), found(difference))))
    assert seen == [(at, {What.TEXT: 5})]
    assert cursor(made) > at


def test_rules_that_differ_only_in_their_digest_change_nothing_but_the_provenance(made: Small, tmp_path: Path) -> None:
    difference = read_again(made, "# a remark\n")
    assert found(difference) == {What.PROVENANCE: 5}
    assert exported(made) == exported(fresh(made, tmp_path))


def test_other_facts_of_the_same_text_are_told_apart(made: Small) -> None:
    difference = read_again(made, "source = ['h1']\n")
    assert found(difference) == {What.FACTS: 5}
    (samples,) = difference.samples.values()
    assert "- source: None" in samples[0].lines


def test_an_article_that_is_none_any_more_goes_and_the_feed_says_delete(made: Small, tmp_path: Path) -> None:
    at = cursor(made)
    difference = read_again(made, deny="/battery")
    assert found(difference)[What.LOST] == 1
    assert fed(made, at)[article_id(url("battery"))] == "delete"
    assert BATTERY[0] not in exported(made)
    assert exported(made) == exported(fresh(made, tmp_path))
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        capture = schema.capture
        row = tx.execute(sa.select(capture).where(capture.c.url == url("battery"), capture.c.status == 200)).one()
        assert (row.outcome, row.article) == (Reason.OUT_OF_SCOPE, None)
        assert not tx.scalar(sa.select(sa.func.count()).where(schema.page.c.capture == row.id))


def test_an_article_that_was_none_before_comes_and_the_feed_says_add(made: Small) -> None:
    read_again(made, deny="/battery")
    at = cursor(made)
    difference = read_again(made, deny="")
    assert found(difference)[What.GAINED] == 1
    assert fed(made, at)[article_id(url("battery"))] == "add"
    assert BATTERY[0] in exported(made)


def test_a_part_that_is_lost_takes_its_cluster_apart(made: Small, tmp_path: Path) -> None:
    read_again(made, deny="/robot\\.html")
    assert exported(made) == exported(fresh(made, tmp_path))
    assert '"cluster":{"id":"' + article_id(url("robot-copy")) in exported(made).replace(" ", "")


def test_another_identity_moves_captures_to_another_article(made: Small, tmp_path: Path) -> None:
    moved = made.site.identity
    mirror = "[[identity.mirror]]\npattern = 'http://news.example.cn/2026/robot-copy.html'\noriginal = 'http://news.example.cn/2026/robot.html'\n"
    assert not moved.mirrors
    difference = read_again(made, mirror)
    assert found(difference)[What.MOVED] == 1
    assert exported(made) == exported(fresh(made, tmp_path))


def test_no_extraction_result_stays_that_nothing_refers_to(made: Small) -> None:
    before = count(made, schema.content)
    read_again(made, STRICTER)
    assert count(made, schema.content) == before


def test_the_archive_is_true_afterwards(made: Small) -> None:
    read_again(made, STRICTER, deny="/battery")
    with made.open() as archive:
        assert verify(archive).findings == []


def test_only_the_captures_of_one_site_are_read(made: Small) -> None:
    assert read_again(made, STRICTER, site="other").read == 0
    assert read_again(made, STRICTER, site="small").read == 8


def test_captures_whose_site_has_no_seeds_file_any_more_are_read_by_their_url(made: Small) -> None:
    with made.open() as archive:
        difference = reextract(archive, today({}, chooser({})), dry_run=True)
    assert {site for site, _, _ in difference.counts} == {"web"}


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_that_is_too_expensive_today_keeps_its_text(made: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "read", lambda *_: Rejection(reason=Reason.TOO_EXPENSIVE, detail="slow today"))
    before = exported(made)
    difference = read_again(made)
    assert difference.too_expensive == 8
    assert not difference.is_whole
    assert exported(made) == before


def test_a_page_on_which_our_own_code_fails_keeps_its_text_and_is_named(made: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    real = reading.read

    def fails(capture: Any, site: Any) -> Any:
        if capture.url == url("battery"):
            raise ValueError("a fault of ours")
        return real(capture, site)

    monkeypatch.setattr(reading, "read", fails)
    difference = read_again(made, STRICTER)
    assert difference.failed == [url("battery")] * 2
    assert found(difference) == {What.TEXT: 4}
    assert BATTERY[0] in exported(made)


def test_captures_that_cannot_be_read_from_disk_stay_as_they_are(made: Small) -> None:
    (path,) = (made.folder / "warc").iterdir()
    path.unlink()
    before = exported(made)
    difference = read_again(made, STRICTER)
    assert difference.unreadable == 8
    assert exported(made) == before


# ── broken off ───────────────────────────────────────────────────────────────────────────────────────────────────────


def broken_off(made: Small, monkeypatch: pytest.MonkeyPatch, after: int, more: str = STRICTER) -> None:
    """One that is killed when it has written some captures down."""
    written: list[Any] = []
    real = flow.write

    def dies(*arguments: Any) -> Any:
        if len(written) == after:
            raise OutOfSpace("killed")
        written.append(arguments)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, "GROUP", 1)
        patch.setattr(flow, "write", dies)
        with pytest.raises(OutOfSpace):
            read_again(made, more)


@pytest.mark.parametrize("after", [0, 1, 3, 4])
def test_one_that_was_killed_goes_on_where_it_stopped(made: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    broken_off(made, monkeypatch, after)
    again = read_again(made)
    assert (again.resumed, again.read, again.applied) == (5 - after, 0, 5 - after)
    assert exported(made) == exported(fresh(made, tmp_path))
    assert not (made.folder / "reextract.jsonl").exists()
    assert read_again(made).same == 8


def test_what_was_left_by_other_rules_is_not_gone_on_with(made: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_off(made, monkeypatch, 2)
    again = read_again(made, "# other rules\n")
    assert (again.resumed, again.read) == (None, 8)
    assert exported(made) == exported(fresh(made, tmp_path))


def test_one_that_was_killed_twice_by_other_rules_each_time_loses_nothing(
    made: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_off(made, monkeypatch, 3)
    broken_off(made, monkeypatch, 0, "# other rules\n")
    assert read_again(made).resumed == 5
    assert exported(made) == exported(fresh(made, tmp_path))


def test_a_dry_run_leaves_what_was_left_alone(made: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_off(made, monkeypatch, 2)
    assert found(read_again(made, dry_run=True)) == {What.TEXT: 3}
    assert read_again(made).resumed == 3


def cut_off(made: Small, at: int) -> None:
    """One that is killed when it has compared some captures."""

    def dies(done: int, _: int) -> None:
        if done >= at:
            raise OutOfSpace("killed")

    with pytest.raises(OutOfSpace):
        read_again(made, STRICTER, tell=dies)


def test_one_that_was_killed_while_it_compared_has_changed_nothing(made: Small) -> None:
    before = exported(made)
    cut_off(made, 4)
    assert exported(made) == before
    assert read_again(made, "# other rules\n").read == 8
    assert not list(made.folder.glob("*reextract*"))


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 700)
    monkeypatch.setattr(spool, "MARK_EVERY", 1)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("at", [1, 3, 5, 8])
def test_one_that_was_killed_while_it_compared_goes_on_there(made: Small, tmp_path: Path, at: int) -> None:
    undisturbed = read_again(made, STRICTER, dry_run=True)
    cut_off(made, at)
    asked: list[int] = []
    sites = {"small": made.site}
    with made.open() as archive:
        job = module._Reextraction(archive, today(sites, chooser(sites)), None, lambda done, _: asked.append(done))
        kept = spool.Spool(made.folder / "reextract.jsonl", None)
        kept.fill(job.found, job.key_today, lambda after: job.compare(0, after))
    assert job.found == undisturbed
    assert asked[0] >= at - 1, "what was compared before is not compared again"
    assert read_again(made).applied == 5
    assert exported(made) == exported(fresh(made, tmp_path))


@pytest.mark.usefixtures("small_pieces")
def test_a_torn_end_of_what_a_killed_one_left_is_found_again(made: Small, tmp_path: Path) -> None:
    cut_off(made, 5)
    (left,) = made.folder.glob("reextract.jsonl.part")
    left.write_bytes(left.read_bytes() + b'{"file": "smal')
    assert found(read_again(made)) == {What.TEXT: 5}
    assert exported(made) == exported(fresh(made, tmp_path))


@pytest.mark.usefixtures("small_pieces")
def test_what_was_compared_for_one_site_is_not_gone_on_with_for_all(made: Small) -> None:
    cut_off(made, 5)
    assert read_again(made, site="small").read == 8


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_number_of_processes_changes_nothing(made: Small, tmp_path: Path, count: int) -> None:
    assert read_again(made, STRICTER, workers=count, dry_run=True) == read_again(made, STRICTER, dry_run=True)
    read_again(made, STRICTER, workers=count)
    assert exported(made) == exported(fresh(made, tmp_path))


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("count", [0, 2])
def test_a_payload_that_is_stored_once_is_read_wherever_it_came_again(made: Small, tmp_path: Path, count: int) -> None:
    """By processes too, which find it through the catalogue."""
    again = exchange("robot", page(ROBOT), 5, refers_to=(url("robot"), START), original_digest=sha256(page(ROBOT)))
    made.bring([again], "later")
    difference = read_again(made, STRICTER, workers=count)
    assert (difference.read, found(difference)) == (9, {What.TEXT: 6})
    assert exported(made) == exported(fresh(made, tmp_path))
    with made.open() as archive:
        result = verify(archive, workers=count)
    assert (result.findings, result.checked["texts"]) == ([], 6)


@pytest.mark.usefixtures("small_pieces")
def test_a_damaged_record_is_unreadable_and_the_others_are_read(made: Small) -> None:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        at = tx.scalar(sa.select(schema.capture.c.offset).where(schema.capture.c.url == url("battery")))
    assert at is not None
    (path,) = (made.folder / "warc").iterdir()
    raw = bytearray(path.read_bytes())
    raw[at + 60] ^= 255
    path.write_bytes(raw)
    difference = read_again(made, STRICTER, dry_run=True)
    assert (difference.read, difference.unreadable, found(difference)) == (7, 1, {What.TEXT: 4})


def damage_first(made: Small) -> None:
    (path,) = (made.folder / "warc").iterdir()
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        at = tx.scalar(sa.select(sa.func.min(schema.capture.c.offset)))
    assert at is not None
    raw = bytearray(path.read_bytes())
    raw[at + 60] ^= 255
    path.write_bytes(raw)


def test_a_revisit_of_a_damaged_record_stays_as_it_is_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small(tmp_path, [exchange("robot", page(ROBOT)), identical("robot", 2)])
    damage_first(made)
    difference = read_again(made, STRICTER)
    assert (difference.read, difference.unreadable, found(difference)) == (0, 2, {})
    monkeypatch.setattr(reading, "read", lambda *_: Rejection(reason=Reason.TOO_EXPENSIVE, detail="slow today"))
    difference = read_again(made)
    assert (difference.too_expensive, difference.unreadable) == (1, 1)


def test_a_page_that_was_kept_again_stands_in_for_a_damaged_record(tmp_path: Path) -> None:
    made = small(tmp_path, [exchange("robot", page(ROBOT)), identical("robot", 2), exchange("robot", page(ROBOT), 3)])
    damage_first(made)
    difference = read_again(made, STRICTER)
    assert (difference.read, difference.unreadable, found(difference)) == (2, 1, {What.TEXT: 2})


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_prints_the_report_and_ends_with_0(made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "small.toml").write_bytes(rules(STRICTER))
    settings = {"SEEDS_DIR": str(tmp_path / "seeds")}
    dry = invoke(capsys, "reextract", "--archive", made.folder, "--workers", 0, "--dry-run", **settings)
    assert (dry.status, dry.err) == (0, "")
    assert "Read 8 captures: 3 say what they said, 5 say something else." in dry.out
    assert f"    - {NOTE}" in dry.out
    assert "--dry-run" in dry.out
    done = invoke(capsys, "reextract", "--archive", made.folder, "--workers", 0, **settings)
    assert "5 captures written down anew." in done.out
    made.more = STRICTER
    with made.open() as archive:
        assert verify(archive).passed
    assert "0 say something else" in invoke(capsys, "reextract", "--archive", made.folder, "--workers", 0, **settings).out


def test_the_command_refuses_a_site_that_is_none(made: Small, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "reextract", "--archive", made.folder, "--site", "nowhere")
    assert done.status == 20
    assert "nowhere" in done.err


def test_the_command_ends_with_12_when_captures_could_not_be_read(made: Small, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (made.folder / "warc").iterdir():
        path.unlink()
    done = invoke(capsys, "reextract", "--archive", made.folder, "--workers", 0, "--site", "china_tech")
    assert done.status == 0  # none of that site
    done = invoke(capsys, "reextract", "--archive", made.folder, "--workers", 0)
    assert done.status == 12
    assert "8 captures cannot be read" in done.out


def test_only_one_at_a_time(made: Small, capsys: pytest.CaptureFixture[str]) -> None:
    with made.open() as archive, archive.lock("reextract"):
        assert invoke(capsys, "reextract", "--archive", made.folder).status == 22
