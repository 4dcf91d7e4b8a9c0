"""Where an export goes and how it gets there: beside its name first, fsynced, then renamed. Never torn, never elsewhere.

    place(to, archive)    the text of --to, checked -> Place           nothing is touched
    deliver(place, …)     records into a new file or folder, and what stands beside it (card, Croissant, manifest), then all
                          of them take their names

All is written and on the disk before the first name changes. The data are exchanged for their predecessor in one step, the
manifest comes last: a process that is killed between the two leaves a manifest whose digests do not fit, or none; one that
is killed before leaves what was there. Its hidden files are removed by the next export to the same place. A folder is
replaced only if it holds nothing but what an export wrote.
"""

from __future__ import annotations

import ctypes
import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from pipelines.archive.durable import clear_left, disk_fault, hidden, remove, sync_folder
from pipelines.errors import ConfigurationError
from pipelines.formats import FORMATS, SCHEMAS, Row

CARD, CROISSANT, MANIFEST = ".README.md", ".croissant.json", ".manifest.json"
BESIDE = (CARD, CROISSANT, MANIFEST)
"""Endings of what stands beside an export, in the order in which they take their names"""
IN_FOLDERS = "parquet"
"""The format that may be a folder"""
FURTHEST_ZONE = timedelta(days=1)
"""Printed time and UTC are less than this apart: a `datetime` takes no other offset"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    path: Path
    is_folder: bool

    def beside(self, ending: str) -> Path:
        """One of `BESIDE`."""
        return self.path.with_name(self.path.name + ending)

    @property
    def manifest(self) -> Path:
        return self.beside(MANIFEST)

    @property
    def pattern(self) -> str:
        """What finds all of its files from the folder that it is in."""
        return f"{self.path.name}/*/*.{IN_FOLDERS}" if self.is_folder else self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One file of an export. `name` is relative to the export's folder, or to the folder that its file is in."""

    name: str
    records: int
    bytes: int
    sha256: str


def place(to: str, form: str, archive: Path) -> Place:
    """What `to` means. Raises ConfigurationError where no export can or should go."""
    path = outside(to, archive)
    if form != IN_FOLDERS or not (to.endswith(os.sep) or path.is_dir()):
        return Place(path=new_file(to, archive), is_folder=False)
    if path.exists() and not path.is_dir():
        raise ConfigurationError(f"{to}: is no folder. Name a file without / at its end, or a folder.")
    found = Place(path=path, is_folder=True)
    _refuse_strangers(found)
    return found


def outside(to: str, archive: Path) -> Path:
    """A place for something new. Raises ConfigurationError where that is in the archive, or in a folder that there is not."""
    path = Path(os.path.realpath(to))
    if path.is_relative_to(os.path.realpath(archive)):
        raise ConfigurationError(
            f"{to}: lies in the archive, which holds only what its own commands look after. Name a place outside of it."
        )
    if not path.parent.is_dir():
        raise ConfigurationError(f"{to}: there is no folder {path.parent}. Make it, or name another place.")
    return path


def new_file(to: str, archive: Path) -> Path:
    """A place for a file, which may replace one. Raises ConfigurationError."""
    path = outside(to, archive)
    if to.endswith(os.sep) or path.is_dir():
        raise ConfigurationError(f"{to}: is a folder. Name a file; a folder is written by `scrapy export --format parquet` alone.")
    if path.exists() and not path.is_file():
        raise ConfigurationError(f"{to}: is no regular file. Name one; for a pipe or a device `scrapy export` has `--to -`.")
    return path


def _refuse_strangers(place: Place) -> None:
    """Refuses a folder with anything in it that no export put there."""
    there = {str(file.relative_to(place.path)) for file in place.path.rglob("*") if not file.is_dir()}
    strange = {name for name in there if not _OURS.fullmatch(name)} if _has_manifest(place) else there
    if strange:
        raise ConfigurationError(
            f"{place.path}: holds {min(strange)}, which is not of an earlier export. Name an empty folder, or one that an export made."
        )


def _has_manifest(place: Place) -> bool:
    """Whether an export was here. Its files need not be those of the manifest: it may have been killed between the two."""
    try:
        return bool(json.loads(place.manifest.read_bytes())["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


_OURS = re.compile(rf"[a-z][a-z0-9_]*/\d{{4}}-\d{{2}}\.{IN_FOLDERS}")
Describe = Callable[[list["Written"]], Mapping[str, bytes]]
"""What was written -> what stands beside it, by ending"""


def deliver(place: Place, records: Iterator[Row], form: str, schema: str, describe: Describe) -> None:
    """Puts records in place, site by site, and by time within a site; and beside them what `describe` makes of the files.

    Raises OutOfSpace, ArchiveUnusable; then, as after any other exception, everything is as it was.
    """
    others = [place.beside(ending) for ending in BESIDE]
    try:
        for path in (place.path, *others):
            clear_left(path)
        made = describe(_write_folder(place, records, schema) if place.is_folder else _write_file(place, records, form, schema))
        for ending, raw in made.items():
            with _synced(hidden(place.beside(ending))) as out:
                out.write(raw)
        _exchange(place.path, hidden(place.path))
        for path in others:
            hidden(path).replace(path)
        sync_folder(place.path.parent)
    except OSError as error:
        raise disk_fault(place.path, error) from error
    finally:
        for path in (place.path, *others):
            remove(hidden(path))


def _write_file(place: Place, records: Iterator[Row], form: str, schema: str) -> list[Written]:
    with _synced(hidden(place.path)) as out, Sheet(out, form, schema) as sheet:
        for record in records:
            sheet.put(record)
        return [sheet.finish(place.path.name)]


def _write_folder(place: Place, records: Iterator[Row], schema: str) -> list[Written]:
    folder = hidden(place.path)
    folder.mkdir()
    with _Months(folder, schema) as months:
        for record in records:
            months.put(record)
        written = months.finish()
    for one in (*filter(Path.is_dir, folder.iterdir()), folder):
        sync_folder(one)
    return written


@contextmanager
def _synced(path: Path) -> Iterator[BinaryIO]:
    """A new file that is on the disk when the block ends well."""
    with path.open("xb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


class Sheet:
    """One open file of an export: counted and digested while it is written. A context manager."""

    def __init__(self, out: BinaryIO, form: str, schema: str) -> None:
        self._shape = SCHEMAS[schema]
        self._out = Digested(out)
        self._exits = ExitStack()
        self._put = self._exits.enter_context(FORMATS[form](self._out, schema))  # type: ignore[arg-type]  # a BinaryIO but in name
        self.records = 0

    def put(self, record: Row) -> None:
        self._put(self._shape(record))
        self.records += 1

    def finish(self, name: str) -> Written:
        """Ends the file; what it came to."""
        self._exits.close()
        return Written(name=name, records=self.records, bytes=self._out.size, sha256=self._out.digest.hexdigest())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exits.__exit__(kind, error, trace)


class Digested(io.RawIOBase):
    """A file that knows the size and the digest of what went through it; it leaves the file below open."""

    def __init__(self, out: BinaryIO) -> None:
        self._below = out
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, raw: Any) -> int:
        self._below.write(raw)
        self.digest.update(raw)
        self.size += len(raw)
        return len(raw)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size


_NOTHING = ("none", "0000-00")
"""Site and month of the one file of a folder without articles"""


class _Months:
    """`<folder>/<site>/<month>.parquet`: the month is the first seven letters of `published`, of `first_seen` where there
    is none. Months are as printed and records come in order of UTC, so a month stays open a day longer."""

    def __init__(self, folder: Path, schema: str) -> None:
        self._folder, self._schema = folder, schema
        self._open: dict[tuple[str, str], tuple[BinaryIO, Sheet]] = {}
        self._written: list[Written] = []

    def put(self, record: Row) -> None:
        site, printed = record["site"], record["published"] or record["first_seen"]
        oldest = (datetime.fromisoformat(printed).astimezone(UTC) - FURTHEST_ZONE).strftime("%Y-%m")
        for key in [key for key in self._open if key[0] != site or key[1] < oldest]:
            self._end(key)
        self._sheet(site, printed[:7]).put(record)

    def finish(self) -> list[Written]:
        if not self._written and not self._open:
            self._sheet(*_NOTHING)  # no file at all would have no columns, and its readers fail
        for key in list(self._open):
            self._end(key)
        return sorted(self._written, key=lambda one: one.name)

    def _sheet(self, *key: str) -> Sheet:
        if key not in self._open:
            site, month = key
            path = self._folder / site / f"{month}.{IN_FOLDERS}"
            path.parent.mkdir(exist_ok=True)
            out = path.open("xb")
            self._open[site, month] = out, Sheet(out, IN_FOLDERS, self._schema)
        return self._open[key][1]  # type: ignore[index]  # two words, as annotated above

    def _end(self, key: tuple[str, str]) -> None:
        out, sheet = self._open.pop(key)
        with out, sheet:
            self._written.append(sheet.finish(f"{key[0]}/{key[1]}.{IN_FOLDERS}"))
            out.flush()
            os.fsync(out.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for out, sheet in self._open.values():  # only after a fault
            with out, sheet:
                pass


def _exchange(path: Path, new: Path) -> None:
    """Gives `new` the name `path`; what had it is `new` afterwards, where it is a folder, and gone where it is a file."""
    if not path.is_dir():
        new.replace(path)
    elif not _swap(new, path):
        former = path.with_name(f".{path.name}.{os.getpid()}.old")
        path.rename(former)
        try:
            new.rename(path)
        except OSError:
            former.rename(path)
            raise
        former.rename(new)


def _swap(one: Path, other: Path) -> bool:
    """Exchanges two names in one step; False where the system cannot (renameat2(2): Linux 3.15, glibc 2.28)."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return swap is not None and swap(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


_HERE, _EXCHANGE = -100, 2
"""AT_FDCWD and RENAME_EXCHANGE of <fcntl.h> and <linux/fs.h>"""
