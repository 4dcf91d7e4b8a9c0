"""Which stored articles a text is related to, and the edges that say so. SQL; what a relation *is* decides dedup."""

from __future__ import annotations

import sqlalchemy as sa

from pipelines.archive import stored
from pipelines.archive.catalogue import upsert
from pipelines.archive.schema import article, edge
from pipelines.dedup import fingerprint, relate
from pipelines.model import Article


def redraw(tx: sa.Connection, name: str, now: Article) -> set[str]:
    """Draws the edges of an article's new text, in place of those of its old one.

    Returns every article whose cluster that may change: the neighbours that were and those that are.
    """
    former = forget(tx, name)
    related = set()
    for other, theirs in stored.current(tx, _candidates(tx, name, now)).items():
        relation = relate(now, theirs, name=other)
        if relation is None:
            continue
        low, high = sorted((name, other))
        inner = None if relation.inside is None else (name if relation.inside else other)
        upsert(tx, edge, {"low": low, "high": high, "kind": relation.verdict, "similarity": relation.similarity, "inner": inner})
        related.add(other)
    return former | related


def forget(tx: sa.Connection, name: str) -> set[str]:
    """Takes an article out of the index and of the graph; the neighbours that it had."""
    incident = sa.or_(edge.c.low == name, edge.c.high == name)
    former = {other for row in tx.execute(sa.select(edge).where(incident)) for other in (row.low, row.high)} - {name}
    tx.execute(edge.delete().where(incident))
    return former


def _candidates(tx: sa.Connection, name: str, now: Article) -> set[str]:
    same = sa.select(article.c.id).where(article.c.comparison_digest == fingerprint.text_digest(now.text), article.c.id != name)
    return set(tx.scalars(same))
