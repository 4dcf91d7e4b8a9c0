"""The faults of our own machine: each ends with its own status and a message, and the next run goes on (machine.py); and a page
that costs more than a page may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.model import Article, Capture, Reason, Rejection
from pipelines.site import parse_site
from pipelines.workers import Readers
from tests.hazards import machine, pages
from tests.hazards.site import SEEDS

pytestmark = pytest.mark.xdist_group("machine")
ELSEWHERE = ("kill_9", "sigterm", "two_runs_at_once", "older_schema", "folder_missing", "malformed_setting")
"""rows whose promise tests/flows/test_kill.py, tests/archive/test_migrations.py and tests/flows/test_bad_input.py hold in more detail"""
BUSY = 0.5
"""seconds for which a catalogue that is held is waited for: the row waits the usual 30"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[machine.Bench]:
    with machine.bench(tmp_path_factory.mktemp("machine"), busy=BUSY) as bench:
        yield bench


@pytest.mark.parametrize("name", [name for name in machine.FAULTS if name not in ELSEWHERE])
def test_it_ends_with_a_status_of_its_own_and_the_next_run_goes_on(bench: machine.Bench, tmp_path: Path, name: str) -> None:
    finding = machine.play(name, bench, tmp_path)
    if finding.skipped:
        pytest.skip(finding.skipped)
    assert finding.wrong == ""


def test_a_page_that_takes_too_long_to_read_is_too_expensive_and_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = parse_site(
        SEEDS.format(hosts='"a.test"', origin="http://a.test", budget=1, feeds="", sitemaps="", follow="").encode(), "x.toml"
    )
    rules = replace(rules, discover=replace(rules.discover, article=(re.compile("/tech/"),)))
    story = pages.story("expensive")
    readers = Readers(1)
    try:
        monkeypatch.setattr("pipelines.workers.SECONDS_A_PAGE", 0.001)
        late = readers.read_now(capture(pages.page(story, inner="<p>字</p>" * 100_000)), rules)
        monkeypatch.setattr("pipelines.workers.SECONDS_A_PAGE", 30.0)
        good = readers.read_now(capture(pages.page(story)), rules)
    finally:
        readers.close()
    assert isinstance(late, Rejection)
    assert late.reason is Reason.TOO_EXPENSIVE
    assert isinstance(good, Article)
    assert good.text == story.text


def capture(body: bytes) -> Capture:
    return Capture(url="http://a.test/tech/1.html", fetched_at=datetime(2026, 11, 23, tzinfo=UTC), status=200, headers=(), body=body)
