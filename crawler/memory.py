"""What outlives a run of hosts: when each may be asked next, and what its robots.txt said. Kept in the catalogue.

Saving never waits: the last state of each host is held here and written with the next grouped commit.
"""

from __future__ import annotations

import json

import sqlalchemy as sa

from crawler.politeness import HostState
from crawler.robots_middleware import RobotsAnswer
from pipelines.archive import Archive, schema
from pipelines.archive.catalogue import upsert


class HostMemory:
    """KeepsHosts and KeepsRobots over the catalogue's `host` and `robots` tables."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._hosts: dict[str, HostState] = {}
        self._robots: dict[str, RobotsAnswer] = {}

    def load_host(self, host: str) -> HostState | None:
        with self._archive.catalogue.snapshot() as tx:
            stored = tx.scalar(sa.select(schema.host.c.state).where(schema.host.c.host == host))
        return HostState.from_json(json.loads(stored)) if stored else None

    def save_host(self, state: HostState) -> None:
        self._hosts[state.host] = state

    def load_robots(self, origin: str) -> RobotsAnswer | None:
        with self._archive.catalogue.snapshot() as tx:
            row = tx.execute(sa.select(schema.robots).where(schema.robots.c.host == origin)).one_or_none()
        return (
            None
            if row is None
            else RobotsAnswer(origin=origin, fetched_at=row.fetched_at, status=row.status, body=row.body or b"", failure=row.failure)
        )

    def save_robots(self, answer: RobotsAnswer) -> None:
        self._robots[answer.origin] = answer

    def flush(self, tx: sa.Connection) -> None:
        """Writes what was saved and is not known to be durable."""
        for state in self._hosts.values():
            upsert(tx, schema.host, {"host": state.host, "state": json.dumps(state.to_json())})
        for answer in self._robots.values():
            row = {"fetched_at": answer.fetched_at, "status": answer.status, "body": answer.body, "failure": answer.failure}
            upsert(tx, schema.robots, {"host": answer.origin, **row})

    def flushed(self) -> None:
        """Says that what the last `flush` wrote is committed; nothing may be saved in between."""
        self._hosts.clear()
        self._robots.clear()
