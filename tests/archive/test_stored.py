"""Articles come back out of the catalogue as they went in: contents, current versions, records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from pipelines.archive import Archive, stored
from pipelines.archive.article_record import article_id, digest, to_json
from pipelines.archive.schema import article as heads
from pipelines.archive.schema import edge
from tests.archive.made import OTHER, STORY, Writer, address, archive_at, article, empty, moment

LONGER = (*STORY, "第一批产品将在年底前交付。")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_at(tmp_path_factory.mktemp("stored") / "archive") as archive:
        yield archive


@pytest.fixture
def archive(shared: Archive) -> Archive:
    empty(shared)
    return shared


@pytest.fixture
def writer(archive: Archive) -> Writer:
    return Writer(archive)


def ids(*names: str) -> list[str]:
    return [article_id(address(name)) for name in names]


def test_a_content_is_found_by_its_digest_and_is_equal(archive: Archive, writer: Writer) -> None:
    writer.shows("a", source="科技日报", authors=("王一",))
    made = article(address("a"), source="科技日报", authors=("王一",))
    key = digest(to_json(made))
    with archive.catalogue.snapshot() as tx:
        assert stored.contents(tx, {key, "unknown"}) == {key: made}
        assert stored.contents(tx, set()) == {}


def test_the_current_version_is_the_last_revision(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    writer.shows("a", 1, OTHER)
    with archive.catalogue.snapshot() as tx:
        found = stored.current(tx, [*ids("a", "unknown")])
    assert {name: one.paragraphs for name, one in found.items()} == {ids("a")[0]: OTHER}


def test_records_come_in_the_order_asked_for_and_unknown_ones_are_left_out(archive: Archive, writer: Writer) -> None:
    for number, name in enumerate("abc"):
        writer.shows(name, number, (f"第{number}条消息说的是别的事情，与其他都不相同。",))
    wanted = ids("c", "unknown", "a", "b")
    with archive.catalogue.snapshot() as tx:
        found = stored.records(tx, wanted)
        assert stored.records(tx, []) == []
    assert [head.id for head, _ in found] == [made["id"] for _, made in found] == ids("c", "a", "b")


def test_a_record_points_to_the_capture_of_its_current_revision(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    writer.shows("a", 1)
    writer.shows("a", 2, OTHER)
    with archive.catalogue.snapshot() as tx:
        ((_, made),) = stored.records(tx, ids("a"))
    assert isinstance(made["provenance"], dict)
    assert (made["provenance"]["offset"], made["provenance"]["text_digest"]) == (200, "sha256:" + digest("\n".join(OTHER)))
    assert (made["first_seen"], made["fetched_at"]) == ("2024-03-01T02:00:00.000000Z", "2024-03-03T02:00:00.000000Z")


def test_a_record_says_what_its_article_is_to_the_one_that_stands_for_it(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0, published=moment(0))
    writer.shows("b", 1, published=moment(1))
    writer.shows("c", 2, OTHER)
    with archive.catalogue.snapshot() as tx:
        original, copy, alone = (made["cluster"] for _, made in stored.records(tx, ids("a", "b", "c")))
    label = min(ids("a", "b"))
    assert original == {"id": label, "kind": None, "similarity": None, "size": 2, "representative": ids("a")[0]}
    assert copy == {"id": label, "kind": "duplicate", "similarity": 1.0, "size": 2, "representative": ids("a")[0]}
    assert alone == {"id": ids("c")[0], "kind": None, "similarity": None, "size": 1, "representative": ids("c")[0]}


def test_a_record_has_its_similarity_by_four_digits(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0, published=moment(0))
    writer.shows("b", 1, (*STORY[:2], "公司没有说第二座工厂建在哪里。"), published=moment(1))
    with archive.catalogue.snapshot() as tx:
        exact = tx.scalar(sa.select(edge.c.similarity))
        ((_, made),) = stored.records(tx, ids("b"))
    assert isinstance(exact, float)
    assert isinstance(made["cluster"], dict)
    assert made["cluster"]["similarity"] == round(exact, 4) != exact


def test_the_size_of_a_cluster_counts_members_that_were_not_asked_for(archive: Archive, writer: Writer) -> None:
    for number, name in enumerate("abcd"):
        writer.shows(name, number)
    with archive.catalogue.snapshot() as tx:
        assert [made["cluster"]["size"] for _, made in stored.records(tx, ids("b"))] == [4]  # type: ignore[index]  # a mapping by contract


def test_an_article_of_parts_comes_back_whole(archive: Archive, writer: Writer) -> None:
    first = article(address("a"), STORY, next_url=address("a_2"), editors=("赵三",))
    writer.says(address("a"), moment(0), first)
    writer.says(address("a"), moment(0.01), article(address("a"), OTHER, part=2, editors=("钱四",)))
    with archive.catalogue.snapshot() as tx:
        ((_, made),) = stored.records(tx, ids("a"))
        whole = stored.whole_articles(tx, tx.execute(sa.select(heads)).all())
    assert (made["paragraphs"], made["editors"]) == ([*STORY, *OTHER], ["赵三"])
    assert whole[ids("a")[0]].next_url is None


def test_the_cursor_is_the_newest_change(archive: Archive, writer: Writer) -> None:
    def cursor() -> int:
        with archive.catalogue.snapshot() as tx:
            return stored.cursor(tx)

    assert cursor() == 0
    writer.shows("a", 0)
    assert cursor() == 1
    writer.shows("a", 1, LONGER)
    assert cursor() == 2


def test_many_names_are_asked_for_in_short_lists() -> None:
    names = [str(number) for number in range(2 * stored.CHUNK + 1)]
    parts = list(stored.chunks(names))
    assert [len(part) for part in parts] == [stored.CHUNK, stored.CHUNK, 1]
    assert [name for part in parts for name in part] == names


def test_more_names_than_a_statement_takes_are_no_fault(archive: Archive, writer: Writer) -> None:
    writer.shows("a")
    many = [f"{number:032x}" for number in range(40_000)]
    with archive.catalogue.snapshot() as tx:
        assert list(stored.current(tx, many + ids("a"))) == ids("a")
