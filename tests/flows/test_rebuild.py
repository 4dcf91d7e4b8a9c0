"""An archive that is made again of its WARC files goes on crawling as the first one would."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crawler.visits import start_urls
from pipelines.archive import schema
from pipelines.archive.article_record import article_id
from pipelines.site import load_site
from tests.flows import crawling
from tests.flows.river import River
from tests.replica import Asked, Replica

pytestmark = pytest.mark.xdist_group("river")

DUE = 100
"""articles of which the time comes at which they are asked again"""
AS_THEY_WERE = (
    *("site", "host", "kind", "state", "page", "priority", "tries", "reason", "hints", "last_status", "visits"),
    *("etag", "last_modified", "captured_url", "captured_at"),
)
SECONDS = 120.0
"""between the list that led to a page and its answer, at most: when it was discovered, and what is reckoned from then, differs so much"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """The river's archive without one article, and what was made again of its WARC files alone; each crawled for a night."""

    gone: str
    first: Path
    again: Path
    rows_of_first: dict[str, Any]
    rows_of_again: dict[str, Any]
    """of articles that were fetched, before that night"""
    asked_by_first: tuple[Asked, ...]
    asked_by_again: tuple[Asked, ...]


def succeed(*arguments: object) -> None:
    done = crawling.run([*crawling.SCRAPY, *map(str, arguments)])
    assert done.returncode == 0, done.stderr


def night(archive: Path) -> tuple[Asked, ...]:
    with Replica(day=3) as replica:
        done = crawling.crawl(replica, archive)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return tuple(replica.requests)


@pytest.fixture(scope="module")
def rebuilt(river: River, tmp_path_factory: pytest.TempPathFactory) -> Rebuilt:
    folder = tmp_path_factory.mktemp("rebuilt")
    first, again = folder / "first", folder / "again"
    shutil.copytree(river.archive, first)
    gone = next(url for url, true in river.truth[3].items() if true.variant == "normal" and url in river.nights["third"].shown)
    succeed("takedown", "--archive", first, "--url", gone, "--reason", "a court said so")
    succeed("replay", "--archive", again, *crawling.warc_files(first))
    known = rows(first), rows(again)
    due = [url for url, row in known[0].items() if row.etag is not None and url != gone][-DUE:]
    for archive in (first, again):
        crawling.make_due(archive, due)
    nights = night(first), night(again)
    return Rebuilt(
        gone=gone,
        first=first,
        again=again,
        rows_of_first=known[0],
        rows_of_again=known[1],
        asked_by_first=nights[0],
        asked_by_again=nights[1],
    )


def rows(archive: Path) -> dict[str, Any]:
    visited = sa.and_(schema.url.c.kind == "article", schema.url.c.last_status.is_not(None))
    return {row.url: row for row in crawling.rows(archive, sa.select(schema.url).where(visited))}


def test_what_was_taken_down_is_not_asked_for_again(rebuilt: Rebuilt) -> None:
    assert rebuilt.asked_by_again
    assert rebuilt.gone not in {one.url for one in rebuilt.asked_by_again}
    assert rebuilt.gone not in crawling.all_records(rebuilt.again)
    [state] = crawling.column(rebuilt.again, sa.select(schema.url.c.state).where(schema.url.c.url == rebuilt.gone))
    assert state == "set_aside", "its lists lead to it still"
    assert crawling.column(rebuilt.again, sa.select(schema.tombstone.c.article)) == [article_id(rebuilt.gone)]


def test_a_rebuilt_archive_is_true_and_holds_what_the_first_one_holds(rebuilt: Rebuilt) -> None:
    succeed("verify", "--archive", rebuilt.again)
    assert crawling.all_records(rebuilt.again).keys() == crawling.all_records(rebuilt.first).keys()


def test_every_article_that_was_fetched_is_known_as_the_crawl_had_left_it(rebuilt: Rebuilt) -> None:
    first, again = rebuilt.rows_of_first, rebuilt.rows_of_again
    assert len(again) > DUE
    assert again.keys() == first.keys() - {rebuilt.gone}
    wrong = [(url, name) for url, row in again.items() for name in AS_THEY_WERE if getattr(row, name) != getattr(first[url], name)]
    led_to = {row.captured_url for url, row in first.items() if row.captured_url != url}
    assert [
        one for one in wrong if one not in {(url, "hints") for url in led_to}
    ] == []  # the files know what the list of the redirect said


@pytest.mark.parametrize("name", ["discovered_at", "last_fetched", "last_changed", "due_at"])
def test_the_times_of_its_visits_are_those_of_the_captures(rebuilt: Rebuilt, name: str) -> None:
    times = {url: (getattr(row, name), getattr(rebuilt.rows_of_first[url], name)) for url, row in rebuilt.rows_of_again.items()}
    assert [url for url, (again, first) in times.items() if again != (first and pytest.approx(first, abs=SECONDS))] == []


def articles(asked: tuple[Asked, ...]) -> list[tuple[str, bool, int]]:
    kinds = ("article", "not found", "redirect")
    return sorted((one.url, one.conditional, one.status) for one in asked if one.kind in kinds)


def test_its_next_night_asks_for_the_articles_that_the_first_asks_for_on_the_same_conditions(rebuilt: Rebuilt) -> None:
    asked = articles(rebuilt.asked_by_again)
    assert asked == articles(rebuilt.asked_by_first)
    assert len([url for url, conditional, status in asked if conditional and status == 304]) >= DUE


def test_its_lists_are_read_once_more_without_a_condition(rebuilt: Rebuilt) -> None:
    """What they led to and nobody had fetched yet, they alone know."""
    lists = [one for one in rebuilt.asked_by_again if one.kind not in ("article", "not found", "redirect", "robots")]
    assert len({one.url for one in lists}) > len(start_urls(load_site(crawling.SEEDS / "china_tech.toml")))
    assert [one.url for one in lists if one.conditional] == []
