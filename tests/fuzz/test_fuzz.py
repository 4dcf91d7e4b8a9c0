"""No bytes of a stranger raise, and none hang (`make fuzz` looks much longer). What was found stands as an example beside the
module that was wrong; here is only the search."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import robots
from crawler.discovery import read_list
from crawler.guard import objection
from pipelines.archive.cdxj import parse_line, surt
from pipelines.archive.warc import WarcWriter, captures_in
from pipelines.errors import SeedsError
from pipelines.extract import extract
from pipelines.model import Capture, Kind
from pipelines.payload import decode_payload
from pipelines.reading import leads_to_index
from pipelines.site import generic_site, load_site, parse_site
from pipelines.urls import absolute, canonical, host_key, in_scope, normal, request_url
from pipelines.validators import validators_of
from tests.crawler import made
from tests.fuzz.damage import bounded, damaged
from tests.hazards import lists, pages

ROOT = Path(__file__).parents[2]
TECH = load_site(ROOT / "seeds" / "china_tech.toml")
AT = datetime(2026, 11, 23, tzinfo=UTC)
ARTICLE = "http://tech.china.com.cn/it/20261120/1.shtml"
LIST = "http://app.tech.china.com.cn/news/live.php?channel=科技&p=1"
STORY = pages.page(pages.story("fuzz"))
HEADERS = (("Content-Type", "text/html; charset=utf-8"),)


def capture(body: bytes, url: str, kind: Kind, *headers: tuple[str, str]) -> Capture:
    return Capture(url=url, fetched_at=AT, status=200, headers=headers or HEADERS, body=body, kind=kind)


def as_list(kind: Kind) -> Callable[[bytes], None]:
    def read(body: bytes) -> None:
        found = read_list(capture(body, LIST, kind), TECH)
        assert all(in_scope(link.url, TECH) for link in getattr(found, "links", ()))

    return read


def as_coded(coding: str) -> Callable[[bytes], None]:
    return lambda body: void(decode_payload((("Content-Encoding", coding),), body))


def as_article(body: bytes) -> None:
    extract(capture(body, ARTICLE, Kind.ARTICLE), TECH)
    extract(capture(body, "http://e.test/a.html", Kind.ARTICLE), generic_site())


def as_seeds(body: bytes) -> None:
    with contextlib.suppress(SeedsError):
        parse_site(body, "fuzz.toml")


def as_warc(body: bytes) -> None:
    void(list(captures_in(io.BytesIO(body), "fuzz.warc.gz")))


def as_index_line(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse_line(body)


def as_robots(body: bytes) -> None:
    told = robots.parse(body)
    told.allowed("china-tech-archive", "/it/20261120/1.shtml?a=b")
    told.crawl_delay("china-tech-archive")
    told.signals("china-tech-archive")


def as_url(body: bytes) -> None:
    text = body.decode("utf-8", "surrogateescape")
    for url in (text, absolute(ARTICLE, text) or "", absolute(text, "a.html") or ""):
        canonical(url, TECH), normal(url, TECH), host_key(url), objection(url, TECH), surt(url), request_url(url)
        leads_to_index(ARTICLE, url, TECH)
    validators_of(capture(b"", ARTICLE, Kind.ARTICLE, ("ETag", text), ("Last-Modified", text)))


def void(_: object) -> None:
    """What comes out does not matter here."""


def warcs() -> tuple[bytes, ...]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        writer = stack.enter_context(WarcWriter(folder, prefix="p", software="s", rules={}, max_seconds=10**10))
        for number in (1, 2):
            writer.write(made.exchange(f"{made.HOST}/{number}", STORY))
        packed = next(folder.glob("*.warc.gz*")).read_bytes()
    return packed, gzip.decompress(packed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    read: Callable[[bytes], None]
    good: tuple[bytes, ...]


def xml(*paths: str) -> tuple[bytes, ...]:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    urls = "".join(f"<url><loc>{ARTICLE}</loc><lastmod>2026-11-20T08:00:00+08:00</lastmod></url>" for _ in range(3))
    items = f"<item><title>题</title><link>{ARTICLE}</link><pubDate>Fri, 20 Nov 2026 08:00:00 +0800</pubDate></item>"
    known = {
        "sitemap": f'{head}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>',
        "index": f"{head}<sitemapindex><sitemap><loc>http://tech.china.com.cn/s.xml</loc></sitemap></sitemapindex>",
        "rss": f'{head}<rss version="2.0"><channel>{items}</channel></rss>',
        "atom": f'{head}<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="{ARTICLE}"/></entry></feed>',
        **lists.doctypes(1),
    }
    return tuple(known[path].encode() for path in paths)


ENTRIES = json.dumps([f'<li><a href="{ARTICLE}">题</a><span>2026-11-20 08:00</span></li>'] * 3)
CDX = (
    f"cn,com,china,tech)/it/20261120/1.shtml 20261120000000 {ARTICLE} text/html 200 AAAA 1234\n".encode(),
    f'cn,com,china,tech)/a 20261120000000 {{"url": "{ARTICLE}", "status": "200"}}\n'.encode(),
    json.dumps([["urlkey", "timestamp", "original"], ["cn)/", "20261120000000", ARTICLE]]).encode(),
)
READERS = {
    "article": Reader(read=as_article, good=(STORY, pages.SOFT_404, pages.CHALLENGE, STORY.decode().encode("gb18030"))),
    "list": Reader(read=as_list(Kind.LISTING), good=(lists.listed([(ARTICLE, "题"), ("/it/", "更多")] * 3),)),
    "jsonp": Reader(read=as_list(Kind.JSONP), good=(f"CB({ENTRIES});".encode(), f"({ENTRIES})".encode(), ENTRIES.encode())),
    "feed": Reader(read=as_list(Kind.FEED), good=xml("rss", "atom", "lol", "file")),
    "sitemap": Reader(
        read=as_list(Kind.SITEMAP), good=(*xml("sitemap", "index", "lol", "inside"), *(gzip.compress(one) for one in xml("sitemap")))
    ),
    "cdx": Reader(read=as_list(Kind.CDX), good=CDX),
    "robots.txt": Reader(
        read=as_robots, good=(b"User-agent: *\nDisallow: /a*b$\nAllow: /it/%E7%A7%91\nCrawl-delay: 2\nContent-Signal: ai-train=no\n",)
    ),
    "seeds": Reader(read=as_seeds, good=tuple(path.read_bytes() for path in sorted((ROOT / "seeds").glob("*.toml")))),
    "warc": Reader(read=as_warc, good=warcs()),
    "cdxj": Reader(
        read=as_index_line,
        good=(b'cn,com,china,tech)/a 20261120000000123 {"url": "http://a/", "digest": "sha256:A", "offset": "1", "filename": "x"}\n',),
    ),
    "gzip": Reader(read=as_coded("gzip"), good=(gzip.compress(STORY), gzip.compress(STORY[:99]) + gzip.compress(STORY[99:]))),
    "brotli": Reader(read=as_coded("br"), good=(brotli.compress(STORY),)),
    "deflate": Reader(read=as_coded("deflate"), good=(zlib.compress(STORY),)),
    "url": Reader(
        read=as_url,
        good=(
            ARTICLE.encode(), LIST.encode(), b"http://[::ffff:127.0.0.1]:80/", b"http://0x7f.1/", b"../a/./b?c=d&c#e",
            b"//a@b:80/;jsessionid=1",
            b'W/"x"', b"Fri, 20 Nov 2026 08:00:00 GMT", "http://新闻.test/１２７.０.０.１".encode(),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
@given(st.data())
@settings(deadline=None)
def test_damage_never_raises_and_never_hangs(name: str, data: st.DataObject) -> None:
    reader = READERS[name]
    body = data.draw(damaged(reader.good))
    with bounded():
        reader.read(body)
