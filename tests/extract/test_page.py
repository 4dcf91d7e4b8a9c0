"""Characters to one tree, whatever the characters."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extract import page

SENTENCE = "春分那天，河岸小镇的工程师们把样机放进水里。"


def text_of(markup: str) -> str:
    found = page.parse(markup, "http://example.org/")
    assert found is not None
    return "".join("".join(found.root.itertext()).split())


def test_a_page_is_a_tree_with_its_markup() -> None:
    found = page.parse(f"<html><body><p>{SENTENCE}</p></body></html>", "http://example.org/")
    assert found is not None
    assert (found.root.tag, found.flattened) == ("html", False)
    assert SENTENCE in found.markup


@pytest.mark.parametrize("nothing", ["", "   ", "\x00\x00", "<!-- only a comment -->"])
def test_nothing_is_none(nothing: str) -> None:
    assert page.parse(nothing, "http://example.org/") is None


def test_text_without_any_markup_is_a_page() -> None:
    assert text_of(SENTENCE) == SENTENCE


@pytest.mark.parametrize("control", ["\x00", "\x01", "\x0b", "\x1b", "\ud800"])
def test_control_characters_do_not_stop_the_parser(control: str) -> None:
    assert text_of(f"<p>春分{control}那天</p><p>之后</p>") == "春分那天之后"


def test_an_xml_declaration_with_another_encoding_is_ignored() -> None:
    assert text_of(f'<?xml version="1.0" encoding="gb2312"?><html><body><p>{SENTENCE}</p></body></html>') == SENTENCE


def test_comments_do_not_cut_a_sentence() -> None:
    found = page.parse("<p>春分<!-- 页面碎片 -->那天</p>", "http://example.org/")
    assert found is not None
    assert found.root.findtext(".//p") == "春分那天"


def test_long_data_uris_are_emptied() -> None:
    markup, _ = page.bounded(f'<img src="data:image/png;base64,{"A" * 5_000_000}"><p>{SENTENCE}</p>')
    assert len(markup) < 200
    assert SENTENCE in markup


def test_short_data_uris_and_the_word_data_stay() -> None:
    markup = '<img src="data:image/gif;base64,R0lGOD"><p>data: a, b; c</p>'
    assert page.bounded(markup) == (markup, markup.encode())


def test_a_tag_with_too_many_attributes_keeps_the_first() -> None:
    attributes = " ".join(f'a{number}="1"' for number in range(100_000))
    markup, _ = page.bounded(f"<div id=main {attributes}><p>{SENTENCE}</p></div>")
    assert markup.startswith('<div id=main a0="1"')
    assert markup.count('="1"') == page.MAX_ATTRIBUTES - 1
    assert SENTENCE in markup


@pytest.mark.parametrize("name", ["script", "style", "scripted"])
def test_a_script_with_too_many_attributes_keeps_the_first_and_its_code(name: str) -> None:
    attributes = " ".join(f'a{number}="1"' for number in range(100_000))
    markup, _ = page.bounded(f"<{name} id=main {attributes}>a<b</{name}><p>{SENTENCE}</p>")
    assert markup.startswith(f'<{name} id=main a0="1"')
    assert markup.count('="1"') == page.MAX_ATTRIBUTES - 1
    assert markup.endswith(f">a<b</{name}><p>{SENTENCE}</p>")


def test_a_long_script_is_no_tag() -> None:
    script = "<script>" + "if (a < b && c > d) { e = 'f=\"g\"' } " * 2_000 + "</script>"
    assert page.bounded(script) == (script, script.encode())


def test_a_long_attribute_is_not_many_attributes() -> None:
    markup = f'<div title="{"长" * 20_000}"><p>{SENTENCE}</p></div>'
    assert page.bounded(markup) == (markup, markup.encode())


@pytest.mark.parametrize("depth", [300, 2_000, 5_000, 100_000])
def test_nested_elements_lose_no_text(depth: int) -> None:
    assert text_of("<div>" * depth + SENTENCE * 20) == SENTENCE * 20


def test_a_tree_that_lost_its_text_is_flattened() -> None:
    found = page.parse("<!DOCTYPE html>" + "<div>" * 5_000 + "".join(f"<p>{SENTENCE}</p>" for _ in range(5)), "http://example.org/")
    assert found is not None
    assert found.flattened
    assert [element.text for element in found.root.iter("p")] == [SENTENCE] * 5


HOSTILE = {
    "attributes": "<div " + " ".join(f'a{number}="<>"' for number in range(100_000)) + ">",
    "unclosed tags": "<a " * 100_000,
    "unclosed quotes": '<a b="' * 100_000,
    "angles": "<" * 300_000,
    "unclosed comments": "<!--" * 100_000,
    "unclosed scripts": "<script>" * 50_000,
    "data": "data:;" * 100_000,
    "equals": "<a =" * 100_000,
    "entities": "&lt;&#x41;&amp" * 50_000,
}


@pytest.mark.parametrize("markup", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_markup_costs_less_than_seconds(markup: str) -> None:
    start = time.process_time()
    page.parse(markup, "http://example.org/")
    assert time.process_time() - start < 60.0


@given(st.text(max_size=300))
@settings(deadline=None, max_examples=150)
def test_any_text_parses(any_text: str) -> None:
    found = page.parse(any_text, "http://example.org/")
    assert found is None or found.root is not None


@given(st.text(alphabet='<>"=/ abp!-\x00文', max_size=120))
@settings(deadline=None, max_examples=200)
def test_bounding_small_markup_changes_nothing_but_control_characters(markup: str) -> None:
    bare = markup.replace("\x00", "")
    assert page.bounded(markup) == (bare, bare.encode())


@pytest.mark.parametrize(
    "hidden",
    [
        '<span class="sr-only"> (opens in a new tab)</span>',
        '<span class="link__note visually-hidden">, opens new tab</span>',
        '<small class="screen-reader-text"> external</small>',
        '<span style="position:absolute;clip: rect(0 0 0 0);width:1px">, opens new tab</span>',
    ],
)
def test_words_for_screen_readers_are_no_part_of_a_sentence(hidden: str) -> None:
    assert text_of(f"<p>The town read <a href=/r>the report{hidden}</a> twice.</p>") == "Thetownreadthereporttwice."


@pytest.mark.parametrize(
    "shown",
    [
        '<h1 class="sr-only">The report</h1>',
        '<h2><span class="visually-hidden">The report</span></h2>',
        '<span class="sr-only-on-small-screens">The report</span>',
        '<span style="clip: auto">The report</span>',
    ],
)
def test_hidden_headings_and_what_only_looks_hidden_stay(shown: str) -> None:
    assert text_of(f"{shown}<p>{SENTENCE}<span class=sr-only>x</span></p>") == f"Thereport{SENTENCE}"
