"""One run a site at a time: a lock on an open file, which the system lets go when its owner dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import ArchiveUnusable, Locked


@contextmanager
def exclusive(path: Path, what: str) -> Iterator[None]:
    """Holds the lock file for the block. Raises Locked, with the holder's process id, when another process has it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ArchiveUnusable(f"{path}: cannot be written ({error.strerror}). Check the owner and mode of its folder.") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            raise Locked(f"{what} is locked by another run (process {holder}). Wait until it ends; nothing was touched.") from None
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, and who has it is only for a message
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(handle)
