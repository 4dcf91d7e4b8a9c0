"""What one writes in half an hour with Scrapy: rules, robots.txt obeyed, default settings, no memory. For benchmarks.recrawl."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.http import Response, TextResponse
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule


class PlainSpider(CrawlSpider):
    """Starts where the seeds file `-a seeds=FILE` does, and takes the same addresses for articles."""

    name = "plain"
    custom_settings = {"ROBOTSTXT_OBEY": True}  # noqa: RUF012  # as Scrapy's own tutorial has it

    def __init__(self, seeds: str) -> None:
        site = tomllib.loads(Path(seeds).read_text(encoding="utf-8"))
        lists = site["discover"]
        self.allowed_domains = site["hosts"]
        self.start_urls = [url.replace("{page}", "1") for url in (*lists["listings"], *lists.get("jsonp", ()))]
        articles = [re.sub(r"\?P<\w+>", "?:", rule) for rule in lists["article"]]
        self.rules = (Rule(LinkExtractor(allow=articles), callback="parse_article"), Rule(LinkExtractor(restrict_text="下一?页|^>$")))
        super().__init__()

    def parse_start_url(self, response: Response, **_: Any) -> Iterator[Request]:
        """The lists that answer JSON."""
        assert isinstance(response, TextResponse)
        for url in re.findall(r'"url": ?("[^"]+")', response.text):
            yield response.follow(json.loads(url), callback=self.parse_article)

    def parse_article(self, response: Response, **_: Any) -> dict[str, Any]:
        return {"url": response.url, "title": response.css("h1::text").get(), "text": response.css("p::text").getall()}
