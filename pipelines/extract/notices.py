"""What sites say in the place of an article: that it is gone, that they are shut, that the reader must prove or pay something.

Rule of this file: words in, a reason out; which pages are asked is decided in verdict.py. The wordings are a table. What
tells a notice from a news item of two sentences that speaks of captchas is not the table but three things about notices:
they are short, nothing dates them, and their heading ("提示", "Oops!") tells nothing of what stands below it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.model import Reason, Rejection

FRAMED = 120
"""`weight` below which a page in the frame of an article, without a date of its own, may be the site's notice"""
NEWSY = 60
"""`weight` below which a text without a date must at least tell what its title says"""
LONG = 500
"""`weight` up to which a page is a notice by its heading alone, where nothing dates it; explanations of a 404 have 250"""
_ENOUGH = 2_000
"""characters that weigh more than LONG in any script"""
_TEASED = 40
"""`weight` of a line that offers the rest of a text; a sentence of the text is longer, or speaks of something else"""

_CJK = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]+")
_WORD = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+(?:['’][a-z]+)?|\d+(?:\.\d+)?")
_WORD_WEIGHT = 2
"""A word of an alphabet says as much as two Chinese characters: the same reports in both languages have 1.7 to 2.1"""
_SHARED = 2
ITEM = 30
"""`weight` of a news item: a sentence that says who did what"""
_ADDRESSED = re.compile(r"您|请|抱歉|本站|本网|本页|\b(?:you|your|please|sorry|we|our)\b", re.IGNORECASE)
"""a notice speaks to its reader, or of the site as its own; news speaks of others"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """`pattern` is searched in title and text, `in_markup` in the markup instead."""

    reason: Reason
    pattern: re.Pattern[str]
    in_markup: bool = False


def _sign(reason: Reason, *parts: str, in_markup: bool = False) -> Sign:
    return Sign(reason=reason, pattern=re.compile("|".join(parts), re.IGNORECASE), in_markup=in_markup)


_SELF = "(?:网站|本站|系统|平台|服务器?|站点|页面|栏目)"
_PIECE = "(?:稿件|文章|内容|新闻|信息|页面?|网页|链接|帖子|资讯|记录|资源)"
_LOST = "(?:不存在|不见|已?被?(?:删除|收回|撤下|撤回|下线|屏蔽|移除|隐藏)|已?(?:过期|失效|下架)|找不到|没有|丢失|走丢|搬家|未通过审核)"

CHALLENGES = (
    _sign(
        Reason.CHALLENGE,
        r"__jsl_clearance|cf-chl-|cf_chl_|challenge-platform|_Incapsula_|acw_sc__v2|aliyun_waf|probe\.js|safeline|yunsuo_session",
        in_markup=True,
    ),
)
SIGNS = (
    *CHALLENGES,
    _sign(
        Reason.CHALLENGE,
        r"just a moment|checking your browser|enable javascript|请[开启]?[启用]\s*javascript|(?:支持|启用|开启).{0,8}javascript",
        r"浏览器(?:安全)?检查|正在(?:检查|验证)您的浏览器|ddos",
        r"(?:ip|访问|请求).{0,12}(?:黑名单|被(?:拒绝|拦截|封|禁|限制))|拦截提示|网站防火墙|非法(?:请求|访问|操作)|不合法(?:的)?(?:参数|请求)",
        r"access (?:is )?denied|(?:you have|has) been blocked|permission to access|protect itself from online attacks",
        r"attention required|request (?:was )?blocked|\bforbidden\b",
    ),
    _sign(
        Reason.CAPTCHA,
        r"验证码|安全验证|滑动验证|人机验证|访问验证|请完成(?:下[方列])?.{0,6}验证|拖动.{0,8}滑块|滑块|异常(?:访问|流量)",
        r"(?:访问|请求|操作)(?:太|过于)?(?:频繁|过快|太快)|请求太快|(?:不是|非|是否为?)机器人|机器人(?:验证|检测)|身份(?:核实|校验|验证)|完成(?:校验|拼图)",
        r"点击图中|图中的文字|网络环境(?:存在)?异常",
        r"captcha|are you (?:a )?(?:human|robot)|(?:verify|confirm) (?:that )?you(?:'re| are)|not a (?:ro)?bot|unusual traffic",
        r"robot check|too many requests|rate limit",
    ),
    _sign(
        Reason.MAINTENANCE,
        rf"(?:{_SELF}|正在|升级|停机|例行)维护|维护(?:中|公告)|暂停(?:服务|访问)|网站(?:升级|改版)中",
        rf"{_SELF}.{{0,10}}(?:迁移|升级|改版|割接|关闭|关停|停止服务)|(?:正在|尚在)建设|建设中|敬请期待|内容正在更新",
        rf"{_SELF}(?:开小差|繁忙|错误|异常|出错|故障)|程序.{{0,6}}(?:错误|异常)|稍[后候]再?[试来]",
        r"under (?:construction|maintenance)|scheduled maintenance|(?:temporarily|currently) (?:offline|down|unavailable|unable)",
        r"be (?:right )?back|upgrad(?:e|ing) our|service unavailable|bad gateway|gateway time-?out|internal server error",
        r"database (?:error|connection)|fatal error|sqlstate|welcome to nginx|it works!|default page",
    ),
    _sign(
        Reason.LOGIN,
        r"请先?登[录陆]|登[录陆]后.{0,3}(?:查看|阅读|继续|访问|浏览)|需要登[录陆]|尚未登[录陆]|(?:扫码|用户|账号)登[录陆]",
        r"忘记密码|立即注册",
        r"会员.{0,8}(?:专[享区]|登[录陆]|开放|阅读|可见)|没有权限|权限不足|无权(?:限)?(?:访问|查看|浏览)",
        r"(?:please )?(?:log|sign) ?in (?:to|with)|subscribe to (?:read|continue|keep)|subscribers? only|available to subscribers",
        r"already have an account|create (?:a|an|your) (?:free )?account|register (?:now )?to|free trial",
    ),
    _sign(
        Reason.SOFT_404,
        rf"\b404\b|{_PIECE}.{{0,8}}{_LOST}|页面没有找到|未找到{_PIECE}|找不到[您该此]?.{{0,8}}{_PIECE}|没有(?:找到)?相关{_PIECE}",
        rf"(?:访问|请求|查看|浏览|要找|查找|寻找)的?{_PIECE}.{{0,12}}{_LOST}|抱歉.{{0,12}}(?:不存在|删除|找不到)",
        r"page (?:not found|does(?:n't| not) exist)|not found|no longer (?:available|on|exists?|here)|nothing (?:was )?found",
        r"(?:can(?:'|’)?t|cannot|could ?n(?:'|’|o)t|unable to) (?:be )?(?:find|found|locate|located)",
        r"may have been (?:moved|removed|deleted)",
        r"(?:article|story|page|link) has (?:expired|been (?:removed|deleted))",
    ),
    _sign(
        Reason.NO_TEXT,  # says nothing about the article: never counted as a denial of it
        r"参数(?:错误|有误)|(?:网址|地址).{0,8}(?:有误|错误|不正确)|审核中|返回(?:首页|上一页)|自动跳转|年满1?8|未满1?8|出错[啦了]",
        r"^\s*(?:oops|sorry|error)\b|before you continue|use cookies|reject all",
        r"domain .{0,20}for sale|\bindex of /|parent directory",
    ),
)
"""tried in this order: a page that asks for a captcha may say as well that something was not found"""

_HEADING = re.compile(
    r"404|403|50[0234]|error|status|错误|代码|出错[啦了]?|页面?|网页|文章|内容|您|你|的|了|请|先|后|未|不|找不到|找到|存在|已?被?删除|丢失|走丢|无法"
    r"|系统|网站|本站|站点|服务器?|平台|升级|改版|维护|中|正在|暂停|暂时|关闭|公告|通知|温馨|提示|信息|安全|访问|浏览|阅读|继续|过于|频繁|验证码?|人机"
    r"|身份|核实|校验|用户|会员|登[录陆]|注册|繁忙|异常|拒绝|受限|限制|权限|不足|哎呀|抱歉|对不起"
    r"|\b(?:not|found|page|access|denied|forbidden|log|login|sign|in|up|to|continue|keep|reading|read|please|under|scheduled|for|site|website|is"
    r"|temporarily|currently|unavailable|service|sorry|oops|just|a|an|moment|attention|required|robot|check|captcha|human|verification|security"
    r"|are|you|verify|subscribe|subscribers|subscription|only|members?|maintenance|down|be|right|back|we|ll|account|create|free|register|story"
    r"|article|no|longer|available|the|your|this)\b",
    re.IGNORECASE,
)
"""words that headings of notices are made of: a heading of nothing else is one"""
_PAYWALL = re.compile(
    r"(?:登[录陆]|订阅|付费|购买|开通|会员).{0,10}(?:阅读|查看|解锁|畅读).{0,4}(?:全文|剩余|完整|本文|后续)|剩余\s*\d+\s*%|"
    r"(?:subscribe|sign ?in|log ?in|register|create an? (?:free )?account).{0,40}"
    r"(?:continue reading|keep reading|read (?:the )?(?:full|rest))",
    re.IGNORECASE,
)


def weight(text: str) -> int:
    """How much a text says, in Chinese characters: two for each word of an alphabet, and for each number."""
    rest, runs = _CJK.subn(" ", text)  # words are looked for between them only: a third of the time
    return len(text) - len(rest) + runs + _WORD_WEIGHT * len(_WORD.findall(rest))


def said(signs: tuple[Sign, ...], text: str, markup: str = "") -> Rejection | None:
    """The first sign that stands in title and text, or in the markup."""
    for sign in signs:
        if found := sign.pattern.search(markup if sign.in_markup else text):
            return Rejection(reason=sign.reason, detail=f"The page says {found[0][:40]!r}.")
    return None


def is_heading(title: str | None) -> bool:
    """Whether a title is made of nothing but the words of notices: "系统维护公告", "404 - Page not found"."""
    return bool(title) and not re.search(r"\w", _HEADING.sub(" ", title or "").replace("_", " ")) and said(SIGNS, title or "") is not None


def tells(title: str | None, text: str) -> bool:
    """Whether a text speaks of what its title says: at least two pairs of Chinese characters, or words, stand in both."""
    return len(_pieces(title or "") & _pieces(text)) >= _SHARED


def _pieces(text: str) -> set[str]:
    pairs = {run[at : at + 2] for run in _CJK.findall(text) for at in range(len(run) - 1)}
    return pairs | {word.lower() for word in _WORD.findall(text) if len(word) > 3 or word[0].isdigit()}


def notice(title: str | None, text: str, *, dated: bool) -> Rejection | None:
    """Why a text is the site's and no article, whatever frame it stands in; None where it may be one."""
    size = weight(text[:_ENOUGH])
    if size >= LONG or (size >= FRAMED and dated):
        return None  # nine pages of ten: the signs are not looked for in them, a third of the time of a page
    # where a date stands, a title that speaks of robots or log-ins is news of them: the text itself must be the notice
    found = said(SIGNS, text if dated and not is_heading(title) else f"{title or ''}\n{text}")
    if found is not None and is_heading(title) and (size < FRAMED or (not dated and size < LONG and said(SIGNS, text))):
        named = said(SIGNS, title or "")
        return named if named is not None and named.reason is not Reason.NO_TEXT else found
    if size >= FRAMED or (dated and tells(title, text)):
        return None
    if found is not None and not dated and size >= ITEM and tells(title, text) and not _ADDRESSED.search(text):
        return None
    return found if dated else found or _silent(title, text, size)


def _silent(title: str | None, text: str, size: int) -> Rejection | None:
    if size >= NEWSY or tells(title, text):
        return None
    return Rejection(reason=Reason.NO_TEXT, detail=f"A few words, no date, and nothing of what the title says: {text[:20]!r}.")


def paywall(ending: str) -> Rejection | None:
    """A last line that offers the rest: what stands above it is no whole article."""
    if weight(ending) >= _TEASED or not (found := _PAYWALL.search(ending)):
        return None
    return Rejection(reason=Reason.LOGIN, detail=f"The text breaks off at {found[0][:40]!r}.")
