"""Who wrote and who edited, by the forms in which Chinese pages print it: tables of patterns, nothing of one site.

A name is two to four Chinese characters, or several parts joined by a middle dot. Organisations are no authors, and
whoever stands behind 编辑, 责编 or 校对 is an editor, never an author.
"""

from __future__ import annotations

import re
import unicodedata

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_NAME = rf"[{_HAN}]{{2,4}}|[{_HAN}]{{1,8}}(?:[·•][{_HAN}]{{1,8}}){{1,3}}"
_PERSON = re.compile(rf"(?:{_NAME})")
_SPACED_NAME = re.compile(rf"(?<![{_HAN}])([{_HAN}])[ \u3000]+([{_HAN}])(?![{_HAN}])")
_SPLIT = re.compile(r"[\s、,，;；/／&|丨｜＆和]+")
_ORGANISATION = re.compile(
    r"(?:报|网|社|台|客户端|新闻|中心|频道|编辑部|公司|集团|日刊|周刊|杂志|工作室|研究院|大学|学院|委员会|办公室|报道|综合|整理|小编|管理员|"
    r"文章|观点|简介|主页|推荐|手记|札记|调查|走访|探访|见闻|来信|本网|本站|原创|转载|佚名|匿名|未知|管理|责编|编辑|部门?|局|厅|院|会|号|组|团队|传媒|科技|财经|观察|视频|文化|网络|记者|通讯员|作者|来源|记者站|分社)$"
)
_ROLES = (
    r"(?:责任编辑|责任编校|责编|见习编辑|实习编辑|新媒体编辑|网络编辑|值班编辑|执行编辑|编辑|编审|编校|审核|审校|审读|校对|校审|选稿|组稿|"
    r"监制|终审|初审|复审|[一二三]审|主编|总编辑?|值班(?:编委|主任|总监)|统筹|策划|排版|制图|美编|签发|签审|录入)"
)
_GOES_ON = rf"\s[{_HAN}]{{1,6}}\s*[:：丨|｜/／]"
"""the next part of a line of credits"""
_EDITORS = re.compile(rf"{_ROLES}(?:人员?|员)?\s*[:：丨|/／ ]\s*((?:(?!{_ROLES}|{_GOES_ON})[^:：丨|｜/）)\]】;；\n]){{1,40}})")
_REPORTER = (
    r"(?:特约|首席|见习|实习|驻\S{0,6}|全媒体?|融媒体?)?(?:记者|通讯员|撰稿人?|评论员|特派员|实习生|撰文|作者|专栏作者|执笔|采写|文字|编译)"
)
_BYLINES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!创)作\s*者(?:简介)?\s*[:：丨|/／】]\s*(?:(?:撰?文|记者)\s*[/／:：]?\s*)?((?:(?!{_GOES_ON})[^:：（()）\n。;；|【\[】\]]){{2,40}})",
        rf"(?:^|[\W_]|[{_HAN}]{{0,12}})(?<!创){_REPORTER}\s*[:：丨|︱/／】]?\s*([^:：，。（()）《\n;；]{{2,40}}?)(?=《|$|{_GOES_ON})",
        r"(?:^|[【\[(（\s：:])(?:撰|供|原)?文字?\s*[/／|丨:：】]\s*(?:图\s+)?((?:(?!\s[图摄]|视频)[^:：，。（()）\n;；【】\]]){2,40})",
        r"^执笔\s*[/／:：丨|]?\s*([^:：，。\n]{2,40})$",
    )
)
_WITH_OUTLET = re.compile(rf"^((?:{_NAME})(?:[、\s]+(?:{_NAME})){{0,3}})\s*[/／]\s*[{_HAN}]{{2,14}}(?:报|网|社|刊|新闻|客户端|杂志)$")
_WROTE = re.compile(r"作|记者|通讯员|撰|评论员|特派员|实习生|执笔|采写|文|编译|[/／]")
"""without one of which no line names who wrote: most short lines of a page are asked, and have none"""
_DATELINE = re.compile(
    rf"^[^。！？]{{0,40}}?[（(]\s*(?:(?:[{_HAN}·]{{0,12}}?{_REPORTER}\s*[:：]?|文\s*[/／])\s*([^）()（。，]{{2,60}})|((?:{_NAME})(?:[、\s，,](?:{_NAME})){{0,5}}))[）)]"
)
_AGENCY_DATELINE = re.compile(r"^[^。！？（(]{2,24}(?:电|讯|报道|消息)\s*[（(]")
_REPORT = re.compile(rf"^[^。！？（(]{{0,24}}?(?:讯|电|报道|消息)[\s:：|]*{_REPORTER}\s*([{_HAN}、 ]{{2,24}}?)(?:报道|摄影报道|\s|$)")
_SIGNATURE = re.compile(
    rf"[（(]\s*([{_HAN}\d\s·\-—]{{0,18}}?{_REPORTER}(?=[\s:：|丨{_HAN}])\s*[:：|丨]?\s*)?([{_HAN}·、，,\s/]{{2,40}}?)\s*(?:[，,](?:系|为|作者|单位)[^）)]{{0,80}})?[）)]\s*$"
)
_SOURCED = re.compile(r"(?:来源|稿源|出处|来自)\s*[:：丨|/](?:(?!作\s?者|记者|文[:：/]).){0,40}")
_DOINGS = frozenset(
    (
        "报道",
        "摄影报道",
        "综合报道",
        "整合",
        "整理",
        "摄影",
        "摄",
        "图",
        "文",
        "文图",
        "图文",
        "编译",
        "发自",
        "综合",
        "采写",
        "实习",
        "博客",
        "专栏",
        "分享到",
        "分享",
        "打印",
        "字号",
        "收藏",
        "原创",
        "来自",
        "发布",
        "关注",
        "已关注",
        "订阅",
        "私信",
        "举报",
        "文并摄",
    )
)
"""what stands among names and is none"""
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹"
    "孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申耿关兰焦俞左柳甘祝包宁尚"
    "符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷"
    "晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘"
    "满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺"
    "欧闾司慕夏上皇诸尉公令"
    "張劉陳楊黃趙吳孫馬鄭謝許韓馮鄧蕭蔣葉蘇魏呂盧鐘譚陸賈韋鄒閻龍賀顧龔萬錢嚴莊魯關蘭齊喬龐顏聶單畢駱藍華饒繆簡車項連蘆麥婁黨宮費溫湯範羅"
)
"""first characters of Chinese family names: they tell an unlabelled name from another word"""
_TITLED = re.compile(
    rf"(?:研究员|教授|院长|主任|会长|博士|专家|学者|委员|所长|部长|秘书长|理事长|总监|经理|分析师|律师|院士|老师)([{_HAN}]{{2,3}})$"
)
_ROLE_FORMS = str.maketrans(
    "編輯責審對記員執筆譯採報導訊電來監總統籌劃實習約駐評論專欄｜︱", "编辑责审对记员执笔译采报导讯电来监总统筹划实习约驻评论专栏||"
)
_TRADITIONAL = re.compile(f"[{''.join(map(chr, _ROLE_FORMS))}]")
_NEXT = re.compile(
    r"(?<!文)(?:图|摄影?|摄像|视频|制图|编辑)\s*[/／:：|丨]|\s(?:摄影?|摄像|制图)\s|发布于|更新于|我要|\s·\s|"
    r"(?:点击|浏览|阅读|人气|评论|查看|发布|时间|日期|来源|字号|字体|分享|打印|审核)(?:次数|量|数|时间|日期)?\s*(?:[:：]|$)"
)
"""what a header, or a line of credits, goes on with behind the names"""
_DONE = re.compile(r"(?<=\S)\s*(?:文并摄|文/图|文图|图文|摄影报道|综合报道|报道|采写|采访整理|整理)$")
"""what stands behind the last of some names and tells what they did"""
_HOUSE = re.compile(rf"\s*([{_HAN}]{{2,4}})记者")
_AT_THE_DESK = re.compile(
    rf"^[（(〔\[【]?[{_HAN}]{{0,8}}?记者(?:((?:{_NAME})(?:[、\s](?:{_NAME})){{0,4}})[／/][{_HAN}]{{2,8}}报导|([{SURNAMES}][{_HAN}]{{2}})[{_HAN}]{{2,3}}\d{{1,2}}日[专综]?电)"
)
"""the datelines of Taiwan: （中央社记者某某台北2日电）, 〔记者某某／台北报导〕"""
_SELF = re.compile(rf"^作者(?:简介|介绍)?[:：]\s*([{SURNAMES}][{_HAN}]{{1,2}})[，,]")
_BARE, _USUAL = 24, 3
"""characters: of three names, and of one"""
_SIGNATURE_LENGTH = 160
"""characters at the end of a paragraph"""
_LEAD_ROLE = re.compile(rf"(?:[{_HAN}]{{2,14}}?)?(?:{_REPORTER})\s*[:：|丨]?")


def people(text: str) -> tuple[str, ...]:
    """The names in a list of names; () where any part of it is an organisation or no name at all."""
    text = _NEXT.split(text, maxsplit=1)[0]
    text = _DONE.sub("", _SPACED_NAME.sub(r"\1\2", unicodedata.normalize("NFKC", text).strip(" \u3000-—_.。)]】")))
    parts = [part for part in _SPLIT.split(_LEAD_ROLE.sub(" ", text)) if part and part not in _DOINGS]
    names = [name for part in parts if (name := _person(part))]
    return tuple(dict.fromkeys(names)) if names and len(names) >= len(parts) - 1 else ()


def _person(part: str) -> str | None:
    """The name that a part of a list is, or that stands behind an office ("研究员张三")."""
    if _PERSON.fullmatch(part) and not _ORGANISATION.search(part):
        return part
    titled = _TITLED.search(part)
    return titled[1] if titled and titled[1][0] in SURNAMES else None


def _plain_roles(text: str) -> str:
    """`text` with the words of the roles in simplified characters, and one form of bar; the names keep theirs."""
    return text.translate(_ROLE_FORMS) if _TRADITIONAL.search(text) else text


def editors(text: str) -> tuple[str, ...]:
    """Everybody named behind an editor's role."""
    simple = _plain_roles(text)
    return tuple(dict.fromkeys(name for found in _EDITORS.finditer(simple) for name in _leading(text[found.start(1) : found.end(1)])))


def _leading(text: str) -> list[str]:
    """Names up to the first part that is none ("周雁 来源 …")."""
    names: list[str] = []
    for part in _SPLIT.split(_SPACED_NAME.sub(r"\1\2", text.strip())):
        clean = re.sub(r"[_\W\da-zA-Z]+$", "", part)
        if not _PERSON.fullmatch(clean) or _ORGANISATION.search(clean):
            break
        names.append(clean)
    return names


def byline(text: str) -> tuple[str, ...]:
    """The authors that a line of its own, or a part of the header, names."""
    simple = _plain_roles(text)
    if _WROTE.search(simple) is None:
        return ()
    if desk := _AT_THE_DESK.match(simple):
        return people(desk[1] or desk[2])
    if house := _HOUSE.match(simple):  # 每经记者 … 每经编辑 …
        simple = simple.replace(f"{house[1]}编辑", "编辑")
    without = _SOURCED.sub(" ", _EDITORS.sub(" ", simple)).rstrip(" ）)】]")
    if outlet := _WITH_OUTLET.match(text.strip()):
        return _surnamed(people(outlet[1]))
    found = [names for pattern in _BYLINES for match in pattern.finditer(without) if (names := people(match[1]))]
    return next((names for names in found if found[0] and set(found[0]) < set(names)), found[0] if found else ())


def bare(text: str) -> tuple[str, ...]:
    """The names that a text consists of, without a word for what they are."""
    found = people(text) if len(text) <= _BARE else ()
    return _surnamed(tuple(name for name in found if len(name) <= _USUAL)) if all(len(name) <= _USUAL for name in found) else ()


def dateline(paragraph: str) -> tuple[str, ...]:
    """The reporters in the dateline of a first paragraph: 新华社北京5月9日电（记者…）."""
    paragraph = _plain_roles(paragraph)
    if desk := _AT_THE_DESK.match(paragraph):
        return people(desk[1] or desk[2])
    match = _DATELINE.match(paragraph)
    if match and (match[1] or _AGENCY_DATELINE.match(paragraph)):
        return people(match[1]) if match[1] else _surnamed(people(match[2]))
    report = _REPORT.match(paragraph)
    return people(report[1]) if report else ()


def signature(paragraph: str) -> tuple[str, ...]:
    """The authors in brackets behind a last sentence: （记者…）, （张三）, （作者：李四，系…）."""
    if named := _SELF.match(paragraph):
        return (named[1],)
    match = _SIGNATURE.search(_plain_roles(paragraph[-_SIGNATURE_LENGTH:]))
    if match is None:
        return ()
    return people(match[2]) if match[1] else _surnamed(people(match[2]))


def _surnamed(names: tuple[str, ...]) -> tuple[str, ...]:
    """All of them where each begins with a family name, else none."""
    return names if all(name[0] in SURNAMES for name in names) else ()


# --- names with spaces ---------------------------------------------------------------------------------------------

_WORD = r"[^\W\d_a-z][\w.'’-]*"
_NAME = rf"{_WORD}(?:\s+(?:(?:de|da|do|dos|di|van|von|der|den|la|le|bin|al|el)\b|{_WORD})){{1,4}}"
_AND = r"(?:\s*,\s*(?:and\s+)?|\s*&\s*|\s+(?:and|und|et|y|e|и|ve)\s+)"
_SPACED_NAME_ONLY = re.compile(_NAME)
_SPACED_BYLINE = re.compile(
    rf"(?:^|(?:[Ww]ritten|[Ww]ords|[Ss]tory|[Rr]eported|[Ss]ubmitted|[Ii]nterview)\s)(?:[Bb]y|BY|Von|Par|Por)[:\s]\s*(?P<names>{_NAME}(?:{_AND}{_NAME})*)"
)
_LIST = re.compile(r"\s*[,;|]\s*(?:and\s+)?|\s*&\s*|\s+and\s+")
_BY = re.compile(r"^(?:written\s+)?by[:\s]\s*", re.IGNORECASE)
_NOBODY = re.compile(
    r"\b(?:staff|desk|newsroom|team|editors?|admin|reporters?|correspondents?|writers?|bureau|contributors?)\b", re.IGNORECASE
)


def listed(text: str) -> list[str]:
    """The names of a list ("By Ann Miller, Bob Stone and Cleo Dent")."""
    return [name for part in _LIST.split(_BY.sub("", text.strip())) if (name := part.strip())]


def spaced_byline(text: str) -> list[str]:
    """The authors whom a line names behind "By", with first and last names; a desk or a team is none."""
    match = _SPACED_BYLINE.search(text)
    return [name for name in re.split(_AND, match["names"]) if not is_nobody(name)] if match else []


def is_spaced_name(text: str) -> bool:
    """Whether a text is a first and a last name, and nothing else."""
    return _SPACED_NAME_ONLY.fullmatch(text) is not None and not is_nobody(text)


def is_nobody(name: str) -> bool:
    """Whether a name is that of a desk, a team or a role."""
    return _NOBODY.search(name) is not None


def begins_with(text: str, authors: tuple[str, ...]) -> bool:
    """Whether a text begins with one of these names, the first of them shortened or not ("Steph" for "Stephanie")."""
    words = text.split(maxsplit=5)[:5]
    return any(
        len(parts := author.split()) > 1 and words and words[0][:_SHORTENED] == parts[0][:_SHORTENED] and parts[-1] in words[1:4]
        for author in authors
    )


_SHORTENED = 3
