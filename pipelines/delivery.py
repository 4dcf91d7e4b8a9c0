"""Where an export goes and how it gets there: beside its name first, fsynced, then renamed. Never torn, never elsewhere.

    place(to, archive)        the text of --to, checked -> Place           nothing is touched
    deliver(place, …)         records into a new file or folder, which then takes the name; what was written, file by file
    leave_manifest(place, …)  the manifest beside it, last

A folder is exchanged for its predecessor in two renames: a reader in between finds none, never half of one. It is
replaced only if it holds nothing but what the manifest of the earlier export names.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from pipelines.archive.durable import disk_fault, sync_folder, whole_file
from pipelines.errors import ConfigurationError
from pipelines.formats import FORMATS, SCHEMAS, Row

MANIFEST_ENDING = ".manifest.json"
IN_FOLDERS = "parquet"
"""The format that may be a folder"""
FURTHEST_ZONE = timedelta(days=1)
"""Printed time and UTC are less than this apart: a `datetime` takes no other offset"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    path: Path
    is_folder: bool

    @property
    def manifest(self) -> Path:
        return self.path.with_name(self.path.name + MANIFEST_ENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One file of an export. `name` is relative to the export's folder, or to the folder that its file is in."""

    name: str
    records: int
    bytes: int
    sha256: str


def place(to: str, form: str, archive: Path) -> Place:
    """What `to` means. Raises ConfigurationError where no export can or should go."""
    path = Path(os.path.realpath(to))
    is_folder = form == IN_FOLDERS and (to.endswith(os.sep) or path.is_dir())
    if path.is_relative_to(os.path.realpath(archive)):
        raise ConfigurationError(
            f"{to}: lies in the archive, which holds only what its own commands look after. Name a place outside of it."
        )
    if not path.parent.is_dir():
        raise ConfigurationError(f"{to}: there is no folder {path.parent}. Make it, or name another place.")
    if not is_folder and (to.endswith(os.sep) or path.is_dir()):
        raise ConfigurationError(f"{to}: is a folder. Name a file; only --format parquet is written to folders.")
    if path.exists() and not (path.is_dir() if is_folder else path.is_file()):
        raise ConfigurationError(f"{to}: is no regular {'folder' if is_folder else 'file'}. Use `--to -` for a pipe or a device.")
    found = Place(path=path, is_folder=is_folder)
    if is_folder:
        _refuse_strangers(found)
    return found


def _refuse_strangers(place: Place) -> None:
    """Refuses a folder with anything in it that no earlier export put there."""
    there = {str(file.relative_to(place.path)) for file in place.path.rglob("*") if not file.is_dir()}
    if there and (strange := there - _earlier(place)):
        raise ConfigurationError(
            f"{place.path}: holds {min(strange)}, which is not of an earlier export. Name an empty folder, or one that an export made."
        )


def _earlier(place: Place) -> set[str]:
    try:
        return {file["name"] for file in json.loads(place.manifest.read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def deliver(place: Place, records: Iterator[Row], form: str, schema: str) -> list[Written]:
    """Puts records in place: site by site, and by time within a site. What was written, file by file.

    Raises OutOfSpace, ArchiveUnusable; then, as after any other exception, everything is as it was.
    """
    if place.is_folder:
        with _whole_folder(place.path) as beside, _Months(beside, schema) as months:
            for record in records:
                months.put(record)
            return months.finish()
    with whole_file(place.path) as out, Sheet(out, form, schema) as sheet:
        for record in records:
            sheet.put(record)
        return [sheet.finish(place.path.name)]


def leave_manifest(place: Place, manifest: Mapping[str, Any]) -> None:
    """Writes what was delivered beside it. Raises OutOfSpace, ArchiveUnusable."""
    with whole_file(place.manifest) as out:
        out.write(json.dumps(manifest, ensure_ascii=False, indent=1).encode("utf-8") + b"\n")


class Sheet:
    """One open file of an export: counted and digested while it is written. A context manager."""

    def __init__(self, out: BinaryIO, form: str, schema: str) -> None:
        self._shape = SCHEMAS[schema]
        self._out = _Digested(out)
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


class _Digested(io.RawIOBase):
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


@contextmanager
def _whole_folder(path: Path) -> Iterator[Path]:
    """A new folder that takes the place of `path`, durably, when the block ends well, and leaves no trace otherwise."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        beside.mkdir()
        yield beside
        for folder in (*filter(Path.is_dir, beside.iterdir()), beside):
            sync_folder(folder)
        _exchange(path, beside)
    except OSError as error:
        raise disk_fault(path, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _exchange(path: Path, new: Path) -> None:
    former = path.with_name(f".{path.name}.{os.getpid()}.old")
    if path.exists():
        path.rename(former)
    try:
        new.rename(path)
    except OSError:
        former.rename(path)
        raise
    sync_folder(path.parent)
    shutil.rmtree(former, ignore_errors=True)
