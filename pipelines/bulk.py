"""Whole archives: every capture of some WARC files, worked on in many processes, heard in the order of the files.

    file ─► pieces of 256 KiB ─► ask(piece): what the catalogue knows there
                 │                         │
                 └──────► a process reads the piece itself: work(capture, known, read) for each capture
                                           │
    in order, each exactly once  ◄── answers, and where the captures between which they lie begin

The one shape of replay, reextract and verify. Rules of this file:

- Processes are told where, not what: no page travels, only answers do. `work` keeps them small.
- A piece begins where a record seems to begin. That one does is proved by the piece before, which reads on to its own first
  joint behind its end: where both name the same, they join; where they do not, the bytes between are read anew. So the
  answers are those of one process that reads from end to end, whatever lies in the files.
- A joint is a capture, or another record of which a reader needs to know nothing more. It belongs to the piece that reads up
  to it, so that the metadata record before it, which says what it was fetched for, is read in any case.
- A piece that takes too long or kills its process is read again capture by capture; what is too expensive then is itself
  the answer: `read` refuses it. What fails by our own code is a `Fault`: the one broad except of bulk work.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import sqlalchemy as sa

from pipelines import reading
from pipelines.archive import Archive, schema
from pipelines.archive.exchange import Original
from pipelines.archive.originals import Originals, originals
from pipelines.archive.outcome_record import Told
from pipelines.archive.prepared import given
from pipelines.archive.records import next_record
from pipelines.archive.takedown_record import Tombstone
from pipelines.archive.warc import Passed, steps_in
from pipelines.errors import ArchiveError, ArchiveUnusable, DamagedRecord
from pipelines.model import Capture
from pipelines.pool import Kept, Pool, ProcessDied, Task, TookTooLong
from pipelines.reading import Result
from pipelines.site import Site
from pipelines.workers import MEMORY_A_WORKER, PAGES_A_WORKER, SECONDS_A_PAGE, TRIES, too_expensive

PIECE = 2**18
"""bytes of a file that one task reads: 20 to 30 news pages, compressed, which take 0.1 to 0.5 s"""
PAGES_A_PIECE = 25
HELD = 2**20
"""bytes of bodies that are read before the first of them is worked on: records and pages by turns cost a tenth more, since neither
finds in the processor's caches what it left there"""
AHEAD = 32
"""pieces a worker behind the first one that are read or heard: 10 s of work, so that nobody is idle while that is too expensive"""
READY = 4
"""pieces a worker of these that are asked for and not read yet: what the catalogue knows of them lies in memory twice"""
PIECES_AHEAD = 2
"""that wait in the pipe of a process at work: it reads on while a group of captures is committed"""
MOST = 2_000
"""joints of one task; a piece of confirmations (304) has 600"""
END = 2**63 - 1
"""an offset that no file has"""

Item = Capture | DamagedRecord
Step = Item | Passed | Told | Tombstone
Read = Callable[[Capture, Site], Result]
K = TypeVar("K", bound=Container[int])

Work = Callable[[Item, Any, Read], Any]
"""work(item, known, read): the answer for one capture or damage. A function of a module: it is called in other processes."""
_behind = sa.select(sa.func.min(schema.capture.c.offset)).where(
    schema.capture.c.file == given("file"), schema.capture.c.offset >= given("high")
)
WITHIN = sa.and_(
    schema.capture.c.file == given("file"),
    schema.capture.c.offset >= given("low"),
    schema.capture.c.offset <= sa.func.coalesce(_behind.scalar_subquery(), given("high")),
)
"""The condition of an `Ask` on rows of the capture table."""
Ask = Callable[[Path, int, int], K]
"""ask(file, low, high): what the catalogue knows, by offset, of the captures from `low` to the first at or behind `high`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Our own code failed on a capture."""

    capture: Capture
    """without its body"""
    trace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What lies in a file behind the joint at `behind`, up to the first joint at or behind `stop`. Where `behind` is unknown,
    it is the first joint at or behind `start`, and to be named; nothing is before the file's first one."""

    file: Path
    start: int
    stop: int
    behind: int | None = None
    before: tuple[int, ...] = ()
    """offsets at or behind `start` that were heard with the piece before"""
    most: int = MOST

    @property
    def is_guess(self) -> bool:
        return self.behind is None and self.start > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What was read of a piece: answers by offset, and what it tells of captures and of takedowns. `behind` as in Piece; `last` is
    its last joint; `ended` at the end of the file."""

    behind: int | None
    answers: list[tuple[int, Any]]
    last: int | None
    ended: bool
    told: list[Told | Tombstone] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch(Generic[K]):
    """A piece that was heard: the answers of its captures in order, and what `ask` said of it."""

    piece: Piece
    known: K
    answers: list[tuple[int, Any]]
    told: list[Told]
    buried: list[Tombstone]
    end: Piece
    """where the next one begins"""

    def unheard(self, offsets: Iterable[int]) -> list[int]:
        """Which of some offsets in the catalogue lie in this piece and begin no record."""
        heard = {*self.piece.before, *(offset for offset, _ in self.answers)}
        return [one for one in sorted(offsets) if self.piece.start <= one < self.piece.stop and one not in heard]


# ── in the processes ─────────────────────────────────────────────────────────────────────────────────────────────────


def read_piece(piece: Piece, work: Work, known: Any, original: Kept[Original | None], read: Read | None = None) -> Part:
    """The answers of a piece; a file that is not there has none. Raises ArchiveError."""
    try:
        with piece.file.open("rb") as file:
            start = next_record(file, piece.start, piece.stop) if piece.is_guess else piece.behind or 0
            if start is None:
                return Part(behind=None, answers=[], last=None, ended=False)
            steps = steps_in(file, piece.file.name, start=start, original=original.value)
            return _part(piece, steps, partial(_worked, work, known, read or reading.read))
    except FileNotFoundError:
        return Part(behind=None, answers=[], last=None, ended=True)
    except OSError as error:
        raise ArchiveUnusable(f"{piece.file}: cannot be read ({error.strerror}). Expected a WARC file.") from error


def _part(piece: Piece, steps: Iterator[Step], answer: Callable[[Item], Any]) -> Part:
    behind, answers, told = piece.behind, [], []
    if piece.is_guess:
        behind = next((at for step in steps if (at := _joint(step)) is not None), None)
    elif behind is not None and (first := next(steps, None)) is not None and _joint(first) != behind:
        steps = chain([first], steps)  # the file is another one than it was
    if behind is not None and behind >= piece.stop:  # the piece lies in a record
        return Part(behind=behind, answers=[], last=behind, ended=False)
    last, ended, count, size = behind, True, 0, 0
    held: list[Item] = []
    for step in steps:
        if isinstance(step, (Told, Tombstone)):
            told.append(step)
        elif not isinstance(step, Passed):
            held.append(step)
            size += len(step.body) if isinstance(step, Capture) else 0
            if size > HELD:
                answers += [(offset_of(one), answer(one)) for one in held]
                held, size = [], 0
        if (joint := _joint(step)) is not None:
            last, count = joint, count + 1
            ended = last < piece.stop and count < piece.most
            if not ended:
                break
    answers += [(offset_of(one), answer(one)) for one in held]
    return Part(behind=behind, answers=answers, last=last, ended=ended, told=told)


def _joint(step: Step) -> int | None:
    """The offset of a record behind which a reader may begin: one that is whole, in a member of its own."""
    if isinstance(step, Passed):
        return step.offset
    return offset_of(step) if isinstance(step, Capture) and step.warc is not None and step.warc.length else None


def _worked(work: Work, known: Any, read: Read, item: Item) -> Any:
    try:
        return work(item, known, read)
    except (ArchiveError, MemoryError):
        raise
    except Exception:  # noqa: BLE001  # the edge of bulk work: one page must not lose the others
        assert isinstance(item, Capture)
        return Fault(capture=bare(item), trace=traceback.format_exc())


def offset_of(item: Item) -> int:
    if isinstance(item, DamagedRecord):
        return item.offset
    assert item.warc is not None
    return item.warc.offset


def bare(capture: Capture) -> Capture:
    """A capture without its body, as it travels and waits."""
    return replace(capture, body=b"")


# ── in the main process ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Sweep(Generic[K]):
    """Goes through files. A context manager that ends its processes; `workers` 0 reads here, without limits."""

    workers: int
    work: Work
    ask: Ask[K]
    original: Original | None = None
    """of revisits; to be carried to the processes by pickle"""
    _pool: Pool | None = None
    _kept: Kept[Original | None] | None = None
    _coming: Iterator[Piece] = field(default_factory=lambda: iter(()))
    _under_way: deque[_Begun[K]] = field(default_factory=deque)

    def __enter__(self) -> Self:
        self._kept = Kept(self.original)
        if self.workers:
            most = PAGES_A_WORKER // PAGES_A_PIECE
            self._pool = Pool(self.workers, MEMORY_A_WORKER, most, ahead=PIECES_AHEAD, modules=(self.work.__module__,))
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()

    def through(self, files: Iterable[Path], *, after: Piece | None = None) -> Iterator[Stretch[K]]:
        """The answers of all captures and damage, in the order of `files`, without a gap from each file's first byte to END;
        of the first file those behind `after`, which is a Stretch's `end`. Files are looked for while the ones before are
        read. Raises ArchiveError."""
        self._under_way = deque()
        self._coming = (piece for file in files for piece in pieces(file, after))
        place = _Place()
        while self._fill() or self._under_way:
            yield self._joined(place, self._under_way.popleft())

    def _fill(self) -> bool:
        """Begins the pieces for which there is room, one in any case where none is under way; False when no more come."""
        while not (begun := self._under_way) or (len(begun) < AHEAD * self.workers and self._unread() < READY * self.workers):
            if (piece := next(self._coming, None)) is None:
                return False
            begun.append(self._begin(piece))
        return True

    def _unread(self) -> int:
        return sum(begun.task is not None and begun.task.outcome is None for begun in self._under_way)

    def _joined(self, place: _Place, begun: _Begun[K]) -> Stretch[K]:
        """The answers of a piece that nobody has heard yet."""
        piece, known = begun.piece, begun.known
        place.enter(piece)
        here = replace(piece, behind=place.at, before=place.heard_from(piece.start))
        answers: list[tuple[int, Any]] = []
        told: list[Told | Tombstone] = []
        part = None if place.is_past(piece) else self._result(begun)
        most = MOST if part is not None else 1
        while not place.is_past(piece):
            if part is None or part.behind != place.at:
                again = replace(piece, behind=place.at, most=most)
                part = self._one(again, known) if most == 1 else self._result(self._begin(again, known))
                most = 1 if part is None else most
                continue
            part, known = self._checked(piece, part, known)
            answers += part.answers
            told += part.told
            place.at, place.ended, part = part.last, part.ended, None
        place.heard = (*here.before, *(offset for offset, _ in answers))
        end = Piece(file=piece.file, start=piece.stop, stop=END, behind=place.at, before=place.heard_from(piece.stop))
        outcomes = [one for one in told if isinstance(one, Told)]
        buried = [one for one in told if isinstance(one, Tombstone)]
        return Stretch(piece=here, known=known, answers=answers, told=outcomes, buried=buried, end=end)

    def _begin(self, piece: Piece, known: K | None = None) -> _Begun[K]:
        known = self.ask(piece.file, piece.start, piece.stop) if known is None else known
        if self._pool is None:
            return _Begun(piece=piece, known=known)
        return _Begun(piece=piece, known=known, task=self._pool.begin(SECONDS_A_PAGE, read_piece, piece, self.work, known, self._kept))

    def _result(self, begun: _Begun[K]) -> Part | None:
        """None for a piece that takes too long, or kills who reads it."""
        assert self._kept is not None
        if begun.task is None or self._pool is None:
            return read_piece(begun.piece, self.work, begun.known, self._kept)
        try:
            part: Part = self._pool.wait(begun.task, meanwhile=self._fill)
        except (TookTooLong, ProcessDied, MemoryError) as error:
            begun.fault = error
            return None
        return part

    def _one(self, piece: Piece, known: K) -> Part:
        """A single capture that has just failed: it dies three times, or takes too long once, and is refused."""
        for _ in range(TRIES):
            begun = self._begin(piece, known)
            if (part := self._result(begun)) is not None:
                return part
            if not isinstance(begun.fault, ProcessDied):
                break
        assert begun.fault is not None
        refused = too_expensive(begun.fault)
        return read_piece(piece, self.work, known, Kept(None), lambda *_: refused)

    def _checked(self, piece: Piece, part: Part, known: K) -> tuple[Part, K]:
        """A part, and what is known there. Of records behind its piece that was asked for by the catalogue's own offsets:
        where these are wrong, or a record is damaged, more of them may be known, and the part is read again."""
        behind = [offset for offset, _ in part.answers if offset >= piece.stop and offset not in known]
        if not behind or not _any_in(behind, self.ask(piece.file, behind[0], behind[-1])):
            return part, known
        wider = self.ask(piece.file, piece.start, behind[-1])
        again = self._result(self._begin(replace(piece, behind=part.behind), wider))
        return (part, known) if again is None else (again, wider)


def _any_in(offsets: Iterable[int], known: Container[int]) -> bool:
    return any(offset in known for offset in offsets)


@dataclass(slots=True)
class _Begun(Generic[K]):
    piece: Piece
    known: K
    task: Task | None = None
    fault: Exception | None = None


@dataclass(slots=True)
class _Place:
    """How far a file was heard: to the joint at `at`, or to its end."""

    file: Path | None = None
    at: int | None = None
    ended: bool = False
    heard: tuple[int, ...] = ()
    """offsets of the last piece"""

    def enter(self, piece: Piece) -> None:
        if piece.file != self.file:
            self.file, self.at, self.ended, self.heard = piece.file, piece.behind, False, piece.before

    def heard_from(self, start: int) -> tuple[int, ...]:
        return tuple(offset for offset in self.heard if offset >= start)

    def is_past(self, piece: Piece) -> bool:
        return self.ended or (self.at is not None and self.at >= piece.stop)


def pieces(file: Path, after: Piece | None = None) -> Iterator[Piece]:
    """At least one, the last of which has no end."""
    size = file.stat().st_size if file.exists() else 0
    start, behind, before = (after.start, after.behind, after.before) if after is not None and after.file == file else (0, None, ())
    while start < END:
        stop = start + PIECE if start + PIECE < size else END
        yield Piece(file=file, start=start, stop=stop, behind=behind, before=before)
        start, behind, before = stop, None, ()


def place(file: Path, low: int, high: int) -> dict[str, Any]:
    """The parameters of `WITHIN`."""
    return {"file": file.name, "low": low, "high": high}


def original_of(archive: Archive, workers: int) -> Original:
    """Finds what revisits stand for, here or in so many processes."""
    catalogue, warcs = archive.catalogue, archive.warc_folder
    return Originals(catalogue.url.render_as_string(hide_password=False), warcs) if workers else originals(catalogue, warcs)
