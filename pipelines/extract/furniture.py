"""Lines that belong to the page and not to the article, by rule. The rules are data: one table, tried in order.

A rule looks at one line, folded (NFKC, no spaces, lower case, simplified). `place` says where in the article it may strike:
a copyright notice may be the subject of a sentence in the middle of a text, but not below its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pipelines.extract.folding import REMEMBERED, REMEMBERED_LENGTH, fold
from pipelines.extract.names import SURNAMES


class Kind(StrEnum):
    """What a line is, when it is not the article's own text."""

    EDITOR = "editor"
    ORIGINAL_TITLE = "original_title"
    HEADER = "header"
    NOTICE = "notice"
    IMAGE_NOTICE = "image_notice"
    SHARE = "share"
    RELATED = "related"
    BREADCRUMB = "breadcrumb"
    PAGER = "pager"
    EMPTY = "empty"


class Place(StrEnum):
    """Where a line stands: above the first paragraph, below the last, between them; ANY where it is not known yet."""

    HEAD = "head"
    BODY = "body"
    TAIL = "tail"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`pattern` is searched in the folded line; lines longer than `longest` characters never match, nor do those
    that hold `unless`: it is searched last, and may be slow."""

    kind: Kind
    pattern: re.Pattern[str]
    longest: int
    places: tuple[Place, ...]
    unless: re.Pattern[str] | None = None

    def fits(self, folded: str, place: Place) -> bool:
        if len(folded) > self.longest or place not in self.places or self.pattern.search(folded) is None:
            return False
        return self.unless is None or self.unless.search(folded) is None


_EVERYWHERE = tuple(Place)
_EDGES = (Place.HEAD, Place.TAIL, Place.ANY)
_ABOVE = (Place.HEAD, Place.ANY)


# What is searched anywhere in a line begins, in each of its alternatives, with a character: so `re` passes over all others,
# and a sentence is searched in a fifth of the time.
def _rule(
    kind: Kind, *parts: str, longest: int = 60, places: tuple[Place, ...] = _EVERYWHERE, unless: re.Pattern[str] | None = None
) -> Rule:
    return Rule(kind=kind, pattern=re.compile("".join(parts)), longest=longest, places=places, unless=unless)


def _each(*first: str, then: str) -> str:
    """Alternatives that go on alike."""
    return "|".join(word + then for word in first)


_SPEECH = re.compile(
    r"(?:认为|指出|强调|表示|补充|透露|回应|[他她人]?说|(?<!相关)(?<!有关)规定|法院.{0,6})[:,]|[他她人](?:说|强调|表示)|(?<!声明)(?<!郑重)称[,:]|”[^。]{0,12}[说道][。,]?$"
)
"""who reports a rule, a warning or an opinion does not give it"""
_NOT_ASKED = re.compile(
    rf"{_SPEECH.pattern}|^.{{0,8}}(?:方式|报名|购票|预约|咨询)|"
    r"^(?!(?:.*[^\w“])?(?:[欢歡]迎|敬请|可以?|请|快来|赶快|立即|立刻|即可|马上|长按|[您你]|看完|记得|登录|或者?|也|并|先|再|及时|同时|详情|直接|进入|想|看|"
    r"了解|获取|微信|手机)*+(?:更多(?!的|[人企家年地国城工])|精彩|第一时间|最新|独家|海量|(?:收看|阅读)更多|"
    r"(?:关注|下载|扫描|扫一?[扫下]|识别|搜索|打开|安装(?!了)|点击|加入)(?!.{0,12}(?:的人|[后时],))))"
)
"""where those words have a subject, it is told what people do; where a clause begins with them, the reader is asked"""
_BY_OTHERS = re.compile("网友|有人|用户|粉丝|纷纷|引发")
_LEADS_IN = re.compile(r"(?:,.*|如下|措施|规定|指出|表示|强调|通知):$")
"""a paragraph that a list follows"""
_OPEN = r"^[\W_]*"
_EDITING = (
    r"(?:责任?编辑?|责编|编辑|编审|审核|审校|审读|校对|校审|校验|监制|终审|[初复一二三]审|[一二三]校|值班(?:编辑|编委|主任|总监)?|选稿|组稿|编校|"
    r"美编|排版|制图|统筹|策划|主编|总编|总?签发|运营|后期|录入|核发|签审|审签|审发|监审|编发|出品人|制片人?|供稿|摘编)"
)
_CRAFT = r"(?:设计|视觉|制作|剪辑|摄像|摄影|动画|音频|视频|文案|配音|包装|翻译|总监|采访|图文|文、图)"
_ROLE = r"[\u4e00-\u9fff]{0,4}?"
"""what says for which part of a page somebody did it: 视频剪辑, 执行主编"""
_OFFICE = r"[^。?!;“”,]{2,20}(?:[部局社室组院会科处网委台报厅]|中心|公司|新闻)"
_PERSONS = rf"[{SURNAMES}][^。?!;“”]{{1,50}}"
_NAMES = rf"(?:[{SURNAMES}][\u4e00-\u9fff]{{1,2}}[^\w。?!]*)"
_CREDITED = rf"(?:[a-z\d@][^。?!]{{0,40}}|[\u4e00-\u9fff]{{0,4}}|{_PERSONS}|{_OFFICE})(?:[^\w。?!]|_)*$"
"""people, or an office: what stands behind such a word in a credit, and not in a heading or an interview"""
_DATE = r"(?:19|20)\d\d(?:[-/.]\d{1,2}[-/.]\d{1,2}|年\d{1,2}月\d{1,2}日?)"
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?|"
    r"janvier|février|avril|juin|juillet|août|(?:ene|febr|abr|ago|dic|fev|mai|set|out|dez)[a-zç]{0,6}|märz|"
    r"(?:январ|феврал|апрел|июн|июл|август|сентябр|октябр|ноябр|декабр)[ья]|марта|мая|"
    r"ocak|şubat|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim|kasım|aralık"
)
_DATE_IN_WORDS = (
    rf"(?:(?:{_MONTH})(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?,?(?:19|20)\d\d|"
    rf"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?[.-]?(?:de)?(?:{_MONTH})(?:de)?[,-]?(?:19|20)\d\d|"
    r"(?:3[01]|[12]\d|0?[1-9])[./](?:1[0-2]|0?[1-9])[./](?:19|20)\d\d)"
)
_FROM = r"(?:文章|新闻|信息|稿件|内容|本文|原文|更新)?(?:来源|来自|出处|转自|摘自|源自)"
_CONTROLS = (
    r"举报/反馈|意见反馈|反馈|人已?点赞|已有|喜欢(?:此内容的人还喜欢)?|顶|私信|t?[大小]字号?|a[+-]|(?:点击)?进入专题|点击(?:进入|查看)专题|点击数|访问量|"
    r"查看(?:全部评论|原文|更多文章)|返回列表|展开阅读全文|余下全文|轻触阅读原文|预览时标签不可点|继续滑动看下一个|推广|暂无(?:评论)?|立即下载|正文|"
    r"app内打开|联系我们|关于我们|网站地图|设为首页|加入(?:收藏|书签)|用户协议|隐私政策|转发|图片新闻|视频新闻|7x24小时快讯|"
    r"分享(?:到|至|让更多人看到|给好友|文章到|给朋友|本页)?|微信(?:扫码|好友|朋友圈)?|朋友圈|新浪|腾讯|微博|qq(?:空间|好友)?|空间|人人网|豆瓣|facebook|twitter|line|"
    r"复制(?:链接|成功)?|链接已复制|扫码|二维码|打印(?:本[页文])?|关闭(?:窗口|本页)?|收藏(?:本[页文])?|点赞|首?赞|踩|举报|投诉|纠错|我要揪错|"
    r"我要纠错|评论(?:区)?|网友评论|我来说两句|发表评论|跟帖|条|人参与|推荐|关注|已关注|\+关注|订阅|取消|确定|确认|提交|回复|返回(?:顶部|首页)?|"
    r"顶部|首页|上一页|下一页|尾页|末页|[上下]一[篇条页张]|字号|字体(?:大小)?|调整字体|放大|缩小|正常|默认|[大中小]号?|超大|页面功能|进入论坛|论坛|进入|"
    r"播放|暂停|重播|音频|视频|语音播报|播报(?:文章)?|听新闻|听全文|全屏|静音|画中画|倍速|自动播放|点击|查看|更多|展开|收起|全文|"
    r"阅读(?:全文|原文|剩余全文|量|数)?|浏览(?:次数|量)?|点击(?:数|量|次数)?|次|来源|广告|加载中|正在加载|登录|注册|客户端|下载(?:客户端|app)?|"
    r"打开(?:app|客户端)?|app|手机版|原创|转载|置顶|编辑|点我|向前|向后|分钟|秒|今天|昨天|刚刚|"
    r"playvideo|play|share|print|email|close|tweet|pin|save|comments?|loading|advertisement|subscribe"
)
_MORE = (
    r"相关(?:新闻|阅读|报道|文章|推荐|专题|资讯|内容|热词|标签|搜索|稿件|视频|评论|主题|话题|图片|产品|推送)|"
    r"(?:延伸|推荐|扩展|拓展|精彩|热门|热点|深度|更多)阅读|更多(?:相关)?(?:新闻|精彩|内容|资讯|报道|推荐|评论|文章)?|"
    r"热(?:门|点)(?:推荐|新闻|评论|文章|资讯|视频|排行|图片|话题|标签|搜索)|最[新热](?:评论|文章|新闻|资讯|更新|推荐|发布|视频|动态)|"
    r"为[你您](?:推荐|精选)|猜[你您]喜欢|相关链接|看了又看|新闻推荐|特别推荐|今日热点|(?:本周|一周|24小时)?热[门文](?:榜|排行)?|ta的文章|作者最新文章|"
    r"(?:大家|[你您])(?:都在看|还看|爱看|还喜欢|可能(?:还)?(?:感兴趣|喜欢|会喜欢|想看))|"
    r"(?:精彩|编辑|今日|图片|视频|热点|栏目|网友|独家|精选|最热|全部|专题|频道|图文|小编)推荐|[上下]一(?:篇|条)(?:新闻|文章)?|阅读下一篇|"
    r"评论区?|网友(?:评论|跟帖)|(?:精彩|全部)评论|(?:点击|新闻|热点|阅读|评论|本周|24小时|一周|热文|月|日)排行榜?|(?:往期|精彩)(?:回顾|内容|精选|推荐)|"
    r"发表评论|我要评论|热搜榜?|热榜|排行榜|新闻热线|文章排行|热词|tags?|related(?:articles|stories|news|posts)?|"
    r"readmore|(?:youmay|youmight)alsolike|moreon:?.{0,20}|moreonthisstory|recommended(?:foryou|stories|reading)?|trending(?:now|stories)?|"
    r"mostpopular|popular|newsletters?|alsoread|readalso|seealso|readnext|upnext|keepreading|furtherreading|don['’]tmiss|editors?['’]spicks?|"
    r"mostread|mostviewed|morestories|morefrom.{2,24}|(?:top|popular|latest)stories|latest(?:posts|headlines)|relatedtopics?|abouttheauthors?|"
    r"vocêpodegostar|leiatambém|leiamais|vejatambém|dasköntesie(?:auch)?interessieren|lesensieauch|auchinteressant|mehrzumthema|"
    r"(?:à)?lireaussi|surlemêmesujet|te(?:puede|podría)interesar|lea(?:también|además)|читайтетакже|потеме|смотритетакже|"
    r"i\u0307?lgilihaber(?:ler)?|i\u0307?lginiziçekebilir|関[連连](?:[記记]事|ニュース)|あわせて[読读]みたい"
)

RULES: tuple[Rule, ...] = (
    _rule(Kind.EMPTY, r"^[\W_]*$", longest=200),
    _rule(
        Kind.IMAGE_NOTICE,
        _OPEN,
        r"(?:文[内中]|本文|以上|文章)?(?:所有)?(?:图片|配图|图)(?:均|已|由|为|都|除).{0,30}(?:授权|网络|版权|提供|来源|来自|侵删)",
    ),
    _rule(Kind.EDITOR, r"^(?=.{2,18}[:丨|/︱】\]])[\W_]*", _ROLE, _EDITING, r"(?:人员?|员|单位|助理|辑)?[:丨|/︱】\]]+", _CREDITED),
    _rule(Kind.EDITOR, r"^(?=.{2,18}[:丨|/︱】\]])[\W_]*", _ROLE, _CRAFT, rf"[:丨|/︱】\]]+(?:{_NAMES}{{1,4}}|{_OFFICE}[^\w。?!]*)$"),
    _rule(Kind.EDITOR, _OPEN, r"(?:责任编辑|责编)(?:[:丨|/】\]]|[\u4e00-\u9fff·]{2,4}(?:$|[^\w,。]))"),
    _rule(Kind.EDITOR, _OPEN, rf"(?:{_ROLE}{_EDITING}(?:人员?|员)?{_NAMES}){{2,}}$"),
    _rule(Kind.EDITOR, _OPEN, rf"{_ROLE}(?:编辑|责编|校对|审校|监制)(?!成){_NAMES}+$"),
    _rule(Kind.EDITOR, r"^[(\[【][^。!?]{0,40}编辑[:/丨|][^。!?]{1,20}[)\]】]$"),
    _rule(Kind.EDITOR, r"^[^。!?;]{0,40}(?:责任编辑|责编)[:丨|]?[^\s。,!?]{0,14}[\])】)]*$", longest=60),
    _rule(Kind.EDITOR, _OPEN, r"(?:web|copy|news)?editors?:[^.!?]{2,60}$", longest=90, places=_EDGES),
    _rule(
        Kind.EDITOR,
        _OPEN,
        r"(?:additional)?(?:reporting|writing|editing)by(?:.{3,360};(?:additional)?(?:reporting|writing|editing|graphics?)by|[^.!?]{3,90}$)",
        longest=600,
        places=_EDGES,
    ),
    _rule(Kind.ORIGINAL_TITLE, _OPEN, r"(?:本文)?(?:原文?标?题目?|原题目?)(?:为|是|:|[《“])[^。]*$", longest=120),
    _rule(Kind.ORIGINAL_TITLE, _OPEN, r"(?:本文|文章)(?:转载自|转自|来源)[^。]{0,30}原标?题", longest=120),
    _rule(Kind.RELATED, _OPEN, r"(?:", _MORE, r")(?:[:>》».…|】\]].{0,60}|\(?\d*\)?[条篇]?[\W_]*)$", longest=80),
    _rule(
        Kind.NOTICE,
        _OPEN,
        r"(?:平台|特别|郑重|版权|免责|风险|重要|权利|法律|原创|转载|投资|本网|本站)(?:声明|提示|说明|条款|须知|警示)(?:[:;,]|$)",
        longest=600,
    ),
    _rule(Kind.NOTICE, _OPEN, r"(?:声明|免责|notice|disclaimer):", longest=600),
    _rule(
        Kind.NOTICE,
        _OPEN,
        r"(?:凡(?:本[网站]|注明|是?来源|署名|未注明|转载)|",
        r"以上(?:内容|文章|图文|信息|作品)[^。]{0,30}(?:用户|平台|仅代表|不代表|转载|上传))",
        longest=600,
    ),
    _rule(
        Kind.NOTICE,
        r"版权所有(?![者人权])|",
        _each(
            "未经",
            "非经",
            then=r".{0,24}(?:授权|许可|允许|同意).{0,24}(?:转载|复制|摘编|镜像|必究|(?:禁止|不得)(?:擅自)?使用|方式.{0,4}使用|改编|传播)",
        ),
        r"|不得.{0,12}(?:转载|摘编|镜像|擅自使用)",
        r"|转载(?:时)?(?:请|须|需|务).{0,10}(?:注明|标注|保留|联系|附上)|谢绝转载|授权转载[)》】]?$|需转载.{0,6}(?:请|联系)|",
        _each("禁止", "请勿", "严禁", then="(?:擅自)?转载"),
        r"|版权归.{0,12}所有|著作权法保护",
        longest=300,
        places=_EDGES,
        unless=_SPEECH,
    ),
    _rule(
        Kind.NOTICE,
        r"不代表.{0,24}(?:观点|立场)|不表明.{0,8}立场|不意味着.{0,8}赞同|仅代表.{0,8}(?:作者|个人|本人).{0,6}(?:观点|意见)|信息存储(?:空间)?服务|",
        r"仅供(?:读者)?参考|据此(?:操作|入市|投资)|风险(?:请)?自担(?:[。!;)]|$)|不(?:构成|作为).{0,8}(?:建议|意见|投资依据)|",
        _each("市场", "股市", "基金", "投资", then="有风险,(?:投资|入市|选择)需?谨慎(?:[。!;)]|$)"),
        longest=400,
        places=_EDGES,
        unless=_SPEECH,
    ),
    _rule(
        Kind.NOTICE,
        r"icp[备证]|网安备|许可证(?:编?号)?[:\d]|allrightsreserved|copyright|经营许可证|",
        _each("违法", "不良", then=".{0,8}举报"),
        r"|举报(?:电话|邮箱|热线)(?:[:(\d]|$)|",
        _each("如", "若", "涉", "有", then=".{0,12}(?:侵权|版权|著作权).{0,24}(?:联系|删除|删稿|告知|处理|来[电函])"),
        r"|侵犯了?[您你他原].{0,24}(?:联系|删除|告知)|侵权(?:请|必|即|立)?删|侵删|",
        _each("版权", "侵权", then=".{0,12}(?:请.{0,12}联系|联系(?:我们|本|删))"),
        "|",
        _each("客服", "服务", "投稿", "新闻", "爆料", "报料", "读者", "本报", "举报", "合作", then=r"(?:电话|热线|邮箱|微信)[:.\d]"),
        r"|新闻(?:线索|爆料)(?:[:]|.{0,12}(?:拨打|热线|采纳|联系|请))|商务合作[:,]|广告合作[:,]|索取稿酬",
        longest=300,
        places=_EDGES,
        unless=_SPEECH,
    ),
    _rule(Kind.NOTICE, r"^(?:电话|传真|邮箱|地址|邮编|热线|e-?mail|tel|fax)[:：]", longest=300, places=_EDGES),
    _rule(Kind.NOTICE, _OPEN, r"(?:官方)?(?:微信)?(?:公众号|微博|微信号?|抖音号?|视频号)[:@|]", places=_EDGES),
    _rule(
        Kind.NOTICE,
        _each(
            "更多", "精彩", "第一时间", "最新", "独家", "海量", then=".{0,24}(?:请?关注|下载|扫码|点击|尽在|登录|搜索|app|客户端|公众号)"
        ),
        "|",
        _each(
            *("关注", "下载", "扫描", "扫一扫", "扫一下", "识别", "搜索", "打开", "安装", "点击", "加入"),
            then=".{0,16}(?:公众号|二维码|客户端|app|小程序|微信|下载地址|查看详情|当前页|蓝字|阅读原文|查看更多)",
        ),
        "|关注我们[!。)]*$|关注@|",
        _each("收看", "阅读", "获取", then="更多(?:好文|精彩|内容|资讯)$"),
        longest=120,
        places=_EDGES,
        unless=_NOT_ASKED,
    ),
    _rule(Kind.NOTICE, _each("【", r"\[", r"\(", then=r"点击.{2,8}[\])】]"), longest=120, places=_EDGES),
    _rule(
        Kind.NOTICE,
        _each(
            "欢迎",
            "快来",
            "记得",
            "别忘了",
            "点亮",
            "点个",
            "点击",
            "一键",
            "随手",
            then=".{0,14}(?:留言|评论区|转发|分享|点赞|在看|三连|投稿|来稿)",
        ),
        places=_EDGES,
        unless=_SPEECH,
    ),
    _rule(
        Kind.NOTICE,
        _each("评论区", "留言区", "文末", "下方", then="[里中]?(?:留言|聊聊|告诉|和我们|讨论|互动|评论)"),
        "|",
        _each("点赞", "在看", "转发", "分享", "留言", then=r"[、,+\-及和].{0,8}(?:在看|三连|一下|支持)"),
        places=_EDGES,
        unless=_BY_OTHERS,
    ),
    _rule(
        Kind.NOTICE,
        _each("欢迎", "请", then=".{0,8}(?:搜寻|关注|订阅|加入|追踪).{0,40}(?:instagram|facebook|telegram|youtube|推特|脸书|粉丝|看更多)"),
        places=_EDGES,
    ),
    _rule(
        Kind.NOTICE,
        _OPEN,
        r"(?:(?:此|本|该|以上|上述)(?:文|文章|内容|消息|稿件|信息|图文|网站|站|作品)|文章|稿件)(?:来自|来源|转自|转载|首发|由|系|为|限时|之?文字).{0,60}",
        r"(?:app|客户端|公众号|转载|版权|原创|授权|免费阅读|ai生成(?!的))",
        longest=160,
        places=_EDGES,
        unless=_SPEECH,
    ),
    _rule(Kind.NOTICE, r"^[^,。]{2,8}声明:(?:此|转载|凡|本|以上|文章|登载|刊登|力求|所有|该|内容|市场|任何)", longest=400, places=_EDGES),
    _rule(Kind.NOTICE, _OPEN, r"(?:特别提醒|提示|温馨提示):(?:如果?我们|支持键盘|试试键盘|本[文站网])", longest=300, places=_EDGES),
    _rule(
        Kind.NOTICE,
        _OPEN,
        r"(?:本文|原文|文章|查看|阅读)?(?:链接|地址|网址|原文)(?:[:：]?(?:https?:|www\.).*)?$",
        longest=300,
        places=_EDGES,
    ),
    _rule(
        Kind.NOTICE,
        r"^.{0,14}(?:浏览器|video|flash).{0,12}(?:不支持|升级|版本过低)|^.{0,6}(?:视频|音频).{0,6}(?:加载|无法播放)|^.{0,14}建议使用.{0,40}浏览器",
    ),
    _rule(
        Kind.NOTICE,
        r"^文明上网|^网友评论仅供|^登录后(?:参与|发表)|^(?:以上)?内容由ai生成(?!的)|^您访问的链接|^更多.{0,12}(?:请看|请见|详见|请点击)",
        places=_EDGES,
    ),
    _rule(Kind.NOTICE, _each("助您", "助你", "帮您", "帮你", then=".{0,12}(?:挖掘|把握|掌握|洞察).{0,20}[!。]$"), places=_EDGES),
    _rule(
        Kind.NOTICE,
        _each("本作品", "本文", "稿件", "专稿", "特稿", then=r"[^。]{0,30}(?:原创|专稿|独家).{0,20}转载"),
        longest=160,
        places=_EDGES,
    ),
    _rule(
        Kind.NOTICE,
        r"followus?on(?:twitter|facebook)|follow.{2,40}on(?:twitter|facebook).{0,40}jointheconversation|reflecttheviewsoftheirauthors?|",
        r"viewsexpressed(?:here|inthis)|opinionsexpressed(?:here|inthis)|views(?:do|does)not(?:necessarily)?(?:reflect|represent)|viewsdon['’]tnecessarily|ifyouwouldliketocontribute,?pleasecontactus|allrightsreserved|thismaterialmaynotbepublished",
        longest=300,
        places=_EDGES,
    ),
    _rule(
        Kind.NOTICE,
        _OPEN,
        r"(?:(?:please|to)?(?:signup|subscribe|register)(?:now|here|today|forfree)?(?:to|for|and)[^.]{0,160}(?:newsletter|inbox|e-?mail|alerts)|"
        r"bysigningup,?you|ifyoubuysomethingusing|joinuson(?:whatsapp|telegram)|ourcommunitymembersaretreatedto|afternewsletterpromotion|"
        r"wemay(?:earn|receive|get)[^.]{0,30}commission|thisisanarchivedarticle|privacynotice:newsletters)",
        longest=400,
    ),
    _rule(
        Kind.NOTICE,
        _each(
            "signup",
            "subscribe",
            then=r"(?:now|here|today)?(?:to|for)(?:our|the|my|free|a?daily|a?weekly)[^.]{0,40}(?:newsletter|inbox|alerts)",
        ),
        "|",
        _each("contact", "reach", "email", "follow", then="(?:this|the)(?:reporter|writer|author)"),
        r"|formoreinformation,?pleasevisit|liketosubmita(?:response|letter)|",
        _each("affiliate", "links", "purchase", then=r".{0,80}(?:commission|compensation)"),
        "|",
        _each("commission", "compensation", then=".{0,60}(?:links|affiliate)"),
        "|",
        r"comments?(?:are|willbe|submitted)[^.]{0,40}moderat|moderating[^.]{0,20}comments|comentários[^.]{0,120}moderador",
        longest=400,
        places=_EDGES,
    ),
    _rule(
        Kind.NOTICE,
        _OPEN,
        r"(?:stayuptodatewith|getintouchwithour|doyouhavea(?:story|tip)|gotatip|formore(?:stories|news)likethis|thisarticleisfreethanksto|",
        r"ifyou(?:enjoyed|liked|like)this(?:article|story|post)|thanksforreading.{0,60}subscribe|theauthors?(?:is|are)an?.{0,30}(?:professor|fellow|research|columnist|director|commentator|scholar|analyst|",
        r"journalist|editor|writer|lecturer|economist|dean|chief|senior|member))",
        longest=300,
        places=_EDGES,
    ),
    _rule(Kind.BREADCRUMB, _OPEN, r"[您你]?的?(?:现在|当前)?的?(?:所在)?的?位置(?:[:是]|$)", longest=100),
    _rule(Kind.BREADCRUMB, r"^[^。,!?]{0,20}(?:>{1,2}|»|›)[^。!?]{0,40}(?:(?:>{1,2}|»|›)|正文$)", longest=80),
    _rule(
        Kind.PAGER,
        r"^(?=.*(?:页|[【\[]\d))(?>[\W_\d]|上一页|下一页|首页|尾页|末页|(?:本文)?共有?\d+页|到?第\d*页|\[\d+\]|【\d+】|余下全文|全文|到第页|跳转|go)++$",
        longest=80,
        places=_EDGES,
    ),
    _rule(Kind.HEADER, _OPEN, r"(?:发[布稿表]|更新|刊登|出版|采编|上传|创建).{0,6}(?:时间|日期|于)?[:]?", _DATE, r"[^。]*$", longest=120),
    _rule(Kind.HEADER, _OPEN, r"(?:时间|日期).{0,6}[:]?", _DATE, r"[^。]*$", longest=120, places=_ABOVE),
    _rule(Kind.HEADER, r"^[^。!?,]{0,36}", _DATE, r"[^。!?]{0,70}$", longest=110, places=_ABOVE, unless=_LEADS_IN),
    _rule(Kind.HEADER, _OPEN, r"[^。!?,]{0,30}", _DATE, r"\d{0,2}:\d\d.{0,40}$", longest=80, places=_EDGES),
    _rule(Kind.HEADER, _OPEN, _FROM, r"[:|丨/】](?!.{9,}[。?!]$)"),
    _rule(
        Kind.HEADER,
        rf"^(?=.*(?:19|20)\d\d)(?!.*[a-z]{{4}}[.!?]\W*$)[^!?。]{{0,60}}{_DATE_IN_WORDS}[^!?。]{{0,60}}$",
        longest=110,
        places=_ABOVE,
    ),
    _rule(Kind.HEADER, _OPEN, r"(?:updated|published|posted)?(?:\d{1,2}|an?)(?:m|h|mins?|minutes?|hrs?|hours?|days?)ago[^.!?]{0,30}$"),
    _rule(Kind.HEADER, _OPEN, r"\d{1,2}-?(?:mins?|minutes?)(?:read|listen)\W*$"),
    _rule(Kind.HEADER, r"^(?:source|quelle|fuente|fonte|источник|kaynak):", places=_EDGES),
    _rule(
        Kind.HEADER,
        _OPEN,
        r"(?:专题|栏目|频道|分类|稿源|浏览次数|阅读次数|点击次数|发布于|字数|索引号|发文机关|文号|主题词)[:|]",
        longest=80,
    ),
    _rule(Kind.HEADER, _OPEN, r"(?:文章|本文)?(?:关键[词字]|标签)(?:[:>|].{0,60}|[\W_]*)$", longest=80, places=_EDGES),
    _rule(Kind.HEADER, _OPEN, r"(?:ip属地|技术支持|网站标识码)[:：]", places=(Place.TAIL, Place.ANY)),
    _rule(
        Kind.HEADER,
        r"^(?:\d{1,2}(?:小时|分钟|天)前|昨天|今天|前天|\d{1,2}[-月/]\d{1,2}日?(?=\d\d:))?(?:\d\d:\d\d)?(?:发布于.{2,6})?$",
        places=_EDGES,
    ),
    _rule(Kind.HEADER, _OPEN, r"(?:文章|稿件)?来源[^。,]{2,14}(?:报|网|社|客户端|台|公众号|发布)[)\]】]*$", places=_EDGES),
    _rule(Kind.HEADER, r"^[^。,:]{0,20}(?:中心|报|网|社|室|联合|新闻)出品$", places=_EDGES),
    _rule(Kind.SHARE, rf"^(?>[\W_\d万k]|{_CONTROLS})++$"),
    _rule(
        Kind.SHARE,
        r"^(?:扫一扫|扫描?二维码|扫码|长按|我要(?:纠错|反馈|举报))(?=.{0,8}$|.*(?:关注|下载|查看|阅读|分享|观看|收听|打开|手机|微信|公众号|客户端|app|加入|"
        r"进群|订阅|浏览|领取|识别))",
        places=_EDGES,
    ),
    _rule(Kind.SHARE, r"^返回.{0,10}(?:首页|查看更多)[>»]*$|^(?:欢迎批评指正|.{2,8}意见反馈留言板.*)$"),
    _rule(
        Kind.SHARE,
        r"^(?:(?:扫一扫|扫描?二维码|扫码|长按|我要(?:纠错|反馈|举报))(?!.*[。!?]$)|微信扫|微信里点|用微信|使用微信|打开微信|手机看|用手机|"
        r"我要(?:投诉|评论)|请先?登录|还可以输入|发送到手机|"
        r"调查问题|若长时间|在线(?:荐稿|投稿)|收听|安装(?!了).{0,12}客户端|imagecopyright|imagecredits?:|imagecaption|mediaplayback|"
        r"endof.{1,12}$|跳过.{1,20}继续阅读$|浏览其他章节|signup(?:for|to)|subscribeto|free(?:daily|weekly)newsletter|clicktocomment|clickhereto|getatipforus|storycontinuesbelow|articlecontinuesafter|skipto)",
        longest=60,
    ),
)
"""Tried in this order; the first that fits names the line."""
_LABEL, _LONGEST = 120, max(rule.longest for rule in RULES)
"""characters: for lines longer than the one few of the rules remain, none for lines longer than the other"""


def _together(rules: Iterable[Rule]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Where neither pattern holds, the first matched and the second searched, none of the rules does. A rule that begins with
    ^ may have no alternative beside that."""
    patterns = [rule.pattern.pattern for rule in rules]
    anchored = [pattern for pattern in patterns if pattern.startswith("^")]
    return re.compile("|".join(anchored)), re.compile("|".join(pattern for pattern in patterns if pattern not in anchored))


_ALL, _LONG = _together(RULES), _together(rule for rule in RULES if rule.longest > _LABEL)

_CAPTION_BEGINS = re.compile(
    r"[\W_]*(?:\d{1,2}/\d{1,2}\]|图片?(?:说明|来源|为|注|源|\d{1,2})?[:/|丨】]|图[为注]|上图|下图|左图|右图|资料图|示意图|效果图|配图|题图|封面图|视频截图|网络截图|组图[:]|△|▲|▼|↑|↓|photo:|image:)"
)
_CAPTION_ENDS = re.compile(
    r"(?:摄|供图|制图|图源|(?:社|报|网|台)(?:记者.{0,6})?发)[\])】)]?$|图片?(?:来源|源自|来自)[:]?.{0,20}$|(?:资料图|资料图片|视频截图|网络图|截图|效果图|示意图|视觉中国)[\])】)]*$"
)
_PICTURED = re.compile(
    r"(?:[\[(](?:photo|image|picture|file|credit|photocourtesy)s?(?:[:/]|by|from|provided)[^\[\]()]{2,60}[\])]|/(?:vcg|cfp|ap|afp|getty)(?:photo|images?)?|"
    r"\((?:xinhua|photo|ap|afp|reuters)/[^()]{2,40}\)|\([^()]{2,40}/xinhua\))\)?$|^\(?(?:cover|file)(?:image|photo):"
)
"""how English captions end: with whose picture it is"""
_PICTURED_LENGTH = 220
_BYLINE = re.compile(
    r"^[\W_]*(?:(?:[\u4e00-\u9fff·a-z]{0,12}?(?:记者|通讯员|特派员|评论员|撰稿人?|撰稿员|实习生))+[:/|丨】]?(?!手记|观察|调查|走访|探访|实测|发现|了解|注意|看到|获悉|提问)|作者[:/|丨】]|(?:撰|供|采|原)?文字?[:/|丨】]|撰文|执笔[:/|丨]?|采写[:/|丨]?|编译[:/|丨]?|作者(?=[\u4e00-\u9fff]{2,4}(?:$|[\W_]))|出品[:/|丨︱]|by[:\s])"
    r"[^。!?;]{0,40}$"
)
_NAMED = r"[^\W\d_a-z][\w.'’-]+(?:\s+(?:(?:de|da|do|dos|di|van|von|der|den|la|le|bin|al|el)\b|[^\W\d_a-z][\w.'’-]*)){0,4}"
_BY = re.compile(
    rf"(?:[Bb]y|BY|(?:[Ww]ritten|[Ww]ords|[Ss]tory|[Ii]nterview)\s+by|Von|Par|Por)[:\s]\s*{_NAMED}(?:(?:,\s*|\s*&\s*|\s+(?:and|und|et|y|e)\s+){_NAMED})*"
    r"(?:\s*[,|]\s*[^\W\d_a-z][\w’'.]*(?:\s+[\w’']+){0,4})?"
)
_TAIL_CUTS = re.compile(
    r"\s*(?:[\[【（(][^。！？（）()【】\[\]\n]{0,40}(?:责任编辑|责编|编辑)\s*[:：/丨|][^。！？\n]{0,20}[\]】）)]|"
    r"[\[【（(]\s*(?:责任编辑|责编|编辑)\s{0,2}[\u4e00-\u9fff]{2,4}[\]】）)]|(?:责任编辑|责编|编辑)\s*[:：][^。！？\n]{0,20}|"
    r"(?<=[。！？”])\s*(?:责任编辑|责编|编辑)\s*[/丨|]\s*[^。！？\n]{2,10}|返回\S{0,6}[，,]?\s*查看更多|【纠错】|\[纠错\]|点击进入专题\S{0,4})\s*$"
)
_TAIL_WORDS = re.compile(r"编辑|责编|查看更多|纠错|点击进入专题")
"""without one of which nothing is cut"""
CAPTION_LENGTH = 120
BYLINE_LENGTH = 50


def kind(text: str, place: Place = Place.ANY) -> Kind | None:
    """What rule says that this line is furniture, None for the article's own."""
    return _kind(text, place) if len(text) <= REMEMBERED_LENGTH else _kind.__wrapped__(text, place)


@lru_cache(maxsize=REMEMBERED)
def _kind(text: str, place: Place) -> Kind | None:
    if place is not Place.ANY and kind(text) is None:
        return None  # all rules hold where the place is not known, and that has mostly been asked already
    folded = fold(text)
    if len(folded) > _LONGEST or (place is Place.BODY and folded.isdigit()):
        return None  # digits are the number of a chapter
    begins, holds = _LONG if len(folded) > _LABEL else _ALL
    if not (begins.match(folded) or holds.search(folded)):
        return None  # most lines: two searches, not thirty
    for rule in RULES:
        if rule.fits(folded, place):
            return rule.kind
    return None


def is_caption(text: str) -> bool:
    """Whether a line says of itself that it describes a picture."""
    folded = fold(text)
    if len(folded) > _PICTURED_LENGTH:
        return False
    if _PICTURED.search(folded):
        return True
    return len(folded) <= CAPTION_LENGTH and bool(_CAPTION_BEGINS.match(folded) or _CAPTION_ENDS.search(folded))


def is_byline(text: str) -> bool:
    """Whether a line only names who wrote."""
    if _BY.fullmatch(text):
        return True
    folded = fold(text)
    return len(folded) <= BYLINE_LENGTH and folded[:1] not in "(（" and _BYLINE.match(folded) is not None


def cut_tail(text: str) -> tuple[str, str]:
    """A paragraph without the furniture printed behind its last sentence, and that furniture."""
    match = _TAIL_CUTS.search(text) if _TAIL_WORDS.search(text) else None
    return (text[: match.start()], match[0]) if match and match.start() else (text, "")
