"""The only door into the archive. Live crawl, replay, re-extraction and bulk all come in through it.

reading.read(capture, site)  -> Article | Rejection | None      pure; may run in a worker process
write(tx, capture, site, …)  -> Outcome                         in the transaction of the caller
"""

from __future__ import annotations

import sqlalchemy as sa

from pipelines.archive.ledger import Outcome, note_capture, refold, take_out, write_down
from pipelines.model import Capture, Rejection
from pipelines.reading import Result
from pipelines.site import Site
from pipelines.urls import canonical


def write(tx: sa.Connection, capture: Capture, site: Site, result: Result) -> Outcome:
    """Writes down what `reading.read` found, in the caller's transaction. The capture must lie in the archive's WARC files."""
    where = canonical(capture.url, site)
    if result is None:
        note_capture(tx, site.name, capture, capture.kind)
        return Outcome(word=capture.kind, url=where.url)
    if where.mirror is not None and isinstance(result, Rejection):  # what a copy lacks, its original may have
        note_capture(tx, site.name, capture, result.reason, result.detail)
        return Outcome(word=result.reason, url=where.url, detail=result.detail)
    return write_down(tx, site.name, where.url, capture, result, part=where.part)


def write_anew(tx: sa.Connection, capture: Capture, site: Site, result: Result) -> Outcome | None:
    """`write`, for a capture that was read as something else before; None where it is not known, as it was taken down."""
    assert capture.warc is not None
    if not (known := take_out(tx, capture.warc)):
        return None
    outcome = write(tx, capture, site, result)
    if known.head is not None and outcome.article != known.head.id:
        refold(tx, known.head.site, known.head.url, known.head.id)
    return outcome
