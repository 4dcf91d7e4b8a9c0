"""What a run that was killed left behind: captures on disk that the catalogue does not know are ingested, not fetched again.

The WARC file is written before the catalogue, so its tail may know more. At the start of a run every file that was not
sealed is read: a torn last record is cut off and kept beside it, and each capture without a row becomes the visit that
it would have been.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from crawler.discovery import read_list
from crawler.visits import Listed, Visits, is_list
from pipelines import flow
from pipelines.archive import schema, urltable
from pipelines.archive.borrowed import is_borrowed
from pipelines.archive.originals import originals
from pipelines.archive.outcome_record import told
from pipelines.archive.warc import WarcWriter, read_captures, repair_tail, told_in, warc_files
from pipelines.errors import ArchiveError, DamagedRecord
from pipelines.intake import seal
from pipelines.model import Capture
from pipelines.reading import Result
from pipelines.replay import quarantine
from pipelines.site import Site
from pipelines.stages import GROUP_VISITS, commit_visit
from pipelines.urls import canonical
from pipelines.workers import Readers

logger = logging.getLogger(__name__)

_Read = tuple[Capture, Result, Listed]
"""a capture, what it is, and what a list points to"""


@dataclass(slots=True)
class Recovered:
    """What was found: captures ingested from disk, bytes of torn records cut off, records that cannot be read."""

    captures: int = 0
    cut_bytes: int = 0
    damaged: int = 0
    borrowed: bool = False
    """whether what came last was had from another archive"""
    at_fault: int = 0
    """captures on which our own code failed: quarantined, and their URLs asked again"""


def recover(visits: Visits, readers: Readers, writer: WarcWriter) -> Recovered:
    """Brings the catalogue in line with the WARC files of the site's earlier runs. What pages are read as that nobody has told
    yet goes to `writer`, into a file of its own. Raises OutOfSpace, ArchiveUnusable.

    To be called where no event loop runs. Pages are read within the limits of the live crawl: the one that cost a run too
    much must not keep all later ones from starting.
    """
    found = Recovered()
    archive = visits.archive
    if not archive.index.path.exists():
        archive.index.rebuild(warc_files(archive.warc_folder))
    unsealed = _unsealed(visits)
    for path in unsealed:
        found.cut_bytes += repair_tail(path, cut=True).cut_bytes
    known = {one.of for path in unsealed for one in told_in(path)}
    for path in unsealed:
        found.borrowed |= is_borrowed(path.name, visits.site.name)
        unknown = _unknown(visits, path, found)
        while group := list(islice(unknown, GROUP_VISITS)):
            _ingest(visits, readers, group, found, partial(_tell, writer, known, visits.site))
        archive.index.replace([path])  # it may lack what was captured last, and have what was cut off
        with archive.catalogue.transaction() as tx:
            seal(tx, path)
    if (rest := writer.position) is not None:
        writer.close()
        with archive.catalogue.transaction() as tx:
            seal(tx, archive.warc_folder / rest[0])
    if found != Recovered(borrowed=found.borrowed):
        logger.warning(
            "The last run did not end by itself: %d captures were taken from the WARC files, %d torn bytes cut off, %d records damaged.",
            found.captures,
            found.cut_bytes,
            found.damaged,
        )
    return found


def _unsealed(visits: Visits) -> list[Path]:
    with visits.archive.catalogue.snapshot() as tx:
        sealed = set(tx.scalars(sa.select(schema.warc_file.c.name).where(schema.warc_file.c.sealed)))
    files = sorted(visits.archive.warc_folder.glob(f"{visits.site.name}-*.warc.gz"))
    return [path for path in files if path.name not in sealed]


def _unknown(visits: Visits, path: Path, found: Recovered) -> Iterator[Capture]:
    with visits.archive.catalogue.snapshot() as tx:
        known = set(tx.scalars(sa.select(schema.capture.c.offset).where(schema.capture.c.file == path.name)))
    original = originals(visits.archive.catalogue, visits.archive.warc_folder)
    for capture in read_captures(path, original=original):
        if isinstance(capture, DamagedRecord):
            logger.error("%s", capture)
            found.damaged += 1
        elif capture.warc is not None and capture.warc.offset not in known:
            yield capture


def _tell(writer: WarcWriter, known: set[str], site: Site, group: list[_Read]) -> None:
    """Tells, durably, what pages were read as that is not `known` to be told."""
    read = [(capture, result) for capture, result, _ in group if result is not None]
    all_told = [told(one, canonical(one.url, site).url, site.digest, result) for one, result in read]
    new = [one for one in all_told if one.of not in known]
    writer.tell(new)
    known.update(one.of for one in new)
    writer.sync()


def _ingest(visits: Visits, readers: Readers, group: list[Capture], found: Recovered, tell: Callable[[list[_Read]], None]) -> None:
    """Ingests a group; where our own code fails on it, each capture by itself, without the one that it fails on."""
    try:
        read = asyncio.run(_read(readers, group, visits.site))
        tell(read)
        _commit(visits, read)
    except ArchiveError:
        raise
    except Exception:  # one page must not keep every later run from starting
        if len(group) > 1:
            for capture in group:
                _ingest(visits, readers, [capture], found, tell)
            return
        logger.exception("Our own code failed on %s; the traceback is in quarantine/.", group[0].url)
        quarantine(visits.archive, group[0], traceback.format_exc())
        found.at_fault += 1
    else:
        found.captures += len(group)


async def _read(readers: Readers, group: list[Capture], site: Site) -> list[_Read]:
    async def one(capture: Capture) -> _Read:
        links = await readers.run(read_list, capture, site) if is_list(capture) else None
        return capture, await readers.read(capture, site), links

    return await asyncio.gather(*map(one, group))


def _commit(visits: Visits, group: list[_Read]) -> None:
    with visits.archive.catalogue.transaction() as tx:
        for capture, result, links in group:
            row = None if _is_borrowed(capture, visits.site) else urltable.by_url(tx, visits.site.name, capture.url)
            if row is None or row.kind is not capture.kind:
                flow.write(tx, capture, visits.site, result)  # a robots.txt, a hop on the way to another URL, an old capture
            else:
                visit = visits.of(row, (capture,), capture.fetched_at.timestamp(), links, tx)
                commit_visit(tx, visits.site, visit, result)


def _is_borrowed(capture: Capture, site: Site) -> bool:
    """Of another archive: no answer of today. Its row finds it when it is leased (crawler.backfill)."""
    return capture.warc is not None and is_borrowed(capture.warc.file, site.name)
