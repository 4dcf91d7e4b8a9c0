"""`make test-hazards`: every hazard, robots.txt mode and fault of the machine alone, then all hazards at once on one host; the
table, and 1 where a row does not hold. Whatever is named runs alone."""

from __future__ import annotations

import argparse
import queue
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.crawler.robots_modes import MODES
from tests.hazards import alone, judging, machine, robots, site, table
from tests.hazards.judging import Finding
from tests.hazards.lists import TRAPS
from tests.hazards.rows import GROUPS, ROWS, Pace

AT_ONCE = 2
"""crawls, where each row has its own"""
TIMEOUT = {"alone": "10", "apart": "30", "together": "4"}
"""seconds of DOWNLOAD_TIMEOUT (usual: 30): on hosts of their own the slow wait side by side; else one after the other"""
RUNS = {"apart": 2, "together": 3}
"""of the crawl of all hazards: on one host so much fails in the second run that the host is given up, and the rest is left
for the third"""
TRAPS_TITLE = "Lists without end, and links that lead astray"
Play = Callable[[Path, str], Finding]
"""gets a folder of its own, and seconds for a whole transfer"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hazards", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows of the table, to be run alone")
    parser.add_argument("--only", choices=["alone", "apart", "together"], help="one mode (usual: alone and together)")
    parser.add_argument("--keep", metavar="DIR", help="where archives and logs stay")
    parser.add_argument("--timeout", help="seconds for a whole transfer, in place of the usual")
    options = parser.parse_args()
    if options.names and options.only not in (None, "alone"):
        parser.error("rows that are named run alone")
    modes = [options.only] if options.only else ["alone"] if options.names else ["alone", "together"]
    found: dict[str, list[Finding]] = {}
    with tempfile.TemporaryDirectory(prefix="hazards-") as passing:
        folder = Path(options.keep or passing)
        for mode in modes:
            timeout = options.timeout or TIMEOUT[mode]
            found[mode] = _alone(folder / mode, timeout, options.names) if mode == "alone" else _at_once(mode, folder / mode, timeout)
    _say("", *table.summary(found))
    return int(any(one.wrong for findings in found.values() for one in findings))


def _alone(folder: Path, timeout: str, names: Sequence[str]) -> list[Finding]:
    """Each row with a site and a crawl of its own."""
    found = []
    with ExitStack() as stack:
        groups = _groups(stack, folder)
        known = [name for plays in groups.values() for name in plays]
        if not set(names) <= set(known):
            raise SystemExit(f"No such rows: {', '.join(sorted(set(names) - set(known)))}. There are: {' '.join(known)}.")
        pool = ThreadPoolExecutor(AT_ONCE)
        stack.callback(pool.shutdown, cancel_futures=True)
        waiting = {
            title: {name: pool.submit(play, folder / name, timeout) for name, play in plays.items() if not names or name in names}
            for title, plays in groups.items()
        }
        _say("Alone: each row with a site and a crawl of its own; MB of the crawl's main process, and its exit status.", "", table.head())
        for title, rows in waiting.items():
            _say(*(["", title] if rows else []))
            for name, row in rows.items():
                error = row.exception()
                fault = f"the test of it fails: {error!r}"
                found.append(Finding(name=name, expected="", happened="", requests=0, wrong=fault) if error else row.result())
                _say(table.line(found[-1]))
    return found


def _groups(stack: ExitStack, folder: Path) -> dict[str, dict[str, Play]]:
    """The rows by heading and name."""
    benches: queue.SimpleQueue[machine.Bench] = queue.SimpleQueue()

    def fault(name: str, place: Path, _: str) -> Finding:
        try:
            bench = benches.get_nowait()
        except queue.Empty:
            bench = stack.enter_context(machine.bench(folder / f"bench-{name}"))
        try:
            return machine.play(name, bench, place)
        finally:
            benches.put(bench)

    return {
        **{title: {row.name: partial(alone.hazard, row) for row in rows} for title, rows in GROUPS.items()},
        TRAPS_TITLE: {one.name: partial(alone.trap, one) for one in TRAPS},
        "robots.txt": {robots.row_of(name): partial(robots.play, name) for name in MODES},
        "Faults of the machine, and of people": {name: partial(fault, name) for name in machine.FAULTS},
    }


def _at_once(mode: str, folder: Path, timeout: str) -> list[Finding]:
    """All hazards and traps in one crawl."""
    where = "All at once on one host" if mode == "together" else "In one crawl, each on a host of its own"
    pace = Pace()
    with site.serving(ROWS, folder, together=mode == "together", pace=pace) as served:
        for _ in range(RUNS[mode]):
            site.crawl(served, folder / "archive", "-s", f"DOWNLOAD_TIMEOUT={timeout}")
        found = list(judging.findings(served, folder / "archive", ROWS, pace))
    _say("", f"{where}: requests of the first of {RUNS[mode]} runs, seconds from the first one to its end.", "", table.head())
    by_name = {one.name: one for one in found}
    titles = {**{title: [row.name for row in rows] for title, rows in GROUPS.items()}, TRAPS_TITLE: [one.name for one in TRAPS]}
    placed = {name for names in titles.values() for name in names}
    for title, names in {**titles, "Around them": [one.name for one in found if one.name not in placed]}.items():
        _say("", title, *(table.line(by_name[name]) for name in names))
    _say("", *(_run(number, run) for number, run in enumerate(served.runs, 1)))
    return found


def _run(number: int, run: site.Run) -> str:
    worst = max(run.stalls, key=lambda stall: stall.seconds, default=site.Stall(0.0, 0.0, ""))
    stall = f"longest stall {worst.seconds * 1000:.0f} ms ({worst.at_work * 1000:.0f} at work) {worst.where}".rstrip()
    return f"run {number}: status {run.status}, {run.seconds:.0f} s, main process {run.peak_mb:.0f} MB, {stall}"


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
