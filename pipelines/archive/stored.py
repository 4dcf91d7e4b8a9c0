"""Reading articles back out of the catalogue: contents, current versions, records. No writing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import Any

import sqlalchemy as sa

from pipelines.archive import article_record, templates
from pipelines.archive.article_record import from_json, record
from pipelines.archive.prepared import Among, Prepared
from pipelines.archive.schema import article, capture, change, content, edge, page
from pipelines.dedup import history
from pipelines.errors import CatalogueDamaged
from pipelines.model import Article, WarcRef

Head = Any
"""A row of the article table."""
CHUNK = 500
"""Names in one statement: SQLite takes 32,766 variables; a short list keeps the statement cache small."""
SIMILARITY_DIGITS = 4
"""of a share that comparing texts gives: more says nothing, and readers of JSON (datasets, pandas) keep 10 or 15 of 17"""

_NONE: Mapping[str, Article] = {}

PLACE = (capture.c.file, capture.c.offset, capture.c.length, capture.c.record_id, capture.c.payload_digest)
_CONTENTS = Prepared(sa.select(content).where(Among(content.c.digest, "names")))
_HEADS = Prepared(sa.select(article).where(Among(article.c.id, "names")))
_PLACED = Prepared(sa.select(article, *PLACE).join(capture, capture.c.id == article.c.capture).where(Among(article.c.id, "names")))
_MEMBERS = Prepared(sa.select(article.c.cluster, article.c.id).where(Among(article.c.cluster, "names")).order_by(article.c.id))
_BONDS = Prepared(sa.select(edge).where(Among(edge.c.low, "names")))
_NEWEST = sa.select(sa.func.max(change.c.sequence))


def contents(tx: sa.Connection, digests: Set[str], known: Mapping[str, Article] = _NONE) -> dict[str, Article]:
    """Extraction results by digest. `known` ones need not be read."""
    found = {digest: known[digest] for digest in digests if digest in known}
    for part in chunks(sorted(digests - found.keys())):
        rows = _CONTENTS.rows(tx, {"names": part})
        found.update((row.digest, _read(row.digest, row.article)) for row in rows)
    return found


def _read(name: str, stored: str) -> Article:
    try:
        return from_json(stored)
    except (ValueError, TypeError, KeyError) as fault:
        raise _damaged(f"content {name}") from fault


def _parts(head: Head) -> list[str]:
    try:
        parts: list[str] = json.loads(head.content)
    except ValueError as fault:
        raise _damaged(f"article {head.id}") from fault
    return parts


def _damaged(where: str) -> CatalogueDamaged:
    return CatalogueDamaged(
        f"The catalogue is damaged ({where} cannot be read): `scrapy verify` tells what else is; restore it from a backup, or"
        " rebuild it with `scrapy replay` from warc/."
    )


def whole_articles(tx: sa.Connection, heads: Iterable[Head]) -> dict[str, Article]:
    """The current articles of some heads, parts joined, by id."""
    parts = {head.id: _parts(head) for head in heads}
    found = contents(tx, {one for several in parts.values() for one in several})
    if lost := next((name for name, several in parts.items() if not found.keys() >= set(several)), None):
        raise _damaged(f"the text of article {lost}")
    return {name: history.join([found[one] for one in several]) for name, several in parts.items()}


def current(tx: sa.Connection, names: Collection[str]) -> dict[str, Article]:
    """The current articles of some ids; unknown ids are left out."""
    heads: list[Head] = []
    for part in chunks(sorted(names)):
        heads += _HEADS.rows(tx, {"names": part})
    return whole_articles(tx, heads)


def records(tx: sa.Connection, names: Sequence[str]) -> list[tuple[Head, dict[str, object]]]:
    """Heads and records (docs/article-record.md) of some articles, in the order given; at most `CHUNK` names."""
    rows = _PLACED.rows(tx, {"names": list(names)})
    found = {row.id: row for row in rows}
    texts = whole_articles(tx, rows)
    members = _members(tx, {row.cluster for row in rows})
    bonds = _bonds(tx, rows)
    marked = templates.marked(tx, names)
    heads = {name: _head(row, len(members[row.cluster]), bonds.get(name), is_marked=name in marked) for name, row in found.items()}
    return [(found[name], record(texts[name], heads[name])) for name in names if name in found]


def awaiting(tx: sa.Connection, site: str | None = None) -> list[tuple[str, str]]:
    """Site and URL of every article of which a text is here and the whole is not: of the pages that came, the one with the
    shortest URL, which is the first where that came."""
    whole = sa.select(article.c.id).where(article.c.id == page.c.article).exists()
    urls = sa.select(page.c.article, capture.c.site, capture.c.url).join(capture, capture.c.id == page.c.capture)
    urls = urls.where(page.c.content.is_not(None), ~whole, capture.c.site == site if site else sa.true())
    found: dict[str, tuple[str, str]] = {}
    for name, of_site, url in sorted(tx.execute(urls.distinct()), key=lambda row: (len(row.url), row.url)):
        found.setdefault(name, (of_site, url))
    return sorted(found.values())


def cursor(tx: sa.Connection) -> int:
    """The number of the newest change in the feed; 0 before the first."""
    return tx.scalar(_NEWEST) or 0


def chunks(names: Sequence[str]) -> Iterable[list[str]]:
    return (list(names[n : n + CHUNK]) for n in range(0, len(names), CHUNK))


def _members(tx: sa.Connection, labels: Collection[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in chunks(sorted(labels)):
        for label, name in _MEMBERS.rows(tx, {"names": part}):
            found.setdefault(label, []).append(name)
    return found


def _bonds(tx: sa.Connection, heads: Sequence[Head]) -> dict[str, tuple[str, float]]:
    """What each article that is not its cluster's representative is to it, where the two were compared."""
    pairs = {
        (min(head.id, head.representative), max(head.id, head.representative)): head.id for head in heads if head.id != head.representative
    }
    if not pairs:
        return {}
    found = _BONDS.rows(tx, {"names": sorted({low for low, _ in pairs})})
    return {pairs[row.low, row.high]: (row.kind, row.similarity) for row in found if (row.low, row.high) in pairs}


def record_alone(row: Head, text: Article, *, is_marked: bool) -> dict[str, object]:
    """The record of an article that is a cluster by itself, of its head with the place of its capture."""
    return record(text, _head(row, 1, None, is_marked=is_marked))


def _head(row: Head, size: int, bond: tuple[str, float] | None, *, is_marked: bool) -> article_record.Head:
    kind, similarity = bond or (None, None)
    return article_record.Head(
        id=row.id,
        status=row.status,
        revision=row.revision,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        fetched_at=row.fetched_at,
        warc=WarcRef.of_row(row),
        payload_digest=row.payload_digest,
        text_digest=row.text_digest,
        cluster={
            "id": row.cluster,
            "kind": kind,
            "similarity": similarity and round(similarity, SIMILARITY_DIGITS),
            "size": size,
            "representative": row.representative,
        },
        marks=(templates.MARK,) if is_marked else (),
    )
