"""A crawl of certain days: it pages back through what is known, survives an interruption, and leaves nothing out later."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler.health import GOOD, INTERRUPTED
from pipelines.archive import schema
from pipelines.model import Kind
from tests.flows import crawling
from tests.replica import Asked, Replica, TrueArticle

pytestmark = pytest.mark.xdist_group("backcrawl")

LIST = "http://app.tech.china.com.cn/news/live.php?channel=科技&p={page}"
ASKED = "http://app.tech.china.com.cn/news/live.php?channel=%E7%A7%91%E6%8A%80&p={page}"
RECENT = ("-a", "since=2026-08-28")
FIRST, LAST = date(2016, 5, 1), date(2016, 12, 31)
THEN = ("-a", f"since={FIRST}", "-a", f"until={LAST}")
ETAGS = sa.select(schema.url.c.etag).where(schema.url.c.kind == Kind.LISTING)
STOPPED_AT = ASKED.format(page=8)
"""behind the first entries of those days"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a run ended, what it asked the replica, and which articles there were then."""

    status: int
    asked: tuple[Asked, ...]
    archived: frozenset[str]

    def lists(self) -> list[str]:
        return [one.url for one in self.asked if one.kind == "list"]

    def articles(self) -> Counter[str]:
        return Counter(one.url for one in self.asked if one.kind == "article")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Five runs of one archive: recent days, old days until the signal came, the same old days again, and two of all days."""

    archive: Path
    recent: Run
    stopped: Run
    again: Run
    whole: Run
    after: Run
    truth: tuple[TrueArticle, ...]
    etags: list[str | None]
    """that lists were known by before the runs of all days"""

    def of(self, first: date, last: date) -> set[str]:
        """The good articles that the list shows of these days."""
        here = [true for true in self.truth if true.good and true.listed and true.host == "tech.china.com.cn"]
        return {true.url for true in here if true.published and first <= true.published.date() <= last}

    @property
    def wanted(self) -> set[str]:
        return self.of(FIRST, LAST)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("backcrawl")
    archive, seeds = folder / "archive", crawling.small_seeds(folder / "seeds", [LIST])

    def done(status: int) -> Run:
        asked = tuple(replica.requests)
        replica.reset()
        return Run(status=status, asked=asked, archived=frozenset(crawling.all_records(archive)))

    with Replica(day=0) as replica:
        recent = done(crawling.crawl(replica, archive, *RECENT, seeds=seeds).returncode)
        stopped = done(interrupted(replica, archive, seeds))
        again = done(crawling.crawl(replica, archive, *THEN, seeds=seeds).returncode)
        etags = crawling.column(archive, ETAGS)
        whole = done(crawling.crawl(replica, archive, seeds=seeds).returncode)
        after = done(crawling.crawl(replica, archive, seeds=seeds).returncode)
        yield Story(
            archive=archive, recent=recent, stopped=stopped, again=again, whole=whole, after=after, truth=replica.truth(), etags=etags
        )


def interrupted(replica: Replica, archive: Path, seeds: Path) -> int:
    """A run that gets a SIGTERM in the moment in which it asks for STOPPED_AT."""
    process = subprocess.Popen(
        crawling.crawl_command(archive, *THEN, seeds=seeds),
        cwd=crawling.ROOT,
        env=crawling.environment(replica),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def stop() -> None:
        del replica.faults[STOPPED_AT]
        process.send_signal(signal.SIGTERM)

    replica.faults[STOPPED_AT] = stop
    return process.wait(crawling.SECONDS)


def test_a_back_crawl_pages_through_what_is_known_to_its_days(story: Story) -> None:
    assert story.recent.status == GOOD
    assert story.recent.archived
    assert story.stopped.lists() == [ASKED.format(page=page) for page in range(1, 9)]
    assert not story.recent.archived & story.wanted


def test_a_list_that_answered_not_modified_would_hide_its_past(story: Story) -> None:
    """Its first page has not changed since the run before, which is no reason not to read on."""
    for run in (story.stopped, story.again):
        assert {(one.conditional, one.status) for one in run.asked if one.kind == "list"} == {(False, 200)}


def test_a_signal_ends_it_with_a_status_of_its_own(story: Story) -> None:
    assert story.stopped.status == INTERRUPTED
    assert story.stopped.archived < story.again.archived


def test_it_goes_on_and_brings_every_article_of_its_days(story: Story) -> None:
    assert story.again.status == GOOD
    assert len(story.wanted) > 10
    assert story.wanted - story.again.archived == set()


def test_it_asks_for_no_article_of_other_days(story: Story) -> None:
    asked = set(story.stopped.articles()) | set(story.again.articles())
    good = {true.url for true in story.truth if true.good}
    assert asked & good <= story.wanted | {part for true in story.truth if true.url in story.wanted for part in true.parts}


def test_nothing_that_came_in_before_the_signal_is_asked_for_again(story: Story) -> None:
    assert [url for url in story.again.articles() if url in story.stopped.archived] == []
    assert max((story.stopped.articles() + story.again.articles()).values()) == 1


def test_it_stops_when_its_days_are_behind_it(story: Story) -> None:
    assert set(story.again.lists()) == {ASKED.format(page=page) for page in range(1, 9)}
    older = story.of(date(2000, 1, 1), date(2016, 4, 30))
    assert len(older) > 20
    assert not older & story.again.archived


def test_what_a_run_of_certain_days_left_out_the_next_night_still_asks_for(story: Story) -> None:
    """Its pages had entries of other days: a 304 to what it saw of them would hide those for good; and where its days end, no
    list does."""
    assert set(story.etags) == {None}
    assert story.of(date(2000, 1, 1), date(2100, 1, 1)) - story.whole.archived == set()


def test_when_all_days_are_in_a_night_costs_what_it_costs_without_all_that(story: Story) -> None:
    assert story.after.lists() == [ASKED.format(page=1)]


def test_the_archive_is_sound_after_all_that(story: Story) -> None:
    assert crawling.faults_of(story.archive) == []
