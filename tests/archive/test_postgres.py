"""A catalogue in PostgreSQL gives what one in SQLite gives, also under several writers."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.archive import Archive, folder, open_archive, schema, settlement, urltable
from pipelines.archive.ledger import write_down
from pipelines.archive.schema import metadata
from pipelines.archive.settlement import settle_in_groups, settle_withdrawals
from pipelines.archive.stored import awaiting
from pipelines.archive.urltable import NewUrl, Wanted
from pipelines.errors import ArchiveUnusable, Locked
from pipelines.export import What, export
from pipelines.feed import feed
from pipelines.model import Kind, Reason, Rejection
from tests.archive import postgres
from tests.archive.made import OTHER, STORY, Event, Writer, address, archive_at, article, bring, moment, vanish, withdrawn

pytestmark = [
    pytest.mark.skipif(postgres.programs() is None, reason=f"no PostgreSQL in {postgres.DEBIAN} (apt install postgresql)"),
    pytest.mark.xdist_group("postgres"),
]
STORYBOOK = [
    Event(name="a", minute=0, shows="text"),
    Event(name="b", minute=1, shows="text"),
    Event(name="c", minute=2, shows="text", text=1),
    Event(name="a", minute=1440, shows="gone"),
    Event(name="d", minute=1441, shows="text", text=3, title=1),
    Event(name="c", minute=2880, shows="text", text=2),
    Event(name="a", minute=2882, shows="gone"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres.server() as found:
        yield found


@pytest.fixture
def archive(url: str, tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive"):
        pass  # the folder with its seeds file
    with open_archive(tmp_path / "archive", create=True, catalogue_url=url) as made:
        yield made
        with made.catalogue.transaction() as tx:
            names = ", ".join(table.name for table in metadata.sorted_tables if table.name != "info")
            tx.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
            tx.execute(schema.info.delete().where(schema.info.c.key == folder.KEY))


def raw(archive: Archive) -> bytes:
    out = io.BytesIO()
    export(archive, What(everything=True), out)
    return out.getvalue()


def unlike(number: int) -> tuple[str, ...]:
    return tuple(f"第{number}条新闻的第{part}段说的是编号{number * 7919 + part * 104729}的事情。" for part in range(3))


def test_the_same_captures_export_the_same_bytes(archive: Archive, tmp_path: Path) -> None:
    with archive_at(tmp_path / "other") as other:
        for one in (archive, other):
            bring(one, enumerate(STORYBOOK))
        assert raw(archive) == raw(other) != b""


def test_an_article_waits_for_its_second_page_and_is_cut_short_where_that_is_gone(archive: Archive) -> None:
    writer, first = Writer(archive), address("a")
    writer.says(first, moment(0), article(first, STORY, next_url=f"{first}_2"))
    for day in (0.001, 2.0):
        with archive.catalogue.transaction() as tx:
            denied = writer.capture(f"{first}_2", moment(day), status=404)
            write_down(tx, "china_tech", first, denied, Rejection(reason=Reason.GONE, detail="404"), part=2)
        writer.shows("b", day + 0.01, OTHER)  # the host was well: known behind the denial
    with archive.catalogue.transaction() as tx:
        assert awaiting(tx) == [("china_tech", first)]
        settle_withdrawals(tx, "china_tech")
        assert awaiting(tx) == []


def test_withdrawals_are_settled_in_groups_as_in_sqlite(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "GROUP", 2)
    with archive_at(tmp_path / "other") as other:
        for one in (archive, other):
            vanish(one, 5)
            settle_in_groups(one.catalogue, "china_tech", since="2024-03-02T00:00:00.000000Z")
        assert raw(archive) == raw(other)
        assert withdrawn(archive) == withdrawn(other) != []


def test_who_cannot_wait_for_another_writer_is_told_at_once(archive: Archive) -> None:
    with archive.catalogue.transaction(), pytest.raises(ArchiveUnusable), archive.catalogue.transaction(waits=False):
        pass


def test_a_number_never_becomes_visible_after_a_higher_one(archive: Archive) -> None:
    """One writer has numbered its change and not yet committed it, when another one begins."""
    writers = [Writer(archive, f"china_tech-{n}.warc.gz") for n in range(2)]
    numbered, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with archive.catalogue.transaction() as tx:
            at = address("slow")
            write_down(tx, "china_tech", at, writers[0].capture(at, moment(0)), article(at, STORY))
            numbered.set()
            finish.wait(30)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(slow)
        assert numbered.wait(30)
        second = pool.submit(writers[1].shows, "quick", 0, OTHER)
        wait([second], timeout=0.5)  # enough for it to come in before its turn, if anything let it
        between = said(archive, 0)
        finish.set()
        first.result(30)
        second.result(30)
    after = said(archive, between[-1]["cursor"])
    assert [one["op"] for one in between[:-1] + after[:-1]] == ["add", "add"]


def said(archive: Archive, since: int) -> list[dict[str, Any]]:
    with archive.catalogue.snapshot() as tx:
        return list(feed(tx, since))


def test_a_follower_of_three_writers_has_the_export(archive: Archive) -> None:
    each, done = 25, threading.Event()

    def write(number: int) -> None:
        writer = Writer(archive, f"china_tech-{number}.warc.gz")
        for n in range(each):
            writer.shows(f"w{number}n{n}", n, unlike(number * each + n))
            writer.shows(f"w{number}n{n}", n + 1, unlike(1_000 + number * each + n))

    def follow() -> dict[str, Any]:
        store: dict[str, Any] = {}
        cursor = 0
        while True:
            is_last = done.is_set()
            for one in said(archive, cursor):
                if "cursor" in one:
                    cursor = one["cursor"]
                elif one["op"] == "delete":
                    store.pop(one["id"], None)
                else:
                    store[one["id"]] = one["record"]
            if is_last:
                return store

    with ThreadPoolExecutor() as pool:
        follower = pool.submit(follow)
        try:
            for writing in [pool.submit(write, number) for number in range(3)]:
                writing.result(120)
        finally:
            done.set()
        store = follower.result(60)
    assert {name: one["text"] for name, one in store.items()} == {one["id"]: one["record"]["text"] for one in said(archive, 0)[:-1]}
    assert len(store) == 3 * each


# ── several machines ─────────────────────────────────────────────────────────────────────────────────────────────────

HOLD = """
import sys
from pipelines.archive import open_archive
with open_archive(sys.argv[1], catalogue_url=sys.argv[2]) as archive, archive.lock("china_tech"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_machine(archive: Archive, url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the site, whose lock file does not hold here: as in a network's folder that passes no locks on."""
    command = [sys.executable, "-c", HOLD, str(archive.path), url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        (archive.path / "locks" / "china_tech.lock").unlink()
        yield process
        process.kill()


def test_a_site_that_another_machine_crawls_is_locked_and_others_are_not(archive: Archive, url: str) -> None:
    with another_machine(archive, url):
        with (
            pytest.raises(Locked, match="'china_tech' is locked by another run, maybe on another machine"),
            archive.lock("china_tech"),
        ):
            pytest.fail("two runs at once")
        with archive.lock("elsewhere"):
            pass


def test_a_machine_that_dies_lets_its_site_go(archive: Archive, url: str) -> None:
    with another_machine(archive, url) as holder:
        holder.kill()
        holder.wait()
        until_free(archive)
        with archive.lock("china_tech"):
            pass


def test_a_run_whose_lock_went_with_its_connection_writes_nothing_more(archive: Archive) -> None:
    holders = sa.text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    with archive.lock("china_tech"):
        with archive.catalogue.transaction():
            pass
        with archive.catalogue.snapshot() as tx:
            assert tx.scalars(holders).all() == [True]
        until_free(archive)
        for _ in range(2):
            with (
                pytest.raises(ArchiveUnusable, match=r"held the lock of .*'china_tech', so that another run"),
                archive.catalogue.transaction(),
            ):
                pytest.fail("two runs at once")
    with archive.lock("china_tech"), archive.catalogue.transaction():
        pass


def until_free(archive: Archive) -> None:
    """The server hears of the death of its client a moment later."""
    held = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    while True:
        with archive.catalogue.snapshot() as tx:
            if not tx.scalar(held):
                return


def test_a_run_that_ends_lets_its_site_go_and_keeps_the_others(archive: Archive, url: str) -> None:
    with open_archive(archive.path, catalogue_url=url) as other, other.lock("elsewhere"):
        with other.lock("china_tech"):
            pass
        with archive.lock("china_tech"):
            pass
        (archive.path / "locks" / "elsewhere.lock").unlink()
        with pytest.raises(Locked), archive.lock("elsewhere"):
            pytest.fail("two runs at once")
    with archive.lock("elsewhere"):
        pass


def test_a_takedown_holds_more_sites_than_the_pool_has_connections(archive: Archive) -> None:
    with ExitStack() as locks:
        for number in range(40):
            locks.enter_context(archive.lock(f"site{number}"))


def test_a_folder_that_is_not_the_catalogue_s_is_refused_and_nothing_written(archive: Archive, url: str, tmp_path: Path) -> None:
    for create in (True, False):
        with pytest.raises(ArchiveUnusable, match="All machines that share a catalogue share its folder"):
            open_archive(tmp_path / "second", create=create, catalogue_url=url)
    assert [path for path in (tmp_path / "second").rglob("*") if path.is_file()] == []
    open_archive(archive.path, create=True, catalogue_url=url).close()


def test_a_folder_brought_back_without_its_id_is_taken_when_a_person_says_so(archive: Archive, url: str, tmp_path: Path) -> None:
    second = tmp_path / "second"
    shutil.copytree(archive.path / "warc", second / "warc")
    with pytest.raises(ArchiveUnusable) as refused:
        open_archive(second, catalogue_url=url)
    [told] = re.findall(r"write ([0-9a-f]{32}) into", str(refused.value))
    (second / folder.FILE).write_text(f"{told}\n")
    open_archive(second, catalogue_url=url).close()


def test_a_folder_of_an_older_version_becomes_the_catalogue_s(archive: Archive, url: str) -> None:
    (archive.path / folder.FILE).unlink()
    with archive.catalogue.transaction() as tx:
        tx.execute(schema.info.delete().where(schema.info.c.key == folder.KEY))
    open_archive(archive.path, catalogue_url=url).close()  # who only reads claims nothing
    assert not (archive.path / folder.FILE).exists()
    for _ in range(2):
        open_archive(archive.path, create=True, catalogue_url=url).close()


def test_where_a_run_begins_is_known_anew_as_in_sqlite(archive: Archive) -> None:
    def new(name: str, **rest: Any) -> NewUrl:
        return NewUrl(**{"url": f"http://a.test/{name}", "host": "a.test", "kind": Kind.LISTING, "due_at": 5.0, **rest})

    with archive.catalogue.transaction() as tx:
        urltable.discover(tx, "s", [new("aside", depth=2), new("feed"), new("page", page=2, chain="http://a.test/feed"), new("gone")], 0.0)
        urltable.set_aside(tx, "s", ["http://a.test/aside"], "timeout")
        urltable.set_aside(tx, "s", ["http://a.test/gone"], Reason.TAKEN_DOWN)
        named = [new("aside"), new("feed", kind=Kind.FEED), new("gone")]
        assert urltable.begin(tx, "s", named, 9.0) == ["http://a.test/gone"]
        rows = urltable.lease(tx, "s", Wanted(now=9.0, until=99.0, not_since=9.0, most=9))
    assert sorted((row.url[-4:], row.kind, row.depth, row.tries) for row in rows) == [
        ("feed", Kind.FEED, 0, 0),
        ("page", Kind.FEED, 0, 0),
        ("side", Kind.LISTING, 0, 0),
    ]
