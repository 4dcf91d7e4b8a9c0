"""The spider's edges: whatever an answer does to our code, its lease ends, and the right one is to blame."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import HtmlResponse
from scrapy.settings import Settings
from twisted.python.failure import Failure

from crawler.guard import Refused
from crawler.loader import spider_of
from crawler.session import Session
from crawler.spiders.news import NewsSpider
from crawler.visits import Visits
from pipelines.archive.urltable import State
from pipelines.errors import OutOfSpace
from pipelines.stages import OUR_FAULT, Visit
from tests.crawler import made
from tests.crawler.made import address


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = made.session_at(tmp_path / "archive")
    yield session
    session.exits.close()


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


def failed(session: Session, error: Exception) -> Failure:
    failure = Failure(error)  # type: ignore[no-untyped-call]
    failure.request = request_of(session)  # type: ignore[attr-defined]  # as Scrapy does it
    return failure


def test_a_spider_begins_with_nothing_of_its_own(spider: NewsSpider) -> None:
    async def begun() -> list[Any]:
        return [one async for one in spider.start()]

    assert asyncio.run(begun()) == []


def test_an_answer_becomes_the_visit_of_its_lease(session: Session, spider: NewsSpider) -> None:
    [visit] = spider.parse(answered(session))
    assert isinstance(visit, Visit)
    assert (visit.row.url, visit.failure, len(visit.captures)) == (address(1), None, 1)


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
    [visit] = spider.parse(answered(session))
    assert (visit.failure, visit.captures) == ("failed/our_fault", ())
    assert visit.settle(None, None).values["state"] == State.PENDING
    assert session.counts[OUR_FAULT] == 1
    assert "nobody expected this" in caplog.text
    assert len(list((session.archive.path / "quarantine").iterdir())) == 1


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
    assert list(spider.parse(answered(session))) == []
    assert [type(fault) for fault in session.faults] == [OutOfSpace]
    assert session.counts[OUR_FAULT] == 0
