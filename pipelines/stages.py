"""The Scrapy item pipeline: visits come in, grouped transactions go out. The one file of pipelines that imports Scrapy.

A visit is acknowledged by the transaction that commits what came of it, never before: first the WARC file is told what its
pages were read as, flushed and fsynced, then one transaction writes a group of visits, then their leases are gone. A group
closes when it has GROUP_VISITS visits, is GROUP_SECONDS old, or nothing else is under way that it could wait for.

Every visit ends, whatever happens to it: a page on which our own code fails is quarantined with its traceback, its lease
ends as failed/our_fault, and the rest of its group is committed without it; an archive that fails ends the run.
"""

from __future__ import annotations

import asyncio
import logging
import math
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import sqlalchemy as sa
from scrapy.crawler import Crawler

from pipelines import flow, reading
from pipelines.archive import Archive, ledger, urltable
from pipelines.archive.article_record import article_id
from pipelines.archive.ledger import Outcome
from pipelines.archive.outcome_record import Told, told
from pipelines.archive.urltable import NewUrl, Row
from pipelines.errors import ArchiveError
from pipelines.model import Capture, Kind, Reason
from pipelines.reading import Result
from pipelines.replay import quarantine
from pipelines.site import Site
from pipelines.urls import canonical
from pipelines.workers import Readers

logger = logging.getLogger(__name__)

OUR_FAULT = "our_fault"
"""the reason of a visit on which our own code failed; counted in `counts` too, and the run's exit status says so"""
GROUP_VISITS = 64
GROUP_SECONDS = 0.15
"""A commit with fsync costs 8 to 15 ms (FIELD section 4), and 3 ms of processor time; at a hundred pages a second this wait makes
fifteen of them share it. Where nothing else is under way, nobody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a visit changes in the frontier: the values of its own row, URLs to be known, URLs to be asked in this run that
    have not been asked since `not_since` (its start), and the list (by the URL of its first page) that has now been read to
    its end."""

    values: Mapping[str, Any]
    found: tuple[NewUrl, ...] = ()
    wake: tuple[str, ...] = ()
    not_since: float = math.inf
    completed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one lease brought. `capture` is None when nothing answered; `now` in seconds since the epoch.

    `settle` says, once the outcome is known, what the frontier learns; `broken` is what it learns when our own code fails.
    """

    row: Row
    settle: Callable[[Outcome | None, Result], Settlement]
    broken: Settlement
    capture: Capture | None = None
    earlier: tuple[Capture, ...] = ()
    """the captures of redirects on the way, oldest first"""
    now: float
    failure: str | None = None
    """"failed/<reason>" for the ledger, None when something was read"""

    @property
    def captures(self) -> tuple[Capture, ...]:
        return self.earlier if self.capture is None else (*self.earlier, self.capture)


class Run(Protocol):
    """What the stage needs of a run: crawler.session.Session, or a fake."""

    site: Site
    archive: Archive
    writer: Any
    counts: Counter[str]
    faults: list[Exception]
    loose: list[Capture]
    shared: set[str]
    """ids of the records that several visits have: they are told of once"""
    generation: int
    under_way: int

    def remember(self, tx: sa.Connection, /) -> None:
        """Writes what else is to be kept."""

    def remembered(self) -> None:
        """Hears that it is durable."""

    def settled(self, visit: Visit, outcome: Outcome | None, /) -> None:
        """Hears of each visit when it is durable."""

    def fail(self, fault: Exception, /) -> None:
        """Ends the run: the archive itself fails."""


Ended = tuple[Visit, Outcome | None]


@dataclass(slots=True)
class _Group:
    visits: list[tuple[Visit, Result, asyncio.Future[Ended]]] = field(default_factory=list)


class IngestStage:
    """`process_item` returns when the visit is durable."""

    def __init__(self, run: Run, readers: Readers) -> None:
        self._run, self._readers = run, readers
        self._group = _Group()
        self._timer: asyncio.TimerHandle | None = None
        self._told: set[str] = set()
        """records of which the open group's outcomes are in the WARC file: what is committed again is not told again"""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        session = crawler.session  # type: ignore[attr-defined]  # set by crawler.run
        return cls(session, session.readers)

    async def process_item(self, item: Visit) -> Visit:
        visit, result = await self._read(item)
        visit, outcome = await self._committed(visit, result)
        self._run.settled(visit, outcome)
        return visit

    async def close_spider(self) -> None:
        self._flush()

    async def _read(self, visit: Visit) -> tuple[Visit, Result]:
        if visit.capture is None:
            return visit, None
        try:
            return visit, await self._readers.read(visit.capture, self._run.site)
        except ArchiveError as fault:  # no process to read it
            self._run.fail(fault)
            return visit, None
        except Exception:  # noqa: BLE001  # the edge of the live crawl: no page may end the run, none may vanish
            return at_fault(visit, self._run), None

    def _committed(self, visit: Visit, result: Result) -> asyncio.Future[Ended]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Ended] = loop.create_future()
        self._group.visits.append((visit, result, done))
        if len(self._group.visits) >= min(GROUP_VISITS, self._run.under_way):
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
        self._told.clear()
        ended = self._commit_all([(visit, result) for visit, result, _ in group])
        for (_, _, done), end in zip(group, ended, strict=True):
            if not done.done():
                done.set_result(end)

    def _commit_all(self, group: list[tuple[Visit, Result]]) -> list[Ended]:
        """Commits a group; where our code fails on it, each visit by itself, and a broken one as such. Nothing any more where the
        archive has failed: the next run reads it from the WARC file."""
        if self._run.faults:
            return [(visit, None) for visit, _ in group]
        try:
            return self._commit(group)
        except ArchiveError as fault:
            self._run.fail(fault)
        except Exception as fault:  # noqa: BLE001  # as above
            if len(group) > 1:
                return [self._commit_all([one])[0] for one in group]
            visit, _ = group[0]
            if visit.failure != _FAILED:
                return self._commit_all([(at_fault(visit, self._run), None)])
            self._run.fail(fault)  # not the visit's doing: nothing can be committed
        return [(visit, None) for visit, _ in group]

    def _commit(self, group: list[tuple[Visit, Result]]) -> list[Ended]:
        run = self._run
        told = [one for visit, result in group for one in told_of(visit, result, run.site) if one.of not in self._told]
        told = _to_tell(run, told)
        run.writer.tell(told)
        self._told.update(one.of for one in told)
        run.writer.sync()  # WARC first: no row may point to bytes that a power cut can take back
        with run.archive.catalogue.transaction() as tx:
            ended = [(visit, commit_visit(tx, run.site, visit, result)) for visit, result in group]
            for capture in run.loose:
                flow.write(tx, capture, run.site, None)
            run.remember(tx)
        run.loose.clear()
        run.remembered()
        run.generation += 1
        return ended


_FAILED = f"failed/{OUR_FAULT}"


def at_fault(visit: Visit, run: Run) -> Visit:
    """The visit as one on which our code has just failed: its captures stay in the WARC file, unknown to the catalogue, for
    the next run or a replay to read. Where not even the traceback finds a place, the run ends. To be called where the
    exception is handled."""
    trace = traceback.format_exc()
    logger.error("Our own code failed on %s; its captures are kept, the traceback too, in quarantine/.\n%s", visit.row.url, trace)
    try:
        for capture in visit.captures:
            quarantine(run.archive, capture, trace)
    except ArchiveError as fault:
        run.fail(fault)
    run.counts[OUR_FAULT] += 1
    return replace(visit, capture=None, earlier=(), failure=_FAILED, settle=lambda *_: visit.broken)


def told_of(visit: Visit, result: Result, site: Site) -> list[Told]:
    """What its captures were read as, those that were read as an article's page."""
    read = [(hop, reading.read(hop, site)) for hop in visit.earlier]
    if visit.capture is not None:
        read.append((visit.capture, result))
    return [told(one, canonical(one.url, site).url, site.digest, found) for one, found in read if found is not None]


def _to_tell(run: Run, told: Sequence[Told]) -> list[Told]:
    """What is to be told: each record once, and nothing of an article that was taken down, though a redirect led to it. Where
    its digest would come to lie, in another file maybe, nobody looks for it."""
    if not told:
        return []
    with run.archive.catalogue.snapshot() as tx:
        lost = ledger.taken_down(tx, {one.article for one in told})
        known = {one.of for one in told if one.of in run.shared and ledger.is_known(tx, one.file, one.offset)}
    return [one for one in {one.of: one for one in told}.values() if one.article not in lost and one.of not in known]


def commit_visit(tx: sa.Connection, site: Site, visit: Visit, result: Result) -> Outcome | None:
    """Writes one visit down: captures, links found, the URL's own row. In the caller's transaction."""
    hops = [flow.write(tx, hop, site, reading.read(hop, site)) for hop in visit.earlier]
    outcome = flow.write(tx, visit.capture, site, result) if visit.capture is not None else None
    outcome = next((hop for hop in hops if hop.word == Reason.GONE), outcome)  # sent away to an index page: it is gone
    settlement = visit.settle(outcome, result)
    urltable.discover(tx, site.name, settlement.found, visit.now)
    _leave_taken_down(tx, site, settlement.found)
    for url in settlement.wake:
        urltable.wake(tx, site.name, url, visit.now, not_since=settlement.not_since)
    urltable.settle(tx, visit.row.id, settlement.values)
    if settlement.completed is not None:
        urltable.complete(tx, site.name, settlement.completed, visit.now)
    return outcome


def _leave_taken_down(tx: sa.Connection, site: Site, found: Sequence[NewUrl]) -> None:
    """Sets those new URLs aside, however they are spelled, whose article was taken down: they are never asked."""
    names = {one.url: article_id(canonical(one.url, site).url) for one in found if one.kind is Kind.ARTICLE}
    taken = ledger.taken_down(tx, set(names.values()))
    if taken:
        urltable.set_aside(tx, site.name, [url for url, name in names.items() if name in taken], Reason.TAKEN_DOWN)
