from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedup.compare import Comparison, compare, compare_sets
from tests.dedup.made import story

SETS = st.sets(st.integers(0, 2**64 - 1) | st.integers(0, 30), max_size=40)


def as_array(values: set[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(sorted(values), dtype=np.uint64)


@given(SETS, SETS)
@settings(deadline=None, max_examples=200)
def test_the_measures_are_those_of_sets(one: set[int], other: set[int]) -> None:
    found = compare_sets(as_array(one), as_array(other))
    common = len(one & other)
    assert found.jaccard == (common / len(one | other) if common else 0)
    assert found.contained_in_other == (common / len(one) if one else 0)
    assert found.contains_other == (common / len(other) if other else 0)


@given(SETS, SETS)
@settings(deadline=None, max_examples=100)
def test_the_other_way_round_it_is_the_same(one: set[int], other: set[int]) -> None:
    there, back = compare_sets(as_array(one), as_array(other)), compare_sets(as_array(other), as_array(one))
    assert there.jaccard == back.jaccard
    assert (there.contained_in_other, there.contains_other) == (back.contains_other, back.contained_in_other)
    assert there.containment == back.containment


def test_a_text_is_all_of_itself() -> None:
    assert compare(story(1), story(1)) == Comparison(jaccard=1.0, contained_in_other=1.0, contains_other=1.0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_different_stories_have_hardly_anything_in_common(language: str) -> None:
    assert compare(story(1, language=language), story(2, language=language)).jaccard < 0.05


def test_a_quotation_is_wholly_inside_and_the_other_only_partly() -> None:
    quoted = story(1, sentences=8)
    found = compare(quoted, f"{story(2)}\n{quoted}")
    assert found.contained_in_other == 1.0
    assert 0.2 < found.contains_other < 0.4
    assert found.containment == 1.0


def test_texts_without_letters_have_nothing_in_common() -> None:
    assert compare("……", "……") == Comparison(jaccard=0.0, contained_in_other=0.0, contains_other=0.0)
