"""Which lines of a page are its article, by the agreement of independent readers.

Every reader's answer is brought down to the same lines (`blocks.read`) and through the same furniture rules, so that two
answers can be compared line by line. The answer that agrees best with the others wins (the medoid); a paragraph that it lacks
and both others have is taken in. How far they agree is the confidence.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from lxml import html

from pipelines.extract import generic, locator
from pipelines.extract.assembly import Assembly, assemble
from pipelines.extract.blocks import Line, Reading
from pipelines.text import Script

logging.getLogger("readability").setLevel(logging.CRITICAL)
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

_BLANK = re.compile(r"\s+")
_SHORT = 8
"""characters: shorter lines must be a whole line of the other reader, not a part of one"""


@dataclass(slots=True)
class Consensus:
    """`confidence` 0..1 is the mean agreement of the answer with the other readers'."""

    assembly: Assembly
    confidence: float


def consensus(root: html.HtmlElement, reading: Reading, title: str | None, script: Script) -> Consensus:
    """The article of a page that no layout knows."""
    answers = [assemble(lines, title) for lines in _readers(root, reading, script)]
    keys = [{line.index for line in answer.kept} for answer in answers]
    lengths = [len(line.text) for line in reading.lines]
    agreement = [[_overlap(one, other, lengths) for other in keys] for one in keys]
    means = [(sum(row) - row[number]) / max(1, len(row) - 1) for number, row in enumerate(agreement)]
    best = max(range(len(answers)), key=means.__getitem__)
    return Consensus(assembly=answers[best], confidence=means[best])


def _readers(root: html.HtmlElement, reading: Reading, script: Script) -> list[list[Line]]:
    """What each reader takes for the article, the most trusted first: of equals the first wins."""
    span = locator.locate(reading)
    located = reading.lines[span.start : span.end] if span else []
    tree = generic.lean(root)
    readable = _matched(reading, generic.readability_text(tree))
    trafilatura = _matched(reading, generic.trafilatura_text(tree))
    return [located, readable, trafilatura] if script is Script.HAN else [trafilatura, located, readable]


def _matched(reading: Reading, text: str) -> list[Line]:
    """The lines of the page that stand in another reader's text."""
    whole = {_BLANK.sub("", line) for line in text.split("\n")}
    stream = "".join(_BLANK.sub("", text))
    return [line for line in reading.lines if _stands_in(_BLANK.sub("", line.text), whole, stream)]


def _stands_in(line: str, whole: set[str], stream: str) -> bool:
    return line in whole if len(line) < _SHORT else line in stream


def _overlap(one: set[int], other: set[int], lengths: list[int]) -> float:
    """F1 by characters of two sets of lines."""
    both = sum(lengths[index] for index in one & other)
    return 2 * both / max(1, sum(lengths[index] for index in one) + sum(lengths[index] for index in other))
