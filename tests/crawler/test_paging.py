"""When a list ends: pinned, moved and pushed entries do not fool it, and nothing new is passed over."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.links import Found
from crawler.paging import Gaps, day_of, gaps, go_on, in_window, number_of
from pipelines.model import Hints, Kind, Link
from pipelines.site import Site, parse_site

MARGIN = 5


def make_site(margin: int = MARGIN) -> Site:
    text = f"""
name = "example"
publisher = "Example"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.cn"]
[discover]
listings = ["http://news.example.cn/list?p={{page}}"]
article = ['^http://news\\.example\\.cn/(?:(?P<date>\\d{{8}})/)?(?P<id>\\d+)\\.html$']
known_margin = {margin}
"""
    return parse_site(text.encode(), "example.toml")


SITE = make_site()


def url(number: int, day: str = "") -> str:
    return f"http://news.example.cn/{day + '/' if day else ''}{number}.html"


def page(*numbers: int) -> Found:
    return Found(links=tuple(Link(url=url(number), kind=Kind.ARTICLE) for number in numbers))


def known(*numbers: int) -> set[str]:
    return {url(number) for number in numbers}


def test_a_page_of_new_entries_leads_to_the_next() -> None:
    assert go_on(page(9, 8, 7), known(), 0, SITE) == (True, 0)


def test_a_page_that_brings_nothing_new_is_the_last() -> None:
    assert go_on(page(3, 2, 1), known(3, 2, 1), 0, SITE) == (False, 3)


def test_the_first_known_entry_is_not_the_end() -> None:
    assert go_on(page(9, 3, 8, 2), known(3, 2), 0, SITE) == (True, 1)


def test_a_margin_of_known_entries_in_a_row_is_the_end() -> None:
    assert go_on(page(9, 5, 4, 3, 2, 1), known(5, 4, 3, 2, 1), 0, SITE) == (False, 5)


def test_a_new_entry_breaks_the_row() -> None:
    assert go_on(page(9, 5, 4, 3, 2, 8, 1), known(5, 4, 3, 2, 1), 0, SITE) == (True, 1)


def test_the_row_of_known_entries_goes_on_over_pages() -> None:
    again, run = go_on(page(9, 5, 4, 3), known(5, 4, 3, 2, 1), 0, SITE)
    assert (again, run) == (True, 3)
    assert go_on(page(2, 1, 8), known(5, 4, 3, 2, 1), run, SITE) == (False, 5)


def test_pinned_entries_do_not_end_a_list() -> None:
    assert go_on(page(1, 2, 3, 4, 99, 98), known(1, 2, 3, 4), 0, SITE) == (True, 0)


def test_an_empty_page_is_the_end() -> None:
    assert go_on(Found(), known(), 0, SITE) == (False, 0)


def test_a_page_that_answers_another_kind_is_the_end() -> None:
    assert go_on(Found(is_expected_kind=False), known(), 0, SITE) == (False, 0)


def test_lists_and_sitemaps_among_the_links_are_no_entries() -> None:
    only_lists = Found(links=(Link(url="http://news.example.cn/a", kind=Kind.LISTING),))
    assert go_on(only_lists, known(), 0, SITE) == (False, 0)


def test_a_list_that_repeats_its_last_page_has_ended_even_when_all_of_it_is_new() -> None:
    last = page(3, 2, 1)
    assert go_on(last, known(), 0, SITE) == (True, 0)
    assert go_on(last, known(), 0, SITE, before=last)[0] is False


def test_known_may_be_a_function() -> None:
    assert go_on(page(3, 2, 1), lambda address: address.endswith("/3.html"), 0, SITE) == (True, 0)


# ---- back in time ---------------------------------------------------------------------------------------------------


def dated(*days: str) -> Found:
    links = tuple(Link(url=url(n), kind=Kind.ARTICLE, hints=Hints(published=day or None)) for n, day in enumerate(days))
    return Found(links=links)


SINCE, UNTIL = date(2020, 1, 1), date(2020, 12, 31)


def test_a_back_crawl_goes_through_known_entries() -> None:
    found = dated(*["2020-06-01"] * 10)
    assert go_on(found, known(*range(10)), 0, SITE, since=SINCE)[0] is True


def test_a_back_crawl_goes_through_what_is_later_than_its_window() -> None:
    assert go_on(dated(*["2026-06-01"] * 10), known(*range(10)), 0, SITE, since=SINCE, until=UNTIL)[0] is True


def test_a_back_crawl_ends_after_a_margin_of_older_entries() -> None:
    assert go_on(dated("2020-01-02", *["2019-12-31"] * 5), known(), 0, SITE, since=SINCE) == (False, 5)


def test_a_pinned_old_entry_does_not_end_a_back_crawl() -> None:
    assert go_on(dated("2008-08-08", "2020-01-02", "2019-12-31"), known(), 0, SITE, since=SINCE) == (True, 1)


def test_an_entry_without_a_day_never_ends_a_back_crawl() -> None:
    assert go_on(dated(*[""] * 10), known(), 0, SITE, since=SINCE)[0] is True


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        ("2022-08-17 10:05", date(2022, 8, 17)),
        ("2022年08月17日10:05", date(2022, 8, 17)),
        ("2022年8月7日", date(2022, 8, 7)),
        ("2006 年2 月15 日", date(2006, 2, 15)),
        ("20220817", date(2022, 8, 17)),
        ("2018-03/18", date(2018, 3, 18)),
        ("2022-08-17T10:05:00+08:00", date(2022, 8, 17)),
        ("May 26, 2015", date(2015, 5, 26)),
        ("Wed, 17 Aug 2022 10:05:00 +0800", date(2022, 8, 17)),
        ("Wed, 17 Aug 2022 18:05:00 GMT", date(2022, 8, 18)),
        ("2022-08-17T18:05:00Z", date(2022, 8, 18)),
        ("2022-08-17T18:05:00", date(2022, 8, 17)),
        ("at 2022 10:05", None),
        ("08-17 10:05", None),
        ("2022-13-45", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_printed_day_is_read_in_the_ways_that_lists_print_it(printed: str, day: date | None) -> None:
    assert day_of(Link(url="http://news.example.cn/1.html", kind=Kind.ARTICLE, hints=Hints(published=printed)), SITE) == day


def test_the_day_in_the_url_stands_in_for_a_missing_one() -> None:
    link = Link(url=url(5, "20220817"), kind=Kind.ARTICLE)
    assert day_of(link, SITE) == date(2022, 8, 17)
    assert day_of(Link(url="http://elsewhere.example/", kind=Kind.ARTICLE), SITE) is None


@pytest.mark.parametrize(
    ("day", "inside"),
    [("20191231", False), ("20200101", True), ("20201231", True), ("20210101", False), ("", True)],
)
def test_a_window_includes_both_its_days_and_what_has_none(day: str, inside: bool) -> None:
    assert in_window(Link(url=url(1, day), kind=Kind.ARTICLE), SITE, SINCE, UNTIL) is inside


def test_an_open_window_takes_everything() -> None:
    assert in_window(Link(url=url(1, "19991231"), kind=Kind.ARTICLE), SITE, None, None)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_no_printed_date_raises(printed: str) -> None:
    day_of(Link(url=url(1), kind=Kind.ARTICLE, hints=Hints(published=printed)), SITE)


# ---- a list that moves while it is read -----------------------------------------------------------------------------


class MovingList:
    """A list served page by page. Before each request `arrivals` articles appear at its top, below what is pinned."""

    def __init__(self, pinned: list[int], entries: list[int], arrivals: list[int], size: int) -> None:
        self.pinned, self.entries, self.arrivals, self.size = pinned, entries, arrivals, size
        self.next_number = 10_000

    def get(self, number: int) -> Found:
        """Page `number` from 1; a page past the end repeats the last one."""
        if number > 1 and self.arrivals:
            for _ in range(self.arrivals.pop()):
                self.next_number += 1
                self.entries.insert(0, self.next_number)
        shown = self.pinned + self.entries
        last = max(0, (len(shown) - 1) // self.size)
        start = min(number - 1, last) * self.size
        return page(*shown[start : start + self.size])


def crawl(served: MovingList, before_run: set[str], site: Site, most: int = 200) -> tuple[set[str], int]:
    seen: set[str] = set()
    run, before = 0, None
    for number in range(1, most):
        found = served.get(number)
        seen |= {link.url for link in found.links}
        again, run = go_on(found, before_run, run, site, before=before)
        if not again:
            return seen, number
        before = found
    return seen, most


@settings(max_examples=300, deadline=None)
@given(
    new=st.integers(0, 60),
    old=st.integers(0, 60),
    size=st.integers(6, 20),
    pinned=st.integers(0, 2),
    moved=st.lists(st.integers(0, 59), max_size=2, unique=True),
    arrivals=st.lists(st.integers(0, 5), max_size=30),
)
def test_nothing_new_is_passed_over_while_a_list_moves(
    *, new: int, old: int, size: int, pinned: int, moved: list[int], arrivals: list[int]
) -> None:
    """2 pinned and 2 moved entries stay under the margin of 5, whatever arrives between two requests (less than a page)."""
    fresh = [1000 + n for n in range(new, 0, -1)]
    past = list(range(old, 0, -1))
    entries = fresh + past
    for number in moved:
        if number in past:  # edited: it goes up to the top of the new ones
            entries.remove(number)
            entries.insert(min(len(fresh), number % 3), number)
    served = MovingList([5000 + n for n in range(pinned)], entries, list(arrivals), size)
    before_run = known(*past, *[5000 + n for n in range(pinned)])
    seen, _ = crawl(served, before_run, SITE)
    assert known(*fresh) <= seen


@settings(max_examples=100, deadline=None)
@given(total=st.integers(1, 80), size=st.integers(1, 20), arrivals=st.lists(st.integers(0, 3), max_size=10))
def test_a_first_crawl_sees_the_whole_list_and_stops_past_its_end(total: int, size: int, arrivals: list[int]) -> None:
    few = [min(number, size - 1) for number in arrivals]
    served = MovingList([], list(range(total, 0, -1)), list(few), size)
    seen, pages = crawl(served, set(), SITE)
    assert known(*range(1, total + 1)) <= seen
    assert pages <= (total + sum(few)) // size + len(few) + 3


def test_a_second_crawl_with_nothing_new_asks_for_one_page() -> None:
    served = MovingList([], list(range(100, 0, -1)), [], 20)
    assert crawl(served, known(*range(1, 101)), SITE)[1] == 1


def test_a_day_with_five_new_articles_asks_for_one_page() -> None:
    served = MovingList([], list(range(105, 0, -1)), [], 40)
    seen, pages = crawl(served, known(*range(1, 101)), make_site(20))
    assert pages == 1
    assert known(*range(101, 106)) <= seen


def test_a_second_list_is_read_to_its_own_end_on_the_first_day() -> None:
    """All that the first list found is found in this run, not known before it."""
    first, _ = crawl(MovingList([], list(range(40, 0, -1)), [], 10), set(), SITE)
    second, _ = crawl(MovingList([], list(range(60, 0, -1)), [], 10), set(), SITE)
    assert known(*range(1, 61)) <= first | second


# ---- the site's own counter -----------------------------------------------------------------------------------------

D = date(2026, 9, 4)


def test_gaps_are_ranges_and_counts_by_day() -> None:
    result = gaps([(100, D), (101, D), (104, D), (110, D + timedelta(1))])
    assert result.ranges == ((102, 103), (105, 109))
    assert result.by_day == {D: 7}
    assert (result.covered, result.seen, result.missing) == (11, 4, 7)


def test_a_gap_belongs_to_the_day_before_it() -> None:
    result = gaps([(10, D), (12, D + timedelta(1)), (15, D + timedelta(2))])
    assert result.by_day == {D: 1, D + timedelta(1): 2}


@pytest.mark.parametrize("seen", [[], [(7, D)], [(7, D), (7, D)], [(7, D), (8, D)]])
def test_what_is_whole_has_no_gaps(seen: list[tuple[int, date]]) -> None:
    result = gaps(seen)
    assert (result.ranges, dict(result.by_day), result.missing) == ((), {}, 0)


def test_nothing_seen_covers_nothing() -> None:
    assert gaps([]) == Gaps(by_day={})


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.dates(date(2010, 1, 1), date(2030, 1, 1))), max_size=40), st.randoms())
def test_gaps_and_what_was_seen_fill_the_span_in_any_order(seen: list[tuple[int, date]], random: object) -> None:
    result = gaps(seen)
    numbers = {number for number, _ in seen}
    in_gaps = sum(high - low + 1 for low, high in result.ranges)
    assert in_gaps == sum(result.by_day.values()) == result.missing
    assert result.seen == len(numbers)
    assert result.covered == (max(numbers) - min(numbers) + 1 if numbers else 0)
    assert gaps(reversed(seen)).ranges == result.ranges


@pytest.mark.parametrize(
    ("address", "number"),
    [(url(413793), 413793), (url(5, "20220817"), 5), ("http://news.example.cn/list", None), (url(10**30), None)],
)
def test_the_sites_own_number_is_the_group_id(address: str, number: int | None) -> None:
    assert number_of(address, SITE) == number
