"""What an export holds, counted record by record while it passes: the facts of its card and its Croissant file. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.site import USES


@dataclass(slots=True)
class Portrait:
    """Counters of articles by what they say; "" where they say nothing."""

    articles: int = 0
    characters: int = 0
    sites: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    """of `published`, else of `first_seen`"""
    languages: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    """the printed ones"""
    reserved: Counter[str] = field(default_factory=Counter)
    """uses; "" where none of them is reserved"""
    owned: Counter[bool | None] = field(default_factory=Counter)
    notices: int = 0
    newest: str = ""
    """the last time at which the archive learned anything of these articles: what stands in place of the time of the export,
    which would make two exports of one archive differ"""

    def add(self, record: Mapping[str, Any]) -> None:
        rights = record["rights"]
        self.articles += 1
        self.characters += len(record["text"])
        self.sites[record["site"]] += 1
        self.months[month(record)] += 1
        self.languages[record["language"] or ""] += 1
        self.sources[record["source"] or ""] += 1
        self.reserved.update([use for use in USES if rights["reserved"].get(use)] or [""])
        self.owned[rights["owned"]] += 1
        self.notices += rights["notice"] is not None
        self.newest = max(self.newest, record["fetched_at"], record["last_seen"])

    @property
    def day(self) -> str:
        """The day of `newest`; the first of all days where there are no articles."""
        return self.newest[:10] or "1970-01-01"


def month(record: Mapping[str, Any]) -> str:
    """The month that a record is filed under, "2024-03": of its date as printed, else of its first sight."""
    return str(record["published"] or record["first_seen"])[:7]


def version(cursor: int) -> str:
    """The version of a data set at a cursor: as many changes as there were, by one shape of the record."""
    return f"1.{cursor}.0"
