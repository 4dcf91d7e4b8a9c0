"""`scrapy replay WARC…`: reads WARC files into an archive, by the rules that a live crawl uses."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.health import GOOD, PARTIAL
from crawler.pipe import say
from crawler.progress import Bar
from pipelines.archive import open_archive
from pipelines.archive.records import Record, read_records
from pipelines.archive.wacz import holds_warc
from pipelines.choice import chooser
from pipelines.errors import ConfigurationError
from pipelines.intake import PACKAGE
from pipelines.replay import Tally, replay
from pipelines.site import load_sites
from pipelines.tables import several

ENDINGS = (".warc", ".warc.gz", PACKAGE)
EXPECTED = "Expected WARC files (.warc, .warc.gz) or WACZ packages."


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options] WARC|FOLDER [WARC|FOLDER ...]"

    def short_desc(self) -> str:
        return "Read WARC files into an archive"

    def long_desc(self) -> str:
        return (
            "Reads WARC files and WACZ packages, ours or anybody's, or those that lie in a folder, through the same rules as a live crawl; "
            "pages of hosts without a seeds file are read by a generic site. All cores read pages, one process writes. A replay that was "
            "broken off goes on where it stopped. What the files say was taken down is taken down here too. "
            "Exit statuses: 0 everything was read, 12 some records were damaged or quarantined, 14 interrupted, "
            "20 bad configuration, 21 archive unusable, 22 another replay is at work, or any run where something must be taken out, "
            "23 out of space, 24 no process can read pages."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        self.add_workers_option(parser)
        parser.add_argument(
            "--site", metavar="SITE", help="read every page by this seeds file (default: whose crawl wrote it, or by its host)"
        )

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        if not args:
            raise UsageError("Name at least one WARC file, or a folder of them.")
        paths = named(args)
        sites = load_sites(self.seeds)
        if opts.site is not None and opts.site not in sites:
            raise ConfigurationError(f"There is no site {opts.site!r} in {self.seeds}. Known sites: {', '.join(sites)}.")
        assert self.settings is not None
        url = self.settings["CATALOGUE_URL"]
        with open_archive(opts.archive, create=True, rebuilds=True, catalogue_url=url) as archive, archive.lock("replay"):
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


def named(words: Sequence[str]) -> list[Path]:
    """The files that a person means: of a folder, the WARC files and packages in it, in order of name. Raises ConfigurationError
    where one is not there, and where there is nothing to read in any: no archive is made for that."""
    paths = [path for word in words for path in _files(Path(word))]
    try:
        if not any(map(_has_record, paths)):
            others = f", nor in the {several(len(paths) - 1, 'other')}" if len(paths) > 1 else ""
            raise ConfigurationError(f"{paths[0]}: there is no WARC record in it{others}. {EXPECTED}")
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: cannot be read ({error.strerror}). {EXPECTED}") from error
    return paths


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ConfigurationError(f"{path}: there is no such file or folder. {EXPECTED}")
    try:
        found = sorted(one for one in path.iterdir() if one.name.lower().endswith(ENDINGS))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}). {EXPECTED}") from error
    if not found:
        more = f" Those of an archive lie in {path / 'warc'}." if (path / "warc").is_dir() else ""
        raise ConfigurationError(f"{path}: there is no WARC file in this folder. {EXPECTED}{more}")
    return found


def _has_record(path: Path) -> bool:
    """Whether there is anything to read in a file. A crawl that was killed early leaves a WARC file of no bytes, which is one."""
    if path.suffix.lower() == PACKAGE:
        return holds_warc(path)
    with path.open("rb") as file:
        return path.stat().st_size == 0 or any(isinstance(record, Record) for record in read_records(file, path.name))


def _report(tally: Tally) -> None:
    say(f"Read {several(sum(tally.outcomes.values()), 'capture')}; {tally.known} {'was' if tally.known == 1 else 'were'} known before.")
    for word, count in sorted((+tally.outcomes).items(), key=lambda item: (-item[1], item[0])):
        say(f"  {count:>7}  {word}")
    if tally.taken_down:
        say(f"{several(tally.taken_down, 'article')} {'is' if tally.taken_down == 1 else 'are'} taken down here too, as the files tell.")
    for damaged in tally.damaged[:10]:
        say(f"Damaged: {damaged}")
    for url in tally.quarantined[:10]:
        say(f"Quarantined: {url}")
    if not tally.is_whole:
        broken, quarantined = len(tally.damaged), len(tally.quarantined)
        say(
            f"{several(broken, 'record')} {'is' if broken == 1 else 'are'} damaged, "
            f"{several(quarantined, 'page')} {'is' if quarantined == 1 else 'are'} quarantined (tracebacks in quarantine/)."
        )
