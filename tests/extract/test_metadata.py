"""What a page says about its article; whole pages are in tests/pages, here are the single pieces of evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from lxml import html

from pipelines.extract import blocks, dates, metadata, page
from pipelines.extract.furniture import Kind
from pipelines.extract.metadata import Declared
from pipelines.model import Precision, PublishedFrom

CHINA = ZoneInfo("Asia/Shanghai")
FETCHED = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def declared(head: str) -> Declared:
    return metadata.declared(html.document_fromstring(f"<html><head>{head}</head><body></body></html>"))


def published(
    head: list[str] | None = None,
    said: Declared | None = None,
    *,
    tail: list[str] | None = None,
    url_date: str | None = None,
    listed: str | None = None,
) -> metadata.Published:
    said = said or Declared()
    above, below = (list(dates.moments("  ".join(lines or []))) for lines in (head, tail))
    return metadata.published(above, below, said, url_date=url_date, listed=listed, zone=CHINA, fetched_at=FETCHED)


STRIPPED = [
    ("河岸小镇试放样机_科技_河岸网", "河岸小镇试放样机"),
    ("河岸小镇试放样机-河岸新闻", "河岸小镇试放样机"),
    ("河岸小镇试放样机 - 河岸网 - 首页", "河岸小镇试放样机"),
    ("河岸小镇试放样机--河岸网", "河岸小镇试放样机"),
    ("河岸小镇试放样机|潮汐|发电_河岸网", "河岸小镇试放样机"),
    ('"潮汐一号"下水："第一度电"从哪里来?_河岸网', '"潮汐一号"下水："第一度电"从哪里来?'),
    ("河岸网", "河岸网"),
    ("A river town lowers a generator - The River Post", "A river town lowers a generator"),
    ("1-10月河岸投资增长", "1-10月河岸投资增长"),
    ("", None),
]


@pytest.mark.parametrize(("claim", "title"), STRIPPED, ids=[claim for claim, _ in STRIPPED])
def test_a_document_title_loses_the_names_of_site_and_section(claim: str, title: str | None) -> None:
    assert metadata.strip_suffixes(claim) == title


def test_a_suffix_that_the_site_names_is_taken_off_a_short_title_too() -> None:
    assert metadata.strip_suffixes("停航_互联网_科技", ("互联网", "科技")) == "停航"


def titled(body: str, head: str = "") -> str | None:
    found = page.parse(f"<html><head>{head}</head><body>{body}</body></html>", "")
    assert found is not None
    lines = blocks.read(found.root).lines
    return metadata.title(lines, len(lines), metadata.declared(found.root), ())[0]


def test_the_heading_that_the_head_claims_is_the_title() -> None:
    assert titled("<h1>河岸网</h1><h2>河岸小镇试放样机</h2><p>正文。</p>", "<title>河岸小镇试放样机_河岸网</title>") == "河岸小镇试放样机"


def test_a_title_in_a_div_is_known_by_its_class() -> None:
    assert titled('<div class="art_title">河岸小镇试放样机</div><p>正文。</p>', "<title>河岸网</title>") == "河岸小镇试放样机"


def test_a_site_name_behind_a_colon_is_no_subtitle_where_the_page_says_the_title_without_it() -> None:
    heading = "<h1>The keeper counts boats</h1><p>.</p>"
    said = '<meta property="og:title" content="The keeper counts boats">'
    assert titled(heading, f"<title>The keeper counts boats : RPR</title>{said}") == "The keeper counts boats"


def test_the_name_that_a_page_gives_its_site_is_cut_however_long() -> None:
    said = '<meta property="og:site_name" content="The Brackwater and Oster Valley Gazette">'
    assert titled("<p>.</p>", f"<title>Boats: The Brackwater and Oster Valley Gazette</title>{said}") == "Boats"


def test_a_subtitle_that_the_head_joins_stays_joined() -> None:
    head = "<title>把样机放进河里——写在春分之后_河岸网</title>"
    assert titled("<h1>把样机放进河里</h1><p>——写在春分之后</p>", head) == "把样机放进河里——写在春分之后"


def test_a_title_of_two_lines_is_one() -> None:
    head = "<title>河岸小镇试放样机 全镇观看_河岸网</title>"
    assert titled("<h1>河岸小镇试放样机<br>全镇观看</h1><p>正文。</p>", head) == "河岸小镇试放样机全镇观看"
    assert titled("<h1>河岸小镇<br/>试放样机</h1><p>正文。</p>") == "河岸小镇试放样机"
    assert titled("<h1>独家<br>河岸小镇试放样机</h1><p>正文。</p>", "<title>河岸小镇试放样机_河岸网</title>") == "河岸小镇试放样机"


def test_without_any_title_there_is_none() -> None:
    assert titled("<p>正文。</p>") is None


def test_the_printed_header_goes_before_meta_and_url() -> None:
    said = declared('<meta name="pubdate" content="2026-02-28 09:00">')
    found = published(["2026-03-01 08:30 来源：河岸日报"], said, url_date="20260227")
    assert (found.at, found.precision, found.evidence) == (
        datetime(2026, 3, 1, 8, 30, tzinfo=CHINA),
        Precision.MINUTE,
        PublishedFrom.HEADER,
    )


def test_a_day_takes_its_minute_from_other_evidence_of_that_day_only() -> None:
    said = declared('<meta name="pubdate" content="2026-03-01 08:30">')
    assert published(["2026-03-01"], said).precision is Precision.MINUTE
    assert published(["2026-02-28"], said).precision is Precision.DAY


@pytest.mark.parametrize(
    ("arguments", "evidence"),
    [
        ({"said": declared('<meta property="article:published_time" content="2026-03-01T08:30:00+08:00">')}, PublishedFrom.META),
        (
            {"said": declared('<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2026-03-01"}</script>')},
            PublishedFrom.JSONLD,
        ),
        ({"url_date": "20260301"}, PublishedFrom.URL),
        ({"tail": ["发布于 2026-03-01 08:30"]}, PublishedFrom.HEADER),
        ({"listed": "2026-03-01 08:30"}, PublishedFrom.LISTING),
        ({"head": ["更新时间：2026-03-01 08:30"]}, PublishedFrom.HEADER),
        ({}, None),
    ],
)
def test_each_evidence_counts_where_better_ones_lack(arguments: dict[str, object], evidence: PublishedFrom | None) -> None:
    assert published(**arguments).evidence is evidence  # type: ignore[arg-type]


def test_nothing_after_the_fetch_is_believed() -> None:
    found = published(["2031-01-01 08:30"])
    assert (found.at, found.future) == (None, True)
    assert published(["2031-01-01 08:30"], url_date="20260301").evidence is PublishedFrom.URL


def test_a_day_that_is_not_over_is_never_after_the_fetch() -> None:
    found = published(["2026-03-02"])
    assert found.at is not None
    assert found.at <= FETCHED


def test_json_ld_is_found_in_lists_and_graphs_and_bad_json_is_none() -> None:
    for raw in ('[{"@type":["NewsArticle"],"headline":"题"}]', '{"@graph":[{"@type":"WebSite"},{"@type":"Article","headline":"题"}]}'):
        assert declared(f'<script type="application/ld+json">{raw}</script>').text("headline") == "题"
    for raw in ("{", '{"@type":5}', "[1, null]", '"x"', '{"@graph": 3}', "[" * 5_000):
        assert declared(f'<script type="application/ld+json">{raw}</script>').article == {}


SOURCES = [
    ([["2026-03-01 08:30", "来源：河岸日报"]], "河岸日报"),
    ([["来源：", "河岸日报"]], "河岸日报"),
    ([["来源"], ["河岸日报"]], "河岸日报"),
    ([["来源: 河岸网-《河岸日报》"]], "河岸网-《河岸日报》"),
    ([["稿源：河岸日报 作者：林小雨"]], "河岸日报"),
    ([["本文来源于河岸日报 2026-03-01"]], "河岸日报"),
    ([["來源：河岸日報"]], "河岸日報"),
    ([["2026-03-01 08:30", "河岸日报"]], "河岸日报"),
    ([["河岸日报客户端"], ["2026-03-01 08:30"]], "河岸日报客户端"),
    ([["林小雨/河岸日报"], ["2026-03-01 08:30"]], "河岸日报"),
    ([["来自: 河岸日报"], ["2026-03-01 08:30"]], "河岸日报"),
    ([["【来源】河岸日报"]], "河岸日报"),
    ([["文章来源：河岸日报　更新时间：2026-03-01 08:30"]], "河岸日报"),
    ([["来源：河岸日报（05版）"]], "河岸日报"),
    ([["来源：河岸日报 https://www.example.org/1"]], "河岸日报"),
    ([["http://www.example.org", "2026-03-01 08:30", "河岸晨报"]], "河岸晨报"),
    ([["国内新闻", "河岸时报", "2026-03-01 08:30"]], "河岸时报"),
    ([["林小雨", "河岸证券报·河证网", "2026-03-01 08:30"]], "河岸证券报·河证网"),
    ([["2026-03-01 08:30"], ["[河岸在线 原创]"]], "河岸在线"),
    ([["2026-03-01 08:30"], ["河岸经济报道 林小雨 河岸报道"]], "河岸经济报道"),
    ([["2026-03-01 08:30"], ["河岸時報／記者林小雨／台北即時報導"]], "河岸時報"),
    ([["本报记者 林小雨 《 河岸日报 》（ 2026年03月01日 05 版）"]], "河岸日报"),
    ([["来源：转载"], ["2026-03-01 08:30"]], None),
    ([["Source: Xinhua", "2026-03-01 08:30:00", "Editor: huaxia"]], "Xinhua"),
    ([["Source: River Daily | Updated: 2026-03-01 08:30"]], "River Daily"),
    ([["Quelle: Flussbote"]], "Flussbote"),
    ([["The source: a spring in the hills"]], None),
    ([["2026-03-01 08:30", "分享", "评论", "15人参与"]], None),
    ([["分享到：微信"]], None),
]


@pytest.mark.parametrize(("head", "source"), SOURCES, ids=[str(head) for head, _ in SOURCES])
def test_the_source_is_read_with_and_without_its_word(head: list[list[str]], source: str | None) -> None:
    assert metadata.source(head, [], Declared(), []) == source


def test_a_notice_names_the_account_that_a_text_is_from() -> None:
    told = ["本文来自微信公众号：河岸观察（ID：hean），作者：林小雨"]
    assert metadata.source([], [], Declared(), [], told=told) == "河岸观察"
    assert metadata.authors([], [], ["正文。"], [], (), told) == ("林小雨",)


def test_the_header_goes_before_the_tail_and_both_before_meta() -> None:
    said = declared('<meta name="source" content="河岸网">')
    assert metadata.source([["来源：河岸日报"]], [["来源：河岸晚报"]], said, []) == "河岸日报"
    assert metadata.source([], [["来源：河岸晚报"]], said, []) == "河岸晚报"
    assert metadata.source([], [], said, []) == "河岸网"


@pytest.mark.parametrize(
    ("raw", "told", "source"),
    [
        ("河岸日报", [], "河岸日报"),
        ("来源：河岸日报", [], "河岸日报"),
        ("2022年08月17日10:05  河岸日报  ", [], "河岸日报"),
        ("发布时间： 2018-12-25 | 来源： 河岸日报 | 作者： 赵六安", [], "河岸日报"),
        ("中国网科技", [(Kind.HEADER, "来源：河岸日报")], "河岸日报"),
        (None, [], None),
    ],
)
def test_a_layouts_selector_may_give_the_whole_header(raw: str | None, told: list[tuple[Kind, str]], source: str | None) -> None:
    assert metadata.layout_source(raw, told) == source


def test_the_header_names_the_authors_before_byline_dateline_and_signature() -> None:
    assert metadata.authors(["作者：林小雨"], ["本报记者 周大暑"], ["正文。（李白露）"], []) == ("林小雨",)
    assert metadata.authors([], ["本报记者 周大暑"], ["正文。（李白露）"], []) == ("周大暑",)
    assert metadata.authors([], [], ["正文。（李白露）"], []) == ("李白露",)
    assert metadata.authors([], [], ["正文。"], []) == ()


def test_two_bylines_name_all_their_authors_and_the_date_between_is_none() -> None:
    assert metadata.authors([], ["□ 本报记者 林小雨", "□ 本报通讯员 周大暑 李白露"], [], []) == ("林小雨", "周大暑", "李白露")
    assert metadata.authors(["来源：河岸日报 作者：林小雨 2026-03-01 08:30"], [], [], []) == ("林小雨",)


def test_the_markup_of_the_header_names_an_author_where_no_word_does() -> None:
    found = page.parse('<html><body><div class="author cf">林小雨</div><div class="author">河岸观察家</div></body></html>', "")
    assert found is not None
    lines = blocks.read(found.root).lines
    assert metadata.marked_authors(lines) == ("林小雨",)
    assert metadata.authors([], [], ["正文。（李白露）"], [], ("林小雨",)) == ("李白露",)
    assert metadata.authors([], [], ["正文。"], [], ("林小雨",)) == ("林小雨",)


@pytest.mark.parametrize(
    ("head", "authors"),
    [
        ('<meta name="author" content="By Ann Miller and Bob Stone">', ("Ann Miller", "Bob Stone")),
        (
            '<script type="application/ld+json">{"@type":"Article","author":[{"name":"Ann Miller"},"Bob Stone"]}</script>',
            ("Ann Miller", "Bob Stone"),
        ),
        ('<meta name="author" content="https://example.org/ann">', ()),
        ('<meta name="author" content="Ann Miller, Staff Writer">', ("Ann Miller",)),
        ('<meta name="author" content="Valley staff reporter">', ("Valley staff reporter",)),
        ('<meta name="author" content="@annmiller">', ()),
        ('<meta name="sailthru.author" content="Ann Miller">', ("Ann Miller",)),
        ('<meta name="dc.creator" content="Miller, Ann">', ("Ann Miller",)),
        ('<meta name="twitter:label1" content="Written by"><meta name="twitter:data1" content="Ann Miller">', ("Ann Miller",)),
        ('<meta name="twitter:label1" content="Time to read"><meta name="twitter:data1" content="5 minutes">', ()),
        (
            (
                '<script type="application/ld+json">{"@graph":[{"@type":"NewsArticle","author":{"@id":"#a","name":""}},'
                '{"@type":"Person","@id":"#a","name":"Ann Miller"}]}</script>'
            ),
            ("Ann Miller",),
        ),
        (
            '<script type="application/ld+json">{"@type":"Article","author":{"name":["Ann Miller","By Bob O&#8217;Hara"]}}</script>',
            ("Ann Miller", "Bob O’Hara"),
        ),
        ('<script type="application/ld+json">{"@type":"Article","author":{"@id":"#nobody"}}</script>', ()),
        ("", ()),
    ],
)
def test_authors_are_declared_where_languages_have_spaces(head: str, authors: tuple[str, ...]) -> None:
    assert metadata.declared_authors(declared(head)) == authors


@pytest.mark.parametrize(
    ("head", "authors"),
    [
        ("By Ann Miller and Bob Stone", ("Ann Miller", "Bob Stone")),
        ("By Ann Miller, Bob Stone & Cleo van der Dent", ("Ann Miller", "Bob Stone", "Cleo van der Dent")),
        ("By LI GUYU and WANG MAN | River Daily | Updated: 2024-05-13 07:12", ("LI GUYU", "WANG MAN")),
        ("Posted on March 5, 2024 by Ann Miller", ("Ann Miller",)),
        ("By Ann Miller March 1, 2026 8:30 AM", ("Ann Miller",)),
        ("By Ann Miller Print E-mail River Daily, October 21, 2022", ("Ann Miller",)),
        ("Par Lucie Arnaud Publié le 5 mars 2024", ("Lucie Arnaud",)),
        ("Von Jana Kröger", ("Jana Kröger",)),
        ("Interview by Rolf Dane", ("Rolf Dane",)),
        ("By RIVER POST STAFF", ()),
        ("Published by River Media", ()),
        ("Reviewed by Ann Miller", ()),
        ("The town moved by night", ()),
        ("By the numbers", ()),
    ],
)
def test_authors_are_printed_behind_by(head: str, authors: tuple[str, ...]) -> None:
    assert metadata.printed_authors([head], [], ()) == authors


@pytest.mark.parametrize(
    ("markup", "authors"),
    [
        ('<p><a rel="author" href="/a">Ann Miller</a> and <a rel="author" href="/b">Bob Stone</a></p>', ("Ann Miller", "Bob Stone")),
        ('<div class="meta"><span class="author-name">Ann Miller</span><span>River desk</span></div>', ("Ann Miller",)),
        ('<div class="author">Newsroom</div>', ()),
        ('<div class="coauthored">Ann Miller</div>', ()),
    ],
)
def test_authors_are_marked_in_the_header(markup: str, authors: tuple[str, ...]) -> None:
    lines = blocks.read(html.fromstring(f"<html><body>{markup}</body></html>")).lines
    assert metadata.printed_authors([], [], metadata.marked_names(lines)) == authors


def test_a_machine_readable_time_is_heard_where_it_is_no_update() -> None:
    markup = '<p><time datetime="2024-03-05T09:12:00Z">5 March</time> <time class="updated" datetime="2024-03-06T09:12:00Z">now</time></p>'
    assert metadata.stamps(blocks.read(html.fromstring(markup)).lines[0]) == ["2024-03-05T09:12:00Z"]


@pytest.mark.parametrize(
    ("content", "keywords"),
    [("潮汐,发电,潮汐", ("潮汐", "发电")), ("潮汐 发电", ("潮汐", "发电")), ("river town, tide", ("river town", "tide")), ("", ())],
)
def test_keywords_stand_once_each(content: str, keywords: tuple[str, ...]) -> None:
    assert metadata.keywords(declared(f'<meta name="keywords" content="{content}">')) == keywords


def test_the_section_is_declared_or_the_last_step_of_the_path() -> None:
    assert metadata.section(declared('<meta property="article:section" content="科技">'), []) == "科技"
    assert metadata.section(Declared(), ["当前位置：首页 > 新闻 > 科技 > 正文"]) == "科技"
    assert metadata.section(Declared(), []) is None


@pytest.mark.parametrize(
    "head", [[["By", "Ann Writer"], ["September 7, 2026", "Buffer"]], [["Published", "September 7, 2026"], ["Advertisement"]]]
)
def test_a_bare_name_beside_the_date_is_a_source_by_chinese_custom_only(head: list[list[str]]) -> None:
    said = metadata.declared(html.fromstring("<html><body></body></html>"))
    assert metadata.source(head, [], said, [], chinese=False) is None
    assert metadata.source([["澄江晚报", "2026年9月7日 10:00"]], [], said, []) == "澄江晚报"
