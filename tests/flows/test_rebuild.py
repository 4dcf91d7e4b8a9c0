"""An archive that is made again of its WARC files goes on crawling as the first one would."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.archive import schema
from pipelines.archive.article_record import article_id
from tests.flows import crawling
from tests.flows.river import River
from tests.replica import Asked, Replica

pytestmark = pytest.mark.xdist_group("river")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """The river's archive without one article, and what was made again of its WARC files alone; each crawled for a night."""

    gone: str
    first: Path
    again: Path
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
    return Rebuilt(gone=gone, first=first, again=again, asked_by_first=night(first), asked_by_again=night(again))


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
