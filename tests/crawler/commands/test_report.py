"""`scrapy report`: for people, for browsers, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.archive import Archive
from pipelines.model import Reason, Rejection
from tests.archive.made import Writer, address, archive_at, moment
from tests.crawler.commands.invoke import invoke
from tests.test_overview import add_run
from tests.test_review import LEDGER


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        writer = Writer(made)
        writer.shows("a", 0, source="<b>科技日报</b>")
        writer.says(address("c"), moment(0), Rejection(reason=Reason.CAPTCHA, detail="asks for \x1b[31mletters"))
        add_run(made, ledger=LEDGER)
        yield made


def test_people_read_reasons_examples_and_shares(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "report", "--archive", archive.path)
    assert (done.status, done.err) == (0, "")
    for word in ("captcha", address("c"), "layout:t3", "科技日报", "Run 1 of china_tech", "40 new article URLs on 12 lists"):
        assert word in done.out
    assert "\x1b" not in done.out


def test_a_browser_gets_a_page_that_runs_nothing(archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "report.html"
    done = invoke(capsys, "report", "--archive", archive.path, "--html", page)
    assert (done.status, done.out) == (0, f"Written: {page}\n")
    made = page.read_text(encoding="utf-8")
    assert made.startswith("<!doctype html>")
    assert "&lt;b&gt;科技日报&lt;/b&gt;" in made
    assert "<script" not in made


def test_the_page_goes_to_a_pipe_as_an_export_does(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    invoke(capsys, "report", "--archive", archive.path, "--html", page)
    monkeypatch.chdir(tmp_path)
    done = invoke(capsys, "report", "--archive", archive.path, "--html", "-")
    assert (done.status, done.out, done.err) == (0, page.read_text(encoding="utf-8"), "")
    assert not (tmp_path / "-").exists()


def test_programs_get_json(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "report", "--archive", archive.path, "--json", "--run", "1")
    made = json.loads(done.out)
    assert made["title"] == "Run 1 of china_tech"
    assert made["rejected"]["captcha"]["count"] == 1
    assert made["runs"][0]["ledger"]["discovered"] == 40
    assert done.out.isascii()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--run", "7"], 20, "There is no run 7; the last is 1"),
        (["--html", "{folder}"], 20, "is a folder. Name a file"),
        (["--html", "{folder}/no/report.html"], 20, "there is no folder"),
        (["1"], 2, "'1' follows no option. Name the archive with --archive DIR, a run with --run ID"),
        (["--html", "/dev/null"], 20, "is no regular file"),
        (["--html", "{folder}/archive/catalogue.db"], 20, "lies in the archive"),
        (["--html", "x", "--json"], 2, "One of"),
        (["--archive", "{folder}/none"], 21, "there is no archive here"),
    ],
)
@pytest.mark.usefixtures("archive")
def test_what_cannot_be_told_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, says: str
) -> None:
    done = invoke(capsys, "report", "--archive", tmp_path / "archive", *(one.format(folder=tmp_path) for one in arguments))
    assert (done.status, done.out) == (status, "")
    assert says in done.err
