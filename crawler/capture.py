"""Every exchange goes to the archive before anything interprets it, and only then is it decoded.

CaptureMiddleware stands nearest to the network: pages, listings, robots.txt, redirects and errors alike become one WARC
record each. DecodeMiddleware stands above it and says whether a body is whole. What is read is the capture, never the
response. Nothing here decides what a page is.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Protocol, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers as ScrapyHeaders
from scrapy.http import Response

from crawler.body import decoded
from crawler.carried import carried, drop_answer, keep_answer
from crawler.conditional import is_conditional
from crawler.transport import Wire
from pipelines.archive.borrowed import Borrowed, Promise, borrowed
from pipelines.archive.warc import Exchange
from pipelines.model import Capture, Headers, Hints, Kind, Reason, Rejection

ACCEPTED = "gzip, deflate, br, zstd"
"""what pipelines.payload undoes"""
SECRET_REQUEST = frozenset({"authorization", "cookie", "proxy-authorization"})
SECRET_RESPONSE = frozenset({"set-cookie", "set-cookie2"})
"""headers that never reach the archive"""
UNDONE = frozenset({"transfer-encoding"})
"""the body is archived with its chunks undone; a header that says otherwise makes readers undo them twice"""
AT_ONCE = 2**18
"""bytes of a body that are decoded or packed while everything else waits: 5 ms; what is larger goes to a thread, where 8 MiB
take up to 0.6 s (zlib, brotli and the digests let other threads run meanwhile)"""


class Writes(Protocol):
    """Where captures are written: crawler.run.Conductor, or a fake."""

    async def write(self, exchange: Exchange) -> Capture: ...

    async def take(self, taken: Borrowed, moment: datetime) -> Capture:
        """The capture that another archive had, `moment` being when it came."""


def exchange_of(request: Request, body: bytes, wire: Wire) -> Exchange:
    """One exchange as the archive keeps it: without cookies and credentials, with a revisit's reference."""
    asked = carried(request)
    validators = asked.get("validators")
    unasked = wire.status == 304 and not is_conditional(request)  # it says nothing (RFC 9110 §15.4.5)
    if validators is not None and (unasked or not validators.are_of(request.url)):
        validators = None
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
        kind=asked.get("kind", Kind.ARTICLE),
        hints=asked.get("hints", Hints()),
        truncated=wire.truncated,
        refers_to=validators.confirms if validators else None,
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
        drop_answer(request)

    async def process_response(self, request: Request, response: Response) -> Response:
        asked = carried(request)
        if "wire" not in asked:
            return response
        wire = asked.pop("wire")
        exchange = exchange_of(request, response.body, wire)
        writer: Writes | None = getattr(self._crawler, "archive_writer", None)
        if writer is None:
            capture = as_capture(exchange)
        elif "promise" in asked:
            capture = await self._taken(request, asked["promise"], exchange, writer)
        else:
            capture = await writer.write(exchange)
        keep_answer(request, capture)
        self._count(wire)
        return response

    async def _taken(self, request: Request, promise: Promise, exchange: Exchange, writer: Writes) -> Capture:
        """What another archive promised, if it is that. Of any other answer the head is kept, as evidence: bytes that nobody
        vouches for stay out, and what was taken down cannot come in under the archive's name."""
        result = await asyncio.to_thread(borrowed, promise, exchange)
        if isinstance(result, Borrowed):
            return await writer.take(result, exchange.fetched_at)
        carried(request)["broken"] = result
        return await writer.write(replace(exchange, body=b"", truncated=exchange.truncated or "unspecified"))

    def _count(self, wire: Wire) -> None:
        if wire.truncated:
            self._crawler.stats.inc_value(f"capture/truncated/{wire.truncated}")
        if wire.length_unknown:
            self._crawler.stats.inc_value("capture/length_unknown")


class DecodeMiddleware:
    """Stands where Scrapy's HttpCompressionMiddleware stood, which returns half a page as if it were whole."""

    def process_request(self, request: Request) -> None:
        request.headers.setdefault("Accept-Encoding", ACCEPTED)

    async def process_response(self, request: Request, response: Response) -> Response:
        asked = carried(request)
        capture = asked.get("capture")
        if capture is None or asked.get("kind") is Kind.RECORD:
            return response  # a record was whole when it was taken; what it shows says nothing of this transfer
        result = await _decoded(capture)
        if isinstance(result, Rejection):
            asked["rejection"] = result
            result = b""
        if capture.kind is not Kind.ROBOTS:
            return response  # pages are read from their captures, in processes of their own; only the verdict was wanted
        headers = response.headers.copy()
        headers.pop("Content-Encoding", None)
        return response.replace(headers=headers, body=result)


async def _decoded(capture: Capture) -> bytes | Rejection:
    """`decoded`, in a thread where it is long: a bomb is small until it goes off, so the limit of the first try says so."""
    result = decoded(capture, AT_ONCE)
    if isinstance(result, Rejection) and result.reason is Reason.TOO_LARGE and not capture.truncated:
        return await asyncio.to_thread(decoded, capture)
    return result
