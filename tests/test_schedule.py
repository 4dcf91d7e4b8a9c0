"""When an article is asked again: rows and outcomes in, values out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.archive.urltable import Row, State
from pipelines.dedup.history import CONFIRMED_AFTER
from pipelines.model import Reason, Verdict
from pipelines.schedule import DAY, DENIALS, HOUR, IN_TROUBLE, NEVER, PASSING, REVISITS, after_article, next_revisit
from tests.crawler import made

NOW = made.NOW.timestamp()
TRIES = 3
KNOWN = {"captured_url": made.address(1), "captured_at": "2026-09-01T00:00:00.000000Z"}


def after(row: Row, outcome: str, *, now: float = NOW, published: datetime | None = None, tries: int = TRIES) -> dict[str, Any]:
    return after_article(row, outcome, status=200, published=published, tries=tries, now=now)


# ── articles ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("outcome", [Verdict.NEW, Verdict.DUPLICATE, Verdict.REVISION, Verdict.UNCHANGED, Reason.NOT_MODIFIED])
def test_a_young_article_is_asked_again_at_its_next_age(outcome: str) -> None:
    values = after(made.row(), outcome, published=datetime.fromtimestamp(NOW - 2 * HOUR, UTC))
    assert (values["state"], values["tries"], values["reason"]) == (State.DONE, 0, None)
    assert values["due_at"] == NOW + 4 * HOUR


def test_an_old_article_is_never_asked_again() -> None:
    assert after(made.row(), Verdict.NEW, published=datetime.fromtimestamp(NOW - 31 * DAY, UTC))["due_at"] == NEVER


def test_an_article_without_a_date_is_as_old_as_its_discovery() -> None:
    first = after(made.row(discovered_at=NOW - 2 * HOUR), Verdict.NEW)
    later = after(made.row(discovered_at=NOW - 2 * HOUR, visits=3), Verdict.UNCHANGED)
    assert first["due_at"] == later["due_at"] == NOW + 4 * HOUR


@pytest.mark.parametrize(("outcome", "changed"), [(Verdict.NEW, True), (Verdict.REVISION, True), (Verdict.UNCHANGED, False)])
def test_when_an_article_last_changed_is_kept(outcome: Verdict, changed: bool) -> None:
    assert after(made.row(last_changed=5.0), outcome)["last_changed"] == (NOW if changed else 5.0)


def test_every_visit_is_counted_and_its_status_kept() -> None:
    values = after(made.row(visits=4), Verdict.UNCHANGED)
    assert (values["visits"], values["last_status"], values["last_fetched"]) == (5, 200, NOW)


@given(born=st.floats(0, 60 * DAY), steps=st.integers(1, 12))
def test_an_article_is_asked_again_at_most_as_often_as_there_are_ages(born: float, steps: int) -> None:
    now, asked = NOW, 0
    while (now := next_revisit(NOW - born, now)) != NEVER:
        asked += 1
    assert asked <= len(REVISITS)


@given(st.floats(0, 2e9), st.floats(0, 2e9))
def test_the_next_revisit_lies_ahead(born: float, now: float) -> None:
    assert next_revisit(born, now) > now


@pytest.mark.parametrize("reason", sorted(PASSING))
def test_what_may_pass_is_asked_again_in_the_next_run(reason: Reason) -> None:
    values = after(made.row(tries=1), reason)
    assert (values["state"], values["tries"], values["reason"], values["due_at"]) == (State.DONE, 2, reason, NOW)


@pytest.mark.parametrize("reason", sorted(PASSING - IN_TROUBLE))
def test_what_is_no_page_to_be_read_is_set_aside_after_its_tries(reason: Reason) -> None:
    assert after(made.row(tries=TRIES - 1, reason=reason), reason)["state"] is State.SET_ASIDE
    assert after(made.row(), reason, tries=1)["state"] is State.SET_ASIDE


@pytest.mark.parametrize("known", [{}, KNOWN])
@pytest.mark.parametrize("reason", sorted(IN_TROUBLE))
def test_a_page_in_trouble_is_asked_ever_more_rarely_and_never_set_aside(reason: Reason, known: dict[str, Any]) -> None:
    row, waits = made.row(**known), []
    for _ in range(TRIES + 8):
        values = after(row, reason)
        assert values["state"] is State.DONE
        waits.append((values["due_at"] - NOW) / DAY)
        row = made.row(**known, tries=values["tries"], reason=values["reason"])
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 90, 90]
    assert after(row, Verdict.NEW)["tries"] == 0


def test_a_page_that_fails_for_ten_years_is_still_asked() -> None:
    assert after(made.row(tries=4000, reason=Reason.HTTP_ERROR), Reason.HTTP_ERROR)["due_at"] == NOW + 90 * DAY


@pytest.mark.parametrize("reason", sorted(PASSING - {Reason.GONE, Reason.SOFT_404}))
def test_an_article_that_was_read_once_is_not_set_aside(reason: Reason) -> None:
    assert after(made.row(**KNOWN, tries=TRIES - 1, reason=reason), reason)["due_at"] == NOW + DAY


def test_one_404_after_a_time_of_trouble_is_not_the_end_of_an_article_and_two_are() -> None:
    row = made.row(tries=TRIES - 1, reason=Reason.HTTP_ERROR)
    first = after(row, Reason.GONE)
    assert (first["state"], first["due_at"]) == (State.DONE, NOW + DAY)
    assert after(made.row(tries=first["tries"], reason=Reason.GONE), Reason.GONE)["state"] is State.SET_ASIDE


@pytest.mark.parametrize("reason", sorted(set(Reason) - PASSING - {Reason.NOT_MODIFIED}))
def test_what_the_same_bytes_would_give_again_is_final(reason: Reason) -> None:
    values = after(made.row(tries=2), reason)
    assert (values["state"], values["tries"], values["reason"], values["due_at"]) == (State.DONE, 0, reason, NEVER)


# ── denials (docs/decisions/0004) ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reason", [Reason.GONE, Reason.SOFT_404])
def test_a_known_article_that_is_denied_is_asked_again_by_the_ladder_and_then_no_more(reason: Reason) -> None:
    row, now = made.row(**KNOWN), NOW
    for wait in DENIALS:
        values = after(row, reason, now=now, tries=1)
        assert (values["state"], values["due_at"]) == (State.DONE, now + wait)
        row, now = made.row(**KNOWN, tries=values["tries"], reason=reason), values["due_at"]
    assert after(row, reason, now=now)["due_at"] == NEVER


def test_the_second_denial_comes_late_enough_to_confirm_the_first() -> None:
    assert DENIALS[0] > CONFIRMED_AFTER.total_seconds()


@pytest.mark.parametrize("reason", [Reason.GONE, Reason.SOFT_404])
def test_a_later_page_that_was_never_there_is_asked_a_last_time_a_day_after_its_tries_and_then_sleeps(reason: Reason) -> None:
    """The last denial confirms the first (docs/decisions/0012), however soon one run follows another."""
    due = []
    for tries in range(5):
        row = made.row(tries=tries, reason=reason if tries else None)
        values = after_article(row, reason, status=404, published=None, tries=TRIES, now=NOW, is_later=True)
        assert (values["state"], values["tries"]) == (State.DONE, tries + 1)
        due.append(values["due_at"])
    assert due == [NOW, NOW, NOW + DENIALS[0], NEVER, NEVER]


def test_an_article_that_was_never_read_is_asked_for_like_any_failure() -> None:
    assert after(made.row(), Reason.GONE)["due_at"] == NOW


@pytest.mark.parametrize("is_later", [False, True])
def test_denials_are_counted_by_themselves(is_later: bool) -> None:
    """Errors before them are none: else the first denial would be the last time that it is asked, and confirmed by nothing."""
    row = made.row(**({} if is_later else KNOWN), tries=TRIES + 5, reason=Reason.HTTP_ERROR)
    values = after_article(row, Reason.GONE, status=404, published=None, tries=TRIES, now=NOW, is_later=is_later)
    assert (values["tries"], values["due_at"]) == (1, NOW if is_later else NOW + DENIALS[0])
