"""All captures read again with today's rules: what would change is told first, then written down through the same door.

    compare    every article capture, file by file: what it says today ↔ what the catalogue has      nothing is written
    tell       the differences, by site and layout, with samples
    apply      in groups: the capture's row and page are taken out and written down anew (`flow.write`)

Rules of this file: equal results change nothing, so reading again by unchanged rules leaves no trace, in the feed neither;
what differs is kept in a spool (`pipelines/spool.py`) until all of it is applied, so that a run that was killed, in either
half, goes on where it stopped; a page that is too expensive or on which our own code fails today keeps what it said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from pipelines import flow
from pipelines.archive import Archive, ledger, schema
from pipelines.archive.article_record import from_json, moment, to_json
from pipelines.archive.catalogue import upsert
from pipelines.archive.prepared import Prepared, Row
from pipelines.archive.settlement import settle_in_groups
from pipelines.bulk import WITHIN, Fault, Item, Piece, Read, Stretch, Sweep, offset_of, original_of, place
from pipelines.choice import Chooser, crawl_of
from pipelines.compared import Said, What, sample, says
from pipelines.model import Article, Capture, Kind, Reason, Rejection, WarcRef
from pipelines.pool import Kept
from pipelines.site import Site
from pipelines.spool import Change, Difference, Found, Spool, key_of

GROUP = 64
"""captures of one transaction: a commit with fsync costs 8 to 15 ms (FIELD section 4)"""
PROGRESS = "reextract"
"""key of `info`: how many lines of the spool are applied"""


class Choose(Protocol):
    """The rules of today, by the site that read a capture and its URL: of that site, or of the capture in `file`."""

    def __call__(self, name: str, url: str, file: str = "", /) -> Site: ...


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
    job = _Reextraction(archive, choose, site, tell)
    if dry_run:
        for _ in job.compare(workers, None):
            pass
        report(job.found)
        return job.found
    spool = Spool(archive.path / "reextract.jsonl", site)
    if spool.is_whole and spool.is_of(job.key_today):
        job.found.resumed = max(0, sum(1 for _ in spool.changes()) - job.done())
    else:
        job.begin_anew(spool)
        spool.fill(job.found, job.key_today, partial(job.compare, workers))
    report(job.found)
    job.apply(spool)
    spool.remove()
    return job.found


# ── in the processes that read ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A capture to be read again: today's rules for it, and what the catalogue has."""

    url: str
    rules: Kept[Site]
    said: Said
    content: str | None
    outcome: str


SAME, DAMAGED = "same", "damaged"


def read_again(item: Item, known: Mapping[int, Asked], read: Read) -> Article | Rejection | str | None:
    """What a capture says today; SAME as the catalogue's, None where it was not asked for. See bulk.Work."""
    asked = known.get(offset_of(item))
    if asked is None:
        return None
    if not isinstance(item, Capture):
        return DAMAGED
    site = asked.rules.value
    result = read(item, site)
    assert result is not None, "only captures of articles are asked for"
    if says(asked.url, site, result) == asked.said:
        return SAME
    is_lost = item.lacks_payload and asked.content is not None  # what it stands for was there
    is_refused = isinstance(result, Rejection) and result.reason is Reason.TOO_EXPENSIVE
    return DAMAGED if is_lost and not is_refused else result


# ── in the main process ──────────────────────────────────────────────────────────────────────────────────────────────


class _Reextraction:
    def __init__(self, archive: Archive, choose: Choose, only: str | None, tell: Callable[[int, int], None]) -> None:
        self._archive, self._choose, self._only, self._tell = archive, choose, only, tell
        self._rules: dict[int, Kept[Site]] = {}
        page, capture = schema.page, schema.capture
        known = (capture.c[name] for name in ("offset", "site", "url", "outcome"))
        said = self._mine(*known, page.c.article.label("page_article"), page.c.kind.label("page_kind"), page.c.part, page.c.content)
        self._said = Prepared(said.outerjoin(page, page.c.capture == capture.c.id).where(WITHIN))
        self.found = Difference()

    def key_today(self, site: str) -> str:
        return key_of(self._choose(site, ""))

    # ── compare ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def compare(self, workers: int, after: Piece | None) -> Iterator[Found]:
        """What differs, piece by piece; `found` grows with it."""
        whole, files = self._count(), self._files()
        if after is not None:
            after = replace(after, file=self._archive.warc_folder / after.file)
            files = [file for file in files if file >= after.file]
        with Sweep(workers, read_again, self._asked, original_of(self._archive, workers)) as sweep:
            for stretch in sweep.through(files, after=after):
                changes = [change for offset, answer in stretch.answers if (change := self._heard(stretch, offset, answer)) is not None]
                self.found.unreadable += len(stretch.unheard(stretch.known))
                self._tell(self.found.read, whole)
                yield Found(changes=changes, end=stretch.end)

    def _mine(self, *columns: Any) -> sa.Select[Any]:
        capture = schema.capture
        mine = sa.and_(capture.c.kind == Kind.ARTICLE, capture.c.outcome != Reason.TAKEN_DOWN)
        chosen = sa.select(*columns).where(mine)
        return chosen if self._only is None else chosen.where(capture.c.site == self._only)

    def _count(self) -> int:
        with self._archive.catalogue.snapshot() as tx:
            return tx.scalar(self._mine(sa.func.count(schema.capture.c.id))) or 0

    def _files(self) -> list[Path]:
        with self._archive.catalogue.snapshot() as tx:
            names = tx.scalars(self._mine(schema.capture.c.file).distinct()).all()
        return [self._archive.warc_folder / name for name in sorted(names)]

    def _asked(self, file: Path, low: int, high: int) -> dict[int, Asked]:
        with self._archive.catalogue.snapshot() as tx:
            found = self._said.rows(tx, place(file, low, high))
        return {row.offset: self._asked_of(row, file.name) for row in found}

    def _asked_of(self, row: Row, file: str) -> Asked:
        word = row.content if row.content is not None else row.outcome
        said = Said(site=row.site, article=row.page_article, kind=row.page_kind, part=row.part, word=word)
        rules = self._kept(self._choose(row.site, row.url, file))
        return Asked(url=row.url, rules=rules, said=said, content=row.content, outcome=row.outcome)

    def _kept(self, site: Site) -> Kept[Site]:
        if id(site) not in self._rules:
            self._rules[id(site)] = Kept(site)
            self.found.rules[site.name] = key_of(site)
        return self._rules[id(site)]

    def _heard(self, stretch: Stretch[dict[int, Asked]], offset: int, answer: Any) -> Change | None:
        """What becomes of an answer."""
        if answer is None:
            return None
        if answer == DAMAGED:
            self.found.unreadable += 1
            return None
        asked = stretch.known[offset]
        self.found.read += 1
        if isinstance(answer, Fault):
            self.found.fail(asked.url)
        elif answer == SAME:
            self.found.same += 1
        elif isinstance(answer, Rejection) and answer.reason is Reason.TOO_EXPENSIVE and asked.outcome != Reason.TOO_EXPENSIVE:
            self.found.too_expensive += 1
        else:
            return self._change(stretch.piece.file.name, offset, asked, answer)
        return None

    def _change(self, file: str, offset: int, asked: Asked, result: Article | Rejection) -> Change:
        site, before = asked.rules.value, self._stored(asked.content)
        told = result if isinstance(result, Article) else before
        self.found.add(site.name, told.extraction.method if told else "-", sample(asked.url, asked.said, before, result, site))
        change = Change(file=file, offset=offset, site=site.name, key=self.found.rules[site.name])
        if isinstance(result, Article):
            return replace(change, article=to_json(result))
        return replace(change, rejection=asdict(result))

    def _stored(self, content: str | None) -> Article | None:
        if content is None:
            return None
        with self._archive.catalogue.snapshot() as tx:
            text = tx.scalar(sa.select(schema.content.c.article).where(schema.content.c.digest == content))
        return None if text is None else from_json(text)

    # ── apply ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin_anew(self, spool: Spool) -> None:
        """Gives up what an earlier run had found by other rules, and half applied."""
        if spool.is_whole:
            spool.remove()
        with self._archive.catalogue.transaction() as tx:
            tx.execute(schema.info.delete().where(schema.info.c.key == PROGRESS))

    def done(self) -> int:
        """How many changes of the spool are applied."""
        with self._archive.catalogue.snapshot() as tx:
            return int(tx.scalar(sa.select(schema.info.c.value).where(schema.info.c.key == PROGRESS)) or 0)

    def apply(self, spool: Spool) -> None:
        """Writes the changes of a spool down, but for those that are."""
        done = self.done() if self.found.resumed is not None else 0
        changes = islice(spool.changes(), done, None)
        while group := list(islice(changes, GROUP)):
            done += len(group)
            with self._archive.catalogue.transaction() as tx:
                for change in group:
                    self.found.applied += self._write(tx, change)
                upsert(tx, schema.info, {"key": PROGRESS, "value": str(done)})
        if done:
            settle_in_groups(self._archive.catalogue, self._only)
        with self._archive.catalogue.transaction() as tx:
            if done:
                ledger.sweep(tx)
            tx.execute(schema.info.delete().where(schema.info.c.key == PROGRESS))

    def _write(self, tx: sa.Connection, change: Change) -> bool:
        """Takes a capture's row and page out and writes them anew; False where it was taken down meanwhile."""
        capture = schema.capture
        row = tx.execute(sa.select(capture).where(capture.c.file == change.file, capture.c.offset == change.offset)).one_or_none()
        return row is not None and flow.write_anew(tx, _capture(row), self._choose(change.site, row.url), change.result) is not None


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
        warc=WarcRef.of_row(row),
    )


def today(sites: Mapping[str, Site], choose: Chooser) -> Choose:
    """The rules of the site that read a capture, where it still has a seeds file, else those that its URL finds. In the file of a
    site's own crawl it is read as a replay would (`choice.chooser`)."""

    def rules(name: str, url: str, file: str = "", /) -> Site:
        return choose(url, file) if name not in sites or crawl_of(file) in sites else sites[name]

    return rules


__all__ = ["Difference", "What", "reextract", "today"]
