"""How WARC files come into an archive: its own copies of them, durable, under names by which every command finds them again.

Rules of this file: the bytes of a file are the provenance of what it gives, so they are kept as they are; what tells of
takedowns comes before everything else, so that nothing comes in that has to go again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from pipelines.archive import Archive, erasure, schema
from pipelines.archive.catalogue import upsert
from pipelines.archive.durable import whole_file
from pipelines.archive.records import Record, read_records
from pipelines.archive.takedown_record import opens_takedown_file
from pipelines.archive.wacz import unpack_wacz
from pipelines.errors import ArchiveUnusable, DamagedRecord

PACKAGE = ".wacz"
PIECE = 2**16
"""bytes copied at a time; inflated they may be a thousand times as many"""


def keep(archive: Archive, paths: Iterable[Path], damaged: list[DamagedRecord]) -> Iterator[Path]:
    """The archive's own copies of WARC files, and of all that are in WACZ packages, each once; to `damaged` comes what cannot
    be taken in whole. Files that tell of takedowns are the first of all, and the first of their package. Raises ArchiveError."""
    kept: set[Path] = set()
    for path in _takedowns_first(paths):
        for file in _copies(archive, path, damaged):
            if file not in kept:
                kept.add(file)
                yield file


def _takedowns_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: not _tells_of_takedowns(path))


def _tells_of_takedowns(path: Path) -> bool:
    """Whether a WARC file was made to tell of takedowns: its first record says so."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        first = next(iter(read_records(file, path.name)), None)
        return isinstance(first, Record) and opens_takedown_file(first)
    return False


def _copies(archive: Archive, path: Path, damaged: list[DamagedRecord]) -> list[Path]:
    if path.suffix.lower() != PACKAGE:
        return _copy(archive, path, damaged)
    with tempfile.TemporaryDirectory(prefix="wacz-", dir=archive.path) as folder:  # not /tmp: they may be large
        files, damage = unpack_wacz(path, Path(folder))
        damaged += damage
        return [kept for file in _takedowns_first(files) for kept in _copy(archive, file, damaged)]


def _copy(archive: Archive, path: Path, damaged: list[DamagedRecord]) -> list[Path]:
    try:
        return [keep_file(archive, path)]
    except NoWarc:
        damaged.append(DamagedRecord(path.name, 0, "there is no WARC record in it; the file was not taken in"))
        return []


def keep_file(archive: Archive, path: Path) -> Path:
    """The archive's own copy of a WARC file, durable, under a name that ends as WARC files do. A file of the same name but other
    bytes is kept beside it, under its digest; one in which several records were compressed as a whole is kept uncompressed, so
    that each of its records has a place of its own. Raises ArchiveUnusable, and NoWarc where there is no record in it."""
    if path.resolve().parent == archive.warc_folder.resolve():
        return path
    try:
        as_a_whole = _is_compressed_as_a_whole(path)
        digest = _digest(_content(path, as_a_whole))
        with archive.catalogue.snapshot() as tx:
            if (former := erasure.former(tx, digest)) is not None:
                return archive.warc_folder / former  # it is here; what was taken down is no longer in it
        name = _name_of(path, as_a_whole)
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


def seal(tx: sa.Connection, path: Path) -> None:
    """Notes that the catalogue knows every record of a WARC file."""
    if path.exists():
        upsert(tx, schema.warc_file, {"name": path.name, "sealed": True})


class NoWarc(Exception):
    """A file in which there is no record at all."""


def _is_compressed_as_a_whole(path: Path) -> bool:
    """Whether one gzip member holds several records, somewhere in the file: against WARC/1.1 Annex D, but some tools write so.
    Raises NoWarc."""
    found = False
    with path.open("rb") as file:
        for record in read_records(file, path.name):
            if isinstance(record, Record):
                found = True
                if record.length == 0:
                    return True
        if not found and file.seek(0, os.SEEK_END):
            raise NoWarc
    return False


def _name_of(path: Path, as_a_whole: bool) -> str:
    """As every command looks for them: ".WARC.GZ" or ".warc.gz.1" would not be found again."""
    name = path.name.removesuffix(".gz") if as_a_whole else path.name
    if name.endswith((".warc", ".warc.gz")):
        return name
    with path.open("rb") as file:
        plain = as_a_whole or file.read(5) == b"WARC/"
    return f"{name}.warc" if plain else f"{name}.warc.gz"


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
