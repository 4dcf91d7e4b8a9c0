"""Opening a run: the lock first, then the archive; closing it: the books, then the lock."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler.session import MIN_FREE_BYTES, earlier_runs, last_books, open_session
from pipelines.archive import open_archive, schema
from pipelines.archive.borrowed import Borrowed, Promise, borrowed
from pipelines.archive.urltable import State
from pipelines.archive.warc import read_captures
from pipelines.errors import ArchiveUnusable, Locked, NewerArchive, OutOfSpace, SeedsError
from tests.crawler import made
from tests.crawler.made import address


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    path = tmp_path / "news.toml"
    path.write_text(made.SEEDS, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def runs(folder: Path) -> list[sa.Row[tuple[object, ...]]]:
    with open_archive(folder) as archive, archive.catalogue.snapshot() as tx:
        return list(tx.execute(sa.select(schema.run).order_by(schema.run.c.id)))


def test_a_run_is_on_record_from_its_beginning_to_its_end(seeds: Path, folder: Path) -> None:
    session = open_session(seeds, folder)
    assert [(row.site, row.ended, row.status) for row in runs(folder)] == [("news", None, None)]
    session.close(status=0, ledger={"lists": 3})
    [row] = runs(folder)
    assert (row.status, json.loads(row.ledger)) == (0, {"lists": 3})
    assert row.ended >= row.started


def test_a_run_that_failed_notes_its_end_where_the_catalogue_can_be_written(seeds: Path, folder: Path) -> None:
    session = open_session(seeds, folder)
    session.fail(OutOfSpace("full"))
    session.close(status=23)
    assert [row.status for row in runs(folder)] == [23]


def test_a_run_that_failed_does_not_wait_for_a_catalogue_that_is_held(seeds: Path, folder: Path) -> None:
    """It has waited once, or it would not have failed; what it ended with is not hidden by a second fault."""
    session = open_session(seeds, folder)
    with closing(sqlite3.connect(folder / "catalogue.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        session.fail(ArchiveUnusable("held"))
        session.close(status=21)
    assert [row.ended for row in runs(folder)] == [None]
    open_session(seeds, folder).close(status=0)


def test_closing_twice_is_closing_once(seeds: Path, folder: Path) -> None:
    session = open_session(seeds, folder)
    session.close(status=0, ledger={"lists": 3})
    session.close(status=1)
    assert [row.status for row in runs(folder)] == [0]


def test_a_run_that_did_not_close_its_books_is_no_history(seeds: Path, folder: Path) -> None:
    for status, ledger in ((0, {"lists": 3}), (1, None), (0, {"lists": 5})):
        open_session(seeds, folder).close(status=status, ledger=ledger)
    killed = open_session(seeds, folder)
    with killed.archive.catalogue.snapshot() as tx:
        assert earlier_runs(tx, "news", most=7) == [{"lists": 5}, {"lists": 3}]
        assert earlier_runs(tx, "news", most=1) == [{"lists": 5}]
        assert earlier_runs(tx, "elsewhere", most=7) == []
        assert last_books(tx, "news") == runs(folder)[2].started
        assert last_books(tx, "elsewhere") is None
    killed.close(status=1)


def test_a_second_run_leaves_and_touches_nothing(seeds: Path, folder: Path) -> None:
    first = open_session(seeds, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(Locked, match="process"):
        open_session(seeds, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    first.close(status=0)
    open_session(seeds, folder).close(status=0)


def test_another_site_may_run_in_the_same_archive(seeds: Path, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(made.SEEDS.replace('"news"', '"other"'), encoding="utf-8")
    sessions = [open_session(seeds, folder), open_session(other, folder)]
    for session in sessions:
        session.close(status=0)


def test_leases_of_a_run_that_was_killed_go_back(seeds: Path, folder: Path) -> None:
    session = open_session(seeds, folder)
    made.known(session, address(1), address(2))
    assert len(made.leased(session)) == 2
    session.exits.close()  # as the system does it for a process that dies
    after = open_session(seeds, folder)
    assert {made.row_of(after, address(number)).state for number in (1, 2)} == {State.PENDING}
    assert {made.row_of(after, address(number)).tries for number in (1, 2)} == {0}
    after.close(status=0)


def test_the_rules_that_a_run_reads_by_are_kept(seeds: Path, folder: Path) -> None:
    session = open_session(seeds, folder)
    session.close(status=0)
    assert (folder / "seeds" / f"{session.site.digest}.toml").read_bytes() == seeds.read_bytes()


def test_a_full_disk_is_said_before_the_run_and_the_lock_let_go(seeds: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")  # what shutil gives
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: usage(1, 1, MIN_FREE_BYTES - 1))
        with pytest.raises(OutOfSpace, match="Free some space"):
            open_session(seeds, folder)
    assert runs(folder) == []
    open_session(seeds, folder).close(status=0)


def test_wrong_seeds_open_nothing(seeds: Path, folder: Path) -> None:
    seeds.write_text("name = 7", encoding="utf-8")
    with pytest.raises(SeedsError):
        open_session(seeds, folder)
    assert not folder.exists()


def test_an_archive_that_cannot_be_used_lets_the_lock_go(seeds: Path, folder: Path) -> None:
    with open_archive(folder, create=True) as archive, archive.catalogue.transaction() as tx:
        tx.execute(schema.info.update().values(value="99"))
    for _ in range(2):
        with pytest.raises(NewerArchive):
            open_session(seeds, folder)
    shutil.rmtree(folder)
    folder.write_text("a file")
    with pytest.raises(ArchiveUnusable):
        open_session(seeds, folder)


def test_a_fault_is_kept_and_stops_the_run(seeds: Path, folder: Path) -> None:
    session = open_session(seeds, folder)
    stopped: list[str] = []
    session.stop = lambda: stopped.append("asked to stop")
    session.fail(OutOfSpace("the disk is full"))
    assert [str(fault) for fault in session.faults] == ["the disk is full"]
    assert stopped == ["asked to stop"]
    session.close(status=23)


def test_what_other_archives_had_goes_to_files_of_its_own(seeds: Path, folder: Path) -> None:
    session = open_session(seeds, folder)
    promise = Promise(source="http://web.test/x", url=address(1), at="20240301020304")
    dated = (("Memento-Datetime", "Fri, 01 Mar 2024 02:03:04 GMT"),)
    taken = borrowed(promise, made.exchange(promise.source, made.article_page(1), headers=dated))
    assert isinstance(taken, Borrowed)
    capture = session.take(taken, made.NOW)
    assert capture.warc is not None
    assert capture.warc.file.startswith("news-backfill-20260907")
    session.close(status=0)
    assert list(read_captures(folder / "warc" / capture.warc.file)) == [capture]
