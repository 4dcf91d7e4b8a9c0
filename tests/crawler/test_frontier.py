"""What is due, and when: rows and outcomes in, values out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import frontier
from crawler.frontier import LEAST_INTERVAL, MOST_INTERVAL, REFUSED
from crawler.guard import POSTPONED
from pipelines.archive.urltable import RETRY_AFTER, Row, State
from pipelines.model import Kind
from pipelines.schedule import DAY, HOUR, NEVER
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


@pytest.mark.parametrize("kind", [Kind.LISTING, Kind.RECORD])
def test_a_failure_is_tried_again_in_the_next_run_and_then_set_aside(kind: Kind) -> None:
    states = [failed(made.row(tries=tries, kind=kind), "timeout")["state"] for tries in range(TRIES)]
    assert states == [State.PENDING, State.PENDING, State.SET_ASIDE]
    assert failed(made.row(kind=kind), "timeout")["due_at"] == NOW


@pytest.mark.parametrize("reason", ["timeout", "connection_refused", "connection_lost", "no_such_host", "partial", "SomeError"])
def test_an_article_that_nobody_answers_for_is_asked_ever_more_rarely(reason: str) -> None:
    values = [failed(made.row(tries=tries), reason) for tries in range(TRIES + 8)]
    assert State.SET_ASIDE not in {one["state"] for one in values}
    assert [(one["due_at"] - NOW) / DAY for one in values] == [0, 0, 1, 2, 4, 8, 16, 32, 64, 90, 90]


@pytest.mark.parametrize("reason", sorted(REFUSED))
def test_an_article_that_our_rules_refuse_is_set_aside_unless_it_was_read_once(reason: str) -> None:
    assert failed(made.row(tries=TRIES - 1), reason)["state"] is State.SET_ASIDE
    assert failed(made.row(tries=TRIES - 1, captured_at="then"), reason)["due_at"] == NOW + DAY


def test_an_article_that_asks_to_wait_run_after_run_is_asked_when_it_said_or_later() -> None:
    def waits(tries: int, wait: float) -> dict[str, Any]:
        row = made.row(tries=tries)
        return frontier.after_failure(row, RETRY_AFTER, tries=TRIES, now=NOW, status=503, due_at=NOW + wait)

    assert waits(0, 7200)["due_at"] == NOW + 7200
    assert waits(TRIES - 1, 7200)["due_at"] == NOW + DAY
    assert waits(TRIES - 1, 2 * DAY)["due_at"] == NOW + 2 * DAY


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
