"""Bulk work beside the extraction that it is made of: replay, reextract, verify and export, and how much more each costs.

    python -m benchmarks.bulk [--pages N] [--workers N] [--rounds N]

Twice an archive of N generated pages of 30 to 80 KB, of a site with a layout and of one read by consensus, in a temporary
folder. "bare" is `pipelines.extract.extract` alone, in as many processes, on bodies that already lie in their memory. The
archive is filled by replay once; then reextract, verify and export go through it in rounds, each beside a bare run just
before it, as a machine's own speed changes within minutes: the medians are told, of the ratios too. CPU is that of all
processes of a step, their start left out for "bare" only; pages a second by the wall clock say something on a machine that
does nothing else. Every step ends with a check of what it gave; a wrong one ends the benchmark.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import psutil

from benchmarks import bulk_pages
from pipelines.archive import Archive, open_archive
from pipelines.archive.warc import read_captures
from pipelines.choice import chooser
from pipelines.export import What, export
from pipelines.extract import extract
from pipelines.model import Article, Capture
from pipelines.reextract import reextract, today
from pipelines.replay import replay
from pipelines.verify import verify

PAGES = 2_000
ROUNDS = 3
EVERY = 0.05
"""seconds between two looks at the processes"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of a step: seconds by the clock, and of processor time in the main process and in the others."""

    wall: float
    main: float
    others: float

    @property
    def cpu(self) -> float:
        return self.main + self.others


@dataclass(slots=True)
class Watch:
    """Adds up the processor time of all processes below this one, those that end included (but for their last look)."""

    seen: dict[tuple[int, float], float] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        for child in psutil.Process().children(recursive=True):
            try:
                times = child.cpu_times()
                self.seen[child.pid, child.create_time()] = times.user + times.system
            except psutil.Error:
                continue

    def run(self) -> None:
        while not self._ended.wait(EVERY):
            self.look()

    def end(self) -> None:
        self._ended.set()

    def total(self) -> float:
        return sum(self.seen.values())


def measured(work: Callable[[], object]) -> Cost:
    watch = Watch()
    watch.look()
    before, began, own = watch.total(), time.perf_counter(), time.thread_time()
    thread = threading.Thread(target=watch.run)
    thread.start()
    work()
    main, wall = time.thread_time() - own, time.perf_counter() - began
    watch.end()
    thread.join()
    return Cost(wall=wall, main=main, others=watch.total() - before)


# ── bare ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def bare(files: Sequence[Path], workers: int) -> Cost:
    """Extraction alone: processor time and clock from the moment when all have their pages in memory."""
    context = multiprocessing.get_context("fork")
    pipes: list[Connection] = []
    processes = []
    for share in range(workers):
        ours, theirs = context.Pipe()
        processes.append(context.Process(target=_extract_share, args=(theirs, files, share, workers)))
        pipes.append(ours)
        processes[-1].start()
    for pipe in pipes:
        pipe.recv()
    began = time.perf_counter()
    for pipe in pipes:
        pipe.send(None)
    cpu = sum(pipe.recv() for pipe in pipes)
    wall = time.perf_counter() - began
    for process in processes:
        process.join()
    return Cost(wall=wall, main=0.0, others=cpu)


def _extract_share(pipe: Connection, files: Sequence[Path], share: int, workers: int) -> None:
    choose = chooser(bulk_pages.sites())
    captures = [one for file in files for one in read_captures(file) if isinstance(one, Capture)][share::workers]
    sites = [choose(one.url) for one in captures]
    pipe.send(None)
    pipe.recv()
    began = time.process_time()
    articles = sum(isinstance(extract(one, site), Article) for one, site in zip(captures, sites, strict=True))
    pipe.send(time.process_time() - began)
    if articles != len(captures):
        raise SystemExit(f"{len(captures) - articles} of {len(captures)} pages were read as no article")


# ── bulk ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def steps(archive: Archive, files: Sequence[Path], pages: int, workers: int) -> dict[str, Callable[[], None]]:
    sites = bulk_pages.sites()

    def replayed() -> None:
        tally = replay(archive, files, chooser(sites), workers=workers)
        _demand(sum(tally.outcomes.values()) == pages and tally.is_whole, f"replay: {tally}")

    def read_again() -> None:
        found = reextract(archive, today(sites, chooser(sites)), workers=workers)
        _demand(found.same == pages and found.is_whole, f"reextract: {found}")

    def verified() -> None:
        result = verify(archive, workers=workers)
        _demand(result.passed and result.checked["texts"] == pages, f"verify: {result.checked} {result.findings[:3]}")

    def exported() -> None:
        with Path(os.devnull).open("wb") as out:
            export(archive, What(everything=True), out)

    return {"replay": replayed, "reextract": read_again, "verify": verified, "export": exported}


def _demand(good: bool, words: str) -> None:
    if not good:
        raise SystemExit(words)


def show(name: str, turns: Sequence[tuple[Cost, Cost]], pages: int) -> None:
    """`turns`: what a step cost, and the bare run beside it."""
    rate = median(pages / cost.wall for cost, _ in turns)
    of_bare = [beside.wall / cost.wall for cost, beside in turns]
    less = median(beside.cpu / cost.cpu for cost, beside in turns)
    cpu, main = (1000 * median(seconds) / pages for seconds in ([cost.cpu for cost, _ in turns], [cost.main for cost, _ in turns]))
    spread = f"{min(of_bare):.2f}-{max(of_bare):.2f}" if len(turns) > 1 else ""
    print(f"{name:<10} {rate:>9,.0f} {median(of_bare):>8.2f} {spread:>10} {cpu:>12.2f} {less:>10.2f} {main:>12.2f}")


def compare(folder: Path, kind: str, pages: int, workers: int, rounds: int) -> None:
    """Prints a table of all steps over an archive of one kind of pages."""
    files = bulk_pages.write(folder / "warcs", kind, pages)
    sizes = sum(len(bulk_pages.page(n)) for n in range(100)) / 100_000, sum(file.stat().st_size for file in files) / pages / 1_000
    print(f"\n{pages:,} pages read by {kind}, {sizes[0]:.0f} KB each, {sizes[1]:.0f} KB in the WARC files; {workers} processes")
    print(f"{'':<10} {'pages/s':>9} {'of bare':>8} {'':>10} {'CPU ms/page':>12} {'bare/this':>10} {'main process':>12}")
    turns: dict[str, list[tuple[Cost, Cost]]] = {}

    def turn(step: str, work: Callable[[], None]) -> None:
        alone = bare(files, workers)
        turns.setdefault("bare", []).append((alone, alone))
        turns.setdefault(step, []).append((measured(work), alone))

    with open_archive(folder / "archive", create=True) as archive:
        archive.keep_rules(bulk_pages.sites()[kind], bulk_pages.rules(kind))
        first, *again = steps(archive, files, pages, workers).items()
        turn(*first)
        for step, work in again * rounds:
            turn(step, work)
    for step, taken in turns.items():
        show(step, taken, pages)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores; {options.rounds} rounds")
    for kind in bulk_pages.KINDS:
        with tempfile.TemporaryDirectory() as name:
            compare(Path(name), kind, options.pages, options.workers, options.rounds)


if __name__ == "__main__":
    main()
