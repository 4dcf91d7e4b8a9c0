"""The lines of a page, in order, as a reader sees them: what every other file here decides about.

A line ends where a block element begins or ends, at a <br>, and at an indent of two ideographic spaces inside one
paragraph. Each line knows its element, how much of it is link, and what stands around it. One walk over the tree,
iterative, so that depth costs nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree, html

from pipelines.text import line as clean_line

_UNREAD = """
    script style noscript template svg math iframe object embed applet select option datalist textarea button input head
    title meta link audio video canvas map area dialog
"""
_BLOCKS = """
    address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul
"""
UNREAD, BLOCK = frozenset(_UNREAD.split()), frozenset(_BLOCKS.split())
_SILENT, _BLOCK, _LINK, _IMAGE, _BREAK = "silent", "block", "link", "image", "break"
_SORTS = {**dict.fromkeys(UNREAD, _SILENT), **dict.fromkeys(BLOCK, _BLOCK), "a": _LINK, "img": _IMAGE, "br": _BREAK}
"""what an element does to a line; all others only hold a part of it"""
_BREAKS = frozenset((_IMAGE, _BREAK))
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_TELLING = HEADINGS | {"figcaption"}
# Exact class or id tokens of what stands beside an article. Anything broader loses text (substring pruning took Chinese
# pages from F1 .912 to .892): "navp" is an article's body on the very site that this is for.
_ASIDE = """
    ad ads adv advert advertisement aside author-card bdsharebuttonbox bottom-bar breadcrumb breadcrumbs comment comment-area
    comment-box comment-list commentlist comments comments-area copyright crumb crumbs disclaimer disqus_thread download-app
    error_box foot footer guanggao guess hot-news hotnews keywords login login-box menu mianze modal nav navbar navigation
    newsletter overlay pager pagination paging pinglun popup promo qrcode rank ranking recommend recommend-list recommended
    related related-articles related-news related-posts relate relatednews relation reply replies report share share-bar
    share-box sharebar side sidebar site-footer site-header social subscribe tags toolbar top-bar topbar topnav tuijian
    weixin wechat xgbd xgxw xgyd
"""
ASIDE = frozenset(_ASIDE.split())
_ASIDE_TAGS = frozenset(("aside", "nav", "footer", "menu"))
_INDENT = re.compile("(?<=\\S)[ \t\r\n\u00a0]*\u3000{2,}")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


STOPS = re.compile(r"[，。！？；…：]|[,.;:!?](?=\s|$|[\"'”’)])")
"""the punctuation of sentences"""
LINK_SHARE = 0.5
"""A line of which more than this share is link is a link."""
SHORT = 12
"""characters: captions of buttons, dates and menu entries are shorter; most sentences are not"""


@dataclass(slots=True, eq=False)
class Line:
    """`linked` counts the characters inside <a>; `image` is the source of an image that stands directly before, `tags` those
    of the elements around that tell what a line is (headings, captions); `aside` says that the page itself marks the
    line as hidden or as no article, `caption` that a layout calls it one."""

    text: str
    element: html.HtmlElement
    linked: int = 0
    tags: frozenset[str] = frozenset()
    image: str | None = None
    index: int = 0
    aside: bool = False
    caption: bool = False
    link_share: float = field(init=False)
    prose: bool = field(init=False)
    """a sentence or more: punctuated, longer than a label, mostly unlinked"""

    def __post_init__(self) -> None:
        self.link_share = min(1.0, self.linked / max(1, len(self.text)))
        self.prose = self.link_share <= LINK_SHARE and len(self.text) > SHORT and STOPS.search(self.text) is not None


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

    __slots__ = ("around", "asides", "image", "linked", "links", "marked", "open", "parts", "reading", "tags")

    def __init__(self) -> None:
        self.reading = Reading()
        self.parts: list[str] = []
        self.linked = self.links = self.asides = 0
        self.image: str | None = None
        self.open: list[Span] = []
        self.marked: list[html.HtmlElement] = []
        self.around: Counter[str] = Counter()
        self.tags: frozenset[str] = frozenset()

    def start(self, element: html.HtmlElement, tag: str, sort: str | None) -> None:
        names = element.keys()
        if (names and _marked(element, sort, names)) or tag in _ASIDE_TAGS:
            self.marked.append(element)
            self.asides += 1
        if sort == _LINK:
            self.links += 1
        elif sort is not None:
            self._begin(element, tag, sort)
        if text := element.text:
            self.text(text)

    def _begin(self, element: html.HtmlElement, tag: str, sort: str) -> None:
        if self.parts:
            self.end_line()
        if sort == _IMAGE:
            self.image = element.get("src") or element.get("data-src") or ""
        elif sort == _BLOCK:
            span = Span(element, len(self.reading.lines), depth=len(self.open))
            self.reading.spans.append(span)
            self.open.append(span)
            if tag in _TELLING:
                self._tell(tag, 1)

    def end(self, element: html.HtmlElement, tag: str, sort: str | None) -> None:
        if sort == _BLOCK:
            if self.parts:
                self.end_line()
            self.open.pop().end = len(self.reading.lines)
            if tag in _TELLING:
                self._tell(tag, -1)
        elif sort == _LINK:
            self.links -= 1
        if self.marked and self.marked[-1] is element:
            self.marked.pop()
            self.asides -= 1

    def _tell(self, tag: str, step: int) -> None:
        self.around[tag] += step
        self.tags = frozenset(name for name, count in self.around.items() if count)

    def text(self, text: str) -> None:
        self.parts.append(text)
        if self.links:
            self.linked += len(text.strip())

    def end_line(self) -> None:
        raw = "".join(self.parts)
        self.parts.clear()
        if self.open and not raw.isspace() and (pieces := _pieces(raw)):
            lines, element = self.reading.lines, self.open[-1].element
            for piece in pieces:
                linked = self.linked if len(pieces) == 1 else round(self.linked * len(piece) / len(raw))
                lines.append(Line(piece, element, linked, self.tags, self.image, len(lines), self.asides > 0))
                self.image = None
        self.linked = 0


def _pieces(raw: str) -> list[str]:
    """The clean lines in the text between two breaks."""
    parts = _INDENT.split(raw) if "\u3000\u3000" in raw.strip() else (raw,)
    return [piece for part in parts if (piece := clean_line(part))]


def read(root: html.HtmlElement) -> Reading:
    """All lines of `root`, itself included, and the span of every block element in document order."""
    walk = _Walk()
    events = etree.iterwalk(root, events=("start", "end"))
    for event, element in events:
        tag = element.tag
        sort = _SORTS.get(tag)
        if event == "start":
            if sort == _SILENT:
                events.skip_subtree()
            else:
                walk.start(element, tag, sort)
            continue
        if sort != _SILENT:
            walk.end(element, tag, sort)
        if element is not root and (tail := element.tail):
            walk.text(tail)
    return walk.reading


def upward(root: html.HtmlElement) -> Iterator[str]:
    """The texts of the lines that `read` finds, from the last to the first, each read only when it is asked for: what stands
    at the foot of a page is found without reading the page."""
    parts: list[str] = []
    depth = 0
    waiting = [(root, False)]
    while waiting:
        element, inside = waiting.pop()
        sort = _SORTS.get(element.tag)
        text = element.text if inside else element.tail if element is not root else None
        if text:
            parts.append(text)
        if not inside:
            if sort == _SILENT:
                continue
            waiting.append((element, True))
            waiting.extend((child, False) for child in element)
        if sort == _BLOCK or (inside and sort in _BREAKS):
            if depth and parts:
                yield from reversed(_pieces("".join(reversed(parts))))
            parts.clear()
            depth += 0 if sort != _BLOCK else -1 if inside else 1


def _marked(element: html.HtmlElement, sort: str | None, names: list[str]) -> bool:
    """Hidden, or named for what stands beside an article."""
    if "hidden" in names or ("style" in names and _HIDDEN.search(element.get("style"))):
        return True
    if sort != _BLOCK:
        return False
    if "class" in names and not ASIDE.isdisjoint(element.get("class").lower().split()):
        return True
    return "id" in names and element.get("id").lower() in ASIDE
