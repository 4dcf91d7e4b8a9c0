"""Chance that is the same on every machine: a small generator of our own, seeded by words.

Rule of this file: no `random`, no `hash()`. The replica's articles must not change with Python's version or PYTHONHASHSEED,
or a stored truth would rot. SplitMix64 (Steele, Lea, Flood 2014), seeded by SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = 2**64 - 1
_STEP = 0x9E3779B97F4A7C15


class Chance:
    """A stream of choices that depends on the seed words alone."""

    __slots__ = ("_state",)

    def __init__(self, *seed: object) -> None:
        joined = "\x1f".join(str(part) for part in seed)
        self._state = int.from_bytes(hashlib.sha256(joined.encode()).digest()[:8], "big")

    def _next(self) -> int:
        self._state = (self._state + _STEP) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, count: int) -> int:
        """A whole number in 0..count-1."""
        return self._next() % count

    def between(self, low: int, high: int) -> int:
        """A whole number in low..high."""
        return low + self.below(high - low + 1)

    def happens(self, percent: int) -> bool:
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """A new list, Fisher-Yates."""
        deck = list(items)
        for last in range(len(deck) - 1, 0, -1):
            other = self.below(last + 1)
            deck[last], deck[other] = deck[other], deck[last]
        return deck


class Deck:
    """Cards that are all drawn once before any is drawn again."""

    __slots__ = ("_cards", "_chance", "_left")

    def __init__(self, cards: Sequence[str], chance: Chance) -> None:
        self._cards, self._chance = tuple(cards), chance
        self._left: list[str] = []

    def draw(self) -> str:
        if not self._left:
            self._left = self._chance.shuffled(self._cards)
        return self._left.pop()


def digest(text: str, length: int = 32) -> str:
    """Hexadecimal, for names that look like a CMS made them."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]
