"""`scrapy`, measured: `python -m tests.hazards.measured OUT.json crawl …` runs the real command with one extension more, and
writes the largest memory of its process (VmHWM) and the longest stalls of its event loop to OUT.json."""

from __future__ import annotations

import asyncio
import atexit
import json
import re
import sys
import time
from pathlib import Path
from typing import ClassVar, Self

from scrapy import signals
from scrapy.cmdline import execute
from scrapy.crawler import Crawler

from crawler import settings

EVERY = 0.01
"""seconds between two looks at the clock"""
LONGEST = 5
"""stalls that are kept"""


class Watch:
    """Notes how much later than it asked for the event loop wakes it."""

    stalls: ClassVar[list[float]] = [0.0]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        watch = cls()
        crawler.signals.connect(watch.begin, signals.engine_started)
        return watch

    def begin(self) -> None:
        self._task = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(EVERY)
            late = time.perf_counter() - before - EVERY
            if late > min(self.stalls):
                self.stalls[:] = sorted([late, *self.stalls], reverse=True)[:LONGEST]


def peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    out = Path(sys.argv[1])
    atexit.register(lambda: out.write_text(json.dumps({"peak_mb": peak_mb(), "stalls": Watch.stalls})))
    settings.EXTENSIONS["tests.hazards.measured.Watch"] = 0
    execute(["scrapy", *sys.argv[2:]])


if __name__ == "__main__":
    sys.modules["tests.hazards.measured"] = sys.modules["__main__"]  # the extension is loaded by its name
    main()
