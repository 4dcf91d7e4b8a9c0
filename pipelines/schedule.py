"""When an article is asked again, and on what condition. Pure: rows, captures, outcomes and the time go in, a row's new values come
out. A crawl asks as it visits, a replay as it reads what a crawl of then has visited.

    article           1 h, 6 h, 1 d, 7 d and 30 d after it was published, then never again (corrections come early)
    denied part       of an article, never there: as what failed, and once more after 25 h; then it sleeps until the page before
                      leads to it again (docs/decisions/0012)
    denied article    one that was there and is said to be gone: after 25 h, 7 d and 30 d (docs/decisions/0004)
    may be over soon  in the next run, `Politeness.tries` times; then, a page in trouble and one that was read once, ever more
                      rarely, every 90 days in the end: 5 requests in its first month, 4 a year from the fifth on. Any other
                      is set aside with its reason
    a later part      when the page before it leads to it, sent again or confirmed: it may have changed alone
    of no rule        set aside; at once when an `article` rule of the seeds file fits its URL (again)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipelines.archive.article_record import timestamp
from pipelines.archive.ledger import Outcome
from pipelines.archive.urltable import NO_RULE, NewUrl, Row, State
from pipelines.model import DENIED, Article, Capture, Kind, Reason, Rejection, Verdict
from pipelines.site import Site
from pipelines.urls import canonical, host_key, in_scope, is_article, request_url
from pipelines.validators import validators_of

HOUR, DAY = 3600.0, 86_400.0
REVISITS = (1 * HOUR, 6 * HOUR, 1 * DAY, 7 * DAY, 30 * DAY)
"""Ages in seconds at which a young article is asked again."""
DENIALS = (1 * DAY + HOUR, 7 * DAY, 30 * DAY)
"""Seconds after each denial in a row of a known article: the second comes behind history.CONFIRMED_AFTER, the others see
whether it is back."""
FIRST_WAIT, LONGEST_WAIT = DAY, 90 * DAY
"""Seconds after the last of its tries until an article that fails is asked again, doubled each time"""
NEVER = 253_402_300_799.0
"""9999-12-31: due when somebody says so."""
MAX_PARTS = 50
"""pages of one article; the longest seen in saved pages of the Founder sites has 12"""

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
IN_TROUBLE = frozenset({Reason.HTTP_ERROR, Reason.EMPTY, Reason.PARTIAL, Reason.CAPTCHA, Reason.CHALLENGE, Reason.MAINTENANCE})
"""Passing rejections that speak of the site's state and not of the page: it may be there all the same, however long they last."""
_LASTING = PASSING - IN_TROUBLE


def visited_article(
    row: Row, capture: Capture, outcome: Outcome | None, result: Article | Rejection | None, *, site: Site, now: float
) -> tuple[dict[str, Any], tuple[NewUrl, ...]]:
    """The values of an article's row after a visit that brought `capture`, which was read as `result` and is `outcome` to the
    archive, and the rows of what it leads to: the next page of the article, also of a page that is as it was."""
    word = outcome.word if outcome else Reason.NO_TEXT
    read = result if isinstance(result, Article) else None
    published, tries = read.published if read else None, site.politeness.tries
    later = canonical(row.url, site).part > 1 or (read is not None and read.part > 1)
    values = after_article(row, word, status=capture.status, published=published, tries=tries, now=now, is_later=later)
    if read is not None:
        values |= remembered(capture)
    if word == Reason.OUT_OF_SCOPE and not is_article(row.url, site):  # by itself, not by where it led to
        values |= {"state": State.SET_ASIDE, "reason": NO_RULE, "due_at": now}  # until a rule fits: urltable.keep_to_rules
    if later and values["state"] == State.DONE and not values["tries"]:
        values["due_at"] = NEVER  # its first page wakes it
    return values, _next_part(row, outcome.next_url if outcome else None, site, now)


def _next_part(row: Row, next_url: str | None, site: Site, now: float) -> tuple[NewUrl, ...]:
    if next_url is None or row.page >= MAX_PARTS or not in_scope(next_url, site):
        return ()
    here, there = canonical(row.url, site), canonical(next_url, site)
    if there.url != here.url or there.part <= here.part:
        return ()  # a chain that loops back, or leads elsewhere
    url = request_url(next_url)
    return (NewUrl(url=url, host=host_key(url), kind=Kind.ARTICLE, due_at=now, page=row.page + 1),)


def after_article(
    row: Row, outcome: str, *, status: int, published: datetime | None, tries: int, now: float, is_later: bool = False
) -> dict[str, Any]:
    """The values of an article's row after a visit that ended in `outcome` (a Verdict, a Reason or another word). `is_later`: it
    is no first page."""
    values = {**visited(row, status, now), "state": State.DONE}
    if outcome in DENIED and (row.captured_at is not None or is_later):
        denials = row.tries + 1 if row.reason in DENIED else 1  # in a row: errors before them are none
        due_at = _after_denial(denials, now) if row.captured_at is not None else _after_missing(denials, tries, now)
        return {**values, "tries": denials, "reason": outcome, "due_at": due_at}
    if outcome in PASSING:
        return {**values, "tries": row.tries + 1, "reason": outcome, **_after_trouble(row, outcome, tries, now)}
    if outcome in tuple(Reason) and outcome != Reason.NOT_MODIFIED:
        return {**values, "tries": 0, "reason": outcome, "due_at": NEVER}
    changed = outcome not in (Verdict.UNCHANGED, Reason.NOT_MODIFIED)
    born = published.timestamp() if published else row.discovered_at
    return {
        **values,
        "tries": 0,
        "reason": None,
        "due_at": next_revisit(born, now),
        "last_changed": now if changed else row.last_changed,
    }


def _after_denial(denials: int, now: float) -> float:
    return now + DENIALS[denials - 1] if denials <= len(DENIALS) else NEVER


def _after_missing(denials: int, tries: int, now: float) -> float:
    return now if denials < tries else now + DENIALS[0] if denials == tries else NEVER


def _after_trouble(row: Row, outcome: str, tries: int, now: float) -> dict[str, Any]:
    """Time, and state where that is another, after an answer that may pass."""
    if row.tries + 1 < tries:
        return {"due_at": now}
    lasts = outcome in _LASTING and (row.reason is None or row.reason in _LASTING)  # one 404 in a time of trouble is none
    if lasts and row.captured_at is None:
        return {"state": State.SET_ASIDE, "due_at": now}
    return {"due_at": now + rarer(row.tries + 1 - tries)}


def rarer(more: int) -> float:
    """Seconds until an article that failed in all of its tries, and `more` times since, is asked again."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(more, 10))


def next_revisit(born: float, now: float) -> float:
    """When an article born at `born` is due after a visit at `now`, all in seconds since the epoch."""
    return next((born + age for age in REVISITS if born + age > now), NEVER)


def visited(row: Row, status: int, now: float) -> dict[str, Any]:
    return {"last_status": status, "last_fetched": now, "visits": row.visits + 1}


def remembered(capture: Capture) -> dict[str, object]:
    """What the next visit sends back to the URL of the capture, and which record has the payload that a 304 from there confirms
    or a 200 repeats. Of a redirect's target nothing is sent to the address that led there (`Validators.are_of`): a 304 would
    confirm a page that nobody has seen."""
    seen = validators_of(capture)
    url, moment = capture.refers_to or (capture.url, capture.fetched_at)
    return {"etag": seen.etag, "last_modified": seen.last_modified, "captured_url": url, "captured_at": timestamp(moment)}
