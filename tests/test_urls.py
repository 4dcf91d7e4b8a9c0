"""URLs: what a browser would contact, and one canonical URL whichever way an article was linked."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from w3lib.url import safe_url_string

from pipelines.site import Site, load_site, parse_site
from pipelines.urls import Canonical, absolute, canonical, host_key, in_scope, normal, request_url

SEEDS = Path(__file__).parent.parent / "seeds"
TECH = load_site(SEEDS / "china_tech.toml")
ENGLISH = load_site(SEEDS / "china_org_cn.toml")

HEAD = """
name = "example"
publisher = "Example"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.cn", "127.0.0.1:8800", "[::1]:8800"]
[discover]
listings = ["http://news.example.cn/"]
article = ['/(?P<id>\\d+)\\.html$']
[identity]
"""


def site(identity: str = "") -> Site:
    return parse_site((HEAD + identity).encode(), "example.toml")


PLAIN = site()

# ---- absolute -------------------------------------------------------------------------------------------------------

BASE = "http://tech.china.com.cn/it/index.shtml"

HREFS = {
    "/internet/20260904/413793.shtml": "http://tech.china.com.cn/internet/20260904/413793.shtml",
    "20260904/1.shtml": "http://tech.china.com.cn/it/20260904/1.shtml",
    "../bc/": "http://tech.china.com.cn/bc/",
    "//news.china.com.cn/a": "http://news.china.com.cn/a",
    "?p=2": "http://tech.china.com.cn/it/index.shtml?p=2",
    "  /it/1.shtml\n": "http://tech.china.com.cn/it/1.shtml",
    "/it/\n20260904/\t1.shtml": "http://tech.china.com.cn/it/20260904/1.shtml",
    "\u3000/it/1.shtml\u00a0": "http://tech.china.com.cn/it/1.shtml",
    "/news/live.php?channel=科技&p=2": "http://tech.china.com.cn/news/live.php?channel=%E7%A7%91%E6%8A%80&p=2",
    "\\it\\1.shtml": "http://tech.china.com.cn/it/1.shtml",
    "http:\\\\news.china.com.cn\\a": "http://news.china.com.cn/a",
    "HTTP://News.China.Com.Cn:80/A": "http://news.china.com.cn/A",
    "http://例子.cn/": "http://xn--fsqu00a.cn/",
    "/\t/evil.example/x": "http://evil.example/x",
    "/\ud800": "http://tech.china.com.cn/%EF%BF%BD",
    "/a b": "http://tech.china.com.cn/a%20b",
}


@pytest.mark.parametrize("href", HREFS)
def test_an_href_means_what_a_browser_makes_of_it(href: str) -> None:
    assert absolute(BASE, href) == HREFS[href]


NOT_LINKS = [
    "",
    "  \n",
    "javascript:void(0)",
    "JavaScript:void(0)",
    "mailto:a@b.cn",
    "data:text/html,x",
    "ftp://h/x",
    "tel:110",
    "file:///etc/passwd",
]
MALFORMED = [
    "http://[",
    "http://h:port/",
    "http://h:99999/",
    "http://",
    "http://a b/",
    "http://a%00b/",
    "//",
    "http://<host>/",
    "http://[::1/",
]


@pytest.mark.parametrize("href", NOT_LINKS)
def test_what_no_crawler_follows_is_none(href: str) -> None:
    assert absolute(BASE, href) is None


@pytest.mark.parametrize("href", MALFORMED)
def test_what_is_no_url_is_none(href: str) -> None:
    assert absolute(BASE, href) is None


@pytest.mark.parametrize("base", ["", "not a base", "http://[", "about:blank", "javascript:void(0)"])
def test_a_broken_base_costs_no_absolute_link(base: str) -> None:
    assert absolute(base, "http://tech.china.com.cn/it/1.shtml") == "http://tech.china.com.cn/it/1.shtml"
    assert absolute(base, "/it/1.shtml") is None


DISAGREEMENTS = {
    # href: the host that a browser contacts, where urljoin names another one or none
    "\\\\evil.example\\x": "evil.example",
    "/\\evil.example/x": "evil.example",
    "http:/\\evil.example/x": "evil.example",
    "http://tech.china.com.cn\\@evil.example/": "tech.china.com.cn",
    "http://0x7f.1/": "127.0.0.1",
    "http://2130706433/": "127.0.0.1",
    "http://0177.0.0.1/": "127.0.0.1",
    "http://127.0.0.1./": "127.0.0.1",
    "http://tech。china。com。cn/": "tech.china.com.cn",
    "http://%74ech.china.com.cn/": "tech.china.com.cn",
    "https:evil.example/x": "evil.example",
}


@pytest.mark.parametrize("href", DISAGREEMENTS)
def test_a_host_is_read_as_a_browser_reads_it_where_urljoin_does_not(href: str) -> None:
    url = absolute(BASE, href)
    assert url is not None
    assert host_key(url) == DISAGREEMENTS[href]
    assert urlsplit(urljoin(BASE, href)).netloc != DISAGREEMENTS[href]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
@example("http://h/", "\ud800")
@example("\ud800", "x")
@example("http://h/", "\x00")
def test_absolute_never_raises_and_gives_http_or_nothing(base: str, href: str) -> None:
    url = absolute(base, href)
    assert url is None or re.match(r"https?://[^/]+/", url)


# ---- canonical ------------------------------------------------------------------------------------------------------

ARTICLE = "http://tech.china.com.cn/internet/20260904/413793.shtml"

COPIES = {
    ARTICLE: None,
    "https://tech.china.com.cn/internet/20260904/413793.shtml": None,
    "http://TECH.china.com.cn:80/internet/20260904/413793.shtml": None,
    "http://tech.china.com.cn./internet/20260904/413793.shtml": None,
    "https://tech.china.com.cn:443/internet/20260904/413793.shtml#comments": None,
    "http://tech.china.com.cn/internet/../internet/20260904/413793.shtml": None,
    "http://tech.china.com.cn/internet/20260904/%34%313793%2Eshtml": None,
    "http://tech.china.com.cn/internet/20260904/413793.shtml?f=pad&a=true": None,
    "http://tech.china.com.cn/internet/20260904/413793.shtml?utm_source=x&utm_medium=y": None,
    "http://tech.china.com.cn/internet/20260904/413793.shtml?UTM_Source=x": None,
    "http://tech.china.com.cn/internet/20260904/413793.shtml?utm%5Fsource=x": None,
    "http://tech.china.com.cn/internet/20260904/413793.shtml?": None,
    "http://tech.china.com.cn/internet/20260904/413793.shtml?&&": None,
    "http://tech.china.com.cn/internet/20260904/413793.shtml;jsessionid=1F2E3D": None,
    "http://tech.china.com.cn/internet/20260904/413793.shtml;JSESSIONID=1F;sid=2?PHPSESSID=3": None,
    "http://big5.china.com.cn/gate/big5/tech.china.com.cn/internet/20260904/413793.shtml": "traditional",
    "https://big5.china.com.cn/gate/big5/tech.china.com.cn/internet/20260904/413793.shtml?from=timeline": "traditional",
}


@pytest.mark.parametrize("url", COPIES)
def test_every_way_to_link_an_article_has_one_canonical_url(url: str) -> None:
    assert canonical(url, TECH) == Canonical(url=ARTICLE, mirror=COPIES[url])


@pytest.mark.parametrize(
    "url",
    [
        "http://tech.china.com.cn/internet/20260904/413794.shtml",
        "http://tech.china.com.cn/roll/20260904/413793.shtml",
        "http://tech.china.com.cn:8080/internet/20260904/413793.shtml",
        "http://tech.china.com.cn/internet/20260904/413793.shtml?id=2",
        "http://tech.china.com.cn/internet/20260904/413793.shtml;v=2",
        "http://user@tech.china.com.cn/internet/20260904/413793.shtml",
        "http://other.example/internet/20260904/413793.shtml",
    ],
)
def test_another_article_keeps_another_url(url: str) -> None:
    assert canonical(url, TECH).url != ARTICLE


def test_the_scheme_is_given_only_to_the_sites_own_hosts() -> None:
    assert canonical("https://other.example/a", TECH).url == "https://other.example/a"


def test_an_alias_host_is_the_canonical_one() -> None:
    both = {canonical(f"https://{host}/china/2018-03/18/content_5.htm", ENGLISH).url for host in ("china.org.cn", "www.china.org.cn")}
    assert both == {"http://www.china.org.cn/china/2018-03/18/content_5.htm"}


def test_an_alias_may_have_a_port() -> None:
    aliased = site('hosts = { "127.0.0.1:9900" = "127.0.0.1:8800" }')
    assert canonical("http://127.0.0.1:9900/1.html", aliased).url == "http://127.0.0.1:8800/1.html"
    assert canonical("http://127.0.0.1/1.html", aliased).url == "http://127.0.0.1/1.html"


def test_a_port_that_becomes_the_schemes_own_goes() -> None:
    both = site('scheme = "https"\nhosts = { "old.example.cn:8080" = "news.example.cn" }')
    assert canonical("http://old.example.cn:8080/1.html", both).url == "https://news.example.cn/1.html"


def test_the_order_of_parameters_is_kept() -> None:
    assert canonical("http://news.example.cn/a?b=2&a=1&utm_x=0&b=1", PLAIN).url == "http://news.example.cn/a?b=2&a=1&b=1"


def test_chinese_parameters_are_percent_encoded_as_utf8() -> None:
    expected = "http://app.tech.china.com.cn/news/live.php?channel=%E7%A7%91%E6%8A%80&p=1"
    assert canonical("http://app.tech.china.com.cn/news/live.php?channel=科技&p=1", TECH).url == expected
    assert canonical("http://app.tech.china.com.cn/news/live.php?channel=%e7%a7%91%e6%8a%80&p=1", TECH).url == expected


def test_an_escape_that_means_something_stays() -> None:
    assert canonical("http://news.example.cn/a%2fb%3Fc?d=%26%3d", PLAIN).url == "http://news.example.cn/a%2Fb%3Fc?d=%26%3D"


def test_a_query_that_says_nothing_goes_whole_where_the_rule_says_so() -> None:
    rules = site("drop_all_query = ['/content_\\d+\\.']")
    assert canonical("http://news.example.cn/content_1.htm?x=1&y=2", rules).url == "http://news.example.cn/content_1.htm"
    assert canonical("http://news.example.cn/list.php?x=1", rules).url == "http://news.example.cn/list.php?x=1"


@pytest.mark.parametrize("name", ["index.html", "index.htm", "index.shtml", "index.php"])
def test_an_index_name_is_its_folder(name: str) -> None:
    assert canonical(f"http://news.example.cn/it/{name}", PLAIN).url == "http://news.example.cn/it/"


@pytest.mark.parametrize(
    "url", ["http://news.example.cn/it/myindex.html", "http://news.example.cn/index.php?id=3", "http://news.example.cn/it?a=/index.html"]
)
def test_an_index_name_inside_something_else_stays(url: str) -> None:
    assert canonical(url, PLAIN).url == url


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://news.china.com.cn/2020-01/02/content_75943843.htm", 1),
        ("http://news.china.com.cn/2020-01/02/content_75943843_2.htm", 2),
        ("http://news.china.com.cn/2020-01/02/content_75943843_12.htm?f=pad", 12),
        ("https://big5.china.com.cn/gate/big5/news.china.com.cn/2020-01/02/content_75943843_3.htm", 3),
    ],
)
def test_a_later_page_belongs_to_its_first_one(url: str, part: int) -> None:
    found = canonical(url, TECH)
    assert (found.url, found.part) == ("http://news.china.com.cn/2020-01/02/content_75943843.htm", part)


@pytest.mark.parametrize("tail", ["_0", "_413793", "_00", "_x", "_"])
def test_what_is_no_page_number_is_no_later_page(tail: str) -> None:
    url = f"http://news.china.com.cn/2020-01/02/content_75943843{tail}.htm"
    assert canonical(url, TECH) == Canonical(url=url)


def test_a_group_that_may_be_missing_is_filled_with_nothing() -> None:
    rules = site(
        "[[identity.mirror]]\npattern = 'http://m\\.cn/(?P<path>.*?)(?P<tail>\\?.*)?'\noriginal = 'http://news.example.cn/{path}{tail}'"
    )
    assert canonical("http://m.cn/1.html", rules).url == "http://news.example.cn/1.html"


def test_the_id_of_a_mobile_copy_finds_its_original() -> None:
    rules = site(
        "[[identity.mirror]]\npattern = 'https?://m\\.gxfin\\.com/article/\\w+/(?P<chan>\\w+)/\\w+/(?P<y>\\d{4})-(?P<m>\\d\\d)-(?P<d>\\d\\d)/(?P<id>\\d+)\\.html'\n"
        "original = 'http://news.example.cn/{chan}/{y}{m}{d}/{id}.shtml'\nkind = 'mobile'"
    )
    found = canonical("https://m.gxfin.com/article/finance/zq/ssgs/2025-05-08/6239617.html", rules)
    assert found == Canonical(url="http://news.example.cn/zq/20250508/6239617.shtml", mirror="mobile")


CIRCLE = site(
    "[[identity.mirror]]\npattern = 'http://a\\.cn/(?P<p>.*)'\noriginal = 'http://b.cn/{p}'\n"
    "[[identity.mirror]]\npattern = 'http://b\\.cn/(?P<p>.*)'\noriginal = 'http://a.cn/{p}'\n"
)
ENDLESS = site("[[identity.mirror]]\npattern = 'http://a\\.cn/(?P<p>.*)'\noriginal = 'http://a.cn/x/{p}'\n")


def test_mirrors_of_each_other_settle_on_one() -> None:
    assert canonical("http://a.cn/1", CIRCLE).url == canonical("http://b.cn/1", CIRCLE).url == "http://a.cn/1"


def test_a_mirror_that_grows_without_end_is_not_applied() -> None:
    assert canonical("http://a.cn/1", ENDLESS) == Canonical(url="http://a.cn/1")


@pytest.mark.parametrize("url", ["", "x", "mailto:a@b.cn", "javascript:void(0)", "http://[", "\ud800"])
def test_what_is_no_http_url_comes_back_as_it_is(url: str) -> None:
    assert canonical(url, TECH) == Canonical(url=url)


HOSTS = st.sampled_from(
    [
        "tech.china.com.cn",
        "TECH.china.com.cn.",
        "big5.china.com.cn",
        "news.example.cn:80",
        "a.cn",
        "b.cn",
        "127.0.0.1:8800",
        "[::1]:8800",
        "例子.cn",
    ]
)
SEGMENTS = ["gate/big5/", "tech.china.com.cn/", "a.cn/", "it/", "index.html", "..", ".", "%2e%2E", "/", "content_12", "_2", "_3", ".htm"]
SIGNS = [
    "?",
    "&",
    "=",
    ";sid=1",
    ";jsessionid=2",
    "utm_a",
    "from",
    "f",
    "%",
    "%7e",
    "%e7",
    "科技",
    "|",
    "#x",
    "\\",
    "1",
    "'",
    '"',
    " ",
    "\ud800",
]
PIECES = st.sampled_from([*SEGMENTS, *SIGNS])
URLS = st.one_of(
    st.builds(
        lambda scheme, host, pieces: f"{scheme}://{host}/{''.join(pieces)}",
        st.sampled_from(["http", "https"]),
        HOSTS,
        st.lists(PIECES, max_size=12),
    ),
    st.text(max_size=30),
)
SITES = st.sampled_from([TECH, ENGLISH, PLAIN, CIRCLE, ENDLESS, site("drop_query = ['*']\ndrop_all_query = ['sid']\nscheme = 'https'")])


@settings(max_examples=400, deadline=None)
@given(URLS, SITES)
@example("http://a.cn/a/..;sid=1/b", PLAIN)
@example("http://a.cn/index.html/index.html", PLAIN)
@example("http://a.cn/inde%78.html", PLAIN)
@example("http://a.cn/index.html;sid=1", PLAIN)
@example("http://a.cn/x?/index.html", PLAIN)
def test_canonical_never_raises_and_is_idempotent(url: str, rules: Site) -> None:
    once = canonical(url, rules)
    again = canonical(once.url, rules)
    assert again.url == once.url
    assert once.part >= 1


@settings(max_examples=150, deadline=None)
@given(URLS, SITES)
def test_a_canonical_http_url_is_what_is_sent(url: str, rules: Site) -> None:
    found = canonical(url, rules).url
    if host_key(found):
        assert request_url(found) == found


@settings(max_examples=150, deadline=None)
@given(URLS, st.sampled_from(["#x", "#", ""]))
def test_a_fragment_never_changes_the_canonical_url(url: str, fragment: str) -> None:
    if host_key(url) and "#" not in url:
        assert canonical(url.rstrip() + fragment, TECH).url == canonical(url.rstrip(), TECH).url


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("https://news.china.com.cn/node_7_2.htm?sid=5#x", "http://news.china.com.cn/node_7_2.htm"),
        ("http://news.china.com.cn/content_12_2.htm", "http://news.china.com.cn/content_12_2.htm"),
        ("http://big5.china.com.cn/gate/big5/tech.china.com.cn/", "http://big5.china.com.cn/gate/big5/tech.china.com.cn/"),
    ],
)
def test_a_list_keeps_its_page_and_its_host_and_loses_what_says_nothing(url: str, spelled: str) -> None:
    assert normal(url, TECH) == spelled


@settings(max_examples=150, deadline=None)
@given(URLS, SITES)
def test_the_normal_form_is_idempotent(url: str, rules: Site) -> None:
    assert normal(normal(url, rules), rules) == normal(url, rules)


# ---- scope ----------------------------------------------------------------------------------------------------------

INSIDE = [
    "http://news.example.cn/",
    "https://news.example.cn/a?b#c",
    "http://NEWS.Example.cn.:80/",
    "http://news。example.cn/",
    "http://127.0.0.1:8800/",
    "http://2130706433:8800/",
    "http://0x7f.0.0.1:8800/",
    "http://127.1:8800/",
    "http://[0:0:0:0:0:0:0:1]:8800/",
    " http://news.example.cn/\n",
]
OUTSIDE = [
    "http://www.example.cn/",
    "http://example.cn/",
    "http://news.example.cn.evil.example/",
    "http://evilnews.example.cn/",
    "http://news.example.cn:8080/",
    "http://news.example.cn:443/",
    "https://news.example.cn:80/",
    "http://127.0.0.1/",
    "http://127.0.0.1:8801/",
    "http://127.0.0.2:8800/",
    "http://localhost:8800/",
    "http://[::ffff:127.0.0.1]:8800/",
    "http://0:8800/",
    "http://169.254.169.254/",
    "http://user@news.example.cn/",
    "http://user:secret@news.example.cn/",
    "http://:@news.example.cn:8080/",
    "http://news.example.cn@evil.example/",
    "http://evil.example\\@news.example.cn/",
    "ftp://news.example.cn/",
    "ws://news.example.cn/",
    "file://news.example.cn/etc/passwd",
    "javascript:void(0)",
    "//news.example.cn/",
    "news.example.cn",
    "http://news.example.cn../",
    "",
    *MALFORMED,
]


@pytest.mark.parametrize("url", INSIDE)
def test_a_host_that_the_seeds_name_is_in_scope_however_it_is_written(url: str) -> None:
    assert in_scope(url, PLAIN)


@pytest.mark.parametrize("url", OUTSIDE)
def test_nothing_else_is_in_scope(url: str) -> None:
    assert not in_scope(url, PLAIN)


def test_aliases_and_mirrors_are_not_fetched_unless_they_are_named() -> None:
    aliased = site('hosts = { "m.example.cn" = "news.example.cn" }')
    assert not in_scope("http://m.example.cn/1.html", aliased)
    assert in_scope(canonical("http://m.example.cn/1.html", aliased).url, aliased)
    assert not in_scope("http://big5.china.com.cn/gate/big5/tech.china.com.cn/it/", TECH)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://News.Example.CN/x", "news.example.cn"),
        ("https://news.example.cn:443/", "news.example.cn"),
        ("https://news.example.cn:8443/", "news.example.cn:8443"),
        ("http://news.example.cn.:8080/", "news.example.cn:8080"),
        ("http://[::1]/", "[::1]"),
        ("http://[::1]:81/", "[::1]:81"),
        ("http://0300.0250.1/", "192.168.0.1"),
        ("http://user@h/", "h"),
        ("mailto:x@h", ""),
    ],
)
def test_a_host_key_is_what_is_contacted(url: str, key: str) -> None:
    assert host_key(url) == key


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=50))
def test_scope_and_host_never_raise(url: str) -> None:
    assert in_scope(url, PLAIN) <= (host_key(url) in PLAIN.hosts)


# ---- the request line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://h/live.php?channel=科技&p=1#top", "http://h/live.php?channel=%E7%A7%91%E6%8A%80&p=1"),
        ("http://h/a b", "http://h/a%20b"),
        ("http://h/a\r\nX-Evil: 1", "http://h/aX-Evil:%201"),
        ("http://h/%zz|{}", "http://h/%zz%7C%7B%7D"),
        ("http://h", "http://h/"),
        ("http://h/t2_(35X17)x[1].jpg", "http://h/t2_(35X17)x[1].jpg"),
        ("no url\r\nat all", "no%20url%0D%0Aat%20all"),
        ("http://h/\ud800", "http://h/%EF%BF%BD"),
    ],
)
def test_a_request_url_is_printable_ascii(url: str, sent: str) -> None:
    assert request_url(url) == sent


@settings(max_examples=150, deadline=None)
@given(URLS)
def test_no_url_can_break_a_request_line(url: str) -> None:
    sent = request_url(url)
    assert re.fullmatch(r"[!-~]*", sent)
    assert request_url(sent) == sent


@settings(max_examples=150, deadline=None)
@given(URLS)
def test_scrapy_sends_a_request_url_as_it_is(url: str) -> None:
    """Scrapy passes every URL through w3lib's safe_url_string: a URL that it changed would not be the one that was stored."""
    sent = request_url(url)
    if host_key(sent) and "\\" not in sent:
        assert safe_url_string(sent) == sent
