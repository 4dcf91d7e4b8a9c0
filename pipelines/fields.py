"""The columns of an export: what each holds, and what it means in one sentence. docs/article-record.md is the contract.

Only tables live here. Who writes rows (`formats`), who describes them for machines (`croissant`) and for people (`card`)
reads them from here, so that the three cannot differ.
"""

from __future__ import annotations

from typing import Any

from pipelines.site import USES

NOT_METADATA = ("id", "text", "paragraphs")
"""Fields of the record that Dolma's `metadata` leaves out"""
PAIRS = "pairs"
"""A map with open keys"""
_CAPTION = {"text": "text", "image_url": "text"}
_RIGHTS = {
    "notice": "text",
    "owned": "flag",
    "image_notice": "text",
    "robots": ["text"],
    "signals": PAIRS,
    "reserved": dict.fromkeys(USES, "flag"),
}
_PROVENANCE = {
    "warc": "text",
    "offset": "number",
    "length": "number",
    "record_id": "text",
    "payload_digest": "text",
    "text_digest": "text",
    "rules_digest": "text",
    "method": "text",
    "charset": "text",
    "charset_from": "text",
    "extractor": PAIRS,
    "schema": "text",
}
_NATIVE: dict[str, Any] = {
    "id": "text",
    "url": "text",
    "site": "text",
    "title": "text",
    "text": "text",
    "paragraphs": ["text"],
    "captions": [_CAPTION],
    "published": "text",
    "published_precision": "text",
    "published_from": "text",
    "modified": "text",
    "source": "text",
    "authors": ["text"],
    "editors": ["text"],
    "section": "text",
    "keywords": ["text"],
    "language": "text",
    "rights": _RIGHTS,
    "status": "text",
    "revision": "number",
    "first_seen": "text",
    "last_seen": "text",
    "fetched_at": "text",
    "cluster": {"id": "text", "kind": "text", "similarity": "share", "size": "number", "representative": "text"},
    "quality": {"confidence": "share", "flags": ["text"]},
    "provenance": _PROVENANCE,
}
_DOLMA: dict[str, Any] = {
    **dict.fromkeys(("id", "text", "source", "added", "created"), "text"),
    "metadata": {name: kind for name, kind in _NATIVE.items() if name not in NOT_METADATA},
}
CHANGE: dict[str, Any] = {"op": "text", "sequence": "number", "id": "text", "record": _NATIVE}
"""The columns of a segment of the feed"""
COLUMNS = {"native": _NATIVE, "dolma": _DOLMA}
"""Schema -> columns and what they hold: a word, a list of one kind, a mapping with fixed names. Times are text, as in
the record: a Parquet timestamp would lose the offset that the page printed."""

TIMES = frozenset(("published", "modified", "first_seen", "last_seen", "fetched_at", "added", "created"))
"""Names of the columns, and of Dolma's metadata, that are times"""

SAID: dict[tuple[str, ...], str] = {
    ("id",): "The first 128 bits of the SHA-256 of the URL, in hex: the same article has it in every archive.",
    ("url",): "The canonical URL.",
    ("site",): "The name of the seeds file that made the record.",
    ("title",): "The headline, without the site's name.",
    ("text",): "The paragraphs, joined by line feeds. No captions, bylines, notices or navigation.",
    ("paragraphs",): "The text, paragraph by paragraph.",
    ("captions",): "Captions of images.",
    ("captions", "text"): "The caption.",
    ("captions", "image_url"): "The address of the image.",
    ("published",): "When it was published, ISO 8601 with the offset that was printed.",
    ("published_precision",): "What of it is known: second, minute, day.",
    ("published_from",): "Which evidence gave it: header, meta, jsonld, url, listing.",
    ("modified",): "When the page says that it was last changed.",
    ("source",): "The outlet that the text is from, as printed.",
    ("authors",): "Who wrote it.",
    ("editors",): "Who is printed as responsible editor.",
    ("section",): "The channel or column.",
    ("keywords",): "The page's own keywords.",
    ("language",): "The language (BCP 47).",
    ("rights",): "What page, server and robots.txt said, when it was fetched, about what may be done with the text.",
    ("rights", "notice"): "The rights notice, as printed.",
    ("rights", "owned"): "Whether the printed source is one of the publisher's own; false for a reprint.",
    ("rights", "image_notice"): "A notice about images, as printed.",
    ("rights", "robots"): "Directives of the robots meta element and of X-Robots-Tag.",
    ("rights", "signals"): "Every other machine-readable statement, by name, as received.",
    ("rights", "reserved"): "The uses that are reserved: the most restrictive of all that was said.",
    ("rights", "reserved", "archive"): "Keeping a copy.",
    ("rights", "reserved", "text-and-data-mining"): "Text and data mining.",
    ("rights", "reserved", "train"): "Training of models.",
    ("status",): "active; withdrawn when the publisher took it away; quarantined when a person should look first.",
    ("revision",): "The number of the text, from 1.",
    ("first_seen",): "When its text was first fetched.",
    ("last_seen",): "When it was last found to be there, in steps of 30 days.",
    ("fetched_at",): "When this revision was first fetched.",
    ("cluster",): "The story that it belongs to, told in (nearly) the same words by other articles.",
    ("cluster", "id"): "The same for all articles of the story.",
    ("cluster", "kind"): "What it is to the representative: duplicate, near_duplicate, contained.",
    ("cluster", "similarity"): "How alike the two are, 0 to 1.",
    ("cluster", "size"): "How many articles of the archive tell the story.",
    ("cluster", "representative"): "The id of the article that stands for it.",
    ("quality",): "How far the text is to be trusted.",
    ("quality", "confidence"): "1 for a layout that kept its text, else how far independent readers agree.",
    ("quality", "flags"): "Words such as no_date, short, incomplete, template_line.",
    ("provenance",): "Where it comes from, and what read it.",
    ("provenance", "warc"): "The WARC file in the archive.",
    ("provenance", "offset"): "Where in it the record begins, in bytes.",
    ("provenance", "length"): "The length of its gzip member, in bytes.",
    ("provenance", "record_id"): "Its WARC-Record-ID.",
    ("provenance", "payload_digest"): "The digest of the body as transferred.",
    ("provenance", "text_digest"): "The SHA-256 of the text in UTF-8.",
    ("provenance", "rules_digest"): "The SHA-256 of the seeds file that made the record.",
    ("provenance", "method"): "How the text was found: a layout of the site, or the agreement of readers.",
    ("provenance", "charset"): "How the page was decoded.",
    ("provenance", "charset_from"): "Which evidence said so.",
    ("provenance", "extractor"): "The versions of the software that read it.",
    ("provenance", "schema"): "The name of the record's schema.",
}
"""What a field of the record is, by its path."""

SAID_BY_DOLMA: dict[tuple[str, ...], str] = {
    ("id",): SAID["id",],
    ("text",): SAID["text",],
    ("source",): SAID["site",],
    ("added",): SAID["fetched_at",],
    ("created",): SAID["published",],
    ("metadata",): "Every other field of the record.",
    **{("metadata", *path): said for path, said in SAID.items() if path[0] not in NOT_METADATA},
}
FIELDS = {"native": SAID, "dolma": SAID_BY_DOLMA}
"""Schema -> path of a field -> what it is"""
