"""Reading pages in worker processes that can be killed: no page may cost more than its share of time and memory.

`Readers(0)` reads in this process, without a limit: for tests, debuggers and trusted replays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from pipelines import reading
from pipelines.model import Capture, Kind, Reason, Rejection
from pipelines.pool import Kept, Pool, ProcessDied, TookTooLong
from pipelines.reading import Result
from pipelines.site import Site

T = TypeVar("T")

SECONDS_A_PAGE = 10.0
"""HAZARDS P2. A page of 80 KB takes 0.01 to 0.05 s; 40,000 attributes in one tag take 8."""
MEMORY_A_WORKER = 512 * 2**20
"""HAZARDS P2, beyond what the libraries themselves have mapped."""
PAGES_A_WORKER = 5_000
"""A worker is replaced after so many pages: lxml's and the allocator's fragments do not grow for ever."""
PAGES_AHEAD = 8
"""that wait in a worker's pipe: as many as it reads while the event loop commits a group"""
TRIES = 3
"""of one page whose reading process dies: three deaths are the page's doing, one may be anybody's"""


class Readers:
    """A pool of warm processes that read captures; results come in any order."""

    def __init__(self, workers: int, *modules: str) -> None:
        """`modules`: of the functions that are to be run, beside `read`."""
        self._pool = Pool(workers, MEMORY_A_WORKER, PAGES_A_WORKER, ahead=PAGES_AHEAD, modules=modules) if workers else None
        self._rules: Kept[Site] | None = None

    async def read(self, capture: Capture, site: Site) -> Result:
        """`reading.read` within the limits."""
        return await self.run(reading.read, capture, site) if capture.kind is Kind.ARTICLE else reading.read(capture, site)

    async def run(self, function: Callable[[Capture, Site], T], capture: Capture, site: Site) -> T | Rejection:
        """`function(capture, site)`, a pure function of a module, within the limits. A capture over them is a Rejection,
        TOO_EXPENSIVE; the pool goes on."""
        if self._pool is None:
            return function(capture, site)
        fault: Exception | None = None
        for _ in range(TRIES):
            try:
                result: T = await self._pool.done(self._pool.begin(SECONDS_A_PAGE, called, function, capture, self._kept(site)))
                return result
            except (TookTooLong, MemoryError) as error:
                return too_expensive(error)
            except ProcessDied as died:  # by the page, or by somebody else's hand
                fault = died
        assert fault is not None
        return too_expensive(fault)

    def read_now(self, capture: Capture, site: Site) -> Result:
        """The same, waited for."""
        return asyncio.run(self.read(capture, site))

    def _kept(self, site: Site) -> Kept[Site]:
        if self._rules is None or self._rules.value is not site:
            self._rules = Kept(site)
        return self._rules

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()


def called(function: Callable[[Capture, Site], T], capture: Capture, site: Kept[Site]) -> T:
    """In the worker: the rules come once, not with each page."""
    return function(capture, site.value)


def too_expensive(error: Exception) -> Rejection:
    late = isinstance(error, TookTooLong)
    detail = f"took more than {SECONDS_A_PAGE:.0f} s to read" if late else f"the reading process died ({type(error).__name__})"
    return Rejection(reason=Reason.TOO_EXPENSIVE, detail=detail)
