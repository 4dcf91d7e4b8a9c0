"""What an export holds and what it leaves out, host by host. Pure; nothing depends on the order in which articles come.

`report` is the manifest's `domains`, and what the data card shows of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pipelines.site import USES

_WHOSE = {True: "own", False: "reprints", None: "unknown"}


@dataclass(slots=True)
class Domain:
    """Counters of the articles of one host. `first` and `last` are dates of publication: their moment, and as printed."""

    articles: int = 0
    characters: int = 0
    first: tuple[datetime, str] | None = None
    last: tuple[datetime, str] | None = None
    whose: Counter[str] = field(default_factory=Counter)
    """by whose text it is: own, reprints, unknown"""
    reserved: Counter[str] = field(default_factory=Counter)
    """by use; of the articles that are in"""
    excluded: Counter[str] = field(default_factory=Counter)
    """by reason; of those that are not"""

    def add(self, record: Mapping[str, Any]) -> None:
        self.articles += 1
        self.characters += len(record["text"])
        self.whose[_WHOSE[record["rights"]["owned"]]] += 1
        self.reserved.update(use for use in USES if record["rights"]["reserved"].get(use))
        if (printed := record["published"]) is not None:
            when = (datetime.fromisoformat(printed).astimezone(UTC), printed)
            self.first, self.last = min(self.first or when, when), max(self.last or when, when)

    def report(self) -> dict[str, Any]:
        return {
            "articles": self.articles,
            "characters": self.characters,
            "first_published": self.first and self.first[1],
            "last_published": self.last and self.last[1],
            "whose": dict(sorted(self.whose.items())),
            "reserved": dict(sorted(self.reserved.items())),
            "excluded": dict(sorted(self.excluded.items())),
        }


class Domains:
    """The hosts of an export, each with its `Domain`."""

    def __init__(self) -> None:
        self._of: dict[str, Domain] = {}

    def add(self, record: Mapping[str, Any]) -> None:
        """A record (docs/article-record.md) that the export holds."""
        self._at(record["url"]).add(record)

    def leave_out(self, url: str, reason: str) -> None:
        """An article that it does not hold."""
        self._at(url).excluded[reason] += 1

    def report(self) -> dict[str, dict[str, Any]]:
        """Host → its counts; the hosts in their order."""
        return {host: domain.report() for host, domain in sorted(self._of.items())}

    def _at(self, url: str) -> Domain:
        return self._of.setdefault(urlsplit(url).hostname or "", Domain())
