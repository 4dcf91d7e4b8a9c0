"""`scrapy verify`: every row of the archive against its record and back."""

from __future__ import annotations

import argparse
import json
import re

from crawler.command import ArchiveCommand
from crawler.health import GOOD, VERIFICATION_FAILED
from crawler.pipe import say
from crawler.progress import Bar
from pipelines.archive import open_archive
from pipelines.tables import several
from pipelines.verify import ADVICE, Result, verify

SHOWN = 10
"""findings of one kind that are printed; --json has more"""


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Every row of an archive to its record and back"

    def long_desc(self) -> str:
        return (
            "Reads every WARC file and every row: digests, offsets, ends of records, texts read again by the rules that made them, "
            "clusters, feed, index, the catalogue's own integrity. Changes nothing; a crawl may be at work. Exit statuses: 0 all of it is "
            "true, 15 something is not (each finding says where and what to do), 14 interrupted, 21 archive unusable, "
            "24 no process can read pages."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        self.add_workers_option(parser)
        parser.add_argument("--json", action="store_true", help="the result as one JSON object")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        self.refuse(args, "Name the archive with --archive DIR.")
        assert self.settings is not None
        bar = Bar("Reading WARC files", "bytes")
        try:
            with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive:
                result = verify(archive, workers=opts.workers, tell=bar.show)
        finally:
            bar.end()
        if opts.json:
            say(json.dumps(result.as_json(), ensure_ascii=False, indent=2))
        else:
            _report(result)
        return GOOD if result.passed else VERIFICATION_FAILED


def counted(count: int, word: str) -> str:
    """How many of what was checked: "1 file being written", "2 index lines"."""
    words = word.replace("_", " ")
    return f"{count} {words}" if count != 1 else re.sub(r"s\b", "", f"1 {words}", count=1)


def _report(result: Result) -> None:
    say("Checked: " + ", ".join(counted(count, word) for word, count in sorted(result.checked.items())) + ".")
    for what, count in sorted(result.counts.items()):
        say(f"{count} × {what}. {ADVICE[what]}")
        some = [one for one in result.findings if one.what is what][:SHOWN]
        for one in some:
            say(f"  {one.where}: {one.detail}")
        if count > len(some):
            say(f"  and {count - len(some)} more")
    wrong = result.counts.total()
    say("The archive is true." if result.passed else f"{several(wrong, 'thing')} in the archive {'is' if wrong == 1 else 'are'} not true.")
