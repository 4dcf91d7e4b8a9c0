"""How these tests read the replica's pages: with the selectors of the unchanged seeds files, and nothing of the extractor.

Rule of this file: it is a second opinion. Nothing from pipelines.extract is used here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from lxml import html

from pipelines.site import Layout, Site, compile_selector, load_site
from tests.replica.directory import directory
from tests.replica.resource import Resource
from tests.replica.truth import TrueArticle

SEEDS = Path(__file__).parents[2] / "seeds"
TICK = 7


@functools.cache
def site(name: str) -> Site:
    return load_site(SEEDS / f"{name}.toml")


@functools.cache
def layout(name: str) -> Layout:
    layouts = (*site("china_tech").layouts, *site("china_org_cn").layouts)
    return next(layout for layout in layouts if layout.name == name)


def resource(url: str, day: int = 0) -> Resource:
    found = directory(day).find(url)
    assert found is not None, url
    return found


def body(url: str, day: int = 0, tick: int = TICK) -> bytes:
    return resource(url, day).make(tick)


def text(url: str, day: int = 0, tick: int = TICK) -> str:
    charset = "gb18030" if resource(url, day).content_type == "text/html" else "utf-8"
    return body(url, day, tick).decode(charset, "replace")


def root(url: str, day: int = 0) -> html.HtmlElement:
    return parse(text(url, day))


def parse(markup: str) -> html.HtmlElement:
    return cast("html.HtmlElement", html.document_fromstring(markup))


def select(element: html.HtmlElement, selectors: tuple[str, ...]) -> list[str]:
    """The texts of the first selector that gives any."""
    for selector in selectors:
        if found := [_flat(one) for one in _found(element, selector)]:
            return found
    return []


def _found(element: html.HtmlElement, selector: str) -> list[html.HtmlElement | str]:
    return cast("list[html.HtmlElement | str]", compile_selector(selector)(element))


def _flat(found: html.HtmlElement | str) -> str:
    return str(found).strip() if isinstance(found, str) else found.text_content().strip()


def elements(element: html.HtmlElement, selectors: tuple[str, ...]) -> list[html.HtmlElement]:
    found = (one for selector in selectors for one in _found(element, selector))
    return [one for one in found if not isinstance(one, str)]


def paragraphs(url: str, rules: Layout, day: int = 0) -> list[str]:
    """The lines of the body without what the layout drops, calls a caption, or holds in a table."""
    (main, *_) = elements(root(url, day), rules.body)
    for unwanted in (*elements(main, rules.drop), *elements(main, rules.caption), *main.iter("table")):
        if unwanted.getparent() is not None:
            unwanted.drop_tree()
    for line_break in main.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    lines = re.split(r"[\n\r]+", main.text_content().replace("\ufffd", ""))
    return [stripped for line in lines if (stripped := line.strip("　 \t"))]


def hrefs(url: str, day: int = 0) -> Iterator[str]:
    for element in root(url, day).iter("a"):
        yield element.get("href", "")


def shown_whole(true: TrueArticle) -> tuple[str, ...]:
    """What the pages of an article show beside its paragraphs: the inner source and the notice about the pictures."""
    first = (f"来源：{true.source}",) if true.variant == "inner-source" else ()
    return (*first, *true.paragraphs, *filter(None, [true.image_notice]))
