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
_SENTENCE_END = re.compile(r"[.!?。！？…][\"'”’）)]*$")
_LINKED_LABEL = re.compile(r"[^.!?,:：]{2,24}[:：]\s?")
"""what stands before a link to further reading ("Also: …")"""
_SENTENCE = 30
"""characters: a sentence that is mostly link is at least as long"""
_WHOLE = 0.995
"""Of a line that is link to a greater share nothing stands beside the link."""
_HARDLY = 0.03
"""of the prose: what may follow 相关新闻 in the same place (a signature, a note)"""
_LITTLE = 0.1
"""of the prose: behind what leaves no more of it, an article ends"""


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
    manners = {manner(line) for line in candidates if _solid(line) and _in(line, column)}
    sentences = {line.index for line in lines if _is_linked_sentence(line, manners)}
    begin = _head_end(lines, first, folded_title, {line.index for line in candidates} - sentences, column)
    ending = _ending(lines, first, last)
    boxes = {} if trusted else _boxes(lines[begin:stop], column, manners)
    for number, line in enumerate(lines):
        place = Place.HEAD if number < first else Place.TAIL if number > last else Place.BODY
        if line.text.isdigit() and _in(line, column):
            place = Place.BODY  # the number of a chapter, above the first one too
        is_own = (_belongs(line, column, place) and not _heads_links(lines[number : number + 3])) or _heads(
            lines[number : number + 2], column, place
        )
        belongs = begin <= number < stop and (trusted or is_own) and not boxes.get(line.index, False)
        if belongs and chosen is not None and line.index not in chosen:
            # readers leave captions out, which are kept apart, and sentences that are mostly link
            belongs = number < last and (_is_caption(line, column) or (first < number and line.index in sentences))
        linked = _is_link(line) and line.index not in boxes and line.index not in sentences
        near = Place.TAIL if number >= ending and line.prose else place
        _sort(result, line, near, column, belongs=belongs and not linked, title=folded_title)
    if not trusted:
        result.kept = _without_pull_quotes(result.kept, column)
    return result


def _without_pull_quotes(kept: list[Line], column: set[html.HtmlElement]) -> list[Line]:
    """Without what is set apart from the column and only repeats a part of one of its paragraphs."""
    apart = [line for line in kept if len(line.text) >= _QUOTED and _is_set_apart(line, column)]
    if not apart:
        return kept
    text = "\n".join(line.text for line in kept if not _is_set_apart(line, column))
    repeated = {line.index for line in apart if line.text.strip(_QUOTES) in text}
    return [line for line in kept if line.index not in repeated]


def _is_set_apart(line: Line, column: set[html.HtmlElement]) -> bool:
    return not _in(line, column) or _parent(line).tag == "blockquote"


_QUOTED = 20
"""characters: what is shorter may be said twice"""
_QUOTES = " \"'“”‘’«»„."


def _sort(result: Assembly, line: Line, place: Place, column: set[html.HtmlElement], *, belongs: bool, title: str) -> None:
    told = furniture.kind(line.text, place)
    if told is not None:
        result.told.append((told, line.text))
    elif not belongs or line.aside or fold(line.text) == title:
        return
    elif _is_caption(line, column):
        result.captions.append(line)
    elif (place is not Place.BODY or HEADINGS.isdisjoint(line.tags)) and (furniture.is_byline(line.text) or _is_byline(line.text)):
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
    left = _LITTLE * sum(len(line.text) for line in lines[first : last + 1] if _solid(line))
    for number in range(last, first, -1):
        left -= len(lines[number].text) if _solid(lines[number]) else 0
        if left <= 0:
            return number + 1
    return last + 1


def _heads(lines: list[Line], column: set[html.HtmlElement], place: Place) -> bool:
    """Whether the first of two lines is the heading of the second, in a part of the article that is set apart: the entries of a
    live report, the pictures of a series."""
    return (
        place is Place.TAIL
        and len(lines) > 1
        and not HEADINGS.isdisjoint(lines[0].tags)
        and lines[0].element.getparent() in (lines[1].element.getparent(), *lines[1].element.iterancestors())
        and _solid(lines[1])
        and _belongs(lines[1], column, place)
    )


def _is_link(line: Line) -> bool:
    return line.link_share > LINK_SHARE and not line.prose


def _is_linked_sentence(line: Line, manners: set[tuple[str, ...]]) -> bool:
    """A sentence, set as the others are, that is mostly link, but not all of it, and no label with a link behind."""
    return (
        LINK_SHARE < line.link_share < _WHOLE
        and len(line.text) >= _SENTENCE
        and _SENTENCE_END.search(line.text) is not None
        and _LINKED_LABEL.match(line.text) is None
        and manner(line) in manners
    )


def _boxes(lines: list[Line], column: set[html.HtmlElement], manners: set[tuple[str, ...]]) -> dict[int, bool]:
    """Of the lines that stand in boxes of their own beside the column, by their numbers: whether the box is one of links, or a
    form. A list is a box, too: what is linked of its items belongs to it like the others."""
    around = {ancestor for place in column for ancestor in place.iterancestors()} | column
    members: dict[html.HtmlElement, list[Line]] = {}
    for line in lines:
        if line.element in around or (line.element.tag in ("p", *HEADINGS) and line.element.getparent() in around):
            continue
        box = line.element
        while (parent := box.getparent()) is not None and parent not in around:
            box = parent
        members.setdefault(box, []).append(line)
    return {
        line.index: beside
        for box, inside in members.items()
        for beside in (_is_beside(box, inside, manners),)
        if beside or box.tag in _LISTS
        for line in inside
    }


_LISTS = frozenset(("ul", "ol"))


def _is_beside(box: html.HtmlElement, lines: list[Line], manners: set[tuple[str, ...]]) -> bool:
    """Links for the most part; or an advertisement: a form or a notice among lines that are set as none of the text is."""
    linked, whole = sum(line.linked for line in lines), sum(len(line.text) for line in lines)
    if len(lines) > 1 and linked > LINK_SHARE * whole:
        return True
    advertises = next(box.iter("form", "textarea"), None) is not None or any(furniture.kind(line.text) is Kind.NOTICE for line in lines)
    return advertises and all(manner(line) not in manners for line in lines)


def _is_byline(text: str) -> bool:
    """Two or three names set apart by spaces, which the folded rules cannot see."""
    return len(text) <= furniture.BYLINE_LENGTH and text[:1] not in "（(" and not text.endswith(_SENTENCE_ENDS) and bool(names.byline(text))


def _is_caption(line: Line, column: set[html.HtmlElement]) -> bool:
    return line.caption or "figcaption" in line.tags or furniture.is_caption(line.text) or _is_called_caption(line, column)


def _is_called_caption(line: Line, column: set[html.HtmlElement]) -> bool:
    """Whether the class of a line's element, or of the one around it, is that of a caption or of a picture's credit."""
    if len(line.text) > _LONGEST_CAPTION:
        return False
    near = (line.element, line.element.getparent())
    return any(element is not None and element not in column and _CAPTION_CLASS.search(element.get("class") or "") for element in near)


_LONGEST_CAPTION = 400
_CAPTION_CLASS = re.compile(
    r"(?:(?:^|[\s_-])caption|[a-z]Caption)(?:[_-]?(?:text|content|inner))?(?=\s|$)|(?:(?:^|[\s_-])credit|[a-z]Credit)(?=\s|$)"
)


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


def _head_end(lines: list[Line], first: int, title: str, heard: set[int], column: set[html.HtmlElement]) -> int:
    """The number of the first line that may be the article's: behind the last header line above the first paragraph. Only
    the lines that are `heard`, by their indices, can be one."""
    begin = 0
    for number, line in enumerate(lines[:first]):
        if line.index not in heard or (line.text.isdigit() and _in(line, column)):
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


def _are_apart(before: list[Line], behind: list[Line]) -> bool:
    """Whether all prose of the one stands in <article> elements of which none holds any of the other: a stream of articles."""
    one, other = ({next(line.element.iterancestors("article"), None) for line in lines if _solid(line)} for lines in (before, behind))
    return bool(one and other) and None not in one | other and one.isdisjoint(other)


def _points_on(line: Line) -> bool:
    """A label with the link to one other article behind it, in the middle of a text ("Also read: …")."""
    return line.link_share > LINK_SHARE / 2 and line.linked < len(line.text)


def _opens_boilerplate(lines: list[Line]) -> bool:
    """Where a press release goes on to who sent it: "About X" above a paragraph that begins with X."""
    about = _ABOUT.fullmatch(lines[0].text) if len(lines) > 1 else None
    return about is not None and lines[1].text.startswith(about[1].split()[0])


_ABOUT = re.compile(r"About (?:[Tt]he )?([A-Z0-9].{1,60}?):?")


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
        elif seen and furniture.kind(line.text) is Kind.RELATED:
            goes_on = _points_on(line) or (_opens_box(lines[number : number + 2]) and _later(lines, number, manners) >= _HARDLY * total)
            if _are_apart(lines[first:number], lines[number:]) or (seen > _ABOUT_HALF * total and not goes_on):
                return number
        elif seen > _ABOUT_HALF * total and _opens_boilerplate(lines[number : number + 2]):
            return number
    return len(lines)
