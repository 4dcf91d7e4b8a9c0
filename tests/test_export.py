"""What an export holds, in which order, and what its manifest says of it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import delivery
from pipelines.archive import Archive
from pipelines.archive.article_record import SCHEMA, article_id
from pipelines.errors import ConfigurationError
from pipelines.export import What, export, export_to
from pipelines.feed import feed
from pipelines.formats import FORMATS, SCHEMAS
from pipelines.model import Rights
from pipelines.site import USES
from tests.archive.made import OTHER, STORY, Event, Writer, address, archive_at, bring, empty, events, moment


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_at(tmp_path_factory.mktemp("export") / "archive") as archive:
        yield archive


@pytest.fixture
def archive(shared: Archive) -> Archive:
    empty(shared)
    return shared


@pytest.fixture
def writer(archive: Archive) -> Writer:
    return Writer(archive)


def unlike(number: int) -> tuple[str, ...]:
    """A text that is like no other."""
    return tuple(f"第{number}条新闻的第{part}段说的是编号{number * 7919 + part * 104729}的事情。" for part in range(3))


def raw(archive: Archive, what: What = What(), **how: str) -> bytes:  # noqa: B008 -- a frozen value
    out = io.BytesIO()
    export(archive, what, out, **how)
    return out.getvalue()


def exported(archive: Archive, **what: Any) -> list[dict[str, Any]]:
    return [json.loads(text) for text in raw(archive, What(**what)).splitlines()]


def names(records: list[dict[str, Any]]) -> list[str]:
    return [record["url"].rpartition("/")[2].removesuffix(".html") for record in records]


def to_disk(archive: Archive, to: Path | str, what: What = What(), **how: str) -> dict[str, Any]:  # noqa: B008 -- a frozen value
    place = delivery.place(str(to), how.get("form", "jsonl"), archive.path)
    export_to(place, archive, what, **how)
    found: dict[str, Any] = json.loads(place.manifest.read_bytes())
    return found


# ── what is in ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_archive_exports_nothing(archive: Archive) -> None:
    assert raw(archive) == b""


def test_one_active_representative_of_each_cluster_is_in(archive: Archive, writer: Writer) -> None:
    writer.shows("original", 0, published=moment(0))
    writer.shows("copy", 1, published=moment(1))
    writer.shows("withdrawn", 0, OTHER)
    writer.withdrawn("withdrawn", 1)
    writer.shows("held", 0, unlike(1), quarantine="its date is in the future")
    assert names(exported(archive)) == ["original"]


def test_all_is_every_article_with_its_status_and_every_copy(archive: Archive, writer: Writer) -> None:
    writer.shows("original", 0, published=moment(0))
    writer.shows("copy", 1, published=moment(1))
    writer.shows("withdrawn", 0, OTHER, published=moment(2))
    writer.withdrawn("withdrawn", 1)
    writer.shows("held", 0, unlike(1), published=moment(3), quarantine="its date is in the future")
    found = exported(archive, everything=True)
    assert list(zip(names(found), [record["status"] for record in found], strict=True)) == [
        ("original", "active"),
        ("copy", "active"),
        ("withdrawn", "withdrawn"),
        ("held", "quarantined"),
    ]
    assert found[1]["cluster"]["kind"] == "duplicate"
    assert found[1]["cluster"]["representative"] == found[0]["id"] == article_id(address("original"))


def test_only_one_site_is_in_where_one_is_named(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    other_sites(archive, "b")
    assert names(exported(archive, site="china_org_cn")) == ["b"]


def other_sites(archive: Archive, name: str) -> None:
    from pipelines.archive.ledger import write_down
    from tests.archive.made import article

    other = Writer(archive, file="china_org_cn-1.warc.gz")
    url = address(name)
    with archive.catalogue.transaction() as tx:
        write_down(tx, "china_org_cn", url, other.capture(url, moment(0)), article(url, OTHER, site="china_org_cn"))


def test_a_site_of_which_there_is_nothing_is_refused_with_those_that_there_are(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    with pytest.raises(ConfigurationError, match=r"no article of a site 'chinatech'. It has: china_tech"):
        exported(archive, site="chinatech")


def test_the_current_text_is_in_and_no_earlier_one(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0, STORY)
    writer.shows("a", 1, OTHER)
    (record,) = exported(archive)
    assert (record["paragraphs"], record["revision"]) == (list(OTHER), 2)


# ── the order ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_order_is_site_then_date_then_id(archive: Archive, writer: Writer) -> None:
    writer.shows("late", 0, unlike(0), published=moment(9))
    writer.shows("undated", 5, unlike(1), published=None)
    writer.shows("early", 9, unlike(2), published=moment(1))
    other_sites(archive, "other")
    assert names(exported(archive)) == ["other", "early", "undated", "late"]
    for name in ("tie1", "tie2", "tie3"):
        writer.shows(name, 0, unlike(int(name[-1]) + 5), published=moment(20))
    last = [record["id"] for record in exported(archive)][-3:]
    assert last == sorted(last)


@given(events(), st.randoms())
@settings(max_examples=15, deadline=None)
def test_equal_archives_export_equal_bytes_whatever_came_first(shared: Archive, history: list[Event], chance: Any) -> None:
    numbered = list(enumerate(history))
    empty(shared)
    bring(shared, numbered)
    one = [raw(shared, form=form) for form in FORMATS]
    chance.shuffle(numbered)
    empty(shared)
    bring(shared, numbered)
    assert [raw(shared, form=form) for form in FORMATS] == one


def test_more_articles_than_are_read_at_once_come_in_order(archive: Archive, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.export.BATCH", 2)
    for number in range(7):
        writer.shows(f"n{number}", 0, unlike(number), published=moment(7 - number))
    assert names(exported(archive)) == [f"n{number}" for number in reversed(range(7))]


# ── one moment ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_meanwhile_is_not_in(archive: Archive, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.export.BATCH", 1)
    writer.shows("a", 0, unlike(0), published=moment(0))
    writer.shows("b", 0, unlike(1), published=moment(1))

    class Meddler(io.BytesIO):
        def write(self, text: Any) -> int:
            if not self.tell():
                writer.shows("b", 2, unlike(3), published=moment(1))
                writer.shows("c", 2, unlike(2), published=moment(2))
            return super().write(text)

    before = raw(archive)
    out = Meddler()
    tally = export(archive, What(), out)
    assert out.getvalue() == before
    assert tally.cursor == 2
    assert names(exported(archive)) == ["a", "b", "c"]


def test_the_cursor_goes_on_exactly_where_the_export_ends(archive: Archive, writer: Writer, tmp_path: Path) -> None:
    writer.shows("a", 0, unlike(0))
    manifest = to_disk(archive, tmp_path / "out.jsonl")
    store = {record["id"]: record for record in map(json.loads, (tmp_path / "out.jsonl").read_bytes().splitlines())}
    writer.shows("b", 1, unlike(1))
    writer.withdrawn("a", 1)
    with archive.catalogue.snapshot() as tx:
        for one in feed(tx, manifest["cursor"]):
            if one.get("op") == "delete":
                store.pop(one["id"], None)
            elif "op" in one:
                store[one["id"]] = one["record"]
    assert list(store.values()) == exported(archive)


# ── rights ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def reserve(writer: Writer) -> None:
    """An article that reserves each use, and one that reserves none."""
    for number, use in enumerate(USES):
        writer.shows(f"no_{use}", 0, unlike(number), published=moment(number), rights=Rights(reserved={use: True}))
    writer.shows("free", 0, unlike(9), published=moment(9))


@pytest.fixture
def reserved(archive: Archive, writer: Writer) -> Archive:
    reserve(writer)
    return archive


@pytest.mark.parametrize(
    ("use", "left"),
    [
        (None, ["no_archive", "no_text-and-data-mining", "no_train", "free"]),
        ("archive", ["no_text-and-data-mining", "no_train", "free"]),
        ("text-and-data-mining", ["no_train", "free"]),
        ("train", ["free"]),
    ],
)
def test_what_is_reserved_for_the_use_is_left_out(reserved: Archive, use: str | None, left: list[str]) -> None:
    assert names(exported(reserved, use=use)) == left


def test_each_exclusion_is_counted_by_its_reason_and_the_sums_are_right(reserved: Archive, writer: Writer) -> None:
    writer.shows("copy", 3, unlike(9), published=moment(11))
    writer.shows("gone", 0, OTHER)
    writer.withdrawn("gone", 1)
    tally = export(reserved, What(use="train"), io.BytesIO())
    assert tally.excluded == {"copy": 1, "withdrawn": 1, "reserved/archive": 1, "reserved/text-and-data-mining": 1, "reserved/train": 1}
    assert tally.known == 6 == tally.written.total() + tally.excluded.total()


@pytest.mark.parametrize(
    ("seeds", "use", "left"),
    [
        ("archive", None, ["no_text-and-data-mining", "no_train", "free"]),
        ("train", "archive", ["free"]),
        ("archive", "text-and-data-mining", ["no_train", "free"]),
    ],
)
def test_the_seeds_file_and_the_command_line_both_leave_out(tmp_path: Path, seeds: str, use: str | None, left: list[str]) -> None:
    with archive_at(tmp_path / "archive", rights=f'export_for = "{seeds}"') as archive:
        reserve(Writer(archive))
        tally = export(archive, What(use=use), io.BytesIO())
        assert names(exported(archive, use=use)) == left
    assert tally.excluded.total() == 4 - len(left)
    assert tally.uses == {"china_tech": {max(seeds, use or seeds, key=USES.index)}}


@given(events(), st.sampled_from([None, *USES]), st.booleans())
@settings(max_examples=10, deadline=None)
def test_the_books_always_balance(shared: Archive, history: list[Event], use: str | None, everything: bool) -> None:
    empty(shared)
    bring(shared, enumerate(history))
    tally = export(shared, What(use=use, everything=everything), io.BytesIO())
    assert tally.known == tally.written.total() + tally.excluded.total() == len(exported(shared, everything=True))
    domains = tally.domains.report().values()
    assert sum(one["articles"] for one in domains) == tally.written.total()
    assert sum((Counter(one["excluded"]) for one in domains), Counter()) == tally.excluded


# ── disk and manifest ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_manifest_says_what_was_written_from_what_by_what(archive: Archive, writer: Writer, tmp_path: Path) -> None:
    writer.shows("a", 0, published=moment(0))
    writer.shows("b", 1, published=moment(1))
    manifest = to_disk(archive, tmp_path / "out.jsonl.gz", What(site="china_tech"), form="jsonl.gz")
    whole = (tmp_path / "out.jsonl.gz").read_bytes()
    assert gzip.decompress(whole) == raw(archive)
    assert manifest["files"] == [{"name": "out.jsonl.gz", "records": 1, "bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}]
    assert manifest["articles"] == {"known": 2, "written": 1, "excluded": {"copy": 1}, "by_site": {"china_tech": 1}}
    assert (manifest["format"], manifest["rows"], manifest["cursor"]) == ("jsonl.gz", SCHEMA, 2)
    assert manifest["selection"] == {"everything": False, "site": "china_tech", "use": None}
    assert manifest["uses"] == {}
    assert set(manifest["versions"]) == {"catalogue", "china-tech-archive", "pyarrow", "zstandard"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_file_holds_what_a_pipe_would(archive: Archive, writer: Writer, tmp_path: Path, form: str, schema: str) -> None:
    writer.shows("a", 0)
    to_disk(archive, tmp_path / "out", form=form, schema=schema)
    assert (tmp_path / "out").read_bytes() == raw(archive, form=form, schema=schema)


def test_what_stands_beside_it_is_the_same_for_equal_archives_too(archive: Archive, writer: Writer, tmp_path: Path) -> None:
    writer.shows("a", 0)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        to_disk(archive, f"{tmp_path}/{folder}/out/", form="parquet")
    for ending in delivery.BESIDE:
        assert (tmp_path / f"one/out{ending}").read_bytes() == (tmp_path / f"two/out{ending}").read_bytes()


@pytest.mark.parametrize("to", ["out.jsonl", "out/"])
def test_card_croissant_and_manifest_agree(archive: Archive, writer: Writer, tmp_path: Path, to: str) -> None:
    writer.shows("a", 0, published=moment(0))
    writer.shows("b", 0, OTHER, published=moment(40))
    manifest = to_disk(archive, f"{tmp_path}/{to}", form="parquet" if to.endswith("/") else "jsonl")
    name = to.rstrip("/")
    told = json.loads((tmp_path / f"{name}.croissant.json").read_bytes())
    files = {one["contentUrl"]: one["sha256"] for one in told["distribution"] if "contentUrl" in one}
    assert list(files.values()) == [file["sha256"] for file in manifest["files"]]
    assert all(hashlib.sha256((tmp_path / path).read_bytes()).hexdigest() == digest for path, digest in files.items())
    assert "2 news articles" in (tmp_path / f"{name}.README.md").read_text("utf-8")
    assert (tmp_path / told["url"]).is_file()


def test_a_folder_of_parquet_holds_what_one_file_would(archive: Archive, writer: Writer, tmp_path: Path) -> None:
    for number in range(6):
        writer.shows(f"n{number}", 0, unlike(number), published=moment(number * 20))
    to_disk(archive, tmp_path / "one.parquet", form="parquet")
    manifest = to_disk(archive, f"{tmp_path}/many/", form="parquet")
    parts = [row for file in manifest["files"] for row in pq.read_table(tmp_path / "many" / file["name"]).to_pylist()]
    assert parts == pq.read_table(tmp_path / "one.parquet").to_pylist()
    assert [file["name"] for file in manifest["files"]] == [f"china_tech/2024-{month:02}.parquet" for month in (3, 4, 5, 6)]


def test_a_site_that_is_not_there_writes_nothing(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        to_disk(archive, tmp_path / "out.jsonl", What(site="none"))
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_archive(archive: Archive, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve batches take no more than three: what is read is let go."""
    monkeypatch.setattr("pipelines.export.BATCH", 5)

    class Nowhere(io.RawIOBase):
        def write(self, text: Any) -> int:
            return len(text)

    def peak() -> int:
        tracemalloc.start()
        export(archive, What(), Nowhere())  # type: ignore[arg-type]  # a BinaryIO but in name
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    long = "这一段话很长，因此占用不少内存。" * 2_000
    for number in range(15):
        writer.shows(f"n{number}", 0, (*unlike(number), f"{number}{long[: 20_000 + 31 * number]}"))
    peak()  # what is kept for good (compiled statements) is there after the first
    few = peak()
    for number in range(15, 60):
        writer.shows(f"n{number}", 0, (*unlike(number), f"{number}{long[: 20_000 + 31 * number]}"))
    assert peak() < 1.3 * few
