"""Every page shows its truth where the seeds' selectors look for it, and nothing else in the body."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.replica import days
from tests.replica.truth import TrueArticle
from tests.replica_tests import reading
from tests.replica_tests.reading import elements, layout, root, select

LAYOUTS = ("T3", "T2", "T1", "founder-a", "founder-b", "en")
EVENTS = ("revised", "moved", "reprint", "traditional")
SHAPES = {
    "founder-c": ("h1.artiTitle", "#artiContent p"),
    "founder-d": (".center_title > h1", ".center_box p"),
    "founder-e": ("div.box1l > h1", ".cp p"),
    "founder-f": (".cTitle", ".cBody p"),
    "founder-g": ("h1", "div.text p"),
    "founder-h": ("h1", "#fontzoom p"),
}
"""title and paragraphs of the pages that have no layout in the seeds"""


def _pages(*templates: str, day: int = 0) -> list[TrueArticle]:
    return [true for true in days.articles(day) if true.good and true.template in templates]


def _stamp(true: TrueArticle) -> str:
    assert true.published
    printed = {"T3": "%Y年%m月%d日%H:%M", "en": "%Y"}.get(true.template, "%Y-%m-%d %H:%M:%S")
    return true.published.strftime(printed)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_title_stands_where_its_layout_looks(name: str) -> None:
    for true in _pages(name):
        assert select(root(true.url), layout(name).title)[0] == true.title


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_time_stands_where_its_layout_looks(name: str) -> None:
    for true in _pages(name):
        assert _stamp(true) in select(root(true.url), layout(name).published)[0]


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_source_stands_where_its_layout_looks(name: str) -> None:
    for true in _pages(name):
        printed = "中国网科技" if true.variant == "inner-source" else true.source
        assert (printed or "") in select(root(true.url), layout(name).source)[0]


@pytest.mark.parametrize("name", ["T3", "T2", "founder-a", "founder-b"])
def test_authors_are_printed_where_the_layout_looks_and_only_if_there_are_any(name: str) -> None:
    for true in _pages(name):
        assert select(root(true.url), layout(name).author) == [f"作者：{' '.join(true.authors)}"] * bool(true.authors)


@pytest.mark.parametrize("name", ["T3", "founder-a", "founder-b"])
def test_the_editor_is_printed_where_the_layout_looks(name: str) -> None:
    for true in _pages(name):
        (line,) = set(select(root(true.url), layout(name).editor))
        assert line.strip("()") == f"责任编辑：{true.editors[0]}"


def test_the_editors_line_of_t3_stands_inside_the_body() -> None:
    for true in _pages("T3"):
        assert elements(root(true.url), ("div#fontzoom.navp.c > div.fr.bianj",)), true.url


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_body_holds_the_paragraphs_and_nothing_more(name: str) -> None:
    for true in _pages(name):
        urls = (true.url, *true.parts)
        shown = [line for url in urls for line in reading.paragraphs(url, layout(name)) if not line.startswith("Follow China.org.cn")]
        assert tuple(shown) == reading.shown_whole(true), true.url


@pytest.mark.parametrize("day", [1, 3])
def test_the_articles_that_later_days_change_show_their_new_truth(day: int) -> None:
    changed = [true for true in _pages("T3", day=day) if true.variant in EVENTS]
    assert len(changed) == {1: 3, 3: 5}[day]
    for true in changed:
        assert tuple(reading.paragraphs(true.url, layout("T3"), day)) == reading.shown_whole(true)


@pytest.mark.parametrize("name", ["T3", "T2", "T1", "founder-a", "founder-b", "en"])
def test_captions_are_centred_paragraphs_behind_their_picture(name: str) -> None:
    for true in _pages(name):
        (body, *_) = elements(root(true.url), layout(name).body)
        centred = [one for one in elements(body, ("p[align=center]",)) if not one.findall("a")]
        images = [image.get("src") for one in centred for image in one.iter("img")]
        texts = [one.text_content() for one in centred if one.find("img") is None]
        assert tuple(zip(texts, images, strict=True)) == true.captions


@pytest.mark.parametrize("template", SHAPES)
def test_founder_pages_without_a_layout_have_the_dossiers_shape(template: str) -> None:
    title, paragraphs = SHAPES[template]
    pages = _pages(template)
    assert len(pages) >= 2
    for true in pages:
        page = root(true.url)
        assert select(page, (title,))[0] == true.title
        shown = [one.text_content().strip("　") for one in elements(page, (paragraphs,)) if not one.get("align")]
        assert tuple(shown) == true.paragraphs


def test_figure_captions_of_founder_g_stand_outside_the_text() -> None:
    for true in _pages("founder-g"):
        assert select(root(true.url), ("#bigpic figcaption.imgComment_content",)) == [text for text, _ in true.captions]


def test_the_texts_of_a_photo_set_stand_only_in_its_script() -> None:
    for true in _pages("photo"):
        page = root(true.url)
        (script,) = elements(page, layout("photo").body)
        found = re.search(r"var pic_data=(.*);", script.text_content(), re.DOTALL)
        assert found is not None
        assert tuple((one["note"], one["image"]) for one in json.loads(found[1])["list"]) == true.captions
        script.drop_tree()
        assert not any(note in page.text_content() for note in true.paragraphs)


def test_a_table_is_printed_row_by_row() -> None:
    for true in [true for true in _pages("T3") if true.variant == "table"]:
        rows = [tuple(cell.text_content() for cell in row.iter("td")) for row in root(true.url).iter("tr")]
        assert tuple(rows) == true.table
        assert len(rows) == 5


def test_the_br_variant_is_one_paragraph_with_indents() -> None:
    for true in [true for true in _pages("T3") if true.variant == "br"]:
        (first, *_) = elements(root(true.url), ("#fontzoom > p",))
        assert len(first.findall("br")) == len(true.paragraphs) - 1
        assert first.text_content().count("　　") == len(true.paragraphs)


def test_plain_source_pages_have_two_spaces_and_no_link_in_their_line() -> None:
    for true in [true for true in _pages("T3") if true.variant == "plain-source"]:
        (line,) = elements(root(true.url), ("span.time2",))
        assert line.find("a") is None
        assert line.text_content() == f"{_stamp(true)}  {true.source}"


def test_side_heavy_pages_print_more_around_the_article_than_in_it() -> None:
    for true in [true for true in _pages("T3") if true.variant == "side-heavy"]:
        sides = sum(len(one.text_content()) for one in elements(root(true.url), ("ol.rank",)))
        assert sides > 3 * len(true.text)


def test_later_pages_print_neither_title_nor_time() -> None:
    later = [(true, url) for true in _pages("T3", "founder-a", "en") for url in true.parts]
    assert len(later) == 13
    for true, url in later:
        printed = reading.parse(_without_blocks(reading.text(url))).text_content()
        assert true.title not in printed
        assert not elements(root(url), ("h1",))
        assert not re.search(r"\d{4}年\d\d月\d\d日\d\d:\d\d|\d{4}-\d\d-\d\d \d\d:", printed)


@pytest.mark.parametrize("name", ["T3", "founder-a", "en"])
def test_the_next_link_leads_through_all_parts(name: str) -> None:
    for true in [true for true in _pages(name) if true.parts]:
        for url, following in zip((true.url, *true.parts), true.parts, strict=False):
            (link, *_) = elements(root(url), layout(name).next_part)
            assert following.endswith("/" + (link.get("href") or "?"))


@pytest.mark.parametrize("name", ["T3", "founder-a"])
def test_in_a_loop_the_last_page_leads_back_to_the_second(name: str) -> None:
    (true,) = [true for true in _pages(name) if true.variant == "pages-loop"]
    (link, *_) = elements(root(true.parts[-1]), layout(name).next_part)
    assert true.parts[0].endswith("/" + (link.get("href") or "?"))


def test_an_english_page_has_two_elements_with_one_id() -> None:
    for true in _pages("en"):
        assert [one.tag for one in elements(root(true.url), ("#guild",))] == ["dl", "div"]


def test_the_rights_notice_of_every_chinese_page_is_found_by_the_seeds() -> None:
    (notice,) = reading.site("china_tech").rights.notice
    for true in _pages("T3", "T2", "T1", "photo", "founder-a", "founder-d"):
        found = notice.search(root(true.url).text_content())
        assert found is not None
        assert found[0].startswith("凡本网站注明")


def test_side_blocks_differ_at_every_request_and_the_body_does_not() -> None:
    true = _pages("T3")[0]
    first, second = reading.text(true.url, tick=1), reading.text(true.url, tick=2)
    assert first != second
    assert _without_blocks(first) == _without_blocks(second)


def _without_blocks(text: str) -> str:
    return re.sub(r"<!-- 页面碎片 开始 -->.*?<!-- 页面碎片 结束 -->", "", text, flags=re.DOTALL)


def test_t1_is_gb18030_that_calls_itself_gb2312() -> None:
    (true,) = [true for true in _pages("T1") if true.variant == "rare-characters"]
    body = reading.body(true.url)
    assert b"charset=gb2312" in body
    assert "朱镕喆".encode("gb18030") in body
    assert "万€".encode("gb18030") in body
    with pytest.raises(UnicodeDecodeError):
        body.decode("gb2312")
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")


def test_one_byte_of_one_page_is_broken_and_no_more() -> None:
    (true,) = [true for true in _pages("T1") if true.variant == "broken-byte"]
    assert reading.text(true.url).count("\ufffd") == 1
    assert "\ufffd" not in true.text
    others = [page for page in _pages("T1", "T2", "T3", "founder-a") if page.url != true.url]
    assert not any("\ufffd" in reading.text(page.url) for page in others)


def test_every_template_of_the_dossier_has_pages() -> None:
    seen = Counter(true.template for true in days.articles(0) if true.good)
    assert {"T3", "T2", "T1", "photo", "en", *(f"founder-{letter}" for letter in "abcdefgh")} == set(seen)
    assert min(seen.values()) >= 2
