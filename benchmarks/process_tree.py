"""What a command costs with every process that it starts: processor time, clock, memory. For benchmarks; Linux only.

Orphans become this process's children (prctl(2), PR_SET_CHILD_SUBREAPER), so each process of the command is waited for here
or by its own parent, whose account then holds it. The command gets a session of its own, by which its processes are known.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SUBREAPER = 36
_TICKS = os.sysconf("SC_CLK_TCK")
EVERY = 0.2
"""seconds between two looks at memory"""
SAID = 2_000
"""characters that are kept of what a command complained of"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """CPU seconds of all processes and of the first alone, seconds by the clock, the first one's peak in MB, its exit status (None:
    it did not end in time), and the end of what it wrote to stderr."""

    cpu: float
    main: float
    wall: float
    peak: float
    status: int | None
    said: str


def spend(words: Sequence[str], cwd: Path, notes: Path, *, most: float) -> Spent:
    """Runs a command, without a proxy and for `most` seconds. Its output goes to `notes`/stdout and /stderr."""
    _adopt_orphans(True)
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with (notes / "stdout").open("wb") as out, (notes / "stderr").open("wb") as error:
        began = time.monotonic()
        process = subprocess.Popen(words, cwd=cwd, stdout=out, stderr=error, env=environment, start_new_session=True)
        late, peak = _Late(process.pid, most), _Peak(process.pid)
        cpu, main, status = _wait(process.pid)
        wall = time.monotonic() - began
    late.cancel()
    _adopt_orphans(False)
    process.returncode = status  # it was waited for, though not by itself
    said = (notes / "stderr").read_text(encoding="utf-8", errors="replace")[-SAID:]
    return Spent(cpu=cpu, main=main, wall=wall, peak=peak.end(), status=None if late.came else status, said=said)


def _adopt_orphans(yes: bool) -> None:
    if ctypes.CDLL(None).prctl(_SUBREAPER, int(yes), 0, 0, 0) != 0:
        raise OSError("prctl(PR_SET_CHILD_SUBREAPER) is needed to count all processes: Linux only")


def _wait(first: int) -> tuple[float, float, int]:
    """CPU of all and of the first, and its exit status."""
    cpu, main, status = 0.0, 0.0, 0
    while True:
        try:
            ended = os.waitid(os.P_PGID, first, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return cpu, main, status
        if ended is None:
            continue
        own = own_cpu(ended.si_pid)
        _, code, usage = os.wait4(ended.si_pid, 0)
        cpu += usage.ru_utime + usage.ru_stime
        if ended.si_pid == first:
            main, status = own, os.waitstatus_to_exitcode(code)


def own_cpu(pid: int) -> float:
    """CPU seconds of a process, also of one that has ended and is not waited for, without its children's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class _Late:
    """Ends a session that takes too long."""

    def __init__(self, session: int, most: float) -> None:
        self.came = False
        self._session = session
        self._timer = threading.Timer(most, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        self.came = True
        try:
            os.killpg(self._session, signal.SIGKILL)
        except ProcessLookupError:
            return

    def cancel(self) -> None:
        self._timer.cancel()


class _Peak:
    """Follows the greatest resident size of a process."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.is_set():
            self._peak = max(self._peak, _high_water(self._status))
            self._over.wait(EVERY)

    def end(self) -> float:
        self._over.set()
        self._thread.join()
        return self._peak


def _high_water(status: Path) -> float:
    try:
        lines: Mapping[str, str] = dict(line.split(":", 1) for line in status.read_text().splitlines())
    except OSError:
        return 0.0
    return int(lines["VmHWM"].split()[0]) / 1024 if "VmHWM" in lines else 0.0
