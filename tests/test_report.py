from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines import report
from pipelines.archive import Archive, open_archive, schema, urltable
from pipelines.archive.urltable import NewUrl
from pipelines.model import Hints, Kind, Reason, Verdict
from pipelines.report import lines, reconciles
from tests.small_site import small
from tests.small_site import url as small_url

QUIET: dict[str, Any] = {
    "site": "test",
    "discovered": 0,
    "known": 5,
    "lists": 2,
    "urls": {"visited": 1, "not_due": 4, "left": 0, "set_aside": 0},
    "visits": {"unchanged": 1},
    "requests": 3,
    "seconds": 1.25,
    "archive": "archive",
    "articles": {"active": 4, "shown": 3},
}
"""the ledger of a night in which nothing happened"""


def said(ledger: dict[str, Any]) -> dict[str, str]:
    """The report's lines, by name."""
    pairs = (line.strip().split("  ", 1) for line in lines(ledger))
    return {name: text.strip() for name, text in pairs}


def test_numbers_that_were_not_met_are_printed_by_host() -> None:
    gaps = {
        "one.example.cn": {"covered": 30, "seen": 28, "missing": 2},
        "two.example.cn": {"covered": 4, "seen": 4, "missing": 0},
    }
    assert said(QUIET | {"gaps": gaps})["numbers not met"] == "one.example.cn 2 of 30"


def test_a_site_without_numbers_has_no_such_line() -> None:
    assert "numbers not met" not in said(QUIET)
    assert "numbers not met" not in said(QUIET | {"gaps": {}})


def test_links_that_were_left_out_are_printed_by_reason() -> None:
    skipped = {"trap": 30, "too_deep": 2, "outside_dates": 0}
    assert said(QUIET | {"skipped": skipped})["links skipped"] == "32 (too_deep 2, trap 30)"
    assert "links skipped" not in said(QUIET | {"skipped": {}})


def test_a_host_that_was_given_up_is_named_with_the_reason() -> None:
    assert said(QUIET | {"given_up": {"one.example.cn": "it refused us 5 times in a row"}})["given up"] == (
        "one.example.cn: it refused us 5 times in a row"
    )
    assert "given up" not in said(QUIET | {"given_up": {}})


def test_the_printed_counts_of_articles_add_up_to_those_fetched() -> None:
    words = [*Verdict, *Reason, "awaiting_parts", "failed/timeout", "failed/our_fault"]
    visits = {word: number for number, word in enumerate(words, 1)}
    told = said(QUIET | {"urls": QUIET["urls"] | {"visited": sum(visits.values())}, "visits": visits})
    names = ("new", "duplicates", "revisions", "unchanged", "pages of several", "rejected", "failed articles")
    counts = [int(told[name].split()[0].rstrip(",")) for name in names] + [visits[Reason.NOT_MODIFIED]]
    assert sum(counts) == sum(visits.values()) == int(told["fetched"].split()[0])


def test_articles_that_failed_and_lists_that_failed_are_two_counts() -> None:
    visits = {"visits": {"unchanged": 1, "failed/timeout": 1, "failed/our_fault": 1}, "failures": {"timeout": 3, "http_error": 1}}
    told = said(QUIET | visits)
    assert told["failed articles"] == "2 (our_fault 1, timeout 1)"
    assert told["failed lists"] == "3 (http_error 1, timeout 2)"


def test_captures_of_other_archives_that_failed_are_no_lists() -> None:
    asked = {"taken": {}, "waiting": 1, "promised": 1, "set_aside": 0, "listed": 0, "failed": {"record_cut": 1}}
    told = said(QUIET | {"failures": {"record_cut": 1}, "backfill": asked})
    assert (told["failed lists"], told["broken promises"]) == ("0", "1 (record_cut 1)")


def test_a_crawl_delay_that_is_cut_is_told_and_one_that_is_kept_is_not() -> None:
    delays = {"a.test": {"asked": 30.0, "kept": 1.5}, "b.test": {"asked": 5.0, "kept": 5.0}}
    told = said(QUIET | {"crawl_delays": delays})
    assert told["robots.txt asks for"] == "30 s between two requests to a.test; 1.5 s are kept, as max_crawl_delay says"
    assert list(report.crawl_delays(QUIET | {"crawl_delays": delays}))[1] == "5 s between two requests to b.test"
    assert "robots.txt asks for" not in said(QUIET)


LIST = "http://a.test/list.html"


@pytest.mark.parametrize(
    ("untaken", "said"),
    [
        (
            {"links": 12, "examples": ["http://a.test/1", "http://a.test/2"]},
            "12 links, none matches `article`, e.g. http://a.test/1 and http://a.test/2",
        ),
        ({"links": 1, "examples": ["http://a.test/1"]}, "1 link, none matches `article`, e.g. http://a.test/1"),
        ({"links": 0, "examples": []}, "no links; a script may build the list"),
        (
            {"links": 1, "examples": ["http://a.test/"], "foreign": 9, "foreign_examples": ["http://b.test/1"]},
            "1 link, none matches `article`, e.g. http://a.test/; 9 links to hosts that `hosts` does not name, e.g. http://b.test/1",
        ),
        (
            {"links": 0, "foreign": 9, "foreign_examples": ["http://b.test/1"]},
            "9 links to hosts that `hosts` does not name, e.g. http://b.test/1",
        ),
    ],
)
def test_links_that_no_rule_takes_are_told_with_examples(untaken: dict[str, Any], said: str) -> None:
    empty = {"links": 0, "examples": [], "foreign": 0, "foreign_examples": []}
    assert dict(report.untaken(QUIET | {"untaken": {LIST: empty | untaken}})) == {LIST: said}
    assert list(report.untaken(QUIET)) == []


def test_one_is_not_several() -> None:
    told = said(QUIET | {"discovered": 1, "lists": 1, "requests": 1, "articles": {"shown": 1}})
    assert told["discovered"] == "1 new article URL on 1 list; 5 known"
    assert told["fetched"] == "1 article URL in 1 request"
    assert told["archive"] == "archive: 1 article of test in the corpus"


def test_what_was_not_asked_was_not_fetched() -> None:
    visits = {"visits": {"new": 1, "failed/robots": 2, "failed/timeout": 1}, "urls": {**QUIET["urls"], "visited": 4}}
    assert said(QUIET | visits)["fetched"] == "2 article URLs in 3 requests; 2 not asked"


def test_the_report_of_a_sample_promises_nothing() -> None:
    told = said(QUIET | {"is_sample": True, "urls": {**QUIET["urls"], "left": 7}, "left_because": "max_articles"})
    assert told["left"] == "7 (max_articles)"
    assert told["archive"] == "none: 3 articles were in the corpus of the sample"
    assert "left for the next run" not in told


def test_the_lines_stand_in_two_columns() -> None:
    rows = lines(QUIET | {"gaps": {"one.example.cn": {"covered": 9, "seen": 9, "missing": 0}}})
    width = max(len(name) for name in said(QUIET))
    assert all(row[: width + 4].rstrip() == "  " + row[: width + 4].strip() for row in rows)
    assert all(row[width + 3] == " " and row[width + 4] != " " for row in rows)


def test_a_ledger_reconciles_when_every_known_url_is_accounted_for() -> None:
    assert reconciles(QUIET)
    assert not reconciles(QUIET | {"known": 6})
    assert not reconciles(QUIET | {"visits": {"unchanged": 2}})


def test_a_site_has_an_article_where_one_stands_at_a_url_of_its_own_whoever_read_it_first(tmp_path: Path) -> None:
    """Other sites have asked for pages of `small`: an article, a copy that the corpus does not show, what is gone, and nothing yet."""
    read = {"robot": "same", "robot-copy": "other", "lost": "lost", None: "nobody"}
    with small(tmp_path).open() as archive, archive.catalogue.transaction() as tx:
        for name, site in read.items():
            address = small_url(name or "robot")
            urltable.discover(tx, site, [NewUrl(url=address, host="news.example.cn", kind=Kind.ARTICLE, due_at=0.0)], 0.0)
            row = urltable.by_url(tx, site, address)
            at = tx.scalar(sa.select(schema.capture.c.fetched_at).where(schema.capture.c.url == address).limit(1))
            assert row is not None
            if name is not None:
                urltable.settle(tx, row.id, {"captured_url": address, "captured_at": at})
        assert [report.has_articles(tx, site) for site in ("same", "other", "lost", "nobody", "small")] == [True, True, False, False, True]
        assert report.articles(tx, "other") == {"shown": 0}
        tx.execute(schema.article.update().values(status="withdrawn"))
        assert not report.has_articles(tx, "other")


BEFORE, STARTED, NOW = 900.0, 1_000.0, 1_100.0


def backfill(folder: Path, promised: dict[str, float], counts: dict[str, int]) -> dict[str, Any]:
    """What is told of captures that were promised at these times, and of these counts."""
    with open_archive(folder / "archive", create=True) as archive, archive.catalogue.transaction() as tx:
        for key, at in promised.items():
            urltable.discover(tx, "test", [NewUrl(url=key, host="data.test", kind=Kind.RECORD, due_at=at)], at)
        return report.backfill(tx, "test", STARTED, counts)


def test_nothing_is_told_of_other_archives_where_none_was_asked(tmp_path: Path) -> None:
    assert backfill(tmp_path, {}, {"requests": 4}) == {}


@pytest.mark.parametrize("twice", [0, 3])
def test_a_capture_that_two_answers_promise_before_either_is_written_down_is_fresh_once_and_known_then(tmp_path: Path, twice: int) -> None:
    counts = {"backfill/listed": 5 + twice, "backfill/wanted": 2 + twice, "backfill/skipped/status": 2, "backfill/skipped/known": 1}
    told = backfill(tmp_path, {"record:old": BEFORE, "record:a": NOW, "record:b": NOW}, counts)
    assert (told["promised"], told["fresh"], told["waiting"]) == (3, 2, 3)
    assert told["skipped"] == {"status": 2, "known": 1 + twice}
    assert told["listed"] == told["fresh"] + sum(told["skipped"].values())


# ── where a run begins ───────────────────────────────────────────────────────────────────────────────────────────────

LIST, FEED, MOVED = "http://a.test/list/1.html", "http://a.test/rss.xml", "http://a.test/new/"


def on_lists(folder: Path) -> Archive:
    """Two start lists, of which one redirects and the other has failed, and what became known on them and elsewhere."""
    archive = open_archive(folder / "archive", create=True)
    found = {"old": (LIST, BEFORE), "a": (LIST, NOW), "b": (MOVED, NOW), "deep": ("http://a.test/list/2.html", NOW), "lost": (None, NOW)}
    with archive.catalogue.transaction() as tx:
        for url in (LIST, FEED, "http://a.test/list/2.html"):
            urltable.discover(tx, "test", [NewUrl(url=url, host="a.test", kind=Kind.LISTING, due_at=0.0)], BEFORE)
        for name, (via, at) in found.items():
            new = NewUrl(url=f"http://a.test/{name}", host="a.test", kind=Kind.ARTICLE, due_at=at, hints=Hints(via=via))
            urltable.discover(tx, "test", [new], at)
        for url, values in ((LIST, {"captured_url": MOVED}), (FEED, {"reason": "timeout"})):
            row = urltable.by_url(tx, "test", url)
            assert row is not None
            urltable.settle(tx, row.id, {"last_fetched": NOW, **values})
    return archive


def test_start_lists_that_were_read_are_counted_and_later_pages_are_none(tmp_path: Path) -> None:
    with on_lists(tmp_path) as archive, archive.catalogue.snapshot() as tx:
        assert report.starts(tx, "test", {LIST, FEED}, started=STARTED) == {"named": 2, "read": 1}
        assert report.starts(tx, "test", {LIST, FEED}, started=NOW + 1) == {"named": 2, "read": 0}
        assert report.starts(tx, "test", set(), started=STARTED) == {"named": 0, "read": 0}


def test_what_start_lists_showed_is_what_became_known_on_their_first_pages_since(tmp_path: Path) -> None:
    with on_lists(tmp_path) as archive, archive.catalogue.snapshot() as tx:
        assert report.found_on(tx, "test", {LIST, FEED}, STARTED) == 2, "a, and b where the list has moved to"
        assert report.found_on(tx, "test", {LIST, FEED}, BEFORE - 1) == 3
        assert report.found_on(tx, "elsewhere", {LIST, FEED}, BEFORE - 1) == 0
