"""What the WARC files tell of pages (archive/outcome_record.py) against the records that they name and the catalogue's rows.

A record that is named must be there. Where the row's text was read by the same rules and readers as what is told, the two say
the same of it; where not, the catalogue knows better: it was read again since.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.archive import Archive, schema
from pipelines.archive.article_record import digest, from_json
from pipelines.archive.outcome_record import ARTICLE, Told
from pipelines.archive.records import Record, read_records
from pipelines.findings import Result, What
from pipelines.model import Article, Reason


@dataclass(slots=True)
class OutcomeCheck:
    """`being_written` are files whose rows are still to come. What a stretch of a file tells is of few hundred captures."""

    archive: Archive
    result: Result
    being_written: Container[str]

    def hear(self, file: str, told: Sequence[Told]) -> None:
        """What a stretch of a file tells."""
        for here in sorted({one.file for one in told}):
            mine = [one for one in told if one.file == here]
            rows = self._rows(here, [one.offset for one in mine])
            for one in mine:
                self._check(file, one, rows.get(one.offset))

    def _rows(self, file: str, offsets: Sequence[int]) -> dict[int, Any]:
        capture, page, content = schema.capture, schema.page, schema.content
        said = sa.select(capture.c.offset, capture.c.record_id, page.c.article, content.c.article.label("stored"))
        said = said.outerjoin(page, page.c.capture == capture.c.id).outerjoin(content, content.c.digest == page.c.content)
        with self.archive.catalogue.snapshot() as tx:
            return {row.offset: row for row in tx.execute(said.where(capture.c.file == file, capture.c.offset.in_(offsets)))}

    def _check(self, file: str, one: Told, row: Any) -> None:
        if one.file in self.being_written:
            return
        self.result.checked["outcomes"] += 1
        if row is not None and row.record_id == one.of:
            wrong = disagreement(one, _article(row.stored), row.article)
        else:
            wrong = None if self._is_there(file, one) else f"tells of {one.of} at byte {one.offset} of {one.file}, where no such record is"
        if wrong is not None:
            self.result.add(What.OUTCOME, f"{file} at byte {one.at}", wrong)

    def _is_there(self, file: str, one: Told) -> bool:
        """Whether the record that is told of is there, row or not; of a file that this archive does not have, nobody can tell.
        Files that came in under another name speak of themselves by their own."""
        folder = self.archive.warc_folder
        known = [path for path in dict.fromkeys((folder / one.file, folder / file)) if path.exists()]
        return any(_id_at(path, one.offset) == one.of for path in known) or not (folder / one.file).exists()


def disagreement(one: Told, stored: Article | None, article: str | None) -> str | None:
    """What a row that was read as what is told was read says otherwise."""
    if stored is None or (stored.extraction.rules_digest, dict(stored.extraction.versions)) != (one.rules, dict(one.versions)):
        return None
    if one.outcome == Reason.TOO_EXPENSIVE:
        return None  # what was too much for a busy machine may be read by a quiet one
    return "; ".join(_differences(one, stored, article)) or None


def _differences(one: Told, stored: Article, article: str | None) -> Iterator[str]:
    if one.text is None:
        yield f"tells that {one.url} is {one.outcome}, the catalogue says {ARTICLE}"
        return
    found = {
        "article": (one.article, article),
        "canonical-url": (one.canonical, stored.url),
        "method": (one.text.method, stored.extraction.method),
        "confidence": (one.text.confidence, stored.quality.confidence),
        "text-digest": (one.text.digest, digest(stored.text)),
    }
    for name, (says, has) in found.items():
        if says != has:
            yield f"tells that {name} of {one.url} is {says}, the catalogue says {has}"


def _article(stored: str | None) -> Article | None:
    try:
        return None if stored is None else from_json(stored)
    except (ValueError, TypeError, KeyError):
        return None


def _id_at(path: Path, offset: int) -> str | None:
    with path.open("rb") as file:
        record = next(iter(read_records(file, path.name, offset)), None)
    return record.record_id if isinstance(record, Record) and record.offset == offset else None
