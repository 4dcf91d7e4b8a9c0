"""Beyond counting shingles: are two texts one story in other words, or one form filled in twice?

A form (closing prices, weather, buy-backs) shares most of its words with the next one and differs in its figures; a
story that was reworded shares its figures and differs in words all over. Counting shingles alone takes the one for the
other. All functions give the same answer from either side.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain, pairwise

import numpy as np

from pipelines.dedup.fingerprint import Hashes, normalise, sequence, shingles, size

CONTEXT = 4
"""letters before and after a figure that say what it is a figure of"""
CONFLICTS = 3
"""figures that differ in equal places before two texts are a form: a correction changes one or two"""
FLASH = 10
"""`size` (200 characters) below which two are enough: a flash has three or four figures, of which a rate or a term is
the same every day"""
DIFFER = 0.75
"""and for each that agrees. Of a list's next day 2 to 29, as grades, units and fixed prizes agree; of copies .5 at most"""
ALIKE = 256
"""figures of one context that are aligned at most: the time for it grows with their square"""
STRETCHES = 16
TOUCHED = 0.05
SPREAD = 0.75
"""Reworded: three of four stretches, a sixteenth of the text each, have a twentieth of their shingles in the other text.
Between texts of different stories it was 0 to 3 %, and a common notice lies in one piece"""
BACKED = 0.7
FIGURES = 3
"""and seven tenths of the figures, three at least, or the title, are the same"""
WHOLE = 0.9
"""Where there are fewer figures, and so none to contradict, it takes fifteen of sixteen stretches. Of real articles with every
fifth word replaced one in ten has so few; forms that are touched as much all had more"""
MOST = 0.6
"""A text that was cut, too, goes together with ten stretches of sixteen of the whole: two stories printed as one have half each"""
CUT = 0.8
BRIEF = 5
"""Cut from another: thirteen stretches of sixteen are touched. Of copies that are half of a longer text all but 1 in 100 have
that; of texts of a few sentences above one long notice 1 in 40. Texts of a smaller `size` (100 characters) have stretches of a
word or two, and one that was replaced leaves none of it"""
_FIGURE = re.compile(r"(?:[0-9]+年)?[0-9]+月[0-9]+日[0-9]{4}(?:[0-9]{2})?(?![0-9])|[0-9]+月[0-9]+|[0-9]+")
"""A day is one figure, as it is corrected as a whole, and so is a day with a clock's time: two copies may each bear that of their
own page"""
_END = "\U00010000"
"""stands for the end of a paragraph where no other mark does: a letter of Linear B"""


def is_form(text: str, other: str) -> bool:
    """Whether many figures differ where the letters around them do not. A figure that agrees counts once: the grades of a list
    of fuels are the same in every line of it, and say nothing of its prices."""
    mine, theirs = _in_context(text), _in_context(other)
    pairs = {(place, *pair) for place in mine.keys() & theirs.keys() for pair in _pairs(mine[place], theirs[place])}
    conflicts = sum(one != another for _, one, another in pairs)
    agreeing = {one for _, one, another in pairs if one == another}
    is_flash = min(size(text), size(other)) < FLASH
    return conflicts >= CONFLICTS - is_flash and conflicts > DIFFER * len(agreeing)


def _pairs(mine: Sequence[str], theirs: Sequence[str]) -> Iterable[tuple[str, str]]:
    """The figures of one context, side by side: the lines of a list read alike, and are told apart by their order. Where one text
    has more of them, or half of those that differ go together in other places, as far as the two go together; a list in another
    order is the same list."""
    if sorted(mine) == sorted(theirs):
        return zip(mine, mine, strict=True)
    fewer, more = sorted((mine[:ALIKE], theirs[:ALIKE]), key=lambda figures: (len(figures), figures))
    match = SequenceMatcher(None, fewer, more, autojunk=False)
    if len(mine) == len(theirs):
        in_order = list(zip(fewer, more, strict=True))
        apart = sum(one != another for one, another in in_order)
        moved = sum(block.size for block in match.get_matching_blocks()) - (len(in_order) - apart)
        if 2 * moved < apart:
            return in_order
    steps = match.get_opcodes()
    return ((one, another) for _, a, b, c, d in steps for one, another in zip(fewer[a:b], more[c:d], strict=False))


def is_cut(text: str, other: str) -> bool:
    """Whether a text of which most is in another is in it from beginning to end, or so short that this cannot be told."""
    return size(text) < BRIEF or _spread(sequence(text), shingles(other)) >= CUT


def is_reworded(text: str, other: str, *, same_title: bool) -> bool:
    """Whether two texts go together from beginning to end, on the same figures or under the same title, or all but entirely
    where there are no figures to tell."""
    backed = same_title or _share_figures(text, other)
    if backed is False:
        return False
    less, more = sorted((_spread(sequence(text), shingles(other)), _spread(sequence(other), shingles(text))))
    return less >= WHOLE or bool(backed and (less >= SPREAD or (less >= MOST and more >= WHOLE)))


def _share_figures(text: str, other: str) -> bool | None:
    """None where one of them has too few to tell."""
    mine, theirs = (set(chain.from_iterable(_in_context(one).values())) for one in (text, other))
    fewer = min(len(mine), len(theirs))
    return len(mine & theirs) >= BACKED * fewer if fewer >= FIGURES else None


@lru_cache(maxsize=256)
def _in_context(text: str) -> Mapping[str, Sequence[str]]:
    """The figures of a text by the letters of their paragraph around them, in order. Other figures nearby are all one to a context."""
    form = normalise(text.replace("\n", _END))
    figures = _FIGURE.findall(form)
    masked = _FIGURE.sub("0", form)
    found: defaultdict[str, list[str]] = defaultdict(list)
    places = (match.start() for match in re.finditer("0", masked))
    for place, figure in zip(places, figures, strict=True):
        before = masked[max(0, place - CONTEXT) : place].rpartition(_END)[2]
        after = masked[place : place + CONTEXT + 1].partition(_END)[0]
        found[before + after].append(figure)
    return dict(found)


def _spread(hashes: Hashes, among: Hashes) -> float:
    """The share of a text's stretches that are touched by another's shingles."""
    there = among[np.minimum(np.searchsorted(among, hashes), len(among) - 1)] == hashes
    edges = np.linspace(0, len(hashes), STRETCHES + 1).astype(np.intp)
    return float(np.mean([there[a:b].mean() >= TOUCHED for a, b in pairwise(edges) if b > a]))
