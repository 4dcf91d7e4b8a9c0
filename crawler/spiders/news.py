"""The spider of every site: it asks what the frontier leases and hands on what each answer means (crawler.visits).

A visit, whatever came of it, ends as one `Visit` item: the only way a lease is acknowledged. An answer on which our own
code fails ends as one too (`stages.at_fault`); only a fault of the archive itself ends the run instead.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Any, ClassVar

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from twisted.python.failure import Failure

from crawler import clock
from crawler.carried import carried
from crawler.discovery import read_list
from crawler.failures import reason_of
from crawler.redirects import moved_to
from crawler.session import Session
from crawler.sharing import answers_of
from crawler.visits import Captures, Visits, is_list
from pipelines.archive.urltable import Row
from pipelines.errors import ArchiveError, ConfigurationError
from pipelines.site import Site
from pipelines.stages import OUR_FAULT, Visit, at_fault

logger = logging.getLogger(__name__)


class NewsSpider(Spider):
    """One site. Arguments: since=DATE, until=DATE (ISO; the article's day in its URL or list), max_articles=N."""

    name = "news"
    site: ClassVar[Site]
    session: Session
    visits: Visits

    def __init__(self, since: str | None = None, until: str | None = None, max_articles: str = "0", **kwargs: Any) -> None:
        if kwargs:
            raise ConfigurationError(f"-a {next(iter(kwargs))}: no such argument. Expected since, until, max_articles or sample.")
        super().__init__()
        self.since, self.until = _date("since", since), _date("until", until)
        if self.since and self.until and self.until < self.since:
            raise ConfigurationError(f"-a since={since} -a until={until}: no day lies between them. Expected since before until.")
        self.max_articles = _count("max_articles", max_articles)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> NewsSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.session = session = crawler.session  # type: ignore[attr-defined]  # set by crawler.run
        books = session.counts, spider.since, spider.until, session.untaken
        spider.visits = Visits(spider.site, session.archive, session.started, *books)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Nothing of its own: the start URLs are rows like all others (crawler.run makes them due)."""
        return
        yield  # an async generator, as Scrapy wants it

    async def parse(self, response: Response, **_: Any) -> AsyncIterator[Visit]:
        """An answer, whatever its status. Lists are read where articles are: in processes that can be killed."""
        assert response.request is not None
        asked = carried(response.request)
        row, captures = asked["lease"], asked.get("captures", ())
        if broken := asked.get("broken"):
            yield self.visits.broken(row, broken, captures, clock.now())
            return
        if self.visits.is_start(row) and (there := moved_to(asked.get("redirects", ()))):
            logger.info("The list %s has moved for good to %s: naming that in the seeds file saves a request a run.", row.url, there)
        try:
            listed = await self.session.readers.run(read_list, captures[-1], self.site) if is_list(captures[-1]) else None
            yield self.visits.of(row, captures, clock.now(), listed)
        except ArchiveError as fault:
            self.session.fail(fault)
        except Exception:  # noqa: BLE001  # the edge of the live crawl: the lease ends, and the run says whose fault it was
            yield self._at_fault(row, captures)

    def failed(self, failure: Failure) -> Iterator[Visit]:
        """No answer, or a request that was refused."""
        assert failure.value is not None
        request: Request = failure.request  # type: ignore[attr-defined]
        asked = carried(request)
        row, captures = asked["lease"], asked.get("captures", ())
        if (answers := answers_of(self.crawler)) is not None:
            answers.over(request)
        if isinstance(failure.value, ArchiveError):
            self.session.fail(failure.value)
            return
        reason = reason_of(failure.value)
        if reason == OUR_FAULT:
            logger.error("Our own code failed on %s.\n%s", row.url, failure.getTraceback())
            self.session.counts[OUR_FAULT] += 1
        yield self.visits.failure(row, reason, captures, clock.now())

    def _at_fault(self, row: Row, captures: Captures) -> Visit:
        """To be called where the exception is handled."""
        untold = self.visits.failure(row, OUR_FAULT, captures, clock.now())
        return at_fault(untold, self.session)


def _date(name: str, text: str | None) -> date | None:
    """An empty one is a variable of a script that nobody set, and no wish for all days."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"-a {name}={text}: no date. Expected ISO 8601, e.g. -a {name}=2026-11-23.") from None


def _count(name: str, text: str) -> int:
    if not text.isdecimal():
        raise ConfigurationError(f"-a {name}={text}: no whole number. Expected 0 (no limit) or more.")
    return int(text)
