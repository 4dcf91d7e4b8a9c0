"""How bytes come off the network: bounded in time and size, verbatim, to addresses that the guard let through.

Scrapy's HTTP/1.1 handler with four things changed, all of them private to it, so that a new Scrapy release is met here
and nowhere else (tests/crawler/test_transport.py names every borrowed part):
    - what came in time is kept: a transfer that breaks, stalls or grows too large ends as a response marked `truncated`
    - the header lines are kept as received: order, repetition, case and reason phrase, for the WARC record
    - a header section is bounded, and a body that cannot be a page is not read at all
    - it waits for the host's turn with the host's place taken, so that nothing can pile up behind the wait and burst out
Every exchange leaves a `Wire` with its request; crawler/capture.py turns it into a WARC record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers import http11
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, DownloadFailedError, DownloadTimeoutError
from scrapy.http import Response
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError, ResponseNeverReceived
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import UNKNOWN_LENGTH

from crawler.budget import budget_of
from crawler.carried import carried
from crawler.guard import Refused, guarded_resolver
from crawler.politeness import gate_of, retry_header
from pipelines.model import Headers, Kind
from pipelines.urls import host_key

T = TypeVar("T")

MAX_HEADER_BYTES = 256 * 1024
"""of a whole header section, interim responses included; browsers stop between 250 and 400 KiB. Twisted bounds a line only"""
STATUS_LINE = re.compile(rb"HTTP/[0-9]\.[0-9] [0-9]{3}(?: |$)")
"""RFC 9112 §4. Twisted takes any protocol, and any number that Python's int() reads"""
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""a header's name, RFC 9110 §5.6.2"""
BROKEN_OFF = frozenset({"truncated-disconnect", "truncated-time"})
"""flags of a response whose end never came"""
BODILESS = frozenset({204, 304})
PAGES = frozenset({Kind.ARTICLE, Kind.LISTING})
"""kinds that are only worth reading when they can be a page"""
PAGE_TYPES = re.compile(
    r"text/|application/(?:[\w.+-]+\+)?(?:xml|json)$|application/(?:x-)?(?:java|ecma)script$"
    # servers that know no better; the bytes decide
    r"|application/octet-stream$|application/x-gzip$|application/gzip$|[^/]*$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One exchange as it came off the network. `truncated` is WARC's word: "length", "time", "disconnect", or
    "unspecified" for a body that we chose not to read or that its own Content-Length cut; `ip` is None behind a proxy."""

    fetched_at: datetime
    status: int
    reason: str
    headers: Headers
    ip: str | None
    truncated: str | None = None
    length_unknown: bool = False
    """ended by the connection's end, with neither Content-Length nor chunks: nothing says that it is whole"""


def can_be_page(content_type: str | None, disposition: str | None) -> bool:
    """Whether a 2xx answer with these headers is worth reading as a page (HAZARDS: attachment, 300 MB of it)."""
    if disposition and disposition.strip().lower().startswith("attachment"):
        return False
    return PAGE_TYPES.match((content_type or "").partition(";")[0].strip().lower()) is not None


class Transport(http11.HTTP11DownloadHandler):
    """DOWNLOAD_HANDLERS for http and https."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = _Factory
        self._pool.retryAutomatically = False  # a hidden second request would wait for no turn
        self._resolver = guarded_resolver()
        self._gate = gate_of(crawler)
        self._budget = budget_of(crawler)
        self._stats = crawler.stats

    def _going_on(self, kind: Kind | None) -> bool:
        return self._crawler.engine.running and self._budget.allows(kind)

    async def download_request(self, request: Request) -> Response:
        host = host_key(request.url)
        async with self._gate.place(host):
            await self._gate.turn(host, partial(self._going_on, carried(request).get("kind")))
            return await self._told(host, request)

    async def _told(self, host: str, request: Request) -> Response:
        """The download; the gate hears of what came of it before the next request can take this one's place."""
        first = not carried(request).get("retry_times")
        try:
            response = await self._download(request)
        except Exception as error:
            if not isinstance(error, Refused):
                self._gate.saw_failure(host, type(error).__name__, counts=first and is_the_hosts(error))
            raise
        if any(flag in BROKEN_OFF for flag in response.flags):
            self._gate.saw_failure(host, "transfers do not end", counts=first and "truncated-time" in response.flags)
        else:
            of_host = carried(request).get("kind") is Kind.ROBOTS
            self._gate.saw_response(host, response.status, retry_header(response), counts=first, of_host=of_host)
        return response

    async def _download(self, request: Request) -> Response:
        self._resolver.install_on_reactor()
        self._stats.inc_value("downloader/request_count")
        self._budget.sent(carried(request).get("kind"))
        agent = _Agent(
            contextFactory=self._contextFactory,
            bindAddress=self._bind_address,
            pool=self._pool,
            maxsize=self._default_maxsize,
            crawler=self._crawler,
        )
        try:
            with wrap_twisted_exceptions():
                return await maybe_deferred_to_future(agent.download_request(request))
        except CannotResolveHostError:
            self._raise_if_refused(request)
            raise

    def _raise_if_refused(self, request: Request) -> None:
        parts = urlsplit(request.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if address := self._resolver.refusals.get((parts.hostname or "", port)):
            raise Refused("address", f"{request.url}: {parts.hostname} is {address}, no address of the open internet") from None


def is_the_hosts(error: Exception) -> bool:
    """Whether a failure is the host's and not the page's: an answer that began and is no HTTP is a page's own fault."""
    return not isinstance(error, DownloadFailedError) or isinstance(error.__cause__, ResponseNeverReceived)


class _Agent(http11._ScrapyAgent):
    """One request. `_timeout_cl`, set by the base class, bounds it from connecting to the last byte."""

    _reader: _Reader | None = None

    def _cb_bodyready(self, txresponse: Any, request: Request) -> Any:
        self._request = request
        self._fetched_at = datetime.now(UTC)
        gate_of(self._crawler).saw_arrival(host_key(request.url))
        self._length_unknown = txresponse.length is UNKNOWN_LENGTH
        if txresponse.length == 0:  # deliverBody would wait for ever
            return self._result(txresponse, b"", None)
        if not self._worth_reading(txresponse, request):
            return self._stopped(txresponse, "unspecified")
        maxsize = int(carried(request).get("download_maxsize", self._maxsize))
        if carried(request).get("kind") is not Kind.ROBOTS and not self._length_unknown and txresponse.length > maxsize:
            return self._stopped(txresponse, "length")
        finished: Deferred[Any] = Deferred(partial(self._cancel, txresponse=txresponse))
        self._txresponse = txresponse
        self._reader = _Reader(finished, maxsize)
        txresponse.deliverBody(self._reader)
        return finished.addCallback(lambda ended: self._result(txresponse, *ended))

    def _worth_reading(self, txresponse: Any, request: Request) -> bool:
        if carried(request).get("kind") not in PAGES or not 200 <= txresponse.code < 300:
            return True
        return can_be_page(_first(txresponse, b"Content-Type"), _first(txresponse, b"Content-Disposition"))

    def _stopped(self, txresponse: Any, truncated: str) -> Any:
        txresponse._transport._producer.abortConnection()
        return self._result(txresponse, b"", truncated)

    def _result(self, txresponse: Any, body: bytes, truncated: str | None) -> Any:
        budget_of(self._crawler).came(len(body) + sum(len(name) + len(value) + 4 for name, value in txresponse.received))
        truncated = truncated or ("unspecified" if getattr(txresponse, "surplus", False) else None)
        ip = getattr(txresponse, "_scrapy_ip_address", None)
        asked = carried(self._request)
        asked["wire"] = Wire(
            fetched_at=self._fetched_at,
            status=int(txresponse.code),
            reason=bytes(txresponse.phrase).decode("latin-1"),
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in txresponse.received),
            ip=None if ip is None or asked.get("proxy") else str(ip),
            truncated=truncated,
            length_unknown=self._length_unknown and _first(txresponse, b"Transfer-Encoding") is None,
        )
        flags = [f"truncated-{truncated}"] if truncated else None
        certificate = getattr(txresponse, "_scrapy_certificate", None)
        return {"txresponse": txresponse, "body": body, "flags": flags, "certificate": certificate, "ip_address": ip}

    def _cb_timeout(self, result: T, request: Request, url: str, timeout: float) -> Any:  # noqa: ARG002  # the base class's signature
        timer: Any = self._timeout_cl
        if timer.active():
            timer.cancel()
            return result
        if self._reader is None or self._txresponse is None:
            raise DownloadTimeoutError(f"{url} gave no answer in {timeout} seconds")
        return self._cb_bodydone(self._result(self._txresponse, self._reader.received(), "time"), url)


def _first(txresponse: Any, name: bytes) -> str | None:
    wanted = name.lower()
    return next((value.decode("latin-1") for key, value in txresponse.received if key.lower() == wanted), None)


class _Reader(Protocol):
    """Collects a body. Ends as (body, truncated)."""

    def __init__(self, finished: Deferred[tuple[bytes, str | None]], maxsize: int) -> None:
        self._finished, self._room = finished, maxsize
        self._pieces: list[bytes] = []

    def received(self) -> bytes:
        return b"".join(self._pieces)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if self._finished.called:
            return
        self._pieces.append(data[: self._room])
        if len(data) > self._room:
            self._finished.callback((self.received(), "length"))
            self.transport._producer.abortConnection()  # type: ignore[union-attr]
        self._room -= min(len(data), self._room)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        if not self._finished.called:
            whole = isinstance(reason.value, (ResponseDone, PotentialDataLoss))
            self._finished.callback((self.received(), None if whole else "disconnect"))


class _Parser(http11._LenientHTTPClientParser):
    """Keeps header lines as received and bounds them all together."""

    received: list[tuple[bytes, bytes]]
    size = 0

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        self.size += len(line) + 2
        if self.size > MAX_HEADER_BYTES:
            raise ParseError(f"more than {MAX_HEADER_BYTES} bytes of headers", line[:80])  # type: ignore[no-untyped-call]
        super().lineReceived(line)

    def statusReceived(self, status: bytes) -> None:  # noqa: N802
        if not STATUS_LINE.match(status):
            raise ParseError("no status line of HTTP", status[:80])  # type: ignore[no-untyped-call]
        self.received = []  # what an interim response (1xx) said is not part of the answer
        super().statusReceived(status)  # type: ignore[no-untyped-call]
        self.response.received = self.received

    def _finished(self, rest: bytes) -> None:
        self.response.surplus = _is_surplus(self.response, rest)
        super()._finished(rest)  # type: ignore[no-untyped-call]

    def headerReceived(self, name: bytes, value: bytes) -> None:  # noqa: N802
        name = name.rstrip()
        if not TOKEN.fullmatch(name):
            return  # as a browser passes over it; Twisted would give the whole answer up
        self.received.append((bytes(name), bytes(value)))
        super().headerReceived(name, value)  # type: ignore[no-untyped-call]


def _is_surplus(txresponse: Any, rest: bytes) -> bool:
    """Whether more came than the Content-Length said: then the length is wrong, and what it cut off is no whole page. Line
    ends behind a body are an old habit of servers, and the answer to a request that was never made is no body."""
    measured = txresponse.length is not UNKNOWN_LENGTH and txresponse.code not in BODILESS
    return measured and txresponse.length > 0 and rest.strip() != b"" and not rest.startswith(b"HTTP/")


class _Protocol(http11._LenientHTTP11ClientProtocol):
    def request(self, request: Any) -> Any:
        result = super().request(request)
        parser: Any = self._parser
        parser.__class__ = _Parser  # as Scrapy does it: Twisted fixes the parser's class, and has just made it
        return result


class _Factory(http11._LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: Any) -> _Protocol:  # noqa: ARG002, N802
        return _Protocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
