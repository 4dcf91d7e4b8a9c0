"""Which lines of a page are its article, by the agreement of independent readers.

Every reader's answer is brought down to the same lines (`blocks.read`), so that answers can be compared line by line. A line
is the article's when two of three readers have it and no rule calls it furniture. How far each reader's own answer agrees
with what came out is the confidence.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass

from lxml import html

from pipelines.extract import generic, locator
from pipelines.extract.assembly import Assembly, assemble
from pipelines.extract.blocks import Line, Reading
from pipelines.text import Script

logging.getLogger("readability").setLevel(logging.CRITICAL)
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

_BLANK = re.compile(r"\s+")
_MAJORITY = 2
"""readers of three"""
_SHORT = 8
"""characters: shorter lines must be a whole line of the other reader, not a part of one"""


@dataclass(slots=True)
class Consensus:
    """`confidence` 0..1 is the mean agreement of the answer with the other readers'."""

    assembly: Assembly
    confidence: float


def consensus(root: html.HtmlElement, reading: Reading, title: str | None, script: Script) -> Consensus:
    """The article of a page that no layout knows."""
    readers = _readers(root, reading, script)
    votes = Counter(line.index for lines in readers for line in lines)
    answer = assemble([line for line in reading.lines if votes[line.index] >= _MAJORITY], title)
    kept = {line.index for line in answer.kept}
    lengths = [len(line.text) for line in reading.lines]
    others = [{line.index for line in assemble(lines, title).kept} for lines in readers]
    return Consensus(assembly=answer, confidence=sum(_overlap(kept, other, lengths) for other in others) / len(others))


def _readers(root: html.HtmlElement, reading: Reading, script: Script) -> list[list[Line]]:
    """What each reader takes for the article, the most trusted first: of equals the first wins."""
    span = locator.locate(reading)
    located = reading.lines[span.start : span.end] if span else []
    tree = generic.lean(root)
    readable = matched(reading.lines, generic.readability_text(tree))
    trafilatura = matched(reading.lines, generic.trafilatura_text(tree, fast=script is Script.HAN))
    return [located, readable, trafilatura] if script is Script.HAN else [trafilatura, located, readable]


def matched(lines: list[Line], text: str) -> list[Line]:
    """The lines that stand in another reader's text."""
    whole = {_BLANK.sub("", line) for line in text.split("\n")}
    stream = "".join(_BLANK.sub("", text))
    return [line for line in lines if _stands_in(_BLANK.sub("", line.text), whole, stream)]


def _stands_in(line: str, whole: set[str], stream: str) -> bool:
    return line in whole if len(line) < _SHORT else line in stream


def _overlap(one: set[int], other: set[int], lengths: list[int]) -> float:
    """F1 by characters of two sets of lines."""
    both = sum(lengths[index] for index in one & other)
    return 2 * both / max(1, sum(lengths[index] for index in one) + sum(lengths[index] for index in other))
