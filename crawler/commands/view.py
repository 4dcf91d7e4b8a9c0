from __future__ import annotations

from crawler.instead import SEE_A_PAGE, Instead


class Command(Instead):
    ours = SEE_A_PAGE
