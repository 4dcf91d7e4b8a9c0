"""Settling withdrawals at the end of whatever ingests: what a denial is worth depends on what came in after it, too. Which articles
are settled, and in which groups, is decided here; what becomes of one, in ledger.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from pipelines.archive.article_record import moment, timestamp
from pipelines.archive.catalogue import Catalogue
from pipelines.archive.denials import Verdicts, stretches, verdicts_on
from pipelines.archive.ledger import refold
from pipelines.archive.schema import IS_GONE, article, page
from pipelines.archive.stored import chunks, contents
from pipelines.dedup import history
from pipelines.model import Article

GROUP = 64
"""articles of one transaction: others that write wait for a fraction of a second, where all at once would take minutes for the
thousands of a site that moves"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """An article that was denied, or a later part of which was."""

    name: str
    site: str
    url: str


def settle_in_groups(catalogue: Catalogue, site: str | None = None, *, since: str | None = None) -> None:
    """`settle_withdrawals`, a transaction for each `GROUP` of articles. Each article is settled by itself, so that a process
    which ends between two groups leaves the rest as they were, for the next that settles.

    What denials are worth is asked once for all, before the first group: a group that asked again would read the pages of the same
    hours. Who writes such pages meanwhile settles at its own end, as it does where it begins after this one.
    """
    with catalogue.snapshot() as tx:
        articles = denied_since(tx, site, since=since)
        weighed = verdicts_on(tx, [one.name for one in articles])
    waiting = iter(articles)
    while group := list(islice(waiting, GROUP)):
        with catalogue.transaction() as tx:
            settle(tx, group, weighed)


def settle_withdrawals(tx: sa.Connection, site: str | None = None, *, since: str | None = None, near: Iterable[str] | None = None) -> None:
    """Folds the articles again (of a site) that were denied since a time (of the record), or around one of some times, or a later
    part of which was: what a denial is worth depends on what came in after it, too. All in the caller's transaction: whatever
    ingests ends with `settle_in_groups`."""
    settle(tx, denied_since(tx, site, since=since) if near is None else denied_near(tx, site, times=near))


def settle(tx: sa.Connection, articles: Sequence[Denied], weighed: Verdicts | None = None) -> None:
    """Folds some articles again. `weighed`: what denials of them are worth, where that was asked before."""
    if weighed is None:
        weighed = verdicts_on(tx, [one.name for one in articles])
    for one in articles:
        refold(tx, one.site, one.url, one.name, weighed=weighed)


def denied_since(tx: sa.Connection, site: str | None = None, *, since: str | None = None) -> list[Denied]:
    """The articles (of a site) that are to be settled: all, or those of which something was denied since a time, or so shortly before
    that what was shown since then says how far that is to be believed."""
    recent = page.c.fetched_at >= timestamp(moment(since) - history.AROUND) if since is not None else sa.true()
    return [one for one in _denied(tx, recent) if site in (None, one.site)]


def denied_near(tx: sa.Connection, site: str | None = None, *, times: Iterable[str]) -> list[Denied]:
    """The articles (of a site) that were denied so near to one of some times that what was said then counts for it."""
    found = (one for low, high, _ in stretches(times) for one in _denied(tx, page.c.fetched_at.between(low, high)))
    return list({one.name: one for one in found if site in (None, one.site)}.values())


def _denied(tx: sa.Connection, when: sa.ColumnElement[bool]) -> list[Denied]:
    """Those that have a head, then those that have none and whose first page tells their site and URL."""
    denied = sa.select(article.c.id, article.c.site, article.c.url).join(page, page.c.article == article.c.id).where(IS_GONE, when)
    found = [Denied(name=name, site=of, url=url) for name, of, url in tx.execute(denied.distinct().order_by(article.c.id))]
    return [*found, *(Denied(name=name, site=first.site, url=first.url) for name, first in _awaiting(tx, when))]


def _awaiting(tx: sa.Connection, when: sa.ColumnElement[bool]) -> Iterator[tuple[str, Article]]:
    """Articles that have no head and a later part of which was denied, each with its first page."""
    has_head = sa.exists().where(article.c.id == page.c.article)
    denied = sa.select(page.c.article).where(IS_GONE, when, page.c.part > 1, ~has_head)
    first = sa.select(page.c.article, page.c.content).where(page.c.part == 1, page.c.content.is_not(None))
    found = {row.article: row.content for row in tx.execute(first.where(page.c.article.in_(denied)).order_by(page.c.article))}
    for part in chunks(list(found)):
        texts = contents(tx, {found[name] for name in part})
        yield from ((name, texts[found[name]]) for name in part)
