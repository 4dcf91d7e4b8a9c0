"""Common Crawl, as far as the replica's site is in it: an index server (pywb's API) and WARC files that are read by ranges.

Rule of this file: names, fields and messages are those of the real ones (index.commoncrawl.org, data.commoncrawl.org); the
files are made from captures.py alone, and are the same at every start. An unknown parameter is an error, so that no client
can rely on what is not here.
"""

from __future__ import annotations

import functools
import gzip
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from tests.replica import captures
from tests.replica.captures import Held
from tests.replica.resource import Answer

INDEX, DATA = "index.commoncrawl.org", "data.commoncrawl.org"
LINES_A_BLOCK = 2
"""of the index; 3,000 in the real one. So small that a dozen captures have several pages"""
PAGE_SIZE = 5
"""blocks of a page, unless the question names a `pageSize`"""
PARAMETERS = {"url", "matchType", "output", "page", "pageSize", "showNumPages"}
GOOD, DIAGNOSTICS = "warc", "crawldiagnostics"
"""Pages and what was no page lie in files of their own."""

_CRAWL = re.compile(r"/(CC-MAIN-\d{4}-\d\d)-index")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_TYPES = {
    "warcinfo": "application/warc-fields",
    "request": "application/http; msgtype=request",
    "response": "application/http; msgtype=response",
}
_REASONS = {200: "OK", 301: "Moved Permanently", 404: "Not Found"}
_PLAIN: Mapping[str, str] = {"Content-Type": "text/plain"}


def respond(url: str, headers: Mapping[str, str]) -> tuple[str, Answer]:
    """The kind of answer, and the answer."""
    parts = urlsplit(url)
    if parts.path == "/robots.txt":
        return "robots", (200, _PLAIN, b"User-agent: *\nDisallow: /search/\n") if parts.hostname == INDEX else _forbidden()
    if parts.hostname == DATA:
        return "range", _range(parts.path.removeprefix("/"), headers.get("range"))
    crawl = _CRAWL.fullmatch(parts.path)
    if crawl is None or crawl[1] not in captures.CRAWLS:
        return "index", (404, {"Content-Type": "text/html"}, b"<html><body>Collection not found</body></html>")
    return "index", _index(crawl[1], dict(parse_qsl(parts.query)))


# ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _index(crawl: str, question: Mapping[str, str]) -> Answer:
    if set(question) - PARAMETERS or "url" not in question:
        return _message(400, f"no such question: {sorted(question)}")
    found = captures.asked_for(crawl, question["url"], question.get("matchType"))
    if not found:
        return _message(404, f"No Captures found for: {question['url']}")
    size = int(question.get("pageSize", PAGE_SIZE))
    if question.get("showNumPages") == "true":
        blocks = _rounded_up(len(found), LINES_A_BLOCK)
        return _lines([json.dumps({"pages": _rounded_up(blocks, size), "pageSize": size, "blocks": blocks})])
    return _page(found, question, size * LINES_A_BLOCK)


def _page(found: Sequence[Held], question: Mapping[str, str], each: int) -> Answer:
    """Without `page`, everything: pywb's own way."""
    page, last = int(question.get("page", "0")), _rounded_up(len(found), each) - 1
    if page > last:
        return _message(400, f"Page {page} invalid: First Page is 0, Last Page is {last}")
    shown = found[page * each : (page + 1) * each] if "page" in question else found
    return _lines([line(one, question.get("output") == "json") for one in shown])


def _rounded_up(count: int, each: int) -> int:
    return -(-count // each)


def line(one: Held, as_json: bool = True) -> str:
    """A capture in the index: one JSON object, or CDXJ."""
    filename, offset, length = _place(one)
    said: dict[str, str] = {
        "url": one.url,
        "mime": one.mime,
        "mime-detected": one.mime,
        "status": str(one.status),
        "digest": one.digest,
        "length": str(length),
        "offset": str(offset),
        "filename": filename,
    }
    said |= {"redirect": one.headers["Location"]} if "Location" in one.headers else {"charset": "UTF-8", "languages": "zho"}
    said |= {"truncated": "length"} if one.truncated else {}
    if as_json:
        return json.dumps({"urlkey": one.key, "timestamp": one.stamp, **said})
    return f"{one.key} {one.stamp} {json.dumps(said)}"


def _lines(lines: Sequence[str]) -> Answer:
    return 200, {"Content-Type": "text/x-ndjson"}, "".join(f"{text}\n" for text in lines).encode()


def _message(status: int, text: str) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps({"message": text}).encode()


# ── the files ────────────────────────────────────────────────────────────────────────────────────────────────────────


def range_of(one: Held) -> tuple[str, str]:
    """The URL of the file that a capture lies in, and the Range that gives its record."""
    filename, offset, length = _place(one)
    return f"https://{DATA}/{filename}", f"bytes={offset}-{offset + length - 1}"


def record(one: Held) -> bytes:
    """Its response record, one gzip member. Common Crawl writes WARC/1.0, with SHA-1, and tells a coding that it undid."""
    fields = {"WARC-Target-URI": one.url, "WARC-Payload-Digest": f"sha1:{one.digest}"}
    fields |= {"WARC-Truncated": "length"} if one.truncated else {}
    lines = {**one.headers, "X-Crawl-Content-Encoding": "gzip", "Content-Length": str(len(one.body))}
    head = f"HTTP/1.1 {one.status} {_REASONS[one.status]}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return _member("response", one, fields, head.encode("latin-1") + b"\r\n" + one.body)


def _range(path: str, asked: str | None) -> Answer:
    """RFC 9110 §14: one range of bytes, or the whole file."""
    whole = _shelf().files.get(path)
    if whole is None:
        return _forbidden()
    fields = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", "ETag": f'"{len(whole):x}"'}
    match = _RANGE.fullmatch(asked or "")
    if match is None:
        return 200, fields, whole
    first, last = int(match[1]), min(int(match[2] or len(whole)), len(whole) - 1)
    if first > last:
        return 416, {**fields, "Content-Range": f"bytes */{len(whole)}"}, b""
    return 206, {**fields, "Content-Range": f"bytes {first}-{last}/{len(whole)}"}, whole[first : last + 1]


def _forbidden() -> Answer:
    """What the store answers where nothing is: it does not say whether there is something."""
    return 403, {"Content-Type": "application/xml"}, b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """Files by name, and where each capture's response lies: file, offset, length."""

    files: Mapping[str, bytes]
    places: Mapping[tuple[str, str, str], tuple[str, int, int]]


def _place(one: Held) -> tuple[str, int, int]:
    return _shelf().places[one.archive, one.url, one.stamp]


@functools.cache
def _shelf() -> _Shelf:
    files: dict[str, bytes] = {}
    places: dict[tuple[str, str, str], tuple[str, int, int]] = {}
    for crawl in captures.CRAWLS:
        for folder in (GOOD, DIAGNOSTICS):
            name = f"crawl-data/{crawl}/segments/1/{folder}/{crawl}-00000.warc.gz"
            whole = bytearray(_opening(name))
            for one in sorted(captures.held(crawl), key=lambda one: one.at):
                if (one.status == 200) is (folder == GOOD):
                    whole += _request(one)
                    member = record(one)
                    places[crawl, one.url, one.stamp] = name, len(whole), len(member)
                    whole += member
            files[name] = bytes(whole)
    return _Shelf(files=files, places=places)


def _opening(name: str) -> bytes:
    fields = {"WARC-Date": "2019-08-18T00:00:00Z", "WARC-Filename": name.rpartition("/")[2]}
    return _packed("warcinfo", name, fields, b"isPartOf: a crawl of the replica\r\n")


def _request(one: Held) -> bytes:
    parts = urlsplit(one.url)
    lines = f"GET {parts.path} HTTP/1.1\r\nUser-Agent: CCBot/2.0\r\nHost: {parts.netloc}\r\n\r\n"
    return _member("request", one, {"WARC-Target-URI": one.url}, lines.encode())


def _member(kind: str, one: Held, fields: Mapping[str, str], block: bytes) -> bytes:
    return _packed(kind, f"{one.archive} {one.url} {one.stamp}", {"WARC-Date": f"{one.at:%Y-%m-%dT%H:%M:%SZ}", **fields}, block)


def _packed(kind: str, name: str, fields: Mapping[str, str], block: bytes) -> bytes:
    """`name` makes the record's id, so that it is the same one always."""
    given = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind} {name}')}>",
        **fields,
        "Content-Type": _TYPES[kind],
        "Content-Length": str(len(block)),
    }
    head = "WARC/1.0\r\n" + "".join(f"{field}: {value}\r\n" for field, value in given.items()) + "\r\n"
    return gzip.compress(head.encode() + block + b"\r\n\r\n", mtime=0)
