"""The feed as files: sealed Parquet segments in a folder, each the answer to one cursor, and a manifest of them.

    <first>-<last>.parquet     the changes from the number `first` to the number `last`, both included: op, sequence, id, record
    manifest.json              of which archive, for which use, which segments, and where the next one begins

A segment is written under a hidden name, fsynced, named, and only then entered in the manifest, with its digest; it never
changes again. What is not entered is not sealed: a process that is killed between the two leaves a file that nobody was told
of, and the next one removes it and writes it anew. Segments are ended when they hold `size` articles, so that a long feed that
is broken off goes on from there. Why one who applies all of them in order has the export, feed.py says.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.archive import Archive
from pipelines.archive.durable import disk_fault, sync_folder, whole_file
from pipelines.archive.lock import exclusive
from pipelines.delivery import Digested, outside
from pipelines.errors import ArchiveUnusable, ConfigurationError
from pipelines.feed import answer
from pipelines.formats import Put, changes

SCHEMA = "china-tech-archive/segments/1"
MANIFEST = "manifest.json"
LOCK = ".lock"
SIZE = 10_000
"""Articles in a segment: some 30 MB, and what a broken-off run has to read again"""
_SEGMENT = re.compile(r"\d{12,}-\d{12,}\.parquet")
_UNNAMED = ".new.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One sealed file. `first` and `last` are numbers of changes, `changes` how many of them are in it: an article that
    changed again later is not."""

    name: str
    first: int
    last: int
    changes: int
    bytes: int
    sha256: str


@dataclass(slots=True, kw_only=True)
class Sealed:
    """What stands in the manifest."""

    archive: str
    use: str | None
    since: str
    """where the next segment begins, as `scrapy feed --since` takes it"""
    cursor: int
    segments: list[Segment]

    def to_json(self) -> bytes:
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def seal(
    archive: Archive, folder: Path, *, use: str | None = None, size: int = SIZE, withheld: Counter[str] | None = None
) -> list[Segment]:
    """Writes what the feed has since the last segment in a folder, in segments of at most `size` articles; gives the new ones.

    The folder is made where there is none. `use` and `withheld` are those of `feed.answer`. Raises ConfigurationError (not a
    folder of this archive's segments, or for another use), Locked, OutOfSpace, ArchiveUnusable.
    """
    _prepare(archive, folder)
    with exclusive(folder / LOCK, f"{folder}"):
        sealed = _opened(archive, folder, use)
        made: list[Segment] = []
        while (found := _next(archive, folder, sealed, size, Counter() if withheld is None else withheld)) is not None:
            segment, sealed.since = found
            sealed.cursor = segment.last
            sealed.segments.append(segment)
            with whole_file(folder / MANIFEST) as out:
                out.write(sealed.to_json())
            made.append(segment)
            if segment.changes < size:
                break  # what came in meanwhile waits, else a crawl at work would get a segment for each of its articles
    return made


def _prepare(archive: Archive, folder: Path) -> None:
    """Refuses a folder that is not ours to write to, before anything is written to it."""
    real = outside(str(folder), archive.path)
    if real.exists() and not real.is_dir():
        raise ConfigurationError(f"{folder}: is no folder. Name a folder for the segments.")
    try:
        real.mkdir(exist_ok=True)
        names = sorted(path.name for path in real.iterdir())
        strange = [name for name in names if name != LOCK and not name.startswith(f".{MANIFEST}.")]
    except OSError as error:
        raise disk_fault(folder, error) from error
    if strange and MANIFEST not in strange:
        raise ConfigurationError(
            f"{folder}: holds {strange[0]} and no {MANIFEST}. Bring the manifest back, or name an empty folder and begin anew there."
        )


def _opened(archive: Archive, folder: Path, use: str | None) -> Sealed:
    """What is sealed so far; everything that a killed process left beside it is gone."""
    place = folder / MANIFEST
    if not place.exists():
        begun = Sealed(archive=archive.id, use=use, since="0", cursor=0, segments=[])
        with whole_file(place) as out:
            out.write(begun.to_json())
        return begun
    sealed = _read(place)
    if (sealed.archive, sealed.use) != (archive.id, use):
        words = [
            f"archive {of} and {f'--use {word}' if word else 'no --use'}" for of, word in ((sealed.archive, sealed.use), (archive.id, use))
        ]
        raise ConfigurationError(f"{folder}: holds the feed of {words[0]}; this is {words[1]}. Name an empty folder for it.")
    for one in sealed.segments:
        if not (folder / one.name).is_file() or (folder / one.name).stat().st_size != one.bytes:
            raise ArchiveUnusable(
                f"{folder / one.name}: is missing or not as it was sealed. Bring it back, or begin anew in an empty folder."
            )
    _clear(folder, {one.name for one in sealed.segments})
    return sealed


def _read(place: Path) -> Sealed:
    try:
        told = json.loads(place.read_bytes())
        if told.pop("schema") != SCHEMA:
            raise ValueError
        return Sealed(**{**told, "segments": [Segment(**one) for one in told["segments"]]})
    except OSError as error:
        raise disk_fault(place, error) from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(f"{place}: is no manifest of segments ({SCHEMA}). Bring it back, or name an empty folder.") from None


def _clear(folder: Path, sealed: set[str]) -> None:
    for path in folder.iterdir():
        unsealed = _SEGMENT.fullmatch(path.name) and path.name not in sealed
        if unsealed or path.name == _UNNAMED or path.name.startswith(f".{MANIFEST}."):
            path.unlink()


def _next(archive: Archive, folder: Path, sealed: Sealed, size: int, withheld: Counter[str]) -> tuple[Segment, str] | None:
    """One more segment, under its name and on the disk, and where the next begins; None where nothing has changed since the last."""
    said = answer(archive, sealed.since, size, sealed.use, withheld)
    one = next(said)
    if "op" not in one:
        return None
    unnamed = folder / _UNNAMED
    count = 0
    try:
        with _file(unnamed) as (out, put):
            while "op" in one:
                put(one)
                count += 1
                one = next(said)
        first, last = sealed.cursor + 1, int(one["cursor"])
        name = f"{first:012}-{last:012}.parquet"
        unnamed.rename(folder / name)
        sync_folder(folder)
    except OSError as error:
        raise disk_fault(unnamed, error) from error
    finally:
        unnamed.unlink(missing_ok=True)
    made = Segment(name=name, first=first, last=last, changes=count, bytes=out.size, sha256=out.digest.hexdigest())
    return made, str(one["since"])


@contextmanager
def _file(path: Path) -> Iterator[tuple[Digested, Put]]:
    """A new file for changes, on the disk when the block ends well."""
    with path.open("xb") as raw:
        out = Digested(raw)
        with changes(out) as put:  # type: ignore[arg-type]  # a BinaryIO but in name
            yield out, put
        raw.flush()
        os.fsync(raw.fileno())
