"""Ledgers of earlier runs in, what is usual out: like is held against like."""

from __future__ import annotations

from typing import Any

import pytest

from crawler.usual import DAYS, ENOUGH_DAYS, ENOUGH_RUNS, MOST_RUNS, compared, last_at
from pipelines.schedule import DAY, HOUR


def ran(found: int = 50, *, read: int = 20, seconds: float | None = DAY, **rest: Any) -> dict[str, Any]:
    return {"starts": {"named": 23, "read": read, "found": found, "seconds": seconds}, "at": 1.0, **rest}


FIRST = ran(400, seconds=None)
DATED = ran(0, is_dated=True, seconds=None)
OFFLINE = ran(0, read=0)


def test_the_middle_of_the_last_runs_says_how_many_lists_are_read_usually() -> None:
    assert compared(ran(), [ran(read=20), ran(read=1), ran(read=22)])["lists"] == 20
    assert compared(ran(), [ran(read=5)] * 7 + [ran(read=20)] * 20)["lists"] == 5, "of the last week"


def test_it_takes_some_runs_to_know_what_is_compared() -> None:
    assert compared(ran(), [ran()] * (ENOUGH_RUNS - 1))["lists"] is None
    assert compared(ran(), [ran()] * (ENOUGH_DAYS - 1))["found"] is None
    assert compared(ran(), [*[ran()] * (ENOUGH_DAYS - 1), FIRST])["found"] is None, "how long the first run looked back, nobody knows"
    assert compared(ran(7), [ran()] * ENOUGH_DAYS) == {"lists": 20, "found": 50, "day": 7}


@pytest.mark.parametrize("other", [DATED, OFFLINE, {"lists": 690}, {}])
def test_runs_that_are_no_like_are_left_out(other: dict[str, Any]) -> None:
    assert compared(ran(), [other, other, ran(), other])["lists"] is None
    assert compared(ran(7), [other, *[ran()] * 7, other]) == {"lists": 20, "found": 50, "day": 7}
    assert compared(DATED, [ran()] * 9) == {"lists": 20, "found": None, "day": None}
    assert last_at([other, ran(at=8.0), ran(at=5.0)]) == 8.0
    assert last_at([other]) is None


def test_hourly_runs_are_added_up_to_days_and_a_night_hour_without_news_is_none() -> None:
    """From one in the morning back: nothing by night, ten an hour by day."""
    hours = [ran(10 if 8 <= (1 - n) % 24 < 22 else 0, seconds=HOUR) for n in range(MOST_RUNS)]
    told = compared(hours[0], hours[1:])
    assert told["day"] == 140
    assert told["found"] == pytest.approx(140, abs=10), "23 hours each"
    assert compared(hours[0], hours[1 : 7 * 23])["found"] is None


def test_a_run_beside_the_nightly_one_takes_nothing_from_the_day() -> None:
    """Half an hour after the nightly run there is nothing to be found, and that is no news."""
    assert compared(ran(0, seconds=HOUR / 2), [ran(50)] * 9)["day"] == 50


def test_after_a_time_without_runs_the_days_are_as_long_as_they_were() -> None:
    weekly = [ran(350, seconds=7 * DAY)] * 9
    assert compared(ran(50), weekly) == {"lists": 20, "found": 50, "day": 50}


def nights(*found: int) -> list[dict[str, Any]]:
    return [ran(one) for one in found]


def test_a_slow_day_is_one_of_the_weekend() -> None:
    week = [60, 60, 60, 60, 60, 0, 0]
    for start in range(7):
        for length in range(ENOUGH_DAYS, DAYS + 1):
            before = nights(*((week * 6)[start : start + length]))
            assert compared(ran(), before)["found"] == 0


def test_a_site_that_has_fallen_silent_is_silent_as_usual_after_a_few_days() -> None:
    slow = [compared(ran(0), nights(*[0] * silent, *[60] * 28))["found"] for silent in range(5)]
    assert slow == [60, 60, 60, 60, 0]


def test_deep_first_runs_do_not_raise_what_is_compared() -> None:
    """What a first page shows is bounded by its length, whatever was read behind it."""
    assert compared(ran(3), nights(3, 3, 3, 3, 400, 400, 400))["found"] == 3
