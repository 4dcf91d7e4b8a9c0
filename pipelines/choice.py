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
    hosts: Mapping[str, Site]
    generic: Site

    def __call__(self, url: str) -> Site:
        if (site := self.hosts.get(host_key(url))) is not None:
            return site
        return next((site for site in self.sites.values() if self._is_copy(url, site)), self.generic)

    def _is_copy(self, url: str, site: Site) -> bool:
        """Whether a mirror of this site shows a page of its own there: several sites may have the same mirror."""
        original = canonical(url, site)
        return original.mirror is not None and self.hosts.get(host_key(original.url)) is site


def chooser(sites: Mapping[str, Site], only: str | None = None) -> Chooser:
    """Chooses a URL's site by host among the seeds files, mirrors included; the generic site reads every other. With `only`, it is
    that site for all."""
    if only is not None:
        return _ByHost({}, {}, sites[only])
    by_host = {host: site for site in reversed(list(sites.values())) for host in (*site.identity.hosts, *site.hosts)}
    return _ByHost(dict(sites), by_host, generic_site())
