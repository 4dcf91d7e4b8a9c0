"""Exchanges to WARC/1.1 files and back: what a record means, and how a file is kept whole.

    exchange ─► request · metadata (kind, hints) · response | revisit ─► Capture, made by parsing what was written

Rules of this file:
- The capture that `WarcWriter.write` returns and the one that `read_captures` gives later come out of the same function
  over the same bytes: live = replay by construction.
- The payload is verbatim: Content-Encoding is kept. Transfer-Encoding is undone by the network layer, so its header is
  renamed `X-Crawler-Transfer-Encoding`, and a Content-Length that is not the body's becomes `X-Crawler-Content-Length`
  (Common Crawl's names): a reader that believes the headers would otherwise break on the body.
- Secrets are never written: the headers of SECRET are dropped, both ways.
- HTTP header text is latin-1, octet by octet (RFC 9110 §5.5), so that bytes come back as they were.
- No clock is read: file names, dates and rotation go by `Exchange.fetched_at`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote

from pipelines.archive.durable import disk_fault, sync_folder
from pipelines.archive.records import (
    HEAD_END,
    Fields,
    Record,
    encode_record,
    end_of_last_whole_member,
    format_date,
    number,
    parse_date,
    read_records,
    sha256,
    unfold,
)
from pipelines.errors import ArchiveError, ArchiveUnusable, DamagedRecord, Locked
from pipelines.model import Capture, Headers, Hints, Kind, WarcRef

MAX_BYTES = 2**30
"""of a file before the next one is begun: 1 GiB, as ISO 28500 Annex C recommends"""
MAX_SECONDS = 24 * 3600.0
"""of fetch times in one file"""
MAX_HTTP_HEAD = 2**18
"""bytes of status line and headers; browsers stop at the same 256 KiB"""
SECRET = frozenset({"cookie", "cookie2", "set-cookie", "set-cookie2", "authorization", "proxy-authorization"})
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"

Original = Callable[[str, datetime], Capture | None]
"""Finds the capture that an identical-payload revisit refers to, by target URI and date."""

_BODILESS = frozenset({204, 304})
"""whose Content-Length, if any, speaks of another answer's body (RFC 9110 §8.6)"""
_HEADER_NAME = re.compile(r"[!-9;-~\x80-\xff](?:[ -9;-~\x80-\xff]*[!-9;-~\x80-\xff])?")
_LINE_BREAKS = re.compile(r"[\x00\r\n]+")
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\xa0<>\u2028\u2029\u3000\ud800-\udfff]")
_TARGET = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)([^#]*)")
_PRINTABLE = "!\"#$%&'()*+,/:;=?@[\\]^`{|}~"
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)")
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_HINT_FIELDS = {"via": "via", "title": "link-title", "published": "link-published", "section": "link-section"}
"""field of Hints -> named field of the metadata record; `via` is the standard's own (WARC/1.1 §6.6)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One HTTP request and its answer, as the network layer hands it over.

    `body` is as transferred with Transfer-Encoding undone. `refers_to` names the earlier capture (URL and date) that a
    304 confirms. With `original_digest` (the payload digest of that capture, "sha256:...") a 200 that brings the very same
    payload becomes a revisit record without a body. `truncated` is a WARC-Truncated reason.
    """

    url: str
    method: str = "GET"
    request_headers: Headers = ()
    fetched_at: datetime
    ip: str | None = None
    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    kind: Kind = Kind.ARTICLE
    hints: Hints = Hints()
    truncated: str | None = None
    refers_to: tuple[str, datetime] | None = None
    original_digest: str | None = None


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
        self._about = {"software": software, "format": "WARC File Format 1.1", "conformsTo": _STANDARD}
        self._about.update({f"rules-{site}": digest for site, digest in sorted(rules.items())})
        self._file: _AppendFile | None = None
        self._serial = 0

    @property
    def position(self) -> tuple[str, int] | None:
        """Name and length of the file being written; None before the first exchange and after `close`."""
        return None if self._file is None else (self._file.path.name, self._file.size)

    def write(self, exchange: Exchange) -> Capture:
        """Appends the records of one exchange, all of them or none. They are durable after `sync`."""
        file = self._file_for(exchange.fetched_at)
        common = _common_fields(exchange, file.warcinfo_id)
        response_id, metadata_id = _new_id(), _new_id()
        request = encode_record((*_REQUEST_FIELDS, _id(_new_id()), ("WARC-Concurrent-To", response_id), *common), _request_block(exchange))
        beside, metadata = _metadata_block(exchange), b""
        fields, block = _response(exchange)
        if beside:
            metadata = encode_record((*_METADATA_FIELDS, _id(metadata_id), ("WARC-Concurrent-To", response_id), *common), beside)
            fields = (*fields, ("WARC-Concurrent-To", metadata_id), ("X-Metadata-Length", str(len(metadata))))
        fields = (*fields, _id(response_id), *common)
        response = encode_record(fields, block)
        offset = file.append(request + metadata + response) + len(request) + len(metadata)
        record = _as_read(fields, block, offset, len(response))
        capture = _capture(record, file.path.name, _parse_metadata(beside))
        stands_for_whole = capture.refers_to is not None and capture.status != 304
        return replace(capture, body=exchange.body) if stands_for_whole else capture

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
        fields = (*_WARCINFO_FIELDS, _id(file.warcinfo_id), ("WARC-Date", format_date(moment)), ("WARC-Filename", file.path.name))
        try:
            file.append(encode_record(fields, _warc_fields(self._about)))
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
        self.path, self.begun, self.size, self.warcinfo_id = path, begun, 0, _new_id()
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


_STANDARD = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
_WARCINFO_FIELDS = (("WARC-Type", "warcinfo"), ("Content-Type", "application/warc-fields"))
_REQUEST_FIELDS = (("WARC-Type", "request"), ("Content-Type", "application/http; msgtype=request"))
_METADATA_FIELDS = (("WARC-Type", "metadata"), ("Content-Type", "application/warc-fields"))
_RESPONSE_TYPE = ("Content-Type", "application/http; msgtype=response")


def _new_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def _id(record_id: str) -> tuple[str, str]:
    return ("WARC-Record-ID", record_id)


def _common_fields(exchange: Exchange, warcinfo_id: str) -> Fields:
    fields = (
        ("WARC-Target-URI", _clean_url(exchange.url)),
        ("WARC-Date", format_date(exchange.fetched_at)),
        ("WARC-Warcinfo-ID", warcinfo_id),
    )
    return (*fields, ("WARC-IP-Address", exchange.ip)) if exchange.ip else fields


def _response(exchange: Exchange) -> tuple[Fields, bytes]:
    """Named fields and block of the response, or of the revisit record of the profile that fits."""
    digest = sha256(exchange.body)
    head = _status_line(exchange) + _header_lines(_written_headers(exchange))
    cut = (("WARC-Truncated", exchange.truncated),) if exchange.truncated else ()
    if exchange.refers_to and exchange.status == 304:
        payload = (("WARC-Payload-Digest", exchange.original_digest),) if exchange.original_digest else ()
        return (*_revisit_fields(NOT_MODIFIED, exchange.refers_to), *payload, *cut), head
    if exchange.refers_to and exchange.original_digest == digest:
        return (*_revisit_fields(IDENTICAL, exchange.refers_to), ("WARC-Payload-Digest", digest), *cut), head
    return (("WARC-Type", "response"), _RESPONSE_TYPE, ("WARC-Payload-Digest", digest), *cut), head + exchange.body


def _revisit_fields(profile: str, refers_to: tuple[str, datetime]) -> Fields:
    """Without URI and date of the original, pywb answers 503 (FIELD §5)."""
    url, moment = refers_to
    original = (("WARC-Refers-To-Target-URI", _clean_url(url)), ("WARC-Refers-To-Date", format_date(moment)))
    return (("WARC-Type", "revisit"), _RESPONSE_TYPE, ("WARC-Profile", profile), *original)


def _request_block(exchange: Exchange) -> bytes:
    match = _TARGET.match(_clean_url(exchange.url))
    host, target = match.groups() if match else ("", "")
    target = quote(target if target.startswith("/") else f"/{target}", safe=_PRINTABLE)
    headers = [item for item in exchange.request_headers if item[0].lower() not in SECRET]
    if all(name.lower() != "host" for name, _ in headers):
        headers.insert(0, ("Host", host))  # the network layer adds it below us; without it the request is none (RFC 9112 §3.2)
    return f"{exchange.method} {target} HTTP/1.1\r\n".encode("ascii") + _header_lines(headers)


def _written_headers(exchange: Exchange) -> Headers:
    """The headers of the answer such that they agree with the stored body."""
    length, written = str(len(exchange.body)), []
    for name, value in exchange.headers:
        match name.lower():
            case secret if secret in SECRET:
                continue
            case "transfer-encoding":
                written.append((f"X-Crawler-{name}", value))
            case "content-length" if value.strip() != length and exchange.status not in _BODILESS:
                written += [(f"X-Crawler-{name}", value), (name, length)]
            case _:
                written.append((name, value))
    return tuple(written)


def _status_line(exchange: Exchange) -> bytes:
    return f"HTTP/1.1 {exchange.status:03} ".encode("ascii") + _octets(exchange.reason).rstrip(b" \t") + b"\r\n"


def _header_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Header lines and the empty line. A name that no parser could give back (a colon, a line break) is left out."""
    lines = [name.encode("latin-1") + b": " + _octets(value) + b"\r\n" for name, value in headers if _HEADER_NAME.fullmatch(name)]
    return b"".join(lines) + b"\r\n"


def _octets(text: str) -> bytes:
    text = _LINE_BREAKS.sub(" ", text).strip(" \t")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")  # somebody decoded it already; UTF-8 is what was received then


def _clean_url(url: str) -> str:
    """One field value on one line; what may not stand there is percent-encoded."""
    return _NEVER_IN_A_URL.sub(lambda match: quote(match[0], errors="replace"), url)


def _metadata_block(exchange: Exchange) -> bytes:
    """Kind and hints of an exchange; b"" when there is nothing that a reader would not assume."""
    hints = {_HINT_FIELDS[name]: value for name, value in asdict(exchange.hints).items() if value is not None}
    return _warc_fields({"kind": exchange.kind, **hints}) if hints or exchange.kind is not Kind.ARTICLE else b""


def _warc_fields(values: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {_field_text(value)}\r\n" for name, value in values.items()).encode("utf-8")


def _field_text(value: str) -> str:
    """The value as it is where a line can carry it, otherwise as a quoted string (WARC/1.1 §4), which is JSON's here."""
    if value and value.isprintable() and value == value.strip() and not value.startswith('"'):
        return value
    return json.dumps(value)


def _parse_metadata(block: bytes) -> tuple[Kind, Hints]:
    """Reads what `_metadata_block` wrote; what others wrote there gives their `via` at most."""
    values: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(": ")
        values.setdefault(name.lower(), _parse_field_text(value))
    hints = Hints(**{name: values[field] for name, field in _HINT_FIELDS.items() if field in values})
    return _KINDS.get(values.get("kind", ""), Kind.ARTICLE), hints


_KINDS = {str(kind): kind for kind in Kind}


def _parse_field_text(value: str) -> str:
    if value.startswith('"'):
        with contextlib.suppress(json.JSONDecodeError):
            return str(json.loads(value))
    return value


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
    beside: Record | None = None
    for record in read_records(file, name, start):
        if isinstance(record, DamagedRecord):
            yield record
        elif record.type == "metadata":
            beside = record
        elif _is_exchange(record):
            try:
                yield _resolved(_capture(record, name, _told(record, beside)), original)
            except DamagedRecord as damage:
                yield damage


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
        return _resolved(_capture(record, ref.file, _told(record, beside)), original)


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


def _is_exchange(record: Record) -> bool:
    """A response, revisit or resource of the web: not DNS answers, screenshots or logs under URNs."""
    if record.type not in ("response", "revisit", "resource") or not _url(record.fields).lower().startswith(("http://", "https://")):
        return False
    return record.type != "response" or record.block.startswith(b"HTTP/") or "http" in record.fields.get("content-type", "http")


def _url(fields: Mapping[str, str], name: str = "warc-target-uri") -> str:
    return fields.get(name, "").strip("<>")  # WARC/1.0's grammar had brackets, and wget wrote them


def _told(record: Record, beside: Record | None) -> tuple[Kind, Hints]:
    """What the metadata record of this very exchange says."""
    if beside is not None and beside.record_id == record.fields.get("warc-concurrent-to", "").strip("<>"):
        return _parse_metadata(beside.block)
    return Kind.ARTICLE, Hints()


def _as_read(fields: Fields, block: bytes, offset: int, length: int) -> Record:
    """What `read_records` will give for a record just written."""
    named: dict[str, str] = {}
    for name, value in fields:
        named.setdefault(name.lower(), value)
    return Record(fields=named, block=block, block_length=len(block), offset=offset, length=length)


def _capture(record: Record, file: str, told: tuple[Kind, Hints]) -> Capture:
    """The meaning of a record. Raises DamagedRecord for one that has none."""
    status, headers, body = _message(record, file)
    body, whole = _dechunked(headers, body)
    fetched_at = parse_date(record.fields.get("warc-date", "")) or _http_date(headers)
    if fetched_at is None:
        raise DamagedRecord(file, record.offset, f"WARC-Date {record.fields.get('warc-date')!r} is no date")
    kind, hints = told
    return Capture(
        url=_url(record.fields),
        fetched_at=fetched_at,
        status=status,
        headers=headers,
        body=body,
        kind=kind,
        hints=hints,
        truncated=_truncated(record, headers, body, whole),
        payload_digest=_payload_digest(record, body),
        refers_to=_refers_to(record),
        warc=WarcRef(file=file, offset=record.offset, length=record.length, record_id=record.record_id),
    )


def _message(record: Record, file: str) -> tuple[int, Headers, bytes]:
    """Status, headers and body as stored."""
    if record.type == "resource":
        return 200, (("Content-Type", record.fields.get("content-type", "application/octet-stream")),), record.block
    if record.type == "revisit" and not record.block:
        return (304 if "not-modified" in record.fields.get("warc-profile", "") else 200), (), b""
    status = _STATUS_LINE.match(record.block)
    if status is None:
        raise DamagedRecord(file, record.offset, "no HTTP status line")
    end = HEAD_END.search(record.block, 0, MAX_HTTP_HEAD)
    if end is None and len(record.block) > MAX_HTTP_HEAD:
        raise DamagedRecord(file, record.offset, "the HTTP header has no end")
    head, body = (record.block[: end.start()], record.block[end.end() :]) if end else (record.block, b"")
    return int(status[1]), _parse_headers(head.partition(b"\n")[2]), b"" if record.type == "revisit" else body


def _parse_headers(lines: bytes) -> Headers:
    text = unfold(lines.decode("latin-1"))
    pairs = (line.partition(":") for line in text.split("\n"))
    return tuple((name.strip(" \t\r"), value.strip(" \t\r")) for name, colon, value in pairs if colon)


def _dechunked(headers: Headers, body: bytes) -> tuple[bytes, bool]:
    """The body without chunks, where one was stored with them (Heritrix, wget), and whether its last chunk is there."""
    if not any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in headers):
        return body, True
    whole, at = bytearray(), 0
    while match := _CHUNK.match(body, at):
        size = int(match[1], 16)
        if size == 0:
            return bytes(whole), True
        whole += body[match.end() : match.end() + size]
        at = match.end() + size
        at += 2 if body.startswith(b"\r\n", at) else body.startswith(b"\n", at)
    return (bytes(whole), False) if whole else (body, True)  # a header that lies: the writer undid it and kept the name


def _truncated(record: Record, headers: Headers, body: bytes, whole: bool) -> str | None:
    """The declared reason, or the evidence: cut by us, a missing last chunk, a body shorter than its Content-Length."""
    if declared := record.fields.get("warc-truncated"):
        return declared
    if record.block_length > len(record.block) or "warc-segment-number" in record.fields:
        return "length"
    declared_length = number(next((value for name, value in headers if name.lower() == "content-length"), None))
    short = declared_length is not None and 0 < len(body) < declared_length
    return "disconnect" if short or not whole else None


def _payload_digest(record: Record, body: bytes) -> str | None:
    """Of the body as we hand it out; as declared where the record holds no body, or more of it than we keep."""
    if record.type == "revisit" or record.block_length > len(record.block):
        return record.fields.get("warc-payload-digest")
    return sha256(body)


def _refers_to(record: Record) -> tuple[str, datetime] | None:
    url, moment = _url(record.fields, "warc-refers-to-target-uri"), parse_date(record.fields.get("warc-refers-to-date", ""))
    if record.type != "revisit" or moment is None:
        return None
    return url or _url(record.fields), moment


def _http_date(headers: Headers) -> datetime | None:
    value = next((value for name, value in headers if name.lower() == "date"), "")
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _resolved(capture: Capture, original: Original | None) -> Capture:
    """A revisit of a whole payload with the body that it stands for."""
    if original is None or capture.refers_to is None or capture.status == 304 or capture.body:
        return capture
    found = original(*capture.refers_to)
    if found is None:
        return capture
    return replace(capture, headers=capture.headers or found.headers, body=found.body, payload_digest=found.payload_digest)
