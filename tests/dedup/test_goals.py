"""The benchmark in small: what the README says of copies found holds here too, so that a change cannot lose it unseen."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.dedup import HARD, Score, report, score
from benchmarks.dedup_corpus import HOSTS, TRAPS, VARIANTS, Document, build
from benchmarks.dedup_methods import ours


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return build(1_200, seed=11)


@pytest.fixture(scope="module")
def measured(documents: list[Document]) -> Score:
    pairs = [(documents[a], documents[b], relation) for a, b, relation in ours(documents)]
    return score("ours", pairs, documents, speed=1.0, weight=1.0)


def test_the_corpus_holds_every_kind_and_is_the_same_for_the_same_seed(documents: list[Document]) -> None:
    kinds = Counter(one.kind for one in documents)
    assert set(kinds) == {"original", "same day", *VARIANTS, *HOSTS, *TRAPS}
    assert min(kinds.values()) >= 15
    assert build(1_200, seed=11) == documents
    assert build(1_200, seed=12) != documents


def test_nothing_is_taken_for_a_copy_that_is_none(measured: Score) -> None:
    assert measured.precision >= 0.999
    assert measured.wrong == {}
    assert measured.fused == 0


def test_copies_of_every_kind_are_found(measured: Score) -> None:
    assert {kind: share for kind, share in measured.recall.items() if share < 0.95 and kind not in HARD} == {}
    assert {kind: share for kind, share in measured.recall.items() if share < 0.85} == {}


def test_a_wrong_pair_costs_precision_and_is_named(documents: list[Document]) -> None:
    one, other = (next(document for document in documents if document.kind == kind) for kind in ("template", "notice"))
    wrong = score("made", [(one, other, "near_duplicate")], documents, speed=1.0, weight=1.0)
    assert wrong.precision == 0
    assert wrong.wrong == {("notice", "template"): 1}
    assert any("1 wrong pairs of notice and template" in line for line in report([wrong]))
