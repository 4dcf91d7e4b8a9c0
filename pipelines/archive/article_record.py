"""Articles as JSON: the stored form (`to_json`, `from_json`) and the record that leaves (`record`). Pure.

The record's contract is docs/article-record.md; a test holds the two together. What is absent is null, never "".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from pipelines.archive.records import format_date
from pipelines.model import (
    Article,
    Caption,
    Extraction,
    Precision,
    PublishedFrom,
    Quality,
    Rights,
    WarcRef,
)

SCHEMA = "china-tech-archive/article/1"


def _encoder(default: Callable[[Any], object] | None = None) -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, default=default)


_CANONICAL = _encoder()


def canonical_json(value: object) -> str:
    """JSON with one form for one value: sorted keys, no spaces, UTF-8 as it is."""
    return _CANONICAL.encode(value)


def digest(text: str) -> str:
    """SHA-256 of the UTF-8 bytes, in hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def article_id(url: str) -> str:
    """The stable id of the article at a canonical URL: the first 128 bits of its SHA-256, in hex."""
    return digest(url)[:32]


def timestamp(moment: datetime) -> str:
    """A UTC time with microseconds, as WARC/1.1 and the record write it: text order is time order."""
    return format_date(moment)


def moment(text: str) -> datetime:
    """The inverse of `timestamp`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def to_json(article: Article) -> str:
    """The stored form of an extraction result."""
    return _STORED.encode(article)


def from_json(text: str) -> Article:
    """The inverse of `to_json`."""
    stored: dict[str, Any] = json.loads(text)
    stored.update(
        paragraphs=tuple(stored["paragraphs"]),
        captions=tuple(Caption(**caption) for caption in stored["captions"]),
        published=_datetime(stored["published"]),
        published_precision=stored["published_precision"] and Precision(stored["published_precision"]),
        published_from=stored["published_from"] and PublishedFrom(stored["published_from"]),
        modified=_datetime(stored["modified"]),
        authors=tuple(stored["authors"]),
        editors=tuple(stored["editors"]),
        keywords=tuple(stored["keywords"]),
        rights=Rights(**{**stored["rights"], "robots": tuple(stored["rights"]["robots"])}),
        quality=Quality(confidence=stored["quality"]["confidence"], flags=tuple(stored["quality"]["flags"])),
        extraction=Extraction(**stored["extraction"]),
    )
    return Article(**stored)


def _datetime(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _plain(value: Any) -> object:
    """What JSON has for a value that is not its own."""
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else _named(value)


def _named(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


_STORED = _encoder(default=_plain)
_NAMES: Mapping[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind)) for kind in (Article, Caption, Rights, Quality, Extraction)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the catalogue knows of an article beside its extracted content."""

    id: str
    status: str
    revision: int
    first_seen: str
    last_seen: str
    fetched_at: str
    warc: WarcRef
    payload_digest: str | None
    text_digest: str
    cluster: Mapping[str, object]
    marks: tuple[str, ...] = ()
    """flags that only the whole archive can give, beside those of the extraction"""


def record(article: Article, head: Head) -> dict[str, object]:
    """The article record of docs/article-record.md, keys in its order."""
    return {
        "id": head.id,
        "url": article.url,
        "site": article.site,
        "title": article.title,
        "text": article.text,
        "paragraphs": list(article.paragraphs),
        "captions": [_named(caption) for caption in article.captions],
        "published": article.published and article.published.isoformat(),
        "published_precision": article.published_precision,
        "published_from": article.published_from,
        "modified": article.modified and article.modified.isoformat(),
        "source": article.source,
        "authors": list(article.authors),
        "editors": list(article.editors),
        "section": article.section,
        "keywords": list(article.keywords),
        "language": article.language,
        "rights": _rights(article.rights),
        "status": head.status,
        "revision": head.revision,
        "first_seen": head.first_seen,
        "last_seen": head.last_seen,
        "fetched_at": head.fetched_at,
        "cluster": dict(head.cluster),
        "quality": {"confidence": article.quality.confidence, "flags": sorted({*article.quality.flags, *head.marks})},
        "provenance": _provenance(article, head),
    }


def _rights(rights: Rights) -> dict[str, object]:
    return {**_named(rights), "robots": list(rights.robots), "signals": dict(rights.signals), "reserved": dict(rights.reserved)}


def _provenance(article: Article, head: Head) -> dict[str, object]:
    found = article.extraction
    return {
        "warc": head.warc.file,
        "offset": head.warc.offset,
        "length": head.warc.length,
        "record_id": head.warc.record_id,
        "payload_digest": head.payload_digest,
        "text_digest": "sha256:" + head.text_digest,
        "rules_digest": "sha256:" + found.rules_digest,
        "method": found.method,
        "charset": found.charset,
        "charset_from": found.charset_from,
        "extractor": dict(found.versions),
        "schema": SCHEMA,
    }
