"""Lists: everything that the truth calls listed can be reached, and the dirt is where the dossier saw it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from lxml import html

from pipelines.site import Site
from pipelines.urls import absolute, canonical
from tests.replica import days, lists
from tests.replica.directory import COLUMNS, STATIC, directory
from tests.replica.furniture import CHANNELS, TOPICS
from tests.replica.truth import TrueArticle
from tests.replica_tests import reading
from tests.replica_tests.reading import body, elements, hrefs, root, site, text

APP = "http://app.tech.china.com.cn/news/"
LIVE = APP + "live.php?channel=%E7%A7%91%E6%8A%80&p={page}"
MORE = APP + "more_news.php?cnl=tech&callback=CB&index=0&page={page}"
BARE_MORE = "https://app-tech.gxfin.com/news/more_news.php?cnl=tech&index=0&page={page}"
NODE = "http://news.china.com.cn/node_7208703.htm"
MANY = 40
"""pages; more than any list has"""


@cache
def _walk(start: str, seeds: str, day: int = 0) -> tuple[str, ...]:
    """All pages of a list, by the seeds' next links, until one repeats."""
    rules, seen, url = site(seeds), [], start
    while url and url not in seen:
        seen.append(url)
        url = _following(url, rules, day)
    return tuple(seen)


def _following(url: str, rules: Site, day: int) -> str:
    host = urlsplit(url).hostname or ""
    base = rules.discover.next_base.get(host, url) if "live.shtml" in url else url
    links = (link.get("href", "") for link in elements(root(url, day), rules.discover.next_page))
    return next((urljoin(base, href) for href in links if href), "")


def _linked(pages: tuple[str, ...], seeds: str, day: int = 0) -> set[str]:
    found = (absolute(page, href) for page in pages for href in hrefs(page, day))
    return {canonical(url, site(seeds)).url for url in found if url}


@cache
def _reached(seeds: str, day: int) -> frozenset[str]:
    rules = site(seeds).discover
    starts = [url.replace("{page}", "1") for url in rules.listings]
    assert [start for start in starts if directory(day).find(start) is None] == []
    return frozenset(url for start in starts for url in _linked(_walk(start, seeds, day), seeds, day))


@pytest.mark.parametrize("seeds", ["china_tech", "china_org_cn"])
@pytest.mark.parametrize("day", [0, 1, 3])
def test_what_is_listed_can_be_reached_from_the_seeds_listings(seeds: str, day: int) -> None:
    listed = {true.url for true in days.articles(day) if true.listed and true.site == seeds}
    assert listed - _reached(seeds, day) == set()


@pytest.mark.parametrize("seeds", ["china_tech", "china_org_cn"])
@pytest.mark.parametrize("day", [0, 1, 3])
def test_no_article_is_linked_that_the_truth_does_not_list(seeds: str, day: int) -> None:
    articles = {url for url in _reached(seeds, day) if site(seeds).article_match(url)}
    assert articles - {true.url for true in days.articles(day) if true.listed} == set()


@pytest.mark.parametrize("start", [url for url in site("china_tech").discover.listings if "{page}" not in url])
def test_every_static_listing_of_the_seeds_is_served(start: str) -> None:
    linked = _linked(_walk(start, "china_tech"), "china_tech")
    assert len([url for url in linked if site("china_tech").article_match(url)]) >= 7


@pytest.mark.parametrize("folder", [folder for folder in STATIC if folder != "internet/jjds"])
def test_a_channel_lists_its_own_folder_newest_first(folder: str) -> None:
    shown = [true for page in _walk(f"http://tech.china.com.cn/{folder}/", "china_tech") for true in _entries(page)]
    assert shown == [true for true in directory(0).tech if true.section == folder and true.listed]


def _entries(page: str) -> Iterator[TrueArticle]:
    by_url = {true.url: true for true in days.articles(0)}
    for link in elements(root(page), ("h3.hsTit3 > a", ".s-list .c h3 > a")):
        yield by_url[urljoin(page, link.get("href", ""))]


def test_channels_come_in_both_markups() -> None:
    shapes = {folder: "hsTit3" in text(f"http://tech.china.com.cn/{folder}/") for folder in STATIC}
    assert 2 <= list(shapes.values()).count(False) < list(shapes.values()).count(True)


def test_long_channels_have_further_pages_by_name() -> None:
    assert "http://tech.china.com.cn/it/index_2.shtml" in _walk("http://tech.china.com.cn/it/", "china_tech")


def test_the_rolling_list_shows_forty_a_page_with_the_time_before_the_link() -> None:
    items = elements(root(LIVE.format(page=2)), ("ul.news_list > li",))
    assert len(items) == lists.PER_APP_PAGE
    for item in items:
        assert [child.tag for child in item] == ["span", "a", "a"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", item[0].text or "")


def test_the_rolling_list_repeats_its_last_page_beyond_the_end() -> None:
    last = max(int(parse_qs(urlsplit(page).query)["p"][0]) for page in _walk(LIVE.format(page=1), "china_tech"))
    assert body(LIVE.format(page=last + 1)) == body(LIVE.format(page=last)) == body(LIVE.format(page=10**6))
    assert body(LIVE.format(page=last)) != body(LIVE.format(page=last - 1))


@pytest.mark.parametrize("page", ["0", "-1", "x", ""])
def test_a_page_number_that_is_none_is_the_first_page(page: str) -> None:
    assert body(LIVE.format(page=page)) == body(LIVE.format(page=1))


def test_the_first_page_of_the_rolling_list_has_the_dossiers_traps() -> None:
    items = elements(root(LIVE.format(page=1)), ("ul.news_list > li",))
    links = [item.findall("a")[-1] for item in items]
    assert [link.get("href") for link in links].count("") == 1
    assert any(re.search(r"[！-～]{2}", link.text_content()) for link in links)
    assert any((link.get("href") or "").startswith("http://finance.china.com.cn/") for link in links)
    assert {len(item.findtext("span") or "") for item in items} == {len("2026-09-07 05:00"), len("2026-09-07 05:00:00")}


def test_the_live_page_leads_on_to_the_app_host() -> None:
    (following,) = [link for link in hrefs("http://tech.china.com.cn/live.shtml") if "p=2" in link]
    assert following.startswith("/news/live.php?")
    assert urljoin("http://app.tech.china.com.cn/", following) == LIVE.format(page=2)


def test_on_the_last_page_the_next_link_is_empty() -> None:
    last = _walk(LIVE.format(page=1), "china_tech")[-1]
    (link,) = [link for link in root(last).iter("a") if link.text_content() == "下一页"]
    assert link.get("href") == ""


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_lists_only_its_folders(name: str) -> None:
    pages = _walk(f"{APP}column.php?cname={name}&p=1", "china_tech")
    listed = [link for page in pages for link in _linked((page,), "china_tech") if re.search(r"/\d+\.shtml", link)]
    assert listed
    assert all(re.search(rf"cn/(?:{'|'.join(COLUMNS[name])})/\d{{8}}/", url) for url in listed)


def test_the_list_of_own_pieces_names_only_those_whose_source_is_the_site() -> None:
    own = {true.url for true in days.articles(0) if true.source == "中国网科技"}
    linked = _linked(_walk(f"{APP}my.php?cname=科技&p=1", "china_tech"), "china_tech")
    assert {url for url in linked if re.search(r"/\d+\.shtml", url)} <= own


@pytest.mark.parametrize(
    "path", ["live.php?channel=体育&p=1", "column.php?cname=&p=1", "my.php", "more_news.php?cnl=sport&page=1", "do.php"]
)
def test_lists_that_the_site_has_not_are_not_there(path: str) -> None:
    assert directory(0).find(APP + path) is None


def test_a_callback_wraps_an_array_of_html_strings_of_2018() -> None:
    found = re.fullmatch(r"CB\((\[.*\])\)", text(MORE.format(page=1)), re.DOTALL)
    assert found is not None
    items = [html.fragment_fromstring(item) for item in json.loads(found[1])]
    assert len(items) == lists.PER_MORE_PAGE
    assert all(item.xpath("self::li/h3/a/@href") and not item.xpath(".//*[@class='c']") for item in items)


def test_without_a_callback_the_array_stands_in_bare_brackets_in_escaped_unicode() -> None:
    shown = text(BARE_MORE.format(page=1))
    assert shown.isascii()
    items = [html.fragment_fromstring(item) for item in json.loads(shown.removeprefix("(").removesuffix(")"))]
    assert all(item.xpath("div[@class='c']/h3/a/@href") for item in items)


def test_past_the_end_one_host_gives_an_empty_array_and_the_other_repeats() -> None:
    assert text(MORE.format(page=MANY)) == "CB([])"
    assert text(BARE_MORE.format(page=MANY)) == text(BARE_MORE.format(page=MANY + 1)) != "([])"


def test_the_node_list_mixes_absolute_and_relative_links() -> None:
    links = [link.get("href", "") for link in elements(root(NODE), ("ul#c_list > li > div.c_title > a",))]
    assert len(links) == lists.PER_NODE_PAGE
    assert {link.startswith("http://news.china.com.cn/") for link in links} == {True, False}
    assert len(_walk(NODE, "china_tech")) >= 3


def test_the_index_has_the_dirt_of_the_real_one() -> None:
    shown = text("http://tech.china.com.cn/")
    for dirt in (
        'title=""href=" http',
        '\n" target=_blank',
        "TARGET=_blank",
        "<LI><A ",
        "javascript:void(0)",
        "&a=true",
        "GBKUrl=",
        "<base target",
    ):
        assert dirt in shown, dirt
    assert re.search(r"<a [^>]*><a ", shown)
    assert "<iframe src=" in shown
    assert "加载更多" in shown


def test_the_index_links_new_articles_as_copies_too() -> None:
    links = list(hrefs("http://tech.china.com.cn/"))
    assert any(link.startswith("https://tech.") for link in links)
    assert any("big5.china.com.cn/gate/big5/tech" in link for link in links)


def test_the_blocks_of_the_index_change_at_every_request_and_only_they() -> None:
    first, second = text("http://tech.china.com.cn/", tick=1), text("http://tech.china.com.cn/", tick=2)
    assert first != second
    parts = [re.split(r"<!-- 页面碎片 (?:开始|结束) -->", shown) for shown in (first, second)]
    assert parts[0][0] == parts[1][0]
    assert parts[0][2] == parts[1][2]


@pytest.mark.parametrize("folder", [folder for folder, _ in TOPICS])
def test_a_topic_page_holds_links_and_no_prose(folder: str) -> None:
    url = f"http://tech.china.com.cn/news/special/{folder}/"
    page = root(url)
    assert len(elements(page, ("div.zt a",))) >= 12
    assert not list(page.iter("p"))[1:-5]
    assert site("china_tech").article_match(url) is None


def test_lists_shift_when_something_arrives_while_they_are_read() -> None:
    first, second = (_articles(page, day) for page, day in ((1, 0), (2, 1)))
    assert first & second
    assert _articles(1, 1) - first


def _articles(page: int, day: int) -> set[str]:
    return {url for url in _linked((LIVE.format(page=page),), "china_tech", day) if re.search(r"/\d+\.shtml", url)}


def test_nothing_in_the_lists_changes_on_day_2() -> None:
    urls = (LIVE.format(page=1), "http://tech.china.com.cn/it/", NODE, MORE.format(page=1))
    for url in urls:
        assert reading.resource(url, 1).etag == reading.resource(url, 2).etag
        assert reading.resource(url, 1).modified == reading.resource(url, 2).modified
        assert reading.resource(url, 0).etag != reading.resource(url, 3).etag or url == NODE


def test_every_folder_of_an_article_has_a_name_for_its_title() -> None:
    assert {true.section for true in directory(3).tech} <= set(CHANNELS)


def test_english_nodes_have_second_pages_and_a_span_for_the_current_one() -> None:
    pages = _walk("http://www.china.org.cn/china/node_7075073.htm", "china_org_cn")
    assert pages == ("http://www.china.org.cn/china/node_7075073.htm", "http://www.china.org.cn/china/node_7075073_2.htm")
    assert [one.text for one in elements(root(pages[1]), ("#autopage span",))] == ["2"]


def test_what_calls_itself_a_feed_is_html() -> None:
    assert text("http://www.china.org.cn/rss/1201719.xml").startswith("<html>")
