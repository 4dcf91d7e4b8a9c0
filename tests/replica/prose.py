"""Chinese articles grown from patterns: title, paragraphs, captions.

Rule of this file: the same seed gives the same article; within an article no pattern is used twice, so that paragraphs differ.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.replica import sentences, words
from tests.replica.chance import Chance, Deck
from tests.replica.words import Trade

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)(!)?(?::([\d.]+)-([\d.]+))?\}")

_OPENING = ((sentences.LEAD, sentences.DETAIL), (sentences.LEAD, sentences.BACKGROUND), (sentences.LEAD, sentences.QUOTE))
_MIDDLE = (
    (sentences.DETAIL, sentences.FIGURE),
    (sentences.QUOTE, sentences.METHOD),
    (sentences.BACKGROUND, sentences.TROUBLE),
    (sentences.SCENE, sentences.QUOTE, sentences.DETAIL),
    (sentences.FIGURE, sentences.MARKET),
    (sentences.METHOD, sentences.METHOD, sentences.FIGURE),
    (sentences.TROUBLE, sentences.QUOTE),
    (sentences.MARKET, sentences.BACKGROUND),
    (sentences.ASIDE, sentences.SCENE),
    (sentences.DETAIL, sentences.TROUBLE, sentences.FIGURE),
)
_KINDS = ("part", "method", "trouble", "scene", "user", "task", "gauge")
_GAUGE_SLOTS = (("gname", "gold", "gnew"), ("gname2", "gval2"))
_ENDING = ((sentences.OUTLOOK, sentences.QUOTE), (sentences.OUTLOOK, sentences.OUTLOOK), (sentences.ASIDE, sentences.OUTLOOK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    title: str
    paragraphs: tuple[str, ...]
    captions: tuple[str, ...]
    reporters: tuple[str, ...]


class Teller:
    """Fills patterns for one article: a fixed cast (firm, city, people), decks for the words of its trade."""

    between = ""

    def __init__(self, chance: Chance, trade: Trade, when: datetime) -> None:
        self.chance, self.trade, self.when = chance, trade, when
        self.cast = self._cast()
        self._decks = {kind: Deck(getattr(trade, f"{kind}s"), chance) for kind in _KINDS}
        self._sentences: dict[tuple[str, ...], Deck] = {}

    def _cast(self) -> dict[str, str]:
        chance = self.chance
        places = chance.shuffled(words.CITIES)
        ending = chance.shuffled(self.trade.endings)
        return {
            "firm": _firm(chance) + ending[0],
            "firm2": _firm(chance) + ending[1],
            "lab": chance.pick(words.LAB_NAMES) + chance.pick(words.LAB_KINDS),
            "park": chance.pick(words.PARK_NAMES) + chance.pick(words.PARK_KINDS),
            "city": places[0],
            "city2": places[1],
            "thing": chance.pick(self.trade.things),
            "name": _firm(chance) + chance.pick(words.BRAND_TAILS),
            "trade": self.trade.name,
        }

    def _fillings(self) -> dict[str, str]:
        """The slots whose words differ at every use."""
        return {
            "month": f"{(self.when - timedelta(days=30)).month}月",
            "later": f"{(self.when + timedelta(days=30 * self.chance.between(1, 3))).month}月",
            "boss": self.cast["firm"] + self._person(words.CHIEF_TITLES),
            "worker": self._person(words.WORKER_TITLES),
            "expert": self.cast["lab"] + self._person(words.EXPERT_TITLES),
        }

    def _day(self) -> str:
        day = self.when - timedelta(days=self.chance.between(0, 2))
        return f"{day.month}月{day.day}日"

    def _person(self, titles: Sequence[str]) -> str:
        return self.chance.pick(titles) + person(self.chance)

    def tell(self, pattern: str) -> str:
        """One sentence from a pattern."""
        chosen = _CHOICE.sub(lambda match: self.chance.pick(match[1].split("|")), pattern)
        local = {"day": self._day(), **self._fillings()}
        return _SLOT.sub(lambda match: self._fill(match, local), chosen)

    def _fill(self, match: re.Match[str], local: dict[str, str]) -> str:
        slot, capital, low, high = match.groups()
        text = _number(self.chance, low, high) if low else self._word(slot, local)
        return text[0].upper() + text[1:] if capital else text

    def _word(self, slot: str, local: dict[str, str]) -> str:
        if slot in self.cast:
            return self.cast[slot]
        if slot in self._decks:
            return self._decks[slot].draw()
        return local[slot] if slot in local else self._gauge(slot, local)

    def _gauge(self, slot: str, local: dict[str, str]) -> str:
        """gname, gold and gnew speak of one gauge in a sentence, gname2 and gval2 of another."""
        name, *values = next(group for group in _GAUGE_SLOTS if slot in group)
        gauge, unit, low, high, decimals = self._decks["gauge"].draw().split("|")
        local |= {name: gauge, **{value: measure(self.chance, low, high, int(decimals)) + unit for value in values}}
        return local[slot]

    def sentence(self, patterns: tuple[str, ...]) -> str:
        deck = self._sentences.setdefault(patterns, Deck(patterns, self.chance))
        return self.tell(deck.draw())

    def paragraph(self, roles: Sequence[tuple[str, ...]]) -> str:
        return self.between.join(self.sentence(role) for role in roles)


def person(chance: Chance) -> str:
    """A name of two or three characters."""
    return chance.pick(words.SURNAMES) + chance.pick(words.GIVEN_FIRST) + chance.pick(words.GIVEN_SECOND)


def _firm(chance: Chance) -> str:
    return chance.pick(words.FIRM_FIRST) + chance.pick(words.FIRM_SECOND)


def _number(chance: Chance, low: str, high: str) -> str:
    if "." not in low:
        return str(chance.between(int(low), int(high)))
    return f"{chance.between(round(float(low) * 10), round(float(high) * 10)) / 10:.1f}"


def measure(chance: Chance, low: str, high: str, decimals: int) -> str:
    """A reading of a gauge: a number in low..high with so many decimals."""
    scale = 10**decimals
    return f"{chance.between(round(float(low) * scale), round(float(high) * scale)) / scale:.{decimals}f}"


def write(seed: str, trade: Trade, when: datetime, length: int) -> Prose:
    """An article of about `length` characters (300 to 3,000), as printed at `when`."""
    chance = Chance("prose", seed)
    teller = Teller(chance, trade, when)
    title = teller.tell(chance.pick(sentences.TITLES))
    ending = teller.paragraph(chance.pick(_ENDING))
    paragraphs = [teller.paragraph(chance.pick(_OPENING))]
    middle = Deck([str(index) for index in range(len(_MIDDLE))], chance)
    while sum(map(len, paragraphs)) + len(ending) < length:
        paragraphs.append(teller.paragraph(_MIDDLE[int(middle.draw())]))
    captions = tuple(teller.tell(pattern) for pattern in chance.shuffled(sentences.CAPTIONS)[:2])
    reporters = tuple(person(chance) for _ in range(2 if chance.happens(8) else 1))
    return Prose(title=title, paragraphs=(*paragraphs, ending), captions=captions, reporters=reporters)


def notes(seed: str, trade: Trade, when: datetime, count: int) -> tuple[str, ...]:
    """The texts under the pictures of a photo set."""
    chance = Chance("notes", seed)
    teller = Teller(chance, trade, when)
    return tuple(teller.tell(pattern) for pattern in chance.shuffled(sentences.NOTES)[:count])


def further(seed: str, trade: Trade, when: datetime, count: int) -> tuple[str, ...]:
    """Further paragraphs: for a revision, or another lead for a reprint."""
    teller = Teller(Chance("extra", seed), trade, when)
    return tuple(teller.paragraph(_OPENING[0] if index == 0 else _MIDDLE[index]) for index in range(count))
