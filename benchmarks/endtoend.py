"""End to end: pages on a server in, texts on the disk out. Ours beside its peers, the same pages in one run, ratios first.

    python -m benchmarks.endtoend [--pages N] [--rounds N] [--only NAME ...]

Every tool gets the generated pages of `endtoend_site`, a third of them in each of three rounds, from a static server on
127.0.0.1 (news-please and newspaper4k, slow and in no goal, in the first only); then, where the yardstick is, its real pages once,
each under an address of its own. What a page costs is processor time
of the whole process tree, user and system (`process_tree`); the server's is not counted. In each round each tool runs twice,
with few pages and with all: the difference is what pages cost, the rest is its start. Told is the median of the rounds.

Ours is `scrapy crawl` as it is scheduled, everything on: it finds the pages through lists, asks robots.txt, writes WARC,
fingerprints, catalogue, fsync, and is asked with `scrapy export` what it has. "bare" is our extraction function alone on pages
in memory. trafilatura's CLI leaves out title, date and author unless told `--with-metadata`, which all the others find.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.endtoend_site import ARTICLE, CHARSETS, DAY, FURNITURE, few_of, path_of, seeds, write_lists, write_site
from benchmarks.endtoend_tools import (
    CONSENSUS,
    CORES,
    LAYOUT,
    LAYOUT_INLINE,
    ROOT,
    TOOLS,
    YARDSTICK,
    YARDSTICK_TOLD,
    Pages,
    Tool,
    last_line,
    missing,
)
from benchmarks.process_tree import spend
from pipelines.extract import extract
from pipelines.model import Article, Capture, Kind
from pipelines.site import Site, parse_site

DATA = ROOT.parent / "shared" / "eval" / "dev"
PAGES, ROUNDS = 2_000, 3
MOST_SECONDS = 900
SLOW = ("news-please", "newspaper4k")
BARE = {LAYOUT: "bare, layout", CONSENSUS: "bare, consensus"}

Truth = dict[str, tuple[str, ...]]


class Failed(Exception):
    """A tool ended badly, or gave nothing; what happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run: CPU seconds of all processes and of the first alone, wall seconds, and the text of each page by path."""

    cpu: float
    main: float
    wall: float
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a tool makes of a page: CPU ms, those of its first process, pages a second, ms of CPU to start; shares of the pages
    that gave a text, of true paragraphs that are in it, and of texts with furniture."""

    cpu: float
    main: float
    rate: float
    start: float
    found: float
    paragraphs: float
    furniture: float


@dataclass(slots=True)
class Table:
    """The rounds so far, and why a tool has none."""

    rounds: dict[str, list[Row]] = field(default_factory=dict)
    bares: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def rows(self) -> dict[str, Row]:
        return {name: median(rows) for name, rows in self.rounds.items() if name not in self.failures}

    def bare(self) -> dict[str, float]:
        return {name: statistics.median(times) for name, times in self.bares.items()}


# ── one run ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def measured(tool: Tool, pages: Pages, count: int) -> Result:
    """One run in a folder of its own. Raises Failed."""
    with tempfile.TemporaryDirectory(prefix="endtoend-run-") as name:
        folder = Path(name)
        job = tool(pages, count, folder)
        spent = spend(job.words, job.cwd, folder, most=MOST_SECONDS)
        if spent.status != 0:
            what = f"exit status {spent.status}" if spent.status is not None else f"not ready after {MOST_SECONDS} s"
            raise Failed(f"{what}: {last_line(spent.said)}")
        texts = read_texts(_written(job.out), pages.host, pages.truth)
    if not texts:
        raise Failed(f"no text of {count} pages: {last_line(spent.said)}")
    return Result(cpu=spent.cpu, main=spent.main, wall=spent.wall, texts=texts)


def _written(out: Path) -> bytes:
    """What a tool wrote: JSON lines, which our archive is asked for."""
    if not out.is_dir():
        return out.read_bytes() if out.exists() else b""
    command = [sys.executable, "-m", "scrapy", "export", "--archive", str(out), "--to", "-", "--all", "-L", "ERROR"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout


def read_texts(lines: bytes, host: str, truth: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Path -> text, of JSON lines with `text` and `url`. trafilatura's have no `url`, or what the page says is its own: they are in
    the order of `truth`, and where some are missing, one belongs to the next page that it has a paragraph of."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines.split(b"\n") if line.strip()]
    names, waiting, whole = list(truth), list(truth), len(rows) == len(truth)
    found: dict[str, str] = {}
    for place, row in enumerate(rows):
        text = row["text"] or ""
        in_order = names[place] if whole else _next_with(text, waiting, truth)
        path = row["url"].partition(host)[2] if "url" in row else in_order
        if path and text:
            found[path] = text
    return found


def _next_with(text: str, waiting: list[str], truth: Mapping[str, tuple[str, ...]]) -> str | None:
    body = _bare(text)
    for place, path in enumerate(waiting):
        if any(_bare(one) in body for one in truth[path]):
            del waiting[: place + 1]
            return path
    return None


def bare(pages: Pages, site: Site) -> float:
    """CPU ms a page of our extraction function alone, on pages in memory, in this process. Raises Failed."""
    captures = [_capture(pages, path) for path in pages.truth]
    for capture in captures[: few_of(len(captures))]:  # warm
        extract(capture, site)
    began = time.process_time()
    good = sum(isinstance(extract(capture, site), Article) for capture in captures)
    spent = time.process_time() - began
    if good < len(captures) * 0.9:
        raise Failed(f"bare extraction read {good} of {len(captures)} pages")
    return 1000 * spent / len(captures)


def _capture(pages: Pages, path: str) -> Capture:
    return Capture(
        url=f"http://{pages.host}{path}",
        fetched_at=datetime(2026, 9, 5, tzinfo=UTC),
        status=200,
        headers=(("Content-Type", "text/html"),),  # every page declares its own charset
        body=(pages.folder / path.lstrip("/")).read_bytes(),
        kind=Kind.ARTICLE,
    )


# ── the reckoning ────────────────────────────────────────────────────────────────────────────────────────────────────


def row(few: Result, many: Result, counts: tuple[int, int], truth: Mapping[str, tuple[str, ...]]) -> Row:
    """What a page costs: the difference of two runs, of `counts` pages."""
    more = counts[1] - counts[0]
    cpu = (many.cpu - few.cpu) / more
    bodies = {path: _bare(text) for path, text in many.texts.items()}
    kept = [_bare(paragraph) in bodies.get(path, "") for path, paragraphs in truth.items() for paragraph in paragraphs]
    leaks = [any(line in text for line in FURNITURE) for text in many.texts.values()]
    return Row(
        cpu=1000 * cpu,
        main=1000 * (many.main - few.main) / more,
        rate=more / max(0.001, many.wall - few.wall),
        start=1000 * max(0.0, few.cpu - cpu * counts[0]),
        found=len(many.texts.keys() & truth.keys()) / len(truth),
        paragraphs=statistics.mean(kept) if kept else 0.0,
        furniture=statistics.mean(leaks) if leaks else 0.0,
    )


def median(rows: Sequence[Row]) -> Row:
    """The rounds of one tool as one row."""
    return Row(**{one.name: statistics.median(getattr(row, one.name) for row in rows) for one in fields(Row)})


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


Goal = tuple[float, str, str, bool]
"""how much, of what, the goal, whether it is met"""


def goals(rows: Mapping[str, Row], bares: Mapping[str, float]) -> list[Goal]:
    """Each goal of the project that these rows can tell of."""
    made: list[Goal] = []
    for base in (YARDSTICK, YARDSTICK_TOLD):
        for name, most in ((LAYOUT, 0.35), (CONSENSUS, 1.5)):
            if base in rows and name in rows:
                times = rows[name].cpu / rows[base].cpu
                made.append((times, f"{name}: CPU a page, times {base}", f"<= {most}", times <= most))
        if base in rows and LAYOUT in rows:
            times = rows[LAYOUT].rate / rows[base].rate
            made.append((times, f"{LAYOUT}: pages a second, times {base}", ">= 2", times >= 2))
    for name, key in BARE.items():
        if name in rows and key in bares:
            rest = rows[name].cpu - bares[key]
            made.append((rest, f"{name}: CPU ms a page beside extraction", "<= 4", rest <= 4))
    return made


def lines(table: Table) -> Iterator[str]:
    """Goals, then tools, then what failed."""
    rows, bares = table.rows(), table.bare()
    for value, what, goal, met in goals(rows, bares):
        yield f"{value:8.2f}  {what:<64} {goal:<8} {'met' if met else 'not met'}"
    yield ""
    heads = f"{'CPU ms/page':>12} {'main':>6} {'pages/s':>8} {'start ms':>9} {'texts':>7} {'truth':>7} {'furniture':>10}"
    yield f"{'':<26} {'ratio':>6} {heads}"
    base = rows[YARDSTICK].cpu if YARDSTICK in rows else None
    for name, one in rows.items():
        shares = f"{one.found:>7.1%} {one.paragraphs:>7.1%} {one.furniture:>10.1%}"
        yield f"{name:<26} {_times(one.cpu, base)} {one.cpu:>12.2f} {one.main:>6.2f} {one.rate:>8.1f} {one.start:>9.0f} {shares}"
    for name, cpu in bares.items():
        yield f"{name:<26} {_times(cpu, base)} {cpu:>12.2f}"
    for name, why in table.failures.items():
        yield f"{name:<26} FAILED  {why}"


def _times(cpu: float, base: float | None) -> str:
    return f"{cpu / base:6.2f}" if base else " " * 6


# ── the sites ────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def served(folder: Path, truth: Truth, port: int = 0) -> Iterator[Pages]:
    command = [sys.executable, "-m", "benchmarks.endtoend_site", str(folder), str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield Pages(folder=folder, host=f"127.0.0.1:{server.stdout.readline().strip()}", truth=truth)
    finally:
        server.terminate()
        server.wait()


def write_real_site(folder: Path) -> Truth:
    """The yardstick's pages, and the paragraphs that people marked in them."""
    with (DATA / "gold.jsonl").open(encoding="utf-8") as file:
        gold = [json.loads(line) for line in file]
    (folder / ARTICLE / DAY).mkdir(parents=True)
    truth = {path_of(number): tuple(one["gold_text"].split("\n")) for number, one in enumerate(gold, 1)}
    for path, one in zip(truth, gold, strict=True):
        (folder / path.lstrip("/")).write_bytes(gzip.decompress((DATA / "html" / f"{one['id']}.html.gz").read_bytes()))
    (folder / CHARSETS).write_text(json.dumps(dict(zip(truth, (one["encoding"] for one in gold), strict=True))))
    write_lists(folder, len(truth))
    return truth


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def a_round(pages: Pages, tools: Mapping[str, Tool], table: Table) -> None:
    counts = (few_of(len(pages.truth)), len(pages.truth))
    for name, tool in tools.items():
        if name in table.failures:
            continue
        try:
            few, many = (measured(tool, pages, count) for count in counts)
            table.rounds.setdefault(name, []).append(row(few, many, counts, pages.truth))
            print(f"  {name}: {few.wall + many.wall:.0f} s", flush=True)
            if name in BARE:
                site = parse_site(seeds(pages.host, layout=name == LAYOUT).encode(), "site.toml")
                table.bares.setdefault(BARE[name], []).append(bare(pages, site))
        except Failed as failure:
            table.failures[name] = str(failure)
            print(f"  {name}: {failure}", flush=True)


def compare(tools: Mapping[str, Tool], pages: int, rounds: int) -> Table:
    """The generated pages, another part of them in each round."""
    table, share = Table(), pages // rounds
    quick = {name: tool for name, tool in tools.items() if name not in SLOW}
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="endtoend-") as name:
            truth = write_site(Path(name), share, first=1 + number * share)
            with served(Path(name), truth) as site:
                a_round(site, tools if number == 0 else quick, table)
    return table


def compare_real(tools: Mapping[str, Tool]) -> Table:
    table = Table()
    with tempfile.TemporaryDirectory(prefix="endtoend-") as name, served(Path(name), write_real_site(Path(name))) as site:
        a_round(site, tools, table)
    return table


def usable(only: Sequence[str]) -> dict[str, Tool]:
    chosen = {name: tool for name, tool in TOOLS.items() if not only or name in only}
    absent = {name: why for name in chosen if (why := missing(name)) is not None}
    for name, why in absent.items():
        print(f"{name}: left out, {why}")
    return {name: tool for name, tool in chosen.items() if name not in absent}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", nargs="*", default=[], choices=list(TOOLS))
    options = parser.parse_args()
    tools = usable(options.only)
    print(f"{options.rounds} rounds, {CORES} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    tables = {f"{options.pages} generated pages": compare(tools, options.pages, options.rounds)}
    if (DATA / "gold.jsonl").exists():
        tables["The yardstick's real pages"] = compare_real(
            {name: one for name, one in tools.items() if name not in (LAYOUT, LAYOUT_INLINE)}
        )
    for name, table in tables.items():
        print(f"\n{name}", *lines(table), sep="\n")


if __name__ == "__main__":
    main()
