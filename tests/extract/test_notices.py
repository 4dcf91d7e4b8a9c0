"""Notices and news of the same length and the same words, told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extract import notices
from pipelines.extract.notices import is_heading, notice, paywall, tells, weight
from pipelines.model import Reason
from pipelines.text import characters

NOTICES = (
    ("出错了", "很抱歉，您要找的新闻已经搬家或者被作者撤下，您可以返回上一页或去首页逛逛。", Reason.SOFT_404),
    ("温馨提示", "您来晚了，该稿件已被发布者收回。", Reason.SOFT_404),
    ("提示", "文章已删除或未通过审核", Reason.SOFT_404),
    ("Oops!", "We can't find the story you're looking for. It may have been moved or removed.", Reason.SOFT_404),
    ("Story unavailable", "Sorry, this article has expired and is no longer on our site.", Reason.SOFT_404),
    ("系统提示", "参数错误！请检查您输入的网址是否正确。", Reason.NO_TEXT),
    ("haigang.example", "This domain may be for sale. Click here to inquire.", Reason.NO_TEXT),
    ("年龄确认", "本页面含有不适合未满18周岁人士浏览的内容，请确认您已年满18周岁。", Reason.NO_TEXT),
    ("身份核实", "请依次点击图中的文字以继续浏览。", Reason.CAPTCHA),
    ("访问验证", "向右拖动滑块完成拼图，证明您不是机器人。", Reason.CAPTCHA),
    ("请求过快", "您的请求太快了，请休息一会儿再试。", Reason.CAPTCHA),
    ("One more step", "Please verify you are human by completing the action below.", Reason.CAPTCHA),
    ("访问被拒绝", "您的IP地址已被列入黑名单，如有疑问请联系管理员。", Reason.CHALLENGE),
    ("Access Denied", "You don't have permission to access this resource on this server. Reference #18.2f5c1402", Reason.CHALLENGE),
    ("App", "You need to enable JavaScript to run this app.", Reason.CHALLENGE),
    ("会员专区", "本文仅对付费会员开放，请开通会员后阅读全文。", Reason.LOGIN),
    ("权限不足", "您没有权限浏览该内容，请联系管理员开通账号。", Reason.LOGIN),
    ("Subscribers only", "This story is available to subscribers. Already have an account? Sign in.", Reason.LOGIN),
    ("公告", "本站正在进行服务器迁移，预计将于11月20日恢复访问。", Reason.MAINTENANCE),
    ("系统繁忙", "服务器开小差了，请稍后重试。", Reason.MAINTENANCE),
    ("502 Bad Gateway", "502 Bad Gateway nginx/1.18.0", Reason.MAINTENANCE),
    ("We'll be right back", "We are performing some scheduled maintenance. Please check back shortly.", Reason.MAINTENANCE),
)
NEWS = (
    ("沪指18日收涨0.32%", "上证指数18日收盘上涨0.32%，报3412.56点；深证成指上涨0.51%，报11020.11点。"),
    ("天津港集装箱突破两千万标箱", "天津港18日凌晨迎来今年第两千万个标准箱。港口方面表示，全年集装箱有望再创新高。"),
    ("多家网站将取消验证码登录", "记者18日获悉，多家网站将于年内取消短信验证码登录，改用通行密钥。用户登录后即可使用全部功能。"),
    ("高铁购票系统今晚例行维护", "铁路部门18日公告，购票系统将于今晚进行系统维护，期间暂停服务，旅客购票可提前安排。"),
    (
        "Page not found: the art of the error",
        "The words page not found are read two billion times a day. A museum in Geneva now shows the art.",
    ),
)
TITLES = ("机器人装好一台整机", "一图看懂验证码", "Access denied: a short history of doors")
ELSEWHERE = "小组负责人表示，材料来自常见的矿物，成本比现有产品低三成，回收时也不产生废水。"
LONG_404 = (
    "很抱歉，您访问的页面不存在，可能是由于以下几种原因造成的，请您逐一核对后再次尝试访问。",
    "第一，您输入的网址有误，请检查地址栏中的字母大小写、数字以及标点符号是否与原链接完全一致。",
    "第二，该网页已经被移动到了其他位置，网站在改版过程中会对部分历史栏目进行合并与调整，旧的链接因此失效。",
    "如果您是从其他网站的链接来到这里的，请将该情况告知该网站的管理员，我们对此给您带来的不便深表歉意。",
)
ITEM = "因上游放水，渡口今天全天停航，恢复时间以码头黑板上的通知为准。"


@pytest.mark.parametrize("title", TITLES)
def test_a_dated_text_is_no_notice_for_the_words_of_its_title_alone(title: str) -> None:
    assert reason(title, ELSEWHERE, dated=True) is None


def reason(title: str | None, text: str, *, dated: bool = False) -> Reason | None:
    found = notice(title, text, dated=dated)
    return found.reason if found else None


@pytest.mark.parametrize(("title", "text", "expected"), NOTICES, ids=[title for title, *_ in NOTICES])
def test_a_notice_is_called_what_it_is(title: str, text: str, expected: Reason) -> None:
    assert reason(title, text) is expected


@pytest.mark.parametrize(("title", "text"), [one[:2] for one in NOTICES if not tells(*one[:2])], ids=str)
def test_a_notice_under_a_date_is_none_the_less_one(title: str, text: str) -> None:
    assert reason(title, text, dated=True) is not None


@pytest.mark.parametrize(("title", "text"), NEWS, ids=[title for title, _ in NEWS])
@pytest.mark.parametrize("dated", [True, False])
def test_news_of_two_sentences_may_speak_of_what_notices_say(title: str, text: str, dated: bool) -> None:
    assert reason(title, text, dated=dated) is None


@pytest.mark.parametrize("title", ["404 - 页面未找到", "系统维护公告", "Log in to continue reading", "安全验证", "Page Not Found"])
def test_a_heading_of_nothing_but_such_words_is_a_notices_heading(title: str) -> None:
    assert is_heading(title)


@pytest.mark.parametrize(
    "title", ["404 页面的前世今生", "高铁购票系统今晚例行维护", "渡口停航公告", "Why the CAPTCHA refuses to die", "", "——", None]
)
def test_a_heading_with_a_subject_is_none(title: str | None) -> None:
    assert not is_heading(title)


def test_a_long_explanation_under_such_a_heading_is_a_notice_where_nothing_dates_it() -> None:
    text = "\n".join(LONG_404)
    assert weight(text) > notices.FRAMED
    assert reason("404 - 页面未找到", text) is Reason.SOFT_404
    assert reason("404 - 页面未找到", text, dated=True) is None
    assert reason("一个错误代码的前世今生", text) is None
    assert reason("404", ITEM * 5) is None


def test_a_few_words_that_tell_nothing_of_their_title_are_no_article() -> None:
    assert reason("天津港集装箱突破两千万标箱", "内容稍后补充完整。") is Reason.NO_TEXT
    assert reason("天津港集装箱突破两千万标箱", "内容稍后补充完整。", dated=True) is None
    assert reason("渡口停航", ITEM) is None


@pytest.mark.parametrize(
    "line", ["登录后可阅读全文（剩余80%）", "本文为付费内容，订阅后阅读全文", "Subscribe to continue reading this story.", "剩余 65% 未读"]
)
def test_a_last_line_that_offers_the_rest_is_a_wall(line: str) -> None:
    found = paywall(line)
    assert found is not None
    assert found.reason is Reason.LOGIN


@pytest.mark.parametrize("line", ["下载客户端，查看更多新闻", "责任编辑：王小满", ITEM, "平台登录人数达到80%，" + ITEM, ""])
def test_other_last_lines_are_none(line: str) -> None:
    assert paywall(line) is None


def test_words_of_an_alphabet_weigh_two_characters() -> None:
    assert weight("港口2026年，port of Tianjin’s") == 3 + 2 + 3 * 2


@given(st.text(), st.text(), st.booleans())
def test_any_words_get_an_answer(title: str, text: str, dated: bool) -> None:
    notice(title, text, dated=dated)
    paywall(text)
    assert weight(text) >= 0


@given(st.text(alphabet="河岸カナ한글 a'’bé1.２，\n"))
def test_a_weight_is_that_of_its_characters_and_its_words(text: str) -> None:
    assert weight(text) == characters(notices._CJK, text) + 2 * len(notices._WORD.findall(text))


@pytest.mark.parametrize("text", ["抱歉" * 50_000, "系统" * 50_000, "access " * 50_000, "您请求的页面" * 50_000, "a" * 300_000])
def test_no_text_makes_the_patterns_slow(text: str) -> None:
    """A hang is what this fails by: quadratic patterns would take hours here."""
    assert notice("提示", text, dated=True) is None
