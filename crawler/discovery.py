"""Bytes to links: what a list, a feed, a sitemap or an index of an archive points to. Pure, and raises on no bytes.

`discover` is the door; lists in HTML and JSON are read here, XML in crawler/feeds.py, CDX in crawler/cdx.py, and which
href becomes a link is decided in crawler/links.py. When a list ends, and what is missing in it, stands in crawler/paging.py.
What may be contacted is checked again at every hop (crawler/guard.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import islice
from typing import cast

from lxml import etree

from crawler import cdx, feeds
from crawler.body import decoded
from crawler.links import OTHER_SCHEME, UNEXPECTED, Basket, Found, Text, clipped, plausible, series
from pipelines.extract.page import bounded
from pipelines.model import Capture, Headers, Hints, Kind, Rejection
from pipelines.site import Site, compile_selector
from pipelines.text import presence
from pipelines.urls import absolute, in_scope, request_url

__all__ = ["Found", "discover", "read_list"]

MAX_TITLE = 300
MAX_ENTRY = 2_000
"""characters of an entry that are searched for its date"""

_OUTSIDE_LINKS = etree.XPath(".//text()[not(ancestor::a)]")
_MARKUP = re.compile(r"<(?:!doctype\s+html|html|head|body|div|ul|ol|li|table|dl|p|a|h\d|span|iframe)\b", re.IGNORECASE)
_DATE = re.compile(
    r"(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?(?:[T ]?\s?\d{1,2}:\d{2}(?::\d{2})?)?"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.? \d{1,2}, (?:19|20)\d{2}"
    r"|(?<!\d)\d{1,2}[-/月]\d{1,2}日?\s\d{1,2}:\d{2}(?::\d{2})?",
)
_CALLBACK = re.compile(r"(?:[\w$.]{1,200}\s{0,9})?(?:\(\s{0,9})?")


def read_list(capture: Capture, site: Site) -> Found | Rejection:
    """What a list that was captured points to, or why its body is not read. Pure; made for a reading process: a list of 8 MiB
    takes some 4 s, and libxml2 has no limit of its own."""
    body = decoded(capture)
    return body if isinstance(body, Rejection) else discover(body, capture.url, capture.kind, site, capture.headers)


def discover(body: bytes, url: str, kind: Kind, site: Site, headers: Headers = ()) -> Found:
    """The links of a page that was fetched as `kind`. `body` has no Content-Encoding left. Never raises.

    An article's `Link.url` is its canonical URL, that of a list or sitemap the URL to ask for.
    """
    reader = _READERS.get(kind)
    if reader is None:
        return Found()
    content_type = next((value for name, value in headers if name.lower() == "content-type"), None)
    return reader(Text(body, content_type), Basket(url, site))


# ---- lists in HTML --------------------------------------------------------------------------------------------------


def _listing(text: Text, basket: Basket) -> Found:
    root = _page(text.decoded())
    if root is None:
        return UNEXPECTED
    _use_base(root, basket)
    entries = _entries(root, basket)
    _gather(root, basket, entries)
    return basket.found(len(entries) or len(basket.links), _next_url(root, basket))


def _page(text: str) -> etree._Element | None:
    return _tree(text) if _MARKUP.search(text[:65_536]) and not text.lstrip().startswith(("<?xml", "{", "[", "(")) else None


def _tree(markup: str) -> etree._Element | None:
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(bounded(markup)[1], parser)
    except (etree.XMLSyntaxError, ValueError, AssertionError):
        return None


def _use_base(root: etree._Element, basket: Basket) -> None:
    """<base href> where it stays on the site: one that points to an internal port must not make us ask there (HAZARDS)."""
    href = next((element.get("href") for element in root.iter("base") if element.get("href")), None)
    base = absolute(basket.url, href) if href else None
    if base and in_scope(base, basket.site):
        basket.base = base


class _Entry:
    """One entry of a list: its date and section are read once, when its first article link is kept."""

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        self._published: str | None = None
        self._is_read = False

    @property
    def published(self) -> str | None:
        if not self._is_read:
            self._is_read = True
            self._published = _listed_date(self.element)
        return self._published

    def section(self, link: etree._Element) -> str | None:
        """The text of the link before this one, where this is the second: as in `[<a>频道</a>] <a>题</a>`."""
        first_two = list(islice((a for a in self.element.iter("a") if a.get("href")), 2))
        return presence(_all_text(first_two[0], MAX_TITLE)) if link in first_two[1:] else None


def _entries(root: etree._Element, basket: Basket) -> dict[etree._Element, _Entry]:
    rule = basket.site.discover.entry
    found = _selected(root, rule) if rule else []
    return {element: _Entry(element) for element in found if isinstance(element, etree._Element)}


def _gather(root: etree._Element, basket: Basket, entries: dict[etree._Element, _Entry]) -> None:
    for element in root.iter("a", "area", "iframe", "frame"):
        if basket.full():
            return
        href = element.get("href") if element.tag in ("a", "area") else element.get("src")
        if href:
            basket.offer(href, lambda element=element: _hints(element, basket.url, entries))  # type: ignore[misc]


def _hints(link: etree._Element, via: str, entries: dict[etree._Element, _Entry]) -> Hints:
    entry = next((entries[above] for above in link.iterancestors() if above in entries), None) if entries else None
    title = presence(_all_text(link, MAX_TITLE)) or presence(link.get("title"))
    if entry is None:
        return Hints(via=via, title=title)
    return Hints(via=via, title=title, published=entry.published, section=entry.section(link))


def _listed_date(entry: etree._Element) -> str | None:
    """The first date of an entry; where there are several, the first outside its links: headlines hold dates too."""
    dates = _dates(_all_text(entry, MAX_ENTRY))
    if len(dates) > 1:
        dates = _dates(clipped((str(text) for text in cast("list[object]", _OUTSIDE_LINKS(entry))), MAX_ENTRY)) or dates
    return dates[0] if dates else None


def _dates(text: str) -> list[str]:
    return [match[0] for match in _DATE.finditer(text)]


def _all_text(element: etree._Element, longest: int) -> str:
    return clipped((str(text) for text in element.itertext()), longest)


def _selected(root: etree._Element, selector: str) -> list[object]:
    """What a checked selector gives on this page; nothing, where it can only fail on it."""
    try:
        result = compile_selector(selector)(root)
    except etree.XPathError:
        return []
    return cast("list[object]", result)


def _next_url(root: etree._Element, basket: Basket) -> str | None:
    """The list's next page: None at the end, where its href is empty, leads to this page again or leaves the site."""
    for selector in basket.site.discover.next_page:
        for node in _selected(root, selector)[:1]:
            href = _href(node).strip()
            url = _next_of(href, basket) if href and not OTHER_SCHEME.match(href) else None
            return request_url(url) if url and _leads_on(url, basket) else None
    return None


def _href(node: object) -> str:
    if not isinstance(node, etree._Element):
        return str(node)
    link = node if node.get("href") is not None else next(node.iter("a"), node)
    return link.get("href") or ""


def _next_of(href: str, basket: Basket) -> str | None:
    """A relative "next page" may belong to another host (DOSSIER 0.6). One that is plainly a page of the list at hand
    (index_2.shtml, or a file beside it in a folder of its own) stays with it; the rest is joined to `next_base`."""
    here = absolute(basket.base, href)
    if re.match(r"https?:|//", href, re.IGNORECASE) or here is None:
        return here
    other = basket.site.discover.next_base.get(basket.url.partition("://")[2].partition("/")[0])
    if other is None or series(here) == series(basket.url) or _folder(here) == _folder(basket.url) != "/":
        return here
    return absolute(other, href)


def _folder(url: str) -> str:
    path = "/" + url.partition("?")[0].partition("://")[2].partition("/")[2]
    return path[: path.rindex("/") + 1]


def _leads_on(url: str, basket: Basket) -> bool:
    return in_scope(url, basket.site) and plausible(url) and request_url(url) != request_url(basket.url)


# ---- lists in JSON --------------------------------------------------------------------------------------------------


def _jsonp(text: Text, basket: Basket) -> Found:
    """`CB(["<li>…</li>", …])`, `(["…"])` or the bare array; each string is one entry, parsed alone."""
    items = _array(text.decoded())
    if items is None:
        return UNEXPECTED
    fragments = [item for item in items if isinstance(item, str)]
    for item in fragments:
        root = None if basket.full() else _tree(f"<div>{item}</div>")
        if root is not None:
            _gather(root, basket, {root: _Entry(root)})
    return basket.found(len(fragments))


def _array(text: str) -> list[object] | None:
    head, bracket, rest = text.strip().partition("[")
    if not bracket or not _CALLBACK.fullmatch(head):
        return None
    tail = rest.rstrip(";").rstrip()
    try:
        items = json.loads("[" + (tail.removesuffix(")") if head else tail), strict=False)
    except (ValueError, RecursionError):
        return None
    return items if isinstance(items, list) else None


_READERS: dict[Kind, Callable[[Text, Basket], Found]] = {
    Kind.LISTING: _listing,
    Kind.JSONP: _jsonp,
    Kind.FEED: feeds.feed,
    Kind.SITEMAP: feeds.sitemap,
    Kind.CDX: cdx.index,
}
