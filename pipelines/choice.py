"""Whose page is at a URL: the seeds file whose rules read it. One answer for replay, takedown, re-extraction and notebooks.

What a crawl brought is read by its own site, as it was then: of a shared host two article rules may fit one page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pipelines.site import Site, generic_site
from pipelines.urls import canonical, host_key

_OF_A_CRAWL = re.compile(r"(?:[0-9a-f]{16}-)?([a-z][a-z0-9_]*)(?:-backfill)?-\d{17}-\d{5}\.warc(?:\.gz)?")
"""names of WARC files as a crawl gives them (archive.warc.WarcWriter, archive.borrowed.series), and as intake keeps a second one"""


class Chooser(Protocol):
    """A URL's site; `file` is the name of the WARC file in which its page lies, where one is meant."""

    def __call__(self, url: str, file: str = "", /) -> Site: ...


def crawl_of(file: str) -> str | None:
    """The site whose crawl wrote a WARC file, by the file's name; None for what somebody else wrote."""
    named = _OF_A_CRAWL.fullmatch(file)
    return None if named is None else named[1]


@dataclass(frozen=True, slots=True)
class _ByHost:
    """A Chooser that pickle carries to other processes."""

    sites: Mapping[str, Site]
    hosts: Mapping[str, tuple[Site, ...]]
    generic: Site

    def __call__(self, url: str, file: str = "", /) -> Site:
        if (own := self.sites.get(crawl_of(file) or "")) is not None:
            return own
        of_host = self.hosts.get(host_key(url), ())
        if len(of_host) == 1:
            return of_host[0]
        if of_host:
            return next((site for site in of_host if site.article_match(canonical(url, site).url)), of_host[0])
        return next((site for site in self.sites.values() if self._is_copy(url, site)), self.generic)

    def _is_copy(self, url: str, site: Site) -> bool:
        """Whether a mirror of this site shows a page of its own there: several sites may have the same mirror."""
        original = canonical(url, site)
        its = self.hosts.get(host_key(original.url), ())
        return original.mirror is not None and site in its and self(original.url) is site


def chooser(sites: Mapping[str, Site], only: str | None = None) -> Chooser:
    """Chooses a URL's site: the one whose crawl wrote the file; else by host among the seeds files, mirrors included; of several that
    have the host, the first by name whose article rule fits, or else the first. The generic site reads every other. With `only`,
    it is that site for all."""
    if only is not None:
        return _ByHost({}, {}, sites[only])
    by_host: dict[str, list[Site]] = {}
    for site in sites.values():
        for host in dict.fromkeys((*site.hosts, *site.identity.hosts)):
            by_host.setdefault(host, []).append(site)
    return _ByHost(dict(sites), {host: tuple(several) for host, several in by_host.items()}, generic_site())
