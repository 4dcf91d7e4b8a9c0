"""Whether a page is an article, and if not, why. Every reason has its page folder in tests/pages.

A page is refused for what it is, never for what it speaks about: the words of a captcha or a maintenance page count only
on pages with hardly any prose of their own. The rules are a table, tried in order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.extract.blocks import LINK_SHARE, Line, Reading
from pipelines.model import Headers, Reason, Rejection

SLIGHT = 220
"""characters of article below which a page may be something else; the shortest real article of 64 has 108"""
FRAMED = 120
"""characters below which a page in the frame of an article, without a date of its own, may be the site's notice"""
NEWSY = 60
"""characters of unlinked prose in one column that make an article out of a page full of links"""
_LINKS = 5
"""link lines that make a listing out of a page without an article; the smallest listing seen has 10"""
_HEAD = 1_024
_SENTENCE_END = re.compile(r"[。！？!?.…；;：:”\"’'」』》）)\]】〉~～—一-]\s*$|[完终]\s*$")

_MAGIC = (
    b"%PDF",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"ID3",
    b"\x00\x00\x00",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x7fELF",
    b"MZ",
    b"\xd0\xcf\x11\xe0",
    b"{\\rtf",
)
_MARKUP = re.compile(rb"<\s*(?:!doctype|html|head|body|meta|title|div|p|table|script|article|section|h1|span|br|a|!--)\b", re.IGNORECASE)
_CONTROL = bytes((*range(1, 9), *range(14, 27)))
_CONTROL_SHARE = 0.05
_HTML_TYPES = re.compile(r"html|xhtml|text/plain|octet-stream|xml", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sign:
    """`pattern` is searched in the title, the first lines and (`script`) in the markup of a page that has little prose."""

    reason: Reason
    pattern: re.Pattern[str]
    in_markup: bool = False


def _sign(reason: Reason, *parts: str, in_markup: bool = False) -> _Sign:
    return _Sign(reason=reason, pattern=re.compile("".join(parts), re.IGNORECASE), in_markup=in_markup)


_SIGNS = (
    _sign(
        Reason.CHALLENGE,
        r"__jsl_clearance|cf-chl-|cf_chl_|challenge-platform|_Incapsula_|acw_sc__v2|aliyun_waf|probe\.js|safeline|yunsuo_session",
        in_markup=True,
    ),
    _sign(
        Reason.CHALLENGE,
        r"just a moment|checking your browser|enable javascript and cookies|请[开启]?[启用]\s*javascript|",
        r"浏览器(?:安全)?检查|正在(?:检查|验证)您的浏览器|ddos",
    ),
    _sign(
        Reason.CAPTCHA,
        r"验证码|安全验证|滑动验证|人机验证|请完成(?:下[方列])?.{0,6}验证|拖动.{0,8}滑块|访问(?:过于)?频繁|异常(?:访问|流量)|",
        r"captcha|are you (?:a )?(?:human|robot)",
    ),
    _sign(
        Reason.MAINTENANCE,
        r"(?:系统|网站|服务器?|站点|平台|正在|升级|停机|例行)维护|维护(?:中|公告)|暂停(?:服务|访问)|网站(?:升级|改版)中|",
        r"under maintenance|temporarily unavailable|be back soon",
    ),
    _sign(
        Reason.LOGIN,
        r"请先?登[录陆]|登[录陆]后(?:查看|阅读|继续|访问)|需要登[录陆]|会员(?:专享|登[录陆])|尚未登[录陆]|",
        r"(?:please )?(?:log|sign) ?in to|subscribe to (?:read|continue)",
    ),
    _sign(
        Reason.SOFT_404,
        r"\b404\b|页面(?:不存在|未找到|找不到|已删除|丢失|没有找到)|(?:网页|文章|内容|新闻|信息)(?:不存在|已(?:被)?删除|已下线|已过期|走丢)|",
        r"找不到[您该此]?.{0,8}(?:页面?|网页|内容|文章)|",
        r"(?:访问|请求|查看|浏览|要找)的?(?:页面?|网页|内容|文章|信息|链接).{0,12}(?:不存在|不见|删除|找不到|没有|失效|丢失)|",
        r"抱歉.{0,12}(?:不存在|删除|找不到)|page (?:not found|does(?:n't| not) exist)|not found|no longer available",
    ),
)
_LIST_BEFORE = 10
"""lines of links between a title and a short text; a flash report follows its title after a handful of share links"""
_TOPIC = re.compile(r"/(?:special|zt|zhuanti|topics?|subject)/|专题(?:[_\-|—－]|$|报道)|专题_")
_LEADS_ON = re.compile(r"<meta\b[^>]{0,100}http-equiv\s*=\s*[\"']?refresh\b[^>]{0,100}\burl\s*=", re.IGNORECASE)
_PHOTO_SCRIPT = re.compile(r"\b(?:pic_data|picList|slide_data|g_oPics?)\s*[=:]", re.IGNORECASE)


def not_html(body: bytes, headers: Headers) -> Rejection | None:
    """Bytes that are no page: by their first bytes, whatever the header calls them; a page under another name is a page."""
    declared = {name.lower(): value for name, value in headers}
    if "attachment" in declared.get("content-disposition", "").lower() and not _MARKUP.search(body[:_HEAD]):
        return Rejection(reason=Reason.NOT_HTML, detail="The server sent it as an attachment.")
    if body.startswith(_MAGIC) or _control_share(body) > _CONTROL_SHARE:
        return Rejection(reason=Reason.NOT_HTML, detail=f"The body begins with {body[:8]!r}.")
    kind = declared.get("content-type", "text/html")
    if not _HTML_TYPES.search(kind) and not _MARKUP.search(body[:_HEAD]):
        return Rejection(reason=Reason.NOT_HTML, detail=f"Sent as {kind[:60]} and without markup.")
    if body.lstrip()[:1] in (b"{", b"[") and not _MARKUP.search(body[:_HEAD]):
        return Rejection(reason=Reason.NOT_HTML, detail="The body is JSON.")
    return None


def _control_share(body: bytes) -> float:
    """Of the first bytes; NULs between letters are a fault of text (and UTF-16), not a sign of a binary."""
    head = body[:_HEAD]
    return (len(head) - len(head.translate(None, _CONTROL))) / max(1, len(head))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What was taken for an article: `dated` where the page itself says when it went out, `expected` where the rules of
    its site call the URL that of an article."""

    title: str | None
    text: str
    url: str
    dated: bool
    expected: bool


def no_article(claim: Claim, reading: Reading, markup: str) -> Rejection | None:
    """Why a page with this little text is no article; None where it may be one. A title, a date and two sentences make a
    flash report, whatever words stand around them."""
    if len(claim.text) >= SLIGHT or (claim.expected and claim.dated and claim.title and len(claim.text) >= NEWSY):
        return None
    if not any(line.text for line in reading.lines) and not _signed(_SIGNS[:1], "", markup):
        return Rejection(reason=Reason.EMPTY, detail="The page shows no text.")
    own = claim.text if len(claim.text) >= NEWSY else _outside_links(reading)
    if found := _signed(_SIGNS, f"{claim.title or ''}\n{own}", markup):
        return found
    if found := _leads_on(claim, markup):
        return found
    if _PHOTO_SCRIPT.search(markup):
        return Rejection(reason=Reason.PHOTO_SET, detail="A photo set without texts.")
    if max(_column_length(reading), len(claim.text) if claim.title else 0) < NEWSY:
        return _without_prose(claim, reading, markup, _LINKS) or _few_words(claim)
    return None if claim.expected else _without_prose(claim, reading, markup, 1)


def no_article_in_frame(claim: Claim, markup: str) -> Rejection | None:
    """Why a page whose layout fits is no article all the same: sites print their notices in the frame of their articles. Only
    what stands in the article's place is looked at, and only where it is short and nothing on the page says when it went out."""
    if claim.dated or len(claim.text) >= FRAMED:
        return None
    if found := _signed(_SIGNS, f"{claim.title or ''}\n{claim.text}", ""):
        return found
    return _leads_on(claim, markup)


def behind_a_list(between: Sequence[Line], kept: Sequence[Line], title: str | None, url: str) -> Rejection | None:
    """Why a short text is no article that stands behind a list: the heading was the list's, the text is a footer's.
    `between` are the lines from the title to the text."""
    links = sum(line.link_share > LINK_SHARE for line in between)
    if links < _LIST_BEFORE or sum(len(line.text) for line in kept) >= SLIGHT:
        return None
    return Rejection(reason=_list_reason(title, url), detail=f"{links} lines of links stand between the title and the only prose.")


def _list_reason(title: str | None, url: str) -> Reason:
    return Reason.TOPIC if _TOPIC.search(url) or _TOPIC.search(title or "") else Reason.LISTING


def _leads_on(claim: Claim, markup: str) -> Rejection | None:
    if claim.dated or len(claim.text) >= FRAMED or not _LEADS_ON.search(markup):
        return None
    return Rejection(reason=Reason.REDIRECT, detail="A few words, and a meta refresh that leads elsewhere.")


def _few_words(claim: Claim) -> Rejection | None:
    """A server's "moved", "ok" or "test": nothing on the page says when it went out."""
    if claim.dated or not claim.text:
        return None
    return Rejection(reason=Reason.NO_TEXT, detail=f"Only {len(claim.text)} characters, and no date: {claim.text[:20]!r}.")


def _signed(signs: tuple[_Sign, ...], text: str, markup: str) -> Rejection | None:
    for sign in signs:
        if found := sign.pattern.search(markup if sign.in_markup else text):
            return Rejection(reason=sign.reason, detail=f"The page says {found[0][:40]!r}.")
    return None


def _outside_links(reading: Reading) -> str:
    return "\n".join(line.text for line in reading.lines if line.link_share <= LINK_SHARE and not line.aside)[:_HEAD]


def _column_length(reading: Reading) -> int:
    return sum(len(line.text) for line in reading.lines if line.prose and not line.aside and line.linked == 0)


def _without_prose(claim: Claim, reading: Reading, markup: str, enough: int) -> Rejection | None:
    """`enough` lines of links make a listing."""
    links = sum(line.link_share > LINK_SHARE for line in reading.lines)
    if links >= enough:
        return Rejection(reason=_list_reason(claim.title, claim.url), detail=f"{links} lines of links, no prose.")
    if markup.count("<img") + markup.count("<IMG") >= 3:
        return Rejection(reason=Reason.PHOTO_SET, detail="Pictures, no prose.")
    return None


def partial(markup: str, paragraphs: tuple[str, ...], ended: bool) -> Rejection | None:
    """A page that was cut: no end of document, and the last sentence in the middle."""
    if ended or not paragraphs or _SENTENCE_END.search(paragraphs[-1]):
        return None
    tail = markup[-200:].rstrip()
    if re.search(r"</(?:html|body|div|table)\s*>\s*(?:<!--.*)?$", tail, re.IGNORECASE | re.DOTALL):
        return None
    return Rejection(reason=Reason.PARTIAL, detail=f"The page ends in mid-sentence: {paragraphs[-1][-20:]!r}.")
