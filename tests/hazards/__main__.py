"""`make test-hazards`: every hazard on a host of its own, then all at once on one host; the table, and 1 where one does not hold."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.hazards import site
from tests.hazards.judging import Finding, findings
from tests.hazards.rows import ROWS, Pace

TIMEOUT = {"apart": "30", "together": "4"}
"""seconds of DOWNLOAD_TIMEOUT: on hosts of their own the slow wait side by side; on one host one after the other"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hazards", description=__doc__)
    parser.add_argument("--only", choices=["apart", "together"])
    parser.add_argument("--keep", metavar="DIR", help="where archives and logs stay")
    parser.add_argument("--timeout", help="seconds for a whole transfer, in place of the usual")
    options = parser.parse_args()
    modes = [options.only] if options.only else ["apart", "together"]
    with tempfile.TemporaryDirectory(prefix="hazards-") as passing:
        folder = Path(options.keep or passing)
        return max(_mode(mode, folder / mode, options.timeout or TIMEOUT[mode]) for mode in modes)


def _mode(mode: str, folder: Path, timeout: str) -> int:
    pace = Pace()
    with site.serving(ROWS, folder, together=mode == "together", pace=pace) as served:
        for number in (1, 2):
            run = site.crawl(served, folder / "archive", "-s", f"DOWNLOAD_TIMEOUT={timeout}")
            (folder / f"run-{number}.log").write_text(run.stderr, encoding="utf-8")
        found = list(findings(served, folder / "archive", ROWS, pace))
        _show(mode, served, found)
    return int(any(finding.wrong for finding in found))


def _show(mode: str, served: site.Site, found: list[Finding]) -> None:
    print(f"\n{'hazard, ' + mode:26} {'expected':14} {'what happened':24} {'requests':>8} {'seconds':>8}")  # noqa: T201
    for one in found:
        seconds = "" if one.seconds is None else f"{one.seconds:.1f}"
        wrong = f"  <- {one.wrong}" if one.wrong else ""
        print(f"{one.name:26} {one.expected:14} {one.happened:24} {one.requests:>8} {seconds:>8}{wrong}")  # noqa: T201
    for number, run in enumerate(served.runs, 1):
        worst = max(run.stalls, key=lambda stall: stall.seconds)
        stall = f"longest stall {worst.seconds * 1000:.0f} ms ({worst.at_work * 1000:.0f} at work) {worst.where}"
        print(f"run {number}: status {run.status}, {run.seconds:.0f} s, main process {run.peak_mb:.0f} MB, {stall}")  # noqa: T201
    print(f"{sum(not one.wrong for one in found)} of {len(found)} hold.")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
