"""Which stored texts are worth comparing with a new one. The rules are here; where the rows lie is another's matter
(`archive/fingerprints.py`, or `MemoryIndex` below).

The index holds one document for each *distinct* text (by `fingerprint.text_digest`): exact copies are found by digest
and take no rows, so a text that is reposted a thousand times starves no search. A row is (fingerprint, document).

    lookup    the rows of the new text's fingerprints; those with BOILERPLATE rows say nothing and are skipped
    select    documents that share enough of the rest, the most alike first
    verified  those of them that are related when compared whole (`relate`)
    insert    the new text's rows, where there is room (`has_room`)

A pair is found whichever of the two came first, as long as no bound here is reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from pipelines.dedup.fingerprint import DENSE
from pipelines.model import Relation

BOILERPLATE = 50
"""Documents with a fingerprint from which on it is a notice or a template, not a story. No more rows than that are kept
of one fingerprint, so a look-up reads at most this many for each"""
FAMILY = 8
"""Rows of one fingerprint for texts that are one story: they stand for further variants of it, which would otherwise
fill the fingerprint up and make the story itself look like boilerplate"""
SHARED = 2
PART = 14
"""Candidates share two fingerprints, and a fourteenth of those that the shorter text has under the wider of both windows. A
quarter loses texts with every fifth word replaced, an eighth a tenth of those with every third"""
NARROWED = 4
"""A text that is read through the narrow window has about four times its `size` of fingerprints"""
VERY_SHORT = 3
"""size below which one shared fingerprint is enough"""
MOST = 50
"""Candidates compared at most, the most alike first"""
FAILURES = 8
"""Candidates in a row that turn out unrelated before the rest, which share less, are let be: a form has dozens"""

Postings = Mapping[int, Collection[int]]
"""fingerprint -> documents that have it"""


def needed(size: int, other: int) -> int:
    """How many fingerprints two texts of these sizes (`fingerprint.size`) must share to be compared."""
    least = min(size, other)
    if least < VERY_SHORT:
        return 1
    return max(SHARED, (least * NARROWED if max(size, other) < DENSE else least) // PART)


def shared(postings: Postings) -> Counter[int]:
    """How many fingerprints each document has in common with the text that was looked up."""
    counts: Counter[int] = Counter()
    for documents in postings.values():
        if len(documents) < BOILERPLATE:
            counts.update(documents)
    return counts


def select(counts: Mapping[int, int], size: int, sizes: Mapping[int, int]) -> list[int]:
    """The documents to compare with a text of that size, the one that shares most first. `sizes` are those of the
    documents in `counts`."""
    enough = [
        one
        for one, count in counts.items()
        if (count >= SHARED or sizes[one] < VERY_SHORT or size < VERY_SHORT) and count >= needed(size, sizes[one])
    ]  # most share a single one: they are told apart without a call, a tenth of all time
    return sorted(enough, key=lambda one: (-counts[one], one))[:MOST]


def verified(candidates: Iterable[int], relate: Callable[[int], Relation | None]) -> Iterator[tuple[int, Relation]]:
    """The candidates that are related, in their order, until too many in a row are not. `relate` reads and compares one."""
    failures = 0
    for one in candidates:
        relation = relate(one)
        if relation is not None:
            yield one, relation
        failures = 0 if relation is not None else failures + 1
        if failures == FAILURES:
            return


def has_room(documents: int, of_kin: int) -> bool:
    """Whether a fingerprint of a new text gets a row beside those of so many `documents`, of which some were found to be the
    same story as the new one."""
    return documents < BOILERPLATE and of_kin < FAMILY


class MemoryIndex:
    """The index in memory: the reference that the catalogue's must agree with, and what the benchmark measures."""

    def __init__(self) -> None:
        self._documents: dict[int, list[int]] = {}
        self._sizes: dict[int, int] = {}

    def __len__(self) -> int:
        """Rows."""
        return sum(map(len, self._documents.values()))

    def lookup(self, fingerprints: Iterable[int]) -> Postings:
        return {one: documents for one in fingerprints if (documents := self._documents.get(one))}

    def candidates(self, postings: Postings, size: int) -> list[int]:
        return select(shared(postings), size, self._sizes)

    def insert(self, document: int, fingerprints: Iterable[int], size: int, kin: Collection[int] = ()) -> None:
        """Adds a document, or the rows that it lacks."""
        self._sizes[document] = size
        for one in fingerprints:
            documents = self._documents.get(one)
            if documents is None:
                self._documents[one] = [document]
            elif document not in documents and has_room(len(documents), sum(one in kin for one in documents) if kin else 0):
                documents.append(document)

    def remove(self, document: int) -> None:
        """Takes all rows of a document out. Its kin should be inserted again: rows that it stood for are missing."""
        self._sizes.pop(document, None)
        for documents in self._documents.values():
            if document in documents:
                documents.remove(document)
