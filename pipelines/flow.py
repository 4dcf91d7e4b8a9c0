"""The only door into the archive. Live crawl, replay, re-extraction and bulk all come in through it.

read(capture, site)          -> Article | Rejection | None      pure; may run in a worker process
write(tx, capture, site, …)  -> Outcome                         in the transaction of the caller
"""

from __future__ import annotations

from urllib.parse import urlsplit

import sqlalchemy as sa

from pipelines import extract
from pipelines.archive.ledger import Outcome, note_capture, refold, take_out, write_down
from pipelines.model import Article, Capture, Kind, Reason, Rejection
from pipelines.site import GENERIC, Site
from pipelines.urls import absolute, canonical

Result = Article | Rejection | None
"""None: the capture is no article page (a listing, a feed, a robots.txt) and was not read as one."""


REDIRECTS = frozenset({301, 302, 303, 307, 308})
ERROR_NAMES = ("404", "error", "notfound", "not_found")
"""file names, without extension, to which sites send what they no longer have"""


KEPT_WITH = "its payload is kept with "
"""how the detail of a revisit begins whose payload is not here; behind it stands the URL of the capture that has it"""


def read(capture: Capture, site: Site) -> Result:
    """What a capture is, by this site's rules. Pure; never raises on any bytes."""
    if capture.kind is not Kind.ARTICLE:
        return None
    if capture.status in REDIRECTS:
        return _redirect(capture, site)
    if capture.refers_to is not None and capture.lacks_payload:
        return _same_payload(capture, capture.refers_to[0], site)
    if site.article_match(canonical(capture.url, site).url) is None:
        return Rejection(reason=Reason.OUT_OF_SCOPE, detail="no `discover.article` rule of the seeds file matches this URL")
    return extract.extract(capture, site)


def _redirect(capture: Capture, site: Site) -> Rejection:
    """A redirect to an index page is how many sites say that an article is gone."""
    target = absolute(capture.url, capture.header("Location") or "")
    detail = f"redirects to {target or 'nowhere'}"
    if target is not None and leads_to_index(capture.url, target, site):
        return Rejection(reason=Reason.GONE, detail=detail, status=capture.status)
    return Rejection(reason=Reason.REDIRECT, detail=detail, status=capture.status)


def _same_payload(capture: Capture, original: str, site: Site) -> Rejection:
    """A revisit record of another crawler (WARC/1.1 §6.7.2): the bytes are those of an earlier capture, which is read itself."""
    if canonical(original, site) == canonical(capture.url, site):
        return Rejection(reason=Reason.NOT_MODIFIED, detail="the same payload as before", status=capture.status)
    return Rejection(reason=Reason.PARTIAL, detail=f"{KEPT_WITH}{original}", status=capture.status)


def leads_to_index(url: str, target: str, site: Site) -> bool:
    """Whether an article redirects to a page that stands for none: the home page, a section, a list, an error page. No
    crawler should follow it there (crawler.redirects)."""
    if site.name != GENERIC and site.article_match(canonical(target, site).url):
        return False
    if target in site.discover.listings or target in site.discover.sitemaps:
        return True
    if _name_of(url) != "" and _name_of(url) == _name_of(target):
        return False  # moved to another folder, or to https: the rules of the seeds file need not know it yet
    name = _path_of(target).rpartition("/")[2].lower()
    return name in ("", *site.identity.index_names) or name.partition(".")[0] in ERROR_NAMES


def _name_of(url: str) -> str:
    return _path_of(url).rstrip("/").rpartition("/")[2]


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # no address of a host: "http://[::1", as a Location may have it
        return ""


def write(tx: sa.Connection, capture: Capture, site: Site, result: Result) -> Outcome:
    """Writes down what `read` found, in the caller's transaction. The capture must lie in the archive's WARC files."""
    where = canonical(capture.url, site)
    if result is None:
        note_capture(tx, site.name, capture, capture.kind)
        return Outcome(word=capture.kind, url=where.url)
    if where.mirror is not None and isinstance(result, Rejection):  # what a copy lacks, its original may have
        note_capture(tx, site.name, capture, result.reason, result.detail)
        return Outcome(word=result.reason, url=where.url, detail=result.detail)
    return write_down(tx, site.name, where.url, capture, result, part=where.part)


def write_anew(tx: sa.Connection, capture: Capture, site: Site, result: Result) -> Outcome | None:
    """`write`, for a capture that was read as something else before; None where it is not known, as it was taken down."""
    assert capture.warc is not None
    if not (known := take_out(tx, capture.warc)):
        return None
    outcome = write(tx, capture, site, result)
    if known.head is not None and outcome.article != known.head.id:
        refold(tx, known.head.site, known.head.url, known.head.id)
    return outcome
