"""`scrapy history`: the revisions of one article, for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.archive import Archive
from pipelines.archive.article_record import article_id
from tests.archive.made import STORY, Writer, address, archive_at, article, moment
from tests.crawler.commands.invoke import invoke

SHORTER = (*STORY[:2], "公司没有说第二座工厂建在哪里。")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        yield made


def told(capsys: pytest.CaptureFixture[str], archive: Archive, name: str) -> str:
    done = invoke(capsys, "history", "--archive", archive.path, name)
    assert (done.status, done.err) == (0, "")
    return done.out


def test_an_article_may_be_named_as_for_takedown(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    Writer(archive).shows("a", 0)
    assert invoke(capsys, "history", "--archive", archive.path, "--url", address("a")).out == told(capsys, archive, address("a"))


def test_each_revision_has_its_date_its_difference_and_its_sentences(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer(archive)
    writer.shows("a", 0)
    writer.shows("a", 1, SHORTER)
    lines = told(capsys, archive, address("a")).splitlines()
    assert lines[0] == "机器人装好一台整机"
    assert lines[1] == f"  {address('a')}"
    assert "active, seen first 2024-03-01 02:00 UTC, last 2024-03-02 02:00 UTC" in lines[2]
    headings = [line.split("  ")[:3] for line in lines if line.startswith("revision")]
    assert headings == [["revision 1", "2024-03-01 02:00 UTC", "first"], ["revision 2", "2024-03-02 02:00 UTC", "body_large"]]
    assert f"  -{STORY[2]}" in lines
    assert f"  +{SHORTER[2]}" in lines
    assert not any(STORY[0] in line for line in lines), "what stayed is left out"


def test_the_cluster_is_told_and_who_is_shown(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer(archive)
    writer.shows("a", 0, published=moment(0))
    writer.shows("b", 1, published=moment(1))
    assert "one story with 1 other article; the corpus shows this one" in told(capsys, archive, address("a"))
    assert f"the corpus shows {address('a')}" in told(capsys, archive, address("b"))
    writer.withdrawn("a", 2)
    writer.withdrawn("b", 5)
    assert "the corpus shows none of them" in told(capsys, archive, article_id(address("a")))


def test_any_address_that_the_seeds_know_to_be_the_same_will_do(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    url = "http://tech.china.com.cn/roll/20240301/400001.shtml"
    Writer(archive).says(url, moment(0), article(url))
    assert url in told(capsys, archive, f"{url}?from=timeline&utm_source=x#top")


def test_without_seeds_the_address_itself_is_looked_up(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    Writer(archive).shows("a")
    done = invoke(capsys, "history", "--archive", archive.path, address("a"), SEEDS_DIR="/none")
    assert done.status == 0


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "Name one article"),
        (["a", "b"], 2, "Name one article"),
        (["a", "--url", address("a")], 2, "Name one article"),
        ([address("none")], 20, "knows no article"),
        (["--archive", "/none", "x"], 21, "there is no archive here"),
    ],
)
def test_what_cannot_be_told_is_said(
    archive: Archive, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, says: str
) -> None:
    done = invoke(capsys, "history", "--archive", archive.path, *arguments)
    assert (done.status, done.out) == (status, "")
    assert says in done.err
