"""Feeds and sitemaps; and what pretends to be one."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from crawler.discovery import Found, discover
from crawler.feeds import MAX_SITEMAP
from pipelines.model import Kind
from pipelines.site import load_site

SITE = load_site(Path(__file__).parent.parent.parent / "seeds" / "china_org_cn.toml")
FEED = "http://www.china.org.cn/rss/1201719.xml"
MAP = "http://www.china.org.cn/sitemap.xml"


def article(number: int) -> str:
    return f"http://www.china.org.cn/china/2026-09/04/content_{number}.htm"


def read(body: str | bytes, kind: Kind = Kind.FEED, url: str = FEED) -> Found:
    return discover(body if isinstance(body, bytes) else body.encode(), url, kind, SITE)


def urls(found: Found) -> list[str]:
    return [link.url for link in found.links]


RSS2 = f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>China</title><link>http://www.china.org.cn/</link>
<item><title>A satellite looks at the sea</title><link> {article(1)}?utm_source=rss
</link><pubDate>Fri, 04 Sep 2026 02:00:00 GMT</pubDate><category>Science</category><category>Sea</category></item>
<item><title><![CDATA[Rice & chips]]></title><guid isPermaLink="true">{article(2)}</guid><dc:date>2026-09-03T10:00:00+08:00</dc:date></item>
<item><title>Elsewhere</title><link>http://other.example/china/2026-09/04/content_3.htm</link></item>
<item><title>No link</title></item>
<item><title>Broken</title><link>http://[</link></item>
</channel></rss>"""

RSS1 = f"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="x"><title>China</title></channel>
<item rdf:about="{article(1)}"><title>A satellite</title><link>{article(1)}</link><dc:date>2026-09-04</dc:date></item></rdf:RDF>"""

ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>China</title>
<entry><title type="html">A satellite</title><link rel="self" href="http://www.china.org.cn/atom/1"/>
<link rel="alternate" href="{article(1)}"/><updated>2026-09-05T00:00:00Z</updated><published>2026-09-04T00:00:00Z</published>
<category term="Science"/></entry>
<entry><title>Rice</title><link href="/china/2026-09/04/content_2.htm"/><updated>2026-09-04T00:00:00Z</updated></entry></feed>"""


def test_rss_2_gives_its_items_with_title_date_and_category() -> None:
    found = read(RSS2)
    assert urls(found) == [article(1), article(2)]
    first, second = (link.hints for link in found.links)
    assert (first.title, first.published, first.section) == ("A satellite looks at the sea", "Fri, 04 Sep 2026 02:00:00 GMT", "Science")
    assert (second.title, second.published, second.section) == ("Rice & chips", "2026-09-03T10:00:00+08:00", None)
    assert first.via == FEED


def test_a_feed_counts_its_items_and_what_is_wrong_with_them() -> None:
    found = read(RSS2)
    assert (found.entries, found.out_of_scope, found.bad_hrefs, found.is_expected_kind) == (5, 1, 1, True)


def test_rss_1_is_read() -> None:
    found = read(RSS1)
    assert urls(found) == [article(1)]
    assert found.links[0].hints.published == "2026-09-04"


def test_atom_is_read_by_its_alternate_links() -> None:
    found = read(ATOM)
    assert urls(found) == [article(1), article(2)]
    assert found.links[0].hints.published == "2026-09-04T00:00:00Z"
    assert found.links[0].hints.section == "Science"
    assert found.links[1].hints.published == "2026-09-04T00:00:00Z"


def test_a_feed_in_another_charset_is_decoded_as_it_declares() -> None:
    body = RSS2.replace("utf-8", "gb2312").replace("A satellite looks at the sea", "一颗看海的卫星").encode("gb18030")
    assert read(body).links[0].hints.title == "一颗看海的卫星"


def test_a_feed_in_utf_16_is_read() -> None:
    assert urls(read(RSS2.replace("utf-8", "utf-16").encode("utf-16"))) == [article(1), article(2)]


def test_a_feed_that_is_cut_off_gives_the_items_that_came() -> None:
    assert urls(read(RSS2[: RSS2.index("</item>") + 20])) == [article(1)]


def test_markup_inside_an_item_is_text() -> None:
    quoted = "<description><![CDATA[<!DOCTYPE html><p>a page &b;</p>]]></description></item>"
    assert urls(read(RSS2.replace("</item>", quoted, 1))) == [article(1), article(2)]


def test_comments_and_instructions_may_stand_before_the_root() -> None:
    assert urls(read("<?xml version='1.0'?><?xml-stylesheet href='x'?>\n<!-- <rss> -->\n" + RSS2.partition("?>")[2])) == [
        article(1),
        article(2),
    ]


def test_an_undeclared_entity_costs_no_item() -> None:
    assert urls(read(RSS2.replace("A satellite", "A&nbsp;satellite"))) == [article(1), article(2)]


@pytest.mark.parametrize(
    "body",
    [
        "<!DOCTYPE html><html><body><a href='" + article(1) + "'>x</a></body></html>",
        "<html><head><title>404</title></head><body></body></html>",
        "",
        "   ",
        "Not found",
        '{"items": []}',
        f"<urlset><url><loc>{article(1)}</loc></url></urlset>",
        "\x00\x01",
    ],
)
def test_a_feed_url_that_answers_something_else_is_noticed(body: str) -> None:
    found = read(body)
    assert not found.is_expected_kind
    assert found.links == ()


XXE = f"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY secret SYSTEM "file:///etc/passwd">]>
<rss><channel><item><title>&secret;</title><link>{article(1)}</link></item></channel></rss>"""
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + f"]><urlset><url><loc>{article(1)}?&j;</loc></url></urlset>"
)
EXTERNAL = f'<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/evil.dtd"><rss><channel><item><link>{article(1)}</link></item></channel></rss>'


HIDDEN = "<!-- <rss> --><?pi <rss> ?>\n" + EXTERNAL


@pytest.mark.parametrize(
    "body", [XXE, LAUGHS, EXTERNAL, HIDDEN, "x" + EXTERNAL, EXTERNAL.replace("DOCTYPE", "doctype"), XXE.encode("utf-16").decode("utf-16")]
)
@pytest.mark.parametrize("kind", [Kind.FEED, Kind.SITEMAP])
def test_a_document_with_a_dtd_is_not_read_at_all(body: str, kind: Kind) -> None:
    assert read(body, kind) == Found(is_expected_kind=False)
    assert read(body.encode("utf-16"), kind) == Found(is_expected_kind=False)


# ---- sitemaps -------------------------------------------------------------------------------------------------------

SITEMAP = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>{article(1)}</loc><lastmod>2026-09-05</lastmod><image:image><image:loc>{article(9)}</image:loc></image:image>
<news:news><news:publication><news:name>China.org.cn</news:name><news:language>en</news:language></news:publication>
<news:publication_date>2026-09-04T10:00:00+08:00</news:publication_date><news:title>A satellite</news:title></news:news></url>
<url><loc>https://china.org.cn/china/2026-09/04/content_2.htm</loc><lastmod>2026-09-03</lastmod></url>
<url><loc>http://www.china.org.cn/about.htm</loc></url><url></url></urlset>"""

INDEX = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>http://www.china.org.cn/map_1.xml.gz</loc><lastmod>2026-09-05</lastmod></sitemap>
<sitemap><loc>http://www.china.org.cn/sitemap.xml</loc></sitemap>
<sitemap><loc>http://127.0.0.1:6379/map.xml</loc></sitemap>
<sitemap><loc>http://www.china.org.cn/map_1.xml.gz</loc></sitemap>
<sitemap><loc>http://www.china.org.cn/a/b/a/b/a/map.xml</loc></sitemap></sitemapindex>"""


def test_a_sitemap_gives_its_articles_with_dates_of_the_news_extension_first() -> None:
    found = read(SITEMAP, Kind.SITEMAP, MAP)
    assert urls(found) == [article(1), article(2)]
    assert found.links[0].hints.published == "2026-09-04T10:00:00+08:00"
    assert found.links[0].hints.title == "A satellite"
    assert found.links[1].hints.published == "2026-09-03"
    assert found.entries == 4


def test_an_index_gives_the_sitemaps_in_scope_once_and_never_itself() -> None:
    found = read(INDEX, Kind.SITEMAP, MAP)
    assert [(link.url, link.kind) for link in found.links] == [("http://www.china.org.cn/map_1.xml.gz", Kind.SITEMAP)]
    assert found.links[0].hints.published == "2026-09-05"
    assert found.out_of_scope == 1


def test_a_gzipped_sitemap_is_known_by_its_first_bytes() -> None:
    assert read(gzip.compress(SITEMAP.encode()), Kind.SITEMAP, MAP) == read(SITEMAP, Kind.SITEMAP, MAP)


def test_a_sitemap_bomb_is_not_unpacked_beyond_its_bound() -> None:
    bomb = gzip.compress(SITEMAP.encode().replace(b"</urlset>", b" " * (MAX_SITEMAP + 1) + b"</urlset>"))
    assert len(bomb) < 20_000
    assert read(bomb, Kind.SITEMAP, MAP) == Found(is_expected_kind=False)


@pytest.mark.parametrize(
    "body", [gzip.compress(SITEMAP.encode(), mtime=0)[:-20], b"\x1f\x8b" + b"x" * 100, b"\x1f\x8b"], ids=["cut", "corrupt", "bare"]
)
def test_a_damaged_gzip_is_no_sitemap(body: bytes) -> None:
    assert read(body, Kind.SITEMAP, MAP) == Found(is_expected_kind=False)


def test_a_list_of_addresses_is_a_sitemap_too() -> None:
    body = f"{article(1)}\r\n\r\n{article(2)}\nhttp://other.example/x\n"
    found = read(body, Kind.SITEMAP, MAP)
    assert urls(found) == [article(1), article(2)]
    assert (found.entries, found.out_of_scope) == (3, 1)


def test_a_feed_may_stand_in_for_a_sitemap() -> None:
    assert urls(read(RSS2, Kind.SITEMAP, MAP)) == [article(1), article(2)]


@pytest.mark.parametrize("body", ["", "<html><body></body></html>", "<!DOCTYPE html><html></html>", "page not found", "<other/>"])
def test_a_sitemap_url_that_answers_something_else_is_noticed(body: str) -> None:
    assert not read(body, Kind.SITEMAP, MAP).is_expected_kind


@pytest.mark.parametrize("stray", ["<?xml-stylesheet href='a'?>", "&x;", "<!-- -->", "<![CDATA[x]]>"])
def test_what_is_no_element_in_an_entry_costs_nothing(stray: str) -> None:
    item = f"<item>{stray}<title>题</title><link>{article(1)}</link></item>"
    assert urls(read(f'<?xml version="1.0"?><rss version="2.0"><channel>{item}</channel></rss>')) == [article(1)]


@pytest.mark.parametrize("half", ["&#xD800;", "&#xdfff;", "&#55296;", "&#57343;", "&#0057343;"])
@pytest.mark.parametrize("place", ["xmlns:a='{}'", "a='{}'"])
def test_half_a_character_costs_nothing_wherever_it_stands(half: str, place: str) -> None:
    item = f"<item {place.format(half)}><title>题{half}</title><link>{article(1)}</link></item>"
    assert urls(read(f'<?xml version="1.0"?><rss version="2.0"><channel xmlns="{half}n">{item}</channel></rss>')) == [article(1)]
