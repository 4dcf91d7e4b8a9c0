"""`scrapy probe SITE`: one URL of each kind from the live site, to see which rules of the seeds file still hold."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import ClassVar

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.health import GOOD, NOTHING_SAVED
from crawler.pipe import say
from pipelines.model import Kind


class Command(ArchiveCommand):
    default_settings: ClassVar = {"LOG_ENABLED": True}

    def syntax(self) -> str:
        return "[options] SITE"

    def short_desc(self) -> str:
        return "One URL of each kind: what answers, and which layout fits"

    def long_desc(self) -> str:
        return (
            "Asks each list of a site for its first page, robots.txt of each host, and at most two articles of each list, and says what "
            "answered, what was read of it, and of each layout whether it fitted and if not why. Keeps nothing, and takes turns with "
            "crawls into the archive. Exit statuses: 0 an article was read, 10 none was, 14 interrupted, 20 bad configuration, 21 and 23 "
            "no place for temporary files."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        if len(args) != 1:
            raise UsageError("Name one site; `scrapy list` lists them.")
        from crawler.probing import probe, told  # noqa: PLC0415 -- as in crawl.py

        assert self.settings is not None
        self.settings.set("LOG_LEVEL", opts.loglevel or "ERROR", priority="cmdline")
        answers, result = probe(self.settings, args[0], Path(opts.archive))
        for said in told(answers, result):
            say(said)
        return GOOD if any(answer.kind == Kind.ARTICLE and answer.article for answer in answers) else NOTHING_SAVED
