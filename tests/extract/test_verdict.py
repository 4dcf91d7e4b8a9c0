"""Article, or a reason. The reasons on whole pages stand in tests/pages; here are the edges."""

from __future__ import annotations

import pytest

from pipelines.extract import blocks, page, verdict
from pipelines.extract.verdict import Claim
from pipelines.model import Headers, Reason

TEXT = "因上游放水，渡口今天全天停航，恢复时间以码头黑板上的通知为准，请需要过河的居民改走石桥，并照看好随行的老人和孩子，谢谢大家。"
HTML: Headers = (("Content-Type", "text/html"),)


def judged(
    markup: str, text: str = "", title: str | None = "渡口停航", *, dated: bool = False, expected: bool = True, url: str = "http://e.org/a"
) -> Reason | None:
    found = page.parse(markup, url)
    reading = blocks.read(found.root) if found else blocks.Reading()
    claim = Claim(title=title, text=text, url=url, dated=dated, expected=expected)
    refused = verdict.no_article(claim, reading, markup)
    return refused.reason if refused else None


@pytest.mark.parametrize("word", ["验证码", "请先登录", "系统维护中", "暂停服务", "404", "安全验证"])
def test_a_dated_flash_report_may_speak_of_anything(word: str) -> None:
    assert judged(f"<p>{word}，{TEXT}</p>", f"{word}，{TEXT}", title=f"渡口{word}", dated=True) is None


def test_one_sentence_that_tells_what_its_heading_says_is_news_among_links() -> None:
    links = "".join(f"<p><a href=/{number}>昨日旧闻第{number}条</a></p>" for number in range(12))
    flash = "河岸讯 3月1日上午，渡口因上游放水停航，恢复时间以码头黑板上的通知为准。"
    assert judged(f"<h1>渡口停航</h1><p>{flash}</p>{links}", flash, dated=True) is None
    assert judged(f"<h1>渡口停航</h1><p>{flash}</p>{links}", flash) is Reason.LISTING
    assert judged(f"<h1>河岸网</h1><p>{flash}</p>{links}", flash, title="河岸网", dated=True) is Reason.LISTING


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("请输入验证码后继续访问", Reason.CAPTCHA),
        ("您的访问过于频繁", Reason.CAPTCHA),
        ("请先登录后查看", Reason.LOGIN),
        ("网站维护中", Reason.MAINTENANCE),
        ("您访问的页面不存在", Reason.SOFT_404),
        ("文章已被删除", Reason.SOFT_404),
        ("Page not found", Reason.SOFT_404),
        ("Just a moment...", Reason.CHALLENGE),
        ("Checking your browser before accessing", Reason.CHALLENGE),
    ],
)
def test_a_page_that_says_no_more_is_what_it_says(words: str, reason: Reason) -> None:
    assert judged(f"<title>x</title><p>{words}</p>", title=None) is reason
    assert judged("<p>河岸</p>", title=words) is reason


def test_the_words_in_links_and_menus_do_not_count() -> None:
    markup = f"<nav>请先登录</nav><p><a href=#>404页面</a></p><p>{TEXT}</p>"
    assert judged(markup, TEXT) is None


def test_long_texts_are_not_looked_at() -> None:
    assert judged("<p>404</p>", TEXT * 4, title="404") is None


def test_a_page_without_text_is_empty() -> None:
    assert judged("<html><body><div></div></body></html>", title=None) is Reason.EMPTY


def test_links_alone_are_a_listing_or_a_topic() -> None:
    links = "".join(f"<p><a href=/{number}>昨日旧闻第{number}条</a></p>" for number in range(9))
    assert judged(links) is Reason.LISTING
    assert judged(links, url="http://e.org/special/tide/") is Reason.TOPIC
    assert judged(links, title="潮汐专题") is Reason.TOPIC


def test_a_url_that_the_site_calls_no_article_needs_more_than_a_footer() -> None:
    foot = f"<p><a href=/1>河岸</a></p><p>{TEXT}</p>"
    assert judged(foot, TEXT, expected=False) is Reason.LISTING
    assert judged(foot, TEXT) is None


@pytest.mark.parametrize("start", [b"%PDF-1.7\n", b"PK\x03\x04abc", b"\x89PNG\r\n", b"\xff\xd8\xff\xe0", b"GIF89a"])
def test_binaries_are_known_by_their_first_bytes(start: bytes) -> None:
    refused = verdict.not_html(start + b"x" * 100, HTML)
    assert refused is not None
    assert refused.reason is Reason.NOT_HTML


def test_bytes_full_of_control_characters_are_no_page() -> None:
    assert verdict.not_html(bytes(range(1, 9)) * 50, HTML) is not None
    assert verdict.not_html(b"<html><p>a\x00\x00\x00b</p>", HTML) is None


@pytest.mark.parametrize("kind", ["text/html", "application/pdf", "application/octet-stream", "text/plain", "image/png", ""])
def test_a_page_is_a_page_under_any_name(kind: str) -> None:
    assert verdict.not_html(b"<!DOCTYPE html><html><body><p>a</p></body></html>", (("Content-Type", kind),)) is None


def test_what_is_neither_called_nor_built_as_html_is_none() -> None:
    assert verdict.not_html(b"name,price\nriver,1\n", (("Content-Type", "text/csv"),)) is not None
    assert verdict.not_html(b"name,price\n", (("Content-Disposition", "attachment; filename=a.csv"),)) is not None
    assert verdict.not_html(b'{"a": 1}', HTML) is not None


@pytest.mark.parametrize("end", ["。", "！", "？", "……", "”", "）", "(完)", "more.", 'said."', "——", "："])
def test_a_sentence_that_ends_is_no_cut(end: str) -> None:
    assert verdict.partial("<p>河", (f"春分那天{end}",), ended=False) is None


def test_a_sentence_in_the_middle_at_the_end_of_the_bytes_is_a_cut() -> None:
    refused = verdict.partial("<div><p>春分那天，河岸", ("春分那天，河岸",), ended=False)
    assert refused is not None
    assert refused.reason is Reason.PARTIAL
    assert verdict.partial("<div><p>春分那天，河岸", ("春分那天，河岸",), ended=True) is None
    assert verdict.partial("<div><p>春分那天，河岸</p></div>", ("春分那天，河岸",), ended=False) is None
    assert verdict.partial("<div>", (), ended=False) is None


def test_a_few_words_that_lead_elsewhere_are_a_redirect() -> None:
    refresh = '<head><meta http-equiv=refresh content="0;url=http://10.0.0.1/x"></head>'
    assert judged(f"{refresh}<body>moved</body>", "moved", title=None) is Reason.REDIRECT
    assert judged(f"{refresh}<body><p>{TEXT}</p></body>", TEXT, dated=True) is None


def test_a_few_words_without_a_date_are_no_article() -> None:
    assert judged("<body>moved</body>", "moved", title=None) is Reason.NO_TEXT
    assert judged(f"<body><p>{TEXT}</p></body>", TEXT) is None
