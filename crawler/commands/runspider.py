from __future__ import annotations

from crawler.instead import Instead


class Command(Instead):
    ours = "`scrapy crawl SITE` runs a site of seeds/; another one is a seeds file, docs/adding-a-site.md"
