"""Redirects: few, inside the site, every hop captured and remembered, never back, and never to a page that stands for "gone".

What a Location means is read as a browser reads it (pipelines.urls.absolute); the guard's rule is asked before the hop is
made, so that the failure belongs to the URL that redirects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.carried import again, carried
from crawler.conditional import without_condition
from crawler.guard import Refused, objection, site_of
from pipelines.model import Kind
from pipelines.reading import REDIRECTS, leads_to_index
from pipelines.urls import absolute, request_url

PERMANENT = frozenset({301, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One redirect: `url` answered with `status` and named `to`."""

    status: int
    url: str
    to: str

    @property
    def permanent(self) -> bool:
        return self.status in PERMANENT


def moved_to(hops: tuple[Hop, ...]) -> str | None:
    """Where a page has moved for good: the last URL, when every hop was permanent (RFC 9110 §15.4.2, §15.4.9)."""
    return hops[-1].to if hops and all(hop.permanent for hop in hops) else None


class RedirectMiddleware:
    """Follows redirects by these rules. What is not followed comes back as the response that it was."""

    def __init__(self, crawler: Crawler) -> None:
        self._site = site_of(crawler)
        self._stats = crawler.stats
        self._max = crawler.settings.getint("REDIRECT_MAX_TIMES")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        location = response.headers.get("Location")
        if response.status not in REDIRECTS or location is None or carried(request).get("kind") is Kind.RECORD:
            return response  # of a record: another capture than the one that was promised
        target = _target(request.url, location)
        if target is None:
            raise Refused("redirect_refused", f"{request.url} redirects to no http URL")
        return self._follow(request, response, target)

    def _follow(self, request: Request, response: Response, target: str) -> Request | Response:
        asked = carried(request)
        if asked.get("kind") is Kind.ARTICLE and leads_to_index(request.url, target, self._site):
            self._stats.inc_value("redirect/to_index")
            return response
        hops: tuple[Hop, ...] = (*asked.get("redirects", ()), Hop(status=response.status, url=request.url, to=target))
        if target in (hop.url for hop in hops):  # no cookies are kept: what was answered once is answered for ever
            raise Refused("redirect_loop", f"{hops[0].url}: leads back to {target}")
        if len(hops) > self._max:
            raise Refused("redirect_loop", f"{hops[0].url}: more than {self._max} redirects")
        if (why := objection(target, self._site, asked.get("kind"))) is not None:
            raise Refused("redirect_refused", f"{request.url} redirects to {target}: {why}")
        self._stats.inc_value("redirect/followed")
        return _next(request, target, hops)


def _target(url: str, location: bytes) -> str | None:
    """The URL of a Location header; sites of this family write it in UTF-8, percent-encoded or not."""
    target = absolute(url, location.decode("utf-8", "replace"))
    return request_url(target) if target else None


def _next(request: Request, target: str, hops: tuple[Hop, ...]) -> Request:
    """The next hop: the lease, the hints and the captures of the URL that was asked for. Its condition is not the target's,
    which has one of its own where the validators are its."""
    of_this_hop = ("unconditional", "retry_times", "download_slot", "download_latency")
    return again(request, {"redirects": hops}, without=of_this_hop, url=target, headers=without_condition(request.headers))
