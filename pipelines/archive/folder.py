"""Which folder a catalogue that lies elsewhere belongs to: the folder has an id, and the catalogue remembers the first that it saw.

Rows point to WARC files by their names. Against another folder they would point to nothing, or to other bytes.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import sqlalchemy as sa

from pipelines.archive.catalogue import Catalogue, insert_new
from pipelines.archive.durable import disk_fault, whole_file
from pipelines.archive.schema import info
from pipelines.errors import ArchiveUnusable

FILE = "folder.id"
KEY = "folder"
"""in `info`: the id of the catalogue's folder"""


def expect_own(catalogue: Catalogue, folder: Path, *, claim: bool) -> None:
    """Refuses a folder that is not the catalogue's; where that has none yet, a `claim` makes it so. Raises ArchiveUnusable,
    OutOfSpace."""
    path = folder / FILE
    with catalogue.snapshot() as tx:
        own = _known(tx)
    if own is None and claim:
        with catalogue.transaction() as tx:  # one machine at a time
            insert_new(tx, info, [{"key": KEY, "value": _read(path) or _made(path)}])
            own = _known(tx)
    if own is not None and own != _read(path):
        raise ArchiveUnusable(
            f"{folder}: is not the folder of the archive whose catalogue is {catalogue.place}. All machines that share a catalogue share"
            " its folder (ARCHIVE_DIR); another archive needs a database of its own. If this is that folder, brought back from a backup,"
            f" write {own} into {path}."
        )


def _known(tx: sa.Connection) -> str | None:
    value: str | None = tx.scalar(sa.select(info.c.value).where(info.c.key == KEY))
    return value


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_fault(path, error) from error


def _made(path: Path) -> str:
    name = uuid.uuid4().hex
    with whole_file(path) as handle:
        handle.write(f"{name}\n".encode("ascii"))
    return name
