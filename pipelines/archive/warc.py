"""WARC files: appended to so that a crash or a full disk leaves whole records, read so that damage costs only itself.

What stands in a record is exchange.py's affair, how bytes become records is records.py's. Here are files: their names,
rotation, locks, durability, torn tails. No clock is read: names and rotation go by `Exchange.fetched_at`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pipelines.archive.durable import disk_fault, sync_folder
from pipelines.archive.exchange import (
    Exchange,
    Original,
    Packed,
    capture_of,
    is_exchange,
    new_id,
    pack,
    pack_warcinfo,
    purpose_of,
    resolved,
)
from pipelines.archive.outcome_record import Told, pack_told, parse_told
from pipelines.archive.records import Record, end_of_last_whole_member, number, read_records
from pipelines.archive.takedown_record import Tombstone, parse_takedown
from pipelines.errors import ArchiveError, ArchiveUnusable, DamagedRecord, Locked
from pipelines.model import Capture, WarcRef

__all__ = ["Exchange", "Original", "Tail", "WarcWriter", "captures_in", "is_being_written", "read_captures", "read_record", "repair_tail"]

MAX_BYTES = 2**30
"""of a file before the next one is begun: 1 GiB, as ISO 28500 Annex C recommends"""
MAX_SECONDS = 24 * 3600.0
"""of fetch times in one file"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """How a WARC file ends: the bytes up to the end of its last whole gzip member, and the torn bytes behind it."""

    whole_bytes: int
    cut_bytes: int


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class WarcWriter:
    """Appends exchanges to `<prefix>-<UTC of its first exchange, 17 digits>-<serial, 5 digits>.warc.gz` files in `folder`.

    A file begins with a warcinfo record that names `software` and the digest of each site's `rules`. It is locked (flock)
    while open, so that nobody repairs it meanwhile; the lock dies with the process. Raises OutOfSpace when the disk is
    full, with the file left at its last whole record, and ArchiveUnusable for the disk's other faults.
    """

    def __init__(
        self,
        folder: Path,
        *,
        prefix: str,
        software: str,
        rules: Mapping[str, str],
        max_bytes: int = MAX_BYTES,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._folder, self._prefix = folder, prefix
        self._max_bytes, self._max_seconds = max_bytes, max_seconds
        self._about = {"software": software, **{f"rules-{site}": digest for site, digest in sorted(rules.items())}}
        self._file: _AppendFile | None = None
        self._serial = 0

    @property
    def position(self) -> tuple[str, int] | None:
        """Name and length of the file being written; None before the first exchange and after `close`."""
        return None if self._file is None else (self._file.path.name, self._file.size)

    def write(self, exchange: Exchange) -> Capture:
        """Appends the records of one exchange, all of them or none. They are durable after `sync`."""
        return self.put(pack(exchange, self.warcinfo_id(exchange.fetched_at)))

    def warcinfo_id(self, moment: datetime) -> str:
        """Of the file that an exchange of this moment belongs in: what `pack` needs, in whatever thread it runs."""
        return self._file_for(moment).warcinfo_id

    def put(self, packed: Packed) -> Capture:
        """As `write`, for what is packed already. Where another file was begun meanwhile, it is packed for that one."""
        file = self._file_for(packed.exchange.fetched_at)
        if packed.answer.fields["warc-warcinfo-id"] != file.warcinfo_id:
            packed = pack(packed.exchange, file.warcinfo_id)
        return packed.capture(file.path.name, file.append(packed.members))

    def add(self, members: bytes, moment: datetime) -> tuple[str, int]:
        """Appends whole gzip members that were made elsewhere, all or none, as of `moment`; file and offset of the first."""
        file = self._file_for(moment)
        return file.path.name, file.append(members)

    def tell(self, told: Sequence[Told]) -> None:
        """Appends what reading some captures gave, all of it or nothing."""
        if told:
            moment = max(one.fetched_at for one in told)
            warcinfo_id = self.warcinfo_id(moment)
            self.add(b"".join(pack_told(one, warcinfo_id) for one in told), moment)

    def sync(self) -> None:
        """Makes everything written so far durable."""
        if self._file is not None:
            self._file.sync()

    def close(self) -> None:
        """Syncs and ends the file. A later `write` begins a new one."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _file_for(self, moment: datetime) -> _AppendFile:
        if self._file is not None and not self._is_due(self._file, moment):
            return self._file
        self.close()
        file = self._create(moment)
        try:
            file.append(pack_warcinfo(file.warcinfo_id, file.path.name, moment, self._about))
        except ArchiveError:
            file.discard()
            raise
        self._file = file
        return file

    def _is_due(self, file: _AppendFile, moment: datetime) -> bool:
        return file.size >= self._max_bytes or (moment - file.begun).total_seconds() >= self._max_seconds

    def _create(self, moment: datetime) -> _AppendFile:
        stamp = f"{moment.astimezone(UTC):%Y%m%d%H%M%S}{moment.microsecond // 1000:03}"
        while True:
            self._serial += 1
            path = self._folder / f"{self._prefix}-{stamp}-{self._serial:05}.warc.gz"
            with contextlib.suppress(FileExistsError):
                return _AppendFile(path, moment)


class _AppendFile:
    """A new file that only grows, by whole appends. Raises FileExistsError, OutOfSpace, ArchiveUnusable."""

    def __init__(self, path: Path, begun: datetime) -> None:
        self.path, self.begun, self.size, self.warcinfo_id = path, begun, 0, new_id()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sync_folder(path.parent)
        except FileExistsError:
            raise
        except OSError as error:
            raise disk_fault(path, error) from error

    def append(self, content: bytes) -> int:
        """Writes all of it or nothing; returns the offset at which it begins."""
        start, rest = self.size, memoryview(content)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):  # what stays is a torn tail, which the next start repairs
                os.ftruncate(self._fd, start)
            raise disk_fault(self.path, error) from error
        self.size += len(content)
        return start

    def sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise disk_fault(self.path, error) from error

    def close(self) -> None:
        try:
            self.sync()
        finally:
            os.close(self._fd)

    def discard(self) -> None:
        os.close(self._fd)
        self.path.unlink()


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_captures(path: Path, *, start: int = 0, original: Original | None = None) -> Iterator[Capture | DamagedRecord]:
    """The HTTP exchanges of a WARC file, ours or anybody's, as stored: response, revisit and resource records.

    Whatever cannot be trusted comes as a DamagedRecord value, and reading goes on behind it. `start` is the offset of a
    record. A revisit has `refers_to`; where it stands for a whole payload, `original` finds the body, and without it
    the body is empty. Bodies above records.BLOCK_KEPT are cut and marked truncated. Raises ArchiveUnusable.
    """
    with _opened(path) as file:
        yield from captures_in(file, path.name, start=start, original=original)


def captures_in(file: BinaryIO, name: str, *, start: int = 0, original: Original | None = None) -> Iterator[Capture | DamagedRecord]:
    """As `read_captures`, for an open, seekable file; `name` becomes WarcRef.file."""
    return (step for step in steps_in(file, name, start=start, original=original) if not isinstance(step, (Passed, Told, Tombstone)))


def warc_files(folder: Path) -> list[Path]:
    """The WARC files of a folder, in order of name; not what lies beside them, as torn tails do."""
    return sorted(path for path in folder.glob("*.warc*") if path.name.endswith((".warc", ".warc.gz")))


@dataclass(frozen=True, slots=True)
class Passed:
    """A record that is no exchange, and behind which a reader may begin as behind a capture."""

    offset: int


def told_in(path: Path) -> Iterator[Told]:
    """What a WARC file tells of captures, its own and those of files before it. Raises ArchiveUnusable."""
    with _opened(path) as file:
        yield from (step for step in steps_in(file, path.name) if isinstance(step, Told))


def steps_in(
    file: BinaryIO, name: str, *, start: int = 0, original: Original | None = None
) -> Iterator[Capture | DamagedRecord | Passed | Told | Tombstone]:
    """As `captures_in`, with the records that lie between. A metadata record of hints speaks of the exchange that it stands before,
    with nothing but requests between them: so whoever begins behind a capture, or behind one that was passed, misses nothing."""
    beside: Record | None = None
    for record in read_records(file, name, start):
        if isinstance(record, DamagedRecord):
            yield record
        elif record.type == "metadata":
            if (one := parse_told(record) or parse_takedown(record)) is not None:
                yield one
            else:
                beside = record
        elif is_exchange(record):
            try:
                yield resolved(capture_of(record, name, purpose_of(record, beside)), original)
            except DamagedRecord as damage:
                yield damage
            else:
                beside = None
        elif record.type != "request":
            beside = None
            if record.length:
                yield Passed(record.offset)


def is_being_written(path: Path) -> bool:
    """Whether a crawl has the file open: its end, and the rows of its end, are still to come."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def read_record(path: Path, ref: WarcRef, *, original: Original | None = None) -> Capture:
    """The capture at `ref` in the file `path`, checked against its digest, length and id.

    Raises DamagedRecord, ArchiveUnusable.
    """
    with _opened(path) as file:
        record = _record_at(file, ref)
        beside = None
        if size := number(record.fields.get("x-metadata-length")):
            beside = next(iter(read_records(file, ref.file, max(0, ref.offset - size))), None)
        if isinstance(beside, DamagedRecord):
            raise beside
        return resolved(capture_of(record, ref.file, purpose_of(record, beside)), original)


def repair_tail(path: Path, *, cut: bool = False, start: int = 0) -> Tail:
    """Finds where the last whole gzip member ends; `start` is a member's offset that is known to be good.

    With `cut`, torn bytes behind it are moved to `<file>.torn-<offset>`, durably before they leave the file. Raises Locked
    while a WarcWriter has the file open, ArchiveUnusable.
    """
    with _opened(path, "r+b" if cut else "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        whole = size if file.read(5) == b"WARC/" else end_of_last_whole_member(file, start)
        if cut and whole < size:
            _cut_tail(path, file, whole)
    return Tail(whole_bytes=whole, cut_bytes=size - whole)


def _cut_tail(path: Path, file: BinaryIO, whole: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Locked(f"{path}: is being written by another run. Repair it when that has ended.") from None
    torn = path.with_name(f"{path.name}.torn-{whole}")
    try:
        file.seek(whole)
        with torn.open("wb") as kept:
            shutil.copyfileobj(file, kept)
            kept.flush()
            os.fsync(kept.fileno())
        sync_folder(path.parent)
        file.truncate(whole)
        os.fsync(file.fileno())
    except OSError as error:
        raise disk_fault(path, error) from error


@contextlib.contextmanager
def _opened(path: Path, mode: str = "rb") -> Iterator[BinaryIO]:
    try:
        file = path.open(mode)
    except OSError as error:
        raise ArchiveUnusable(f"{path}: cannot be opened ({error.strerror}). Expected a WARC file.") from error
    with file:
        yield file  # type: ignore[misc]  # Path.open cannot tell from a variable mode that this is binary


def _record_at(file: BinaryIO, ref: WarcRef) -> Record:
    for record in read_records(file, ref.file, ref.offset):
        if isinstance(record, DamagedRecord):
            raise record
        if record.record_id == ref.record_id and record.length == ref.length:
            return record
        if ref.length or record.length:  # only a member with several records is searched
            raise DamagedRecord(
                ref.file, ref.offset, f"holds {record.record_id} of {record.length} bytes, not {ref.record_id} of {ref.length}"
            )
    raise DamagedRecord(ref.file, ref.offset, "the file ends here")
