"""What changed in the corpus since a cursor. Reading only; docs/feed.md is the contract.

    {"op": "add" | "modify" | "delete", "sequence": n, "id": …, "record": {…} | null}      …      {"cursor": n, "since": "n@…"}

An article stands at the place of its *last* change, with its state in the one snapshot that the whole answer is read
from, so it comes once however often it changed. Why a follower that stops anywhere and goes on from its cursor ends
with exactly the default export: after the cursor c, each article whose last change is at or before c is with the
follower as it is in the archive; for one that changes later, that change is after c and still to come. Nothing else is
promised in between: what a part of the feed says may be newer than its cursor, never older.

Therefore a delete is always said, also for an article that was added since the cursor. A follower at c may have it all
the same: it got it at 1 (add), then skipped 2 (delete) because 4 (add) came later, and stands at 3 when 5 deletes it.

What may not leave for its rights (pipelines/policy.py) is a delete too, so that a follower of one use has the export for that
use. Nothing more is needed for it: whether a record may leave follows from the record, which names its seeds file, and from the
use, which the cursor names; a record that changes is a change of the feed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from pipelines.archive import Archive, stored
from pipelines.archive.schema import change
from pipelines.errors import ConfigurationError
from pipelines.policy import Policy, policy_of

BATCH = 200
"""Records read at once: about 2 MB of them"""
_SINCE = re.compile(r"(?P<number>-?[0-9]{1,18})(?:@(?P<archive>[0-9a-f]+)(?:/(?P<use>[a-z-]+))?)?")


def answer(
    archive: Archive, since: str = "0", limit: int | None = None, use: str | None = None, withheld: Counter[str] | None = None
) -> Iterator[dict[str, Any]]:
    """What `feed` says, for a use (one of `pipelines.site.USES`, or None), read in one moment.

    `since` is 0, or "cursor" or "since" of the last line of an earlier answer. The latter knows its archive and use, and is
    refused by another one. `withheld` counts by reason what may not leave. Raises ConfigurationError, ArchiveUnusable.
    """
    number = _number(since, archive.id, use)
    with archive.catalogue.snapshot() as tx:
        for one in feed(tx, number, limit, policy_of(archive, use), withheld):
            yield one if "op" in one else {**one, "since": _since(one["cursor"], archive.id, use)}


def _since(number: int, archive: str, use: str | None) -> str:
    return f"{number}@{archive}" + (f"/{use}" if use else "")


def _number(since: str, archive: str, use: str | None) -> int:
    given = _SINCE.fullmatch(since)
    if given is None:
        raise ConfigurationError(f"{since!r} is no cursor. Expected 0, or `since` of the last line of an earlier answer.")
    if given["archive"] not in (None, archive):
        raise ConfigurationError(
            f"The cursor {since} is of another archive; this is {archive}. Begin anew with --since 0 and an empty store."
        )
    if given["archive"] and given["use"] != use:
        asked, was = (f"--use {word}" if word else "no --use" for word in (use, given["use"]))
        raise ConfigurationError(
            f"The cursor {since} was given for {was}, and this asks for {asked}: other articles. Ask as before, or begin anew with"
            " --since 0 and an empty store."
        )
    return int(given["number"])


def feed(
    tx: sa.Connection, since: int, limit: int | None = None, policy: Policy | None = None, withheld: Counter[str] | None = None
) -> Iterator[dict[str, Any]]:
    """The articles that changed after a cursor, at most `limit` of them, and in the end the next cursor.

    A cursor is 0 or what an earlier answer ended with. What `policy` refuses is said to be deleted, and counted in `withheld`
    by its reason. Raises ConfigurationError for a cursor that this archive never gave.
    """
    newest = stored.cursor(tx)
    if not 0 <= since <= newest:
        raise ConfigurationError(
            f"This archive never gave the cursor {since}; its newest is {newest}. Was the archive restored or rebuilt,"
            " or is it another one? Begin anew with --since 0 and an empty store."
        )
    cursor = since
    for part in tx.execute(_last_changes(since, limit), execution_options={"yield_per": BATCH}).partitions():
        shown = {head.id: record for head, record in stored.records(tx, [row.article for row in part]) if head.shown}
        for row in part:
            record = shown.get(row.article)
            if policy is not None and record is not None and (reason := policy.refusal(record)) is not None:
                record = None
                if withheld is not None:
                    withheld[reason] += 1
            op = "delete" if record is None else "add" if row.first == "add" else "modify"
            yield {"op": op, "sequence": row.sequence, "id": row.article, "record": record}
            cursor = row.sequence
    yield {"cursor": cursor}


def _last_changes(since: int, limit: int | None) -> sa.Select[Any]:
    """The last change of each article that changed after `since`, in order, with the op of its first one after it."""
    later, earlier = change.alias(), change.alias()
    is_last = ~sa.exists().where(later.c.article == change.c.article, later.c.sequence > change.c.sequence)
    first = sa.select(earlier.c.op).where(earlier.c.article == change.c.article, earlier.c.sequence > since)
    first = first.order_by(earlier.c.sequence).limit(1)
    chosen = sa.select(change.c.sequence, change.c.article, first.scalar_subquery().label("first"))
    return chosen.where(change.c.sequence > since, is_last).order_by(change.c.sequence).limit(limit)
