"""What all of our commands share: an archive to open, errors as messages, and a stated exit status."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.settings import SETTINGS_PRIORITIES

from crawler.choices import check
from crawler.health import INTERRUPTED
from crawler.pipe import close_streams, flush, open_streams, say_aside
from pipelines.archive.durable import disk_fault
from pipelines.errors import ArchiveError, ArchiveUnusable


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
                if "workers" in opts and opts.workers is None:
                    opts.workers = self._workers()
                self.exitcode = self.execute(args, opts)
                flush()
        except ArchiveError as error:
            say_aside(f"scrapy {self.name}: {error}")
            self.exitcode = error.exit_status
        except PermissionError as error:  # of a file or folder that was named, or lies in one that was
            say_aside(f"scrapy {self.name}: {disk_fault(Path(error.filename or 'something'), error)}")
            self.exitcode = ArchiveUnusable.exit_status
        except KeyboardInterrupt:
            say_aside(f"scrapy {self.name}: interrupted. Nothing committed is lost; run it again.")
            self.exitcode = INTERRUPTED
        finally:
            close_streams()

    @property
    def name(self) -> str:
        return type(self).__module__.rpartition(".")[2]

    def refuse(self, args: list[str], instead: str) -> None:
        """For a command that takes none: the first argument that stands behind no option, and how it may have been meant."""
        if args:
            raise UsageError(f"{args[0]!r} follows no option. {instead}")

    def add_archive_option(self, parser: argparse.ArgumentParser) -> None:
        assert self.settings is not None
        told = f"the archive's folder (default: ARCHIVE_DIR, {self.settings['ARCHIVE_DIR']})"
        parser.add_argument("--archive", type=a_path, metavar="DIR", help=told)

    def add_workers_option(self, parser: argparse.ArgumentParser) -> None:
        """Work over whole archives takes all cores, unless EXTRACT_WORKERS was set by hand."""
        told = f"processes that read pages; 0 reads in this one, without limits (default: {self._workers()})"
        parser.add_argument("--workers", type=_count, metavar="N", help=told)

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """What was not said is as set, by -s too, which Scrapy reads only now. Raises UsageError."""
        if unknown := [one for one in args if one.startswith("-") and one != "-"]:
            raise UsageError(f"there is no option {unknown[0]}. `scrapy {self.name} --help` lists them.")
        _check_text([*args, *_texts(opts)])
        _check_places(opts)
        super().process_options(args, opts)
        assert self.settings is not None
        if "archive" in opts and opts.archive is None:
            opts.archive = self.settings["ARCHIVE_DIR"]

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


SCRAPYS_FILES = ("logfile", "pidfile", "profile")
"""Options of every command, for files that Scrapy itself writes"""


def _check_places(opts: argparse.Namespace) -> None:
    """Scrapy would try, and print a traceback; for --profile after all the work."""
    for option in SCRAPYS_FILES:
        place = Path(getattr(opts, option, None) or os.devnull)
        if not _is_writable(place):
            raise UsageError(f"--{option} {place}: no file can be written there. Name one in a folder that exists and is yours.")


def _is_writable(place: Path) -> bool:
    try:
        return not place.is_dir() and os.access(place if place.exists() else place.parent, os.W_OK)
    except PermissionError:
        return False


def _texts(opts: argparse.Namespace) -> Iterator[str]:
    for value in vars(opts).values():
        yield from map(str, value if isinstance(value, list) else [value])


def _check_text(words: Iterable[str]) -> None:
    """Bytes that are no UTF-8 come as surrogates, which neither a catalogue nor a manifest can hold."""
    for word in words:
        if not word.isascii() and word.encode("utf-8", "replace").decode() != word:
            raise UsageError(f"{word!a}: is no UTF-8. Where the locale has none, set LC_ALL=C.UTF-8; name a file otherwise.")


def a_path(text: str) -> str:
    """The value of an option that names a file or a folder; "" is what a variable leaves that nobody has set."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} names no place")
    return text


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes, 0 or more")
    return int(text)
