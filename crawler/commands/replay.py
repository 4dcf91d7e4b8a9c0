"""`scrapy replay WARC…`: reads WARC files into an archive, by the rules that a live crawl uses."""

from __future__ import annotations

import argparse
from pathlib import Path

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.health import GOOD, PARTIAL
from crawler.pipe import say
from crawler.progress import Bar
from pipelines.archive import open_archive
from pipelines.choice import chooser
from pipelines.errors import ConfigurationError
from pipelines.replay import Tally, replay
from pipelines.site import load_sites


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options] WARC [WARC ...]"

    def short_desc(self) -> str:
        return "Read WARC files into an archive"

    def long_desc(self) -> str:
        return (
            "Reads WARC files and WACZ packages, ours or anybody's, through the same rules as a live crawl; pages of hosts without a "
            "seeds file are read by a generic site. All cores read pages, one process writes. A replay that was broken off goes on where "
            "it stopped. What the files say was taken down is taken down here too. "
            "Exit statuses: 0 everything was read, 12 some records were damaged or quarantined, 14 interrupted, "
            "20 bad configuration, 21 archive unusable, 22 a run is at work and something must be taken out, 23 out of space."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        self.add_workers_option(parser)
        parser.add_argument("--site", metavar="SITE", help="read every page by this seeds file (default: by the URL's host)")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        if not args:
            raise UsageError("Name at least one WARC file.")
        paths = [Path(arg) for arg in args]
        if missing := [str(path) for path in paths if not path.is_file()]:
            raise ConfigurationError(f"{missing[0]}: there is no such file. Expected WARC files (.warc or .warc.gz) or WACZ packages.")
        sites = load_sites(self.seeds)
        if opts.site is not None and opts.site not in sites:
            raise ConfigurationError(f"There is no site {opts.site!r} in {self.seeds}. Known sites: {', '.join(sites)}.")
        assert self.settings is not None
        opened = open_archive(opts.archive, create=True, catalogue_url=self.settings["CATALOGUE_URL"])
        with opened as archive, archive.lock("replay"):
            for site in sites.values():
                archive.keep_rules(site, (self.seeds / f"{site.name}.toml").read_bytes())
            bar, whole = Bar("Reading WARC files", "bytes"), sum(path.stat().st_size for path in paths)
            try:
                choose = chooser(sites, opts.site)
                tally = replay(archive, paths, choose, workers=opts.workers, tell=lambda tally: bar.show(min(tally.read, whole), whole))
            finally:
                bar.end()
        _report(tally)
        return GOOD if tally.is_whole else PARTIAL


def _report(tally: Tally) -> None:
    say(f"Read {sum(tally.outcomes.values())} captures; {tally.known} were known before.")
    for word, count in sorted((+tally.outcomes).items(), key=lambda item: (-item[1], item[0])):
        say(f"  {count:>7}  {word}")
    if tally.taken_down:
        say(f"{tally.taken_down} articles are taken down here too, as the files tell.")
    for damaged in tally.damaged[:10]:
        say(f"Damaged: {damaged}")
    for url in tally.quarantined[:10]:
        say(f"Quarantined: {url}")
    if not tally.is_whole:
        say(f"{len(tally.damaged)} records are damaged, {len(tally.quarantined)} pages are quarantined (tracebacks in quarantine/).")
