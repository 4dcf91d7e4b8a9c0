"""What all of our commands share: an archive to open, errors as messages, and a stated exit status."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.settings import SETTINGS_PRIORITIES

from crawler.choices import check
from crawler.health import INTERRUPTED
from crawler.pipe import close_streams, flush, open_streams, say_aside
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
        open_streams()
        try:
            with _sigterm_as_sigint():
                if self.settings is not None:
                    check(self.settings)
                self.exitcode = self.execute(args, opts)
                flush()
        except ArchiveError as error:
            say_aside(f"scrapy {self.name}: {error}")
            self.exitcode = error.exit_status
        except KeyboardInterrupt:
            say_aside(f"scrapy {self.name}: interrupted. Nothing committed is lost; run it again.")
            self.exitcode = INTERRUPTED
        finally:
            close_streams()

    @property
    def name(self) -> str:
        return type(self).__module__.rpartition(".")[2]

    def add_archive_option(self, parser: argparse.ArgumentParser) -> None:
        assert self.settings is not None
        parser.add_argument("--archive", metavar="DIR", help=f"the archive's folder (default: ARCHIVE_DIR, {self.settings['ARCHIVE_DIR']})")

    def add_workers_option(self, parser: argparse.ArgumentParser) -> None:
        """Work over whole archives takes all cores, unless EXTRACT_WORKERS was set by hand."""
        told = f"processes that read pages; 0 reads in this one, without limits (default: {self._workers()})"
        parser.add_argument("--workers", type=_count, metavar="N", help=told)

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """What was not said is as set, by -s too, which Scrapy reads only now."""
        super().process_options(args, opts)
        assert self.settings is not None
        if "archive" in opts and opts.archive is None:
            opts.archive = self.settings["ARCHIVE_DIR"]
        if "workers" in opts and opts.workers is None:
            opts.workers = self._workers()

    def _workers(self) -> int:
        assert self.settings is not None
        by_hand = (self.settings.getpriority("EXTRACT_WORKERS") or 0) > SETTINGS_PRIORITIES["project"]
        return self.settings.getint("EXTRACT_WORKERS") if by_hand else len(os.sched_getaffinity(0))

    @property
    def seeds(self) -> Path:
        assert self.settings is not None
        return Path(self.settings["SEEDS_DIR"])


@contextlib.contextmanager
def _sigterm_as_sigint() -> Iterator[None]:
    """What is open is closed well, whoever ends the command: a person, cron or systemd."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes, 0 or more")
    return int(text)
