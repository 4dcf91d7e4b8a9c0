from __future__ import annotations

from crawler.instead import Instead


class Command(Instead):
    ours = "`make bench` measures beside other tools"
