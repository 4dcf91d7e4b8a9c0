"""What other archives have of the family: old answers of its hosts, each as it was sent on a day long ago.

Rule of this file: which captures there are, and what each shows. How an archive names and serves them is in common_crawl.py
and wayback.py. Days are in UTC, as archives count; a capture never comes before its article.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from tests.replica import calendar, days, directory, stories
from tests.replica.resource import Resource, answer
from tests.replica.stories import Plan, Slot
from tests.replica.truth import BEIJING, TrueArticle

WAYBACK = "wayback"
OLD_CRAWL, NEW_CRAWL = "CC-MAIN-2019-35", "CC-MAIN-2024-10"
CRAWLS = (OLD_CRAWL, NEW_CRAWL)
"""of Common Crawl"""
CUT_AT = 3_000
"""bytes of the payload that is cut off; its article begins further down"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One answer that an archive has. `headers` and `body` are the site's; `true` is the article that it shows, None where
    it shows none."""

    archive: str
    url: str
    at: datetime
    headers: Mapping[str, str]
    body: bytes
    status: int = 200
    truncated: bool = False
    true: TrueArticle | None = None
    part: int = 1

    @property
    def stamp(self) -> str:
        return f"{self.at:%Y%m%d%H%M%S}"

    @property
    def digest(self) -> str:
        """SHA-1 of the payload as the archive has it, in base32."""
        return base64.b32encode(hashlib.sha1(self.body, usedforsecurity=False).digest()).decode()

    @property
    def mime(self) -> str:
        return self.headers.get("Content-Type", "unk").partition(";")[0]

    @property
    def key(self) -> str:
        return key(self.url)


def key(url: str) -> str:
    """A URL as indexes sort it: its host from behind, then its path."""
    parts = urlsplit(url)
    host = ",".join(reversed((parts.hostname or "").removeprefix("www.").split(".")))
    return f"{host}){parts.path or '/'}{'?' + parts.query if parts.query else ''}".lower()


@functools.cache
def held(archive: str) -> tuple[Held, ...]:
    """All that an archive has, in the order of its index."""
    return tuple(sorted((one for one in _all() if one.archive == archive), key=lambda one: (one.key, one.stamp)))


def asked_for(archive: str, url: str, match_type: str | None) -> tuple[Held, ...]:
    """Those that a question is about. The star of `url` says what `matchType` else has to."""
    if url.startswith("*."):
        url, match_type = url[2:].removesuffix("/*"), "domain"
    elif url.endswith("*"):
        url, match_type = url[:-1], "prefix"
    wanted = key(url if "://" in url else f"http://{url}")
    tests: dict[str, Callable[[str], bool]] = {
        "domain": lambda one: one.startswith((f"{wanted[:-2]},", f"{wanted[:-2]})")),
        "host": lambda one: one.startswith(f"{wanted[:-2]})"),
        "prefix": lambda one: one.startswith(wanted),
    }
    test = tests.get(match_type or "", wanted.__eq__)
    return tuple(one for one in held(archive) if test(one.key))


# ── articles that the site has no more ───────────────────────────────────────────────────────────────────────────────

_Lost = tuple[str, str, str, str]
"""template, when it was published, where it is held, when it was captured"""
LOST: tuple[_Lost, ...] = (
    ("T1", "2012-05-14 09:20:31", WAYBACK, "2013-02-03 04:05:06"),
    ("T1", "2013-06-18 16:02:11", OLD_CRAWL, "2019-08-18 01:12:09"),
    ("T2", "2016-01-04 10:31:40", WAYBACK, "2016-04-09 22:10:05"),
    ("T2", "2016-03-02 08:15:00", OLD_CRAWL, "2019-08-19 11:40:51"),
    ("T3", "2018-11-06 14:05:00", OLD_CRAWL, "2019-08-20 06:30:02"),
    ("T3", "2019-05-20 07:44:00", OLD_CRAWL, "2019-08-21 19:02:44"),
    ("founder-a", "2019-04-11 12:10:09", OLD_CRAWL, "2019-08-22 03:03:03"),
    ("T3", "2021-06-30 18:20:00", WAYBACK, "2022-01-15 13:00:59"),
    ("founder-b", "2022-09-21 09:09:09", WAYBACK, "2023-05-05 05:05:05"),
    ("T3", "2023-10-09 11:11:00", NEW_CRAWL, "2024-02-21 08:08:08"),
    ("T3", "2024-01-15 20:51:00", NEW_CRAWL, "2024-02-23 17:17:17"),
)
IN_PARTS: _Lost = ("founder-a", "2019-03-07 15:30:20", OLD_CRAWL, "2019-08-23 21:00:00")
NEVER_GOOD: _Lost = ("T3", "2023-12-01 10:00:00", NEW_CRAWL, "2024-02-28 04:44:44")
"""the site answered with its page for what is gone, and with status 200"""


@functools.cache
def lost() -> tuple[TrueArticle, ...]:
    """Articles that only other archives have, in the order of LOST; the last one has two pages."""
    return (*(_story(index, row) for index, row in enumerate(LOST)), _story(len(LOST), IN_PARTS, pages=2))


def _story(index: int, row: _Lost, pages: int = 1) -> TrueArticle:
    template, printed, *_ = row
    published = datetime.fromisoformat(printed).replace(tzinfo=BEIJING)
    variant, length = ("pages", (1_800, 2_400)) if pages > 1 else ("normal", (400, 1_600))
    plan = Plan(template=template, variant=variant, count=1, newest="", oldest="", length=length, pages=pages)
    anchors = calendar.FOUNDER if template.startswith("founder") else calendar.TECH
    slot = Slot(plan=plan, index=9_000 + index, published=published)
    return replace(stories.article(slot, calendar.identifier(anchors, published) + 1), listed=False)


# ── what the site still has ──────────────────────────────────────────────────────────────────────────────────────────

FOLDER = "bc"
"""of the list that has the articles of `still_here` and `revised`"""


@functools.cache
def still_here() -> tuple[TrueArticle, ...]:
    """Two articles of the live site's list FOLDER that Common Crawl has too, with the same text."""
    return tuple(_plain(FOLDER, until="2019-08-01")[:2])


@functools.cache
def revised() -> TrueArticle:
    """One that the site corrects on day 1: the Wayback Machine has it as it was on day 0."""
    [url] = [true.url for true in days.articles(1) if true.variant == "revised" and true.section == FOLDER]
    return next(true for true in days.articles(0) if true.url == url)


@functools.cache
def only_cut() -> TrueArticle:
    """One of which Common Crawl has the first bytes alone, and which the list FOLDER does not show."""
    return _plain("telecom", until="2024-01-01")[0]


def _plain(section: str, until: str) -> list[TrueArticle]:
    before = datetime.fromisoformat(until).replace(tzinfo=BEIJING)
    found = (true for true in days.articles(0) if true.variant == "normal" and true.template == "T3" and true.section == section)
    return [true for true in found if true.published and true.published < before and true.listed]


# ── captures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _all() -> Iterator[Held]:
    yield from _of_the_lost()
    yield from _of_what_is_here()
    yield from _of_no_articles()


def _of_the_lost() -> Iterator[Held]:
    for index, (true, row) in enumerate(zip(lost(), (*LOST, IN_PARTS), strict=True)):
        for part in range(1, len(true.parts) + 2):
            yield _shown(true, row[2], _utc(row[3]) + timedelta(seconds=3 * part), part=part, zipped=index % 3 == 0)
    yield _shown(lost()[4], NEW_CRAWL, _utc("2024-02-25 09:30:30"))  # the payload that the older crawl has
    yield _shown(lost()[10], NEW_CRAWL, _utc("2024-03-01 12:21:12"))  # and one that this crawl has twice


def _of_what_is_here() -> Iterator[Held]:
    for number, true in enumerate(still_here()):
        yield _shown(true, OLD_CRAWL, _utc("2019-08-24 10:00:00") + timedelta(hours=number))
    yield _shown(revised(), WAYBACK, calendar.moment(0).astimezone(UTC) + timedelta(hours=3))
    whole = _shown(only_cut(), NEW_CRAWL, _utc("2024-02-29 23:59:58"))
    yield replace(whole, body=whole.body[:CUT_AT], truncated=True, true=None)


def _of_no_articles() -> Iterator[Held]:
    """A redirect, a 404, a soft 404, a list, a picture, and a page of a host that the seeds do not name."""
    never = _story(len(LOST) + 1, NEVER_GOOD)
    yield _said(never.url, directory.soft_404(), NEW_CRAWL, _utc(NEVER_GOOD[3]))
    yield _said(f"{stories.TECH}/it/20180101/334001.shtml", directory.redirect(f"{stories.TECH}/"), OLD_CRAWL, _utc("2019-08-25 02:00:01"))
    yield _said(f"{stories.TECH}/it/20180102/334002.shtml", directory.not_found(), OLD_CRAWL, _utc("2019-08-25 02:00:11"))
    yield _said(f"{stories.TECH}/it/20180103/334003.shtml", directory.not_found(), WAYBACK, _utc("2018-07-01 00:00:00"))
    picture = Resource(kind="image", make=lambda _: b"\x89PNG\r\n\x1a\n" + bytes(60), content_type="image/png")
    yield _said(f"{stories.TECH}/it/20180104/334004.shtml", picture, WAYBACK, _utc("2018-07-02 00:00:00"))
    day = directory.directory(0)
    foreign, a_list = day.find(days.OFF_HOST), day.find(f"{stories.TECH}/{FOLDER}/")
    assert foreign is not None
    assert a_list is not None
    yield _said(days.OFF_HOST, foreign, WAYBACK, _utc("2026-09-01 06:07:08"))
    yield _said(f"{stories.TECH}/{FOLDER}/", a_list, OLD_CRAWL, _utc("2019-08-26 00:00:00"))


def _shown(true: TrueArticle, archive: str, at: datetime, *, part: int = 1, zipped: bool = False) -> Held:
    """An article's page as it was then. Common Crawl keeps payloads without their coding, Wayback as they were sent."""
    url = (true.url, *true.parts)[part - 1]
    page = directory.article_page(directory.directory(0), true, part)
    return replace(_said(url, page, archive, at, zipped=zipped and archive == WAYBACK), true=true, part=part)


def _said(url: str, resource: Resource, archive: str, at: datetime, *, zipped: bool = False) -> Held:
    status, headers, body = answer(resource, {"accept-encoding": "gzip"} if zipped else {}, tick=1, zipped=zipped)
    assert isinstance(body, bytes)
    return Held(archive=archive, url=url, at=at, status=status, headers=headers, body=body)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
