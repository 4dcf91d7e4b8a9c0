"""What one writes in half an hour: a Scrapy spider that asks trafilatura about each page. For benchmarks.endtoend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import trafilatura
from scrapy import Request, Spider
from scrapy.http import Response, TextResponse


class PlainReader(Spider):
    """Scrapy's default settings but for the number of requests at a time, which is ours; `-a urls=FILE`."""

    name = "reader"
    allowed_domains = ["127.0.0.1"]  # noqa: RUF012  # as Scrapy's own tutorial has it; the yardstick's pages refresh to others
    custom_settings = {"CONCURRENT_REQUESTS_PER_DOMAIN": 16, "DOWNLOAD_DELAY": 0}  # noqa: RUF012  # as Scrapy's own tutorial has it

    def __init__(self, urls: str) -> None:
        self.urls = Path(urls).read_text().split()
        super().__init__()

    async def start(self) -> AsyncIterator[Request]:
        for url in self.urls:
            yield Request(url)

    def parse(self, response: Response, **_: Any) -> dict[str, Any]:
        assert isinstance(response, TextResponse)
        said = trafilatura.bare_extraction(response.text, url=response.url, with_metadata=True)
        return {"url": response.url, "title": getattr(said, "title", None), "text": getattr(said, "text", None) or ""}
