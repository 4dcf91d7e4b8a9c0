"""Leases over a real URL table: what is handed out, to whom, and that each comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from scrapy import Spider
from scrapy.http import Request

from crawler import scheduler as module
from crawler.budget import Budget
from crawler.politeness import AHEAD
from crawler.scheduler import BATCH, CatalogueScheduler
from crawler.session import Session
from pipelines import flow, reading
from pipelines.archive import urltable
from pipelines.archive.article_record import timestamp
from pipelines.archive.borrowed import Promise
from pipelines.archive.urltable import NewUrl, Row, State
from pipelines.errors import OutOfSpace
from pipelines.model import Hints, Kind
from tests.crawler import made
from tests.crawler.made import HOST, address

PLACES = AHEAD + 1
"""requests that one host may have on the way: its concurrency is 1"""


class Deaf(Spider):
    name = "deaf"

    def failed(self, failure: object) -> None:
        """Hears of no failure."""


@pytest.fixture
def scheduler(session: Session) -> CatalogueScheduler:
    return opened(session)


def opened(session: Session, budget: Budget | None = None) -> CatalogueScheduler:
    made_one = CatalogueScheduler(session, budget or Budget(session.site.politeness))
    made_one.open(Deaf())
    return made_one


def taken(scheduler: CatalogueScheduler) -> list[Request]:
    """All that it hands out now."""
    found = []
    while (request := scheduler.next_request()) is not None:
        found.append(request)
    return found


def settle(session: Session, scheduler: CatalogueScheduler, request: Request, state: State = State.DONE) -> None:
    """What came of a request is committed."""
    row = request.meta["lease"]
    now = made.NOW.timestamp() + 10
    with session.archive.catalogue.transaction() as tx:
        urltable.settle(tx, row.id, {"state": state, "last_fetched": now, "due_at": now})
    session.generation += 1
    scheduler.settled(row)


def test_a_due_url_becomes_a_request_that_carries_its_lease(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, address(1), hints=Hints(title="泵站"))
    [request] = taken(scheduler)
    assert (request.url, request.meta["kind"], request.meta["hints"]) == (address(1), Kind.ARTICLE, Hints(title="泵站"))
    assert request.meta["lease"].url == address(1)
    assert request.dont_filter
    assert made.row_of(session, address(1)).state == State.LEASED


def test_lists_go_before_articles(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, address(1), address(2))
    made.known(session, f"{HOST}/flash/", kind=Kind.LISTING, priority=100)
    assert [request.meta["kind"] for request in taken(scheduler)] == [Kind.LISTING, Kind.ARTICLE, Kind.ARTICLE]


def test_a_host_has_few_requests_on_the_way_and_other_hosts_do_not_wait_for_it(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, *(address(number) for number in range(30)))
    first = taken(scheduler)
    assert len(first) == PLACES
    made.known(session, "http://other.test/20260907/1.html")
    session.generation += 1  # as with every commit
    assert [request.url for request in taken(scheduler)] == ["http://other.test/20260907/1.html"]
    settle(session, scheduler, first[0])
    assert len(taken(scheduler)) == 1


def test_a_host_that_is_asked_many_at_once_has_enough_begun_to_fill_a_group_and_few_that_wait_for_it(session: Session) -> None:
    session.site = replace(session.site, politeness=replace(session.site.politeness, concurrency=10))
    made.known(session, *(address(number) for number in range(60)))
    scheduler = opened(session)
    begun: list[Request] = []
    while batch := taken(scheduler):
        assert len(batch) <= 10 + AHEAD
        begun += batch
        for request in batch:
            scheduler.answered(request)
    assert (len(begun), session.under_way) == (40, 40)
    settle(session, scheduler, begun[0])
    assert (len(taken(scheduler)), session.under_way) == (1, 40)


def test_a_request_that_comes_back_waits_for_its_host_again(session: Session) -> None:
    session.site = replace(session.site, politeness=replace(session.site.politeness, concurrency=2))
    scheduler = opened(session)
    made.known(session, *(address(number) for number in range(30)))
    first = taken(scheduler)
    assert len(first) == 2 + AHEAD
    scheduler.answered(first[0])
    scheduler.enqueue_request(first[0])  # a redirect, a further try
    assert taken(scheduler) == [first[0]]
    for _ in range(2):  # Scrapy may say it twice
        scheduler.answered(first[0])
    assert len(taken(scheduler)) == 1
    settle(session, scheduler, first[0])
    assert len(taken(scheduler)) == 0


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What the catalogue is asked."""
    heard: list[str] = []

    def hear(_: object, __: object, statement: str, *___: object) -> None:
        heard.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    yield heard
    sa.event.remove(sa.Engine, "before_cursor_execute", hear)


def test_the_catalogue_is_asked_for_more_once_in_a_commit_and_not_at_all_while_every_host_is_busy(
    session: Session, scheduler: CatalogueScheduler, statements: list[str]
) -> None:
    numbers = range(PLACES + 10)
    made.known(session, *(address(number) for number in numbers))
    taken(scheduler)
    statements.clear()
    assert [taken(scheduler) for _ in range(3)] == [[], [], []]
    assert statements == []
    made.known(session, *(f"http://other.test/20260907/{number}.html" for number in numbers))
    session.generation += 1
    assert len(taken(scheduler)) == PLACES
    statements.clear()
    session.generation += 1
    assert taken(scheduler) == []
    assert statements == []


def test_what_a_busy_host_holds_does_not_keep_more_from_being_leased(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, *(address(number) for number in range(BATCH + 10)))
    made.known(session, "http://other.test/20260907/1.html", at=0.5)
    assert [request.meta["lease"].host for request in taken(scheduler)].count("other.test") == 1


def test_every_url_is_handed_out_once_a_run(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, *(address(number) for number in range(2 * BATCH + 7)))
    seen = []
    while requests := taken(scheduler):
        for request in requests:
            seen.append(request.url)
            settle(session, scheduler, request, State.PENDING)
    assert len(seen) == len(set(seen)) == 2 * BATCH + 7
    assert not scheduler.has_pending_requests()


def test_a_run_is_over_when_nothing_is_due_and_nothing_is_new(session: Session, scheduler: CatalogueScheduler) -> None:
    assert scheduler.has_pending_requests(), "nobody has looked yet"
    assert taken(scheduler) == []
    assert not scheduler.has_pending_requests()
    session.generation += 1
    assert scheduler.has_pending_requests(), "a commit may have found something"


def test_redirects_and_retries_come_back_under_their_lease_and_go_first(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, address(1), address(2))
    request = scheduler.next_request()
    assert request is not None
    again = request.replace(url=address(7))
    assert scheduler.enqueue_request(again)
    assert scheduler.has_pending_requests()
    assert scheduler.next_request() is again


def test_a_request_without_a_lease_has_no_place_in_the_frontier(scheduler: CatalogueScheduler) -> None:
    assert not scheduler.enqueue_request(Request("http://news.test/somewhere"))
    assert scheduler.next_request() is None


def test_a_known_version_is_asked_for_conditionally(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, address(1))
    [row] = made.leased(session)
    values = {"state": State.DONE, "etag": '"a"', "captured_url": address(1), "captured_at": timestamp(made.NOW)}
    with session.archive.catalogue.transaction() as tx:
        urltable.settle(tx, row.id, values)
    [request] = taken(scheduler)
    assert request.meta["validators"].etag == '"a"'
    assert request.meta["validators"].confirms == (address(1), made.NOW)


def test_a_page_that_named_no_version_is_asked_for_plainly_and_remembered(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, address(1))
    [row] = made.leased(session)
    with session.archive.catalogue.transaction() as tx:
        urltable.settle(tx, row.id, {"state": State.DONE, "captured_url": address(1), "captured_at": timestamp(made.NOW)})
    [request] = taken(scheduler)
    assert request.meta["validators"].headers == {}
    assert request.meta["validators"].confirms == (address(1), made.NOW)


def test_a_url_that_says_nothing_of_its_version_is_asked_for_plainly(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, address(1))
    [request] = taken(scheduler)
    assert "validators" not in request.meta


@pytest.mark.parametrize("why", ["max_requests", "max_bytes"])
def test_a_budget_that_is_spent_ends_the_run_and_says_so(session: Session, why: str) -> None:
    made.known(session, *(address(number) for number in range(9)))
    budget = Budget(replace(session.site.politeness, **{why: 3}))
    scheduler = opened(session, budget)
    assert scheduler.next_request() is not None
    budget.requests = budget.received = 4
    assert taken(scheduler) == []
    assert session.left_because == why
    assert not scheduler.has_pending_requests()


@pytest.mark.parametrize("why", ["interrupted", "left_because", "faults"])
def test_a_run_that_is_ending_asks_for_nothing_more(session: Session, scheduler: CatalogueScheduler, why: str) -> None:
    made.known(session, address(1))
    setattr(session, why, [OutOfSpace("full")] if why == "faults" else "something")
    assert taken(scheduler) == []


def test_a_host_that_was_given_up_is_not_leased(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, address(1), "http://other.test/20260907/1.html")
    session.given_up.add("news.test")
    assert [request.meta["lease"].host for request in taken(scheduler)] == ["other.test"]
    assert made.row_of(session, address(1)).state == State.PENDING


def test_what_was_not_acknowledged_is_given_back_at_the_end(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, *(address(number) for number in range(20)))
    first = taken(scheduler)
    settle(session, scheduler, first[0])
    scheduler.close("shutdown")
    states = [made.row_of(session, address(number)).state for number in range(20)]
    assert states.count(State.DONE) == 1
    assert states.count(State.PENDING) == 19
    assert all(made.row_of(session, address(number)).tries == 0 for number in range(20))


def test_a_catalogue_that_fails_while_it_is_asked_for_more_ends_the_run(
    session: Session, scheduler: CatalogueScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scrapy would log it and ask again every five seconds, with the site's lock in its hand."""
    made.known(session, address(1))
    full = OutOfSpace("full")

    def fails(*_: object) -> list[Row]:
        raise full

    monkeypatch.setattr(scheduler, "_leased_now", fails)
    assert scheduler.next_request() is None
    assert session.faults == [full]
    assert not scheduler.has_pending_requests()


def test_an_archive_that_has_failed_is_not_written_to_at_the_end(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, address(1))
    taken(scheduler)
    session.faults.append(OutOfSpace("full"))
    scheduler.close("fault")
    assert made.row_of(session, address(1)).state == State.LEASED


def test_settling_a_lease_twice_counts_once(session: Session, scheduler: CatalogueScheduler) -> None:
    made.known(session, *(address(number) for number in range(30)))
    [one, *_] = taken(scheduler)
    settle(session, scheduler, one)
    scheduler.settled(one.meta["lease"])
    assert len(taken(scheduler)) == 1


def test_a_lease_that_ran_out_while_its_host_made_it_wait_is_not_handed_out_twice(
    session: Session, scheduler: CatalogueScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE_SECONDS", -1.0)
    made.known(session, address(1), address(2))
    handed = [request.url for request in taken(scheduler)]
    session.generation += 1
    handed += [request.url for request in taken(scheduler)]
    assert sorted(handed) == [address(1), address(2)]


def test_a_lease_outlives_the_slowest_visit() -> None:
    slowest = timedelta(seconds=30) * (1 + 5 + 2)
    assert timedelta(seconds=module.LEASE_SECONDS) > slowest


# ── captures of other archives ───────────────────────────────────────────────────────────────────────────────────────


def promised(session: Session, *numbers: int, host: str = "data.test") -> list[str]:
    """Rows of what other archives have; their keys."""
    keys = []
    for number in numbers:
        promise = Promise(source=f"http://{host}/a.warc.gz", url=address(number), at="20240301020304", offset=number, length=10)
        key = promise.key(address(number))
        new = NewUrl(url=key, host=host, kind=Kind.RECORD, due_at=made.NOW.timestamp(), priority=-100, hints=Hints(via=promise.place()))
        with session.archive.catalogue.transaction() as tx:
            urltable.discover(tx, "news", [new], made.NOW.timestamp())
        keys.append(key)
    return keys


CDX = 'cdx = ["http://data.test/cdx?url=news.test/*"]\nknown_margin = 3'


def few(tmp_path: Path, most: int) -> Session:
    of = made.site(known_margin=f"max_records = {most}\n{CDX}")
    return made.session_at(tmp_path / "few", of)


def test_a_capture_is_asked_for_at_its_place(session: Session, scheduler: CatalogueScheduler) -> None:
    promised(session, 1)
    [request] = taken(scheduler)
    assert (request.url, request.headers["Range"], request.meta["download_maxsize"]) == ("http://data.test/a.warc.gz", b"bytes=1-10", 10)
    assert (request.meta["kind"], request.meta["promise"].url) == (Kind.RECORD, address(1))


def test_captures_come_behind_everything_else(session: Session, scheduler: CatalogueScheduler) -> None:
    promised(session, 1, host="news.test")
    made.known(session, address(2))
    assert [request.meta["kind"] for request in taken(scheduler)] == [Kind.ARTICLE, Kind.RECORD]


def test_an_archive_has_few_requests_on_the_way_as_any_host(session: Session, scheduler: CatalogueScheduler) -> None:
    promised(session, *range(30))
    assert len(taken(scheduler)) == PLACES


def test_a_run_asks_for_so_many_captures_and_leaves_the_rest_due(tmp_path: Path) -> None:
    session = few(tmp_path, 2)
    keys = promised(session, 1, 2, 3)
    scheduler = opened(session)
    requests = taken(scheduler)
    assert len(requests) == 2
    for request in requests:
        settle(session, scheduler, request)
    assert taken(scheduler) == []
    assert not scheduler.has_pending_requests(), "what is left does not keep the run from ending"
    assert made.row_of(session, keys[2]).state == State.PENDING
    made.known(session, address(9))
    session.generation += 1
    assert [request.url for request in taken(scheduler)] == [address(9)], "the site's own pages have a budget of their own"
    session.exits.close()


def test_what_is_had_by_now_is_not_asked_for_and_costs_nothing_of_the_budget(tmp_path: Path) -> None:
    session = few(tmp_path, 1)
    had, left = promised(session, 1, 2)
    old = replace(made.exchange(address(1), made.article_page(1)), fetched_at=datetime(2024, 3, 1, 2, 3, 4, tzinfo=UTC))
    [capture] = made.written(session, old)
    with session.archive.catalogue.transaction() as tx:
        flow.write(tx, capture, session.site, reading.read(capture, session.site))
    [request] = taken(opened(session))
    assert request.meta["lease"].url == left
    assert made.row_of(session, had).state == State.DONE
    assert session.counts["backfill/skipped/had"] == 1
    session.exits.close()


@pytest.mark.parametrize(("named", "asked"), [(CDX, 1), ("known_margin = 3", 0)])
def test_what_an_index_promised_waits_while_the_seeds_file_does_not_name_its_archive(tmp_path: Path, named: str, asked: int) -> None:
    session = made.session_at(tmp_path / "archive", made.site(known_margin=named))
    [key] = promised(session, 1)
    made.known(session, address(2))
    scheduler = opened(session)
    requests = taken(scheduler)
    assert len([request for request in requests if request.meta["kind"] is Kind.RECORD]) == asked
    for request in requests:
        settle(session, scheduler, request)
    assert taken(scheduler) == []
    assert not scheduler.has_pending_requests(), "what waits does not keep the run from ending"
    row = made.row_of(session, key)
    assert (row.state, row.tries, row.reason) == ((State.DONE, 0, None) if asked else (State.PENDING, 0, None))
    session.exits.close()
