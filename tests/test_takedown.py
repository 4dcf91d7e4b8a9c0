"""What is taken down is in no file of the archive any more and never comes back; everything else stays where it was."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from pipelines.archive import Archive, erasure, schema, stored, urltable
from pipelines.archive.article_record import article_id, digest, timestamp
from pipelines.archive.catalogue import Catalogue
from pipelines.archive.outcome_record import told
from pipelines.archive.records import sha256
from pipelines.archive.urltable import NewUrl, State
from pipelines.archive.warc import WarcWriter, read_captures, told_in
from pipelines.choice import chooser
from pipelines.errors import ArchiveUnusable, ConfigurationError, DamagedRecord, Locked, OutOfSpace
from pipelines.export import What as Wanted
from pipelines.export import export
from pipelines.feed import feed
from pipelines.model import Article, Capture, Kind, Reason, Rejection
from pipelines.reading import read
from pipelines.site import load_sites
from pipelines.stages import Settlement, Visit, commit_visit
from pipelines.takedown import Taken, Which, alone, takedown
from pipelines.verify import verify
from tests.archive.made import OTHER, STORY, Writer, address, archive_at, moment, withdrawn
from tests.crawler.commands.invoke import invoke
from tests.small_site import (
    BATTERY,
    HOST,
    ROBOT,
    START,
    TELESCOPE,
    Small,
    exchange,
    listing,
    page,
    rules,
    site,
    small,
    told_warc,
    url,
    usual,
    write_warc,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ROBOT_ID, COPY_ID, BATTERY_ID, TELESCOPE_ID = (article_id(url(name)) for name in ("robot", "robot-copy", "battery", "telescope"))
REVISED = (*TELESCOPE[:2], "附近的村民说，他们早就习惯了没有手机的日子，晚上反而睡得更好。")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Small:
    made = small(tmp_path_factory.mktemp("sound"))
    made.bring(
        [exchange("telescope", page(REVISED, "第二面天线启用"), 3), exchange("battery", page(BATTERY, "充电十分钟行驶四百公里"), 3.1)],
        "later",
    )
    return made


@pytest.fixture
def made(sound: Small, tmp_path: Path) -> Small:
    shutil.copytree(sound.folder, tmp_path / "archive")
    return Small(tmp_path / "archive", warcs=list(sound.warcs))


def choose(address: str) -> Any:
    return chooser({"small": site()})(address)


def take(made: Small, reason: str = "a court said so", **which: str) -> Taken:
    with made.open() as archive, alone(archive):
        return takedown(archive, Which(**which), reason, NOW, choose)


def exported(made: Small) -> list[dict[str, Any]]:
    out = io.BytesIO()
    with made.open() as archive:
        export(archive, Wanted(everything=True), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def shown(made: Small) -> set[str]:
    return {record["id"] for record in exported(made)}


def cursor(made: Small) -> int:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        return stored.cursor(tx)


def fed(made: Small, since: int) -> dict[str, str]:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        return {str(change["id"]): str(change["op"]) for change in feed(tx, since) if "op" in change}


def is_true(made: Small) -> bool:
    with made.open() as archive:
        assert verify(archive).as_json()["findings"] == []
    return True


def bodies(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file of an archive as it lies, and WARC files unpacked too, member by member, payloads undone."""
    for path in folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            yield path, raw
            if ".warc" in path.name:
                for at in range(len(raw)):
                    if raw.startswith(b"\x1f\x8b\x08", at):
                        yield path, erasure._inflated(raw[at:])


def holding(made: Small, *texts: str) -> set[str]:
    """The files in which any of the texts stands, in any form that we write."""
    needles = [form for text in texts for form in (text.encode(), text.encode("utf-16-le"), json.dumps(text)[1:-1].encode())]
    return {path.name for path, raw in bodies(made.folder) if any(needle in raw for needle in needles)}


def captures(made: Small) -> dict[tuple[str, int], str]:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        capture = schema.capture
        return {(row.file, row.offset): row.url for row in tx.execute(sa.select(capture.c.file, capture.c.offset, capture.c.url))}


# ── gone ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_file_of_the_archive_holds_the_text(made: Small) -> None:
    assert holding(made, TELESCOPE[0]) == {"catalogue.db", *(path.name for path in (made.folder / "warc").iterdir())}
    take(made, url=url("telescope"))
    assert holding(made, *TELESCOPE, *REVISED, "第二面天线启用") == set()
    assert "telescope" not in (made.folder / "indexes/index.cdxj").read_text()


@pytest.mark.parametrize("which", [{"url": url("telescope")}, {"id": TELESCOPE_ID}, {"pattern": "/tele.*html$"}])
def test_a_url_an_id_and_a_pattern_name_the_same_article(made: Small, which: dict[str, str]) -> None:
    taken = take(made, **which)
    (gone,) = taken.articles
    assert (gone.article.id, gone.article.url, gone.captures) == (TELESCOPE_ID, url("telescope"), 2)
    assert (taken.files, taken.others) == (2, 0)
    assert taken.records == 4  # two requests, two responses
    assert TELESCOPE_ID not in shown(made)
    assert is_true(made)


def test_followers_of_the_feed_are_told_to_delete_it_and_nothing_else(made: Small) -> None:
    at = cursor(made)
    take(made, url=url("telescope"))
    assert fed(made, at) == {TELESCOPE_ID: "delete"}


def test_every_other_record_stays_where_it_was_to_the_byte(made: Small) -> None:
    before, records = captures(made), {record["id"]: record for record in exported(made)}
    sizes = {path.name: path.stat().st_size for path in (made.folder / "warc").iterdir()}
    take(made, url=url("telescope"))
    assert captures(made) == {place: address for place, address in before.items() if address != url("telescope")}
    assert {record["id"]: record for record in exported(made)} == {name: one for name, one in records.items() if name != TELESCOPE_ID}
    assert sizes.items() <= {path.name: path.stat().st_size for path in (made.folder / "warc").iterdir()}.items()


def test_a_capture_with_hints_goes_with_the_record_beside_it_and_others_keep_theirs(made: Small) -> None:
    take(made, url=url("battery"))
    assert holding(made, *BATTERY) == set()
    found = [one for path in (made.folder / "warc").iterdir() for one in read_captures(path) if isinstance(one, Capture)]
    assert [one.hints.title for one in found if one.url == url("robot") and one.status == 200] == ["机器人装好一台整机"]
    take(made, url=url("robot"))
    assert is_true(made)


def test_what_is_left_of_the_files_is_sound_for_other_tools(made: Small, capsys: pytest.CaptureFixture[str]) -> None:
    take(made, url=url("telescope"))
    for path in (made.folder / "warc").iterdir():
        checker = Checker(type("Arguments", (), {"inputs": [str(path)], "verbose": False})())
        checker.process_all()
        assert checker.exit_value == 0, capsys.readouterr().out
        with path.open("rb") as file:
            types = [record.rec_type for record in ArchiveIterator(file)]
        assert "metadata" in types
        with gzip.open(path) as unpacked:
            assert (b"taken-down" if path.name.startswith("takedown-") else b"Taken down") in unpacked.read()


@pytest.mark.parametrize("apart", [False, True])
def test_what_was_told_of_it_goes_too_and_what_was_told_of_others_stays(tmp_path: Path, apart: bool) -> None:
    made = Small(tmp_path / "archive")
    made.replay(*told_warc(tmp_path / "warcs", apart=apart))
    files = sorted((made.folder / "warc").iterdir())
    before = [one for path in files for one in told_in(path)]
    digests = {one.text.digest for one in before if one.article == ROBOT_ID and one.text is not None}
    assert digests
    take(made, url=url("robot"))
    after = [one for path in files for one in told_in(path)]
    assert [one.of for one in after] == [one.of for one in before if one.article != ROBOT_ID]
    kept = {one.text.digest for one in after if one.text is not None}
    held = b"".join(gzip.decompress(path.read_bytes()) for path in files)
    assert [digest for digest in digests - kept if digest.encode() in held] == []
    with made.open() as archive:
        assert verify(archive).findings == []


def test_copies_stay_and_are_counted(made: Small) -> None:
    taken = take(made, url=url("robot"))
    assert taken.articles[0].copies == (COPY_ID,)
    assert COPY_ID in shown(made)
    assert {record["id"]: record["cluster"]["size"] for record in exported(made)}[COPY_ID] == 1
    assert is_true(made)
    assert take(made, id=COPY_ID).articles[0].copies == ()
    assert holding(made, *ROBOT) == set()
    assert is_true(made)


def test_a_pattern_takes_all_that_it_finds_and_their_copies_are_none_that_stay(made: Small) -> None:
    taken = take(made, pattern="/robot")
    assert [gone.copies for gone in taken.articles] == [(), ()]
    assert holding(made, *ROBOT) == set()
    assert is_true(made)


def test_the_confirmations_of_an_article_go_with_it(made: Small) -> None:
    take(made, url=url("robot"))
    assert url("robot") not in captures(made).values()
    spoken_of = {one.url for path in (made.folder / "warc").iterdir() for one in read_captures(path) if isinstance(one, Capture)}
    assert url("robot") not in spoken_of
    assert url("robot-copy") in spoken_of


def test_denials_that_were_believed_for_what_it_showed_are_weighed_again(tmp_path: Path) -> None:
    """Another article is denied twice while the host shows this one alone, and a third while it shows one that stays."""
    with archive_at(tmp_path / "archive") as archive:
        writer = Writer(archive)
        for name, text in (("a", STORY), ("b", OTHER), ("c", BATTERY)):
            writer.shows(name, 0, text)
        for day in (1.0, 2.1):
            writer.shows("b", day, OTHER)
            writer.says(address("a"), moment(day), Rejection(reason=Reason.GONE, detail="404"))
        writer.withdrawn("c", 4)
        assert withdrawn(archive) == sorted(map(article_id, (address("a"), address("c"))))
        with alone(archive):
            takedown(archive, Which(url=address("b")), "a court said so", NOW, choose)
        assert withdrawn(archive) == [article_id(address("c"))]


def test_a_tombstone_and_an_audit_line_stay_and_say_no_more_than_they_must(made: Small) -> None:
    take(made, url=url("telescope"))
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        (stone,) = tx.execute(sa.select(schema.tombstone)).all()
        assert not tx.scalar(sa.select(sa.func.count()).where(schema.info.c.key == erasure.INTENT))
    assert (stone.article, stone.url, stone.site, stone.reason) == (TELESCOPE_ID, url("telescope"), "small", "a court said so")
    (line,) = (made.folder / "audit.log").read_text().splitlines()
    assert json.loads(line) == {"at": "2026-11-20T08:00:00.000000Z", "id": TELESCOPE_ID, "reason": "a court said so", "captures": 2}


def test_fingerprints_of_the_text_are_gone_and_those_of_its_copies_stay(made: Small) -> None:
    def documents() -> int:
        with made.open() as archive, archive.catalogue.snapshot() as tx:
            return tx.scalar(sa.text("SELECT count(*) FROM indexed_text")) or 0

    assert documents() == 3
    take(made, url=url("robot"))
    assert documents() == 3
    take(made, url=url("robot-copy"))
    assert documents() == 2


def test_deleted_rows_leave_nothing_in_the_pages_of_the_database(made: Small) -> None:
    take(made, pattern="telescope|battery")
    with sqlite3.connect(made.folder / "catalogue.db") as database:
        assert database.execute("PRAGMA freelist_count").fetchone() == (0,)
    log = made.folder / "catalogue.db-wal"
    assert not log.exists() or TELESCOPE[0].encode() not in log.read_bytes()


STORIES = {
    "robot": exchange("robot", page(ROBOT), 0),
    "copy": exchange("copy", page(ROBOT), 0.2),
    "battery": exchange("battery", page(BATTERY, "充电十分钟行驶四百公里"), 0.1),
    "longer": exchange("longer", page((*BATTERY, *TELESCOPE), "两件事"), 0.3),
    "telescope": exchange("telescope", page(TELESCOPE, "第二面天线启用"), 0.4),
    "lost": exchange("lost", b"<html><body><p>404</p></body></html>", 0.5, status=404, reason="Not Found"),
}


def without_places(made: Small) -> list[dict[str, Any]]:
    return [{name: value for name, value in record.items() if name != "provenance"} for record in exported(made)]


@settings(deadline=None, max_examples=5)
@given(names=st.lists(st.sampled_from(sorted(STORIES)), min_size=1, max_size=4, unique=True))
def test_an_archive_without_some_articles_is_one_that_never_had_them(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    taken = small(tmp_path_factory.mktemp("taken"), STORIES.values())
    for name in names:
        take(taken, url=url(name))
    never = small(tmp_path_factory.mktemp("never"), [listing(()), *(one for name, one in STORIES.items() if name not in names)])
    assert without_places(taken) == without_places(never)
    assert is_true(taken)


# ── what it may not touch, what it cannot know ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("which", [{"id": "0" * 32}, {"pattern": "/nowhere/"}, {"pattern": "("}, {"url": "telescope"}])
def test_what_names_nothing_is_refused_and_nothing_changes(made: Small, which: dict[str, str]) -> None:
    before = captures(made)
    with pytest.raises(ConfigurationError):
        take(made, **which)
    assert captures(made) == before
    assert not (made.folder / "audit.log").exists()


def test_nobody_else_may_be_at_work(made: Small) -> None:
    with made.open() as archive, archive.lock("small"), pytest.raises(Locked):
        take(made, url=url("telescope"))
    assert TELESCOPE_ID in shown(made)


def test_a_second_takedown_of_the_same_article_does_no_harm(made: Small) -> None:
    first = take(made, url=url("telescope"))
    again = take(made, "again", id=TELESCOPE_ID)
    assert (again.records, again.articles[0].captures) == (0, 0)
    assert (first.articles[0].before, again.articles[0].before) == (None, timestamp(NOW))
    assert is_true(made)


def test_the_first_reason_stays_and_the_audit_log_has_both(made: Small) -> None:
    take(made, "a person asked", url=url("telescope"))
    before = stones(made)
    with made.open() as archive, alone(archive):
        takedown(archive, Which(url=url("telescope")), "again", NOW + timedelta(days=9), choose)
    assert stones(made) == before
    assert [json.loads(line)["reason"] for line in (made.folder / "audit.log").read_text().splitlines()] == ["a person asked", "again"]


def test_what_a_warc_file_alone_told_of_gets_the_address_and_the_reason_that_a_person_gives(made: Small, tmp_path: Path) -> None:
    take(made, url=url("telescope"))
    other = small(tmp_path / "other")
    other.replay(*made.folder.glob("warc/takedown-*"))
    ((article, address, reason, at, file),) = stones(other)
    assert (address, reason) == (None, None)
    take(other, "a person asked", url=url("telescope"))
    assert stones(other) == [(article, url("telescope"), "a person asked", at, file)]
    assert is_true(other)


def stones(made: Small) -> list[tuple[str | None, ...]]:
    """Article, address, reason, time and file of every tombstone."""
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        return [(row.article, row.url, row.reason, row.at, row.file) for row in tx.execute(sa.select(schema.tombstone))]


def test_a_revisit_at_another_url_that_refers_to_it_goes_too(made: Small) -> None:
    body = page(REVISED, "第二面天线启用")
    refers = (url("telescope"), START + timedelta(days=3))
    made.bring([exchange("tele-again", body, 5, refers_to=refers, original_digest=sha256(body))], "revisit")
    assert article_id(url("tele-again")) in shown(made)
    at = cursor(made)
    taken = take(made, url=url("telescope"))
    assert taken.others == 1
    assert article_id(url("tele-again")) not in shown(made)
    assert set(fed(made, at).values()) == {"delete"}
    assert holding(made, *TELESCOPE, *REVISED) == set()
    assert is_true(made)


def test_a_later_part_of_the_article_goes_with_it(made: Small) -> None:
    made.bring([exchange("robot_2", page(("第二页的内容只有这一段话，可它很长，长到足以被当作一篇文章的正文来读。",)), 5)], "part")
    take(made, url=url("robot"))
    assert holding(made, "第二页的内容只有这一段话") == set()
    assert is_true(made)


def test_a_record_that_is_damaged_goes_where_the_catalogue_knows_whose_it_is(made: Small) -> None:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        capture = schema.capture
        row = tx.execute(sa.select(capture).where(capture.c.url == url("telescope")).order_by(capture.c.id)).first()
    assert row is not None
    path = made.folder / "warc" / row.file
    raw = bytearray(path.read_bytes())
    raw[row.offset + row.length - 6] ^= 1  # its checksum: everything can still be read out of it
    path.write_bytes(raw)
    take(made, url=url("telescope"))
    assert holding(made, *TELESCOPE) == set()
    assert is_true(made)


def test_quarantined_pages_torn_tails_and_left_overs_are_looked_through(made: Small) -> None:
    (path, *_) = sorted((made.folder / "warc").iterdir())
    torn = write_warc(made.folder.parent / "torn", [exchange("telescope", page(TELESCOPE))]).read_bytes()[:-30]
    (made.folder / "warc" / f"{path.name}.torn-9").write_bytes(torn)
    (made.folder / "warc" / f"{path.name}.torn-8").write_bytes(write_warc(made.folder.parent / "other", usual()[:1]).read_bytes()[:-30])
    (made.folder / "warc" / f".{path.name}.1.new").write_bytes(torn)
    (made.folder / "quarantine").mkdir()
    (made.folder / "quarantine" / "a-1.txt").write_text(f"{url('telescope')}\n\n{TELESCOPE[0]}")
    (made.folder / "quarantine" / "a-2.txt").write_text(f"{url('robot')}\n\nValueError")
    (made.folder / "reextract.jsonl").write_text(TELESCOPE[0])
    (made.folder / "wacz-1").mkdir()
    (made.folder / "wacz-1" / "a.warc.gz").write_bytes(torn)
    take(made, url=url("telescope"))
    assert holding(made, *TELESCOPE) == set()
    assert (made.folder / "quarantine" / "a-2.txt").exists()
    assert [one.name for one in (made.folder / "warc").glob("*.torn-*")] == [f"{path.name}.torn-8"]


def test_what_was_told_in_a_later_file_of_a_revisit_that_goes_goes_too(made: Small) -> None:
    """The revisit is at another URL, so that only the record that it refers to says that it goes, and that lies in another file."""
    body = page(REVISED, "第二面天线启用")
    refers = (url("telescope"), START + timedelta(days=3))
    folder = made.folder.parent / "crawled"
    with WarcWriter(folder, prefix="zz", software="tests/1", rules={}, max_seconds=1e9) as writer:
        revisit = writer.write(exchange("tele-again", body, 5, refers_to=refers, original_digest=sha256(body)))
        whole = replace(revisit, body=body)
        writer.close()
        result = read(whole, site())
        assert isinstance(result, Article)
        writer.tell([told(revisit, url("tele-again"), site().digest, result)])
    made.replay(*sorted(folder.iterdir()))
    assert holding(made, digest(result.text))
    take(made, url=url("telescope"))
    assert holding(made, digest(result.text)) == set()
    assert is_true(made)


@pytest.mark.parametrize("name", ["telescope_2.html", "telescope.html?utm_source=x"])
def test_other_spellings_and_parts_that_only_left_overs_know_are_looked_through(made: Small, name: str) -> None:
    spelled = f"{HOST}/2026/{name}"
    (path, *_) = sorted((made.folder / "warc").iterdir())
    torn = write_warc(made.folder.parent / "torn", [exchange("", page(TELESCOPE), url=spelled)]).read_bytes()[:-30]
    (made.folder / "warc" / f"{path.name}.torn-9").write_bytes(torn)
    (made.folder / "quarantine").mkdir()
    (made.folder / "quarantine" / "a-1.txt").write_text(f"{spelled}\n\nValueError: {TELESCOPE[0]}")
    take(made, url=url("telescope"))
    assert holding(made, *TELESCOPE) == set()


def test_a_torn_tail_without_compression_is_looked_through_to_its_end(made: Small) -> None:
    (path, *_) = sorted((made.folder / "warc").iterdir())
    large = gzip.decompress(write_warc(made.folder.parent / "large", [exchange("battery", b"x" * erasure.PIECE)]).read_bytes())
    torn = gzip.decompress(write_warc(made.folder.parent / "torn", [exchange("telescope", page(TELESCOPE))]).read_bytes())
    (made.folder / "warc" / f"{path.stem}.torn-9").write_bytes((large + torn)[:-30])
    take(made, url=url("telescope"))
    assert holding(made, *TELESCOPE) == set()


@pytest.mark.parametrize("left", ["reextract.jsonl.part", "reextract.jsonl"])
def test_what_a_broken_off_re_extraction_had_found_goes(made: Small, left: str) -> None:
    (made.folder / left).write_text(TELESCOPE[0])
    take(made, url=url("telescope"))
    assert holding(made, *TELESCOPE) == set()


@pytest.mark.parametrize("packed", [True, False])
def test_a_damaged_record_that_no_row_knows_goes_where_its_head_can_be_read(made: Small, packed: bool) -> None:
    path = write_warc(made.folder.parent / "damaged", [exchange("telescope", page(TELESCOPE), 9), exchange("fresh", page(BATTERY), 9.1)])
    raw = bytearray(path.read_bytes() if packed else gzip.decompress(path.read_bytes()))
    (ref, _) = (one.warc for one in read_captures(path) if isinstance(one, Capture))
    assert ref is not None
    raw[ref.offset + ref.length - 6 if packed else raw.index(TELESCOPE[2].encode()) + 80] ^= 1
    brought = made.folder / "warc" / path.name.removesuffix("" if packed else ".gz")
    brought.write_bytes(raw)
    assert [type(one) for one in read_captures(brought)] == [DamagedRecord, Capture]
    assert brought.name in holding(made, *TELESCOPE[:2])
    take(made, url=url("telescope"))
    assert holding(made, *TELESCOPE) == set()
    (fresh,) = read_captures(brought)
    assert isinstance(fresh, Capture)
    assert fresh.url == url("fresh")


# ── never again ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_replaying_the_same_file_again_brings_nothing_back(made: Small) -> None:
    take(made, url=url("telescope"))
    before, at = captures(made), cursor(made)
    made.replay(*made.warcs)
    assert captures(made) == before
    assert cursor(made) == at
    assert holding(made, *TELESCOPE, *REVISED) == set()
    assert is_true(made)


def test_replaying_another_file_that_has_it_brings_the_others_in_and_it_not(made: Small) -> None:
    take(made, url=url("telescope"))
    again = exchange("telescope", page(TELESCOPE), 9, request_headers=(("User-Agent", "x"),))
    made.bring([exchange("fresh", page((*BATTERY[1:], "这是后来才有的一段，讲的是改装厂里的另一件事。")), 9.1), again], "other")
    assert article_id(url("fresh")) in shown(made)
    assert TELESCOPE_ID not in shown(made)
    assert holding(made, *TELESCOPE) == set()
    assert is_true(made)
    before = captures(made)
    made.replay(made.warcs[-1])
    assert captures(made) == before


@pytest.mark.parametrize("apart", [False, True])
def test_what_a_file_tells_of_it_does_not_come_in_again(tmp_path: Path, apart: bool) -> None:
    made = Small(tmp_path / "archive")
    files = told_warc(tmp_path / "warcs", apart=apart)
    before = [one for path in files for one in told_in(path)]
    take(made, url=url("telescope"))
    made.replay(*files)
    after = [one for path in sorted((made.folder / "warc").iterdir()) for one in told_in(path)]
    assert len(before) == len(after) + 1
    assert {one.url for one in before} - {one.url for one in after} == {url("telescope")}
    gone = next(one.text for one in before if one.url == url("telescope"))
    assert gone is not None
    assert holding(made, *TELESCOPE, gone.digest) == set()
    assert is_true(made)


def test_its_url_is_set_aside_and_a_list_that_links_to_it_wakes_nothing(made: Small) -> None:
    with made.open() as archive, archive.catalogue.transaction() as tx:
        urltable.discover(tx, "small", [NewUrl(url=url("telescope"), host="news.example.cn", kind=Kind.ARTICLE, due_at=0)], 0)
    take(made, url=url("telescope"))
    assert states(made)[url("telescope")] == (State.SET_ASIDE, "taken_down")


def test_a_url_that_was_never_seen_can_be_taken_down_beforehand(made: Small) -> None:
    taken = take(made, url=url("to-come"))
    assert (taken.records, taken.articles[0].had_text) == (0, False)
    assert states(made)[url("to-come")] == (State.SET_ASIDE, "taken_down")
    made.bring([exchange("to-come", page(TELESCOPE), 9)], "other")
    assert article_id(url("to-come")) not in shown(made)
    assert is_true(made)


def test_another_spelling_of_its_url_is_set_aside_when_a_list_brings_it(made: Small) -> None:
    take(made, url=url("telescope"))
    spelled = [f"{url('telescope')}?utm_source=x", f"{HOST}/2026/telescope_2.html", url("other")]
    found = tuple(NewUrl(url=one, host="news.example.cn", kind=Kind.ARTICLE, due_at=0) for one in spelled)
    with made.open() as archive, archive.catalogue.transaction() as tx:
        urltable.discover(tx, "small", [NewUrl(url=f"{HOST}/list/", host="news.example.cn", kind=Kind.LISTING, due_at=0)], 0)
        row = urltable.by_url(tx, "small", f"{HOST}/list/")
        assert row is not None
        settled = Settlement(values={"state": State.DONE}, found=found, wake=tuple(spelled))
        commit_visit(tx, site(), Visit(row=row, settle=lambda *_: settled, broken=settled, now=0.0), None)
    aside = {address for address, (state, _) in states(made).items() if state == State.SET_ASIDE}
    assert aside == {url("telescope"), *spelled[:2]}


def states(made: Small) -> dict[str, tuple[str, str | None]]:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        articles = sa.select(schema.url).where(schema.url.c.kind == Kind.ARTICLE)
        return {row.url: (row.state, row.reason) for row in tx.execute(articles)}


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dies(*_: Any, **__: Any) -> Any:
    raise OutOfSpace("killed")


@pytest.mark.parametrize("where", ["overwrite", "_clear", "_note", "second file", "index", "scrub"])
def test_whoever_opens_the_archive_after_a_crash_brings_the_takedown_to_its_end(
    made: Small, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    real: Callable[..., None] = erasure.overwrite
    done: list[Path] = []

    def second(path: Path, *rest: Any) -> None:
        if done:
            _dies()
        done.append(path)
        real(path, *rest)

    with monkeypatch.context() as patch:
        match where:
            case "second file":
                patch.setattr(erasure, "overwrite", second)
            case "index":
                patch.setattr("pipelines.archive.cdxj.CdxjIndex.replace", _dies)
            case "scrub":
                patch.setattr("pipelines.archive.catalogue.Catalogue.scrub", _dies)
            case _:
                patch.setattr(erasure, where, _dies)
        with pytest.raises(OutOfSpace):
            take(made, url=url("telescope"))
    assert is_true(made)  # opening it was enough
    assert holding(made, *TELESCOPE, *REVISED) == set()
    assert len((made.folder / "audit.log").read_text().splitlines()) == 1


def _killed_at(step: int, act: Callable[[], object]) -> bool:
    """Whether a process that does it was killed before it touched a file for the `step`th time; no `finally` of its runs."""
    child = os.fork()
    if child == 0:
        steps = itertools.count(1)
        touching = {"os.rename", "os.remove", "os.truncate", "sqlite3.connect"}

        def hear(event: str, args: tuple[object, ...]) -> None:
            writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
            if (event in touching or writes) and next(steps) == step:
                os._exit(9)

        try:
            sys.addaudithook(hear)
            act()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in {0, 9}
    return os.waitstatus_to_exitcode(status) == 9


def test_a_takedown_that_is_killed_wherever_it_touches_a_file_is_brought_to_its_end(made: Small, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(made.folder, kept)
    before = {path.name for path in (made.folder / "warc").iterdir()}
    ended = []
    for step in itertools.count(1):
        shutil.rmtree(made.folder)
        shutil.copytree(kept, made.folder)
        killed = _killed_at(step, lambda: take(made, url=url("telescope")))
        told = list((made.folder / "warc").glob("takedown-*.warc.gz"))
        assert told or holding(made, *TELESCOPE) >= before, "without the text, a rebuild must know that it is not to come back"
        with made.open() as archive, archive.catalogue.snapshot() as tx:
            ended.append(tx.scalar(sa.select(schema.tombstone.c.article)) is not None)
        if ended[-1]:
            assert holding(made, *TELESCOPE, *REVISED) == set()
            assert len((made.folder / "audit.log").read_text().splitlines()) == 1
        else:
            assert TELESCOPE_ID in shown(made)
        assert is_true(made)
        if not killed:
            break
    assert ended == sorted(ended), "before the commit nothing, behind it all"
    assert set(ended) == {False, True}


def test_a_crash_before_the_commit_leaves_everything_as_it_was(made: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    before = captures(made)
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "intend", _dies)
        with pytest.raises(OutOfSpace):
            take(made, url=url("telescope"))
    assert captures(made) == before
    assert TELESCOPE_ID in shown(made)
    assert is_true(made)


def test_an_archive_whose_takedown_is_being_ended_by_another_is_locked(made: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "_note", _dies)
        with pytest.raises(OutOfSpace):
            take(made, url=url("telescope"))
    catalogue = Catalogue(f"sqlite:///{made.folder / 'catalogue.db'}")
    with Archive(made.folder, catalogue).lock("takedown"), pytest.raises(Locked):
        made.open()
    assert is_true(made)


# ── padding ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("length", [125, 219, 220, 300, 1000, 65_000, 65_553, 65_558, *range(65_570, 65_580), 131_100, 200_000])
def test_padding_has_the_length_that_is_asked_for_and_is_one_record(length: int, tmp_path: Path) -> None:
    raw = erasure.padding(length, NOW)
    assert len(raw) == length
    assert gzip.decompress(raw).startswith(b"WARC/1.1\r\nWARC-Type: metadata\r\n")
    (tmp_path / "a.warc.gz").write_bytes(raw)
    assert list(read_captures(tmp_path / "a.warc.gz")) == []
    with (tmp_path / "a.warc.gz").open("rb") as file:
        assert [record.rec_type for record in ArchiveIterator(file)] == ["metadata"]


def test_no_length_between_the_smallest_and_four_blocks_is_impossible() -> None:
    for length in (*range(125, 2_000), *range(131_000, 131_200), *range(196_600, 196_700)):
        assert len(erasure.padding(length, NOW)) == length


def test_what_leaves_no_room_is_refused() -> None:
    with pytest.raises(ArchiveUnusable, match="no room"):
        erasure.padding(90, NOW)


def test_large_spans_become_several_records(tmp_path: Path) -> None:
    path = write_warc(tmp_path, usual())
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0" * (5 * 2**20 + 7))
    erasure.overwrite(path, [(len(whole), 5 * 2**20 + 7)], NOW)
    found = list(read_captures(path))
    assert len(found) == 7
    assert not [one for one in found if isinstance(one, DamagedRecord)]


def test_records_of_an_uncompressed_file_are_overwritten_in_place(made: Small, tmp_path: Path) -> None:
    plain = tmp_path / "plain.warc"
    plain.write_bytes(
        gzip.decompress(
            write_warc(tmp_path / "gz", [exchange("x-one", page(TELESCOPE), 5), exchange("x-two", page(REVISED), 6)]).read_bytes()
        )
    )
    made.replay(plain)
    take(made, pattern="telescope|x-one|x-two")
    assert holding(made, *TELESCOPE, *REVISED) == set()
    assert is_true(made)


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_says_what_went_and_what_stays(made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "small.toml").write_bytes(rules())
    assert set(load_sites(tmp_path / "seeds")) == {"small"}
    settings = {"SEEDS_DIR": str(tmp_path / "seeds")}
    done = invoke(capsys, "takedown", "--archive", made.folder, "--url", url("robot"), "--reason", "asked to", **settings)
    assert (done.status, done.err) == (0, "")
    assert f"{ROBOT_ID}  {url('robot')}: 2 captures" in done.out
    assert "1 copy at other URLs stays" in done.out
    assert COPY_ID in done.out
    assert not [text for text in ROBOT if text in done.out]
    assert is_true(made)


def test_the_command_says_when_it_was_taken_down_already(made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small.toml").write_bytes(rules())
    take(made, "a person asked", url=url("robot"))
    words = ("takedown", "--archive", made.folder, "--url", url("robot"), "--reason", "again")
    done = invoke(capsys, *words, SEEDS_DIR=str(tmp_path))
    assert (done.status, done.err) == (0, "")
    said = "was taken down already on 2026-11-20; the first reason stays, audit.log has this one too"
    assert done.out.startswith(f"{ROBOT_ID}  {url('robot')}: {said}\n")


def test_an_address_of_a_host_that_no_site_has_is_recorded_with_a_warning(
    made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.toml").write_bytes(rules())
    typo = url("robot").replace("news.", "newss.")
    done = invoke(capsys, "takedown", "--archive", made.folder, "--url", typo, "--reason", "r", SEEDS_DIR=str(tmp_path))
    assert (done.status, done.err) == (
        0,
        "Is the address right? No site of the seeds files has the host newss.example.cn. It is recorded all the same.\n",
    )
    assert "nothing was in the archive; it will never be fetched" in done.out
    assert [stone[1] for stone in stones(made)] == [typo]


@pytest.mark.parametrize("options", [[], ["--url", "http://x/"], ["--reason", "r"], ["--url", "http://x/", "--id", "1", "--reason", "r"]])
def test_the_command_wants_one_name_and_a_reason(made: Small, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(capsys, "takedown", "--archive", made.folder, *options).status == 2


def test_the_command_ends_with_20_for_an_unknown_id_and_with_22_while_a_run_is_at_work(
    made: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(capsys, "takedown", "--archive", made.folder, "--id", "0", "--reason", "r").status == 20
    with made.open() as archive, archive.lock("small"):
        assert invoke(capsys, "takedown", "--archive", made.folder, "--url", url("robot"), "--reason", "r").status == 22
