"""Statements that the driver carries out itself: they give what SQLAlchemy's own way gives, on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive.catalogue import Catalogue
from pipelines.archive.prepared import Among, Prepared
from pipelines.archive.prepared import given as parameter
from pipelines.archive.schema import article, change, edge, metadata
from pipelines.errors import ArchiveUnusable
from tests.archive import postgres

HEAD = {
    "id": "a",
    "site": "s",
    "url": "http://e.org/",
    "status": "active",
    "revision": 1,
    "content": "[]",
    "capture": 7,
    "text_digest": "t",
    "comparison_digest": "c",
    "published": None,
    "owned": None,
    "first_seen": "1",
    "last_seen": "2",
    "fetched_at": "2",
    "cluster": "a",
    "representative": "a",
    "shown": True,
    "record_digest": "",
}
ENTER = Prepared(article.insert(), list(HEAD))
NUMBERED = Prepared(change.insert().returning(change.c.sequence), ["article", "op"])
NAMED = Prepared(sa.select(article).where(article.c.id == parameter("name")))
SEVERAL = Prepared(sa.select(article.c.id).where(Among(article.c.id, "names")).order_by(article.c.id))
EITHER = Prepared(sa.select(edge).where(sa.or_(Among(edge.c.low, "names"), Among(edge.c.high, "names")), edge.c.kind.in_(["x", "y"])))

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalogue]:
    if request.param == "postgresql" and postgres.programs() is None:
        pytest.skip(f"no PostgreSQL in {postgres.DEBIAN} (apt install postgresql)")
    made = Catalogue(f"sqlite:///{tmp_path / 'c.db'}" if request.param == "sqlite" else request.getfixturevalue("server"))
    made.create()
    yield made
    with made.transaction() as tx:
        for table in metadata.sorted_tables:
            if table.name != "info":
                tx.execute(table.delete())
    made.close()


@pytest.fixture
def tx(catalogue: Catalogue) -> Iterator[sa.Connection]:
    with catalogue.transaction() as tx:
        yield tx


def test_a_row_has_the_names_and_types_of_its_columns(tx: sa.Connection) -> None:
    assert ENTER.run(tx, HEAD) == 1
    found = NAMED.first(tx, {"name": "a"})
    assert found is not None
    assert found._asdict() == HEAD
    assert found.shown is True
    assert found.owned is None
    assert tuple(found) == tuple(tx.execute(sa.select(article)).one())
    assert NAMED.first(tx, {"name": "b"}) is None


def test_what_an_insert_returns_is_the_number_that_it_was_given(tx: sa.Connection) -> None:
    numbers = [NUMBERED.rows(tx, {"article": "a", "op": "add"})[0].sequence for _ in range(2)]
    assert numbers == list(tx.scalars(sa.select(change.c.sequence).order_by(change.c.sequence)))


@pytest.mark.parametrize("names", [[], ["a"], ["b", "a", "unknown"], ["a'; --", '"', "a\\", "省"]])
def test_one_parameter_holds_any_number_of_values(tx: sa.Connection, names: list[str]) -> None:
    for name in ("a", "b", "a'; --", '"', "a\\", "省"):
        ENTER.run(tx, {**HEAD, "id": name})
    found = SEVERAL.rows(tx, {"names": names})
    assert [row.id for row in found] == sorted(set(names) - {"unknown"})
    assert [values[0] for values in SEVERAL.tuples(tx, {"names": names})] == [row[0] for row in found]


def test_a_list_may_stand_twice_beside_values_of_the_statement(tx: sa.Connection) -> None:
    edges = Prepared(edge.insert(), ["low", "high", "kind", "similarity", "inner"])
    edges.run_many(tx, [{"low": low, "high": "z", "kind": kind, "similarity": 1.0, "inner": None} for low, kind in ("ax", "by", "cw")])
    assert {row.low for row in EITHER.rows(tx, {"names": ["a", "z"]})} == {"a", "b"}
    assert {row.low for row in EITHER.rows(tx, {"names": ["a"]})} == {"a"}


def test_what_is_rolled_back_was_never_there(catalogue: Catalogue) -> None:
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.UniqueViolation)), catalogue.transaction() as tx:
        ENTER.run_many(tx, [HEAD, HEAD])
    with catalogue.snapshot() as tx:
        assert NAMED.first(tx, {"name": "a"}) is None


def test_a_fault_of_the_driver_is_told_as_one_of_the_archive(tmp_path: Path) -> None:
    made = Catalogue(f"sqlite:///{tmp_path / 'c.db'}")
    made.create()
    with pytest.raises(ArchiveUnusable, match="cannot be written"), made.snapshot() as tx:
        _read_only(tx)
    made.close()


def _read_only(tx: sa.Connection) -> None:
    tx.exec_driver_sql("PRAGMA query_only=ON")
    ENTER.run(tx, HEAD)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=8), st.data())
@settings(max_examples=50, deadline=None)
def test_numbers_of_64_bits_are_found_as_they_are(numbers: list[int], data: st.DataObject) -> None:
    table = sa.Table("number", sa.MetaData(), sa.Column("value", sa.BigInteger))
    engine = sa.create_engine("sqlite://")
    wanted = data.draw(st.lists(st.sampled_from(numbers), unique=True)) if numbers else []
    with engine.begin() as tx:
        table.create(tx)
        Prepared(table.insert(), ["value"]).run_many(tx, [{"value": number} for number in numbers])
        found = Prepared(sa.select(table).where(Among(table.c.value, "several"))).rows(tx, {"several": wanted})
    assert sorted(row.value for row in found) == sorted(wanted)
    engine.dispose()
