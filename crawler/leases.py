"""How much each host has on its way in this run, so that the scheduler hands out no more. Counting: the bounds are politeness.py's."""

from __future__ import annotations

from collections import defaultdict

from crawler.politeness import most_asked, most_begun
from pipelines.archive.urltable import Row
from pipelines.site import Politeness


class Leases:
    """Rows that were handed out as requests. Each is *begun* until what came of it is committed, and meanwhile *asked* as long as
    nobody has answered: further tries and redirects ask once more."""

    def __init__(self, politeness: Politeness) -> None:
        self._politeness = politeness
        self._begun: defaultdict[str, set[int]] = defaultdict(set)
        """ids of rows, by host"""
        self._asked: defaultdict[str, set[int]] = defaultdict(set)

    def __len__(self) -> int:
        return sum(map(len, self._begun.values()))

    def __contains__(self, row: Row) -> bool:
        return row.id in self._begun[row.host]

    @property
    def ids(self) -> set[int]:
        return set().union(*self._begun.values())

    def begin(self, row: Row) -> None:
        self._begun[row.host].add(row.id)
        self._asked[row.host].add(row.id)

    def answered(self, row: Row) -> None:
        self._asked[row.host].discard(row.id)

    def asked_again(self, row: Row) -> None:
        if row in self:
            self._asked[row.host].add(row.id)

    def end(self, row: Row) -> None:
        self._begun[row.host].discard(row.id)
        self._asked[row.host].discard(row.id)

    def has_room(self, host: str) -> bool:
        return len(self._asked[host]) < most_asked(self._politeness) and len(self._begun[host]) < most_begun(self._politeness)

    def full_hosts(self) -> set[str]:
        return {host for host in list(self._begun) if not self.has_room(host)}
