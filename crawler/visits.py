"""What an answer means for the frontier: captures of one lease in, one `Visit` out. Live and recovery share it.

Thin on purpose: links are found by crawler.discovery, what of them is new and where a list goes on by crawler.lists, what is due
is decided by crawler.frontier, what a page *is* by pipelines.reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from crawler import backfill, cdx, frontier
from crawler.discovery import Found, read_list
from crawler.links import Untaken
from crawler.lists import Lists, Taken, new_link, new_url
from crawler.politeness import long_wait
from pipelines import report, schedule
from pipelines.archive import Archive, urltable
from pipelines.archive.ledger import Outcome
from pipelines.archive.urltable import RETRY_AFTER, NewUrl, Row
from pipelines.model import Capture, Kind, Link, Reason, Rejection
from pipelines.reading import Result
from pipelines.site import Site
from pipelines.stages import OUR_FAULT, Settlement, Visit
from pipelines.urls import host_key, request_url

GONE = (404, 410)
NO_LINKS = "no_links"
"""a list that had links and shows none: the site is being mended, or is another one now"""

MAX_UNTAKEN = 20
"""lists whose links are told of in a run's ledger"""

Captures = tuple[Capture, ...]
Settle = Callable[[Outcome | None, Result], Settlement]
Listed = Found | Rejection | None
"""what `discovery.read_list` made of a list; None where it was not asked"""


@dataclass(slots=True)
class Visits:
    """Makes the visits of one run, which began at `started`."""

    site: Site
    archive: Archive
    started: float
    counts: Counter[str] = field(default_factory=Counter)
    since: date | None = None
    until: date | None = None
    untaken: dict[str, Untaken] = field(default_factory=dict)
    """by the URL of a list without an article: its links"""
    _lists: Lists = field(init=False)
    _starts: frozenset[str] = field(init=False)
    """where the run begins"""

    def __post_init__(self) -> None:
        self._lists = Lists(site=self.site, started=self.started, counts=self.counts, since=self.since, until=self.until)
        self._starts = frozenset(url for _, url in start_urls(self.site))

    def of(self, row: Row, captures: Captures, now: float, listed: Listed = None, tx: sa.Connection | None = None) -> Visit:
        """The visit of a lease whose last capture is its answer. `now` in seconds since the epoch; `listed` is what a list
        was read as, in another process maybe, else it is read here; `tx` is the transaction that the caller is in, if any."""
        if put_off := self._put_off(row, captures, now):
            return put_off
        if row.kind is Kind.RECORD:
            return self._record(row, captures, now)
        if _unasked(captures[-1]):
            return self.failure(row, Reason.HTTP_ERROR, captures, now)
        if row.kind is Kind.ARTICLE:
            return self._article(row, captures, now)
        if tx is not None:
            return self._list(tx, row, captures, listed, now)
        with self.archive.catalogue.snapshot() as own:
            return self._list(own, row, captures, listed, now)

    def failure(self, row: Row, reason: str, captures: Captures, now: float, not_before: float = 0.0) -> Visit:
        """The visit of a lease that brought nothing; what was captured on the way is kept all the same."""
        if reason != frontier.RUN_ENDED:  # its URL is left, not failed
            self.counts[f"failed/{reason}"] += 1
        status = captures[-1].status if captures else None
        settlement = self._failed(row, reason, now, status, not_before)
        return Visit(
            row=row,
            earlier=captures,
            now=now,
            failure=f"failed/{reason}",
            settle=lambda *_: settlement,
            broken=self._failed(row, OUR_FAULT, now),
        )

    def broken(self, row: Row, why: str, captures: Captures, now: float) -> Visit:
        """The visit of a capture of another archive whose answer is not what its index had promised."""
        return self._put_off(row, captures, now) or self.failure(row, why, captures, now)

    def _failed(self, row: Row, reason: str, now: float, status: int | None = None, not_before: float = 0.0) -> Settlement:
        """Where a run begins is never set aside: a site that was away for a week would stay away for good. Nor is a later page of
        a list, or what lies behind it would never be seen: in a first pass no other page leads to it. Of articles,
        crawler.frontier knows which."""
        tries = None if self.is_start(row) else self.site.politeness.tries
        due_at, stays = max(now, not_before), row.page > 1 and row.kind not in (Kind.ARTICLE, Kind.RECORD)
        values = frontier.after_failure(row, reason, tries=tries, now=now, status=status, due_at=due_at, stays=stays)
        return Settlement(values=values)

    def _put_off(self, row: Row, captures: Captures, now: float) -> Visit | None:
        """The visit of a URL whose answer asks for a longer wait than a run can bear: it waits, and nothing else does."""
        capture = captures[-1]
        wait = long_wait(capture.status, {"retry-after": capture.header("Retry-After") or ""}, now, self.site.politeness)
        return None if wait is None else self.failure(row, RETRY_AFTER, captures, now, now + wait)

    def _article(self, row: Row, captures: Captures, now: float) -> Visit:
        def settle(outcome: Outcome | None, result: Result) -> Settlement:
            values, following = schedule.visited_article(row, captures[-1], outcome, result, site=self.site, now=now)
            return self._settled(values, following, following)

        return self._answered(row, captures, settle, now)

    def _record(self, row: Row, captures: Captures, now: float) -> Visit:
        """A capture of another archive says what the page was, and nothing of what its address answers today."""
        settlement = Settlement(values=frontier.after_record(row, status=captures[-1].status, now=now))
        return self._answered(row, captures, lambda *_: settlement, now)

    def _answered(self, row: Row, captures: Captures, settle: Settle, now: float) -> Visit:
        """The visit of a lease whose last capture is what was asked for."""
        broken = self._failed(row, OUR_FAULT, now, captures[-1].status)
        return Visit(row=row, capture=captures[-1], earlier=captures[:-1], now=now, settle=settle, broken=broken)

    def _list(self, tx: sa.Connection, row: Row, captures: Captures, listed: Listed, now: float) -> Visit:
        capture = captures[-1]
        if capture.status == 304:
            return self._read_list(tx, row, captures, None, now)
        if self._may_be_behind_the_end(tx, row, capture):
            if row.tries > 0 and row.last_status in GONE:
                return self._ended(row, captures, now)
            if row.tries == 0 and not is_list(capture):
                return self.failure(row, report.BEHIND_THE_END, captures, now)
        if not is_list(capture):
            return self.failure(row, Reason.HTTP_ERROR, captures, now)
        found = read_list(capture, self.site) if listed is None else listed
        if isinstance(found, Rejection):
            return self.failure(row, found.reason, captures, now)
        if not found.is_expected_kind:
            return self.failure(row, f"not_a_{row.kind}" if capture.status == 200 else Reason.HTTP_ERROR, captures, now)
        if row.kind is Kind.CDX:
            return self._read_index(tx, row, captures, found, now)
        self._note_untaken(row, found)
        if not found.links and row.page == 1 and row.last_changed is not None:
            return self.failure(row, NO_LINKS, captures, now)
        return self._read_list(tx, row, captures, found, now)

    def _note_untaken(self, row: Row, found: Found) -> None:
        """Of the first page of a list. A sitemap that leads to others has no article to show, nor has a list that leads to nothing else."""
        leads_on = found.links and (row.kind is Kind.SITEMAP or found.untaken == Untaken())
        if found.untaken is not None and row.page == 1 and not leads_on and len(self.untaken) < MAX_UNTAKEN:
            self.untaken[row.url] = found.untaken

    def _may_be_behind_the_end(self, tx: sa.Connection, row: Row, capture: Capture) -> bool:
        """Whether a list may end before this page, which is not there. Only in its first pass: where its end was seen once, a page that is
        away for days must not pass for it."""
        is_gone = row.page > 1 and capture.status in GONE
        return is_gone and not self._lists.is_dated and row.chain is not None and urltable.completed(tx, self.site.name, row.chain) is None

    def _ended(self, row: Row, captures: Captures, now: float) -> Visit:
        """The visit of a later page that was not there in an earlier run either: its list ends before it."""
        status = captures[-1].status
        values = frontier.after_listing(row, status=status, changed=False, stays_due=False, now=now)
        ended, broken = Settlement(values=values, completed=row.chain), self._failed(row, OUR_FAULT, now, status)
        return Visit(row=row, earlier=captures, now=now, settle=lambda *_: ended, broken=broken)

    def _read_list(self, tx: sa.Connection, row: Row, captures: Captures, found: Found | None, now: float) -> Visit:
        taken = self._lists.take(tx, row, found, now) if found else Taken()
        due = self.is_start(row) or taken.leaves
        values = frontier.after_listing(row, status=captures[-1].status, changed=bool(taken.fresh), stays_due=due, now=now)
        if found is not None and found.links and row.last_changed is None:
            values["last_changed"] = now  # its first links, though another list may have had them before: `NO_LINKS` goes by it
        if found is not None and not self._lists.is_dated:  # else a 304 would say later that what was left out is known
            values |= schedule.remembered(captures[-1])
        on = () if taken.following is None else (taken.following,)
        settlement = self._settled(values, (*taken.fresh, *on), on, taken.completed)
        return self._answered(row, captures, lambda *_: settlement, now)

    def _read_index(self, tx: sa.Connection, row: Row, captures: Captures, found: Found, now: float) -> Visit:
        """Its captures are asked for once; where it goes on is asked now, and again whenever it is read again."""
        whole = not self._lists.is_dated  # a run of certain days leaves the others to the next one
        values = frontier.after_index(row, status=captures[-1].status, is_final=cdx.is_finished(row.url), is_whole=whole, now=now)
        records, skipped = backfill.wanted(tx, self.site, found.links, backfill.Window(since=self.since, until=self.until))
        self.counts["backfill/listed"] += found.entries
        self.counts["backfill/wanted"] += len(records)
        for word, count in (*found.skipped, *skipped.items()):
            self.counts[f"backfill/skipped/{word}"] += count
        live = [link for link in found.links if link.kind in (Kind.ARTICLE, Kind.LISTING) and self._lists.wants(link, row)]
        pages = self._index_pages(row, found, now)
        new = (*pages, *(_new_record(link, now) for link in records), *(_new_old(link, row, now) for link in live))
        settlement = self._settled(values, new, pages)
        return self._answered(row, captures, lambda *_: settlement, now)

    def _index_pages(self, row: Row, found: Found, now: float) -> tuple[NewUrl, ...]:
        chain = row.chain or row.url
        pages = [link.url for link in found.links if link.kind is Kind.CDX]
        if found.next_url is not None and row.page < self.site.discover.max_pages:
            pages.append(request_url(found.next_url))
        return tuple(new_url(url, Kind.CDX, now, page=row.page + number, chain=chain) for number, url in enumerate(pages, 1))

    def _settled(
        self, values: dict[str, Any], found: tuple[NewUrl, ...], on: tuple[NewUrl, ...], completed: str | None = None
    ) -> Settlement:
        """`on` is where it goes on in this run. Two lists may go on to the same page: when the second of them is committed, the
        page may have been read already, and must not be due for the next night."""
        wake = tuple(new.url for new in on)
        return Settlement(values=values, found=found, wake=wake, not_since=self.started, completed=completed)

    def is_start(self, row: Row) -> bool:
        """Whether the seeds file names it."""
        return row.url in self._starts


def is_list(capture: Capture) -> bool:
    """Whether an answer is to be read for its links."""
    if capture.kind in (Kind.ARTICLE, Kind.RECORD, Kind.ROBOTS):
        return False
    return capture.status == 200 or cdx.is_empty_answer(capture)


def _unasked(capture: Capture) -> bool:
    """A 304 to a request that named no version says nothing (RFC 9110 §15.4.5)."""
    return capture.status == 304 and capture.refers_to is None


def start_urls(site: Site) -> list[tuple[Kind, str]]:
    """Where a run begins: first pages of all lists, safe for a request line."""
    sources = (
        (Kind.LISTING, site.discover.listings),
        (Kind.JSONP, site.discover.jsonp),
        (Kind.FEED, site.discover.feeds),
        (Kind.SITEMAP, site.discover.sitemaps),
    )
    first = str(site.discover.first_page)
    lists = [(kind, request_url(url.replace("{page}", first))) for kind, urls in sources for url in urls]
    return [*lists, *((Kind.CDX, cdx.question(url, site)) for url in site.discover.cdx)]


def start_rows(site: Site, now: float) -> list[NewUrl]:
    """The rows of `start_urls`, due now."""
    return [new_url(url, kind, now) for kind, url in start_urls(site)]


def _new_old(link: Link, row: Row, now: float) -> NewUrl:
    """An address of the site's own that only an index knows."""
    new = new_link(link, row, now)
    return replace(new, priority=frontier.OLD_PRIORITY) if link.kind is Kind.ARTICLE else new


def _new_record(link: Link, now: float) -> NewUrl:
    """A capture that another archive has: known by what it is, asked for at its place."""
    place = link.hints.via or ""
    return replace(new_url(link.url, link.kind, now, hints=link.hints), host=host_key(place))
