"""Layouts on whole pages are in tests/pages; here is when a layout is believed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

import pytest

from pipelines.extract import blocks, layouts, page
from pipelines.extract.blocks import Reading
from pipelines.extract.layouts import Fit, Match, Misfit
from pipelines.extract.page import Page
from pipelines.site import Layout, Site, compile_selector, generic_site

P = "春分那天，河岸小镇的工程师们把第一台潮汐发电样机放进水里，岸上站满了拿着热水瓶的老人。"
ONE = Layout(
    name="one", title=("h1",), body=("#main",), published=(".time",), drop=(".ad",), caption=("p[align=center]",), next_part=("a.next",)
)


@dataclass
class Whole:
    """The whole page, and how often it was read."""

    page: Page
    plain_title: str | None = None
    read: int = 0

    @property
    def reading(self) -> Reading:
        self.read += 1
        return blocks.read(self.page.root)


def matched(body: str, *found: Layout, url: str = "http://e.org/2026/a.html") -> Match | None:
    parsed = page.parse(f"<html><body>{body}</body></html>", url)
    assert parsed is not None
    return layouts.match(parsed, Whole(parsed), site(*found), url)


def told(body: str, *found: Layout, url: str = "http://e.org/2026/a.html") -> tuple[Fit, ...]:
    parsed = page.parse(f"<html><body>{body}</body></html>", url)
    assert parsed is not None
    return layouts.explain(parsed, Whole(parsed), site(*found), url)


def site(*found: Layout) -> Site:
    return replace(generic_site(), layouts=found)


def kept(found: Match | None) -> list[str]:
    assert found is not None
    return [line.text for line in found.assembly.kept]


def test_the_body_is_what_the_layout_selects_under_any_class() -> None:
    assert kept(matched(f'<h1>题</h1><div id=main class="navp c"><p>{P}</p></div><p>{P}</p>', ONE)) == [P]


def test_what_a_layout_drops_is_dropped_and_its_captions_are_apart() -> None:
    found = matched(f"<h1>题</h1><div id=main><p>{P}</p><p align=center>老人与样机</p><div class=ad>{P}</div></div>", ONE)
    assert kept(found) == [P]
    assert found is not None
    assert [line.text for line in found.assembly.captions] == ["老人与样机"]


def test_a_page_without_the_body_falls_through() -> None:
    assert matched(f"<h1>题</h1><div id=other><p>{P}</p></div>", ONE) is None


def test_a_body_with_hardly_any_of_the_prose_falls_through() -> None:
    assert matched(f"<div id=main>河岸</div><div>{f'<p>{P}</p>' * 5}</div>", ONE) is None


def test_a_short_body_is_believed_when_title_and_date_are_there() -> None:
    body = f"<h1>题</h1><span class=time>2026-03-01</span><div id=main><p>今天停航。</p></div><div>{f'<p>{P}</p>' * 5}</div>"
    assert kept(matched(body, ONE)) == ["今天停航。"]


def test_a_body_that_is_mostly_links_falls_through() -> None:
    links = "".join(f"<li><a href=/{number}>昨日旧闻第{number}条的标题</a></li>" for number in range(20))
    assert matched(f"<h1>题</h1><div id=main><p>一句短短的话，没了。</p><ul>{links}</ul></div>", ONE) is None


def test_the_first_layout_wins_and_one_with_a_title_goes_before_one_without() -> None:
    other = replace(ONE, name="other", title=("h2",))
    assert (found := matched(f"<h1>题</h1><div id=main><p>{P}</p></div>", ONE, other)) is not None
    assert found.layout.name == "one"
    assert (found := matched(f"<h2>题</h2><div id=main><p>{P}</p></div>", ONE, other)) is not None
    assert found.layout.name == "other"


@pytest.mark.parametrize(
    ("time", "fits"), [("2015-12-31", False), ("2016-01-01", True), ("2020-06-30", True), ("2020-07-01", False), ("", True)]
)
def test_dates_bound_a_layout_where_the_page_has_one(time: str, fits: bool) -> None:
    dated = replace(ONE, since=date(2016, 1, 1), until=date(2020, 6, 30))
    found = matched(f"<h1>题</h1><span class=time>{time}</span><div id=main><p>{P}</p></div>", dated)
    assert (found is not None) is fits


def test_a_url_rule_bounds_a_layout() -> None:
    only = replace(ONE, url=re.compile(r"/2025/"))
    assert matched(f"<h1>题</h1><div id=main><p>{P}</p></div>", only) is None
    assert matched(f"<h1>题</h1><div id=main><p>{P}</p></div>", only, url="http://e.org/2025/a.html") is not None


@pytest.mark.parametrize(("href", "found_href"), [("a_2.html", "a_2.html"), ("#", None), ("", None)])
def test_the_next_part_is_a_link_that_goes_somewhere(href: str, found_href: str | None) -> None:
    found = matched(f"<h1>题</h1><div id=main><p>{P}</p></div><a class=next href='{href}'>></a>", ONE)
    assert found is not None
    assert found.next_href == found_href


PHOTOS = replace(ONE, body=("script",), photos=re.compile(r"pics\s*=\s*([\[{])"))


@pytest.mark.parametrize(
    ("script", "texts"),
    [
        ('pics = {"list":[{"note":"一。","image":"a.jpg"},{"note":"<b>二</b>。"}]}; var x = {};', ["一。", "二 。"]),
        ('pics = [{"detail":"一。","bigPic":"a.jpg"}]; more();', ["一。"]),
    ],
)
def test_a_photo_sets_text_stands_in_its_script(script: str, texts: list[str]) -> None:
    found = matched(f"<h1>题</h1><script>{script}</script>", PHOTOS)
    assert found is not None
    assert [caption.text for caption in found.photos] == texts
    assert found.photos[0].image_url == "a.jpg"


@pytest.mark.parametrize(
    "script", ["pics = {", "pics = [1, 2]", 'pics = {"a": 1}', 'pics = [{"note": ""}]', "other = []", "pics = [" + "[" * 9_000]
)
def test_a_script_without_texts_is_no_photo_set(script: str) -> None:
    assert matched(f"<h1>题</h1><script>{script}</script>", PHOTOS) is None


@pytest.mark.parametrize(("body", "read"), [("<h1>题</h1><p class=time>2026-09-04</p>", 0), ("<p class=time>2026-09-04</p>", 1)])
def test_the_whole_page_is_read_only_where_title_or_date_do_not_prove_the_layout(body: str, read: int) -> None:
    parsed = page.parse(f"<html><body>{body}<div id=main><p>{P}</p></div></body></html>", "http://e.org/2026/a.html")
    assert parsed is not None
    whole = Whole(parsed)
    assert kept(layouts.match(parsed, whole, site(ONE), "http://e.org/2026/a.html")) == [P]
    assert whole.read == read


TANGLED = """
    <html><body class=main id=top><a name=box>first</a><div id=box class="box  wide">one</div><p id=box class=wide>two</p>
    <div class="wide\tbox">three</div><div class="boxes">four</div><div class="Box">five</div><DIV CLASS="x box">six</DIV>
    <div>seven</div><svg class=box><div class="box\u3000wide">eight</div></svg><div id="box2"></div></body></html>
"""


@pytest.mark.parametrize("selector", ["div", "p", "div.box", "div.wide", "body.main", "html", "svg.box", "h1", "h1.box"])
def test_simple_selectors_find_what_their_xpath_finds(selector: str) -> None:
    found = page.parse(TANGLED, "http://example.org/")
    assert found is not None
    assert list(layouts._select(selector, found.root)) == compile_selector(selector)(found.root)


@pytest.mark.parametrize("selector", ["#box", "#box2", "#top", "#nowhere"])
def test_the_first_of_an_id_is_the_first_in_the_page(selector: str) -> None:
    found = page.parse(TANGLED, "http://example.org/")
    assert found is not None
    every = cast("list[object]", compile_selector(selector)(found.root))
    assert layouts._first_element(found.root, (selector,)) is (every[0] if every else None)
    assert list(dict.fromkeys(layouts._found(selector, found.root))) == every


DATED = "<h1>题</h1><span class=time>2026-03-01</span>"
LINKS = "".join(f"<li><a href=/{number}>昨日旧闻第{number}条的标题</a></li>" for number in range(20))


@pytest.mark.parametrize(
    ("body", "changed", "why"),
    [
        (f"{DATED}<div id=main><p>{P}</p></div>", {}, None),
        (f"{DATED}<div id=main><p>{P}</p></div>", {"title": ("h2",)}, None),
        (f"{DATED}<div id=other><p>{P}</p></div>", {}, Misfit.NO_BODY),
        (f"{DATED}<div id=main><p>{P}</p></div>", {"url": re.compile("/2025/")}, Misfit.OTHER_URL),
        (f"{DATED}<div id=main><p>{P}</p></div>", {"until": date(2026, 2, 28)}, Misfit.OTHER_DAY),
        (f"{DATED}<div id=main><p>{P}</p></div>", {"photos": re.compile(r"pics=(\[)")}, Misfit.NO_PHOTOS),
        (f"{DATED}<div id=main><p>一句短短的话，没了。</p><ul>{LINKS}</ul></div>", {}, Misfit.LITTLE_KEPT),
        (f"<div id=main>河岸</div><div>{f'<p>{P}</p>' * 5}</div>", {}, Misfit.LITTLE_PROSE),
    ],
)
def test_why_a_layout_does_not_read_a_page_is_explained(body: str, changed: dict[str, Any], why: Misfit | None) -> None:
    layout = replace(ONE, **changed)
    [found] = told(body, layout)
    assert (found.layout, found.why) == ("one", why)
    assert (matched(body, layout) is None) is (why is not None), "the explanation and the reading are of one mind"


def test_fields_whose_selectors_find_nothing_are_named_and_others_are_not_looked_for() -> None:
    body = f"<h1>题</h1><div id=main><p>{P}</p></div>"
    assert told(body, replace(ONE, title=("h2",), source=(".from",))) == (Fit(layout="one", empty=("title", "published", "source")),)
    assert told(body, replace(ONE, title=("h2",), url=re.compile("/2025/"))) == (Fit(layout="one", why=Misfit.OTHER_URL),)


def test_of_two_layouts_that_fit_the_one_that_reads_the_page_goes_before_the_other() -> None:
    other, late = replace(ONE, name="other", title=("h2",)), replace(ONE, name="late")
    found = told(f"{DATED}<div id=main><p>{P}</p></div>", other, ONE, late)
    assert [(one.layout, one.why) for one in found] == [("other", Misfit.BEHIND), ("one", None), ("late", Misfit.BEHIND)]
