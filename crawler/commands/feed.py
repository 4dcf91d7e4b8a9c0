"""`scrapy feed`: what changed in the corpus since a cursor, as JSON lines on standard output."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.pipe import standard_output
from pipelines.archive import open_archive
from pipelines.feed import answer
from pipelines.formats import line
from pipelines.site import USES


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options] --since CURSOR"

    def short_desc(self) -> str:
        return "What changed in the corpus since a cursor"

    def long_desc(self) -> str:
        return (
            "Prints one JSON object a line for each article that changed after the cursor: op (add, modify, delete), sequence, "
            'id, record (null for delete). The last line is {"cursor": n, "since": "n@…"}: ask with --since and that text the next '
            "time; without it the answer was cut off and is to be asked for again. Begin with --since 0. What may not leave for "
            "its rights is a delete, counted by reason on stderr. docs/feed.md has a follower in twenty lines. "
            "Exit statuses: 0 good, 20 a cursor that this archive never gave or gave for another use, 21 archive unusable."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        add = parser.add_argument
        add("--since", metavar="CURSOR", help="0, or `since` (or `cursor`) of the last line of an earlier answer")
        add("--limit", type=int, metavar="N", help="at most N articles; the cursor then stands behind the last of them")
        add("--use", choices=USES, help="withhold what its rights reserve for this use, beside what the seeds files withhold")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        if args or opts.since is None:
            raise UsageError("Say from where: --since CURSOR, or --since 0 for everything.")
        if opts.limit is not None and opts.limit < 1:
            raise UsageError("--limit is a number of articles, 1 or more.", print_help=False)
        assert self.settings is not None
        withheld: Counter[str] = Counter()
        with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive, standard_output() as out:
            for change in answer(archive, opts.since, opts.limit, opts.use, withheld):
                out.write(line(change))
        tell(withheld)
        return 0


def tell(withheld: Counter[str]) -> None:
    """What was withheld and why, on stderr; nothing where nothing was."""
    if withheld:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(withheld.items()))
        print(f"{withheld.total()} of the deletes are articles withheld for their rights: {reasons}", file=sys.stderr)  # noqa: T201
