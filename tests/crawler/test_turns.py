"""Turns on a host between processes: what one has taken the other waits for, and nothing of it outlives its time."""

from __future__ import annotations

import asyncio
import fcntl
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.guard import Refused
from crawler.politeness import Gate
from crawler.turns import CLOCKS_APART, SOON, Turns
from pipelines.site import Politeness

HOST = "news.test:8800"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Turns, Turns]]:
    """Of two processes: each has opened the files itself."""
    one, other = Turns(tmp_path), Turns(tmp_path)
    yield one, other
    one.close()
    other.close()


def test_a_turn_that_one_has_taken_is_nobody_s_until_it_is_over(two: tuple[Turns, Turns]) -> None:
    one, other = two
    assert one.take(HOST, 100.0, 102.0) is None
    assert other.take(HOST, 100.5, 102.5) == 102.0
    assert one.take(HOST, 101.0, 103.0) == 102.0
    assert other.take(HOST, 102.0, 104.0) is None
    assert one.take("other.test", 102.0, 104.0) is None


def test_what_an_answer_puts_off_is_put_off_for_all_and_never_brought_forward(two: tuple[Turns, Turns]) -> None:
    one, other = two
    one.take(HOST, 100.0, 102.0)
    one.put_off(HOST, 100.3, 102.3)
    one.put_off(HOST, 100.3, 101.0)
    other.put_off(HOST, 100.3, 101.5)
    assert other.take(HOST, 101.0, 103.0) == 102.3


def test_a_host_without_a_delay_has_no_file(two: tuple[Turns, Turns], tmp_path: Path) -> None:
    one, _ = two
    assert one.take(HOST, 100.0, 100.0) is None
    one.put_off(HOST, 100.0, 100.0)
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_before_the_clock_was_set_back_does_not_hold(two: tuple[Turns, Turns]) -> None:
    one, other = two
    one.take(HOST, 10_000.0, 10_002.0)
    assert other.take(HOST, 10_000.0 - CLOCKS_APART - 1, 9_941.0) is None


def test_a_file_in_the_hands_of_another_is_tried_again_soon(two: tuple[Turns, Turns], tmp_path: Path) -> None:
    one, _ = two
    with (tmp_path / f"{HOST}.turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert one.take(HOST, 100.0, 102.0) == 100.0 + SOON
    assert one.take(HOST, 100.0, 102.0) is None


def test_what_is_to_be_told_is_told_although_another_has_the_file_just_then(two: tuple[Turns, Turns], tmp_path: Path) -> None:
    one, other = two
    with (tmp_path / f"{HOST}.turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        release = threading.Timer(0.01, fcntl.flock, (file, fcntl.LOCK_UN))
        release.start()
        one.put_off(HOST, 100.0, 160.0)
        release.join()
    assert other.take(HOST, 101.0, 103.0) == 160.0


def test_who_never_gives_the_file_back_holds_nobody_up_and_hears_it_later(two: tuple[Turns, Turns], tmp_path: Path) -> None:
    one, other = two
    with (tmp_path / f"{HOST}.turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        one.put_off(HOST, 100.0, 160.0)
    one.put_off(HOST, 100.1, 160.0)
    assert other.take(HOST, 101.0, 103.0) == 160.0


@pytest.mark.parametrize("text", ["", "no time", "1 2 3", "\0\0\0"])
def test_a_file_that_says_nothing_holds_nobody_up(two: tuple[Turns, Turns], tmp_path: Path, text: str) -> None:
    (tmp_path / f"{HOST}.turn").write_text(text)
    assert two[0].take(HOST, 100.0, 102.0) is None
    assert two[1].take(HOST, 100.0, 102.0) == 102.0


def test_a_folder_that_is_gone_is_not_made_and_stops_nobody(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "gone")
    assert turns.take(HOST, 100.0, 102.0) is None
    assert not (tmp_path / "gone").exists()


class Clock:
    """Of both processes; it moves when somebody waits."""

    now = 1000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


async def asked(gates: tuple[Gate, Gate], clock: Clock) -> list[float]:
    """When each of ten requests, of two processes in turn, is sent."""
    times: list[float] = []
    for number in range(10):
        await gates[number % 2].turn(HOST, lambda: True)
        times.append(clock.now)
        gates[number % 2].saw_arrival(HOST)
    return times


@pytest.fixture
def gates(two: tuple[Turns, Turns], monkeypatch: pytest.MonkeyPatch) -> tuple[tuple[Gate, Gate], Clock]:
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    made = Gate(Politeness(delay=2.0), clock), Gate(Politeness(delay=2.0), clock)
    for gate, turns in zip(made, two, strict=True):
        gate.turns = turns
    return made, clock


def test_two_runs_together_ask_no_faster_than_one(gates: tuple[tuple[Gate, Gate], Clock]) -> None:
    times = asyncio.run(asked(*gates))
    assert all(later - earlier >= 2.0 for earlier, later in pairwise(times))


def test_a_wait_that_one_is_told_is_too_long_for_the_other_too(gates: tuple[tuple[Gate, Gate], Clock]) -> None:
    (one, other), _ = gates
    one.saw_response(HOST, 429, {"retry-after": "3600"})
    with pytest.raises(Refused, match="left alone until"):
        asyncio.run(other.turn(HOST, lambda: True))
