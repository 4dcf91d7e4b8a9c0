"""When a list ends, and what is missing in it. Pure: links and numbers in, an answer out.

A list is read from its newest page until it has met `known_margin` entries in a row that were known when it was last
read, or a page of nothing else. Not the first known one: a few entries are pinned to the top, and edited articles move
up. As long as fewer than `known_margin`, and less than a page, are pinned or moved together, nothing new is passed over,
however many articles appear while the list is being read: what they push onto the next page was met in this very run
and counts for nothing (a property in tests/crawler/test_paging.py). Known *then*, too, because one list's entries are
often another's: were they known as soon as they are found, the second list would end where the first one has been.
What a withdrawal pulls up between two requests no paging by number can see: `gaps` shows it.

A crawl with `since` goes back in time instead: known entries do not end it, entries older than `since` do, by the same
margin. It can be broken off and begun again, since what it found is known by then and is not fetched twice. Where it ends
is not where the list ends: crawler.lists leaves the pages of which it took not all due for the next run.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from crawler.links import Found
from pipelines.model import Link
from pipelines.site import Site

_DAY = re.compile(r"((?:19|20)\d{2})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})|(?<!\d)((?:19|20)\d{2})(\d{2})(\d{2})(?!\d)")
_ENGLISH = re.compile(r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? (\d{1,2}), ((?:19|20)\d{2})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What the site's own counter says: of the `covered` numbers between the lowest and the highest seen, `seen` were
    met; `ranges` (both ends included) were not, counted `by_day`: the day of the seen number before them."""

    covered: int = 0
    seen: int = 0
    ranges: tuple[tuple[int, int], ...] = ()
    by_day: Mapping[date, int]

    @property
    def missing(self) -> int:
        return self.covered - self.seen


def go_on(
    found: Found,
    known: Callable[[str], bool] | Container[str],
    run_of_known: int,
    site: Site,
    *,
    before: Found | None = None,
    since: date | None = None,
    until: date | None = None,
) -> tuple[bool, int]:
    """Whether to ask for the list's next page, and the length of the run of known entries at the end of this one.

    `known` says of an article's canonical URL whether it was known when this list was last read, so never of what was
    first met in this run; `run_of_known` is what the page before gave, 0 for the first; `before` is the page before: a
    list that repeats its last page for ever has ended.
    """
    links = found.articles
    if not links or (before is not None and _same(before, found)):
        return False, run_of_known
    is_known = known if callable(known) else known.__contains__
    run, moving = run_of_known, False
    for link in links:
        day = day_of(link, site)
        if until is not None and day is not None and day > until:
            moving = True  # not there yet
        elif _is_behind(link, day, is_known, since):
            run += 1
        else:
            run, moving = 0, True
        if run >= site.discover.known_margin:
            return False, run
    return moving, run


def in_window(link: Link, site: Site, since: date | None, until: date | None) -> bool:
    """Whether the link's day lies in since..until, both included. What has no day is taken: the article has the last word."""
    day = day_of(link, site)
    return day is None or ((since is None or day >= since) and (until is None or day <= until))


def day_of(link: Link, site: Site) -> date | None:
    """The day of an article, as its list prints it or else as its URL does (group `date` of the article rule)."""
    printed = link.hints.published
    if printed and (day := _printed_day(printed, site.timezone)):
        return day
    match = site.article_match(link.url)
    in_url = match.groupdict().get("date") if match else None
    return _printed_day(in_url, site.timezone) if in_url else None


def number_of(url: str, site: Site) -> int | None:
    """The site's own number of an article: group `id` of the article rule."""
    match = site.article_match(url)
    number = match.groupdict().get("id") if match else None
    return int(number) if number and number.isascii() and number.isdigit() and len(number) <= 18 else None


def gaps(seen: Iterable[tuple[int, date]]) -> Gaps:
    """Completeness against a counter that only grows (DOSSIER §1), from the numbers seen and their days.

    An upper bound of what was missed: numbers are also given to drafts, pictures and other sections of a shared series.
    """
    days = dict(sorted(seen))
    numbers = list(days)
    if not numbers:
        return Gaps(by_day={})
    ranges = tuple((low + 1, high - 1) for low, high in itertools.pairwise(numbers) if high - low > 1)
    by_day: Counter[date] = Counter()
    for low, high in ranges:
        by_day[days[low - 1]] += high - low + 1
    return Gaps(covered=numbers[-1] - numbers[0] + 1, seen=len(numbers), ranges=ranges, by_day=dict(sorted(by_day.items())))


def _is_behind(link: Link, day: date | None, is_known: Callable[[str], bool], since: date | None) -> bool:
    if since is None:
        return is_known(link.url)
    return day is not None and day < since


def _same(one: Found, other: Found) -> bool:
    return [link.url for link in one.articles] == [link.url for link in other.articles]


def _printed_day(text: str, zone: ZoneInfo) -> date | None:
    """The day on the site's own calendar: feeds print GMT, and an evening there is the next morning in Shanghai."""
    if moment := _moment(text):
        return moment.astimezone(zone).date()
    if match := _ENGLISH.search(text):
        return _date(int(match[3]), _MONTHS.index(match[1]) + 1, int(match[2]))
    match = _DAY.search(text)
    return _date(*(int(group) for group in match.groups() if group)) if match else None


def _moment(text: str) -> datetime | None:
    """A date with time and offset, as Atom (RFC 3339), RSS (RFC 822) and sitemaps write it; None for all others."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        if moment.tzinfo is not None and 1900 < moment.year < 9000:
            return moment
    return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
