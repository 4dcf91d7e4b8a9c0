from __future__ import annotations

from crawler.instead import Instead


class Command(Instead):
    ours = "a site is a seeds file; docs/adding-a-site.md"
