"""Where a list goes on: it is counted on where its seeds entry counts, else it goes where it says itself."""

from __future__ import annotations

import pytest

from crawler.links import Found
from crawler.turning import next_list
from tests.crawler import made
from tests.crawler.made import HOST

SITE = made.site()
SAYS_NEXT = Found(next_url=f"{HOST}/flash/2.html")


@pytest.mark.parametrize("page", [1, 2, 4])
def test_a_list_with_a_page_number_is_counted_on(page: int) -> None:
    assert next_list(f"{HOST}/list/{page}.html", page, Found(), SITE) == f"{HOST}/list/{page + 1}.html"


def test_a_list_without_a_number_goes_where_its_next_link_says() -> None:
    assert next_list(f"{HOST}/flash/", 1, SAYS_NEXT, SITE) == f"{HOST}/flash/2.html"
    assert next_list(f"{HOST}/flash/", 1, Found(), SITE) is None


def test_a_numbered_list_is_counted_on_whatever_it_says_itself() -> None:
    assert next_list(f"{HOST}/list/1.html", 1, SAYS_NEXT, SITE) == f"{HOST}/list/2.html"


def test_no_list_is_longer_than_the_seeds_file_allows() -> None:
    last = SITE.discover.max_pages
    assert next_list(f"{HOST}/list/{last}.html", last, Found(), SITE) is None
    assert next_list(f"{HOST}/flash/", last, SAYS_NEXT, SITE) is None


def test_a_list_that_is_counted_from_nought_is_counted_on_from_there() -> None:
    from_nought = made.site(known_margin="known_margin = 3\nfirst_page = 0")
    assert next_list(f"{HOST}/list/0.html", 1, Found(), from_nought) == f"{HOST}/list/1.html"


def test_a_next_link_is_made_safe_for_a_request_line() -> None:
    odd = Found(next_url="http://news.test/live.php?channel=科技&p=2")
    assert next_list(f"{HOST}/flash/", 1, odd, SITE) == "http://news.test/live.php?channel=%E7%A7%91%E6%8A%80&p=2"


def test_a_number_that_does_not_fit_the_template_is_not_counted_on() -> None:
    assert next_list(f"{HOST}/list/7.html", 2, Found(), SITE) is None
