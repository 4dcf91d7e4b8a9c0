"""One record of the log is one line: nothing that a page says can end a line, colour a terminal or forge a record."""

from __future__ import annotations

import logging
import re
from typing import Self

from scrapy.crawler import Crawler
from scrapy.logformatter import LogFormatter
from scrapy.utils.log import get_scrapy_root_handler

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""C0, DEL and C1 controls, line and paragraph separators, and the invisible and bidirectional format characters"""


def one_line(text: str) -> str:
    """The text with every character that moves, hides or ends a line written as its escape."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


class OneLineFormatter(logging.Formatter):
    """Wraps the formatter that the settings chose; tracebacks become part of the line too."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return one_line(self._inner.format(record))


def keep_to_one_line(handler: logging.Handler | None) -> None:
    """Gives a handler the formatter above, once."""
    if handler is None or isinstance(handler.formatter, OneLineFormatter):
        return
    handler.setFormatter(OneLineFormatter(handler.formatter or logging.Formatter()))


class OneLine(LogFormatter):
    """LOG_FORMATTER: made once for each crawl, after Scrapy has set its handler up."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:  # noqa: ARG003  # Scrapy's contract
        keep_to_one_line(get_scrapy_root_handler())
        return cls()
