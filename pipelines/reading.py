"""What a capture is, by its site's rules: the half of the flow that a process needs which only reads.

Pure, and apart from `flow.write`: what reads pages loads no database.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from pipelines import extract
from pipelines.model import Article, Capture, Kind, Reason, Rejection
from pipelines.site import GENERIC, Site
from pipelines.urls import absolute, canonical, is_article

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
    if not is_article(capture.url, site):
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
    if site.name != GENERIC and is_article(target, site):
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
