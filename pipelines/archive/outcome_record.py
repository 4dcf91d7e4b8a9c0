"""What reading a capture gave, as a WARC metadata record: who has the files alone still knows what became of each page. Pure.

    capture + result ─► Told ─► metadata record ─► Told

Rules of this file:
- The record describes another one, so it names it by WARC-Refers-To (WARC/1.1 §6.6); the hints that were known before a page
  was fetched stand in a record of the same event, which WARC-Concurrent-To says. Its date is the capture's, too.
- Its block is application/warc-fields, as crawlers write it; what is no line of text is JSON, as Common Crawl's languages are.
- Never the text, nor a sentence of it: its digest.
- It says what the page was read as when it came. What the archive made of it (new, duplicate), and what later rules read,
  is the catalogue's. Why only a crawl writes it: docs/decisions/0009.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipelines.archive.article_record import article_id, digest
from pipelines.archive.exchange import METADATA_FIELDS, clean_url, new_id, parse_warc_fields, warc_fields
from pipelines.archive.records import Record, encode_record, format_date, number, parse_date
from pipelines.extract.version import versions
from pipelines.model import Article, Capture, Rejection

ARTICLE = "article"
"""the outcome of a page that has one; any other is a Reason"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What was found where there is an article. `method` and `confidence` as in its record; `digest` is of this page's text."""

    method: str
    confidence: float
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The outcome of the record `of`, which lies at `offset` of `file`. `canonical` is the URL of the article, `rules` the
    digest of the seeds file, `versions` the readers'."""

    of: str
    file: str
    offset: int
    url: str
    fetched_at: datetime
    outcome: str
    canonical: str
    rules: str
    versions: Mapping[str, str]
    text: Text | None = None
    at: int | None = None
    """where the metadata record itself lies, when it was read"""

    @property
    def article(self) -> str:
        return article_id(self.canonical)


def told(capture: Capture, canonical: str, rules: str, result: Article | Rejection) -> Told:
    """What is to be said of a capture that lies in a WARC file."""
    assert capture.warc is not None, "only what lies in the archive is described"
    text = None
    if isinstance(result, Article):
        text = Text(method=result.extraction.method, confidence=result.quality.confidence, digest=digest(result.text))
    return Told(
        of=capture.warc.record_id,
        file=capture.warc.file,
        offset=capture.warc.offset,
        url=capture.url,
        fetched_at=capture.fetched_at,
        outcome=ARTICLE if isinstance(result, Article) else str(result.reason),
        canonical=canonical,
        rules=rules,
        versions=result.extraction.versions if isinstance(result, Article) else versions(),
        text=text,
    )


def pack_told(one: Told, warcinfo_id: str) -> bytes:
    """Its gzip member."""
    about = (
        ("WARC-Refers-To", f"<{one.of}>"),
        ("WARC-Record-ID", new_id()),
        ("WARC-Target-URI", clean_url(one.url)),
        ("WARC-Date", format_date(one.fetched_at)),
        ("WARC-Warcinfo-ID", warcinfo_id),
    )
    values = {"outcome": one.outcome, "article": one.article, "canonical-url": one.canonical}
    if one.text is not None:
        values |= {"method": one.text.method, "confidence": repr(one.text.confidence), "text-digest": f"sha256:{one.text.digest}"}
    values |= {"rules-digest": f"sha256:{one.rules}", "extractor": json.dumps(dict(one.versions))}
    values |= {"file": one.file, "offset": str(one.offset)}
    return encode_record((*METADATA_FIELDS, *about), warc_fields(values))


def parse_told(record: Record) -> Told | None:
    """What a metadata record tells; None for one of another kind, or of somebody else."""
    fields = record.fields
    if "warc-refers-to" not in fields or not record.block.startswith(b"outcome: "):
        return None
    values = parse_warc_fields(record.block)
    moment = parse_date(fields.get("warc-date", ""))
    offset = number(values.get("offset"))
    try:
        if moment is None or offset is None:
            return None
        return Told(
            of=fields["warc-refers-to"].strip("<> "),
            file=values["file"],
            offset=offset,
            url=fields["warc-target-uri"],
            fetched_at=moment,
            outcome=values["outcome"],
            canonical=values["canonical-url"],
            rules=values["rules-digest"].removeprefix("sha256:"),
            versions=json.loads(values["extractor"]),
            text=_text(values),
            at=record.offset,
        )
    except (KeyError, ValueError):
        return None


def _text(values: Mapping[str, str]) -> Text | None:
    if values["outcome"] != ARTICLE:
        return None
    found = values["text-digest"].removeprefix("sha256:")
    return Text(method=values["method"], confidence=float(values["confidence"]), digest=found)
