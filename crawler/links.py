"""What the links of one page are judged by, each href on its own: a malformed one costs no other. Pure.

    href -> absolute (WHATWG) -> canonical (mirrors mapped back) -> an article rule matches, in scope, plausible -> Link
                               -> a follow rule matches, in scope, plausible, another list                       -> Link
                               -> neither: counted, and shown where a page has no article                        -> Untaken

An href is judged before anything is built for it (FIELD §1: LinkExtractor costs 5 ms a page, 80 requests for known links
8 ms more). How a page is taken apart stands in crawler/discovery.py (HTML, JSON) and crawler/feeds.py (XML, CDX).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import nsmallest
from itertools import islice

from pipelines.extract.decode import decode
from pipelines.model import Hints, Kind, Link
from pipelines.site import Site
from pipelines.urls import absolute, canonical, in_scope, normal, request_url

MAX_URL = 2_000
"""characters; 15 of 18,717 hrefs on 123 real news pages are longer, all of them advertisements"""
MAX_PARAMETERS = 8
"""left in a canonical URL; 129 of the same hrefs have more, by tracking parameters that `identity.drop_query` names"""
MAX_SEGMENTS = 16
"""of a path; one of the same hrefs has 17"""
MAX_REPEATS = 2
"""of one path segment: /a/b/a/b/a/ is a link that was joined to itself. None of the same hrefs has more."""
MAX_OF_SHAPE = 50
"""lists of one shape that are followed in one run (HAZARDS: at most 50 a trap)"""
MAX_HREFS = 20_000
"""looked at on one page: 8 MiB can hold 400,000 (HAZARDS, many_links), of which this bound makes 2 s"""

EXAMPLES = 2
"""of links that no rule takes"""
ENOUGH_DIGITS = 14
"""of a date and a number; advertisements have more"""

OTHER_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"_\d{1,3}(?=\.\w+(?:\?|$))|(?<=[?&]p=)\d+|(?<=[?&]page=)\d+")
_INDEX_NAME = re.compile(r"/index\.\w+$")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Untaken:
    """The links of a page that has no article: how many lead to hosts of the site and to others, and canonical URLs of each
    that look most like articles'."""

    links: int = 0
    examples: tuple[str, ...] = ()
    foreign: int = 0
    foreign_examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one page points to: `links` in its order, each once. `next_url` is the list's following page. `bad_hrefs`
    are no URLs, `out_of_scope` lead to hosts that the seeds do not name. `is_expected_kind` is False where, say, a feed's
    URL answered HTML: then there are no links. `entries` counts what the page lists, whatever is made of it."""

    links: tuple[Link, ...] = ()
    next_url: str | None = None
    bad_hrefs: int = 0
    out_of_scope: int = 0
    is_expected_kind: bool = True
    entries: int = 0
    skipped: tuple[tuple[str, int], ...] = ()
    """of an index of captures: how many of its lines are not asked for, by reason"""
    untaken: Untaken | None = None
    """None where an article was found, or so many lists that the rest was not looked at"""

    @property
    def articles(self) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.kind is Kind.ARTICLE)


UNEXPECTED = Found(is_expected_kind=False)


def plausible(url: str) -> bool:
    """Whether a URL looks made for readers and not grown by a trap: a path that repeats itself, or a query without end."""
    path, _, query = url.partition("?")
    segments = path.split("/")[3:]
    return (
        len(url) <= MAX_URL
        and query.count("&") < MAX_PARAMETERS
        and len(segments) <= MAX_SEGMENTS
        and max(Counter(filter(None, segments)).values(), default=0) <= MAX_REPEATS
    )


def shape(url: str) -> str:
    """The URL with each number as 0: calendars and endless lists have one shape, and a budget can be kept by it."""
    return re.sub(r"\d+", "0", url)


def within_budget(links: Iterable[Link], spent: Mapping[str, int]) -> tuple[tuple[Link, ...], dict[str, int]]:
    """The links without the lists and sitemaps of a shape that MAX_OF_SHAPE have come of already, and what is spent then.
    Articles are not counted: all of a site's have one shape."""
    counts, kept = dict(spent), []
    for link in links:
        if link.kind is not Kind.ARTICLE:
            form = shape(link.url)
            counts[form] = counts.get(form, 0) + 1
            if counts[form] > MAX_OF_SHAPE:
                continue
        kept.append(link)
    return tuple(kept), counts


def series(url: str) -> str:
    """The list that a page of it belongs to: without page number and index name."""
    return _INDEX_NAME.sub("/", _PAGE_NUMBER.sub("", url))


def most_like_articles(urls: Iterable[str]) -> tuple[str, ...]:
    """Some of the URLs: those with most digits, as dates and numbers have, and of these the shortest."""
    return tuple(nsmallest(EXAMPLES, urls, key=lambda url: (-min(len(_DIGIT.findall(url)), ENOUGH_DIGITS), len(url))))


class Text:
    """A body, decoded when a reader asks for its characters."""

    def __init__(self, body: bytes, content_type: str | None) -> None:
        self.body, self.content_type = body, content_type

    def decoded(self, body: bytes | None = None) -> str:
        return decode(self.body if body is None else body, self.content_type).text


class Basket:
    """Gathers the links of one page, each href on its own."""

    def __init__(self, url: str, site: Site) -> None:
        self.url, self.base, self.site = url, url, site
        self.links: dict[str, Link] = {}
        self.bad = self.foreign = 0
        self.judged: dict[str, Link | None] = {}
        self.untaken: dict[str, None] = {}
        self.abroad: dict[str, None] = {}

    def full(self) -> bool:
        return len(self.links) >= self.site.discover.max_links or len(self.judged) >= MAX_HREFS

    def offer(self, href: str, hints: Callable[[], Hints]) -> None:
        """Judge one href; `hints` is only asked where the link is kept."""
        href = href.strip()
        if href not in self.judged:
            self.judged[href] = self._judge(href)
        if (link := self.judged[href]) is not None:
            self._keep(link, hints())

    def article(self, href: str) -> str | None:
        """The canonical URL of the article that a URL leads to; None where it leads to none of this site."""
        href = href.strip()
        if href not in self.judged:
            self.judged[href] = self._judge(href)
        link = self.judged[href]
        return link.url if link is not None and link.kind is Kind.ARTICLE else None

    def follow(self, href: str, kind: Kind, hints: Hints) -> None:
        """Take a link for what the page says it is, where it is in scope."""
        url = self._absolute(href)
        if url is None:
            return
        if not in_scope(url, self.site):
            self.foreign += 1
        elif plausible(url) and request_url(url) != request_url(self.url):
            self._keep(Link(url=request_url(url), kind=kind), hints)

    def found(self, entries: int, next_url: str | None = None) -> Found:
        links, untaken = tuple(self.links.values()), None
        if len(links) < self.site.discover.max_links and not any(link.kind is Kind.ARTICLE for link in links):
            examples, others = most_like_articles(self.untaken), most_like_articles(self.abroad)
            untaken = Untaken(links=len(self.untaken), examples=examples, foreign=len(self.abroad), foreign_examples=others)
        return Found(links=links, next_url=next_url, bad_hrefs=self.bad, out_of_scope=self.foreign, entries=entries, untaken=untaken)

    def _judge(self, href: str) -> Link | None:
        url = self._absolute(href)
        if url is None:
            return None
        where = canonical(url, self.site).url
        if self.site.article_match(where) and plausible(where) and in_scope(where, self.site):
            return Link(url=where, kind=Kind.ARTICLE)
        if not self._is_inside(url):
            self._pass_by(where, inside=self._is_inside(where))
            return None
        wanted = normal(url, self.site)
        if self._is_other_list(wanted):
            return Link(url=wanted, kind=Kind.LISTING)
        self._pass_by(where, inside=True)
        return None

    def _pass_by(self, where: str, *, inside: bool) -> None:
        self.foreign += not inside
        (self.untaken if inside else self.abroad)[where] = None

    def _is_inside(self, url: str) -> bool:
        """`in_scope` for a URL that is serialised already, at a tenth of its cost."""
        return url.partition("://")[2].partition("/")[0] in self.site.hosts

    def _absolute(self, href: str) -> str | None:
        if not href or href.startswith("#") or OTHER_SCHEME.match(href):
            return None
        url = absolute(self.base, href) if len(href) <= MAX_URL else None
        self.bad += url is None
        return url

    def _is_other_list(self, url: str) -> bool:
        """By a follow rule. The pages of this list and of the start lists are left to their own paging: a link to the
        last page would lead round the rule that ends a list."""
        rules = self.site.discover
        return (
            any(rule.search(url) for rule in rules.follow)
            and not any(rule.search(url) for rule in rules.deny)
            and plausible(url)
            and in_scope(url, self.site)
            and series(url) not in self._lists_at_hand
        )

    @cached_property
    def _lists_at_hand(self) -> set[str]:
        starts = (url.replace("{page}", "1") for url in self.site.discover.listings)
        return {series(normal(url, self.site)) for url in (self.url, *starts)}

    def _keep(self, link: Link, hints: Hints) -> None:
        known = self.links.get(link.url)
        if known is None:
            self.links[link.url] = replace(link, hints=hints)
        elif known.hints != hints:  # a picture links first, the headline after it
            self.links[link.url] = replace(known, hints=_filled(known.hints, hints))


def _filled(first: Hints, second: Hints) -> Hints:
    return Hints(
        via=first.via,
        title=first.title or second.title,
        published=first.published or second.published,
        section=first.section or second.section,
    )


def offered(urls: Iterable[str], basket: Basket) -> Found:
    urls = list(islice(urls, MAX_HREFS))
    for url in urls:
        if basket.full():
            break
        basket.offer(url, lambda: Hints(via=basket.url))
    return basket.found(len(urls))


def clipped(texts: Iterator[str], longest: int) -> str:
    pieces: list[str] = []
    length = 0
    for text in texts:
        pieces.append(text[:longest])
        length += len(text)
        if length >= longest:
            break
    return " ".join("".join(pieces).split())[:longest]
