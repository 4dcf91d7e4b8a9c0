"""The lines of a page, in order, as a reader sees them: what every other file here decides about.

A line ends where a block element begins or ends, at a <br>, and at an indent of two ideographic spaces inside one
paragraph. Each line knows its element, how much of it is link, and what stands around it. One walk over the tree,
iterative, so that depth costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree, html

from pipelines.text import line as clean_line

_UNREAD = """
    script style noscript template svg math iframe object embed applet select option datalist textarea button input head
    title meta link audio video canvas map area dialog
"""
_BLOCK = """
    address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul
"""
UNREAD, BLOCK = frozenset(_UNREAD.split()), frozenset(_BLOCK.split())
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_INDENT = re.compile("(?<=\\S)[ \t\r\n\u00a0]*\u3000{2,}")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Line:
    """`linked` counts the characters inside <a>; `image` is the source of an image that stands directly before."""

    text: str
    element: html.HtmlElement
    linked: int = 0
    tags: frozenset[str] = frozenset()
    image: str | None = None
    bold: int = 0
    index: int = 0

    @property
    def link_share(self) -> float:
        return min(1.0, self.linked / max(1, len(self.text)))


@dataclass(slots=True)
class Span:
    """The lines of one block element: [start, end)."""

    element: html.HtmlElement
    start: int
    end: int = 0
    depth: int = 0


@dataclass(slots=True)
class Reading:
    lines: list[Line] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


class _Walk:
    """The state of one walk: the line being gathered and the elements open around it."""

    def __init__(self) -> None:
        self.reading = Reading()
        self.parts: list[str] = []
        self.linked = self.bold = 0
        self.links = self.strong = 0
        self.image: str | None = None
        self.open: list[Span] = []
        self.around: list[str] = []

    def text(self, text: str | None) -> None:
        if not text:
            return
        self.parts.append(text)
        if self.links:
            self.linked += len(text.strip())
        if self.strong:
            self.bold += len(text.strip())

    def end_line(self) -> None:
        if not self.parts:
            return
        raw = "".join(self.parts)
        self.parts.clear()
        if not raw.isspace() and self.open:
            self._add(raw)
        self.linked = self.bold = 0

    def _add(self, raw: str) -> None:
        pieces = [piece for part in _INDENT.split(raw) if (piece := clean_line(part))]
        tags = frozenset(self.around)
        for piece in pieces:
            share = len(piece) / max(1, len(raw))
            linked, bold = (self.linked, self.bold) if len(pieces) == 1 else (round(self.linked * share), round(self.bold * share))
            lines = self.reading.lines
            lines.append(Line(piece, self.open[-1].element, linked, tags, self.image, bold, len(lines)))
            self.image = None

    def enter(self, element: html.HtmlElement) -> None:
        self.end_line()
        span = Span(element, len(self.reading.lines), depth=len(self.open))
        self.reading.spans.append(span)
        self.open.append(span)
        self.around.append(element.tag)

    def leave(self) -> None:
        self.end_line()
        self.open.pop().end = len(self.reading.lines)
        self.around.pop()


def read(root: html.HtmlElement) -> Reading:
    """All lines of `root`, itself included, and the span of every block element in document order."""
    walk = _Walk()
    events = etree.iterwalk(root, events=("start", "end"))
    for event, element in events:
        tag = element.tag
        if event == "start":
            if tag in UNREAD or _hidden(element):
                events.skip_subtree()
                continue
            _start(walk, element, tag)
        else:
            if tag not in UNREAD and not _hidden(element):
                _end(walk, tag)
            if element is not root:
                walk.text(element.tail)
    return walk.reading


def _start(walk: _Walk, element: html.HtmlElement, tag: str) -> None:
    if tag in BLOCK:
        walk.enter(element)
    elif tag == "br":
        walk.end_line()
    elif tag == "img":
        walk.end_line()
        walk.image = element.get("src") or element.get("data-src") or ""
    elif tag == "a":
        walk.links += 1
    elif tag in ("b", "strong"):
        walk.strong += 1
    walk.text(element.text)


def _end(walk: _Walk, tag: str) -> None:
    if tag in BLOCK:
        walk.leave()
    elif tag == "a":
        walk.links -= 1
    elif tag in ("b", "strong"):
        walk.strong -= 1


def _hidden(element: html.HtmlElement) -> bool:
    style = element.get("style")
    return (style is not None and _HIDDEN.search(style) is not None) or element.get("hidden") is not None
