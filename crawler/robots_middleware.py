"""Asks each host for its robots.txt, through the same guarded, polite and captured way as every page, and keeps to it.

One answer holds for at most 24 hours (RFC 9309 §2.4), one that could not be had for half an hour. `RobotsMiddleware.keeper`
lets answers outlive a run; what they mean is decided by crawler.robots.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, Self
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, UnsupportedURLSchemeError
from scrapy.http.request import NO_CALLBACK

from crawler import clock
from crawler.carried import Carried, as_meta, carried
from crawler.frontier import RUN_ENDED
from crawler.guard import Refused
from crawler.politeness import gate_of
from crawler.retries import FAILURES
from crawler.robots import MAX_BYTES, Robots, policy
from pipelines.model import Capture, Hints, Kind
from pipelines.urls import host_key

MAX_AGE = 24 * 3600.0
"""seconds, RFC 9309 §2.4"""
REDIRECT_LOOP = 310
"""stands for a chain of redirects that was not followed to its end"""
NO_ANSWER: tuple[type[Exception], ...] = (*FAILURES, OSError, TunnelError, DownloadCancelledError, UnsupportedURLSchemeError)
"""what can stand in the way of an answer; any other exception is a fault of ours and is heard of"""
UNREACHABLE_AGE = 1800.0
"""seconds; a host whose robots.txt could not be had is asked for it again, a few times a run at most"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsAnswer:
    """What a host answered to /robots.txt: decoded body of at most 500 KiB, or the `failure` that stood in its way."""

    origin: str
    """scheme://host[:port] """
    fetched_at: float
    status: int | None
    body: bytes = b""
    failure: str | None = None
    captures: tuple[Capture, ...] = ()
    """of the exchanges behind this answer, redirects and tries too; none for an answer that was kept"""

    def robots(self) -> Robots:
        return policy(self.status, self.body, self.failure or "no answer")

    def holds(self, now: float) -> bool:
        """An answer from the future (the clock was set back) does not hold."""
        unreachable = policy(self.status, b"").unreachable  # what is written in it does not matter for that
        return 0 <= now - self.fetched_at < (UNREACHABLE_AGE if unreachable else MAX_AGE)


class KeepsRobots(Protocol):
    """Where answers outlive a run: the catalogue's robots table. Neither call may wait."""

    def load_robots(self, origin: str) -> RobotsAnswer | None: ...

    def save_robots(self, answer: RobotsAnswer) -> None: ...


class RobotsBook:
    """The answers of one crawl, by origin."""

    def __init__(self, crawler: Crawler, clock: Callable[[], float] = clock.now) -> None:
        self._crawler = crawler
        self._clock = clock
        self._answers: dict[str, tuple[RobotsAnswer, Robots]] = {}
        self._learning: dict[str, asyncio.Task[tuple[RobotsAnswer, Robots]]] = {}
        self.keeper: KeepsRobots | None = None

    async def robots(self, url: str) -> Robots:
        """What the host of `url` allows; asks it when nothing that is known still holds."""
        origin = origin_of(url)
        known = self._answers.get(origin)
        if known is None or not known[0].holds(self._clock()):
            known = await self._learn_once(origin)
        return known[1]

    async def _learn_once(self, origin: str) -> tuple[RobotsAnswer, Robots]:
        """All requests that wait for the same robots.txt wait for one."""
        if origin not in self._learning:
            self._learning[origin] = asyncio.ensure_future(self._learn(origin))
            self._learning[origin].add_done_callback(lambda _: self._learning.pop(origin, None))
        return await asyncio.shield(self._learning[origin])

    async def _learn(self, origin: str) -> tuple[RobotsAnswer, Robots]:
        """What an earlier run was told, while it holds; else what the host says now."""
        stored = self.keeper.load_robots(origin) if self.keeper else None
        if stored is not None and stored.holds(self._clock()):
            return await self._remember(stored)
        answer = await fetch(self._crawler, origin, self._clock())
        if self.keeper and answer.status is not None:  # without a whole answer, our own network may be why: the next run asks
            self.keeper.save_robots(answer)
        return await self._remember(answer)

    async def _remember(self, answer: RobotsAnswer) -> tuple[RobotsAnswer, Robots]:
        robots = await asyncio.to_thread(answer.robots)  # half a megabyte takes half a second: the crawl goes on meanwhile
        self._answers[answer.origin] = answer, robots
        delay = robots.crawl_delay(self._crawler.settings["ROBOTS_AGENT"])
        gate_of(self._crawler).saw_crawl_delay(host_key(answer.origin), delay)
        return answer, robots


_BOOKS: WeakKeyDictionary[Crawler, RobotsBook] = WeakKeyDictionary()


def book_of(crawler: Crawler) -> RobotsBook:
    """The one book of a crawl."""
    if crawler not in _BOOKS:
        _BOOKS[crawler] = RobotsBook(crawler)
    return _BOOKS[crawler]


async def fetch(crawler: Crawler, origin: str, now: float) -> RobotsAnswer:
    """One answer off the network. A redirect off the site is not followed, so the rules stay unknown: nothing is allowed."""
    # identity: 500 KiB are then 500 KiB, and a bomb has to lie about itself
    meta = as_meta({"kind": Kind.ROBOTS, "download_maxsize": MAX_BYTES})
    request = Request(f"{origin}/robots.txt", headers={"Accept-Encoding": "identity"}, meta=meta, callback=NO_CALLBACK, priority=1000)
    answer = partial(RobotsAnswer, origin=origin, fetched_at=now)
    try:
        response = await crawler.engine.download_async(request)
    except Refused as refusal:
        if refusal.reason == RUN_ENDED:  # no answer of the host's: what waits for it is left for the next run
            raise
        if refusal.reason == "redirect_loop":  # RFC 9309 §2.3.1.2: as good as unavailable
            return answer(status=REDIRECT_LOOP)
        return answer(status=None, failure=refusal.detail)
    except NO_ANSWER as error:
        return answer(status=None, failure=type(error).__name__)
    asked: Carried = carried(response.request) if response.request else {}
    captures, rejection = asked.get("captures", ()), asked.get("rejection")
    if rejection is not None and response.status < 300:
        return answer(status=None, failure=rejection.detail, captures=captures)
    return answer(status=response.status, body=response.body, captures=captures)


def origin_of(url: str) -> str:
    """scheme://host[:port]: robots.txt speaks for no other (RFC 9309 §2.3)."""
    return f"{urlsplit(url).scheme.lower()}://{host_key(url)}"


class RobotsMiddleware:
    """Lets through what robots.txt allows to ROBOTS_AGENT, with what it says of the use of pages beside each request."""

    def __init__(self, crawler: Crawler) -> None:
        self._book = book_of(crawler)
        self._agent: str = crawler.settings["ROBOTS_AGENT"]
        self._stats = crawler.stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        asked = carried(request)
        if asked.get("kind") is Kind.ROBOTS:
            return
        robots = await self._book.robots(request.url)
        if robots.unreachable:
            self._stats.inc_value("refused/robots_unreachable")
            raise Refused("robots_unreachable", f"{request.url}: robots.txt could not be read ({robots.unreachable})")
        if not robots.allowed(self._agent, path_and_query(request.url)):
            self._stats.inc_value("refused/robots")
            raise Refused("robots", f"{request.url}: robots.txt does not allow it")
        # also where there are none: a redirect brings what the other host said
        asked["hints"] = replace(asked.get("hints", Hints()), terms=robots.terms(self._agent))


def path_and_query(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
