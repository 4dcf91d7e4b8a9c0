"""Ids and dates go together as the dossier's anchors have it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replica import calendar
from tests.replica.calendar import FOUNDER, TECH, Anchor
from tests.replica.truth import BEIJING


@pytest.mark.parametrize("anchor", [*TECH[:-1], *FOUNDER[:-1]], ids=str)
def test_an_anchor_has_its_own_id(anchor: Anchor) -> None:
    anchors = TECH if anchor in TECH else FOUNDER
    assert calendar.identifier(anchors, datetime.fromisoformat(anchor[0]).replace(tzinfo=BEIJING)) == anchor[1]


@given(st.integers(0, 5_800), st.timedeltas(timedelta(), timedelta(days=900)))
def test_a_later_page_never_has_a_smaller_id(days: int, later: timedelta) -> None:
    early = calendar.DAY0 - timedelta(days=days)
    assert calendar.identifier(TECH, early) <= calendar.identifier(TECH, early + later)


def test_a_counter_gives_two_pages_of_one_minute_two_ids() -> None:
    counter = calendar.Counter(TECH)
    first, second = counter.take(calendar.DAY0), counter.take(calendar.DAY0)
    assert second == first + 1


def test_days_are_a_day_apart() -> None:
    assert calendar.moment(3) - calendar.moment(0) == timedelta(days=3)
