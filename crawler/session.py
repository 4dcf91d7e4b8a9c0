"""One run of one site: the archive that is open, the lock that is held, the WARC file that is written, the ledger.

Everything that a crawl's Scrapy classes share hangs on `crawler.session`; `scrapy crawl` opens it before the reactor
runs, so that whatever is wrong with the machine or the configuration is said before the first request.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crawler import clock
from crawler.discovery import read_list
from crawler.links import Untaken
from crawler.settings import USER_AGENT
from pipelines.archive import Archive, expect_folder, open_archive, schema, urltable
from pipelines.archive.article_record import canonical_json, timestamp
from pipelines.archive.borrowed import Borrowed, series
from pipelines.archive.ledger import Outcome
from pipelines.archive.lock import exclusive
from pipelines.archive.warc import WarcWriter
from pipelines.errors import ArchiveError, OutOfSpace
from pipelines.model import Capture
from pipelines.site import Site, parse_site
from pipelines.stages import Visit
from pipelines.workers import Readers

MIN_FREE_BYTES = 64 * 2**20
"""A run does not begin on a disk with less: one WARC file, the catalogue's journal and a report need room to end well."""


@dataclass(slots=True)
class Session:
    """An open run. `faults` holds what ended it from within; `counts` counts by word what the run report prints."""

    site: Site
    archive: Archive
    writer: WarcWriter
    run: int
    started: float
    exits: ExitStack
    readers: Readers = field(default_factory=partial(Readers, 0))
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[Exception] = field(default_factory=list)
    loose: list[Capture] = field(default_factory=list)
    """captures that belong to no visit, to be noted with the next commit"""
    shared: set[str] = field(default_factory=set)
    """ids of the records that several visits have as their answer (crawler.sharing)"""
    given_up: set[str] = field(default_factory=set)
    """hosts that are not asked again in this run"""
    generation: int = 0
    """grows with every commit: the scheduler looks again when it has"""
    under_way: int = 0
    """visits that were begun and are not committed"""
    untaken: dict[str, Untaken] = field(default_factory=dict)
    """by the URL of a list without an article: its links"""
    left_because: str | None = None
    """the budget that is spent"""
    interrupted: str | None = None
    remember: Callable[[sa.Connection], None] = lambda _: None
    """writes what else is to be kept, in each grouped commit"""
    remembered: Callable[[], None] = lambda: None
    """hears that such a commit is durable"""
    settled: Callable[[Visit, Outcome | None], None] = lambda *_: None
    """hears of each visit when it is durable"""
    stop: Callable[[], None] = lambda: None
    """ends the run as soon as what is in flight has come in"""
    closed: bool = False
    borrowed: WarcWriter = field(init=False)
    """of what other archives had: a series of files of its own, since its dates are theirs"""

    def __post_init__(self) -> None:
        own = {self.site.name: self.site.digest}
        self.borrowed = WarcWriter(self.archive.warc_folder, prefix=series(self.site.name), software=USER_AGENT, rules=own)

    def take(self, taken: Borrowed, moment: datetime) -> Capture:
        """Writes down a capture that another archive had, `moment` being when it came; durable when this returns."""
        capture = taken.capture(*self.borrowed.add(taken.members, moment))
        self.borrowed.sync()
        return capture

    def fail(self, fault: Exception) -> None:
        """Ends the run from within: the archive itself fails, and nothing that follows could be kept."""
        self.faults.append(fault)
        self.stop()

    def close_files(self) -> None:
        self.writer.close()
        self.borrowed.close()

    def close(self, status: int, ledger: dict[str, Any] | None = None) -> None:
        """Seals the run: the WARC file closed, the ledger (None: its books were never closed) stored, the lock let go. A run
        that a fault has ended says so where the catalogue takes it at once: a second fault, or a second wait, tells nothing new."""
        if self.closed:
            return
        self.closed = True
        with self.exits:
            self.close_files()
            with suppress(ArchiveError) if self.faults else nullcontext():
                self._note_end(status, ledger)

    def _note_end(self, status: int, ledger: dict[str, Any] | None) -> None:
        with self.archive.catalogue.transaction(waits=not self.faults) as tx:
            ended = schema.run.update().where(schema.run.c.id == self.run)
            told = None if ledger is None else canonical_json(ledger)
            tx.execute(ended.values(ended=timestamp(datetime.now(UTC)), status=status, ledger=told))


def open_session(seeds: Path, archive_dir: Path, *, catalogue_url: str | None = None, workers: int = 0) -> Session:
    """Opens a run of the site that a seeds file describes, with so many processes that read its pages.

    Raises SeedsError, ArchiveUnusable, NewerArchive, CatalogueDamaged, Locked, OutOfSpace; then nothing stays open.
    """
    raw = seeds.read_bytes()
    site = parse_site(raw, str(seeds))
    expect_folder(archive_dir)
    with ExitStack() as exits:
        lock, what = archive_dir / "locks" / f"{site.name}.lock", f"{archive_dir}: site {site.name!r}"
        exits.enter_context(exclusive(lock, what))  # first: a second run touches nothing
        archive = exits.enter_context(open_archive(archive_dir, create=True, catalogue_url=catalogue_url))
        exits.enter_context(archive.catalogue.exclusive(site.name, what))  # where the file's lock does not reach other machines
        _enough_room(archive_dir)
        archive.keep_rules(site, raw)
        writer = WarcWriter(archive.warc_folder, prefix=site.name, software=USER_AGENT, rules={site.name: site.digest})
        with archive.catalogue.transaction() as tx:
            urltable.release_all(tx, site.name)
            urltable.nothing_after(tx, site.name, clock.now())
            key = tx.execute(schema.run.insert().values(site=site.name, started=timestamp(datetime.now(UTC)))).inserted_primary_key
        assert key is not None
        readers = Readers(workers, read_list.__module__)
        exits.callback(readers.close)
        began = clock.now()
        return Session(site=site, archive=archive, writer=writer, run=int(key[0]), started=began, exits=exits.pop_all(), readers=readers)


def _enough_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise OutOfSpace(
            f"{folder}: only {free // 2**20} MiB are free; a run needs {MIN_FREE_BYTES // 2**20}. Free some space and run again."
        )


def earlier_runs(tx: sa.Connection, site: str, most: int) -> list[dict[str, Any]]:
    """The ledgers of the last finished runs of a site, the newest first."""
    ended = sa.select(schema.run.c.ledger).where(schema.run.c.site == site, schema.run.c.ledger.is_not(None))
    return [json.loads(text) for text in tx.scalars(ended.order_by(schema.run.c.id.desc()).limit(most))]


def last_books(tx: sa.Connection, site: str) -> str | None:
    """When the last run began that closed its books (a timestamp of the record); None before the first."""
    closed = sa.select(schema.run.c.started).where(schema.run.c.site == site, schema.run.c.ledger.is_not(None))
    found: str | None = tx.scalar(closed.order_by(schema.run.c.id.desc()).limit(1))
    return found
