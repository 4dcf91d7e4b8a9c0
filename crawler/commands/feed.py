"""`scrapy feed`: what changed in the corpus since a cursor, as JSON lines on standard output."""

from __future__ import annotations

import argparse

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.pipe import standard_output
from pipelines.archive import open_archive
from pipelines.feed import feed
from pipelines.formats import line


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options] --since CURSOR"

    def short_desc(self) -> str:
        return "What changed in the corpus since a cursor"

    def long_desc(self) -> str:
        return (
            "Prints one JSON object a line for each article that changed after the cursor: op (add, modify, delete), sequence, "
            'id, record (null for delete). The last line is {"cursor": n}: ask with --since n the next time; without it the '
            "answer was cut off and is to be asked for again. Begin with --since 0. docs/feed.md has a follower in twenty lines. "
            "Exit statuses: 0 good, 20 a cursor that this archive never gave, 21 archive unusable."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        parser.add_argument("--since", type=int, metavar="CURSOR", help="0, or the cursor that the last answer ended with")
        parser.add_argument("--limit", type=int, metavar="N", help="at most N articles; the cursor then stands behind the last of them")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        if args or opts.since is None:
            raise UsageError("Say from where: --since CURSOR, or --since 0 for everything.")
        if opts.limit is not None and opts.limit < 1:
            raise UsageError("--limit is a number of articles, 1 or more.", print_help=False)
        assert self.settings is not None
        with (
            open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive,
            archive.catalogue.snapshot() as tx,
            standard_output() as out,
        ):
            for change in feed(tx, opts.since, opts.limit):
                out.write(line(change))
        return 0
