"""Pages that wear the frame of an article, and headers that lie about it: what they are, without a network."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.extract import extract
from pipelines.model import Article, Capture, Headers, Reason, Rejection
from pipelines.site import parse_site
from tests.hazards import pages

SITE = parse_site(
    """
name = "framed"
publisher = "试验台"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.cn"]
[discover]
listings = ["http://news.example.cn/list/"]
article = ['^http://news\\.example\\.cn/tech/(?P<date>\\d{8})/(?P<id>\\d+)\\.html$']
[[layout]]
name = "2024"
title = ["h1"]
body = ["#article-body"]
published = ["span.date"]
""".encode(),
    "framed.toml",
)
URL = "http://news.example.cn/tech/20261120/1.html"
REFRESH = '<meta http-equiv="refresh" content="0;url=http://127.0.0.1/">'


def read(body: bytes, headers: Headers = (("Content-Type", "text/html; charset=utf-8"),), truncated: str | None = None) -> object:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    result = extract(Capture(url=URL, fetched_at=at, status=200, headers=headers, body=body, truncated=truncated), SITE)
    return result.reason if isinstance(result, Rejection) else result


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (pages.SOFT_404, Reason.SOFT_404),
        (pages.CAPTCHA, Reason.CAPTCHA),
        (pages.LOGIN, Reason.LOGIN),
        (pages.MAINTENANCE, Reason.MAINTENANCE),
        (pages.CHALLENGE, Reason.CHALLENGE),
        (pages.bare("正在跳转", "请稍候。", head=REFRESH), Reason.REDIRECT),
    ],
)
def test_a_notice_in_the_frame_of_an_article_is_a_notice(body: bytes, reason: Reason) -> None:
    assert read(body) == reason


@pytest.mark.parametrize("words", ["网站今晚停机维护", "登录后查看的短信验证码被盗用", "多家网站页面不存在"])
def test_a_flash_report_about_a_notice_is_a_report(words: str) -> None:
    flash = pages.Story(title=words, paragraphs=(f"记者今天获悉，{words}，有关部门正在调查原因。", "调查结果将于下周公布。"))
    assert isinstance(read(pages.page(flash)), Article)


def test_a_longer_article_without_a_date_may_speak_of_anything() -> None:
    story = pages.story("notice")
    long = pages.Story(title="验证码的历史", paragraphs=story.paragraphs)
    result = read(pages.page(long, date="", head=REFRESH))
    assert isinstance(result, Article)
    assert result.text == story.text


@pytest.mark.parametrize(
    ("charset", "declared"), [("gb18030", "iso-8859-1"), ("gb18030", "utf-8"), ("utf-8", "gb2312"), ("gb18030", "big5")]
)
def test_a_header_that_lies_about_the_charset_makes_no_mojibake(charset: str, declared: str) -> None:
    story = pages.story("charset")
    result = read(pages.html(story, charset="gb2312").encode(charset), (("Content-Type", f"text/html; charset={declared}"),))
    assert isinstance(result, Article)
    assert (result.title, result.text) == (story.title, story.text)


def test_accented_letters_are_no_chinese() -> None:
    said = "Les élèves ont été étonnés à la rentrée, déjà naïfs."
    result = read(
        f"<h1>Élèves étonnés</h1><div id='article-body'><p>{said}</p></div>".encode("cp1252"),
        (("Content-Type", "text/html; charset=latin1"),),
    )
    assert isinstance(result, Article)
    assert result.text == said


@pytest.mark.parametrize(
    ("truncated", "body", "reason"),
    [
        ("length", b"<html>", Reason.TOO_LARGE),
        ("unspecified", b"", Reason.NOT_HTML),
        ("unspecified", b"<html>", Reason.PARTIAL),
        ("time", b"<html>", Reason.PARTIAL),
        ("disconnect", b"<html>", Reason.PARTIAL),
    ],
)
def test_a_body_that_was_not_read_to_its_end_says_why(truncated: str, body: bytes, reason: Reason) -> None:
    assert read(body, truncated=truncated) == reason
