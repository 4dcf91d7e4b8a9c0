"""One line that moves, on a terminal; nothing elsewhere (the log has its own lines)."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.status import Status

from pipelines import report

EVERY = 0.2
"""seconds between two redraws"""


class Progress:
    def __init__(self) -> None:
        self._status: Status | None = None
        self._shown_at = 0.0
        if sys.stderr.isatty():
            self._status = Console(stderr=True).status("Asking the lists …")
            self._status.start()

    def show(self, visits: Mapping[str, int]) -> None:
        """What came in so far."""
        now = time.monotonic()
        if self._status is None or now - self._shown_at < EVERY:
            return
        self._shown_at = now
        saved = sum(visits.get(word, 0) for word in report.SAVED)
        self._status.update(f"{sum(visits.values())} articles fetched, {saved} saved")

    def end(self) -> None:
        if self._status is not None:
            self._status.stop()


class Bar:
    """How much of a known amount is done."""

    def __init__(self, title: str) -> None:
        self._bar: RichProgress | None = None
        self._shown_at = 0.0
        if sys.stderr.isatty():
            self._bar = RichProgress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(title, total=None)
            self._bar.start()

    def show(self, done: int, whole: int) -> None:
        now = time.monotonic()
        if self._bar is None or now - self._shown_at < EVERY:
            return
        self._shown_at = now
        self._bar.update(self._task, completed=done, total=whole)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
