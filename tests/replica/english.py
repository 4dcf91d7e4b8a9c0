"""The English articles of www.china.org.cn: a plan, and a teller with English fillings.

Rule of this file: as stories.py, for the other site. Sections are those of the node lists; `world` is no listing of the seeds
file, so its articles are there but not listed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from pipelines.model import Precision
from tests.replica import calendar
from tests.replica import english_words as words
from tests.replica.chance import Chance, Deck
from tests.replica.prose import Teller
from tests.replica.truth import BEIJING, TrueArticle
from tests.replica.words import Trade

SITE = "china_org_cn"
HOME = "http://www.china.org.cn"
NODES = {
    "china": ("node_7075073", "node_7075074", "node_7075075", "node_7075076", "node_7075077"),
    "business": ("node_7074857",),
    "opinion": ("node_7074949", "node_7074948", "node_7164234"),
    "world": ("node_7075229",),
}
"""the first node of a section lists all of it, the others a part each"""
COUNTS = {"china": 20, "business": 14, "opinion": 6, "world": 4}
"""40 that the seeds file lists, and 4 that it does not"""
NEWEST, OLDEST = datetime(2026, 9, 6, tzinfo=BEIJING), datetime(2018, 3, 20, tzinfo=BEIJING)
LISTED = ("china", "business", "opinion")

_ARTICLE = re.compile(r"\b([Aa]) (?=[aeioAEIO])")

_OPENING = ((words.LEAD, words.DETAIL), (words.LEAD, words.BACKGROUND), (words.LEAD,))
_MIDDLE = (
    (words.DETAIL, words.FIGURE),
    (words.QUOTE, words.METHOD),
    (words.BACKGROUND, words.TROUBLE),
    (words.SCENE, words.QUOTE),
    (words.FIGURE,),
    (words.METHOD, words.FIGURE),
    (words.TROUBLE, words.DETAIL),
    (words.QUOTE,),
)


class EnglishTeller(Teller):
    """Sentences stand apart, a slot that ends in ! begins with a capital, and dates read "Sept. 3"."""

    between = " "

    def _cast(self) -> dict[str, str]:
        chance = self.chance
        cities = chance.shuffled(words.CITIES)
        return {
            "firm": f"{_firm(chance)} {chance.pick(self.trade.endings)}",
            "firm2": f"{_firm(chance)} {chance.pick(self.trade.endings)}",
            "lab": f"{chance.pick(words.LABS)} {chance.pick(words.LAB_KINDS)}",
            "city": cities[0],
            "city2": cities[1],
            "thing": chance.pick(self.trade.things),
            "name": f"{_firm(chance)} {chance.between(1, 9)}",
            "trade": self.trade.name,
        }

    def tell(self, pattern: str) -> str:
        sentence = _ARTICLE.sub(r"\1n ", super().tell(pattern))
        return sentence[0].upper() + sentence[1:]

    def _day(self) -> str:
        return english_day(self.when - timedelta(days=self.chance.below(3)))

    def _fillings(self) -> dict[str, str]:
        chance = self.chance
        return {
            "month": f"{self.when - timedelta(days=30):%B}",
            "later": f"{self.when + timedelta(days=60):%B}",
            "boss": f"{_person(chance)}, {chance.pick(words.CHIEFS)} of {self.cast['firm']}",
            "worker": f"{chance.pick(words.WORKERS)} {_person(chance)}",
            "expert": f"{chance.pick(words.EXPERTS)} {_person(chance)} of {self.cast['lab']}",
        }


def english_day(when: datetime) -> str:
    """As in the page's own line: May 26, Sept. 3."""
    months = ("Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.")
    return f"{months[when.month - 1]} {when.day}"


def _firm(chance: Chance) -> str:
    return chance.pick(words.FIRM_FIRST) + chance.pick(words.FIRM_SECOND)


def _person(chance: Chance) -> str:
    return f"{chance.pick(words.SURNAMES)} {chance.pick(words.GIVEN)}"


def write(seed: str, trade: Trade, when: datetime, length: int) -> tuple[str, tuple[str, ...], str]:
    """Title, paragraphs of about `length` characters together, and a caption."""
    chance = Chance("english", seed)
    teller = EnglishTeller(chance, trade, when)
    title = teller.tell(chance.pick(words.TITLES))
    paragraphs = [teller.paragraph(chance.pick(_OPENING))]
    ending = teller.paragraph((words.OUTLOOK,))
    middle = Deck([str(index) for index in range(len(_MIDDLE))], chance)
    while sum(map(len, paragraphs)) + len(ending) < length:
        paragraphs.append(teller.paragraph(_MIDDLE[int(middle.draw())]))
    return title, (*paragraphs, ending), teller.tell(chance.pick(words.CAPTIONS))


@functools.cache
def english() -> tuple[TrueArticle, ...]:
    """All of them, oldest first; the second of `business` has two pages."""
    counter = calendar.Counter(calendar.FOUNDER)
    return tuple(_article(when, section, index, counter.take(when)) for when, section, index in sorted(_slots()))


def _slots() -> Iterator[tuple[datetime, str, int]]:
    for section, count in COUNTS.items():
        for index in range(count):
            age = (NEWEST - OLDEST).days * (index / count) ** 2
            minutes = Chance("english minute", section, index).between(7 * 60, 21 * 60)
            yield NEWEST - timedelta(days=int(age)) + timedelta(minutes=minutes), section, index


def _article(when: datetime, section: str, index: int, number: int) -> TrueArticle:
    seed = f"{section}/{index}"
    chance = Chance("english story", seed)
    trade = chance.pick(words.TRADES)
    double = (section, index) == ("business", 1)
    title, paragraphs, caption = write(seed, trade, when, 2_100 if double else chance.between(350, 1_900))
    head = f"{HOME}/{section}/{when:%Y-%m/%d}/content_{number}"
    url = f"{head}.htm"
    bare = url.removeprefix("http://")
    picture = f"http://images.china.cn/site1007/{when:%Y-%m/%d}/{number}.jpg"
    return TrueArticle(
        url=url,
        site=SITE,
        template="en",
        variant="pages" if double else "normal",
        title=title,
        paragraphs=paragraphs,
        captions=((caption, picture),) if chance.happens(40) else (),
        published=when.replace(hour=0, minute=0),
        precision=Precision.DAY,
        source="China.org.cn" if chance.happens(70) else "Xiuyun Daily",
        section=section,
        language="en",
        updated=when,
        copies=(f"https://{bare}", f"http://{bare.removeprefix('www.')}", f"{url}?utm_source=newsletter"),
        parts=(f"{head}_2.htm",) if double else (),
        part_sizes=(len(paragraphs) // 2, len(paragraphs) - len(paragraphs) // 2) if double else (),
        listed=section in LISTED,
    )
