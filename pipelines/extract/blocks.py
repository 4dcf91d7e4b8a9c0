"""The lines of a page, in order, as a reader sees them: what every other file here decides about.

A line ends where a block element begins or ends, at a <br>, and at an indent of two ideographic spaces inside one
paragraph. Each line knows its element, how much of it is link, and what stands around it. One walk over the tree,
iterative, so that depth costs nothing.
"""

from __future__ import annotations

import re
from collections import Counter
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

    def __init__(self) -> None:
        self.reading = Reading()
        self.parts: list[str] = []
        self.linked = self.links = 0
        self.image: str | None = None
        self.open: list[Span] = []
        self.around: Counter[str] = Counter()
        self.asides = 0

    def text(self, text: str | None) -> None:
        if not text:
            return
        self.parts.append(text)
        if self.links:
            self.linked += len(text.strip())

    def end_line(self) -> None:
        if not self.parts:
            return
        raw = "".join(self.parts)
        self.parts.clear()
        if not raw.isspace() and self.open:
            self._add(raw)
        self.linked = 0

    def _add(self, raw: str) -> None:
        pieces = [piece for part in (_INDENT.split(raw) if "\u3000" in raw else (raw,)) if (piece := clean_line(part))]
        tags = frozenset(tag for tag, depth in self.around.items() if depth)
        for piece in pieces:
            linked = self.linked if len(pieces) == 1 else round(self.linked * len(piece) / len(raw))
            lines = self.reading.lines
            lines.append(Line(piece, self.open[-1].element, linked, tags, self.image, len(lines), self.asides > 0))
            self.image = None

    def enter(self, element: html.HtmlElement) -> None:
        self.end_line()
        span = Span(element, len(self.reading.lines), depth=len(self.open))
        self.reading.spans.append(span)
        self.open.append(span)
        if element.tag in _TELLING:
            self.around[element.tag] += 1

    def leave(self) -> None:
        self.end_line()
        span = self.open.pop()
        span.end = len(self.reading.lines)
        if span.element.tag in _TELLING:
            self.around[span.element.tag] -= 1


def read(root: html.HtmlElement) -> Reading:
    """All lines of `root`, itself included, and the span of every block element in document order."""
    walk = _Walk()
    marked: list[html.HtmlElement] = []
    events = etree.iterwalk(root, events=("start", "end"))
    for event, element in events:
        tag = element.tag
        if event == "start":
            if tag in UNREAD:
                events.skip_subtree()
                continue
            if (tag in _ASIDE_TAGS or element.attrib) and _marked(element, tag):
                marked.append(element)
                walk.asides += 1
            _start(walk, element, tag)
            continue
        if tag not in UNREAD:
            _end(walk, tag)
            if marked and marked[-1] is element:
                marked.pop()
                walk.asides -= 1
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
    walk.text(element.text)


def _end(walk: _Walk, tag: str) -> None:
    if tag in BLOCK:
        walk.leave()
    elif tag == "a":
        walk.links -= 1


def _marked(element: html.HtmlElement, tag: str) -> bool:
    """Hidden, or named for what stands beside an article."""
    if tag in _ASIDE_TAGS:
        return True
    attributes = element.attrib
    style = attributes.get("style")
    if (style is not None and _HIDDEN.search(style)) or "hidden" in attributes:
        return True
    if tag not in BLOCK:
        return False
    named, own = attributes.get("class"), attributes.get("id")
    if named is not None and not ASIDE.isdisjoint(named.lower().split()):
        return True
    return own is not None and own.lower() in ASIDE
