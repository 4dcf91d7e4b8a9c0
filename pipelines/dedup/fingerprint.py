"""What of a text is compared: its normal form, its shingles, and the few of them that are indexed.

The normal form is for comparison only and never stored as text: NFKC, traditional characters folded into simplified
ones, case folded, everything dropped but letters and numbers (`fold.txt`, one table of code points made from OpenCC).
A text is a set of *shingles*, 64-bit hashes of overlapping pieces: 5 characters where words are not separated by
spaces, 3 words elsewhere. *Fingerprints* are a fixed choice of them by winnowing (Schleimer, Wilkerson, Aiken:
"Winnowing", SIGMOD 2003): of each window of neighbouring shingles the smallest, so that whatever two texts share over
a window and a piece is found in both.

All is integer arithmetic modulo 2**64: the same on every machine. Any change of a value is a change of `VERSION`.
"""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

VERSION = "1"
"""of all that is computed here; rows and digests of another version are not comparable"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """`length` units are a shingle; windows are in shingles."""

    length: int
    window: int
    narrow: int


CHARACTERS = Script(length=5, window=40, narrow=8)
WORDS = Script(length=3, window=20, narrow=4)
"""A word carries about as much as two Chinese characters, and an article has half as many. Either way about 48
fingerprints a thousand characters, the same for five hundred words"""
DENSE = 20
"""Texts of a smaller `size` (400 characters) are read through the narrow window, as with a few fingerprints one edit
would lose them. What a wide window chooses, a narrow one chooses too: a short text is still found inside a long one"""

FIRST_UNSPACED = 0x2E80
"""from here on come the ideographs, kana and Hangul syllables"""
UNSPACED_SHARE = 4
"""one such character in four makes a text of characters: a Chinese article with many Latin names is Chinese"""

Hashes = NDArray[np.uint64]
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_LONGEST_WORD = 64


_SEVERAL = 0xFFFFFFFF


def _read_fold() -> NDArray[np.uint32]:
    """`fold.txt` as an array: code point -> the one that stands for it, 0 where it is dropped, `_SEVERAL` where only
    NFKC can tell."""
    _, kept, several, fold = re.split(r"@\w+\n", (files("pipelines.dedup") / "fold.txt").read_text("utf-8"))
    table = np.zeros(sys.maxunicode + 1, dtype=np.uint32)
    for first, last in _spans(kept):
        table[first : last + 1] = np.arange(first, last + 1)
    for first, last in _spans(several):
        table[first : last + 1] = _SEVERAL
    for line in fold.splitlines():
        table[[ord(char) for char in line[1:]]] = ord(line[0])
    return table


def _spans(lines: str) -> Iterator[tuple[int, int]]:
    for line in lines.split():
        first, last = line.split("-")
        yield int(first, 16), int(last, 16)


_FOLD = _read_fold()
_POWERS = np.cumprod(np.full(_LONGEST_WORD, _MULTIPLIER))


@lru_cache(maxsize=4)
def _folded(text: str) -> NDArray[np.uint32]:
    """A code point for each character of the NFKC form, 0 for those dropped."""
    folded = _looked_up(text)
    if len(folded) and folded.max() == _SEVERAL:
        # 58 us a document, against 5 for the table: few texts hold ligatures, fractions or marks apart from letters
        folded = _looked_up(unicodedata.normalize("NFKC", text))
        folded[folded == _SEVERAL] = 0
    return folded


def _looked_up(text: str) -> NDArray[np.uint32]:
    folded: NDArray[np.uint32] = _FOLD[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")]
    return folded


def normalise(text: str) -> str:
    """The text as it is compared. Idempotent; never raises."""
    folded = _folded(text)
    return str(folded[folded != 0].astype("<u4").tobytes(), "utf-32-le")


@lru_cache(maxsize=8)
def text_digest(text: str) -> str:
    """SHA-256 of the normal form, in hexadecimal: equal for copies that differ in script, width, punctuation or case."""
    return hashlib.sha256(normalise(text).encode()).hexdigest()


def verbatim_digest(title: str, text: str) -> str:
    """SHA-256 of title and text as they are, in hexadecimal: what distinguishes two versions of an article."""
    return hashlib.sha256(f"{title}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=4)
def fingerprints(text: str) -> Hashes:
    """Sorted, unique, not writable; about `size` many, four times that for short texts, none for a text without letters."""
    hashes, script = _hashed(text)
    if len(hashes) == 0:
        return hashes
    window = script.narrow if size(text) < DENSE else script.window
    return _kept(_sorted_set(_window_minima(hashes, min(window, len(hashes)))))


def size(text: str) -> int:
    """How many fingerprints the wide window is expected to choose: 2 of each 41 shingles of characters, or 21 of words."""
    hashes, script = _hashed(text)
    return 2 * len(hashes) // (script.window + 1)


def shingles(text: str) -> Hashes:
    """All of them, sorted, unique, not writable: the set that texts are compared by. The last few hundred texts are
    remembered, as one article is held against many and many articles against one; of long ones the last few."""
    return (_shingles if len(text) <= _LONG else _many_shingles)(text)


_LONG = 20_000
"""characters: the shingles of 512 such texts take 80 MB, and a page may hold a hundred times that"""


@lru_cache(maxsize=512)
def _shingles(text: str) -> Hashes:
    return _kept(_sorted_set(sequence(text)))


@lru_cache(maxsize=4)
def _many_shingles(text: str) -> Hashes:
    return _kept(_sorted_set(sequence(text)))


def sequence(text: str) -> Hashes:
    """The shingles in reading order, repeated ones too, not writable."""
    return _hashed(text)[0]


@lru_cache(maxsize=4)
def _hashed(text: str) -> tuple[Hashes, Script]:
    """The shingles in reading order, and what they are made of."""
    folded = _folded(text)
    letters = folded[folded != 0].astype(np.uint64)
    unspaced = np.count_nonzero(letters >= FIRST_UNSPACED)
    script = CHARACTERS if unspaced * UNSPACED_SHARE >= len(letters) else WORDS
    units = letters if script is CHARACTERS else _words(folded)
    return _kept(_rolled(units, script.length)), script


def _kept(hashes: Hashes) -> Hashes:
    hashes.flags.writeable = False
    return hashes


def _words(folded: NDArray[np.uint32]) -> Hashes:
    """One hash for each run of letters."""
    places = np.flatnonzero(folded)
    firsts = np.concatenate(([0], np.flatnonzero(places[1:] - places[:-1] > 1) + 1))
    lengths = np.concatenate((firsts[1:], [len(places)])) - firsts
    offsets = np.arange(len(places)) - np.repeat(firsts, lengths)
    weights = _POWERS[np.minimum(offsets, _LONGEST_WORD - 1)]
    return np.add.reduceat(folded[places] * weights, firsts)


def _rolled(units: Hashes, size: int) -> Hashes:
    """A well-mixed hash of every `size` neighbours; a text of fewer is one shingle."""
    if 0 < len(units) < size:
        units = np.pad(units, (0, size - len(units)))
    count = max(len(units) - size + 1, 0)
    rolled = np.zeros(count, dtype=np.uint64)
    for i in range(size):
        rolled = rolled * _MULTIPLIER + units[i : i + count]
    return _mixed(rolled)


def _mixed(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea, Flood: OOPSLA 2014): every bit of the result depends on all of them."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _sorted_set(values: Hashes) -> Hashes:
    """As np.unique, which takes four times as long on a thousand values."""
    values = np.sort(values)
    return values[np.concatenate(([True], values[1:] != values[:-1]))] if len(values) else values


def _window_minima(hashes: Hashes, window: int) -> Hashes:
    """The smallest of each `window` neighbours, by minima over 2, 4, 8 ... and two of them that overlap."""
    width = 1
    while width * 2 <= window:
        hashes = np.minimum(hashes[width:], hashes[:-width])
        width *= 2
    rest = window - width
    return np.minimum(hashes[rest:], hashes[: len(hashes) - rest]) if rest else hashes
