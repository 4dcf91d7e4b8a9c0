"""Lines that belong to the page and not to the article, by rule. The rules are data: one table, tried in order.

A rule looks at one line, folded (NFKC, no spaces, lower case, simplified). `place` says where in the article it may strike:
a copyright notice may be the subject of a sentence in the middle of a text, but not below its end.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pipelines.model import Article


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
    """`pattern` is searched in the folded line; lines longer than `longest` characters never match."""

    kind: Kind
    pattern: re.Pattern[str]
    longest: int
    places: tuple[Place, ...]


_EVERYWHERE = tuple(Place)
_EDGES = (Place.HEAD, Place.TAIL, Place.ANY)
_ABOVE = (Place.HEAD, Place.ANY)


# What is searched anywhere in a line begins, in each of its alternatives, with a character: so `re` passes over all others,
# and a sentence is searched in a fifth of the time.
def _rule(kind: Kind, *parts: str, longest: int = 60, places: tuple[Place, ...] = _EVERYWHERE) -> Rule:
    return Rule(kind=kind, pattern=re.compile("".join(parts)), longest=longest, places=places)


def _each(*first: str, then: str) -> str:
    """Alternatives that go on alike."""
    return "|".join(word + then for word in first)


_OPEN = r"^[\W_]*"
_EDITING = (
    r"(?:责任?编辑?|责编|编辑|编审|审核|审校|审读|校对|校审|校验|监制|终审|[初复一二三]审|值班(?:编辑|编委|主任|总监)?|选稿|组稿|编校|"
    r"美编|排版|制图|统筹|策划|主编|总?签发|新媒体编辑|见习编辑|实习编辑|执行主编|运营|后期|录入|核发|签审|编发)"
)
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
    r"分享(?:到|至|让更多人看到|给好友)?|微信(?:扫码|好友|朋友圈)?|朋友圈|新浪|腾讯|微博|qq(?:空间|好友)?|空间|人人网|豆瓣|facebook|twitter|line|"
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
    r"(?:延伸|推荐|扩展|拓展|精彩|热门|热点|深度|更多)阅读|更多(?:新闻|精彩|内容|资讯|报道|推荐|评论|文章|相关)?|"
    r"热(?:门|点)(?:推荐|新闻|评论|文章|资讯|视频|排行|图片|话题|标签|搜索)|最[新热](?:评论|文章|新闻|资讯|更新|推荐|发布|视频|动态)|"
    r"为[你您](?:推荐|精选)|猜[你您]喜欢|(?:大家|[你您])(?:都在看|还看|爱看|还喜欢|可能(?:还)?(?:感兴趣|喜欢|会喜欢|想看))|"
    r"(?:精彩|编辑|今日|图片|视频|热点|栏目|网友|独家|精选|最热|全部|专题|频道|图文|小编)推荐|[上下]一(?:篇|条)(?:新闻|文章)?|阅读下一篇|"
    r"评论区?|网友(?:评论|跟帖)|(?:精彩|全部)评论|(?:点击|新闻|热点|阅读|评论|本周|24小时|一周|热文|月|日)排行榜?|(?:往期|精彩)(?:回顾|内容)|"
    r"发表评论|我要评论|热搜|热榜|排行榜|新闻热线|文章排行|热词|关键[词字]|标签|tags?|related(?:articles|stories|news|posts)?|"
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
    _rule(Kind.EDITOR, _OPEN, r"(?:本文|本期|本版|网络|新媒体|中文|频道)?", _EDITING, r"(?:人员?|员)?[:丨|/]"),
    _rule(Kind.EDITOR, _OPEN, r"(?:责任编辑|责编|编辑)[\u4e00-\u9fff·]{2,4}(?:$|[\W_])", longest=40),
    _rule(Kind.EDITOR, r"^[^。!?;]{0,40}(?:责任编辑|责编)[:丨|]?\S{0,14}[\])】)]*$", longest=60),
    _rule(Kind.EDITOR, _OPEN, r"(?:web|copy|news)?editors?:[^.!?]{2,60}$", longest=90, places=_EDGES),
    _rule(
        Kind.EDITOR,
        _OPEN,
        r"(?:additional)?(?:reporting|writing|editing)by(?:.{3,360};(?:additional)?(?:reporting|writing|editing|graphics?)by|[^.!?]{3,90}$)",
        longest=600,
        places=_EDGES,
    ),
    _rule(Kind.ORIGINAL_TITLE, _OPEN, r"(?:原文?标?题|原题目?)(?:为|是|:)", longest=120),
    _rule(Kind.RELATED, _OPEN, r"(?:", _MORE, r")(?:[:>》».…|].{0,60}|\(?\d*\)?[条篇]?[\W_]*)$", longest=80),
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
        r"版权所有|",
        _each("未经", "不得", then=r".{0,16}(?:授权|许可|允许|同意|转载).{0,16}(?:转载|使用|复制|禁止|不得|摘编|镜像|必究|转)"),
        r"|转载(?:时)?(?:请|须|需|务).{0,10}(?:注明|标注|保留|联系)|谢绝转载|",
        _each("禁止", "请勿", then="(?:擅自)?转载"),
        r"|版权归.{0,12}所有",
        longest=300,
        places=_EDGES,
    ),
    _rule(
        Kind.NOTICE,
        r"不代表.{0,24}(?:观点|立场)|仅代表.{0,8}(?:作者|个人|本人).{0,6}(?:观点|意见)|信息存储(?:空间)?服务|",
        r"仅供(?:读者)?参考|据此(?:操作|入市|投资)|风险自担|不构成.{0,8}(?:建议|意见)",
        longest=400,
        places=_EDGES,
    ),
    _rule(
        Kind.NOTICE,
        r"icp[备证]|网安备|许可证(?:编?号)?[:\d]|allrightsreserved|copyright|经营许可证|",
        _each("违法", "不良", then=".{0,8}举报"),
        r"|举报(?:电话|邮箱|热线)|",
        _each("侵权", "版权", then=".{0,16}(?:删除|联系|告知|处理)"),
        "|",
        _each("联系", "客服", "服务", "投稿", "新闻", "爆料", then=r"(?:电话|热线|邮箱)[:\d]"),
        longest=300,
        places=_EDGES,
    ),
    _rule(Kind.NOTICE, r"^(?:电话|传真|邮箱|地址|邮编|热线|e-?mail|tel|fax)[:：]", longest=300, places=_EDGES),
    _rule(
        Kind.NOTICE,
        _each("更多", "精彩", "第一时间", "最新", "独家", then=".{0,24}(?:请?关注|下载|扫码|点击|尽在|登录|搜索|app|客户端|公众号)"),
        "|",
        _each(
            *("关注", "下载", "扫描", "扫一扫", "长按", "识别", "搜索", "打开", "安装", "点击"),
            then=".{0,16}(?:公众号|二维码|客户端|app|小程序|微信|下载地址|查看详情|当前页)",
        ),
        "|",
        _each("【", r"\[", r"\(", then=r"点击.{2,8}[\])】]"),
        longest=120,
        places=_EDGES,
    ),
    _rule(
        Kind.NOTICE,
        _OPEN,
        r"(?:本文|文章)(?:来自|来源|转自|首发|由|系).{0,60}(?:app|客户端|公众号|转载|版权|原创|授权)",
        longest=160,
        places=_EDGES,
    ),
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
        r"^(?=.*(?:页|[【\[]\d))(?>[\W_\d]|上一页|下一页|首页|尾页|末页|共\d+页|第\d+页|\[\d+\]|【\d+】|余下全文|全文)++$",
        longest=80,
        places=_EDGES,
    ),
    _rule(Kind.HEADER, _OPEN, r"(?:发[布稿表]|更新|刊登|出版|采编|上传|创建|时间|日期).{0,6}(?:时间|日期|于)?[:]?", _DATE, longest=120),
    _rule(Kind.HEADER, r"^[^。!?,]{0,36}", _DATE, r"[^。!?]{0,70}$", longest=110, places=_ABOVE),
    _rule(Kind.HEADER, _OPEN, r"[^。!?,]{0,30}", _DATE, r"\d{0,2}:\d\d.{0,40}$", longest=80, places=_EDGES),
    _rule(
        Kind.HEADER,
        rf"^(?=.*(?:19|20)\d\d)(?!.*[a-z]{{4}}[.!?]\W*$)[^!?。]{{0,60}}{_DATE_IN_WORDS}[^!?。]{{0,60}}$",
        longest=110,
        places=_ABOVE,
    ),
    _rule(Kind.HEADER, _OPEN, r"(?:updated|published|posted)?(?:\d{1,2}|an?)(?:m|h|mins?|minutes?|hrs?|hours?|days?)ago[^.!?]{0,30}$"),
    _rule(Kind.HEADER, _OPEN, r"\d{1,2}-?(?:mins?|minutes?)(?:read|listen)\W*$"),
    _rule(Kind.HEADER, _OPEN, _FROM, r"[:|丨/]"),
    _rule(Kind.HEADER, r"^(?:source|quelle|fuente|fonte|источник|kaynak):", places=_EDGES),
    _rule(
        Kind.HEADER,
        _OPEN,
        r"(?:专题|栏目|频道|分类|稿源|浏览次数|阅读次数|点击次数|发布于|字数|索引号|发文机关|文号|主题词)[:|]",
        longest=80,
    ),
    _rule(Kind.SHARE, rf"^(?>[\W_\d万k]|{_CONTROLS})++$"),
    _rule(
        Kind.SHARE,
        r"^(?:扫一扫|扫描?二维码|扫码|微信扫|长按|用微信|使用微信|打开微信|手机看|我要(?:纠错|反馈|举报|投诉|评论)|请先?登录|还可以输入|发送到手机|"
        r"调查问题|若长时间|在线(?:荐稿|投稿)|收听|安装.{0,12}客户端|imagecopyright|imagecredits?:|imagecaption|mediaplayback|"
        r"signup(?:for|to)|subscribeto|free(?:daily|weekly)newsletter|clicktocomment|clickhereto|getatipforus|storycontinuesbelow|articlecontinuesafter|skipto)",
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

# The traditional forms of characters that the rules are written with: the mirror and Hong Kong pages print them.
_SIMPLER = str.maketrans(
    "佈來侷係個備傢傳僅儘儲內兩冊別刪剛創劃動務區協參員問單噹嚮國圖團埰執報場壇娛學寀實審寫專對廣廳張彆彔後復愛態戶掃採搶擊擔"
    "據擴攝數於時暫曏會條構樂標機檯欄權歡歸準濟瀏為熱營獨現產畫當發盡監眾確碼筆箇簽籌籤糰糾約終組絕絡給統經綜維網綵線編縮總繫"
    "罈習聞聯聲聽臺與興舉萬蒐蓆蔘薦處號衕裝製複覈見視覽觀訂訊記許訴註証評詞話詳誌認語說調請論謝證識譯議讀讓讚財責資賬贊載輯輸"
    "轉辦迴週進運違選還郵鄭錄錯錶鍵鍾鏈鏡鐘長門閉開間閤閱關隊際險雜雲電靜頁頂須頭頻題類顧風颱餘饋駐騰驗體髮鬚鵝麵點齣",
    "布来局系个备家传仅尽储内两册别删刚创划动务区协参员问单当向国图团采执报场坛娱学采实审写专对广厅张别录后复爱态户扫采抢击担"
    "据扩摄数于时暂向会条构乐标机台栏权欢归准济浏为热营独现产画当发尽监众确码笔个签筹签团纠约终组绝络给统经综维网彩线编缩总系"
    "坛习闻联声听台与兴举万搜席参荐处号同装制复核见视览观订讯记许诉注证评词话详志认语说调请论谢证识译议读让赞财责资账赞载辑输"
    "转办回周进运违选还邮郑录错表键钟链镜钟长门闭开间合阅关队际险杂云电静页顶须头频题类顾风台余馈驻腾验体发须鹅面点出",
)
_TRADITIONAL = re.compile(f"[{''.join(map(chr, _SIMPLER))}]")
_WIDE = tuple(zip("，：；！？（）", ",:;!?()", strict=True))
"""the punctuation of Chinese sentences, as NFKC writes it"""
_CAPTION_BEGINS = re.compile(
    r"[\W_]*(?:\d{1,2}/\d{1,2}\]|图片?(?:说明|来源|为|注|源|\d{1,2})?[:/|丨]|图[为注]|上图|下图|左图|右图|资料图|示意图|效果图|配图|题图|封面图|视频截图|网络截图|组图[:]|△|▲|▼|↑|↓|photo:|image:)"
)
_CAPTION_ENDS = re.compile(
    r"(?:摄|供图|制图|图源|发)[\])】)]?$|图片?(?:来源|源自|来自)[:]?.{0,20}$|(?:资料图|资料图片|视频截图|网络图|截图|效果图|示意图|视觉中国)[\])】)]*$"
)
_PICTURED = re.compile(
    r"(?:[\[(](?:photo|image|picture|file|credit|photocourtesy)s?(?:[:/]|by|from|provided)[^\[\]()]{2,60}[\])]|/(?:vcg|cfp|ap|afp|getty)(?:photo|images?)?|"
    r"\((?:xinhua|photo|ap|afp|reuters)/[^()]{2,40}\)|\([^()]{2,40}/xinhua\))\)?$|^\(?(?:cover|file)(?:image|photo):"
)
"""how English captions end: with whose picture it is"""
_PICTURED_LENGTH = 220
_BYLINE = re.compile(
    r"^[\W_]*(?:(?:[\u4e00-\u9fff·a-z]{0,12}?(?:记者|通讯员|特派员|评论员|撰稿人?|撰稿员|实习生))+[:/|丨]?|作者[:/|丨]|(?:撰|供|采|原)?文[:/|丨]|撰文|执笔[:/|丨]?|采写[:/|丨]?|编译[:/|丨]?|作者(?=[\u4e00-\u9fff]{2,4}(?:$|[\W_]))|出品[:/|丨︱]|by[:\s])"
    r"[^。!?;]{0,40}$"
)
_NAMED = r"[^\W\d_a-z][\w.'’-]+(?:\s+(?:(?:de|da|do|dos|di|van|von|der|den|la|le|bin|al|el)\b|[^\W\d_a-z][\w.'’-]*)){0,4}"
_BY = re.compile(
    rf"(?:[Bb]y|BY|(?:[Ww]ritten|[Ww]ords|[Ss]tory|[Ii]nterview)\s+by|Von|Par|Por)[:\s]\s*{_NAMED}(?:(?:,\s*|\s*&\s*|\s+(?:and|und|et|y|e)\s+){_NAMED})*"
    r"(?:\s*[,|]\s*[^\W\d_a-z][\w’'.]*(?:\s+[\w’']+){0,4})?"
)
_TAIL_CUTS = re.compile(
    r"\s*(?:[\[【（(]?\s*(?:责任编辑|责编|编辑)\s*[:：][^。！？\n]{0,20}[\]】）)]?|返回\S{0,6}[，,]?\s*查看更多|【纠错】|\[纠错\]|点击进入专题\S{0,4})\s*$"
)
_TAIL_WORDS = re.compile(r"编辑|责编|查看更多|纠错|点击进入专题")
"""without one of which nothing is cut"""
_REMEMBERED = 4_096
"""lines: one page asks about each of its lines several times (three readers, head, tail, title)"""
_REMEMBERED_LENGTH = 500
"""characters: the longest of them. A page may be one line of 8 MiB, and 4,096 of these are no memory of anything"""
CAPTION_LENGTH = 120
BYLINE_LENGTH = 50


def simpler(text: str) -> str:
    """`text` with the traditional characters of the rules' own words made simplified; every character keeps its place."""
    return text.translate(_SIMPLER) if _TRADITIONAL.search(text) else text


def fold(text: str) -> str:
    """The form that rules look at: NFKC, no spaces, lower case, simplified where it matters."""
    return _folded(text) if len(text) <= _REMEMBERED_LENGTH else _folded.__wrapped__(text)


@lru_cache(maxsize=_REMEMBERED)
def _folded(text: str) -> str:
    for wide, plain in _WIDE:
        text = text.replace(wide, plain)
    if not unicodedata.is_normalized("NFKC", text):  # normalising costs ten times as much as seeing that there is no need
        text = unicodedata.normalize("NFKC", text)
    return simpler(text.replace(" ", "").lower())


def kind(text: str, place: Place = Place.ANY) -> Kind | None:
    """What rule says that this line is furniture, None for the article's own."""
    return _kind(text, place) if len(text) <= _REMEMBERED_LENGTH else _kind.__wrapped__(text, place)


@lru_cache(maxsize=_REMEMBERED)
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
        if len(folded) <= rule.longest and place in rule.places and rule.pattern.search(folded):
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


def template_lines(article: Article) -> tuple[tuple[str, str], ...]:
    """(digest, line) of the lines that may be a site's furniture which no rule names yet: the first and last
    TEMPLATE_EDGE paragraphs. The catalogue counts in how many articles each digest occurs."""
    paragraphs = article.paragraphs
    edges = dict.fromkeys((*paragraphs[:TEMPLATE_EDGE], *paragraphs[-TEMPLATE_EDGE:]))
    return tuple((line_digest(text), text) for text in edges)


def line_digest(text: str) -> str:
    """The name under which a line is counted: SHA-256 of its folded form, first 16 hex digits."""
    return hashlib.sha256(fold(text).encode()).hexdigest()[:16]


TEMPLATE_EDGE = 3
"""paragraphs at each end that are remembered: furniture that slips through stands there"""
