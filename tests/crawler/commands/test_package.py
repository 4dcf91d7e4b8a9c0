"""`scrapy package`: what goes into a WACZ file, what is left out of it, and how the command ends."""

from __future__ import annotations

import fcntl
import zipfile
from pathlib import Path

import pytest

from tests.crawler.commands.invoke import invoke
from tests.small_site import Small, usual, write_warc


@pytest.fixture
def made(tmp_path: Path) -> Small:
    """An archive of two WARC files."""
    small = Small(tmp_path / "archive")
    small.replay(write_warc(tmp_path / "in", usual()[:3], "a"), write_warc(tmp_path / "in", usual()[3:], "b"))
    return small


def files(made: Small) -> list[Path]:
    return sorted((made.folder / "warc").iterdir())


def packed(package: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(package) as opened:
        return {name.removeprefix("archive/"): opened.read(name) for name in opened.namelist() if name.startswith("archive/")}


def test_all_files_are_packed_as_they_are_and_the_package_replays(made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "package", "--archive", made.folder, "--to", tmp_path / "all.wacz")
    assert (done.status, done.out) == (0, "")
    assert "2 WARC files" in done.err
    assert packed(tmp_path / "all.wacz") == {path.name: path.read_bytes() for path in files(made)}
    again = Small(tmp_path / "again")
    assert sum(again.replay(tmp_path / "all.wacz").outcomes.values()) == 7


def test_only_the_files_that_are_named_are_packed(made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = files(made)[1].name
    assert invoke(capsys, "package", "--archive", made.folder, "--to", tmp_path / "one.wacz", f"somewhere/{name}").status == 0
    assert list(packed(tmp_path / "one.wacz")) == [name]


def test_a_file_that_a_crawl_is_writing_is_left_out_and_named(made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with files(made)[0].open("rb") as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        done = invoke(capsys, "package", "--archive", made.folder, "--to", tmp_path / "rest.wacz")
    assert done.status == 0
    assert f"left out, a crawl is writing it: {files(made)[0].name}" in done.err
    assert list(packed(tmp_path / "rest.wacz")) == [files(made)[1].name]


def test_what_is_damaged_is_packed_and_said(made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = files(made)[0]
    path.write_bytes(path.read_bytes()[:-20])
    done = invoke(capsys, "package", "--archive", made.folder, "--to", tmp_path / "all.wacz")
    assert done.status == 12
    assert "damaged, packed as it is" in done.err
    assert packed(tmp_path / "all.wacz")[path.name] == path.read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "{}/all.zip"], "ends in .wacz"),
        ([], "--to FILE.wacz"),
        (["--to", "{}/no/x.wacz"], "there is no folder"),
        (["--to", "{}/../archive/warc/x.wacz"], "lies in the archive"),
        (["--to", "{}/../.wacz"], "is a folder. Name a file"),
        (["--to", "{}/all.wacz", "unknown.warc.gz"], "unknown.warc.gz: no such file"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(
    made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / ".wacz").mkdir()
    done = invoke(
        capsys,
        "package",
        "--archive",
        made.folder,
        *(word.format(folder) for word in words),
    )
    assert done.status != 0
    assert said in done.err + done.out
    assert list(folder.iterdir()) == []


def test_an_archive_without_files_has_nothing_to_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = Small(tmp_path / "archive")
    with small.open():
        pass
    done = invoke(capsys, "package", "--archive", small.folder, "--to", tmp_path / "all.wacz")
    assert done.status == 20
    assert "no WARC file that is finished" in done.err
