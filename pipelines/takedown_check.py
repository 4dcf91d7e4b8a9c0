"""What the WARC files tell of takedowns (archive/takedown_record.py) against the catalogue's tombstones, both ways: an archive that
is made again of its files must know what this one knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from pipelines.archive import Archive, schema
from pipelines.archive.ledger import taken_down
from pipelines.archive.takedown_record import Tombstone
from pipelines.findings import Result, What


@dataclass(slots=True)
class TakedownCheck:
    archive: Archive
    result: Result
    _heard: set[tuple[str, str]] = field(default_factory=set)
    """file and article of each record; takedowns are few"""

    def hear(self, file: str, buried: Sequence[Tombstone]) -> None:
        """What a stretch of a file tells."""
        if not buried:
            return
        self.result.checked["takedowns"] += len(buried)
        self._heard |= {(file, stone.article) for stone in buried}
        with self.archive.catalogue.snapshot() as tx:
            known = taken_down(tx, {stone.article for stone in buried})
        for stone in buried:
            if stone.article not in known:
                wrong = f"tells that article {stone.article} was taken down; the catalogue has no tombstone of it"
                self.result.add(What.ORPHAN, f"{file} at byte {stone.offset}", wrong)

    def check(self) -> None:
        """Tombstones of which the file does not tell that should. To be called when all files were heard."""
        stone = schema.tombstone
        with self.archive.catalogue.snapshot() as tx:
            for row in tx.execute(sa.select(stone.c.article, stone.c.file).order_by(stone.c.article)):
                if (row.file, row.article) not in self._heard:
                    self.result.add(What.UNTOLD, f"article {row.article}", f"was taken down, and warc/{row.file} does not tell of it")
