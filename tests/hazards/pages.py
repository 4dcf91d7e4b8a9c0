"""Honest pages of the hazard site, in the layout of docs/adding-a-site.md, and pages that are none. All sentences are grown
by tests/replica or stand here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache

from tests.replica import prose, words

DAY = datetime(2026, 11, 20, 9, 30, tzinfo=timezone(timedelta(hours=8)))
LENGTH = 500
"""characters of a story"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a page tells, and must come out again."""

    title: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)

    @property
    def html(self) -> str:
        return "".join(f"<p>{paragraph}</p>\n" for paragraph in self.paragraphs)


@cache
def story(name: str) -> Story:
    """The same story for the same name."""
    trade = words.TRADES[sum(map(ord, name)) % len(words.TRADES)]
    grown = prose.write(f"hazard {name}", trade, DAY, LENGTH)
    return Story(title=grown.title, paragraphs=grown.paragraphs)


def html(
    of: Story,
    *,
    title: str | None = None,
    inner: str | None = None,
    head: str = "",
    before: str = "",
    after: str = "",
    date: str = "2026-11-20 09:30",
    charset: str = "utf-8",
) -> str:
    """The page of a story. `title` and `inner` are markup in place of its own."""
    shown = of.title if title is None else title
    return (
        f'<!DOCTYPE html>\n<html lang="zh"><head><meta charset="{charset}"><title>{shown}_试验台</title>{head}</head>\n<body>\n'
        '<div class="nav"><a href="/">首页</a> <a href="/tech/list_1.html">科技</a></div>\n'
        f'{before}<h1>{shown}</h1>\n<div class="info"><span class="date">{date}</span> <span class="source">试验台</span></div>\n'
        f'<div id="article-body">\n{of.html if inner is None else inner}</div>\n{after}'
        '<div class="foot">试验台 版权所有</div>\n</body></html>\n'
    )


def page(of: Story, **more: str) -> bytes:
    return html(of, **more).encode()


def bare(title: str, *lines: str, head: str = "") -> bytes:
    """A page that is no article, with the frame of one."""
    inner = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f'<body><div class="nav"><a href="/">首页</a></div><h1>{title}</h1><div id="article-body">{inner}</div></body></html>'
    ).encode()


SOFT_404 = bare("页面不存在", "抱歉，您访问的页面不存在或已被删除。", "五秒后将自动返回首页，您也可以点击上方的导航继续浏览其他内容。")
CAPTCHA = bare("安全验证", "您的访问过于频繁，请完成下方验证后继续访问。", "请输入图片中的验证码，然后点击提交按钮。")
LOGIN = bare("会员登录", "请登录后查看全文。", "登录后即可阅读完整文章，还没有账号的读者请先注册。")
MAINTENANCE = bare("系统维护中", "网站正在升级维护，暂停访问。", "预计今天下午六点恢复，给您带来的不便敬请谅解。")
CHALLENGE = (
    b"<html><head><title>Just a moment...</title></head><body><noscript>Enable JavaScript and cookies to continue</noscript>"
    b"<script>document.cookie='__jsl_clearance=1';location.reload()</script></body></html>"
)
