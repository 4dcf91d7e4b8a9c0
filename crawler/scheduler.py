"""Scrapy's scheduler over the catalogue's URL table. It translates rows to Requests and holds leases; nothing more.

No JOBDIR, no pickle, no duplicate filter: the table is all three. A request made here carries its lease; redirects and
retries keep it and come back through `enqueue_request`.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from scrapy import Spider, signals
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.http import Request

from crawler import backfill, clock
from crawler.budget import Budget, budget_of
from crawler.carried import Carried, as_meta, carried
from crawler.leases import Leases
from crawler.session import Session
from pipelines.archive import urltable
from pipelines.archive.article_record import moment
from pipelines.archive.urltable import Row, Wanted
from pipelines.errors import ArchiveError
from pipelines.model import Kind
from pipelines.urls import request_url
from pipelines.validators import Validators

LEASE_SECONDS = 900.0
"""Over the longest that one URL can take: 5 redirects and 2 tries of 30 s, each waiting for the host's turn."""
BATCH = 64
"""Rows leased at once; one lease costs a transaction (8 to 15 ms with fsync)."""
MOST_READY = 8 * BATCH
"""Rows held under lease without being sent: a batch for each of eight hosts that wait for their turn."""


class CatalogueScheduler(BaseScheduler):
    def __init__(self, session: Session, budget: Budget) -> None:
        self._session = session
        self._budget = budget
        self._ready: deque[Row] = deque()
        self._returned: deque[Request] = deque()
        self._leases = Leases(session.site.politeness)
        self._empty_at = -1
        """the generation in which there was nothing to lease on any host"""
        self._nothing_beside: tuple[int, tuple[str, ...]] = (-1, ())
        """the generation and the full hosts beside which there was nothing to lease"""
        self._no_more_asked: frozenset[str] = frozenset()
        """hosts of archives that the seeds file named once: what waits there waits until it names them again"""
        self._spider: Any = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        session: Session = crawler.session  # type: ignore[attr-defined]  # set by `scrapy crawl`
        scheduler = cls(session, budget_of(crawler))
        crawler.scheduler = scheduler  # type: ignore[attr-defined]
        crawler.signals.connect(scheduler.answered, signals.request_left_downloader)
        return scheduler

    def open(self, spider: Spider) -> None:
        self._spider = spider
        site = self._session.site
        with self._session.archive.catalogue.snapshot() as tx:
            asked = urltable.hosts_of(tx, site.name, (Kind.CDX, Kind.RECORD))
        self._no_more_asked = frozenset(asked - {*site.hosts, *site.discover.archive_hosts})

    def close(self, reason: str) -> None:  # noqa: ARG002  # Scrapy names it
        """Gives back what was leased and not acknowledged: it is due as before."""
        held = self._leases.ids | {row.id for row in self._ready}
        if held and not self._session.faults:
            with self._session.archive.catalogue.transaction() as tx:
                urltable.release(tx, held)
        self._ready.clear()

    def has_pending_requests(self) -> bool:
        return bool(self._returned) or (self._may_ask() and (bool(self._ready) or self._empty_at != self._session.generation))

    def enqueue_request(self, request: Request) -> bool:
        """Takes back a request under lease (a redirect, a retry); any other has no place in the frontier."""
        row = carried(request).get("lease")
        if row is None:
            return False
        self._leases.asked_again(row)
        self._returned.append(request)
        return True

    def next_request(self) -> Request | None:
        if self._returned:
            return self._returned.popleft()
        if not self._may_ask():
            return None
        if not any(self._leases.has_room(row.host) for row in self._ready):
            self._lease_more()
        for _ in range(len(self._ready)):
            row = self._ready.popleft()
            if self._leases.has_room(row.host):
                return self._begun(row)
            self._ready.append(row)
        return None

    def answered(self, request: Request) -> None:
        """Hears that nothing waits for the host of a request any more: it makes room for the next one."""
        row = carried(request).get("lease")
        if row is not None:
            self._leases.answered(row)

    def settled(self, row: Row) -> None:
        """Says that what came of a lease is committed."""
        self._leases.end(row)
        self._session.under_way = len(self._leases)

    def _may_ask(self) -> bool:
        session = self._session
        session.left_because = session.left_because or self._budget.spent
        return not (session.left_because or session.interrupted or session.faults)

    def _lease_more(self) -> None:
        if len(self._ready) >= MOST_READY or self._empty_at == self._session.generation:
            return
        full = self._leases.full_hosts() | {row.host for row in self._ready}
        without = tuple(sorted(full | self._session.given_up | self._no_more_asked))
        if self._nothing_beside == (self._session.generation, without):
            return
        try:
            rows = self._leased(without)
        except ArchiveError as fault:  # Scrapy would log it and ask again, for ever
            self._session.fail(fault)
            return
        self._ready.extend(rows)
        if not rows:
            self._nothing_beside = (self._session.generation, without)
            if not full:
                self._empty_at = self._session.generation

    def _leased(self, without: tuple[str, ...]) -> list[Row]:
        """Scrapy asks after every answer: where all hosts of the site have to wait, the catalogue is spared the question (a
        third of a crawl's processor time on one host with 20,000 URLs due)."""
        site = self._session.site
        if {*site.hosts, *site.discover.archive_hosts} <= set(without):
            return []
        now = clock.now()
        with self._session.archive.catalogue.transaction() as tx:
            rows = self._leased_now(tx, now, without)
        return [row for row in rows if row not in self._leases]  # its lease has run out while its host made it wait

    def _leased_now(self, tx: sa.Connection, now: float, without: tuple[str, ...]) -> list[Row]:
        while True:
            wanted = Wanted(
                now=now,
                until=now + LEASE_SECONDS,
                not_since=self._session.started,
                most=BATCH,
                without_hosts=without,
                without_kinds=() if self._records_left() > 0 else (Kind.RECORD,),
            )
            leased = urltable.lease(tx, self._session.site.name, wanted)
            rows = self._worth_asking(tx, leased)
            if rows or not leased:
                return rows

    def _records_left(self) -> int:
        """How many captures of other archives this run may still ask for: a budget of their own, beside the site's."""
        return self._session.site.discover.max_records - self._session.counts["backfill/leased"]

    def _worth_asking(self, tx: sa.Connection, rows: list[Row]) -> list[Row]:
        """Without captures of other archives that are had by now, were taken down, or are beyond the budget."""
        if all(row.kind is not Kind.RECORD for row in rows):
            return rows
        needless = backfill.needless(tx, rows)
        for number, word in needless.items():
            self._session.counts[f"backfill/skipped/{word}"] += 1
            urltable.settle(tx, number, backfill.put_away(word))
        records = [row.id for row in rows if row.kind is Kind.RECORD and row.id not in needless]
        kept = set(records[: self._records_left()])
        self._session.counts["backfill/leased"] += len(kept)
        urltable.release(tx, [number for number in records if number not in kept])
        return [row for row in rows if row.kind is not Kind.RECORD or row.id in kept]

    def _begun(self, row: Row) -> Request:
        self._leases.begin(row)
        self._session.under_way = len(self._leases)
        return self._record_request(row) if row.kind is Kind.RECORD else self._page_request(row)

    def _page_request(self, row: Row) -> Request:
        asked: Carried = {}
        if (confirmed := _confirmed(row)) is not None:  # also where it has no version to name: the same body may come again
            named = {} if self._reads_whole(row) else {"etag": row.etag, "last_modified": row.last_modified}
            asked["validators"] = Validators(**named, confirms=confirmed)
        return self._made(row, request_url(row.url), asked)

    def _record_request(self, row: Row) -> Request:
        wanted = backfill.asked(row)
        asked: Carried = {"promise": wanted.promise}
        if wanted.maxsize is not None:
            asked["download_maxsize"] = wanted.maxsize
        return self._made(row, wanted.url, asked, wanted.headers)

    def _made(self, row: Row, url: str, more: Carried, headers: dict[str, str] | None = None) -> Request:
        meta = as_meta({"lease": row, "kind": row.kind, "hints": row.hints, **more})
        return Request(url, self._spider.parse, headers=headers, errback=self._spider.failed, meta=meta, dont_filter=True)

    def _reads_whole(self, row: Row) -> bool:
        """A list that has not changed since the last run holds what that run had no wish for: a run of certain days asks for
        it plainly."""
        return row.kind is not Kind.ARTICLE and bool(self._spider.since or self._spider.until)


def _confirmed(row: Row) -> tuple[str, datetime] | None:
    return (row.captured_url, moment(row.captured_at)) if row.captured_url and row.captured_at else None
