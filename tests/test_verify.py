"""Whatever is done to an archive behind its back, verify finds it, says where, and says what to do."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import sqlite3
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler.commands.verify import counted
from pipelines import bulk
from pipelines.archive import Archive, open_archive, schema
from pipelines.archive.article_record import article_id, canonical_json, digest
from pipelines.archive.fingerprints import fingerprint, indexed_text
from pipelines.archive.warc import WarcWriter
from pipelines.consistency import Consistency
from pipelines.verify import ADVICE, KEPT, Result, What, verify
from tests.crawler.commands.invoke import invoke
from tests.small_site import ROBOT, Small, exchange, listing, page, site, small, url, usual
from tests.test_index_in_step import identical

ROBOT_ID, COPY_ID, BATTERY_ID = (article_id(url(name)) for name in ("robot", "robot-copy", "battery"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive in which everything is true; never touched."""
    return small(tmp_path_factory.mktemp("sound")).folder


@pytest.fixture
def made(sound: Path, tmp_path: Path) -> Small:
    """A copy of it, to be damaged."""
    shutil.copytree(sound, tmp_path / "archive")
    return Small(tmp_path / "archive")


def checked(made: Small, **how: int) -> Result:
    with made.open() as archive:
        return verify(archive, **how)  # type: ignore[arg-type]


def kinds(made: Small) -> set[str]:
    return {str(what) for what in checked(made).counts}


def warc(made: Small) -> Path:
    (path,) = (made.folder / "warc").iterdir()
    return path


def place(made: Small, name: str, status: int = 200) -> tuple[int, int]:
    """Offset and length of the capture of an article."""
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        capture = schema.capture
        wanted = sa.select(capture.c.offset, capture.c.length).where(capture.c.url == url(name), capture.c.status == status)
        offset, length = tx.execute(wanted).one()
    return offset, length


def execute(made: Small, *statements: sa.Executable) -> None:
    with made.open() as archive, archive.catalogue.transaction() as tx:
        for statement in statements:
            tx.execute(statement)


def change_article(name: str, **values: object) -> sa.Update:
    return schema.article.update().where(schema.article.c.id == name).values(**values)


# ── what is sound ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_archive_that_nobody_touched_is_true_and_everything_in_it_was_looked_at(made: Small) -> None:
    result = checked(made)
    assert result.findings == []
    assert result.passed
    assert result.checked["records"] == 7
    assert (result.checked["articles"], result.checked["texts"], result.checked["contents"]) == (4, 4, 4)
    assert (result.checked["edges"], result.checked["clusters"], result.checked["index_lines"]) == (1, 3, 6)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("size", [300, 2_000, bulk.PIECE])
def test_worker_processes_find_the_same_of_a_sound_archive_and_of_a_damaged_one(
    made: Small, monkeypatch: pytest.MonkeyPatch, count: int, size: int
) -> None:
    """A flipped byte, a torn end, a row that names a wrong place, and one of a file that is not there."""
    made.bring([exchange("robot", page(ROBOT[:2]), 5), listing(("robot",), 5)], "later")
    at_once = [checked(made).as_json()]
    offset, length = place(made, "battery")
    first, last = sorted((made.folder / "warc").iterdir(), reverse=True)
    raw = bytearray(first.read_bytes())
    raw[offset + length // 2] ^= 255
    first.write_bytes(raw)
    os.truncate(last, last.stat().st_size - 9)
    moved = schema.capture.update().where(schema.capture.c.url == url("telescope"))
    execute(made, moved.values(offset=schema.capture.c.offset + 1))
    at_once.append(checked(made).as_json())
    assert at_once[0]["passed"]
    assert set(at_once[1]["counts"]) >= {What.DAMAGED, What.TORN, What.ROW, What.ORPHAN}
    monkeypatch.setattr(bulk, "PIECE", size)
    assert checked(made, workers=count).as_json() == at_once[1]


def test_an_empty_archive_is_true(tmp_path: Path) -> None:
    assert checked(Small(tmp_path / "archive")).passed


def test_pages_that_came_several_times_and_in_several_files_are_true(made: Small) -> None:
    made.bring(
        [exchange("robot", page((*ROBOT[:2], "公司昨天又宣布，第二座工厂的选址还没有定下来。")), 5), listing(("robot",), 5)], "later"
    )
    assert checked(made).as_json()["findings"] == []


def test_verifying_changes_nothing(made: Small) -> None:
    before = {path: path.read_bytes() for path in made.folder.rglob("*.warc.gz")}
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        changes = tx.scalar(sa.select(sa.func.max(schema.change.c.sequence)))
    checked(made)
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        assert tx.scalar(sa.select(sa.func.max(schema.change.c.sequence))) == changes
    assert {path: path.read_bytes() for path in made.folder.rglob("*.warc.gz")} == before


def test_progress_goes_from_nothing_to_all(made: Small) -> None:
    told: list[tuple[int, int]] = []
    with made.open() as archive:
        verify(archive, tell=lambda done, whole: told.append((done, whole)))
    size = warc(made).stat().st_size
    assert told == sorted(told)
    assert told[-1] == (size, size)


# ── damage to WARC files ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cut_member_is_found(made: Small) -> None:
    path = warc(made)
    os.truncate(path, path.stat().st_size - 9)
    (finding,) = checked(made).findings
    assert finding.what is What.TORN
    assert url("lost") in finding.detail
    assert finding.where == f"{path.name} at byte {place(made, 'lost', 404)[0]}"


def test_a_cut_in_the_middle_of_the_file_is_found_with_all_that_it_took(made: Small) -> None:
    os.truncate(warc(made), place(made, "robot-copy")[0] + 10)
    result = checked(made)
    assert result.counts[What.TORN] == 1
    assert result.counts[What.ROW] == 3


def test_a_gzip_member_that_was_never_closed_is_found_though_no_row_knows_it(made: Small) -> None:
    path = warc(made)
    end = path.stat().st_size
    offset, length = place(made, "battery")
    whole = path.read_bytes()[offset : offset + length]
    with path.open("ab") as file:
        file.write(whole[:-8])  # all of its record, no checksum and no size (RFC 1952 §2.3)
    (finding,) = checked(made).findings
    assert (finding.what, finding.where) == (What.TORN, f"{path.name} at byte {end}")


def test_a_gzip_member_that_lost_its_end_in_mid_file_is_found_with_all_that_moved(made: Small) -> None:
    path = warc(made)
    offset, length = place(made, "battery")
    raw = path.read_bytes()
    path.write_bytes(raw[: offset + length - 8] + raw[offset + length :])
    result = checked(made)
    assert any(one.where == f"{path.name} at byte {offset}" and url("battery") in one.detail for one in result.findings)
    assert result.counts[What.ROW] == 4, "each that stood behind it"


@pytest.mark.parametrize("name", ["robot", "battery", "telescope"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_flipped_byte_is_found(made: Small, name: str, share: float) -> None:
    offset, length = place(made, name)
    raw = bytearray(warc(made).read_bytes())
    raw[offset + int(length * share)] ^= 0x10
    warc(made).write_bytes(raw)
    result = checked(made)
    assert not result.passed
    assert {What.DAMAGED, What.TORN, What.ROW} & set(result.counts)
    assert any(str(offset) in finding.where for finding in result.findings)


def test_a_flipped_byte_of_a_request_is_found_too(made: Small) -> None:
    raw = bytearray(warc(made).read_bytes())
    raw[place(made, "telescope")[0] - 60] ^= 0x10
    warc(made).write_bytes(raw)
    assert What.DAMAGED in checked(made).counts


def test_a_revisit_of_what_is_damaged_is_damaged_with_it(tmp_path: Path) -> None:
    made = small(tmp_path, [exchange("robot", page(ROBOT)), identical("robot-copy", 2, of="robot")])
    offset, length = place(made, "robot")
    raw = bytearray(warc(made).read_bytes())
    raw[offset + length // 2] ^= 0x10
    warc(made).write_bytes(raw)
    result = checked(made)
    assert result.counts == {What.DAMAGED: 2}
    assert f"what it stands for cannot be read (the capture of {url('robot-copy')})" in result.findings[1].detail


def test_a_missing_file_is_found(made: Small) -> None:
    name = warc(made).name
    warc(made).unlink()
    result = checked(made)
    found = {finding.what: finding for finding in result.findings}
    assert found[What.MISSING_FILE].where == f"warc/{name}"
    assert "7 captures" in found[What.MISSING_FILE].detail


def test_a_record_without_a_row_is_found(made: Small) -> None:
    capture = schema.capture
    execute(made, capture.delete().where(capture.c.kind == "listing"))
    (finding,) = checked(made).findings
    assert finding.what is What.ORPHAN
    assert "/list/" in finding.detail


def test_a_file_that_nobody_brought_in_is_found(made: Small, tmp_path: Path) -> None:
    with WarcWriter(made.folder / "warc", prefix="other", software="tests/1", rules={}) as writer:
        writer.write(exchange("stranger", page(ROBOT)))
    assert kinds(made) == {What.ORPHAN, What.INDEX}


def test_a_page_that_is_in_quarantine_is_counted_and_no_lie(made: Small) -> None:
    offset, _ = place(made, "lost", 404)
    execute(made, schema.capture.delete().where(schema.capture.c.offset == offset))
    execute(made, schema.page.delete().where(schema.page.c.kind == "gone"))
    (made.folder / "quarantine").mkdir()
    (made.folder / "quarantine" / f"{warc(made).stem}-{offset}.txt").write_text(url("lost"))
    result = checked(made)
    assert result.passed
    assert result.checked["quarantined"] == 1


def test_a_file_that_a_crawl_is_writing_is_not_held_against_it(made: Small) -> None:
    path = warc(made)
    with path.open("ab") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        writing.write(b"\x1f\x8b\x08\x00\x00")
        writing.flush()
        result = checked(made)
    assert result.passed
    assert result.checked["files_being_written"] == 1
    assert kinds(made) == {What.TORN}


# ── damage to the catalogue ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_offset_is_found(made: Small) -> None:
    offset, _ = place(made, "battery")
    execute(made, schema.capture.update().where(schema.capture.c.offset == offset).values(offset=offset + 1))
    result = checked(made)
    assert result.counts == {What.ROW: 1, What.ORPHAN: 1, What.FEED: 1}  # the offset stands in the record that followers have
    assert {finding.where for finding in result.findings if finding.what is not What.FEED} == {
        f"{warc(made).name} at byte {at}" for at in (offset, offset + 1)
    }


def test_a_row_without_a_record_is_found(made: Small) -> None:
    with made.open() as archive, archive.catalogue.transaction() as tx:
        row = dict(tx.execute(sa.select(schema.capture).where(schema.capture.c.kind == "listing")).mappings().one())
        tx.execute(schema.capture.insert().values(**{**row, "id": 99, "offset": 10**9}))
    (finding,) = checked(made).findings
    assert finding.what is What.ROW
    assert finding.where.endswith(f"byte {10**9}")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("length", 5),
        ("record_id", "urn:uuid:0"),
        ("payload_digest", "sha256:AA"),
        ("status", 203),
        ("url", "http://x/"),
        ("fetched_at", "2020-01-01T00:00:00.000000Z"),
    ],
)
def test_a_row_that_says_something_else_than_its_record_is_found(made: Small, column: str, value: object) -> None:
    capture = schema.capture
    execute(made, capture.update().where(capture.c.url == url("battery")).values({column: value}))
    result = checked(made)
    differs = [finding for finding in result.findings if finding.what is What.DIFFERS]
    assert len(differs) == 1
    assert column in differs[0].detail


def _with_text(tx: sa.Connection, text: str) -> tuple[str, str]:
    """The stored result of the battery's page with its first paragraph replaced."""
    (was,) = json.loads(tx.scalar(sa.select(schema.article.c.content).where(schema.article.c.id == BATTERY_ID)) or "[]")
    stored = json.loads(tx.scalar(sa.select(schema.content.c.article).where(schema.content.c.digest == was)) or "{}")
    return was, canonical_json({**stored, "paragraphs": [text, *stored["paragraphs"][1:]]})


def test_a_changed_text_is_found(made: Small) -> None:
    with made.open() as archive, archive.catalogue.transaction() as tx:
        was, now = _with_text(tx, "有人改过这一段话。")
        tx.execute(schema.content.update().where(schema.content.c.digest == was).values(article=now))
    result = checked(made)
    assert result.counts[What.CONTENT] == 1
    assert any(finding.where == f"article {BATTERY_ID}" for finding in result.findings)


def test_a_text_that_was_changed_with_all_its_digests_is_found_by_reading_the_record_again(made: Small) -> None:
    with made.open() as archive, archive.catalogue.transaction() as tx:
        was, now = _with_text(tx, "有人改过这一段话。")
        changed = digest(now)
        tx.execute(schema.content.update().where(schema.content.c.digest == was).values(article=now, digest=changed))
        tx.execute(schema.page.update().where(schema.page.c.content == was).values(content=changed))
        whole = digest("\n".join(json.loads(now)["paragraphs"]))
        for table in (schema.revision, schema.article):
            name = table.c.article if table is schema.revision else table.c.id
            tx.execute(table.update().where(name == BATTERY_ID).values(content=canonical_json([changed]), text_digest=whole))
    result = checked(made)
    assert result.counts[What.TEXT] == 1
    assert next(finding for finding in result.findings if finding.what is What.TEXT).detail.startswith(url("battery"))


def test_a_text_that_is_gone_is_found(made: Small) -> None:
    execute(made, schema.content.delete())
    assert {What.CONTENT, What.HEAD, What.REVISION} <= set(checked(made).counts)


def test_texts_of_other_readers_are_counted_and_not_read_again(made: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.verify.versions", lambda: {"trafilatura": "9.9"})
    result = checked(made)
    assert result.passed
    assert result.checked["texts_of_other_versions"] == 4


def test_rules_that_were_changed_or_lost_are_found_once(made: Small) -> None:
    path = made.folder / "seeds" / f"{site().digest}.toml"
    text = path.read_bytes()
    path.write_bytes(text + b"\n# later")
    with made.open() as archive:  # opened without keeping the rules again
        result = verify(archive)
    assert result.counts == {What.RULES: 1}
    path.unlink()
    with made.open() as archive:
        assert verify(archive).counts == {What.RULES: 1}


Damage = Callable[[], sa.Executable]
DAMAGES: dict[str, tuple[What, Damage]] = {
    "an article's digest": (What.HEAD, lambda: change_article(BATTERY_ID, text_digest="0" * 64)),
    "an article's comparison digest": (What.HEAD, lambda: change_article(BATTERY_ID, comparison_digest="0" * 64)),
    "an article's revision": (What.HEAD, lambda: change_article(BATTERY_ID, revision=7)),
    "an article's site": (What.HEAD, lambda: change_article(BATTERY_ID, site="other")),
    "an article's address": (What.HEAD, lambda: change_article(BATTERY_ID, url=url("other"))),
    "an article's day": (What.HEAD, lambda: change_article(BATTERY_ID, published="2020-01-01T00:00:00.000000Z")),
    "whose an article is": (What.HEAD, lambda: change_article(BATTERY_ID, owned=False)),
    "an article's parts, cut": (What.HEAD, lambda: change_article(BATTERY_ID, content='["0')),
    "a page's date": (
        What.HEAD,
        lambda: schema.page.update().where(schema.page.c.article == BATTERY_ID).values(fetched_at="2020-01-01T00:00:00.000000Z"),
    ),
    "a revision's date": (
        What.HEAD,
        lambda: schema.revision.update().where(schema.revision.c.article == BATTERY_ID).values(fetched_at="2020-01-01T00:00:00.000000Z"),
    ),
    "a kind": (What.DIFFERS, lambda: schema.capture.update().where(schema.capture.c.url == url("battery")).values(kind="list")),
    "texts that are not indexed": (What.HEAD, indexed_text.delete),
    "fingerprints of another text": (What.HEAD, lambda: indexed_text.update().values(fingerprints=b"12345678")),
    "an indexed text that no article has": (
        What.HEAD,
        lambda: indexed_text.insert().values(digest="0" * 64, version="1", size=3, fingerprints=b""),
    ),
    "fingerprints of no text": (What.HEAD, lambda: fingerprint.insert().values(fp=1, doc=99)),
    "a line that is not counted": (What.HEAD, lambda: schema.template_line.delete().where(schema.template_line.c.article == BATTERY_ID)),
    "a line of another site": (
        What.HEAD,
        lambda: schema.template_line.update().where(schema.template_line.c.article == BATTERY_ID).values(site="other"),
    ),
    "a line that the text does not have": (
        What.HEAD,
        lambda: schema.template_line.insert().values(article=BATTERY_ID, digest="0" * 16, site="small", text="一行"),
    ),
    "a line of no article": (
        What.HEAD,
        lambda: schema.template_line.insert().values(article="0" * 32, digest="0", site="small", text="一行"),
    ),
    "an article's capture": (What.HEAD, lambda: change_article(BATTERY_ID, capture=1)),
    "an article's capture, to none": (What.HEAD, lambda: change_article(BATTERY_ID, capture=99)),
    "a page's capture": (What.HEAD, lambda: schema.page.update().where(schema.page.c.article == BATTERY_ID).values(capture=98)),
    "a revision's digest": (
        What.REVISION,
        lambda: schema.revision.update().where(schema.revision.c.article == BATTERY_ID).values(text_digest="0"),
    ),
    "a representative, to none": (What.CLUSTER, lambda: change_article(BATTERY_ID, representative="f" * 32)),
    "a representative, to a stranger": (What.CLUSTER, lambda: change_article(BATTERY_ID, representative=ROBOT_ID)),
    "a cluster's label": (What.CLUSTER, lambda: change_article(BATTERY_ID, cluster="0" * 32)),
    "a member put into another cluster": (What.CLUSTER, lambda: change_article(COPY_ID, cluster=COPY_ID, representative=COPY_ID)),
    "two representatives": (What.CLUSTER, lambda: change_article(COPY_ID, representative=COPY_ID)),
    "an edge that is gone": (What.CLUSTER, schema.edge.delete),
    "an edge into nowhere": (What.CLUSTER, lambda: schema.edge.insert().values(low="0", high=BATTERY_ID, kind="duplicate", similarity=1.0)),
    "an edge between clusters": (
        What.CLUSTER,
        lambda: schema.edge.insert().values(
            low=min(ROBOT_ID, BATTERY_ID), high=max(ROBOT_ID, BATTERY_ID), kind="duplicate", similarity=1.0
        ),
    ),
    "an article that is hidden": (What.FEED, lambda: change_article(BATTERY_ID, shown=False)),
    "an article that is shown": (What.FEED, lambda: change_article(COPY_ID, shown=True)),
    "a withdrawal that nobody told": (What.FEED, lambda: change_article(BATTERY_ID, status="withdrawn")),
    "a change that is gone": (What.FEED, lambda: schema.change.delete().where(schema.change.c.article == BATTERY_ID)),
    "a change of nothing": (What.FEED, lambda: schema.change.insert().values(article="0" * 32, op="add")),
    "a record that was never told": (What.FEED, lambda: change_article(BATTERY_ID, last_seen="2026-12-01T00:00:00.000000Z")),
    "a tombstone of what is here": (
        What.TAKEN_DOWN,
        lambda: schema.tombstone.insert().values(
            article=BATTERY_ID, url=url("battery"), site="small", reason="r", at="2026-11-20T08:00:00.000000Z"
        ),
    ),
    "what came in although it was taken down": (
        What.TAKEN_DOWN,
        lambda: schema.capture.update().where(schema.capture.c.kind == "listing").values(outcome="taken_down"),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_a_row_is_found(made: Small, damage: str) -> None:
    what, statement = DAMAGES[damage]
    execute(made, statement())
    assert what in checked(made).counts


def test_bytes_that_are_no_text_are_found_and_hide_nothing_else(made: Small) -> None:
    execute(made, change_article(COPY_ID, shown=True))
    with sqlite3.connect(made.folder / "catalogue.db") as opened:
        opened.execute("UPDATE capture SET url = cast(x'687474702fff' AS text) WHERE kind = 'listing'")
    assert {What.CATALOGUE, What.FEED} <= set(checked(made).counts)


@pytest.mark.parametrize("command", ["export", "feed"])
@pytest.mark.parametrize(
    "damage", ["UPDATE content SET article = substr(article, 9)", "UPDATE article SET content = '[\"0'", "DELETE FROM content"]
)
def test_nothing_leaves_a_damaged_catalogue_and_a_message_says_so(
    made: Small, capsys: pytest.CaptureFixture[str], command: str, damage: str
) -> None:
    with sqlite3.connect(made.folder / "catalogue.db") as opened:
        opened.execute(damage)
    options = ["--to", str(made.folder.parent / "out.jsonl")] if command == "export" else ["--since", "0"]
    done = invoke(capsys, command, "--archive", made.folder, *options)
    assert done.status == 21
    assert "scrapy verify" in done.err
    assert "Traceback" not in done.err


def test_a_url_that_was_taken_down_and_is_due_again_is_found(made: Small) -> None:
    execute(
        made,
        schema.tombstone.insert().values(
            article=article_id("http://x/"), url="http://x/", site="small", reason="r", at="2026-11-20T08:00:00.000000Z"
        ),
        schema.url.insert().values(site="small", url="http://x/", host="x", kind="article", state="pending", discovered_at=0, due_at=0),
    )
    assert kinds(made) == {What.TAKEN_DOWN}


def test_a_catalogue_whose_pages_are_damaged_is_found(made: Small) -> None:
    with made.open() as archive, archive.catalogue.transaction() as tx:
        tx.execute(sa.text("CREATE INDEX doubled ON capture (url, fetched_at)"))
        root = tx.scalar(sa.text("SELECT rootpage FROM sqlite_schema WHERE name = 'doubled'"))
    path = made.folder / "catalogue.db"
    raw = bytearray(path.read_bytes())
    size = int.from_bytes(raw[16:18], "big")
    raw[root * size - 40 : root * size] = bytes(40)
    path.write_bytes(raw)
    assert What.CATALOGUE in checked(made).counts


# ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_for_which_there_is_no_record_and_a_record_without_a_line_are_found(made: Small) -> None:
    path = made.folder / "indexes/index.cdxj"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0].replace(b'"offset": "', b'"offset": "9'), *lines[1:]]))
    result = checked(made)
    assert result.counts == {What.INDEX: 2}
    assert ["no line for a record" in finding.detail for finding in result.findings] == [False, True]


def test_lines_out_of_order_and_lines_that_are_none_are_found(made: Small) -> None:
    path = made.folder / "indexes/index.cdxj"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[1], lines[0], *lines[2:], b"zzz no line\n"]))
    assert [finding.detail.split(":")[0] for finding in checked(made).findings] == ["is not in order", "is no line of an index"]


def unmerged(made: Small) -> None:
    """As a crawl at work leaves it: lines in the journal that the index lacks, one that stands in both, one that is half there."""
    path = made.folder / "indexes/index.cdxj"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    (made.folder / "indexes/index.cdxj.journal").write_bytes(b"".join([lines[-1], lines[0], lines[-2], lines[1][:20]]))


def test_lines_that_are_not_merged_count_and_nothing_is_written(made: Small) -> None:
    unmerged(made)
    files = sorted((made.folder / "indexes").iterdir())
    before = [(path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    result = checked(made)
    assert (result.findings, result.checked["index_lines"]) == ([], 6)
    assert sorted((made.folder / "indexes").iterdir()) == files
    assert [(path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_an_index_that_can_only_be_read_is_checked(made: Small) -> None:
    unmerged(made)
    folder = made.folder / "indexes"
    for path in (*folder.iterdir(), folder):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert checked(made).findings == []
    finally:
        folder.chmod(0o755)


def test_what_is_wrong_in_the_journal_is_found_there(made: Small) -> None:
    (made.folder / "indexes/index.cdxj.journal").write_bytes(b"no line at all\n")
    [finding] = checked(made).findings
    assert (finding.where, finding.detail) == ("indexes/index.cdxj.journal", "is no line of an index")


def test_a_file_that_a_crawl_begins_meanwhile_is_left_out(made: Small) -> None:
    """Its records and their lines are still to come."""
    with made.open() as archive, WarcWriter(archive.warc_folder, prefix="small", software="tests/1", rules={}) as writer:

        def begin(*_: int) -> None:
            if writer.position is None:
                archive.index.add([writer.write(exchange("begun", b"1"))])
                writer.write(exchange("begun-too", b"2"))

        assert verify(archive, tell=begin).findings == []
        assert writer.position is not None


def test_an_index_that_is_not_there_tells_nobody_anything_untrue(made: Small) -> None:
    """As in a copy: the next crawl makes it."""
    shutil.rmtree(made.folder / "indexes")
    assert checked(made).passed


# ── the result ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_kind_of_finding_says_what_to_do() -> None:
    assert set(ADVICE) == set(What)


def test_of_many_findings_all_are_counted_and_some_are_kept() -> None:
    result = Result()
    for n in range(KEPT + 50):
        result.add(What.ROW, str(n), "x")
    result.add(What.TEXT, "a", "x")
    assert result.counts == {What.ROW: KEPT + 50, What.TEXT: 1}
    assert len(result.findings) == KEPT + 1


def test_the_command_ends_with_0_and_nothing_but_json_for_a_true_archive(made: Small, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "verify", "--archive", made.folder, "--json", EXTRACT_WORKERS=0)
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out)["passed"]


def test_the_command_ends_with_15_and_says_what_to_do(made: Small, capsys: pytest.CaptureFixture[str]) -> None:
    os.truncate(warc(made), warc(made).stat().st_size - 9)
    done = invoke(capsys, "verify", "--archive", made.folder, EXTRACT_WORKERS=0)
    assert done.status == 15
    assert "torn_record" in done.out
    assert ADVICE[What.TORN] in done.out


def test_the_command_ends_with_15_and_nothing_but_json_for_an_archive_that_is_not_true(
    made: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    warc(made).unlink()
    done = invoke(capsys, "verify", "--archive", made.folder, "--json", EXTRACT_WORKERS=0)
    told = json.loads(done.out)
    assert (done.status, told["passed"]) == (15, False)
    assert "missing_file" in told["counts"]


def test_of_many_findings_the_command_prints_some_and_counts_all(made: Small, capsys: pytest.CaptureFixture[str]) -> None:
    execute(made, *(schema.change.insert().values(article=f"{n:032}", op="add") for n in range(15)))
    done = invoke(capsys, "verify", "--archive", made.folder, EXTRACT_WORKERS=0)
    assert "15 × feed_inconsistent" in done.out
    assert "and 5 more" in done.out


def test_the_command_says_what_is_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "verify", "--archive", tmp_path / "nothing")
    assert done.status == 21
    assert "no archive here" in done.err


def test_a_result_says_of_each_finding_what_where_and_what_to_do(made: Small) -> None:
    os.truncate(warc(made), warc(made).stat().st_size - 9)
    told = checked(made).as_json()
    assert (told["passed"], told["counts"]) == (False, {"torn_record": 1})
    assert set(told["findings"][0]) == {"what", "where", "detail", "advice"}


def steps_of_checking(folder: Path, articles: int) -> int:
    """What SQLite counts, in thousands, while a catalogue of so many articles is checked that only the feed tells of."""
    names = [f"{number * 7919 % articles:032x}" for number in range(articles)]
    plain = {"site": "small", "status": "active", "revision": 1, "content": "[]", "capture": 1, "shown": True}
    plain |= dict.fromkeys(("text_digest", "comparison_digest", "first_seen", "last_seen", "fetched_at", "record_digest"), "")
    with open_archive(folder, create=True) as archive:
        with archive.catalogue.transaction() as tx:
            tx.execute(schema.change.insert(), [{"article": name, "op": "add"} for name in names])
            of = [{**plain, "id": name, "url": name, "cluster": name, "representative": name} for name in names]
            tx.execute(schema.article.insert(), of)
        result, steps = Result(), itertools.count()
        with archive.catalogue.snapshot() as tx:
            raw = tx.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.set_progress_handler(lambda: next(steps) * 0, 1_000)
            Consistency(result).check(tx)
            raw.set_progress_handler(None, 0)
    assert result.counts[What.FEED] == 0
    return next(steps)


def test_checking_four_times_the_articles_is_four_times_the_work_and_not_sixteen(tmp_path: Path) -> None:
    few, many = steps_of_checking(tmp_path / "few", 1_000), steps_of_checking(tmp_path / "many", 4_000)
    assert many < 6 * few


def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    def peak(archive: Archive) -> int:
        tracemalloc.start()
        assert verify(archive).passed
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    few, many = Small(tmp_path / "few"), Small(tmp_path / "many")
    few.bring(usual(), "few")
    for n in range(4):
        many.bring([exchange(f"n{n}-{m}", b"<p>404</p>" + b" " * 200_000, n + m / 100, status=404) for m in range(10)], f"many{n}")
    with few.open() as small_one, many.open() as large_one:
        peak(small_one)
        assert peak(large_one) < peak(small_one) + 2 * 2**20


@pytest.mark.parametrize(
    ("count", "word", "said"),
    [
        (1, "files", "1 file"),
        (2, "files", "2 files"),
        (1, "index_lines", "1 index line"),
        (1, "files_being_written", "1 file being written"),
        (1, "quarantined", "1 quarantined"),
        (0, "texts", "0 texts"),
    ],
)
def test_one_is_not_several(count: int, word: str, said: str) -> None:
    assert counted(count, word) == said
