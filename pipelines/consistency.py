"""What follows from the rest of a catalogue does follow: texts, heads, revisions, clusters, feed, tombstones. No file is read.

Rules of this file: one view of the catalogue for all of it; rows are streamed, so memory does not grow with the archive.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from pipelines.archive import fingerprints, schema, templates
from pipelines.archive.article_record import article_id, canonical_json, digest
from pipelines.archive.ledger import misfolded
from pipelines.archive.publishing import component
from pipelines.archive.stored import CHUNK, contents, records
from pipelines.archive.urltable import State
from pipelines.dedup import cluster, fingerprint, history
from pipelines.errors import CatalogueDamaged
from pipelines.extract.folding import template_lines
from pipelines.findings import Result, What
from pipelines.model import Article, Kind, Reason, Status


class Consistency:
    def __init__(self, result: Result) -> None:
        self.result = result

    def check(self, tx: sa.Connection) -> None:
        """Everything that the catalogue says of itself."""
        bad = self._contents(tx)
        self._heads(tx, bad)
        self._revisions(tx, bad)
        self._clusters(tx)
        self._pages(tx)
        self._left_behind(tx)
        self._feed(tx)
        self._tombstones(tx)

    def _contents(self, tx: sa.Connection) -> set[str]:
        """Extraction results against their digests; returns those that are not what they are called."""
        bad = set()
        for row in _stream(tx, sa.select(schema.content)):
            self.result.checked["contents"] += 1
            if digest(row.article) != row.digest:
                bad.add(row.digest)
                self.result.add(What.CONTENT, f"content {row.digest}", "is not what its digest says")
        return bad

    def _heads(self, tx: sa.Connection, bad: set[str]) -> None:
        page, revision, article = schema.page, schema.revision, schema.article
        of = sa.select(article, revision.c.content.label("r_content"), revision.c.capture.label("r_capture"), page.c.kind.label("p_kind"))
        of = of.outerjoin(revision, sa.and_(revision.c.article == article.c.id, revision.c.number == article.c.revision))
        of = of.outerjoin(page, sa.and_(page.c.article == article.c.id, page.c.capture == article.c.capture))
        for heads in _portions(_stream(tx, of.order_by(article.c.id))):
            texts = self._texts(tx, heads, bad)
            self.result.checked["articles"] += len(heads)
            for head in heads:
                if wrong := _wrong_with(head, texts.get(head.id)) or self._misfolded(tx, head):
                    self.result.add(What.HEAD, f"article {head.id}", f"{head.url}: {wrong}")
            read = [head for head in heads if head.id in texts]
            self._indexed(tx, read, texts)
            self._lines(tx, read, texts)
            self._records(tx, read)

    def _misfolded(self, tx: sa.Connection, head: sa.Row[Any]) -> str | None:
        try:
            return misfolded(tx, head)
        except (CatalogueDamaged, ValueError, TypeError, KeyError) as fault:
            return f"what its pages show cannot be read ({fault})"

    def _indexed(self, tx: sa.Connection, heads: Sequence[sa.Row[Any]], texts: Mapping[str, Article]) -> None:
        """Each text among those in which near duplicates are looked for, by its own fingerprints. Which of them have a row depends
        on what came before (`dedup.index.has_room`) and on what has gone since: that is not checked."""
        wrong = fingerprints.untrue(tx, {head.comparison_digest: texts[head.id].text for head in heads})
        for head in heads:
            if head.comparison_digest in wrong:
                self.result.add(What.HEAD, f"article {head.id}", f"{head.url}: near duplicates are not looked for by its text")

    def _lines(self, tx: sa.Connection, heads: Sequence[sa.Row[Any]], texts: Mapping[str, Article]) -> None:
        """The lines at both ends of each text, of which those that recur are marked."""
        counted = templates.counted(tx, [head.id for head in heads])
        for head in heads:
            lines = {(texts[head.id].site, line) for line, _ in template_lines(texts[head.id])}
            if counted.get(head.id, set()) != lines:
                self.result.add(What.HEAD, f"article {head.id}", f"{head.url}: other first and last lines are counted than it has")

    def _left_behind(self, tx: sa.Connection) -> None:
        """What is known of texts and of articles that are no longer there."""
        for name in tx.scalars(templates.without_article()):
            self.result.add(What.HEAD, f"article {name}", "lines of it are counted, and it is not there")
        for one in tx.scalars(fingerprints.without_article()):
            self.result.add(What.HEAD, f"text {one}", "near duplicates of it are looked for, and no article has it")
        for doc in tx.scalars(fingerprints.without_text()):
            self.result.add(What.HEAD, f"fingerprints of text number {doc}", "are there, and the text is not")

    def _texts(self, tx: sa.Connection, rows: Sequence[sa.Row[Any]], bad: set[str], key: str = "id") -> dict[Any, Article]:
        """The joined articles of heads or revisions whose parts are all there."""
        parts = {(getattr(row, key), getattr(row, "number", 0)): _names(row.content) for row in rows}
        found = contents(tx, {one for several in parts.values() for one in several if one not in bad})
        whole = {name: several for name, several in parts.items() if several and all(one in found for one in several)}
        joined = {name: history.join([found[one] for one in several]) for name, several in whole.items()}
        return joined if key != "id" else {name: made for (name, _), made in joined.items()}

    def _records(self, tx: sa.Connection, heads: Sequence[sa.Row[Any]]) -> None:
        """What followers have against what an export would give them."""
        found = {row.id: digest(canonical_json(made)) for row, made in records(tx, [head.id for head in heads])}
        for head in heads:
            if head.id not in found:
                self.result.add(What.HEAD, f"article {head.id}", f"{head.url}: the capture that it was read from has no row")
            elif head.shown and found[head.id] != head.record_digest:
                self.result.add(What.FEED, f"article {head.id}", f"{head.url}: the record is not the one that the feed told of last")

    def _revisions(self, tx: sa.Connection, bad: set[str]) -> None:
        revision = schema.revision
        for rows in _portions(_stream(tx, sa.select(revision).order_by(revision.c.article, revision.c.number))):
            texts = self._texts(tx, rows, bad, key="article")
            for row in rows:
                self.result.checked["revisions"] += 1
                made = texts.get((row.article, row.number))
                if made is None or digest(made.text) != row.text_digest:
                    wrong = "its text is not there" if made is None else "its text is not what its digest says"
                    self.result.add(What.REVISION, f"revision {row.number} of article {row.article}", wrong)

    def _pages(self, tx: sa.Connection) -> None:
        """What captures said, without the captures."""
        page, capture = schema.page, schema.capture
        lost = sa.select(page).outerjoin(capture, capture.c.id == page.c.capture).where(capture.c.id.is_(None))
        for row in _stream(tx, lost):
            self.result.add(What.HEAD, f"article {row.article}", f"a page of it points to capture {row.capture}, which has no row")
        other = sa.select(page.c.article, capture.c.file, capture.c.offset).join(capture, capture.c.id == page.c.capture)
        for row in _stream(tx, other.where(page.c.fetched_at != capture.c.fetched_at)):
            where = f"its capture at byte {row.offset} of {row.file}"
            self.result.add(What.HEAD, f"article {row.article}", f"a page of it has another date than {where}")

    def _clusters(self, tx: sa.Connection) -> None:
        article = schema.article
        chosen, low, high = article.alias("chosen"), article.alias("low"), article.alias("high")
        strange = sa.select(article.c.id, article.c.representative).outerjoin(chosen, chosen.c.id == article.c.representative)
        for row in tx.execute(strange.where(sa.or_(chosen.c.id.is_(None), chosen.c.cluster != article.c.cluster))):
            self.result.add(What.CLUSTER, f"article {row.id}", f"its representative {row.representative} is no member of its cluster")
        edge = schema.edge
        ends = sa.select(edge, low.c.cluster.label("one"), high.c.cluster.label("other"))
        ends = ends.outerjoin(low, low.c.id == edge.c.low).outerjoin(high, high.c.id == edge.c.high)
        for row in tx.execute(ends, execution_options={"yield_per": CHUNK}):
            self.result.checked["edges"] += 1
            if row.one is None or row.other is None:
                self.result.add(What.CLUSTER, f"edge {row.low} {row.high}", "an end of it is no article")
            elif row.kind in cluster.JOINING and row.one != row.other:
                self.result.add(What.CLUSTER, f"edge {row.low} {row.high}", "joins two articles that are in two clusters")
        self._labels(tx)

    def _labels(self, tx: sa.Connection) -> None:
        """Each label is the smallest member's id, each cluster of one piece, with one representative."""
        article = schema.article
        summary = sa.select(
            article.c.cluster,
            sa.func.count().label("size"),
            sa.func.min(article.c.id).label("first"),
            sa.func.count(sa.distinct(article.c.representative)).label("chosen"),
        ).group_by(article.c.cluster)
        self.result.checked["clusters"] = tx.scalar(sa.select(sa.func.count(sa.distinct(article.c.cluster)))) or 0
        doubtful = sa.or_(sa.func.count() > 1, sa.func.min(article.c.id) != article.c.cluster)
        for row in tx.execute(summary.having(doubtful)).all():
            where = f"cluster {row.cluster}"
            if row.first != row.cluster:
                self.result.add(What.CLUSTER, where, f"its smallest member is {row.first}")
            if row.chosen != 1:
                self.result.add(What.CLUSTER, where, f"has {row.chosen} representatives")
            if row.size > 1 and len(component(tx, row.first)) != row.size:
                self.result.add(What.CLUSTER, where, f"has {row.size} members, of which not all are joined by edges")

    def _feed(self, tx: sa.Connection) -> None:
        change, article = schema.change, schema.article
        newest = sa.select(change.c.article, sa.func.max(change.c.sequence).label("sequence")).group_by(change.c.article).subquery()
        last = sa.select(change.c.article, change.c.op).join(newest, newest.c.sequence == change.c.sequence).subquery()
        shown = sa.select(article.c.id, article.c.shown, article.c.status, article.c.representative, last.c.op)
        for row in _stream(tx, shown.outerjoin(last, last.c.article == article.c.id)):
            told, due = row.op in ("add", "modify"), row.status == Status.ACTIVE and row.representative == row.id
            if not bool(row.shown) == told == due:
                self.result.add(What.FEED, f"article {row.id}", f"shown {bool(row.shown)}, due {due}, last told as {row.op or 'nothing'}")
        gone = sa.select(last.c.article).outerjoin(article, article.c.id == last.c.article)
        for row in _stream(tx, gone.where(article.c.id.is_(None), last.c.op != "delete")):
            self.result.add(What.FEED, f"article {row.article}", "is no longer there, and the feed never said so")

    def _tombstones(self, tx: sa.Connection) -> None:
        tombstone, url = schema.tombstone, schema.url
        self.result.checked["tombstones"] = tx.scalar(sa.select(sa.func.count()).select_from(tombstone)) or 0
        for table in (schema.article.c.id, schema.page.c.article, schema.capture.c.article):
            for name in tx.scalars(sa.select(table).join(tombstone, tombstone.c.article == table).distinct()):
                self.result.add(What.TAKEN_DOWN, f"article {name}", f"was taken down and is in {table.table.name} again")
        back = sa.select(schema.capture).where(schema.capture.c.outcome == Reason.TAKEN_DOWN)
        for row in tx.execute(back):
            self.result.add(What.TAKEN_DOWN, f"{row.file} at byte {row.offset}", f"{row.url} was taken down and has come in again")
        lost = set(tx.scalars(sa.select(tombstone.c.article)))
        asked = sa.select(url.c.url).where(url.c.kind == Kind.ARTICLE, url.c.state != State.SET_ASIDE)
        for row in _stream(tx, asked) if lost else ():
            if article_id(row.url) in lost:
                self.result.add(What.TAKEN_DOWN, f"article {article_id(row.url)}", f"{row.url} is due to be asked again")


def _names(content: str) -> list[str]:
    """The digests of an article's parts; none where the column is damaged, which is then a text that is not there."""
    try:
        names = json.loads(content)
    except ValueError:
        return []
    return names if isinstance(names, list) and all(isinstance(one, str) for one in names) else []


def _wrong_with(head: sa.Row[Any], made: Article | None) -> str | None:
    """The first thing that an article's row gets wrong."""
    if made is None:
        return "its text is not there"
    tests = (
        (digest(made.text) == head.text_digest, "its text is not what its digest says"),
        (fingerprint.text_digest(made.text) == head.comparison_digest, "its comparison digest is not its text's"),
        (head.r_content == head.content and head.r_capture == head.capture, f"its revision {head.revision} has another text, or none"),
        (head.p_kind in (history.PageKind.TEXT, history.PageKind.CONFIRMED), "the capture that it names shows no text of it"),
    )
    return next((wrong for good, wrong in tests if not good), None)


def _stream(tx: sa.Connection, statement: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
    yield from tx.execute(statement, execution_options={"yield_per": CHUNK})


def _portions(rows: Iterator[sa.Row[Any]]) -> Iterator[list[sa.Row[Any]]]:
    several: list[sa.Row[Any]] = []
    for row in rows:
        several.append(row)
        if len(several) == CHUNK:
            yield several
            several = []
    if several:
        yield several
