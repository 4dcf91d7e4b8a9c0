"""What a URL answers: status, headers, body, and the validators of a conditional request.

Rule of this file: values and one pure function, `answer`; sockets are in server.py.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

Body = bytes | Iterable[bytes]
Answer = tuple[int, Mapping[str, str], Body]
"""status, headers, body; a body of several pieces is sent piece by piece, and the connection closed after it"""

HTML = "text/html; charset=utf-8"
BARE_HTML = "text/html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """`make(tick)` renders the body; `etag` and `modified` are None where the server gives none."""

    kind: str
    make: Callable[[int], bytes]
    status: int = 200
    content_type: str = HTML
    etag: str | None = None
    modified: datetime | None = None
    location: str | None = None


def answer(resource: Resource, headers: Mapping[str, str], tick: int, zipped: bool) -> Answer:
    """The answer to a GET with these request headers (lower-case names). `zipped`: this host compresses this page."""
    fields: dict[str, str] = {}
    if resource.etag:
        fields["ETag"] = resource.etag
    if resource.modified:
        fields["Last-Modified"] = format_datetime(resource.modified.astimezone(UTC), usegmt=True)
    if resource.status == 200 and _fresh(resource, headers):
        return 304, fields, b""
    if resource.location:
        fields["Location"] = resource.location
    fields["Content-Type"] = resource.content_type
    body = resource.make(tick)
    if zipped and "gzip" in headers.get("accept-encoding", ""):
        fields |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        body = gzip.compress(body, mtime=0)
    return resource.status, fields, body


def _fresh(resource: Resource, headers: Mapping[str, str]) -> bool:
    """RFC 9110 §13.1.3: If-Modified-Since is not looked at where If-None-Match is."""
    if wanted := headers.get("if-none-match"):
        tags = [tag.strip().removeprefix("W/") for tag in wanted.split(",")]
        return resource.etag is not None and (resource.etag.removeprefix("W/") in tags or "*" in tags)
    if not resource.modified or "if-modified-since" not in headers:
        return False
    try:
        return resource.modified.replace(microsecond=0) <= parsedate_to_datetime(headers["if-modified-since"])
    except (ValueError, TypeError):
        return False  # RFC 9110 §13.1.3: an invalid date is ignored


def zips(path: str) -> bool:
    """Two pages of three are compressed, the same ones always."""
    return zlib.crc32(path.encode()) % 3 != 0


def tag(*bodies: bytes | str) -> str:
    """A strong-looking tag made from content, as nginx makes them from time and size."""
    mixed = 0
    for body in bodies:
        mixed = zlib.crc32(body.encode() if isinstance(body, str) else body, mixed)
    return f'"{mixed:08x}"'
