"""One HTTP exchange as WARC/1.1 records, and a record back as a capture: what records mean, both ways, pure.

    Exchange ─► request · metadata (kind, hints) · response | revisit ─► Record ─► Capture

Rules of this file:
- The capture of an exchange that was just packed and the one that a reader finds later come out of the same function
  over the same bytes: live = replay by construction.
- The payload is verbatim: Content-Encoding is kept. Transfer-Encoding is undone by the network layer, so its header is
  renamed `X-Crawler-Transfer-Encoding`, and a Content-Length that is not the body's becomes `X-Crawler-Content-Length`
  (Common Crawl's names): a reader that believes the headers would otherwise break on the body.
- Secrets are never written: the headers of SECRET are dropped, both ways.
- HTTP header text is latin-1, octet by octet (RFC 9110 §5.5), so that bytes come back as they were.
- `X-Metadata-Length` of a response is the length of the metadata record's member right before it, so that a single
  record, read at its offset, still knows its hints.
"""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import quote

from pipelines.archive.records import (
    BLOCK_DIGEST,
    HEAD_END,
    Fields,
    Record,
    encode_record,
    format_date,
    is_digest_of,
    number,
    parse_date,
    sha256,
    unfold,
)
from pipelines.errors import DamagedRecord
from pipelines.model import Capture, Headers, Hints, Kind, WarcRef

MAX_HTTP_HEAD = 2**18
"""bytes of status line and headers; browsers stop at the same 256 KiB"""
SECRET = frozenset({"cookie", "cookie2", "set-cookie", "set-cookie2", "authorization", "proxy-authorization"})
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"

Purpose = tuple[Kind, Hints]
"""what an exchange was for, and what was known of it before: told by the metadata record beside it"""


class Original(Protocol):
    """Finds the capture that an identical-payload revisit refers to, by target URI and date; where that cannot be read, another one
    whose payload has the digest."""

    def __call__(self, url: str, date: datetime, digest: str | None = None, /) -> Capture | None: ...


_BODILESS = frozenset({204, 304})
"""whose Content-Length, if any, speaks of another answer's body (RFC 9110 §8.6)"""
_HEADER_NAME = re.compile(r"[!-9;-~\x80-\xff](?:[ -9;-~\x80-\xff]*[!-9;-~\x80-\xff])?")
_LINE_BREAKS = re.compile(r"[\x00\r\n]+")
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\xa0<>\u2028\u2029\u3000\ud800-\udfff]")
_TARGET = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)([^#]*)")
_PRINTABLE = "!\"#$%&'()*+,/:;=?@[\\]^`{|}~"
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)")
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_HINT_FIELDS = {
    "via": "via",
    "title": "link-title",
    "published": "link-published",
    "section": "link-section",
    "terms": "robots-terms",
}


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
class Packed:
    """The gzip members of an exchange. `answer` is the response or revisit as it will be read, its offset counted from
    the first of `members`; `digest` is that of the exchange's body."""

    exchange: Exchange
    members: bytes
    answer: Record
    purpose: bytes
    """the block of its metadata record"""
    digest: str

    def capture(self, file: str, start: int) -> Capture:
        """The capture, when `members` lie at `start` of `file`."""
        answer = replace(self.answer, offset=start + self.answer.offset)
        capture = capture_of(answer, file, parse_metadata(self.purpose), (self.exchange.body, self.digest))
        stands_for_whole = capture.refers_to is not None and capture.status != 304
        return replace(capture, body=self.exchange.body) if stands_for_whole else capture


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def pack(exchange: Exchange, warcinfo_id: str) -> Packed:
    """The request, metadata (where there is something to tell) and response or revisit records of an exchange."""
    common = _common_fields(exchange, warcinfo_id)
    answer_id, metadata_id = new_id(), new_id()
    request = encode_record((*_REQUEST_FIELDS, _id(new_id()), _beside(answer_id), *common), _request_block(exchange))
    purpose, metadata = _metadata_block(exchange), b""
    digest = sha256(exchange.body)
    fields, block = _answer(exchange, digest)
    if purpose:
        metadata = encode_record((*METADATA_FIELDS, _id(metadata_id), _beside(answer_id), *common), purpose)
        fields = (*fields, _beside(metadata_id), ("X-Metadata-Length", str(len(metadata))))
    fields = (*fields, _id(answer_id), *common)
    vouched = sha256(block)
    answer = encode_record(fields, block, vouched)
    record = _as_read((*fields, (BLOCK_DIGEST, vouched)), block, len(request) + len(metadata), len(answer))
    return Packed(exchange=exchange, members=request + metadata + answer, answer=record, purpose=purpose, digest=digest)


def pack_replayed(exchange: Exchange, source: str, asked_at: datetime) -> bytes:
    """The response record of an exchange that another archive replayed at `source` when it was asked: pywb's and the
    Webrecorder tools' names for that. No request record: nobody asked the site itself."""
    fields, block = _answer(exchange, sha256(exchange.body))
    given = (("WARC-Target-URI", clean_url(exchange.url)), ("WARC-Date", format_date(exchange.fetched_at)), _id(new_id()))
    return encode_record((*fields, *given, *_source_fields(source, asked_at)), block)


def pack_source(record: Record, source: str, asked_at: datetime, values: Mapping[str, str]) -> bytes:
    """A metadata record that tells where a record that stays as it is was had from, to stand before it."""
    about = (("WARC-Target-URI", clean_url(_url(record.fields))), ("WARC-Refers-To", f"<{record.record_id}>"))
    given = (_id(new_id()), ("WARC-Date", format_date(asked_at)))
    return encode_record((*METADATA_FIELDS, *about, *given, *_source_fields(source, asked_at)), warc_fields(values))


def _source_fields(source: str, asked_at: datetime) -> Fields:
    return ("WARC-Source-URI", clean_url(source)), ("WARC-Creation-Date", format_date(asked_at))


def pack_warcinfo(warcinfo_id: str, file: str, moment: datetime, about: Mapping[str, str]) -> bytes:
    """The record that opens a file and tells what made it."""
    fields = (*_WARCINFO_FIELDS, _id(warcinfo_id), ("WARC-Date", format_date(moment)), ("WARC-Filename", file))
    return encode_record(fields, warc_fields({**about, "format": "WARC File Format 1.1", "conformsTo": _STANDARD}))


def new_id() -> str:
    """A record id with its brackets."""
    return f"<urn:uuid:{uuid.uuid4()}>"


def _as_read(fields: Fields, block: bytes, offset: int, length: int) -> Record:
    """What `read_records` will give for a record just written."""
    named: dict[str, str] = {}
    for name, value in fields:
        named.setdefault(name.lower(), value)
    return Record(fields=named, block=block, block_length=len(block), offset=offset, length=length)


_STANDARD = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
_WARCINFO_FIELDS = (("WARC-Type", "warcinfo"), ("Content-Type", "application/warc-fields"))
_REQUEST_FIELDS = (("WARC-Type", "request"), ("Content-Type", "application/http; msgtype=request"))
METADATA_FIELDS = (("WARC-Type", "metadata"), ("Content-Type", "application/warc-fields"))
_RESPONSE_TYPE = ("Content-Type", "application/http; msgtype=response")


def _id(record_id: str) -> tuple[str, str]:
    return ("WARC-Record-ID", record_id)


def _beside(record_id: str) -> tuple[str, str]:
    return ("WARC-Concurrent-To", record_id)


def _common_fields(exchange: Exchange, warcinfo_id: str) -> Fields:
    fields = (
        ("WARC-Target-URI", clean_url(exchange.url)),
        ("WARC-Date", format_date(exchange.fetched_at)),
        ("WARC-Warcinfo-ID", warcinfo_id),
    )
    return (*fields, ("WARC-IP-Address", exchange.ip)) if exchange.ip else fields


def _answer(exchange: Exchange, digest: str) -> tuple[Fields, bytes]:
    """Named fields and block of the response, or of the revisit record of the profile that fits; `digest` is the body's."""
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
    original = (("WARC-Refers-To-Target-URI", clean_url(url)), ("WARC-Refers-To-Date", format_date(moment)))
    return (("WARC-Type", "revisit"), _RESPONSE_TYPE, ("WARC-Profile", profile), *original)


def _request_block(exchange: Exchange) -> bytes:
    match = _TARGET.match(clean_url(exchange.url))
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


def clean_url(url: str) -> str:
    """A URL as one field value on one line; what may not stand there is percent-encoded."""
    return _NEVER_IN_A_URL.sub(lambda match: quote(match[0], errors="replace"), url)


def _metadata_block(exchange: Exchange) -> bytes:
    """Kind and hints of an exchange; b"" when there is nothing that a reader would not assume."""
    hints = {_HINT_FIELDS[name]: value for name, value in exchange.hints.given().items()}
    return warc_fields({"kind": exchange.kind, **hints}) if hints or exchange.kind is not Kind.ARTICLE else b""


def warc_fields(values: Mapping[str, str]) -> bytes:
    """A block of application/warc-fields."""
    return "".join(f"{name}: {_field_text(value)}\r\n" for name, value in values.items()).encode("utf-8")


def _field_text(value: str) -> str:
    """The value as it is where a line can carry it, otherwise as a quoted string (WARC/1.1 §4), which is JSON's here."""
    if value and value.isprintable() and value == value.strip() and not value.startswith('"'):
        return value
    return json.dumps(value)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_exchange(record: Record) -> bool:
    """A response, revisit or resource of the web: not DNS answers, screenshots or logs under URNs."""
    if record.type not in ("response", "revisit", "resource") or not _url(record.fields).lower().startswith(("http://", "https://")):
        return False
    return record.type != "response" or record.block.startswith(b"HTTP/") or "http" in record.fields.get("content-type", "http")


def _url(fields: Mapping[str, str], name: str = "warc-target-uri") -> str:
    return fields.get(name, "").strip("<>")  # WARC/1.0's grammar had brackets, and wget wrote them


def purpose_of(record: Record, beside: Record | None) -> Purpose:
    """What the metadata record of this very exchange says."""
    if beside is not None and beside.record_id == record.fields.get("warc-concurrent-to", "").strip("<>"):
        return parse_metadata(beside.block)
    return Kind.ARTICLE, Hints()


def capture_of(record: Record, file: str, purpose: Purpose, known: tuple[bytes, str] | None = None) -> Capture:
    """The meaning of a record. `known` is a payload with its digest: who has just written it need not reckon it again. Raises
    DamagedRecord for a record that has no meaning."""
    status, headers, body = _message(record, file)
    stored, (body, whole) = body, _dechunked(headers, body)
    truncated = _truncated(record, headers, body, whole)
    if truncated is None and not _is_as_declared(record, stored, body):
        raise DamagedRecord(file, record.offset, "the payload is not what its digest says")
    fetched_at = parse_date(record.fields.get("warc-date", "")) or _http_date(headers)
    if fetched_at is None:
        raise DamagedRecord(file, record.offset, f"WARC-Date {record.fields.get('warc-date')!r} is no date")
    kind, hints = purpose
    return Capture(
        url=_url(record.fields),
        fetched_at=fetched_at,
        status=status,
        headers=headers,
        body=body,
        kind=kind,
        hints=hints,
        truncated=truncated,
        payload_digest=_payload_digest(record, body, known),
        refers_to=_refers_to(record, fetched_at),
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
    if (declared := record.fields.get("warc-truncated")) and record.type != "revisit":  # wget: as the payload is not here again
        return declared
    if record.block_length > len(record.block) or "warc-segment-number" in record.fields:
        return "length"
    declared_length = number(next((value for name, value in headers if name.lower() == "content-length"), None))
    short = declared_length is not None and 0 < len(body) < declared_length
    return "disconnect" if short or not whole else None


def _payload_digest(record: Record, body: bytes, known: tuple[bytes, str] | None) -> str | None:
    """Of the body as we hand it out; as declared where the record holds no body, or more of it than we keep."""
    if record.type == "revisit" or record.block_length > len(record.block):
        return record.fields.get("warc-payload-digest")
    return known[1] if known is not None and known[0] == body else sha256(body)


def _is_as_declared(record: Record, stored: bytes, body: bytes) -> bool:
    """Whether a payload is what its digest says, where no digest of the block has vouched for it already. Writers do not agree on
    whether chunks belong to a payload: either will do."""
    declared = record.fields.get("warc-payload-digest")
    if record.type != "response" or "warc-block-digest" in record.fields:
        return True
    return is_digest_of(declared, body) is not False or is_digest_of(declared, stored) is True


def _refers_to(record: Record, fetched_at: datetime) -> tuple[str, datetime] | None:
    """For a revisit that does not say when (WARC/1.0, wget) the date is its own: what it stands for was there before."""
    if record.type != "revisit":
        return None
    url, moment = _url(record.fields, "warc-refers-to-target-uri"), parse_date(record.fields.get("warc-refers-to-date", ""))
    if moment is None and "warc-payload-digest" not in record.fields:
        return None
    return url or _url(record.fields), moment or fetched_at


def _http_date(headers: Headers) -> datetime | None:
    value = next((value for name, value in headers if name.lower() == "date"), "")
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def resolved(capture: Capture, original: Original | None) -> Capture:
    """A revisit of a whole payload with the body that it stands for."""
    if original is None or capture.refers_to is None or capture.status == 304 or capture.body:
        return capture
    found = original(*capture.refers_to, capture.payload_digest)
    if found is None or (found.fetched_at != capture.refers_to[1] and not is_digest_of(capture.payload_digest, found.body)):
        return capture
    return replace(capture, headers=capture.headers or found.headers, body=found.body, payload_digest=found.payload_digest)


def parse_metadata(block: bytes) -> Purpose:
    """Reads what `_metadata_block` wrote; what others wrote there gives their `via` at most."""
    values = parse_warc_fields(block)
    hints = Hints(**{name: values[field] for name, field in _HINT_FIELDS.items() if field in values})
    return _KINDS.get(values.get("kind", ""), Kind.ARTICLE), hints


def parse_warc_fields(block: bytes) -> dict[str, str]:
    """The first value of each name, in lower case, of a block of application/warc-fields."""
    values: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(": ")
        values.setdefault(name.lower(), _parse_field_text(value))
    return values


_KINDS = {str(kind): kind for kind in Kind}


def _parse_field_text(value: str) -> str:
    if value.startswith('"'):
        with contextlib.suppress(json.JSONDecodeError):
            return str(json.loads(value))
    return value
