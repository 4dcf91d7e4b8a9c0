"""`scrapy list`: the sites. Scrapy's own command answers a wrong seeds file with a traceback; this one says what is wrong."""

from __future__ import annotations

import argparse

from crawler.command import ArchiveCommand
from crawler.health import GOOD
from crawler.pipe import say
from pipelines.site import load_sites


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "The sites, one a line"

    def long_desc(self) -> str:
        return "Prints the names of all sites, after checking every seeds file whole. Exit statuses: 0 good, 20 bad configuration."

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:  # noqa: ARG002
        self.refuse(args, "The folder of seeds files is -s SEEDS_DIR=DIR.")
        for name in load_sites(self.seeds):
            say(name)
        return GOOD
