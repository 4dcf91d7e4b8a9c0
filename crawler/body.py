"""A capture's body, whole and decoded, or why there is none. Pure, and without Scrapy: reading processes import it too."""

from __future__ import annotations

import zlib

from crawler.robots import MAX_BYTES
from pipelines.model import Capture, Kind, Reason, Rejection
from pipelines.payload import MAX_DECODED, decode_payload

CUT = {
    "length": (Reason.TOO_LARGE, "the transfer was stopped at the size limit"),
    "time": (Reason.PARTIAL, "the transfer was not complete when its time was up"),
    "disconnect": (Reason.PARTIAL, "the connection ended before the body did"),
    "unspecified": (Reason.NOT_HTML, "its headers say that it is no page, so its body was not read"),
}
"""WARC-Truncated reason -> why its body is not looked at"""


def decoded(capture: Capture, limit: int = MAX_DECODED) -> bytes | Rejection:
    """The whole, decoded body of a capture, or why there is none. Of robots.txt the head is enough."""
    if capture.kind is Kind.ROBOTS and capture.truncated == "length":
        return _head(capture)
    if capture.truncated == "unspecified" and capture.body:
        return Rejection(reason=Reason.PARTIAL, detail="the server sent more than its Content-Length said", status=capture.status)
    if capture.truncated:
        reason, detail = CUT.get(capture.truncated, CUT["disconnect"])
        return Rejection(reason=reason, detail=detail, status=capture.status)
    result = decode_payload(capture.headers, capture.body, limit)
    if capture.kind is Kind.ROBOTS and isinstance(result, Rejection) and result.reason is Reason.TOO_LARGE:
        return _head(capture)
    return result


def _head(capture: Capture) -> bytes | Rejection:
    """The first 500 KiB of a robots.txt that has more (RFC 9309 §2.5). Codings other than zlib's were not asked for."""
    if not capture.header("Content-Encoding"):
        return capture.body[:MAX_BYTES]
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(capture.body, MAX_BYTES)
    except zlib.error as error:
        return Rejection(reason=Reason.BAD_ENCODING, detail=f"a large robots.txt cannot be decoded ({error})")
