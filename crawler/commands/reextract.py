"""`scrapy reextract`: all captures read again with today's rules; what changes is told before it is written."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from crawler.command import ArchiveCommand
from crawler.health import GOOD, PARTIAL
from crawler.pipe import say
from crawler.progress import Bar
from pipelines.archive import open_archive
from pipelines.choice import chooser
from pipelines.compared import What
from pipelines.errors import ConfigurationError
from pipelines.reextract import reextract, today
from pipelines.site import load_sites
from pipelines.spool import Difference
from pipelines.tables import Section, as_text, plain, several

WIDTH = 100
"""characters of a sample's line"""
FAILED = 10
"""URLs that are named"""


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Read all captures again with today's rules"

    def long_desc(self) -> str:
        return (
            "Reads every article capture of an archive again, by the seeds files and the software of today, prints what that changes by "
            "site and layout, and writes it down; followers of the feed get the changes. One that was killed goes on where it stopped. "
            "Exit statuses: 0 every capture was read, 12 some could not be and stay as they were, 14 interrupted, 20 bad configuration, "
            "21 archive unusable, 22 locked by another one, 23 out of space, 24 no process can read pages."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        self.add_workers_option(parser)
        add = parser.add_argument
        add("--site", metavar="SITE", help="only captures of this site")
        add("--dry-run", action="store_true", help="print what would change, and change nothing")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        self.refuse(args, "Name the archive with --archive DIR.")
        sites = load_sites(self.seeds)
        if opts.site is not None and opts.site not in sites:
            raise ConfigurationError(f"There is no site {opts.site!r} in {self.seeds}. Known sites: {', '.join(sites)}.")
        assert self.settings is not None
        bar = Bar("Reading captures")
        with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive, archive.lock("reextract"):
            for site in () if opts.dry_run else sites.values():
                archive.keep_rules(site, (self.seeds / f"{site.name}.toml").read_bytes())
            try:
                found = reextract(
                    archive,
                    today(sites, chooser(sites)),
                    site=opts.site,
                    workers=opts.workers,
                    dry_run=opts.dry_run,
                    report=lambda found: _print(found, bar),
                    tell=bar.show,
                )
            finally:
                bar.end()
        say("Nothing was changed: --dry-run." if opts.dry_run else f"{several(found.applied, 'capture')} written down anew.")
        return GOOD if found.is_whole else PARTIAL


def _print(found: Difference, bar: Bar) -> None:
    bar.end()
    for line in lines(found):
        say(line)


def lines(found: Difference) -> Iterator[str]:
    """The difference report."""
    if found.resumed is not None:
        yield f"An earlier run was broken off: going on with the {several(found.resumed, 'change')} that it found and left."
        return
    yield f"Read {several(found.read, 'capture')}: {found.same} say what they said, {found.counts.total()} say something else."
    rows = tuple((*key, count) for key, count in sorted(found.counts.items()))
    if rows:
        yield from as_text([Section(title="Differences", columns=("site", "layout", "what", "captures"), rows=rows)])
    for (site, layout, what), samples in sorted(found.samples.items()):
        if what is What.PROVENANCE:
            continue  # there is nothing to look at
        yield f"{site} {layout} {what}:"
        for sample in samples:
            yield f"  {sample.url}"
            yield from (f"    {plain(text)[:WIDTH]}" for text in sample.lines)
    yield from _left(found)


def _left(found: Difference) -> Iterator[str]:
    if found.unreadable:
        yield f"{several(found.unreadable, 'capture')} cannot be read from their WARC files and stay as they are; see `scrapy verify`."
    if found.too_expensive:
        yield f"{several(found.too_expensive, 'page')} too expensive to read this time: what they were read as before stays."
    for url in found.failed[:FAILED]:
        yield f"Our own code failed on {url}; it stays as it is. Report it."
    if found.failures > FAILED:
        yield f"Our own code failed on {found.failures - FAILED} more."
