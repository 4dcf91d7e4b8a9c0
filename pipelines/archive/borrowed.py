"""Captures that other archives have: what an index promises, and whether the answer keeps it. Pure.

    a line of an index ─► Promise ─► somebody asks ─► borrowed(promise, answer) ─► Borrowed | Broken

Rules of this file:
- Nothing comes in that is not what the index said: this URL, this second, status 200, this payload.
- A range of a WARC file (Common Crawl) comes in verbatim, as the gzip member that it was; a metadata record before it
  tells where it was had. A replay (Wayback's `id_`) is put back together as the response that it had been: its headers
  stand behind `X-Archive-Orig-` in the answer.
- Its date is the other archive's, so that an article's history has it in its place. When we asked stands beside it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from io import BytesIO
from typing import Self
from urllib.parse import parse_qsl, urlencode

from pipelines.archive.cdxj import surt
from pipelines.archive.exchange import SECRET, Exchange, capture_of, is_exchange, pack_replayed, pack_source
from pipelines.archive.records import BLOCK_KEPT, HEAD_END, MAX_HEAD, Record, read_records
from pipelines.errors import DamagedRecord
from pipelines.model import Capture, Headers, Hints, Kind
from pipelines.payload import decode_payload
from pipelines.urls import request_url

MAX_MEMBER = 8 * 2**20
"""bytes of a range that is asked for: as many as of any other answer. Common Crawl cuts payloads at 1 MiB (5 since 2025)"""
ORIGINAL = "x-archive-orig-"
"""what Wayback puts before the headers of the answer that it replays"""
_NOT_ORIGINAL = frozenset({"transfer-encoding", "content-encoding", "content-length"}) | SECRET
"""of those: what the body as it came now may contradict"""
_KEY = "record:"
_STAMP = "%Y%m%d%H%M%S"
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:\d{1,18}|\*)")
_LINKED = re.compile(r"<([^<>]*)>\s*;[^<]*?\brel=\"?original\"?")
_SHA1 = re.compile(r"[A-Z2-7]{32}")


class Broken(StrEnum):
    """How a promise was not kept: the reason of the failure, in the ledger and in the frontier."""

    HTTP_ERROR = "http_error"
    WHOLE_FILE = "record_whole_file"
    """200 where 206 was asked for: the server knows no ranges"""
    OTHER_RANGE = "record_other_range"
    CUT = "record_cut"
    TOO_LARGE = "record_too_large"
    DAMAGED = "record_damaged"
    """no gzip, no WARC, or a block digest that does not fit"""
    SEVERAL = "record_several"
    """not exactly one record in exactly one gzip member"""
    NO_RESPONSE = "record_no_response"
    NO_REPLAY = "record_no_replay"
    """an answer of the archive itself, not of what it has"""
    OTHER_URL = "record_other_url"
    OTHER_TIME = "record_other_time"
    OTHER_STATUS = "record_other_status"
    OTHER_PAYLOAD = "record_other_payload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What one line of an index says: at `source` there is the capture of `url` from the second `at` (14 digits, UTC), whose
    payload has this SHA-1 (base32). With `offset` and `length`, as a WARC record at these bytes; without, as a replay."""

    source: str
    url: str
    at: str
    digest: str | None = None
    offset: int | None = None
    length: int | None = None

    def place(self) -> str:
        """As one URL, whose fragment tells what is to be found there: for the frontier."""
        said = {"url": self.url, "at": self.at, "digest": self.digest, "offset": self.offset, "length": self.length}
        return f"{self.source}#{urlencode({name: value for name, value in said.items() if value is not None})}"

    @classmethod
    def at_place(cls, place: str) -> Self:
        """The inverse of `place`."""
        source, _, fragment = place.partition("#")
        said = dict(parse_qsl(fragment))
        numbers = {name: int(said[name]) for name in ("offset", "length") if name in said}
        return cls(source=source, url=said["url"], at=said["at"], digest=said.get("digest"), **numbers)

    def key(self, canonical: str) -> str:
        """What the frontier knows it by: the same payload under the same canonical URL is asked for once, whoever has it."""
        return f"{_KEY}{self.digest or self.at}:{canonical}"

    @property
    def last_byte(self) -> int | None:
        return None if self.offset is None or self.length is None else self.offset + self.length - 1

    @property
    def moment(self) -> datetime:
        return _moment_of(self.at)


def target_of(key: str) -> str:
    """The canonical URL in a `Promise.key`."""
    return key.removeprefix(_KEY).partition(":")[2]


def series(site: str) -> str:
    """How the names of the WARC files begin that hold what a site's index promised."""
    return f"{site}-backfill"


def is_borrowed(file: str, site: str) -> bool:
    """Whether a WARC file holds captures of other archives. They say nothing of what the site answers today."""
    return file.startswith(f"{series(site)}-")


def sha1_of(text: str) -> str | None:
    """A digest as indexes write it ("sha1:…", base32 or hex) in base32; None for one that is no SHA-1."""
    value = text.strip().rpartition(":")[2].upper()
    if len(value) == 40:
        try:
            value = base64.b32encode(bytes.fromhex(value)).decode("ascii")
        except ValueError:
            return None
    return value if _SHA1.fullmatch(value) else None


def is_stamp(at: str) -> bool:
    """Whether 14 characters are a second of the calendar."""
    if len(at) != 14 or not at.isascii() or not at.isdigit():
        return False
    try:
        _moment_of(at)
    except ValueError:
        return False
    return True


def _moment_of(at: str) -> datetime:
    return datetime.strptime(at, _STAMP).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowed:
    """A promise that was kept. `members` are to be appended to a WARC file; `answer` is the response among them as it will be
    read, its offset counted from the first of them."""

    members: bytes
    answer: Record

    def capture(self, file: str, start: int) -> Capture:
        """The capture, when `members` lie at `start` of `file`."""
        return capture_of(replace(self.answer, offset=start + self.answer.offset), file, _NOTHING_TOLD)


_NOTHING_TOLD = (Kind.ARTICLE, Hints())


def borrowed(promise: Promise, answer: Exchange) -> Borrowed | Broken:
    """What an answer gave of a promise."""
    return _replayed(promise, answer) if promise.offset is None else _verbatim(promise, answer)


# ── a range of a WARC file ───────────────────────────────────────────────────────────────────────────────────────────


def _verbatim(promise: Promise, answer: Exchange) -> Borrowed | Broken:
    record = _range_broken(promise, answer) or _only_record(answer.body, promise.source)
    if isinstance(record, Broken):
        return record
    if broken := _record_broken(promise, record, answer.fetched_at):
        return broken
    told = {"source": promise.source, "range": f"bytes={promise.offset}-{promise.last_byte}"}
    before = pack_source(record, promise.source, answer.fetched_at, told)
    return Borrowed(members=before + answer.body, answer=replace(record, offset=len(before)))


def _range_broken(promise: Promise, answer: Exchange) -> Broken | None:
    """What HTTP says of the range (RFC 9110 §15.3.7)."""
    if answer.status != 206:
        return Broken.WHOLE_FILE if answer.status == 200 else Broken.HTTP_ERROR
    if answer.truncated == "length":
        return Broken.TOO_LARGE
    given = _RANGE.fullmatch(_header(answer.headers, "content-range").strip())
    if given is None or (int(given[1]), int(given[2])) != (promise.offset, promise.last_byte):
        return Broken.OTHER_RANGE
    return Broken.CUT if answer.truncated or len(answer.body) != promise.length else None


def _only_record(member: bytes, source: str) -> Record | Broken:
    """The record of a gzip member that holds nothing else, and behind which nothing stands."""
    if broken := _gzip_broken(member):
        return broken
    found = list(read_records(BytesIO(member), source))
    if any(isinstance(one, DamagedRecord) for one in found):
        return Broken.DAMAGED
    record = found[0] if len(found) == 1 else None
    return record if isinstance(record, Record) and record.length == len(member) else Broken.SEVERAL


def _gzip_broken(member: bytes) -> Broken | None:
    """A bomb is small until it goes off: no more is inflated than a record may have."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        inflater.decompress(member, BLOCK_KEPT + MAX_HEAD)
    except zlib.error:
        return Broken.DAMAGED
    if not inflater.eof:
        return Broken.TOO_LARGE if inflater.unconsumed_tail else Broken.CUT
    return Broken.SEVERAL if inflater.unused_data else None


def _record_broken(promise: Promise, record: Record, asked_at: datetime) -> Broken | None:
    """What the record says of itself against what the index said. One that names a metadata record by its length is none of
    ours, and would be read with whatever stands before it."""
    if record.type != "response" or not is_exchange(record) or not record.record_id or "x-metadata-length" in record.fields:
        return Broken.NO_RESPONSE
    try:
        capture = capture_of(record, promise.source, _NOTHING_TOLD)
    except DamagedRecord:
        return Broken.DAMAGED
    if request_url(capture.url) != request_url(promise.url):
        return Broken.OTHER_URL
    if f"{capture.fetched_at:{_STAMP}}" != promise.at or capture.fetched_at > asked_at:
        return Broken.OTHER_TIME
    if capture.status != 200:
        return Broken.OTHER_STATUS
    return None if _is_promised(promise, _stored(record, capture)) else Broken.OTHER_PAYLOAD


def _stored(record: Record, capture: Capture) -> Iterator[bytes]:
    """The payload without chunks, and as it lies there: indexers are not agreed on which of them a digest is."""
    yield capture.body
    if end := HEAD_END.search(record.block):
        yield record.block[end.end() :]


def _is_promised(promise: Promise, payloads: Iterator[bytes]) -> bool:
    return promise.digest is None or any(_sha1(payload) == promise.digest for payload in payloads)


def _sha1(payload: bytes) -> str:
    return base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode("ascii")


# ── a replay ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _replayed(promise: Promise, answer: Exchange) -> Borrowed | Broken:
    if broken := _replay_broken(promise, answer):
        return broken
    original = Exchange(
        url=promise.url, fetched_at=promise.moment, status=200, reason="OK", headers=_original_headers(answer), body=answer.body
    )
    member = pack_replayed(original, promise.source, answer.fetched_at)
    record = _only_record(member, promise.source)
    return record if isinstance(record, Broken) else Borrowed(members=member, answer=record)


def _replay_broken(promise: Promise, answer: Exchange) -> Broken | None:
    """A replay of status 200 answers 200; the time of what it shows stands in Memento-Datetime (RFC 7089 §2.1.1), its URL in
    the link to the original (§2.2.1)."""
    if answer.status != 200:
        return Broken.HTTP_ERROR
    if answer.truncated:
        return Broken.TOO_LARGE if answer.truncated == "length" else Broken.CUT
    shown = _http_moment(_header(answer.headers, "memento-datetime"))
    if shown is None:
        return Broken.NO_REPLAY
    if shown != promise.moment or shown > answer.fetched_at:
        return Broken.OTHER_TIME
    linked = _LINKED.search(_header(answer.headers, "link"))
    if linked is not None and surt(linked[1]) != surt(promise.url):
        return Broken.OTHER_URL
    return None if _is_promised(promise, _as_sent(answer)) else Broken.OTHER_PAYLOAD


def _as_sent(answer: Exchange) -> Iterator[bytes]:
    """The body as it came, and without a coding that was only put on for the way."""
    yield answer.body
    plain = decode_payload(answer.headers, answer.body)
    if isinstance(plain, bytes):
        yield plain


def _original_headers(answer: Exchange) -> Headers:
    """The headers that the site had sent; type and coding as the body has them now."""
    told = [(name[len(ORIGINAL) :], value) for name, value in answer.headers if name.lower().startswith(ORIGINAL)]
    kept = [(name, value) for name, value in told if name.lower() not in _NOT_ORIGINAL]
    if not _header(kept, "content-type") and (kind := _header(answer.headers, "content-type")):
        kept.append(("Content-Type", kind))
    if coding := _header(answer.headers, "content-encoding"):
        kept.append(("Content-Encoding", coding))
    return tuple(kept)


def _header(headers: Headers | list[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _http_moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
