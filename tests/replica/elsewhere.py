"""Two other web archives that have old pages of the site family: one with WARC files and an index in pages, as Common Crawl
has, and one that replays, as the Wayback Machine does.

Rule of this file: values in, answers out; sockets and counting are in server.py. What they hold is given by the test, and
rendered by the replica itself.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

from tests.replica.resource import Answer

INDEX, FILES, WAYBACK = "index.commoncrawl.org", "data.commoncrawl.org", "web.archive.org"
HOSTS = (INDEX, FILES, WAYBACK)
FILE = "crawl-data/CC-MAIN-2024-10/segments/1/warc/CC-MAIN-20240301000000-00000.warc.gz"
LINES_A_PAGE = 2
"""few, so that both ways of paging are walked"""
_STAMP = "%Y%m%d%H%M%S"
_REPLAY = re.compile(r"/web/(\d{14})id_/(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """One capture: what a URL answered then."""

    url: str
    at: datetime
    body: bytes
    status: int = 200

    @property
    def stamp(self) -> str:
        return f"{self.at:{_STAMP}}"

    @property
    def digest(self) -> str:
        return base64.b32encode(hashlib.sha1(self.body, usedforsecurity=False).digest()).decode()


@dataclass(slots=True)
class Elsewhere:
    """`crawled` are in the WARC file, `replayed` in the other archive. `ranges` False: the server of files knows none;
    `swapped`: it answers with the record of another page."""

    crawled: Sequence[Old] = ()
    replayed: Sequence[Old] = ()
    ranges: bool = True
    swapped: bool = False
    _file: bytes = field(init=False)
    _places: list[tuple[int, int]] = field(init=False)
    """offset and length of each record"""

    def __post_init__(self) -> None:
        self._file, self._places = _packed(self.crawled)

    def respond(self, url: str, headers: Mapping[str, str]) -> tuple[str, Answer]:
        """The kind of answer, and it."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/robots.txt":
            return "robots", (404, {}, b"")
        if parts.hostname == INDEX:
            return "index", self._index(query)
        if parts.hostname == FILES:
            return "range", self._range(headers.get("range", ""))
        if parts.path.startswith("/cdx/"):
            return "index", self._table(query)
        return "replay", self._replay(parts.path)

    def _index(self, query: Mapping[str, str]) -> Answer:
        pages = -(-len(self.crawled) // LINES_A_PAGE)
        if "showNumPages" in query:
            return 200, {"Content-Type": "text/x-ndjson"}, json.dumps({"pages": pages, "pageSize": 1, "blocks": pages}).encode()
        first = int(query["page"]) * LINES_A_PAGE
        lines = [self._line(number) for number in range(first, min(first + LINES_A_PAGE, len(self.crawled)))]
        return 200, {"Content-Type": "text/x-ndjson"}, "".join(f"{json.dumps(line)}\n" for line in lines).encode()

    def _line(self, number: int) -> dict[str, str]:
        old, (offset, length) = self.crawled[number], self._places[number]
        said = {"url": old.url, "timestamp": old.stamp, "status": str(old.status), "mime": "text/html", "digest": old.digest}
        return {"urlkey": "-", **said, "filename": FILE, "offset": str(offset), "length": str(length)}

    def _range(self, wanted: str) -> Answer:
        first, last = (int(number) for number in re.fullmatch(r"bytes=(\d+)-(\d+)", wanted).groups())  # type: ignore[union-attr]
        if not self.ranges:
            return 200, {"Content-Type": "application/octet-stream"}, self._file
        body = self._file[first : last + 1]
        if self.swapped:
            offset, length = next(place for place in self._places if place[0] != first)
            body = self._file[offset : offset + length]
            last = first + len(body) - 1
        told = {"Content-Range": f"bytes {first}-{last}/{len(self._file)}", "Content-Type": "application/octet-stream"}
        return 206, told, body

    def _table(self, query: Mapping[str, str]) -> Answer:
        first = int(query.get("resumeKey", "0"))
        rows: list[list[str]] = [["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]]
        here = self.replayed[first : first + LINES_A_PAGE]
        rows += [["-", old.stamp, old.url, "text/html", str(old.status), old.digest, "1000"] for old in here]
        if first + LINES_A_PAGE < len(self.replayed):
            rows += [[], [str(first + LINES_A_PAGE)]]
        return 200, {"Content-Type": "application/json"}, json.dumps(rows).encode()

    def _replay(self, path: str) -> Answer:
        asked = _REPLAY.fullmatch(path)
        old = next((one for one in self.replayed if asked and (one.stamp, one.url) == asked.groups()), None)
        if old is None:
            return 404, {"Content-Type": "text/html"}, b"<p>not archived</p>"
        told = {
            "Content-Type": "text/html; charset=utf-8",
            "Memento-Datetime": format_datetime(old.at, usegmt=True),
            "Link": f'<{old.url}>; rel="original"',
            "X-Archive-Orig-Content-Type": "text/html; charset=utf-8",
            "X-Archive-Orig-Server": "nginx",
        }
        return 200, told, old.body


def _packed(captures: Sequence[Old]) -> tuple[bytes, list[tuple[int, int]]]:
    """A WARC file, and where each record lies in it."""
    whole, places = b"", []
    for number, old in enumerate(captures):
        member = gzip.compress(_record(number, old), mtime=0)
        places.append((len(whole), len(member)))
        whole += member
    return whole, places


def _record(number: int, old: Old) -> bytes:
    """A response as Common Crawl writes it: WARC/1.0, dates of whole seconds."""
    block = b"HTTP/1.1 %d OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" % old.status + old.body
    head = (
        "WARC/1.0",
        "WARC-Type: response",
        f"WARC-Date: {old.at:%Y-%m-%dT%H:%M:%SZ}",
        f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>",
        f"WARC-Target-URI: {old.url}",
        f"WARC-Payload-Digest: sha1:{old.digest}",
        "Content-Type: application/http; msgtype=response",
        f"Content-Length: {len(block)}",
    )
    return "\r\n".join((*head, "", "")).encode() + block + b"\r\n\r\n"
