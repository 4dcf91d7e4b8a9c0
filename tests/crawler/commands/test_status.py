"""`scrapy status`: what a person wants to know first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.commands.status import sections, sentence, size
from pipelines.archive import Archive, urltable
from pipelines.archive.urltable import NewUrl
from pipelines.model import Kind
from pipelines.overview import Run, glance
from pipelines.tables import Section
from tests.archive.made import OTHER, STORY, Writer, address, archive_at, article, moment
from tests.crawler.commands.invoke import invoke
from tests.test_overview import add_run
from tests.test_review import LEDGER


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        yield made


def seen(archive: Archive, now: float = 0.0) -> dict[str, Section]:
    return {section.title.split()[0]: section for section in sections(glance(archive, now), "here", now)}


def test_a_new_archive_says_that_there_is_nothing_yet(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "status", "--archive", archive.path)
    assert (done.status, done.err) == (0, "")
    assert "none yet" in done.out
    assert f"Archive {archive.path}" in done.out


def test_articles_runs_urls_and_the_cursor_are_told(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    Writer(archive).shows("a")
    add_run(archive, ledger=LEDGER)
    done = invoke(capsys, "status", "--archive", archive.path)
    assert "feed cursor 1" in done.out
    assert "1 story, each in one article" in done.out
    assert "Partial: 2 articles failed; the next run goes on with them." in done.out


def test_articles_that_wait_for_a_page_are_named(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer(archive)
    assert "Waiting" not in seen(archive)
    for number in range(12):
        name = address(f"a{number:02}")
        writer.says(name, moment(number), article(name, STORY, next_url=f"{name}_2"))
    writer.shows("b")
    told = seen(archive)["Waiting"]
    assert (len(told.rows), told.rows[0][1], told.note) == (10, address("a00"), "and 2 more")
    writer.says(address("a00"), moment(20), article(address("a00"), OTHER, part=2))
    assert seen(archive)["Waiting"].note == "and 1 more"


def test_when_the_next_url_is_due_is_told(archive: Archive) -> None:
    urls = [NewUrl(url=f"https://h.example/{due}", host="h.example", kind=Kind.ARTICLE, due_at=float(due)) for due in (60, 90)]
    with archive.catalogue.transaction() as tx:
        urltable.discover(tx, "s", urls, 0.0)
    assert seen(archive, now=0.0)["URLs"].rows == (("s", 2, 0, 0, 0, 0, "1970-01-01 00:01 UTC"),)
    assert seen(archive, now=70.0)["URLs"].rows == (("s", 2, 0, 0, 0, 1, "now"),)


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ({"ended": None, "status": None, "ledger": None}, "Has not ended since 2024-03-01 02:00 UTC: it is at work, or it was killed."),
        ({"status": 23, "ledger": {}}, "Broken off by a fault"),
        ({"ledger": {**LEDGER, "failures": {}}}, "Good: everything that was due is accounted for."),
        ({"ledger": {**LEDGER, "lists": 0}}, "Nothing saved: no list could be read."),
    ],
)
def test_a_run_is_told_in_the_words_that_it_ended_with(rest: dict[str, Any], says: str) -> None:
    values = {"id": 1, "site": "s", "started": "2024-03-01T02:00:00.000000Z", "ended": "2024-03-01T03:00:00.000000Z", "status": 0}
    assert sentence(Run(**{**values, **rest})).startswith(says)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (120 * 2**20, "120 MiB"),
        (2**40, "1 TiB"),
        (5000 * 2**40, "5e+03 TiB"),
    ],
)
def test_sizes_are_told_in_three_digits(count: int, words: str) -> None:
    assert size(count) == words


def test_an_archive_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "status", "--archive", tmp_path / "none")
    assert (done.status, done.out) == (21, "")
    assert done.err.startswith("scrapy status: ")
    assert not (tmp_path / "none").exists()


def test_the_setting_names_the_archive_where_no_option_does(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"Archive {archive.path}" in invoke(capsys, "status", ARCHIVE_DIR=str(archive.path)).out


def test_another_argument_is_a_mistake(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(capsys, "status", archive.path).status == 2
