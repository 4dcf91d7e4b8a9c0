"""The settings that people choose (docs/settings.md), checked before anything is opened: a wrong one is a message, no traceback.

Rule of this file: a table. What a setting does stands where it is used.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable

import sqlalchemy as sa
from scrapy.settings import BaseSettings
from sqlalchemy.exc import ArgumentError

from pipelines.errors import ConfigurationError

_Test = Callable[[str], bool]


def _number(least: float) -> _Test:
    """A finite number above `least`, or `least` itself where that is 0."""

    def fits(text: str) -> bool:
        try:
            number = float(text)
        except ValueError:
            return False
        return math.isfinite(number) and number >= least

    return fits


def _is_database(text: str) -> bool:
    """People are told of PostgreSQL alone. SQLite stands in for another database in tests, where no server is; it locks no sites
    between machines."""
    try:
        return sa.make_url(text).get_backend_name() in ("postgresql", "sqlite")
    except ArgumentError:
        return False


CHOICES: dict[str, tuple[_Test, str]] = {
    "ARCHIVE_DIR": (lambda text: bool(text.strip()), "the path of a folder, e.g. -s ARCHIVE_DIR=archive"),
    "SEEDS_DIR": (lambda text: bool(text.strip()), "the path of a folder, e.g. -s SEEDS_DIR=seeds"),
    "CATALOGUE_URL": (_is_database, "a PostgreSQL URL, e.g. postgresql+psycopg://user:password@host/name"),
    "DELAY": (_number(0), "seconds, 0 or more, e.g. -s DELAY=2.5"),
    "DOWNLOAD_TIMEOUT": (_number(0.1), "seconds, 0.1 or more, e.g. -s DOWNLOAD_TIMEOUT=30"),
    "EXTRACT_WORKERS": (lambda text: re.fullmatch(r"\d{1,3}", text, re.ASCII) is not None, "a whole number, 0 to 999"),
    "LOG_LEVEL": (lambda text: text.upper() in logging.getLevelNamesMapping(), "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
}
"""setting → what it must be like, and how a person is told"""
_SECRET = frozenset({"CATALOGUE_URL"})


def check(settings: BaseSettings) -> None:
    """Raises ConfigurationError for the first setting that cannot be meant. None is a setting that was not made."""
    for name, (fits, expected) in CHOICES.items():
        value = settings.get(name)
        if value is not None and not fits(str(value)):
            shown = name if name in _SECRET else f"{name}={value}"
            raise ConfigurationError(f"{shown}: not usable. Expected {expected}.")
