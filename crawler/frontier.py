"""What is due, and when. Pure: rows, outcomes and the time go in, a row's new values come out.

A URL is asked again by what it is:
    start listing     in every run: how often a site is looked at is the operator's schedule
    later list page   only when the page before it says go on
    article           1 h, 6 h, 1 d, 7 d and 30 d after it was published, then never again (corrections come early)
    failed            in the next run, `Politeness.tries` times, then it is set aside with its reason
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipelines.archive.urltable import Row, State
from pipelines.model import Kind, Reason, Verdict

HOUR, DAY = 3600.0, 86_400.0
REVISITS = (1 * HOUR, 6 * HOUR, 1 * DAY, 7 * DAY, 30 * DAY)
"""Ages in seconds at which a young article is asked again."""
NEVER = 253_402_300_799.0
"""9999-12-31: due when somebody says so."""
LISTING_PRIORITY = 100
FIRST_INTERVAL, LEAST_INTERVAL, MOST_INTERVAL = 6 * HOUR, 1.5 * HOUR, 90 * DAY
SLOWER, FASTER = 1.5, 0.8
"""news-crawl's and Nutch's adaptive schedule: interval x1.5 when unchanged, x0.8 when changed, 90 min to 90 days."""

PASSING = frozenset(
    {
        Reason.HTTP_ERROR,
        Reason.EMPTY,
        Reason.PARTIAL,
        Reason.BAD_ENCODING,
        Reason.SOFT_404,
        Reason.CAPTCHA,
        Reason.CHALLENGE,
        Reason.LOGIN,
        Reason.MAINTENANCE,
        Reason.GONE,
        Reason.REDIRECT,
    }
)
"""Rejections that may be over at the next visit. All others are final for the same bytes: new rules read them from the WARC."""


def after_article(row: Row, outcome: str, *, status: int, published: datetime | None, now: float) -> dict[str, Any]:
    """The values of an article's row after a visit that ended in `outcome` (a Verdict, a Reason or another word)."""
    values = _visited(row, status, now)
    if outcome in PASSING:
        return {**values, "state": State.DONE, "tries": row.tries + 1, "reason": outcome, "due_at": now}
    if outcome in tuple(Reason) and outcome != Reason.NOT_MODIFIED:
        return {**values, "state": State.DONE, "tries": 0, "reason": outcome, "due_at": NEVER}
    changed = outcome not in (Verdict.UNCHANGED, Reason.NOT_MODIFIED)
    born = published.timestamp() if published else (row.last_fetched or now) if row.visits == 0 else row.discovered_at
    return {
        **values,
        "state": State.DONE,
        "tries": 0,
        "reason": None,
        "due_at": next_revisit(born, now),
        "last_changed": now if changed else row.last_changed,
    }


def after_listing(row: Row, *, status: int, changed: bool, is_start: bool, now: float) -> dict[str, Any]:
    """The values of a list's row after a visit that was read."""
    return {
        **_visited(row, status, now),
        "state": State.DONE,
        "tries": 0,
        "reason": None,
        "interval": next_interval(row.interval, changed=changed),
        "due_at": now if is_start else NEVER,
        "last_changed": now if changed else row.last_changed,
    }


def after_failure(row: Row, reason: str, *, tries: int, now: float, status: int | None = None) -> dict[str, Any]:
    """The values of a row whose visit brought nothing: due again in the next run, or set aside after `tries`."""
    counted = row.tries + 1
    state = State.SET_ASIDE if counted >= tries else State.PENDING
    return {"state": state, "tries": counted, "reason": reason, "due_at": now, "last_fetched": now, "last_status": status}


def set_aside_if_tired(values: Mapping[str, Any], tries: int) -> dict[str, Any]:
    """The same values, with the row set aside when it has failed often enough."""
    tired = values.get("tries", 0) >= tries
    return {**values, "state": State.SET_ASIDE} if tired else dict(values)


def next_revisit(born: float, now: float) -> float:
    """When an article born at `born` is due after a visit at `now`, all in seconds since the epoch."""
    return next((born + age for age in REVISITS if born + age > now), NEVER)


def next_interval(interval: float | None, *, changed: bool) -> float:
    """The adaptive interval of a list, in seconds."""
    factor = FASTER if changed else SLOWER
    return min(MOST_INTERVAL, max(LEAST_INTERVAL, (interval or FIRST_INTERVAL) * factor))


def _visited(row: Row, status: int, now: float) -> dict[str, Any]:
    return {"last_status": status, "last_fetched": now, "visits": row.visits + 1}


def priority(kind: Kind) -> int:
    """Lists go before articles: what they show moves on while the run lasts."""
    return 0 if kind is Kind.ARTICLE else LISTING_PRIORITY
