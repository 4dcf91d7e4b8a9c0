"""The index says where each capture lies, survives every crash, and is the one that pywb looks up."""

from __future__ import annotations

import fcntl
import json
import os
import string
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.archive import cdxj
from pipelines.archive.cdxj import CdxjIndex, Entry, entry_of, parse_line, surt
from pipelines.archive.warc import Exchange, WarcWriter, is_being_written, read_captures, read_record
from pipelines.errors import ArchiveUnusable, DamagedRecord, Locked
from pipelines.model import Capture, Hints, WarcRef

MOMENT = datetime(2026, 11, 1, 12, 0, 0, 987_654, tzinfo=UTC)
REF = WarcRef(file="a.warc.gz", offset=10, length=200, record_id="urn:uuid:1")
PYWB = Path(__file__).parents[2] / ".bench-venvs" / "pywb" / "bin" / "python"


def capture(n: int, url: str | None = None, status: int = 200) -> Capture:
    return Capture(
        url=url or f"http://tech.example.cn/it/{n}.html",
        fetched_at=MOMENT + timedelta(minutes=n),
        status=status,
        headers=(("content-type", "Text/HTML; charset=utf-8"),),
        body=b"",
        payload_digest=f"sha256:{n}",
        warc=WarcRef(file="a.warc.gz", offset=n * 100, length=90, record_id=f"urn:uuid:{n}"),
    )


def numbers(index: CdxjIndex) -> list[int]:
    return sorted(entry.offset // 100 for entry in index.entries())


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_has_key_time_and_the_fields_that_pywb_reads() -> None:
    key, timestamp, fields = entry_of(capture(3), REF).line().decode("ascii").split(" ", 2)
    assert (key, timestamp) == ("cn,example,tech)/it/3.html", "20261101120300")
    assert json.loads(fields) == {
        "url": "http://tech.example.cn/it/3.html",
        "mime": "text/html",
        "status": "200",
        "digest": "sha256:3",
        "length": "200",
        "offset": "10",
        "filename": "a.warc.gz",
    }


@given(st.text(max_size=30), st.none() | st.text(max_size=9), st.none() | st.integers(100, 599), st.integers(0, 2**40))
def test_a_line_comes_back_equal(text: str, digest: str | None, status: int | None, place: int) -> None:
    entry = Entry(
        key=surt(f"http://a.example/{text}"),
        timestamp="20261101120000",
        url=f"http://a.example/{text}",
        mime="text/html",
        status=status,
        digest=digest,
        length=place,
        offset=place,
        filename="a.warc.gz",
    )
    assert parse_line(entry.line()) == entry
    assert entry.line().count(b"\n") == 1


def test_lines_of_other_tools_are_read() -> None:
    line = (
        b'com,example)/ 20200101000000 {"url": "http://example.com/", "status": 200, "offset": "5", "length": 7, "filename": "b", "x": 1}'
    )
    entry = parse_line(line)
    assert (entry.status, entry.offset, entry.length, entry.digest) == (200, 5, 7, None)
    assert parse_line(line.replace(b"200,", b'"-",')).status is None


@pytest.mark.parametrize("line", [b"", b"a", b"a b", b"a b {", b"a b []", b"a b {}", b'a b {"url": 1}', b"\xff 1 {}"])
def test_what_is_no_line_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_line(line)


def test_a_revisit_has_the_mime_type_that_marks_it_and_a_nameless_type_is_unk() -> None:
    revisit = Capture(url="http://a.example/", fetched_at=MOMENT, status=200, headers=(), body=b"", refers_to=("http://a.example/", MOMENT))
    assert entry_of(revisit, REF).mime == "warc/revisit"
    plain = Capture(url="http://a.example/", fetched_at=MOMENT, status=200, headers=(), body=b"")
    assert entry_of(plain, REF).mime == "unk"


# ── the key ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://www.Example.com/", "com,example)/"),
        ("http://www2.example.com/A/B/../C/./d//e/", "com,example)/a/c/d/e"),
        ("http://wwww.example.com", "com,example,wwww)/"),
        ("https://tech.china.com.cn/it/20220817/389789.shtml", "cn,com,china,tech)/it/20220817/389789.shtml"),
        ("http://example.com:80/a", "com,example)/a"),
        ("https://example.com:443/a", "com,example)/a"),
        ("https://example.com:80/a", "com,example:80)/a"),
        ("http://user:pw@example.com/x#part", "com,example)/x"),
        ("http://127.0.0.1:8800/x", "1,0,0,127:8800)/x"),
        ("http://[::1]:80/a", "::1)/a"),
        ("http://例え.jp./", "jp,xn--r8jz45g)/"),
        ("http://example.com/科技?q=科", "com,example)/%e7%a7%91%e6%8a%80?q=%e7%a7%91"),
        ("http://example.com/%E7%A7%91", "com,example)/%e7%a7%91"),
        ("http://example.com/a%2520b", "com,example)/a%20b"),
        ("http://example.com/a b", "com,example)/a%20b"),
        ("http://example.com/%23x", "com,example)/%23x"),
        ("http://example.com/a?", "com,example)/a"),
        ("http://example.com/a?b=%26c", "com,example)/a?b=&c"),
        ("http://example.com/?b=1&a=0&A=3", "com,example)/?a=0&a=3&b=1"),
        ("http://example.com/a?x=&b", "com,example)/a?b&x="),
        ("http://example.com/?b=1&sid=" + "9" * 32 + "&c=2", "com,example)/?b=1&c=2"),
        ("http://example.com/?JSESSIONID=" + "a" * 32, "com,example)/"),
        ("http://example.com/..", "com,example)/.."),
        ("http://example.com/../../a", "com,example)/a"),
        ("http://example.com/a;b?c;d", "com,example)/a;b?c;d"),
        ("example.com/a", "com,example)/a"),
    ],
)
def test_keys_are_those_that_pywb_looks_up(url: str, key: str) -> None:
    assert surt(url) == key


paths = st.text(string.ascii_letters + string.digits + "/.%?&=;:@ +-_~科é", max_size=40).map(str.rstrip)


@settings(deadline=None)
@given(st.text(max_size=60))
@example("http://[")
@example("http://\udc80/")
@example("%")
def test_any_text_has_a_key_of_ascii_without_spaces(text: str) -> None:
    key = surt(text)
    assert key.isascii()
    assert not set(key) & set(" \r\n\t\0")


@settings(deadline=None)
@given(paths)
def test_scheme_case_fragment_and_www_make_no_difference(path: str) -> None:
    key = surt(f"http://example.com/{path}")
    assert key == surt(f"https://WWW.EXAMPLE.com/{path}") == surt(f"HTTP://example.com/{path}#there")


# ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_added_stands_sorted_and_once(tmp_path: Path) -> None:
    index = CdxjIndex(tmp_path)
    for n in (5, 1, 3, 1):
        index.add([capture(n)])
    index.merge()
    index.add([capture(2), capture(5)])
    entries = list(index.entries())
    assert [entry.offset for entry in entries] == [100, 200, 300, 500]
    lines = index.path.read_bytes().splitlines()
    assert all(a < b for a, b in pairwise(lines))
    assert index.journal.read_bytes() == b""


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=25))
def test_the_order_of_adding_and_merging_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bool]]
) -> None:
    index, at_once = CdxjIndex(tmp_path_factory.mktemp("steps")), CdxjIndex(tmp_path_factory.mktemp("once"))
    for n, merged in steps:
        index.add([capture(n)])
        if merged:
            index.merge()
    at_once.add([capture(n) for n, _ in reversed(steps)])
    assert list(index.entries()) == list(at_once.entries())


def test_a_capture_without_a_place_and_a_304_get_no_line(tmp_path: Path) -> None:
    index = CdxjIndex(tmp_path)
    index.add([Capture(url="http://a.example/", fetched_at=MOMENT, status=200, headers=(), body=b""), capture(1, status=304), capture(2)])
    assert numbers(index) == [2]


def test_captures_of_a_url_are_found_oldest_first(tmp_path: Path) -> None:
    index = CdxjIndex(tmp_path)
    index.add([capture(n, url=f"http://tech.example.cn/it/{n % 7}.html") for n in range(200)])
    for page in range(7):
        found = index.find(f"https://tech.example.cn/it/{page}.html")
        assert [entry.offset // 100 for entry in found] == list(range(page, 200, 7))
    assert index.find("http://tech.example.cn/it/") == []
    assert index.find("http://tech.example.cn/it/9.html") == []
    assert index.find("http://aaa.example/") == []


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text("abAB/?=1", max_size=6), max_size=40), st.text("abAB/?=1", max_size=6))
@example(["", "", "", "", "1", "1"], "1")
def test_finding_agrees_with_looking_at_every_line(tmp_path_factory: pytest.TempPathFactory, paths_: list[str], wanted: str) -> None:
    index = CdxjIndex(tmp_path_factory.mktemp("find"))
    index.add([capture(n, url=f"http://a.example/{path}") for n, path in enumerate(paths_)])
    url = f"http://a.example/{wanted}"
    assert index.find(url) == [entry for entry in index.entries() if entry.key == surt(url)]


def test_an_empty_index_has_no_entries(tmp_path: Path) -> None:
    assert list(CdxjIndex(tmp_path / "new").entries()) == []
    assert CdxjIndex(tmp_path / "new").find("http://a.example/") == []


def test_a_journal_line_that_a_crash_cut_is_dropped_and_the_next_one_is_whole(tmp_path: Path) -> None:
    index = CdxjIndex(tmp_path)
    index.add([capture(1), capture(2)])
    os.truncate(index.journal, index.journal.stat().st_size - 10)
    index.add([capture(3)])
    assert numbers(index) == [1, 3]


def test_a_crash_between_merge_and_emptying_the_journal_doubles_nothing(tmp_path: Path) -> None:
    index = CdxjIndex(tmp_path)
    index.add([capture(1), capture(2)])
    journal = index.journal.read_bytes()
    index.merge()
    index.journal.write_bytes(journal)
    assert numbers(index) == [1, 2]


def test_a_crash_while_merging_leaves_the_old_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = CdxjIndex(tmp_path)
    index.add([capture(1)])
    index.merge()
    before = index.path.read_bytes()
    index.add([capture(2)])
    monkeypatch.setattr("pipelines.archive.durable.os.fsync", lambda _fd: (_ for _ in ()).throw(OSError(5, "I/O error")))
    with pytest.raises(ArchiveUnusable, match="I/O error"):
        index.merge()
    assert index.path.read_bytes() == before
    monkeypatch.undo()
    assert numbers(index) == [1, 2]


def test_a_long_journal_is_merged_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdxj, "JOURNAL_BYTES", 1_000)
    index = CdxjIndex(tmp_path)
    for n in range(20):
        index.add([capture(n)])
        assert index.journal.stat().st_size < 1_000
    assert numbers(index) == list(range(20))


def test_of_a_whole_file_only_some_lines_are_held_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdxj, "JOURNAL_BYTES", 3_000)
    monkeypatch.setattr(cdxj, "LINES_AT_ONCE", 5)
    index = CdxjIndex(tmp_path)
    sizes = []

    def captures() -> Iterator[Capture]:
        for n in range(200):
            yield capture(n)
            sizes.append(index.journal.stat().st_size if index.journal.exists() else 0)

    index.add(captures())
    longest = len(entry_of(capture(199), REF).line())
    assert 0 < max(sizes) < 3_000 + 5 * longest
    assert numbers(index) == list(range(200))


ADD_MANY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pipelines.archive.cdxj import CdxjIndex
from pipelines.model import Capture, WarcRef
index, moment = CdxjIndex(Path(sys.argv[1])), datetime(2026, 1, 1, tzinfo=UTC)
for n in range(int(sys.argv[2]), int(sys.argv[2]) + 60):
    ref = WarcRef(file="a.warc.gz", offset=n * 100, length=90, record_id="urn:uuid:1")
    index.add([Capture(url=f"http://a.example/{n}", fetched_at=moment, status=200, headers=(), body=b"", warc=ref)])
    if n % 10 == 0:
        index.merge()
"""


def test_processes_that_add_and_merge_at_once_lose_nothing(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", ADD_MANY, str(tmp_path), first]) for first in ("0", "60")]
    assert [process.wait() for process in processes] == [0, 0]
    assert numbers(CdxjIndex(tmp_path)) == list(range(120))


def test_who_does_not_want_to_wait_is_told_that_another_is_at_work(tmp_path: Path) -> None:
    index = CdxjIndex(tmp_path)
    index.add([capture(1)], waits=False)
    with index.journal.open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        with pytest.raises(Locked, match="at work"):
            index.add([capture(2)], waits=False)
    index.add([capture(3)], waits=False)
    assert numbers(index) == [1, 3]


def test_an_archive_that_has_gone_is_not_made_anew_by_its_index(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    index = CdxjIndex(archive / "indexes")
    index.add([capture(1)])
    archive.rename(tmp_path / "away")
    with pytest.raises(ArchiveUnusable, match="No such file"):
        index.add([capture(2)])
    assert not archive.exists()


def test_a_folder_that_can_not_be_written_is_our_own_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchiveUnusable, match=r"index\.cdxj\.journal"):
        CdxjIndex(tmp_path / "file").add([capture(1)])


def archive(folder: Path) -> list[Capture]:
    """A page, its 304, the same page under another URL, and a gzipped one with headers that lied."""
    first = Exchange(
        url="http://tech.example.cn/it/1.html?x=1",
        fetched_at=MOMENT,
        status=200,
        reason="OK",
        headers=(("Content-Type", "text/html; charset=utf-8"), ("Transfer-Encoding", "chunked"), ("Content-Length", "7")),
        body="<html><body>山谷里的电池工厂</body></html>".encode(),
        hints=Hints(title="电池工厂"),
    )
    with WarcWriter(folder, prefix="p", software="s", rules={}) as writer:
        page = writer.write(first)
        refers = (page.url, page.fetched_at)
        later = [MOMENT + timedelta(hours=n) for n in (1, 2)]
        unchanged = Exchange(url=page.url, fetched_at=later[0], status=304, refers_to=refers, original_digest=page.payload_digest)
        copy = Exchange(
            url="http://tech.example.cn/it/2.html",
            fetched_at=later[1],
            status=200,
            headers=(("Content-Type", "text/html"),),
            body=page.body,
            refers_to=refers,
            original_digest=page.payload_digest,
        )
        return [page, writer.write(unchanged), writer.write(copy)]


def test_an_index_can_be_made_again_from_the_warc_files(tmp_path: Path) -> None:
    captures = archive(tmp_path)
    (warc,) = tmp_path.glob("*.warc.gz")
    index, again = CdxjIndex(tmp_path), CdxjIndex(tmp_path, "again.cdxj")
    index.add(captures)
    again.add([capture(99)])  # a line for a record that is gone
    assert again.rebuild([warc]) == []
    assert list(again.entries()) == list(index.entries())
    assert {path.name for path in tmp_path.iterdir()} == {warc.name, "index.cdxj", "index.cdxj.journal", "again.cdxj", "again.cdxj.journal"}


def test_a_rebuild_tells_what_it_could_not_read(tmp_path: Path) -> None:
    captures = archive(tmp_path)
    (warc,) = tmp_path.glob("*.warc.gz")
    os.truncate(warc, warc.stat().st_size - 3)
    (damage,) = CdxjIndex(tmp_path).rebuild([warc])
    assert captures[2].warc is not None
    assert damage.offset == captures[2].warc.offset


@pytest.mark.parametrize("merged", [False, True])
def test_what_is_added_during_a_rebuild_stays(tmp_path: Path, merged: bool) -> None:
    captures = archive(tmp_path)
    (warc,) = tmp_path.glob("*.warc.gz")
    index, crawl = CdxjIndex(tmp_path), CdxjIndex(tmp_path)
    index.add([capture(98)])  # a line for a record that is gone

    def files() -> Iterator[Path]:
        crawl.add([capture(1)])
        if merged:
            crawl.merge()
        yield warc
        crawl.add([capture(2)])

    assert index.rebuild(files()) == []
    expected = CdxjIndex(tmp_path, "expected.cdxj")
    expected.add([*captures, capture(1), capture(2)])
    assert list(index.entries()) == list(expected.entries())


def test_a_rebuild_within_another_one_destroys_nothing(tmp_path: Path) -> None:
    first, second = (made_in(tmp_path / name) for name in ("a", "b"))
    index = CdxjIndex(tmp_path)

    def files() -> Iterator[Path]:
        yield first
        CdxjIndex(tmp_path).rebuild([first, second])
        yield second

    index.rebuild(files())
    assert [entry.filename for entry in index.entries()].count(first.name) == 2
    assert [entry.filename for entry in index.entries()].count(second.name) == 2


def made_in(folder: Path) -> Path:
    """A WARC file of a name of its own, with two captures that an index tells of."""
    archive(folder)
    (warc,) = folder.glob("*.warc.gz")
    return warc.rename(folder.parent / f"{folder.name}.warc.gz")


def test_a_rebuild_that_is_broken_off_leaves_nothing_and_the_index_as_it_was(tmp_path: Path) -> None:
    """One without an index stays without: the next run makes it."""
    index = CdxjIndex(tmp_path)
    index.add([capture(1)])

    def files() -> Iterator[Path]:
        yield made_in(tmp_path / "a")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.rebuild(files())
    assert {path.name for path in tmp_path.glob("*index*")} == {"index.cdxj.journal"}
    assert numbers(index) == [1]


@pytest.mark.parametrize("merged", [False, True])
def test_who_adds_waits_for_no_file_whose_lines_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, merged: bool) -> None:
    """And what is added stays, also where it is of that very file, which its crawl still writes."""
    first, second = (made_in(tmp_path / name) for name in ("a", "b"))
    index, crawl = CdxjIndex(tmp_path), CdxjIndex(tmp_path)
    index.rebuild([first, second])
    gone, *added = (of(first, capture(number)) for number in (98, 1, 2))
    index.add([gone])

    def reading(path: Path) -> Iterator[Capture | DamagedRecord]:
        for one in read_captures(path):
            assert not is_being_written(index.journal)
            crawl.add(added)
            if merged:
                crawl.merge()
            yield one

    monkeypatch.setattr(cdxj, "read_captures", reading)
    assert index.replace([first]) == []
    entries = list(index.entries())
    assert [entry.filename for entry in entries].count(second.name) == 2
    assert {entry.digest for entry in entries} >= {one.payload_digest for one in added}
    assert gone.payload_digest not in {entry.digest for entry in entries}
    assert len(entries) == 6


def of(warc: Path, one: Capture) -> Capture:
    assert one.warc is not None
    return replace(one, warc=replace(one.warc, file=warc.name))


def test_lines_that_are_made_anew_go_also_where_the_index_is_out_of_order(tmp_path: Path) -> None:
    first, second = (made_in(tmp_path / name) for name in ("a", "b"))
    index = CdxjIndex(tmp_path)
    index.rebuild([first, second])
    lines = index.path.read_bytes().splitlines(keepends=True)
    index.path.write_bytes(b"".join(reversed(lines)))
    index.add([of(second, capture(1)), of(first, capture(2))])
    first.unlink()
    index.replace([first])
    assert {parse_line(line).filename for line in index.path.read_bytes().splitlines()} == {second.name}


def test_every_entry_leads_to_its_record(tmp_path: Path) -> None:
    captures = [each for each in archive(tmp_path) if each.status != 304]
    index = CdxjIndex(tmp_path)
    index.add(captures)
    for entry, each in zip(index.entries(), captures, strict=True):
        assert each.warc is not None
        assert (entry.filename, entry.offset, entry.length) == (each.warc.file, each.warc.offset, each.warc.length)
        assert read_record(tmp_path / entry.filename, each.warc).url == entry.url


REPLAY = """
import os, sys
os.chdir(sys.argv[1])
from pywb.apps.frontendapp import FrontEndApp
from werkzeug.test import Client
from werkzeug.wrappers import Response
client = Client(FrontEndApp(config_file=None, custom_config={}), Response)
for path in sys.argv[2:]:
    answer = client.get(path, follow_redirects=True)
    print("answer", answer.status_code, answer.headers.get("Memento-Datetime"), answer.data.decode("utf-8"), sep="|")
"""


@pytest.mark.skipif(not PYWB.exists(), reason="no pywb in .bench-venvs/pywb: `make test-pywb` makes it")
def test_pywb_replays_pages_and_both_kinds_of_revisit(tmp_path: Path) -> None:
    collection = tmp_path / "collections" / "a"
    captures = archive(collection / "archive")
    index = CdxjIndex(collection / "indexes")
    index.add(captures)
    index.merge()
    urls = [f"/a/{each.fetched_at:%Y%m%d%H%M%S}id_/{each.url}" for each in captures]
    done = subprocess.run([PYWB, "-W", "ignore", "-c", REPLAY, tmp_path, *urls], capture_output=True, text=True, check=True)
    page = captures[0].body.decode()
    assert [line for line in done.stdout.splitlines() if line.startswith("answer|")] == [
        f"answer|200|Sun, 01 Nov 2026 12:00:00 GMT|{page}",
        f"answer|200|Sun, 01 Nov 2026 12:00:00 GMT|{page}",
        f"answer|200|Sun, 01 Nov 2026 14:00:00 GMT|{page}",
    ]
