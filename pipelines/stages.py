"""The Scrapy item pipeline: visits come in, grouped transactions go out. The one file of pipelines that imports Scrapy.

A visit is acknowledged by the transaction that commits what came of it, never before: first the WARC file is flushed
and fsynced, then one transaction writes a group of visits, then their leases are gone. A group closes when it has
GROUP_VISITS visits or is GROUP_SECONDS old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import sqlalchemy as sa
from scrapy.crawler import Crawler

from pipelines import flow
from pipelines.archive import Archive, urltable
from pipelines.archive.ledger import Outcome
from pipelines.archive.urltable import NewUrl, Row
from pipelines.errors import ArchiveError
from pipelines.flow import Result
from pipelines.model import Capture, Reason
from pipelines.site import Site
from pipelines.workers import Readers

GROUP_VISITS = 64
GROUP_SECONDS = 0.05
"""A commit with fsync costs 8 to 15 ms (FIELD section 4); waiting 50 ms groups what arrives together at any polite rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a visit changes in the frontier: the values of its own row, URLs to be known, URLs to be asked in this run,
    and the list (by the URL of its first page) that has now been read to its end."""

    values: Mapping[str, Any]
    found: tuple[NewUrl, ...] = ()
    wake: tuple[str, ...] = ()
    completed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one lease brought. `capture` is None when nothing answered; `now` in seconds since the epoch.

    `settle` says, once the outcome is known, what the frontier learns.
    """

    row: Row
    settle: Callable[[Outcome | None, Result], Settlement]
    capture: Capture | None = None
    earlier: tuple[Capture, ...] = ()
    """the captures of redirects on the way, oldest first"""
    now: float
    failure: str | None = None
    """"failed/<reason>" for the ledger, None when something was read"""


class _Session(Protocol):
    site: Site
    archive: Archive
    writer: Any
    faults: list[ArchiveError]
    loose: list[Capture]
    generation: int
    remember: Callable[[sa.Connection], None]


@dataclass(slots=True)
class _Group:
    visits: list[tuple[Visit, Result, asyncio.Future[Outcome | None]]] = field(default_factory=list)


class IngestStage:
    """`process_item` returns when the visit is durable."""

    def __init__(self, session: _Session, workers: int, crawler: Crawler) -> None:
        self._session = session
        self._crawler = crawler
        self._readers = Readers(workers)
        self._group = _Group()
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.session, crawler.settings.getint("EXTRACT_WORKERS"), crawler)  # type: ignore[attr-defined]

    async def process_item(self, item: Visit) -> Visit:
        result = await self._readers.read(item.capture, self._session.site) if item.capture is not None else None
        outcome = await self._committed(item, result)
        self._count(item, outcome)
        return item

    async def close_spider(self) -> None:
        self._flush()
        self._readers.close()

    def _committed(self, visit: Visit, result: Result) -> asyncio.Future[Outcome | None]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome | None] = loop.create_future()
        self._group.visits.append((visit, result, done))
        if len(self._group.visits) >= GROUP_VISITS:
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_later(GROUP_SECONDS, self._flush)
        return done

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._group = self._group.visits, _Group()
        if not group:
            return
        try:
            outcomes = self._commit(group)
        except ArchiveError as error:
            self._session.faults.append(error)
            outcomes = [None] * len(group)
            asyncio.ensure_future(self._crawler.engine.close_spider_async(reason="fault"))  # noqa: RUF006
        for (_, _, done), outcome in zip(group, outcomes, strict=True):
            if not done.done():
                done.set_result(outcome)

    def _commit(self, group: list[tuple[Visit, Result, asyncio.Future[Outcome | None]]]) -> list[Outcome | None]:
        session = self._session
        session.writer.sync()  # WARC first: no row may point to bytes that a power cut can take back
        with session.archive.catalogue.transaction() as tx:
            outcomes = [commit_visit(tx, session.site, visit, result) for visit, result, _ in group]
            for capture in session.loose:
                flow.write(tx, capture, session.site, None)
            session.remember(tx)
        session.loose.clear()
        session.generation += 1
        return outcomes

    def _count(self, visit: Visit, outcome: Outcome | None) -> None:
        self._crawler.signals.send_catch_log(signal=settled, visit=visit, outcome=outcome)


settled = object()
"""Scrapy signal: a visit is durable (`visit`, `outcome`)."""


def commit_visit(tx: sa.Connection, site: Site, visit: Visit, result: Result) -> Outcome | None:
    """Writes one visit down: captures, links found, the URL's own row. In the caller's transaction."""
    hops = [flow.write(tx, hop, site, flow.read(hop, site)) for hop in visit.earlier]
    outcome = flow.write(tx, visit.capture, site, result) if visit.capture is not None else None
    outcome = next((hop for hop in hops if hop.word == Reason.GONE), outcome)  # sent away to an index page: it is gone
    settlement = visit.settle(outcome, result)
    urltable.discover(tx, site.name, settlement.found, visit.now)
    for url in settlement.wake:
        urltable.wake(tx, site.name, url, visit.now)
    urltable.settle(tx, visit.row.id, settlement.values)
    if settlement.completed is not None:
        urltable.complete(tx, site.name, settlement.completed, visit.now)
    return outcome
