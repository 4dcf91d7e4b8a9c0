"""Whose page is at a URL: the seeds file whose rules read it. One answer for replay, takedown, re-extraction and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.site import Site, generic_site
from pipelines.urls import canonical, host_key

Chooser = Callable[[str], Site]
"""A URL's site."""


@dataclass(frozen=True, slots=True)
class _ByHost:
    """A Chooser that pickle carries to other processes."""

    sites: Mapping[str, Site]
    hosts: Mapping[str, tuple[Site, ...]]
    generic: Site

    def __call__(self, url: str) -> Site:
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
    """Chooses a URL's site by host among the seeds files, mirrors included; of several that have the host, the first by name whose
    article rule fits, or else the first. The generic site reads every other. With `only`, it is that site for all."""
    if only is not None:
        return _ByHost({}, {}, sites[only])
    by_host: dict[str, list[Site]] = {}
    for site in sites.values():
        for host in dict.fromkeys((*site.hosts, *site.identity.hosts)):
            by_host.setdefault(host, []).append(site)
    return _ByHost(dict(sites), {host: tuple(several) for host, several in by_host.items()}, generic_site())
