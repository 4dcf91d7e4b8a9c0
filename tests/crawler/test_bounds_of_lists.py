"""How far lists that lists lead to are followed, and when they are asked again: visits made by hand over a real URL table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler import frontier
from crawler.frontier import FIRST_INTERVAL, LEAST_INTERVAL, MOST_INTERVAL
from crawler.links import MAX_OF_SHAPE
from crawler.visits import Visits, start_rows
from pipelines.archive import Archive, open_archive, urltable
from pipelines.archive.urltable import Row, Wanted
from pipelines.model import Capture, Kind
from pipelines.schedule import NEVER
from pipelines.site import Site, parse_site
from pipelines.stages import Settlement, Visit

BEGUN = 1_790_000_000.0
HOST = "http://news.example.cn"
SEEDS = """
name = "test"
publisher = "test"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.cn"]
[discover]
listings = ["http://news.example.cn/start/"]
article = ['/a/(?P<id>\\d+)\\.html$']
follow = ['/list/', '/calendar/']
next_page = ["a.next"]
max_depth = 2
"""


def links(*paths: str, onward: str | None = None) -> bytes:
    page = "".join(f'<li><a href="{path}">一条消息</a></li>' for path in paths)
    return f"<html><body><ul>{page}</ul>{f'<a class=next href={onward}>下一页</a>' if onward else ''}</body></html>".encode()


@dataclass(slots=True)
class Frontier:
    """The URL table and the visits of a run, without a socket."""

    site: Site
    archive: Archive
    visits: Visits

    def rows(self, now: float = BEGUN) -> dict[str, Row]:
        """Leases what is due, by URL."""
        with self.archive.catalogue.transaction() as tx:
            leased = urltable.lease(tx, self.site.name, Wanted(now=now, until=now + 1, not_since=now, most=1_000))
            urltable.release(tx, [row.id for row in leased])
        return {row.url: row for row in leased}

    def row(self, path: str) -> Row:
        with self.archive.catalogue.snapshot() as tx:
            found = urltable.by_url(tx, self.site.name, HOST + path)
        assert found is not None, path
        return found

    def answer(self, path: str, body: bytes, now: float = BEGUN, status: int = 200) -> Visit:
        """What the answer to the request for a list means; nothing is committed."""
        row = self.row(path)
        at = datetime.fromtimestamp(now, UTC)
        refers_to = (row.url, at) if status == 304 else None
        html = (("Content-Type", "text/html; charset=utf-8"),)
        capture = Capture(url=row.url, fetched_at=at, status=status, headers=html, body=body, kind=Kind.LISTING, refers_to=refers_to)
        return self.visits.of(row, (capture,), now)

    def commit(self, visit: Visit) -> Settlement:
        settlement = visit.settle(None, None)
        with self.archive.catalogue.transaction() as tx:
            urltable.discover(tx, self.site.name, settlement.found, visit.now)
            for url in settlement.wake:
                urltable.wake(tx, self.site.name, url, visit.now, not_since=settlement.not_since)
            urltable.settle(tx, visit.row.id, settlement.values)
            if settlement.completed is not None:
                urltable.complete(tx, self.site.name, settlement.completed, visit.now)
        return settlement

    def read(self, path: str, body: bytes, now: float = BEGUN, status: int = 200) -> set[str]:
        """Answers and commits; the paths that became known."""
        return {new.url.removeprefix(HOST) for new in self.commit(self.answer(path, body, now, status)).found}

    def skipped(self) -> dict[str, int]:
        return {word: count for word, count in self.visits.counts.items() if count}

    def next_run(self, now: float) -> None:
        self.visits = Visits(self.site, self.archive, now)


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[Frontier]:
    site = parse_site(SEEDS.encode(), "test.toml")
    with open_archive(tmp_path / "archive", create=True) as archive:
        with archive.catalogue.transaction() as tx:
            urltable.discover(tx, site.name, start_rows(site, BEGUN), BEGUN)
        yield Frontier(site, archive, Visits(site, archive, BEGUN))


def days(numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(f"/calendar/{number}/" for number in numbers)


# ── depth ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_at_the_greatest_depth_is_read_and_the_lists_that_it_leads_to_are_not(lists: Frontier) -> None:
    assert lists.read("/start/", links("/list/one/")) == {"/list/one/"}
    assert lists.read("/list/one/", links("/list/two/")) == {"/list/two/"}
    assert lists.read("/list/two/", links("/list/three/", "/list/four/")) == set()
    assert lists.skipped() == {"skipped/too_deep": 2}


def test_articles_of_a_list_at_the_greatest_depth_are_taken(lists: Frontier) -> None:
    lists.read("/start/", links("/list/one/"))
    lists.read("/list/one/", links("/list/two/"))
    assert lists.read("/list/two/", links("/a/7.html")) == {"/a/7.html"}


def test_the_pages_of_one_list_are_all_equally_deep(lists: Frontier) -> None:
    lists.read("/start/", links("/a/1.html", "/list/one/", onward="/start/2/"))
    lists.read("/start/2/", links("/a/2.html", onward="/start/3/"))
    assert (lists.row("/start/3/").depth, lists.row("/start/3/").page, lists.row("/list/one/").depth) == (0, 3, 1)


def test_a_list_that_is_known_already_is_not_called_too_deep(lists: Frontier) -> None:
    lists.read("/start/", links("/list/one/", "/list/near/"))
    lists.read("/list/one/", links("/list/two/"))
    lists.read("/list/two/", links("/list/near/", "/start/"))
    assert lists.skipped() == {}


# ── traps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_calendar_is_followed_fifty_times_in_a_run(lists: Frontier) -> None:
    assert len(lists.read("/start/", links(*days(range(80)), "/a/7.html"))) == MAX_OF_SHAPE + 1
    assert lists.skipped() == {"skipped/trap": 30}


def test_the_budget_is_the_run_s_and_not_the_page_s(lists: Frontier) -> None:
    lists.read("/start/", links(*days(range(40))))
    assert lists.read("/calendar/0/", links(*days(range(100, 140)))) == set(days(range(100, 110)))
    assert lists.read("/calendar/1/", links(*days(range(200, 240)), "/list/one/")) == {"/list/one/"}
    assert lists.skipped() == {"skipped/trap": 70}


def test_the_next_run_may_go_on(lists: Frontier) -> None:
    lists.read("/start/", links(*days(range(80))))
    lists.next_run(BEGUN + 100)
    assert lists.read("/start/", links(*days(range(80))), BEGUN + 100) == set(days(range(50, 80)))


def test_what_two_pages_link_to_at_the_same_time_is_spent_once(lists: Frontier) -> None:
    lists.read("/start/", links("/list/one/", "/list/two/"))
    first = lists.answer("/list/one/", links(*days(range(45))))
    second = lists.answer("/list/two/", links(*days(range(50))))
    assert {new.url for visit in (first, second) for new in lists.commit(visit).found} == {HOST + path for path in days(range(50))}
    assert lists.skipped() == {}


def test_articles_are_never_a_trap(lists: Frontier) -> None:
    articles = tuple(f"/a/{number}.html" for number in range(200))
    assert lists.read("/start/", links(*articles)) == set(articles)


# ── when lists are asked again ───────────────────────────────────────────────────────────────────────────────────────


def test_a_start_list_is_due_in_every_run(lists: Frontier) -> None:
    lists.read("/start/", links("/a/1.html"))
    assert HOST + "/start/" in lists.rows(BEGUN + 1)


def test_a_list_that_was_found_is_due_when_its_interval_is_over(lists: Frontier) -> None:
    lists.read("/start/", links("/list/one/"))
    lists.read("/list/one/", links("/a/1.html"))
    row = lists.row("/list/one/")
    assert row.interval == pytest.approx(FIRST_INTERVAL * frontier.FASTER)
    assert row.due_at == pytest.approx(BEGUN + row.interval)  # type: ignore[operator]
    assert HOST + "/list/one/" not in lists.rows(row.due_at - 1)
    assert HOST + "/list/one/" in lists.rows(row.due_at)


@pytest.mark.parametrize("status", [200, 304])
def test_a_list_that_brings_nothing_new_is_asked_ever_less_often(lists: Frontier, status: int) -> None:
    lists.read("/start/", links("/list/one/"))
    lists.read("/list/one/", links("/a/1.html"))
    now, intervals = BEGUN, []
    for _ in range(30):
        now = lists.row("/list/one/").due_at
        lists.next_run(now)
        lists.read("/list/one/", links("/a/1.html") if status == 200 else b"", now, status)
        intervals.append(lists.row("/list/one/").interval or 0)
    assert intervals == sorted(intervals)
    assert intervals[-1] == MOST_INTERVAL


def test_a_list_that_always_brings_something_is_asked_every_ninety_minutes_at_most(lists: Frontier) -> None:
    lists.read("/start/", links("/list/one/"))
    now = BEGUN
    for number in range(12):
        lists.read("/list/one/", links(f"/a/{number}.html"), now)
        now = lists.row("/list/one/").due_at
        lists.next_run(now)
    assert lists.row("/list/one/").interval == LEAST_INTERVAL


def test_a_later_page_is_due_only_when_the_page_before_says_so(lists: Frontier) -> None:
    lists.read("/start/", links("/a/1.html", onward="/start/2/"))
    assert HOST + "/start/2/" in lists.rows()
    lists.read("/start/2/", links("/a/2.html"))
    assert lists.row("/start/2/").due_at == NEVER
    lists.next_run(BEGUN + 100)
    lists.read("/start/", links("/a/3.html", onward="/start/2/"), BEGUN + 100)
    assert HOST + "/start/2/" in lists.rows(BEGUN + 100)


def test_a_page_that_two_lists_go_on_to_is_asked_once_and_not_due_for_the_next_night(lists: Frontier) -> None:
    lists.read("/start/", links("/a/1.html", "/list/one/", onward="/shared/2/"))
    lists.read("/shared/2/", links("/a/2.html"))
    lists.read("/list/one/", links("/a/3.html", onward="/shared/2/"))
    assert lists.row("/shared/2/").due_at == NEVER
