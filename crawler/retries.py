"""What is worth asking for once more in this run, and how often. A table; the wait before it is politeness.py's.

A page that stays out of reach is due again in the next run, so few tries are enough here: every further one is a load on
a site that is already in trouble.
"""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
)
from scrapy.http import Response
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost

from crawler.carried import again, carried
from crawler.politeness import gate_of, retry_header
from pipelines.model import Reason, Rejection
from pipelines.urls import host_key

STATUSES: dict[int, int] = {408: 1, 429: 2, 500: 2, 502: 2, 503: 2, 504: 2, 520: 1, 521: 1, 522: 1, 523: 1, 524: 1}
"""status -> further tries in this run"""
REJECTIONS: dict[Reason, int] = {Reason.PARTIAL: 2, Reason.BAD_ENCODING: 1}
"""what the transfer itself did wrong -> further tries; too large stays too large"""
TIMEOUT_TRIES = 1
"""a try that times out has cost 30 s already"""
FAILURES: dict[type[Exception], int] = {
    DownloadTimeoutError: TIMEOUT_TRIES,
    DownloadConnectionRefusedError: 1,
    CannotResolveHostError: 1,
    DownloadFailedError: 2,
    ConnectionLost: 2,
    ConnectionDone: 2,
    ConnectError: 1,
}


def tries_after_response(status: int, rejection: Rejection | None, timed_out: bool) -> int:
    """How many further tries an answer of this kind is worth in all."""
    if timed_out:
        return TIMEOUT_TRIES
    return STATUSES.get(status, 0) or (REJECTIONS.get(rejection.reason, 0) if rejection else 0)


def tries_after_failure(exception: Exception) -> int:
    """How many further tries a request without an answer is worth in all. What we refused ourselves: none."""
    if isinstance(exception, IgnoreRequest):
        return 0
    return next((tries for kind, tries in FAILURES.items() if isinstance(exception, kind)), 0)


class RetryMiddleware:
    """Asks again within the table above. What is asked then carries the lease of its URL on."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats = crawler.stats
        self._gate = gate_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        if self._gate.has_to_wait_long(response.status, retry_header(response)):
            return response
        tries = tries_after_response(response.status, carried(request).get("rejection"), "truncated-time" in response.flags)
        return self._again(request, tries, str(response.status)) or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        return self._again(request, tries_after_failure(exception), type(exception).__name__)

    def _again(self, request: Request, tries: int, why: str) -> Request | None:
        tried = carried(request).get("retry_times", 0)
        if tried >= tries or self._gate.state(host_key(request.url)).given_up:
            return None
        self._stats.inc_value(f"retry/{why}")
        return again(request, {"retry_times": tried + 1})
