"""Which stored articles a text is related to, and the edges that say so. SQL; what a relation *is* decides dedup.

Candidates come as texts (`fingerprints.candidates`), an edge joins articles: each article that has a candidate's text,
up to MOST_COPIES of them, is compared, titles included. Below that bound the edges are the same in any order of arrival.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from pipelines.archive import fingerprints, stored
from pipelines.archive.catalogue import upsert
from pipelines.archive.prepared import Among, Prepared, given
from pipelines.archive.schema import article, edge
from pipelines.dedup import index, relate
from pipelines.dedup.fingerprint import text_digest
from pipelines.model import Article, Relation

MOST_COPIES = 8
"""articles of one text that are compared; further copies join the same cluster through these"""


_INCIDENT = sa.or_(edge.c.low == given("name"), edge.c.high == given("name"))
_EDGES, _CUT = Prepared(sa.select(edge).where(_INCIDENT)), Prepared(edge.delete().where(_INCIDENT))
_SAME = Prepared(
    sa.select(article.c.id, article.c.comparison_digest)
    .where(Among(article.c.comparison_digest, "digests"), article.c.id != given("without"))
    .order_by(article.c.id)
)

_Found = tuple[str, str, Relation]
"""Digest of a text, id of an article that has it, what it is."""


def redraw(tx: sa.Connection, name: str, now: Article, former: str | None) -> set[str]:
    """Draws the edges of an article's new text, in place of those of the text with the digest `former`, None for one that
    had no text and so no edge.

    Returns every article whose cluster that may change: the neighbours that were and those that are. The article's head
    has its new `comparison_digest` already.
    """
    touched = forget(tx, name, former) if former is not None else set()
    looked = fingerprints.look(tx, now.text)
    kin = set()
    for digest, other, relation in (*_copies(tx, name, now), *_related(tx, name, now, looked)):
        _draw(tx, name, other, relation)
        touched.add(other)
        if relation.joins:
            kin.add(digest)
    fingerprints.remember(tx, now.text, kin, looked)
    return touched


def forget(tx: sa.Connection, name: str, digest: str) -> set[str]:
    """Takes an article out of the graph, and its text out of the index where no other article has it; the neighbours that
    it had."""
    former = {other for row in _EDGES.rows(tx, {"name": name}) for other in (row.low, row.high)} - {name}
    if former:
        _CUT.run(tx, {"name": name})
    if not _articles(tx, [digest], without=name):
        fingerprints.forget(tx, digest)
        for other in stored.current(tx, former).values():
            fingerprints.remember(tx, other.text)  # rows that the forgotten text stood for
    return former


def _copies(tx: sa.Connection, name: str, now: Article) -> Iterator[_Found]:
    return _compared(tx, name, now, [text_digest(now.text)])


def _related(tx: sa.Connection, name: str, now: Article, looked: fingerprints.Counts) -> Iterator[_Found]:
    """What a text is to the other texts that share enough with it, the most alike first, until too many in a row are
    nothing to it. Candidates are read a handful at a time: a statement each costs three times as much."""
    failures = 0
    candidates = fingerprints.candidates(tx, now.text, looked)
    for n in range(0, len(candidates), index.FAILURES):
        handful = candidates[n : n + index.FAILURES]
        found = list(_compared(tx, name, now, handful))
        related = {digest for digest, _, _ in found}
        for digest in handful:
            failures = 0 if digest in related else failures + 1
            if failures == index.FAILURES:
                return
            yield from (one for one in found if one[0] == digest)


def _compared(tx: sa.Connection, name: str, now: Article, digests: Sequence[str]) -> Iterator[_Found]:
    """The articles of some texts that an article is related to."""
    named = _articles(tx, digests, without=name)
    others = stored.current(tx, named)
    for other, digest in named.items():
        relation = relate(now, others[other], name=other)
        if relation is not None:
            yield digest, other, relation


def _articles(tx: sa.Connection, digests: Sequence[str], *, without: str) -> dict[str, str]:
    """The articles of some texts, at most MOST_COPIES of each, with their texts' digests."""
    found: dict[str, str] = {}
    copies: Counter[str] = Counter()
    for row in _SAME.rows(tx, {"digests": list(digests), "without": without}):
        copies[row.comparison_digest] += 1
        if copies[row.comparison_digest] <= MOST_COPIES:
            found[row.id] = row.comparison_digest
    return found


def _draw(tx: sa.Connection, name: str, other: str, relation: Relation) -> None:
    low, high = sorted((name, other))
    inner = None if relation.inside is None else (name if relation.inside else other)
    upsert(tx, edge, {"low": low, "high": high, "kind": relation.verdict, "similarity": relation.similarity, "inner": inner})
