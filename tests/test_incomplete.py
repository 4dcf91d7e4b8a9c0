"""Articles whose later pages are gone for good: in the corpus with what there is, marked, whatever read their captures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.archive import schema
from pipelines.archive.article_record import canonical_json
from pipelines.archive.exchange import Exchange
from pipelines.archive.stored import records
from pipelines.dedup.history import INCOMPLETE
from tests import small_site
from tests.small_site import BATTERY, ROBOT, TELESCOPE, Small, exchange, page

LAYOUT = 'next_part = ["a.next"]\n'
FIRST = page(ROBOT).replace(b"</body>", '<a class="next" href="robot_2.html">下一页</a></body>'.encode())


def gone(day: float) -> Exchange:
    return exchange("robot_2", b"<html><body><p>404</p></body></html>", day, status=404, reason="Not Found")


def well(day: float) -> Exchange:
    """Another page of the host, shown at that time."""
    return exchange("battery", page(BATTERY, "充电十分钟行驶四百公里"), day)


def told(archive: Small) -> dict[str, str]:
    """The record of every article, by URL."""
    with archive.open() as opened, opened.catalogue.snapshot() as tx:
        names = list(tx.scalars(sa.select(schema.article.c.id)))
        return {str(made["url"]): canonical_json({**made, "provenance": None}) for _, made in records(tx, names)}


def shown(archive: Small) -> dict[str, int]:
    """By URL of an article that the corpus shows, how many flags say that it is not whole."""
    return {url: made.count(f'"{INCOMPLETE}"') for url, made in told(archive).items()}


def brought(folder: Path, *groups: Sequence[Exchange]) -> Small:
    archive = small_site.small(folder, groups[0], LAYOUT)
    for number, group in enumerate(groups[1:]):
        archive.bring(group, f"more{number}")
    return archive


ROBOTS = small_site.url("robot")
ALL = (exchange("robot", FIRST, 0), well(0), gone(0.01), well(2), gone(2.01))


def test_an_article_whose_second_page_is_gone_for_good_comes_in_marked(tmp_path: Path) -> None:
    assert shown(brought(tmp_path, ALL))[ROBOTS] == 1


@pytest.mark.parametrize("some", [ALL[:4], (*ALL[:2], well(0.5), gone(0.01), gone(0.51))])
def test_one_denial_or_two_on_one_day_are_none(tmp_path: Path, some: tuple[Exchange, ...]) -> None:
    assert ROBOTS not in shown(brought(tmp_path, some))


def test_a_host_that_denied_most_of_its_pages_is_not_believed(tmp_path: Path) -> None:
    ill = [exchange(f"x{n}", b"<html><body><p>404</p></body></html>", 2.01, status=404) for n in range(3)]
    assert ROBOTS not in shown(brought(tmp_path, [*ALL, *ill]))


def test_in_whatever_order_they_come_captures_say_the_same(tmp_path: Path) -> None:
    expected = told(brought(tmp_path / "0", ALL))
    assert ROBOTS in expected
    for number, order in enumerate(([4, 3, 2, 1, 0], [0, 2, 4, 3, 1], [2, 4, 0, 1, 3]), 1):
        groups = [[ALL[place]] for place in order]
        assert told(brought(tmp_path / str(number), *groups)) == expected, order


def test_a_second_page_that_comes_after_all_makes_it_whole(tmp_path: Path) -> None:
    archive = brought(tmp_path, ALL)
    archive.bring([exchange("robot_2", page(TELESCOPE, "机器人装好一台整机"), 5)], "late")
    assert shown(archive)[ROBOTS] == 0
    assert TELESCOPE[0] in told(archive)[ROBOTS]
