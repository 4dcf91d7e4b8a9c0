"""An archive that is made again of its WARC files alone knows what was taken down, whatever is read with them, in whatever order."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from pipelines import reading
from pipelines.archive import open_archive, schema, urltable
from pipelines.archive.article_record import article_id
from pipelines.archive.exchange import METADATA_FIELDS
from pipelines.archive.records import Record, encode_record, format_date, read_records, sha256
from pipelines.archive.takedown_record import Tombstone, parse_takedown, takedown_file
from pipelines.archive.urltable import NewUrl, State
from pipelines.archive.wacz import write_wacz
from pipelines.archive.warc import read_captures, warc_files
from pipelines.choice import chooser
from pipelines.errors import Locked
from pipelines.feed import feed
from pipelines.model import Capture, Kind, Reason
from pipelines.replay import replay
from pipelines.stages import Settlement, Visit, commit_visit
from pipelines.verify import verify
from tests.crawler.commands.invoke import invoke
from tests.small_site import BATTERY, HOST, START, TELESCOPE, Small, exchange, page, rules, site, small, url, write_warc
from tests.test_takedown import NOW, ROBOT_ID, TELESCOPE_ID, cursor, fed, holding, is_true, shown, states, take

OTHERS = {article_id(url(name)) for name in ("robot", "robot-copy", "battery")}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """An archive in which one article was taken down; in `warcs` lie its files as they had been before."""
    made = small(tmp_path_factory.mktemp("sound"))
    made.bring([exchange("battery", page(BATTERY, "充电十分钟行驶四百公里"), 3.1)], "later")
    take(made, url=url("telescope"))
    return made


def rebuilt(folder: Path, *files: Path) -> Small:
    made = Small(folder / "archive")
    made.replay(*files)
    return made


def files_of(made: Small) -> list[Path]:
    return warc_files(made.folder / "warc")


def told_file(made: Small) -> Path:
    (path,) = (made.folder / "warc").glob("takedown-*.warc.gz")
    return path


def stones(made: Small) -> list[Any]:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        return list(tx.execute(sa.select(schema.tombstone).order_by(schema.tombstone.c.article)))


def records_in(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        for record in read_records(file, path.name):
            assert isinstance(record, Record)
            yield record


def knows_it(made: Small) -> bool:
    """Nothing of the text is here, all others are, and whatever brings it again does not."""
    assert [stone.article for stone in stones(made)] == [TELESCOPE_ID]
    assert shown(made) >= OTHERS
    assert holding(made, *TELESCOPE) == set()
    assert is_true(made)
    made.bring([exchange("telescope", page(TELESCOPE), 9)], "again")
    assert TELESCOPE_ID not in shown(made)
    assert holding(made, *TELESCOPE) == set()
    return is_true(made)


# ── a rebuild ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", [1, -1])
def test_a_rebuild_knows_what_was_taken_down(sound: Small, tmp_path: Path, order: int) -> None:
    made = rebuilt(tmp_path, *files_of(sound)[::order])
    (stone,) = stones(made)
    assert (stone.url, stone.site, stone.reason, stone.at) == (None, "small", None, "2026-11-20T08:00:00.000000Z")
    assert knows_it(made)


def test_a_list_that_links_to_it_wakes_nothing_in_a_rebuild(sound: Small, tmp_path: Path) -> None:
    made = rebuilt(tmp_path, *files_of(sound))
    spelled = [url("telescope"), f"{url('telescope')}?utm_source=x", url("other")]
    found = tuple(NewUrl(url=one, host="news.example.cn", kind=Kind.ARTICLE, due_at=0) for one in spelled)
    with made.open() as archive, archive.catalogue.transaction() as tx:
        urltable.discover(tx, "small", [NewUrl(url=f"{HOST}/list/", host="news.example.cn", kind=Kind.LISTING, due_at=0)], 0)
        row = urltable.by_url(tx, "small", f"{HOST}/list/")
        assert row is not None
        settled = Settlement(values={"state": State.DONE}, found=found, wake=tuple(spelled))
        commit_visit(tx, site(), Visit(row=row, settle=lambda *_: settled, broken=settled, now=0.0), None)
    assert {one for one, said in states(made).items() if said == (State.SET_ASIDE, Reason.TAKEN_DOWN)} == set(spelled[:2])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_files_from_before_the_takedown_bring_nothing_back_in_whatever_order_they_are_read(
    sound: Small, tmp_path: Path, order: tuple[int, ...]
) -> None:
    three = [told_file(sound), *sound.warcs]
    made = rebuilt(tmp_path, *(three[n] for n in order))
    assert TELESCOPE_ID not in fed(made, 0)
    assert knows_it(made)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_that_tells_of_it_later_takes_the_article_out(sound: Small, tmp_path: Path, workers: int) -> None:
    made = rebuilt(tmp_path, *sound.warcs)
    assert TELESCOPE_ID in shown(made)
    at = cursor(made)
    with made.open() as archive:
        assert replay(archive, [told_file(sound)], chooser({"small": site()}), workers=workers).taken_down == 1
    assert fed(made, at) == {TELESCOPE_ID: "delete"}
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        assert not [change for change in feed(tx, 0) if TELESCOPE[0] in json.dumps(change, ensure_ascii=False)]
    (line,) = (made.folder / "audit.log").read_text().splitlines()
    assert json.loads(line) == {"at": "2026-11-20T08:00:00.000000Z", "id": TELESCOPE_ID, "reason": None, "captures": 1}
    assert knows_it(made)


@pytest.mark.parametrize("last", [True, False])
def test_files_that_were_joined_to_one_say_what_each_of_them_says(sound: Small, tmp_path: Path, last: bool) -> None:
    joined = tmp_path / "joined.warc.gz"
    parts = [*sound.warcs, told_file(sound)] if last else [told_file(sound), *sound.warcs]
    joined.write_bytes(b"".join(path.read_bytes() for path in parts))
    assert knows_it(rebuilt(tmp_path, joined))


def test_a_revisit_that_stands_for_its_payload_does_not_bring_it_back(sound: Small, tmp_path: Path) -> None:
    body = page(TELESCOPE, "第二面天线启用")
    refers = (url("telescope"), START + timedelta(days=0.4))
    again = exchange("tele-again", body, 5, refers_to=refers, original_digest=sha256(body))
    before = [exchange("telescope", body, 0.4), again, exchange("fresh", page(BATTERY), 6)]
    made = rebuilt(tmp_path, *files_of(sound), write_warc(tmp_path / "before", before, "before"))
    assert article_id(url("tele-again")) not in shown(made)
    assert article_id(url("fresh")) in shown(made)
    assert knows_it(made)


def test_a_damaged_record_of_it_whose_head_can_be_read_does_not_stay(sound: Small, tmp_path: Path) -> None:
    made = rebuilt(tmp_path, *files_of(sound))
    path = write_warc(tmp_path / "damaged", [exchange("telescope", page(TELESCOPE), 9), exchange("fresh", page(BATTERY), 9.1)], "damaged")
    raw = bytearray(path.read_bytes())
    (ref, _) = (one.warc for one in read_captures(path) if isinstance(one, Capture))
    assert ref is not None
    raw[ref.offset + ref.length - 6] ^= 1
    path.write_bytes(raw)
    assert not made.replay(path).is_whole
    assert holding(made, *TELESCOPE[:2]) == set()
    assert article_id(url("fresh")) in shown(made)


def test_no_traceback_of_it_is_kept(sound: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(capture: Capture, *_: Any) -> Any:
        raise ValueError(capture.body.decode())

    made = rebuilt(tmp_path, *files_of(sound))
    with monkeypatch.context() as patch:
        patch.setattr(reading, "read", fails)
        tally = made.bring([exchange("telescope", page(TELESCOPE), 9)], "again")
    assert (tally.quarantined, tally.outcomes) == ([], {Reason.TAKEN_DOWN: 1})
    assert knows_it(made)


def test_while_a_crawl_is_at_work_nothing_is_taken_out_under_it(sound: Small, tmp_path: Path) -> None:
    made = rebuilt(tmp_path, *sound.warcs)
    with made.open() as archive, archive.lock("small"), pytest.raises(Locked):
        made.replay(told_file(sound))
    assert TELESCOPE_ID in shown(made)
    made.replay(told_file(sound))
    assert knows_it(made)


# ── copies of copies ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rebuild_of_a_rebuild_knows_it_too(sound: Small, tmp_path: Path) -> None:
    once = rebuilt(tmp_path / "once", *files_of(sound))
    assert knows_it(rebuilt(tmp_path / "twice", *files_of(once)))


def test_a_package_carries_it(sound: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = tmp_path / "all.wacz"
    assert invoke(capsys, "package", "--archive", sound.folder, "--to", package).status == 0
    assert knows_it(rebuilt(tmp_path, package))


def test_a_package_of_files_from_before_brings_nothing_back(sound: Small, tmp_path: Path) -> None:
    package = tmp_path / "old.wacz"
    write_wacz(package, [*sound.warcs, told_file(sound)], software="tests/1", created=NOW)
    made = rebuilt(tmp_path, package)
    assert TELESCOPE_ID not in fed(made, 0)
    assert knows_it(made)


def test_takedowns_of_several_days_are_all_known(sound: Small, tmp_path: Path) -> None:
    shutil.copytree(sound.folder, tmp_path / "more")
    more = Small(tmp_path / "more")
    take(more, url=url("robot"))  # the same second, another file
    assert len(list((more.folder / "warc").glob("takedown-*"))) == 2
    assert [stone.article for stone in stones(rebuilt(tmp_path, *files_of(more)))] == sorted([TELESCOPE_ID, ROBOT_ID])


def test_what_a_file_told_was_taken_down_can_be_taken_down_by_its_id_and_by_its_url(sound: Small, tmp_path: Path) -> None:
    made = rebuilt(tmp_path, *files_of(sound))
    assert take(made, "again", id=TELESCOPE_ID).articles[0].article.url is None
    take(made, "and again", url=url("telescope"))
    (stone,) = stones(made)
    assert (stone.url, stone.reason) == (url("telescope"), "again"), "the first that a person gave stays"
    assert knows_it(made)


def test_people_are_told_how_many_and_that_the_reason_is_not_known(
    sound: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "small.toml").write_bytes(rules())
    settings = {"SEEDS_DIR": str(tmp_path / "seeds")}
    done = invoke(capsys, "replay", "--archive", tmp_path / "archive", "--workers", "0", *files_of(sound), **settings)
    assert (done.status, done.err) == (0, "")
    assert "1 article is taken down here too" in done.out
    told = invoke(capsys, "history", "--archive", tmp_path / "archive", url("telescope"), **settings)
    assert f"{url('telescope')} was taken down on 2026-11-20" in told.out + told.err


# ── the record ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_names_the_article_by_its_id_alone(sound: Small) -> None:
    first, second = records_in(told_file(sound))
    assert (first.type, second.type) == ("warcinfo", "metadata")
    assert second.block == f"taken-down: {TELESCOPE_ID}\r\nsite: small\r\n".encode()
    assert {name for name in second.fields if "uri" in name} == set()
    assert b"telescope" not in b"".join(record.block for record in (first, second))
    assert b"court" not in b"".join(record.block for record in (first, second))


def test_the_index_has_no_line_for_it(sound: Small) -> None:
    assert told_file(sound).name not in (sound.folder / "indexes" / "index.cdxj").read_text()
    with sound.open() as archive:
        archive.index.rebuild(files_of(sound))
    assert told_file(sound).name not in (sound.folder / "indexes" / "index.cdxj").read_text()


@given(
    st.lists(
        st.builds(
            Tombstone,
            article=st.text("0123456789abcdef", min_size=32, max_size=32),
            site=st.sampled_from(["small", "china_tech", "两个 词"]),
            at=st.integers(0, 2**40).map(lambda n: START + timedelta(milliseconds=n)),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read_and_the_same_tombstones_give_the_same_bytes(made: list[Tombstone]) -> None:
    name, content = takedown_file(made)
    assert takedown_file(made) == (name, content)
    found = [one for one in read_records(io.BytesIO(content), name) if isinstance(one, Record)]
    read = [parse_takedown(one) for one in found[1:]]
    assert [(one.article, one.site, one.at) for one in read if one is not None] == [(one.article, one.site, one.at) for one in made]


FOREIGN = (
    b"",
    b"taken-down: \r\n",
    b"taken-down: yes\r\nsite: small\r\n",
    f"taken-down: {url('robot')}\r\nsite: small\r\n".encode(),
    f"taken-down: {ROBOT_ID}\r\n".encode(),
    f"taken-down: {ROBOT_ID.upper()}\r\nsite: small\r\n".encode(),
    f"note: x\r\ntaken-down: {ROBOT_ID}\r\nsite: small\r\n".encode(),
    f'{{"taken-down": "{ROBOT_ID}", "site": "small"}}'.encode(),
)


@pytest.mark.parametrize("block", FOREIGN)
def test_the_metadata_of_others_buries_nothing(tmp_path: Path, block: bytes) -> None:
    made = small(tmp_path)
    foreign = tmp_path / "foreign.warc.gz"
    given = (("WARC-Record-ID", "<urn:uuid:5f4ed9f6-6c8d-4c0a-8a5b-3f8f0d8c0a01>"), ("WARC-Date", format_date(NOW)))
    foreign.write_bytes(encode_record((*METADATA_FIELDS, *given), block))
    made.replay(foreign)
    assert stones(made) == []
    assert ROBOT_ID in shown(made)


def test_behind_damage_nobody_is_believed_and_people_are_told(sound: Small, tmp_path: Path) -> None:
    """There the bytes of a page, which the site chooses, may pass for a record."""
    made = rebuilt(tmp_path, *sound.warcs)
    damaged = tmp_path / "damaged.warc.gz"
    broken = bytearray(write_warc(tmp_path / "other", [exchange("x", page(BATTERY), 9)], "other").read_bytes())
    broken[-12] ^= 1
    damaged.write_bytes(bytes(broken) + told_file(sound).read_bytes())
    tally = made.replay(damaged)
    assert (tally.taken_down, len(tally.damaged)) == (0, 2)
    assert [one.file for one in tally.damaged if TELESCOPE_ID in one.wrong] == [damaged.name]
    assert TELESCOPE_ID in shown(made)


# ── verify ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def made(sound: Small, tmp_path: Path) -> Small:
    shutil.copytree(sound.folder, tmp_path / "copy")
    return Small(tmp_path / "copy")


def findings(made: Small) -> list[tuple[str, str]]:
    with made.open() as archive:
        return [(str(one.what), one.where) for one in verify(archive).findings]


def test_verify_finds_a_tombstone_of_which_no_file_tells(made: Small) -> None:
    told_file(made).unlink()
    assert findings(made) == [("takedown_untold", f"article {TELESCOPE_ID}")]
    take(made, "as verify advises", id=TELESCOPE_ID)
    assert findings(made) == []
    assert knows_it(rebuilt(made.folder.parent / "again", *files_of(made)))


def test_verify_finds_a_takedown_that_the_catalogue_does_not_know(made: Small) -> None:
    with made.open() as archive, archive.catalogue.transaction() as tx:
        tx.execute(schema.tombstone.delete())
    [(what, where)] = findings(made)
    assert (what, where.partition(" ")[0]) == ("record_without_row", told_file(made).name)
    made.replay(told_file(made))  # as verify advises
    assert knows_it(made)


def test_verify_finds_an_address_that_is_due_though_only_a_file_told_of_its_takedown(sound: Small, tmp_path: Path) -> None:
    made = rebuilt(tmp_path, *files_of(sound))
    with made.open() as archive, archive.catalogue.transaction() as tx:
        urltable.discover(tx, "small", [NewUrl(url=url("telescope"), host="news.example.cn", kind=Kind.ARTICLE, due_at=0)], 0)
    assert findings(made) == [("taken_down_present", f"article {TELESCOPE_ID}")]


# ── archives of before ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_archive_whose_takedowns_no_file_tells_of_writes_that_when_it_is_opened(made: Small) -> None:
    """As older versions left them."""
    content = told_file(made).read_bytes()
    told_file(made).unlink()
    with made.open() as archive, archive.catalogue.transaction() as tx:
        tx.execute(schema.tombstone.update().values(file=None))
    with open_archive(made.folder):
        pass
    assert told_file(made).read_bytes() == content
    assert findings(made) == []


def test_killed_between_the_file_and_the_commit_it_is_written_once_more_as_it_was(made: Small) -> None:
    content = told_file(made).read_bytes()
    with made.open() as archive, archive.catalogue.transaction() as tx:
        tx.execute(schema.tombstone.update().values(file=None))
    assert is_true(made)
    assert told_file(made).read_bytes() == content
