"""Processes that can be killed: each runs one task at a time, within its seconds and its memory.

Rules of this file: each process has a pipe of its own, and nothing else is shared, so that one that is killed, at
whatever moment, takes its own task with it and no other (docs/decisions/0006); a task goes to a process that said it is
ready; those that wait in its pipe behind the one that it does are given out again when it dies, and no more of them lie there
than the pipe takes, so that nobody stands still to send; what a task raises is its answer. One thread uses a pool: it waits
in `wait`, or its event loop in `done`.
Seconds are the clock's while a task has the processor: one that a busy machine keeps from running is not late, so that what
pages are read as does not depend on what else the machine does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import multiprocessing
import os
import pickle
import resource
import signal
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from pipelines.errors import NoProcess

PRELOADED = ("pipelines.extract.main", "pipelines.reading")
"""what all processes have imported when they start: 280 ms each otherwise (FIELD section 1)"""
STARTS = 3
"""processes in a row that die before they are ready: then it is not chance"""
PIPE = 2**20
"""bytes of tasks that a pipe is to take, if the system allows it (net.core.wmem_max)"""
PATIENCE = 20
"""times its seconds that a task may take which gets the processor only now and then"""

T = TypeVar("T")


class TookTooLong(Exception):
    """A task did not end within its seconds; its process was killed."""


class ProcessDied(Exception):
    """The process of a task died: by the task's doing, or by somebody else's hand."""


class Kept(Generic[T]):
    """A value for many tasks: pickled once here, unpickled once in each process."""

    __slots__ = ("_blob", "value")

    def __init__(self, value: T) -> None:
        self.value = value
        self._blob: bytes | None = None

    def __reduce__(self) -> tuple[Callable[[bytes], Kept[Any]], tuple[bytes]]:
        if self._blob is None:
            self._blob = pickle.dumps(self.value, pickle.HIGHEST_PROTOCOL)
        return _kept, (self._blob,)


@lru_cache(maxsize=256)
def _kept(blob: bytes) -> Kept[Any]:
    return Kept(pickle.loads(blob))  # noqa: S301  # our own process wrote it


@dataclass(slots=True, eq=False)
class Task:
    """A call under way: `outcome` is (whether it returned, what it returned or raised), None before its end."""

    message: bytes
    seconds: float
    outcome: tuple[bool, Any] | None = None
    waiter: asyncio.Future[None] | None = None

    def end(self, returned: bool, value: Any) -> None:
        self.message, self.outcome = b"", (returned, value)
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def result(self) -> Any:
        assert self.outcome is not None
        returned, value = self.outcome
        if returned:
            return value
        raise value


@dataclass(slots=True, eq=False)
class _Process:
    pipe: Connection
    process: multiprocessing.process.BaseProcess
    room: int
    """bytes that its pipe takes while it reads nothing"""
    tasks: deque[Task] = field(default_factory=deque)
    """the one that it does, and those that wait in its pipe"""
    ready: bool = False
    deaf: bool = False
    """it did not take a task: its end will be heard of"""
    ended: int = 0
    """tasks"""
    until: float = math.inf
    """when its task is late, by the monotonic clock"""
    since: tuple[float, float] = (0.0, 0.0)
    """when its task began: by the monotonic clock, and in seconds of its processor time"""
    alarm: asyncio.TimerHandle | None = None

    @property
    def task(self) -> Task | None:
        """The one that it does."""
        return self.tasks[0] if self.tasks else None

    def takes(self, task: Task, ahead: int, most: int) -> bool:
        """Whether a task can be sent to it now, of which it does at most `most` in its life."""
        if not self.ready or self.deaf:
            return False
        if not self.tasks:
            return True
        waiting = sum(len(one.message) for one in self.tasks) + len(task.message)
        return len(self.tasks) <= ahead and waiting <= self.room and self.ended + len(self.tasks) < most


@dataclass(slots=True)
class Pool:
    """`workers` warm processes, each with so many bytes of memory beyond its start; one is replaced after so many tasks. `ahead`
    tasks may wait in the pipe of one that is at work: it need not stand still while whoever uses the pool is busy. `modules`, of which
    tasks are functions, are imported once for all of them; those of a program's first pool, which starts the process that is copied."""

    workers: int
    memory: int
    tasks_a_process: int
    ahead: int = 0
    modules: tuple[str, ...] = ()
    _waiting: deque[Task] = field(default_factory=deque)
    _processes: list[_Process] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = None
    _failed_starts: int = 0

    def __post_init__(self) -> None:
        self._fill()

    def begin(self, seconds: float, function: Callable[..., Any], *args: Any) -> Task:
        """Has a function of a module called, in the order of beginning. Raises what pickling its arguments raises, NoProcess."""
        if not self._processes:
            raise NoProcess("There are no processes any more that read pages.")
        task = Task(pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL), seconds)
        self._waiting.append(task)
        self._hand_out()
        return task

    def wait(self, task: Task, meanwhile: Callable[[], object] = lambda: None) -> Any:
        """What a task returns; `meanwhile` is called when another has ended. Raises what the task raises, MemoryError,
        TookTooLong, ProcessDied, NoProcess."""
        while task.outcome is None:
            self._turn()
            meanwhile()
        return task.result()

    async def done(self, task: Task) -> Any:
        """`wait` for event loops."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._attach(loop)
        if task.outcome is None:
            task.waiter = loop.create_future()
            await task.waiter
        return task.result()

    def close(self) -> None:
        """Kills all processes; tasks under way have died."""
        self._end_all(ProcessDied("The pool was closed."))

    def _end_all(self, fault: Exception) -> None:
        under_way = [*self._waiting, *(task for process in self._processes for task in process.tasks)]
        self._waiting.clear()
        for process in self._processes:
            self._kill(process)
        self._processes.clear()
        for task in under_way:
            task.end(False, fault)

    # ── one step ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _turn(self) -> None:
        """Waits for the next answer, or for the first task to be late."""
        by_pipe = {process.pipe: process for process in self._processes}
        soonest = min(process.until for process in self._processes)
        heard = wait(list(by_pipe), None if soonest == math.inf else max(0.0, soonest - time.monotonic()))
        for pipe in heard:
            self._hear(by_pipe[pipe])  # type: ignore[index]  # what was waited for
        for process in [one for one in self._processes if one.until <= time.monotonic()]:
            self._late(process)

    def _hear(self, process: _Process) -> None:
        try:
            message = process.pipe.recv_bytes()
        except (EOFError, OSError):
            self._lost(process)
            return
        if not process.ready:
            process.ready, self._failed_starts = True, 0
        else:
            task = self._taken_from(process)
            task.end(*pickle.loads(message))  # noqa: S301  # our own process wrote it
            process.ended += 1
            if process.ended >= self.tasks_a_process:
                self._replace(process)
        self._hand_out()

    def _taken_from(self, process: _Process) -> Task:
        """The task that it did, and its time ends; that of the next one begins."""
        process.until = math.inf
        if process.alarm is not None:
            process.alarm.cancel()
        task = process.tasks.popleft()
        self._time(process)
        return task

    def _give_back(self, process: _Process) -> None:
        """What waits in the pipe of a process that ends has not begun, or begins anew."""
        self._waiting.extendleft(reversed(process.tasks))
        process.tasks.clear()

    def _late(self, process: _Process) -> None:
        assert process.task is not None
        if (more := _due(process, process.task.seconds)) > 0:
            self._set_alarm(process, more)
            return
        task = process.tasks.popleft()
        self._give_back(process)
        self._replace(process)
        task.end(False, TookTooLong(f"took more than {task.seconds:.0f} s"))
        self._hand_out()

    def _lost(self, process: _Process) -> None:
        self._failed_starts += not process.ready
        task = process.tasks.popleft() if process.tasks else None
        self._give_back(process)
        if self._failed_starts < STARTS:
            self._replace(process)
        if task is not None:
            task.end(False, ProcessDied(f"exit code {process.process.exitcode}"))
        if self._failed_starts >= STARTS:
            self._end_all(
                NoProcess(
                    f"Processes that read pages die before they are ready ({STARTS} times; the last with exit code"
                    f" {process.process.exitcode}): is there memory for them? EXTRACT_WORKERS=1 needs less than more of them do."
                    " Nothing is lost; run again."
                )
            )
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting:
            free = [one for one in self._processes if one.takes(self._waiting[0], self.ahead, self.tasks_a_process)]
            if not free:
                return
            self._hand(min(free, key=lambda one: len(one.tasks)), self._waiting.popleft())

    def _hand(self, process: _Process, task: Task) -> None:
        try:
            process.pipe.send_bytes(task.message)
        except OSError:  # it was killed, or has half a message: what it had done before that is still in its pipe, and then its end
            self._waiting.appendleft(task)
            process.deaf = True
            process.process.kill()
            return
        process.tasks.append(task)
        if len(process.tasks) == 1:
            self._time(process)

    def _time(self, process: _Process) -> None:
        """From now on a process does its first task, if it has one."""
        if process.tasks:
            process.since = (time.monotonic(), _processor_time(process))
            self._set_alarm(process, process.tasks[0].seconds)

    def _set_alarm(self, process: _Process, seconds: float) -> None:
        process.until = time.monotonic() + seconds
        if (loop := self._open_loop()) is not None:
            process.alarm = loop.call_later(seconds, self._late, process)

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fill(self) -> None:
        while len(self._processes) < self.workers:
            self._processes.append(_started(self.memory, self.modules))
            self._listen(self._processes[-1])

    def _replace(self, process: _Process) -> None:
        self._processes.remove(process)
        self._kill(process)
        self._fill()

    def _kill(self, process: _Process) -> None:
        if (loop := self._open_loop()) is not None:
            loop.remove_reader(process.pipe.fileno())
        if process.alarm is not None:
            process.alarm.cancel()
        process.process.kill()
        process.process.join()
        process.pipe.close()

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on this loop hears the processes."""
        self._loop = loop
        for process in self._processes:
            self._listen(process)
            if process.task is not None:
                self._set_alarm(process, max(0.0, process.until - time.monotonic()))

    def _listen(self, process: _Process) -> None:
        if (loop := self._open_loop()) is not None:
            loop.add_reader(process.pipe.fileno(), self._hear, process)

    def _open_loop(self) -> asyncio.AbstractEventLoop | None:
        return None if self._loop is None or self._loop.is_closed() else self._loop


def _due(process: _Process, seconds: float) -> float:
    """Seconds that a late task still has: those in which it wanted the processor and did not get it."""
    began, before = process.since
    if time.monotonic() - began >= PATIENCE * seconds or not _wants_to_run(process):
        return 0.0
    return seconds - (_processor_time(process) - before)


def _processor_time(process: _Process) -> float:
    """Seconds, of all its threads; a clock of the system's for each process: clock_getcpuclockid(3)."""
    assert process.process.pid is not None
    with contextlib.suppress(OSError):  # it is dead: whoever hears of that next deals with it
        return time.clock_gettime(~process.process.pid << 3 | _PROCESSOR_TIME)
    return 0.0


_PROCESSOR_TIME = 2
"""CPUCLOCK_SCHED, of Linux's ids of processes' clocks"""


def _wants_to_run(process: _Process) -> bool:
    """Whether it runs, waits for the processor or for the disk, and not for anything else."""
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{process.process.pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        return state in (b"R", b"D")
    return False


def _started(memory: int, modules: Iterable[str]) -> _Process:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED, *modules])
    _prepare()
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, memory), daemon=True)
    with _no_script():
        process.start()
    theirs.close()
    return _Process(ours, process, _room(ours))


def _prepare() -> None:
    """Starts the process that all others are copies of, deaf to Ctrl-C also while it loads what they need: from the terminal it
    would hear of it too, and print a traceback. Those to come inherit that."""
    resource_tracker.ensure_running()  # when it starts it lets all signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _room(pipe: Connection) -> int:
    """Bytes that a pipe takes while nobody reads: half of the buffer that the system gives it (socket(7): SO_SNDBUF), as it counts
    what it needs for itself, too."""
    with socket.socket(fileno=os.dup(pipe.fileno())) as ours:
        ours.setblocking(True)  # whatever socket.setdefaulttimeout says: the other end of this is shared
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIPE)
        return ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2


@contextlib.contextmanager
def _no_script() -> Iterator[None]:
    """Processes would import the script that runs, `scrapy` with all that it imports, before anything else. They need
    nothing of it: tasks are functions of modules."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


# ── in the process ───────────────────────────────────────────────────────────────────────────────────────────────────


def _serve(pipe: Connection, memory: int) -> None:
    gc.freeze()  # what was preloaded is never garbage: not looked at again, and its memory stays that of all processes
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to answer
    _limit(memory)
    with contextlib.suppress(EOFError, ConnectionError):  # the main process is gone
        pipe.send_bytes(b"")
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(message: bytes) -> bytes:
    try:
        function, args = pickle.loads(message)  # noqa: S301  # our own process wrote it
        return pickle.dumps((True, function(*args)), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return pickle.dumps((False, MemoryError()))
    except Exception as fault:  # noqa: BLE001  # whatever a task raises is its answer
        return _packed(fault)


def _packed(fault: Exception) -> bytes:
    """A fault with the traceback that it had here; one that pickle cannot carry by its words."""
    told = traceback.format_exc()
    try:
        fault.add_note(told)
        message = pickle.dumps((False, fault))
        pickle.loads(message)  # noqa: S301  # as above
    except Exception:  # noqa: BLE001  # classes of libraries fail here in ways of their own
        return pickle.dumps((False, RuntimeError(told)))
    return message


def _limit(memory: int) -> None:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123  # a pseudo-file
        mapped = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))


__all__ = ["Kept", "Pool", "ProcessDied", "Task", "TookTooLong"]
