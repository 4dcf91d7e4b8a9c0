"""Which articles exist on day 0, and what stands in each: the plan of the site, as true articles.

Rule of this file: a plan table, and one function that turns a line of it into values. No HTML. What happens later is in days.py.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipelines.model import Precision
from tests.replica import calendar, prose, words
from tests.replica.chance import Chance, digest
from tests.replica.truth import BEIJING, TrueArticle
from tests.replica.words import TRADES, Trade

SITE = "china_tech"
OWN = "中国网科技"
TECH, NEWS = "http://tech.china.com.cn", "http://news.china.com.cn"
NO_AUTHOR = ("T1", "photo", "founder-c", "founder-e", "founder-f")
NO_EDITOR = ("T1", "T2", "photo", "founder-c", "founder-f", "founder-h")
"""templates that have no place for them"""
MOBILE_SINCE = 2022
NEWS_FOLDERS = ("keji/", "", "chanye/", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`count` articles of one template and variant, published from `newest` back to `oldest`, the newer the denser."""

    template: str
    variant: str
    count: int
    newest: str
    oldest: str
    length: tuple[int, int] = (300, 2_900)
    pages: int = 1


PLAN = (
    Plan(template="T3", variant="normal", count=164, newest="2026-09-07", oldest="2016-06-20"),
    Plan(template="T3", variant="plain-source", count=24, newest="2026-09-06", oldest="2017-03-01"),
    Plan(template="T3", variant="inner-source", count=14, newest="2026-09-04", oldest="2018-01-09"),
    Plan(template="T3", variant="br", count=16, newest="2026-09-05", oldest="2016-09-01"),
    Plan(template="T3", variant="table", count=12, newest="2026-09-02", oldest="2018-05-05", length=(700, 1_800)),
    Plan(template="T3", variant="side-heavy", count=8, newest="2026-08-30", oldest="2019-02-02", length=(300, 330)),
    Plan(template="T3", variant="url-date", count=6, newest="2026-08-21", oldest="2019-10-01"),
    Plan(template="T3", variant="pages", count=3, newest="2026-08-25", oldest="2020-01-15", length=(2_200, 2_900), pages=3),
    Plan(template="T3", variant="pages-loop", count=1, newest="2026-06-11", oldest="2026-06-11", length=(2_400, 2_500), pages=3),
    Plan(template="T2", variant="normal", count=30, newest="2016-05-20", oldest="2015-12-14"),
    Plan(template="T1", variant="normal", count=12, newest="2013-11-05", oldest="2012-03-12", length=(300, 1_500)),
    Plan(template="T1", variant="rare-characters", count=1, newest="2012-09-12", oldest="2012-09-12", length=(500, 600)),
    Plan(template="T1", variant="broken-byte", count=1, newest="2012-10-18", oldest="2012-10-18", length=(500, 600)),
    Plan(template="photo", variant="photo", count=4, newest="2026-08-03", oldest="2019-07-16"),
    Plan(template="founder-a", variant="normal", count=15, newest="2026-09-05", oldest="2018-04-01"),
    Plan(template="founder-a", variant="pages", count=2, newest="2026-07-21", oldest="2024-05-01", length=(1_800, 2_600), pages=2),
    Plan(template="founder-a", variant="pages-loop", count=1, newest="2026-07-01", oldest="2026-07-01", length=(2_400, 2_500), pages=3),
    Plan(template="founder-b", variant="normal", count=12, newest="2026-08-28", oldest="2018-06-01"),
    Plan(template="founder-c", variant="normal", count=2, newest="2025-11-02", oldest="2021-03-01"),
    Plan(template="founder-d", variant="normal", count=3, newest="2025-06-17", oldest="2020-03-01"),
    Plan(template="founder-e", variant="normal", count=3, newest="2025-02-09", oldest="2019-11-11"),
    Plan(template="founder-f", variant="normal", count=2, newest="2024-12-12", oldest="2019-08-08"),
    Plan(template="founder-g", variant="normal", count=2, newest="2024-04-30", oldest="2020-09-09"),
    Plan(template="founder-h", variant="normal", count=2, newest="2023-09-28", oldest="2020-05-04"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One line of the plan, at one time."""

    plan: Plan
    index: int
    published: datetime

    @property
    def seed(self) -> str:
        return f"{self.plan.template}/{self.plan.variant}/{self.index}"


@functools.cache
def base() -> tuple[TrueArticle, ...]:
    """The planned Chinese articles of day 0, oldest first. All are good; errors and duplicates come with days.py."""
    return tuple(numbered(slot for plan in PLAN for slot in _slots(plan)))


def numbered(slots: Iterable[Slot]) -> Iterator[TrueArticle]:
    """Articles with ascending ids, by the counter of their CMS."""
    counters = {TECH: calendar.Counter(calendar.TECH), NEWS: calendar.Counter(calendar.FOUNDER)}
    for slot in sorted(slots, key=lambda slot: (slot.published, slot.seed)):
        home = NEWS if slot.plan.template.startswith("founder") else TECH
        yield article(slot, counters[home].take(slot.published))


def _slots(plan: Plan) -> Iterator[Slot]:
    newest, oldest = (datetime.fromisoformat(day).replace(tzinfo=BEIJING) for day in (plan.newest, plan.oldest))
    span = (newest - oldest).days
    for index in range(plan.count):
        age = span * (index / max(plan.count - 1, 1)) ** 2.5
        yield Slot(plan=plan, index=index, published=_minute(plan, index, newest - timedelta(days=int(age))))


def _minute(plan: Plan, index: int, day: datetime) -> datetime:
    chance = Chance("minute", plan.template, plan.variant, index)
    if plan.variant == "url-date":
        return day.replace(hour=23, minute=chance.between(31, 59))
    hour = chance.between(5, 8) if day.date() == calendar.DAY0.date() else chance.between(7, 21)
    second = chance.below(60) if precision(plan.template) is Precision.SECOND else 0
    return day.replace(hour=hour, minute=chance.below(60), second=second)


def precision(template: str) -> Precision:
    return Precision.MINUTE if template in ("T3", "founder-e", "founder-h") else Precision.SECOND


def article(slot: Slot, number: int) -> TrueArticle:
    """The true article of a slot."""
    plan, chance = slot.plan, Chance("story", slot.seed)
    trade = chance.pick(TRADES)
    channel = _channel(trade, chance)
    url, section = _address(slot, number, channel, chance)
    story = prose.write(slot.seed, trade, slot.published, chance.between(*plan.length))
    blank = TrueArticle(
        url=url,
        site=SITE,
        template=plan.template,
        variant=plan.variant,
        title=story.title,
        paragraphs=story.paragraphs,
        published=slot.published,
        precision=precision(plan.template),
        section=section,
        keywords=(trade.name, *chance.shuffled(trade.things)[:2]),
        updated=slot.published,
    )
    dressed = _people(_pictures(blank, story, chance), story, chance)
    whole = _VARIANTS.get(plan.variant, _as_it_is)(dressed, slot, chance)
    return replace(whole, copies=copies(whole))


def _channel(trade: Trade, chance: Chance) -> str:
    """Mostly the trade's own; now and then one of the small channels."""
    roll = chance.below(100)
    rare = {0: "entrepreneur", 1: "entrepreneur", 2: "internet/jjds", 3: "internet/jjds", 4: "hydt", 5: "entrepreneur", 6: "internet/jjds"}
    return rare.get(roll, chance.pick(trade.channels))


def _address(slot: Slot, number: int, channel: str, chance: Chance) -> tuple[str, str | None]:
    day = slot.published + timedelta(days=1 if slot.plan.variant == "url-date" else 0)
    if slot.plan.template.startswith("founder"):
        folder = chance.pick(NEWS_FOLDERS)
        return f"{NEWS}/{folder}{day:%Y-%m/%d}/content_{number}.htm", folder.rstrip("/") or None
    return f"{TECH}/{channel}/{day:%Y%m%d}/{number}.shtml", channel


def copies(true: TrueArticle) -> tuple[str, ...]:
    """https, a tracking query, the big5 gate, and the phone copy where there is one."""
    bare = true.url.removeprefix("http://")
    query = "?f=pad&a=true" if "content_" in true.url else "?utm_source=feed&from=timeline"
    return (f"https://{bare}", f"{true.url}{query}", f"http://big5.china.com.cn/gate/big5/{bare}", *mobile(true))


def mobile(true: TrueArticle) -> tuple[str, ...]:
    """The phone copy of a recent T3 page, with the id of the desktop page (dossier §0.4)."""
    if true.template != "T3" or not true.published or true.published.year < MOBILE_SINCE:
        return ()
    return (f"https://m.gxfin.com/article/tech/{true.section}/{true.published:%Y-%m-%d}/{true.number}.html",)


def _pictures(true: TrueArticle, story: prose.Prose, chance: Chance) -> TrueArticle:
    count = {"T1": 0, "photo": 0, "T3": chance.below(3), "founder-g": 2}.get(true.template, chance.below(2))
    if true.template == "T3" and count and true.published and true.published.year >= 2022 and chance.happens(40):
        true = replace(true, image_notice="文内图片由受访企业授权中国网使用")
    return replace(true, captions=tuple((text, image(true, text)) for text in story.captions[:count]))


def image(true: TrueArticle, text: str) -> str:
    """A picture's address in the CMS's form: the double slash of the older ones is a fact (dossier §1)."""
    assert true.published
    name = digest(true.url + text)
    if true.template.startswith("founder"):
        uuid = "-".join((name[:8], name[8:12], name[12:16], name[16:20], name[20:32]))
        return f"http://images.china.cn/site1000/{true.published:%Y-%m/%d}/t2_(35X17X591X397){uuid}.jpg"
    slash = "/" if true.published.year < 2022 else ""
    return f"http://image.tech.china.cn/{slash}upload/images/{true.published:%Y/%m%d/%H%M%S}/68_{true.number}_{name}.jpg"


def _people(true: TrueArticle, story: prose.Prose, chance: Chance) -> TrueArticle:
    own = true.variant not in ("plain-source", "inner-source") and chance.happens(70)
    house = "中国网" if true.host == "news.china.com.cn" else OWN
    return replace(
        true,
        source=house if own else chance.pick(words.PAPERS),
        authors=story.reporters if chance.happens(75) and true.template not in NO_AUTHOR else (),
        editors=(chance.pick(words.EDITORS),) if true.template not in NO_EDITOR else (),
    )


def _as_it_is(true: TrueArticle, slot: Slot, chance: Chance) -> TrueArticle:
    return true


def _nobody(true: TrueArticle, slot: Slot, chance: Chance) -> TrueArticle:
    return replace(true, authors=())


def _tabled(true: TrueArticle, slot: Slot, chance: Chance) -> TrueArticle:
    trade = next(trade for trade in TRADES if trade.name == true.keywords[0])
    rows: list[tuple[str, ...]] = [("项目", "改造前", "改造后")]
    for gauge in chance.shuffled(trade.gauges)[:4]:
        name, unit, low, high, decimals = gauge.split("|")
        rows.append((f"{name}（{unit or '比值'}）", *(prose.measure(chance, low, high, int(decimals)) for _ in range(2))))
    return replace(true, table=tuple(rows))


def _paged(true: TrueArticle, slot: Slot, chance: Chance) -> TrueArticle:
    head, dot, tail = true.url.rpartition(".")
    count = slot.plan.pages
    each = len(true.paragraphs) // count
    sizes = (*(each for _ in range(count - 1)), len(true.paragraphs) - each * (count - 1))
    return replace(
        true, parts=tuple(f"{head}_{page}{dot}{tail}" for page in range(2, count + 1)), part_sizes=sizes, captions=true.captions[:1]
    )


def _rare(true: TrueArticle, slot: Slot, chance: Chance) -> TrueArticle:
    """Characters that GBK has and GB2312 has not, and the euro sign, which is in GB18030 alone."""
    line = "项目顾问、退休工程师朱镕喆说，进口仪器当年报价12万€，折合人民币接近百万元，如今同类设备已经可以自己制造。"
    return replace(true, paragraphs=(*true.paragraphs[:1], line, *true.paragraphs[1:]))


def _photo(true: TrueArticle, slot: Slot, chance: Chance) -> TrueArticle:
    trade = next(trade for trade in TRADES if trade.name == true.keywords[0])
    texts = prose.notes(slot.seed, trade, slot.published, 6)
    when = f"{slot.published:%Y%m%d%H%M%S}"
    images = [f"http://image.tech.china.cn/roll/photo/{when[:8]}/182_{true.number}{index}_{when}.jpg" for index in range(len(texts))]
    return replace(true, paragraphs=texts, captions=tuple(zip(texts, images, strict=True)))


_VARIANTS = {
    "plain-source": _nobody,
    "table": _tabled,
    "pages": _paged,
    "pages-loop": _paged,
    "rare-characters": _rare,
    "photo": _photo,
}
