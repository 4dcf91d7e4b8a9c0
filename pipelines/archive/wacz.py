"""WACZ 1.1.1: WARC files, their index and a list of pages in one ZIP file that replayweb.page, pywb and browsertrix open.

    archive/<name>.warc.gz (stored as they are) · indexes/index.cdxj · pages/pages.jsonl · datapackage.json · its digest

Rules of this file: everything streams, so that memory does not depend on size; the file is there whole or not at all;
what comes out of a foreign one is copied whatever the damage, because the WARC reader goes on behind it, and told.
https://specs.webrecorder.net/wacz/1.1.1/
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pipelines.archive.cdxj import CdxjIndex
from pipelines.archive.durable import disk_fault, whole_file
from pipelines.archive.warc import read_captures
from pipelines.errors import ArchiveUnusable, ConfigurationError, DamagedRecord
from pipelines.model import Capture, Kind

VERSION = "1.1.1"
PIECE = 2**20
"""bytes copied at a time"""
_ENCRYPTED = 1
"""bit of an entry's flags"""
_OLDEST = (1980, 1, 1, 0, 0, 0)
"""the first moment that ZIP can name"""


def write_wacz(target: Path, warcs: Sequence[Path], *, software: str, created: datetime, title: str | None = None) -> list[DamagedRecord]:
    """Packs WARC files into one WACZ file; returns what could not be read in them (it is packed all the same).

    Raises ConfigurationError when two files have one name, OutOfSpace, ArchiveUnusable.
    """
    names = [warc.name for warc in warcs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigurationError(f"{', '.join(sorted(twice))}: stands twice among the files to pack. Expected a name of its own for each.")
    with tempfile.TemporaryDirectory() as beside, whole_file(target) as out:
        index = CdxjIndex(Path(beside))
        damage = index.rebuild(warcs)
        with zipfile.ZipFile(out, "w", allowZip64=True) as package:
            writer = _PackageWriter(package, created)
            for warc in warcs:
                writer.add(f"archive/{warc.name}", _pieces(warc))
            writer.add("indexes/index.cdxj", _pieces(index.path))
            writer.add("pages/pages.jsonl", _page_lines(warcs))
            writer.finish(software, title)
    return damage


def unpack_wacz(package: Path, folder: Path) -> tuple[list[Path], list[DamagedRecord]]:
    """Copies the WARC files of a WACZ file into `folder`, under their own names, and compares them with its datapackage.

    Returns the files, in order of name, and one DamagedRecord for each that is not what the package says (it is there
    nevertheless). Raises ArchiveUnusable for what is no ZIP file or has no WARC in it, OutOfSpace.
    """
    try:
        with zipfile.ZipFile(package) as opened:
            entries = sorted((entry for entry in opened.infolist() if _is_warc(entry)), key=lambda entry: entry.filename)
            if not entries:
                raise ArchiveUnusable(f"{package}: has no archive/*.warc or archive/*.warc.gz in it. Expected a WACZ file.")
            declared = _declared(opened)
            wrong = {entry: _extract(opened, entry, declared, folder) for entry in entries}
    except zipfile.BadZipFile as error:
        raise ArchiveUnusable(f"{package}: {error}. Expected a WACZ file, which is a ZIP file.") from error
    except OSError as error:
        raise disk_fault(package, error) from error
    damage = [DamagedRecord(package.name, entry.header_offset, what) for entry, what in wrong.items() if what is not None]
    return [folder / _target(entry) for entry in entries], damage


def holds_warc(package: Path) -> bool:
    """Whether a file is a ZIP file with a WARC file where WACZ has them. Raises OSError."""
    try:
        with zipfile.ZipFile(package) as opened:
            return any(map(_is_warc, opened.infolist()))
    except zipfile.BadZipFile:
        return False


class _PackageWriter:
    """Adds resources to a package and keeps what datapackage.json says about them."""

    def __init__(self, package: zipfile.ZipFile, created: datetime) -> None:
        self._package, self._created = package, created.astimezone(UTC)
        self._resources: list[dict[str, object]] = []

    def add(self, path: str, pieces: Iterable[bytes]) -> None:
        """Stores a resource without compression: readers take WARC records out of the middle."""
        digest, size = hashlib.sha256(), 0
        with self._package.open(self._entry(path), "w", force_zip64=True) as out:
            for piece in pieces:
                out.write(piece)
                digest.update(piece)
                size += len(piece)
        self._resources.append({"name": PurePosixPath(path).name, "path": path, "hash": f"sha256:{digest.hexdigest()}", "bytes": size})

    def finish(self, software: str, title: str | None) -> None:
        """Writes datapackage.json and its digest."""
        described = {
            "profile": "data-package",
            "wacz_version": VERSION,
            "title": title,
            "software": software,
            "created": self._created.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "resources": self._resources,
        }
        package = json.dumps({key: value for key, value in described.items() if value is not None}, indent=2, ensure_ascii=False).encode()
        digest = json.dumps({"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(package).hexdigest()}"}).encode()
        self._package.writestr(self._entry("datapackage.json"), package)
        self._package.writestr(self._entry("datapackage-digest.json"), digest)

    def _entry(self, path: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(path, max(self._created.timetuple()[:6], _OLDEST))
        entry.external_attr = 0o644 << 16
        return entry


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _page_lines(warcs: Iterable[Path]) -> Iterator[bytes]:
    """One line a page, as WACZ §5.2.2 wants them."""
    yield b'{"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}\n'
    for warc in warcs:
        for capture in read_captures(warc):
            if isinstance(capture, Capture) and capture.warc is not None and _is_page(capture):
                moment = capture.fetched_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                line = {"id": capture.warc.record_id, "url": capture.url, "ts": moment, "title": capture.hints.title or capture.url}
                yield json.dumps(line).encode("ascii") + b"\n"


def _is_page(capture: Capture) -> bool:
    html = "html" in (capture.header("content-type") or "").lower()
    return capture.status == 200 and html and capture.kind in (Kind.ARTICLE, Kind.LISTING)


def _is_warc(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    return path.parts[:1] == ("archive",) and path.name.endswith((".warc", ".warc.gz")) and not entry.is_dir()


def _declared(package: zipfile.ZipFile) -> dict[str, str]:
    """Path -> "sha256:<hex>" of datapackage.json; what is not there or not readable declares nothing."""
    try:
        resources = json.loads(package.read("datapackage.json"))["resources"]
        return {resource["path"]: resource["hash"] for resource in resources}
    except (KeyError, TypeError, ValueError, zlib.error):
        return {}


def _target(entry: zipfile.ZipInfo) -> str:
    """A file name and nothing else: a package must not write elsewhere."""
    return "-".join(PurePosixPath(entry.filename).parts[1:])


def _extract(package: zipfile.ZipFile, entry: zipfile.ZipInfo, declared: dict[str, str], folder: Path) -> str | None:
    """Copies one WARC file out; returns what is wrong with it."""
    digest = hashlib.sha256()
    wrong = None
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / _target(entry)) as out:
        try:
            for piece in _content(package, entry):
                out.write(piece)
                digest.update(piece)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            wrong = f"{entry.filename} is damaged ({error})"
    if wrong is None and declared.get(entry.filename, digest.hexdigest()).removeprefix("sha256:") != digest.hexdigest():
        wrong = f"{entry.filename} is not what datapackage.json says"
    return wrong


def _content(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of an entry. Stored ones are taken as they lie: zipfile would keep the last piece back when the CRC is wrong."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & _ENCRYPTED or package.fp is None:
        with package.open(entry) as file:
            while piece := file.read(PIECE):
                yield piece
        return
    package.fp.seek(entry.header_offset)
    name_length, extra_length = struct.unpack("<26x2H", package.fp.read(30))  # APPNOTE 4.3.7
    package.fp.seek(name_length + extra_length, os.SEEK_CUR)
    missing = entry.file_size
    while missing and (piece := package.fp.read(min(PIECE, missing))):
        yield piece
        missing -= len(piece)
