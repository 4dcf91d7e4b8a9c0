"""`scrapy replay`: what may be named, what is read of a folder, and that nothing is made of what is no WARC file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipelines.archive import open_archive
from pipelines.archive.warc import warc_files
from tests.crawler.commands.invoke import Done, invoke
from tests.small_site import SEEDS, Small, usual, write_warc


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with two WARC files, a package of one of them, and what is neither."""
    folder = tmp_path / "in"
    write_warc(folder, usual()[:3], "a")
    write_warc(folder, usual()[3:], "b").rename(folder / "b.WARC.GZ")
    (folder / "README.md").write_text("# What these are\n", encoding="utf-8")
    (folder / "empty").mkdir()
    return folder


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    folder = tmp_path / "seeds"
    folder.mkdir()
    (folder / "small.toml").write_text(SEEDS, encoding="utf-8")
    return folder


def replayed(capsys: pytest.CaptureFixture[str], seeds: Path, *words: object) -> Done:
    return invoke(capsys, "replay", "--archive", seeds.parent / "archive", "--workers", "0", *words, SEEDS_DIR=str(seeds))


def test_of_a_folder_its_warc_files_are_read(sources: Path, seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = replayed(capsys, seeds, sources)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Read 7 captures; 0 were known before.\n")
    with open_archive(tmp_path / "archive") as archive:
        assert len(warc_files(archive.warc_folder)) == 2


def test_of_a_folder_its_packages_are_read(sources: Path, seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = Small(tmp_path / "other")
    small.replay(*sorted(sources.glob("a*")))
    (tmp_path / "packages").mkdir()
    assert invoke(capsys, "package", "--archive", small.folder, "--to", tmp_path / "packages/all.wacz").status == 0
    assert replayed(capsys, seeds, tmp_path / "packages").out.startswith("Read 3 captures;")


def no_warc(folder: Path) -> Path:
    (folder / "README.warc.gz").write_bytes(b"# Read me\n")
    return folder / "README.warc.gz"


def no_package(folder: Path) -> Path:
    (folder / "README.wacz").write_bytes(b"# Read me\n")
    return folder / "README.wacz"


def package_of_nothing(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "x.wacz", "w") as package:
        package.writestr("datapackage.json", "{}")
    return folder / "x.wacz"


@pytest.mark.parametrize("made", [no_warc, no_package, package_of_nothing])
def test_where_nothing_can_be_read_no_archive_is_made(
    made: object, seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(made)
    named = made(tmp_path)
    done = replayed(capsys, seeds, named)
    assert (done.status, done.out) == (20, "")
    assert done.err == f"scrapy replay: {named}: there is no WARC record in it. Expected WARC files (.warc, .warc.gz) or WACZ packages.\n"
    assert not (tmp_path / "archive").exists()


def test_beside_files_that_can_be_read_the_others_are_told(
    sources: Path, seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = replayed(capsys, seeds, sources, no_warc(tmp_path))
    assert done.status == 12
    assert "Damaged: README.warc.gz at byte 0: there is no WARC record in it; the file was not taken in.\n" in done.out
    assert done.out.endswith("1 record is damaged, 0 pages are quarantined (tracebacks in quarantine/).\n")


@pytest.mark.parametrize(
    ("word", "status", "says"),
    [
        ("", 2, "Name at least one WARC file, or a folder of them"),
        ("none.warc", 20, "none.warc: there is no such file or folder"),
        ("empty", 20, "empty: there is no WARC file in this folder. Expected"),
    ],
)
def test_what_cannot_be_read_is_said_and_no_archive_is_made(
    sources: Path, capsys: pytest.CaptureFixture[str], word: str, status: int, says: str
) -> None:
    done = invoke(capsys, "replay", "--archive", sources / "archive", *([sources / word] if word else []))
    assert (done.status, done.out) == (status, "")
    assert says in done.err
    assert not (sources / "archive").exists()


def test_of_a_folder_that_is_an_archive_its_own_folder_of_warc_files_is_named(
    sources: Path, seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = Small(tmp_path / "old")
    old.replay(*sorted(sources.glob("a*")))
    done = replayed(capsys, seeds, old.folder)
    assert done.status == 20
    assert f"Those of an archive lie in {old.folder / 'warc'}" in done.err


def test_the_catalogue_is_where_the_setting_says(sources: Path, seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "elsewhere.db"
    words = ["--archive", tmp_path / "archive", "--workers", "0", sources]
    done = invoke(capsys, "replay", *words, SEEDS_DIR=str(seeds), CATALOGUE_URL=f"sqlite:///{place}")
    assert done.status == 0
    assert place.exists()
    assert not (tmp_path / "archive/catalogue.db").exists()
