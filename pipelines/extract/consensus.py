"""Which lines of a page are its article, by the agreement of independent readers.

Every reader's answer is brought down to the same lines (`blocks.read`), so that answers can be compared line by line. A line
is the article's when two readers have it and no rule calls it furniture. The third reader is asked where the first two
differ: a vote cannot change what two agree on. How far each answer agrees with what came out is the confidence.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass

from lxml import html

from pipelines.extract import furniture, generic, locator
from pipelines.extract.assembly import Assembly, assemble, manner
from pipelines.extract.blocks import Line, Reading
from pipelines.extract.furniture import Kind
from pipelines.text import Script, clean

logging.getLogger("readability").setLevel(logging.CRITICAL)
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

_SUMMARY = 20
"""characters of the summary that a first paragraph must begin with"""
_LABEL = 6
"""characters that may stand before it in the line ("核心提示：")"""
_GAP = 8
"""lines that may stand between a lead and the text, or in the middle of a text: pictures, share buttons"""
_TAIL = 8
"""lines behind the last one chosen that are heard: editors stand there"""
_AGREED = 0.98
"""F1 of two readers' answers above which the third is not asked: 83 % of Chinese and 63 % of English pages, at equal F1"""
_MAJORITY = 2
"""readers"""
_SHORT = 8
"""characters: shorter lines must be a whole line of the other reader, or stand there beside a neighbour"""
_ITEM = re.compile(r"^- ", re.MULTILINE)
"""how trafilatura writes an item of a list"""


@dataclass(slots=True)
class Consensus:
    """`confidence` 0..1 is the mean agreement of the answer with the other readers'."""

    assembly: Assembly
    confidence: float


def consensus(root: html.HtmlElement, reading: Reading, title: str | None, script: Script, summary: str | None = None) -> Consensus:
    """The article of a page that no layout knows; `summary` is how the head of the page says that it begins."""
    tree = generic.lean(root)
    readers = [_located(reading), matched(reading.lines, generic.trafilatura_text(tree))]
    answers = [_kept(assemble(lines, title)) for lines in readers]
    lengths = [len(line.text) for line in reading.lines]
    if _overlap(answers[0], answers[1], lengths) < _AGREED:
        readers.append(matched(reading.lines, generic.readability_text(tree)))
        answers.append(_kept(assemble(readers[-1], title)))
    votes = Counter(line.index for lines in readers for line in lines)
    majority = [line for line in reading.lines if votes[line.index] >= _MAJORITY]
    trusted = readers if script is Script.HAN else readers[1:] + readers[:1]
    chosen = _with_beginning(reading, majority or next((lines for lines in trusted if lines), []), summary)
    around = reading.lines[chosen[0].index : chosen[-1].index + 1 + _TAIL] if chosen else []
    answer = assemble(around, title, chosen=frozenset(line.index for line in chosen))
    kept = _kept(answer)
    return Consensus(assembly=answer, confidence=sum(_overlap(kept, other, lengths) for other in answers) / len(answers))


def _located(reading: Reading) -> list[Line]:
    span = locator.locate(reading)
    return reading.lines[span.start : span.end] if span else []


def _kept(assembly: Assembly) -> set[int]:
    return {line.index for line in assembly.kept}


def _with_beginning(reading: Reading, chosen: list[Line], summary: str | None) -> list[Line]:
    """The lines chosen, from where the page says that its article begins. A beginning directly above them is a lead that
    is set apart; what follows it only after a gap, and set in another manner, is the next article of a stream."""
    begin = _beginning(reading, summary)
    if begin is None or not chosen:
        return chosen
    if 0 < chosen[0].index - begin.index <= _GAP:
        return [begin, *chosen]
    before = [line for line in chosen if line.index < begin.index]
    after = [line for line in chosen if line.index >= begin.index]
    gap = next((number for number, line in enumerate(after) if number and _apart(reading, after[number - 1], line)), None)
    if gap is None or after[0] is not begin:
        return chosen
    manners = {manner(line) for line in after[:gap]}
    return before + after[:gap] + [line for line in after[gap:] if manner(line) in manners]


def _apart(reading: Reading, one: Line, other: Line) -> bool:
    """Many lines lie between the two, or a heading of further reading."""
    between = reading.lines[one.index + 1 : other.index + 1]
    return len(between) > _GAP or any(furniture.kind(line.text) is Kind.RELATED for line in between)


def _beginning(reading: Reading, summary: str | None) -> Line | None:
    start = _bare(summary or "")[:_SUMMARY]
    if len(start) < _SUMMARY:
        return None
    return next(
        (line for line in reading.lines if line.prose and not line.aside and 0 <= _bare(line.text).find(start) <= _LABEL),
        None,
    )


def matched(lines: list[Line], text: str) -> list[Line]:
    """The lines that stand in another reader's text, which still has the characters that no record may hold."""
    text = _ITEM.sub("", clean(text))
    whole = {_bare(line) for line in text.split("\n")}
    stream = _bare(text)
    bare = ["", *(_bare(line.text) for line in lines), ""]
    around = zip(lines, bare, bare[1:], bare[2:], strict=False)
    return [line for line, before, own, behind in around if own in whole or _stands_in(before, own, behind, stream)]


def _bare(text: str) -> str:
    return "".join(text.split())


def _stands_in(before: str, line: str, behind: str, stream: str) -> bool:
    """A short line, which may stand anywhere, must stand beside one of its neighbours: a reader that gives up gives all text as
    one line."""
    if len(line) >= _SHORT:
        return line in stream
    return (bool(before) and before[-_SHORT:] + line in stream) or (bool(behind) and line + behind[:_SHORT] in stream)


def _overlap(one: set[int], other: set[int], lengths: list[int]) -> float:
    """F1 by characters of two sets of lines."""
    both = sum(lengths[index] for index in one & other)
    return 2 * both / max(1, sum(lengths[index] for index in one) + sum(lengths[index] for index in other))
