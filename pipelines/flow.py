"""The only door into the archive. Live crawl, replay, re-extraction and bulk all come in through it.

read(capture, site)          -> Article | Rejection | None      pure; may run in a worker process
write(tx, capture, site, …)  -> Outcome                         in the transaction of the caller
ingest(capture, site, archive)                                  both, for one capture
"""

from __future__ import annotations

from urllib.parse import urlsplit

import sqlalchemy as sa

from pipelines.archive import Archive
from pipelines.archive.ledger import Outcome, note_capture, write_down
from pipelines.extract import extract
from pipelines.model import Article, Capture, Kind, Reason, Rejection
from pipelines.site import Site
from pipelines.urls import absolute, canonical

Result = Article | Rejection | None
"""None: the capture is no article page (a listing, a feed, a robots.txt) and was not read as one."""


INDEX_PATHS = frozenset({"", "/", *(f"/{stem}.{end}" for stem in ("index", "default") for end in ("html", "htm", "shtml", "php", "jsp"))})
REDIRECTS = frozenset({301, 302, 303, 307, 308})


def read(capture: Capture, site: Site) -> Result:
    """What a capture is, by this site's rules. Pure; never raises on any bytes."""
    if capture.kind is not Kind.ARTICLE:
        return None
    if capture.status in REDIRECTS:
        return _redirect(capture)
    if site.article_match(canonical(capture.url, site).url) is None:
        return Rejection(reason=Reason.OUT_OF_SCOPE, detail="no `discover.article` rule of the seeds file matches this URL")
    return extract(capture, site)


def _redirect(capture: Capture) -> Rejection:
    """A redirect to an index page is how many sites say that an article is gone."""
    target = absolute(capture.url, capture.header("Location") or "")
    detail = f"redirects to {target or 'nowhere'}"
    if target is not None and urlsplit(target).path in INDEX_PATHS:
        return Rejection(reason=Reason.GONE, detail=detail, status=capture.status)
    return Rejection(reason=Reason.REDIRECT, detail=detail, status=capture.status)


def write(tx: sa.Connection, capture: Capture, site: Site, result: Result) -> Outcome:
    """Writes down what `read` found, in the caller's transaction. The capture must lie in the archive's WARC files."""
    url = canonical(capture.url, site).url
    if result is None:
        note_capture(tx, site.name, capture, capture.kind)
        return Outcome(word=capture.kind, url=url)
    return write_down(tx, site.name, url, capture, result)


def ingest(capture: Capture, site: Site, archive: Archive) -> Outcome:
    """Reads one capture and writes it down, in a transaction of its own."""
    result = read(capture, site)
    with archive.catalogue.transaction() as tx:
        return write(tx, capture, site, result)
