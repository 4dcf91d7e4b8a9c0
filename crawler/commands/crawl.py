"""`scrapy crawl SITE`: one run of one site. Scrapy's own command ends with 0 whatever happened; this one does not."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.exceptions import UsageError
from scrapy.settings import SETTINGS_PRIORITIES
from scrapy.utils.conf import arglist_to_dict

from crawler.command import ArchiveCommand
from crawler.health import Health, judge
from crawler.pipe import say
from pipelines import report
from pipelines.errors import ConfigurationError

if TYPE_CHECKING:
    from crawler.run import Result

SAMPLE_ARTICLES = "5"


class Command(ArchiveCommand):
    default_settings: ClassVar = {"LOG_ENABLED": True}

    def syntax(self) -> str:
        return "[options] SITE"

    def short_desc(self) -> str:
        return "One run of one site into the archive"

    def long_desc(self) -> str:
        return (
            "Fetches what is new on a site (seeds/SITE.toml), archives it, and prints what became of every URL. "
            "Exit statuses: 0 good, 1 a fault of ours, 10 nothing saved, 11 far less than usual, 12 partial, 13 refused, 14 interrupted, "
            "20 bad configuration, 21 archive unusable, 22 locked by another run, 23 out of space, 24 no process can read pages."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)
        text = "since=DATE, until=DATE: of lists only these days; max_articles=N: stop after N new ones; sample=1: look, keep nothing"
        parser.add_argument("-a", dest="arguments", action="append", default=[], metavar="NAME=VALUE", help=text)

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        if len(args) != 1:
            raise UsageError("Name one site; `scrapy list` lists them.")
        assert self.settings is not None
        self.settings.set("ARCHIVE_DIR", opts.archive, priority="cmdline")
        try:
            arguments = arglist_to_dict(opts.arguments)
        except ValueError:
            raise UsageError("Use -a NAME=VALUE.", print_help=False) from None
        if len(arguments) < len(opts.arguments):
            twice = next(name for name in arguments if sum(one.startswith(f"{name}=") for one in opts.arguments) > 1)
            raise ConfigurationError(f"-a {twice}: given more than once. Which of them is meant?")
        sample = arguments.pop("sample", "0")
        if sample not in ("0", "1"):
            raise ConfigurationError(f"-a sample={sample}: neither 1 (look, keep nothing) nor 0.")
        if sample == "0":
            ended = self._run(args[0], arguments)
            return _told(args[0], ended.ledger, ended.health)
        beside = Path(opts.archive)
        with tempfile.TemporaryDirectory(prefix="sample-") as folder:
            self.settings.set("ARCHIVE_DIR", folder, priority="cmdline")
            self.settings.set("CATALOGUE_URL", None, priority="cmdline")
            sampled = self._run(args[0], {"max_articles": SAMPLE_ARTICLES, **arguments}, beside)
        ledger = {**sampled.ledger, "is_sample": True}
        return _told(args[0], ledger, judge(ledger))

    def _run(self, site: str, arguments: dict[str, str], beside: Path | None = None) -> Result:
        from crawler.run import run  # noqa: PLC0415 -- Scrapy loads this module for every command; few of them crawl

        assert self.settings is not None
        if sys.stderr.isatty() and (self.settings.getpriority("LOG_LEVEL") or 0) < SETTINGS_PRIORITIES["cmdline"]:
            self.settings.set("LOG_LEVEL", "WARNING", priority="cmdline")  # the progress line says the rest
        return run(self.settings, site, arguments, beside=beside)


def _told(site: str, ledger: Mapping[str, Any], health: Health) -> int:
    """Prints how a run ended. Returns its exit status."""
    say(f"Run {ledger['run']} of {site}")
    for line in report.lines(ledger):
        say(line)
    say(health.sentence)
    return health.status
