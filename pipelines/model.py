"""The values that flow through the river, one name a stage: Link, Capture, Article or Rejection, Relation.

Only frozen values live here: no I/O, no clock, no parsing. What may be absent is None, never "".
Times are aware `datetime`s in UTC with microseconds, except `Article.published` and `modified`, which keep the
offset that the page printed (or the site's zone).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

Headers = tuple[tuple[str, str], ...]
"""HTTP headers in the order received, repeated names kept."""


class Kind(StrEnum):
    """What a URL was fetched for."""

    ARTICLE = "article"
    LISTING = "listing"
    JSONP = "jsonp"
    FEED = "feed"
    SITEMAP = "sitemap"
    CDX = "cdx"
    RECORD = "record"
    """a capture that another archive has (pipelines/archive/borrowed.py); what it shows is an ARTICLE"""
    ROBOTS = "robots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What other pages said about this one: the page that linked here of the article, robots.txt of its use. Written to the
    WARC beside the capture, so that a replay knows it too."""

    via: str | None = None
    title: str | None = None
    published: str | None = None
    """as printed in the list, e.g. "2022-08-17 10:05" """
    section: str | None = None
    terms: str | None = None
    """usage statements of the host's robots.txt at that time, a line each: name in lower case, ": ", value as written"""

    def given(self) -> dict[str, str]:
        """Those that there are, by name."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A URL found on a page that was fetched, absolute, not yet canonical."""

    url: str
    kind: Kind
    hints: Hints = Hints()


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcRef:
    """Where a record lies: file name below the archive's `warc/`, offset and length of its gzip member in bytes."""

    file: str
    offset: int
    length: int
    record_id: str

    @classmethod
    def of_row(cls, row: Any) -> Self:
        """By a row of the catalogue that has these columns."""
        return cls(file=row.file, offset=row.offset, length=row.length, record_id=row.record_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One HTTP exchange, as received and before anything interpreted it.

    `body` is the entity as transferred: Content-Encoding not undone, Transfer-Encoding undone.
    `truncated` is the WARC-Truncated reason ("length", "time", "disconnect", "unspecified"), None for a whole one.
    A 304 has an empty body and `refers_to` the URL and date of the capture that it confirms.
    """

    url: str
    fetched_at: datetime
    status: int
    headers: Headers
    body: bytes
    kind: Kind = Kind.ARTICLE
    hints: Hints = Hints()
    truncated: str | None = None
    payload_digest: str | None = None
    refers_to: tuple[str, datetime] | None = None
    warc: WarcRef | None = None

    @property
    def lacks_payload(self) -> bool:
        """Whether it is a revisit that stands for a whole payload (WARC/1.1 §6.7.2), and that is not here."""
        return self.refers_to is not None and self.status != 304 and not self.body

    def header(self, name: str) -> str | None:
        """The first value of a header, by case-insensitive name."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Reason(StrEnum):
    """Why a capture is no article. Each has its page folder in tests/pages."""

    NOT_MODIFIED = "not_modified"
    HTTP_ERROR = "http_error"
    GONE = "gone"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    BAD_ENCODING = "bad_encoding"
    NOT_HTML = "not_html"
    EMPTY = "empty"
    PARTIAL = "partial"
    LISTING = "listing"
    TOPIC = "topic"
    PHOTO_SET = "photo_set"
    SOFT_404 = "soft_404"
    CAPTCHA = "captcha"
    CHALLENGE = "challenge"
    LOGIN = "login"
    MAINTENANCE = "maintenance"
    NO_TEXT = "no_text"
    TOO_EXPENSIVE = "too_expensive"
    TAKEN_DOWN = "taken_down"
    OUT_OF_SCOPE = "out_of_scope"


DENIED = frozenset({Reason.GONE, Reason.SOFT_404})
"""Reasons that say that there is no such article (docs/decisions/0004)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A page that is no article: a reason, and one sentence of evidence for people."""

    reason: Reason
    detail: str
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    text: str
    image_url: str | None = None


class PublishedFrom(StrEnum):
    """Which evidence gave `Article.published`, best first."""

    HEADER = "header"
    META = "meta"
    JSONLD = "jsonld"
    URL = "url"
    LISTING = "listing"


class Precision(StrEnum):
    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the page and its server say may be done with the text: raw as printed, and parsed.

    `owned` is True where the printed source is one of the site's own, False for a reprint, None where no source is
    printed. `robots` are the directives of the robots meta and X-Robots-Tag. `signals` holds every other machine-readable
    statement (tdm-reservation, tdm-policy, content-usage, content-signal, rsl ...) by its name, raw.
    `reserved` is the parsed, most restrictive answer by use: "archive", "text-and-data-mining", "train" -> True when reserved.
    """

    notice: str | None = None
    owned: bool | None = None
    image_notice: str | None = None
    robots: tuple[str, ...] = ()
    signals: Mapping[str, str] = field(default_factory=dict)
    reserved: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """`confidence` in 0..1: 1.0 for a layout that kept its text, else the readers' agreement. `flags` are sorted words,
    e.g. "no_date", "future_date", "short", "replacement_characters"."""

    confidence: float
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """How the text was found: part of the record's provenance."""

    method: str
    """"layout:<name>" or "consensus" """
    charset: str
    charset_from: str
    rules_digest: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The article of one page. `paragraphs` never hold captions, bylines, editor lines or notices; `text` is them joined.

    `part` is this page's number in a multi-page article (1 for the first and for all single pages); `next_url` the
    absolute URL of the following page, None on the last.
    """

    url: str
    """canonical"""
    site: str
    title: str
    paragraphs: tuple[str, ...]
    captions: tuple[Caption, ...] = ()
    published: datetime | None = None
    published_precision: Precision | None = None
    published_from: PublishedFrom | None = None
    modified: datetime | None = None
    source: str | None = None
    authors: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    section: str | None = None
    keywords: tuple[str, ...] = ()
    language: str | None = None
    rights: Rights = field(default_factory=Rights)
    quality: Quality
    extraction: Extraction
    part: int = 1
    next_url: str | None = None
    quarantine: str | None = None
    """why a person should look before the corpus has it; None for an article that goes on"""

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)


class Verdict(StrEnum):
    """What a new text is in relation to what the archive already has."""

    NEW = "new"
    UNCHANGED = "unchanged"
    REVISION = "revision"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    CONTAINED = "contained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What a text was found to be to another article's, by comparing them whole: an edge of the graph whose components
    are the clusters. `similarity` in 0..1 is Jaccard's; for CONTAINED the share of the contained text that the other has."""

    other: str
    verdict: Verdict
    """DUPLICATE, NEAR_DUPLICATE or CONTAINED"""
    similarity: float
    inside: bool | None = None
    """for CONTAINED: True where this text is inside the other's, False where it is around it"""

    @property
    def joins(self) -> bool:
        """Whether the two are one cluster. Being contained is recorded, but joins nothing (docs/decisions/0003)."""
        return self.verdict in (Verdict.DUPLICATE, Verdict.NEAR_DUPLICATE)


class Status(StrEnum):
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    QUARANTINED = "quarantined"
