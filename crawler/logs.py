"""One record of the log is one line: nothing that a page says can end a line, colour a terminal or forge a record."""

from __future__ import annotations

import logging
import re
from typing import Self

from scrapy.crawler import Crawler
from scrapy.logformatter import LogFormatter
from scrapy.settings import BaseSettings

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""C0, DEL and C1 controls, line and paragraph separators, and the invisible and bidirectional format characters"""


def one_line(text: str) -> str:
    """The text with every character that moves, hides or ends a line written as its escape."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


class OneLineFormatter(logging.Formatter):
    """The format that the settings chose; a traceback becomes part of the line too."""

    def format(self, record: logging.LogRecord) -> str:
        return one_line(super().format(record))


def handler_of(settings: BaseSettings) -> logging.Handler:
    """The handler that Scrapy's LOG_ settings describe, writing one line a record."""
    handler: logging.Handler = logging.NullHandler()
    if file := settings["LOG_FILE"]:
        mode = "a" if settings.getbool("LOG_FILE_APPEND") else "w"
        handler = logging.FileHandler(file, mode=mode, encoding=settings["LOG_ENCODING"])
    elif settings.getbool("LOG_ENABLED"):
        handler = logging.StreamHandler()
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
