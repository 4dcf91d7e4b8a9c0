"""`scrapy feed`: lines on standard output, the cursor last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.archive import Archive
from pipelines.model import Rights
from tests.archive.made import OTHER, STORY, Writer, archive_at
from tests.crawler.commands.invoke import invoke


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        writer = Writer(made)
        writer.shows("a", 0)
        writer.shows("b", 0, OTHER)
        yield made


def test_changes_are_lines_and_the_last_is_the_cursor(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "feed", "--archive", archive.path, "--since", "0")
    lines = [json.loads(text) for text in done.out.splitlines()]
    assert (done.status, done.err) == (0, "")
    assert [list(one) for one in lines] == [["op", "sequence", "id", "record"]] * 2 + [["cursor", "since"]]


def test_a_limit_cuts_and_the_next_answer_goes_on(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    seen, since = [], "0"
    for _ in range(3):
        done = invoke(capsys, "feed", "--archive", archive.path, "--since", since, "--limit", "1")
        *changes, last = map(json.loads, done.out.splitlines())
        seen += [one["sequence"] for one in changes]
        since = last["since"]
    assert seen == [1, 2]


def test_what_is_reserved_for_the_use_is_withheld_and_counted_on_stderr(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    Writer(archive, "china_tech-2.warc.gz").shows("c", 1, STORY[:1], title="另一条新闻", rights=Rights(reserved={"train": True}))
    done = invoke(capsys, "feed", "--archive", archive.path, "--since", "0", "--use", "train")
    *changes, last = map(json.loads, done.out.splitlines())
    assert [one["op"] for one in changes] == ["add", "add", "delete"]
    assert last["since"].endswith("/train")
    assert (done.status, done.err) == (0, "1 of the deletes is an article withheld for their rights: reserved/train 1\n")


def test_segments_are_written_to_a_folder_and_told_on_stderr(archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "segments"
    for says in ("2 changes in 2 new segments", "0 changes in 0 new segments"):
        done = invoke(capsys, "feed", "--archive", archive.path, "--segments", folder, "--limit", "1", "--use", "train")
        assert (done.status, done.out, done.err) == (0, "", f"{says} in {folder}\n")
    told = json.loads((folder / "manifest.json").read_bytes())
    assert [one["name"] for one in told["segments"]] == [f"{n:012}-{n:012}.parquet" for n in (1, 2)]
    assert json.loads(invoke(capsys, "feed", "--archive", archive.path, "--since", told["since"], "--use", "train").out)["cursor"] == 2
    assert invoke(capsys, "feed", "--archive", archive.path, "--segments", folder).status == 20


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "Say from where"),
        (["--since", "0", "more"], 2, "'more' follows no option"),
        (["--since", "0", "--limit", "0"], 2, "1 or more"),
        (["--since", "0", "--segments", "/none/at/all"], 2, "--since and --segments do not go together"),
        (["--segments", "/none/at/all"], 20, "there is no folder /none/at"),
        (["--since", "99"], 20, "never gave the cursor 99; its newest is 2"),
        (["--since", "-1"], 20, "never gave the cursor -1"),
        (["--since", "yesterday"], 20, "'yesterday' is no cursor"),
        (["--since", f"1@{'0' * 32}"], 20, "is of another archive"),
        (["--since", "0", "--archive", "/none"], 21, "there is no archive here"),
    ],
)
def test_what_cannot_be_answered_is_said(
    archive: Archive, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, says: str
) -> None:
    done = invoke(capsys, "feed", "--archive", archive.path, *arguments)
    assert (done.status, done.out) == (status, "")
    assert says in done.err
