"""What all of our commands share: an archive to open, errors as messages, and a stated exit status."""

from __future__ import annotations

import argparse
import sys
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from scrapy.commands import ScrapyCommand

from pipelines.errors import ArchiveError


class ArchiveCommand(ScrapyCommand):
    """A command whose `execute` returns its exit status; an ArchiveError becomes one message on stderr."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar = {"LOG_ENABLED": False}

    @abstractmethod
    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        """Does the work. Returns the exit status; raises ArchiveError, UsageError."""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            self.exitcode = self.execute(args, opts)
        except ArchiveError as error:
            print(f"scrapy {type(self).__module__.rpartition('.')[2]}: {error}", file=sys.stderr)  # noqa: T201
            self.exitcode = error.exit_status

    def add_archive_option(self, parser: argparse.ArgumentParser) -> None:
        assert self.settings is not None
        default = self.settings["ARCHIVE_DIR"]
        parser.add_argument("--archive", metavar="DIR", default=default, help=f"the archive's folder (default: {default})")

    @property
    def seeds(self) -> Path:
        assert self.settings is not None
        return Path(self.settings["SEEDS_DIR"])


def say(line: str = "") -> None:
    """One line on stdout; a closed pipe (`| head`) is no fault."""
    try:
        print(line)  # noqa: T201
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
