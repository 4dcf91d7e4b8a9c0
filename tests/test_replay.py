"""WARC files, ours or anybody's, through the same door: nothing twice, nothing lost, nothing that stops the rest."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines import bulk, reading
from pipelines import replay as replay_module
from pipelines.archive import Archive, open_archive, schema
from pipelines.archive.article_record import canonical_json
from pipelines.archive.records import sha256
from pipelines.archive.stored import records
from pipelines.archive.warc import Exchange, WarcWriter
from pipelines.choice import chooser
from pipelines.errors import ArchiveUnusable
from pipelines.intake import keep_file
from pipelines.model import Capture, Kind, Reason, Verdict
from pipelines.replay import GROUP, Tally, replay
from pipelines.site import GENERIC, Site
from pipelines.takedown import Which, alone, takedown
from pipelines.verify import What, verify
from tests.crawler import made
from tests.crawler.made import HOST, address

SITE = made.site()
CHOOSE = chooser({"news": SITE})
DAY = 86_400


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_archive(tmp_path / "archive", create=True) as archive:
        yield archive


def warc(folder: Path, *exchanges: Exchange, prefix: str = "news") -> Path:
    """One WARC file of some exchanges."""
    with WarcWriter(folder, prefix=prefix, software="test", rules={}, max_seconds=1e9) as writer:
        for exchange in exchanges:
            writer.write(exchange)
        assert writer.position is not None
        return folder / writer.position[0]


def story(number: int, seconds: float, **said: Any) -> Exchange:
    lines = [f"第{number}篇。{line}" for line in made.LINES]
    return made.exchange(address(number), made.article_page(number, text=lines), seconds=seconds, **said)


def gone(number: int, seconds: float) -> Exchange:
    return made.exchange(address(number), status=404, seconds=seconds)


def everything(archive: Archive) -> list[str]:
    with archive.catalogue.snapshot() as tx:
        names = list(tx.scalars(sa.select(schema.article.c.id).order_by(schema.article.c.id)))
        return [canonical_json(record) for _, record in records(tx, names)]


def statuses(archive: Archive) -> dict[str, str]:
    with archive.catalogue.snapshot() as tx:
        return {row.url: row.status for row in tx.execute(sa.select(schema.article.c.url, schema.article.c.status))}


# ── the same door ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_capture_is_ingested_and_counted_by_what_became_of_it(archive: Archive, tmp_path: Path) -> None:
    listing = made.exchange(f"{HOST}/flash/", made.list_page([1]), kind=Kind.LISTING)
    tally = replay(archive, [warc(tmp_path, listing, story(1, 1), story(2, 2), gone(3, 3))], CHOOSE)
    assert dict(tally.outcomes) == {Kind.LISTING: 1, Verdict.NEW: 1, Verdict.NEAR_DUPLICATE: 1, "gone": 1} or tally.outcomes["new"] == 2
    assert (tally.known, tally.is_whole) == (0, True)


def test_a_second_replay_finds_everything_known(archive: Archive, tmp_path: Path) -> None:
    path = warc(tmp_path, story(1, 1), story(2, 2))
    replay(archive, [path], CHOOSE)
    before = everything(archive)
    again = replay(archive, [path], CHOOSE)
    assert (again.known, sum(again.outcomes.values()), everything(archive)) == (2, 0, before)


def test_a_replay_that_was_broken_off_goes_on_where_it_stopped(archive: Archive, tmp_path: Path) -> None:
    path = warc(tmp_path, *(gone(number, number) for number in range(2 * GROUP)))

    def stop(tally: Tally) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay(archive, [path], CHOOSE, tell=stop)
    tally = replay(archive, [path], CHOOSE)
    assert (tally.known, sum(tally.outcomes.values())) == (GROUP, GROUP)


def test_any_order_of_the_files_gives_the_same_records_byte_for_byte(tmp_path: Path) -> None:
    days = (
        (story(1, 0), story(2, 5), made.exchange(address(3), made.article_page(3, text=made.LINES[:1], following="3_2.html"), seconds=6)),
        (made.exchange(address(3, 2), made.article_page(3, text=made.LINES[1:]), seconds=DAY), gone(1, DAY + 1), story(2, DAY + 2)),
        (gone(1, 3 * DAY), story(4, 3 * DAY + 1), made.exchange(address(2), made.article_page(2, title="更正："), seconds=3 * DAY + 2)),
    )
    files = [warc(tmp_path / str(number), *day, prefix=f"news-{number}") for number, day in enumerate(days)]
    seen = set()
    for seed in range(4):
        order = random.Random(seed).sample(files, k=len(files))
        with open_archive(tmp_path / f"archive-{seed}", create=True) as archive:
            replay(archive, order, CHOOSE)
            seen.add("\n".join(everything(archive)))
            assert statuses(archive)[address(1)] == "withdrawn"
    assert len(seen) == 1


@pytest.mark.parametrize("first", ["denials", "sights"])
def test_an_outage_withdraws_nothing_in_whatever_order_its_files_are_read(archive: Archive, tmp_path: Path, first: str) -> None:
    """Ten articles; for two days every one of them is a 404."""
    sights = warc(tmp_path / "a", *(story(number, number) for number in range(10)), prefix="news-a")
    denials = warc(tmp_path / "b", *(gone(number, day * DAY + number) for day in (1, 2, 3) for number in range(10)), prefix="news-b")
    replay(archive, [denials, sights] if first == "denials" else [sights, denials], CHOOSE)
    assert set(statuses(archive).values()) == {"active"}


def test_half_a_cluster_that_is_down_withdraws_nothing(archive: Archive, tmp_path: Path) -> None:
    """Of ten articles another six are denied at every hour."""
    chance = random.Random(7)
    pages = [story(number, number) for number in range(10)]
    for hour in range(24, 96, 8):
        denied = set(chance.sample(range(10), k=6))
        pages += [
            gone(n, hour * 3600 + n) if n in denied else made.exchange(pages[n].url, pages[n].body, seconds=hour * 3600 + n)
            for n in range(10)
        ]
    replay(archive, [warc(tmp_path, *pages)], CHOOSE)
    assert set(statuses(archive).values()) == {"active"}


def test_a_single_article_that_is_gone_from_a_healthy_site_is_withdrawn_and_comes_back(archive: Archive, tmp_path: Path) -> None:
    first = warc(tmp_path / "a", story(1, 0), story(2, 1), gone(1, DAY), story(2, DAY + 1), gone(1, 3 * DAY), story(2, 3 * DAY + 1))
    replay(archive, [first], CHOOSE)
    assert statuses(archive) == {address(1): "withdrawn", address(2): "active"}
    replay(archive, [warc(tmp_path / "b", story(1, 4 * DAY), prefix="news-b")], CHOOSE)
    assert statuses(archive) == {address(1): "active", address(2): "active"}


# ── which site ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_url_is_read_by_the_rules_of_its_host(archive: Archive) -> None:
    assert CHOOSE("http://other.test/20260907/1.html").name == "news"
    assert CHOOSE("http://elsewhere.test/a.html").name == GENERIC
    assert chooser({"news": SITE}, "news")("http://elsewhere.test/a.html").name == "news"


def test_a_copy_on_a_mirror_is_read_by_the_rules_of_its_original() -> None:
    mirror = "[[identity.mirror]]\npattern = 'http://m\\.test/(?P<path>.*)'\noriginal = 'http://news.test/{path}'\n\n[[layout]]"
    assert chooser({"news": made.site(**{"[[layout]]": mirror})})("http://m.test/20260907/1.html").name == "news"


def test_pages_of_unknown_hosts_are_read_by_a_generic_site(archive: Archive, tmp_path: Path) -> None:
    long = [f"第{n}段。{line}" for n in range(4) for line in made.LINES]
    page = made.exchange("http://elsewhere.test/2026/story.html", made.article_page(1, text=long))
    replay(archive, [warc(tmp_path, page, prefix="somebody")], CHOOSE)
    with archive.catalogue.snapshot() as tx:
        assert list(tx.scalars(sa.select(schema.article.c.site))) == [GENERIC]


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_archive_keeps_its_own_copy_of_what_it_reads(archive: Archive, tmp_path: Path) -> None:
    path = warc(tmp_path, story(1, 1))
    kept = keep_file(archive, path)
    assert (kept.parent, kept.read_bytes()) == (archive.warc_folder, path.read_bytes())
    assert keep_file(archive, path) == kept
    assert keep_file(archive, kept) == kept


def test_another_file_of_the_same_name_is_kept_beside_the_first(archive: Archive, tmp_path: Path) -> None:
    one, other = warc(tmp_path / "a", story(1, 1)), warc(tmp_path / "b", story(2, 1))
    assert one.name == other.name
    assert keep_file(archive, one) != keep_file(archive, other)
    replay(archive, [one, other], CHOOSE)
    assert len(statuses(archive)) == 2


@pytest.mark.parametrize("name", ["odd.WARC.GZ", "odd.warc.gz.1", "odd.gz", "odd", "odd.warc.open"])
@pytest.mark.parametrize("plain", [False, True])
def test_whatever_a_file_is_called_it_is_found_again(archive: Archive, tmp_path: Path, name: str, plain: bool) -> None:
    """By verify, and by a takedown: what lies where nobody looks stays for ever."""
    source = warc(tmp_path / "from", story(1, 0))
    raw = source.read_bytes()
    (tmp_path / name).write_bytes(gzip.decompress(raw) if plain else raw)
    assert replay(archive, [tmp_path / name], CHOOSE).outcomes == {Verdict.NEW: 1}
    assert verify(archive).counts.keys() <= {What.RULES}  # nobody has kept the seeds file here
    with alone(archive):
        taken = takedown(archive, Which(url=address(1)), "asked", datetime(2026, 11, 1, tzinfo=UTC), CHOOSE)
    assert taken.records > 0
    assert verify(archive).counts == {}


@pytest.mark.parametrize("first", [0, 1, 5])
def test_records_that_were_compressed_together_anywhere_in_a_file_are_all_read(archive: Archive, tmp_path: Path, first: int) -> None:
    """A file that was put together of two: each record of its own, and several as one."""
    apart = warc(tmp_path / "apart", *(story(10 + n, n) for n in range(first))).read_bytes() if first else b""
    together = gzip.compress(gzip.decompress(warc(tmp_path / "together", *(story(n, n) for n in (1, 2, 3))).read_bytes()))
    joined = tmp_path / "joined.warc.gz"
    joined.write_bytes(apart + together)
    tally = replay(archive, [joined], CHOOSE)
    assert tally.outcomes == {Verdict.NEW: first + 3}
    assert len(everything(archive)) == first + 3
    assert verify(archive).counts.keys() <= {What.RULES}


@pytest.mark.parametrize("raw", [b"# Read me\n", b"\x1f\x8b\x08 no gzip", bytes(5_000)])
def test_what_is_no_warc_file_is_not_taken_in(archive: Archive, tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "README.warc").write_bytes(raw)
    tally = replay(archive, [tmp_path / "README.warc"], CHOOSE)
    assert not tally.is_whole
    assert "no WARC record" in tally.damaged[0].wrong
    assert list(archive.warc_folder.iterdir()) == []


def revisit(number: int, seconds: float, of: int, at: float) -> Exchange:
    """Another address that answered with the very payload of one before."""
    first = story(of, at)
    return replace(story(number, seconds), body=first.body, refers_to=(first.url, first.fetched_at), original_digest=sha256(first.body))


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_revisit_that_is_read_before_what_it_stands_for_is_read_when_that_comes(
    archive: Archive, tmp_path: Path, together: bool, workers: int
) -> None:
    early, late = warc(tmp_path / "a", story(1, 0)), warc(tmp_path / "b", revisit(2, DAY, 1, 0), story(3, DAY), prefix="late")
    if together:
        tallies = [replay(archive, [late, early], CHOOSE, workers=workers)]
    else:
        tallies = [replay(archive, [late], CHOOSE, workers=workers), replay(archive, [early], CHOOSE, workers=workers)]
    assert tallies[-1].outcomes[Reason.PARTIAL] == 0
    assert tallies[-1].outcomes[Verdict.NEW] + tallies[-1].outcomes[Verdict.DUPLICATE] >= 2
    with open_archive(tmp_path / "in order", create=True) as other:
        replay(other, [early, late], CHOOSE)
        assert everything(archive) == everything(other)
        assert len(everything(other)) == 3
    assert verify(archive).counts.keys() <= {What.RULES}


def test_a_revisit_as_wget_writes_it_confirms_what_was_there(archive: Archive, tmp_path: Path) -> None:
    """By id and digest alone, without a date, and in the same file."""
    file = warc(tmp_path / "a", story(1, 0), story(2, 0))
    payload = hashlib.sha1(story(1, 0).body, usedforsecurity=False).hexdigest()
    lines = ["WARC/1.0", "WARC-Type: revisit", "WARC-Record-ID: <urn:uuid:7>", "WARC-Refers-To: <urn:uuid:0>", "WARC-Truncated: length"]
    lines += ["WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest", f"WARC-Payload-Digest: sha1:{payload}"]
    lines += [f"WARC-Target-URI: {address(1)}", "WARC-Date: 2026-12-24T00:00:00Z", "Content-Type: application/http;msgtype=response"]
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    record = "\r\n".join([*lines, f"Content-Length: {len(block)}"]).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"
    with file.open("ab") as end:
        end.write(gzip.compress(record))
    tally = replay(archive, [file], CHOOSE)
    assert +tally.outcomes == {Verdict.NEW: 2, Reason.NOT_MODIFIED: 1}
    assert verify(archive).counts.keys() <= {What.RULES}


def test_a_revisit_whose_original_never_comes_stays_what_it_is(archive: Archive, tmp_path: Path) -> None:
    late = warc(tmp_path / "b", revisit(2, DAY, 1, 0), story(3, DAY))
    for _ in range(2):
        tally = replay(archive, [late], CHOOSE)
    assert tally.known == 2
    assert len(everything(archive)) == 1


def test_a_file_that_is_not_there_is_named(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnusable, match=r"missing\.warc"):
        keep_file(archive, tmp_path / "missing.warc.gz")


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cut", [1, 60])
def test_a_cut_file_gives_all_that_is_whole(archive: Archive, tmp_path: Path, cut: int) -> None:
    path = warc(tmp_path, story(1, 1), story(2, 2))
    path.write_bytes(path.read_bytes()[:-cut])
    tally = replay(archive, [path], CHOOSE)
    assert (sum(tally.outcomes.values()), len(tally.damaged), tally.is_whole) == (1, 1, False)


def test_a_page_on_which_our_own_code_fails_is_quarantined_and_can_be_read_later(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = warc(tmp_path, story(1, 1), story(2, 2))
    read = reading.read

    def failing(capture: Capture, site: Site) -> Any:
        if capture.url == address(1):
            raise KeyError("nobody expected this")
        return read(capture, site)

    monkeypatch.setattr(reading, "read", failing)
    tally = replay(archive, [path], CHOOSE)
    assert (tally.quarantined, tally.is_whole, set(statuses(archive))) == ([address(1)], False, {address(2)})
    [trace] = (archive.path / "quarantine").iterdir()
    assert "nobody expected this" in trace.read_text(encoding="utf-8")
    monkeypatch.setattr(reading, "read", read)
    assert replay(archive, [path], CHOOSE).is_whole
    assert set(statuses(archive)) == {address(1), address(2)}


def sealed(archive: Archive) -> set[str]:
    with archive.catalogue.snapshot() as tx:
        return set(tx.scalars(sa.select(schema.warc_file.c.name).where(schema.warc_file.c.sealed)))


def test_a_file_that_was_read_whole_need_not_be_read_by_the_next_crawl(archive: Archive, tmp_path: Path) -> None:
    whole, torn = warc(tmp_path, story(1, 1)), warc(tmp_path, story(2, 2), prefix="torn")
    torn.write_bytes(torn.read_bytes()[:-9])
    replay(archive, [whole, torn], CHOOSE)
    assert sealed(archive) == {whole.name}


def test_a_file_that_a_crawl_is_writing_is_not_taken_for_whole(archive: Archive) -> None:
    with WarcWriter(archive.warc_folder, prefix="news", software="test", rules={}, max_seconds=1e9) as writer:
        writer.write(story(1, 1))
        writer.sync()
        assert writer.position is not None
        replay(archive, [archive.warc_folder / writer.position[0]], CHOOSE)
        assert sealed(archive) == set()


# ── many processes ───────────────────────────────────────────────────────────────────────────────────────────────────


def repeated(number: int, of: Exchange, seconds: float) -> Exchange:
    """The same payload once more, which the file holds once."""
    digest = sha256(of.body)
    return made.exchange(of.url, of.body, seconds=seconds, refers_to=(of.url, of.fetched_at), original_digest=digest)


@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_the_number_of_processes_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """Revisits too, whose payload lies in another piece, in another file, or in the very group that is written down."""
    monkeypatch.setattr(bulk, "PIECE", 3_000)
    monkeypatch.setattr(replay_module, "GROUP", 4)
    days = [story(number, number) for number in range(12)]
    listing = made.exchange(f"{HOST}/flash/", made.list_page([1]), kind=Kind.LISTING)
    first = [*days[:6], repeated(5, days[5], 10), *days[6:], gone(3, 20), listing]
    files = [warc(tmp_path, *first), warc(tmp_path, *(repeated(n, days[n], DAY + n) for n in range(12)), prefix="later")]
    with open_archive(tmp_path / "alone", create=True) as alone, open_archive(tmp_path / "many", create=True) as many:
        one, other = replay(alone, files, CHOOSE), replay(many, files, CHOOSE, workers=workers)
        assert one == other
        assert (one.outcomes["unchanged"], sum(one.outcomes.values()), one.is_whole) == (13, 27, True)
        assert everything(alone) == everything(many)
        assert alone.index.path.read_bytes() == many.index.path.read_bytes()
        assert set(verify(many).counts) == {What.RULES}, "the seeds file is in no archive here"


def test_a_replay_with_processes_that_is_broken_off_goes_on(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 2_000)
    path = warc(tmp_path, *(gone(number, number) for number in range(2 * GROUP)))

    def stop(tally: Tally) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay(archive, [path], CHOOSE, workers=2, tell=stop)
    tally = replay(archive, [path], CHOOSE, workers=2)
    assert (tally.known, sum(tally.outcomes.values())) == (GROUP, GROUP)
    assert tally.read == path.stat().st_size


def test_the_index_has_a_line_for_what_is_quarantined(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(reading, "read", fails)
    replay(archive, [warc(tmp_path, story(1, 1))], CHOOSE)
    assert archive.index.path.read_bytes().count(b"\n") == 1


def test_a_file_that_is_named_twice_is_read_once(archive: Archive, tmp_path: Path) -> None:
    path = warc(tmp_path, story(1, 1))
    tally = replay(archive, [path, path], CHOOSE)
    assert (sum(tally.outcomes.values()), tally.known) == (1, 0)
