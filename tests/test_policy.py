"""Who reserves the wider use has reserved the narrower one; who says nothing has reserved nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.policy import refusal
from pipelines.site import USES

RESERVED = st.dictionaries(st.sampled_from(USES), st.booleans())


@pytest.mark.parametrize("use", USES)
def test_silence_allows_every_use(use: str) -> None:
    assert refusal({"reserved": {}}, use) is None


@pytest.mark.parametrize("use", USES)
def test_a_use_that_was_allowed_in_words_is_allowed(use: str) -> None:
    assert refusal({"reserved": {use: False}}, use) is None


@pytest.mark.parametrize(
    ("reserved", "use", "reason"),
    [
        ("train", "train", "reserved/train"),
        ("train", "text-and-data-mining", None),
        ("train", "archive", None),
        ("text-and-data-mining", "train", "reserved/text-and-data-mining"),
        ("text-and-data-mining", "archive", None),
        ("archive", "train", "reserved/archive"),
        ("archive", "text-and-data-mining", "reserved/archive"),
        ("archive", "archive", "reserved/archive"),
    ],
)
def test_a_reserved_use_takes_those_that_are_cases_of_it_with_it(reserved: str, use: str, reason: str | None) -> None:
    assert refusal({"reserved": {reserved: True}}, use) == reason


def test_the_widest_reservation_is_the_reason() -> None:
    assert refusal({"reserved": dict.fromkeys(USES, True)}, "train") == "reserved/archive"


def test_permission_for_the_narrower_use_does_not_undo_the_reservation_of_the_wider() -> None:
    assert refusal({"reserved": {"text-and-data-mining": True, "train": False}}, "train") == "reserved/text-and-data-mining"


def test_a_use_that_there_is_not_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        refusal({"reserved": {}}, "sell")


@given(RESERVED, RESERVED, st.sampled_from(USES))
def test_one_more_reservation_never_allows_more(one: dict[str, bool], more: dict[str, bool], use: str) -> None:
    """The most restrictive wins: joining two statements refuses whatever either refuses."""
    both = {name: one.get(name, False) or more.get(name, False) for name in USES}
    refused_by_one = refusal({"reserved": one}, use) is not None or refusal({"reserved": more}, use) is not None
    assert (refusal({"reserved": both}, use) is not None) == refused_by_one
