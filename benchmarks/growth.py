"""What a page costs when the archive is large: CPU and memory of a crawl into archives of 1,000, 10,000 and 100,000 articles.

    python -m benchmarks.growth [--sizes N ...] [--pages N] [--rounds N] [--filled FOLDER]

The archives are filled through the real door: generated articles in WARC files, `replay` with all cores, and a row of the URL
table each, visited and not due. Then `scrapy crawl` adds pages of 30 to 80 KB from a server on 127.0.0.1, the same ones to a
copy of each archive, the sizes in turn, in each round. It runs twice, with few pages and with all: the difference is what pages
cost, the rest is its start. Told is the median of the rounds, and each size as times the first. Memory is the main process's.
Filling takes most of the time: in FOLDER archives are kept, and taken from there by the next run, and by `benchmarks.archive`.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.endtoend import served
from benchmarks.endtoend_site import FEW_LIST, LIST, bare_page, few_of, path_of, seeds, write_site
from benchmarks.endtoend_tools import CORES, ROOT, crawl
from benchmarks.process_tree import Spent, spend
from pipelines.archive import open_archive, urltable
from pipelines.archive.schema import article
from pipelines.archive.schema import url as urls
from pipelines.archive.urltable import NewUrl, State
from pipelines.archive.warc import Exchange, WarcWriter
from pipelines.choice import chooser
from pipelines.extract.version import own_digest
from pipelines.model import Kind
from pipelines.replay import replay
from pipelines.schedule import NEVER
from pipelines.site import Site, parse_site

SIZES, PAGES, ROUNDS = (1_000, 10_000), 500, 3
FLAT = 1.2
"""times the smallest archive: what the largest may cost"""
PORT = 38_471
"""of the server: the addresses in an archive that is kept are those of the next run"""
HOST = f"127.0.0.1:{PORT}"
FILLING = 1_000_000
"""the number of the first article of the filling"""
BEGUN = datetime(2026, 9, 4, tzinfo=UTC)
AT_ONCE = 10_000
"""rows of one transaction"""
MOST_SECONDS = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of a page in CPU ms, of those in the main process; of the start in CPU ms; the main process's peak in MB."""

    cpu: float
    main: float
    start: float
    peak: float


# ── filling ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def fill(archive: Path, numbers: range, scratch: Path) -> None:
    """Makes the archive hold the articles of these numbers too. Raises SystemExit where one is not taken for an article."""
    raw = seeds(HOST, layout=True).encode()
    site = parse_site(raw, "site.toml")
    files = _write(scratch / str(numbers.start), numbers)
    with open_archive(archive, create=True) as opened:
        opened.keep_rules(site, raw)
        tally = replay(opened, files, chooser({site.name: site}), workers=CORES)
        if not tally.is_whole or sum(tally.outcomes.values()) != len(numbers):
            raise SystemExit(f"of {len(numbers)} articles: {tally}")
        for begin in range(numbers.start, numbers.stop, AT_ONCE):
            with opened.catalogue.transaction() as tx:
                _make_known(tx, site, range(begin, min(begin + AT_ONCE, numbers.stop)))
    shutil.rmtree(scratch / str(numbers.start))


def _write(folder: Path, numbers: range) -> list[Path]:
    with WarcWriter(folder, prefix="filling", software="benchmark", rules={}, max_seconds=1e9, max_bytes=2**27) as writer:
        for number in numbers:
            writer.write(_exchange(number))
    return sorted(folder.iterdir())


def _exchange(number: int) -> Exchange:
    return Exchange(
        url=f"http://{HOST}{path_of(number)}",
        fetched_at=BEGUN + timedelta(seconds=number - FILLING),
        status=200,
        reason="OK",
        headers=(("Content-Type", "text/html; charset=utf-8"),),
        body=bare_page(number),
        request_headers=(("User-Agent", "benchmark"),),
    )


def _make_known(tx: sa.Connection, site: Site, numbers: range) -> None:
    rows = [NewUrl(url=f"http://{HOST}{path_of(number)}", host=HOST, kind=Kind.ARTICLE, due_at=NEVER) for number in numbers]
    urltable.discover(tx, site.name, rows, time.time())
    tx.execute(urls.update().where(urls.c.state == State.PENDING).values(state=State.DONE, last_status=200, visits=1))


def filled(folder: Path, sizes: Sequence[int]) -> Iterator[Path]:
    """An archive of each size, each a copy of the one before with more; taken from the folder where it is there and its texts
    were read by today's extraction."""
    had, before = 0, None
    for size in sizes:
        archive = folder / f"holds-{size}-{own_digest()}"
        if not archive.exists():
            _grow(before, archive, range(FILLING + had, FILLING + size))
        had, before = size, archive
        yield archive


def _grow(before: Path | None, archive: Path, numbers: range) -> None:
    """An archive is there when it is full."""
    began = time.monotonic()
    filling = archive.with_name("filling")
    shutil.rmtree(filling, ignore_errors=True)
    if before is not None:
        shutil.copytree(before, filling)
    fill(filling, numbers, archive.with_name("filling-warcs"))
    filling.rename(archive)
    print(f"  {len(numbers):,} articles more, {numbers.stop - FILLING:,} in all: {time.monotonic() - began:.0f} s", flush=True)


# ── measuring ────────────────────────────────────────────────────────────────────────────────────────────────────────


def grown(full: Path, size: int, pages: int, scratch: Path) -> Cost:
    """What a crawl of so many new pages into a copy of an archive costs."""
    shutil.copytree(full, scratch / "archive")
    few, many = (_crawl(lists, scratch) for lists in (FEW_LIST, LIST))
    _demand(scratch / "archive", size + pages)
    shutil.rmtree(scratch)
    return reckoned(few, many, pages)


def _demand(archive: Path, articles: int) -> None:
    with open_archive(archive) as opened, opened.catalogue.snapshot() as tx:
        held = tx.execute(sa.select(sa.func.count()).select_from(article)).scalar_one()
    if held != articles:
        raise SystemExit(f"{held} articles in the archive, not {articles}")


def _crawl(lists: str, scratch: Path) -> Spent:
    (scratch / "seeds").mkdir(exist_ok=True)
    (scratch / "seeds" / "site.toml").write_text(seeds(HOST, layout=True, lists=lists), encoding="utf-8")
    spent = spend(crawl(scratch), ROOT, scratch, most=MOST_SECONDS)
    if spent.status != 0:
        raise SystemExit(f"scrapy crawl: exit status {spent.status}\n{spent.said}")
    return spent


def reckoned(few: Spent, many: Spent, pages: int) -> Cost:
    """The second crawl finds the pages of the first one known."""
    first = few_of(pages)
    more = pages - 2 * first
    cpu = (many.cpu - few.cpu) / more
    return Cost(
        cpu=1000 * cpu,
        main=1000 * (many.main - few.main) / more,
        start=1000 * (few.cpu - cpu * first),
        peak=max(few.peak, many.peak),
    )


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(**{one.name: statistics.median(getattr(cost, one.name) for cost in costs) for one in fields(Cost)})


def lines(costs: Mapping[int, Cost]) -> Iterator[str]:
    """Each size beside the first, and whether all is flat."""
    first = costs[min(costs)]
    worst = {
        "CPU a page": max(one.cpu for one in costs.values()) / first.cpu,
        "memory": max(one.peak for one in costs.values()) / first.peak,
    }
    for what, times in worst.items():
        yield f"{times:8.2f}  {what}, times that of the smallest archive   <= {FLAT}    {'met' if times <= FLAT else 'not met'}"
    yield f"\n{'articles':>10} {'CPU ms/page':>12} {'times':>6} {'main':>7} {'start ms':>9} {'peak MB':>8} {'times':>6}"
    for size, one in costs.items():
        peak = f"{one.peak:>8.1f} {one.peak / first.peak:>6.2f}"
        yield f"{size:>10,} {one.cpu:>12.2f} {one.cpu / first.cpu:>6.2f} {one.main:>7.2f} {one.start:>9.0f} {peak}"


def compare(folder: Path, archives: Path, sizes: Sequence[int], pages: int, rounds: int) -> dict[int, Cost]:
    site = folder / "site"
    site.mkdir()
    with served(site, write_site(site, pages), PORT):
        full = dict(zip(sizes, filled(archives, sizes), strict=True))
        costs: dict[int, list[Cost]] = {size: [] for size in sizes}
        for _ in range(rounds):
            for size in sizes:
                costs[size].append(grown(full[size], size, pages, folder / "run"))
    return {size: median(found) for size, found in costs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="articles in the archive, rising")
    parser.add_argument("--pages", type=int, default=PAGES, help="that each crawl adds")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--filled", type=Path, metavar="FOLDER", help="keeps the archives, and takes those that it has")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="growth-") as name:
        archives = options.filled or Path(name)
        archives.mkdir(exist_ok=True)
        costs = compare(Path(name), archives, sorted(options.sizes), options.pages, options.rounds)
    print(f"\n{options.pages} pages more, {options.rounds} rounds", *lines(costs), sep="\n")


if __name__ == "__main__":
    main()
