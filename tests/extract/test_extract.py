"""Extraction as a whole: what holds for every page, and for the worst of them."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import extract_page
from pipelines.extract import explain, extract
from pipelines.model import Article, Capture, Headers, Reason, Rejection
from pipelines.site import generic_site, parse_site
from tests.pages import folder

AT = datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
HTML: Headers = (("Content-Type", "text/html; charset=utf-8"),)
SEED = Path(__file__).parents[3] / "shared" / "seed" / "nanyang-jd.txt"
SENTENCE = "春分那天，河岸小镇的工程师们把第一台潮汐发电样机放进水里，岸上站满了拿着热水瓶的老人和逃了半节课的孩子。"
ARTICLES = [path for path in folder.folders() if folder.load(path).expected["outcome"] == "article"]


def captured(body: bytes | str, headers: Headers = HTML, status: int = 200) -> Capture:
    raw = body.encode() if isinstance(body, str) else body
    return Capture(url="https://news.example.org/2026/0301/a.html", fetched_at=AT, status=status, headers=headers, body=raw)


def an_article(inner: str, before: str = "", after: str = "") -> str:
    head = "<!DOCTYPE html><html><head><meta charset=utf-8><title>河岸小镇试放样机_河岸网</title></head>"
    top = f"{head}<body>{before}<div class=main><h1>河岸小镇试放样机</h1><p>2026-03-01 08:30 来源：河岸日报</p>"
    return f"{top}{inner}</div>{after}</body></html>"


def read(body: bytes | str) -> Article:
    found = extract(captured(body), generic_site())
    assert isinstance(found, Article), found
    return found


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    return [text for part in value for text in strings(part)] if isinstance(value, (list, tuple)) else []


def assert_safe(result: Article | Rejection) -> None:
    fields = [result.detail] if isinstance(result, Rejection) else strings(folder.described(result))
    for text in fields:
        text.encode("utf-8")
        assert "\ufffd" not in text
        assert not any(unicodedata.category(char) == "Cc" or char in "\u202a\u202b\u202d\u202e\u2066\u200b\ufeff" for char in text)


@pytest.mark.parametrize("path", ARTICLES[::4], ids=lambda path: path.name)
def test_extraction_twice_gives_the_same(path: Path) -> None:
    loaded = folder.load(path)
    assert extract(loaded.capture, loaded.site) == extract(loaded.capture, loaded.site)


@given(
    nav=st.lists(st.text(alphabet="首页新闻评论图片ABC 0123456789", min_size=1, max_size=8), max_size=12),
    foot=st.lists(st.sampled_from(["关于我们", "联系方式", "版权所有 河岸网", "友情链接", "备案号：0000"]), max_size=6),
)
@settings(deadline=None, max_examples=25)
def test_changing_nav_and_footer_does_not_change_the_text(nav: list[str], foot: list[str]) -> None:
    paragraphs = [SENTENCE, SENTENCE.replace("春分", "清明"), SENTENCE.replace("春分", "谷雨"), SENTENCE.replace("春分", "立夏")]
    menu = "<nav>" + "".join(f"<a href=/{number}>{name}</a> " for number, name in enumerate(nav)) + "</nav>"
    below = "<div class=footer>" + "".join(f"<p>{line}</p>" for line in foot) + "</div>"
    page = an_article("".join(f"<p>{text}</p>" for text in paragraphs), menu, below)
    assert list(read(page).paragraphs) == paragraphs


@given(st.binary(max_size=600))
@settings(deadline=None, max_examples=150)
def test_any_bytes_are_an_article_or_a_rejection(body: bytes) -> None:
    assert_safe(extract(captured(body), generic_site()))


@given(st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_a_page_with_any_bytes_put_in_anywhere_is_survived(data: st.DataObject) -> None:
    whole = an_article(f"<p>{SENTENCE}</p>" * 4).encode()
    at = data.draw(st.integers(0, len(whole)))
    until = data.draw(st.integers(at, min(len(whole), at + 60)))
    assert_safe(extract(captured(whole[:at] + data.draw(st.binary(max_size=40)) + whole[until:]), generic_site()))


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<div>",
                "</div>",
                "<br>",
                "<table>",
                "<td>",
                "<a href=#>",
                "</a>",
                "<img src=a>",
                "<h1>",
                "<li>",
                SENTENCE,
                "短。",
                "　　",
                "&nbsp;",
                "<!--",
                "-->",
                "<script>",
                "</script>",
                '"',
                "<b",
            ]
        ),
        max_size=60,
    )
)
@settings(deadline=None, max_examples=120)
def test_any_soup_of_tags_is_survived(parts: list[str]) -> None:
    assert_safe(extract(captured("".join(parts)), generic_site()))


@given(st.text(max_size=60), st.text(max_size=60))
@settings(deadline=None, max_examples=60)
def test_any_header_and_content_type_is_survived(name: str, value: str) -> None:
    headers = ((name, value), ("content-type", value), ("x-robots-tag", value), ("content-usage", value))
    assert_safe(extract(captured(an_article(f"<p>{SENTENCE}</p>" * 3), headers), generic_site()))


BROKEN = {
    "100,000 attributes": an_article(
        "<p " + " ".join(f'a{number}="1"' for number in range(100_000)) + f">{SENTENCE}</p>" + f"<p>{SENTENCE}</p>" * 3
    ),
    "100,000 nested elements": an_article("<div>" * 100_000 + f"<p>{SENTENCE}</p>" * 5),
    "300 nested elements": an_article("<div>" * 300 + f"<p>{SENTENCE}</p>" * 5),
    "a data: URI of 5 MB": an_article(f'<img src="data:image/png;base64,{"A" * 5_000_000}">' + f"<p>{SENTENCE}</p>" * 5),
    "300 kB of comments": an_article("".join(f"<!-- {number} -->" for number in range(20_000)) + f"<p>{SENTENCE}</p>" * 5),
    "nothing closed": an_article("").replace("</div></body></html>", "") + f"<p>{SENTENCE}" * 5,
    "everything closed twice": an_article(f"<p>{SENTENCE}</p></p>" * 5 + "</div></div></body></html>"),
    "a NUL in every word": an_article(f"<p>{SENTENCE}</p>" * 5).replace("河岸", "河\x00岸"),
    "entities of entities": an_article("&amp;" * 1_000 + f"<p>{SENTENCE}</p>" * 5),
    "10,000 links": an_article(f"<p>{SENTENCE}</p>" * 5, before="<a href=/>旧闻</a> " * 10_000),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_pages_give_their_text_in_bounded_time(name: str) -> None:
    start = time.process_time()
    found = extract(captured(BROKEN[name]), generic_site())
    assert time.process_time() - start < 60.0
    assert isinstance(found, Article)
    assert SENTENCE in found.text
    assert_safe(found)


def test_flattened_pages_go_to_a_person() -> None:
    found = read(an_article("<div>" * 3_000 + f"<p>{SENTENCE}</p>" * 5))
    assert "flattened" in found.quality.flags
    assert found.quarantine is not None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, Reason.GONE),
        (410, Reason.GONE),
        (304, Reason.NOT_MODIFIED),
        (301, Reason.REDIRECT),
        (307, Reason.REDIRECT),
        (204, Reason.HTTP_ERROR),
        (403, Reason.HTTP_ERROR),
        (503, Reason.HTTP_ERROR),
        (999, Reason.HTTP_ERROR),
    ],
)
def test_only_a_200_can_be_an_article(status: int, reason: Reason) -> None:
    found = extract(captured(an_article(f"<p>{SENTENCE}</p>" * 4), status=status), generic_site())
    assert isinstance(found, Rejection)
    assert (found.reason, found.status) == (reason, status)


def test_every_rejection_says_why_in_a_sentence() -> None:
    for path in folder.folders():
        loaded = folder.load(path)
        found = extract(loaded.capture, loaded.site)
        if isinstance(found, Rejection):
            assert len(found.detail) > 5
            assert found.status == loaded.capture.status


def test_a_body_shorter_than_declared_is_survived() -> None:
    assert_safe(extract(captured(an_article(f"<p>{SENTENCE}</p>" * 4), (*HTML, ("Content-Length", "999999"))), generic_site()))


def test_a_result_can_go_through_another_process() -> None:
    import pickle

    found = read(an_article(f"<p>{SENTENCE}</p>" * 4))
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 -- our own bytes


def test_extract_page_finds_the_site_by_the_host() -> None:
    loaded = folder.load(folder.ROOT / "china_tech" / "t3")
    found = extract_page(loaded.capture.body, loaded.capture.url)
    assert isinstance(found, Article)
    assert (found.site, found.extraction.method) == ("china_tech", "layout:T3")
    other = extract_page(
        an_article(f"<p>{SENTENCE}</p>" * 4).encode(), "https://news.example.org/a.html", {"Date": "Sun, 01 Mar 2026 12:00:00 GMT"}
    )
    assert isinstance(other, Article)
    assert other.site == "web"


def test_extract_page_reads_the_headers_it_is_given() -> None:
    import gzip

    body = gzip.compress(an_article(f"<p>{SENTENCE}</p>" * 4).encode())
    found = extract_page(body, "https://news.example.org/a.html", {"Content-Encoding": "gzip", "Content-Type": "text/html"})
    assert isinstance(found, Article)
    assert SENTENCE in found.text


@pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.name)
def test_the_layout_that_is_explained_to_read_a_page_is_the_one_that_reads_it(path: Path) -> None:
    loaded = folder.load(path)
    found = extract(loaded.capture, loaded.site)
    assert isinstance(found, Article)
    reads = [f"layout:{told.layout}" for told in explain(loaded.capture, loaded.site) if told.why is None]
    assert (reads or ["consensus"]) == [found.extraction.method]


@pytest.mark.parametrize("body", [b"", b"%PDF-1.7", b"\x1f\x8b", b"<html></html>", SENTENCE.encode()])
@pytest.mark.parametrize("status", [200, 404])
def test_any_page_is_explained_also_where_there_is_nothing_to_read(body: bytes, status: int) -> None:
    site = folder.site_named("china_tech")
    told = explain(captured(body, status=status), site)
    assert told == () or [one.layout for one in told] == [layout.name for layout in site.layouts]
    assert status == 200 or told == ()


def test_importing_the_package_imports_no_library() -> None:
    import subprocess
    import sys

    code = "import sys, pipelines; sys.exit(any(name in sys.modules for name in ('trafilatura', 'lxml', 'readability')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not SEED.exists(), reason="the seed article is not part of this project")
def test_the_seed_article_comes_out_whole_and_alone() -> None:
    raw = SEED.read_text("utf-8")
    body, _, rest = raw.partition("文内图片为")
    pieces = [piece for piece in re.split(r"　　|(?=图片说明：)", body) if piece.strip()]
    inner = "".join(f"<p align=center>{piece}</p>" if piece.startswith("图片说明") else f"<p>　　{piece}</p>" for piece in pieces)
    notice, *links = re.split(r"\s+", "文内图片为" + rest, maxsplit=1)
    body_html = f'<div class="navp c" id="fontzoom">{inner}<p>　　{notice}</p><div class="fr bianj">(责任编辑：王小满)</div></div>'
    header = '<h1 class="toph1">首届数字经济大会召开</h1><span class="fl time2">2022年08月17日10:05  <a href="#">中国网科技</a></span>'
    head = "<html><head><meta charset=utf-8><title>大会_科技_中国网</title></head>"
    foot = f"<div class=Info>{''.join(links)}</div></body></html>"
    page = f'{head}<body><div class="wrap c top">{header}{body_html}</div>{foot}'
    found = extract_page(page.encode(), "http://tech.china.com.cn/internet/20220817/390001.shtml")
    assert isinstance(found, Article)
    assert list(found.paragraphs) == [piece.strip() for piece in pieces if not piece.startswith("图片说明")]
    assert [caption.text for caption in found.captions] == [piece.strip() for piece in pieces if piece.startswith("图片说明")]
    assert found.rights.image_notice == notice
    for foreign in ("神舟十五号", "2021年全国两会", "电话：", "责任编辑", "官方微信"):
        assert foreign not in found.text


def test_expectations_are_json_of_plain_values() -> None:
    for path in folder.folders():
        assert json.loads((path / "expected.json").read_text("utf-8"))["outcome"]


FRAMED = """
name = "river"
publisher = "River"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.org"]

[discover]
listings = ["https://news.example.org/"]
article = ['/(?P<date>\\d{4}/\\d{4})/\\w+\\.html$']

[[layout]]
name = "one"
title = ["h1"]
body = ["div.text"]
"""


def in_frame(title: str, inner: str, date: str = "") -> Article | Rejection:
    """What a site's own layout makes of a page; the layout looks for no date."""
    body = f"<html><head><title>{title}_河岸网</title></head><body><h1>{title}</h1><p>{date}</p><div class=text>{inner}</div></body></html>"
    return extract(captured(body), parse_site(FRAMED.encode(), "river.toml"))


def reason(found: Article | Rejection) -> Reason | None:
    return found.reason if isinstance(found, Rejection) else None


def test_beginnings_of_other_articles_around_a_notice_are_no_article() -> None:
    others = "".join(f"<li><a href=/2026/0301/{n}.html>河岸小镇第{n}台样机下水</a><p>{SENTENCE}……</p></li>" for n in range(8))
    page = (
        f"<html><body><div><h2>提示</h2><p>您要找的文章已经被删除。</p></div><div><h3>大家都在看</h3><ul>{others}</ul></div></body></html>"
    )
    assert reason(extract(captured(page), generic_site())) is Reason.SOFT_404
    assert reason(extract(captured(page.replace("您要找的文章已经被删除。", "")), generic_site())) is Reason.LISTING


def test_a_photo_sets_captions_are_its_text() -> None:
    shown = "".join(f"<p align=center><img src=/{n}.jpg></p><p align=center>{SENTENCE[:-1]}（王小满 摄）</p>" for n in "12")
    found = in_frame("组图：河岸夜色", shown, "2026-03-01 08:30")
    assert isinstance(found, Article), found
    assert len(found.paragraphs) == len(found.captions) == 2
    assert found.captions[0].image_url == "https://news.example.org/1.jpg"


@pytest.mark.parametrize("last", ["登录后可阅读全文（剩余80%）", "Subscribe to continue reading this story."])
def test_what_breaks_off_at_a_wall_is_no_whole_article(last: str) -> None:
    inner = f"<p>{SENTENCE}</p>" * 4
    assert reason(in_frame("河岸小镇试放样机", inner + f"<p>{last}</p>", "2026-03-01")) is Reason.LOGIN
    assert reason(in_frame("河岸小镇试放样机", inner, "2026-03-01")) is None
    assert reason(extract(captured(an_article(inner + f"<p>{last}</p>")), generic_site())) is Reason.LOGIN


def test_a_date_below_the_title_counts_though_no_layout_looks_for_it() -> None:
    words = "渡口验证码系统升级维护，暂停服务一天。"
    assert reason(in_frame("渡口验证码系统", f"<p>{words}</p>", "2026-03-01 08:30　来源：河岸日报")) is None
    assert reason(in_frame("提示", f"<p>{words}</p>")) is not None


def test_a_text_that_nobody_would_print_is_too_large() -> None:
    assert reason(in_frame("河岸小镇试放样机", f"<p>{SENTENCE}</p>" * 7_000)) is Reason.TOO_LARGE


def test_a_title_is_cut_where_no_headline_ends() -> None:
    found = in_frame("河岸" * 50_000, f"<p>{SENTENCE}</p>" * 4)
    assert isinstance(found, Article)
    assert len(found.title) == 300
