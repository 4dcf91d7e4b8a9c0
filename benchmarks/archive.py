"""How fast WARC files are written and read, beside warcio and FastWARC bare, how fast whole archives are verified and
exported, and whether memory stays flat.

    python -m benchmarks.archive [--pages N] [--records N] [--filled FOLDER]

`--pages` (default 2,000): pages of about 30 KB, one response record each for the peers, for us request, metadata and
response as a crawl writes them. `--records` (default 100,000): exchanges of about 1 KB, written, read and indexed in one
process; its resident memory is looked at after a tenth and at the end. Processor seconds of one core. Then archives of a
tenth of so many articles and of all of them, filled through `replay`, are verified (each text read again) and exported by the
commands, all cores: articles a second by the clock, and the peak of the main process. Filling takes most of the time: in FOLDER
they are kept, and taken from there by the next run, and by `benchmarks.growth`.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import fastwarc
import psutil
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks.endtoend_tools import ROOT
from benchmarks.growth import filled
from benchmarks.process_tree import Spent, spend
from pipelines.archive.cdxj import CdxjIndex
from pipelines.archive.warc import Exchange, WarcWriter, read_captures
from pipelines.model import Capture, Hints

PAGES = 2_000
RECORDS = 100_000
PAGE_CHARACTERS = 6_000
SEED = 7
BEGUN = datetime(2026, 11, 1, tzinfo=UTC)
FLAT_MB = 10
"""what memory may grow between a tenth of the records and all of them"""
HEADERS = (("Content-Type", "text/html; charset=utf-8"), ("Server", "nginx"), ("ETag", '"5f2c"'))
FLAT_TIMES = 1.2
"""what the main process of a command may take with ten times the articles"""
MOST_SECONDS = 3_600
GROUP = 50
"""captures that a crawl commits together"""
Body = Callable[[int], bytes]
T = TypeVar("T")


def page(n: int) -> bytes:
    """A page of made-up sentences: Chinese of a small alphabet in markup, which compresses about as news pages do."""
    dice = random.Random(SEED * 1_000_003 + n)
    letters = [chr(0x4E00 + dice.randrange(0, 3_000)) for _ in range(600)]
    paragraphs = ("".join(dice.choices(letters, k=120)) for _ in range(PAGE_CHARACTERS // 120))
    furniture = '<li><a href="/roll/{0}.shtml" class="item">更多</a></li>'
    return ("<html>" + "".join(furniture.format(k) for k in range(150)) + "".join(f"<p>{p}</p>" for p in paragraphs)).encode()


def small(n: int) -> bytes:
    """About 1 KB."""
    return b"<p>%d</p>" % n * 100


def exchange(n: int, body: bytes) -> Exchange:
    """What a crawl hands to the archive."""
    return Exchange(
        url=f"http://tech.example.cn/it/{n}.shtml",
        fetched_at=BEGUN + timedelta(milliseconds=n),
        status=200,
        reason="OK",
        ip="203.0.113.7",
        headers=HEADERS,
        body=body,
        request_headers=(("User-Agent", "benchmark"),),
        hints=Hints(via="http://tech.example.cn/roll/", title=f"第 {n} 篇"),
    )


def write_ours(folder: Path, count: int, body: Body) -> Iterator[Capture]:
    with WarcWriter(folder, prefix="bench", software="benchmark", rules={}) as writer:
        for n in range(count):
            yield writer.write(exchange(n, body(n)))


def write_warcio(path: Path, bodies: Iterable[bytes]) -> None:
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True, warc_version="1.1")
        for n, body in enumerate(bodies):
            head = StatusAndHeaders("200 OK", list(HEADERS), protocol="HTTP/1.1")
            url = f"http://tech.example.cn/it/{n}.shtml"
            record = writer.create_warc_record(url, "response", payload=io.BytesIO(body), length=len(body), http_headers=head)
            writer.write_record(record)


def read_warcio(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for record in ArchiveIterator(stream, check_digests="raise") if record.raw_stream.read() is not None)


def read_fastwarc(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for record in fastwarc.ArchiveIterator(stream, verify_digests=True) if record.reader.read() is not None)


def read_ours(path: Path) -> int:
    return sum(1 for found in read_captures(path) if isinstance(found, Capture))


def timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def speed(folder: Path, count: int) -> None:
    """Prints exchanges a processor second."""
    bodies = [page(n) for n in range(count)]
    size = sum(map(len, bodies))
    theirs = folder / "warcio.warc.gz"
    written, ours_write = timed(lambda: list(write_ours(folder / "ours", count, bodies.__getitem__)))
    _, warcio_write = timed(lambda: write_warcio(theirs, bodies))
    ours = next((folder / "ours").iterdir())
    stored = [path.stat().st_size // count for path in (ours, theirs)]
    print(f"{count:,} pages of {size // count:,} bytes; in the file {stored[0]:,} ours, {stored[1]:,} warcio")
    print(f"write  ours (request, metadata, response, fsync at the end)  {count / ours_write:8,.0f} exchanges/s")
    print(f"write  warcio bare (response only)                           {count / warcio_write:8,.0f} records/s")
    readers: dict[str, tuple[Callable[[Path], int], Path]] = {
        "ours, our file: captures, every check": (read_ours, ours),
        "ours, warcio's file: captures, every check": (read_ours, theirs),
        "warcio bare, its file, digests": (read_warcio, theirs),
        "FastWARC bare, warcio's file, digests": (read_fastwarc, theirs),
    }
    for name, (read, path) in readers.items():
        found, seconds = timed(lambda read=read, path=path: read(path))  # type: ignore[misc]
        if found != len(written):
            raise SystemExit(f"{name}: {found} of {len(written)} found")
        print(f"read   {name:<53} {found / seconds:8,.0f} exchanges/s")


def memory(folder: Path, count: int) -> bool:
    """Prints rates and growth for many small exchanges; False when memory grew."""
    process = psutil.Process()
    index = CdxjIndex(folder)
    marks: dict[str, list[float]] = {"write and index": [], "read": []}

    def look(name: str, n: int) -> None:
        if n in (count // 10, count - 1):
            marks[name].append(process.memory_info().rss / 2**20)

    def write() -> None:
        group = []
        for n, capture in enumerate(write_ours(folder / "warc", count, small)):
            group.append(capture)
            if len(group) == GROUP:
                index.add(group)
                group.clear()
            look("write and index", n)
        index.merge()

    def read() -> None:
        for n, _ in enumerate(read_captures(next((folder / "warc").iterdir()))):
            look("read", n)

    for name, work in (("write and index", write), ("read", read)):
        _, seconds = timed(work)
        early, late = marks[name]
        rate = f"{count / seconds:8,.0f} exchanges/s"
        print(f"{name:<16} {count:,} of 1 KB {rate}   resident {early:.0f} MB after a tenth, {late:.0f} MB at the end")
    return all(late - early < FLAT_MB for early, late in marks.values())


def whole_archives(folder: Path, archives: Path, count: int) -> bool:
    """Prints rates and peaks of commands over archives of a tenth and of all; False when memory grew."""
    peaks: dict[str, list[float]] = {"verify": [], "export": []}
    sizes = (count // 10, count)
    for size, archive in zip(sizes, filled(archives, sizes), strict=True):
        commands = {"verify": ["--json"], "export": ["--all", "--to", str(folder / f"{size}.jsonl.gz")]}
        for name, options in commands.items():
            spent = _command(name, archive, options, folder)
            told = (folder / "stdout").read_text(encoding="utf-8")
            if name == "verify" and json.loads(told)["checked"].get("texts") != size:
                raise SystemExit(f"scrapy verify has not read every text again:\n{told}")
            peaks[name].append(spent.peak)
            rate, cost = size / spent.wall, 1_000 * spent.cpu / size
            figures = f"{rate:8,.0f} articles/s  {cost:6.2f} ms CPU each  main process {spent.peak:4.0f} MB at most"
            print(f"{name:<8} {size:>8,} articles  {figures}", flush=True)
    return all(many <= FLAT_TIMES * few for few, many in peaks.values())


def _command(name: str, archive: Path, options: list[str], notes: Path) -> Spent:
    """Raises SystemExit where it does not end well."""
    spent = spend([sys.executable, "-m", "scrapy", name, "--archive", str(archive), *options], ROOT, notes, most=MOST_SECONDS)
    if spent.status != 0:
        raise SystemExit(f"scrapy {name}: exit status {spent.status}\n{spent.said}")
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--filled", type=Path, metavar="FOLDER", help="keeps the archives, and takes those that it has")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archives = options.filled or Path(folder)
        archives.mkdir(exist_ok=True)
        flat = memory(Path(folder) / "many", options.records)
        speed(Path(folder), options.pages)
        flat = whole_archives(Path(folder), archives, options.records) and flat
    if not flat:
        raise SystemExit("MISSED: memory grows with the archive")
    print("memory flat at all sizes   met")


if __name__ == "__main__":
    main()
