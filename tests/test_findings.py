"""Findings are counted all, kept up to a number, and added up without a difference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import findings
from pipelines.findings import ADVICE, KEPT, Result, What

told = st.lists(st.tuples(st.sampled_from([What.TEXT, What.ROW, What.FEED]), st.text(max_size=5)), max_size=12)


def result_of(several: list[tuple[What, str]]) -> Result:
    result = Result()
    result.checked["records"] += len(several)
    for what, where in several:
        result.add(what, where, "is not true")
    return result


def test_every_kind_of_finding_says_what_to_do() -> None:
    assert set(ADVICE) == set(What)


def test_of_each_kind_so_many_are_kept_and_all_are_counted() -> None:
    result = result_of([(What.TEXT, str(n)) for n in range(KEPT + 5)] + [(What.ROW, "x")])
    assert (result.counts[What.TEXT], result.counts[What.ROW], len(result.findings)) == (KEPT + 5, 1, KEPT + 1)
    assert not result.passed


@given(one=told, other=told, kept=st.integers(1, 4))
def test_two_checks_added_up_are_one_check_of_both(one: list[tuple[What, str]], other: list[tuple[What, str]], kept: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(findings, "KEPT", kept)
        added = result_of(one)
        added.take(result_of(other))
        assert added == result_of(one + other)
