"""The spider's edges: whatever an answer does to our code, its lease ends, and the right one is to blame."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import HtmlResponse
from scrapy.settings import Settings
from twisted.python.failure import Failure

from crawler.discovery import Found
from crawler.guard import Refused
from crawler.loader import spider_of
from crawler.session import Session
from crawler.spiders.news import NewsSpider
from crawler.visits import Visits
from pipelines import stages
from pipelines.archive.urltable import State
from pipelines.errors import OutOfSpace
from pipelines.model import Kind
from pipelines.stages import OUR_FAULT, Visit
from pipelines.workers import Readers
from tests.crawler import made
from tests.crawler.made import HOST, address


@pytest.fixture
def spider(session: Session) -> NewsSpider:
    crawler = Crawler(spider_of(session.site), Settings())
    crawler.session = session  # type: ignore[attr-defined]  # as crawler.run does it
    return spider_of(session.site).from_crawler(crawler)


def request_of(session: Session, **more: Any) -> Request:
    """A request under lease, as the scheduler makes it."""
    made.known(session, address(1))
    [row] = made.leased(session)
    return Request(row.url, meta={"lease": row, "kind": row.kind, **more})


def answered(session: Session) -> HtmlResponse:
    captures = made.written(session, made.exchange(address(1), made.article_page(1)))
    return HtmlResponse(address(1), request=request_of(session, captures=captures))


def visits_of(spider: NewsSpider, response: HtmlResponse) -> list[Visit]:
    async def parsed() -> list[Visit]:
        return [visit async for visit in spider.parse(response)]

    return asyncio.run(parsed())


def failed(session: Session, error: Exception) -> Failure:
    failure = Failure(error)  # type: ignore[no-untyped-call]
    failure.request = request_of(session)  # type: ignore[attr-defined]  # as Scrapy does it
    return failure


def test_a_spider_begins_with_nothing_of_its_own(spider: NewsSpider) -> None:
    async def begun() -> list[Any]:
        return [one async for one in spider.start()]

    assert asyncio.run(begun()) == []


def test_an_answer_becomes_the_visit_of_its_lease(session: Session, spider: NewsSpider) -> None:
    [visit] = visits_of(spider, answered(session))
    assert isinstance(visit, Visit)
    assert (visit.row.url, visit.failure, len(visit.captures)) == (address(1), None, 1)


def test_a_list_is_read_where_it_can_be_killed(session: Session, spider: NewsSpider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that takes for ever is too expensive, and its lease ends; the next one is read."""
    url = f"{HOST}/list/1.html"
    made.known(session, url, kind=Kind.LISTING)
    [row] = made.leased(session)
    captures = made.written(session, made.exchange(url, made.list_page([1, 2]), kind=Kind.LISTING))
    response = HtmlResponse(url, request=Request(url, meta={"lease": row, "kind": row.kind, "captures": captures}))
    session.readers = Readers(1)
    try:
        monkeypatch.setattr("crawler.spiders.news.read_list", takes_for_ever)
        monkeypatch.setattr("pipelines.workers.SECONDS_A_PAGE", 0.3)
        [late] = visits_of(spider, response)
        monkeypatch.undo()
        [good] = visits_of(spider, response)
    finally:
        session.readers.close()
    assert late.failure == "failed/too_expensive"
    assert good.failure is None
    assert {found.url for found in good.settle(None, None).found} >= {address(1), address(2)}


def takes_for_ever(*_: object) -> Found:
    time.sleep(60)
    return Found()


@pytest.mark.parametrize(("error", "reason"), [(DownloadTimeoutError(), "timeout"), (Refused("robots", "no"), "robots")])
def test_no_answer_becomes_a_visit_with_its_reason(session: Session, spider: NewsSpider, error: Exception, reason: str) -> None:
    [visit] = spider.failed(failed(session, error))
    assert visit.failure == f"failed/{reason}"
    assert session.counts[OUR_FAULT] == 0


def test_an_answer_on_which_our_code_fails_ends_its_lease_and_is_kept(
    session: Session, spider: NewsSpider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def raises(*_: object) -> Visit:
        raise KeyError("nobody expected this")

    monkeypatch.setattr(Visits, "of", raises)
    [visit] = visits_of(spider, answered(session))
    assert (visit.failure, visit.captures) == ("failed/our_fault", ())
    assert visit.settle(None, None).values["state"] == State.PENDING
    assert session.counts[OUR_FAULT] == 1
    assert "nobody expected this" in caplog.text
    assert len(list((session.archive.path / "quarantine").iterdir())) == 1


def test_a_traceback_that_finds_no_place_ends_the_run(session: Session, spider: NewsSpider, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OutOfSpace("the disk is full")

    def raises(*_: object) -> Visit:
        raise KeyError("nobody expected this")

    monkeypatch.setattr(Visits, "of", raises)
    monkeypatch.setattr(stages, "quarantine", full)
    visits_of(spider, answered(session))
    assert [type(fault) for fault in session.faults] == [OutOfSpace]


def test_a_middleware_of_ours_that_fails_is_no_fault_of_the_url(
    session: Session, spider: NewsSpider, caplog: pytest.LogCaptureFixture
) -> None:
    [visit] = spider.failed(failed(session, AttributeError("a line of ours")))
    assert visit.failure == "failed/our_fault"
    assert session.counts[OUR_FAULT] == 1
    assert "a line of ours" in caplog.text


def test_a_full_disk_ends_the_run_and_no_url_is_to_blame(session: Session, spider: NewsSpider) -> None:
    stopped: list[bool] = []
    session.stop = lambda: stopped.append(True)
    assert list(spider.failed(failed(session, OutOfSpace("the disk is full")))) == []
    assert [type(fault) for fault in session.faults] == [OutOfSpace]
    assert stopped == [True]
    assert made.row_of(session, address(1)).tries == 0


def test_an_archive_that_fails_while_an_answer_is_read_ends_the_run(
    session: Session, spider: NewsSpider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> Visit:
        raise OutOfSpace("the disk is full")

    monkeypatch.setattr(Visits, "of", raises)
    assert visits_of(spider, answered(session)) == []
    assert [type(fault) for fault in session.faults] == [OutOfSpace]
    assert session.counts[OUR_FAULT] == 0
