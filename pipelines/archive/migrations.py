"""Older catalogues are brought forward when they are opened: backup, steps and new version number in one transaction.

    version in `info` ─► is it ours? ─► backup beside it (SQLite) ─► STEPS[n], STEPS[n + 1] … ─► version ─► commit

Rules of this file: a step is the SQL of its day and never changes again, so it names no table of schema.py, which goes on
changing. It is plain enough for both databases. Whoever is killed before the commit leaves the older version, whole.
Why PostgreSQL gets no backup from us: docs/decisions/0007.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from pipelines.archive.catalogue import Catalogue
from pipelines.archive.durable import disk_fault, sync_folder
from pipelines.archive.schema import SCHEMA_VERSION
from pipelines.errors import OutOfSpace

logger = logging.getLogger(__name__)

PAGES = 2_000
"""database pages copied at a time: 8 MB"""

Step = Callable[[sa.Connection], None]


def bring_forward(catalogue: Catalogue) -> None:
    """Makes an older catalogue one of today's version and says so in one line; leaves today's alone.

    Raises OutOfSpace, ArchiveUnusable (held by another process, not writable); then nothing has changed.
    """
    if catalogue.version() >= SCHEMA_VERSION:
        return
    with catalogue.transaction() as tx:  # nobody else writes from here on: the backup is what is migrated
        version = catalogue.version_in(tx)
        if version is None or version >= SCHEMA_VERSION:
            return  # another process was quicker
        kept = _backup(catalogue, version) if catalogue.is_sqlite else None
        for number in range(version, SCHEMA_VERSION):
            STEPS[number](tx)
        tx.execute(sa.text("UPDATE info SET value = :now WHERE key = 'schema'"), {"now": str(SCHEMA_VERSION)})
    before = f"As it was, it lies in {kept}; delete that when all is well" if kept else "What it was, only your own backup has"
    logger.warning("%s: brought from schema %d to %d. %s.", catalogue.place, version, SCHEMA_VERSION, before)


def backups(catalogue: Catalogue) -> list[Path]:
    """The copies that migrations made of a catalogue, whole or not. They hold every text that it held."""
    if not catalogue.is_sqlite:
        return []
    path = Path(str(catalogue.url.database))
    return sorted([*path.parent.glob(f"{path.name}.version-*"), *path.parent.glob(f".{path.name}.*.new")])


def _backup(catalogue: Catalogue, version: int) -> Path:
    """A copy of the last committed state, durable, beside the catalogue. Raises OutOfSpace, ArchiveUnusable."""
    path = Path(str(catalogue.url.database))
    target = path.with_name(f"{path.name}.version-{version}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _copy(path, beside)
        with beside.open("rb+") as copy:
            os.fsync(copy.fileno())
        beside.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise disk_fault(target, error) from error
    except sqlite3.Error as error:
        raise OutOfSpace(
            f"{target}: the backup before the migration cannot be written ({error}). Make room for a second {path.name}"
            " and run again; nothing was changed."
        ) from error
    finally:
        for left in path.parent.glob(f".{path.name}.*.new"):  # of migrations that were killed, too
            left.unlink()
    return target


def _copy(path: Path, target: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode=OFF")  # a copy that breaks off is thrown away
        copy.execute("PRAGMA synchronous=OFF")  # the caller does it once
        source.backup(copy, pages=PAGES)


def _to_2(tx: sa.Connection) -> None:
    """Indexes that until then only new catalogues had, and who this archive is."""
    for statement in (
        "CREATE INDEX IF NOT EXISTS page_capture ON page (capture)",
        "CREATE INDEX IF NOT EXISTS page_fetched ON page (fetched_at)",
        "CREATE INDEX IF NOT EXISTS capture_url ON capture (url)",
        "CREATE INDEX IF NOT EXISTS article_order ON article (site, coalesce(published, first_seen), id)",
        "DROP TABLE IF EXISTS line",  # made by the first of them, never read since
    ):
        tx.execute(sa.text(statement))
    tx.execute(sa.text("INSERT INTO info (key, value) VALUES ('archive', :id)"), {"id": uuid.uuid4().hex})


def _to_3(tx: sa.Connection) -> None:
    """Indexes for what would be counted row by row: texts for which one shared fingerprint is enough, denials, articles."""
    for statement in (
        "CREATE INDEX IF NOT EXISTS indexed_text_short ON indexed_text (doc) WHERE size < 3",
        "CREATE INDEX IF NOT EXISTS page_gone ON page (article) WHERE kind = 'gone'",
        "CREATE INDEX IF NOT EXISTS article_standing ON article (site, status, shown)",
    ):
        tx.execute(sa.text(statement))


def _to_4(tx: sa.Connection) -> None:
    """Tombstones of which only a WARC file told, and which file tells of each. SQLite cannot take a NOT NULL back."""
    for statement in (
        "CREATE TABLE tombstone_kept AS SELECT * FROM tombstone",
        "DROP TABLE tombstone",
        (
            "CREATE TABLE tombstone (article VARCHAR NOT NULL, url TEXT, site VARCHAR NOT NULL, reason TEXT, at VARCHAR NOT NULL,"
            " file VARCHAR, PRIMARY KEY (article))"
        ),
        "INSERT INTO tombstone (article, url, site, reason, at) SELECT article, url, site, reason, at FROM tombstone_kept",
        "DROP TABLE tombstone_kept",
    ):
        tx.execute(sa.text(statement))


def _to_5(tx: sa.Connection) -> None:
    """Columns that nothing read: what they said stands elsewhere, or was never said."""
    for table, column in (("revision", "similarity"), ("host", "next_at"), ("warc_file", "checked_to")):
        tx.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN {column}"))


STEPS: Mapping[int, Step] = {1: _to_2, 2: _to_3, 3: _to_4, 4: _to_5}
"""from the version that is the key to the next"""
