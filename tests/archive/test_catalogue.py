"""A transaction happens whole or not at all, a snapshot is one moment, and a broken database is one of our errors."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.archive import catalogue as module
from pipelines.archive import open_archive
from pipelines.archive.catalogue import Catalogue, insert_new, upsert
from pipelines.archive.schema import SCHEMA_VERSION, content, info, template_line, url
from pipelines.errors import ArchiveUnusable, CatalogueDamaged, NewerArchive, OutOfSpace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.db"


@pytest.fixture
def catalogue(path: Path) -> Iterator[Catalogue]:
    made = at(path)
    made.create()
    yield made
    made.close()


def at(path: Path) -> Catalogue:
    return Catalogue(f"sqlite:///{path}")


def put(catalogue: Catalogue, *digests: str) -> int:
    with catalogue.transaction() as tx:
        return insert_new(tx, content, [{"digest": one, "article": "{}"} for one in digests])


def digests(catalogue: Catalogue) -> list[str]:
    with catalogue.snapshot() as tx:
        return list(tx.scalars(sa.select(content.c.digest).order_by(content.c.digest)))


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_catalogue_says_its_version_and_making_it_again_changes_nothing(catalogue: Catalogue) -> None:
    put(catalogue, "a")
    catalogue.create()
    catalogue.check()
    with catalogue.snapshot() as tx:
        assert tx.scalar(sa.select(info.c.value).where(info.c.key == "schema")) == str(SCHEMA_VERSION)
    assert digests(catalogue) == ["a"]


@pytest.mark.parametrize("opened", ["check", "create"])
def test_a_newer_catalogue_is_refused_and_says_what_to_do(catalogue: Catalogue, opened: str) -> None:
    with catalogue.transaction() as tx:
        tx.execute(info.update().values(value=str(SCHEMA_VERSION + 1)))
    with pytest.raises(NewerArchive, match="Update the software; nothing was touched"):
        getattr(catalogue, opened)()


def test_a_catalogue_without_a_version_is_damaged(catalogue: Catalogue) -> None:
    with catalogue.transaction() as tx:
        tx.execute(info.delete())
    with pytest.raises(CatalogueDamaged, match="says nothing of its schema's version"):
        catalogue.check()


def test_a_database_of_somebody_else_holds_no_catalogue(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(ArchiveUnusable, match="holds no catalogue"):
        at(path).check()


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_no_database_is_damaged_and_can_be_rebuilt(path: Path) -> None:
    path.write_bytes(b"not a database, " * 1_000)
    with pytest.raises(CatalogueDamaged, match="is no SQLite database: restore it, or rebuild it"):
        at(path).check()


def test_a_catalogue_that_was_cut_is_damaged(catalogue: Catalogue, path: Path) -> None:
    put(catalogue, *(f"{number:064}" for number in range(2_000)))
    catalogue.close()
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(CatalogueDamaged, match="the catalogue is damaged"):
        digests(at(path))


def test_a_flipped_page_is_found_by_its_own_check(catalogue: Catalogue, path: Path) -> None:
    put(catalogue, *(f"{number:064}" for number in range(2_000)))
    assert catalogue.integrity() == []
    catalogue.close()
    raw = bytearray(path.read_bytes())
    middle = raw.rindex(b"1" * 3, 0, 3 * len(raw) // 4)
    raw[middle : middle + 2] = b"99"
    path.write_bytes(raw)
    found = at(path)
    assert found.integrity() != []
    found.close()


def test_who_cannot_wait_is_told_at_once_and_the_next_one_waits_as_usual(path: Path) -> None:
    catalogue = at(path)
    catalogue.create()
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(ArchiveUnusable, match="another process"), catalogue.transaction(waits=False):
            pass
    with catalogue.transaction() as tx:
        assert tx.exec_driver_sql("PRAGMA busy_timeout").scalar() == module.BUSY_SECONDS * 1000
    catalogue.close()


def test_a_folder_that_is_not_there_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnusable, match="cannot be opened"):
        at(tmp_path / "no" / "catalogue.db").create()


def test_a_full_disk_is_out_of_space_and_takes_nothing_with_it(catalogue: Catalogue) -> None:
    put(catalogue, "a")
    with pytest.raises(OutOfSpace, match="nothing committed was lost"):
        _fill(catalogue)
    catalogue.close()  # the next connection may grow again
    assert digests(catalogue) == ["a"]


def _fill(catalogue: Catalogue) -> None:
    with catalogue.transaction() as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar()
        tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        tx.execute(content.insert().values(digest="b", article="x" * 1_000_000))


def test_a_catalogue_that_another_process_holds_is_waited_for_and_then_unusable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    catalogue = at(path)
    catalogue.create()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(ArchiveUnusable, match="another process has held the catalogue"):
        put(catalogue, "a")
    assert digests(catalogue) == [], "reading goes on"
    holder.close()
    assert put(catalogue, "a") == 1
    catalogue.close()


def test_a_mistake_of_ours_in_a_statement_is_not_hidden(catalogue: Catalogue) -> None:
    with pytest.raises(sa.exc.OperationalError, match="no such table"), catalogue.snapshot() as tx:
        tx.exec_driver_sql("SELECT * FROM nowhere")


def test_a_server_that_does_not_answer_is_unusable_and_its_password_is_not_told() -> None:
    catalogue = Catalogue("postgresql+psycopg://someone:secret@127.0.0.1:1/none")
    with pytest.raises(ArchiveUnusable, match="the database does not answer") as caught:
        catalogue.check()
    assert "secret" not in str(caught.value)
    catalogue.close()


# ── transactions and snapshots ───────────────────────────────────────────────────────────────────────────────────────


def test_a_transaction_that_fails_leaves_nothing(catalogue: Catalogue) -> None:
    with pytest.raises(ZeroDivisionError):
        _fail_after_writing(catalogue)
    assert digests(catalogue) == []


def _fail_after_writing(catalogue: Catalogue) -> None:
    with catalogue.transaction() as tx:
        insert_new(tx, content, [{"digest": "a", "article": "{}"}])
        raise ZeroDivisionError


def test_a_snapshot_is_one_moment_however_long_it_is_held(catalogue: Catalogue) -> None:
    put(catalogue, "a")
    with catalogue.snapshot() as tx:
        seen = sa.select(sa.func.count()).select_from(content)
        assert tx.scalar(seen) == 1
        put(catalogue, "b", "c")
        assert tx.scalar(seen) == 1
    assert digests(catalogue) == ["a", "b", "c"]


def test_two_writers_take_turns_and_neither_fails(catalogue: Catalogue) -> None:
    def write(name: str) -> None:
        for number in range(20):
            with catalogue.transaction() as tx:
                seen = tx.scalar(sa.select(sa.func.count()).select_from(content))
                insert_new(tx, content, [{"digest": f"{name}{number}", "article": str(seen)}])

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with catalogue.snapshot() as tx:
        counted = sorted(int(text) for text in tx.scalars(sa.select(content.c.article)))
    assert counted == list(range(40)), "each saw all that was committed before it"


def test_what_is_deleted_is_nowhere_in_the_file(catalogue: Catalogue, path: Path) -> None:
    """A takedown must leave no text in free pages; the write-ahead log is emptied by a checkpoint."""
    secret = "这一段文字必须消失" * 500
    with catalogue.transaction() as tx:
        tx.execute(content.insert().values(digest="a", article=secret))
    with catalogue.transaction() as tx:
        tx.execute(content.delete())
    catalogue.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert "必须消失".encode() not in path.read_bytes()


# ── statements that differ by dialect ────────────────────────────────────────────────────────────────────────────────


def test_rows_that_are_there_are_left_and_only_new_ones_counted(catalogue: Catalogue) -> None:
    assert put(catalogue, "a", "b") == 2
    assert put(catalogue, "b", "c", "c") == 1
    assert put(catalogue) == 0
    assert digests(catalogue) == ["a", "b", "c"]


def test_any_unique_key_counts_not_only_the_first(catalogue: Catalogue) -> None:
    row = {"site": "s", "url": "u", "host": "h", "kind": "article", "state": "pending", "discovered_at": 0.0, "due_at": 0.0}
    with catalogue.transaction() as tx:
        assert insert_new(tx, url, [row, row]) == 1


def test_an_upsert_inserts_or_replaces_what_is_given(catalogue: Catalogue) -> None:
    with catalogue.transaction() as tx:
        for text in ("one", "two"):
            upsert(tx, content, {"digest": "a", "article": text})
        upsert(tx, info, {"key": "schema"} | {"value": "1"})
    with catalogue.snapshot() as tx:
        assert tx.execute(sa.select(content)).all() == [("a", "two")]


def test_an_upsert_replaces_what_stands_beside_a_key_of_two_columns(catalogue: Catalogue) -> None:
    row = {"article": "a", "digest": "d", "site": "s", "text": "版权所有"}
    with catalogue.transaction() as tx:
        tx.execute(template_line.insert().values(**row))
        upsert(tx, template_line, {**row, "site": "t"})
        assert tx.execute(sa.select(template_line.c.site)).scalar() == "t"


def test_a_newer_catalogue_gets_no_table_of_ours_either(catalogue: Catalogue) -> None:
    with catalogue.transaction() as tx:
        tx.execute(info.update().values(value=str(SCHEMA_VERSION + 1)))
        template_line.drop(tx)
    with pytest.raises(NewerArchive):
        catalogue.create()
    with catalogue.snapshot() as tx:
        assert not sa.inspect(tx).has_table("template_line")


def test_what_is_counted_at_the_end_of_every_run_is_found_by_an_index(catalogue: Catalogue) -> None:
    """An archive of ten years has a million."""
    counted = "SELECT status, shown, count(*) FROM article WHERE site = 'a' GROUP BY status, shown"
    denied = "SELECT DISTINCT article FROM page WHERE kind = 'gone'"
    short = "SELECT doc FROM indexed_text WHERE size < 3"
    with catalogue.snapshot() as tx:
        plans = [str(tx.execute(sa.text(f"EXPLAIN QUERY PLAN {one}")).all()) for one in (counted, denied, short)]
    for plan, index in zip(plans, ("article_standing", "page_gone", "indexed_text_short"), strict=True):
        assert f"INDEX {index}" in plan
        assert "TEMP B-TREE" not in plan


# ── a catalogue that is lost ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lost", ["gone", "empty"])
def test_no_crawl_begins_a_new_catalogue_beside_warc_files(tmp_path: Path, lost: str) -> None:
    """It would fetch everything again, and bring back what was taken down."""
    open_archive(tmp_path, create=True).close()
    (tmp_path / "warc" / "news-1.warc.gz").write_bytes(b"x")
    (tmp_path / "catalogue.db").unlink()
    if lost == "empty":
        (tmp_path / "catalogue.db").touch()
    with pytest.raises(ArchiveUnusable, match=r"there is no catalogue, and 1 WARC file lies .* `scrapy replay"):
        open_archive(tmp_path, create=True)
    assert not (tmp_path / "catalogue.db").exists() or (tmp_path / "catalogue.db").stat().st_size == 0
    open_archive(tmp_path, create=True, rebuilds=True).close()
    open_archive(tmp_path, create=True).close()
