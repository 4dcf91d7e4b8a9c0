"""The spider of every site: it asks what the frontier leases and hands on what each answer means (crawler.visits).

A visit, whatever came of it, ends as one `Visit` item: the only way a lease is acknowledged.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Any, ClassVar

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from twisted.python.failure import Failure

from crawler.failures import reason_of
from crawler.session import Session
from crawler.visits import Visits, start_rows
from pipelines.archive import urltable
from pipelines.errors import ConfigurationError
from pipelines.site import Site
from pipelines.stages import Visit


class NewsSpider(Spider):
    """One site. Arguments: since=DATE, until=DATE (ISO; the article's day in its URL or list), max_articles=N."""

    name = "news"
    site: ClassVar[Site]
    session: Session
    visits: Visits

    def __init__(self, name: str | None = None, since: str = "", until: str = "", max_articles: str = "0", **kwargs: Any) -> None:
        if kwargs:
            raise ConfigurationError(f"-a {next(iter(kwargs))}: no such argument. Expected since, until, max_articles or sample.")
        super().__init__(name)
        self.since, self.until = _date("since", since), _date("until", until)
        self.max_articles = _count("max_articles", max_articles)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> NewsSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.session = session = crawler.session  # type: ignore[attr-defined]  # set by crawler.run
        spider.visits = Visits(spider.site, session.archive, session.started, session.counts, spider.since, spider.until)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Makes the start URLs known and due; the scheduler hands them out."""
        now = time.time()
        rows = start_rows(self.site, now)
        with self.session.archive.catalogue.transaction() as tx:
            urltable.discover(tx, self.site.name, rows, now)
            for row in rows:
                urltable.wake(tx, self.site.name, row.url, now)
        self.session.generation += 1
        return
        yield  # an async generator, as Scrapy wants it

    def parse(self, response: Response, **_: Any) -> Iterator[Visit]:
        """An answer, whatever its status."""
        assert response.request is not None
        meta = response.request.meta
        yield self.visits.of(meta["lease"], meta["captures"], time.time())

    def failed(self, failure: Failure) -> Iterator[Visit]:
        """No answer, or a request that was refused."""
        assert failure.value is not None
        request: Request = failure.request  # type: ignore[attr-defined]
        yield self.visits.failure(request.meta["lease"], reason_of(failure.value), request.meta.get("captures", ()), time.time())


def _date(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigurationError(f"-a {name}={text}: no date. Expected ISO 8601, e.g. -a {name}=2026-11-23.") from None


def _count(name: str, text: str) -> int:
    if not text.isdecimal():
        raise ConfigurationError(f"-a {name}={text}: no whole number. Expected 0 (no limit) or more.")
    return int(text)
