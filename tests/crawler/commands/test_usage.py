"""A command line that cannot be meant: every command says which word is wrong, and does nothing."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipelines.dedup.difference import Change
from tests.archive.made import Writer, archive_at
from tests.crawler.commands.invoke import COMMANDS, INSTEAD, Done, invoke, scrapy

OURS = sorted({path.stem for path in COMMANDS.glob("[a-z]*.py")} - {*INSTEAD})
TAKE_NONE = ("export", "feed", "list", "reextract", "report", "status", "takedown", "verify", "version")


def refused(capsys: pytest.CaptureFixture[str], *words: Any) -> Done:
    done = invoke(capsys, *words)
    assert (done.status, done.out) == (2, "")
    return done


@pytest.mark.parametrize("command", OURS)
def test_an_option_that_there_is_not_is_named(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, command, "--bogus").err
    assert said == f"there is no option --bogus. `scrapy {command} --help` lists them.\n"


@pytest.mark.parametrize("command", TAKE_NONE)
def test_an_argument_that_no_option_takes_is_named(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, command, "more").err.startswith("'more' follows no option. ")


@pytest.mark.parametrize("option", ["--logfile", "--pidfile", "--profile"])
@pytest.mark.parametrize("place", ["/none/at/all", "/tmp"])  # noqa: S108  # a folder, where nothing is written
def test_a_file_of_scrapys_own_that_cannot_be_is_refused_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, place: str
) -> None:
    said = refused(capsys, "replay", "--archive", tmp_path / "new", "any.warc.gz", option, place).err
    assert said.startswith(f"{option} {place}: no file can be written there. ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("command", "option"), [("status", "--archive"), ("feed", "--segments"), ("report", "--html")])
def test_a_variable_that_nobody_has_set_names_no_place(command: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        invoke(capsys, command, option, "")
    assert "'' names no place" in capsys.readouterr().err


def test_a_word_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    """In a process of its own: it is the interpreter that reads the command line."""
    with archive_at(tmp_path / "archive") as made:
        Writer(made).shows("a", 0)
    place = str(tmp_path).encode() + b"/\xff.jsonl"
    done = scrapy("export", "--archive", tmp_path / "archive", "--to", place.decode("utf-8", "surrogateescape"))
    assert done.returncode == 2
    assert b"is no UTF-8" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_crawl_takes_the_archive_as_every_other_command_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "archive").write_bytes(b"")
    done = invoke(capsys, "crawl", "china_tech", "--archive", tmp_path / "archive", ARCHIVE_DIR="/none")
    assert done.status == 21
    assert str(tmp_path / "archive") in done.err


def told_by(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What `--help` of a command says, on one line."""
    with pytest.raises(SystemExit):
        invoke(capsys, command, "--help")
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("command", ["export", "feed"])
def test_the_help_of_use_says_that_a_seeds_file_withholds_besides(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "what its rights reserve for this use, beside what the seeds files withhold" in told_by(command, capsys)


def explained(command: str) -> str:
    """What the help of a command says before its options."""
    made: str = import_module(f"crawler.commands.{command}").Command().long_desc()
    return made


@pytest.mark.parametrize("command", OURS)
def test_the_status_that_every_command_may_end_with_stands_in_operations_alone(command: str) -> None:
    assert re.search(r"Exit status.*\b2 ", explained(command)) is None


def test_the_help_of_history_explains_every_kind_of_difference() -> None:
    assert [change for change in Change if f"{change} (" not in explained("history")] == []


def test_the_help_of_export_says_how_to_ask_for_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert "with --format parquet and / at its end a folder, split by site and month" in told_by("export", capsys)
