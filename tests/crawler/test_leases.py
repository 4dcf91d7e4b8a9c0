"""How much each host has on its way."""

from __future__ import annotations

import pytest

from crawler.leases import Leases
from crawler.politeness import most_asked, most_begun
from pipelines.archive.urltable import Row
from pipelines.site import Politeness
from tests.crawler import made

POLITENESS = Politeness()


def row(number: int) -> Row:
    return made.row(id=number, url=f"http://a.test/{number}")


@pytest.fixture
def leases() -> Leases:
    return Leases(POLITENESS)


def test_a_host_is_full_when_as_many_as_may_wait_for_its_answers(leases: Leases) -> None:
    for number in range(most_asked(POLITENESS)):
        assert leases.has_room("a.test")
        leases.begin(row(number))
    assert leases.full_hosts() == {"a.test"}
    assert leases.has_room("b.test")


def test_answers_make_room_until_too_many_wait_for_their_commit(leases: Leases) -> None:
    for number in range(most_begun(POLITENESS)):
        assert leases.has_room("a.test")
        one = row(number)
        leases.begin(one)
        leases.answered(one)
    assert not leases.has_room("a.test")
    leases.end(row(0))
    assert leases.has_room("a.test")


def test_what_is_asked_once_more_waits_for_an_answer_again(leases: Leases) -> None:
    rows = [row(number) for number in range(most_asked(POLITENESS))]
    for one in rows:
        leases.begin(one)
        leases.answered(one)
    for one in (*rows, rows[0]):
        leases.asked_again(one)
    assert not leases.has_room("a.test")


def test_what_has_ended_counts_no_more_whatever_is_heard_of_it(leases: Leases) -> None:
    one = row(1)
    leases.begin(one)
    leases.end(one)
    leases.asked_again(one)
    leases.end(one)
    assert (len(leases), leases.ids, one in leases) == (0, set(), False)
