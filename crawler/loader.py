"""A spider for each seeds file: `scrapy list` is the list of sites."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from scrapy import Request, Spider
from scrapy.settings import BaseSettings

from crawler.spiders.news import NewsSpider
from pipelines.site import Site, load_sites
from pipelines.urls import in_scope


class SiteLoader:
    """SPIDER_LOADER_CLASS. Raises SeedsError and ConfigurationError when it is made: before any request."""

    def __init__(self, folder: Path) -> None:
        self._sites = load_sites(folder)

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Self:
        return cls(Path(settings["SEEDS_DIR"]))

    def load(self, spider_name: str) -> type[Spider]:
        if spider_name not in self._sites:
            raise KeyError(f"There is no site {spider_name!r}. Known sites: {', '.join(self._sites)}.")
        return spider_of(self._sites[spider_name])

    def list(self) -> list[str]:
        return list(self._sites)

    def find_by_request(self, request: Request) -> list[str]:  # type: ignore[valid-type]  # Scrapy's protocol has a method `list`
        return [name for name, site in self._sites.items() if in_scope(request.url, site)]


def spider_of(site: Site) -> type[NewsSpider]:
    """The spider class of one site."""
    return type(f"{site.name.title().replace('_', '')}Spider", (NewsSpider,), {"name": site.name, "site": site, "allowed_domains": None})
