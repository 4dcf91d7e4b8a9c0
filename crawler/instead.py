"""Commands of Scrapy's own that cannot work here: every request belongs to a site, waits in its frontier and goes into its
archive. They say which command of ours does what was wanted; Scrapy's would end with a traceback,
or as if all were well."""

from __future__ import annotations

import argparse
from typing import ClassVar

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand

SEE_A_PAGE = "`scrapy probe SITE` shows what a site answers; `scrapy history URL` what its archive has of a page"
READ_A_PAGE = "`extract_page` of docs/library.md reads a page that you have"


class Instead(ArchiveCommand):
    """`ours` does what was wanted: shown in the list of commands, and when it is called."""

    ours: ClassVar[str]

    def syntax(self) -> str:
        return ""

    def short_desc(self) -> str:
        return f"Not here: {self.ours.partition(';')[0]}"

    def long_desc(self) -> str:
        return f"Scrapy's own `{self.name}` knows no frontier and no archive, and is not here: {self.ours}."

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Whatever was asked for."""

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:  # noqa: ARG002
        raise UsageError(self.long_desc(), print_help=False)
