"""The spider of every site: it asks what the frontier leases, and says what each answer means for the frontier.

Thin on purpose: links are found by crawler.discovery, what is due is decided by crawler.frontier, what a page *is* by
pipelines.flow. A visit, whatever came of it, ends as one `Visit` item: the only way a lease is acknowledged.
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

from crawler import frontier
from crawler.conditional import validators_of
from crawler.discovery import Found, discover
from crawler.failures import reason_of
from crawler.paging import go_on
from crawler.session import Session
from crawler.turning import link_date, next_list
from pipelines.archive import urltable
from pipelines.archive.article_record import timestamp
from pipelines.archive.ledger import Outcome
from pipelines.archive.urltable import NewUrl, Row, State
from pipelines.errors import ConfigurationError
from pipelines.flow import Result
from pipelines.model import Article, Capture, Kind, Link, Reason, Rejection
from pipelines.site import Site
from pipelines.stages import Settlement, Visit
from pipelines.urls import canonical, host_key, in_scope, request_url


class NewsSpider(Spider):
    """One site. Arguments: since=DATE, until=DATE (ISO; the article's date in its URL or list), max_articles=N."""

    name = "news"
    site: ClassVar[Site]
    session: Session

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> NewsSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.session = crawler.session  # type: ignore[attr-defined]
        return spider

    def __init__(self, name: str | None = None, since: str = "", until: str = "", max_articles: str = "0", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.since = _date("since", since)
        self.until = _date("until", until)
        self.max_articles = _count("max_articles", max_articles)
        self.runs_of_known: dict[str, int] = {}

    async def start(self) -> AsyncIterator[Any]:
        """Makes the start URLs known and due; the scheduler hands them out."""
        now = time.time()
        urls = [self._new(url, kind, now) for kind, url in start_urls(self.site)]
        with self.session.archive.catalogue.transaction() as tx:
            urltable.discover(tx, self.site.name, urls, now)
            for url in urls:
                urltable.wake(tx, self.site.name, url.url, now)
        self.session.generation += 1
        return
        yield  # an async generator, as Scrapy wants it

    def parse(self, response: Response, **_: Any) -> Iterator[Visit]:
        """An answer, whatever its status."""
        assert response.request is not None
        meta = response.request.meta
        row: Row = meta["lease"]
        visit = self._article if row.kind is Kind.ARTICLE else self._list
        yield visit(row, response, meta["captures"])

    def failed(self, failure: Failure) -> Iterator[Visit]:
        """No answer, or a request that was refused."""
        request: Request = failure.request  # type: ignore[attr-defined]
        row: Row = request.meta["lease"]
        assert failure.value is not None
        reason = reason_of(failure.value)
        yield self._failure(row, reason, tuple(request.meta.get("captures", ())))

    def _failure(self, row: Row, reason: str, captures: tuple[Capture, ...]) -> Visit:
        now = time.time()
        status = captures[-1].status if captures else None
        values = frontier.after_failure(row, reason, tries=self.site.politeness.tries, now=now, status=status)
        self.session.counts[f"failed/{reason}"] += 1
        return Visit(row=row, earlier=captures, now=now, failure=f"failed/{reason}", settle=lambda *_: Settlement(values=values))

    def _article(self, row: Row, _: Response, captures: tuple[Capture, ...]) -> Visit:
        def settle(outcome: Outcome | None, result: Result) -> Settlement:
            return self._settle_article(row, captures[-1], outcome, result)

        return Visit(row=row, capture=captures[-1], earlier=captures[:-1], now=time.time(), settle=settle)

    def _settle_article(self, row: Row, capture: Capture, outcome: Outcome | None, result: Result) -> Settlement:
        now = time.time()
        word = outcome.word if outcome else Reason.NO_TEXT
        published = result.published if isinstance(result, Article) else None
        values = frontier.after_article(row, word, status=capture.status, published=published, now=now)
        values |= _remembered(capture) if isinstance(result, Article) else {}
        later = canonical(row.url, self.site).part > 1 or (isinstance(result, Article) and result.part > 1)
        if later and values["state"] == State.DONE and not values["tries"]:
            values["due_at"] = frontier.NEVER  # its first page wakes it
        following = self._next_part(row, result)
        return Settlement(
            values=frontier.set_aside_if_tired(values, self.site.politeness.tries),
            found=following,
            wake=tuple(new.url for new in following),
        )

    def _next_part(self, row: Row, result: Result) -> tuple[NewUrl, ...]:
        if not isinstance(result, Article) or result.next_url is None or not in_scope(result.next_url, self.site):
            return ()
        if row.page >= MAX_PARTS:
            return ()
        return (NewUrl(url=result.next_url, host=host_key(result.next_url), kind=Kind.ARTICLE, due_at=time.time(), page=row.page + 1),)

    def _list(self, row: Row, response: Response, captures: tuple[Capture, ...]) -> Visit:
        if response.status == 304:
            return self._read_list(row, captures, None)
        rejection: Rejection | None = response.request.meta.get("rejection") if response.request else None
        if response.status != 200 or rejection is not None:
            return self._failure(row, rejection.reason if rejection else Reason.HTTP_ERROR, captures)
        found = discover(response.body, captures[-1].url, row.kind, self.site, captures[-1].headers)
        if not found.is_expected_kind:
            self.logger.warning("%s answered with something that is no %s", row.url, row.kind)
            return self._failure(row, f"not_a_{row.kind}", captures)
        return self._read_list(row, captures, found)

    def _read_list(self, row: Row, captures: tuple[Capture, ...], found: Found | None) -> Visit:
        now = time.time()
        is_start = row.url in {url for _, url in start_urls(self.site)}
        urls, on = self._take(row, found, now) if found else ((), ())
        values = frontier.after_listing(row, status=captures[-1].status, changed=bool(urls), is_start=is_start, now=now)
        if found is not None:
            values |= _remembered(captures[-1])
        settlement = Settlement(values=values, found=(*urls, *on), wake=tuple(new.url for new in on))
        return Visit(row=row, capture=captures[-1], earlier=captures[:-1], now=now, settle=lambda *_: settlement)

    def _take(self, row: Row, found: Found, now: float) -> tuple[tuple[NewUrl, ...], tuple[NewUrl, ...]]:
        """The URLs of a list that are not known yet, and the list's own next page when it is worth asking for."""
        links = [link for link in found.links if self._wanted(link)]
        with self.session.archive.catalogue.snapshot() as tx:
            known = urltable.known(tx, self.site.name, (link.url for link in found.links))
        fresh = tuple(self._new_link(link, row, now) for link in links if link.url not in known)
        self.session.counts["discovered"] += sum(new.kind is Kind.ARTICLE for new in fresh)
        self.session.counts["bad_links"] += found.bad_hrefs
        again, run = go_on(found, known, self.runs_of_known.pop(row.url, 0), self.site)
        following = next_list(row.url, row.page, found, self.site) if again else None
        if following is None:
            return fresh, ()
        self.runs_of_known[following] = run
        return fresh, (self._new(following, row.kind, now, depth=row.depth, page=row.page + 1),)

    def _wanted(self, link: Link) -> bool:
        if link.kind is not Kind.ARTICLE or not (self.since or self.until):
            return True
        day = link_date(link, self.site)
        outside = day is not None and ((self.since and day < self.since) or (self.until and day > self.until))
        self.session.counts["skipped/outside_dates"] += bool(outside)
        return not outside

    def _new_link(self, link: Link, row: Row, now: float) -> NewUrl:
        depth = row.depth + (link.kind is not Kind.ARTICLE)
        return self._new(link.url, link.kind, now, depth=depth, hints=link.hints)

    def _new(self, url: str, kind: Kind, now: float, **more: Any) -> NewUrl:
        return NewUrl(url=url, host=host_key(url), kind=kind, due_at=now, priority=frontier.priority(kind), **more)


MAX_PARTS = 50
"""pages of one article; the longest seen in saved pages of the Founder sites has 12"""


def start_urls(site: Site) -> list[tuple[Kind, str]]:
    """Where a run begins: first pages of all lists, absolute and safe for a request line."""
    sources = (
        (Kind.LISTING, site.discover.listings),
        (Kind.JSONP, site.discover.jsonp),
        (Kind.FEED, site.discover.feeds),
        (Kind.SITEMAP, site.discover.sitemaps),
        (Kind.CDX, site.discover.cdx),
    )
    first = str(site.discover.first_page)
    return [(kind, request_url(url.replace("{page}", first))) for kind, urls in sources for url in urls]


def _remembered(capture: Capture) -> dict[str, Any]:
    """What the next visit sends back, and what a 304 to it confirms."""
    seen = validators_of(capture)
    return {
        "etag": seen.etag,
        "last_modified": seen.last_modified,
        "captured_url": capture.url,
        "captured_at": timestamp(capture.fetched_at),
    }


def _date(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigurationError(f"-a {name}={text}: no date. Expected ISO 8601, e.g. -a {name}=2026-11-23.") from None


def _count(name: str, text: str) -> int:
    if not text.isdecimal():
        raise ConfigurationError(f"-a {name}={text}: no whole number. Expected 0 (no limit) or more.")
    return int(text)
