"""What the links of a page are judged by, whichever page it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.links import (
    MAX_OF_SHAPE,
    MAX_PARAMETERS,
    MAX_SEGMENTS,
    MAX_URL,
    Basket,
    Untaken,
    clipped,
    plausible,
    series,
    shape,
    within_budget,
)
from pipelines.model import Hints, Kind, Link
from tests.crawler import made

HOST = "http://h.cn"


@pytest.mark.parametrize(
    "url",
    [
        HOST,
        f"{HOST}/",
        f"{HOST}/internet/20260904/413793.shtml",
        f"{HOST}/a/a/b",
        f"{HOST}//a//b//c",
        f"{HOST}/gate/big5/tech.china.com.cn/internet/jjds/20260904/413793.shtml",
        f"{HOST}/x?{'&'.join(['a=1'] * MAX_PARAMETERS)}",
        HOST + "/x" * 2 + "/y" * 2,
        f"{HOST}/{'y' * (MAX_URL - len(HOST) - 1)}",
    ],
)
def test_addresses_made_for_readers_are_plausible(url: str) -> None:
    assert plausible(url)


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/a/a/a",
        f"{HOST}/a/b/a/b/a/b",
        f"{HOST}/x?{'&'.join(['a=1'] * (MAX_PARAMETERS + 1))}",
        HOST + "".join(f"/{n}" for n in range(MAX_SEGMENTS + 1)),
        f"{HOST}/{'y' * MAX_URL}",
    ],
)
def test_addresses_grown_by_a_trap_are_not(url: str) -> None:
    assert not plausible(url)


@pytest.mark.parametrize(
    ("page", "list_"),
    [
        (f"{HOST}/it/index_2.shtml", f"{HOST}/it/"),
        (f"{HOST}/it/index.shtml", f"{HOST}/it/"),
        (f"{HOST}/node_7208703_12.htm", f"{HOST}/node_7208703.htm"),
        (f"{HOST}/news/live.php?channel=x&p=3", f"{HOST}/news/live.php?channel=x&p=1"),
        (f"{HOST}/list?page=3", f"{HOST}/list?page=44"),
    ],
)
def test_the_pages_of_a_list_are_one_series(page: str, list_: str) -> None:
    assert series(page) == series(list_)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{HOST}/node_7208703.htm", f"{HOST}/node_7208704.htm"),
        (f"{HOST}/it/", f"{HOST}/bc/"),
        (f"{HOST}/live.php?channel=a&p=1", f"{HOST}/live.php?channel=b&p=1"),
        (f"{HOST}/list?id=1", f"{HOST}/list?id=2"),
    ],
)
def test_two_lists_are_two_series(one: str, other: str) -> None:
    assert series(one) != series(other)


def test_a_calendar_has_one_shape() -> None:
    assert shape(f"{HOST}/calendar/2026/09/") == shape(f"{HOST}/calendar/1999/12/") == f"{HOST}/calendar/0/0/"


def calendar(*days: int, kind: Kind = Kind.LISTING) -> list[Link]:
    return [Link(url=f"{HOST}/calendar/{day}/", kind=kind) for day in days]


def test_a_trap_is_followed_fifty_times_in_a_run_and_no_further() -> None:
    first, spent = within_budget(calendar(*range(40)), {})
    second, spent = within_budget(calendar(*range(40, 80)), spent)
    third, _ = within_budget(calendar(*range(80, 99)), spent)
    assert (len(first), len(second), len(third)) == (40, MAX_OF_SHAPE - 40, 0)


def test_a_trap_spends_nothing_of_other_lists_and_no_article() -> None:
    _, spent = within_budget(calendar(*range(99)), {})
    other = Link(url=f"{HOST}/bc/", kind=Kind.LISTING)
    articles = calendar(*range(99), kind=Kind.ARTICLE)
    kept, _ = within_budget([other, *articles], spent)
    assert kept == (other, *articles)


def test_what_is_spent_is_a_new_value() -> None:
    spent: dict[str, int] = {}
    within_budget(calendar(1), spent)
    assert spent == {}


@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    plausible(text)
    assert series(series(text)) is not None
    assert shape(shape(text)) == shape(text)


@given(st.lists(st.text(max_size=10), max_size=10), st.integers(1, 20))
def test_a_clipped_text_is_one_line_within_its_bound(texts: list[str], longest: int) -> None:
    result = clipped(iter(texts), longest)
    assert len(result) <= longest
    assert result == " ".join(result.split()) or len(result) == longest


def offered(*hrefs: str, **rules: str) -> Untaken | None:
    """What is said of the links that no rule of the test site takes."""
    basket = Basket(f"{made.HOST}/list/1.html", made.site(**rules))
    for href in hrefs:
        basket.offer(href, Hints)
    return basket.found(0).untaken


def test_of_a_page_of_which_no_rule_takes_a_link_those_most_like_articles_are_told_as_the_rules_see_them() -> None:
    told = offered("/", "/about.html", "/list/2.html", "/2026/09/07/1.html?utm_source=x", "/2026/09/07/1.html", "/2026/09/07/22.html#top")
    examples = (f"{made.HOST}/2026/09/07/22.html", f"{made.HOST}/2026/09/07/1.html")
    assert told == Untaken(links=5, examples=examples)


def test_links_to_hosts_that_the_seeds_do_not_name_are_told_apart() -> None:
    told = offered("/", "http://elsewhere.test/20260907/1.html", "http://elsewhere.test/20260907/1.html", "mailto:a@news.test", "#top")
    assert told == Untaken(links=1, examples=(f"{made.HOST}/",), foreign=1, foreign_examples=("http://elsewhere.test/20260907/1.html",))


def test_a_page_without_links_has_none_to_tell_of() -> None:
    assert offered() == Untaken()


def test_where_a_rule_takes_one_article_nothing_is_told_of_the_other_links() -> None:
    assert offered("/", "/2026/09/07/1.html", "/20260907/1.html") is None
    assert offered("/topic/5/") == Untaken(), "a list that is followed is no article"


def test_a_page_that_was_not_looked_through_tells_of_no_links() -> None:
    basket = Basket(f"{made.HOST}/list/1.html", made.site(follow="follow = ['/topic/']\nmax_links = 2"))
    for href in ("/topic/1/", "/topic/2/"):
        basket.offer(href, Hints)
    assert basket.full()
    assert basket.found(0).untaken is None
