"""The peers of `benchmarks.endtoend`, each in its own environment and in its plain use: python endtoend_peers.py NAME URLS OUT

Reads addresses, a line each, and writes a JSON line {"url", "text"} for each page that gave a text. Imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONCURRENCY = 16
"""as ours and plain Scrapy"""
BATCH = 250
"""addresses that news-please is given at a time; it downloads all at once, then starts its processes"""

Found = tuple[str, str]


def newspaper4k(urls: list[str]) -> Iterator[Found]:
    import newspaper  # type: ignore[import-not-found]  # in the peers' environment only

    for url in urls:
        yield url, newspaper.article(url, fetch_images=False).text  # pages' images may be on the web


def news_please(urls: list[str]) -> Iterator[Found]:
    from newsplease import NewsPlease  # type: ignore[import-not-found]  # as above

    for begin in range(0, len(urls), BATCH):
        # without request_args it fails on every page and says nothing; images as above
        found: dict[str, Any] = NewsPlease.from_urls(urls[begin : begin + BATCH], request_args={"timeout": 30}, fetch_images=False)
        for url, article in found.items():
            yield url, getattr(article, "maintext", None) or ""


def crawlee(urls: list[str]) -> Iterator[Found]:
    found: list[Found] = []
    asyncio.run(_crawlee(urls, found))
    yield from found


async def _crawlee(urls: list[str], found: list[Found]) -> None:
    import trafilatura
    from crawlee import ConcurrencySettings  # type: ignore[import-not-found]  # as above
    from crawlee.configuration import Configuration  # type: ignore[import-not-found]
    from crawlee.crawlers import HttpCrawler  # type: ignore[import-not-found]
    from crawlee.storage_clients import MemoryStorageClient  # type: ignore[import-not-found]

    crawler = HttpCrawler(
        concurrency_settings=ConcurrencySettings(min_concurrency=CONCURRENCY, desired_concurrency=CONCURRENCY, max_concurrency=CONCURRENCY),
        storage_client=MemoryStorageClient(),
        configuration=Configuration(log_level="ERROR"),
        max_request_retries=1,
    )

    @crawler.router.default_handler  # type: ignore[untyped-decorator]
    async def read(context: Any) -> None:
        body = await context.http_response.read()
        said = trafilatura.bare_extraction(body, url=context.request.url, with_metadata=True)
        found.append((context.request.url, getattr(said, "text", None) or ""))

    await crawler.run(urls)


PEERS = {"newspaper4k": newspaper4k, "news-please": news_please, "crawlee": crawlee}


def main(name: str, urls: str, out: str) -> None:
    logging.disable(logging.ERROR)
    with Path(out).open("w", encoding="utf-8") as file:
        for url, text in PEERS[name](Path(urls).read_text().split()):
            if text:
                file.write(json.dumps({"url": url, "text": text}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
