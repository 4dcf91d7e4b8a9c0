"""Tables stand straight on a terminal and run nothing in a browser, whatever web pages put into their cells."""

from __future__ import annotations

import html.parser
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.tables import Section, as_html, as_text, plain, several, shortened, width

EVIL = "<script>alert(1)</script>\"'&\x1b[31m\u202e\r\nend"
TABLE = Section(
    title="Sources",
    columns=("source", "articles", "share"),
    rows=(("中国网科技", 1234, 0.5), ("x", 5, None)),
    note="two of them",
)


# ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cell", "text"), [(None, "–"), (0.1234, "12.3%"), (1.0, "100.0%"), (1234567, "1,234,567"), ("", ""), ("a\n b", "a b"), (EVIL, None)]
)
def test_a_cell_is_one_plain_line(cell: str | int | float | None, text: str | None) -> None:
    made = plain(cell)
    assert text in (None, made)
    assert not set(made) & set("\x1b\u202e\r\n")


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("中国", 4), ("，", 2), ("", 0), ("e\u0301", 1)])
def test_a_chinese_character_takes_two_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "short"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("中国网", 6, "中国网"),
        ("中国网", 5, "中国…"),
        ("中国网", 4, "中…"),
        ("中国网", 1, "…"),
        ("", 3, ""),
    ],
)
def test_a_text_is_shortened_by_the_columns_that_it_takes(text: str, columns: int, short: str) -> None:
    assert shortened(text, columns) == short


# ── terminal ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_columns_stand_under_their_names_and_numbers_right() -> None:
    assert list(as_text([TABLE])) == [
        "Sources",
        "  two of them",
        "  source      articles  share",
        "  中国网科技     1,234  50.0%",
        "  x                  5      –",
    ]


def test_sections_stand_apart() -> None:
    lines = list(as_text([Section(title="One"), Section(title="Two", note="a\nb")]))
    assert lines == ["One", "", "Two", "  a", "  b"]


def test_columns_without_names_have_no_head() -> None:
    assert list(as_text([Section(title="Run", columns=("", ""), rows=(("new", 3),))])) == ["Run", "  new  3"]


@given(st.lists(st.tuples(st.text(), st.text(), st.none() | st.integers() | st.floats(0, 1)), max_size=5), st.text())
def test_no_cell_breaks_a_line_or_moves_a_terminal(rows: list[tuple[str, str, int | float | None]], note: str) -> None:
    lines = list(as_text([Section(title="T", columns=("a", "b", "c"), rows=tuple(rows), note=note)]))
    assert all(len(line.splitlines()) <= 1 and "\x1b" not in line for line in lines)


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Page(html.parser.HTMLParser):
    """The elements of a page, the targets of its links, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_needs_nothing_and_forbids_everything() -> None:
    page = Page(as_html("Report", "archive", [TABLE]))
    assert not {"script", "link", "img", "iframe", "object"} & set(page.elements)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert [value for name, value in page.attributes if name in ("src", "href")] == []


def test_what_pages_say_stays_text() -> None:
    section = Section(title=EVIL, columns=(EVIL, "n"), rows=((EVIL, 1),), note=EVIL)
    made = as_html(EVIL, EVIL, [section])
    page = Page(made)
    assert "script" not in page.elements
    assert page.text.count("<script>alert(1)</script>") == 7, "title, heading twice, subtitle, note, column, cell"
    assert "\x1b" not in made
    assert "\u202e" not in made


@pytest.mark.parametrize("url", ["https://tech.example.cn/a.html", "http://tech.example.cn/?a=1&b=2"])
def test_a_web_address_is_a_link_that_tells_nobody_where_from(url: str) -> None:
    page = Page(as_html("t", "s", [Section(title="x", columns=("url",), rows=((url,),))]))
    assert ("href", url) in page.attributes
    assert ("rel", "noreferrer") in page.attributes


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "JAVASCRIPT:http://", "//evil.example", "httpx://a"])
def test_anything_else_is_none(url: str) -> None:
    assert "a" not in Page(as_html("t", "s", [Section(title="x", columns=("url",), rows=((url,),))])).elements


def test_a_quote_in_an_address_does_not_leave_its_attribute() -> None:
    page = Page(as_html("t", "s", [Section(title="x", columns=("url",), rows=(('https://a.example/"onmouseover="x',),))]))
    assert {name for name, _ in page.attributes} & {"onmouseover"} == set()


@given(st.text(), st.text())
def test_whatever_a_cell_says_the_page_has_the_same_elements(title: str, cell: str) -> None:
    made = Page(as_html("t", "s", [Section(title=title, columns=("c",), rows=(("x" + cell,),))]))
    assert made.elements == Page(as_html("t", "s", [Section(title="x", columns=("c",), rows=(("x",),))])).elements


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of #rgb."""
    shares = [int(digit * 2, 16) / 255 for digit in colour.removeprefix("#")]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("scheme", "paper"), [(0, "#fff"), (1, "#111")])
def test_what_is_said_faintly_can_be_read_by_day_and_by_night(scheme: int, paper: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5; browsers draw dark pages on #121212."""
    ink = re.findall(r"--faint: (#\w{3})\b", as_html("title", "", []))[scheme]
    darker, lighter = sorted((luminance(ink), luminance(paper)))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("count", "what", "words"),
    [
        (1, "record", "1 record"),
        (0, "record", "0 records"),
        (2, "story", "2 stories"),
        (1, "copy", "1 copy"),
        (3, "copy", "3 copies"),
        (2, "capture of another archive", "2 captures of another archive"),
    ],
)
def test_one_is_one_and_all_other_numbers_are_several(count: int, what: str, words: str) -> None:
    assert several(count, what) == words
