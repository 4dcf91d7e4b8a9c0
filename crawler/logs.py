"""One record of the log is one line: nothing that a page says can end a line, colour a terminal or forge a record."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import Self

from scrapy.crawler import Crawler
from scrapy.logformatter import LogFormatter
from scrapy.settings import BaseSettings

from crawler.pipe import say_aside
from pipelines.archive.durable import disk_fault

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""C0, DEL and C1 controls, line and paragraph separators, and the invisible and bidirectional format characters"""


def one_line(text: str) -> str:
    """The text with every character that moves, hides or ends a line written as its escape."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


class OneLineFormatter(logging.Formatter):
    """The format that the settings chose; a traceback becomes part of the line too."""

    def format(self, record: logging.LogRecord) -> str:
        return one_line(super().format(record))


class _GoesOn(logging.Handler):
    """Where a log takes no more, as on a full disk, that is said once: logging itself would print a traceback a record."""

    _is_lost = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is logging's
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._is_lost:
            self._is_lost = True
            say_aside(f"The log cannot be written ({error.strerror}). The run goes on; what follows may be missing in the log.")


class _File(_GoesOn, logging.FileHandler):
    """LOG_FILE."""


class _Stream(_GoesOn, logging.StreamHandler):  # type: ignore[type-arg]  # the class itself takes none
    """Standard error."""


def handler_of(settings: BaseSettings) -> logging.Handler:
    """The handler that Scrapy's LOG_ settings describe, writing one line a record. Raises OutOfSpace, ArchiveUnusable where
    there can be no such file."""
    handler: logging.Handler = logging.NullHandler()
    if file := settings["LOG_FILE"]:
        mode = "a" if settings.getbool("LOG_FILE_APPEND") else "w"
        try:
            handler = _File(file, mode=mode, encoding=settings["LOG_ENCODING"])
        except OSError as error:
            raise disk_fault(Path(file), error) from error
    elif settings.getbool("LOG_ENABLED"):
        handler = _Stream()
    handler.setFormatter(OneLineFormatter(fmt=settings["LOG_FORMAT"], datefmt=settings["LOG_DATEFORMAT"]))
    handler.setLevel(settings["LOG_LEVEL"])
    return handler


def install(settings: BaseSettings) -> None:
    """Puts the handler on the root logger, once a process."""
    if not any(isinstance(handler.formatter, OneLineFormatter) for handler in logging.root.handlers):
        handler = handler_of(settings)
        logging.root.addHandler(handler)
        logging.root.setLevel(handler.level)
        for name in ("scrapy", "twisted"):  # Scrapy sets levels of their own: two records a page are made that nobody reads
            library = logging.getLogger(name)
            library.setLevel(max(library.level, handler.level))


class OneLine(LogFormatter):
    """LOG_FORMATTER: made at the beginning of each crawl, before anything that a site says is logged.

    Scrapy's own root handler is off (LOG_INSTALL_ROOT_HANDLER): it is replaced twice on the way to the first request, and
    its formatter cannot be chosen.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        install(crawler.settings)
        return cls()
