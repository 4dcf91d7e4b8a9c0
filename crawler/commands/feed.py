"""`scrapy feed`: what changed in the corpus since a cursor, as JSON lines on standard output, or as files in a folder."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand, a_path
from crawler.pipe import say_aside, standard_output
from pipelines.archive import open_archive
from pipelines.feed import answer
from pipelines.formats import line
from pipelines.segments import SIZE, Segment, seal
from pipelines.site import USES
from pipelines.tables import several


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options] --since CURSOR | --segments DIR"

    def short_desc(self) -> str:
        return "What changed in the corpus since a cursor"

    def long_desc(self) -> str:
        return (
            "Prints one JSON object a line for each article that changed after the cursor: op (add, modify, delete), sequence, "
            'id, record (null for delete). The last line is {"cursor": n, "since": "n@…"}: ask with --since and that text the next '
            "time; without it the answer was cut off and is to be asked for again. Begin with --since 0. What may not leave for "
            "its rights is a delete, counted by reason on stderr. docs/feed.md has a follower in twenty lines. "
            "With --segments the changes go to sealed Parquet files in a folder, each time those since the last. "
            "Exit statuses: 0 good, 20 a cursor that this archive never gave or gave for another use, or a folder that is not of "
            "its segments, 21 archive or folder unusable, 22 another one writes segments there, 23 out of space."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        add = parser.add_argument
        add("--since", metavar="CURSOR", help="0, or `since` (or `cursor`) of the last line of an earlier answer")
        add(
            "--segments",
            metavar="DIR",
            type=a_path,
            help="write <first>-<last>.parquet and manifest.json there, from where the manifest ends",
        )
        add("--limit", type=int, metavar="N", help=f"at most N articles; with --segments, in each of them (default there: {SIZE:,})")
        add("--use", choices=USES, help="withhold what its rights reserve for this use, beside what the seeds files withhold")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        self.refuse(args, "A cursor follows --since, a folder --segments.")
        if opts.since is None and opts.segments is None:
            raise UsageError("Say from where: --since CURSOR, or --since 0 for everything; or --segments DIR, for files.")
        if opts.since is not None and opts.segments is not None:
            raise UsageError("--since and --segments do not go together: a folder of segments goes on where its manifest ends.")
        if opts.limit is not None and opts.limit < 1:
            raise UsageError("--limit is a number of articles, 1 or more.", print_help=False)
        assert self.settings is not None
        withheld: Counter[str] = Counter()
        with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive:
            if opts.segments is None:
                with standard_output() as out:
                    for change in answer(archive, opts.since, opts.limit, opts.use, withheld):
                        out.write(line(change))
            else:
                place = Path(opts.segments)
                tell_sealed(seal(archive, place, use=opts.use, size=opts.limit or SIZE, withheld=withheld), place)
        tell(withheld)
        return 0


def tell_sealed(made: Sequence[Segment], folder: Path) -> None:
    changes = sum(one.changes for one in made)
    say_aside(f"{several(changes, 'change')} in {several(len(made), 'new segment')} in {folder}")


def tell(withheld: Counter[str]) -> None:
    """What was withheld and why, on stderr; nothing where nothing was."""
    if withheld:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(withheld.items()))
        are = "is an article" if withheld.total() == 1 else "are articles"
        say_aside(f"{withheld.total()} of the deletes {are} withheld for their rights: {reasons}")
