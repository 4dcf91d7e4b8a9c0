"""What a command says: text and data on standard output, what stands beside them on standard error.

Rule of this file: a reader that has gone (`| head`) is no fault, and what the command had to do goes on; a disk that takes
no more is one. What cannot be told on standard error is told to nobody, and changes no exit status.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from pipelines.archive.durable import disk_fault


def open_streams() -> None:
    """What the caller closed (`>&-`) is open from here on, else the next file of the archive would get its number: nothing is
    read there, standard error leads nowhere, and to write to standard output fails. Letters that the locale has no code for
    are written as escapes."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if vars(sys)[name] is None:
            number = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)  # the lowest that is free: its own
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # until the process ends
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error has it


def say(line: str = "") -> None:
    """One line on standard output. Raises OutOfSpace, ArchiveUnusable where that is a file that takes no more."""
    with _heard():
        print(line)  # noqa: T201


def say_aside(line: str) -> None:
    """One line on standard error, at once."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Standard output as a binary file, UTF-8 whatever the locale, flushed at the end. When its reader has gone, the block ends
    quietly. Raises as `say`."""
    with _heard():
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()


def flush() -> None:
    """All that was said is out. Raises as `say`."""
    with _heard():
        sys.stdout.flush()


def close_streams() -> None:
    """What could not be written by now never will be; the interpreter's own flush at exit would put 120 in place of the status."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _let_go(stream)


@contextmanager
def _heard() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        _let_go(sys.stdout)
    except OSError as error:
        _let_go(sys.stdout)
        raise disk_fault(Path("standard output"), error) from error


def _let_go(stream: TextIO) -> None:
    """What is still in the buffer has no reader, and what follows has none either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
