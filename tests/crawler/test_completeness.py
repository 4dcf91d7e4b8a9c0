from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.completeness import UNDATED, _said, gaps_of
from pipelines.archive import Archive, open_archive, urltable
from pipelines.archive.urltable import NewUrl
from pipelines.model import Kind
from pipelines.site import Site, parse_site
from pipelines.urls import host_key

BEGUN = 1_790_000_000.0
ARTICLE = r"^http://(?:one|two)\.example\.cn/(?P<date>\d{8})/(?P<id>\d+)(?:_\d+)?\.html$"
UNNUMBERED = r"^http://one\.example\.cn/.+\.html$"


def site(rule: str = ARTICLE) -> Site:
    return parse_site(
        f"""
name = "test"
publisher = "test"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["one.example.cn", "two.example.cn"]
[discover]
listings = ["http://one.example.cn/"]
article = ['{rule}']
""".encode(),
        "test.toml",
    )


def address(number: int, host: str = "one", day: int = 20260904) -> str:
    return f"http://{host}.example.cn/{day}/{number}.html"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_archive(tmp_path / "archive", create=True) as opened:
        yield opened


def know(archive: Archive, *urls: str, at: float = BEGUN, kind: Kind = Kind.ARTICLE, of: str = "test") -> None:
    with archive.catalogue.transaction() as tx:
        urltable.discover(tx, of, [NewUrl(url=url, host=host_key(url), kind=kind, due_at=at) for url in urls], at)


def found(archive: Archive, of: Site | None = None) -> dict[str, dict[str, int]]:
    with archive.catalogue.snapshot() as tx:
        return gaps_of(tx, of or site(), BEGUN)


def one(covered: int, seen: int) -> dict[str, dict[str, int]]:
    return {"one.example.cn": {"covered": covered, "seen": seen, "missing": covered - seen}}


@pytest.fixture
def known(archive: Archive) -> Archive:
    """The archive after an earlier run that met number 100 of each host."""
    know(archive, address(100), address(100, "two"), at=BEGUN - 86_400)
    return archive


def test_a_number_that_no_list_has_shown_is_missing(known: Archive) -> None:
    know(known, address(101), address(102), address(105))
    assert found(known) == one(covered=6, seen=4)


def test_a_first_run_has_missed_nothing(archive: Archive) -> None:
    """Its lists show some old articles and some new ones: years lie between them, and nobody said that they would be shown."""
    know(archive, address(7), address(101), address(118_000_001))
    assert found(archive) == {}


def test_a_host_that_is_met_for_the_first_time_has_missed_nothing(archive: Archive) -> None:
    know(archive, address(100), at=BEGUN - 86_400)
    know(archive, address(102), address(5, "two"), address(90, "two"))
    assert found(archive) == one(covered=3, seen=2)


def test_a_later_run_begins_where_the_one_before_ended(archive: Archive) -> None:
    know(archive, address(50), address(100), at=BEGUN - 86_400)
    know(archive, address(104), address(105))
    assert found(archive) == one(covered=6, seen=3)


def test_an_old_article_that_turns_up_late_does_not_make_years_of_gaps(archive: Archive) -> None:
    know(archive, address(100), at=BEGUN - 86_400)
    know(archive, address(7, day=20160101), address(101))
    assert found(archive) == one(covered=2, seen=2)


def test_old_articles_alone_say_nothing(archive: Archive) -> None:
    know(archive, address(100), at=BEGUN - 86_400)
    know(archive, address(7), address(9))
    assert found(archive) == {}


def test_every_host_has_a_counter_of_its_own(known: Archive) -> None:
    know(known, address(101), address(103), address(101, "two"), address(102, "two"))
    assert found(known) == {**one(covered=4, seen=3), "two.example.cn": {"covered": 3, "seen": 3, "missing": 0}}


def test_the_pages_of_one_article_are_one_number(known: Archive) -> None:
    know(known, address(101), "http://one.example.cn/20260904/101_2.html", address(102))
    assert found(known) == one(covered=3, seen=3)


def test_lists_and_other_sites_do_not_count(known: Archive) -> None:
    know(known, address(101), address(102))
    know(known, address(500), kind=Kind.LISTING)
    know(known, address(900), of="other")
    assert found(known) == one(covered=3, seen=3)


def test_a_night_that_finds_nothing_reports_nothing(archive: Archive) -> None:
    know(archive, address(1), address(5), at=BEGUN - 86_400)
    assert found(archive) == {}


def test_a_site_without_numbers_reports_nothing(known: Archive) -> None:
    know(known, address(101), address(105))
    assert found(known, site(UNNUMBERED)) == {}


def test_many_known_articles_are_read_in_a_moment(archive: Archive) -> None:
    know(archive, *(address(number) for number in range(1_500)), at=BEGUN - 86_400)
    know(archive, address(1_502))
    assert found(archive) == one(covered=4, seen=2)


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, 400), min_size=1), st.none() | st.integers(0, 400))
def test_what_is_covered_is_seen_or_missing(numbers: set[int], last: int | None) -> None:
    said = _said(dict.fromkeys(numbers, UNDATED), None if last is None else (last, UNDATED))
    assert (said is None) == (last is None or max(numbers) <= last)
    if said is not None and last is not None:
        assert said["covered"] == max(numbers) - last + 1 == said["seen"] + said["missing"]
