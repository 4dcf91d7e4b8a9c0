"""A page read by the layouts of its site: selectors from the seeds file, the first that fits and keeps its text.

A layout says where the body is, so nothing is guessed there; but a layout is also a claim about a site that may have changed
yesterday. It is believed when its body yields a fair share of the page's prose and loses little of what it selected.
Otherwise the page goes on to the next layout, and at last to the consensus.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol, cast

from lxml import etree, html

from pipelines.extract import blocks, consensus, dates, furniture, generic
from pipelines.extract.assembly import Assembly, assemble
from pipelines.extract.blocks import LINK_SHARE, Reading
from pipelines.extract.page import Page
from pipelines.model import Caption, Reason, Rejection
from pipelines.site import Layout, Site, compile_selector
from pipelines.text import line as clean_line
from pipelines.text import presence

KEPT_SHARE = 0.5
"""of the characters that the body selector gave: a layout that loses more has selected something else"""
PROSE_SHARE = 0.1
"""of the page's prose that is neither marked as beside nor a notice: a body with less is not the article's. Low, because
the foot of the real site is as long as a short item."""
_AGREED_SHARE = 0.9
"""of the kept characters that trafilatura must keep for its opinion on the short lines to count"""
_HOLLOW = 60
"""characters outside links that a body without a sentence may hold: a label for a video, a source line"""
_TOPIC_LINKS = 3
_MAX_PHOTOS = 200
"""of one photo set; the largest seen has 40"""


@dataclass(slots=True, kw_only=True)
class Match:
    """What one layout took from a page. The printed fields are raw, None where no selector gave text."""

    layout: Layout
    assembly: Assembly
    title: str | None
    published: str | None
    source: str | None
    author: str | None
    editor: str | None
    section: str | None
    next_href: str | None
    photos: tuple[Caption, ...] = ()


class Misfit(StrEnum):
    """Why a layout does not read a page, in words that follow its name."""

    OTHER_URL = "its `url` does not match the address"
    OTHER_DAY = "the day of the page is not between its `since` and `until`"
    NO_BODY = "its `body` found nothing"
    NO_PHOTOS = "its `photos` found no photo set"
    LITTLE_KEPT = "less than half of what its `body` found is text of an article"
    LITTLE_PROSE = "its `body` found hardly any of the text of the page, and its `title` or `published` nothing"
    BEHIND = "another layout goes before it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a layout makes of a page: `why` it does not read it, None for the one that does, and the fields whose selectors
    found nothing. On a page of another URL or day they were not tried."""

    layout: str
    why: Misfit | None = None
    empty: tuple[str, ...] = ()


PRINTED = ("published", "source", "author", "editor", "section")


def _select(selector: str, root: html.HtmlElement) -> Iterator[object]:
    """What a selector finds, in order; a walk goes on only while it is asked."""
    if (simple := _SIMPLE.fullmatch(selector)) is not None:
        tag, name = simple.groups()
        return (element for element in root.iter(tag) if name is None or _has_class(element, name))
    found = compile_selector(selector)(root)
    return iter(found if isinstance(found, list) else ())


_SIMPLE = re.compile(r"([a-z][a-z0-9]*)(?:\.([A-Za-z_][\w-]*))?", re.ASCII)
"""selectors that the own walk of lxml finds in a tenth of the time that XPath takes: a tag, or a tag with a class"""
_ID = re.compile(r"#([A-Za-z_][\w-]*)", re.ASCII)
_BY_ID = etree.XPath("id($name)")
_CLASS_ENDS = re.compile(r"[ \t\r\n]+")


def _has_class(element: html.HtmlElement, name: str) -> bool:
    given = element.get("class")
    return given is not None and name in given and name in _CLASS_ENDS.split(given)


class Whole(Protocol):
    """The whole page: read when it is asked, and only then."""

    @property
    def reading(self) -> Reading: ...
    @property
    def plain_title(self) -> str | None: ...


def match(page: Page, whole: Whole, site: Site, url: str) -> Match | None:
    """The first layout of the site that fits the page, None where none does. One whose title is there too goes before one
    that only knows the body: generations share the names of their bodies, and later parts of an article have no title."""
    concerned = [(layout, _text(page.root, layout.title)) for layout in site.layouts if _unconcerned(layout, site, url, page) is None]
    found = (_applied(page, whole, layout, title) for layout, title in sorted(concerned, key=lambda one: one[1] is None))
    return next((one for one in found if isinstance(one, Match)), None)


def explain(page: Page, whole: Whole, site: Site, url: str) -> tuple[Fit, ...]:
    """What each layout of the site makes of a page, in the order of the seeds file: for people, at the price of trying all."""
    used = match(page, whole, site, url)
    return tuple(_told(page, whole, layout, _unconcerned(layout, site, url, page), used) for layout in site.layouts)


def _told(page: Page, whole: Whole, layout: Layout, why: Misfit | None, used: Match | None) -> Fit:
    if why is not None:
        return Fit(layout=layout.name, why=why)
    found = _applied(page, whole, layout, _text(page.root, layout.title))
    reads = used is not None and used.layout is layout
    why = found if isinstance(found, Misfit) else None if reads else Misfit.BEHIND
    empty = [name for name in ("title", *PRINTED) if getattr(layout, name) and _text(page.root, getattr(layout, name)) is None]
    return Fit(layout=layout.name, why=why, empty=tuple(empty))


def hollow(page: Page, site: Site, url: str) -> Rejection | None:
    """Why a page is no article although a layout knows it by title and date: its body holds no text. What else stands on
    such a page is furniture, and no reader should be asked to choose the best of it."""
    for layout in site.layouts:
        body = _first_element(page.root, layout.body) if _unconcerned(layout, site, url, page) is None and not layout.photos else None
        if body is None or not (_text(page.root, layout.title) and _text(page.root, layout.published)):
            continue
        lines = blocks.read(_subtree(body, layout)).lines
        links = sum(line.link_share > LINK_SHARE for line in lines)
        if any(line.prose for line in lines) or sum(len(line.text) - line.linked for line in lines) > _HOLLOW:
            return None
        if links >= _TOPIC_LINKS:
            return Rejection(reason=Reason.TOPIC, detail=f"The body of layout {layout.name} holds {links} links and no text.")
        return Rejection(reason=Reason.NO_TEXT, detail=f"The body of layout {layout.name} holds no text.")
    return None


def _unconcerned(layout: Layout, site: Site, url: str, page: Page) -> Misfit | None:
    """Why a layout does not speak of a page; None where it does."""
    if layout.url is not None and not layout.url.search(url):
        return Misfit.OTHER_URL
    if layout.since is None and layout.until is None:
        return None
    day = _page_day(layout, site, url, page)
    return None if day is None or (layout.since or date.min) <= day <= (layout.until or date.max) else Misfit.OTHER_DAY


def _page_day(layout: Layout, site: Site, url: str, page: Page) -> date | None:
    """The day by the URL, else as this layout would print it."""
    matched = site.article_match(url)
    in_url = matched.groupdict().get("date") if matched else None
    moment = dates.first(re.sub(r"\D", "", in_url or "")) or dates.first(_text(page.root, layout.published))
    return moment.at.date() if moment else None


def _applied(page: Page, whole: Whole, layout: Layout, own_title: str | None) -> Match | Misfit:
    body = _first_element(page.root, layout.body)
    if body is None:
        return Misfit.NO_BODY
    photos = _photos(layout, body)
    if layout.photos is not None and not photos:
        return Misfit.NO_PHOTOS
    title = own_title or whole.plain_title
    assembly = Assembly() if photos else _body_lines(body, layout, title)
    text = {name: _text(page.root, getattr(layout, name)) for name in PRINTED}
    proved = bool(own_title and text["published"])
    if not photos and not _kept_enough(assembly):
        return Misfit.LITTLE_KEPT
    if not photos and not (proved or _prose_enough(assembly, whole.reading)):
        return Misfit.LITTLE_PROSE
    return Match(layout=layout, assembly=assembly, title=title, next_href=_href(page.root, layout.next_part), photos=photos, **text)


def _body_lines(body: html.HtmlElement, layout: Layout, title: str | None) -> Assembly:
    subtree = _subtree(body, layout)
    reading = blocks.read(subtree)
    for line in _captions(subtree, reading, layout):
        line.caption = True
    assembly = assemble(reading.lines, title, trusted=True)
    return _second_opinion(subtree, assembly)


def _subtree(body: html.HtmlElement, layout: Layout) -> html.HtmlElement:
    """A copy of the body without what the layout drops, under a name that no reader takes for navigation: the class of
    the real body is "navp c" (DOSSIER 0.1)."""
    copy = deepcopy(body)
    copy.tail = None
    for selector in layout.drop:
        for element in list(_select(selector, copy)):
            if isinstance(element, html.HtmlElement) and element.getparent() is not None:
                element.drop_tree()
    for name in ("class", "id", "style", "hidden"):
        copy.attrib.pop(name, None)
    copy.tag = "div"
    return copy


def _captions(subtree: html.HtmlElement, reading: Reading, layout: Layout) -> list[blocks.Line]:
    marked = {element for selector in layout.caption for element in _select(selector, subtree)}
    return [line for line in reading.lines if line.element in marked]


def _second_opinion(subtree: html.HtmlElement, assembly: Assembly) -> Assembly:
    """Trafilatura over the same subtree decides about lines that are no sentences, if it keeps the sentences. Where there
    are only sentences it is not asked: that is half the time of a page."""
    if all(line.prose for line in assembly.kept):
        return assembly
    root = html.Element("html")
    etree.SubElement(root, "body").append(subtree)
    kept = consensus.matched(assembly.kept, generic.trafilatura_text(root))
    length = sum(len(line.text) for line in assembly.kept)
    if sum(len(line.text) for line in kept) >= _AGREED_SHARE * length:
        known = {line.index for line in kept}
        assembly.kept = [line for line in assembly.kept if line.index in known or line.prose]
    return assembly


def _kept_enough(assembly: Assembly) -> bool:
    kept = sum(len(line.text) for line in assembly.kept or assembly.captions)  # of a photo set only the captions are text
    told = sum(len(text) for _, text in assembly.told) + sum(len(line.text) for line in (*assembly.captions, *assembly.bylines))
    return kept > 0 and kept + told >= KEPT_SHARE * assembly.selected


def _prose_enough(assembly: Assembly, whole: Reading) -> bool:
    """A body whose title and date the layout found as well is believed without: short items are shorter than the foot."""
    kept = sum(len(line.text) for line in assembly.kept)
    prose = (len(line.text) for line in whole.lines if line.prose and not line.aside and furniture.kind(line.text) is None)
    return kept >= PROSE_SHARE * sum(prose)


def _photos(layout: Layout, body: html.HtmlElement) -> tuple[Caption, ...]:
    """The texts and images of a photo set, out of the script that holds them."""
    script = body.text or ""
    found = layout.photos.search(script) if layout.photos is not None else None
    if found is None:
        return ()
    try:
        listed, _ = json.JSONDecoder(strict=False).raw_decode(script, found.start(1))  # whatever the script goes on with
    except (ValueError, RecursionError):
        return ()
    if isinstance(listed, dict):
        listed = next((value for value in listed.values() if isinstance(value, list)), [])
    entries = [entry for entry in listed if isinstance(entry, dict)][:_MAX_PHOTOS] if isinstance(listed, list) else []
    captions = [(_field(entry, layout.photo_text), _field(entry, layout.photo_image)) for entry in entries]
    return tuple(Caption(text=text, image_url=image) for text, image in captions if text)


def _field(entry: dict[object, object], keys: tuple[str, ...]) -> str | None:
    return next(
        (text for key in keys if isinstance(value := entry.get(key), str) and (text := presence(re.sub(r"<[^>]*>", " ", value)))), None
    )


def _first_element(root: html.HtmlElement, selectors: tuple[str, ...]) -> html.HtmlElement | None:
    """What the selectors find first in a page as it was parsed."""
    found = (one for selector in selectors for one in _found(selector, root))
    return next((one for one in found if isinstance(one, html.HtmlElement)), None)


def _found(selector: str, root: html.HtmlElement) -> Iterator[object]:
    """What a selector finds in a page as it was parsed. The first element of an id alone is what the parser noted, and no walk at
    all; it comes once more in its turn, for who asks on. Anchors are noted by their names, too; of several the first is."""
    if (named := _ID.fullmatch(selector)) is not None:
        noted = cast("list[html.HtmlElement]", _BY_ID(root, name=named[1]))
        if not noted:
            return
        if noted[0].get("id") == named[1]:
            yield noted[0]
    yield from _select(selector, root)


def _text(root: html.HtmlElement, selectors: tuple[str, ...]) -> str | None:
    """The text of the first selector that gives any; two spaces stay two, because they separate fields (T3)."""
    for selector in selectors:
        for found in _found(selector, root):
            raw = "".join(found.itertext()) if isinstance(found, html.HtmlElement) else str(found)
            if clean_line(raw):
                return raw.strip()
    return None


def _href(root: html.HtmlElement, selectors: tuple[str, ...]) -> str | None:
    for selector in selectors:
        for found in _found(selector, root):
            href = found.get("href") if isinstance(found, html.HtmlElement) else str(found)
            if href and href.strip() not in ("", "#"):
                return str(href)
    return None
