"""`scrapy version`: this project's version, then Scrapy's, which is all that Scrapy's own command tells."""

from __future__ import annotations

import argparse
from importlib.metadata import version

import scrapy
from scrapy.utils.versions import get_versions

from crawler.command import ArchiveCommand
from crawler.health import GOOD
from crawler.pipe import say
from crawler.settings import BOT_NAME


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[-v]"

    def short_desc(self) -> str:
        return "The versions of this project and of Scrapy"

    def long_desc(self) -> str:
        return "Prints the version of this project and that of Scrapy. Exit status: 0."

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--verbose", "-v", action="store_true", help="also those of Python, Twisted, lxml …: for a report of a fault")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        self.refuse(args, "All versions are told with -v.")
        say(f"{BOT_NAME} {version(BOT_NAME)}")
        for name, number in get_versions() if opts.verbose else [("Scrapy", scrapy.__version__)]:
            say(f"{name} {number}")
        return GOOD
