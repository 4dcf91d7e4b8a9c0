"""Taking records out of WARC files for good, without moving any other record by a byte.

What is taken out is replaced by a record of exactly its length that says so: offsets of all other records, their rows, the
index and every record that followers of the feed have stay as they are, and doing it twice does no harm. That makes a
crash harmless:

    intend(tx, …)   what is to be overwritten stands in the catalogue, committed with the deletion of its rows
    finish(archive) what is taken down told in a WARC file of its own (takedown_record.py); files rewritten (beside, fsynced,
                    renamed), index, left-overs, free pages of the database, audit line; then the intent is forgotten.
                    Whoever opens the archive after a crash comes here first.

The padding is a WARC `metadata` record in one gzip member of stored (uncompressed) blocks: RFC 1951 §3.2.4.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import sqlalchemy as sa

from pipelines.archive.article_record import moment
from pipelines.archive.catalogue import upsert
from pipelines.archive.durable import disk_fault, whole_file
from pipelines.archive.exchange import new_id
from pipelines.archive.migrations import backups
from pipelines.archive.records import MAX_HEAD, Record, format_date, read_records
from pipelines.archive.schema import capture, info, tombstone
from pipelines.archive.takedown_record import Tombstone, takedown_file
from pipelines.errors import ArchiveUnusable, DamagedRecord
from pipelines.model import Reason

if TYPE_CHECKING:
    from pipelines.archive import Archive

INTENT = "erasure"
"""key of `info`: what is still to be overwritten"""
FORMER = "former:"
"""`info` key prefix: the SHA-256 of a WARC file as it was before, so that the same file is known when it is replayed again"""
PIECE = 2**20
"""bytes copied at a time, and of one padding record at most twice that"""
INFLATED_AT_ONCE = 32
"""bytes of a member: where it is corrupt, up to so many before the damage are lost with it"""
STORED = 65_535
"""bytes of one stored block at most (RFC 1951 §3.2.4)"""
TORN_READ = 2**26
"""bytes of a torn tail that are looked through: more than one response may have"""

Span = tuple[int, int]
"""offset and length in bytes"""

_WRAPPED = re.compile(r"urn:[a-z]+:(?=https?://)", re.IGNORECASE)  # Browsertrix: urn:text:<url>, urn:view:<url>
_TARGET = re.compile(rb"^WARC-(?:Refers-To-)?Target-URI:[ \t]*<?([^\r\n>]+)", re.IGNORECASE | re.MULTILINE)
_NOTE = b"Taken down: the records that stood here were removed.\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The records of one file that are to go: where their bytes lie, and where each begins."""

    spans: tuple[Span, ...]
    offsets: frozenset[int]


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def find(
    path: Path, wanted: Callable[[str], bool], places: Collection[int], gone: set[str], tell: Callable[[int], None] = lambda _: None
) -> Found:
    """The records of a file that speak of a wanted URL, or of a record that is `gone`, to which theirs are added; a record that
    cannot be read goes where one of `places`, or what is left of its head, says so. Raises ArchiveUnusable for a file in which
    they cannot be told apart."""
    spans: list[Span] = []
    offsets: set[int] = set()
    damage: int | None = None
    with path.open("rb") as file:
        for item in read_records(file, path.name):
            offset = item.offset
            if damage is not None:
                spans.append((damage, offset - damage))
                damage = None
            tell(offset)
            if isinstance(item, DamagedRecord):
                if offset in places or any(map(wanted, _urls_in(_head_at(path, offset)))):
                    damage = offset
                    offsets.add(offset)
            elif _speaks_of(item, wanted, gone):
                if not item.length:
                    raise ArchiveUnusable(
                        f"{path}: has several records in one gzip member, so that one cannot be taken out. Unpack it (gunzip), "
                        "replay the .warc file into a new archive, and take it down there."
                    )
                gone.add(item.record_id)
                offsets.add(offset)
                spans.append((offset, item.length))
        if damage is not None:
            spans.append((damage, path.stat().st_size - damage))
    return Found(spans=tuple(_joined(spans)), offsets=frozenset(offsets))


def _speaks_of(record: Record, wanted: Callable[[str], bool], gone: Collection[str]) -> bool:
    fields = record.fields
    urls = (fields.get("warc-target-uri"), fields.get("warc-refers-to-target-uri"))
    if any(wanted(_WRAPPED.sub("", url.strip("<>"))) for url in urls if url):
        return True
    ids = (fields.get("warc-concurrent-to"), fields.get("warc-refers-to"))
    return any(one.strip("<> ") in gone for one in ids if one)


def _head_at(path: Path, offset: int) -> bytes:
    """What can be read of the head of a record that is damaged."""
    with path.open("rb") as file:
        file.seek(offset)
        raw = file.read(MAX_HEAD)
    return (raw if raw.startswith(b"WARC/") else _inflated(raw)).partition(b"\r\n\r\n")[0]


def _urls_in(heads: bytes) -> set[str]:
    """The URLs that records speak of."""
    return {_WRAPPED.sub("", url.decode("utf-8", "replace")) for url in _TARGET.findall(heads)}


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans that follow on each other as one."""
    start = end = None
    for offset, length in sorted(spans):
        if end is not None and start is not None and offset != end:
            yield start, end - start
            start = offset
        start = offset if start is None else start
        end = offset + length
    if start is not None and end is not None:
        yield start, end - start


# ── overwriting ──────────────────────────────────────────────────────────────────────────────────────────────────────


def overwrite(path: Path, spans: Sequence[Span], at: datetime) -> None:
    """Replaces spans of whole records by padding of the same length. The file is the old one or the new one, never between."""
    with path.open("rb") as file, whole_file(path) as out:
        is_gzip = file.read(5) != b"WARC/"
        file.seek(0)
        for offset, length in spans:
            _copy(file, out, offset - file.tell())
            for piece in _pieces(length):
                out.write(padding(piece, at) if is_gzip else _record(piece, at))
            file.seek(offset + length)
        shutil.copyfileobj(file, out, PIECE)


def padding(length: int, at: datetime) -> bytes:
    """A gzip member of exactly `length` bytes that holds one metadata record. Raises ArchiveUnusable below about 120."""
    blocks = max(1, -(-(length - 18) // (STORED + 5)))
    content = _record(length - 18 - 5 * blocks, at)
    out = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    for number in range(blocks):
        block = content[number * STORED : (number + 1) * STORED]
        size = len(block)
        out.append(bytes([number == blocks - 1]) + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + block)
    out.append(zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little"))
    return b"".join(out)


def _record(length: int, at: datetime) -> bytes:
    """A metadata record of exactly `length` bytes."""
    whole = f"WARC-Record-ID: {new_id()}\r\nWARC-Date: {format_date(at)}\r\nContent-Type: text/plain\r\n"
    for named in (whole, f"WARC-Record-ID: <urn:x:{length}>\r\n"):  # the smallest records of others leave no room for more
        head = f"WARC/1.1\r\nWARC-Type: metadata\r\n{named}Content-Length: "
        room = length - len(head) - 10 - 4 - 4
        if room >= 0:
            block = _NOTE[:room].ljust(room)
            return f"{head}{room:010}\r\n\r\n".encode("ascii") + block + b"\r\n\r\n"
    raise ArchiveUnusable(
        f"A record of {length} bytes leaves no room for one that says that it is gone. Report this, with the WARC file's writer."
    )


def _pieces(length: int) -> Iterator[int]:
    while length > 2 * PIECE:
        yield PIECE
        length -= PIECE
    yield length


def _copy(file: BinaryIO, out: BinaryIO, count: int) -> None:
    while count > 0:
        piece = file.read(min(PIECE, count))
        assert piece, "a span begins behind the end of its file"
        out.write(piece)
        count -= len(piece)


# ── intent and end ───────────────────────────────────────────────────────────────────────────────────────────────────


def intend(
    tx: sa.Connection,
    warcs: Path,
    files: Mapping[str, Sequence[Span]],
    *,
    at: str,
    urls: Collection[str],
    audit: Sequence[Mapping[str, object]],
) -> None:
    """Enters what `finish` will overwrite: spans by file name, the URLs whose left-overs go too, and the audit lines.
    `at` is the time of the record."""
    for name in files:
        with (warcs / name).open("rb") as file:
            former = hashlib.file_digest(file, "sha256").hexdigest()
        upsert(tx, info, {"key": FORMER + former, "value": name})
    value = json.dumps({"at": at, "files": files, "urls": sorted(urls), "audit": audit}, ensure_ascii=False)
    upsert(tx, info, {"key": INTENT, "value": value})


def former(tx: sa.Connection, digest: str) -> str | None:
    """The name of the WARC file that had these bytes before records were taken out of it."""
    return tx.scalar(sa.select(info.c.value).where(info.c.key == FORMER + digest))


def erase_taken_down(archive: Archive, path: Path, told_of: Collection[str] = (), is_lost: Callable[[str], bool] | None = None) -> None:
    """Overwrites what came in with a WARC file although it was taken down, and forgets that it came. `told_of` are URLs of such
    pages that the file only tells of: no row speaks of them. With `is_lost` the whole file is looked through for such URLs."""
    mine = sa.and_(capture.c.file == path.name, capture.c.outcome == Reason.TAKEN_DOWN)
    with archive.catalogue.snapshot() as tx:
        rows = tx.execute(sa.select(capture.c.url, capture.c.offset).where(mine)).all()
        at = tx.scalar(sa.select(sa.func.max(tombstone.c.at)))
    if at is None or not (rows or told_of or is_lost):
        return
    urls = {row.url for row in rows} | set(told_of)
    wanted = urls.__contains__ if is_lost is None else lambda url: url in urls or is_lost(url)
    gone: set[str] = set()
    find(path, wanted, {row.offset for row in rows}, gone)  # what refers to a record may stand before it
    found = find(path, wanted, {row.offset for row in rows}, gone)
    if not (rows or found.spans):
        return
    with archive.lock("takedown"):
        with archive.catalogue.transaction() as tx:
            tx.execute(capture.delete().where(mine))
            intend(tx, path.parent, {path.name: found.spans}, at=at, urls=urls, audit=())
        finish(archive)


def came_again(archive: Archive, site: str) -> list[Path]:
    """The files into which a site's crawls brought what was taken down, through a redirect, until `erase_taken_down` is done."""
    mine = sa.and_(capture.c.site == site, capture.c.outcome == Reason.TAKEN_DOWN)
    with archive.catalogue.snapshot() as tx:
        return [
            archive.warc_folder / name for name in tx.scalars(sa.select(capture.c.file).where(mine).distinct().order_by(capture.c.file))
        ]


def is_left(archive: Archive) -> bool:
    """Whether an erasure was broken off, or there are tombstones of which no WARC file tells yet: those of older versions."""
    with archive.catalogue.snapshot() as tx:
        left = sa.exists().where(info.c.key == INTENT), sa.exists().where(tombstone.c.file.is_(None))
        return bool(tx.scalar(sa.select(sa.or_(*left))))


def finish(archive: Archive) -> None:
    """Does what was intended, however often it was begun. The caller holds `archive.lock("takedown")`. The files tell of a
    takedown before anything is taken out of them: at no moment do they lack both the text and the word that it must not return.

    Raises OutOfSpace, ArchiveUnusable (also while another process reads the catalogue: its log cannot be emptied then).
    """
    _tell(archive)
    with archive.catalogue.snapshot() as tx:
        value = tx.scalar(sa.select(info.c.value).where(info.c.key == INTENT))
    if value is None:
        return
    intent = json.loads(value)
    paths = [archive.warc_folder / name for name in intent["files"]]
    for path in paths:
        if path.exists():
            overwrite(path, [(offset, length) for offset, length in intent["files"][path.name]], moment(intent["at"]))
    archive.index.replace(paths)
    _clear(archive, set(intent["urls"]))
    archive.catalogue.scrub()
    _note(archive.path / "audit.log", intent["audit"])
    with archive.catalogue.transaction() as tx:
        tx.execute(info.delete().where(info.c.key == INTENT))


def _tell(archive: Archive) -> None:
    """Writes the WARC file that tells of the tombstones of which none does. Killed before the commit, it is written once more."""
    untold = tombstone.c.file.is_(None)
    with archive.catalogue.transaction() as tx:
        stones = [
            Tombstone(article=row.article, site=row.site, at=moment(row.at)) for row in tx.execute(sa.select(tombstone).where(untold))
        ]
        if stones:
            name, content = takedown_file(sorted(stones, key=lambda stone: stone.article))
            with whole_file(archive.warc_folder / name) as out:
                out.write(content)
            tx.execute(tombstone.update().where(untold).values(file=name))


def _clear(archive: Archive, urls: Collection[str]) -> None:
    """Removes what speaks of the URLs beside the WARC files."""
    for path, spoken in _left_overs(archive):
        if spoken is None or not spoken.isdisjoint(urls):
            path.unlink()


def urls_beside(archive: Archive) -> set[str]:
    """The URLs that quarantined tracebacks and torn tails speak of, as they are spelled there: no row may know them."""
    return {url for _, spoken in _left_overs(archive) for url in spoken or ()}


def _left_overs(archive: Archive) -> Iterator[tuple[Path, set[str] | None]]:
    """What lies beside the WARC files, with the URLs that it speaks of; None where nothing can be read out of it."""
    for path in (archive.path / "quarantine").glob("*.txt"):
        yield path, {path.read_text("utf-8", "replace").partition("\n")[0]}
    for path in archive.warc_folder.glob("*.torn-*"):
        yield path, _urls_of_tail(path)


def clear_left_overs(archive: Archive) -> None:
    """Removes what killed processes left, and what migrations kept: it may hold any text. The caller holds every lock: nobody
    is at work."""
    for copy in backups(archive.catalogue):
        copy.unlink()
    for folder, pattern in _LEFT:
        for path in (archive.path / folder).glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


_LEFT = (
    ("", ".*.new"),
    ("", "wacz-*"),
    ("", "reextract.jsonl*"),
    ("warc", ".*.new"),
    ("warc", ".*.part"),
    ("indexes", ".*.new"),
    ("indexes", "*.rebuilt*"),  # this and the next: of older versions, whose scratch files had names
    ("indexes", "*.renewed*"),
    ("quarantine", ".*.new"),
)


def _urls_of_tail(path: Path) -> set[str] | None:
    """The URLs in heads of records of a torn tail; None where there is no record that can be read."""
    with path.open("rb") as file:
        raw = file.read(TORN_READ)
    heads = [raw] if raw.startswith(b"WARC/") else [_inflated(raw[at.start() :]) for at in re.finditer(rb"\x1f\x8b\x08", raw)]
    if not any(head.startswith(b"WARC/") for head in heads):
        return None
    return set[str]().union(*map(_urls_in, heads))


def _inflated(raw: bytes) -> bytes:
    """The beginning of a gzip member, at most about PIECE, up to where it is corrupt or cut."""
    inflater, out = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), bytearray()
    with contextlib.suppress(zlib.error):
        for at in range(0, len(raw), INFLATED_AT_ONCE):
            out += inflater.decompress(raw[at : at + INFLATED_AT_ONCE], PIECE)
            if inflater.eof or len(out) >= PIECE:
                break
    return bytes(out)


def _note(log: Path, audit: Iterable[Mapping[str, object]]) -> None:
    """Appends the audit lines that are not there yet."""
    lines = [json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n" for line in audit]
    try:
        there = set(log.read_bytes().splitlines(keepends=True)) if log.exists() else set()
        with log.open("ab") as out:
            out.writelines(line for line in lines if line not in there)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise disk_fault(log, error) from error
