"""The commands. Loading them takes a second, in which a Ctrl-C is no more than that: here, where Scrapy looks for them, and before all
that they import."""

from __future__ import annotations

import sys
from types import TracebackType


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """sys.excepthook: of an interrupt that no command answers, one line. Python ends itself by the signal after it."""
    if issubclass(kind, KeyboardInterrupt):
        print("scrapy: interrupted before anything was done.", file=sys.stderr)  # noqa: T201
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _told
