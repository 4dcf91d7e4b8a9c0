"""One line that moves, on a terminal. Elsewhere a crawl has its log, and work over whole archives says a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.status import Status

from crawler.pipe import say_aside
from pipelines import report
from pipelines.tables import several

EVERY = 0.2
"""seconds between two redraws"""
EVERY_PLAIN = 30.0
"""seconds between two lines where nobody looks, as under cron"""


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
        self._status.update(f"{several(sum(visits.values()), 'article')} fetched, {saved} saved")

    def end(self) -> None:
        if self._status is not None:
            self._status.stop()


class Bar:
    """How much of a known amount is done: a bar with the time that is left on a terminal, else lines on stderr. `unit` is
    what is counted: "captures", or "bytes"."""

    def __init__(self, title: str, unit: str = "captures") -> None:
        self._title, self._unit = title, unit
        self._bar: RichProgress | None = None
        self._shown_at = self._began = time.monotonic()
        if sys.stderr.isatty():
            amount = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                amount,
                TimeRemainingColumn(),
            )
            self._bar = RichProgress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(title, total=None)
            self._bar.start()
            self._shown_at = 0.0

    def show(self, done: int, whole: int) -> None:
        now = time.monotonic()
        if now - self._shown_at < (EVERY_PLAIN if self._bar is None else EVERY):
            return
        self._shown_at = now
        if self._bar is None:
            say_aside(plain_progress(self._title, self._unit, done, whole, now - self._began))
        else:
            self._bar.update(self._task, completed=done, total=whole)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def plain_progress(title: str, unit: str, done: int, whole: int, seconds: float) -> str:
    """One line for logs."""
    share = f"{100 * done / whole:.0f} %" if whole else "nothing to do"
    if unit == "bytes":
        return f"{title}: {done / 2**20:,.0f} of {whole / 2**20:,.0f} MiB ({share}), {done / 2**20 / seconds:,.1f} MiB/s"
    return f"{title}: {done:,} of {whole:,} {unit} ({share}), {done / seconds:,.0f} a second"
