"""The catalogue's connection: opening, checking, transactions, and the few statements that differ by dialect.

SQLite (WAL) in the archive's folder by default; PostgreSQL by URL, the same code. What is written, and when, is
decided elsewhere (`ledger.py`, `urltable.py`, `feed`); here a transaction either happens whole or raises one of
`errors`: OutOfSpace, ArchiveUnusable, CatalogueDamaged, NewerArchive.
"""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from pipelines.archive import schema
from pipelines.archive.prepared import Prepared
from pipelines.errors import ArchiveError, ArchiveUnusable, CatalogueDamaged, Locked, NewerArchive, OutOfSpace

BUSY_SECONDS = 30.0
"""How long a writer waits for another process's transaction; a grouped commit takes 8 to 15 ms."""
AT_ONCE = 0.001
"""in its place, for who has waited already; 0 means "for ever" to PostgreSQL"""

_DAMAGED = "the catalogue is damaged: restore it from a backup, or rebuild it with `scrapy replay` from warc/"
_SQLITE_FAULTS: tuple[tuple[str, type[ArchiveError], str], ...] = (
    ("database or disk is full", OutOfSpace, "the disk is full: free some space and run again; nothing committed was lost"),
    ("disk i/o error", OutOfSpace, "the disk does not take what is written. Free some space and run again; nothing committed was lost"),
    ("readonly database", ArchiveUnusable, "the catalogue cannot be written: check the owner and mode of the folder and its files"),
    ("unable to open", ArchiveUnusable, "the catalogue cannot be opened: check that the folder exists and may be written"),
    ("is locked", ArchiveUnusable, f"another process has held the catalogue for {BUSY_SECONDS:.0f} s: see which, and run again"),
    ("could not decode", CatalogueDamaged, _DAMAGED),
    ("malformed", CatalogueDamaged, _DAMAGED),
    ("not a database", CatalogueDamaged, "catalogue.db is no SQLite database: restore it, or rebuild it with `scrapy replay` from warc/"),
)


class Catalogue:
    """One database. `transaction()` writes, `snapshot()` reads; both give a SQLAlchemy Connection."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.place = self.url.database if self.is_sqlite else self.url.render_as_string(hide_password=True)
        self._engine = _engine(self.url)
        self._holder: sa.Connection | None = None
        """the connection with whose end, however it comes, the locks go"""
        self._held: list[str] = []
        """what is locked by it"""

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def create(self) -> None:
        """Makes the tables where there is no catalogue. Raises what `check` and `transaction` do."""
        if not self.is_made():
            with self._translated(), self._engine.begin() as tx:
                schema.metadata.create_all(tx)
                if self.version_in(tx) is None:  # else another process was quicker
                    first = {"schema": str(schema.SCHEMA_VERSION), schema.ARCHIVE_ID: uuid.uuid4().hex}
                    tx.execute(schema.info.insert(), [{"key": key, "value": value} for key, value in first.items()])
        self.check()

    def is_made(self) -> bool:
        """Whether it has its tables. Raises ArchiveUnusable, CatalogueDamaged."""
        with self.snapshot() as tx:
            return sa.inspect(tx).has_table("info")

    def check(self) -> None:
        """Refuses what this version cannot read; an older one is migrations.py's. Raises NewerArchive, ArchiveUnusable,
        CatalogueDamaged."""
        if (version := self.version()) > schema.SCHEMA_VERSION:
            raise NewerArchive(
                f"{self.place}: written by a newer version of this software (schema {version}; this one knows {schema.SCHEMA_VERSION})."
                " Update the software; nothing was touched."
            )

    def version(self) -> int:
        """Of its schema. Raises ArchiveUnusable, CatalogueDamaged."""
        with self.snapshot() as tx:
            if not sa.inspect(tx).has_table("info"):
                raise ArchiveUnusable(f"{self.place}: holds no catalogue. Expected an archive made by `scrapy crawl` or `scrapy replay`.")
            version = self.version_in(tx)
        if version is None or version < 1:
            raise CatalogueDamaged(f"{self.place}: says nothing of its schema's version. Restore the catalogue, or rebuild it from warc/.")
        return version

    def version_in(self, tx: sa.Connection) -> int | None:
        value = tx.scalar(sa.select(schema.info.c.value).where(schema.info.c.key == "schema"))
        return None if value is None else int(value)

    def identity(self) -> str:
        """Who this archive is: 32 hex digits, made once with its catalogue. Raises CatalogueDamaged."""
        with self.snapshot() as tx:
            value: str | None = tx.scalar(sa.select(schema.info.c.value).where(schema.info.c.key == schema.ARCHIVE_ID))
        if value is None:
            raise CatalogueDamaged(f"{self.place}: says nothing of whose catalogue it is. Restore the catalogue, or rebuild it from warc/.")
        return value

    def integrity(self) -> list[str]:
        """What the database's own check complains of; empty when it is sound."""
        if not self.is_sqlite:
            return []
        with self.snapshot() as tx:
            return [row[0] for row in tx.execute(sa.text("PRAGMA integrity_check")) if row[0] != "ok"]

    def scrub(self) -> None:
        """Leaves nothing of deleted rows in the database's files. Raises ArchiveUnusable while another process reads it.

        Zeroing deleted cells (secure_delete) is not enough: a page that was split keeps copies of moved cells in its free
        middle. VACUUM writes every page anew. On PostgreSQL nothing is done here: its rows go with its own VACUUM.
        """
        if not self.is_sqlite:
            return
        with self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            try:
                raw.execute("PRAGMA temp_store=FILE")  # the copy is as large as the catalogue
                raw.execute("VACUUM")
                (busy, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                raw.execute("PRAGMA temp_store=MEMORY")
            except sqlite3.OperationalError as error:
                raise ArchiveUnusable(f"{self.place}: cannot be cleaned of deleted rows now ({error}). Run the command again.") from error
        if busy:
            raise ArchiveUnusable(
                f"{self.place}: another process reads the catalogue, so its log keeps deleted rows. Run the command again."
            )

    @contextmanager
    def transaction(self, *, waits: bool = True) -> Iterator[sa.Connection]:
        """One writing transaction, committed at the end of the block, rolled back on any exception. One at a time, in every
        process: what is decided in it holds when it is written, and the feed's numbers become visible in their order. Where
        another process is at work, it is waited for, BUSY_SECONDS, or not at all."""
        seconds = BUSY_SECONDS if waits else AT_ONCE
        with self._translated(), self._engine.connect() as connection, _patience(connection, seconds), connection.begin():
            if connection.dialect.name == "postgresql":
                # Unlike an advisory lock's SELECT, LOCK TABLE takes no snapshot: what is read next is what the writer before
                # left (PostgreSQL: LOCK, notes on REPEATABLE READ). Readers go on; autovacuum has nothing to do in this table.
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{seconds}s'; LOCK TABLE {schema.info.name} IN EXCLUSIVE MODE")
                self._hold_still()
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """One consistent view for reading, however long it is held and whatever is written meanwhile."""
        with self._translated(), self._engine.connect().execution_options(readonly=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def exclusive(self, name: str, what: str) -> Iterator[None]:
        """Holds a name for the block, in all processes of all machines; beside the lock file (lock.py), which is enough for a
        catalogue that is a file itself. Raises Locked."""
        if self.is_sqlite:
            yield
            return
        key = int.from_bytes(hashlib.sha256(f"{self.identity()}/{name}".encode()).digest()[:8], "big", signed=True)
        with self._translated():
            holder = self._own_connection()
            if not holder.scalar(sa.select(sa.func.pg_try_advisory_lock(key))):
                raise Locked(f"{what} is locked by another run, maybe on another machine. Wait until it ends; nothing was touched.")
        self._held.append(what)
        try:
            yield
        finally:
            self._held.remove(what)
            with suppress(SQLAlchemyError, ArchiveUnusable):  # a server that is gone has let go
                self._own_connection().execute(sa.select(sa.func.pg_advisory_unlock(key)))

    def _hold_still(self) -> None:
        """Raises ArchiveUnusable where the connection that holds the locks is gone, and another run may have them: a proxy or a
        firewall may end one that says nothing, and the others go on."""
        if self._held:
            with suppress(SQLAlchemyError):  # now it is invalidated
                self._own_connection().exec_driver_sql("SELECT")
            self._own_connection()

    def _own_connection(self) -> sa.Connection:
        """One for all locks: a takedown holds those of every site, and the pool gives no more than 15. Raises ArchiveUnusable where it
        is gone, as long as anything is held that went with it."""
        if self._holder is not None and self._holder.invalidated:
            if self._held:
                raise ArchiveUnusable(
                    f"{self.place}: the server or the network closed the connection that held the lock of {', '.join(self._held)}, so"
                    " that another run may be at work there. Nothing committed was lost. Run the command again."
                )
            self._holder = None
        if self._holder is None:
            self._holder = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._holder.detach()  # closed means closed: in the pool it would go on holding what was not let go
        return self._holder

    def close(self) -> None:
        if self._holder is not None:
            self._holder.close()
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        driver = self._engine.dialect.loaded_dbapi
        try:
            yield
        except (DatabaseError, driver.DatabaseError) as error:  # the latter where archive/prepared.py asked it
            fault = _fault(error.orig if isinstance(error, DatabaseError) else error, driver.OperationalError)
            if fault is None:
                raise
            cls, advice = fault
            raise cls(f"{self.place}: {advice}.") from error


def _fault(error: BaseException | None, operational: type[Exception]) -> tuple[type[ArchiveError], str] | None:
    text = str(error).strip()
    known = next(((cls, advice) for mark, cls, advice in _SQLITE_FAULTS if mark in text.lower()), None)
    if known is None and isinstance(error, operational) and not isinstance(error, sqlite3.Error):
        return ArchiveUnusable, f"the database does not answer ({text.splitlines()[0]})"
    return known


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, isolation_level="REPEATABLE READ")
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # else the driver decides when a transaction begins
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a commit that was reported is on the disk
        "foreign_keys=ON",
        "secure_delete=ON",  # a takedown leaves no text in free pages (FIELD section 4)
        "temp_store=MEMORY",
        "cache_size=-16000",  # KiB: with 100,000 articles a page costs 1 ms less than with 2,000, and 32,000 give nothing more
    ):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def _patience(connection: sa.Connection, seconds: float) -> Iterator[None]:
    """Lets a connection to SQLite wait so long, where that is not what it does anyway."""
    raw = connection.connection.driver_connection
    if seconds == BUSY_SECONDS or not isinstance(raw, sqlite3.Connection):
        yield
        return
    raw.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # IMMEDIATE: a transaction that will write takes its place at once, instead of failing half-way (SQLITE_BUSY)
    mode = "DEFERRED" if connection.get_execution_options().get("readonly") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


def insert_new(tx: sa.Connection, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Inserts the rows that break no unique key, ignores the others; how many came in."""
    given = [dict(row) for row in rows]
    return tx.execute(_insert_new(tx.dialect.name, table), given).rowcount if given else 0


def upsert(tx: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
    """Inserts a row, or replaces every column given of the one with the same primary key."""
    tx.execute(_upsert(tx.dialect.name, table, tuple(row)), dict(row))


def new_rows(table: sa.Table, returning: str | None = None) -> Prepared:
    """`insert_new` for a statement of every page: the rows come with all their columns, but for the one that the database
    counts and gives back."""
    names = [column.name for column in table.c if column.name != returning]

    def statement(dialect: str) -> Any:
        insert = _insert_new(dialect, table)
        return insert if returning is None else insert.returning(table.c[returning])

    return Prepared(statement, names)


# Built once: building a statement and finding it in SQLAlchemy's cache costs three times what carrying it out does.


@lru_cache
def _insert_new(dialect: str, table: sa.Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@lru_cache
def _upsert(dialect: str, table: sa.Table, names: tuple[str, ...]) -> Any:
    keys = [column.name for column in table.primary_key]
    statement = _insert(dialect, table)
    rest = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest) if rest else statement.on_conflict_do_nothing()


def _insert(dialect: str, table: sa.Table) -> Any:
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
