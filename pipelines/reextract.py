"""All captures read again with today's rules: what would change is told first, then written down through the same door.

    compare    every article capture, file by file: what it says today ↔ what the catalogue has      nothing is written
    tell       the differences, by site and layout, with samples
    apply      in groups: the capture's row and page are taken out and written down anew (`flow.write`)

Rules of this file: equal results change nothing, so reading again by unchanged rules leaves no trace, in the feed neither;
what differs is kept in `reextract.jsonl` until all of it is applied, so that a run that was killed goes on where it
stopped; a page that is too expensive or on which our own code fails today keeps what it said.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from pipelines import flow
from pipelines.archive import Archive, ledger, schema
from pipelines.archive.article_record import article_id, canonical_json, digest, from_json, moment, to_json
from pipelines.archive.catalogue import upsert
from pipelines.archive.durable import whole_file
from pipelines.archive.originals import originals
from pipelines.archive.warc import read_captures
from pipelines.dedup.history import PageKind
from pipelines.extract.version import versions
from pipelines.model import Article, Capture, Kind, Reason, Rejection, WarcRef
from pipelines.site import Site
from pipelines.urls import canonical
from pipelines.workers import Readers

GROUP = 64
"""captures of one transaction: a commit with fsync costs 8 to 15 ms (FIELD section 4)"""
SAMPLES = 3
"""of each kind of difference, site and layout"""
SAMPLE_LINES = 3
PROGRESS = "reextract"
"""key of `info`: which spool is being applied, and how many lines of it are"""

Choose = Callable[[str, str], Site]
"""The rules of today for a capture, by the site that it was read for and its URL."""


class What(StrEnum):
    """What reading again changes of a capture."""

    TEXT = "text"
    FACTS = "facts"
    """title, date, people, rights, flags; the text is the same"""
    PROVENANCE = "provenance"
    """nothing but the digest of the rules or the versions of the readers"""
    GAINED = "gained"
    LOST = "lost"
    REASON = "reason"
    """still no article, for another reason"""
    MOVED = "moved"
    """it belongs to another article or site now"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    what: What
    url: str
    lines: tuple[str, ...]
    """"- …" as it was, "+ …" as it is """


@dataclass(slots=True)
class Difference:
    """What reading again changes. `counts` by (site, layout, what); the layout is the way that the text was found, or "-"."""

    read: int = 0
    same: int = 0
    counts: Counter[tuple[str, str, What]] = field(default_factory=Counter)
    samples: dict[tuple[str, str, What], list[Sample]] = field(default_factory=dict)
    unreadable: int = 0
    """captures whose records cannot be read; they stay as they are"""
    too_expensive: int = 0
    failed: list[str] = field(default_factory=list)
    """URLs on which our own code failed; they stay as they are"""
    resumed: int | None = None
    """changes that an earlier run had found and not yet applied; then nothing was compared in this one"""
    applied: int = 0

    @property
    def is_whole(self) -> bool:
        return not (self.unreadable or self.too_expensive or self.failed)

    def add(self, site: str, layout: str, sample: Sample) -> None:
        key = (site, layout, sample.what)
        self.counts[key] += 1
        if len(several := self.samples.setdefault(key, [])) < SAMPLES:
            several.append(sample)


def reextract(
    archive: Archive,
    choose: Choose,
    *,
    site: str | None = None,
    workers: int = 0,
    dry_run: bool = False,
    report: Callable[[Difference], None] = lambda _: None,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Difference:
    """Reads all article captures (of one site) again. `report` is called before anything is written; `tell` with captures
    done and of all. The caller holds `archive.lock("reextract")`. Raises ArchiveError when the archive itself fails."""
    job = _Reextraction(archive, choose, site)
    spool = archive.path / "reextract.jsonl"
    if not dry_run and (left := job.left(spool)) is not None:
        job.found.resumed = left
        report(job.found)
    else:
        if not dry_run:
            job.forget(spool)
        changes = job.compare(workers, tell)
        if dry_run:
            for _ in changes:
                pass
        else:
            with whole_file(spool) as out:
                _write(out, changes)
        report(job.found)
    if not dry_run:
        job.apply(spool)
        spool.unlink()
    return job.found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What the capture at `offset` of `file` says today, by the rules of `site`."""

    file: str
    offset: int
    site: str
    key: str
    """of the rules that it was read by: all lines of a spool have the same"""
    article: str | None = None
    rejection: dict[str, Any] | None = None

    @property
    def result(self) -> Article | Rejection:
        if self.article is not None:
            return from_json(self.article)
        assert self.rejection is not None
        return Rejection(**{**self.rejection, "reason": Reason(self.rejection["reason"])})


class _Reextraction:
    def __init__(self, archive: Archive, choose: Choose, only: str | None) -> None:
        self._archive, self._choose, self._only = archive, choose, only
        self.found = Difference()

    # ── compare ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def compare(self, workers: int, tell: Callable[[int, int], None]) -> Iterator[_Change]:
        """What differs, capture by capture; `found` grows with it."""
        readers = Readers(workers)
        whole = self._count()
        try:
            for file in self._files():
                for row, result, site in self._read(file, readers):
                    self.found.read += 1
                    tell(self.found.read, whole)
                    change = self._difference(row, result, site)
                    if change is not None:
                        yield change
        finally:
            readers.close()

    def _mine(self, *columns: Any) -> sa.Select[Any]:
        capture = schema.capture
        mine = sa.and_(capture.c.kind == Kind.ARTICLE, capture.c.outcome != Reason.TAKEN_DOWN)
        chosen = sa.select(*columns).where(mine)
        return chosen if self._only is None else chosen.where(capture.c.site == self._only)

    def _count(self) -> int:
        with self._archive.catalogue.snapshot() as tx:
            return tx.scalar(self._mine(sa.func.count(schema.capture.c.id))) or 0

    def _files(self) -> list[str]:
        with self._archive.catalogue.snapshot() as tx:
            return list(tx.scalars(self._mine(schema.capture.c.file).distinct().order_by(schema.capture.c.file)))

    def _rows(self, file: str) -> dict[int, sa.Row[Any]]:
        page, capture = schema.page, schema.capture
        columns = (page.c.article.label("page_article"), page.c.kind.label("page_kind"), page.c.part, page.c.content)
        with self._archive.catalogue.snapshot() as tx:
            said = self._mine(capture, *columns).outerjoin(page, page.c.capture == capture.c.id).where(capture.c.file == file)
            return {row.offset: row for row in tx.execute(said)}

    def _read(self, file: str, readers: Readers) -> Iterator[tuple[sa.Row[Any], object, Site]]:
        rows, path = self._rows(file), self._archive.warc_folder / file
        under_way: list[tuple[sa.Row[Any], Site]] = []

        def pages() -> Iterator[tuple[Capture, Site]]:
            for capture in _captures(path, self._archive):
                assert capture.warc is not None
                if (row := rows.pop(capture.warc.offset, None)) is not None:
                    site = self._choose(row.site, row.url)
                    under_way.append((row, site))
                    yield capture, site

        for result in readers.read_all(pages()):
            row, site = under_way.pop(0)
            yield row, result, site
        self.found.unreadable += len(rows)

    def _difference(self, row: sa.Row[Any], result: object, site: Site) -> _Change | None:
        if isinstance(result, Exception):
            self.found.failed.append(row.url)
            return None
        assert isinstance(result, (Article, Rejection))
        if isinstance(result, Rejection) and result.reason is Reason.TOO_EXPENSIVE and row.outcome != Reason.TOO_EXPENSIVE:
            self.found.too_expensive += 1
            return None
        if _said(row) == _says(row, site, result):
            self.found.same += 1
            return None
        before = self._stored(row.content)
        sample = _sample(row, before, result, site)
        told = result if isinstance(result, Article) else before
        self.found.add(site.name, told.extraction.method if told else "-", sample)
        return _change(row, result, site, self._key(site))

    def _stored(self, content: str | None) -> Article | None:
        if content is None:
            return None
        with self._archive.catalogue.snapshot() as tx:
            text = tx.scalar(sa.select(schema.content.c.article).where(schema.content.c.digest == content))
        return None if text is None else from_json(text)

    # ── apply ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _key(self, site: Site) -> str:
        return digest(canonical_json([site.digest, versions()]))

    def forget(self, spool: Path) -> None:
        """Gives up what an earlier run left: it was found by other rules."""
        spool.unlink(missing_ok=True)
        with self._archive.catalogue.transaction() as tx:
            tx.execute(schema.info.delete().where(schema.info.c.key == PROGRESS))

    def left(self, spool: Path) -> int | None:
        """How many changes an earlier run left unapplied that were found by today's rules; None when there is no such run."""
        if not spool.exists():
            return None
        count = 0
        for change in _changes(spool):
            if change.key != self._key(self._rules(change)):
                return None
            count += 1
        return max(0, count - self._done())

    def _rules(self, change: _Change) -> Site:
        return self._choose(change.site, "")

    def _done(self) -> int:
        with self._archive.catalogue.snapshot() as tx:
            return int(tx.scalar(sa.select(schema.info.c.value).where(schema.info.c.key == PROGRESS)) or 0)

    def apply(self, spool: Path) -> None:
        """Writes the changes of a spool down, but for those that are."""
        done = self._done() if self.found.resumed is not None else 0
        changes = islice(_changes(spool), done, None)
        while group := list(islice(changes, GROUP)):
            done += len(group)
            with self._archive.catalogue.transaction() as tx:
                for change in group:
                    self.found.applied += self._write(tx, change)
                upsert(tx, schema.info, {"key": PROGRESS, "value": str(done)})
        with self._archive.catalogue.transaction() as tx:
            if done:
                ledger.settle_withdrawals(tx, self._only)
                ledger.sweep(tx)
            tx.execute(schema.info.delete().where(schema.info.c.key == PROGRESS))

    def _write(self, tx: sa.Connection, change: _Change) -> bool:
        """Takes a capture's row and page out and writes them anew; False where it was taken down meanwhile."""
        capture, page, article = schema.capture, schema.page, schema.article
        row = tx.execute(sa.select(capture).where(capture.c.file == change.file, capture.c.offset == change.offset)).one_or_none()
        if row is None:
            return False
        former = tx.scalar(sa.select(page.c.article).where(page.c.capture == row.id))
        head = tx.execute(sa.select(article).where(article.c.id == former)).one_or_none()
        tx.execute(page.delete().where(page.c.capture == row.id))
        tx.execute(capture.delete().where(capture.c.id == row.id))
        outcome = flow.write(tx, _capture(row), self._choose(change.site, row.url), change.result)
        if head is not None and outcome.article != former:
            ledger.refold(tx, head.site, head.url, head.id)
        return True


def _captures(path: Path, archive: Archive) -> Iterator[Capture]:
    if path.exists():
        found = read_captures(path, original=originals(archive.catalogue, archive.warc_folder))
        yield from (one for one in found if isinstance(one, Capture))


_Said = tuple[str, str | None, str | None, int | None, str]
"""Site, the page's article, kind, part, and its content or the reason why it has none: what the catalogue has of a capture."""


def _says(row: sa.Row[Any], site: Site, result: Article | Rejection) -> _Said:
    """What `flow.write` would make of a result."""
    where = canonical(row.url, site)
    name = article_id(where.url)
    if isinstance(result, Article):
        return site.name, name, PageKind.TEXT, result.part, digest(to_json(result))
    kind = None if where.mirror is not None else ledger.page_kind(result)
    return (site.name, None, None, None, result.reason) if kind is None else (site.name, name, kind, where.part, result.reason)


def _said(row: sa.Row[Any]) -> _Said:
    word = row.content if row.content is not None else row.outcome
    return row.site, row.page_article, row.page_kind, row.part, word


def _sample(row: sa.Row[Any], before: Article | None, result: Article | Rejection, site: Site) -> Sample:
    after = result if isinstance(result, Article) else None
    now = f"+ {result.reason}: {result.detail}" if isinstance(result, Rejection) else ""
    if before is None or after is None:
        what = What.GAINED if after else What.LOST if before else What.REASON
        was = f"- {before.title}" if before else f"- {row.outcome}"
        return Sample(what=what, url=row.url, lines=(was, now or f"+ {after.title if after else ''}"))
    lines = _different(before.paragraphs, after.paragraphs)
    if row.site != site.name or row.page_article != article_id(canonical(row.url, site).url) or row.part != after.part:
        return Sample(what=What.MOVED, url=row.url, lines=(f"- {row.site} {before.url}", f"+ {site.name} {after.url}"))
    if lines:
        return Sample(what=What.TEXT, url=row.url, lines=lines)
    facts = _facts(before, after)
    return Sample(what=What.FACTS if facts else What.PROVENANCE, url=row.url, lines=facts)


def _different(before: Iterable[str], after: Iterable[str]) -> tuple[str, ...]:
    """The first paragraphs that only one of two texts has, or that stand elsewhere."""
    was, now = tuple(before), tuple(after)
    gone = [f"- {line}" for line in was if line not in now]
    new = [f"+ {line}" for line in now if line not in was]
    if was != now and not gone and not new:
        return ("~ the paragraphs are the same, their order or number is not",)
    return (*gone[:SAMPLE_LINES], *new[:SAMPLE_LINES])


def _facts(before: Article, after: Article) -> tuple[str, ...]:
    was, now = json.loads(to_json(before)), json.loads(to_json(after))
    for one in (was, now):
        one["extraction"] = {key: value for key, value in one["extraction"].items() if key not in ("rules_digest", "versions")}
    wrong = [name for name in was if was[name] != now[name]]
    return tuple(line for name in wrong for line in (f"- {name}: {was[name]}", f"+ {name}: {now[name]}"))


def _change(row: sa.Row[Any], result: Article | Rejection, site: Site, key: str) -> _Change:
    if isinstance(result, Article):
        return _Change(file=row.file, offset=row.offset, site=site.name, key=key, article=to_json(result))
    return _Change(file=row.file, offset=row.offset, site=site.name, key=key, rejection=asdict(result))


def _write(out: BinaryIO, changes: Iterable[_Change]) -> None:
    out.writelines(canonical_json(asdict(change)).encode("utf-8") + b"\n" for change in changes)


def _changes(spool: Path) -> Iterator[_Change]:
    with spool.open("rb") as lines:
        for line in lines:
            yield _Change(**json.loads(line))


def _capture(row: sa.Row[Any]) -> Capture:
    """A capture as its row knows it: enough to write down what was read from it."""
    return Capture(
        url=row.url,
        fetched_at=moment(row.fetched_at),
        status=row.status,
        headers=(),
        body=b"",
        kind=Kind(row.kind),
        payload_digest=row.payload_digest,
        warc=WarcRef(file=row.file, offset=row.offset, length=row.length, record_id=row.record_id),
    )


def today(sites: Mapping[str, Site], by_url: Callable[[str], Site]) -> Choose:
    """The rules of a capture's own site where it still has a seeds file, else those that its URL finds."""
    return lambda name, url: sites[name] if name in sites else by_url(url)
