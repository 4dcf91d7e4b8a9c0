"""The pages of each day: the planned articles, what is no article, copies of a story, and what moves from day to day.

Rule of this file: `articles(day)` is the whole truth of a day; everything else asks it. The changes of a day (contract):
day 1 brings 5 new, 2 revised, 1 moved, 1 withdrawn; day 2 nothing; day 3 brings 12 new, among them a reprint with another
lead and a copy in traditional script.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from pipelines.model import Reason
from tests.replica import calendar, prose, stories, words
from tests.replica.chance import Chance
from tests.replica.english import english
from tests.replica.stories import Plan, Slot
from tests.replica.traditional import to_traditional
from tests.replica.truth import BEIJING, TrueArticle

REVISED, MOVED, WITHDRAWN = (2, 5), 8, 11
"""places of the changed articles among the plain T3 ones, newest first"""
NEW = {1: 5, 3: 10}
SECOND_IDS = 4
OFF_HOST = "http://finance.china.com.cn/stock/ssgs/20260830/6318102.shtml"
STUB = f"{stories.NEWS}/txt/2016-06/24/content_38736414.htm"


@functools.cache
def articles(day: int) -> tuple[TrueArticle, ...]:
    """Every page of a day that is, or looks like, an article: both sites, newest first."""
    return tuple(sorted(_first() if day == 0 else _later(day), key=_order, reverse=True))


def _first() -> Iterator[TrueArticle]:
    yield from (*stories.base(), *_second_ids(), *_no_articles(), *english())


def _later(day: int) -> Iterator[TrueArticle]:
    yield from (*_changed(day), *_arrived(day))


def _order(true: TrueArticle) -> tuple[datetime, str]:
    assert true.published
    return true.published, true.url


def _changed(day: int) -> Iterator[TrueArticle]:
    """Yesterday's pages as they are today."""
    for true in articles(day - 1):
        change = _changes().get(true.url) if day == 1 else None
        yield from change or (true,)


@functools.cache
def _changes() -> dict[str, tuple[TrueArticle, ...]]:
    plain = [true for true in articles(0) if true.template == "T3" and true.variant == "normal"]
    moved, withdrawn = plain[MOVED], plain[WITHDRAWN]
    return {
        **{plain[place].url: (_revised(plain[place]),) for place in REVISED},
        moved.url: _move(moved),
        withdrawn.url: (replace(withdrawn, good=False, reason=Reason.GONE, withdrawn=True, listed=False, updated=calendar.moment(1)),),
    }


def _revised(true: TrueArticle) -> TrueArticle:
    """The same URL with a corrected paragraph and a further one."""
    chance = Chance("revised", true.url)
    added = prose.further(f"revised {true.url}", _trade(true), calendar.moment(1), 3)
    kept = list(true.paragraphs)
    kept[chance.between(1, len(kept) - 1)] = added[0]
    updated = calendar.moment(1) - timedelta(minutes=chance.between(10, 90))
    return replace(true, paragraphs=(*kept, *added[1:]), revision=2, updated=updated, variant="revised")


def _trade(true: TrueArticle) -> words.Trade:
    return next(trade for trade in words.TRADES if trade.name == true.keywords[0])


def _move(true: TrueArticle) -> tuple[TrueArticle, TrueArticle]:
    """The same id under another channel; the old URL answers 301."""
    section = "hydt"
    url = true.url.replace(f"/{true.section}/", f"/{section}/")
    old = replace(true, good=False, reason=Reason.REDIRECT, moved_to=url, listed=False, variant="moved", updated=calendar.moment(1))
    new = replace(true, url=url, section=section, variant="moved")
    return old, replace(new, copies=(true.url, *stories.copies(new)))


def _arrived(day: int) -> Iterator[TrueArticle]:
    count = NEW.get(day, 0)
    plan = Plan(template="T3", variant="normal", count=count, newest="", oldest="")
    last = max(true.number for true in articles(day - 1) if true.host == "tech.china.com.cn")
    times = [calendar.moment(day) - timedelta(minutes=30 * (count - index) + 7 * index % 11) for index in range(count)]
    for index, published in enumerate(times):
        slot = Slot(plan=plan, index=day * 1_000 + index, published=published)
        yield stories.article(slot, last + 1 + index)
    if day == 3:
        yield from _copied(last + 1 + count)


def _copied(number: int) -> Iterator[TrueArticle]:
    """A reprint whose lead was written anew, and a copy in traditional script, of older articles of ours."""
    plain = [true for true in articles(2) if true.variant == "normal" and true.template == "T3" and len(true.text) > 900]
    when = calendar.moment(3) - timedelta(minutes=4)
    lead = prose.further(f"reprint {plain[30].url}", _trade(plain[30]), when, 1)
    reprint = replace(plain[30], paragraphs=(*lead, *plain[30].paragraphs[1:]), source=words.PAPERS[0], editors=(words.EDITORS[0],))
    traditional = replace(
        plain[45],
        title=to_traditional(plain[45].title),
        paragraphs=tuple(map(to_traditional, plain[45].paragraphs)),
        captions=tuple((to_traditional(text), image) for text, image in plain[45].captions),
        source=to_traditional(plain[45].source or ""),
        authors=tuple(map(to_traditional, plain[45].authors)),
        image_notice=None,
    )
    for offset, (variant, copied, original) in enumerate((("reprint", reprint, plain[30]), ("traditional", traditional, plain[45]))):
        yield again(copied, original.url, variant, number + offset, when + timedelta(minutes=offset))


def again(true: TrueArticle, original: str, variant: str, number: int, when: datetime) -> TrueArticle:
    """The same story under /roll/ with another id."""
    url = f"{stories.TECH}/roll/{when:%Y%m%d}/{number}.shtml"
    copy = replace(true, url=url, section="roll", variant=variant, published=when, updated=when, duplicate_of=original)
    return replace(copy, copies=stories.copies(copy))


def _second_ids() -> Iterator[TrueArticle]:
    """Dossier §8.5 (x): the body of an article under roll/ with an id of its own, some minutes later."""
    plain = [true for true in stories.base() if true.variant == "normal" and true.template == "T3" and true.section != "roll"]
    for true in plain[10 :: len(plain) // SECOND_IDS][:SECOND_IDS]:
        assert true.published
        yield again(true, true.url, "second-id", true.number + 1, true.published + timedelta(minutes=9))


@functools.cache
def _no_articles() -> tuple[TrueArticle, ...]:
    """Pages that are linked like articles (dossier §8.12), each published in the days before day 0; two of them lie outside
    the scope of the seeds, by host and by folder. The flash of one sentence is an article all the same."""
    table: tuple[tuple[str, str, Reason | None, str], ...] = (
        ("not-found", "error", Reason.GONE, "找不到页面的报道"),
        ("soft-404", "error", Reason.SOFT_404, "被撤下的一篇通稿"),
        ("home", "error", Reason.REDIRECT, "转到首页的旧闻"),
        ("forbidden", "error", Reason.HTTP_ERROR, "仅限内网浏览的简报"),
        ("empty", "error", Reason.EMPTY, "还没有写完的消息"),
        ("video", "T3", Reason.NO_TEXT, "视频：机械臂写春联"),
        ("short", "T3", None, "快讯：蓼屿通信换帅"),
        ("links", "topic", Reason.TOPIC, "一周科技要闻汇总"),
        ("off-host", "T3", Reason.OUT_OF_SCOPE, "芷川能源上半年营收报告出炉"),
        ("stub", "stub", Reason.OUT_OF_SCOPE, "往期文字版"),
    )
    return tuple(_no_article(index, *row) for index, row in enumerate(table))


def _no_article(index: int, variant: str, template: str, reason: Reason | None, title: str) -> TrueArticle:
    published = datetime(2026, 8, 22, 12, 0, tzinfo=BEIJING) + timedelta(days=index, minutes=13 * index)
    number = calendar.identifier(calendar.TECH, published) + 3
    texts = {
        "short": "蓼屿通信8月28日公告，总经理苇舟长因任期届满离任，由副总经理陶清越接任。",
        "off-host": "芷川能源8月30日披露上半年营收报告，收入与去年同期持平，利润略有下降，公司把原因归于原料涨价。",
    }
    return TrueArticle(
        url={"off-host": OFF_HOST, "stub": STUB}.get(variant, f"{stories.TECH}/roll/{published:%Y%m%d}/{number}.shtml"),
        site=stories.SITE,
        template=template,
        variant=variant,
        good=reason is None,
        reason=reason,
        title=title,
        paragraphs=tuple(texts[variant] for _ in range(variant in texts)),
        published=published,
        precision=stories.precision("T3"),
        source=stories.OWN,
        section="roll",
        editors=(words.EDITORS[1],),
        updated=published,
    )
