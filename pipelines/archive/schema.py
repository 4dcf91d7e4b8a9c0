"""The catalogue's tables. Only definitions live here: no query, no transaction.

Times of the record are ISO 8601 text in UTC with microseconds, which sorts as time does; times of the schedule are
seconds since the epoch. `SCHEMA_VERSION` changes with every change of shape, and migrations.py
has the step to it: a test compares what the steps make with what stands here.

    url ──────────── the frontier: one row a URL and site, pending -> leased -> done | set_aside
    host ─────────── when a host may be asked next, and what its robots.txt said
    capture ──────── one row a WARC record that was ingested: where it lies, what became of it
    content ──────── one extraction result, by the digest of its canonical JSON
    page ─────────── what one capture said about one article: a text, gone, or confirmed (304)
    revision ─────── folded from the pages of an article by dedup.history
    article ──────── the head: the current state, its cluster, whether the corpus shows it
    edge ─────────── a verified pair of articles: duplicate, near duplicate, contained
    template_line ── first and last lines of each article: what recurs across a site may be furniture
    change ───────── the feed: one row a change of what the corpus shows, numbered
    tombstone ────── what was taken down and never comes back
    run ──────────── one crawl, with its ledger
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    literal_column,
)

SCHEMA_VERSION = 5
ARCHIVE_ID = "archive"
"""key of `info`: who this archive is"""

metadata = MetaData()
_serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts by itself only in INTEGER PRIMARY KEY

info = Table("info", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

url = Table(
    "url",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("site", String, nullable=False),
    Column("url", Text, nullable=False),
    Column("host", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("depth", Integer, nullable=False, default=0),
    Column("page", Integer, nullable=False, default=1),
    Column("chain", Text),
    Column("complete_at", Float),
    Column("priority", Integer, nullable=False, default=0),
    Column("discovered_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("leased_until", Float),
    Column("tries", Integer, nullable=False, default=0),
    Column("reason", String),
    Column("hints", Text),
    Column("last_status", Integer),
    Column("last_fetched", Float),
    Column("last_changed", Float),
    Column("interval", Float),
    Column("visits", Integer, nullable=False, default=0),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("captured_url", Text),
    Column("captured_at", String),
    UniqueConstraint("site", "url"),
    Index("url_due", "site", "state", "due_at"),
)

host = Table(
    "host",
    metadata,
    Column("host", String, primary_key=True),
    Column("state", Text, nullable=False),
)

robots = Table(
    "robots",
    metadata,
    Column("host", String, primary_key=True),
    Column("fetched_at", Float, nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("failure", Text),
)

capture = Table(
    "capture",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("site", String, nullable=False),
    Column("url", Text, nullable=False),
    Column("kind", String, nullable=False),
    Column("fetched_at", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("file", String, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("record_id", String, nullable=False),
    Column("payload_digest", String),
    Column("outcome", String, nullable=False),
    Column("detail", Text),
    Column("article", String),
    UniqueConstraint("file", "offset"),
    Index("capture_article", "article"),
    Index("capture_url", "url"),
)

content = Table("content", metadata, Column("digest", String, primary_key=True), Column("article", Text, nullable=False))

page = Table(
    "page",
    metadata,
    Column("article", String, primary_key=True),
    Column("capture", _serial, primary_key=True),
    Column("part", Integer, nullable=False),
    Column("fetched_at", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("content", String),
    Index("page_fetched", "fetched_at"),
    Index("page_capture", "capture"),
)
IS_GONE = page.c.kind == literal_column("'gone'")
"""what denies an article (dedup.history.PageKind); a parameter in place of the word would not match the index's condition"""
Index("page_gone", page.c.article, sqlite_where=IS_GONE, postgresql_where=IS_GONE)

revision = Table(
    "revision",
    metadata,
    Column("article", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("fetched_at", String, nullable=False),
    Column("capture", _serial, nullable=False),
    Column("content", String, nullable=False),
    Column("text_digest", String, nullable=False),
    Column("change", String),
)

article = Table(
    "article",
    metadata,
    Column("id", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("url", Text, nullable=False),
    Column("status", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("content", String, nullable=False),
    Column("capture", _serial, nullable=False),
    Column("text_digest", String, nullable=False),
    Column("comparison_digest", String, nullable=False),
    Column("published", String),
    Column("owned", Boolean),
    Column("first_seen", String, nullable=False),
    Column("last_seen", String, nullable=False),
    Column("fetched_at", String, nullable=False),
    Column("cluster", String, nullable=False),
    Column("representative", String, nullable=False),
    Column("shown", Boolean, nullable=False),
    Column("record_digest", String, nullable=False),
    Index("article_comparison", "comparison_digest"),
    Index("article_cluster", "cluster"),
    Index("article_site_url", "site", "url"),
    Index("article_standing", "site", "status", "shown"),  # counted at the end of every run
)
Index("article_order", article.c.site, func.coalesce(article.c.published, article.c.first_seen), article.c.id)  # an export's order

edge = Table(
    "edge",
    metadata,
    Column("low", String, primary_key=True),
    Column("high", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("similarity", Float, nullable=False),
    Column("inner", String),
    Index("edge_high", "high"),
)

change = Table(
    "change",
    metadata,
    Column("sequence", _serial, primary_key=True, autoincrement=True),
    Column("article", String, nullable=False),
    Column("op", String, nullable=False),
    Index("change_article", "article"),
    sqlite_autoincrement=True,  # a number is never given twice, even after the newest row was removed
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("article", String, primary_key=True),
    Column("url", Text),  # unknown, as the reason is, where a WARC file alone told of it
    Column("site", String, nullable=False),
    Column("reason", Text),
    Column("at", String, nullable=False),
    Column("file", String),  # the WARC file that tells of it; none until it is written
)

run = Table(
    "run",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("site", String, nullable=False),
    Column("started", String, nullable=False),
    Column("ended", String),
    Column("status", Integer),
    Column("ledger", Text),
)

warc_file = Table(
    "warc_file",
    metadata,
    Column("name", String, primary_key=True),
    Column("sealed", Boolean, nullable=False),
)

template_line = Table(
    "template_line",
    metadata,
    Column("article", String, primary_key=True),
    Column("digest", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("text", Text, nullable=False),
    Index("template_line_digest", "site", "digest"),
)
