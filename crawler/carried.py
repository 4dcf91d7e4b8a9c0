"""What a request carries from the frontier to its answer: the keys of `request.meta`, and what each of them means.

    asked for      lease · kind · hints · validators | promise          by the scheduler; kept by whatever is asked in its place
    asked anew     retry_times · unconditional · redirects              by who asks again
    on the way     wire ─► capture ─► rejection | broken                of this answer alone
                           captures                                     of all answers on the way to it

Names and types, and the three things that several middlewares do with them. What they decide by them stands there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypedDict, cast

from scrapy import Request

from pipelines.archive.borrowed import Promise
from pipelines.archive.urltable import Row
from pipelines.model import Capture, Hints, Kind, Rejection
from pipelines.validators import Validators

if TYPE_CHECKING:
    from crawler.redirects import Hop
    from crawler.transport import Wire


class Carried(TypedDict, total=False):
    lease: Row
    """the row that it is asked for; none of a robots.txt"""
    kind: Kind
    hints: Hints
    validators: Validators
    """what its URL, or the one that it redirects to, said of itself last time"""
    promise: Promise
    """what an index says of the capture that another archive has (Kind.RECORD)"""

    retry_times: int
    unconditional: bool
    """it was asked conditionally, and the answer would not do"""
    redirects: tuple[Hop, ...]
    """the hops that led to it, first to last"""

    wire: Wire
    """its exchange as it came off the network, until that is captured"""
    capture: Capture
    captures: tuple[Capture, ...]
    """of redirects and tries too, first to last"""
    rejection: Rejection
    """why the body is not whole"""
    broken: str
    """why it is not what was promised"""
    answer: asyncio.Future[Capture | None]
    """what others wait for who were led to its URL (crawler.sharing)"""

    download_maxsize: int
    """Scrapy's: bytes of the body that are read"""
    download_slot: str
    """Scrapy's: whose transfers it is counted with"""
    download_latency: float
    proxy: str
    """Scrapy's HttpProxyMiddleware's"""


def carried(request: Request) -> Carried:
    return cast("Carried", request.meta)


def as_meta(what: Carried) -> dict[str, Any]:
    return cast("dict[str, Any]", what)


def drop_answer(request: Request) -> None:
    """A retry or a redirect begins with a copy of what its origin carries: the origin's answer is not its own."""
    for name in ("capture", "rejection", "broken"):
        request.meta.pop(name, None)


def keep_answer(request: Request, capture: Capture) -> None:
    mine = carried(request)
    mine["capture"] = capture
    mine["captures"] = (*mine.get("captures", ()), capture)


def again(request: Request, more: Carried, *, without: Collection[str] = (), **changed: Any) -> Request:
    """A request in the place of this one, under the same lease. `changed` as Request.replace has it."""
    kept = {name: value for name, value in request.meta.items() if name not in without}
    made: Request = request.replace(meta=kept | as_meta(more), dont_filter=True, **changed)
    return made
