"""The frontier's rows: pending -> leased -> done | set aside. Only statements; when is decided in crawler/frontier.py.

A URL is a row from the moment it is discovered; inserting it a second time is ignored, which is the duplicate filter.
It is acknowledged only in the transaction that writes down what came of it, so that nothing is ever done and lost.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from pipelines.archive.catalogue import insert_new, upsert
from pipelines.archive.prepared import Prepared, given
from pipelines.archive.schema import info
from pipelines.archive.schema import url as table
from pipelines.model import Hints, Kind, Reason

RETRY_AFTER = "retry_after"
"""the reason of a row that is not to be asked before its `due_at`, because its answer said so"""
NO_RULE = "no_rule"
"""the reason of an article that is set aside because no `discover.article` rule of the seeds file fits its URL"""
RULES = "rules/"
"""`info` key prefix, by site: the digest of the rules that its articles were last held against"""


class State(StrEnum):
    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    """fetched; asked again when `due_at` has come"""
    SET_ASIDE = "set_aside"
    """given up for good, with its reason: only a person puts it back (docs/operations.md), what was taken down not even they"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUrl:
    """A URL to be known. `due_at` in seconds since the epoch."""

    url: str
    host: str
    kind: Kind
    due_at: float
    depth: int = 0
    """hops of lists from a start URL"""
    page: int = 1
    """of its list"""
    chain: str | None = None
    """the URL of the list's first page; None for the first page itself, and for articles"""
    priority: int = 0
    hints: Hints = Hints()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A leased URL: all that is needed to ask for it again politely."""

    id: int
    url: str
    host: str
    kind: Kind
    depth: int
    page: int
    chain: str | None
    complete_at: float | None
    """when the list was last read to its end, or to where it was known: stands in the row of its first page"""
    tries: int
    reason: str | None
    hints: Hints
    etag: str | None
    last_modified: str | None
    last_status: int | None
    last_fetched: float | None
    last_changed: float | None
    interval: float | None
    visits: int
    captured_url: str | None
    captured_at: str | None
    """what a 304 would confirm: the URL and the time of the capture that has the body"""
    discovered_at: float
    due_at: float


_site: sa.BindParameter[str] = sa.bindparam("of_site")
_KNOWN = sa.select(table.c.url, table.c.discovered_at).where(table.c.site == _site, table.c.url.in_(sa.bindparam("urls", expanding=True)))
_BY_URL = sa.select(table).where(table.c.site == _site, table.c.url == sa.bindparam("of_url"))
# Statements of every page are built once: building one costs three times what carrying it out does.


def discover(tx: sa.Connection, site: str, urls: Iterable[NewUrl], now: float) -> int:
    """Makes unknown URLs known, leaves known ones as they are; how many were new."""
    return insert_new(tx, table, [_insertable(site, one, now) for one in urls])


def _insertable(site: str, one: NewUrl, now: float) -> dict[str, Any]:
    hints = one.hints.given()
    return {
        "site": site,
        "url": one.url,
        "host": one.host,
        "kind": one.kind,
        "state": State.PENDING,
        "depth": one.depth,
        "page": one.page,
        "chain": one.chain,
        "priority": one.priority,
        "discovered_at": now,
        "due_at": one.due_at,
        "hints": json.dumps(hints, ensure_ascii=False) if hints else None,
    }


def known(tx: sa.Connection, site: str, urls: Iterable[str]) -> dict[str, float]:
    """Which of the URLs have a row already, and since when (seconds since the epoch)."""
    found: dict[str, float] = {}
    several = list(urls)
    for n in range(0, len(several), 500):  # SQLite takes 32,766 variables; 500 keeps the statement cache small
        rows = tx.execute(_KNOWN, {"of_site": site, "urls": several[n : n + 500]})
        found.update((row.url, row.discovered_at) for row in rows)
    return found


def hosts_of(tx: sa.Connection, site: str, kinds: Iterable[Kind]) -> set[str]:
    """The hosts of all that is known of some kinds."""
    mine = sa.and_(table.c.site == site, table.c.kind.in_(list(kinds)))
    return set(tx.scalars(sa.select(table.c.host).where(mine).distinct()))


def by_url(tx: sa.Connection, site: str, url: str) -> Row | None:
    """The row of one URL."""
    found = tx.execute(_BY_URL, {"of_site": site, "of_url": url}).one_or_none()
    return None if found is None else _row(found)


def completed(tx: sa.Connection, site: str, chain: str) -> float | None:
    """When the list that begins at `chain` was last read to its end; None if it never was."""
    return tx.scalar(sa.select(table.c.complete_at).where(table.c.site == site, table.c.url == chain))


def complete(tx: sa.Connection, site: str, chain: str, at: float) -> None:
    """Notes that a list was read to its end, or to where it was known."""
    tx.execute(table.update().where(table.c.site == site, table.c.url == chain).values(complete_at=at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What may be leased: due at `now`, not asked since `not_since` (the start of the run), on none of `without_hosts` and of
    none of `without_kinds`."""

    now: float
    until: float
    not_since: float
    most: int
    without_hosts: tuple[str, ...] = ()
    without_kinds: tuple[Kind, ...] = ()


def lease(tx: sa.Connection, site: str, wanted: Wanted) -> list[Row]:
    """Leases due URLs, the most urgent first: listings before articles, then the longest due.

    A lease that has run out counts as due.
    """
    now = wanted.now
    due = sa.or_(
        sa.and_(table.c.state.in_([State.PENDING, State.DONE]), table.c.due_at <= now),
        sa.and_(table.c.state == State.LEASED, table.c.leased_until <= now),
    )
    fresh = sa.or_(table.c.last_fetched.is_(None), table.c.last_fetched < wanted.not_since)
    chosen = sa.select(table).where(table.c.site == site, due, fresh, table.c.host.not_in(wanted.without_hosts))
    if wanted.without_kinds:
        chosen = chosen.where(table.c.kind.not_in(wanted.without_kinds))
    chosen = chosen.order_by(table.c.priority.desc(), table.c.due_at, table.c.id).limit(wanted.most)
    rows = [_row(found) for found in tx.execute(chosen.with_for_update(skip_locked=True))]
    if rows:
        ids = [row.id for row in rows]
        tx.execute(table.update().where(table.c.id.in_(ids)).values(state=State.LEASED, leased_until=wanted.until))
    return rows


def wake(tx: sa.Connection, site: str, url: str, due_at: float, *, not_since: float = math.inf) -> None:
    """Makes a known URL due, unless it is leased or set aside, was asked since `not_since` (seconds since the epoch), or its
    own answer asked us to wait until later."""
    free = sa.or_(table.c.reason.is_(None), table.c.reason != RETRY_AFTER, table.c.due_at <= due_at)
    unasked = sa.or_(table.c.last_fetched.is_(None), table.c.last_fetched < not_since)
    asleep = sa.and_(table.c.site == site, table.c.url == url, table.c.state.in_([State.DONE, State.PENDING]), free, unasked)
    tx.execute(table.update().where(asleep).values(due_at=due_at))


_UNREAD = dict.fromkeys(("complete_at", "last_changed", "interval", "hints", "etag", "last_modified"), None)
"""of a list that was never read as what it is; what its bytes are is known all the same (`captured_at`)"""


def begin(tx: sa.Connection, site: str, starts: Iterable[NewUrl], now: float) -> list[str]:
    """Makes those lists known where a run begins, whatever they were before; the URLs of those that may not be asked, for they
    were taken down. One that was set aside is due again. What was known as another kind, or as a later page of a list, is a
    list of its own from now on, read by no one yet. What a list that is well knows stays, and so does its own wish to wait."""
    named: dict[str, NewUrl] = {}
    for one in starts:
        named.setdefault(one.url, one)
    discover(tx, site, named.values(), now)
    for one in named.values():
        _begin(tx, site, one, now)
    gone = sa.select(table.c.url).where(table.c.site == site, table.c.url.in_(list(named)), table.c.reason == Reason.TAKEN_DOWN)
    return sorted(tx.scalars(gone))


def _begin(tx: sa.Connection, site: str, one: NewUrl, now: float) -> None:
    free = sa.and_(table.c.site == site, table.c.state != State.LEASED, sa.func.coalesce(table.c.reason, "") != Reason.TAKEN_DOWN)
    mine = sa.and_(free, table.c.url == one.url)
    waits = sa.and_(table.c.reason == RETRY_AFTER, table.c.due_at > now)
    due = {
        "state": State.PENDING,
        "tries": 0,
        "reason": sa.case((waits, table.c.reason), else_=None),
        "due_at": sa.case((waits, table.c.due_at), else_=one.due_at),
    }
    is_other = sa.or_(table.c.kind != one.kind, table.c.page != one.page, table.c.chain.is_not(None))
    as_new = {"kind": one.kind, "page": one.page, "chain": None, "visits": 0}
    tx.execute(table.update().where(mine, is_other).values(**_UNREAD, **as_new, **due))
    tx.execute(table.update().where(mine, table.c.state == State.SET_ASIDE).values(**due))
    tx.execute(table.update().where(mine).values(depth=one.depth, priority=one.priority))
    later = sa.and_(free, table.c.chain == one.url, table.c.kind != one.kind)  # due when the first page leads to them
    tx.execute(table.update().where(later).values(**_UNREAD, kind=one.kind, tries=0))


ARCHIVED = frozenset({Kind.CDX, Kind.RECORD, Kind.ROBOTS})
"""what hosts of other archives may be asked for"""

_BACK = {"state": State.PENDING, "tries": 0, "reason": None}
"""due as before it was set aside"""


def keep_to(tx: sa.Connection, site: str, hosts: Collection[str]) -> int:
    """Sets aside what lies on hosts that are not (or no longer) the site's, and makes due again what was set aside so and lies on
    one that is; how much was set aside."""
    mine = sa.and_(table.c.site == site, table.c.kind.not_in(ARCHIVED))
    asked = table.c.state.in_([State.PENDING, State.DONE])
    back = sa.and_(mine, table.c.state == State.SET_ASIDE, table.c.reason == Reason.OUT_OF_SCOPE, table.c.host.in_(hosts))
    tx.execute(table.update().where(back).values(_BACK))
    gone = tx.execute(
        table.update().where(mine, asked, table.c.host.not_in(hosts)).values(state=State.SET_ASIDE, reason=Reason.OUT_OF_SCOPE)
    )
    return int(gone.rowcount)


def keep_to_rules(tx: sa.Connection, site: str, hosts: Collection[str], digest: str, fits: Callable[[str], bool]) -> int:
    """The same for articles whose URL no rule `fits` (any more); nothing where the rules have the same `digest` as the last time."""
    if tx.scalar(sa.select(info.c.value).where(info.c.key == RULES + site)) == digest:
        return 0
    is_aside = sa.and_(table.c.state == State.SET_ASIDE, table.c.reason == NO_RULE)
    asked = sa.and_(table.c.host.in_(hosts), sa.or_(is_aside, table.c.state.in_([State.PENDING, State.DONE])))
    rows = sa.select(table.c.id, table.c.url, table.c.state).where(table.c.site == site, table.c.kind == Kind.ARTICLE, asked)
    gone: list[int] = []
    back: list[int] = []
    for number, url, state in tx.execute(rows, execution_options={"yield_per": 1_000}):
        was_aside = state == State.SET_ASIDE
        if fits(url) == was_aside:
            (back if was_aside else gone).append(number)
    for numbers, values in ((back, _BACK), (gone, {"state": State.SET_ASIDE, "reason": NO_RULE})):
        for n in range(0, len(numbers), 500):
            tx.execute(table.update().where(table.c.id.in_(numbers[n : n + 500])).values(values))
    upsert(tx, info, {"key": RULES + site, "value": digest})
    return len(gone)


def set_aside(tx: sa.Connection, site: str, urls: Iterable[str], reason: str) -> None:
    """Gives URLs up for good; what a list said of them goes."""
    mine = sa.and_(table.c.site == site, table.c.url.in_(list(urls)))
    tx.execute(table.update().where(mine).values(state=State.SET_ASIDE, reason=reason, leased_until=None, hints=None))


def release(tx: sa.Connection, ids: Iterable[int]) -> None:
    """Gives leases back untried, due as before."""
    tx.execute(
        table.update().where(table.c.id.in_(list(ids)), table.c.state == State.LEASED).values(state=State.PENDING, leased_until=None)
    )


def release_all(tx: sa.Connection, site: str) -> int:
    """Gives back every lease of a site: for the start of a run, whose lock says that nobody else holds one."""
    held = sa.and_(table.c.site == site, table.c.state == State.LEASED)
    return int(tx.execute(table.update().where(held).values(state=State.PENDING, leased_until=None)).rowcount)


def nothing_after(tx: sa.Connection, site: str, now: float) -> int:
    """Takes back what was written down by a clock that has been set back since; how many rows that were. They would count as
    asked, or found, in this run; those that wait for their turn would wait until the old time comes."""
    from_then = sa.or_(table.c.discovered_at > now, table.c.last_fetched > now, table.c.complete_at > now)
    names = ("discovered_at", "last_fetched", "complete_at")
    times = {name: sa.case((table.c[name] > now, now - 1), else_=table.c[name]) for name in names}
    due = sa.case((sa.and_(table.c.state != State.DONE, table.c.due_at > now), now), else_=table.c.due_at)
    return int(tx.execute(table.update().where(table.c.site == site, from_then).values(due_at=due, **times)).rowcount)


def settle(tx: sa.Connection, url_id: int, values: Mapping[str, Any]) -> None:
    """Ends a lease: the row's new state and all that was learnt."""
    _settling(("leased_until", *values)).run(tx, {"number": url_id, "leased_until": None, **values})


_UNLEASED = table.c.state != State.LEASED


def settle_unleased(tx: sa.Connection, url_id: int, values: Mapping[str, Any]) -> None:
    """What was learnt of a row by other means than its lease: nothing where it has one."""
    _settling(tuple(values), _UNLEASED).run(tx, {"number": url_id, **values})


@lru_cache
def _settling(names: tuple[str, ...], *conditions: sa.ColumnElement[bool]) -> Prepared:
    return Prepared(table.update().where(table.c.id == given("number"), *conditions), names)


def counts(tx: sa.Connection, site: str) -> dict[tuple[str, str], int]:
    """How many URLs there are by (kind, state)."""
    rows = tx.execute(
        sa.select(table.c.kind, table.c.state, sa.func.count()).where(table.c.site == site).group_by(table.c.kind, table.c.state)
    )
    return {(kind, state): count for kind, state, count in rows}


def _row(found: sa.Row[Any]) -> Row:
    values = {name: getattr(found, name) for name in Row.__dataclass_fields__}
    values.update(kind=Kind(found.kind), hints=Hints(**json.loads(found.hints or "{}")))
    return Row(**values)
