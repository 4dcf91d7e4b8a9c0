"""The graph of related articles, drawn as texts come in: what joins, what only contains, what falls apart again."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.dedup_corpus import WORDS, daily_list
from pipelines.archive import Archive, neighbours, schema
from pipelines.archive.article_record import article_id
from pipelines.archive.fingerprints import indexed_text
from pipelines.dedup.fingerprint import text_digest
from pipelines.model import Verdict
from tests.archive.made import Writer, address, archive_at
from tests.dedup.made import story, writer

WHOLE = tuple(story(1, 24).split("\n"))
OTHER = tuple(story(2, 24).split("\n"))
QUOTING = (*tuple(story(3, 40).split("\n")), *WHOLE)
EDITED = ("本报综合报道，以下内容经过整理。", *WHOLE[1:])


def _edges(archive: Archive) -> dict[tuple[str, str], str]:
    with archive.catalogue.snapshot() as tx:
        return {(row.low, row.high): row.kind for row in tx.execute(sa.select(schema.edge))}


def _clusters(archive: Archive) -> set[frozenset[str]]:
    with archive.catalogue.snapshot() as tx:
        rows = tx.execute(sa.select(schema.article.c.cluster, schema.article.c.url)).all()
    return {frozenset(row.url for row in rows if row.cluster == label) for label in {row.cluster for row in rows}}


def _pair(*names: str) -> tuple[str, str]:
    low, high = sorted(article_id(address(name)) for name in names)
    return low, high


def test_a_copy_is_a_duplicate_and_an_edited_one_a_near_duplicate(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        assert writer.shows("a", 0, WHOLE).word == Verdict.NEW
        assert writer.shows("b", 1, WHOLE).word == Verdict.DUPLICATE
        assert writer.shows("c", 2, EDITED).word == Verdict.NEAR_DUPLICATE
        assert writer.shows("d", 3, OTHER).word == Verdict.NEW
        assert _clusters(archive) == {frozenset(map(address, "abc")), frozenset({address("d")})}


def test_a_list_that_is_printed_every_day_is_an_article_each_day(tmp_path: Path) -> None:
    by = writer(5)
    with archive_at(tmp_path) as archive:
        shown = Writer(archive)
        for day, name in enumerate("abcdefg"):
            assert shown.shows(name, day, tuple(daily_list(by, WORDS["zh"]["daily"][0]).split("\n"))).word == Verdict.NEW
        assert len(_clusters(archive)) == 7


def test_what_is_quoted_whole_is_on_record_and_joins_nothing(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        writer.shows("a", 0, WHOLE)
        assert writer.shows("b", 1, QUOTING).word == Verdict.CONTAINED
        assert _edges(archive) == {_pair("a", "b"): Verdict.CONTAINED}
        with archive.catalogue.snapshot() as tx:
            assert tx.scalar(sa.select(schema.edge.c.inner)) == article_id(address("a"))
        assert len(_clusters(archive)) == 2


def test_a_quotation_is_found_from_the_other_side_too(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        writer.shows("b", 0, QUOTING)
        assert writer.shows("a", 1, WHOLE).word == Verdict.CONTAINED
        with archive.catalogue.snapshot() as tx:
            assert tx.scalar(sa.select(schema.edge.c.inner)) == article_id(address("a"))


@pytest.mark.parametrize("order", list(permutations([("a", WHOLE), ("b", EDITED), ("c", QUOTING), ("d", OTHER)]))[::5])
def test_edges_and_clusters_do_not_depend_on_the_order_of_arrival(tmp_path: Path, order: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
    times = {"a": 0, "b": 1, "c": 2, "d": 3}
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        for name, text in order:
            writer.shows(name, times[name], text)
        assert _edges(archive) == {
            _pair("a", "b"): Verdict.NEAR_DUPLICATE,
            _pair("a", "c"): Verdict.CONTAINED,
            _pair("b", "c"): Verdict.CONTAINED,
        }
        assert _clusters(archive) == {frozenset(map(address, "ab")), frozenset({address("c")}), frozenset({address("d")})}


def test_an_article_that_is_rewritten_leaves_its_cluster_and_its_old_text_the_index(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        writer.shows("a", 0, WHOLE)
        writer.shows("b", 1, EDITED)
        assert writer.shows("b", 2, OTHER).word == Verdict.REVISION
        assert _edges(archive) == {}
        assert _clusters(archive) == {frozenset({address("a")}), frozenset({address("b")})}
        with archive.catalogue.snapshot() as tx:
            assert tx.scalar(sa.select(sa.func.count()).select_from(indexed_text)) == 2


def test_a_bridge_merges_two_clusters_and_its_going_splits_them(tmp_path: Path) -> None:
    third = len(WHOLE) // 3
    halves = WHOLE[: 2 * third], WHOLE[third:]  # each is most of the whole, and they share too little with one another
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        writer.shows("a", 0, halves[0])
        writer.shows("c", 1, halves[1])
        assert len(_clusters(archive)) == 2
        writer.shows("b", 2, WHOLE)
        assert _clusters(archive) == {frozenset(map(address, "abc"))}
        writer.shows("b", 3, OTHER)
        assert _clusters(archive) == {frozenset({address(name)}) for name in "abc"}


def test_the_text_that_another_article_still_has_stays_in_the_index(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        writer.shows("a", 0, WHOLE)
        writer.shows("b", 1, WHOLE)
        writer.shows("b", 2, OTHER)
        assert writer.shows("c", 3, EDITED).word == Verdict.NEAR_DUPLICATE


def test_more_copies_than_are_compared_still_end_in_one_cluster(tmp_path: Path) -> None:
    names = [f"copy{number}" for number in range(neighbours.MOST_COPIES + 4)]
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        for day, name in enumerate(names):
            writer.shows(name, day, WHOLE)
        assert _clusters(archive) == {frozenset(map(address, names))}
        assert max(sum(name in pair for pair in _edges(archive)) for name in map(article_id, map(address, names))) <= len(names)


def test_forgetting_an_article_names_the_neighbours_that_it_had(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        writer.shows("a", 0, WHOLE)
        writer.shows("b", 1, EDITED)
        with archive.catalogue.transaction() as tx:
            assert neighbours.forget(tx, article_id(address("b")), text_digest("\n".join(EDITED))) == {article_id(address("a"))}
        assert _edges(archive) == {}
