"""What a run may have missed, by the site's own counter: article numbers only grow (group `id` of the article rule).

Looked at is what was published since the run before: from the highest number known then to the highest found now, for each
host, whose counter it is. The first run that meets a host says nothing of it: what lies between the oldest and the newest
article that its lists happen to show is years of its past, and no list of it was ever promised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

import sqlalchemy as sa

from crawler.paging import day_of, gaps, number_of
from pipelines.archive.schema import url as table
from pipelines.model import Kind, Link
from pipelines.site import Site
from pipelines.urls import host_key

ROWS_AT_ONCE = 1_000
UNDATED = date.min
"""stands for the day of an article whose URL has none"""


def gaps_of(tx: sa.Connection, site: Site, started: float) -> dict[str, dict[str, int]]:
    """By host, for a run that began at `started` (seconds since the epoch): how many numbers were `covered`, how many of them
    `seen`, how many are `missing`. Hosts that are new, or on which nothing was found, are left out, and so is a site without
    numbers."""
    if not any("id" in rule.groupindex for rule in site.discover.article):
        return {}
    found: dict[str, dict[int, date]] = defaultdict(dict)
    for host, number, url in _numbers(tx, site, table.c.discovered_at >= started):
        found[host][number] = _day(url, site)
    last: dict[str, tuple[int, str]] = {}
    for host, number, url in _numbers(tx, site, table.c.discovered_at < started) if found else ():
        if host not in last or number > last[host][0]:
            last[host] = number, url
    before = {host: (number, _day(url, site)) for host, (number, url) in last.items()}
    return {host: said for host, numbers in sorted(found.items()) if (said := _said(numbers, before.get(host)))}


def _said(numbers: dict[int, date], last: tuple[int, date] | None) -> dict[str, int] | None:
    """None where nothing was known before, or only old articles were found: they say nothing about the days since."""
    new = {number: day for number, day in numbers.items() if last is not None and number > last[0]}
    if last is None or not new:
        return None
    told = gaps([*new.items(), last])
    return {"covered": told.covered, "seen": told.seen, "missing": told.missing}


def _numbers(tx: sa.Connection, site: Site, when: sa.ColumnElement[bool]) -> Iterator[tuple[str, int, str]]:
    """Host, number and address of the known article URLs; never more than some rows in memory. Of an archive's whole past: the
    day, which costs more than all the rest, is for those that need it."""
    mine = sa.select(table.c.url).where(table.c.site == site.name, table.c.kind == Kind.ARTICLE, when)
    for url in tx.scalars(mine, execution_options={"yield_per": ROWS_AT_ONCE}):
        if (number := number_of(url, site)) is not None:
            yield _host("/".join(url.split("/", 3)[:3])), number, url


_host = lru_cache(maxsize=64)(host_key)


def _day(url: str, site: Site) -> date:
    return day_of(Link(url=url, kind=Kind.ARTICLE), site) or UNDATED
