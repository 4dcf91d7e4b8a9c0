"""Finding the capture that a revisit record refers to (WARC/1.1 §6.7.2), by its URL and date: through the catalogue.

A payload that came twice is stored once; what stands for it the second time must read as the first did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.archive.article_record import timestamp
from pipelines.archive.catalogue import Catalogue
from pipelines.archive.exchange import Original
from pipelines.archive.schema import capture
from pipelines.archive.warc import read_record
from pipelines.errors import ArchiveError
from pipelines.model import Capture, WarcRef

LOOKED_BACK = 5
"""captures before a date: a revisit that names none refers to the last whole one, and revisits may lie between"""


@dataclass(frozen=True, slots=True)
class Originals:
    """`originals`, for other processes: pickle carries it, and the catalogue is opened there when it is first asked."""

    catalogue: str
    """its URL"""
    warcs: Path

    def __call__(self, url: str, date: datetime, digest: str | None = None, /) -> Capture | None:
        return originals(_catalogue(self.catalogue), self.warcs)(url, date, digest)


@lru_cache(maxsize=1)
def _catalogue(url: str) -> Catalogue:
    return Catalogue(url)


def originals(catalogue: Catalogue, warcs: Path) -> Original:
    """The look-up for `read_captures` and `read_record`: the capture of that date, or else one of any date with that payload (a page
    is kept whole again where a disk has damaged it), or else the last one before it. A capture that is itself a revisit, or that
    cannot be read, is none."""

    def find(url: str, date: datetime, digest: str | None = None, /) -> Capture | None:
        of_url = sa.select(capture).where(capture.c.url == url)
        same = of_url.where(capture.c.fetched_at == timestamp(date)).order_by(capture.c.id)
        alike = of_url.where(capture.c.payload_digest == digest, capture.c.status == 200)
        alike = alike.order_by(capture.c.length.desc(), capture.c.id).limit(LOOKED_BACK)  # a revisit has the digest, too, and is short
        before = of_url.where(capture.c.fetched_at < timestamp(date), capture.c.status == 200)
        before = before.order_by(capture.c.fetched_at.desc(), capture.c.id).limit(LOOKED_BACK)
        return _whole(same) or (_whole(alike) if digest else None) or _whole(before)

    def _whole(asked: sa.Select[Any]) -> Capture | None:
        with catalogue.snapshot() as tx:
            rows = tx.execute(asked).all()
        for row in rows:
            try:
                found = read_record(warcs / row.file, WarcRef.of_row(row))
            except ArchiveError:
                continue
            if found.refers_to is None:
                return found
        return None

    return find
