"""Conditional requests (RFC 9110 §13): what a URL said of itself last time is sent back, so that "nothing new" costs no body.

The scheduler puts the row's `Validators` into request.meta["validators"]; what may be stored of a new answer is
`validators_of`. They belong to the URL that sent them (RFC 9110 §8.8) and are sent to no other: where a row's URL redirects,
they are its target's, and go with the request until that is asked. A 304 that nobody asked for is a fault of the server: the
page is asked for once more, plainly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response

from pipelines.model import Capture, Reason, Rejection

MAX_VALIDATOR = 512
"""characters; longer ones are junk, and would be sent back with every request"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server said of a version of a page, as received. `confirms` is the URL and the time of the capture that has
    the body: a 304 becomes a revisit record that refers to it."""

    etag: str | None = None
    last_modified: str | None = None
    confirms: tuple[str, datetime] | None = None
    digest: str | None = None
    """payload digest of that capture, "sha256:...": the same body sent again becomes a revisit record too"""

    @property
    def headers(self) -> dict[str, str]:
        """What makes a request conditional; a server that knows both looks at the etag only (RFC 9110 §13.2.2)."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}

    def are_of(self, url: str) -> bool:
        """Whether it was this URL that sent them."""
        return self.confirms is not None and self.confirms[0] == url


def validators_of(capture: Capture) -> Validators:
    """What of a 200 may be stored for the next visit. A Last-Modified after the fetch would claim "not modified" until
    that day comes (RFC 9110 §8.8.2.1), so it is dropped; weak etags serve, as pages are compared whole."""
    return Validators(
        etag=_plain(capture.header("ETag")),
        last_modified=_plain(_past(capture.header("Last-Modified"), capture.fetched_at)),
        confirms=(capture.url, capture.fetched_at),
        digest=capture.payload_digest,
    )


def http_date(value: str) -> datetime | None:
    """An HTTP-date (RFC 9110 §5.6.7), aware; None for anything else."""
    try:
        moment = parsedate_to_datetime(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _past(value: str | None, now: datetime) -> str | None:
    moment = http_date(value) if value else None
    return value if moment is not None and moment <= now else None


def _plain(value: str | None) -> str | None:
    """A value that can go into a request header again: printable ASCII, of a sane length."""
    value = (value or "").strip()
    return value if value and len(value) <= MAX_VALIDATOR and value.isascii() and value.isprintable() else None


class ConditionalMiddleware:
    """Asks conditionally where validators are known, and once more plainly after an unasked 304."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats = crawler.stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        validators: Validators | None = request.meta.get("validators")
        if validators and validators.are_of(request.url) and not request.meta.get("unconditional"):
            request.headers.update(validators.headers)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        capture: Capture | None = request.meta.get("capture")
        is_shared = capture is not None and capture.refers_to is not None  # somebody asked for it who named a version
        if response.status != 304 or is_conditional(request) or is_shared:
            return response
        self._stats.inc_value("conditional/unasked_304")
        if not request.meta.get("unconditional"):
            return plainly(request)
        detail = "304 to a request that named no version, twice"
        request.meta["rejection"] = Rejection(reason=Reason.HTTP_ERROR, detail=detail, status=304)
        return response


def is_conditional(request: Request) -> bool:
    return "If-None-Match" in request.headers or "If-Modified-Since" in request.headers


def plainly(request: Request) -> Request:
    """The same request without validators, to be made whatever was seen before."""
    meta = {**request.meta, "unconditional": True}
    meta.pop("validators", None)
    return request.replace(headers=without_condition(request.headers), meta=meta, dont_filter=True)


def without_condition(headers: Headers) -> Headers:
    plain = headers.copy()
    plain.pop("If-None-Match", None)
    plain.pop("If-Modified-Since", None)
    return plain
