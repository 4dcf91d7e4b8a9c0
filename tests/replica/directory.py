"""Which resource stands at which URL on a day: articles, lists, topics, mirrors, robots, errors.

Rule of this file: look-up only. A day's directory is built once and never changes; what changes per request is the tick
that a resource's `make` gets.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from tests.replica import calendar, days, english_pages, lists, pages, stories
from tests.replica.founder import founder
from tests.replica.furniture import TOPICS
from tests.replica.resource import BARE_HTML, HTML, Resource, tag
from tests.replica.traditional import to_traditional
from tests.replica.truth import TrueArticle

TECH, APP, NEWS, ENGLISH = "tech.china.com.cn", "app.tech.china.com.cn", "news.china.com.cn", "www.china.org.cn"
GXFIN, MOBILE, BIG5, MAIN, FINANCE = "app-tech.gxfin.com", "m.gxfin.com", "big5.china.com.cn", "www.china.com.cn", "finance.china.com.cn"
FAMILY = (TECH, APP, NEWS, ENGLISH, GXFIN, MOBILE, BIG5, MAIN, FINANCE)
ALIASES = {"china.org.cn": ENGLISH, "china.com.cn": MAIN}

MARKUP_C = ("roll", "sx", "digi")
STATIC = ("it", "telecom", "internet", "elec", "digi", "bc", "roll", "sx", "internet/jjds")
COLUMNS = {"互联网": ("internet", "internet/jjds"), "IT业界": ("it",), "通信": ("telecom",), "家电": ("elec",), "创业": ("entrepreneur",)}
LIVE = {"科技": None, "数码": ("digi", "elec")}
MORE = {"tech": None, "bc": ("bc",)}
MORE_DEPTH = 120
"""entries that the "more" button reaches"""
NODE = "node_7208703"

ROBOTS: Mapping[str, tuple[int, str]] = {
    APP: (200, "User-agent: *\nDisallow: /admin/\nDisallow: /search/\n"),
    NEWS: (200, "# news\nUser-agent: *\nDisallow: /preview/\nAllow: /\n"),
    ENGLISH: (200, "User-agent: *\nDisallow: /e-news/temp/\n\nUser-agent: BadBot\nDisallow: /\n"),
    MAIN: (200, "User-agent: *\nAllow: /\n"),
}
"""the hosts that have a robots.txt; the others answer 404"""

Key = tuple[str, str]
"""host, path"""


class Directory:
    """The site family on one day."""

    def __init__(self, day: int) -> None:
        self.day = day
        self.articles = days.articles(day)
        self.tech = _on(self.articles, TECH)
        self.news = _on(self.articles, NEWS)
        self.rolling = [true for true in self.articles if true.host in (TECH, FINANCE)]
        self.good = [true for true in self.tech if true.good]
        self._fixed: dict[Key, Resource] = {
            **self._article_pages(),
            **self._channels(),
            **self._nodes(),
            **self._topics(),
            **english_pages.pages(self.articles, calendar.DAY0),
            **self._odds(),
        }

    def find(self, url: str) -> Resource | None:
        """The resource at an absolute URL, http or https; None where nothing is."""
        parts = urlsplit(url)
        host = ALIASES.get(parts.hostname or "", parts.hostname or "")
        path = parts.path or "/"
        if path == "/robots.txt":
            return _robots(host)
        if host == BIG5:
            return self._big5(path)
        if host in (APP, GXFIN):
            return self._app(host, path, parse_qs(parts.query, keep_blank_values=True))
        return self._fixed.get((host, path))

    def _article_pages(self) -> dict[Key, Resource]:
        found: dict[Key, Resource] = {}
        for true in self.articles:
            if true.site != stories.SITE:
                continue
            for part, url in enumerate((true.url, *true.parts), 1):
                found[_key(url)] = not_found() if true.withdrawn else _ODD.get(true.variant, article_page)(self, true, part)
            for url in stories.mobile(true):
                found[_key(url)] = Resource(kind="copy", make=functools.partial(_mobile, true))
        return found

    def others(self) -> Sequence[TrueArticle]:
        return self.good[:160]

    def _channels(self) -> dict[Key, Resource]:
        found = {(TECH, "/"): Resource(kind="index", make=self._index)}
        found[TECH, "/index.shtml"] = found[TECH, "/"]
        for folder in STATIC:
            entries = _listed(self.tech, (folder,))
            render = lists.channel_c if folder in MARKUP_C else lists.channel_b
            for page in range(1, lists.pages(len(entries), lists.PER_CHANNEL_PAGE) + 1):
                resource = self.listing("channel", render(entries, page, folder))
                name = "index.shtml" if page == 1 else f"index_{page}.shtml"
                found[TECH, f"/{folder}/{name}"] = resource
                if page == 1:
                    found[TECH, f"/{folder}/"] = resource
        address = lists.app_address("live.php", "channel", "科技")
        found[TECH, "/live.shtml"] = self.listing("list", lists.app(_listed(self.rolling, None), 1, address, "科技滚动新闻"))
        return found

    def _index(self, tick: int) -> bytes:
        fresh = [true for true in _listed(self.tech, None) if true.good]
        return lists.index(fresh, self.good, tick).encode()

    def listing(self, kind: str, html: str, content_type: str = HTML) -> Resource:
        body = html.encode()
        return Resource(kind=kind, make=lambda _: body, etag=tag(body), modified=self._changed(), content_type=content_type)

    def _changed(self) -> datetime:
        """When lists last changed: on day 2 nothing does."""
        return calendar.moment(1 if self.day == 2 else self.day)

    def _nodes(self) -> dict[Key, Resource]:
        entries = [true for true in self.news if true.listed]
        found: dict[Key, Resource] = {}
        for page in range(1, lists.pages(len(entries), lists.PER_NODE_PAGE) + 1):
            name = f"/{NODE}.htm" if page == 1 else f"/{NODE}_{page}.htm"
            found[NEWS, name] = replace(self.listing("node", lists.node(entries, page, NODE)), modified=calendar.DAY0)
        return found

    def _topics(self) -> dict[Key, Resource]:
        return {
            (TECH, f"/news/special/{folder}/"): self.listing("topic", lists.topic(name, self.good[place :: len(TOPICS)][:16]))
            for place, (folder, name) in enumerate(TOPICS)
        }

    def _odds(self) -> dict[Key, Resource]:
        frame = "".join(f'<a href="{true.url}">{true.title}</a><br>' for true in self.news[:5])
        return {
            (MAIN, "/node_7241142.htm"): self.listing("frame", f"<html><body>{frame}</body></html>"),
            (MAIN, "/"): self.listing("index", '<html><body><a href="http://tech.china.com.cn/">科技</a></body></html>'),
        }

    def _big5(self, path: str) -> Resource | None:
        """The gate: the whole page in traditional script, whatever host the path names."""
        match = re.fullmatch(r"/gate/big5/([^/]+)(/.*)", path)
        inner = self.find(f"http://{match[1]}{match[2]}") if match and match[1] != BIG5 else None
        if inner is None or inner.status != 200:
            return inner
        return Resource(kind="copy", make=lambda tick: to_traditional(inner.make(tick).decode(_charset(inner), "replace")).encode())

    def _app(self, host: str, path: str, query: dict[str, list[str]]) -> Resource | None:
        page = _number(query.get("p", query.get("page", ["1"]))[0])
        if path == "/news/more_news.php":
            return self._more(query, page, host)
        lookup = _APP_LISTS.get(path) if host == APP else None
        if lookup is None:
            return None
        parameter, choose = lookup
        value = query.get(parameter, [""])[0]
        entries = choose(self, value)
        if entries is None:
            return None
        script = path.rsplit("/", 1)[1]
        return self.listing("list", lists.app(entries, page, lists.app_address(script, parameter, value), f"{value}滚动新闻"))

    def _more(self, query: dict[str, list[str]], page: int, host: str) -> Resource | None:
        name = query.get("cnl", [""])[0]
        if name not in MORE or page < 1:
            return None
        callback = next(iter(query.get("callback", ())), None)
        text = lists.more(_listed(self.tech, MORE[name])[:MORE_DEPTH], page, callback)
        return self.listing("jsonp", text, HTML if host == APP else "application/javascript; charset=utf-8")


@functools.cache
def directory(day: int) -> Directory:
    return Directory(day)


def _on(articles: Sequence[TrueArticle], host: str) -> list[TrueArticle]:
    return [true for true in articles if true.host == host]


def _listed(entries: Sequence[TrueArticle], sections: tuple[str, ...] | None) -> list[TrueArticle]:
    return [true for true in entries if true.listed and (sections is None or true.section in sections)]


def _live(day: Directory, channel: str) -> list[TrueArticle] | None:
    return _listed(day.rolling, LIVE[channel]) if channel in LIVE else None


def _column(day: Directory, name: str) -> list[TrueArticle] | None:
    return _listed(day.tech, COLUMNS[name]) if name in COLUMNS else None


def _mine(day: Directory, name: str) -> list[TrueArticle] | None:
    return [true for true in _listed(day.tech, None) if true.source == stories.OWN] if name == "科技" else None


_APP_LISTS: Mapping[str, tuple[str, Callable[[Directory, str], list[TrueArticle] | None]]] = {
    "/news/live.php": ("channel", _live),
    "/news/column.php": ("cname", _column),
    "/news/my.php": ("cname", _mine),
}


def _key(url: str) -> Key:
    parts = urlsplit(url)
    return parts.hostname or "", parts.path


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 1


def _robots(host: str) -> Resource | None:
    if host not in ROBOTS:
        return None
    status, text = ROBOTS[host]
    return Resource(kind="robots", make=lambda _: text.encode(), status=status, content_type="text/plain")


def _charset(resource: Resource) -> str:
    return "gb18030" if resource.content_type == BARE_HTML else "utf-8"


def _mobile(true: TrueArticle, tick: int) -> bytes:
    return pages.mobile(true).encode()


def article_page(day: Directory, true: TrueArticle, part: int) -> Resource:
    """Side blocks differ at every request while the tag stays: it is weak, and speaks of the article alone."""
    render = pages.TEMPLATES.get(true.template, founder)
    charset = "gb18030" if true.template == "T1" else "utf-8"

    def make(tick: int) -> bytes:
        body = render(true, part, tick, day.others()).encode(charset)
        return _break(body) if true.variant == "broken-byte" else body

    return Resource(
        kind="article",
        make=make,
        etag="W/" + tag(true.title, true.text, str(part), str(true.revision)),
        modified=true.updated,
        content_type=BARE_HTML if true.template == "T1" else HTML,
    )


def _break(body: bytes) -> bytes:
    """One byte that is in no charset of the family, between two characters of the second paragraph."""
    place = body.index("<p>　　".encode("gb18030"), body.index(b'id="content"') + 40)
    return body[: place + 11] + b"\xff" + body[place + 11 :]


def redirect(location: str) -> Resource:
    return _error("redirect", "", 301, location)


def _error(kind: str, body: str, status: int = 200, location: str | None = None) -> Resource:
    return Resource(kind=kind, make=lambda _: body.encode(), status=status, location=location)


def not_found() -> Resource:
    return _error(
        "not found", "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center></body></html>", 404
    )


def _stub(entries: Sequence[TrueArticle]) -> str:
    """Several links, nested as on the real one (dossier §3)."""
    links = "".join(f'<a href="{true.url}">{true.title}<a></a></a><br>' for true in entries)
    return f"<html><body>{links}</body></html>"


def soft_404() -> Resource:
    sentence = "您访问的页面不存在或已删除，5秒后返回首页。"
    top = "<html><head><title>中国网</title></head>"
    return _error("soft 404", f'{top}<body><div class="err"><h1>页面不存在</h1><p>{sentence}</p></div></body></html>')


_ODD: Mapping[str, Callable[[Directory, TrueArticle, int], Resource]] = {
    "not-found": lambda *_: not_found(),
    "soft-404": lambda *_: soft_404(),
    "home": lambda *_: _error("redirect", "", 302, "http://tech.china.com.cn/"),
    "forbidden": lambda *_: _error("forbidden", "<html><body><h1>403</h1><p>您没有权限访问此页面。</p></body></html>", 403),
    "empty": lambda *_: _error("empty", ""),
    "links": lambda day, true, _: day.listing("topic", lists.topic(true.title, day.good[3::7][:24])),
    "stub": lambda day, *_: day.listing("stub", _stub(day.news[:9])),
    "moved": lambda day, true, part: redirect(true.moved_to) if true.moved_to else article_page(day, true, part),
}
