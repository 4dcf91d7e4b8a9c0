"""How much two texts have in common, exactly: every shingle of both, no estimate.

Fingerprints only find candidates; what two texts are to each other is decided here, and is the same whichever of them
came first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.dedup.fingerprint import Hashes, shingles


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All in 0..1. `contained_in_other`: the share of the text's shingles that the other has too; `contains_other`: the
    share of the other's that the text has."""

    jaccard: float
    contained_in_other: float
    contains_other: float

    @property
    def containment(self) -> float:
        return max(self.contained_in_other, self.contains_other)


def compare(text: str, other: str) -> Comparison:
    """Two texts by their sets of shingles (`fingerprint.shingles`)."""
    return compare_sets(shingles(text), shingles(other))


def compare_sets(mine: Hashes, theirs: Hashes) -> Comparison:
    """Two sorted sets of hashes. A text without letters has nothing in common with any."""
    if not len(mine) or not len(theirs):
        return Comparison(jaccard=0.0, contained_in_other=0.0, contains_other=0.0)
    both = np.concatenate((mine, theirs))
    both.sort()
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return Comparison(jaccard=shared / (len(both) - shared), contained_in_other=shared / len(mine), contains_other=shared / len(theirs))
