"""Conditional requests (RFC 9110 §13): what a URL said of itself last time is sent back, so that "nothing new" costs no body.

What a row has of them (pipelines/validators.py) goes with its request. They belong to the URL that sent them (RFC 9110 §8.8)
and are sent to no other: where a row's URL redirects, they are its target's, and go with the request until that is asked. A 304
that nobody asked for is a fault of the server: the page is asked for once more, plainly.
"""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response

from crawler.carried import again, carried
from pipelines.model import Reason, Rejection


class ConditionalMiddleware:
    """Asks conditionally where validators are known, and once more plainly after an unasked 304."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats = crawler.stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        asked = carried(request)
        validators = asked.get("validators")
        if validators and validators.are_of(request.url) and not asked.get("unconditional"):
            request.headers.update(validators.headers)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        asked = carried(request)
        capture = asked.get("capture")
        is_shared = capture is not None and capture.refers_to is not None  # somebody asked for it who named a version
        if response.status != 304 or is_conditional(request) or is_shared:
            return response
        self._stats.inc_value("conditional/unasked_304")
        if not asked.get("unconditional"):
            return plainly(request)
        detail = "304 to a request that named no version, twice"
        asked["rejection"] = Rejection(reason=Reason.HTTP_ERROR, detail=detail, status=304)
        return response


def is_conditional(request: Request) -> bool:
    return "If-None-Match" in request.headers or "If-Modified-Since" in request.headers


def plainly(request: Request) -> Request:
    """The same request without validators, to be made whatever was seen before."""
    return again(request, {"unconditional": True}, without=("validators",), headers=without_condition(request.headers))


def without_condition(headers: Headers) -> Headers:
    plain = headers.copy()
    plain.pop("If-None-Match", None)
    plain.pop("If-Modified-Since", None)
    return plain
