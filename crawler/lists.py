"""What a page of a list gives to the frontier: its new URLs, and the list's next page, or its end.

When a list goes on is decided by crawler.paging, where by crawler.turning, what counts as a trap by crawler.links. Kept here is what
one run knows of its lists from one page to the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa

from crawler import frontier
from crawler.discovery import Found
from crawler.links import within_budget
from crawler.paging import go_on, in_window
from crawler.turning import next_list
from pipelines.archive import urltable
from pipelines.archive.urltable import NewUrl, Row
from pipelines.model import Hints, Kind, Link
from pipelines.site import Site
from pipelines.urls import host_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a list page gave: rows to be known, its next page, or the list that it brought to an end.

    A list is known only so far as *it* was read: what other lists found meanwhile must not end it, or its tail is lost.
    Where a run of certain days ends is no end of a list: that page leaves something to the next run, which goes on there.
    """

    fresh: tuple[NewUrl, ...] = ()
    following: NewUrl | None = None
    completed: str | None = None
    leaves: bool = False
    """something of it to the next run"""


@dataclass(slots=True, kw_only=True)
class Lists:
    """The lists of one run, which began at `started`."""

    site: Site
    started: float
    counts: Counter[str]
    since: date | None = None
    until: date | None = None
    _before: dict[str, tuple[int, Found]] = field(default_factory=dict)
    """by the URL of a list page that is to come: the run of known entries so far, and the page before it"""
    _spent: dict[str, int] = field(default_factory=dict)
    """by the shape of their URLs: how many lists this run has been led to"""
    _followed: set[str] = field(default_factory=set)
    """the lists counted there: what two pages link to before the first of them is committed counts once"""

    @property
    def is_dated(self) -> bool:
        """Whether the run is about certain days, and takes of a list what is of them."""
        return self.since is not None or self.until is not None

    def take(self, tx: sa.Connection, row: Row, found: Found, now: float) -> Taken:
        """The URLs of a list page that are not known yet, and the list's next page when it is worth asking for."""
        chain = row.chain or row.url
        known_since = urltable.known(tx, self.site.name, (link.url for link in found.links))
        fresh = self._fresh(row, found, known_since, now)
        left = {link.url for link in found.articles} - known_since.keys() - {new.url for new in fresh}
        complete_at = urltable.completed(tx, self.site.name, chain)
        next_url = next_list(row.url, row.page, found, self.site, dated=self.since is not None)
        next_row = None if next_url is None else urltable.by_url(tx, self.site.name, next_url)
        # the run before was broken off behind its first page: a later page is due by itself
        is_resumed = complete_at is None and row.page == 1 and row.visits > 0 and next_row is not None
        last_read = self.started if is_resumed else min(complete_at or 0.0, self.started)  # a later page may have ended it in this run
        goes_on, run_of_known = self._go_on(row, found, {url for url, since in known_since.items() if since < last_read})
        if goes_on and next_url is not None and not self._leads_back(row, next_row):
            self._before[next_url] = run_of_known, found
            following = new_url(next_url, row.kind, now, depth=row.depth, page=row.page + 1, chain=chain)
            return Taken(fresh=fresh, following=following, leaves=bool(left))
        if self.is_dated:
            return Taken(fresh=fresh, leaves=bool(left) or complete_at is None)
        return Taken(fresh=fresh, completed=None if is_resumed else chain)

    def wants(self, link: Link, row: Row) -> bool:
        """Whether a link that a row's answer shows is one for this run; where not, it is counted why."""
        if link.kind is not Kind.ARTICLE:
            return self._unless(row.depth >= self.site.discover.max_depth, "too_deep")
        return self._unless(not in_window(link, self.site, self.since, self.until), "outside_dates")

    def _fresh(self, row: Row, found: Found, known: Container[str], now: float) -> tuple[NewUrl, ...]:
        wanted = [link for link in found.links if link.url not in known and self.wants(link, row)]
        return tuple(new_link(link, row, now) for link in self._not_of_a_trap(wanted))

    def _go_on(self, row: Row, found: Found, known: set[str]) -> tuple[bool, int]:
        run_of_known, before = self._before.pop(row.url, (0, None))
        return go_on(found, known, run_of_known, self.site, before=before, since=self.since, until=self.until)

    def _leads_back(self, row: Row, there: Row | None) -> bool:
        """Whether a list leads back to a page of its own that this run has read: it ends there. One further on that was due by
        itself goes on by itself."""
        if there is None or there.page > row.page or (there.chain or there.url) != (row.chain or row.url):
            return False
        return (there.last_fetched or 0.0) >= self.started

    def _not_of_a_trap(self, links: list[Link]) -> list[Link]:
        """Calendars and endless lists of lists end at their budget; what is of value behind it, the next run may see."""
        kept, self._spent = within_budget((link for link in links if link.url not in self._followed), self._spent)
        self._followed |= {link.url for link in kept if link.kind is not Kind.ARTICLE}
        taken = {link.url for link in kept} | self._followed
        return [link for link in links if self._unless(link.url not in taken, "trap")]

    def _unless(self, skipped: bool, word: str) -> bool:
        self.counts[f"skipped/{word}"] += skipped
        return not skipped


def new_link(link: Link, row: Row, now: float) -> NewUrl:
    """A link that a row's answer shows."""
    return new_url(link.url, link.kind, now, depth=row.depth + (link.kind is not Kind.ARTICLE), hints=link.hints)


def new_url(url: str, kind: Kind, now: float, *, depth: int = 0, page: int = 1, chain: str | None = None, hints: Hints = Hints()) -> NewUrl:
    """A URL to be asked for as soon as what is of its kind is."""
    priority = frontier.priority(kind)
    return NewUrl(url=url, host=host_key(url), kind=kind, due_at=now, depth=depth, page=page, chain=chain, priority=priority, hints=hints)
