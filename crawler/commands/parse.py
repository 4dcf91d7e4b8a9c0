from __future__ import annotations

from crawler.instead import READ_A_PAGE, Instead


class Command(Instead):
    ours = f"`scrapy probe SITE` shows what becomes of a page of each kind; {READ_A_PAGE}"
