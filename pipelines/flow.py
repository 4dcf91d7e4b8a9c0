"""The only door into the archive. Live crawl, replay, re-extraction and bulk all come in through it.

read(capture, site)          -> Article | Rejection | None      pure; may run in a worker process
write(tx, capture, site, …)  -> Outcome                         in the transaction of the caller
ingest(capture, site, archive)                                  both, for one capture
"""

from __future__ import annotations

import sqlalchemy as sa

from pipelines.archive import Archive
from pipelines.archive.ledger import Outcome, note_capture, write_down
from pipelines.extract import extract
from pipelines.model import Article, Capture, Kind, Reason, Rejection
from pipelines.site import Site
from pipelines.urls import canonical

Result = Article | Rejection | None
"""None: the capture is no article page (a listing, a feed, a robots.txt) and was not read as one."""


def read(capture: Capture, site: Site) -> Result:
    """What a capture is, by this site's rules. Pure; never raises on any bytes."""
    if capture.kind is not Kind.ARTICLE:
        return None
    if site.article_match(canonical(capture.url, site).url) is None:
        return Rejection(reason=Reason.OUT_OF_SCOPE, detail="no `discover.article` rule of the seeds file matches this URL")
    return extract(capture, site)


def redirect(capture: Capture) -> Rejection:
    """What a redirecting answer is, read without its body."""
    return Rejection(reason=Reason.REDIRECT, detail=f"to {capture.header('Location') or 'nowhere'}", status=capture.status)


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
