"""Reading pages in worker processes that can be killed: no page may cost more than its share of time and memory.

`Readers(0)` reads in this process, without a limit: for tests, debuggers and trusted replays.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
from concurrent.futures import TimeoutError as FutureTimeout

from pebble import ProcessExpired, ProcessPool

from pipelines import flow
from pipelines.flow import Result
from pipelines.model import Capture, Kind, Reason, Rejection
from pipelines.site import Site

SECONDS_A_PAGE = 10.0
"""HAZARDS P2. A page of 80 KB takes 0.01 to 0.05 s; 40,000 attributes in one tag take 8."""
MEMORY_A_WORKER = 512 * 2**20
"""HAZARDS P2, beyond what the libraries themselves have mapped."""
TASKS_A_WORKER = 5_000
"""A worker is replaced after so many pages: lxml's and the allocator's fragments do not grow for ever."""


class Readers:
    """A pool of warm processes that read captures; results come in any order."""

    def __init__(self, workers: int) -> None:
        self._pool = _pool(workers) if workers else None

    async def read(self, capture: Capture, site: Site) -> Result:
        """`flow.read` within the limits. A page over them is a Rejection, TOO_EXPENSIVE; the pool goes on."""
        if self._pool is None or capture.kind is not Kind.ARTICLE:
            return flow.read(capture, site)
        try:
            return await asyncio.wrap_future(self._pool.schedule(flow.read, args=(capture, site), timeout=SECONDS_A_PAGE))
        except FutureTimeout:
            return Rejection(reason=Reason.TOO_EXPENSIVE, detail=f"took more than {SECONDS_A_PAGE:.0f} s to read")
        except (ProcessExpired, MemoryError) as error:
            return Rejection(reason=Reason.TOO_EXPENSIVE, detail=f"the reading process died ({type(error).__name__})")

    def read_now(self, capture: Capture, site: Site) -> Result:
        """The same, waited for."""
        if self._pool is None:
            return flow.read(capture, site)
        return asyncio.run(self.read(capture, site))

    def close(self) -> None:
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()


def _pool(workers: int) -> ProcessPool:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipelines.flow"])  # the imports cost 280 ms a process (FIELD section 1)
    return ProcessPool(max_workers=workers, max_tasks=TASKS_A_WORKER, context=context, initializer=_limit)


def _limit() -> None:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123  # a pseudo-file
        mapped = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY_A_WORKER, mapped + MEMORY_A_WORKER))
