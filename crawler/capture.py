"""Every exchange goes to the archive before anything interprets it, and only then is it decoded.

CaptureMiddleware stands nearest to the network: pages, listings, robots.txt, redirects and errors alike become one WARC
record each. `request.meta["capture"]` is the answer's own; `request.meta["captures"]` are all on the way to it, redirects
and tries too, first to last. DecodeMiddleware stands above it: what the spider sees is the decoded body, or an empty one
with the `Rejection` in `request.meta["rejection"]`. Nothing here decides what a page is.
"""

from __future__ import annotations

import zlib
from typing import Protocol, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers as ScrapyHeaders
from scrapy.http import Response, TextResponse
from scrapy.responsetypes import responsetypes

from crawler.conditional import Validators
from crawler.robots import MAX_BYTES
from crawler.transport import Wire
from pipelines.archive.warc import Exchange
from pipelines.model import Capture, Headers, Hints, Kind, Reason, Rejection
from pipelines.payload import decode_payload

ACCEPTED = "gzip, deflate, br, zstd"
"""what pipelines.payload undoes"""
SECRET_REQUEST = frozenset({"authorization", "cookie", "proxy-authorization"})
SECRET_RESPONSE = frozenset({"set-cookie", "set-cookie2"})
"""headers that never reach the archive"""
UNDONE = frozenset({"transfer-encoding"})
"""the body is archived with its chunks undone; a header that says otherwise makes readers undo them twice"""
CUT = {
    "length": (Reason.TOO_LARGE, "the transfer was stopped at the size limit"),
    "time": (Reason.PARTIAL, "the transfer was not complete when its time was up"),
    "disconnect": (Reason.PARTIAL, "the connection ended before the body did"),
    "unspecified": (Reason.NOT_HTML, "its headers say that it is no page, so its body was not read"),
}
"""WARC-Truncated reason -> why its body is not looked at"""


class Writes(Protocol):
    """Where captures are written: pipelines.archive.warc.WarcWriter, or a fake."""

    def write(self, exchange: Exchange) -> Capture: ...


def exchange_of(request: Request, body: bytes, wire: Wire) -> Exchange:
    """One exchange as the archive keeps it: without cookies and credentials, with a revisit's reference."""
    validators: Validators | None = request.meta.get("validators")
    return Exchange(
        url=request.url,
        method=request.method,
        request_headers=sent_headers(request.headers),
        fetched_at=wire.fetched_at,
        ip=wire.ip,
        status=wire.status,
        reason=wire.reason,
        headers=tuple(item for item in wire.headers if item[0].lower() not in SECRET_RESPONSE | UNDONE),
        body=body,
        kind=request.meta.get("kind", Kind.ARTICLE),
        hints=request.meta.get("hints", Hints()),
        truncated=wire.truncated,
        refers_to=validators.confirms if validators else None,
        original_digest=validators.digest if validators else None,
    )


def sent_headers(headers: ScrapyHeaders) -> Headers:
    """A request's headers as pairs, without what is secret."""
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in headers.items()
        if name.decode("latin-1").lower() not in SECRET_REQUEST
        for value in values
    )


def as_capture(exchange: Exchange) -> Capture:
    """The capture of an exchange that no archive keeps (`sample=1`)."""
    return Capture(
        url=exchange.url,
        fetched_at=exchange.fetched_at,
        status=exchange.status,
        headers=exchange.headers,
        body=exchange.body,
        kind=exchange.kind,
        hints=exchange.hints,
        truncated=exchange.truncated,
        refers_to=exchange.refers_to if exchange.status == 304 else None,
    )


class CaptureMiddleware:
    """Hands exchanges to `crawler.archive_writer`, which the run sets before its first request; without one, nothing is kept."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """A retry or a redirect begins with a copy of its origin's meta: the origin's answer is not its own."""
        request.meta.pop("capture", None)
        request.meta.pop("rejection", None)

    def process_response(self, request: Request, response: Response) -> Response:
        wire: Wire | None = request.meta.pop("wire", None)
        if wire is None:
            return response
        exchange = exchange_of(request, response.body, wire)
        writer: Writes | None = getattr(self._crawler, "archive_writer", None)
        capture = writer.write(exchange) if writer else as_capture(exchange)
        request.meta["capture"] = capture
        request.meta["captures"] = (*request.meta.get("captures", ()), capture)
        self._count(wire)
        return response

    def _count(self, wire: Wire) -> None:
        if wire.truncated:
            self._crawler.stats.inc_value(f"capture/truncated/{wire.truncated}")
        if wire.length_unknown:
            self._crawler.stats.inc_value("capture/length_unknown")


class DecodeMiddleware:
    """Stands where Scrapy's HttpCompressionMiddleware stood, which returns half a page as if it were whole."""

    def process_request(self, request: Request) -> None:
        request.headers.setdefault("Accept-Encoding", ACCEPTED)

    def process_response(self, request: Request, response: Response) -> Response:
        capture: Capture | None = request.meta.get("capture")
        if capture is None:
            return response
        result = decoded(capture)
        if isinstance(result, Rejection):
            request.meta["rejection"] = result
            result = b""
        headers = response.headers.copy()
        headers.pop("Content-Encoding", None)
        cls = responsetypes.from_args(headers=headers, url=response.url, body=result)
        if issubclass(cls, TextResponse):
            return response.replace(cls=cls, headers=headers, body=result, encoding=None)
        return response.replace(cls=cls, headers=headers, body=result)


def decoded(capture: Capture) -> bytes | Rejection:
    """The whole, decoded body of a capture, or why there is none. Of robots.txt the head is enough."""
    if capture.kind is Kind.ROBOTS and capture.truncated == "length":
        return _head(capture)
    if capture.truncated == "unspecified" and capture.body:
        return Rejection(reason=Reason.PARTIAL, detail="the server sent more than its Content-Length said", status=capture.status)
    if capture.truncated:
        reason, detail = CUT.get(capture.truncated, CUT["disconnect"])
        return Rejection(reason=reason, detail=detail, status=capture.status)
    result = decode_payload(capture.headers, capture.body)
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
