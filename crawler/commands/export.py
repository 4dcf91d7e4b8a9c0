"""`scrapy export`: a snapshot of the corpus to a file, a folder or a pipe."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.pipe import say_aside, standard_output
from pipelines import delivery
from pipelines.archive import Archive, open_archive
from pipelines.errors import ConfigurationError
from pipelines.export import Tally, What, export, export_to
from pipelines.formats import FORMATS, SCHEMAS
from pipelines.site import USES
from pipelines.tables import several

PIPE = "-"
DEFAULT_FORMAT = "jsonl"


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options] --to PATH|-"

    def short_desc(self) -> str:
        return "A snapshot of the corpus as a file"

    def long_desc(self) -> str:
        return (
            "Writes the corpus as it is at this moment: by default the articles that it shows, one active representative of "
            "each cluster, ordered by site, date and id. A file appears whole or not at all, with PATH.manifest.json beside it "
            "(counts, digests, the feed's cursor), PATH.README.md (a data card) and PATH.croissant.json (Croissant 1.1). "
            "Equal archives give equal bytes. What was left out and why is counted on stderr. "
            "Exit statuses: 0 good, 20 what an option names is wrong, 21 archive or target "
            "unusable, 23 out of space."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        add = parser.add_argument
        where = "a file; - for standard output; with --format parquet and / at its end a folder, split by site and month"
        add("--to", metavar="PATH", help=where)
        add("--format", choices=FORMATS, help="how rows are written (default: by the ending of PATH; jsonl where it has none)")
        add(
            "--schema",
            choices=SCHEMAS,
            default="native",
            help="native: the article record; dolma: id, text, source, added, created, metadata",
        )
        add("--all", action="store_true", help="every article whatever its status, and every copy")
        add("--site", metavar="SITE", help="only articles of this site")
        add("--use", choices=USES, help="leave out what its rights reserve for this use, beside what the seeds files withhold")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        self.refuse(args, "One site alone: --site SITE; the file: --to PATH.")
        if not opts.to:
            raise UsageError("Say where to: --to PATH, or --to - for standard output.")
        form = format_of(opts.to, opts.format)
        what = What(everything=opts.all, site=opts.site, use=opts.use)
        assert self.settings is not None
        with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive:
            if opts.to != PIPE:
                place = delivery.place(opts.to, form, archive.path)
                contact = self.settings["CONTACT"] or None
                tell(export_to(place, archive, what, form=form, schema=opts.schema, contact=contact), opts.to)
            else:
                to_pipe(archive, what, form, opts.schema)
        return 0


def format_of(to: str, chosen: str | None) -> str:
    """The format that was chosen, or that the ending of a path names: the longest that does. Raises ConfigurationError where the
    file would not be what its name says."""
    name = os.path.basename(to.rstrip(os.sep))  # noqa: PTH119  # a path may end in /, which says that it is a folder
    ending = next((form for form in sorted(FORMATS, key=len, reverse=True) if name.endswith(f".{form}")), None)
    if chosen is not None:
        if ending not in (None, chosen):
            raise ConfigurationError(f"{to}: ends in .{ending}, and --format is {chosen}. Name the file, or choose the format, otherwise.")
        return chosen
    if ending is None and (other := Path(name).suffix):
        *most, last = (f".{form}" for form in FORMATS)
        raise ConfigurationError(f"{to}: {other!r} is no format. End the name in {', '.join(most)} or {last}, or choose with --format.")
    return ending or DEFAULT_FORMAT


def to_pipe(archive: Archive, what: What, form: str, schema: str) -> None:
    if form == delivery.IN_FOLDERS and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", print_help=False)
    with standard_output() as out:
        tally = export(archive, what, out, form=form, schema=schema)
        out.flush()  # what is told was written
        tell(tally, "standard output")


def tell(tally: Tally, to: str) -> None:
    """What was written and what was left out, on stderr: stdout may be the data."""
    left_out = ", ".join(f"{reason} {count}" for reason, count in sorted(tally.excluded.items()))
    line = f"{tally.written.total()} of {several(tally.known, 'article')} to {to}, cursor {tally.cursor}" + (
        f"; left out: {left_out}" if left_out else ""
    )
    say_aside(line)
