"""Where a list goes on. Pure."""

from __future__ import annotations

from crawler.discovery import Found
from pipelines.site import Site
from pipelines.urls import request_url


def next_list(url: str, page: int, found: Found, site: Site, *, dated: bool = False) -> str | None:
    """The URL of the page after page number `page` (counted from 1) of a list; None at its end.

    A list whose seeds entry has `{page}` is counted on; any other goes where its own "next" link says. A list that is read
    back to a day (`dated`) has as many pages as that takes; the run's budget of requests bounds it.
    """
    if page >= site.discover.max_pages and not dated:
        return None
    here = site.discover.first_page + page - 1
    for template in (*site.discover.listings, *site.discover.jsonp, *site.discover.feeds, *site.discover.sitemaps):
        if "{page}" in template and request_url(template.replace("{page}", str(here))) == url:
            return request_url(template.replace("{page}", str(here + 1)))
    return request_url(found.next_url) if found.next_url else None
