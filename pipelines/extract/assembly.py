"""From the lines of one container to an article: paragraphs, captions, bylines and what the furniture said.

The rule of this file: paragraphs of one article stand in one place of the tree. Most of the prose shares one parent (the
column); before its first paragraph and behind its last one a line must prove that it belongs, between them it must
prove that it does not.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from lxml import html

from pipelines.extract import furniture, names
from pipelines.extract.blocks import HEADINGS, LINK_SHARE, Line
from pipelines.extract.folding import fold
from pipelines.extract.furniture import Kind, Place

_FAIR_SHARE = 0.3
"""of the prose of the fullest place: a place with as much is a column too"""
_LEAD = 30
"""characters: a lead is at least a sentence"""
_ABOUT_HALF = 0.4
"""of the article: before it, 相关新闻 is a box inside the text, behind it the text is over"""


_SENTENCE_ENDS = ("。", "！", "？", "…", "”", "!", "?")
_POINTER = re.compile(r"[:：]\s*\S.{7,}")
_HARDLY = 0.1
"""of the prose: what may follow 相关新闻 in the same place (a signature, a note)"""


@dataclass(slots=True)
class Assembly:
    """`kept` are the article's lines, in order; `told` what else the container said, by kind."""

    kept: list[Line] = field(default_factory=list)
    captions: list[Line] = field(default_factory=list)
    bylines: list[Line] = field(default_factory=list)
    told: list[tuple[Kind, str]] = field(default_factory=list)
    selected: int = 0
    """characters of all lines that were given"""


def assemble(lines: list[Line], title: str | None, *, chosen: frozenset[int] | None = None, trusted: bool = False) -> Assembly:
    """The article that stands in `lines`, or in those of them whose index is `chosen`: the others are heard (an editor, a
    heading like 相关新闻), never kept. `trusted` where a layout says that nothing else stands there."""
    result = Assembly(selected=sum(len(line.text) for line in lines))
    candidates = lines if chosen is None else [line for line in lines if line.index in chosen]
    if not candidates:
        return result
    column = _column(candidates)
    folded_title = fold(title or "")
    first, last = _edges(lines, column, chosen, folded_title)
    stop = _stop(lines, first, last)
    begin = _head_end(lines, first, folded_title, chosen, column)
    ending = _ending(lines, first, last)
    for number, line in enumerate(lines):
        place = Place.HEAD if number < first else Place.TAIL if number > last else Place.BODY
        if line.text.isdigit() and _in(line, column):
            place = Place.BODY  # the number of a chapter, above the first one too
        belongs = begin <= number < stop and (trusted or (_belongs(line, column, place) and not _heads_links(lines[number : number + 3])))
        if belongs and chosen is not None and line.index not in chosen:
            belongs = number < last and _is_caption(line)  # readers leave captions out; they are kept apart
        near = Place.TAIL if number >= ending and line.prose else place
        _sort(result, line, near, belongs=belongs, title=folded_title)
    return result


def _sort(result: Assembly, line: Line, place: Place, *, belongs: bool, title: str) -> None:
    told = furniture.kind(line.text, place)
    if told is not None:
        result.told.append((told, line.text))
    elif not belongs or line.aside or _is_link(line) or fold(line.text) == title:
        return
    elif _is_caption(line):
        result.captions.append(line)
    elif furniture.is_byline(line.text) or _is_byline(line.text):
        result.bylines.append(line)
    else:
        result.kept.append(line)


def _belongs(line: Line, column: set[html.HtmlElement], place: Place) -> bool:
    """Between the first and the last paragraph everything but stray counters; outside what stands in the column, and
    sentences: a lead, or a part that many pages set apart."""
    if _in(line, column):
        return True
    if place is Place.BODY:
        return not line.text.isdigit()
    return _solid(line) and len(line.text) >= _LEAD and (place is Place.TAIL or line.linked == 0)


def _heads_links(lines: list[Line]) -> bool:
    """A heading directly above links: that of a box in the text, none of its own."""
    return len(lines) > 2 and not HEADINGS.isdisjoint(lines[0].tags) and _is_link(lines[1]) and _is_link(lines[2])


def _ending(lines: list[Line], first: int, last: int) -> int:
    """The number of the line from which hardly any prose is left: a notice that stands there is one, whoever introduces
    himself below it."""
    left = _HARDLY * sum(len(line.text) for line in lines[first : last + 1] if _solid(line))
    for number in range(last, first, -1):
        left -= len(lines[number].text) if _solid(lines[number]) else 0
        if left <= 0:
            return number + 1
    return last + 1


def _is_link(line: Line) -> bool:
    return line.link_share > LINK_SHARE and not line.prose


def _is_byline(text: str) -> bool:
    """Two or three names set apart by spaces, which the folded rules cannot see."""
    return len(text) <= furniture.BYLINE_LENGTH and text[:1] not in "（(" and not text.endswith(_SENTENCE_ENDS) and bool(names.byline(text))


def _is_caption(line: Line) -> bool:
    return line.caption or "figcaption" in line.tags or furniture.is_caption(line.text)


def _parent(line: Line) -> html.HtmlElement:
    """Where a paragraph stands: the parent of <p>; a line between <br>s stands in its own element."""
    element = line.element
    parent = element.getparent()
    return parent if element.tag in ("p", *HEADINGS) and parent is not None else element


def manner(line: Line) -> tuple[str, ...]:
    """How a line is set: its element and the one around it, by tag and class. Paragraphs of one article are set alike, even
    where each has a box of its own."""
    element, parent = line.element, line.element.getparent()
    around = (parent.tag, parent.get("class") or "") if parent is not None else ()
    return (element.tag, element.get("class") or "", *around)


def _column(lines: list[Line]) -> set[html.HtmlElement]:
    """The places that hold the prose: the fullest, and every place of the same kind with a fair share."""
    prose: Counter[html.HtmlElement] = Counter()
    for line in lines:
        if line.prose and not line.aside:
            prose[_parent(line)] += len(line.text)
            if line.element.tag == "div":
                prose[line.element.getparent()] += len(line.text)
    total = max(prose.values(), default=0)
    return {place for place, length in prose.items() if length >= _FAIR_SHARE * total}


def _edges(lines: list[Line], column: set[html.HtmlElement], chosen: frozenset[int] | None, title: str) -> tuple[int, int]:
    """The first and the last line of prose in the column."""
    inside = [
        number for number, line in enumerate(lines) if (chosen is None or line.index in chosen) and _solid(line) and _in(line, column)
    ]
    if inside:
        return inside[0], inside[-1]
    # no sentence anywhere: verse, a list; it begins behind the header
    return next((number for number, line in enumerate(lines) if not _is_header(line, title)), 0), len(lines) - 1


def _solid(line: Line) -> bool:
    return line.prose and not line.aside and HEADINGS.isdisjoint(line.tags) and furniture.kind(line.text) is None


def _in(line: Line, column: set[html.HtmlElement]) -> bool:
    return _parent(line) in column or line.element.getparent() in column


def _head_end(lines: list[Line], first: int, title: str, chosen: frozenset[int] | None, column: set[html.HtmlElement]) -> int:
    """The number of the first line that may be the article's: behind the last header line above the first paragraph."""
    begin = 0
    for number, line in enumerate(lines[:first]):
        if (chosen is not None and line.index not in chosen) or (line.text.isdigit() and _in(line, column)):
            continue
        if _is_header(line, title):
            begin = number + 1
    return begin


def _is_header(line: Line, title: str) -> bool:
    if furniture.kind(line.text) is not None or _is_link(line):
        return True
    return fold(line.text) == title or line.element.tag == "h1"


def _opens_box(lines: list[Line]) -> bool:
    """A heading that is a link, has one below it, or says itself what there is to read: a box that the text flows around."""
    return any(line.link_share > LINK_SHARE for line in lines) or _POINTER.search(lines[0].text) is not None


def _later(lines: list[Line], number: int, manners: set[tuple[str, ...]]) -> int:
    """Characters of the prose behind a line that is set as before it, without what stands directly below a link each: that
    are the beginnings of other articles, below their headlines."""
    behind = [line for before, line in zip(lines[number:], lines[number + 1 :], strict=False) if _solid(line) and not _is_link(before)]
    return sum(len(line.text) for line in behind if manner(line) in manners)


def _stop(lines: list[Line], first: int, last: int) -> int:
    """The number of the line at which the page goes on to something else: a heading of further reading, about half way down
    at least, unless it opens a box of links after which the prose goes on as it was set so far."""
    total = sum(len(line.text) for line in lines[first : last + 1] if _solid(line))
    seen = 0
    manners: set[tuple[str, ...]] = set()
    for number, line in enumerate(lines):
        if number >= first and _solid(line):
            seen += len(line.text)
            manners.add(manner(line))
        elif seen > _ABOUT_HALF * total and furniture.kind(line.text) is Kind.RELATED:  # noqa: SIM102  # the second asks all lines behind
            if not _opens_box(lines[number : number + 2]) or _later(lines, number, manners) < _HARDLY * total:
                return number
    return len(lines)
