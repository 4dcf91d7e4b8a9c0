from __future__ import annotations

import pytest

from crawler.links import Found
from crawler.turning import next_list
from pipelines.site import Site, parse_site

HOST = "http://news.example.cn"
COUNTED = f"{HOST}/live.php?channel=%E7%A7%91%E6%8A%80&p="
"""the address of a page of the counted list, without its number, as a request line has it"""


def site(*more: str) -> Site:
    lines = "\n".join(more)
    return parse_site(
        f"""
name = "test"
publisher = "test"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.cn"]
[discover]
listings = ["{HOST}/it/", "{HOST}/live.php?channel=科技&p={{page}}"]
article = ['/a/\\d+\\.html$']
max_pages = 3
{lines}
""".encode(),
        "test.toml",
    )


def test_a_counted_list_goes_on_by_its_number_whatever_the_page_links_to() -> None:
    assert next_list(COUNTED + "1", 1, Found(), site()) == COUNTED + "2"
    assert next_list(COUNTED + "2", 2, Found(next_url=f"{HOST}/elsewhere/"), site()) == COUNTED + "3"


def test_counting_may_begin_at_zero() -> None:
    assert next_list(COUNTED + "0", 1, Found(), site("first_page = 0")) == COUNTED + "1"


def test_another_list_goes_where_its_next_link_says() -> None:
    assert next_list(f"{HOST}/it/", 1, Found(next_url=f"{HOST}/it/index_2.shtml"), site()) == f"{HOST}/it/index_2.shtml"
    assert next_list(f"{HOST}/it/", 1, Found(), site()) is None


def test_the_address_is_safe_for_a_request_line() -> None:
    assert next_list(f"{HOST}/it/", 1, Found(next_url=f"{HOST}/表?a=二"), site()) == f"{HOST}/%E8%A1%A8?a=%E4%BA%8C"


@pytest.mark.parametrize("url", [COUNTED + "3", f"{HOST}/it/index_3.shtml"])
def test_a_list_ends_at_max_pages(url: str) -> None:
    found = Found(next_url=f"{HOST}/it/index_4.shtml")
    assert next_list(url, 2, found, site()) is not None
    assert next_list(url, 3, found, site()) is None


def test_a_list_that_is_read_back_to_a_day_has_as_many_pages_as_that_takes() -> None:
    assert next_list(COUNTED + "300", 300, Found(), site(), dated=True) == COUNTED + "301"
