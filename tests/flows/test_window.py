"""A first run of certain days hides nothing from later nights: they end where an archive without such a run ends, at its cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.archive import schema
from pipelines.model import Kind
from tests.flows import crawling
from tests.replica import Replica

pytestmark = pytest.mark.xdist_group("backcrawl")

LIST = "http://app.tech.china.com.cn/news/live.php?channel=科技&p={page}"
WINDOWS = {
    "recent": ("-a", "since=2026-08-01"),
    "old": ("-a", "until=2025-12-31"),
    "between": ("-a", "since=2026-06-01", "-a", "until=2026-08-15"),
    "to_come": ("-a", "since=2026-12-01"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What its runs came to: the article URLs that are known, after the first run and in the end, and the lists that the last asked for."""

    first: frozenset[str]
    known: frozenset[str]
    lists: tuple[str, ...]


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica(day=0) as replica:
        yield replica


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crawling.small_seeds(tmp_path_factory.mktemp("seeds"), [LIST])


def nights(replica: Replica, archive: Path, seeds: Path, *runs: tuple[str, ...]) -> Archive:
    first: frozenset[str] | None = None
    for arguments in runs:
        replica.reset()
        crawling.crawl(replica, archive, *arguments, seeds=seeds)
        first = known(archive) if first is None else first
    assert first is not None
    return Archive(first=first, known=known(archive), lists=tuple(one.url for one in replica.requests if one.kind == "list"))


def known(archive: Path) -> frozenset[str]:
    return frozenset(crawling.column(archive, sa.select(schema.url.c.url).where(schema.url.c.kind == Kind.ARTICLE)))


@pytest.fixture(scope="module")
def undisturbed(replica: Replica, seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return nights(replica, tmp_path_factory.mktemp("undisturbed") / "archive", seeds, (), (), ())


@pytest.mark.parametrize("window", list(WINDOWS))
def test_nights_after_a_run_of_certain_days_know_what_an_archive_without_it_knows(
    replica: Replica, seeds: Path, undisturbed: Archive, tmp_path: Path, window: str
) -> None:
    archive = nights(replica, tmp_path / "archive", seeds, WINDOWS[window], (), (), ())
    assert archive.first < undisturbed.known, "else it is no test"
    assert archive.known == undisturbed.known
    assert archive.lists == undisturbed.lists, "a night with nothing new costs what it costs without a window"


def test_two_windows_that_meet_hide_nothing_either(replica: Replica, seeds: Path, undisturbed: Archive, tmp_path: Path) -> None:
    archive = nights(replica, tmp_path / "archive", seeds, WINDOWS["recent"], WINDOWS["between"], (), (), ())
    assert archive.known == undisturbed.known
    assert archive.lists == undisturbed.lists
