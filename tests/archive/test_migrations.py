"""An older catalogue becomes one of today's with nothing lost, whatever kills it on the way."""

from __future__ import annotations

import io
import logging
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.archive import Archive, open_archive, schema
from pipelines.archive.migrations import STEPS, backups
from pipelines.errors import CatalogueDamaged
from pipelines.export import What, export
from pipelines.feed import feed
from pipelines.takedown import Which, alone, takedown
from pipelines.verify import verify
from tests.archive import postgres
from tests.crawler.commands.invoke import invoke
from tests.small_site import BATTERY, START, Small, exchange, page, site, small, url

VERSIONS = Path(__file__).parent / "versions"
LATER = exchange("battery", page((*BATTERY[:2], "第一批样车已经装好，正在等待路试的许可。"), "充电十分钟行驶四百公里"), 3)


def exported(archive: Archive) -> bytes:
    out = io.BytesIO()
    export(archive, What(everything=True), out)
    return out.getvalue()


def changes(archive: Archive) -> list[object]:
    with archive.catalogue.snapshot() as tx:
        return list(feed(tx, 0))


def statements(dialect: str, version: int = 1) -> list[str]:
    """The SQL that a version's software made a new catalogue with."""
    text = (VERSIONS / f"{version}.{dialect}.sql").read_text("utf-8")
    return [one for one in re.sub(r"^--.*\n", "", text).split(";\n") if one.strip()]


def age(database: Path) -> None:
    """Puts the rows of a catalogue into one of version 1, which takes its place."""
    old = database.with_name("old.db")
    with closing(sqlite3.connect(old)) as made:
        for statement in statements("sqlite"):
            made.execute(statement)
        made.execute("ATTACH ? AS now", (str(database),))
        tables = [name for (name,) in made.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        for name in set(tables) - {"info", "line"}:
            columns, today = ([row[1] for row in made.execute(f"PRAGMA {of}.table_info({name})")] for of in ("main", "now"))
            taken = ", ".join(f'"{column}"' if column in today else "0" for column in columns)  # 0: a column that was dropped since
            made.execute(f"INSERT INTO main.{name} SELECT {taken} FROM now.{name}")  # noqa: S608 -- names of ours
        made.commit()
    for file in database.parent.glob("catalogue.db*"):
        file.unlink()
    old.rename(database)


@pytest.fixture
def old(tmp_path: Path) -> tuple[Small, bytes, list[object]]:
    """An archive of version 1, and what it exports and feeds."""
    made = small(tmp_path)
    made.bring([LATER], "later")
    with made.open() as archive:
        told = exported(archive), changes(archive)
    age(made.folder / "catalogue.db")
    return (made, *told)


def shape(database: Path) -> dict[str, str]:
    """The SQL of every table and index."""
    with closing(sqlite3.connect(database)) as opened:
        rows = opened.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")").strip() for name, sql in rows}


def version(database: Path) -> int:
    with closing(sqlite3.connect(database)) as opened:
        return int(opened.execute("SELECT value FROM info WHERE key = 'schema'").fetchone()[0])


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_is_a_step_from_every_older_version() -> None:
    assert sorted(STEPS) == list(range(1, schema.SCHEMA_VERSION))


def test_an_older_archive_says_and_tells_what_it_did_before(old: tuple[Small, bytes, list[object]]) -> None:
    made, before, told = old
    with open_archive(made.folder) as archive:
        assert exported(archive) == before != b""
        assert changes(archive) == told
        assert verify(archive).as_json()["findings"] == []
    assert version(made.folder / "catalogue.db") == schema.SCHEMA_VERSION


def test_the_steps_make_what_a_new_catalogue_has(old: tuple[Small, bytes, list[object]], tmp_path: Path) -> None:
    made, *_ = old
    made.open().close()
    open_archive(tmp_path / "new", create=True).close()
    assert shape(made.folder / "catalogue.db") == shape(tmp_path / "new" / "catalogue.db")


def test_a_migrated_archive_goes_on(old: tuple[Small, bytes, list[object]]) -> None:
    made, *_ = old
    made.bring([exchange("battery", page(BATTERY, "充电十分钟行驶四百公里"), 4)], "evenlater")
    with made.open() as archive:
        assert verify(archive).passed


def test_the_backup_is_the_catalogue_as_it_was(old: tuple[Small, bytes, list[object]]) -> None:
    made, *_ = old
    database = made.folder / "catalogue.db"
    with closing(sqlite3.connect(database)) as opened:
        before = list(opened.iterdump())
    with made.open() as archive:
        (copy,) = backups(archive.catalogue)
    assert re.fullmatch(r"catalogue\.db\.version-1\.\d{8}T\d{6}Z", copy.name)
    with closing(sqlite3.connect(copy)) as opened:
        assert list(opened.iterdump()) == before
    copy.rename(made.folder / "aside")
    for file in made.folder.glob("catalogue.db*"):
        file.unlink()
    (made.folder / "aside").rename(database)  # and it can take its place again
    with made.open() as archive:
        assert verify(archive).passed


def test_people_are_told_in_one_line_what_was_done_and_where_the_backup_is(
    old: tuple[Small, bytes, list[object]], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    made, *_ = old
    with caplog.at_level(logging.WARNING):
        assert invoke(capsys, "status", "--archive", made.folder).status == 0
        (line,) = caplog.messages
        with made.open() as archive:
            (copy,) = backups(archive.catalogue)
        assert f"brought from schema 1 to {schema.SCHEMA_VERSION}" in line
        assert str(copy) in line
    assert caplog.messages == [line], "opened again, there is nothing to tell"


def test_todays_archive_is_left_alone(tmp_path: Path) -> None:
    made = small(tmp_path)
    with made.open() as archive:
        assert backups(archive.catalogue) == []


def test_a_takedown_removes_backups_which_hold_the_text(old: tuple[Small, bytes, list[object]]) -> None:
    made, *_ = old
    with made.open() as archive:
        assert len(backups(archive.catalogue)) == 1
        with alone(archive):
            takedown(archive, Which(url=url("battery")), "a court said so", START, lambda _: site())
        assert backups(archive.catalogue) == []


def test_takedowns_of_an_older_version_are_kept_and_told_in_a_warc_file(tmp_path: Path) -> None:
    made = small(tmp_path)
    with made.open() as archive, alone(archive):
        takedown(archive, Which(url=url("battery")), "a court said so", START, lambda _: site())
    [told] = (made.folder / "warc").glob("takedown-*")
    content = told.read_bytes()
    told.unlink()
    age(made.folder / "catalogue.db")
    with made.open() as archive:
        with archive.catalogue.snapshot() as tx:
            [stone] = tx.execute(sa.select(schema.tombstone))
        assert (stone.url, stone.reason, stone.file) == (url("battery"), "a court said so", told.name)
        assert told.read_bytes() == content
        assert verify(archive).as_json()["findings"] == []


# ── who an archive is ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_archive_has_a_name_of_its_own_for_good(tmp_path: Path, old: tuple[Small, bytes, list[object]]) -> None:
    def name(folder: Path) -> str:
        with open_archive(folder, create=True) as archive:
            return archive.id

    folders = [tmp_path / "one", tmp_path / "two", old[0].folder]
    names = [name(folder) for folder in folders]
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in names)
    assert [name(folder) for folder in folders] == names


def test_an_archive_without_a_name_is_damaged(tmp_path: Path) -> None:
    with open_archive(tmp_path / "one", create=True) as archive:
        with archive.catalogue.transaction() as tx:
            tx.execute(schema.info.delete().where(schema.info.c.key == schema.ARCHIVE_ID))
        with pytest.raises(CatalogueDamaged, match="says nothing of whose catalogue it is"):
            _ = archive.id


# ── what breaks off ──────────────────────────────────────────────────────────────────────────────────────────────────

KILLED = """
import itertools, os, shutil, signal, sqlite3, sys
import sqlalchemy as sa
from pipelines.archive import migrations, open_archive

folder, at = sys.argv[1], int(sys.argv[2])
count = itertools.count()

def step(*_):
    if next(count) == at:
        os.kill(os.getpid(), signal.SIGKILL)

sa.event.listen(sa.Engine, "before_cursor_execute", step)
sa.event.listen(sa.Engine, "commit", step)
copy = migrations._copy
def copied(*paths):
    copy(*paths)
    step()
migrations._copy = copied
open_archive(folder).close()
"""


def kills(folder: Path) -> Iterator[int]:
    """Opens copies of an archive in processes that are killed at their first statement, their second …; ends when one is not."""
    for at in range(100):
        yield at
        done = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(at)], check=False, capture_output=True)
        if done.returncode == 0:
            return
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_whoever_is_killed_leaves_one_version_or_the_other(old: tuple[Small, bytes, list[object]], tmp_path: Path) -> None:
    """Each process goes on with what the one before it left: killed earlier or later in the same work."""
    made, before, told = old
    database = made.folder / "catalogue.db"
    first, seen = shape(database), []
    open_archive(tmp_path / "new", create=True).close()
    todays = shape(tmp_path / "new" / "catalogue.db")
    for _ in kills(made.folder):
        found = version(database)
        assert shape(database) == (first if found == 1 else todays)
        seen.append(found)
    assert seen.count(1) > 10, "killed before its commit, each statement of it"
    assert seen == sorted(seen)
    assert version(database) == schema.SCHEMA_VERSION
    with open_archive(made.folder) as archive:
        assert exported(archive) == before
        assert changes(archive) == told
    assert not list(made.folder.glob(".*.new"))


FULL = """
import resource, sys
from pipelines.archive import open_archive
from pipelines.errors import OutOfSpace

resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
try:
    open_archive(sys.argv[1])
except OutOfSpace as error:
    print(error)
"""


def test_without_room_for_a_backup_nothing_is_changed(old: tuple[Small, bytes, list[object]]) -> None:
    made, before, _ = old
    database = made.folder / "catalogue.db"
    content = database.read_bytes()
    assert len(content) > 40_000
    done = subprocess.run([sys.executable, "-c", FULL, str(made.folder)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr  # it raised OutOfSpace
    assert "nothing was changed" in done.stdout
    assert version(database) == 1
    assert not [path for path in made.folder.iterdir() if path.name.startswith((".catalogue", "catalogue.db.v"))]
    with made.open() as archive:
        assert exported(archive) == before


# ── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.xdist_group("postgres")
@pytest.mark.skipif(postgres.programs() is None, reason=f"no PostgreSQL in {postgres.DEBIAN} (apt install postgresql)")
def test_an_older_catalogue_in_postgresql_is_migrated_in_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with postgres.server() as address:
        engine = sa.create_engine(address)

        def found() -> tuple[str, set[str]]:
            with engine.connect() as tx:
                number = tx.scalar(sa.text("SELECT value FROM info WHERE key = 'schema'"))
                return str(number), set(tx.scalars(sa.text("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")))

        with engine.begin() as tx:
            for statement in statements("postgresql"):
                tx.execute(sa.text(statement))
        (tmp_path / "archive").mkdir()
        before = found()

        def broken(tx: sa.Connection) -> None:
            STEPS[1](tx)
            raise InterruptedError

        with monkeypatch.context() as patch:
            patch.setattr("pipelines.archive.migrations.STEPS", {1: broken})
            with pytest.raises(InterruptedError):
                open_archive(tmp_path / "archive", catalogue_url=address)
        assert found() == before
        with open_archive(tmp_path / "archive", catalogue_url=address) as archive:
            assert len(archive.id) == 32
            assert backups(archive.catalogue) == []
        assert "only your own backup has" in caplog.text
        migrated = found()
        with engine.begin() as tx:
            tx.execute(sa.text("DROP SCHEMA public CASCADE"))
            tx.execute(sa.text("CREATE SCHEMA public"))
        open_archive(tmp_path / "archive", create=True, catalogue_url=address).close()
        assert found() == migrated
        engine.dispose()
