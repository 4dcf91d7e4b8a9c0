"""`scrapy takedown`: an article goes for good, and never comes back."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.health import GOOD
from crawler.pipe import say, say_aside
from crawler.progress import Bar
from pipelines.archive import open_archive
from pipelines.choice import chooser
from pipelines.site import GENERIC, load_sites
from pipelines.tables import several
from pipelines.takedown import Gone, Taken, Which, alone, takedown
from pipelines.urls import host_key

SHOWN = 10
"""copies that are named"""


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options] --url U|--pattern RE|--id ID --reason TEXT"

    def short_desc(self) -> str:
        return "Take an article out for good"

    def long_desc(self) -> str:
        return (
            "Removes an article's text, raw bytes, fingerprints and index lines from the archive, keeps a tombstone so that it is never "
            "fetched or read in again, and tells followers of the feed to delete it. Copies at other URLs stay unless they are named. "
            "There is no way back. Backups and exports that were made before are yours to clean. Exit statuses: 0 it is gone, "
            "20 nothing is named so, 21 archive unusable, 22 a run is at work, 23 out of space."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        add = parser.add_argument
        add("--url", metavar="U", help="the article at this URL, whether it is in the archive yet or not")
        add("--pattern", metavar="RE", help="every article in the archive in whose canonical URL this regular expression is found")
        add("--id", metavar="ID", help="the article with this id")
        add("--reason", metavar="TEXT", help="why; stands in the tombstone and in audit.log")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        self.refuse(args, "Name what goes with --url, --pattern or --id; quote a reason of several words.")
        if sum(bool(one) for one in (opts.url, opts.pattern, opts.id)) != 1 or not (opts.reason or "").strip():
            raise UsageError("Say what (one of --url, --pattern, --id) and why (--reason).")
        which = Which(url=opts.url or None, id=opts.id or None, pattern=opts.pattern or None)
        choose = chooser(load_sites(self.seeds))
        assert self.settings is not None
        bar = Bar("Looking through WARC files")
        try:
            with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive, alone(archive):
                taken = takedown(archive, which, opts.reason.strip(), datetime.now(UTC), choose, tell=bar.show)
        finally:
            bar.end()
        for line in lines(taken):
            say(line)
        for host in unknown_hosts(taken):
            say_aside(f"Is the address right? No site of the seeds files has the host {host}. It is recorded all the same.")
        return GOOD


def lines(taken: Taken) -> Iterator[str]:
    """What went, and what stays."""
    for gone in taken.articles:
        yield f"{gone.article.id}  {gone.article.url or 'address unknown'}: {_what(gone)}"
    yield f"{several(taken.records, 'record')} of {several(taken.bytes, 'byte')} overwritten in {several(taken.files, 'WARC file')}."
    if taken.others:
        yield f"{several(taken.others, 'capture')} at other URLs that referred to them went too."
    copies = sorted({copy for gone in taken.articles for copy in gone.copies})
    if copies:
        stay = "stays" if len(copies) == 1 else "stay"
        yield f"{several(len(copies), 'copy')} at other URLs {stay}. To take one down as well: scrapy takedown --id ID"
        yield from (f"  {copy}" for copy in copies[:SHOWN])
        if len(copies) > SHOWN:
            yield f"  and {len(copies) - SHOWN} more"


def _what(gone: Gone) -> str:
    if gone.captures:
        return several(gone.captures, "capture")
    if gone.before is not None:
        return f"was taken down already on {gone.before[:10]}; the first reason stays, audit.log has this one too"
    return "nothing was in the archive; it will never be fetched"


def unknown_hosts(taken: Taken) -> Iterator[str]:
    """Hosts of what was named by an address, was not there, and belongs to no site: whoever mistyped it should hear of it."""
    for gone in taken.articles:
        if gone.article.site == GENERIC and gone.article.url is not None and not gone.captures:
            yield host_key(gone.article.url)
