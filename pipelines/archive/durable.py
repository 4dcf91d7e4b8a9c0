"""What the disk must promise: names that survive a power cut, files that are whole or not there, faults in our own words."""

from __future__ import annotations

import errno
import glob
import os
import shutil
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


def hidden(path: Path) -> Path:
    """The name under which this process writes what is to take the place of `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}.new")


def clear_left(path: Path) -> None:
    """Takes away what killed processes left that were writing to the same place."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.new"):
        number = left.name.removeprefix(f".{path.name}.").removesuffix(".new")
        if number.isdecimal() and not _is_another(int(number)):
            remove(left)


def _is_another(process: int) -> bool:
    """Whether a process of that number is at work and is not this one: in a container all commands may have the same."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def remove(path: Path) -> None:
    """Takes away a file or a whole folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path`, durably, when the block ends well, and leaves no trace otherwise, but where the
    process is killed: then the next one that writes to the same place takes it away.

    Raises OutOfSpace, ArchiveUnusable.
    """
    beside = hidden(path)
    try:
        clear_left(path)
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
