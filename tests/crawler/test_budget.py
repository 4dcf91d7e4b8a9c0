"""What counts for a run's budgets, and when one of them is spent."""

from __future__ import annotations

from crawler.budget import Budget
from pipelines.model import Kind
from pipelines.site import Politeness


def test_requests_are_spent_when_as_many_were_sent_as_are_allowed() -> None:
    budget = Budget(Politeness(max_requests=2))
    for kind in (Kind.ROBOTS, Kind.ARTICLE):
        assert budget.allows(kind)
        assert budget.spent is None
        budget.sent(kind)
    assert not budget.allows(Kind.ARTICLE)
    assert not budget.allows(Kind.ROBOTS)
    assert budget.spent == "max_requests"


def test_captures_of_other_archives_cost_the_site_no_request() -> None:
    budget = Budget(Politeness(max_requests=1))
    for _ in range(3):
        budget.sent(Kind.RECORD)
    assert (budget.requests, budget.spent) == (0, None)
    budget.sent(Kind.LISTING)
    assert budget.allows(Kind.RECORD)


def test_bytes_are_spent_when_more_came_than_are_allowed() -> None:
    budget = Budget(Politeness(max_bytes=10))
    budget.came(10)
    assert budget.spent is None
    budget.came(1)
    assert budget.spent == "max_bytes"
