"""WARC files, ours or anybody's, through the same door as a live crawl: same captures, same rules, same records.

A file is first copied into the archive (its bytes are the provenance of what it gives), then read record by record.
What is already known is passed over, so a replay that was broken off goes on where it stopped. A record that cannot be
read, or a page on which our own code fails, is quarantined with its traceback, and the rest goes on: the one broad
except of this project, besides bulk work, stands here.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from pipelines import flow
from pipelines.archive import Archive, erasure, schema, write_whole
from pipelines.archive.durable import whole_file
from pipelines.archive.ledger import settle_withdrawals
from pipelines.archive.originals import originals
from pipelines.archive.records import Record, read_records
from pipelines.archive.wacz import unpack_wacz
from pipelines.archive.warc import Original, read_captures, read_record
from pipelines.errors import ArchiveError, ArchiveUnusable, DamagedRecord
from pipelines.flow import Result
from pipelines.model import Capture, WarcRef
from pipelines.site import Site, generic_site
from pipelines.urls import canonical, host_key
from pipelines.workers import Readers

GROUP = 64
"""captures of one transaction: a commit with fsync costs 8 to 15 ms (FIELD section 4)"""

PACKAGE = ".wacz"
RECORDS_LOOKED_AT = 4
"""to know how a file was compressed: a warcinfo may have a member of its own before the one with all others"""
PIECE = 2**16
"""bytes copied at a time; inflated they may be a thousand times as many"""

Chooser = Callable[[str], Site]
"""The site whose rules read a URL."""


@dataclass(slots=True)
class Tally:
    """What became of a replay's records. `outcomes` counts words (verdicts, reasons, kinds); `known` were there before."""

    outcomes: Counter[str] = field(default_factory=Counter)
    known: int = 0
    damaged: list[DamagedRecord] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not (self.damaged or self.quarantined)


def chooser(sites: Mapping[str, Site], only: str | None = None) -> Chooser:
    """Chooses a URL's site by host among the seeds files, mirrors included; the generic site reads every other."""
    if only is not None:
        return lambda _: sites[only]
    by_host = {host: site for site in reversed(list(sites.values())) for host in (*site.identity.hosts, *site.hosts)}
    generic = generic_site()

    def choose(url: str) -> Site:
        if (site := by_host.get(host_key(url))) is not None:
            return site
        return next((site for site in sites.values() if canonical(url, site).mirror is not None), generic)

    return choose


def replay(
    archive: Archive, paths: Iterable[Path], choose: Chooser, *, workers: int = 0, tell: Callable[[Tally], None] | None = None
) -> Tally:
    """Ingests every capture of some WARC files, and of those in WACZ packages; `tell` is called after each group. Raises
    ArchiveError when the archive itself fails, or where a package is none; nothing else."""
    job = _Replay(archive, choose, Readers(workers))
    try:
        for path in paths:
            for kept in job.keep(path):
                for _ in job.groups(kept):
                    if tell is not None:
                        tell(job.tally)
        archive.index.merge()
        with archive.catalogue.transaction() as tx:
            settle_withdrawals(tx)
    finally:
        job.readers.close()
    return job.tally


def keep_file(archive: Archive, path: Path) -> Path:
    """The archive's own copy of a WARC file, durable. A file of the same name but other bytes is kept beside it, under its
    digest; one that was compressed as a whole is kept uncompressed, so that each of its records has a place of its own."""
    if path.resolve().parent == archive.warc_folder.resolve():
        return path
    try:
        as_a_whole = _is_compressed_as_a_whole(path)
        digest = _digest(_content(path, as_a_whole))
        with archive.catalogue.snapshot() as tx:
            if (former := erasure.former(tx, digest)) is not None:
                return archive.warc_folder / former  # it is here; what was taken down is no longer in it
        name = path.name.removesuffix(".gz") if as_a_whole else path.name
        target = archive.warc_folder / name
        if target.exists() and _digest(_content(target, False)) != digest:
            target = archive.warc_folder / f"{digest[:16]}-{name}"
        if not target.exists():
            with whole_file(target) as out:  # no row may point to bytes that a power cut can take back
                out.writelines(_content(path, as_a_whole))
    except OSError as error:
        raise ArchiveUnusable(
            f"{path}: cannot be copied into the archive ({error.strerror}). Is it there, and is the disk full?"
        ) from error
    return target


def _is_compressed_as_a_whole(path: Path) -> bool:
    """Whether one gzip member holds several records: against WARC/1.1 Annex D, but some tools write so."""
    with path.open("rb") as file:
        first = islice(read_records(file, path.name), RECORDS_LOOKED_AT)
        return any(isinstance(record, Record) and record.length == 0 for record in first)


def _content(path: Path, as_a_whole: bool) -> Iterator[bytes]:
    """The bytes to keep of a file."""
    with path.open("rb") as file:
        pieces = iter(partial(file.read, PIECE), b"")
        yield from _inflated(pieces) if as_a_whole else pieces


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A compressed stream undone; one that breaks off or is corrupt, as far as it goes."""
    inflater = _inflater()
    with contextlib.suppress(zlib.error):
        for piece in pieces:
            rest = piece
            while rest:
                yield inflater.decompress(rest)
                rest = inflater.unused_data
                inflater = _inflater() if inflater.eof else inflater


def _inflater() -> zlib._Decompress:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


class _Failed:
    """A page on which our own code failed."""


@dataclass(slots=True)
class _Replay:
    archive: Archive
    choose: Chooser
    readers: Readers
    tally: Tally = field(default_factory=Tally)
    _places: dict[tuple[str, datetime], WarcRef] = field(default_factory=dict)
    """of the open file's captures: a revisit may refer to one that no commit has written down yet"""

    def keep(self, path: Path) -> Iterator[Path]:
        """The archive's own copies of a WARC file, or of all that are in a WACZ package."""
        if path.suffix.lower() != PACKAGE:
            yield keep_file(self.archive, path)
            return
        with tempfile.TemporaryDirectory(prefix="wacz-", dir=self.archive.path) as folder:  # not /tmp: they may be large
            files, damage = unpack_wacz(path, Path(folder))
            self.tally.damaged += damage
            yield from [keep_file(self.archive, file) for file in files]

    def groups(self, path: Path) -> Iterator[None]:
        """Ingests a file, a group of captures after the other."""
        known, self._places = self.tally.known, {}
        yield from self._groups(path)
        erasure.erase_taken_down(self.archive, path)
        if self.tally.known > known:  # one that was broken off may have left captures without a line in the index
            self.archive.index.replace([path])

    def _groups(self, path: Path) -> Iterator[None]:
        unknown = self._unknown(path)
        while group := list(islice(unknown, GROUP)):
            chosen = [(capture, self.choose(capture.url)) for capture in group]
            results = [(capture, site, self._read(capture, site)) for capture, site in chosen]
            with self.archive.catalogue.transaction() as tx:
                for capture, site, result in results:
                    if not isinstance(result, _Failed):
                        self.tally.outcomes[flow.write(tx, capture, site, result).word] += 1
            self.archive.index.add(group)
            yield

    def _unknown(self, path: Path) -> Iterator[Capture]:
        """The captures of a file that the catalogue does not know yet."""
        with self.archive.catalogue.snapshot() as tx:
            known = set(tx.scalars(sa.select(schema.capture.c.offset).where(schema.capture.c.file == path.name)))
        for found in read_captures(path, original=self._original(path)):
            if isinstance(found, DamagedRecord):
                self.tally.damaged.append(found)
                continue
            assert found.warc is not None
            if found.refers_to is None:
                self._places[found.url, found.fetched_at] = found.warc
            if found.warc.offset in known:
                self.tally.known += 1
            else:
                yield found

    def _original(self, path: Path) -> Original:
        stored = originals(self.archive.catalogue, self.archive.warc_folder)

        def find(url: str, date: datetime) -> Capture | None:
            here = self._places.get((url, date))
            return stored(url, date) if here is None else read_record(path, here)

        return find

    def _read(self, capture: Capture, site: Site) -> Result | _Failed:
        try:
            return self.readers.read_now(capture, site)
        except ArchiveError:
            raise
        except Exception:  # noqa: BLE001  # the edge: a fault of ours on one page must not lose the others
            self._quarantine(capture, traceback.format_exc())
            return _Failed()

    def _quarantine(self, capture: Capture, trace: str) -> None:
        quarantine(self.archive, capture, trace)
        self.tally.quarantined.append(capture.url)


def quarantine(archive: Archive, capture: Capture, trace: str) -> None:
    """Keeps the traceback of a capture on which our own code failed, under the name of its place in the WARC files."""
    assert capture.warc is not None
    name = f"{Path(capture.warc.file).stem}-{capture.warc.offset}.txt"
    write_whole(archive.path / "quarantine" / name, f"{capture.url}\n\n{trace}".encode())
