"""What the corpus sees of the articles: which stand together, which of them represents the others, and every change of that in the feed.

What an article is stands in ledger.py, what articles are to each other in neighbours.py. As there, every function takes the
transaction of its caller and reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from pipelines.archive.article_record import canonical_json, digest
from pipelines.archive.prepared import Among, Prepared, given
from pipelines.archive.schema import article, change, edge
from pipelines.archive.stored import chunks, records, whole_articles
from pipelines.dedup import cluster
from pipelines.model import Status

_OF_ARTICLE = article.c.id == given("name")
_HEADS = Prepared(sa.select(article).where(Among(article.c.id, "names")))
_NEW_PLACE = Prepared(article.update().where(_OF_ARTICLE), ["cluster", "representative"])
_PUBLISHED = Prepared(article.update().where(_OF_ARTICLE), ["shown", "record_digest"])
_JOINED = Prepared(sa.select(edge).where(sa.or_(Among(edge.c.low, "names"), Among(edge.c.high, "names")), edge.c.kind.in_(cluster.JOINING)))
_CHANGE = Prepared(change.insert(), ["article", "op"])


def announce(tx: sa.Connection, name: str, op: str) -> None:
    """Numbers a change of what the corpus sees: "add", "modify" or "delete"."""
    _CHANGE.run(tx, {"article": name, "op": op})


def regroup(tx: sa.Connection, touched: Iterable[str]) -> None:
    """Recomputes the clusters that hold the given articles, and writes what the corpus sees of it to the feed."""
    members: set[str] = set()
    for start in sorted(touched):  # a piece that was split off holds a former neighbour, which is touched too
        if start not in members:
            piece = component(tx, start)
            members |= piece
            _elect(tx, piece)
    publish(tx, members)


def component(tx: sa.Connection, start: str) -> set[str]:
    """All articles joined to one by edges that merge."""
    found, frontier = {start}, [start]
    while frontier:
        rows = _JOINED.rows(tx, {"names": sorted(frontier)})
        reached = {name for row in rows for name in (row.low, row.high)}
        frontier = sorted(reached - found)
        found |= reached
    return found


def _elect(tx: sa.Connection, names: set[str]) -> None:
    rows = _HEADS.rows(tx, {"names": sorted(names)})
    heads = {row.id: row for row in rows}
    electable = [row for row in rows if row.status == Status.ACTIVE] or rows
    texts = whole_articles(tx, electable)
    chosen = cluster.elect([cluster.Member(id=row.id, article=texts[row.id]) for row in electable]).id
    label = min(names)
    for name in sorted(names):
        row = heads[name]
        if (row.cluster, row.representative) != (label, chosen):
            _NEW_PLACE.run(tx, {"name": name, "cluster": label, "representative": chosen})


def publish(tx: sa.Connection, names: Iterable[str]) -> None:
    """Compares what the corpus sees of some articles with what it saw, and numbers every change in the feed."""
    for part in chunks(sorted(set(names))):
        _publish(tx, part)


def _publish(tx: sa.Connection, names: Sequence[str]) -> None:
    for row, made in records(tx, names):
        shown = row.status == Status.ACTIVE and row.representative == row.id
        made_digest = digest(canonical_json(made)) if shown else ""
        op = _operation(was=row.shown, now=shown, same=made_digest == row.record_digest)
        if op is not None:
            announce(tx, row.id, op)
            _PUBLISHED.run(tx, {"name": row.id, "shown": shown, "record_digest": made_digest})


def _operation(*, was: bool, now: bool, same: bool) -> str | None:
    if was and now:
        return None if same else "modify"
    if was == now:
        return None
    return "add" if now else "delete"
