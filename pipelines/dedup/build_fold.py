"""Build `fold.txt`: which code points count when texts are compared, and which of them count as the same.

Run by a person when OpenCC or the rules below change, never at run time (a conversion by OpenCC costs 1,219 µs a
document, the table 9 to 19), in any environment that has the `opencc` package:

    python pipelines/dedup/build_fold.py > pipelines/dedup/fold.txt

A changed table changes fingerprints and digests: raise `fingerprint.VERSION` with it.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from itertools import pairwise

import opencc  # type: ignore[import-not-found]  # only where the table is built

CONVERSIONS = ("t2s", "tw2s", "hk2s", "s2t", "s2tw", "s2hk")
"""Both ways, as a mirror made by machine picks one traditional form of several (发 becomes 發 or 髮), rightly or not."""
HAN = (range(0x3400, 0xA000), range(0x20000, 0x323B0))
CONJOINING_JAMO = (range(0x1100, 0x1200), range(0xA960, 0xA980), range(0xD7B0, 0xD800))
"""NFKC has composed modern Korean; what is left would compose anew once the punctuation between is dropped."""

HEADER = """\
# Comparison form of texts, made by build_fold.py from OpenCC {opencc} and Unicode {unicode}; not to be edited.
# The pairs of traditional and simplified characters are facts taken from OpenCC's dictionaries, by BYVoid and
# contributors, https://github.com/BYVoid/OpenCC, Apache-2.0.
# @kept: ranges of code points (hexadecimal, inclusive) that count: letters and numbers that NFKC leaves as they are.
# @several: ranges of code points that NFKC makes several of, or joins with their neighbours; it is run for texts with these.
# @fold: the first character of a line stands for all others on it.
"""


def main() -> None:
    kept = [code for code in range(0x110000) if counts(code)]
    folds = {char: first for first, *others in [*han_classes(), *case_classes(kept)] for char in others}
    forms = {code: form(chr(code), folds) for code in range(0x110000)}
    several = [code for code, made in forms.items() if made is None]
    members: defaultdict[str, list[str]] = defaultdict(list)
    for code, made in forms.items():
        if made and made != chr(code):
            members[made].append(chr(code))
    out = sys.stdout
    out.write(HEADER.format(opencc=version("opencc"), unicode=unicodedata.unidata_version))
    out.write("@kept\n" + "".join(f"{first:x}-{last:x}\n" for first, last in ranges(kept)))
    out.write("@several\n" + "".join(f"{first:x}-{last:x}\n" for first, last in ranges(several)))
    out.write("@fold\n" + "".join(f"{first}{''.join(others)}\n" for first, others in sorted(members.items())))


def form(char: str, folds: Mapping[str, str]) -> str | None:
    """What stands for a character wherever it is, "" for nothing; None where that takes more than one, or its
    neighbours."""
    composed = unicodedata.normalize("NFKC", char)
    if any(joins(part) for part in composed):
        return None
    made = "".join(folds.get(part, part) for part in composed if counts(ord(part)))
    return made if len(made) < 2 else None


def counts(code: int) -> bool:
    """Letters and numbers in NFKC form. Marks are dropped: NFKC has composed those that matter, and variation
    selectors are marks too."""
    char = chr(code)
    return unicodedata.category(char)[0] in "LN" and not joins(char) and unicodedata.normalize("NFKC", char) == char


def joins(char: str) -> bool:
    """Whether a character may compose with the one before it."""
    return unicodedata.category(char)[0] == "M" or any(ord(char) in block for block in CONJOINING_JAMO)


def ranges(codes: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of consecutive numbers as (first, last)."""
    breaks = [-1, *(i for i, (a, b) in enumerate(pairwise(codes)) if b != a + 1), len(codes) - 1]
    return ((codes[a + 1], codes[b]) for a, b in pairwise(breaks))


def han_classes() -> Iterator[list[str]]:
    """Characters that any conversion turns into each other, the one that stands for them first."""
    parent: dict[str, str] = {}
    for name in CONVERSIONS:
        convert = opencc.OpenCC(name).convert
        for char in (chr(code) for block in HAN for code in block if counts(code)):
            if len(other := convert(char)) == 1 and other != char:
                parent[root(parent, char)] = root(parent, other)
    members: defaultdict[str, list[str]] = defaultdict(list)
    for char in parent:
        members[root(parent, char)].append(char)
    return (sorted(group, key=commonness) for group in members.values())


def root(parent: dict[str, str], char: str) -> str:
    while parent.setdefault(char, char) != char:
        char = parent[char]
    return char


def commonness(char: str) -> tuple[bool, bytes]:
    """GB 2312 orders its common level before its rare one; what it lacks comes last."""
    encoded = char.encode("gb2312", "ignore")
    return not encoded, encoded or char.encode("utf-32-be")


def case_classes(kept: list[int]) -> Iterator[list[str]]:
    """Lower-case letters with all that fold into them."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    for char in map(chr, kept):
        folded = char.casefold() if len(char.casefold()) == 1 else char.lower()[0]
        if folded != char and counts(ord(folded)):
            members[folded].append(char)
    return ([folded, *group] for folded, group in members.items())


if __name__ == "__main__":
    main()
