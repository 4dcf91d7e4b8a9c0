"""An export comes to its place whole or not at all, and never to a place where it would do harm."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines import delivery
from pipelines.delivery import BESIDE, MANIFEST, Place, Written, deliver, place
from pipelines.errors import ArchiveUnusable, ConfigurationError, OutOfSpace
from pipelines.fields import COLUMNS
from pipelines.formats import FORMATS, Row, line
from tests.test_formats import BARE, rows


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    (folder / "warc").mkdir(parents=True)
    (folder / "catalogue.db").write_bytes(b"rows")
    return folder


def records(*published: str | None, site: str = "china_tech") -> Iterator[Row]:
    for number, when in enumerate(published):
        yield {**rows(BARE)[0], "id": f"{number:032x}", "site": site, "published": when}


def broken(good: Iterator[Row]) -> Iterator[Row]:
    yield from good
    raise KeyboardInterrupt


def left(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def delivered(target: Place, made: Iterator[Row], form: str = "parquet") -> list[Written]:
    """Delivers, and gives what was written."""
    seen: list[Written] = []

    def describe(written: list[Written]) -> dict[str, bytes]:
        seen.extend(written)
        told = json.dumps({"files": [{"name": one.name, "sha256": one.sha256} for one in written]})
        return {ending: told.encode() if ending == MANIFEST else b"told" for ending in BESIDE}

    deliver(target, made, form, "native", describe)
    return seen


def is_whole(target: Place) -> bool:
    """Whether data and manifest are of one export, as a reader finds out."""
    folder = target.path if target.is_folder else target.path.parent
    files = json.loads(target.manifest.read_bytes())["files"]
    found = {
        file["name"]: hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest()
        for file in files
        if (folder / file["name"]).is_file()
    }
    names = set(left(target.path)) if target.is_folder else {target.path.name}
    return found == {file["name"]: file["sha256"] for file in files} and names == set(found)


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_in_a_folder_is_a_place(tmp_path: Path, archive: Path) -> None:
    found = place(str(tmp_path / "out.jsonl"), "jsonl", archive)
    assert (found.path, found.is_folder, found.manifest) == (tmp_path / "out.jsonl", False, tmp_path / "out.jsonl.manifest.json")


@pytest.mark.parametrize("to", ["catalogue.db", "out.jsonl", "warc/out.jsonl", "../archive/out.jsonl"])
def test_no_export_goes_into_the_archive(archive: Path, to: str) -> None:
    with pytest.raises(ConfigurationError, match="lies in the archive"):
        place(str(archive / to), "jsonl", archive)


def test_not_even_through_a_link(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "link").symlink_to(archive / "catalogue.db")
    with pytest.raises(ConfigurationError, match="lies in the archive"):
        place(str(tmp_path / "link"), "jsonl", archive)


def test_the_archive_itself_is_no_place(archive: Path) -> None:
    with pytest.raises(ConfigurationError, match="lies in the archive"):
        place(f"{archive}/", "parquet", archive)


def test_a_link_stays_a_link_and_what_it_names_is_replaced(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "latest.jsonl"
    link.symlink_to(tmp_path / "real" / "out.jsonl")
    delivered(place(str(link), "jsonl", archive), records(None), "jsonl")
    assert link.is_symlink()
    assert left(tmp_path / "real") == ["out.jsonl", *sorted("out.jsonl" + ending for ending in BESIDE)]


def test_a_place_whose_folder_is_missing_is_refused(tmp_path: Path, archive: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder"):
        place(str(tmp_path / "no" / "out.jsonl"), "jsonl", archive)


@pytest.mark.parametrize("form", sorted(set(FORMATS) - {"parquet"}))
@pytest.mark.parametrize("ending", ["", "/"])
def test_a_folder_is_no_place_for_a_file(tmp_path: Path, archive: Path, form: str, ending: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="is a folder"):
        place(f"{tmp_path}/folder{ending}", form, archive)


def test_a_file_is_no_place_for_a_folder(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file")
    with pytest.raises(ConfigurationError, match="is no folder"):
        place(f"{tmp_path}/out/", "parquet", archive)


def test_a_device_is_not_replaced(archive: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no regular file"):
        place(os.devnull, "jsonl", archive)


def test_parquet_is_a_folder_where_there_is_one_or_the_name_says_so(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "there").mkdir()
    assert place(str(tmp_path / "there"), "parquet", archive).is_folder
    assert place(f"{tmp_path}/new/", "parquet", archive).is_folder
    assert not place(str(tmp_path / "one.parquet"), "parquet", archive).is_folder


def test_a_folder_with_anything_else_in_it_is_not_replaced(tmp_path: Path, archive: Path) -> None:
    delivered(place(f"{tmp_path}/out/", "parquet", archive), records("2024-03-01T10:00:00+08:00"))
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"holds notes.txt, which is not of an earlier export"):
        place(str(tmp_path / "out"), "parquet", archive)


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"files": [{}]}', "\xff"])
def test_a_folder_without_a_manifest_that_can_be_read_is_not_replaced(tmp_path: Path, archive: Path, manifest: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.parquet").write_bytes(b"")
    (tmp_path / "out.manifest.json").write_text(manifest, encoding="latin-1")
    with pytest.raises(ConfigurationError, match="is not of an earlier export"):
        place(str(tmp_path / "out"), "parquet", archive)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_said_of_a_file_is_true(tmp_path: Path, archive: Path, form: str) -> None:
    target = place(f"{tmp_path}/out.{form}", form, archive)
    (written,) = delivered(target, records(None, None), form)
    raw = target.path.read_bytes()
    assert is_whole(target)
    assert written == Written(name=f"out.{form}", records=2, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_that_is_broken_off_leaves_what_was_there(tmp_path: Path, archive: Path, form: str) -> None:
    target = place(str(tmp_path / "out"), form, archive)
    target.path.write_bytes(b"the last one")
    with pytest.raises(KeyboardInterrupt):
        delivered(target, broken(records(None)), form)
    assert target.path.read_bytes() == b"the last one"
    assert left(tmp_path) == ["archive/catalogue.db", "out"]


def test_a_file_replaces_the_one_before_it(tmp_path: Path, archive: Path) -> None:
    target = place(str(tmp_path / "out"), "jsonl", archive)
    target.path.write_bytes(b"the last one")
    delivered(target, records(None), "jsonl")
    assert target.path.read_bytes() == line(next(records(None)))


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 1,000 bytes: what a full disk is to who writes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_is_one_of_our_errors_and_leaves_nothing(tmp_path: Path, archive: Path, form: str, full_disk: None) -> None:
    with pytest.raises(OutOfSpace, match="no space left"):
        delivered(place(str(tmp_path / "out"), form, archive), records(*noise(50)), form)
    assert left(tmp_path) == ["archive/catalogue.db"]


def test_a_full_disk_leaves_no_folder_either(tmp_path: Path, archive: Path, full_disk: None) -> None:
    with pytest.raises(OutOfSpace, match="no space left"):
        delivered(place(f"{tmp_path}/out/", "parquet", archive), records(*noise(50)))
    assert left(tmp_path) == ["archive/catalogue.db"]


def noise(count: int) -> list[str]:
    return [f"2024-03-{1 + n // 2:02}T{n % 24:02}:{n:02}:00+08:00" for n in range(count)]


def test_a_folder_that_went_away_is_one_of_our_errors(tmp_path: Path, archive: Path) -> None:
    with pytest.raises(ArchiveUnusable, match="No such file or directory"):
        delivered(Place(path=tmp_path / "gone" / "out", is_folder=False), records(None), "jsonl")


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def months(folder: Path) -> dict[str, list[Any]]:
    return {name: pq.read_table(folder / name)["id"].to_pylist() for name in left(folder)}


def test_a_month_is_the_printed_one_and_first_sight_stands_in_for_a_missing_date(tmp_path: Path, archive: Path) -> None:
    made = [
        *records("2024-02-29T23:30:00+08:00", "2024-03-01T07:30:00+08:00", "2024-03-01T08:30:00+08:00", None, "2024-03-31T23:00:00-09:00"),
        *records("2024-04-01T07:00:00+00:00", "2024-03-31T22:59:00-12:00"),
    ]
    target = place(f"{tmp_path}/out/", "parquet", archive)
    written = delivered(target, iter(made))
    assert {one.name: one.records for one in written} == {
        "china_tech/2024-02.parquet": 1,
        "china_tech/2024-03.parquet": 5,
        "china_tech/2024-04.parquet": 1,
    }
    assert sum(map(len, months(target.path).values())) == len(made)
    for one in written:
        assert hashlib.sha256((target.path / one.name).read_bytes()).hexdigest() == one.sha256


def test_a_folder_without_articles_is_one_file_with_columns_and_replaced_by_what_comes_later(tmp_path: Path, archive: Path) -> None:
    target = place(f"{tmp_path}/out/", "parquet", archive)
    assert [(one.name, one.records) for one in delivered(target, records())] == [("none/0000-00.parquet", 0)]
    assert pq.read_table(target.path).column_names == list(COLUMNS["native"])
    delivered(place(f"{tmp_path}/out/", "parquet", archive), records("2024-03-01T00:00:00+08:00"))
    assert left(target.path) == ["china_tech/2024-03.parquet"]


def test_each_site_has_its_folder(tmp_path: Path, archive: Path) -> None:
    made = [*records("2024-03-01T08:00:00+08:00", site="a_site"), *records("2024-01-01T08:00:00+08:00", site="b_site")]
    target = place(f"{tmp_path}/out/", "parquet", archive)
    written = delivered(target, iter(made))
    assert [one.name for one in written] == left(target.path) == ["a_site/2024-03.parquet", "b_site/2024-01.parquet"]


def test_no_more_than_three_months_are_open_at_once(tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = delivery._Months._sheet

    def watched(self: delivery._Months, site: str, month: str) -> delivery.Sheet:
        found = real(self, site, month)
        seen.append(len(self._open))
        return found

    monkeypatch.setattr(delivery._Months, "_sheet", watched)
    days = [f"20{year:02}-{month:02}-{day:02}T12:00:00+00:00" for year in (22, 23) for month in range(1, 13) for day in (1, 15, 28)]
    delivered(place(f"{tmp_path}/out/", "parquet", archive), records(*days))
    assert max(seen) <= 3


def test_a_folder_takes_the_place_of_the_export_before_it(tmp_path: Path, archive: Path) -> None:
    delivered(place(f"{tmp_path}/out/", "parquet", archive), records("2024-03-01T10:00:00+08:00", "2024-05-01T10:00:00+08:00"))
    delivered(place(f"{tmp_path}/out/", "parquet", archive), records("2024-04-01T10:00:00+08:00"))
    assert left(tmp_path / "out") == ["china_tech/2024-04.parquet"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "archive",
        "out",
        "out.README.md",
        "out.croissant.json",
        "out.manifest.json",
    ]


def test_a_folder_that_is_broken_off_leaves_the_one_before_it(tmp_path: Path, archive: Path) -> None:
    target = place(f"{tmp_path}/out/", "parquet", archive)
    delivered(target, records("2024-03-01T10:00:00+08:00"))
    before = (target.path / "china_tech/2024-03.parquet").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        delivered(target, broken(records("2024-04-01T10:00:00+08:00", "2024-06-01T10:00:00+08:00")))
    assert left(target.path) == ["china_tech/2024-03.parquet"]
    assert (target.path / "china_tech/2024-03.parquet").read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "archive",
        "out",
        "out.README.md",
        "out.croissant.json",
        "out.manifest.json",
    ]


@pytest.fixture
def without_swap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system, or a file system, that cannot exchange two names in one step."""
    monkeypatch.setattr(delivery, "_swap", lambda *_: False)


@pytest.mark.usefixtures("without_swap")
def test_a_folder_takes_its_place_in_two_steps_where_one_is_not_to_be_had(tmp_path: Path, archive: Path) -> None:
    test_a_folder_takes_the_place_of_the_export_before_it(tmp_path, archive)


@pytest.mark.usefixtures("without_swap")
def test_when_the_new_folder_cannot_take_its_place_the_old_one_does(tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = place(f"{tmp_path}/out/", "parquet", archive)
    delivered(target, records("2024-03-01T10:00:00+08:00"))
    real = Path.rename

    def refused(self: Path, to: Path) -> Path:
        if self.name.endswith(".new"):
            raise PermissionError(13, "Permission denied")
        return real(self, to)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(ArchiveUnusable, match="Permission denied"):
        delivered(target, records("2024-04-01T10:00:00+08:00"))
    assert is_whole(target)
    assert left(target.path) == ["china_tech/2024-03.parquet"]


# ── kill -9 ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def killed_at(step: int, target: Place, made: Iterator[Row], form: str) -> bool:
    """Delivers in a child that is killed before its n-th call that changes a name or waits for the disk; whether it was."""
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
    for name in ("replace", "rename"):
        setattr(Path, name, deadly(getattr(Path, name)))
    delivery._swap = deadly(delivery._swap)
    try:
        delivered(target, made, form)
    finally:
        os._exit(0)


@pytest.mark.parametrize(("to", "form"), [("out", "jsonl"), ("out/", "parquet")])
def test_a_kill_at_any_step_leaves_an_export_that_is_whole_or_says_that_it_is_not(
    tmp_path: Path, archive: Path, to: str, form: str
) -> None:
    old, new = ("2024-03-01T10:00:00+08:00", "2024-05-01T10:00:00+08:00"), ("2024-03-02T10:00:00+08:00", "2024-06-01T10:00:00+08:00")
    delivered(place(f"{tmp_path}/{to}", form, archive), records(*old), form)
    state = []
    for step in itertools.count():
        target = place(f"{tmp_path}/{to}", form, archive)
        if not killed_at(step, target, records(*new), form):
            break
        state.append(is_whole(target))
        delivered(place(f"{tmp_path}/{to}", form, archive), records(*old), form)
        assert is_whole(target)
        hidden = [file.name for file in tmp_path.iterdir() if file.name.startswith(".")]
        assert hidden == [], "what a killed export leaves is gone after the next"
    assert step >= 7
    assert state.count(False) <= 3, "only between the first new name and the last"
    assert is_whole(target)


def test_what_another_export_has_under_way_is_left_alone(tmp_path: Path, archive: Path) -> None:
    other = tmp_path / f".out.{os.getppid()}.new"
    other.write_bytes(b"half")
    delivered(place(f"{tmp_path}/out", "jsonl", archive), records(None), "jsonl")
    assert other.read_bytes() == b"half"


def test_what_a_killed_export_with_the_same_number_left_is_in_nobodys_way(tmp_path: Path, archive: Path) -> None:
    """In a container every command is process 1, or 7."""
    (tmp_path / f".out.{os.getpid()}.new").write_bytes(b"half")
    delivered(place(f"{tmp_path}/out", "jsonl", archive), records(None), "jsonl")
    assert [file for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_pandas_reads_the_folder_as_one_table(tmp_path: Path, archive: Path) -> None:
    """What pyarrow reads as one, pandas and datasets do: the site is a column, and no part of a name becomes another."""
    target = place(f"{tmp_path}/out/", "parquet", archive)
    delivered(target, records("2024-03-01T10:00:00+08:00", "2024-05-01T10:00:00+08:00"))
    table = pq.read_table(target.path)
    assert (table.num_rows, set(table["site"].to_pylist())) == (2, {"china_tech"})
