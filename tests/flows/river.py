"""The nights of one archive: the replica's four days, crawled by the real command with the real seeds file.

    first     day 0, everything is new           again     day 0, nothing is new
    second    day 1: 5 new, 2 revised, 1 moved, 1 withdrawn
    quiet     day 2, nothing is new              third     day 3: 12 new, a reprint and a copy in traditional script

Between the nights the time comes (by SQL) at which what has changed, and ten articles that have not, are asked again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.flows import crawling
from tests.flows.crawling import Record
from tests.replica import Asked, Replica, TrueArticle

UNCHANGED = 10
"""articles that are asked again though nothing happened to them: a host that is well"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One run: how it ended, what the replica was asked, and what the archive held then."""

    process: subprocess.CompletedProcess[str]
    asked: tuple[Asked, ...]
    records: dict[str, Record]
    shown: set[str]
    ledger: dict[str, Any]

    def articles_asked(self) -> list[str]:
        return [one.url for one in self.asked if one.kind in ("article", "not found", "redirect")]


@dataclass(slots=True)
class River:
    """`nights` by name; `archive` as the last of them left it; `truth` of each day, of this site alone."""

    archive: Path
    nights: dict[str, Night] = field(default_factory=dict)
    truth: list[dict[str, TrueArticle]] = field(default_factory=list)

    def changed(self, variant: str) -> list[TrueArticle]:
        """What happened on day 1: "revised", "moved" or "withdrawn"."""
        today = self.truth[1].values()
        return [true for true in today if (true.withdrawn if variant == "withdrawn" else true.variant == variant)]


def flow(folder: Path) -> Iterator[River]:
    river = River(archive=folder / "archive")
    with Replica(day=0) as replica:
        river.truth = [{true.url: true for true in replica.truth(day) if true.site == crawling.SITE} for day in range(4)]
        _night(river, replica, "first")
        _night(river, replica, "again")
        for day, name in enumerate(("second", "quiet", "third"), 1):
            replica.day = day
            crawling.make_due(river.archive, _due(river, name))
            _night(river, replica, name)
        yield river


def _due(river: River, name: str) -> list[str]:
    if name == "quiet":
        return []
    changed = [true.url for true in river.truth[1].values() if true.variant in ("revised", "moved") or true.withdrawn]
    still = [url for url, true in river.truth[0].items() if true.variant == "normal" and true.template == "T3" and url not in changed]
    return [*changed, *still[-UNCHANGED:]]


def _night(river: River, replica: Replica, name: str) -> None:
    replica.reset()
    process = crawling.crawl(replica, river.archive)
    assert process.returncode == 0, f"{name}: {process.returncode}\n{process.stdout}\n{process.stderr}"
    river.nights[name] = Night(
        process=process,
        asked=tuple(replica.requests),
        records=crawling.all_records(river.archive),
        shown=crawling.shown(river.archive),
        ledger=crawling.ledgers(river.archive)[-1],
    )
