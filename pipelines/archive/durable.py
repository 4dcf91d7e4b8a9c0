"""What the disk must promise: names that survive a power cut, files that are whole or not there, faults in our own words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipelines.errors import ArchiveError, ArchiveUnusable, OutOfSpace

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def disk_fault(path: Path, error: OSError) -> ArchiveError:
    """The error to raise instead of the operating system's: OutOfSpace or ArchiveUnusable."""
    if error.errno in _FULL:
        return OutOfSpace(f"{path}: no space left ({error.strerror}). Free some space and run again; nothing written so far is lost.")
    return ArchiveUnusable(f"{path}: {error.strerror}. Expected a place that this user may read and write.")


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path`, durably, when the block ends well, and leaves no trace otherwise.

    Raises OutOfSpace, ArchiveUnusable.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise disk_fault(path, error) from error
    finally:
        beside.unlink(missing_ok=True)
