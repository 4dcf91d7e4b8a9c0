"""`scrapy report`: what came in, what was refused and why, what changed its shape."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand, a_path
from crawler.pipe import say, standard_output
from pipelines.archive import open_archive
from pipelines.archive.durable import whole_file
from pipelines.delivery import new_file
from pipelines.review import Review, review, sections
from pipelines.tables import as_html, as_text

PIPE = "-"


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "What came in, what was refused and why, what changed"

    def long_desc(self) -> str:
        return (
            "Prints what became of the pages of a run, or of the whole archive: refusals by reason with examples, the fields that "
            "each layout misses, what is unlike the runs before, stories told more than once, sources, domains. Only reads. "
            "Exit statuses: 0 good, 20 no such run or a bad --html, 21 archive unusable."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        parser.add_argument("--run", type=int, metavar="ID", help="one run (default: the whole archive, and the last run of each site)")
        told = "write a page for the browser instead, - for standard output; it needs nothing else and runs nothing"
        parser.add_argument("--html", type=a_path, metavar="FILE", help=told)
        parser.add_argument("--json", action="store_true", help="print the facts as one JSON object instead")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        self.refuse(args, "Name the archive with --archive DIR, a run with --run ID.")
        if opts.html is not None and opts.json:
            raise UsageError("One of --html FILE and --json.")
        assert self.settings is not None
        page = new_file(opts.html, Path(opts.archive)) if opts.html not in (None, PIPE) else None
        with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive, archive.catalogue.snapshot() as tx:
            told = review(tx, opts.run)
        if opts.html is not None:
            _deliver(as_html(told.title, str(archive.path), sections(told)).encode("utf-8"), page)
        elif opts.json:
            say(as_json(told))
        else:
            for line in as_text(sections(told)):
                say(line)
        return 0


def _deliver(html: bytes, page: Path | None) -> None:
    """To standard output where there is no file."""
    if page is None:
        with standard_output() as out:
            out.write(html)
        return
    with whole_file(page) as file:
        file.write(html)
    say(f"Written: {page}")


def as_json(told: Review) -> str:
    """The facts, for programs: ASCII, whatever the terminal's encoding."""
    return json.dumps(asdict(told), indent=1)
