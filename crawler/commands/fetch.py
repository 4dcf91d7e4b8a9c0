from __future__ import annotations

from crawler.instead import Instead


class Command(Instead):
    ours = "`scrapy probe SITE` shows what a site answers; `scrapy history URL` what its archive has of a page"
