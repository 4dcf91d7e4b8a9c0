"""`scrapy package`: the archive's WARC files, their index and a list of pages as one WACZ file."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.health import GOOD, PARTIAL
from crawler.pipe import say_aside
from crawler.settings import USER_AGENT
from pipelines.archive import Archive, open_archive
from pipelines.archive.wacz import write_wacz
from pipelines.archive.warc import is_being_written, warc_files
from pipelines.delivery import new_file
from pipelines.errors import ConfigurationError
from pipelines.tables import several

PACKAGE = ".wacz"


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options] --to FILE.wacz [WARC ...]"

    def short_desc(self) -> str:
        return "WARC files as one WACZ file"

    def long_desc(self) -> str:
        return (
            "Packs the archive's WARC files as they are, or those of them that you name, with an index and a list of pages into one "
            "WACZ 1.1.1 file, which replayweb.page, pywb and `scrapy replay` open. A file that a crawl is writing is left out, and "
            "said so. The package appears whole or not at all. Exit statuses: 0 good, 12 packed, but something in it is damaged, "
            "20 what an option names is wrong, 21 archive or target unusable, 22 a takedown is at work, 23 out of space."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        parser.add_argument("--to", metavar="FILE.wacz", help="where the package goes")
        parser.add_argument("--title", help="what it is called (default: the archive's folder)")

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        if not opts.to:
            raise UsageError("Say where to: --to FILE.wacz.")
        if not opts.to.endswith(PACKAGE):
            raise UsageError(f"{opts.to}: expected a name that ends in {PACKAGE}, by which programs know it.", print_help=False)
        assert self.settings is not None
        with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive, archive.lock("takedown"):
            target = new_file(opts.to, archive.path)
            warcs, left_out = chosen(archive, args)
            title = opts.title or archive.path.resolve().name
            damage = write_wacz(target, warcs, software=USER_AGENT, created=datetime.now(UTC), title=title)
        for one in damage:
            say_aside(f"damaged, packed as it is: {one}")
        for path in left_out:
            say_aside(f"left out, a crawl is writing it: {path.name}")
        say_aside(f"{several(len(warcs), 'WARC file')}, {target.stat().st_size:,} bytes, to {opts.to}")
        return PARTIAL if damage else GOOD


def chosen(archive: Archive, names: list[str]) -> tuple[list[Path], list[Path]]:
    """The files to pack, and those that are still being written. Raises ConfigurationError for a name that is none of the
    archive's, and where nothing is left to pack."""
    files = {path.name: path for path in warc_files(archive.warc_folder)}
    if unknown := sorted({Path(name).name for name in names} - files.keys()):
        raise ConfigurationError(f"{', '.join(unknown)}: no such file in {archive.warc_folder}. Name files that lie there.")
    wanted = [files[name] for name in dict.fromkeys(Path(name).name for name in names)] or list(files.values())
    left_out = [path for path in wanted if is_being_written(path)]
    packed = [path for path in wanted if path not in left_out]
    if not packed:
        raise ConfigurationError(
            f"{archive.warc_folder}: holds no WARC file that is finished. Run `scrapy crawl` or `scrapy replay` first."
        )
    return packed, left_out
