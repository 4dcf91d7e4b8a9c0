"""All hazards in one crawl, each on a host of its own, twice: the short form of `make test-hazards`, with short waits. And a few
rows alone, as the long form runs all."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.health import FAR_LESS, GOOD, NOTHING_SAVED, PARTIAL
from tests.flows import crawling
from tests.hazards import alone, judging, pages, robots, site, table
from tests.hazards.judging import Finding
from tests.hazards.lists import TRAPS
from tests.hazards.rows import ROWS, Pace

pytestmark = pytest.mark.xdist_group("hazards")
PACE = Pace(retry_after=1, retry_after_429=1, silent=30)
TIMEOUTS = (10, 3)
"""seconds for a whole transfer in each run: the slow ones take two of them, and eight bodies of 8 MiB come at the same time"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hazards")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[site.Site]:
    with site.serving(ROWS, folder, together=False, pace=PACE) as served:
        for timeout in TIMEOUTS:
            site.crawl(served, folder / "archive", "-s", f"DOWNLOAD_TIMEOUT={timeout}")
        yield served


@pytest.fixture(scope="module")
def found(served: site.Site, folder: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in judging.findings(served, folder / "archive", ROWS, PACE)}


OTHERS = ("good articles", "nothing else", "internal port", "robots.txt disallow", "memory")


@pytest.mark.parametrize("name", [*(row.name for row in ROWS), *(trap.name for trap in TRAPS), *OTHERS])
def test_it_holds(found: dict[str, Finding], name: str) -> None:
    assert found[name].wrong == "", found[name]


def test_every_run_ends_by_itself_and_says_that_not_all_was_well(served: site.Site) -> None:
    assert [run.status in (PARTIAL, FAR_LESS) for run in served.runs] == [True, True], [run.stdout for run in served.runs]


def test_nothing_is_torn_lost_or_doubled(served: site.Site, folder: Path) -> None:
    assert crawling.faults_of(folder / "archive") == []


def test_no_traceback_and_no_second_line_reaches_the_log(served: site.Site) -> None:
    for run in served.runs:
        assert "Traceback" not in run.stderr
        assert "\x1b" not in run.stderr
        assert not [line for line in run.stderr.splitlines() if line and not line.startswith("20")]


def test_no_cookie_is_in_the_archive(served: site.Site, folder: Path) -> None:
    for path in crawling.warc_files(folder / "archive"):
        assert b"\nset-cookie:" not in gzip.decompress(path.read_bytes()).lower()


def test_a_hazard_alone_has_a_crawl_of_its_own(tmp_path: Path) -> None:
    [row] = (row for row in ROWS if row.name == "bomb_br")
    finding = alone.hazard(row, tmp_path, "10", PACE)
    assert (finding.happened, finding.requests, finding.status, finding.wrong) == ("too_large", 1, GOOD, "")
    assert finding.memory_mb


def test_a_robots_txt_mode_alone_has_a_crawl_of_its_own(tmp_path: Path) -> None:
    finding = robots.play("redirect_address", tmp_path, "10")
    assert (finding.happened, finding.requests, finding.status, finding.wrong) == ("not crawled", 1, NOTHING_SAVED, "")


def test_what_does_not_hold_is_marked_and_named_at_the_end_with_what_to_do() -> None:
    good = Finding(name="soft404", expected="reject", happened="soft_404", requests=1, seconds=3.1, memory_mb=128.4, status=0)
    bad = replace(good, name="captcha", wrong="is in the corpus")
    left_out = replace(good, name="disk_full", skipped="no disk can be mounted here")
    assert table.line(bad).startswith("! captcha ")
    assert len({len(line) for line in (table.head(), table.line(good), table.line(bad))}) == 1
    lines = table.summary({"alone": [good, bad, left_out], "together": [good]})
    assert lines[:2] == ["What does not hold:", "  alone: captcha: is in the corpus"]
    assert "  python -m tests.hazards captcha --keep DIR" in lines
    assert lines[-1] == "2 of 3 hold, 1 skipped: alone 1 of 2 hold, 1 skipped; together 1 of 1 hold."
    assert table.summary({"alone": [good]}) == ["1 of 1 hold."]


def test_the_judge_sees_what_is_wrong() -> None:
    story = pages.story("judge")
    junk = {"text": pages.story("other").text, "title": "x\u202e", "published": "2199-01-01", "fetched_at": "2026-11-23"}
    assert not judging.is_clean(junk, story)
    assert len(list(judging._unfit(junk))) == 2
