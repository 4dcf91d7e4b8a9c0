"""Reading pages in worker processes that can be killed: no page may cost more than its share of time and memory.

`Readers(0)` reads in this process, without a limit: for tests, debuggers and trusted replays.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from pipelines import flow
from pipelines.flow import Result
from pipelines.model import Capture, Kind, Reason, Rejection
from pipelines.site import Site

T = TypeVar("T")

SECONDS_A_PAGE = 10.0
"""HAZARDS P2. A page of 80 KB takes 0.01 to 0.05 s; 40,000 attributes in one tag take 8."""
MEMORY_A_WORKER = 512 * 2**20
"""HAZARDS P2, beyond what the libraries themselves have mapped."""
TASKS_A_WORKER = 5_000
"""A worker is replaced after so many pages: lxml's and the allocator's fragments do not grow for ever."""
TRIES = 3
"""of one page whose reading process dies: three deaths are the page's doing, one may be anybody's"""
AHEAD = 4
"""pages a worker that `read_all` holds: one that is slow keeps the others at work"""


class Readers:
    """A pool of warm processes that read captures; results come in any order."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool = _pool(workers) if workers else None
        self._ahead = AHEAD * workers or 1

    async def read(self, capture: Capture, site: Site) -> Result:
        """`flow.read` within the limits."""
        return await self.run(flow.read, capture, site) if capture.kind is Kind.ARTICLE else flow.read(capture, site)

    async def run(self, reading: Callable[[Capture, Site], T], capture: Capture, site: Site) -> T | Rejection:
        """`reading(capture, site)`, a pure function of a module, within the limits. A capture over them is a Rejection,
        TOO_EXPENSIVE; the pool goes on."""
        if self._pool is None:
            return reading(capture, site)
        fault: Exception | None = None
        for _ in range(TRIES):
            pool = self._pool
            try:
                result: T = await asyncio.wrap_future(self._schedule(reading, capture, site))
                return result
            except (FutureTimeout, MemoryError) as error:
                return _too_expensive(error)
            except ProcessExpired as died:  # by the page, or by somebody else's hand
                fault = died
            except RuntimeError as broken:  # of the pool, when its process was killed between two pages; of our code otherwise
                if pool.active:
                    raise
                fault = broken
        assert fault is not None
        return _too_expensive(fault)

    def read_now(self, capture: Capture, site: Site) -> Result:
        """The same, waited for."""
        if self._pool is None:
            return flow.read(capture, site)
        return asyncio.run(self.read(capture, site))

    def read_all(self, pages: Iterable[tuple[Capture, Site]]) -> Iterator[Result | Exception]:
        """Reads many, as many at a time as there are workers; results in the order of `pages`. Where our own code fails on
        a page, its result is the exception."""
        under_way: deque[Callable[[], Result | Exception]] = deque()
        for capture, site in pages:
            under_way.append(self._begin(capture, site))
            if len(under_way) >= self._ahead:
                yield under_way.popleft()()
        while under_way:
            yield under_way.popleft()()

    def _begin(self, capture: Capture, site: Site) -> Callable[[], Result | Exception]:
        if self._pool is None or capture.kind is not Kind.ARTICLE:
            return partial(_outcome, partial(flow.read, capture, site))
        return partial(_outcome, self._schedule(flow.read, capture, site).result)

    def _schedule(self, reading: Callable[[Capture, Site], Any], capture: Capture, site: Site) -> Any:
        """A pool whose process is killed between two pages takes no further ones: another takes its place."""
        assert self._pool is not None
        try:
            return self._pool.schedule(reading, args=(capture, site), timeout=SECONDS_A_PAGE)
        except RuntimeError:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool = _pool(self._workers)
            return self._pool.schedule(reading, args=(capture, site), timeout=SECONDS_A_PAGE)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()


def _outcome(answer: Callable[[], Result]) -> Result | Exception:
    try:
        return answer()
    except (FutureTimeout, ProcessExpired, MemoryError) as error:
        return _too_expensive(error)
    except Exception as fault:  # noqa: BLE001  # the edge of bulk work: one page must not lose the others
        return fault


def _too_expensive(error: Exception) -> Rejection:
    late = isinstance(error, FutureTimeout)
    detail = f"took more than {SECONDS_A_PAGE:.0f} s to read" if late else f"the reading process died ({type(error).__name__})"
    return Rejection(reason=Reason.TOO_EXPENSIVE, detail=detail)


def _pool(workers: int) -> ProcessPool:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipelines.flow"])  # the imports cost 280 ms a process (FIELD section 1)
    pool = ProcessPool(max_workers=workers, max_tasks=TASKS_A_WORKER, context=context, initializer=_limit)
    pool.schedule(os.getpid)  # the processes start here and now; with the first page they would stall the event loop for 0.4 s
    return pool


def _limit() -> None:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123  # a pseudo-file
        mapped = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY_A_WORKER, mapped + MEMORY_A_WORKER))
