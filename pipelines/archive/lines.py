"""Lines in order, more of them than memory holds. Lines are bytes, sorted as bytes are, each ended by a newline.

Rules of this file: what is put aside lies in files without a name, so that no two processes meet in one, and none is left by a
process that is killed.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, cast

from pipelines.archive.durable import disk_fault

PIECE_BYTES = 2**24
"""of lines that are sorted at a time: about 50,000 of an index, in 25 MB of memory"""
PIECES = 100
"""files that are open at a time, before they become one"""


def merged(*streams: Iterable[bytes]) -> Iterator[bytes]:
    """Sorted streams as one, equal lines once."""
    return (line for line, _ in groupby(heapq.merge(*streams)))


def told_apart(lines: Iterable[bytes], before: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each line, and whether it stands among those `before`; both sorted, each line once.

    Where they are not sorted, as in a file that somebody has edited, it holds as long as `lines` are those before, in the order
    of then, and more of them.
    """
    rest = iter(before)
    former = next(rest, None)
    for line in lines:
        while former is not None and former < line:
            former = next(rest, None)
        was_there = former == line
        if was_there:
            former = next(rest, None)
        yield line, was_there


@contextmanager
def in_order(lines: Iterable[bytes], folder: Path) -> Iterator[Iterator[bytes]]:
    """Lines sorted, equal ones once, by way of a folder with room for them. Raises OutOfSpace, ArchiveUnusable."""
    files: list[BinaryIO] = []
    try:
        for piece in _pieces(lines):
            files.append(_file_of(sorted(set(piece)), folder))
            if len(files) == PIECES:
                whole = _file_of(merged(*files), folder)
                while files:
                    files.pop().close()
                files.append(whole)
        yield merged(*files)
    except OSError as error:
        raise disk_fault(folder, error) from error
    finally:
        for file in files:
            file.close()


def _pieces(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    piece: list[bytes] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= PIECE_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _file_of(lines: Iterable[bytes], folder: Path) -> BinaryIO:
    """A file without a name that holds them, at its beginning."""
    with ExitStack() as unless_whole:
        file = cast("BinaryIO", unless_whole.enter_context(tempfile.TemporaryFile(dir=folder)))
        file.writelines(lines)
        file.seek(0)
        unless_whole.pop_all()  # who asked for it closes it
    return file
