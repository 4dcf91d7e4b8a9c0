"""The index of fingerprints in the catalogue: one row for each fingerprint of each distinct text.

Its rules are those of `dedup.index`; here they are SQL. A text is named by its `fingerprint.text_digest`, which the
heads of all its copies carry too: copies take no rows. Everything runs in the transaction of the caller, so the index
knows a text exactly when the catalogue does, and a restart costs nothing.

    look(tx, text)             how often its fingerprints are stored: one look serves the two that follow
    candidates(tx, text)       digests of the stored texts that are worth comparing, the most alike first
    remember(tx, text, kin)    enters a text; `kin` are the digests of those found to be the same story
    forget(tx, digest)         takes a text out that no article has any more; its kin should be remembered again

A fingerprint is an unsigned number of 64 bits and stands in a signed column, bit for bit. Rows of another
`fingerprint.VERSION` are not read.

Why the counting is SQL: in a large archive a text shares fingerprints with a thousand others, of which two are worth
comparing; that many rows cost five times as much in Python (100,000 articles: 2.7 ms a look-up, now 0.5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from pipelines.archive.prepared import Among, Prepared, given
from pipelines.archive.schema import article, metadata
from pipelines.archive.stored import CHUNK
from pipelines.dedup import index
from pipelines.dedup.fingerprint import VERSION, Hashes, size, text_digest
from pipelines.dedup.fingerprint import fingerprints as fingerprints_of

_T = TypeVar("_T")

indexed_text = Table(
    "indexed_text",
    metadata,
    Column("doc", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("digest", String, nullable=False, unique=True),
    Column("version", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("fingerprints", LargeBinary, nullable=False),  # so that a text can be taken out when it is gone
)

fingerprint = Table(
    "fingerprint",
    metadata,
    Column("fp", BigInteger, primary_key=True, autoincrement=False),
    Column("doc", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)


_VERY_SHORT = indexed_text.c.size < sa.literal_column(str(index.VERY_SHORT))  # a parameter would not match the index's condition
Index("indexed_text_short", indexed_text.c.doc, sqlite_where=_VERY_SHORT, postgresql_where=_VERY_SHORT)

Counts = Mapping[int, int]
"""signed fingerprint -> how many documents have it"""

_COUNTS = Prepared(
    sa.select(fingerprint.c.fp, sa.func.count().label("documents")).where(Among(fingerprint.c.fp, "fps")).group_by(fingerprint.c.fp)
)
_enough = (
    sa.select(fingerprint.c.doc, sa.func.count().label("shared"))
    .where(Among(fingerprint.c.fp, "fps"))
    .group_by(fingerprint.c.doc)
    .having(sa.or_(sa.func.count() >= given("least"), fingerprint.c.doc.in_(sa.select(indexed_text.c.doc).where(_VERY_SHORT))))
    .subquery()
)
_SHARED = Prepared(
    sa.select(_enough.c.doc, _enough.c.shared, indexed_text.c.size)
    .join(indexed_text, indexed_text.c.doc == _enough.c.doc)
    .where(indexed_text.c.version == VERSION)
)
_HELD = Prepared(sa.select(fingerprint.c.fp, fingerprint.c.doc).where(Among(fingerprint.c.fp, "fps"), Among(fingerprint.c.doc, "docs")))
_DIGESTS = Prepared(sa.select(indexed_text.c.doc, indexed_text.c.digest).where(Among(indexed_text.c.doc, "docs")))
_DOCUMENT = Prepared(sa.select(indexed_text.c.doc, indexed_text.c.version).where(indexed_text.c.digest == given("digest")))
_STORED = Prepared(
    sa.select(indexed_text.c.digest, indexed_text.c.version, indexed_text.c.fingerprints).where(Among(indexed_text.c.digest, "digests"))
)
_DOCUMENTS = Prepared(sa.select(indexed_text.c.doc, indexed_text.c.digest).where(Among(indexed_text.c.digest, "digests")))
_ENTER = Prepared(fingerprint.insert(), ["fp", "doc"])
_NUMBER = Prepared(indexed_text.insert().returning(indexed_text.c.doc), ["digest", "version", "size", "fingerprints"])


def look(tx: sa.Connection, text: str) -> Counts:
    """What `candidates` and `remember` need to know of a text, until something else is entered or taken out."""
    return lookup(tx, _signed(fingerprints_of(text)))


def candidates(tx: sa.Connection, text: str, looked: Counts | None = None) -> list[str]:
    """Digests of the stored texts that share enough with a text, itself not among them, the most alike first."""
    length = size(text)
    found = shared(tx, look(tx, text) if looked is None else looked, 1 if length < index.VERY_SHORT else index.SHARED)
    documents = index.select({doc: count for doc, count, _ in found}, length, {doc: other for doc, _, other in found})
    digests = _digests(tx, documents)
    mine = text_digest(text)
    return [digests[one] for one in documents if digests[one] != mine]


def remember(tx: sa.Connection, text: str, kin: Collection[str] = (), looked: Counts | None = None) -> None:
    """Enters a text, or the rows that it lacks. `kin`: digests of the texts found to be the same story."""
    marks = fingerprints_of(text)
    doc, is_new = _document(tx, text, marks)
    insert(tx, doc, _signed(marks), _documents(tx, kin), looked, is_new=is_new)


def untrue(tx: sa.Connection, texts: Mapping[str, str]) -> set[str]:
    """Those of some texts, by digest, that are not in, or with other fingerprints than this version finds in them."""
    stored = {row.digest: row for part in _portions(sorted(texts)) for row in _STORED.rows(tx, {"digests": part})}
    return {one for one, text in texts.items() if one not in stored or not _is_of(stored[one], text)}


def _is_of(row: sa.Row[tuple[str, str, bytes]], text: str) -> bool:
    return row.version != VERSION or bool(row.fingerprints == _packed(fingerprints_of(text)))


def without_article() -> sa.Select[tuple[str]]:
    """Digests of the texts that no article has (any more)."""
    known = sa.exists().where(article.c.comparison_digest == indexed_text.c.digest)
    return sa.select(indexed_text.c.digest).where(~known)


def without_text() -> sa.Select[tuple[int]]:
    """The numbers that have fingerprints and no text."""
    known = sa.exists().where(indexed_text.c.doc == fingerprint.c.doc)
    return sa.select(fingerprint.c.doc).where(~known).distinct()


def forget(tx: sa.Connection, digest: str) -> None:
    """Takes a text out; nothing happens where it is not in. Rows of its kin that it stood for are not there: remember
    them again."""
    found = _DOCUMENT.first(tx, {"digest": digest})
    if found is not None:
        remove(tx, found.doc)


def lookup(tx: sa.Connection, fps: Sequence[int]) -> Counts:
    """How many documents have each of some signed fingerprints; those that none has are left out."""
    return dict(_COUNTS.tuples(tx, {"fps": fps}))


def shared(tx: sa.Connection, counts: Counts, least: int) -> list[tuple[int, int, int]]:
    """Documents that have `least` of some fingerprints or are very short: each with how many it has, boilerplate not
    counted, and its size."""
    telling = [fp for fp, documents in counts.items() if documents < index.BOILERPLATE]
    return _SHARED.rows(tx, {"fps": telling, "least": least}) if telling else []


def insert(
    tx: sa.Connection, doc: int, fps: Sequence[int], kin: Collection[int] = (), looked: Counts | None = None, *, is_new: bool = False
) -> int:
    """The rows of a document, where `dedup.index.has_room`; how many are new. A document that `is_new` has none yet."""
    counts = lookup(tx, fps) if looked is None else looked
    asked = kin if is_new else {*kin, doc}
    held = _HELD.rows(tx, {"fps": fps, "docs": sorted(asked)}) if asked else ()
    has, of_kin = {fp for fp, one in held if one == doc}, Counter(fp for fp, one in held if one in kin)
    wanted = [fp for fp in fps if fp not in has and index.has_room(counts.get(fp, 0), of_kin[fp])]
    if wanted:
        _ENTER.run_many(tx, [{"fp": fp, "doc": doc} for fp in wanted])
    return len(wanted)


def remove(tx: sa.Connection, doc: int) -> None:
    """All that is known of a document."""
    stored = tx.scalar(sa.select(indexed_text.c.fingerprints).where(indexed_text.c.doc == doc))
    for part in _portions(np.frombuffer(stored or b"", dtype="<i8").tolist()):
        tx.execute(fingerprint.delete().where(fingerprint.c.doc == doc, fingerprint.c.fp.in_(part)))
    tx.execute(indexed_text.delete().where(indexed_text.c.doc == doc))


def _signed(marks: Hashes) -> list[int]:
    return list(marks.astype("<u8").view("<i8").tolist())


def _packed(marks: Hashes) -> bytes:
    return marks.astype("<u8").tobytes()


def _document(tx: sa.Connection, text: str, marks: Hashes) -> tuple[int, bool]:
    """The number of a text, and whether it is new: entered now, or entered anew where it was of another version."""
    digest = text_digest(text)
    found = _DOCUMENT.first(tx, {"digest": digest})
    if found is not None and found.version == VERSION:
        return int(found.doc), False
    if found is not None:
        remove(tx, found.doc)
    row = {"digest": digest, "version": VERSION, "size": size(text), "fingerprints": _packed(marks)}
    (entered,) = _NUMBER.rows(tx, row)  # transactions take turns: nobody else enters it meanwhile
    return int(entered.doc), True


def _documents(tx: sa.Connection, digests: Iterable[str]) -> set[int]:
    wanted = sorted(set(digests))
    return {row.doc for part in _portions(wanted) for row in _DOCUMENTS.rows(tx, {"digests": part})}


def _digests(tx: sa.Connection, documents: Sequence[int]) -> dict[int, str]:
    return {doc: digest for part in _portions(documents) for doc, digest in _DIGESTS.rows(tx, {"docs": part})}


def _portions(values: Sequence[_T]) -> Iterator[list[_T]]:
    return (list(values[n : n + CHUNK]) for n in range(0, len(values), CHUNK))
