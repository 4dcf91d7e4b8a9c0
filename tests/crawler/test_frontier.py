"""What is due, and when: rows and outcomes in, values out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import frontier
from crawler.frontier import LEAST_INTERVAL, MOST_INTERVAL
from crawler.guard import POSTPONED
from pipelines.archive.urltable import Row, State
from pipelines.model import Kind
from pipelines.schedule import HOUR, NEVER
from tests.crawler import made

NOW = made.NOW.timestamp()
TRIES = 3


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def listed(row: Row, *, changed: bool, stays_due: bool) -> dict[str, Any]:
    return frontier.after_listing(row, status=200, changed=changed, stays_due=stays_due, now=NOW)


def test_a_start_listing_is_due_in_every_run() -> None:
    assert listed(made.row(kind=Kind.LISTING), changed=False, stays_due=True)["due_at"] == NOW


def test_a_later_page_waits_for_the_page_before_it() -> None:
    assert listed(made.row(kind=Kind.LISTING, page=2, chain=made.HOST), changed=True, stays_due=False)["due_at"] == NEVER


@pytest.mark.parametrize(("changed", "hours"), [(True, 8.0), (False, 15.0)])
def test_another_listing_is_asked_by_how_often_it_changes(changed: bool, hours: float) -> None:
    values = listed(made.row(kind=Kind.LISTING, interval=10 * HOUR), changed=changed, stays_due=False)
    assert (values["interval"], values["due_at"]) == (hours * HOUR, NOW + hours * HOUR)


@given(st.lists(st.booleans(), max_size=60))
def test_an_interval_stays_within_its_bounds(changes: list[bool]) -> None:
    interval = None
    for changed in changes:
        interval = frontier.next_interval(interval, changed=changed)
        assert LEAST_INTERVAL <= interval <= MOST_INTERVAL


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def failed(row: Row, reason: str, tries: int | None = TRIES) -> dict[str, Any]:
    return frontier.after_failure(row, reason, tries=tries, now=NOW, status=503)


def test_a_failure_is_tried_again_in_the_next_run_and_then_set_aside() -> None:
    states = [failed(made.row(tries=tries), "timeout")["state"] for tries in range(TRIES)]
    assert states == [State.PENDING, State.PENDING, State.SET_ASIDE]
    assert failed(made.row(), "timeout")["due_at"] == NOW


def test_where_a_run_begins_is_never_set_aside() -> None:
    assert failed(made.row(tries=500), "timeout", tries=None)["state"] is State.PENDING


@pytest.mark.parametrize("reason", sorted({*POSTPONED, "robots"}))
def test_what_forbids_the_asking_is_not_the_url_s_fault(reason: str) -> None:
    values = failed(made.row(tries=TRIES - 1), reason)
    assert values["state"] is State.PENDING
    assert not {"tries", "due_at"} & set(values), "both stay as they were"


def test_a_url_whose_turn_never_came_was_not_asked() -> None:
    assert failed(made.row(), frontier.RUN_ENDED) == {"state": State.PENDING}


def test_lists_go_before_articles_and_captures_of_other_archives_behind_everything() -> None:
    first, last = frontier.priority(Kind.ARTICLE), frontier.priority(Kind.RECORD)
    assert all(frontier.priority(kind) > first for kind in Kind if kind not in (Kind.ARTICLE, Kind.RECORD))
    assert last < frontier.OLD_PRIORITY < first
