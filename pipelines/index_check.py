"""The CDXJ index against the records that it points to: sums first, and line by line where they differ."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from pipelines.archive import Archive
from pipelines.archive.cdxj import Entry, Snapshot, entry_of, parse_line
from pipelines.archive.warc import read_captures
from pipelines.findings import Result, What
from pipelines.model import Capture

_INDEX = "indexes/index.cdxj"


@dataclass(slots=True)
class Lines:
    """What an index says of one WARC file, in a form that does not depend on order: how many lines, and their sum."""

    count: int = 0
    total: int = 0

    def add(self, line: int) -> None:
        """Of a line, `line_sum`."""
        self.count += 1
        self.total = (self.total + line) % 2**128


def line_sum(line: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(line, digest_size=16).digest())


def sum_of(capture: Capture) -> int | None:
    """`line_sum` of the line that a capture has in the index; None for one that has none."""
    assert capture.warc is not None
    return None if capture.status == 304 else line_sum(entry_of(capture, capture.warc).line())


@dataclass(slots=True)
class IndexCheck:
    """`lines` are those that the records of each WARC file should have; `doubtful` files are left out."""

    archive: Archive
    result: Result
    lines: Mapping[str, Lines]
    doubtful: Container[str]

    def check(self) -> None:
        index = self.archive.index
        if not index.path.exists() and not index.journal.exists():
            return  # nobody is told anything untrue: in a copy, or deleted to be made anew
        with index.snapshot() as now:
            for file in sorted(self._different(now)):
                if file not in self.doubtful and not self._is_begun_since(file):
                    self._compare_lines(now, file)

    def _is_begun_since(self, file: str) -> bool:
        """Whether a crawl began it while the others were read: records and lines of it are still to come."""
        return file not in self.lines and (self.archive.warc_folder / file).exists()

    def _different(self, now: Snapshot) -> set[str]:
        told: dict[str, Lines] = {}
        for line, where in self._numbered(now):
            self.result.checked["index_lines"] += 1
            if (entry := _entry(line)) is None:
                self.result.add(What.INDEX, where, "is no line of an index")
            else:
                told.setdefault(entry.filename, Lines()).add(line_sum(line))
        return {file for file in told.keys() | self.lines.keys() if told.get(file, Lines()) != self.lines.get(file, Lines())}

    def _numbered(self, now: Snapshot) -> Iterator[tuple[bytes, str]]:
        """Every line, and where it stands. One that stands in both, as a crash may leave it, comes once."""
        before, new = b"", set(now.journal)
        for number, line in enumerate(now.stored(), 1):
            where = f"{_INDEX} line {number}"
            if line < before:
                self.result.add(What.INDEX, where, "is not in order: look-ups miss it")
            before = line
            new.discard(line)
            yield line, where
        for line in sorted(new):
            yield line, f"{_INDEX}.journal"

    def _compare_lines(self, now: Snapshot, file: str) -> None:
        warc = self.archive.warc_folder / file
        captures = (one for one in read_captures(warc) if isinstance(one, Capture)) if warc.exists() else ()
        due = {entry_of(one, one.warc).line() for one in captures if one.warc is not None and one.status != 304}
        lines = chain(now.stored(), now.journal)
        told = {line for line in lines if (entry := _entry(line)) is not None and entry.filename == file}
        for line in sorted(told - due):
            self.result.add(What.INDEX, _INDEX, f"has a line for which there is no record: {line.decode('utf-8', 'replace').strip()}")
        for line in sorted(due - told):
            self.result.add(What.INDEX, _INDEX, f"has no line for a record: {line.decode('ascii').strip()}")


def _entry(line: bytes) -> Entry | None:
    try:
        return parse_line(line)
    except ValueError:
        return None
