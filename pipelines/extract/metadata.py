"""What a page says about its article: title, time, source, people, keywords; each with the evidence that gave it.

Evidence is asked in one order everywhere: the printed header around the title, the lines behind the text, meta elements,
JSON-LD, the URL, and last what the listing said. What a sidebar prints is never asked: only lines between the title and the
first paragraph, and the few behind the last one, count as printed.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from html import unescape
from itertools import chain, dropwhile, takewhile

from lxml import html

from pipelines.extract import dates, furniture, names
from pipelines.extract.blocks import HEADINGS, LINK_SHARE, Line
from pipelines.extract.dates import Moment
from pipelines.extract.folding import fold, simpler
from pipelines.extract.furniture import Kind
from pipelines.model import Precision, PublishedFrom
from pipelines.text import presence

HEAD_LINES = 14
"""lines above the first paragraph that can be its header"""
ABOVE_TITLE = 3
"""lines above the title that can hold date and source"""
HEADER_LINES = 80
"""lines that may stand between title and first paragraph: old pages put a table of links there"""
TAIL_LINES = 8
"""lines behind the last paragraph that can speak of the article"""
_MAX_JSONLD = 500_000
"""characters of one script; real ones stay under 60,000"""

_TITLE_META = ("og:title", "twitter:title", "articletitle", "title", "dc.title", "headline")
_TIMES = """
    article:published_time weibo:article:create_at pubdate publishdate publish_date og:release_date og:time datepublished apub:time
    publication_date date dc.date dcterms.created dcterms.date dc.date.issued sailthru.date parsely-pub-date firstpublishedtime
    og:pubdate publishtime pubtime article_date_original cxenseparse:publishtime cxenseparse:recs:publishtime maketime
"""
_TIME_META = tuple(_TIMES.split())
_MODIFIED_META = (
    "article:modified_time",
    "og:updated_time",
    "weibo:article:update_at",
    "datemodified",
    "dateupdate",
    "lastmodified",
    "last-modified",
)
_SOURCE_META = ("source", "contentsource", "mediaid", "article:source", "og:article:source", "laiyuan")
_SECTION_META = ("article:section", "columnname", "channel", "catalogs_name")
_ARTICLE_TYPES = re.compile(r"(?:Article|Posting|Report|VideoObject)$")

_SOURCE_LABEL = re.compile(
    r"(?:更新|文章|新闻|信息|稿件|内容|资料|本文|原文|消息|图文)?(?:来\s*源(?:于|自)?|稿\s*源|转自|摘自|来自|出处|文章出处)"
    r"\s*[:：丨|/／︱｜】]?\s*(?P<name>.*)$"
)
_LABEL = re.compile(r"(?:来\s*源|稿\s*源|转自|摘自|出处)\s*(?:于|自)?\s*(?:[:：丨|︱｜】]|$)|来自\s*[:：]|本文来源于|来源于")
_PRINTED_IN = re.compile(r"《\s*([\w ]{2,16}?)\s*》\s*[（(]\s*(?:19|20)\d\d\s*[-年]")
"""a newspaper with the day of its print"""
_ACCOUNT = re.compile(r"(?:本文|文章|原文).{0,8}公众号\s*[:：]?\s*[“「《]?\s*([^“”「」《》（(，,。：:\s]{2,16})")
_PRINTED_SOURCE = re.compile(r"^(?:Source|Quelle|Fuente|Fonte|Источник|Kaynak)\s*:\s*(?P<name>\S.*)$", re.IGNORECASE)
_SOURCE_END = re.compile(
    r"\s{2,}|\s*[|｜丨】\]]|\s+(?=(?:作者|编辑|责|记者|发布|时间|字号|字体|分享|浏览|点击|阅读|评论|原创|选稿|查看|举报))"
    r"|(?=(?:作\s*者|编辑|责任编辑|责编|选稿|(?:发布|更新)?(?:时间|日期)|字号|字体|分享|浏览|点击|阅读|评论|举报|打印|关键)\s*(?:[:：(（]|$))"
    r"|举报$|\s*https?:|\s*(?:19|20)\d\d[-年/.]|[)）]\s*$|[,，。;；]"
)
_SOURCE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:source|sourcetitle\w*|media-?name|nickname|laiyuan|origin|copyfrom|article-source|author-name|caas-attr-item-author)(?:$|[\s_-])",
    re.IGNORECASE,
)
_VAGUE_SOURCE = re.compile(r"^(?:转载(?:文章)?|网络|互联网|网络整理|综合|原创|本站|本站原创|佚名|未知|其他|其它|不详|整理|来源|admin)$")
_NO_SOURCE = re.compile(
    r"^(?:来自|发布于|ip|作者|编辑|责任编辑|记者|星期|上午|下午|字号|字体|微信|微博|人参与|已有|发布|发表)|"
    r"^(?:原创|关注|正文|首页|分享|评论|阅读|浏览|点击|打印|收藏|查看|更多|下载|独家|大|中|小|听|播放|举报|扫一扫|扫码|标准|超大|新闻|"
    r"注册|登录|订阅|客户端|视频|音频|热点|要闻|国内|国际|社会|财经|科技|体育|娱乐|企鹅号|头条号|网易号|搜狐号|大风号|百家号|关闭|返回|"
    r"独家抢先看|下载客户端)$|^www\.|^(?:国内|国际|社会|财经|科技|体育|娱乐|本地|图片|视频|热点|滚动|综合|产业|行业|公司|政策)(?:新闻|要闻|资讯|频道)$|^[/／]|"
    r"(?:评论|参与|阅读|跟帖|分享|次|关注|举报|(?<!经济)报道|报导|官方账号|作者|已认证|加载中|人)$|[，。！？>»{}=<:：]"
)
_OUTLET = re.compile(
    r"(?:报|网|社|台|客户端|新闻|周刊|月刊|杂志|时报|在线|频道|电视台?|通讯|传媒|快报|融媒体?(?:中心)?|发布|观察者?|头条|财经|资讯|新媒体|中心|出版社|"
    r"研究院|局|厅|委|政府|办公室|协会|公司|日报|晚报|早报|商报|晨报|都市报|经济|科技|中国|之声|视频|云|日报社|网站|公众号|号|讯)(?:[\w·（(-].{0,10})?$|"
    r"^(?=.*[A-Za-z])[A-Za-z0-9 .&]{2,20}$"
)
_TITLE_CLASS = re.compile(r"title|headline|heading|(?:^|[\s_-])(?:bt|tit\d*|pbt|biaoti|hd\d?)(?:$|[\s_-])", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*(?:[_|｜]|\s[-–—·»«丨]+\s|--+|-(?=[^-]{2,16}$)|——(?=[^—]{0,8}(?:网|报|台|社|频道|新闻|在线|门户)$))\s*")
_HEADING_SCORE = {"h1": 2.0, "h2": 1.5, "h3": 1.0, "h4": 0.5}


@dataclass(slots=True)
class Declared:
    """What the head of the page declares: meta elements by lower-case name, and the JSON-LD of the article. `elements` are all
    that declare anything (meta, link, script), wherever they stand: the page is walked once for them."""

    elements: list[html.HtmlElement] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    article: dict[str, object] = field(default_factory=dict)
    document_title: str | None = None

    def first(self, keys: tuple[str, ...]) -> str | None:
        return next((value for key in keys if (value := self.meta.get(key))), None)

    def text(self, key: str) -> str | None:
        value = self.article.get(key)
        return presence(unescape(value)) if isinstance(value, str) else None


@dataclass(slots=True)
class Published:
    at: datetime | None = None
    precision: Precision | None = None
    evidence: PublishedFrom | None = None
    future: bool = False


def declared(root: html.HtmlElement) -> Declared:
    """The declarations of a page. Of repeated meta names the first that says something counts."""
    result = Declared(elements=list(root.iter("meta", "link", "script")), document_title=presence(root.findtext(".//title")))
    for element in (one for one in result.elements if one.tag == "meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or element.get("http-equiv")
        content = presence(element.get("content"))
        if name and content:
            result.meta.setdefault("".join(name.lower().split()), content)
    result.article = next(_json_articles(one for one in result.elements if one.tag == "script"), {})
    return result


def _json_articles(scripts: Iterable[html.HtmlElement]) -> Iterator[dict[str, object]]:
    for script in scripts:
        raw = script.text or ""
        if "ld+json" not in (script.get("type") or "") or not 0 < len(raw) < _MAX_JSONLD:
            continue
        try:
            found = json.loads(raw, strict=False)
        except (ValueError, RecursionError):
            continue
        yield from _articles_in(found)


def _articles_in(found: object) -> Iterator[dict[str, object]]:
    graph = found.get("@graph", [found]) if isinstance(found, dict) else found
    nodes = {str(node["@id"]): node for node in graph if isinstance(node, dict) and "@id" in node} if isinstance(graph, list) else {}
    for item in graph if isinstance(graph, list) else [graph]:
        kind = item.get("@type") if isinstance(item, dict) else None
        kinds = kind if isinstance(kind, list) else [kind]
        if isinstance(item, dict) and any(isinstance(one, str) and _ARTICLE_TYPES.search(one) for one in kinds):
            authors = item.get("author")
            yield {**item, "author": [_named(one, nodes) for one in (authors if isinstance(authors, list) else [authors])]}


def _named(node: object, nodes: dict[str, dict[str, object]]) -> object:
    """The node itself, or the one of the same graph whose @id it names (JSON-LD 1.1 §3.3)."""
    return nodes.get(str(node.get("@id")), node) if isinstance(node, dict) and not node.get("name") else node


# --- title ---------------------------------------------------------------------------------------------------------


def title(
    lines: list[Line], first: int, said: Declared, suffixes: tuple[str, ...], listed: str | None = None
) -> tuple[str | None, int | None]:
    """The title and the number of its line among `lines`, of which `first` is the first paragraph. The printed title wins,
    proved by <title> or by being a heading; what the head says, without the site's suffixes, is next."""
    claims = [claim for claim in (said.document_title, said.first(_TITLE_META), said.text("headline"), listed) if claim]
    folded = [fold(claim) for claim in claims]
    scored = [
        (score, -line.index, number)
        for number, line in enumerate(lines[: first + 2])
        if (score := _title_score(line, first - number, folded)) > _TITLE_PROOF
    ]
    named = said.meta.get("og:site_name")
    stripped = next((text for claim in claims if (text := strip_suffixes(claim, (*suffixes, named) if named else suffixes))), None)
    if not scored:
        return stripped, None
    best = max(scored)[2]
    printed = _whole(lines[: first + 2], best, folded).strip("- ")
    if (
        stripped
        and printed not in claims
        and stripped.startswith(printed)
        and re.match(r"\s*(?:——|--|:|：)\s*\S", stripped[len(printed) :])
    ):
        return stripped, best
    return printed, best


def _whole(lines: list[Line], at: int, claims: list[str]) -> str:
    """The title, of which line `at` may be a part: a heading is divided by <br> as it pleases."""
    parts = [line for line in lines if line.element is lines[at].element]
    whole = " ".join(line.text for line in parts)
    spaced = fold(whole)
    claimed = any(spaced in claim for claim in claims) if claims else lines[at].element.tag in HEADINGS
    return _joined(parts) if len(parts) > 1 and claimed and len(whole) <= _LONGEST_TITLE else lines[at].text


def _joined(lines: list[Line]) -> str:
    text = lines[0].text
    for line in lines[1:]:
        text += line.text if _HAN_AT_BOTH.match(text[-1:] + line.text[:1]) else f" {line.text}"
    return text


_HAN_AT_BOTH = re.compile(r"[^\W a-zA-Z]{2}|[^\x00-\x7f]{2}")
_TITLE_PROOF = 1.9


def _title_score(line: Line, above: int, claims: list[str]) -> float:
    if len(line.text) > _LONGEST_TITLE:
        return 0.0
    score = _HEADING_SCORE.get(line.element.tag, 0.0)
    score += 1.0 if _TITLE_CLASS.search(f"{line.element.get('class', '')} {line.element.get('id', '')}") else 0.0
    text = fold(line.text).strip("-")
    if any(text in claim for claim in claims):
        score += 2.0 + (1.0 if any(claim.startswith(text) for claim in claims) else 0.0) + min(1.0, len(text) / 20)
    elif len(text) < _SHORTEST_TITLE:
        score -= 1.0
    score += 1.0 if 0 <= above <= HEAD_LINES else 0.0
    score -= (1.5 if line.link_share > 0.5 else 0.0) + (0.5 if line.aside else 0.0) + (1.0 if above < 0 else 0.0)
    return score if score > _TITLE_PROOF and len(text) >= 3 and furniture.kind(line.text) is None else 0.0


_LONGEST_TITLE = 120


def strip_suffixes(claim: str, suffixes: tuple[str, ...] = ()) -> str | None:
    """A <title> without the names of site and section behind its last separators; quotes are never a separator."""
    head = claim.strip()
    while separators := list(_SEPARATOR.finditer(head)):
        last = separators[-1]
        front, tail = head[: last.start()].strip(), head[last.end() :].strip()
        if tail and tail not in suffixes and (len(tail) > max(16, len(front)) or len(front) < _SHORTEST_TITLE):
            break
        head = front
    for suffix in suffixes:
        if head.endswith(suffix) and (match := _NAMED_LAST.search(head[: -len(suffix)])) and match.start() > 0:
            head = head[: match.start()]
    return head or None


_NAMED_LAST = re.compile(r"\s*[:：|·•–—-]\s*$")


_SHORTEST_TITLE = 6


# --- published -----------------------------------------------------------------------------------------------------


def published(
    head: list[Moment], tail: list[Moment], said: Declared, *, url_date: str | None, listed: str | None, zone: tzinfo, fetched_at: datetime
) -> Published:
    """The best evidence of when the article went out, by the dates printed in head and tail first. A day from the header takes
    its time of day from any other evidence of the same day; nothing after `fetched_at` is believed."""
    found: list[tuple[PublishedFrom, Moment]] = [(PublishedFrom.HEADER, one) for one in _first_timed(head)]
    found += [(PublishedFrom.META, one) for key in _TIME_META if (one := dates.first(said.meta.get(key)))]
    found += [(PublishedFrom.JSONLD, one) for key in ("datePublished", "dateCreated", "pubDate") if (one := dates.first(said.text(key)))]
    found += [(PublishedFrom.URL, one) for one in [dates.first(url_date)] if one]
    found += [(PublishedFrom.HEADER, one) for one in _first_timed(tail) if one.precision is not Precision.DAY]
    found += [(PublishedFrom.LISTING, one) for one in [dates.first(listed)] if one]
    found += [(PublishedFrom.HEADER, one) for one in head if one.modified]  # where nothing else is said, it is all that is known
    believable = [(evidence, one) for evidence, one in found if one.within(zone) <= fetched_at or _same_day(one, fetched_at, zone)]
    if not believable:
        return Published(future=bool(found))
    if zone is UTC:  # no zone of its own: a time that says its offset is better than one that does not, and to the second best
        believable.sort(key=lambda pair: (pair[1].at.tzinfo is None, pair[1].precision is not Precision.SECOND))
    evidence, best = believable[0]
    at, precision = best.within(zone), best.precision
    if precision is Precision.DAY:
        finer = next((one for _, one in believable if one.precision is not Precision.DAY and one.within(zone).date() == at.date()), None)
        at, precision = (finer.within(zone), finer.precision) if finer else (at, precision)
    return Published(at=min(at, fetched_at.astimezone(zone)), precision=precision, evidence=evidence, future=len(believable) < len(found))


def _first_timed(moments: list[Moment]) -> list[Moment]:
    """Those with a time of day first, updates never."""
    found = [one for one in moments if not one.modified and not one.other]
    return sorted(found, key=lambda one: one.precision is Precision.DAY)


def _same_day(moment: Moment, fetched_at: datetime, zone: tzinfo) -> bool:
    return moment.precision is Precision.DAY and moment.within(zone).date() <= fetched_at.astimezone(zone).date()


def modified(head: list[Moment], said: Declared, zone: tzinfo) -> datetime | None:
    """When the page says that it was changed."""
    named = next((one for one in head if one.modified), None)
    moment = named or dates.first(said.first(_MODIFIED_META)) or dates.first(said.text("dateModified"))
    return moment.within(zone) if moment else None


# --- source --------------------------------------------------------------------------------------------------------


def source(
    head: list[list[str]],
    tail: list[list[str]],
    said: Declared,
    marked: list[str],
    account_name: str | None = None,
    *,
    told: Iterable[str] = (),
    chinese: bool = True,
) -> str | None:
    """The printed 来源: by its label in the header, unlabelled in the header (`marked` are the texts whose class says
    so), by its label behind the text, and from meta. Head and tail are lines, each as its pieces of text."""
    labelled = _labelled(head)
    if labelled and not _VAGUE_SOURCE.match(labelled):
        return labelled
    named = next((text for text in marked if _plausible(text)), None)
    unlabelled = (named or _beside_date(head) or account_name) if chinese else None
    behind = _labelled(tail) or _printed(_PRINTED_IN, chain(*head, *tail)) or _printed(_ACCOUNT, told)
    meta = _clean_source(said.first(_SOURCE_META) or "")
    return next((one for one in (unlabelled, behind, meta) if one and not _VAGUE_SOURCE.match(one)), None)


def _printed(pattern: re.Pattern[str], texts: Iterable[str]) -> str | None:
    return next((match[1].strip() for text in texts if (match := pattern.search(text))), None)


def _labelled(lines: list[list[str]]) -> str | None:
    for number, pieces in enumerate(lines):
        for at, piece in enumerate(pieces):
            if (spaced := _PRINTED_SOURCE.match(piece)) and (name := _clean_source(spaced["name"])):
                return name
            if not _LABEL.search(simple := simpler(piece)):
                continue
            following = pieces[at + 1 :] or (lines[number + 1] if number + 1 < len(lines) else [])
            match = _SOURCE_LABEL.search(simple)
            name = _clean_source(piece[match.start("name") :]) if match else None
            if name or (name := _clean_source(following[0]) if following else None):
                return name
    return None


def _clean_source(text: str) -> str | None:
    text = re.sub(r"^(?:来源|稿源)?\s*[:：\[【(（\s]+", "", text.strip())
    text = _SOURCE_END.split(text, maxsplit=1)[0] if text else ""
    text = re.sub(r"[（(][^）)]*$", "", text)  # （05版, of which the end is off
    return (presence(text.strip(" :：[]【】-—>·|")) or None) if len(text) <= _LONGEST_SOURCE else None


_LONGEST_SOURCE = 40


def _beside_date(head: list[list[str]]) -> str | None:
    """A short name that stands in the header line of the date, or on the line above or below."""
    for number, pieces in enumerate(head):
        if dates.first(" ".join(pieces)) is None:
            continue
        near = [*pieces, *(head[number - 1] if number else []), *(head[number + 1] if number + 1 < len(head) else [])]
        rest = [_bare(text) for piece in near for text in re.split(r"\s{2,}|[|｜／]|(?<!\w)·|·(?!\w)", _without_dates(piece))]
        names_ = [name for text in rest for name in (text.rsplit("/", 1)[-1],) if _plausible(name)]
        names_ = names_ or [word for text in rest if _PAPER.search(word := text.split(" ")[0]) and _plausible(word)]
        if names_:
            return names_[0]
    return None


_PAPER = re.compile(r"..(?:报|网|社|台|报道|周刊|客户端|新闻)$")
"""a name that is one also where a person's stands behind it: 某某晚报 张三"""


def _bare(text: str) -> str:
    """A name without what is set around it: [某某 原创]."""
    return re.sub(r"\s原创$", "", text.strip(" |·-—/[]【】"))


def account(lines: list[Line]) -> str | None:
    """The first short link of a header that has few links: how portals print whose account an article is from."""
    links = [line for line in lines if line.link_share > LINK_SHARE]
    if len(links) > _HEADER_LINKS:
        return None
    names_ = (line.text for line in links if 2 <= len(line.text) <= _ACCOUNT_NAME and not line.aside)
    return next((text for text in names_ if not _NO_SOURCE.search(text.lower()) and furniture.kind(text) is None), None)


_HEADER_LINKS = 6
_ACCOUNT_NAME = 12


def _without_dates(text: str) -> str:
    for moment in reversed(list(dates.moments(text))):
        text = text[: moment.start] + "  " + text[moment.end :]
    return text


def _plausible(text: str) -> bool:
    return 2 <= len(text) <= 20 and not _NO_SOURCE.search(simple := simpler(text).lower()) and _OUTLET.search(simple) is not None


def marked_sources(lines: list[Line]) -> list[str]:
    """The texts of header lines, or of elements in them, whose class says that they are the source."""
    found = []
    for line in lines:
        for element in line.element.iter():
            if isinstance(element.tag, str) and _SOURCE_CLASS.search(element.get("class") or ""):
                text = presence("".join(element.xpath(_SHOWN)))
                if text and len(text) <= _LONGEST_SOURCE:
                    found.append(re.sub(r"^.{0,6}[:：]\s*", "", text))
    return found


_SHOWN = ".//text()[not(ancestor::*[contains(translate(@style, ' ', ''), 'display:none')])]"


# --- people, keywords ----------------------------------------------------------------------------------------------


def _together(named: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The first that name somebody, and those directly below: reporters stand on one line, correspondents on the next."""
    run = takewhile(bool, dropwhile(operator.not_, named))
    return tuple(dict.fromkeys(chain.from_iterable(run)))


def marked_authors(lines: list[Line]) -> tuple[str, ...]:
    """Who stands in a header line, or in an element of one, whose class or id says that it names the author, and nothing else."""
    marked = (
        element
        for line in lines
        for element in line.element.iter()
        if isinstance(element.tag, str) and _AUTHOR_CLASS.search(f"{element.get('class', '')} {element.get('id', '')}")
    )
    return next((found for element in marked if (found := names.bare("".join(element.itertext())))), ())


_AUTHOR_CLASS = re.compile(r"(?:^|[\s_-])(?:author|auth|writer|byline)(?:$|[\s_-])", re.IGNORECASE)
_NAMES_AUTHOR = re.compile(r"(?:作者|文|记者)\s*[:：|丨｜/ ]")


def authors(  # noqa: PLR0917  # one argument for each place where a name may stand
    head: list[str], bylines: list[str], paragraphs: list[str], tail: list[str], marked: tuple[str, ...] = (), told: Iterable[str] = ()
) -> tuple[str, ...]:
    """Who wrote: the header, lines that are bylines, the dateline, the signature behind the last paragraph, who the
    header's markup calls its author (`marked`), and what notices beside the text say (`told`)."""
    evidence = chain(
        [_together(names.byline(_without_dates(text)) for text in head)],
        [_together(names.byline(text) for text in bylines)],
        (names.dateline(text) for text in paragraphs[:2]),
        (names.signature(text) for text in reversed(paragraphs[-2:])),
        (names.byline(text) for text in tail),
        (marked,),
        (names.byline(text) for text in told if _NAMES_AUTHOR.search(text)),
    )
    return next((found for found in evidence if found), ())


def declared_authors(said: Declared) -> tuple[str, ...]:
    """Who wrote by JSON-LD or meta: for languages whose sites name authors there (Chinese sites name the editor)."""
    listed = said.article.get("author")
    found = [name for item in (listed if isinstance(listed, list) else [listed]) for name in _names_in(item)]
    if not found:
        found = names.listed(said.first(_AUTHOR_META) or _labelled_author(said) or "")
    if not found and (creator := said.meta.get("dc.creator")):
        found = names.listed(_LAST_FIRST.sub(r"\2 \1", creator))
    found = [name for name in found if len(name) <= _LONGEST_NAME and "://" not in name and name[0] != "@"]
    return tuple(dict.fromkeys([name for name in found if not names.is_nobody(name)] or found))


_AUTHOR_META = (
    *("author", "article:author", "article:author_name", "parsely-author", "sailthru.author", "citation_author", "dcterms.creator", "byl"),
)
_LAST_FIRST = re.compile(r"^([\w'’-]+(?: [\w'’-]+)?), ([\w'’.-]+(?: [\w'’.-]+)?)$")
"""how Dublin Core's catalogues name one person"""
_LONGEST_NAME = 60


def _names_in(item: object) -> list[str]:
    """The names of one author of JSON-LD: an object with one name or several, or a text."""
    name = item.get("name") if isinstance(item, dict) else item
    return [one for text in (name if isinstance(name, list) else [name]) if isinstance(text, str) for one in names.listed(unescape(text))]


def _labelled_author(said: Declared) -> str | None:
    """Twitter cards name the author as a value with a label of its own."""
    labels = (said.meta.get(f"twitter:label{number}") for number in (1, 2))
    return next((said.meta.get(f"twitter:data{n}") for n, label in enumerate(labels, 1) if label and _WROTE.search(label)), None)


_WROTE = re.compile(r"written by|verfasst von|écrit par|escrito por|автор|yazan", re.IGNORECASE)


def printed_authors(head: list[str], bylines: list[str], marked: tuple[str, ...]) -> tuple[str, ...]:
    """Who wrote by what is printed above the text: a byline, or a name whose element says that it is the author's."""
    lines = (part.strip() for text in (*bylines, *head) for part in _BESIDE_NAMES.split(_without_dates(text)))
    evidence = chain((tuple(names.spaced_byline(text)) for text in lines), [marked])
    return next((found for found in evidence if found), ())


_BESIDE_NAMES = re.compile(
    r"\s{2,}|[|·•]|\b(?=(?:Published|Updated|Posted|Last|Print|E-?mail|Share|Follow|Comments?|Publié|Photos?|Source)\b)"
)


def marked_names(lines: list[Line]) -> tuple[str, ...]:
    """`marked_authors` for names with spaces."""
    found = [
        text
        for line in lines
        for element in line.element.iter("a", "span", "div", "address")
        if element.get("rel") == "author" or element.get("itemprop") == "author" or _NAME_CLASS.search(element.get("class") or "")
        if len(element) == 0 and (text := presence(element.text)) and names.is_spaced_name(text)
    ]
    return tuple(dict.fromkeys(name for text in found for name in names.listed(text)))


_NAME_CLASS = re.compile(r"(?:^|[\s_-])(?:author|byline|author[_-]?name|byline__name)(?=\s|$)", re.IGNORECASE)


def summary(said: Declared) -> str | None:
    """What the head of the page says that the article begins with or is about."""
    return said.first(("description", "og:description", "twitter:description")) or said.text("description")


def keywords(said: Declared) -> tuple[str, ...]:
    """The page's own keywords, as a tuple without repetition."""
    parts = re.split(r"[,，;；、|_\s]+" if "," not in (said.meta.get("keywords") or ",") else r"[,，;；|]+", said.meta.get("keywords", ""))
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def section(said: Declared, breadcrumbs: list[str]) -> str | None:
    """The section by meta, else the last step of the breadcrumb that is not the article itself."""
    if declared_section := said.first(_SECTION_META):
        return declared_section
    steps = [step.strip() for crumb in breadcrumbs for step in re.split(r"[>»›]+", re.sub(r"^.{0,12}[:：]", "", crumb))]
    steps = [step for step in steps if 1 < len(step) <= 12 and step not in ("正文", "首页", "文章", "详情")]
    return steps[-1] if steps else None


def pieces(line: Line) -> list[str]:
    """The texts of a line by the inline elements that hold them: what the page sets apart without a space. Of a longer
    line that is a link only what stands beside the link: dates of related articles are linked with them."""
    if len(line.element) == 0:
        return [line.text]
    unlinked = line.link_share > LINK_SHARE and len(line.text) > _LINKED_NAME
    texts = line.element.xpath(".//text()[not(ancestor::a)]") if unlinked else line.element.itertext()
    parts = [part for text in texts if (part := " ".join(text.replace("\u3000", "  ").split("\n")).strip())]
    own = [part for part in parts if fold(part) in fold(line.text)]
    return own or ([] if unlinked else [line.text])


def stamps(line: Line) -> list[str]:
    """The machine-readable times (HTML §4.5.14) in a line that is not called an update."""
    times = line.element.iter("time")
    return [stamp for time in times if (stamp := time.get("datetime")) and not _UPDATE_CLASS.search(time.get("class") or "")]


_UPDATE_CLASS = re.compile(r"updated|modified", re.IGNORECASE)
_LINKED_NAME = 24
"""characters: a link this short in the header is the source's name, or a button"""


def is_breadcrumb(line: Line) -> bool:
    return furniture.kind(line.text) is Kind.BREADCRUMB or (
        line.link_share > 0.5 and bool(re.search(r"[>»›]", line.text)) and line.element.tag not in HEADINGS
    )


def layout_source(raw: str | None, told: list[tuple[Kind, str]]) -> str | None:
    """The source by a layout's selectors. A selector may give the whole header line, fields set apart by two spaces; a line
    of its own inside the body (来源：X, shorter than 25 characters) is the true source of a reprint (DOSSIER §3)."""
    inside = next((name for kind, text in told if kind is Kind.HEADER and len(text) < 25 and (name := _labelled([[text]]))), None)
    if inside:
        return inside
    if not raw:
        return None
    labelled = _labelled([[raw]])
    if labelled:
        return labelled
    fields = [part for part in re.split(r"\s{2,}|[|丨]", _without_dates(raw)) if part.strip()]
    names_ = [name for part in fields if not re.match(r"\s*(?:作者|编辑|责任编辑|发布时间)", part) and (name := _clean_source(part))]
    return names_[0] if names_ else None
