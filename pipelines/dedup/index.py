"""Which stored texts are worth comparing with a new one. The rules are here; where the rows lie is another's matter
(`archive/fingerprints.py`, or `MemoryIndex` below).

The index holds one document for each *distinct* text (by `fingerprint.text_digest`): exact copies are found by digest
and take no rows, so a text that is reposted a thousand times starves no search. A row is (fingerprint, document).

    lookup    the rows of the new text's fingerprints; those with BOILERPLATE rows say nothing and are skipped
    select    documents that share enough of the rest, the most alike first                             -> compare these
    insert    the new text's rows, where there is room (`has_room`)

A pair is found whichever of the two came first, as long as no bound here is reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

BOILERPLATE = 50
"""Documents with a fingerprint from which on it is a notice or a template, not a story. No more rows than that are kept
of one fingerprint, so a look-up reads at most this many for each"""
FAMILY = 8
"""Rows of one fingerprint for texts that are one story: they stand for further variants of it, which would otherwise
fill the fingerprint up and make the story itself look like boilerplate"""
SHARED = 2
PART = 8
"""Candidates share two fingerprints, and an eighth of those that the shorter text would have under the wide window. A
quarter loses a text with every fifth word replaced"""
SHINGLES_A_FINGERPRINT = 20
"""Winnowing chooses 2 of each 41 shingles (words: of each 21)"""
VERY_SHORT = 60
"""shingles below which one shared fingerprint is enough"""
MOST = 50
"""Candidates compared at most, the most alike first"""

Postings = Mapping[int, Collection[int]]
"""fingerprint -> documents that have it"""


def needed(size: int) -> int:
    """How many fingerprints a text of `size` shingles must share with a longer one to be compared."""
    return 1 if size < VERY_SHORT else max(SHARED, size // (SHINGLES_A_FINGERPRINT * PART))


def shared(postings: Postings) -> Counter[int]:
    """How many fingerprints each document has in common with the text that was looked up."""
    counts: Counter[int] = Counter()
    for documents in postings.values():
        if len(documents) < BOILERPLATE:
            counts.update(documents)
    return counts


def select(counts: Mapping[int, int], size: int, sizes: Mapping[int, int]) -> list[int]:
    """The documents to compare with a text of `size` shingles, the one that shares most first. `sizes` are the shingles
    of each document in `counts`."""
    enough = (one for one, count in counts.items() if count >= needed(min(size, sizes[one])))
    return list(islice(sorted(enough, key=lambda one: (-counts[one], one)), MOST))


def has_room(documents: Collection[int], kin: Collection[int]) -> bool:
    """Whether a fingerprint of a new text gets a row, beside the `documents` that have it. `kin` are the documents found
    to be the same story as the new one."""
    return len(documents) < BOILERPLATE and (len(documents) < FAMILY or sum(one in kin for one in documents) < FAMILY)


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
            documents = self._documents.setdefault(one, [])
            if document not in documents and has_room(documents, kin):
                documents.append(document)

    def remove(self, document: int) -> None:
        """Takes all rows of a document out. Its kin should be inserted again: rows that it stood for are missing."""
        self._sizes.pop(document, None)
        for documents in self._documents.values():
            if document in documents:
                documents.remove(document)
