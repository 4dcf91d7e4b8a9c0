"""What is due, and when. Pure: rows, outcomes and the time go in, a row's new values come out.

A URL is asked again by what it is:
    start listing     in every run: how often a site is looked at is the operator's schedule
    other listing     by how often it changes, every 90 minutes to 90 days; its later pages when the page before says go on
    article           by its age, and whether it is denied: pipelines/schedule.py
    index             of another archive: once; one that may grow, every 30 days
    record            a capture that another archive has: once, behind everything else
    asked to wait     when its answer said, a day later at most: a Retry-After over `max_retry_after`
    failed            in the next run, `Politeness.tries` times, then it is set aside with its reason; an article that nobody
                      answered for is asked ever more rarely instead, a later page of a list too, and when the page before
                      leads to it
    not asked         as before: what robots.txt, the host or the end of the run forbade is not the URL's fault
"""

from __future__ import annotations

from typing import Any

from crawler.guard import POSTPONED
from pipelines.archive.urltable import RETRY_AFTER, Row, State
from pipelines.model import Kind
from pipelines.schedule import DAY, HOUR, LONGEST_WAIT, NEVER, rarer, visited
from pipelines.stages import OUR_FAULT

LISTING_PRIORITY = 100
RECORD_PRIORITY = -100
OLD_PRIORITY = -50
"""of an article's own address that only an index of another archive knows: old pages crowd no new ones out"""
INDEX_INTERVAL = 30 * DAY
"""an index of an archive that goes on; a new crawl of Common Crawl, too, comes once a month, and has an index of its own"""
FIRST_INTERVAL, LEAST_INTERVAL, MOST_INTERVAL = 6 * HOUR, 1.5 * HOUR, LONGEST_WAIT
SLOWER, FASTER = 1.5, 0.8
"""news-crawl's and Nutch's adaptive schedule: interval x1.5 when unchanged, x0.8 when changed, 90 min to 90 days."""

RUN_ENDED = "run_ended"
NOT_ITS_FAULT = POSTPONED | {"robots"}
"""Failures that say nothing about the URL: they count as no try of it."""
REFUSED = frozenset({"address", "out_of_scope", "redirect_loop", "redirect_refused", "refused", "scheme", "too_large", OUR_FAULT})
"""Failures that are no trouble of the site or the network: what our rules refuse, and a fault of our own code."""


def after_listing(row: Row, *, status: int, changed: bool, stays_due: bool, now: float) -> dict[str, Any]:
    """The values of a list's row after a visit that was read. `stays_due`: a run begins there, or has left something of it to
    the next one."""
    interval = next_interval(row.interval, changed=changed)
    return {
        **visited(row, status, now),
        "state": State.DONE,
        "tries": 0,
        "reason": None,
        "interval": interval,
        "due_at": now if stays_due else NEVER if row.page > 1 else now + interval,
        "last_changed": now if changed else row.last_changed,
    }


def after_index(row: Row, *, status: int, is_final: bool, is_whole: bool, now: float) -> dict[str, Any]:
    """The values of a row of an archive's index after a visit that was read. `is_final`: it can never answer otherwise;
    `is_whole`: this run took all of it, so that another need not ask."""
    due_at = now + INDEX_INTERVAL if row.page == 1 and not is_final else NEVER
    return {**visited(row, status, now), "state": State.DONE, "tries": 0, "reason": None, "due_at": due_at if is_whole else now}


def after_record(row: Row, *, status: int, now: float) -> dict[str, Any]:
    """The values of a row of a capture that another archive had: it is ours now, and never asked again."""
    return {**visited(row, status, now), "state": State.DONE, "tries": 0, "reason": None, "due_at": NEVER}


def after_failure(
    row: Row,
    reason: str,
    *,
    tries: int | None,
    now: float,
    status: int | None = None,
    due_at: float | None = None,
    stays: bool = False,
) -> dict[str, Any]:
    """The values of a row whose visit brought nothing: due again in the next run (or at `due_at`, where its answer asked us to
    wait), or set aside after `tries` (None: never). A list that `stays` is not set aside, but asked ever more rarely, and so is
    an article that our rules do not refuse, or that was read once."""
    if reason == RUN_ENDED:
        return {"state": State.PENDING}
    learnt = {"reason": reason, "last_fetched": now, "last_status": status}
    if reason in NOT_ITS_FAULT:
        return {**learnt, "state": State.PENDING}
    counted, due_at = row.tries + 1, now if due_at is None else due_at
    learnt |= {"tries": counted}
    if tries is None or counted < tries:
        return {**learnt, "state": State.PENDING, "due_at": due_at}
    if row.kind is Kind.ARTICLE and (reason not in REFUSED or row.captured_at is not None):
        return {**learnt, "state": State.DONE, "due_at": max(due_at, now + rarer(counted - tries))}
    if stays:
        interval = next_interval(row.interval, changed=False)
        until = due_at if reason == RETRY_AFTER else now + interval  # nobody wakes what asked to wait
        return {**learnt, "state": State.DONE, "interval": interval, "due_at": until}
    return {**learnt, "state": State.SET_ASIDE, "due_at": due_at}


def next_interval(interval: float | None, *, changed: bool) -> float:
    """The adaptive interval of a list, in seconds."""
    factor = FASTER if changed else SLOWER
    return min(MOST_INTERVAL, max(LEAST_INTERVAL, (interval or FIRST_INTERVAL) * factor))


def priority(kind: Kind) -> int:
    """Lists go before articles: what they show moves on while the run lasts."""
    return {Kind.ARTICLE: 0, Kind.RECORD: RECORD_PRIORITY}.get(kind, LISTING_PRIORITY)
