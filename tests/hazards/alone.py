"""A hazard or a trap with a site and a crawl of its own: what came of it, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from crawler.health import GOOD, PARTIAL
from tests.flows import crawling
from tests.hazards import judging, site
from tests.hazards.judging import Finding
from tests.hazards.lists import Trap
from tests.hazards.rows import Expect, Pace, Row
from tests.hazards.site import Site

ARTICLES = 5
"""good ones around it"""
ENDS_WELL = (GOOD, PARTIAL)
"""where the hazard costs its own URL at most"""


def hazard(row: Row, folder: Path, timeout: str, pace: Pace | None = None) -> Finding:
    """One crawl of a site with this hazard on the host of its good articles; a second one where it matters."""
    pace = pace or Pace()
    with site.serving((row,), folder, together=True, pace=pace, traps=(), good=ARTICLES) as served:
        for _ in range(2 if row.expect is Expect.LATER else 1):
            _crawl(served, timeout)
        [finding] = judging.of_hazards(served, folder / "archive", (row,), pace)
        asked = sum(len(run.asked[row.name]) for run in served.runs)
        statuses = (GOOD,) if row.expect in (Expect.ARCHIVE, Expect.POLICY) else ENDS_WELL
        return _whole(served, folder / "archive", replace(finding, requests=asked), statuses)


def trap(one: Trap, folder: Path, timeout: str) -> Finding:
    """One crawl of a site with this trap beside its good articles."""
    with site.serving((), folder, together=True, traps=(one,), good=ARTICLES) as served:
        _crawl(served, timeout)
        [finding] = judging.of_traps(served)
        return _whole(served, folder / "archive", finding, ENDS_WELL)


def _crawl(served: Site, timeout: str) -> None:
    site.crawl(served, served.seeds.parent / "archive", "-s", f"DOWNLOAD_TIMEOUT={timeout}")


def _whole(served: Site, archive: Path, finding: Finding, statuses: tuple[int, ...]) -> Finding:
    """With what is wrong around the hazard, in the archive, and with how its runs ended."""
    wrong = [finding.wrong, *judging.wrongs(judging.around(served, archive)), *crawling.faults_of(archive), *_ends(served, statuses)]
    return judging.measured(served, replace(finding, wrong="; ".join(part for part in wrong if part)))


def _ends(served: Site, statuses: tuple[int, ...]) -> Iterator[str]:
    for run in served.runs:
        if run.status not in statuses:
            yield f"status {run.status}, {' or '.join(map(str, statuses))} expected"
        if "Traceback" in run.stderr:
            yield "a traceback in the log"
