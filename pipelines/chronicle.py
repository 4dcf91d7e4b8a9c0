"""What became of one article: its revisions with their dates and differences, its status, its cluster. Reading only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipelines.archive import stored
from pipelines.archive.article_record import article_id
from pipelines.archive.schema import article, capture, page, revision, tombstone
from pipelines.dedup import history
from pipelines.errors import ConfigurationError
from pipelines.model import Article, Kind

WHAT: dict[str, str] = {
    Kind.LISTING: "list",
    Kind.JSONP: "list",
    Kind.FEED: "feed",
    Kind.SITEMAP: "sitemap",
    Kind.CDX: "list of captures of another archive",
    Kind.ROBOTS: "robots.txt",
}
"""what was fetched as such, and read as no article: then its outcome is its kind"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One revision. `change` is its difference class to the one before, None for the first."""

    number: int
    fetched_at: str
    change: str | None
    warc: str
    """file:offset of its capture"""
    article: Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Chronicle:
    head: sa.Row[Any]
    last_seen: str
    """to the visit: the record tells it in steps (decisions/0005)"""
    chapters: tuple[Chapter, ...]
    """oldest first"""
    relatives: tuple[sa.Row[Any], ...]
    """the other articles of its cluster"""


def chronicle(tx: sa.Connection, names: Sequence[str]) -> Chronicle:
    """The article that has one of these names: canonical URLs or ids. Raises ConfigurationError where there is none."""
    ids = sorted({*names, *map(article_id, names)})
    head = tx.execute(sa.select(article).where(article.c.id.in_(ids))).first()
    if head is None:
        raise ConfigurationError(_absent(tx, ids, names))
    relatives = sa.select(article).where(article.c.cluster == head.cluster, article.c.id != head.id).order_by(article.c.url)
    return Chronicle(
        head=head, last_seen=_last_seen(tx, head), chapters=tuple(_chapters(tx, head.id)), relatives=tuple(tx.execute(relatives))
    )


def _last_seen(tx: sa.Connection, head: sa.Row[Any]) -> str:
    shown = sa.and_(page.c.article == head.id, page.c.part == 1, page.c.kind != history.PageKind.GONE)
    newest: str | None = tx.scalar(sa.select(sa.func.max(page.c.fetched_at)).where(shown))
    return newest or str(head.last_seen)


def _absent(tx: sa.Connection, ids: Sequence[str], names: Sequence[str]) -> str:
    """What is known of something that is no article."""
    stone = tx.execute(sa.select(tombstone).where(tombstone.c.article.in_(ids))).first()
    if stone is not None:
        why = stone.reason or f"why is not known here, as {stone.file} alone tells of it"
        return f"{stone.url or names[0]} was taken down on {stone.at[:10]}: {why}."
    seen = tx.execute(sa.select(capture).where(capture.c.url.in_(names)).order_by(capture.c.fetched_at.desc())).first()
    if seen is not None and (what := WHAT.get(seen.outcome)) is not None:
        return f"{seen.url} is a {what} and no article. It was fetched on {seen.fetched_at[:10]}, and answered {seen.status}."
    if seen is not None:
        why = f"{seen.outcome} ({seen.detail})" if seen.detail else seen.outcome
        return f"{seen.url} was fetched on {seen.fetched_at[:10]} and is no article: {why}."
    return f"The archive knows no article {names[0]}. Name its URL, or its id as it stands in the record."


def _chapters(tx: sa.Connection, name: str) -> list[Chapter]:
    columns = (capture.c.file, capture.c.offset)
    made = sa.select(revision, *columns).join(capture, capture.c.id == revision.c.capture).where(revision.c.article == name)
    rows = tx.execute(made.order_by(revision.c.number)).all()
    parts = {row.number: json.loads(row.content) for row in rows}
    texts = stored.contents(tx, {one for several in parts.values() for one in several})
    return [
        Chapter(
            number=row.number,
            fetched_at=row.fetched_at,
            change=row.change,
            warc=f"{row.file}:{row.offset}",
            article=history.join([texts[one] for one in parts[row.number]]),
        )
        for row in rows
    ]
