"""A glance counts what there is, by site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.archive import Archive, schema, urltable
from pipelines.archive.article_record import canonical_json
from pipelines.archive.urltable import NewUrl, State, Wanted
from pipelines.model import Kind
from pipelines.overview import FOR_COMPARISON, Frontier, glance, runs
from tests.archive.made import OTHER, Writer, archive_at


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        yield made


def add_run(archive: Archive, site: str = "china_tech", status: int | None = 0, ledger: dict[str, object] | None = None) -> int:
    ended = None if status is None else "2024-03-01T03:00:00.000000Z"
    row = {"site": site, "started": "2024-03-01T02:00:00.000000Z", "ended": ended, "status": status}
    with archive.catalogue.transaction() as tx:
        key = tx.execute(schema.run.insert().values(**row, ledger=None if ledger is None else canonical_json(ledger))).inserted_primary_key
    assert key is not None
    return int(key[0])


def test_an_empty_archive_has_nothing(archive: Archive) -> None:
    seen = glance(archive, 0.0)
    assert (seen.articles, seen.clusters, seen.shared, seen.largest) == ({}, 0, 0, 0)
    assert (seen.frontiers, seen.runs, seen.cursor, seen.warc_files, seen.warc_bytes) == ({}, {}, 0, 0, 0)
    assert seen.catalogue_bytes > 0


def test_articles_are_counted_by_status_and_by_what_the_corpus_shows(archive: Archive) -> None:
    writer = Writer(archive)
    writer.shows("a", 0)
    writer.shows("b", 1)
    writer.shows("c", 0, OTHER)
    writer.withdrawn("c", 1)
    writer.shows("d", 0, ("第三条消息。", "说的是完全不同的另一件事，与前面两条没有关系。"), quarantine="its date is in the future")
    seen = glance(archive, 0.0)
    assert seen.articles == {"china_tech": {"active": 2, "withdrawn": 1, "quarantined": 1, "shown": 1}}
    assert (seen.clusters, seen.shared, seen.largest) == (3, 1, 2)
    assert seen.cursor > 0


def test_urls_are_counted_by_state_and_by_when_they_are_due(archive: Archive) -> None:
    urls = [NewUrl(url=f"https://h.example/{due}", host="h.example", kind=Kind.ARTICLE, due_at=float(due)) for due in (5, 7, 20)]
    with archive.catalogue.transaction() as tx:
        urltable.discover(tx, "china_tech", urls, 0.0)
        urltable.lease(tx, "china_tech", Wanted(now=6.0, until=60.0, not_since=0.0, most=1))
    assert glance(archive, 10.0).frontiers == {"china_tech": Frontier(states={State.PENDING: 2, State.LEASED: 1}, due=1, next_due=7.0)}


def test_what_is_set_aside_is_never_due(archive: Archive) -> None:
    with archive.catalogue.transaction() as tx:
        urltable.discover(tx, "s", [NewUrl(url="https://h.example/", host="h.example", kind=Kind.ARTICLE, due_at=0.0)], 0.0)
        tx.execute(schema.url.update().values(state=State.SET_ASIDE))
    assert glance(archive, 10.0).frontiers == {"s": Frontier(states={State.SET_ASIDE: 1}, due=0, next_due=None)}


def test_runs_come_newest_first_with_as_many_before_as_are_compared(archive: Archive) -> None:
    numbers = [add_run(archive, ledger={"site": "china_tech", "n": n}) for n in range(FOR_COMPARISON + 3)]
    add_run(archive, site="other", status=None)
    seen = glance(archive, 0.0)
    assert [one.id for one in seen.runs["china_tech"]] == numbers[::-1][: FOR_COMPARISON + 1]
    assert seen.runs["china_tech"][0].ledger == {"site": "china_tech", "n": FOR_COMPARISON + 2}
    assert (seen.runs["other"][0].ended, seen.runs["other"][0].ledger) == (None, None)
    with archive.catalogue.snapshot() as tx:
        assert [one.id for one in runs(tx, "china_tech", until=numbers[1])] == [numbers[1], numbers[0]]


def test_warc_files_are_counted_with_their_bytes(archive: Archive) -> None:
    (archive.warc_folder / "a-1.warc.gz").write_bytes(b"x" * 100)
    (archive.warc_folder / "a-2.warc.gz").write_bytes(b"x" * 23)
    (archive.warc_folder / "notes.txt").write_bytes(b"x")
    seen = glance(archive, 0.0)
    assert (seen.warc_files, seen.warc_bytes) == (2, 123)
