from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedup.cluster import Clusters, Member, components, elect, joined, without
from pipelines.model import Precision
from tests.dedup.made import article

NAMES = st.sampled_from("abcdefgh")
EDGES = st.lists(st.tuples(NAMES, NAMES), max_size=12)
NOON = datetime(2024, 5, 1, 12, 0, tzinfo=timezone(timedelta(hours=8)))


def member(name: str, **known: object) -> Member:
    return Member(id=name, article=article("正文", **{"url": f"http://news.example/{name}.htm", **known}))  # type: ignore[arg-type]


def test_a_bridge_makes_one_cluster_of_two() -> None:
    clusters = components("abcd", [("a", "b"), ("c", "d")])
    assert clusters == {frozenset("ab"), frozenset("cd")}
    assert joined(clusters, "x", ["b", "c"]) == {frozenset("abcdx")}


def test_an_article_without_relations_is_a_cluster_of_its_own() -> None:
    assert components("a", []) == {frozenset("a")}
    assert joined(frozenset(), "a", []) == {frozenset("a")}
    assert components([], []) == frozenset()


def test_a_cluster_falls_apart_when_the_bridge_leaves() -> None:
    edges = [("a", "b"), ("x", "b"), ("x", "c"), ("c", "d")]
    clusters = components("abcdx", edges)
    assert without(clusters, "x", edges) == {frozenset("ab"), frozenset("cd")}


def test_a_cluster_that_holds_without_a_member_stays_whole() -> None:
    edges = [("a", "b"), ("b", "c"), ("a", "c")]
    assert without(components("abc", edges), "b", edges) == {frozenset("ac")}


def test_taking_out_what_was_never_in_changes_nothing() -> None:
    clusters = components("ab", [("a", "b")])
    assert without(clusters, "z", []) == clusters


def test_edges_to_unknown_articles_are_let_be() -> None:
    assert components("ab", [("a", "z"), ("z", "b")]) == {frozenset("a"), frozenset("b")}


@given(EDGES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=100)
def test_the_order_of_edges_does_not_matter(edges: list[tuple[str, str]], chance: random.Random) -> None:
    turned = [edge if chance.random() < 0.5 else edge[::-1] for edge in chance.sample(edges, len(edges))]
    assert components("abcdefgh", turned) == components("abcdefgh", edges)


@given(EDGES, st.permutations("abcdefgh"))
@settings(deadline=None, max_examples=100)
def test_joining_one_by_one_in_any_order_gives_the_components(edges: list[tuple[str, str]], order: list[str]) -> None:
    clusters: Clusters = frozenset()
    for n, name in enumerate(order):
        here = set(order[:n])
        others = {b if a == name else a for a, b in edges if name in (a, b)} & here
        clusters = joined(clusters, name, others)
    assert clusters == components("abcdefgh", edges)


@given(EDGES, NAMES)
@settings(deadline=None, max_examples=100)
def test_taking_out_is_as_if_it_had_never_come(edges: list[tuple[str, str]], name: str) -> None:
    rest = set("abcdefgh") - {name}
    left = [edge for edge in edges if name not in edge]
    assert without(components("abcdefgh", edges), name, edges) == components(rest, left)


def test_the_first_published_stands_for_the_cluster() -> None:
    late, early = member("aa", published=NOON, owned=True), member("bbbb", published=NOON - timedelta(minutes=1))
    assert elect([late, early]) is early


def test_times_are_compared_as_moments_and_not_as_clocks() -> None:
    here, there = member("a", published=NOON), member("b", published=datetime(2024, 5, 1, 4, 30, tzinfo=UTC))
    assert elect([there, here]) is here


def test_seconds_that_only_some_pages_print_do_not_decide() -> None:
    with_seconds, without_them = member("b", published=NOON + timedelta(seconds=40), owned=True), member("a", published=NOON)
    assert elect([without_them, with_seconds]) is with_seconds


def test_an_article_without_a_date_comes_last() -> None:
    assert elect([member("a", owned=True), member("bb", published=NOON)]).id == "bb"


def test_a_day_without_a_time_does_not_win_over_a_time_on_it() -> None:
    day = member("a", published=NOON.replace(hour=0), precision=Precision.DAY)
    assert elect([day, member("b", published=NOON)]).id == "b"
    assert elect([day, member("b", published=NOON + timedelta(days=1))]).id == "a"


def test_at_equal_times_the_publishers_own_comes_first() -> None:
    own, reprint, unknown = (member(name, published=NOON, owned=owned) for name, owned in (("ccc", True), ("a", False), ("b", None)))
    assert elect([reprint, own, unknown]) is own


def test_at_equal_times_the_one_that_others_name_as_their_source_comes_first() -> None:
    one = member("a", published=NOON, owned=True, source="东港日报")
    origin = member("bbbbb", published=NOON, owned=True, source="青川通訊社")
    reprint = member("c", published=NOON, owned=False, source="青川通讯社")
    assert elect([one, origin, reprint]) is origin
    assert elect([one, origin]) is one


def test_then_the_shortest_address_and_then_the_first_in_order() -> None:
    assert elect([member("long"), member("b"), member("a")]).id == "a"


def test_of_nobody_nobody_is_elected() -> None:
    with pytest.raises(ValueError, match="empty"):
        elect([])


@given(st.permutations(range(7)))
@settings(deadline=None, max_examples=60)
def test_the_election_does_not_depend_on_who_came_first(order: list[int]) -> None:
    members = [
        member("a", owned=True, source="甲报"),
        member("bb", published=NOON, source="甲报", owned=False),
        member("cc", published=NOON, owned=True, source="乙报"),
        member("d", published=NOON, owned=True, source="甲报"),
        member("e", published=NOON.replace(hour=0), precision=Precision.DAY),
        member("f", published=NOON + timedelta(hours=1)),
        member("g"),
    ]
    assert elect([members[n] for n in order]).id == "d"
