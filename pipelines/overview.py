"""An archive at a glance: how much there is of what, what happened last, what is due next. Reading only."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.archive import Archive, stored
from pipelines.archive.schema import article, run, url
from pipelines.archive.urltable import State

FOR_COMPARISON = 7
"""earlier runs that a run is held against: a week of nights"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One crawl. Times as in the record. `ended` is None while it runs or when it was killed, `ledger` also when a fault ended it."""

    id: int
    site: str
    started: str
    ended: str | None
    status: int | None
    ledger: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The URLs of a site. `next_due` in seconds since the epoch, None where none will ever be."""

    states: dict[str, int]
    due: int
    next_due: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    articles: dict[str, dict[str, int]]
    """site -> status, and "shown" -> how many"""
    clusters: int
    shared: int
    """clusters of more than one article"""
    largest: int
    awaiting: list[tuple[str, str]]
    """site and URL of each article that waits for a page of its own"""
    frontiers: dict[str, Frontier]
    runs: dict[str, list[Run]]
    """site -> its runs, the newest first, at most `FOR_COMPARISON` before the last"""
    cursor: int
    warc_files: int
    warc_bytes: int
    catalogue_bytes: int


def glance(archive: Archive, now: float) -> Glance:
    """The archive at one moment; `now` in seconds since the epoch."""
    with archive.catalogue.snapshot() as tx:
        clusters, shared, largest = tx.execute(_CLUSTERS).one()
        warc = _sizes(archive.warc_folder, "*.warc*")
        return Glance(
            articles=_articles(tx),
            clusters=clusters,
            shared=shared,
            largest=largest or 0,
            awaiting=stored.awaiting(tx),
            frontiers={site: _frontier(tx, site, now) for site in tx.scalars(sa.select(url.c.site).distinct().order_by(url.c.site))},
            runs={site: runs(tx, site) for site in tx.scalars(sa.select(run.c.site).distinct().order_by(run.c.site))},
            cursor=stored.cursor(tx),
            warc_files=len(warc),
            warc_bytes=sum(warc),
            catalogue_bytes=sum(_sizes(archive.path, "catalogue.db*")),
        )


_SIZES = sa.select(sa.func.count(article.c.id).label("size")).group_by(article.c.cluster).subquery()
_CLUSTERS = sa.select(sa.func.count(), sa.func.count().filter(_SIZES.c.size > 1), sa.func.max(_SIZES.c.size)).select_from(_SIZES)


def _articles(tx: sa.Connection) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    counted = sa.select(article.c.site, article.c.status, article.c.shown, sa.func.count())
    for site, status, shown, count in tx.execute(counted.group_by(article.c.site, article.c.status, article.c.shown)):
        found.setdefault(site, Counter()).update({status: count, "shown": count if shown else 0})
    return {site: dict(found[site]) for site in sorted(found)}


def _frontier(tx: sa.Connection, site: str, now: float) -> Frontier:
    mine = url.c.site == site
    states = tx.execute(sa.select(url.c.state, sa.func.count().label("n")).where(mine).group_by(url.c.state)).all()
    waiting = sa.and_(mine, url.c.state.in_([State.PENDING, State.DONE]))
    due, first = tx.execute(
        sa.select(sa.func.count().filter(url.c.due_at <= now), sa.func.min(url.c.due_at)).select_from(url).where(waiting)
    ).one()
    return Frontier(states={row.state: row.n for row in states}, due=due, next_due=first)


def runs(tx: sa.Connection, site: str, *, until: int | None = None) -> list[Run]:
    """The runs of a site up to and with number `until`, the newest first; at most `FOR_COMPARISON` more than one."""
    chosen = sa.select(run).where(run.c.site == site, sa.true() if until is None else run.c.id <= until)
    rows = tx.execute(chosen.order_by(run.c.id.desc()).limit(1 + FOR_COMPARISON))
    return [as_run(row) for row in rows]


def as_run(row: sa.Row[Any]) -> Run:
    ledger = None if row.ledger is None else json.loads(row.ledger)
    return Run(id=row.id, site=row.site, started=row.started, ended=row.ended, status=row.status, ledger=ledger)


def _sizes(folder: Path, pattern: str) -> list[int]:
    return [file.stat().st_size for file in folder.rglob(pattern) if file.is_file()]
