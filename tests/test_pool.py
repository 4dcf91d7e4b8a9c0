"""A process that is killed takes its own task with it, and no other."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pipelines import pool as module
from pipelines.errors import NoProcess
from pipelines.pool import Kept, Pool, ProcessDied, TookTooLong

MEMORY = 256 * 2**20
LONG = 60.0


@pytest.fixture(scope="module", params=[0, 4], ids=["one at a time", "some ahead"])
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    pool = Pool(2, MEMORY, 1_000, ahead=request.param)
    yield pool
    pool.close()


@pytest.fixture
def queue() -> Iterator[Pool]:
    """One process, and four tasks that may wait in its pipe."""
    pool = Pool(1, MEMORY, 1_000, ahead=4)
    pool.wait(pool.begin(LONG, double, 1))
    yield pool
    pool.close()


def double(n: int) -> int:
    return 2 * n


def pid() -> int:
    return os.getpid()


def sleeps(seconds: float) -> None:
    time.sleep(seconds)


def kills_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def large(size: int) -> bytes:
    return bytes(size)


def fails(words: str) -> NoReturn:
    raise KeyError(words)


class Shy(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def fails_shyly() -> NoReturn:
    raise Shy("a", "b")


def returns_what_nobody_can_carry() -> Any:
    return lambda: None


loaded: list[int] = []


class Loaded:
    """Counts how often it is unpickled, in the process that does."""

    def __setstate__(self, state: object) -> None:
        loaded.append(1)

    def __getstate__(self) -> dict[str, int]:
        return {"a": 1}


def times_loaded(_: Kept[Loaded]) -> int:
    return len(loaded)


def test_each_task_has_its_own_answer_in_whatever_order_they_are_asked_for(pool: Pool) -> None:
    tasks = [pool.begin(LONG, double, n) for n in range(50)]
    assert [pool.wait(task) for task in reversed(tasks)] == [2 * n for n in reversed(range(50))]


def test_a_task_that_takes_too_long_is_killed_and_the_others_go_on(pool: Pool) -> None:
    late = pool.begin(0.2, sleeps, LONG)
    others = [pool.begin(LONG, double, n) for n in range(20)]
    assert [pool.wait(task) for task in others] == [2 * n for n in range(20)]
    with pytest.raises(TookTooLong):
        pool.wait(late)
    assert pool.wait(pool.begin(LONG, double, 4)) == 8


def spins(seconds: float) -> str:
    """Takes so many seconds of processor time."""
    begun = time.process_time()
    while time.process_time() - begun < seconds:
        pass
    return "done"


def test_a_task_that_takes_its_processor_time_is_late(pool: Pool) -> None:
    with pytest.raises(TookTooLong):
        pool.wait(pool.begin(0.3, spins, LONG))


def test_a_task_that_the_machine_keeps_from_running_is_not_late(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is stopped and set going again has lost as much as one that others crowd out."""
    monkeypatch.setattr(module, "_wants_to_run", lambda _: True)
    pool.wait(pool.begin(LONG, double, 1))  # before that, a task may find no process ready
    task = pool.begin(0.5, spins, 0.2)
    process = next(one.process.pid for one in pool._processes if one.task is task)
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    timer = threading.Timer(1.0, os.kill, (process, signal.SIGCONT))
    timer.start()
    assert pool.wait(task) == "done"
    timer.join()


def test_one_that_never_gets_to_run_is_given_up(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_wants_to_run", lambda _: True)
    monkeypatch.setattr(module, "PATIENCE", 3)
    with pytest.raises(TookTooLong):
        pool.wait(pool.begin(0.2, sleeps, LONG))


def test_a_process_that_dies_takes_one_task_with_it(pool: Pool) -> None:
    tasks = [pool.begin(LONG, double, 1), pool.begin(LONG, kills_itself), pool.begin(LONG, double, 2), pool.begin(LONG, double, 3)]
    with pytest.raises(ProcessDied):
        pool.wait(tasks[1])
    assert [pool.wait(task) for task in (tasks[0], *tasks[2:])] == [2, 4, 6]


def test_processes_killed_in_the_middle_of_large_answers_lose_nothing_but_those(pool: Pool) -> None:
    """Where pipes or locks are shared, this stalls all of them (docs/decisions/0006)."""
    pool.wait(pool.begin(LONG, double, 1))  # before that, a task may find no process ready
    for _ in range(5):
        tasks = [pool.begin(LONG, large, 8 * 2**20) for _ in range(2)]
        process = next(one for one in pool._processes if one.task is not None)
        assert process.process.pid is not None
        process.pipe.poll(LONG)  # it has begun to answer, and no pipe holds 8 MiB
        os.kill(process.process.pid, signal.SIGKILL)
        answers = [outcome_of(pool, task) for task in tasks]
        assert sorted(map(str, answers)) == ["8388608", "ProcessDied"]


def size_of(body: bytes) -> int:
    return len(body)


def waiting(pool: Pool) -> int:
    """Tasks that lie in the pipe of the one process, behind the one that it does."""
    (process,) = pool._processes
    return len(process.tasks) - 1


def test_what_waits_behind_a_task_that_dies_or_is_late_is_done_by_another_process(queue: Pool) -> None:
    for bad, fault in ((queue.begin(LONG, kills_itself), ProcessDied), (queue.begin(0.2, sleeps, LONG), TookTooLong)):
        tasks = [queue.begin(LONG, double, n) for n in range(6)]
        with pytest.raises(fault):
            queue.wait(bad)
        assert [queue.wait(task) for task in tasks] == [2 * n for n in range(6)]


def test_the_time_of_a_task_begins_when_it_does(queue: Pool) -> None:
    tasks = [queue.begin(0.8, sleeps, 0.3) for _ in range(4)]
    assert waiting(queue) == 3
    assert [queue.wait(task) for task in tasks] == [None] * 4


def test_a_process_that_is_killed_from_without_loses_none_of_what_it_had_done(queue: Pool) -> None:
    (process,) = queue._processes
    done, hung, *behind = [queue.begin(LONG, double, 3), queue.begin(LONG, sleeps, LONG), queue.begin(LONG, double, 4)]
    process.pipe.poll(LONG)  # its first answer is there, and not heard
    assert process.process.pid is not None
    os.kill(process.process.pid, signal.SIGKILL)
    process.process.join()
    behind.append(queue.begin(LONG, double, 5))
    assert queue.wait(done) == 6
    with pytest.raises(ProcessDied):
        queue.wait(hung)
    assert [queue.wait(task) for task in behind] == [8, 10]


def test_a_process_that_cannot_be_sent_to_is_replaced(queue: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    (process,) = queue._processes
    doing = queue.begin(LONG, double, 1)

    def no_room(_: bytes) -> None:
        raise OSError(errno.ENOBUFS, "No buffer space available")

    process.pipe.poll(LONG)  # its answer is there
    monkeypatch.setattr(process, "pipe", Sends(process.pipe, no_room), raising=True)
    tasks = [queue.begin(LONG, double, n) for n in (2, 3)]
    assert [queue.wait(task) for task in (doing, *tasks)] == [2, 4, 6]


class Sends:
    """A pipe that sends in a way of its own."""

    def __init__(self, pipe: Any, send_bytes: Any) -> None:
        self._pipe, self.send_bytes = pipe, send_bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)


def test_a_default_timeout_of_sockets_does_not_reach_the_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(10.0)
    try:
        pool = Pool(1, MEMORY, 10)
        assert os.get_blocking(pool._processes[0].pipe.fileno())
    finally:
        socket.setdefaulttimeout(before)
    pool.close()


def test_no_more_waits_in_a_pipe_than_it_holds(queue: Pool) -> None:
    (process,) = queue._processes
    large_ones = [queue.begin(LONG, size_of, bytes(process.room // 2 - 1_000)) for _ in range(6)]
    assert waiting(queue) == 1
    small = [queue.begin(LONG, double, n) for n in range(10)]
    assert [queue.wait(task) for task in large_ones] == [process.room // 2 - 1_000] * 6
    assert [queue.wait(task) for task in small] == [2 * n for n in range(10)]
    assert queue.wait(queue.begin(LONG, size_of, bytes(4 * process.room))) == 4 * process.room


def test_the_process_that_has_least_to_do_is_given_the_next_task(pool: Pool) -> None:
    while not all(process.ready for process in pool._processes):  # one that a test before this has killed is replaced
        pool.wait(pool.begin(LONG, sleeps, 0.05))
    tasks = [pool.begin(LONG, sleeps, 0.1) for _ in range(2 * (1 + pool.ahead))]
    assert {len(process.tasks) for process in pool._processes} == {1 + pool.ahead}
    for task in tasks:
        pool.wait(task)


def outcome_of(pool: Pool, task: module.Task) -> object:
    try:
        return len(pool.wait(task))
    except ProcessDied as died:
        return type(died).__name__


def test_memory_has_its_bound_and_the_process_survives_it(pool: Pool) -> None:
    with pytest.raises(MemoryError):
        pool.wait(pool.begin(LONG, large, 2 * MEMORY))
    assert pool.wait(pool.begin(LONG, double, 1)) == 2


def test_what_a_task_raises_comes_with_the_traceback_of_its_process(pool: Pool) -> None:
    with pytest.raises(KeyError, match="our own") as caught:
        pool.wait(pool.begin(LONG, fails, "our own"))
    assert "in fails" in "".join(caught.value.__notes__)


def test_an_exception_that_pickle_cannot_carry_comes_by_its_words(pool: Pool) -> None:
    with pytest.raises(RuntimeError, match="Shy: a b"):
        pool.wait(pool.begin(LONG, fails_shyly))


def test_an_answer_that_pickle_cannot_carry_is_a_fault_of_that_task_alone(pool: Pool) -> None:
    with pytest.raises(Exception, match="lambda"):
        pool.wait(pool.begin(LONG, returns_what_nobody_can_carry))
    assert pool.wait(pool.begin(LONG, double, 1)) == 2


def test_arguments_that_pickle_cannot_carry_are_refused_at_once(pool: Pool) -> None:
    with pytest.raises(Exception, match="lambda"):
        pool.begin(LONG, double, lambda: None)


def test_a_value_that_is_kept_comes_once_to_each_process() -> None:
    pool = Pool(1, MEMORY, 1_000)
    kept = Kept(Loaded())
    try:
        assert [pool.wait(pool.begin(LONG, times_loaded, kept)) for _ in range(3)] == [1, 1, 1]
    finally:
        pool.close()


@pytest.mark.parametrize("ahead", [0, 4])
def test_a_process_is_replaced_after_so_many_tasks(ahead: int) -> None:
    pool = Pool(1, MEMORY, 3, ahead=ahead)
    try:
        seen = [pool.wait(task) for task in [pool.begin(LONG, pid) for _ in range(9)]]
    finally:
        pool.close()
    assert [seen.count(one) for one in dict.fromkeys(seen)] == [3, 3, 3]


def test_tasks_under_way_when_a_pool_is_closed_have_died() -> None:
    pool = Pool(1, MEMORY, 10)
    tasks = [pool.begin(LONG, sleeps, LONG) for _ in range(2)]
    pool.close()
    for task in tasks:
        with pytest.raises(ProcessDied):
            pool.wait(task)


def test_where_no_process_can_start_it_is_said() -> None:
    pool = Pool(1, 2**70, 10)  # more than any limit can say
    try:
        with pytest.raises(NoProcess):
            pool.wait(pool.begin(LONG, double, 1))
    finally:
        pool.close()


def test_an_event_loop_waits_without_standing_still(pool: Pool) -> None:
    async def work() -> tuple[list[int], int]:
        tasks = [asyncio.create_task(pool.done(pool.begin(LONG, double, n))) for n in range(20)]
        late = asyncio.create_task(pool.done(pool.begin(0.3, sleeps, LONG)))
        turns = 0
        while not late.done():
            await asyncio.sleep(0.01)
            turns += 1
        with pytest.raises(TookTooLong):
            await late
        return [await task for task in tasks], turns

    answers, turns = asyncio.run(work())
    assert answers == [2 * n for n in range(20)]
    assert turns > 3


def test_a_waiter_that_was_cancelled_does_not_hinder_the_others(pool: Pool) -> None:
    async def work() -> int:
        given_up = asyncio.create_task(pool.done(pool.begin(LONG, sleeps, 0.1)))
        await asyncio.sleep(0)
        given_up.cancel()
        answer: int = await pool.done(pool.begin(LONG, double, 5))
        return answer

    assert asyncio.run(work()) == 10


SLOW = """
import time
from pathlib import Path
Path({began!r}).touch()
for _ in range(3_000):
    if Path({go!r}).exists():
        break
    time.sleep(0.01)
"""
STARTS = """
from pipelines import pool
try:
    readers = pool.Pool(1, 2**28, 1_000, modules=("slow",))
    readers.wait(readers.begin(60.0, abs, -1))
except KeyboardInterrupt:
    pass
"""


def test_ctrl_c_while_the_processes_are_being_prepared_is_no_traceback(tmp_path: Path) -> None:
    """A terminal tells all of its processes, also the one that loads modules for those to come."""
    began, go = tmp_path / "began", tmp_path / "go"
    (tmp_path / "slow.py").write_text(SLOW.format(began=str(began), go=str(go)), encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])
    command = [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)" + STARTS]
    environment = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True) as process:
        assert process.stderr is not None
        while not began.exists():
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        go.touch()
        said = process.stderr.read().decode()
    assert (process.returncode, said) == (0, "")
