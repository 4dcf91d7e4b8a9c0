"""`scrapy`, measured: `python -m tests.hazards.measured OUT.json crawl …` runs the real command with one extension more, and
writes the largest memory of its process (VmHWM) and the longest stalls of its event loop, with the line of ours or of a
library that it stood in, to OUT.json. BUSY_SECONDS in the environment: for how long it waits for a catalogue that is held."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import ClassVar, Self

from scrapy import signals
from scrapy.cmdline import execute
from scrapy.crawler import Crawler

from crawler import settings
from pipelines.archive import catalogue

EVERY = 0.01
"""seconds between two looks at the clock"""
LONGEST = 5
"""stalls that are kept"""
LATE = 0.1
"""seconds after which it is looked at what the event loop stands in"""


class Watch:
    """Notes how much later than it asked for the event loop wakes it. A thread looks at what the loop does meanwhile."""

    stalls: ClassVar[list[tuple[float, float, str]]] = [(0.0, 0.0, "")]
    """seconds; those among them that the loop's own thread was at work; where. On a busy machine the two differ"""

    def __init__(self) -> None:
        self._awake = time.perf_counter()
        self._where = ""
        self._loop = threading.get_ident()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        watch = cls()
        crawler.signals.connect(watch.begin, signals.engine_started)
        return watch

    def begin(self) -> None:
        self._awake = time.perf_counter()
        self._task = asyncio.ensure_future(self._look())
        threading.Thread(target=self._look_on, daemon=True).start()

    async def _look(self) -> None:
        while True:
            self._awake, self._where = time.perf_counter(), ""
            worked = time.thread_time()
            await asyncio.sleep(EVERY)
            late = time.perf_counter() - self._awake - EVERY
            if late > min(self.stalls)[0]:
                self.stalls[:] = sorted([(late, time.thread_time() - worked, self._where), *self.stalls], reverse=True)[:LONGEST]

    def _look_on(self) -> None:
        while True:
            time.sleep(EVERY)
            if not self._where and time.perf_counter() - self._awake > LATE:
                self._where = place(sys._current_frames().get(self._loop))


def place(frame: FrameType | None) -> str:
    """Where a thread is: its own line, and the nearest of ours above it."""
    lines: list[str] = []
    while frame is not None and len(lines) < 30:
        lines.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        frame = frame.f_back
    ours = (line for line in lines if "/crawler/" in line or "/pipelines/" in line)
    named = dict.fromkeys([*lines[:1], *ours])
    return " < ".join("/".join(Path(line).parts[-2:]) for line in list(named)[:4])


def peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    out = Path(sys.argv[1])
    atexit.register(lambda: out.write_text(json.dumps({"peak_mb": peak_mb(), "stalls": Watch.stalls})))
    catalogue.BUSY_SECONDS = float(os.environ.get("BUSY_SECONDS", catalogue.BUSY_SECONDS))
    settings.EXTENSIONS["tests.hazards.measured.Watch"] = 0
    execute(["scrapy", *sys.argv[2:]])


if __name__ == "__main__":
    sys.modules["tests.hazards.measured"] = sys.modules["__main__"]  # the extension is loaded by its name
    main()
