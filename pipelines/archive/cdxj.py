"""The CDXJ index beside the WARC files: which capture of which URL lies where, for pywb and every tool that reads CDXJ.

    <surt> <14 digits> {"url": …, "mime": …, "status": …, "digest": …, "length": …, "offset": …, "filename": …}

Rules of this file: the sorted index is only ever replaced as a whole (written beside, fsynced, renamed); between merges
new lines stand in a journal that only grows. Both are derived: `rebuild` makes them again from the WARC files. A line may
stand in both after a crash, so equal lines count once. Several processes may share an index (flock on the journal, held to
append and to merge, never while WARC files are read).
Format: pywb's CDXJ; key: the Wayback machine's SURT, whose rules pywb follows when it looks up.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pipelines.archive.durable import disk_fault, whole_file
from pipelines.archive.lines import in_order, merged, told_apart
from pipelines.archive.warc import read_captures
from pipelines.errors import DamagedRecord, Locked
from pipelines.model import Capture, WarcRef

JOURNAL_BYTES = 2**24
"""of journal before it is merged: about 50,000 lines, sorted in 25 MB of memory"""
LINES_AT_ONCE = 1_000
"""that are held before they are in the journal; a file of another crawler may have millions"""
_LONGEST_LINE = 2**20
"""bytes at the journal's end in which its last whole line ends"""

_URL = re.compile(r"(?:([a-z][a-z0-9+.-]*):)?/*(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d*))?([^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
_WWW = re.compile(r"\Awww\d*\.")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_SAFE = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_SESSIONS = tuple(
    re.compile(rf"^(.*?){name}(?:&|$)", re.IGNORECASE)
    for name in (
        r"jsessionid=[0-9a-z]{32}",
        r"phpsessid=[0-9a-z]{32}",
        r"sid=[0-9a-z]{32}",
        r"aspsessionid[a-z]{8}=[a-z]{24}",
        r"cfid=[^&]+&cftoken=[^&]+",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line. `timestamp` has 14 digits (UTC); `mime` is "warc/revisit" for a revisit record."""

    key: str
    timestamp: str
    url: str
    mime: str
    status: int | None
    digest: str | None
    length: int
    offset: int
    filename: str

    def line(self) -> bytes:
        """The line with its end. ASCII, so that bytes sort as every tool sorts them."""
        shown = {"url": self.url, "mime": self.mime, "status": None if self.status is None else str(self.status), "digest": self.digest}
        shown |= {"length": str(self.length), "offset": str(self.offset), "filename": self.filename}
        return f"{self.key} {self.timestamp} {json.dumps({k: v for k, v in shown.items() if v is not None})}\n".encode("ascii")


def entry_of(capture: Capture, ref: WarcRef) -> Entry:
    """The index entry of a capture that lies at `ref`."""
    mime = (capture.header("content-type") or "").partition(";")[0].strip().lower()
    return Entry(
        key=surt(capture.url),
        timestamp=f"{capture.fetched_at:%Y%m%d%H%M%S}",
        url=capture.url,
        mime="warc/revisit" if capture.refers_to else mime or "unk",
        status=capture.status,
        digest=capture.payload_digest,
        length=ref.length,
        offset=ref.offset,
        filename=ref.file,
    )


def parse_line(line: bytes) -> Entry:
    """An entry, ours or another tool's. Raises ValueError for a line that is none."""
    key, timestamp, fields = line.decode("utf-8").split(" ", 2)
    shown = json.loads(fields)
    try:
        status = str(shown.get("status", ""))
        return Entry(
            key=key,
            timestamp=timestamp,
            url=shown["url"],
            mime=shown.get("mime", "unk"),
            status=int(status) if status.isdecimal() else None,
            digest=shown.get("digest"),
            length=int(shown["length"]),
            offset=int(shown["offset"]),
            filename=shown["filename"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no CDXJ line: {error!r}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What an index has at one moment, whatever is written to it later."""

    file: BinaryIO | None
    """the sorted index as it is then: another one takes its place, nobody writes to it"""
    journal: tuple[bytes, ...]
    """its whole lines, sorted, each once"""

    def stored(self) -> Iterator[bytes]:
        """The lines of the sorted index, as they stand in it. One walk at a time."""
        if self.file is not None:
            self.file.seek(0)
            yield from self.file


class CdxjIndex:
    """`<folder>/index.cdxj`, sorted, and `<folder>/index.cdxj.journal`, what came since. Raises ArchiveUnusable."""

    def __init__(self, folder: Path, name: str = "index.cdxj") -> None:
        self.path = folder / name
        self.journal = folder / f"{name}.journal"

    def add(self, captures: Iterable[Capture], *, waits: bool = True) -> None:
        """Appends a line for each capture that has a place in a WARC file; merges when the journal has grown. Raises Locked where
        it is not to wait and another process is at work in the index; all of it may be added again then.

        A 304 gets none: pywb 2.10 answers it with an empty page, and without the line with the capture that it confirms.
        """
        made = _lines_of(captures)
        while lines := b"".join(islice(made, LINES_AT_ONCE)):
            with self._locked(waits=waits) as journal:
                _cut_torn_line(journal)
                journal.write(lines)
                journal.flush()
                if journal.tell() >= JOURNAL_BYTES:
                    self._merge(journal)

    def merge(self) -> None:
        """Sorts the journal into the index and empties it. After a crash at any point nothing is lost."""
        with self._locked() as journal:
            self._merge(journal)

    def rebuild(self, warcs: Iterable[Path]) -> list[DamagedRecord]:
        """Makes the index anew from WARC files; returns what could not be read in them. What is added meanwhile stays."""
        return self._renew(warcs, lambda _: True)

    def replace(self, warcs: Iterable[Path]) -> list[DamagedRecord]:
        """Makes the lines of some WARC files anew and leaves those of the others; returns what could not be read in them. What is
        added meanwhile stays, of these files too.

        A file that is gone loses its lines. Where there is no index, none is begun: it would lack the lines of all others.
        """
        if not self.path.exists() and not self.journal.exists():
            return []
        files = list(warcs)
        ends = tuple(_line_end(warc.name) for warc in files)
        return self._renew((warc for warc in files if warc.exists()), lambda line: line.endswith(ends))

    def _renew(self, warcs: Iterable[Path], is_theirs: Callable[[bytes], bool]) -> list[DamagedRecord]:
        """Puts the lines of WARC files in the place of those that were `theirs`. Files are read for minutes: only who merges holds
        the lock, and lines that were not there at the beginning are someone's who knows more of a file than was read."""
        damage: list[DamagedRecord] = []
        made = _lines_of(capture for warc in warcs for capture in _good(read_captures(warc), damage))
        self._make_folder()
        with self.snapshot() as before, in_order(made, self.path.parent) as fresh, self._locked() as journal:
            former = merged(before.stored(), before.journal)
            now = told_apart(merged(self._lines(), _sorted_lines(journal)), former)
            kept = (line for line, was_there in now if not (was_there and is_theirs(line)))
            with whole_file(self.path) as out:
                out.writelines(merged(kept, fresh))
            journal.truncate(0)
        return damage

    def entries(self) -> Iterator[Entry]:
        """All entries in order of key and time, each once; the journal is merged first."""
        self.merge()
        with self.path.open("rb") as lines:
            yield from map(parse_line, lines)

    def find(self, url: str) -> list[Entry]:
        """The entries of a URL, oldest first. Merges the journal first."""
        self.merge()
        start = surt(url).encode("ascii") + b" "
        with self.path.open("rb") as file:
            _seek_line(file, start)
            found = []
            for line in file:
                if not line.startswith(start):
                    break
                found.append(parse_line(line))
        return found

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """What is in the index now. Writes nothing, and holds the lock only to begin."""
        with ExitStack() as files:
            try:
                with self.journal.open("rb") if self.journal.exists() else nullcontext() as journal:
                    if journal is not None:
                        fcntl.flock(journal, fcntl.LOCK_SH)
                    new = () if journal is None else tuple(_sorted_lines(journal))
                    file = files.enter_context(self.path.open("rb")) if self.path.exists() else None
            except OSError as error:
                raise disk_fault(self.path, error) from error
            yield Snapshot(file=file, journal=new)

    @contextmanager
    def _locked(self, *, waits: bool = True) -> Iterator[BinaryIO]:
        self._make_folder()
        try:
            with self.journal.open("a+b") as journal:
                fcntl.flock(journal, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield journal
        except BlockingIOError:
            raise Locked(f"{self.path}: another process is at work in it.") from None
        except OSError as error:
            raise disk_fault(self.journal, error) from error

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(exist_ok=True)  # without parents: an archive that has gone in mid-run is not begun anew
        except OSError as error:
            raise disk_fault(self.journal, error) from error

    def _merge(self, journal: BinaryIO) -> None:
        new = _sorted_lines(journal)
        if not new and self.path.exists():
            return
        with whole_file(self.path) as out:
            out.writelines(merged(self._lines(), new))
        journal.truncate(0)

    def _lines(self) -> Iterator[bytes]:
        if self.path.exists():
            with self.path.open("rb") as lines:
                yield from lines


def _line_end(file: str) -> bytes:
    """How every line of ours ends that speaks of a WARC file."""
    return f'"filename": {json.dumps(file)}}}\n'.encode("ascii")


def _lines_of(captures: Iterable[Capture]) -> Iterator[bytes]:
    return (entry_of(one, one.warc).line() for one in captures if one.warc is not None and one.status != 304)


def _good(captures: Iterable[Capture | DamagedRecord], damage: list[DamagedRecord]) -> Iterator[Capture]:
    for capture in captures:
        if isinstance(capture, DamagedRecord):
            damage.append(capture)
        else:
            yield capture


def _sorted_lines(journal: BinaryIO) -> list[bytes]:
    """Its whole lines, sorted, each once."""
    journal.seek(0)
    return sorted({line for line in journal if line.endswith(b"\n")})


def _cut_torn_line(journal: BinaryIO) -> None:
    """Takes away a last line that a crash left without its end. Leaves the file at its end."""
    size = journal.seek(0, os.SEEK_END)
    journal.seek(max(0, size - _LONGEST_LINE))
    tail = journal.read()
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        journal.truncate(size - len(tail) + whole)
    journal.seek(0, os.SEEK_END)


def _seek_line(file: BinaryIO, start: bytes) -> None:
    """Goes to the first line that is not below `start`, by halving the sorted file."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        file.seek(middle)
        if middle:
            file.readline()
        line = file.readline()
        if line and line < start:
            low = file.tell()
        else:
            high = middle
    file.seek(low)
    while (line := file.readline()) and line < start:  # the line that begins at `low` itself was never looked at
        low = file.tell()
    file.seek(low)


# ── the key ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def surt(url: str) -> str:
    """The sort-friendly key of a URL: "com,example)/path?query", ASCII, in lower case.

    The Wayback machine's rules: no scheme, user, fragment, default port or "www."; escapes undone until nothing changes
    and then made once; dots and empty segments of the path resolved; arguments sorted; session ids dropped.
    """
    match = _URL.match(re.sub(r"[\r\n\t]", "", url).strip(" "))
    scheme, host, port, path, query = match.groups() if match else (None, "", None, "", None)
    scheme = (scheme or "http").lower()
    key = _host_key(host.strip("[]")) + (f":{port}" if port and port != _DEFAULT_PORTS.get(scheme) else "")
    return f"{key}){_path_key(path)}{_query_key(query or '')}"


def _host_key(host: str) -> str:
    raw = _unescaped(host).decode("utf-8", "ignore")
    try:
        name = raw.encode("ascii" if raw.isascii() else "idna").decode("ascii")
    except UnicodeError:
        name = raw
    name = _escaped(name.replace("..", ".").strip(".").encode("utf-8")).lower()
    return ",".join(reversed(_WWW.sub("", name, count=1).split(".")))


def _path_key(path: str) -> str:
    kept: list[bytes] = []
    segments = _unescaped(path).split(b"/")[1:]
    for segment in segments:
        if segment == b".." and kept:
            kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    return "/" + _escaped(b"/".join(kept)).lower()


def _query_key(query: str) -> str:
    text = _escaped(_unescaped(query))
    for session in _SESSIONS:
        text = session.sub(r"\1", text, count=1)
    arguments = sorted(tuple(argument.split("=", 1)) for argument in text.lower().split("&")) if text else []
    return "?" + "&".join("=".join(argument) for argument in arguments) if text else ""


def _unescaped(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    while (once := unquote_to_bytes(raw)) != raw:
        raw = once
    return raw


def _escaped(raw: bytes) -> str:
    return quote_from_bytes(raw, safe=_SAFE)
