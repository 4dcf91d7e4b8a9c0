"""WARC files, ours or anybody's, through the same door as a live crawl: same captures, same rules, same records.

A file is first copied into the archive (pipelines/intake.py), then read by processes, piece by
piece (pipelines/bulk.py), while this one writes down what they made of the pieces before, in the order of the file. What
is already known is passed over, so a replay that was broken off goes on where it stopped. A record that cannot be read, or
a page on which our own code fails, is quarantined with its traceback, and the rest goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines import flow, intake, reading, takedown
from pipelines.archive import Archive, erasure, schema, write_whole
from pipelines.archive.article_record import article_id
from pipelines.archive.exchange import resolved
from pipelines.archive.ledger import taken_down
from pipelines.archive.originals import originals
from pipelines.archive.outcome_record import Told
from pipelines.archive.prepared import Prepared
from pipelines.archive.settlement import settle_in_groups
from pipelines.archive.takedown_record import Tombstone
from pipelines.archive.warc import is_being_written, read_record, warc_files
from pipelines.bulk import END, WITHIN, Fault, Item, Read, Stretch, Sweep, bare, offset_of, place
from pipelines.choice import Chooser
from pipelines.errors import ArchiveError, DamagedRecord
from pipelines.model import Capture, Reason, WarcRef
from pipelines.pool import Kept
from pipelines.reading import Result
from pipelines.site import Site
from pipelines.urls import canonical
from pipelines.visited import Visited
from pipelines.workers import Readers

GROUP = 64
"""captures of one transaction: a commit with fsync costs 8 to 15 ms (FIELD section 4)"""
_KNOWN = Prepared(sa.select(schema.capture.c.offset).where(WITHIN))


@dataclass(slots=True)
class Tally:
    """What became of a replay's records. `outcomes` counts words (verdicts, reasons, kinds); `known` were there before."""

    outcomes: Counter[str] = field(default_factory=Counter)
    known: int = 0
    read: int = 0
    """bytes of WARC files, as the archive keeps them"""
    taken_down: int = 0
    """articles that the files told were taken down, and that were not yet"""
    damaged: list[DamagedRecord] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not (self.damaged or self.quarantined)


def replay(
    archive: Archive, paths: Iterable[Path], choose: Chooser, *, workers: int = 0, tell: Callable[[Tally], None] | None = None
) -> Tally:
    """Ingests every capture of some WARC files, and of those in WACZ packages; `tell` is called after each group. Raises
    ArchiveError when the archive itself fails, or where a package is none; nothing else."""
    if not archive.index.path.exists():
        archive.index.rebuild(warc_files(archive.warc_folder))  # else what this replay adds would be all of it
    job = _Replay(archive, choose, workers)
    try:
        with Sweep(workers, read_new, job.ask) as sweep:
            for _ in job.groups(sweep.through(intake.keep(archive, paths, job.tally.damaged))):
                if tell is not None:
                    tell(job.tally)
        job.read_left_overs()
        archive.index.merge()
        settle_in_groups(archive.catalogue)
    finally:
        job.close()
    return job.tally


# ── in the processes that read ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What is known of a piece: the offsets of the captures that the catalogue has, and whose rules read the others."""

    offsets: frozenset[int]
    choose: Kept[Chooser]

    def __contains__(self, offset: object) -> bool:
        return offset in self.offsets


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A capture, without its body, and what it was read as. A revisit of a whole payload is not read: what it stands for may
    lie in a piece that nobody has written down yet."""

    capture: Capture
    result: Result = None
    is_read: bool = True


KNOWN = "known"


def read_new(item: Item, before: Before, read: Read) -> Reading | DamagedRecord | str:
    """What a capture is that the catalogue does not have. See bulk.Work."""
    if isinstance(item, DamagedRecord):
        return item
    if offset_of(item) in before:
        return KNOWN
    if item.lacks_payload:
        return Reading(capture=item, is_read=False)
    return Reading(capture=bare(item), result=read(item, site_of(item, before.choose.value)))


def site_of(capture: Capture, choose: Chooser) -> Site:
    """Whose rules read a capture that lies in the archive."""
    assert capture.warc is not None
    return choose(capture.url, capture.warc.file)


# ── in the main process ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Replay:
    archive: Archive
    choose: Chooser
    workers: int
    tally: Tally = field(default_factory=Tally)
    _choice: Kept[Chooser] = field(init=False)
    _group: list[Reading] = field(default_factory=list)
    _quarantined: dict[tuple[str, datetime], WarcRef] = field(default_factory=dict)
    """captures of the open file that the catalogue does not get"""
    _told_of: set[str] = field(default_factory=set)
    """URLs of which the open file tells, or whose payload it refers to, although they were taken down"""
    _buried: dict[str, tuple[Tombstone, str]] = field(default_factory=dict)
    """by id, what files told was taken down that is not written down yet; the files' names"""
    _has_failed: bool = False
    """whether our own code has, in the open file"""
    _visited: Visited = field(default_factory=Visited)
    _known_before: int = 0
    _readers: Readers | None = None
    """of revisits, where there are any"""

    def __post_init__(self) -> None:
        self._choice = Kept(self.choose)

    def close(self) -> None:
        if self._readers is not None:
            self._readers.close()

    def ask(self, file: Path, low: int, high: int) -> Before:
        with self.archive.catalogue.snapshot() as tx:
            known = frozenset(row.offset for row in _KNOWN.rows(tx, place(file, low, high)))
            return Before(offsets=known, choose=self._choice)

    def groups(self, stretches: Iterator[Stretch[Before]]) -> Iterator[None]:
        """Writes down what was read, a group of captures after the other."""
        for stretch in stretches:
            self._hear_buried(stretch)
            if stretch.answers:
                self._bury()
            self._told_of |= self._taken_down(stretch.told)
            for _, answer in stretch.answers:
                self._hear(answer)
                if len(self._group) == GROUP:
                    self._commit(stretch.piece.file)
                    yield
            self.tally.read += min(stretch.piece.stop, stretch.piece.file.stat().st_size) - stretch.piece.start
            if stretch.piece.stop == END:
                if self._group:
                    self._commit(stretch.piece.file)
                    yield
                self._end(stretch.piece.file)
        self._bury()

    def _hear(self, answer: Any) -> None:
        if answer == KNOWN:
            self.tally.known += 1
        elif isinstance(answer, DamagedRecord):
            self.tally.damaged.append(answer)
        elif isinstance(answer, Fault):
            self._quarantine(answer.capture, answer.trace)
        else:
            self._group.append(answer)

    def _hear_buried(self, stretch: Stretch[Before]) -> None:
        """Behind damage a page's own bytes may pass for records of its file: what they tell is not believed."""
        file = stretch.piece.file.name
        if not stretch.buried:
            return
        damaged = [*self.tally.damaged, *(answer for _, answer in stretch.answers if isinstance(answer, DamagedRecord))]
        sound = min((one.offset for one in damaged if one.file == file), default=END)
        for stone in stretch.buried:
            if stone.offset < sound:
                self._buried[stone.article] = stone, file
            else:
                wrong = f"tells behind damage that article {stone.article} was taken down, and is not believed: replay a sound copy"
                self.tally.damaged.append(DamagedRecord(file, stone.offset, wrong))

    def _bury(self) -> None:
        """Takes down what the files tell of, before anything that they hold comes in."""
        if self._buried:
            self.tally.taken_down += takedown.heed(self.archive, self._buried, self.choose)
            self._buried.clear()

    def _taken_down(self, told: Sequence[Told]) -> set[str]:
        """URLs of pages that were taken down, of those that are told of."""
        if not told:
            return set()
        with self.archive.catalogue.snapshot() as tx:
            gone = taken_down(tx, {one.article for one in told})
        return {one.url for one in told if one.article in gone}

    def _end(self, file: Path) -> None:
        """A damaged record may be one of a page that was taken down; nobody has heard of it then."""
        is_damaged = any(one.file == file.name for one in self.tally.damaged)
        with self.archive.catalogue.transaction() as tx:
            self._visited.end(tx)
            if not is_damaged and not self._has_failed and not is_being_written(file):
                intake.seal(tx, file)
        erasure.erase_taken_down(self.archive, file, self._told_of, partial(self._is_lost, file.name) if is_damaged else None)
        self._told_of.clear()
        self._has_failed = False
        if self.tally.known > self._known_before:  # one that was broken off may have left captures without a line in the index
            self.archive.index.replace([file])
        self._known_before = self.tally.known
        self._quarantined.clear()

    def _commit(self, file: Path) -> None:
        group, self._group = self._read_revisits(file, self._without_lost(file.name, self._group)), []
        with self.archive.catalogue.transaction() as tx:
            for one in group:
                site = site_of(one.capture, self.choose)
                outcome = flow.write(tx, one.capture, site, one.result)
                self._visited.note(tx, site, one.capture, outcome, one.result)
                self.tally.outcomes[outcome.word] += 1
        self.archive.index.add([one.capture for one in group])

    def _is_lost(self, file: str, url: str) -> bool:
        return bool(self._lost(file, {url}))

    def _lost(self, file: str, urls: Collection[str]) -> set[str]:
        """Those of some URLs in a file whose article was taken down."""
        names = {url: article_id(canonical(url, self.choose(url, file)).url) for url in urls}
        with self.archive.catalogue.snapshot() as tx:
            taken = taken_down(tx, set(names.values()))
        return {url for url, name in names.items() if name in taken}

    def _without_lost(self, file: str, group: list[Reading]) -> list[Reading]:
        """A group without revisits of payloads that were taken down: they go with what they stand for."""
        stand_for = {one.capture.refers_to[0] for one in group if one.capture.refers_to is not None and one.capture.status != 304}
        if not stand_for:
            return group
        lost = self._lost(file, stand_for)
        self._told_of |= lost
        kept = [one for one in group if one.capture.refers_to is None or one.capture.status == 304 or one.capture.refers_to[0] not in lost]
        self.tally.outcomes[Reason.TAKEN_DOWN] += len(group) - len(kept)
        return kept

    # ── revisits ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_revisits(self, file: Path, group: list[Reading]) -> list[Reading]:
        """The group with the payloads read that its revisits stand for; those before them are known by now, or in it."""
        if all(one.is_read for one in group):
            return group
        here = {(one.capture.url, one.capture.fetched_at): one.capture.warc for one in group if one.capture.refers_to is None}
        whole = [self._resolved(file, one, here) for one in group]
        read = asyncio.run(self._read_all([one for one in whole if one is not None]))
        return [one for one in read if one is not None]

    def _resolved(self, file: Path, one: Reading, here: Mapping[tuple[str, datetime], WarcRef | None]) -> Reading | None:
        if one.is_read:
            return one
        stored = originals(self.archive.catalogue, self.archive.warc_folder)

        def find(url: str, date: datetime, digest: str | None = None, /) -> Capture | None:
            at = here.get((url, date)) or self._quarantined.get((url, date))
            return stored(url, date, digest) if at is None else read_record(file, at)

        try:
            return Reading(capture=resolved(one.capture, find), is_read=False)
        except DamagedRecord as damage:
            self.tally.damaged.append(damage)
            return None

    def read_left_overs(self) -> None:
        """Revisits that came in before what they stand for, in this replay or an earlier one: now it may be there."""
        stored = originals(self.archive.catalogue, self.archive.warc_folder)
        for at in self._left_overs():
            with contextlib.suppress(DamagedRecord):
                capture = read_record(self.archive.warc_folder / at.file, at, original=stored)
                if not capture.body:
                    continue
                [one] = asyncio.run(self._read_all([Reading(capture=capture, is_read=False)]))
                if one is not None:
                    with self.archive.catalogue.transaction() as tx:
                        outcome = flow.write_anew(tx, one.capture, site_of(capture, self.choose), one.result)
                    if outcome is not None:
                        self.tally.outcomes[outcome.word] += 1
                        self.tally.outcomes[Reason.PARTIAL] -= self.tally.outcomes[Reason.PARTIAL] > 0  # or an earlier replay said it

    def _left_overs(self) -> list[WarcRef]:
        """Where they lie. Of those whose original nobody ever brings there may be millions: it is looked for first."""
        late, original = schema.capture, schema.capture.alias("original")
        named = sa.func.substr(late.c.detail, len(reading.KEPT_WITH) + 1)
        is_here = sa.exists().where(original.c.url == named, original.c.id != late.c.id)
        columns = (late.c.file, late.c.offset, late.c.length, late.c.record_id)
        asked = sa.select(*columns).where(late.c.outcome == Reason.PARTIAL, late.c.detail.startswith(reading.KEPT_WITH), is_here)
        with self.archive.catalogue.snapshot() as tx:
            return [WarcRef(**row._mapping) for row in tx.execute(asked.order_by(late.c.id))]

    async def _read_all(self, group: list[Reading]) -> list[Reading | None]:
        return await asyncio.gather(*(self._read(one) for one in group))

    async def _read(self, one: Reading) -> Reading | None:
        if one.is_read:
            return one
        self._readers = self._readers or Readers(self.workers)
        try:
            result = await self._readers.read(one.capture, site_of(one.capture, self.choose))
        except ArchiveError:
            raise
        except Exception:  # noqa: BLE001  # as in bulk work, which this is a part of
            self._quarantine(one.capture, traceback.format_exc())
            return None
        return Reading(capture=bare(one.capture), result=result)

    def _quarantine(self, capture: Capture, trace: str) -> None:
        assert capture.warc is not None
        if self._is_lost(capture.warc.file, capture.url):
            self._told_of.add(capture.url)
            self.tally.outcomes[Reason.TAKEN_DOWN] += 1
            return
        self._has_failed = True
        quarantine(self.archive, capture, trace)
        self.archive.index.add([capture])
        self.tally.quarantined.append(capture.url)
        if capture.refers_to is None:
            self._quarantined[capture.url, capture.fetched_at] = capture.warc


def quarantine(archive: Archive, capture: Capture, trace: str) -> None:
    """Keeps the traceback of a capture on which our own code failed, under the name of its place in the WARC files."""
    assert capture.warc is not None
    name = f"{Path(capture.warc.file).stem}-{capture.warc.offset}.txt"
    write_whole(archive.path / "quarantine" / name, f"{capture.url}\n\n{trace}".encode())
