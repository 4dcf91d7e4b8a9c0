from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.dedup_corpus import digest_of, edit_sentences, quote_whole, repost, to_traditional
from pipelines.dedup import relate
from pipelines.dedup.cluster import Member, components, elect
from pipelines.dedup.fingerprint import DENSE, fingerprints, size, text_digest
from pipelines.dedup.index import (
    BOILERPLATE,
    FAILURES,
    FAMILY,
    MOST,
    PART,
    SHARED,
    MemoryIndex,
    has_room,
    needed,
    select,
    shared,
    verified,
)
from pipelines.model import Article, Relation, Verdict
from tests.dedup.made import article, story, writer

RELATION = Relation(other="x", verdict=Verdict.NEAR_DUPLICATE, similarity=0.9)


def test_fingerprints_of_boilerplate_do_not_count() -> None:
    counts = shared({1: [10, 11], 2: [10], 3: list(range(BOILERPLATE))})
    assert counts == {10: 2, 11: 1}


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [(0, 100, 1), (2, 2, 1), (3, 100, SHARED), (DENSE, DENSE, SHARED), (140, 1_000, 140 // PART), (19, 19, 19 * 4 // PART)],
)
def test_a_candidate_shares_a_part_of_the_shorter_text(one: int, other: int, least: int) -> None:
    assert needed(one, other) == needed(other, one) == least


def test_candidates_come_the_most_alike_first_and_are_bounded() -> None:
    assert select({1: 2, 2: 9, 3: 1, 4: 9}, 30, dict.fromkeys(range(5), 30)) == [2, 4, 1]
    many = dict.fromkeys(range(3 * MOST), 5)
    assert select(many, 30, dict.fromkeys(many, 30)) == list(range(MOST))


def test_comparing_goes_on_while_it_succeeds_and_stops_after_failures_in_a_row() -> None:
    asked: list[int] = []

    def answer(one: int) -> Relation | None:
        asked.append(one)
        return RELATION if one in (3, 10) else None

    assert [one for one, _ in verified(range(100), answer)] == [3, 10]
    assert asked == list(range(10 + FAILURES + 1))


def test_a_fingerprint_has_room_for_fifty_documents_and_eight_of_a_family() -> None:
    assert has_room(0, 0)
    assert has_room(BOILERPLATE - 1, 0)
    assert not has_room(BOILERPLATE, 0)
    assert has_room(20, FAMILY - 1)
    assert not has_room(20, FAMILY)


def test_what_was_removed_is_found_no_more_and_takes_no_room() -> None:
    index = MemoryIndex()
    marks = fingerprints(story(1)).tolist()
    index.insert(1, marks, size(story(1)))
    index.insert(1, marks, size(story(1)))
    assert len(index) == len(marks)
    index.remove(1)
    assert len(index) == 0
    assert index.candidates(index.lookup(marks), size(story(1))) == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What an archive would do with texts that come one by one, in memory."""

    clusters: frozenset[frozenset[str]]
    representatives: frozenset[str]
    relations: frozenset[tuple[frozenset[str], Verdict]]


def arrive(names: Sequence[str], articles: dict[str, Article], *, gone: Iterable[str] = ()) -> Arrival:
    index = MemoryIndex()
    numbers: dict[str, int] = {}
    texts: dict[int, list[str]] = {}
    edges: dict[frozenset[str], Verdict] = {}
    for name in names:
        text = articles[name].text
        number = numbers.setdefault(text_digest(text), len(numbers))
        marks = fingerprints(text).tolist()
        near = [number, *index.candidates(index.lookup(marks), size(text))]
        others = {other for one in near for other in texts.get(one, ())}
        found = {other: relate(articles[name], articles[other], name=other) for other in others}
        edges |= {frozenset((name, other)): relation.verdict for other, relation in found.items() if relation}
        index.insert(number, marks, size(text))
        texts.setdefault(number, []).append(name)
    left = [name for name in names if name not in set(gone)]
    joining = [tuple(sorted(pair)) for pair, kind in edges.items() if kind is not Verdict.CONTAINED]
    clusters = components(left, [(one, other) for one, other in joining])
    chosen = {elect([Member(id=name, article=articles[name]) for name in cluster]).id for cluster in clusters}
    return Arrival(clusters=clusters, representatives=frozenset(chosen), relations=frozenset(edges.items()))


def archive() -> dict[str, Article]:
    """Five stories with copies of every kind, two hosts that quote them, and chains of edits whose ends differ."""
    texts: dict[str, str] = {}
    for n in range(5):
        by = writer(n)
        texts[f"story{n}"] = text = story(n, sentences=10 + n)
        texts[f"copy{n}"] = text
        texts[f"gate{n}"] = to_traditional(text)
        texts[f"repost{n}"] = repost(text, by)
        for step in range(4):
            text = edit_sentences(0.25)(text, by)
            texts[f"chain{n}.{step}"] = text
    texts["host"] = quote_whole([texts["story1"]], writer(60))
    texts["digest"] = digest_of([texts[f"story{n}"] for n in range(5)], writer(61))
    start = datetime(2024, 5, 1, tzinfo=UTC)
    return {
        name: article(text, url=f"http://news.example/{name}.htm", published=start + timedelta(minutes=len(name) * 7 % 5))
        for name, text in texts.items()
    }


ARTICLES = archive()
EXPECTED = arrive(sorted(ARTICLES), ARTICLES)


def test_each_story_is_one_cluster_and_a_digest_of_five_fuses_none() -> None:
    for n in range(5):
        cluster = next(one for one in EXPECTED.clusters if f"story{n}" in one)
        assert {f"copy{n}", f"gate{n}", f"repost{n}", f"chain{n}.0"} <= cluster
        assert not any(f"story{other}" in cluster for other in range(5) if other != n)
    assert (frozenset(("digest", "story3")), Verdict.CONTAINED) in EXPECTED.relations


@given(st.permutations(sorted(ARTICLES)))
@settings(deadline=None, max_examples=25)
def test_any_order_of_arrival_gives_the_same_clusters_relations_and_representatives(order: list[str]) -> None:
    assert arrive(order, ARTICLES) == EXPECTED


@given(st.permutations(sorted(ARTICLES)), st.sets(st.sampled_from(sorted(ARTICLES)), max_size=4))
@settings(deadline=None, max_examples=10)
def test_what_was_withdrawn_leaves_the_same_pieces_whenever_it_came(order: list[str], gone: set[str]) -> None:
    after, expected = arrive(order, ARTICLES, gone=gone), arrive(sorted(ARTICLES), ARTICLES, gone=gone)
    assert after.clusters == expected.clusters
    assert after.representatives == expected.representatives


def test_a_story_with_many_variants_stays_one_cluster_beyond_the_room_of_its_family() -> None:
    text = story(7, sentences=25)
    index, numbers = MemoryIndex(), list(range(BOILERPLATE + 20))
    random.Random(1).shuffle(numbers)
    known: dict[int, Article] = {}
    edges = []
    for number in numbers:
        one = article(edit_sentences(0.1)(text, writer(number)))
        marks = fingerprints(one.text).tolist()
        near = index.candidates(index.lookup(marks), size(one.text))
        kin = [other for other in near if (found := relate(one, known[other], name="x")) and found.joins]
        edges += [(str(number), str(other)) for other in kin]
        index.insert(number, marks, size(one.text), kin)
        known[number] = one
    assert len(components(map(str, numbers), edges)) == 1
