"""The report says what was refused and why, what each layout misses, and what is unlike the runs before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines import review as module
from pipelines.archive import Archive
from pipelines.archive.article_record import timestamp
from pipelines.errors import ConfigurationError
from pipelines.model import Extraction, Kind, Reason, Rejection
from pipelines.review import Review, measures, review, sections
from pipelines.tables import Section, as_text
from tests.archive.made import VERSIONS, Writer, address, archive_at, moment
from tests.test_overview import add_run

LEDGER: dict[str, Any] = {
    "site": "china_tech",
    "run": 1,
    "discovered": 40,
    "known": 40,
    "urls": {"visited": 40, "not_due": 0, "left": 0, "set_aside": 0},
    "visits": {"new": 30, "revision": 2, "captcha": 5, "not_modified": 1, "failed/timeout": 2},
    "lists": 12,
    "failures": {"timeout": 2},
    "requests": 60,
    "seconds": 100.0,
    "archive": "archive",
    "articles": {"active": 30, "shown": 30},
}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def writer(archive: Archive) -> Writer:
    return Writer(archive)


def told(archive: Archive, number: int | None = None) -> Review:
    with archive.catalogue.snapshot() as tx:
        return review(tx, number)


def table(made: Review, title: str) -> Section:
    return next(section for section in sections(made) if section.title.startswith(title))


def by(layout: str) -> Extraction:
    return Extraction(method=layout, charset="utf-8", charset_from="header", rules_digest="ab" * 32, versions=VERSIONS)


def unlike(number: int) -> tuple[str, ...]:
    return (f"第{number}条消息说的是编号{number * 7919}的事情，与其他都不相同。",)


def run_between(archive: Archive, first: float, last: float, ledger: dict[str, Any] | None = None) -> int:
    """A run that took place in these days."""
    number = add_run(archive, ledger=LEDGER if ledger is None else ledger)
    from pipelines.archive import schema

    with archive.catalogue.transaction() as tx:
        times = {"started": timestamp(moment(first)), "ended": timestamp(moment(last))}
        tx.execute(schema.run.update().where(schema.run.c.id == number).values(**times))
    return number


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_refusals_are_counted_by_reason_the_most_frequent_first_with_the_newest_as_examples(archive: Archive, writer: Writer) -> None:
    for number in range(5):
        writer.says(address(f"c{number}"), moment(number), Rejection(reason=Reason.CAPTCHA, detail="asks for letters"))
    writer.says(address("gone"), moment(9), Rejection(reason=Reason.GONE, detail="404"))
    writer.shows("a")
    made = told(archive)
    assert list(made.rejected) == ["captcha", "gone"]
    assert made.rejected["captcha"]["count"] == 5
    assert made.rejected["captcha"]["examples"] == [{"url": address(f"c{number}"), "detail": "asks for letters"} for number in (4, 3, 2)]


def test_one_page_counts_once_however_often_it_was_refused(archive: Archive, writer: Writer) -> None:
    for day in range(4):
        writer.says(address("c"), moment(day), Rejection(reason=Reason.CAPTCHA, detail="asks for letters"))
    found = told(archive).rejected["captcha"]
    assert (found["count"], len(found["examples"])) == (1, 1)


def test_what_was_accepted_or_is_no_article_page_is_not_refused(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    writer.shows("a", 1)
    writer.confirmed("a", 2)
    writer.shows("b", 3)
    writer.says(address("list"), moment(4), Rejection(reason=Reason.EMPTY, detail="nothing"), kind=Kind.LISTING)
    assert told(archive).rejected == {}


def test_a_run_has_only_its_own_refusals(archive: Archive, writer: Writer) -> None:
    for day in (0, 5, 9):
        writer.says(address(f"c{day}"), moment(day), Rejection(reason=Reason.CAPTCHA, detail="asks"))
    found = told(archive, run_between(archive, 4, 6)).rejected
    assert found["captcha"] == {"count": 1, "examples": [{"url": address("c5"), "detail": "asks"}]}


# ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_missing_fields_are_shares_by_layout(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0, unlike(1), source="科技日报", authors=("王一",))
    writer.shows("b", 0, unlike(2), source="科技日报", published=None)
    writer.shows("c", 0, unlike(3), extraction=by("consensus"))
    shapes = told(archive).shapes
    assert {name: shape.articles for name, shape in shapes.items()} == {"consensus": 1, "layout:t3": 2}
    t3 = shapes["layout:t3"]
    assert (t3.share("published"), t3.share("source"), t3.share("authors"), t3.share("editors")) == (0.5, 0.0, 0.5, 1.0)
    row = table(told(archive), "Fields that are missing").rows[1]
    assert row[:6] == ("layout:t3", 2, 2 / 3, 0.5, 0.0, 0.5)


def test_a_layout_that_begins_to_miss_a_field_is_named(archive: Archive, writer: Writer) -> None:
    for number in range(12):
        writer.shows(f"old{number}", 0, unlike(number), source="科技日报")
        writer.shows(f"new{number}", 5, unlike(100 + number))
    made = told(archive, run_between(archive, 4, 6))
    assert table(made, "Layouts that changed").rows == (("layout:t3", "without source", 0.0, 1.0),)


def test_a_layout_that_stops_fitting_is_named(archive: Archive, writer: Writer) -> None:
    for number in range(12):
        writer.shows(f"old{number}", 0, unlike(number))
        writer.shows(f"new{number}", 5, unlike(100 + number), extraction=by("consensus"))
    rows = table(told(archive, run_between(archive, 4, 6)), "Layouts that changed").rows
    assert rows == (("consensus", "part of all articles", 0.0, 1.0), ("layout:t3", "part of all articles", 1.0, 0.0))


def test_a_few_articles_are_no_change(archive: Archive, writer: Writer) -> None:
    for number in range(3):
        writer.shows(f"old{number}", 0, unlike(number), source="科技日报")
        writer.shows(f"new{number}", 5, unlike(100 + number))
    assert table(told(archive, run_between(archive, 4, 6)), "Layouts that changed").rows == ()


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_measures_of_a_run_are_in_its_ledger() -> None:
    assert measures(LEDGER) == {
        "discovered": 40,
        "requests": 60,
        "lists": 12,
        "seconds": 100.0,
        "new": 30,
        "revision": 2,
        "rejected": 5,
        "failed": 2,
    }


def test_a_run_is_held_against_the_median_of_those_before_it(archive: Archive) -> None:
    for requests in (50, 60, 1000):
        run_between(archive, 0, 1, {**LEDGER, "requests": requests})
    number = run_between(archive, 2, 3, {**LEDGER, "requests": 200, "lists": 0})
    rows = {row[0]: row[1:] for row in table(told(archive, number), "Against").rows}
    assert rows["requests"] == (200, 60, "more than usual")
    assert rows["lists"] == (0, 12, "less than usual")
    assert rows["new"] == (30, 30, "")


def test_two_runs_before_it_are_no_history(archive: Archive) -> None:
    for day in range(3):
        number = run_between(archive, day, day + 0.5)
    assert table(told(archive, number), "Against").rows == ()


def test_without_a_run_the_last_of_each_site_is_told(archive: Archive) -> None:
    run_between(archive, 0, 1)
    last = run_between(archive, 1, 2)
    other = add_run(archive, site="other", status=None)
    made = told(archive)
    assert [one.id for one in made.runs] == [last, other]
    assert "It left no ledger" in str(table(made, f"Run {other} of other").note)
    assert made.before is None


def test_a_run_that_there_is_not_is_refused(archive: Archive) -> None:
    with pytest.raises(ConfigurationError, match="There is no run 7; there was none yet"):
        told(archive, 7)
    run_between(archive, 0, 1)
    with pytest.raises(ConfigurationError, match="There is no run 7; the last is 1"):
        told(archive, 7)


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_stories_sources_and_domains_are_counted(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0, source="科技日报")
    writer.shows("b", 1, source="科技日报")
    writer.shows("c", 0, unlike(3))
    made = told(archive)
    assert made.clusters["sizes"] == {"1": 1, "2": 1}
    assert [one["size"] for one in made.clusters["largest"]] == [2]
    assert made.sources == {"科技日报": 2, "–": 1}
    assert made.domains == {"tech.example.cn": 3}


def test_what_does_not_fit_into_the_table_is_counted(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOP", 2)
    made = replace(told(archive), sources={"a": 5, "b": 4, "c": 3, "d": 1})
    found = table(made, "Sources")
    assert (found.rows, found.note) == ((("a", 5), ("b", 4)), "and 2 others with 4 articles")


def test_an_empty_archive_has_a_report_too(archive: Archive) -> None:
    assert "Refused pages" in "\n".join(as_text(sections(told(archive))))


def test_all_facts_are_json(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    run_between(archive, 0, 1)
    assert json.loads(json.dumps(asdict(told(archive))))["shapes"]["layout:t3"]["articles"] == 1


def test_a_run_that_is_at_work_reaches_to_now(archive: Archive, writer: Writer) -> None:
    number = add_run(archive, status=None)
    writer.says(address("c"), datetime(2030, 1, 1, tzinfo=UTC), Rejection(reason=Reason.CAPTCHA, detail="asks"))
    assert told(archive, number).rejected["captcha"]["count"] == 1
