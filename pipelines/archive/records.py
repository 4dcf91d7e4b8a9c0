"""WARC records as bytes: one record to one gzip member, and a file back to records. Framing only.

Rules of this file: a record is handed out when its own end is proved (Content-Length reached, gzip end mark and CRC
read, block digest equal), never before; what is not proved is a `DamagedRecord` *value*, after which reading goes on at
the next gzip member that holds a WARC record. Memory is bounded by BLOCK_KEPT, whatever the file holds.

Why zlib-ng: it writes and reads gzip in half of zlib's time; it enters here and can leave here.
Why not warcio or FastWARC: both hand out a cut last record as whole, both stop or raise at damage, and neither gives the
length of a member; with those checks added around them, every byte would be inflated twice. ISO 28500:2017 (WARC/1.1).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from zlib_ng import zlib_ng

from pipelines.errors import DamagedRecord

Fields = tuple[tuple[str, str], ...]
"""Named fields of a record, in order."""

HEAD_END = re.compile(rb"\n\r?\n")
"""the end of the last header line and the empty line; a pattern that may begin with \\r is ten times as slow"""
GZIP_MAGIC = b"\x1f\x8b\x08"
GZIP = zlib_ng.MAX_WBITS | 16
"""the window bits that mean a gzip member"""
_Corrupt: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # its stub says an instance
LEVEL = 5
"""of zlib-ng: on 123 news pages of 154 KB 1.56 ms and 21.8 % of their size; zlib's level 6, which was here before, takes 3.29 ms for
21.5 %, ISA-L's best 0.89 ms for 24.0 %. What is kept for ten years may cost half a millisecond more. It inflates in half of
zlib's time, too: 0.21 ms a page against 0.43."""
BLOCK_DIGEST = "WARC-Block-Digest"
BLOCK_KEPT = 16 * 2**20
"""bytes of a block that are kept; twice what one response may have (payload.MAX_DECODED)"""
MAX_HEAD = 2**16
"""bytes of a record's own header; FastWARC allows 32 KiB, the longest URLs seen in the wild are 8 KiB"""
RAW = 2**16
"""bytes read from the file at a time"""
STEP = 2**20
"""bytes inflated at a time"""

_VERSION = re.compile(rb"WARC/\d\.\d+\s*\Z")
_NUMBER = re.compile(r"[0-9]{1,18}")
_FOLD = re.compile(r"\r?\n[ \t]+")
_MEMBER = re.compile(re.escape(GZIP_MAGIC))
_PLAIN_START = re.compile(rb"(?<=\n)WARC/\d\.\d+\r?\n")
_LONGEST_MARK = 32
"""bytes that two reads overlap in, so that no mark is missed on their border"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One proved record. `fields` by lower-case name (the first of a repeated one); `block` is at most BLOCK_KEPT bytes of
    `block_length`. `offset` and `length` are the gzip member's (or the uncompressed record's) bytes in the file; `length`
    is 0 where one member holds several records and `offset` is that member's."""

    fields: Mapping[str, str]
    block: bytes
    block_length: int
    offset: int
    length: int

    @property
    def type(self) -> str:
        return self.fields.get("warc-type", "").lower()

    @property
    def record_id(self) -> str:
        return self.fields.get("warc-record-id", "").strip("<> ")


class _Broken(Exception):
    """What is wrong with a record; ends as a DamagedRecord."""


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def encode_record(fields: Iterable[tuple[str, str]], block: bytes, digest: str | None = None) -> bytes:
    """One WARC/1.1 record as one gzip member. WARC-Block-Digest (`digest`, where it is known already) and Content-Length are
    added here; values are one line of UTF-8 without a space at either end."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in (*fields, (BLOCK_DIGEST, digest or sha256(block)))])
    head = f"WARC/1.1\r\n{lines}Content-Length: {len(block)}\r\n\r\n".encode()
    packer = zlib_ng.compressobj(LEVEL, wbits=GZIP)  # mtime 0: equal records are equal bytes
    return b"".join((packer.compress(head), packer.compress(block), packer.compress(b"\r\n\r\n"), packer.flush()))


def sha256(payload: bytes) -> str:
    """The labelled digest as WARC files write it: base32 with its padding, without which warcio and FastWARC call it wrong."""
    return "sha256:" + _base32(hashlib.sha256(payload).digest())


def _base32(digest: bytes) -> str:
    """RFC 4648 §6, ten bits at a time: the library's takes 34 µs, more than all else in a small record; this one 4."""
    groups = -len(digest) % 5
    bits = int.from_bytes(digest + bytes(groups))
    text = "".join([_TEN_BITS[bits >> shift & 1023] for shift in range((len(digest) + groups) * 8 - 10, -1, -10)])
    return text[: len(text) - _PADDING[groups]] + "=" * _PADDING[groups]


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TEN_BITS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_PADDING = (0, 1, 3, 4, 6)
"""bytes missing in the last group of five -> "=" in its eight characters"""


def format_date(moment: datetime) -> str:
    """WARC/1.1 §5.4: W3C-DTF in UTC; microseconds, because 1.0's seconds would make a replay differ from the crawl."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_date(text: str) -> datetime | None:
    """A WARC-Date of any version: 0 to 9 digits of fraction, an offset or none (then UTC), or only year, month or day."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    micro = int((fraction or "").ljust(6, "0")[:6])
    zone = "+00:00" if zone in (None, "Z", "z") else zone
    stamp = f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}.{micro:06}{zone}"
    try:
        return datetime.fromisoformat(stamp).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+-]\d\d:\d\d)?)?)?)?")


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_records(file: BinaryIO, name: str, start: int = 0) -> Iterator[Record | DamagedRecord]:
    """The records of a WARC file in order, gzip by record, gzip as a whole, or uncompressed; `name` is for messages.

    `start` is the offset of a record (of its gzip member). Damage comes as a value where it lies.
    """
    file.seek(start)
    if file.read(5) == b"WARC/":
        return _plain_records(_Plain(file, start), name)
    return _gzip_records(_Gzip(file, start), name)


def end_of_last_whole_member(file: BinaryIO, start: int = 0) -> int:
    """The offset behind the last gzip member that is whole; `start` is the offset of a member known to be good."""
    source, end = _Gzip(file, start), start
    while source.open():
        try:
            while source.fill():
                pass
        except (_Corrupt, EOFError):
            if not source.resync():
                break
        else:
            end = source.at
    return end


def next_record(file: BinaryIO, start: int, stop: int) -> int | None:
    """Where, in these bytes of a file, a record seems to begin first. Bodies may hold whole WARC files: whether it is one of
    this file's, only who reads on from the record before can say."""
    file.seek(0)
    if file.read(5) == b"WARC/":
        return _find(file, _PLAIN_START, max(0, start - 1), stop, RAW)  # the mark is a line; its line end is before it
    source, found = _Gzip(file, start), _find(file, _MEMBER, start, stop, RAW)
    while found is not None and not source.opens_a_record(found):
        found = _find(file, _MEMBER, found + 1, stop, RAW)
    return found


class _Gzip:
    """The inflated bytes of a gzip file, member by member. `start` is where the open member begins, `at` where the raw
    bytes not yet inflated begin."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._seek(start)
        self.start = start

    def _seek(self, offset: int) -> None:
        self._file.seek(offset)
        self.at, self._raw = offset, b""

    def open(self) -> bool:
        """Begins the member at `at`; False at the end of the file."""
        self.start = self.at
        self._inflater = zlib_ng.decompressobj(wbits=GZIP)
        self._raw = self._raw or self._file.read(RAW)
        return bool(self._raw)

    def fill(self) -> bytes:
        """The next inflated bytes, b"" behind the end mark. Raises EOFError for a cut member, _Corrupt for a corrupt one."""
        while not self._inflater.eof:
            self._raw = self._raw or self._file.read(RAW)
            if not self._raw:
                raise EOFError
            piece = self._inflater.decompress(self._raw, STEP)
            rest = self._inflater.unused_data or self._inflater.unconsumed_tail
            self.at += len(self._raw) - len(rest)
            self._raw = rest
            if piece:
                return piece
        return b""

    def resync(self) -> bool:
        """Goes to the next member behind `start` that opens a WARC record; False when there is none. Bodies are often
        gzip themselves and lie there uncompressed: the magic alone proves nothing."""
        candidate = _find(self._file, _MEMBER, self.start + 1)
        while candidate is not None:
            if self.opens_a_record(candidate):
                self._seek(candidate)
                return True
            candidate = _find(self._file, _MEMBER, candidate + 1)
        return False

    def opens_a_record(self, offset: int) -> bool:
        self._file.seek(offset)
        try:
            head = zlib_ng.decompressobj(wbits=GZIP).decompress(self._file.read(RAW), _LONGEST_MARK)
        except _Corrupt:
            return False
        return head.startswith(b"WARC/")


class _Plain:
    """An uncompressed file: what is read is what it says."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self.seek(start)

    def seek(self, offset: int) -> None:
        self._file.seek(offset)
        self.at = offset

    def fill(self) -> bytes:
        piece = self._file.read(RAW)
        self.at += len(piece)
        return piece

    def next_record(self, behind: int) -> int | None:
        return _find(self._file, _PLAIN_START, behind)


def _find(file: BinaryIO, mark: re.Pattern[bytes], start: int, stop: float = math.inf, step: int = STEP) -> int | None:
    """The offset of the first match at or behind `start` and before `stop`; reads the file in pieces."""
    file.seek(start)
    kept, base = b"", start
    while base < stop and (piece := file.read(step)):
        window = kept + piece
        if match := mark.search(window):
            return base + match.start() if base + match.start() < stop else None
        kept = window[-_LONGEST_MARK:]
        base += len(window) - len(kept)
    return None


class _Cursor:
    """Reads records out of a source's inflated bytes."""

    def __init__(self, source: _Gzip | _Plain) -> None:
        self._source = source
        self.buffer = b""

    def more(self) -> bool:
        """Whether anything follows but the empty lines that end a record."""
        while True:
            self.buffer = self.buffer.lstrip(b"\r\n")
            if self.buffer:
                return True
            self.buffer = self._source.fill()
            if not self.buffer:
                return False

    def expect_record(self) -> None:
        if not b"WARC/".startswith(self.buffer[:5]):
            raise _Broken("the record goes on behind its Content-Length")

    def head(self) -> dict[str, str]:
        """The named fields. Raises _Broken for what is no WARC header."""
        while (end := HEAD_END.search(self.buffer)) is None:
            if len(self.buffer) > MAX_HEAD or not (piece := self._source.fill()):
                raise _Broken("no WARC header here" if not self.buffer.startswith(b"WARC/") else "the WARC header has no end")
            self.buffer += piece
        head, self.buffer = self.buffer[: end.start()], self.buffer[end.end() :]
        version, _, lines = head.partition(b"\n")
        if not _VERSION.match(version):
            raise _Broken("no WARC header here")
        return _named_fields(lines)

    def block(self, length: int, digest: _Digest) -> bytes:
        """The next `length` bytes, of which BLOCK_KEPT are kept. Raises _Broken where the source ends before."""
        kept, missing = [], length
        while missing:
            piece = self.buffer or self._source.fill()
            if not piece:
                raise _Broken("the record ends before its Content-Length")
            taken, self.buffer = piece[:missing], piece[missing:]
            digest.update(taken)
            if length - missing < BLOCK_KEPT:
                kept.append(taken)
            missing -= len(taken)
        return b"".join(kept)[:BLOCK_KEPT]

    def end(self) -> int:
        """Takes the two line ends behind a block; returns how many bytes they had."""
        while len(self.buffer) < 4 and (piece := self._source.fill()):
            self.buffer += piece
        size = len(self.buffer[:4]) - len(self.buffer[:4].lstrip(b"\r\n"))
        self.buffer = self.buffer[size:]
        return size


class _Digest:
    """The declared WARC-Block-Digest, if there is one of an algorithm that we know, against the bytes that come."""

    def __init__(self, declared: str | None) -> None:
        label, _, self._value = (declared or "").partition(":")
        self._hash = hashlib.new(name) if (name := _ALGORITHMS.get(label.strip().lower())) else None

    def update(self, piece: bytes) -> None:
        if self._hash is not None:
            self._hash.update(piece)

    @property
    def is_unknown(self) -> bool:
        return self._hash is None

    @property
    def wrong(self) -> str | None:
        if self._hash is None:
            return None
        digest, value = self._hash.digest(), self._value.strip()
        if value.upper().rstrip("=") == _base32(digest).rstrip("=") or value.lower() == digest.hex():
            return None
        return "the block is not what its digest says"


def is_digest_of(declared: str | None, payload: bytes) -> bool | None:
    """Whether a labelled digest is that of some bytes; None where there is none, or nobody here knows its algorithm."""
    digest = _Digest(declared)
    digest.update(payload)
    return None if digest.is_unknown else digest.wrong is None


_ALGORITHMS = {"sha1": "sha1", "sha-1": "sha1", "sha256": "sha256", "sha-256": "sha256", "sha512": "sha512", "md5": "md5"}


def _named_fields(lines: bytes) -> dict[str, str]:
    try:
        text = lines.decode("utf-8")
    except UnicodeDecodeError:
        text = lines.decode("latin-1")  # some writers put raw URLs of the page's own encoding here
    fields: dict[str, str] = {}
    for line in unfold(text).split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def unfold(text: str) -> str:
    """Header lines with those joined that go on in the next one (RFC 9112 §5.2)."""
    return _FOLD.sub(" ", text) if "\n " in text or "\n\t" in text else text


def number(text: str | None) -> int | None:
    """A count of bytes as headers write it, or None: `int` and `isdigit` take more than the digits of RFC 9110 §8.6."""
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def _block_length(fields: Mapping[str, str]) -> int:
    value = fields.get("content-length")
    if (length := number(value)) is None:
        raise _Broken(f"Content-Length {value!r:.40} is no number")
    return length


def _gzip_records(source: _Gzip, name: str) -> Iterator[Record | DamagedRecord]:
    while source.open():
        try:
            yield from _member(source, name)
        except EOFError:
            yield DamagedRecord(name, source.start, "the file ends inside this record")
        except _Corrupt as error:
            yield DamagedRecord(name, source.start, f"the gzip member is corrupt ({error})")
        except _Broken as broken:
            yield DamagedRecord(name, source.start, str(broken))
        else:
            continue
        if not source.resync():
            return


def _member(source: _Gzip, name: str) -> Iterator[Record | DamagedRecord]:
    """The records of the open member: by the standard's Annex D one, by some tools the whole file."""
    cursor = _Cursor(source)
    alone = True
    while cursor.more():
        fields = cursor.head()
        digest = _Digest(fields.get("warc-block-digest"))
        length = _block_length(fields)
        block = cursor.block(length, digest)
        if cursor.more():
            alone = False
            cursor.expect_record()
        if digest.wrong:
            yield DamagedRecord(name, source.start, digest.wrong)
            continue
        span = source.at - source.start if alone else 0
        yield Record(fields=fields, block=block, block_length=length, offset=source.start, length=span)


def _plain_records(source: _Plain, name: str) -> Iterator[Record | DamagedRecord]:
    cursor = _Cursor(source)
    while cursor.more():
        start = source.at - len(cursor.buffer)
        try:
            yield _plain_record(source, cursor, name, start)
        except _Broken as broken:
            yield DamagedRecord(name, start, str(broken))
            if (found := source.next_record(start + 1)) is None:
                return
            source.seek(found)
            cursor = _Cursor(source)


def _plain_record(source: _Plain, cursor: _Cursor, name: str, start: int) -> Record | DamagedRecord:
    fields = cursor.head()
    digest = _Digest(fields.get("warc-block-digest"))
    length = _block_length(fields)
    block = cursor.block(length, digest)
    if cursor.end() == 0:
        raise _Broken("no line ends behind the record's Content-Length")
    if digest.wrong:
        return DamagedRecord(name, start, digest.wrong)
    span = source.at - len(cursor.buffer) - start
    return Record(fields=fields, block=block, block_length=length, offset=start, length=span)
