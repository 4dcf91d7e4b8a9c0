"""Sealed segments are the feed: whole, in order, never changed again, whatever kills the one who writes them."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive import Archive
from pipelines.archive.durable import sync_folder
from pipelines.archive.lock import exclusive
from pipelines.errors import ArchiveUnusable, ConfigurationError, Locked
from pipelines.model import Rights
from pipelines.segments import LOCK, MANIFEST, seal
from pipelines.site import USES
from tests.archive.made import OTHER, STORY, Writer, archive_at, bring, empty, events
from tests.test_feed import exported, heard
from tests.test_formats import mapped


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_at(tmp_path_factory.mktemp("segments") / "archive") as archive:
        yield archive


@pytest.fixture
def archive(shared: Archive) -> Archive:
    empty(shared)
    return shared


@pytest.fixture
def writer(archive: Archive) -> Writer:
    return Writer(archive)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "segments"


def manifest(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    return told


def applied(folder: Path) -> dict[str, Any]:
    """What a follower has who takes the segments of the manifest in order, and looks at their digests."""
    store: dict[str, Any] = {}
    reached = 0
    for one in manifest(folder)["segments"]:
        path = folder / one["name"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == one["sha256"]
        assert (one["first"], path.stat().st_size) == (reached + 1, one["bytes"])
        rows = pq.read_table(path).to_pylist()
        assert len(rows) == one["changes"] > 0
        assert all(one["first"] <= row["sequence"] <= one["last"] for row in rows)
        reached = one["last"]
        for row in rows:
            if row["op"] == "delete":
                store.pop(row["id"], None)
            else:
                store[row["id"]] = mapped(row["record"])
    assert reached == manifest(folder)["cursor"]
    return store


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_segment_is_the_answer_of_the_feed_under_its_range(archive: Archive, writer: Writer, folder: Path) -> None:
    writer.shows("a", 0)
    writer.shows("b", 0, OTHER)
    writer.withdrawn("a", 1)
    (made,) = seal(archive, folder)
    *changes, last = heard(archive)
    assert (made.name, made.first, made.last, made.changes) == ("000000000001-000000000003.parquet", 1, 3, 2)
    rows = pq.read_table(folder / made.name).to_pylist()
    assert [(row["op"], row["sequence"], row["id"]) for row in rows] == [(one["op"], one["sequence"], one["id"]) for one in changes]
    assert [row["record"] and mapped(row["record"]) for row in rows] == [one["record"] for one in changes]
    told = manifest(folder)
    assert (told["archive"], told["use"], told["cursor"], told["since"]) == (archive.id, None, 3, last["since"])


def test_the_next_one_goes_on_and_what_is_sealed_never_changes(archive: Archive, writer: Writer, folder: Path) -> None:
    writer.shows("a", 0)
    seal(archive, folder)
    before = files(folder)
    writer.shows("a", 1, OTHER)
    (made,) = seal(archive, folder)
    assert (made.first, made.last) == (2, 2)
    assert {name: raw for name, raw in files(folder).items() if name in before} == before
    assert applied(folder) == exported(archive)


def test_where_nothing_changed_nothing_is_written(archive: Archive, writer: Writer, folder: Path) -> None:
    assert seal(archive, folder) == []
    assert (files(folder), manifest(folder)["since"]) == ({}, "0")
    writer.shows("a")
    seal(archive, folder)
    before = (files(folder), (folder / MANIFEST).stat().st_mtime_ns)
    assert seal(archive, folder) == []
    assert (files(folder), (folder / MANIFEST).stat().st_mtime_ns) == before


def test_many_changes_are_several_segments_of_at_most_so_many_articles(archive: Archive, writer: Writer, folder: Path) -> None:
    for name, text in zip("abc", (STORY, OTHER, STORY[:1]), strict=True):
        writer.shows(name, 0, text, title=f"题目{name}")
    made = seal(archive, folder, size=2)
    assert [(one.first, one.last, one.changes) for one in made] == [(1, 2, 2), (3, 3, 1)]
    assert applied(folder) == exported(archive)


def test_what_comes_in_while_the_last_one_is_written_waits_for_the_next_run(
    archive: Archive, writer: Writer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crawl at work would else get a segment for each of its articles."""
    writer.shows("a", 0)
    texts = iter((OTHER, STORY, OTHER))

    def busy(path: Path) -> None:
        sync_folder(path)
        writer.shows("a", 1, next(texts))

    monkeypatch.setattr("pipelines.segments.sync_folder", busy)
    assert len(seal(archive, folder)) == 1
    assert len(seal(archive, folder)) == 1


def test_what_is_reserved_for_the_use_is_a_delete_and_counted(archive: Archive, writer: Writer, folder: Path) -> None:
    writer.shows("a", 0, rights=Rights(reserved={"train": True}))
    withheld: Counter[str] = Counter()
    seal(archive, folder, use="train", withheld=withheld)
    assert withheld == {"reserved/train": 1}
    assert (applied(folder), manifest(folder)["use"]) == ({}, "train")


@given(st.data(), st.sampled_from([None, *USES]))
@settings(max_examples=25, deadline=None)
def test_who_applies_all_segments_in_order_has_the_export(shared: Archive, data: st.DataObject, use: str | None) -> None:
    import tempfile

    empty(shared)
    numbered = list(enumerate(data.draw(events())))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        while numbered:
            cut = data.draw(st.integers(1, len(numbered)), label="captures that come in")
            bring(shared, numbered[:cut])
            numbered = numbered[cut:]
            seal(shared, folder, use=use, size=data.draw(st.integers(1, 3), label="size"))
        assert applied(folder) == exported(shared, use)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_segments_of_another_archive_are_not_gone_on_with(archive: Archive, folder: Path, tmp_path: Path) -> None:
    seal(archive, folder)
    with archive_at(tmp_path / "other") as other, pytest.raises(ConfigurationError, match=f"archive {archive.id} and no --use; this is"):
        seal(other, folder)


def test_the_segments_for_another_use_are_not_gone_on_with(archive: Archive, folder: Path) -> None:
    seal(archive, folder, use="train")
    with pytest.raises(ConfigurationError, match=r"--use train; this is archive [0-9a-f]+ and no --use\. Name an empty folder"):
        seal(archive, folder)


def test_a_folder_that_holds_something_and_no_manifest_is_left_alone(archive: Archive, writer: Writer, folder: Path) -> None:
    writer.shows("a")
    seal(archive, folder)
    (folder / MANIFEST).unlink()
    before = files(folder)
    with pytest.raises(ConfigurationError, match=r"holds 000000000001-000000000001.parquet and no manifest.json"):
        seal(archive, folder)
    assert files(folder) == before != {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other"}', '{"schema": "china-tech-archive/segments/1", "archive": 1}'])
def test_a_manifest_that_is_none_is_refused_and_nothing_removed(archive: Archive, writer: Writer, folder: Path, text: str) -> None:
    writer.shows("a")
    seal(archive, folder)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is no manifest of segments"):
        seal(archive, folder)
    assert len(files(folder)) == 1


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"PAR1")])
def test_a_sealed_segment_that_is_not_there_any_more_is_said(
    archive: Archive, writer: Writer, folder: Path, harm: Callable[[Path], object]
) -> None:
    writer.shows("a")
    (made,) = seal(archive, folder)
    harm(folder / made.name)
    with pytest.raises(ArchiveUnusable, match=f"{made.name}: is missing or not as it was sealed"):
        seal(archive, folder)


def test_an_archive_that_was_put_back_is_not_gone_on_with(archive: Archive, writer: Writer, folder: Path) -> None:
    writer.shows("a")
    seal(archive, folder)
    empty(archive)
    with pytest.raises(ConfigurationError, match="never gave the cursor 1; its newest is 0"):
        seal(archive, folder)


@pytest.mark.parametrize(
    ("place", "says"), [("archive/x", "lies in the archive"), ("file", "is no folder"), ("none/segments", "there is no folder")]
)
def test_where_segments_cannot_go_is_said(tmp_path: Path, place: str, says: str) -> None:
    (tmp_path / "file").touch()
    with archive_at(tmp_path / "archive") as archive, pytest.raises(ConfigurationError, match=says):
        seal(archive, tmp_path / place)


def test_only_one_at_a_time_writes_segments(archive: Archive, folder: Path) -> None:
    seal(archive, folder)
    with exclusive(folder / LOCK, "test"), pytest.raises(Locked):
        seal(archive, folder)


# ── kill -9 ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def killed_at(step: int, archive: Archive, folder: Path) -> bool:
    """Seals in a child that is killed before its n-th call that changes a name or waits for the disk; whether it was."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    calls = itertools.count()

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **rest: Any) -> Any:
            if next(calls) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **rest)

        return call

    os.fsync = deadly(os.fsync)
    for name in ("replace", "rename", "unlink"):
        setattr(Path, name, deadly(getattr(Path, name)))
    try:
        with Archive(archive.path, type(archive.catalogue)(f"sqlite:///{archive.path / 'catalogue.db'}")) as own:
            seal(own, folder, size=1)
    finally:
        os._exit(0)


def test_a_kill_at_any_step_leaves_segments_that_are_true_and_the_next_run_ends_the_work(
    archive: Archive, writer: Writer, tmp_path: Path
) -> None:
    writer.shows("a", 0)
    first = tmp_path / "first"
    seal(archive, first)
    writer.shows("a", 1, OTHER)
    writer.shows("b", 1)
    unsealed = 0
    for step in itertools.count():
        folder = tmp_path / f"at{step}"
        folder.mkdir()
        for path in first.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        if not killed_at(step, archive, folder):
            break
        applied(folder)
        unsealed += len(files(folder)) - len(manifest(folder)["segments"])
        seal(archive, folder)
        assert applied(folder) == exported(archive)
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            [LOCK, MANIFEST, *(one["name"] for one in manifest(folder)["segments"])]
        )
    assert step >= 12, "two segments: write, name, enter, each on the disk"
    assert unsealed >= 2, "killed between name and manifest too"


def test_a_kill_before_the_first_manifest_leaves_a_folder_that_is_begun_anew(archive: Archive, writer: Writer, tmp_path: Path) -> None:
    writer.shows("a", 0)
    for step in range(4):
        folder = tmp_path / f"at{step}"
        assert killed_at(step, archive, folder)
        seal(archive, folder)
        assert applied(folder) == exported(archive)
