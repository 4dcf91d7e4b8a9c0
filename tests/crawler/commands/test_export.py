"""`scrapy export`: what its options do, where it writes, and how it ends."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.commands.export import format_of
from pipelines.archive import Archive
from pipelines.formats import FORMATS
from pipelines.model import Rights
from tests.archive.made import OTHER, Writer, archive_at, moment
from tests.crawler.commands.invoke import invoke, scrapy


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        writer = Writer(made)
        writer.shows("a", 0, published=moment(0), rights=Rights(reserved={"train": True}))
        writer.shows("b", 1, published=moment(1))
        writer.shows("c", 2, OTHER, published=moment(40))
        yield made


def test_the_corpus_goes_to_a_pipe_and_the_counts_to_stderr(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "export", "--archive", archive.path, "--to", "-")
    assert done.status == 0
    assert [json.loads(text)["status"] for text in done.out.splitlines()] == ["active", "active"]
    assert done.err == "2 of 3 articles to standard output, cursor 3; left out: copy 1\n"


def test_all_and_use_and_schema_reach_the_export(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "export", "--archive", archive.path, "--to", "-", "--all", "--use", "train", "--schema", "dolma")
    assert [sorted(json.loads(text)) for text in done.out.splitlines()] == [["added", "created", "id", "metadata", "source", "text"]] * 2
    assert "left out: reserved/train 1" in done.err


def test_the_format_is_that_of_the_name(archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "export", "--archive", archive.path, "--to", tmp_path / "out.jsonl.gz")
    assert (done.status, done.out) == (0, "")
    assert len(gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()).splitlines()) == 2
    assert json.loads((tmp_path / "out.jsonl.gz.manifest.json").read_bytes())["articles"]["written"] == 2


@pytest.mark.parametrize(
    ("to", "form"),
    [*((f"out.{form}", form) for form in FORMATS), ("-", "jsonl"), ("corpus", "jsonl"), ("a.b/corpus", "jsonl"), ("x.parquet/", "parquet")],
)
def test_an_ending_that_names_a_format_chooses_it(to: str, form: str) -> None:
    assert format_of(to, None) == form


def test_a_name_without_a_format_takes_the_one_that_is_said() -> None:
    assert format_of("corpus.2024", "csv") == "csv"


def test_a_folder_is_for_parquet(archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(capsys, "export", "--archive", archive.path, "--to", f"{tmp_path}/out/", "--format", "parquet").status == 0
    assert sorted(str(file.relative_to(tmp_path)) for file in (tmp_path / "out").rglob("*.parquet")) == [
        "out/china_tech/2024-03.parquet",
        "out/china_tech/2024-04.parquet",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "Say where to"),
        (["--to", "-", "more"], 2, "'more' follows no option. One site alone: --site SITE"),
        (["--to", "{folder}/y.xlsx"], 20, "y.xlsx: '.xlsx' is no format. End the name in .jsonl, .jsonl.gz, .jsonl.zst, .csv or .parquet"),
        (["--to", "{folder}/y.gz"], 20, "'.gz' is no format"),
        (["--to", "{folder}/y.jsonl.gz", "--format", "jsonl"], 20, "ends in .jsonl.gz, and --format is jsonl"),
        (["--to", "{archive}/catalogue.db", "--format", "csv"], 20, "lies in the archive"),
        (["--to", "{folder}/no/out"], 20, "there is no folder"),
        (["--to", "{folder}", "--format", "csv"], 20, "is a folder"),
        (["--to", "-", "--site", "none"], 20, "no article of a site 'none'. It has: china_tech"),
        (["--to", "-", "--archive", "{folder}/none"], 21, "there is no archive here"),
    ],
)
@pytest.mark.usefixtures("archive")
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, says: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    made = [one.format(archive=tmp_path / "archive", folder=tmp_path) for one in arguments]
    done = invoke(capsys, "export", "--archive", tmp_path / "archive", *made)
    assert done.status == status
    assert says in done.err
    assert done.out == ""
    assert [file for file in sorted(tmp_path.rglob("*")) if file not in before] == []


@pytest.mark.parametrize("option", [["--format", "xml"], ["--schema", "other"], ["--use", "sell"]])
def test_a_word_that_there_is_not_is_refused_with_those_that_there_are(
    archive: Archive, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    with pytest.raises(SystemExit):
        invoke(capsys, "export", "--archive", archive.path, "--to", "-", *option)
    assert "invalid choice" in capsys.readouterr().err


def test_what_goes_to_a_pipe_is_utf_8_whatever_the_locale(archive: Archive) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = scrapy("export", "--archive", archive.path, "--to", "-", env=environment)
    assert done.returncode == 0
    assert "机器人" in done.stdout.decode("utf-8")
