"""Bytes to standard output, for commands whose output is data: UTF-8 whatever the locale, and `| head` is no fault."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipelines.archive.durable import disk_fault


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Standard output as a binary file, flushed at the end. When its reader has gone, the block ends quietly.

    Raises OutOfSpace, ArchiveUnusable where standard output is a file that takes no more.
    """
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # what is still in the buffer has no reader: the interpreter's own flush at exit would complain
        _let_go()
    except OSError as error:
        _let_go()
        raise disk_fault(Path("standard output"), error) from error


def _let_go() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
