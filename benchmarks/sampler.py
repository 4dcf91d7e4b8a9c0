"""Where the processor time of a program goes, by the parts of this software, from samples of its stack.

    with Sampler() as sampler: work()
    sampler.spent        {(part, file): seconds}

Every few milliseconds of processor time a signal asks which function is at work; the time since the last sample is that of
the innermost frame whose file belongs to a part. So a library's time is that of who called it: SQLite's for the catalogue is
the catalogue's, for fingerprints the search of duplicates', and lxml's is the extraction's. Unlike cProfile this costs
nothing a call, so that code of many small functions does not look worse than it is. A signal that comes within a long call
of C is heard behind it; its sample weighs the whole call. Threads beside the main one are told as "other threads".
"""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Self

EVERY = 0.002
"""seconds of processor time between two samples"""
ROOT = str(Path(__file__).parents[1]) + "/"

PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("extraction", ("pipelines/extract/", "pipelines/payload.py")),
    (
        "duplicates",
        ("pipelines/dedup/", *(f"pipelines/archive/{name}.py" for name in ("neighbours", "fingerprints", "templates"))),
    ),
    ("WARC and index", tuple(f"pipelines/archive/{name}.py" for name in ("warc", "records", "exchange", "cdxj", "durable", "originals"))),
    ("catalogue", ("pipelines/archive/", "pipelines/stages.py", "pipelines/flow.py")),
    (
        "bulk work",
        tuple(f"pipelines/{name}.py" for name in ("bulk", "pool", "workers", "reextract", "compared", "spool", "replay", "verify")),
    ),
    ("lists and links", tuple(f"crawler/{name}.py" for name in ("discovery", "links", "feeds", "paging", "turning", "visits", "frontier"))),
    ("our side of the network", ("crawler/",)),
)
"""Parts by their files, the first that fits. Modules that all of them use (text, urls, model, site) belong to who calls them."""
FRAMEWORK = ("/site-packages/scrapy/", "/site-packages/twisted/", "/site-packages/w3lib/", "/site-packages/parsel/", "/asyncio/")
IMPORTS, SCRAPY, REST, THREADS = "start (imports)", "Scrapy and Twisted", "Python", "other threads"


@lru_cache(maxsize=4_096)
def part_of(file: str) -> tuple[str, str] | None:
    """Part and short name of a source file; None for one that belongs to whoever calls it."""
    if file.startswith("<frozen importlib"):
        return IMPORTS, ""
    if any(place in file for place in FRAMEWORK):
        return SCRAPY, ""
    inside = file.removeprefix(ROOT)
    return next(((part, inside.rpartition("/")[2]) for part, places in PARTS if inside.startswith(places)), None)


class Sampler:
    """For the main thread of a process. A context manager."""

    def __init__(self) -> None:
        self.spent: defaultdict[tuple[str, str], float] = defaultdict(float)

    def __enter__(self) -> Self:
        self._began = time.process_time()
        self._last = self._began_here = time.thread_time()
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        beside = (time.process_time() - self._began) - (time.thread_time() - self._began_here)
        if beside > EVERY:
            self.spent[THREADS, ""] += beside

    def _sample(self, _: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        weight, self._last = now - self._last, now
        while frame is not None:
            if (found := part_of(frame.f_code.co_filename)) is not None:
                self.spent[found] += weight
                return
            frame = frame.f_back
        self.spent[REST, ""] += weight
