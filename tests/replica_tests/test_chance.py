"""Chance is a function of the seed words, on every machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.replica.chance import Chance, Deck, digest

ROOT = Path(__file__).parents[2]
PRINT_TRUTH = """
import hashlib
from tests.replica import days
print(hashlib.sha256(repr([days.articles(day) for day in range(4)]).encode()).hexdigest())
"""


def test_the_stream_of_a_seed_is_fixed_for_ever() -> None:
    chance = Chance("replica", 1)
    assert [chance.below(1_000) for _ in range(6)] == [760, 595, 666, 114, 856, 435]


def test_other_seed_words_give_another_stream() -> None:
    first, second = Chance("a", "bc"), Chance("ab", "c")
    assert [first.below(10**9) for _ in range(3)] != [second.below(10**9) for _ in range(3)]


def test_the_truth_does_not_depend_on_the_hash_seed() -> None:
    prints = [_truth_digest(seed) for seed in ("1", "4242")]
    assert prints[0] == prints[1]


def _truth_digest(seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", PRINT_TRUTH], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@given(st.lists(st.text(max_size=3), min_size=1, max_size=30), st.text())
def test_shuffling_keeps_every_card(cards: list[str], seed: str) -> None:
    assert sorted(Chance(seed).shuffled(cards)) == sorted(cards)


@given(st.integers(-1_000, 1_000), st.integers(0, 1_000), st.text())
def test_between_stays_within_its_bounds(low: int, span: int, seed: str) -> None:
    assert low <= Chance(seed).between(low, low + span) <= low + span


@given(st.integers(1, 20), st.text())
def test_a_deck_gives_each_card_once_before_any_comes_again(size: int, seed: str) -> None:
    cards = [str(number) for number in range(size)]
    deck = Deck(cards, Chance(seed))
    for _ in range(3):
        assert sorted(deck.draw() for _ in cards) == sorted(cards)


def test_something_that_never_happens_does_not_and_a_certainty_does() -> None:
    chance = Chance("percent")
    assert not any(chance.happens(0) for _ in range(100))
    assert all(chance.happens(100) for _ in range(100))


def test_a_digest_is_hexadecimal_of_the_wanted_length() -> None:
    assert len(digest("a")) == 32
    assert set(digest("a", 8)) <= set("0123456789abcdef")
