"""The lines of a page, in order, as a reader sees them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from pipelines.extract import blocks, page
from pipelines.extract.blocks import Reading
from pipelines.text import line as clean_line


def read(markup: str) -> Reading:
    found = page.parse(f"<html><body>{markup}</body></html>", "http://example.org/")
    assert found is not None
    return blocks.read(found.root)


def texts(markup: str) -> list[str]:
    return [line.text for line in read(markup).lines]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>一</p><p>二</p>", ["一", "二"]),
        ("<div>一<p>二</p>三</div>", ["一", "二", "三"]),
        ("<p>一<br>二<br/>三</p>", ["一", "二", "三"]),
        ("<p>一<b>二</b><a href=#>三</a>四</p>", ["一二三四"]),
        ("<p>　　一。　　二。</p>", ["一。", "二。"]),
        ("<p>　　一。<br>　　二。</p>", ["一。", "二。"]),
        ("<p>一。&nbsp;　　二。</p>", ["一。", "二。"]),
        ("<p>姓　名</p>", ["姓 名"]),
        ("<table><tr><td>一</td><td>二</td></tr></table>", ["一", "二"]),
        ("<ul><li>一</li><li>二</li></ul>", ["一", "二"]),
        ("<p>一<script>var x = '二';</script>三</p>", ["一三"]),
        ("<p>一<style>p {}</style><select><option>二</option></select>三</p>", ["一三"]),
        ("<p> \n </p><p>&nbsp;</p><p>一</p>", ["一"]),
        ("<form><p>一</p></form>", ["一"]),
        ("<p>一<img src=a.jpg>二</p>", ["一", "二"]),
        ("裸露的文字", ["裸露的文字"]),
    ],
)
def test_a_line_ends_where_a_reader_sees_it_end(markup: str, expected: list[str]) -> None:
    assert texts(markup) == expected


def test_lines_are_numbered_in_order() -> None:
    assert [line.index for line in read("<p>一</p><p>二<br>三</p>").lines] == [0, 1, 2]


def test_linked_characters_are_counted() -> None:
    line = read("<p>见<a href=#>更多新闻</a>。</p>").lines[0]
    assert line.linked == 4
    assert line.link_share == pytest.approx(4 / 6)


@pytest.mark.parametrize(
    ("markup", "prose"),
    [
        ("<p>春分那天，河岸小镇把样机放进水里。</p>", True),
        ("<p><a href=#>春分那天，河岸小镇把样机放进水里。</a></p>", False),
        ("<p>短句，完。</p>", False),
        ("<p>没有任何标点的一行相当长的文字</p>", False),
        ("<p>The engineers lowered it, slowly.</p>", True),
        ("<p>www.example.org/a.b.c.d.e.f</p>", False),
    ],
)
def test_prose_is_punctuated_unlinked_and_longer_than_a_label(markup: str, prose: bool) -> None:
    assert read(markup).lines[0].prose is prose


def test_an_image_is_remembered_for_the_line_behind_it() -> None:
    lines = read("<p>一</p><p><img src=a.jpg></p><p>二</p><p>三</p>").lines
    assert [line.image for line in lines] == [None, "a.jpg", None]


@pytest.mark.parametrize(
    "around",
    [
        '<div style="display:none">{}</div>',
        '<div style="DISPLAY : none; color:red">{}</div>',
        "<div hidden>{}</div>",
        "<nav>{}</nav>",
        "<aside>{}</aside>",
        "<footer>{}</footer>",
        '<div class="a comments b">{}</div>',
        '<div id="Comments">{}</div>',
        '<ul class="related-news"><li>{}</li></ul>',
    ],
)
def test_what_the_page_marks_as_beside_is_marked(around: str) -> None:
    lines = read(f"<p>一</p>{around.format('二')}<p>三</p>").lines
    assert [line.aside for line in lines] == [False, True, False]


@pytest.mark.parametrize("name", ["navp c", "commentary-text", "my-comments-page", "article-related-to-it", "content"])
def test_only_exact_names_are_beside(name: str) -> None:
    assert not read(f'<div class="{name}">一</div>').lines[0].aside


def test_spans_hold_the_lines_of_their_element() -> None:
    reading = read("<div id=a><p>一</p><p>二</p></div><div id=b>三</div>")
    held = {span.element.get("id"): [line.text for line in reading.lines[span.start : span.end]] for span in reading.spans}
    assert held["a"] == ["一", "二"]
    assert held["b"] == ["三"]


def test_headings_and_captions_around_a_line_are_told() -> None:
    lines = read("<h2><span>一</span></h2><figure><img src=a><figcaption><p>二</p></figcaption></figure><p>三</p>").lines
    assert [sorted(line.tags) for line in lines] == [["h2"], ["figcaption"], []]


_words = st.sampled_from(["", "一", " ", "\n", "二。　　三。", "\u3000", "a b", "\xa0"])
_tags = st.sampled_from(["p", "div", "span", "a", "b", "br", "img", "script", "nav", "h2", "li", "figcaption", "td", "button", "title"])


@st.composite
def trees(draw: st.DrawFn) -> html.HtmlElement:
    """Any elements in any order, with text in them and behind them: also where HTML would not have them."""
    root = html.Element(draw(st.sampled_from(["html", "div", "span"])))
    root.tail = draw(_words)
    open_elements = [root]
    for depth, tag, text, tail in draw(st.lists(st.tuples(st.integers(0, 4), _tags, _words, _words), max_size=25)):
        del open_elements[depth + 1 :]
        element = html.Element(tag)
        element.text, element.tail = text, tail
        open_elements[-1].append(element)
        open_elements.append(element)
    return root


@given(st.text(alphabet="河 \u3000\u00a0\n\t\u200b\ufefea\u0301"))
def test_a_line_ends_at_an_indent_inside_it_and_at_no_other(raw: str) -> None:
    assert blocks._pieces(raw) == [piece for part in blocks._INDENT.split(raw) if (piece := clean_line(part))]


@given(root=trees())
def test_upward_gives_the_lines_from_the_last_to_the_first(root: html.HtmlElement) -> None:
    assert list(blocks.upward(root)) == [line.text for line in reversed(blocks.read(root).lines)]


def test_upward_reads_no_more_than_it_is_asked_for() -> None:
    root = html.document_fromstring("<p>一</p><p>二</p>")
    lines = blocks.upward(root)
    assert next(lines) == "二"
    root.findall(".//p")[0].text = "三"
    assert next(lines) == "三"


def test_deep_pages_with_many_lines_cost_little() -> None:
    markup = "<div>" * 1_500 + "一<br>" * 40_000
    start = time.process_time()
    assert len(texts(markup)) == 40_000
    assert time.process_time() - start < 60.0
