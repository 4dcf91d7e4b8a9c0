"""Opening an archive, and all that must be right before anything works with it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from pipelines.archive import erasure, migrations
from pipelines.archive import fingerprints as _  # noqa: F401  # its tables are the catalogue's
from pipelines.archive.catalogue import Catalogue
from pipelines.archive.cdxj import CdxjIndex
from pipelines.archive.durable import disk_fault, whole_file
from pipelines.archive.folder import expect_own
from pipelines.archive.lock import exclusive
from pipelines.archive.warc import warc_files
from pipelines.errors import ArchiveUnusable
from pipelines.site import Site


class Archive:
    """An open archive; a context manager that closes it."""

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        self.path = path
        self.catalogue = catalogue

    @property
    def id(self) -> str:
        """Who this archive is, made once with its catalogue: what refers to its numbers names it."""
        return self.catalogue.identity()

    @property
    def warc_folder(self) -> Path:
        return self.path / "warc"

    @property
    def index(self) -> CdxjIndex:
        return CdxjIndex(self.path / "indexes")

    @contextmanager
    def lock(self, site: str) -> Iterator[None]:
        """Holds a site for one run. Raises Locked while another process holds it, on another machine too where the catalogue
        is PostgreSQL."""
        what = f"{self.path}: site {site!r}"
        with exclusive(self.path / "locks" / f"{site}.lock", what), self.catalogue.exclusive(site, what):
            yield

    def keep_rules(self, site: Site, raw: bytes) -> None:
        """Keeps the seeds file whose digest stands in the records that it makes."""
        target = self.path / "seeds" / f"{site.digest}.toml"
        if not target.exists():
            write_whole(target, raw)

    def kept_rules(self, digest: str) -> bytes:
        """The seeds file with this digest. Raises ArchiveUnusable where it is lost: nobody knows then what it allowed."""
        path = self.path / "seeds" / f"{digest}.toml"
        try:
            return path.read_bytes()
        except OSError as error:
            raise ArchiveUnusable(
                f"{path}: cannot be read ({error.strerror}), and records were made by it. Bring it back (the git history of seeds/ has it),"
                " or read the captures again by today's rules with `scrapy reextract`."
            ) from error

    def close(self) -> None:
        self.catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_archive(path: Path | str, *, create: bool = False, rebuilds: bool = False, catalogue_url: str | None = None) -> Archive:
    """The archive in a folder. With `create`, a missing one is made; a catalogue beside WARC files only for who `rebuilds` it from
    them: it would know nothing of what they hold, nor of what was taken down.

    First an older catalogue is brought forward (migrations.py), and a takedown that was broken off is ended. Raises
    ArchiveUnusable (no archive here, its catalogue lost, not writable, another one than the catalogue's), NewerArchive,
    CatalogueDamaged, OutOfSpace, and Locked while a takedown is at work.
    """
    folder = Path(path)
    expect_folder(folder)
    if create:
        _make(folder)
    elif not folder.is_dir():
        raise ArchiveUnusable(
            f"{folder}: there is no archive here. `scrapy crawl` and `scrapy replay` make one; ARCHIVE_DIR or --archive names it."
        )
    database = folder / "catalogue.db"
    if catalogue_url is None and not create and not database.exists():
        raise ArchiveUnusable(f"{folder}: there is no catalogue.db here, so this is no archive. ARCHIVE_DIR or --archive names one.")
    orphans = [] if rebuilds else warc_files(folder / "warc")  # looked for first: a catalogue is made before any WARC file
    if create and orphans and catalogue_url is None and not (database.exists() and database.stat().st_size):
        raise _lost(database, len(orphans))
    archive = Archive(folder, Catalogue(catalogue_url or f"sqlite:///{database}"))
    try:
        if create and orphans and not archive.catalogue.is_made():
            raise _lost(archive.catalogue.place, len(orphans))
        _bring_up(archive, create=create, elsewhere=catalogue_url is not None)
    except BaseException:
        archive.close()
        raise
    return archive


def _lost(place: object, files: int) -> ArchiveUnusable:
    what = "WARC file lies" if files == 1 else "WARC files lie"
    return ArchiveUnusable(
        f"{place}: there is no catalogue, and {files} {what} in the archive's folder. Bring it back from a backup, or rebuild it:"
        " `scrapy replay --archive NEW OLD/warc/*.warc.gz`. Nothing was fetched or written."
    )


def expect_folder(folder: Path) -> None:
    """Raises ArchiveUnusable where something else has the name of an archive."""
    if folder.exists() and not folder.is_dir():
        raise ArchiveUnusable(f"{folder}: is no folder. An archive is one: ARCHIVE_DIR or --archive names it.")


def _bring_up(archive: Archive, *, create: bool, elsewhere: bool) -> None:
    """Everything that stands between a catalogue as it was left and work."""
    if create:
        archive.catalogue.create()
    else:
        archive.catalogue.check()
    migrations.bring_forward(archive.catalogue)
    if elsewhere:
        expect_own(archive.catalogue, archive.path, claim=create)
    if erasure.is_left(archive):
        with archive.lock("takedown"):
            erasure.finish(archive)


def _make(folder: Path) -> None:
    try:
        for part in ("warc", "seeds", "locks"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise disk_fault(folder, error) from error


def write_whole(target: Path, raw: bytes) -> None:
    """Writes a file that is either whole or not there. Raises OutOfSpace, ArchiveUnusable."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as handle:
        handle.write(raw)
