"""Is every row of an archive true? Reads everything, believes nothing, changes nothing.

    WARC files, in order, streamed   each record ↔ its capture row ↔ its line of the index; each text read again
    missing files                    rows that point nowhere
    texts, heads, revisions          digests, and what they point to
    clusters, feed, tombstones       what follows from the rest does follow

Rules of this file: a lie is a Finding and the check goes on; memory is bounded by the rows of one WARC file; a text is
read again by the rules that its record names (`seeds/<digest>.toml`), where today's readers are those that read it then.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.archive import Archive, schema
from pipelines.archive.article_record import article_id, canonical_json, digest, from_json, timestamp, to_json
from pipelines.archive.cdxj import Entry, entry_of, parse_line
from pipelines.archive.ledger import component
from pipelines.archive.originals import originals
from pipelines.archive.stored import CHUNK, contents, records
from pipelines.archive.urltable import State
from pipelines.archive.warc import read_captures
from pipelines.dedup import cluster, fingerprint, history
from pipelines.errors import CatalogueDamaged, DamagedRecord, SeedsError
from pipelines.extract.version import versions
from pipelines.model import Article, Capture, Reason, Rejection, Status
from pipelines.site import Site, generic_site, parse_site
from pipelines.workers import Readers

KEPT = 100
"""findings of one kind that are kept; all are counted"""


class What(StrEnum):
    """Kinds of finding."""

    CATALOGUE = "catalogue_damaged"
    MISSING_FILE = "missing_file"
    TORN = "torn_record"
    DAMAGED = "damaged_record"
    ORPHAN = "record_without_row"
    ROW = "row_without_record"
    DIFFERS = "row_differs"
    RULES = "rules_missing"
    TEXT = "text_differs"
    CONTENT = "content_changed"
    HEAD = "article_differs"
    REVISION = "revision_differs"
    CLUSTER = "cluster_inconsistent"
    FEED = "feed_inconsistent"
    TAKEN_DOWN = "taken_down_present"
    INDEX = "index_differs"


ADVICE = {
    What.CATALOGUE: "Restore catalogue.db from a backup, or rebuild it: `scrapy replay --archive NEW warc/*.warc.gz`.",
    What.MISSING_FILE: "Bring the file back from a backup; nothing can stand for raw bytes.",
    What.TORN: "The next crawl cuts a torn tail off and keeps it beside the file. In an older file: restore it from a backup.",
    What.DAMAGED: "Restore the file from a backup.",
    What.ORPHAN: "After a killed run: the next crawl takes it in. Otherwise replay it: `scrapy replay --archive DIR warc/FILE`.",
    What.ROW: "Restore the WARC file or the catalogue from a backup: one of them was changed behind the other's back.",
    What.DIFFERS: "Restore the WARC file or the catalogue from a backup: one of them was changed behind the other's back.",
    What.RULES: "Bring the seeds file back under seeds/<digest>.toml; its git history has it. Until then its texts cannot be checked.",
    What.TEXT: "After an update of the software: `scrapy reextract`. Otherwise the catalogue was changed: restore it from a backup.",
    What.CONTENT: "The catalogue was changed: restore it from a backup, or rebuild it with `scrapy replay`.",
    What.HEAD: "The catalogue was changed: restore it from a backup, or rebuild it with `scrapy replay`.",
    What.REVISION: "The catalogue was changed: restore it from a backup, or rebuild it with `scrapy replay`.",
    What.CLUSTER: "The catalogue was changed: restore it from a backup, or rebuild it with `scrapy replay`.",
    What.FEED: "Followers have what the archive no longer says, or lack it: tell them to begin again with --since 0, and report this.",
    What.TAKEN_DOWN: "Take it down again: `scrapy takedown --id ID --reason TEXT` removes what came back.",
    What.INDEX: "Delete indexes/: the next crawl makes it anew from the WARC files.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not true. `where` is a place for people: file and offset, table and key."""

    what: What
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.what}: {self.where}: {self.detail}"


@dataclass(slots=True)
class Result:
    """What was checked, by word, and what was found; of each kind at most KEPT findings, all counted."""

    checked: Counter[str] = field(default_factory=Counter)
    counts: Counter[What] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.counts

    def add(self, what: What, where: str, detail: str) -> None:
        self.counts[what] += 1
        if self.counts[what] <= KEPT:
            self.findings.append(Finding(what=what, where=where, detail=detail))

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "checked": dict(sorted(self.checked.items())),
            "counts": {str(what): count for what, count in sorted(self.counts.items())},
            "findings": [
                {"what": str(one.what), "where": one.where, "detail": one.detail, "advice": ADVICE[one.what]} for one in self.findings
            ],
        }


Tell = Callable[[int, int], None]
"""Hears of progress: bytes of WARC files that were read, and of all."""


def verify(archive: Archive, *, workers: int = 0, tell: Tell = lambda *_: None) -> Result:
    """Checks a whole archive. Raises ArchiveError only where nothing can be said at all."""
    job = _Verification(archive, Readers(workers), tell)
    try:
        for step in (job.integrity, job.files, job.missing, job.catalogue, job.index):
            try:
                step()
            except CatalogueDamaged as damage:
                job.result.add(What.CATALOGUE, "catalogue", str(damage))
    finally:
        job.readers.close()
    return job.result


@dataclass(slots=True)
class _Lines:
    """What an index says of one WARC file, in a form that does not depend on order: how many lines, and their sum."""

    count: int = 0
    total: int = 0

    def add(self, line: bytes) -> None:
        self.count += 1
        self.total = (self.total + int.from_bytes(hashlib.blake2b(line, digest_size=16).digest())) % 2**128


class _Verification:
    def __init__(self, archive: Archive, readers: Readers, tell: Tell) -> None:
        self.archive, self.readers, self.result = archive, readers, Result()
        self._tell = tell
        self._paths = sorted(path for path in archive.warc_folder.glob("*.warc*") if path.name.endswith((".warc", ".warc.gz")))
        self._sizes = {path: path.stat().st_size for path in self._paths}
        self._lines: dict[str, _Lines] = {}
        self._written: set[str] = set()
        self._damaged_files: set[str] = set()
        self._sites: dict[str, Site | None] = {generic_site().digest: generic_site()}

    def integrity(self) -> None:
        """The database's own check."""
        for complaint in self.archive.catalogue.integrity():
            self.result.add(What.CATALOGUE, "catalogue", complaint)

    # ── records ↔ rows ───────────────────────────────────────────────────────────────────────────────────────────────

    def files(self) -> None:
        """Every WARC file against the rows that point into it."""
        done, whole = 0, sum(self._sizes.values())
        for path in self._paths:
            self._check_file(path, lambda offset, before=done: self._tell(before + offset, whole))  # type: ignore[misc]
            done += self._sizes[path]
            self._tell(done, whole)
            self.result.checked["files"] += 1

    def _check_file(self, path: Path, tell: Callable[[int], None]) -> None:
        if _is_written(path):
            self._written.add(path.name)
            self.result.checked["files_being_written"] += 1
        seen = _Seen(rows=self._rows(path), lines=self._lines.setdefault(path.name, _Lines()))
        texts = ((capture, row, site) for capture, row in self._matched(path, seen, tell) if (site := self._rules_of(row)) is not None)
        self._read_again(texts)
        if path.name not in self._written:
            for row in seen.unseen():
                self.result.add(What.ROW, f"{path.name} at byte {row.offset}", f"no record begins here; the catalogue has {row.url} here")

    def _rows(self, path: Path) -> dict[int, sa.Row[Any]]:
        page = schema.page
        said = sa.select(schema.capture, page.c.content).outerjoin(page, page.c.capture == schema.capture.c.id)
        with self.archive.catalogue.snapshot() as tx:
            return {row.offset: row for row in tx.execute(said.where(schema.capture.c.file == path.name))}

    def _matched(self, path: Path, seen: _Seen, tell: Callable[[int], None]) -> Iterator[tuple[Capture, sa.Row[Any]]]:
        """The captures of a file that have a row, after comparing the two."""
        original = originals(self.archive.catalogue, self.archive.warc_folder)
        for item in read_captures(path, original=original):
            if isinstance(item, DamagedRecord):
                self._damaged(item, seen)
                continue
            assert item.warc is not None
            tell(item.warc.offset)
            self.result.checked["records"] += 1
            if item.status != 304:
                seen.lines.add(entry_of(item, item.warc).line())
            row = seen.take(item.warc.offset)
            if row is None:
                self._orphan(item)
            else:
                self._compare(item, row)
                yield item, row

    def _damaged(self, damage: DamagedRecord, seen: _Seen) -> None:
        row = seen.take(damage.offset)
        self._damaged_files.add(damage.file)
        torn = "ends" in damage.wrong
        if torn and row is None and damage.file in self._written:
            return
        of = f" (the capture of {row.url})" if row is not None else ""
        self.result.add(What.TORN if torn else What.DAMAGED, f"{damage.file} at byte {damage.offset}", damage.wrong + of)

    def _orphan(self, capture: Capture) -> None:
        assert capture.warc is not None
        at = capture.warc
        if at.file in self._written:
            return
        if (self.archive.path / "quarantine" / f"{Path(at.file).stem}-{at.offset}.txt").exists():
            self.result.checked["quarantined"] += 1  # the archive says so itself
            return
        self.result.add(What.ORPHAN, f"{at.file} at byte {at.offset}", f"the catalogue has no row for {capture.url}")

    def _compare(self, capture: Capture, row: sa.Row[Any]) -> None:
        assert capture.warc is not None
        found = {
            "record_id": capture.warc.record_id,
            "length": capture.warc.length,
            "url": capture.url,
            "fetched_at": timestamp(capture.fetched_at),
            "status": capture.status,
            "payload_digest": capture.payload_digest,
        }
        wrong = [
            f"{name} is {value}, the catalogue says {getattr(row, name)}" for name, value in found.items() if value != getattr(row, name)
        ]
        if wrong:
            self.result.add(What.DIFFERS, f"{row.file} at byte {row.offset}", "; ".join(wrong))

    # ── texts, read again ────────────────────────────────────────────────────────────────────────────────────────────

    def _rules_of(self, row: sa.Row[Any]) -> Site | None:
        """The rules that read a capture's text, where it can be read again as it was then."""
        if row.content is None:
            return None
        with self.archive.catalogue.snapshot() as tx:
            text = tx.scalar(sa.select(schema.content.c.article).where(schema.content.c.digest == row.content))
        made = _article(text)
        if made is None:
            self.result.add(What.CONTENT, f"content {row.content}", f"is not there, or no article; the capture of {row.url} points to it")
            return None
        if dict(made.extraction.versions) != versions():
            self.result.checked["texts_of_other_versions"] += 1
            return None
        return self._site(made.extraction.rules_digest)

    def _site(self, wanted: str) -> Site | None:
        if wanted not in self._sites:
            self._sites[wanted] = self._load(wanted)
        return self._sites[wanted]

    def _load(self, wanted: str) -> Site | None:
        path = self.archive.path / "seeds" / f"{wanted}.toml"
        try:
            raw = path.read_bytes()
            if hashlib.sha256(raw).hexdigest() == wanted:
                return parse_site(raw, str(path))
            self.result.add(What.RULES, f"seeds/{path.name}", "is not the file that its name says")
        except (OSError, SeedsError) as error:
            self.result.add(What.RULES, f"seeds/{path.name}", f"cannot be read ({error})")
        return None

    def _read_again(self, texts: Iterable[tuple[Capture, sa.Row[Any], Site]]) -> None:
        rows: list[sa.Row[Any]] = []

        def pages() -> Iterator[tuple[Capture, Site]]:
            for capture, row, site in texts:
                rows.append(row)
                yield capture, site

        for result in self.readers.read_all(pages()):
            row = rows.pop(0)
            if isinstance(result, Rejection) and result.reason is Reason.TOO_EXPENSIVE:
                self.result.checked["texts_too_expensive"] += 1
                continue
            self.result.checked["texts"] += 1
            if not isinstance(result, Article) or digest(to_json(result)) != row.content:
                self.result.add(What.TEXT, f"{row.file} at byte {row.offset}", f"{row.url} reads as {_shown(result)} today")

    def missing(self) -> None:
        """Rows that point into files that are not there."""
        capture = schema.capture
        with self.archive.catalogue.snapshot() as tx:
            counted = tx.execute(sa.select(capture.c.file, sa.func.count()).group_by(capture.c.file).order_by(capture.c.file)).all()
        there = {path.name for path in self._paths}
        for file, count in counted:
            if file not in there:
                self.result.add(What.MISSING_FILE, f"warc/{file}", f"is not there; {count} captures point into it")

    # ── what follows from what ───────────────────────────────────────────────────────────────────────────────────────

    def catalogue(self) -> None:
        """Everything that the catalogue says of itself, in one view of it."""
        with self.archive.catalogue.snapshot() as tx:
            bad = self._contents(tx)
            self._heads(tx, bad)
            self._revisions(tx, bad)
            self._clusters(tx)
            self._pages(tx)
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
                if wrong := _wrong_with(head, texts.get(head.id)):
                    self.result.add(What.HEAD, f"article {head.id}", f"{head.url}: {wrong}")
            self._records(tx, [head for head in heads if head.id in texts])

    def _texts(self, tx: sa.Connection, rows: Sequence[sa.Row[Any]], bad: set[str], key: str = "id") -> dict[Any, Article]:
        """The joined articles of heads or revisions whose parts are all there."""
        parts = {(getattr(row, key), getattr(row, "number", 0)): json.loads(row.content) for row in rows}
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
        newest = sa.select(sa.func.max(change.c.sequence)).group_by(change.c.article)
        last = sa.select(change.c.article, change.c.op).where(change.c.sequence.in_(newest)).subquery()
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
        asked = sa.select(url.c.url).join(tombstone, sa.and_(tombstone.c.url == url.c.url, tombstone.c.site == url.c.site))
        for one in tx.scalars(asked.where(url.c.state != State.SET_ASIDE)):
            self.result.add(What.TAKEN_DOWN, f"article {article_id(one)}", f"{one} is due to be asked again")

    # ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────

    def index(self) -> None:
        """The lines of the CDXJ index against the records: sums first, and line by line where they differ."""
        index = self.archive.index
        if not index.path.exists():
            if self._paths:
                self.result.add(What.INDEX, "indexes/index.cdxj", "is not there")
            return
        index.merge()
        for file in sorted(self._different(index.path) - self._written - self._damaged_files):
            self._compare_lines(index.path, file)

    def _different(self, path: Path) -> set[str]:
        told: dict[str, _Lines] = {}
        before = b""
        for number, line in enumerate(_lines_of(path), 1):
            self.result.checked["index_lines"] += 1
            if line < before:
                self.result.add(What.INDEX, f"indexes/{path.name} line {number}", "is not in order: look-ups miss it")
            before = line
            if (entry := _entry(line)) is None:
                self.result.add(What.INDEX, f"indexes/{path.name} line {number}", "is no line of an index")
            else:
                told.setdefault(entry.filename, _Lines()).add(line)
        return {file for file in told.keys() | self._lines.keys() if told.get(file, _Lines()) != self._lines.get(file, _Lines())}

    def _compare_lines(self, path: Path, file: str) -> None:
        warc = self.archive.warc_folder / file
        captures = (one for one in read_captures(warc) if isinstance(one, Capture)) if warc.exists() else ()
        due = {entry_of(one, one.warc).line() for one in captures if one.warc is not None and one.status != 304}
        told = {line for line in _lines_of(path) if (entry := _entry(line)) is not None and entry.filename == file}
        for line in sorted(told - due):
            self.result.add(
                What.INDEX, f"indexes/{path.name}", f"has a line for which there is no record: {line.decode('utf-8', 'replace').strip()}"
            )
        for line in sorted(due - told):
            self.result.add(What.INDEX, f"indexes/{path.name}", f"has no line for a record: {line.decode('ascii').strip()}")


@dataclass(slots=True)
class _Seen:
    """The rows of one WARC file; those that a record was found for are taken out."""

    rows: dict[int, sa.Row[Any]]
    lines: _Lines

    def take(self, offset: int) -> sa.Row[Any] | None:
        return self.rows.pop(offset, None)

    def unseen(self) -> list[sa.Row[Any]]:
        return [self.rows[offset] for offset in sorted(self.rows)]


def _wrong_with(head: sa.Row[Any], made: Article | None) -> str | None:
    """The first thing that an article's row gets wrong."""
    if made is None:
        return "its text is not there"
    tests = (
        (digest(made.text) == head.text_digest, "its text is not what its digest says"),
        (fingerprint.text_digest(made.text) == head.comparison_digest, "its comparison digest is not its text's"),
        (head.r_content == head.content and head.r_capture == head.capture, f"its revision {head.revision} has another text, or none"),
        (head.p_kind == history.PageKind.TEXT, "the capture that it names shows no text of it"),
    )
    return next((wrong for good, wrong in tests if not good), None)


def _is_written(path: Path) -> bool:
    """Whether a crawl has the file open: its end, and the rows of its end, are still to come."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _article(text: str | None) -> Article | None:
    try:
        return None if text is None else from_json(text)
    except (ValueError, TypeError, KeyError):
        return None


def _shown(result: object) -> str:
    if isinstance(result, Article):
        return "another text or other facts"
    return f"{result.reason} ({result.detail})" if isinstance(result, Rejection) else f"nothing ({result!r})"


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


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        yield from lines


def _entry(line: bytes) -> Entry | None:
    try:
        return parse_line(line)
    except ValueError:
        return None


__all__ = ["ADVICE", "Finding", "Result", "What", "verify"]
