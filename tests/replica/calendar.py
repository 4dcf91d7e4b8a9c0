"""The site's calendar: what day 0 is, and which id a page of a date has.

Rule of this file: dates and numbers only. The anchors are the dossier's (§1), each seen in a cited URL, monotonic.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta

from tests.replica.truth import BEIJING

DAY0 = datetime(2026, 9, 7, 9, 0, tzinfo=BEIJING)
"""the moment at which the replica's day 0 is looked at; after the last anchor, before any machine's clock"""
LAST_DAY = 3

Anchor = tuple[str, int]
TECH: tuple[Anchor, ...] = (
    ("2011-01-01", 40_000),  # a guess: at 113 a day back from 2015 the counter would begin in 2010
    ("2015-12-13", 212_320),
    ("2016-06-07", 232_412),
    ("2018-01-30", 334_710),
    ("2018-09-20", 345_977),
    ("2019-02-15", 352_185),
    ("2019-06-17", 356_839),
    ("2021-04-09", 376_154),
    ("2023-05-16", 396_182),
    ("2025-03-01", 407_907),
    ("2025-12-01", 411_376),
    ("2026-05-22", 412_894),
    ("2026-09-04", 413_793),
    ("2027-09-04", 416_968),  # 8.7 a day, as between the last two
)
FOUNDER: tuple[Anchor, ...] = (
    ("2009-09-11", 18_510_505),
    ("2015-05-26", 35_665_618),
    ("2018-03-16", 50_719_698),
    ("2019-06-10", 74_898_361),
    ("2020-04-18", 75_943_843),
    ("2025-03-12", 117_792_218),
    ("2025-10-20", 118_132_392),
    ("2026-07-10", 118_620_327),
    ("2027-07-10", 119_400_000),
)


def moment(day: int) -> datetime:
    """The time of the replica's day `day`, when its changes are on line."""
    return DAY0 + timedelta(days=day)


def identifier(anchors: tuple[Anchor, ...], when: datetime) -> int:
    """The id that the CMS would give at `when`: linear between anchors."""
    days = [datetime.fromisoformat(day).replace(tzinfo=BEIJING) for day, _ in anchors]
    right = min(max(bisect_right(days, when), 1), len(days) - 1)
    (begin, low), (end, high) = (days[right - 1], anchors[right - 1][1]), (days[right], anchors[right][1])
    return low + int((high - low) * ((when - begin) / (end - begin)))


class Counter:
    """Hands out ids for ascending times, each greater than the one before."""

    __slots__ = ("_anchors", "_last")

    def __init__(self, anchors: tuple[Anchor, ...]) -> None:
        self._anchors, self._last = anchors, 0

    def take(self, when: datetime) -> int:
        self._last = max(self._last + 1, identifier(self._anchors, when))
        return self._last
