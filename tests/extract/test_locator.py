"""The max-sum subtree."""

from __future__ import annotations

from pipelines.extract import blocks, locator, page

PROSE = "春分那天，河岸小镇的工程师们把第一台潮汐发电样机放进水里，岸上站满了人。"
LINKS = "<ul>" + "".join(f"<li><a href=/{number}>昨日旧闻第{number}条，带着逗号</a></li>" for number in range(12)) + "</ul>"


def located(markup: str) -> str | None:
    found = page.parse(f"<html><body>{markup}</body></html>", "http://example.org/")
    assert found is not None
    span = locator.locate(blocks.read(found.root))
    return span.element.get("id") if span else None


def test_the_element_with_the_prose_is_found() -> None:
    assert located(f"<div id=menu>{LINKS}</div><div id=main>{f'<p>{PROSE}</p>' * 3}</div><div id=foot>{LINKS}</div>") == "main"


def test_of_equals_the_innermost_is_found() -> None:
    assert located(f"<div id=outer><div id=inner>{f'<p>{PROSE}</p>' * 3}</div></div>") == "inner"


def test_paragraphs_in_boxes_of_their_own_have_one_container() -> None:
    assert located(f"<div id=all>{f'<div><p>{PROSE}</p></div>' * 4}</div>{LINKS}") == "all"


def test_links_inside_the_text_do_not_split_it() -> None:
    assert located(f"<div id=main><p>{PROSE}</p><p><a href=#>相关新闻一则</a></p><p>{PROSE}</p></div>{LINKS}") == "main"


def test_a_long_comment_section_loses_to_a_shorter_article() -> None:
    comments = f"<div class=comments>{f'<p>{PROSE}{PROSE}</p>' * 2}</div>"
    assert located(f"<div id=main>{f'<p>{PROSE}</p>' * 3}</div>{comments}") == "main"


def test_a_mark_that_holds_nearly_all_prose_is_wrong() -> None:
    assert located(f"<div id=main class=comments>{f'<p>{PROSE}</p>' * 6}</div>{LINKS}") == "main"


def test_a_page_without_prose_has_no_article() -> None:
    assert located(LINKS) is None
    assert located("<p>河岸</p>") is None


def test_headings_and_links_weigh_against() -> None:
    found = page.parse(f"<html><body><h1>{PROSE}</h1><p><a href=#>{PROSE}</a></p><p>{PROSE}</p></body></html>", "")
    assert found is not None
    heading, link, prose = (locator.weight(line) for line in blocks.read(found.root).lines)
    assert heading < 0
    assert link < 0
    assert prose == len(PROSE)
