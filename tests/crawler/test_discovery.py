"""Bytes to links: lists in HTML and JSON, by the rules of our own two seeds files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.discovery import Found, discover
from crawler.links import MAX_HREFS, MAX_URL, Untaken
from pipelines.model import Kind
from pipelines.site import Site, load_site, parse_site
from pipelines.urls import canonical, in_scope

ROOT = Path(__file__).parent.parent.parent
TECH = load_site(ROOT / "seeds" / "china_tech.toml")
ENGLISH = load_site(ROOT / "seeds" / "china_org_cn.toml")
SKELETON = ROOT.parent / "shared" / "site" / "skeleton"

INDEX = "http://tech.china.com.cn/"
LIVE = "http://app.tech.china.com.cn/news/live.php?channel=科技&p=1"
MORE = "https://app-tech.gxfin.com/news/more_news.php?cnl=tech&index=0&page=1"


def article(number: int, section: str = "internet") -> str:
    return f"http://tech.china.com.cn/{section}/20260904/{number}.shtml"


def listed(body: str, url: str = INDEX, site: Site = TECH) -> Found:
    return discover(body.encode(), url, Kind.LISTING, site)


def urls(found: Found, kind: Kind = Kind.ARTICLE) -> list[str]:
    return [link.url for link in found.links if link.kind is kind]


def site(discover_keys: str) -> Site:
    text = f"""
name = "example"
publisher = "Example"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["tech.china.com.cn", "app.tech.china.com.cn", "127.0.0.1:8800"]
[discover]
listings = ["http://tech.china.com.cn/"]
article = ['/(?P<date>\\d{{8}})/(?P<id>\\d+)\\.shtml$']
{discover_keys}
"""
    return parse_site(text.encode(), "example.toml")


# ---- lists in HTML --------------------------------------------------------------------------------------------------

LIST_A = """<html><body><ul class="news_list">
<li><span>2026-09-04 10:00:00</span> [<a href="http://tech.china.com.cn/internet/">互联网</a>]
  <a href="http://tech.china.com.cn/internet/20260904/413793.shtml" target="_blank">卫星互联网进入田间</a></li>
<li><span>2026-09-04 09:58</span> [<a href="http://tech.china.com.cn/it/">IT业界</a>]
  <a href="http://tech.china.com.cn/it/20260904/413792.shtml" target="_blank">国产芯片　走进　教室</a></li>
<li><span>2026-09-04 09:50</span> [<a href="http://tech.china.com.cn/it/">IT业界</a>] <a href="">没有地址的一条</a></li>
<li><span>2026-09-04 09:40</span> <a href="http://finance.china.com.cn/roll/20260904/6316735.shtml">别处的一条</a></li>
</ul><ul class="page"><li>首页</li><li><a href="/news/live.php?channel=%E7%A7%91%E6%8A%80&p=2">下一页</a></li>
<li><a href="/news/live.php?channel=%E7%A7%91%E6%8A%80&p=100">尾页</a></li></ul></body></html>"""


def test_list_a_gives_its_articles_with_title_date_and_section() -> None:
    found = listed(LIST_A, LIVE)
    assert urls(found) == [article(413793), article(413792, "it")]
    assert found.links[0].hints.title == "卫星互联网进入田间"
    assert found.links[0].hints.published == "2026-09-04 10:00:00"
    assert found.links[0].hints.section == "互联网"
    assert found.links[0].hints.via == LIVE
    assert found.links[1].hints.published == "2026-09-04 09:58"
    assert found.links[1].hints.title == "国产芯片 走进 教室"


def test_list_a_counts_what_it_lists_and_what_leads_elsewhere() -> None:
    found = listed(LIST_A, LIVE)
    assert (found.entries, found.out_of_scope, found.bad_hrefs, found.is_expected_kind) == (4, 1, 0, True)


def test_the_next_page_of_list_a_is_asked_in_percent_encoded_utf8() -> None:
    assert listed(LIST_A, LIVE).next_url == "http://app.tech.china.com.cn/news/live.php?channel=%E7%A7%91%E6%8A%80&p=2"


def test_the_last_page_of_a_list_is_not_followed_around_the_rule_that_ends_it() -> None:
    assert not any("p=100" in link.url or "p=2" in link.url for link in listed(LIST_A, LIVE).links)


LIST_B = """<div class="htabx"><ul><li><h3 class="hsTit3"><a href="/bc/20210603/378001.shtml">链上的粮仓</a></h3>
<p class="lsTips">摘要</p><div class="fl"><span> 2021-06-03 15:00 </span></div></li></ul></div>
<div class="pg"><a href="/bc/index.shtml">1</a><a class="nxt" href="{next}">下一页</a></div>"""


def test_list_b_gives_its_articles_and_its_next_page_in_its_own_folder() -> None:
    found = listed(LIST_B.format(next="/bc/index_2.shtml"), "http://tech.china.com.cn/bc/")
    assert urls(found) == ["http://tech.china.com.cn/bc/20210603/378001.shtml"]
    assert found.links[0].hints.published == "2021-06-03 15:00"
    assert found.next_url == "http://tech.china.com.cn/bc/index_2.shtml"


@pytest.mark.parametrize("href", ["index_3.shtml", "/bc/list_3.shtml", "http://tech.china.com.cn/bc/index_3.shtml"])
def test_a_next_page_beside_the_list_stays_on_its_host(href: str) -> None:
    found = listed(LIST_B.format(next=href), "http://tech.china.com.cn/bc/index_2.shtml")
    assert found.next_url is not None
    assert found.next_url.startswith("http://tech.china.com.cn/bc/")


@pytest.mark.parametrize("page", ["http://tech.china.com.cn/live.shtml", "http://tech.china.com.cn/bc/"])
def test_a_relative_next_page_of_a_static_list_belongs_to_the_app_host(page: str) -> None:
    found = listed(LIST_B.format(next="/news/column.php?cname=互联网&p=2"), page)
    assert found.next_url == "http://app.tech.china.com.cn/news/column.php?cname=%E4%BA%92%E8%81%94%E7%BD%91&p=2"


@pytest.mark.parametrize(
    "href",
    [
        "",
        "  ",
        "#",
        "javascript:void(0)",
        "/bc/",
        "http://tech.china.com.cn/bc/#top",
        "http://finance.china.com.cn/news/index.shtml",
        "http://127.0.0.1/admin",
        "http://[",
        "/bc" * 1000,
    ],
)
def test_a_next_page_that_is_empty_the_same_page_or_elsewhere_is_the_end(href: str) -> None:
    assert listed(LIST_B.format(next=href), "http://tech.china.com.cn/bc/").next_url is None


def test_a_list_without_a_next_link_ends() -> None:
    assert listed(LIST_B.partition('<div class="pg">')[0], "http://tech.china.com.cn/bc/").next_url is None


def test_list_c_gives_its_articles() -> None:
    found = listed('<div class="s-list"><div class="c"><h3><a href="/sx/20251201/411376.shtml">三江源的数据</a></h3></div></div>')
    assert urls(found) == ["http://tech.china.com.cn/sx/20251201/411376.shtml"]


FOUNDER = """<ul id="c_list"><li><div class="c_title fl"><a href="http://news.china.com.cn/world/2018-01/02/content_50183456.htm">远洋的灯塔</a></div>
<span>2018-01-02</span></li></ul><div id="autopage"><center><span>1</span> <a href="node_7208703_2.htm">2</a>
<a href="node_7208703_2.htm">></a></center></div>"""


def test_a_founder_list_gives_its_articles_and_the_page_behind_the_arrow() -> None:
    found = listed(FOUNDER, "http://news.china.com.cn/node_7208703.htm")
    assert urls(found) == ["http://news.china.com.cn/world/2018-01/02/content_50183456.htm"]
    assert found.next_url == "http://news.china.com.cn/node_7208703_2.htm"
    assert urls(found, Kind.LISTING) == []


ENGLISH_PAGE = """<div class="columns1"><ul>
<li><a href="http://china.org.cn/china/2018-03/18/content_50719539.htm?utm_source=feed">A satellite looks at the sea</a> March 18, 2018</li>
<li><a href="/business/Off_the_Wire/2025-10/02/content_118132392.shtml">Shares close higher</a></li></ul>
<div id="autopage"><center>{pages}</center></div></div>"""
NODE = "http://www.china.org.cn/china/node_7075073.htm"


def test_an_english_list_gives_canonical_urls_and_printed_dates() -> None:
    found = listed(ENGLISH_PAGE.format(pages="<span>1</span><a href='node_7075073_2.htm'>2</a>"), NODE, ENGLISH)
    assert urls(found) == [
        "http://www.china.org.cn/china/2018-03/18/content_50719539.htm",
        "http://www.china.org.cn/business/Off_the_Wire/2025-10/02/content_118132392.shtml",
    ]
    assert found.links[0].hints.published == "March 18, 2018"
    assert found.links[1].hints.published is None
    assert found.next_url == "http://www.china.org.cn/china/node_7075073_2.htm"


def test_the_next_page_of_an_english_list_stands_behind_the_pages_own_number() -> None:
    second = "<a href='node_7075073.htm'>1</a><span>2</span><a href='node_7075073_3.htm'>3</a><a href='node_7075073_4.htm'>4</a>"
    last = "<a href='node_7075073.htm'>1</a><span>2</span>"
    page = "http://www.china.org.cn/china/node_7075073_2.htm"
    assert listed(ENGLISH_PAGE.format(pages=second), page, ENGLISH).next_url == "http://www.china.org.cn/china/node_7075073_3.htm"
    assert listed(ENGLISH_PAGE.format(pages=last), page, ENGLISH).next_url is None


DIRT = f"""<HTML><A title=""href="{article(1)}">一</A><a href=" {article(2)}
">二</a><a href='http://[::1'>坏</a><a href="http://h:port/">坏</a><a href={article(3)} target=_blank>三
<a href="javascript:void(0)">无</a><a href="mailto:a@b.cn">信</a><a><a></a></a><a href="{article(4)}?a=1&from=x">四</a>
<a href="http://user@tech.china.com.cn/it/20260904/9.shtml">藏</a><a href="http:\\\\tech.china.com.cn\\it\\20260904\\5.shtml">五</a>"""


def test_one_malformed_href_costs_no_other_link() -> None:
    found = listed(DIRT)
    assert urls(found) == [article(1), article(2), article(3), article(4), article(5, "it")]
    assert found.bad_hrefs == 2
    assert found.out_of_scope == 1


def test_each_way_to_link_an_article_gives_one_link() -> None:
    copies = [
        article(7),
        article(7).replace("http:", "https:"),
        article(7) + "?f=pad&a=true",
        article(7) + "#comments",
        article(7) + ";jsessionid=1F",
        "http://big5.china.com.cn/gate/big5/tech.china.com.cn/internet/20260904/7.shtml",
    ]
    found = listed("".join(f'<a href="{copy}">题</a>' for copy in copies))
    assert urls(found) == [article(7)]
    assert found.out_of_scope == 0


def test_a_link_to_a_copy_alone_yields_the_original() -> None:
    found = listed('<a href="https://big5.china.com.cn/gate/big5/tech.china.com.cn/internet/20260904/7.shtml">標題</a>')
    assert urls(found) == [article(7)]


def test_a_later_page_of_an_article_yields_its_first() -> None:
    found = listed('<a href="http://news.china.com.cn/2020-01/02/content_75943843_3.htm">第三页</a>')
    assert urls(found) == ["http://news.china.com.cn/2020-01/02/content_75943843.htm"]


def test_a_picture_that_links_first_takes_the_headline_that_comes_after_it() -> None:
    found = listed(f'<a href="{article(7)}"><img src="x.jpg"></a><a href="{article(7)}">田间的卫星</a>')
    assert [link.hints.title for link in found.links] == ["田间的卫星"]


def test_the_title_attribute_stands_in_for_a_missing_text() -> None:
    assert listed(f'<a href="{article(7)}" title="田间的卫星"><img></a>').links[0].hints.title == "田间的卫星"


def test_a_date_in_a_headline_is_not_the_date_of_the_entry() -> None:
    body = f'<ul class="news_list"><li><a href="{article(7)}">2019年5月1日的回声</a> <span>2026-09-04 10:00</span></li></ul>'
    assert listed(body).links[0].hints.published == "2026-09-04 10:00"


@pytest.mark.parametrize(
    "date",
    [
        "2026-09-04",
        "2026-09-04 10:05",
        "2026/9/4 10:05:06",
        "2026年09月04日10:05",
        "2026.09.04",
        "09-04 10:05",
        "May 26, 2015",
        "Sept. 4, 2026",
    ],
)
def test_a_date_is_kept_as_printed(date: str) -> None:
    body = f'<ul class="news_list"><li><a href="{article(7)}">题</a> <span>{date}</span></li></ul>'
    assert listed(body).links[0].hints.published == date


def test_links_inside_frames_are_followed_where_a_rule_says_so() -> None:
    found = listed('<iframe src="http://news.china.com.cn/node_7241142.htm"></iframe><iframe src="http://ads.example/x"></iframe>')
    assert urls(found, Kind.LISTING) == ["http://news.china.com.cn/node_7241142.htm"]
    assert found.out_of_scope == 1


def test_start_lists_and_denied_pages_are_not_followed() -> None:
    found = listed(
        '<a href="http://app.tech.china.com.cn/news/live.php?channel=数码&p=1">数码</a>'
        '<a href="http://news.china.com.cn/special/node_7.htm">专题</a><a href="http://news.china.com.cn/node_99.htm">x</a>'
    )
    assert urls(found, Kind.LISTING) == ["http://news.china.com.cn/node_99.htm"]


def test_denied_articles_are_no_links() -> None:
    assert urls(listed('<a href="http://news.china.com.cn/txt/2016-06/24/content_38736414.htm">x</a>')) == []


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("http://tech.china.com.cn/it/", "http://tech.china.com.cn/it/20260904/1.shtml"),
        ("/it/", "http://tech.china.com.cn/it/20260904/1.shtml"),
        ("http://127.0.0.1:6379/", "http://tech.china.com.cn/20260904/1.shtml"),
        ("http://tech.china.com.cn:8080/", "http://tech.china.com.cn/20260904/1.shtml"),
        ("http://[", "http://tech.china.com.cn/20260904/1.shtml"),
        ("javascript:x", "http://tech.china.com.cn/20260904/1.shtml"),
        ("", "http://tech.china.com.cn/20260904/1.shtml"),
    ],
)
def test_a_base_is_used_only_where_it_stays_on_the_site(base: str, expected: str) -> None:
    found = listed(f'<head><base target="_blank"><base href="{base}"></head><a href="20260904/1.shtml">题</a>', INDEX, site(""))
    assert urls(found) == [expected]


def test_a_page_gives_no_more_links_than_the_seeds_allow() -> None:
    body = "".join(f'<a href="{article(n)}">题</a>' for n in range(50))
    assert urls(listed(body, INDEX, site("max_links = 7"))) == [article(n) for n in range(7)]


def test_a_page_of_many_links_is_looked_at_up_to_a_bound() -> None:
    body = "<ul>" + "".join(f'<li><a href="/{n}">x</a>' for n in range(MAX_HREFS + 1)) + f'<a href="{article(1)}">题</a></ul>'
    assert urls(listed(body, INDEX, site(""))) == []


TRAPS = [
    "/a/b/a/b/a/20260904/1.shtml",
    "/x" * 20 + "/20260904/1.shtml",
    "/20260904/1.shtml" + "?" + "&".join(f"p{n}={n}" for n in range(9)),
    "/" + "y" * MAX_URL + "/20260904/1.shtml",
]


@pytest.mark.parametrize("href", TRAPS)
def test_what_a_trap_has_grown_is_no_link(href: str) -> None:
    found = listed(f'<a href="{href}">陷阱</a><a href="{article(1)}">题</a>', INDEX, site("follow = ['/']"))
    assert [link.url for link in found.links] == [article(1)]


def test_session_ids_do_not_multiply_articles() -> None:
    body = "".join(f'<a href="{article(1)}?sid={n}&utm_source=s{n}&from=f{n}">题</a>' for n in range(30))
    assert urls(listed(body)) == [article(1)]


def test_any_number_of_tracking_parameters_is_no_trap() -> None:
    tracked = "&".join(f"utm_{n}={n}" for n in range(20))
    assert urls(listed(f'<a href="{article(1)}?{tracked}">题</a>')) == [article(1)]


def test_session_ids_and_schemes_do_not_multiply_lists() -> None:
    body = "".join(f'<a href="https://news.china.com.cn/node_99.htm?sid=x{chr(97 + n)}">列表</a>' for n in range(20))
    assert urls(listed(body), Kind.LISTING) == ["http://news.china.com.cn/node_99.htm"]


def test_gb18030_lists_are_read_by_evidence() -> None:
    body = LIST_A.replace("<html>", '<html><head><meta charset="gb2312"></head>').encode("gb18030")
    found = discover(body, LIVE, Kind.LISTING, TECH)
    assert found.links[0].hints.title == "卫星互联网进入田间"


def test_a_header_names_the_charset_where_the_page_does_not() -> None:
    body = f'<a href="{article(1)}">{"經濟與科技的明天" * 8}</a>'.encode("big5")
    found = discover(body, INDEX, Kind.LISTING, TECH, (("Content-Type", "text/html; charset=big5"),))
    assert found.links[0].hints.title == "經濟與科技的明天" * 8


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"plain words", b'{"error": 500}', b"CB([])", b"\x89PNG\r\n\x1a\n", b"<?xml version='1.0'?><rss/>"]
)
def test_what_is_no_page_is_not_the_expected_kind(body: bytes) -> None:
    found = discover(body, INDEX, Kind.LISTING, TECH)
    assert not found.is_expected_kind
    assert found.links == ()


@pytest.mark.parametrize("kind", [Kind.ROBOTS, Kind.ARTICLE])
def test_what_is_no_list_holds_no_links(kind: Kind) -> None:
    assert discover(LIST_B.format(next="/bc/index_2.shtml").encode(), INDEX, kind, TECH) == Found()


# ---- lists in JSON --------------------------------------------------------------------------------------------------

ENTRIES = [
    f'<li><div class="c"><h3><a href="{article(413793)}">田间的卫星</a></h3><p>摘要</p><span>2026-09-04 10:00</span></div></li>',
    f'<li><h3><a href="{article(413792)}">教室里的芯片</a></h3></li>',
]


@pytest.mark.parametrize(
    "frame", ["CB({});", "({})", "{}", "jQuery1111_1544061033459({})", " CB ( {} ) ; \n", "\ufeffCB({})", "a.b.$c({})"]
)
def test_jsonp_is_read_with_a_callback_without_one_and_bare(frame: str) -> None:
    found = discover(frame.format(json.dumps(ENTRIES)).encode(), MORE, Kind.JSONP, TECH)
    assert urls(found) == [article(413793), article(413792)]
    assert found.entries == 2
    assert found.links[0].hints.published == "2026-09-04 10:00"
    assert found.links[1].hints.title == "教室里的芯片"


def test_jsonp_with_raw_line_ends_in_its_strings_is_read() -> None:
    body = '(["<li><h3>\n<a href=\\"' + article(1) + '\\">题</a></h3></li>"])'
    assert urls(discover(body.encode(), MORE, Kind.JSONP, TECH)) == [article(1)]


def test_a_broken_entry_of_jsonp_costs_no_other() -> None:
    broken = ["<li><a href='http://[' title=\"", f'<li><a href="{article(1)}">题</a>', 7, None, "", "<"]
    found = discover(json.dumps(broken).encode(), MORE, Kind.JSONP, TECH)
    assert urls(found) == [article(1)]
    assert found.entries == 4


def test_an_empty_jsonp_list_is_a_list() -> None:
    assert discover(b"CB([])", MORE, Kind.JSONP, TECH) == Found(untaken=Untaken())


@pytest.mark.parametrize(
    "body",
    [b"", b"<html></html>", b"CB({})", b"CB([", b"CB([1,]", b"alert(1);CB([])", b"[" * 100_000, b"CB([])" + b" " * 100_000 + b"x", b"null"],
)
def test_what_is_no_jsonp_is_not_the_expected_kind(body: bytes) -> None:
    assert not discover(body, MORE, Kind.JSONP, TECH).is_expected_kind


# ---- anything -------------------------------------------------------------------------------------------------------

HTML = [
    "<a href='",
    "'>",
    "</a>",
    "<li>",
    "<ul class='news_list'>",
    "<base href='",
    "<iframe src='",
    "<div class='pg'><a class='nxt' href='",
]
XML = [
    "<rss><channel><item><link>",
    "</link></item>",
    "<urlset><url><loc>",
    "<?xml version='1.0'?>",
    "<![CDATA[",
    "<!DOCTYPE x [",
    "<feed>",
]
TEXT = [
    "http://",
    "[",
    "](",
    "])",
    "CB(",
    '["',
    '"]',
    "&amp;",
    "\x00",
    "\ud800",
    "科技",
    "20260904 ",
    '{"url": "',
    '"}',
    "\n",
    "/news/live.php?p=2",
]
SCRAPS = st.lists(st.sampled_from([*HTML, *XML, *TEXT, article(1)]), max_size=30).map(
    lambda pieces: "".join(pieces).encode("utf-8", "surrogatepass")
)


@settings(max_examples=250, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), SCRAPS),
    st.sampled_from(list(Kind)),
    st.sampled_from([LIVE, NODE, "", "http://["]),
    st.sampled_from([TECH, ENGLISH]),
)
@example(b"\x1f\x8b\x08" + bytes(20), Kind.SITEMAP, LIVE, TECH)
@example(b"<a href='http://'>", Kind.LISTING, LIVE, TECH)
def test_no_bytes_raise_and_every_link_is_canonical_and_in_scope(body: bytes, kind: Kind, url: str, rules: Site) -> None:
    found = discover(body, url, kind, rules)
    assert len({link.url for link in found.links}) == len(found.links)
    for link in found.links:
        assert in_scope(link.url, rules)
        assert link.kind is not Kind.ARTICLE or canonical(link.url, rules).url == link.url
    assert found.next_url is None or in_scope(found.next_url, rules)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["http://[", "http://h:99999999/", "//", "http://\x00/", "http://a b/", "ht!tp://x", "\\\\", "%", "javascript:", "#"]
        ),
        max_size=8,
    )
)
def test_no_malformed_hrefs_cost_the_good_ones(hrefs: list[str]) -> None:
    body = "".join(f'<a href="{href}">坏</a>' for href in hrefs) + "".join(f'<a href="{article(n)}">好</a>' for n in range(3))
    assert urls(listed(body)) == [article(n) for n in range(3)]


# ---- the skeletons of the real site ---------------------------------------------------------------------------------

PAGES = {
    "app_live.php_p1.html": (LIVE, Kind.LISTING, TECH, 10, "http://app.tech.china.com.cn/news/live.php?channel=%E7%A7%91%E6%8A%80&p=2"),
    "channel_bc.html": ("http://tech.china.com.cn/bc/", Kind.LISTING, TECH, 1, "http://tech.china.com.cn/bc/index_2.shtml"),
    "channel_home.html": (INDEX, Kind.LISTING, TECH, 2, None),
    "node_list.htm": ("http://news.china.com.cn/node_7208703.htm", Kind.LISTING, TECH, 1, "http://news.china.com.cn/node_7208703_2.htm"),
    "en_node.htm": (NODE, Kind.LISTING, ENGLISH, 1, "http://www.china.org.cn/china/node_7075073_2.htm"),
    "more_news_2018.jsonp": (MORE, Kind.JSONP, TECH, 1, None),
    "more_news_2022.jsonp": (MORE, Kind.JSONP, TECH, 1, None),
}


@pytest.mark.skipif(not SKELETON.is_dir(), reason="the skeleton pages of ../shared are not here")
@pytest.mark.parametrize("name", PAGES)
def test_the_skeletons_of_the_site_are_read(name: str) -> None:
    url, kind, rules, articles, next_url = PAGES[name]
    found = discover((SKELETON / name).read_bytes(), url, kind, rules)
    assert (len(found.articles), found.next_url, found.is_expected_kind) == (articles, next_url, True)
    assert all(link.hints.title for link in found.articles)
