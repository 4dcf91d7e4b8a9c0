from __future__ import annotations

from crawler.instead import Instead


class Command(Instead):
    ours = "`scrapy list` checks every seeds file; `scrapy probe SITE` whether its rules still hold"
