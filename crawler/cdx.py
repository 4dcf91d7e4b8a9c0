"""Indexes of web archives: which question to ask, and what the answer promises. Pure.

    question        a seeds file's `cdx` URL → the URL that is asked first
    index           an answer → links: captures to be had (RECORD), further pages (CDX), live addresses (ARTICLE)

Answers are JSON lines and CDXJ (Common Crawl, pywb), plain CDX with 7, 9 or 11 fields, and Wayback's array of arrays. Where
`Discover.records_of` an index says where its captures are, an article comes from there: one capture each payload, the
earliest. Where it says nothing, an index is a list of addresses that are asked of the site itself, as other lists are.

Paging: pywb's API tells how many pages there are (`showNumPages`) and each is a row of the frontier, so that one page that
fails costs only itself. Wayback's API answers nothing to `page=` with a wildcard, and tells where to go on (`resumeKey`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from urllib.parse import quote

from crawler.links import MAX_URL, UNEXPECTED, Basket, Found, Text, offered
from pipelines.archive.borrowed import MAX_MEMBER, Promise, is_stamp, sha1_of
from pipelines.archive.records import number
from pipelines.model import Capture, Hints, Kind, Link
from pipelines.site import Site
from pipelines.urls import request_url

MAX_LINES = 100_000
"""of one answer that are read: 8 MiB of the shortest lines would be 500,000"""
ROWS_A_PAGE = 10_000
"""of Wayback's answers, at 200 bytes a row: 2 MB"""
BLOCKS_A_PAGE = 3
"""of pywb's answers, each of 3,000 lines at 450 bytes: 4 MB. Its own default, 5, comes near the 8 MiB that are read"""

_PAGING = re.compile(r"[?&](?:page|limit|showNumPages|showResumeKey|resumeKey|offset)=")
_COUNT = "showNumPages=true"
_RESUME = re.compile(r"&resumeKey=[^&]*")
_KEY = re.compile(r"[A-Za-z0-9%._~!*'()+-]*%[0-9A-Fa-f]{2}[A-Za-z0-9%._~!*'()+-]*")
"""a resume key that is escaped already: some servers print it so"""
_NO_CAPTURES = re.compile(r"no captures found", re.IGNORECASE)
_MESSAGE = 1_000
"""characters in which it stands"""
_FINISHED = re.compile(r"/CC-MAIN-\d{4}-\d\d-index\?")
"""the index of one crawl of Common Crawl: it is published when the crawl is over, and then never changes"""
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=+-]*(?:/[A-Za-z0-9_][A-Za-z0-9._=+-]*)*\.gz")
"""a path below the archive's base: no other host, nothing above it, no escapes; and one that is compressed by record"""
_PAGE_MIME = re.compile(r"(?:text/.*|.*xhtml.*|unk|-|application/octet-stream|)\Z", re.IGNORECASE)
_PLAIN = ("key", "timestamp", "url", "mime", "status", "digest")
_REST = {7: ("length",), 9: ("redirect", "offset", "filename"), 10: ("redirect", "meta", "offset", "filename")}
_REST[11] = ("redirect", "meta", "length", "offset", "filename")
"""plain CDX by its number of fields: "N b a m s k" and then "S", "r V g", "r M V g" or "r M S V g" """
_NAMES = {"original": "url", "statuscode": "status", "mimetype": "mime", "urlkey": "key"}
"""Wayback's names for the same"""


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def question(url: str, site: Site) -> str:
    """The URL that an index is asked for first. One with a word on paging is left as it is, but that its `page={page}`
    (the only place of that field, pipelines.site sees to it) becomes the question how many there are."""
    if "{page}" in url:
        return request_url(url.replace("page={page}", _COUNT))
    records = site.discover.records_of(url)
    if records is None or "?" not in url or _PAGING.search(url):
        return request_url(url)
    if "{timestamp}" in records:
        return request_url(f"{url}&limit={ROWS_A_PAGE}&showResumeKey=true")
    size = "" if "pageSize=" in url else f"&pageSize={BLOCKS_A_PAGE}"
    return request_url(f"{url}{size}&{_COUNT}")


def is_finished(url: str) -> bool:
    """Whether an index can answer this question only in one way, for ever."""
    return _FINISHED.search(url) is not None


def is_empty_answer(capture: Capture) -> bool:
    """pywb's way to say that it has nothing: 404, with a message of its own. Any other 404 is an index that is not there."""
    return capture.kind is Kind.CDX and capture.status == 404


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One capture, as an index writes it down; what it does not say is ""."""

    url: str
    timestamp: str = ""
    status: str = "-"
    mime: str = ""
    digest: str = ""
    length: str = ""
    offset: str = ""
    filename: str = ""
    truncated: str = ""

    @property
    def is_capture(self) -> bool:
        """Of a page, not of an error or a redirect."""
        return self.status in ("200", "-", "304")


@dataclass(slots=True)
class _Answer:
    """What an answer says: its lines, and where it goes on."""

    lines: Iterable[Line] = ()
    resume: str | None = None


def index(text: Text, basket: Basket) -> Found:
    """See the module. Never raises."""
    characters = text.decoded()
    if not characters.strip():
        return Found()
    if _COUNT in basket.url and (pages := _pages(characters)) is not None:
        return _pages_found(pages, basket)
    answer = _answer(characters)
    lines = list(islice(answer.lines, MAX_LINES + 1))
    if not lines:
        return Found() if _NO_CAPTURES.search(characters[:_MESSAGE]) else UNEXPECTED
    base = basket.site.discover.records_of(basket.url)
    if base is None:
        found = offered((line.url for line in lines if line.is_capture), basket)
        return UNEXPECTED if not found.entries else replace(found, next_url=_next_url(answer, basket.url))
    return replace(_Gatherer(basket, base).gather(lines), next_url=_next_url(answer, basket.url))


def _next_url(answer: _Answer, url: str) -> str | None:
    if not answer.resume or len(answer.resume) > MAX_URL:
        return None
    key = answer.resume if _KEY.fullmatch(answer.resume) else quote(answer.resume, safe="", errors="replace")
    return f"{_RESUME.sub('', url)}&resumeKey={key}"


def _pages(text: str) -> int | None:
    """The answer to `showNumPages`: pywb's object, or Wayback's bare number."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    pages = said.get("pages") if isinstance(said, dict) and "url" not in said else said
    return pages if isinstance(pages, int) and not isinstance(pages, bool) and pages >= 0 else None


def _pages_found(pages: int, basket: Basket) -> Found:
    """All pages at once; those beyond `max_pages` are told as skipped."""
    most = basket.site.discover.max_pages
    links = (Link(url=basket.url.replace(_COUNT, f"page={page}"), kind=Kind.CDX) for page in range(min(pages, most)))
    return Found(links=tuple(links), skipped=(("pages", pages - most),) if pages > most else ())


# ── formats ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _answer(text: str) -> _Answer:
    if text.lstrip().startswith("[["):
        return _table(text)
    lines = text.splitlines()
    resume = None
    if len(lines) > 1 and not lines[-2].strip() and 0 < len(lines[-1].strip()) <= MAX_URL and _line(lines[-1]) is None:
        resume = lines.pop().strip()  # an empty line, and then the key
    return _Answer(lines=(line for text in lines if (line := _line(text)) is not None), resume=resume)


def _table(text: str) -> _Answer:
    """The key stands alone in the last row, behind an empty one."""
    try:
        header, *rows = json.loads(text)
        names = [_NAMES.get(name, name) for name in header]
    except (ValueError, RecursionError, TypeError):
        return _Answer()
    if "url" not in names:
        return _Answer()
    resume = None
    if len(rows) > 1 and rows[-2] == [] and isinstance(rows[-1], list) and len(rows[-1]) == 1:
        resume = str(rows[-1][0])
    whole = (row for row in rows if isinstance(row, list) and len(row) == len(names))
    return _Answer(lines=(line for row in whole if (line := _said(dict(zip(names, row, strict=True))))), resume=resume)


def _line(text: str) -> Line | None:
    fields = text.split(" ", 2)
    if text.startswith("{") or (len(fields) == 3 and fields[2].startswith("{")):
        return _json_line(text, fields)
    plain = text.split()
    if len(plain) < 5 or not plain[1].isdigit():
        return None
    return _said(dict(zip((*_PLAIN, *_REST.get(len(plain), ())), plain, strict=False)))


def _json_line(text: str, fields: list[str]) -> Line | None:
    """One object; CDXJ has key and timestamp before it."""
    try:
        record = json.loads(text if text.startswith("{") else fields[2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    return _said(record if text.startswith("{") else {"timestamp": fields[1], **record})


def _said(fields: Mapping[str, object]) -> Line | None:
    if not isinstance(fields.get("url"), str):
        return None
    names = Line.__dataclass_fields__
    return Line(**{name: str(value) for name, value in fields.items() if name in names and isinstance(value, (str, int))})


# ── what is taken ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Gatherer:
    """Judges the lines of one answer, and counts why those that are not asked for are not."""

    basket: Basket
    base: str
    skipped: Counter[str] = field(default_factory=Counter)
    promised: dict[str, Promise] = field(default_factory=dict)
    live: list[str] = field(default_factory=list)

    def gather(self, lines: list[Line]) -> Found:
        for line in lines[:MAX_LINES]:
            if (word := self._take(line)) is not None:
                self.skipped[word] += 1
        self.skipped["lines"] += max(0, len(lines) - MAX_LINES)
        for url in self.live:
            self.basket.offer(url, lambda: Hints(via=self.basket.url))
        asked = tuple(Link(url=key, kind=Kind.RECORD, hints=Hints(via=one.place())) for key, one in self.promised.items())
        found = self.basket.found(len(lines))
        return replace(found, links=(*asked, *found.links), skipped=tuple(sorted((+self.skipped).items())))

    def _take(self, line: Line) -> str | None:
        """Takes a capture, or says in a word why not."""
        if line.mime == "warc/revisit":
            return "revisit"  # stands for a payload that another line has
        if line.status != "200":
            return "status"
        if not _PAGE_MIME.match(line.mime):
            return "mime"
        if not is_stamp(line.timestamp):
            return "malformed"
        canonical = self.basket.article(line.url)
        if canonical is None:
            return "no_article"
        if line.truncated:
            self.live.append(line.url)  # the site itself may still have the whole page
            return "truncated"
        promise = _promise(line, self.base)
        return promise if isinstance(promise, str) else self._keep(promise, canonical)

    def _keep(self, promise: Promise, canonical: str) -> str | None:
        key = promise.key(canonical)
        other = self.promised.get(key)
        if other is None or promise.at < other.at:
            self.promised[key] = promise
        return None if other is None else "same_payload"


def _promise(line: Line, base: str) -> Promise | str:
    """What a line promises, below a base or by a template; else why it promises nothing."""
    said = {"url": line.url, "at": line.timestamp, "digest": sha1_of(line.digest)}
    if "{timestamp}" in base:
        source = base.replace("{timestamp}", line.timestamp).replace("{url}", request_url(line.url))
        return Promise(source=request_url(source), **said)  # type: ignore[arg-type]
    offset, length = number(line.offset), number(line.length)
    if offset is None or not length or len(line.filename) > MAX_URL or not _FILE.fullmatch(line.filename):
        return "no_place"
    if length > MAX_MEMBER:
        return "too_large"
    return Promise(source=request_url(base + line.filename), offset=offset, length=length, **said)  # type: ignore[arg-type]
