"""How far denials are to be believed: whether their host was well around each (dedup.history.is_credible). Nothing is written.

What a denial is worth is the same for every article that its host denied at that time, so it is known by host and time. The pages
around many denials are read once, in order of time, and two ends of a window pass over them: the cost grows with the denials and
the pages around them, not with the one times the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa

from pipelines.archive.article_record import moment, timestamp
from pipelines.archive.prepared import Among, Prepared, given
from pipelines.archive.schema import IS_GONE, capture, page
from pipelines.archive.stored import chunks
from pipelines.dedup import history
from pipelines.urls import host_key

STRETCH = timedelta(hours=12)
"""of time, of which the pages are in memory at once, and an hour on either side: at 2 s a request a host gives 25,000"""
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]+)?/")
"""as nearly every URL begins; what comes behind it says nothing of the host"""
_NEAR = page.c.fetched_at.between(given("low"), given("high"))
_SAID = Prepared(
    sa.select(page.c.fetched_at, page.c.article, page.c.part, page.c.kind, capture.c.url)
    .join(capture, capture.c.id == page.c.capture)
    .where(_NEAR)
    .order_by(page.c.fetched_at)
)
_DENIALS = Prepared(
    sa.select(page.c.fetched_at, capture.c.url)
    .join(capture, capture.c.id == page.c.capture)
    .where(Among(page.c.article, "names"), IS_GONE)
    .distinct()
)


class Denial(NamedTuple):
    """A host, and a time at which it denied something."""

    host: str
    at: str


Verdicts = Mapping[Denial, bool]
"""which denials are believed"""


Part = tuple[str, int]
"""of an article: its id, and the part's number"""
Said = tuple[str, Part, bool]
"""what a page of a host said: when, of what, and whether it denied that"""


def denial(url: str, at: str) -> Denial:
    """The denial that a page of this URL is."""
    return Denial(host_of(url), at)


def verdicts_on(tx: sa.Connection, names: Sequence[str]) -> Verdicts:
    """Of everything that ever denied some articles."""
    found = (row for part in chunks(names) for row in _DENIALS.rows(tx, {"names": part}))
    return verdicts(tx, {denial(row.url, row.fetched_at) for row in found})


def verdicts(tx: sa.Connection, denials: Iterable[Denial]) -> Verdicts:
    """Of each of some denials."""
    times: dict[str, list[str]] = {}
    for host, at in denials:
        times.setdefault(at, []).append(host)
    found: dict[Denial, bool] = {}
    for low, high, stretch in stretches(times):
        asked: dict[str, list[str]] = {}
        for at in stretch:
            for host in times[at]:
                asked.setdefault(host, []).append(at)
        said = _said(tx, low, high, asked.keys())
        for host, ats in asked.items():
            found.update((Denial(host, at), is_credible) for at, is_credible in judged(ats, said[host]))
    return found


def stretches(times: Iterable[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Times in order, those together whose surroundings touch, up to a `STRETCH`; before each such group, from when to when they
    reach."""
    group: list[str] = []
    low = high = ends = ""
    for at in sorted(set(times)):
        begin, end = _around(at)
        if group and (begin > high or at > ends):
            yield low, high, group
            group = []
        if not group:
            low, ends = begin, timestamp(moment(at) + STRETCH)
        group.append(at)
        high = end
    if group:
        yield low, high, group


def _around(at: str) -> tuple[str, str]:
    when = moment(at)
    return timestamp(when - history.AROUND), timestamp(when + history.AROUND)


def _said(tx: sa.Connection, low: str, high: str, hosts: Iterable[str]) -> dict[str, list[Said]]:
    """What some hosts said in a time, in order."""
    found: dict[str, list[Said]] = {host: [] for host in hosts}
    gone = history.PageKind.GONE.value
    for at, article, part, kind, url in _SAID.tuples(tx, {"low": low, "high": high}):
        here = found.get(host_of(url))
        if here is not None:
            here.append((at, (article, part), kind == gone))
    return found


def judged(times: Iterable[str], said: Sequence[Said]) -> Iterator[tuple[str, bool]]:
    """Whether each of one host's denials is believed. Both are in order of time; pure."""
    first = behind = 0
    seen: dict[Part, int] = {}
    denied: dict[Part, int] = {}
    for at in times:
        low, high = _around(at)
        while behind < len(said) and said[behind][0] <= high:
            _, part, is_denied = said[behind]
            seen[part] = seen.get(part, 0) + 1
            if is_denied:
                denied[part] = denied.get(part, 0) + 1
            behind += 1
        while first < behind and said[first][0] < low:
            _, part, is_denied = said[first]
            _take(seen, part)
            if is_denied:
                _take(denied, part)
            first += 1
        yield at, history.is_credible(shown=len(seen) - len(denied), denied=len(denied))


def _take(counted: dict[Part, int], part: Part) -> None:
    if counted[part] == 1:
        del counted[part]
    else:
        counted[part] -= 1


def host_of(url: str) -> str:
    """`host_key`, which takes many URLs of few hosts apart only once for each host."""
    origin = url[: url.find("/", len("https://")) + 1]
    return _host_of_origin(origin) or host_key(url)


@lru_cache(maxsize=1024)
def _host_of_origin(origin: str) -> str:
    return host_key(origin) if _ORIGIN.fullmatch(origin) else ""
