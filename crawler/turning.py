"""Where a list goes on, and of which day a link is. Pure."""

from __future__ import annotations

import re
from datetime import date

from crawler.discovery import Found
from pipelines.model import Link
from pipelines.site import Site
from pipelines.urls import request_url

_DAY = re.compile(r"(?<!\d)(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?!\d)")


def next_list(url: str, page: int, found: Found, site: Site) -> str | None:
    """The URL of the page after page number `page` (counted from 1) of a list; None at its end.

    A list whose seeds entry has `{page}` is counted on; any other goes where its own "next" link says.
    """
    if page >= site.discover.max_pages:
        return None
    here = site.discover.first_page + page - 1
    for template in (*site.discover.listings, *site.discover.jsonp, *site.discover.feeds, *site.discover.sitemaps):
        if "{page}" in template and request_url(template.replace("{page}", str(here))) == url:
            return request_url(template.replace("{page}", str(here + 1)))
    return request_url(found.next_url) if found.next_url else None


def link_date(link: Link, site: Site) -> date | None:
    """The day of an article as its URL says it, else as the list printed it."""
    match = site.article_match(link.url)
    named = match.groupdict().get("date") if match else None
    return _day(named) or _day(link.hints.published)


def _day(text: str | None) -> date | None:
    match = _DAY.search(text or "")
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
