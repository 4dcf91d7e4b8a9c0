"""Captures of other archives, on their way through the frontier: old pages of a site that cost the site nothing.

    an index's links ─► wanted     what is not had, not taken down and not promised before becomes a row (Kind.RECORD)
    rows under lease ─► needless   what has come in by another way meanwhile, or was taken down, is not asked for
    a row            ─► asked      the request for it

What an index may say is crawler/cdx.py's affair, whether an answer keeps it pipelines/archive/borrowed.py's. Rows come behind
everything else (frontier.RECORD_PRIORITY), `max_records` a run, so that old pages crowd no new ones out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from crawler.paging import in_window
from pipelines.archive import ledger, schema, urltable
from pipelines.archive.article_record import article_id
from pipelines.archive.borrowed import Promise, target_of
from pipelines.archive.stored import chunks
from pipelines.archive.urltable import Row, State
from pipelines.model import Kind, Link, Reason
from pipelines.schedule import NEVER
from pipelines.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The days of the articles that a run is about."""

    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request for a capture needs."""

    promise: Promise
    url: str
    headers: dict[str, str]
    maxsize: int | None
    """bytes of the answer that are read: a server that knows no ranges would send a gigabyte"""


def asked(row: Row) -> Asked:
    """The request that a row of Kind.RECORD stands for."""
    assert row.hints.via is not None, "written with the row"
    promise = Promise.at_place(row.hints.via)
    if promise.last_byte is None:
        return Asked(promise=promise, url=promise.source, headers={}, maxsize=None)
    headers = {"Range": f"bytes={promise.offset}-{promise.last_byte}", "Accept-Encoding": "identity"}
    return Asked(promise=promise, url=promise.source, headers=headers, maxsize=promise.length)


def wanted(tx: sa.Connection, site: Site, links: Sequence[Link], window: Window) -> tuple[list[Link], Counter[str]]:
    """The captures among an index's links that are to be asked for, and why the others are not. Reading only."""
    promises = {link: _promise(link) for link in links if link.kind is Kind.RECORD}
    known = urltable.known(tx, site.name, [link.url for link in promises])
    lost = _taken_down(tx, [link.url for link in promises])
    had = _had(tx, promises.values())
    kept, skipped = [], Counter[str]()
    for link, promise in promises.items():
        target = target_of(link.url)
        tests = (
            (link.url in known, "known"),
            (target in lost, Reason.TAKEN_DOWN.value),
            (_seen(promise) in had, "had"),
            (not in_window(Link(url=target, kind=Kind.ARTICLE), site, window.since, window.until), "outside_dates"),
        )
        word = next((word for is_so, word in tests if is_so), None)
        if word is None:
            kept.append(link)
        else:
            skipped[word] += 1
    return kept, skipped


def needless(tx: sa.Connection, rows: Iterable[Row]) -> dict[int, str]:
    """Which of some leased rows need not be asked for, by id: taken down, or had (read from the WARC file after a kill, or
    replayed by a person)."""
    records = [row for row in rows if row.kind is Kind.RECORD]
    lost = _taken_down(tx, [row.url for row in records])
    had = _had(tx, [asked(row).promise for row in records])
    words = {row.id: Reason.TAKEN_DOWN.value for row in records if target_of(row.url) in lost}
    return {row.id: "had" for row in records if _seen(asked(row).promise) in had} | words


def put_away(word: str) -> dict[str, object]:
    """The values of a row that is needless."""
    if word == Reason.TAKEN_DOWN:
        return {"state": State.SET_ASIDE, "reason": word, "hints": None}
    return {"state": State.DONE, "due_at": NEVER}


def _promise(link: Link) -> Promise:
    assert link.hints.via is not None, "crawler.cdx writes it"
    return Promise.at_place(link.hints.via)


def _taken_down(tx: sa.Connection, keys: Iterable[str]) -> set[str]:
    """The canonical URLs among some rows' whose article was taken down."""
    names = {article_id(url): url for url in map(target_of, keys)}
    return {names[name] for name in ledger.taken_down(tx, names)}


def _had(tx: sa.Connection, promises: Iterable[Promise]) -> set[tuple[str, str]]:
    """URL and second of the captures that the archive has of some URLs."""
    capture, found = schema.capture, set()
    for part in chunks(sorted({promise.url for promise in promises})):
        rows = tx.execute(sa.select(capture.c.url, capture.c.fetched_at).where(capture.c.url.in_(part)))
        found |= {(row.url, "".join(filter(str.isdigit, row.fetched_at))[:14]) for row in rows}
    return found


def _seen(promise: Promise) -> tuple[str, str]:
    return promise.url, promise.at
