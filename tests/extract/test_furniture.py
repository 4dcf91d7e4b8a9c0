"""Furniture rules by line: what each strikes, and what it must leave."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extract import furniture
from pipelines.extract.furniture import Kind, Place
from pipelines.model import Article
from tests.pages import folder

STRUCK = [
    (Kind.EDITOR, "责任编辑：王小满"),
    (Kind.EDITOR, "（责任编辑：王小满）"),
    (Kind.EDITOR, "【责任编辑:王小满】"),
    (Kind.EDITOR, "(责编：王小满、李谷雨)"),
    (Kind.EDITOR, "[ 责编：王小满 ]"),
    (Kind.EDITOR, "编辑：王小满 校对：李谷雨"),
    (Kind.EDITOR, "编辑 王小满"),
    (Kind.EDITOR, "校对丨王小满"),
    (Kind.EDITOR, "監製：陳小滿"),
    (Kind.EDITOR, "本文来源：河岸日报 责任编辑：王小满_NN01"),
    (Kind.ORIGINAL_TITLE, "原标题：小镇的河里转起了风车"),
    (Kind.ORIGINAL_TITLE, "（原题为《河里的风车》）"),
    (Kind.RELATED, "相关阅读"),
    (Kind.RELATED, "【相关新闻】"),
    (Kind.RELATED, "延伸阅读："),
    (Kind.RELATED, "猜你喜欢"),
    (Kind.RELATED, "最新评论"),
    (Kind.RELATED, "上一篇：河岸停航"),
    (Kind.RELATED, "相關新聞"),
    (Kind.NOTICE, "免责声明：本文仅代表作者个人观点。"),
    (Kind.NOTICE, "特别声明：以上内容为用户上传。"),
    (Kind.NOTICE, "凡本网注明来源的作品，版权均属本网。"),
    (Kind.NOTICE, "未经本报书面授权，不得转载。"),
    (Kind.NOTICE, "转载请注明出处"),
    (Kind.NOTICE, "版权所有：河岸日报社"),
    (Kind.NOTICE, "某ICP备00000000号-1"),
    (Kind.NOTICE, "违法和不良信息举报电话：000-00000000"),
    (Kind.NOTICE, "投资有风险，内容仅供参考，不构成投资建议。"),
    (Kind.NOTICE, "更多精彩内容，请下载本报客户端"),
    (Kind.NOTICE, "长按识别二维码，关注本报公众号"),
    (Kind.IMAGE_NOTICE, "文内图片为河岸工坊授权本网使用"),
    (Kind.IMAGE_NOTICE, "图片均来自网络，侵删"),
    (Kind.SHARE, "分享到：微信 微博 QQ空间"),
    (Kind.SHARE, "字号：大 中 小"),
    (Kind.SHARE, "打印 | 关闭 | 收藏"),
    (Kind.SHARE, "扫一扫，分享给好友"),
    (Kind.SHARE, "阅读 3.2万 评论 15"),
    (Kind.HEADER, "2026年03月01日08:30 来源：河岸日报"),
    (Kind.HEADER, "发布时间：2026-03-01 08:30:00"),
    (Kind.HEADER, "来源：河岸日报"),
    (Kind.RELATED, "关键词：潮汐"),
    (Kind.BREADCRUMB, "您当前的位置：首页 > 科技"),
    (Kind.BREADCRUMB, "首页>>科技>>正文"),
    (Kind.PAGER, "【1】【2】【3】"),
    (Kind.EMPTY, "· · ·"),
    (Kind.EDITOR, "(Web editor: Wang Man, Li Guyu)"),
    (Kind.EDITOR, "Editor: huaxia"),
    (Kind.EDITOR, "Reporting by Ann Miller in Brackwater; Additional reporting by Bob Stone; Editing by Cleo Dent"),
    (Kind.EDITOR, "Reporting by Ann Miller"),
    (Kind.HEADER, "by Ann Miller Monday, November 18, 2019"),
    (Kind.HEADER, "12:43, 20 Apr 2026Updated 12:44, 20 Apr 2026"),
    (Kind.HEADER, "segunda-feira, 22 de janeiro de 2018 às 0:13"),
    (Kind.HEADER, "Publié le 5 mars 2024 à 14h12"),
    (Kind.HEADER, "5. März 2024, 14:12 Uhr"),
    (Kind.HEADER, "5 марта 2024, 14:12"),
    (Kind.HEADER, "Published Fri, Apr 28 2023 2:23 PM EDT"),
    (Kind.HEADER, "3 hours ago"),
    (Kind.HEADER, "Source: Xinhua"),
    (Kind.HEADER, "6 min read"),
    (Kind.RELATED, "Also Read: Fog and the future of the pier"),
    (Kind.RELATED, "Don’t miss"),
    (Kind.RELATED, "More from the river desk"),
    (Kind.RELATED, "Lesen Sie auch: Brücke bleibt gesperrt"),
    (Kind.RELATED, "İlginizi çekebilir"),
    (Kind.RELATED, "関連記事"),
    (Kind.NOTICE, "For the latest stories from the valley, sign up for our newsletters."),
    (Kind.NOTICE, "Sign up here for the free morning newsletter"),
    (Kind.NOTICE, "By signing up, you agree to our user agreement."),
    (Kind.NOTICE, "Get in touch with our news team by emailing us at news@example.org."),
    (Kind.NOTICE, "If you buy something using links in our stories, we may earn a commission."),
    (Kind.NOTICE, "The Post may earn compensation for sales from links on this page through affiliate programs."),
    (Kind.NOTICE, "If you enjoyed this article, we have a proposition for you: join us."),
    (Kind.NOTICE, "Note: we are temporarily moderating all comments."),
    (Kind.NOTICE, "Bob Stone is a columnist with the Post. For more information please visit:"),
    (Kind.NOTICE, "The author is a research fellow at the Oster Institute."),
    (Kind.NOTICE, "The opinions expressed here are those of the writer."),
]


@pytest.mark.parametrize(("kind", "line"), STRUCK, ids=[line for _, line in STRUCK])
def test_furniture_is_named_at_the_edges_of_an_article(kind: Kind, line: str) -> None:
    assert furniture.kind(line) is kind


KEPT = [
    "春分那天，河岸小镇的工程师们把第一台潮汐发电样机放进水里。",
    "2026年2月28日，河岸小镇召开了一次没有主席台的会议，全镇的钟表匠都到了场。",
    "编辑部为此开了三次会，逐字讨论这句话该放在哪里。",
    "新修订的办法规定，未经权利人授权，任何平台不得转载付费文章。",
    "图书馆门口的二维码扫一扫就能看到昨天的流速，老人们更愿意看墙上的长表。",
    "“评论区里最热的一条只有四个字，”她说，“慢慢来吧。”",
    "举报电话响了一夜，值班的人说，大多数只是想打听样机几点下水。",
    "原题目太长，老师帮他改短了，改成了《河》。",
    "更多的人选择站在桥上看。",
    "1",
    "（完）",
    "一、先让它转过一个雨季",
    "来源于上游雪水的河流，春分前后最清。",
    "他把标签一张张撕下来，贴在本子里。",
    "On March 5, 2024, the town met without a chairman, and every watchmaker came.",
    "Reporting by the valley's three papers had forced the inquiry, and nobody thanked them for it.",
    "Three days ago the sluice was open, the keeper said.",
    "The town will receive compensation from the state for the lost boats.",
    "She asked readers to sign up for the walk, and forty came.",
    "Analysts commented that growth would stay moderate.",
    "The author is a master of the short form, and this is her shortest book.",
    "More from habit than from hope, they lit the lamp again.",
    "Popular with children, the ferry runs on Sundays only.",
]


@pytest.mark.parametrize("line", [line for line in KEPT if line.isascii() and not line.isdigit()])
def test_sentences_at_the_end_of_an_article_are_left(line: str) -> None:
    assert furniture.kind(line, Place.TAIL) is None


@pytest.mark.parametrize("line", KEPT)
def test_sentences_in_the_middle_of_an_article_are_left(line: str) -> None:
    assert furniture.kind(line, Place.BODY) is None


@pytest.mark.parametrize("line", ["2026年1月27日", "河岸小镇人民政府"])
def test_a_signature_below_the_text_is_left(line: str) -> None:
    assert furniture.kind(line, Place.TAIL) is None


@pytest.mark.parametrize(
    "line",
    [
        "图为样机下水的瞬间",
        "周小暑 摄",
        "图片来源：河岸日报",
        "资料图",
        "△老人在看长表",
        "图片说明：双方握手",
        "图/河岸工坊",
        "A worker checks the second turbine on May 25, 2015. [Photo/Xinhua]",
        "Reeds in the park, Sept. 4, 2022. [Photo by Li He/For China.org.cn]",
        "Guests attend a ceremony at the quay, Jan. 15, 2023. (Xinhua/Lo Ping Fai)",
        "A boy looks at the turbine. (Photo by Chen Guyu/Xinhua)",
        "A player runs with the ball, December 9, 2018. /VCG Photo",
        "[1/5] A trader looks at a board.",
        "(Cover image: A player celebrates.)",
    ],
)
def test_captions_say_that_they_are(line: str) -> None:
    assert furniture.is_caption(line)


@pytest.mark.parametrize(
    "line",
    [
        "他摄下了样机下水的瞬间，照片洗了三张。",
        "图书馆的长表",
        "春分那天，小镇把样机放进水里。",
        "He had his photo taken by the sluice (and later lost it).",
        "The plan (by Stone) was read out.",
        "It passed 5/7 (he/she said).",
    ],
)
def test_a_sentence_is_no_caption(line: str) -> None:
    assert not furniture.is_caption(line)


@pytest.mark.parametrize(
    "line",
    [
        "本报记者 林小雨",
        "□ 河岸日报记者 林小雨 周舟",
        "作者：林小雨",
        "文/林小雨",
        "执笔/林小雨",
        "By Ann Miller",
        "by Ann Miller",
        "By ANN MILLER and BOB STONE | River Daily",
        "By Ann Miller, Staff Writer",
        "Written by Ann Miller",
        "Von Jana Kröger",
        "Par Lucie Arnaud et Jean Morel",
    ],
)
def test_bylines_only_name_who_wrote(line: str) -> None:
    assert furniture.is_byline(line)


@pytest.mark.parametrize(
    "line",
    [
        "记者从镇公所获悉，样机明天下水。",
        "（记者林小雨）",
        "作者在后记里写道，这条河教会了他慢。",
        "By Friday, it was over.",
        "By the numbers",
        "By Friday, it was over and nobody knew why",
    ],
)
def test_a_sentence_about_reporters_is_no_byline(line: str) -> None:
    assert not furniture.is_byline(line)


@pytest.mark.parametrize(
    ("line", "kept", "cut"),
    [
        ("老得有多快。（责任编辑：王小满）", "老得有多快。", "（责任编辑：王小满）"),
        ("老得有多快。返回河岸，查看更多", "老得有多快。", "返回河岸，查看更多"),
        ("老得有多快。【纠错】", "老得有多快。", "【纠错】"),
        ("老得有多快。", "老得有多快。", ""),
        ("责任编辑：王小满", "责任编辑：王小满", ""),
    ],
)
def test_what_is_printed_behind_the_last_sentence_is_cut(line: str, kept: str, cut: str) -> None:
    assert furniture.cut_tail(line) == (kept, cut)


@given(st.text(alphabet="a A1，：；！？（）。「」ｅé\u0301\u0338\u3000ﬁ①編責㈱ 文", max_size=40))
@settings(deadline=None)
def test_folding_is_normalising_whatever_the_short_cut(text: str) -> None:
    assert furniture.fold(text) == furniture.simpler(unicodedata.normalize("NFKC", text).replace(" ", "").lower())


def test_folding_is_for_rules_and_keeps_no_spaces_or_width() -> None:
    assert furniture.fold("　責任 編輯：ＡＢＣ") == "责任编辑:abc"


def test_simpler_keeps_every_place() -> None:
    assert len(furniture.simpler("文章來源:中國電腦報")) == len("文章來源:中國電腦報")
    assert "来源" in furniture.simpler("文章來源")


@pytest.mark.parametrize("rule", furniture.RULES, ids=lambda rule: f"{rule.kind}-{rule.pattern.pattern[:20]}")
def test_no_rule_is_slow_on_a_hostile_line(rule: furniture.Rule) -> None:
    start = time.process_time()
    for line in ("分" * 60, "大中小" * 20, "扫" * 59 + "x", "2026-01-01" * 6, "未经" * 150, "(" * 600, ">" * 100, "相关" * 40, "1 " * 50):
        rule.pattern.search(line[: rule.longest])
    assert time.process_time() - start < 30.0


def an_article(paragraphs: tuple[str, ...]) -> Article:
    from pipelines.extract import extract

    loaded = folder.load(folder.ROOT / "web" / "plain")
    found = extract(loaded.capture, loaded.site)
    assert isinstance(found, Article)
    return replace(found, paragraphs=paragraphs)


def test_template_lines_are_those_at_both_ends_once_each() -> None:
    lines = furniture.template_lines(an_article(tuple("甲乙丙丁戊己庚")))
    assert [line for _, line in lines] == list("甲乙丙戊己庚")
    assert len({digest for digest, _ in lines}) == 6
    assert [line for _, line in furniture.template_lines(an_article(("甲", "甲")))] == ["甲"]


def test_a_line_has_one_digest_however_it_is_spaced() -> None:
    assert furniture.line_digest("本报 讯：") == furniture.line_digest("本报讯:")


@given(st.text(max_size=120))
@settings(deadline=None, max_examples=200)
def test_any_line_has_a_kind_or_none(line: str) -> None:
    assert furniture.kind(line) in {None, *Kind}
    kept, cut = furniture.cut_tail(line)
    assert kept + cut == line


@given(st.lists(st.sampled_from([line for _, line in STRUCK] + ["河里转起了风车，", "小镇", "1", " "]), max_size=9), st.sampled_from(Place))
@settings(deadline=None, max_examples=300)
def test_a_line_is_what_the_first_rule_that_fits_says_whatever_the_short_cut(pieces: list[str], place: Place) -> None:
    line = "".join(pieces)
    folded = furniture.fold(line)
    fit = (rule.kind for rule in furniture.RULES if len(folded) <= rule.longest and place in rule.places and rule.pattern.search(folded))
    assert furniture.kind(line, place) is (None if place is Place.BODY and folded.isdigit() else next(fit, None))


def test_a_rule_that_begins_with_an_anchor_has_no_alternative_beside_it() -> None:
    """The short cut only matches it at the beginning of a line."""
    anchored = [rule.pattern for rule in furniture.RULES if rule.pattern.pattern.startswith("^")]
    behind = [f"河里转起了风车{furniture.fold(line)}" for _, line in STRUCK]
    found = [(pattern.pattern, match.start()) for pattern in anchored for line in behind if (match := pattern.search(line))]
    assert [one for one in found if one[1] > 0] == []


def test_every_rule_holds_where_the_place_is_not_known() -> None:
    assert all(Place.ANY in rule.places for rule in furniture.RULES)


def test_no_line_is_remembered_that_could_fill_the_memory() -> None:
    furniture._folded.cache_clear()
    furniture._kind.cache_clear()
    assert furniture.fold("长 Ｘ" * 1_000) == "长x" * 1_000
    assert furniture.kind("长" * 10_000) is None
    assert furniture._folded.cache_info().currsize == furniture._kind.cache_info().currsize == 0
    assert furniture.fold("短 Ｘ") == "短x"
    assert furniture._folded.cache_info().currsize == 1
