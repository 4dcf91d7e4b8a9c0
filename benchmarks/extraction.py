"""Text and metadata out of real news pages: ours beside trafilatura, readability, newspaper4k and GNE.

    python -m benchmarks.extraction [--data DIR]

Runs the yardstick's own measuring script (`measure.py`, beside DIR) over its pages, ours in this environment, the peers in
one of their own (.bench-venvs/extraction, made here; skipped with a message where it cannot be). Prints the table, the
goals, the ten worst pages with the reason, and processor time a page on one pinned core against trafilatura's default.
The pages are a private yardstick: where DIR is absent, nothing is measured.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import extract_page
from pipelines.model import Article, Precision

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "eval" / "dev"
PEER_PYTHON = ROOT / ".bench-venvs" / "extraction" / "bin" / "python"
PEER_PACKAGES = ("trafilatura==2.3.1", "readability-lxml", "lxml_html_clean", "newspaper4k[zh]", "gne", "setuptools")
PEERS = ("trafilatura_default", "trafilatura_precision", "readability", "newspaper4k", "gne")
OURS = "benchmarks.extraction:ours"
COLUMNS = ("F1", "pF1", "lt90", "leak", "empty", "title", "date", "minute", "source", "author", "author_editor")
GOALS: dict[str, dict[str, tuple[str, float]]] = {
    "zh": {
        "F1": (">=", 0.985),
        "pF1": (">=", 0.96),
        "lt90": ("<=", 0.02),
        "leak": ("<=", 0.02),
        "empty": ("<=", 0.0),
        "title": (">=", 0.98),
        "date": (">=", 0.98),
        "minute": (">=", 0.96),
        "source": (">=", 0.90),
        "author": (">=", 0.80),
        "author_editor": ("<=", 0.0),
    },
    "en": {"F1": (">=", 0.957)},
}
TIMES = 1.5
"""times trafilatura's default: what a page by consensus may cost"""
LAYOUT_MS = 3.0
"""median of a page with a layout"""
WORST = 10

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the yardstick: its labels, its bytes, and its characters by the right charset."""

    gold: dict[str, Any]
    body: bytes

    @property
    def markup(self) -> str:
        return self.body.decode(self.gold["encoding"], "replace")


def ours(body: bytes, url: str) -> dict[str, Any]:
    """Our extraction in the form that the yardstick scores: bytes and URL in, nothing else."""
    result = extract_page(body, url or "http://example.org/", {})
    if not isinstance(result, Article):
        return {"text": "", "reason": f"{result.reason}: {result.detail}"}
    form = "%Y-%m-%d" if result.published_precision is Precision.DAY else "%Y-%m-%d %H:%M"
    return {
        "text": result.text,
        "title": result.title,
        "date": result.published.strftime(form) if result.published else None,
        "author": list(result.authors),
        "source": result.source,
        "confidence": result.quality.confidence,
        "method": result.extraction.method,
    }


ours.wants_bytes = True  # type: ignore[attr-defined]  # the yardstick's way of asking for bytes


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Extraction beside its peers.")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    if not (options.data / "gold.jsonl").exists():
        print(f"No yardstick at {options.data}: gold.jsonl and html/ are private and not part of this project.")
        return 0
    rows = measured(options.data, sys.executable, [OURS])
    if peers_ready():
        rows += measured(options.data, str(PEER_PYTHON), [f"benchmarks.extraction_peers:{name}" for name in PEERS])
    else:
        print("The peers could not be installed (no package index?): ours alone.")
    met = [report(rows, language) for language in ("zh", "en")]
    pages = read(options.data)
    show_worst([row for row in rows if row["ext"] == OURS], pages)
    met += [show_times(pages), show_layout_time()]
    return 0 if all(met) else 1


def peers_ready() -> bool:
    """Makes the peers' environment if it can be made."""
    if not PEER_PYTHON.exists() and subprocess.run([sys.executable, "-m", "venv", PEER_PYTHON.parents[1]], check=False).returncode:
        return False
    if (
        subprocess.run([PEER_PYTHON, "-c", "import trafilatura, readability, newspaper, gne"], check=False, capture_output=True).returncode
        == 0
    ):
        return True
    install = [str(PEER_PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    # pip 23 fails on trafilatura's requirement lxml[html_clean]: a newer one first
    return all(subprocess.run([*install, *what], check=False).returncode == 0 for what in (["--upgrade", "pip"], PEER_PACKAGES))


def measured(data: Path, python: str, extractors: Sequence[str]) -> list[Row]:
    """The rows of measure.py: one a page and extractor."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.jsonl"
        command = [python, str(data.parent / "measure.py"), "--data", str(data), "--out", str(out)]
        command += [part for extractor in extractors for part in ("--extractor", extractor)]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def read(data: Path) -> list[Page]:
    lines = (data / "gold.jsonl").read_text("utf-8").splitlines()
    return [Page(gold=gold, body=gzip.decompress((data / gold["html"]).read_bytes())) for gold in map(json.loads, lines)]


def report(rows: list[Row], language: str) -> bool:
    """The table of one language; True when ours reaches all goals."""
    by_tool: dict[str, list[Row]] = collections.defaultdict(list)
    for row in rows:
        if row["lang"] == language:
            by_tool[row["ext"]].append(row)
    print(f"\n{language}: {len(by_tool[OURS])} pages\n| tool | {' | '.join(COLUMNS)} | ms |\n|{'---|' * (len(COLUMNS) + 2)}")
    for tool, found in by_tool.items():
        cells = (_shown(mean(found, column)) for column in COLUMNS)
        print(f"| {tool.partition(':')[2]} | {' | '.join(cells)} | {statistics.median(row['ms'] for row in found):.0f} |")
    reached = [_reached(by_tool[OURS], column, *goal) for column, goal in GOALS[language].items()]
    return all(reached)


def mean(rows: list[Row], column: str) -> float | None:
    if column == "lt90":
        return sum(float(row["F1"]) < 0.9 for row in rows) / len(rows)
    values = [float(row[column]) for row in rows if column in row]
    return sum(values) / len(values) if values else None


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _reached(rows: list[Row], column: str, sense: str, goal: float) -> bool:
    value = mean(rows, column)
    good = value is not None and (value >= goal if sense == ">=" else value <= goal)
    if not good:
        print(f"MISSED: {column} {_shown(value)}, goal {sense} {goal}")
    return good


def show_worst(rows: list[Row], pages: list[Page]) -> None:
    """The ten pages with the lowest F1, and what is wrong with each: lines too many, lines lacking, or the refusal."""
    gold = {page.gold["id"]: page.gold for page in pages}
    print(f"\nThe {WORST} worst pages")
    for row in sorted(rows, key=lambda row: (row["F1"], row["pF1"]))[:WORST]:
        print(f"{row['id']}  F1 {row['F1']:.3f}  pF1 {row['pF1']:.3f}  {_why(row['out'], gold[row['id']])}")


def _why(out: dict[str, Any], gold: dict[str, Any]) -> str:
    if reason := out.get("reason"):
        return f"refused ({reason})"
    told = {_squeezed(line) for line in (out.get("text") or "").split("\n")} - {""}
    meant = {_squeezed(line) for line in gold["gold_text"].split("\n")} - {""}
    optional = {_squeezed(line) for line in gold["gold_optional"]}
    extra, lacking = told - meant - optional, meant - told
    parts = [
        f"{len(lines)} {what}, e.g. {max(lines, key=len)[:40]!r}" for lines, what in ((extra, "too many"), (lacking, "lacking")) if lines
    ]
    return f"confidence {out.get('confidence')}; {'; '.join(parts) or 'characters only'}"


def _squeezed(line: str) -> str:
    return "".join(line.split())


def show_times(pages: list[Page]) -> bool:
    """Processor time a page by consensus beside trafilatura's default on the same pages, one core, one run."""
    from benchmarks.extraction_peers import trafilatura_text

    _pin()
    good = True
    for language in ("zh", "en"):
        some = [page for page in pages if page.gold["lang"] == language]
        mine = [_processor_ms(lambda page=page: ours(page.body, page.gold["url"])) for page in some]  # type: ignore[misc]
        theirs = [_processor_ms(lambda page=page: trafilatura_text(page.markup, page.gold["url"])) for page in some]  # type: ignore[misc]
        times = sum(mine) / sum(theirs)
        good = good and times <= TIMES
        print(
            f"\n{language}: ours {statistics.mean(mine):.1f} ms a page (median {statistics.median(mine):.1f}), trafilatura's default "
            f"{statistics.mean(theirs):.1f} ({statistics.median(theirs):.1f}): {times:.2f} times, goal {TIMES}"
        )
    return good


def show_layout_time() -> bool:
    """Processor time of the page folder tests/pages/china_tech/t3, which its site's layout reads."""
    folder = ROOT / "tests" / "pages" / "china_tech" / "t3"
    about, body = json.loads((folder / "capture.json").read_text("utf-8")), (folder / "page.html").read_bytes()
    median = statistics.median(_processor_ms(lambda: extract_page(body, about["url"], {})) for _ in range(50))
    print(f"A page with a layout: {median:.1f} ms (median of 50), goal {LAYOUT_MS}")
    return median <= LAYOUT_MS


def _processor_ms(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1_000


def _pin() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


if __name__ == "__main__":
    sys.exit(main())
