"""Whose turn a host is, between the processes that crawl into one archive at once: a small file for each host in its locks folder.

It holds when the host was last asked, and when it may be asked next. Who asks reads and writes it under the file's lock, which
takes 10 µs and no transaction. Where nothing is waited for (a delay of 0), there is no file.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

CLOCKS_APART = 60.0
"""seconds by which the clocks of two processes may differ; what is from further ahead was written before the clock was set back"""
SOON = 0.01
"""seconds after which a file is tried again that another process has in its hands"""
PATIENCE, PAUSE = 0.05, 0.001
"""seconds for which it is tried at once, and between two tries, where something is to be told: it is held for 10 µs, longer only
by a process that is stopped just then"""


@dataclass(slots=True)
class Turns:
    """The turns of the hosts that one process asks. Times are seconds since the epoch. A file that cannot be opened or written
    tells nobody anything: then each process keeps its own delay, and the run learns of the disk's fault elsewhere."""

    folder: Path
    """made by whoever opened the archive; a run whose archive is moved away makes nothing in its place"""
    _files: dict[str, int] = field(default_factory=dict)
    _told: dict[str, float] = field(default_factory=dict)
    """what this process wrote last"""

    def take(self, host: str, now: float, until: float) -> float | None:
        """Takes the turn, for all processes: until then the host is nobody's. Where it is not free: when it may be."""
        if until <= now:
            return None
        try:
            return self._under_lock(host, lambda next_at: next_at if next_at > now else None, now, until)
        except BlockingIOError:
            return now + SOON

    def put_off(self, host: str, now: float, until: float) -> None:
        """Tells the others that the host is not to be asked before."""
        if until <= now or until <= self._told.get(host, 0.0):
            return
        for _ in range(round(PATIENCE / PAUSE)):
            try:
                self._under_lock(host, lambda next_at: next_at if next_at >= until else None, now, until)
            except BlockingIOError:
                time.sleep(PAUSE)
            else:
                return

    def close(self) -> None:
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _under_lock(self, host: str, stands: Callable[[float], float | None], now: float, until: float) -> float | None:
        """Writes `until`, unless what another has written stands: then that. Raises BlockingIOError where another holds the file."""
        try:
            file = self._opened(host)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            return None
        try:
            if (found := stands(_next_at(os.pread(file, 100, 0), now))) is not None:
                return found
            os.pwrite(file, f"{now!r} {until!r}\n".encode("ascii").ljust(60), 0)
            self._told[host] = until
        except OSError:
            return None
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
        return None

    def _opened(self, host: str) -> int:
        if host not in self._files:
            path = self.folder / f"{quote(host, safe=':')}.turn"
            self._files[host] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._files[host]


def _next_at(text: bytes, now: float) -> float:
    try:
        asked_at, next_at = map(float, text.split())
    except ValueError:
        return 0.0
    return next_at if asked_at <= now + CLOCKS_APART else 0.0
