"""Furniture rules by line: what each strikes, and what it must leave."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extract import furniture
from pipelines.extract.folding import fold
from pipelines.extract.furniture import Kind, Place

CREDITS = [
    "编辑 王小满 校对 李谷雨",
    "（编辑 王小满 校对 李谷雨）",
    "值班编辑 王小满",
    "图片编辑：王小满",
    "版面编辑：王小满",
    "流程编辑：u076",
    "栏目主编：周大暑 文字编辑：王小满 题图来源：河岸图库",
    "二审 王小满 三审 李谷雨",
    "总监制：王小满",
    "出品人：王小满",
    "设计丨王小满",
    "海报设计：王小满",
    "视频剪辑：王小满 李谷雨",
    "摄影/王小满",
    "供稿：市水务局",
    "【校对】王小满",
    "【摄影】王小满",
    "（作者：林小雨 编辑：王小满）",
]
TAILS = [
    "市场有风险，投资需谨慎。",
    "如需转载请与《河岸经济》报社联系。",
    "本网站之文字、圖片及影音，非經授權，不得轉載、公開播送或公開傳輸及利用。",
    "本文系作者原创，未经授权不得转载。",
    "版权作品，未经河岸网书面授权，严禁转载，违者将被追究法律责任。",
    "河岸声明：此消息系转载自合作媒体，登载此文出于传递更多信息之目的，并不意味着赞同其观点或证实其描述。",
    "如有侵权，请联系我们删除。",
    "特别提醒：如果我们使用了您的图片，请作者与本站联系索取稿酬。",
    "读者热线：4000000000",
    "新闻线索请拨打0000-00000000",
    "本文链接：https://www.example.org/a/1.html",
    "点击上方“河岸周刊”关注我们",
    "欢迎关注“河岸日报”微信公众号",
    "点亮“在看”，让更多人看到",
    "看完记得关注@河岸日报",
    "■河報報料熱線︰news@example.com",
    "对此，你怎么看？欢迎在评论区留言。",
    "点赞、在看、转发三连",
    "网友评论仅供其表达个人看法，并不表明本网立场。",
    "您的浏览器不支持video标签",
    "炒股就看研报，权威、及时、全面，助您挖掘潜力机会！",
    "欢迎订阅我们的YouTube频道",
]
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
    (Kind.HEADER, "关键词：潮汐"),
    (Kind.BREADCRUMB, "您当前的位置：首页 > 科技"),
    (Kind.BREADCRUMB, "首页>>科技>>正文"),
    (Kind.PAGER, "【1】【2】【3】"),
    (Kind.EMPTY, "· · ·"),
    *((Kind.EDITOR, line) for line in CREDITS),
    *((Kind.NOTICE, line) for line in TAILS),
    (Kind.ORIGINAL_TITLE, "原标题《河里的风车》"),
    (Kind.ORIGINAL_TITLE, "本文转载自“河岸发布”，原标题《河里的风车》"),
    (Kind.RELATED, "相关链接"),
    (Kind.RELATED, "★★更多相關新聞★★"),
    (Kind.RELATED, "【延伸阅读】河里的风车"),
    (Kind.HEADER, "【来源】河岸日报客户端"),
    (Kind.HEADER, "来源 河岸日报"),
    (Kind.HEADER, "河岸日报社新媒体中心出品"),
    (Kind.HEADER, "5月20日 10:00"),
    (Kind.HEADER, "2小时前 发布于北京"),
    (Kind.SHARE, "举报/反馈"),
    (Kind.SHARE, "0人点赞"),
    (Kind.SHARE, "返回河岸，查看更多"),
    (Kind.SHARE, "跳过热读并继续阅读"),
    (Kind.PAGER, "共3页 到第 页"),
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


AT_THE_EDGES = [
    "他当了三十年责任编辑，经手的书稿堆满了两间屋子。",
    "责任编辑不是一个头衔，而是一种责任。",
    "编辑们认为，新规会让校对的工作量增加一倍。",
    "编辑手记",
    "编辑：您第一次看到这条河是什么时候？",
    "主编：不后悔。",
    "运营：如何让一座老桥养活自己",
    "策划：从一个点子到一座城",
    "审核高效",
    "统筹安排",
    "设计：全新家族式前脸",
    "更多人开始关注二维码背后的安全问题。",
    "扫码点餐不应成为唯一的选择。",
    "扫一扫，就能知道这只鸡吃了什么、跑了多少步。",
    "扫描二维码的人越来越多，看纸质说明书的人越来越少。",
    "长按开关三秒，机器就会停下。",
    "安装了客户端之后，老人的手机变得很慢。",
    "读者可关注“河岸发布”微信公众号预约入场。",
    "报名方式：扫描下方二维码或拨打电话0000-00000000。",
    "2026年3月1日，河岸银行授权公布的报价利率如下：",
    "2026年3月1日上午，全镇大会召开，会议指出：",
    "关注民生，关怀困难群众。",
    "法院认为，被告未经许可转载文章，侵犯了原告的著作权。",
    "新规规定，未经权利人授权，任何平台不得转载付费文章。",
    "未经授权的无人机一律不得起飞。",
    "版权所有者可以向平台发出通知，要求删除内容。",
    "侵权内容被删除之后，平台仍可能承担责任。",
    "“市场有风险，投资需谨慎”，这句话被印在每一张宣传单的背面。",
    "风险自担不能成为平台推卸责任的理由。",
    "该发言人强调，这仅代表其个人意见。",
    "公示期间如有异议，请与我局联系。",
    "举报电话开通三天，接到线索一百二十条。",
    "联系电话：0000-00000000",
    "不少网友在评论区留言。",
    "消息发出后，引发网友点赞、转发和关注。",
    "新规有哪些变化？记者为您解读。",
    "来源：这条河的来源一直是个谜。",
    "发布会于2026年3月1日上午举行。",
    "内容由AI生成的短视频须添加标识。",
    "本文来自一次深夜的谈话。",
    "（实习生李谷雨对本文亦有贡献）",
    "（资料来源：国家统计局）",
]


@pytest.mark.parametrize("line", AT_THE_EDGES)
@pytest.mark.parametrize("place", Place)
def test_sentences_that_speak_of_such_things_are_left_wherever_they_stand(line: str, place: Place) -> None:
    assert furniture.kind(line, place) is None


@pytest.mark.parametrize("line", ["关键词：变", "时间：2026年3月12日 9:00"])
def test_headings_and_lists_inside_a_text_are_left_that_are_furniture_beside_it(line: str) -> None:
    assert furniture.kind(line, Place.BODY) is None
    assert furniture.kind(line) is Kind.HEADER


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
        "头发",
        "规模：蓄势待发",
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
        "记者手记",
        "记者走访：河岸的一天",
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
        ("老得有多快。（责编 王小满）", "老得有多快。", "（责编 王小满）"),
        ("老得有多快。【编辑 王小满】", "老得有多快。", "【编辑 王小满】"),
        ("老得有多快。 编辑/王小满", "老得有多快。", " 编辑/王小满"),
        ("老得有多快。（作者：林小雨 编辑：王小满）", "老得有多快。", "（作者：林小雨 编辑：王小满）"),
        ("老得有多快。（文字编辑部供稿）", "老得有多快。（文字编辑部供稿）", ""),
        ("老得有多快。", "老得有多快。", ""),
        ("责任编辑：王小满", "责任编辑：王小满", ""),
    ],
)
def test_what_is_printed_behind_the_last_sentence_is_cut(line: str, kept: str, cut: str) -> None:
    assert furniture.cut_tail(line) == (kept, cut)


@pytest.mark.parametrize("rule", furniture.RULES, ids=lambda rule: f"{rule.kind}-{rule.pattern.pattern[:20]}")
def test_no_rule_is_slow_on_a_hostile_line(rule: furniture.Rule) -> None:
    start = time.process_time()
    for line in ("分" * 60, "大中小" * 20, "扫" * 59 + "x", "2026-01-01" * 6, "未经" * 150, "(" * 600, ">" * 100, "相关" * 40, "1 " * 50):
        rule.pattern.search(line[: rule.longest])
    assert time.process_time() - start < 30.0


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
    folded = fold(line)
    fit = (rule.kind for rule in furniture.RULES if rule.fits(folded, place))
    assert furniture.kind(line, place) is (None if place is Place.BODY and folded.isdigit() else next(fit, None))


def test_a_rule_that_begins_with_an_anchor_has_no_alternative_beside_it() -> None:
    """The short cut only matches it at the beginning of a line."""
    anchored = [rule.pattern for rule in furniture.RULES if rule.pattern.pattern.startswith("^")]
    behind = [f"河里转起了风车{fold(line)}" for _, line in STRUCK]
    found = [(pattern.pattern, match.start()) for pattern in anchored for line in behind if (match := pattern.search(line))]
    assert [one for one in found if one[1] > 0] == []


def test_every_rule_holds_where_the_place_is_not_known() -> None:
    assert all(Place.ANY in rule.places for rule in furniture.RULES)


def test_no_line_is_remembered_that_could_fill_the_memory() -> None:
    furniture._kind.cache_clear()
    assert furniture.kind("长" * 10_000) is None
    assert furniture._kind.cache_info().currsize == 0
