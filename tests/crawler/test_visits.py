"""What an answer means for the frontier: captures of one lease in, one visit out, over a real catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.frontier import INDEX_INTERVAL
from crawler.session import Session
from crawler.visits import NO_LINKS, Visits, start_rows, start_urls
from pipelines import reading
from pipelines.archive import urltable
from pipelines.archive.ledger import Outcome
from pipelines.archive.schema import page
from pipelines.archive.settlement import settle_withdrawals
from pipelines.archive.urltable import RETRY_AFTER, Row, State, Wanted
from pipelines.model import Kind, Reason, Verdict
from pipelines.schedule import NEVER
from pipelines.stages import Visit, commit_visit
from tests.crawler import made
from tests.crawler.made import HOST, address

START = f"{HOST}/list/1.html"
FLASH = f"{HOST}/flash/"


@pytest.fixture
def visits(session: Session) -> Visits:
    return Visits(session.site, session.archive, session.started, session.counts)


class Desk:
    """Asks for URLs and answers by hand, seconds after the run began."""

    def __init__(self, session: Session, visits: Visits) -> None:
        self.session, self.visits, self.seconds = session, visits, 0.0

    def begin(self, seconds: float = 0.0) -> None:
        """A run begins: its start URLs are known, and due."""
        self.seconds = seconds
        self.visits = Visits(self.session.site, self.session.archive, made.NOW.timestamp() + seconds, self.session.counts)
        for new in start_rows(self.session.site, made.NOW.timestamp() + seconds):
            made.known(self.session, new.url, kind=new.kind, at=seconds, priority=new.priority)

    def lease(self, url: str) -> Row:
        with self.session.archive.catalogue.snapshot() as tx:
            row = urltable.by_url(tx, self.session.site.name, url)
        assert row is not None, f"{url} is not known"
        return row

    def answer(self, url: str, body: bytes = b"", **said: Any) -> Visit:
        """The visit of one answer."""
        self.seconds += 1
        row = self.lease(url)
        exchange = made.exchange(url, body, seconds=self.seconds, kind=row.kind, **said)
        return self.visits.of(row, made.written(self.session, exchange), made.NOW.timestamp() + self.seconds)

    def commit(self, visit: Visit) -> Outcome | None:
        site = self.session.site
        result = reading.read(visit.capture, site) if visit.capture else None
        with self.session.archive.catalogue.transaction() as tx:
            return commit_visit(tx, site, visit, result)

    def give(self, url: str, body: bytes = b"", **said: Any) -> str | None:
        """One answer, committed; the word that it ended in."""
        visit = self.answer(url, body, **said)
        outcome = self.commit(visit)
        return visit.failure or (outcome.word if outcome else None)

    def due(self) -> set[str]:
        """What may still be asked in this run, by URL, in its order."""
        from pipelines.archive import urltable

        now = made.NOW.timestamp() + self.seconds
        wanted = Wanted(now=now, until=now, not_since=self.visits.started, most=1000)
        with self.session.archive.catalogue.transaction() as tx:
            rows = urltable.lease(tx, self.session.site.name, wanted)
            urltable.release(tx, [row.id for row in rows])
        return {row.url for row in rows}


@pytest.fixture
def desk(session: Session, visits: Visits) -> Desk:
    desk = Desk(session, visits)
    desk.begin()
    return desk


# ── where a run begins ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_begins_with_the_first_pages_of_all_lists() -> None:
    assert start_urls(made.site()) == [(Kind.LISTING, START), (Kind.LISTING, FLASH)]


def test_start_urls_are_safe_for_a_request_line() -> None:
    odd = made.site(listings='listings = ["http://news.test/live.php?channel=科技&p={page}"]')
    assert start_urls(odd) == [(Kind.LISTING, "http://news.test/live.php?channel=%E7%A7%91%E6%8A%80&p=1")]


def test_start_rows_go_before_articles() -> None:
    assert all(row.priority > 0 and row.due_at == 5.0 for row in start_rows(made.site(), 5.0))


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_makes_its_articles_known_and_its_next_page_due(desk: Desk) -> None:
    assert desk.give(START, made.list_page([1, 2, 3])) == Kind.LISTING
    assert desk.due() == {FLASH, address(1), address(2), address(3), f"{HOST}/list/2.html"}
    assert made.row_of(desk.session, address(1)).kind == Kind.ARTICLE
    assert made.row_of(desk.session, f"{HOST}/list/2.html").chain == START


def test_a_list_ends_where_a_page_repeats_the_one_before(desk: Desk) -> None:
    desk.give(START, made.list_page([1, 2]))
    desk.give(f"{HOST}/list/2.html", made.list_page([1, 2]))
    assert f"{HOST}/list/3.html" not in desk.due()
    assert made.row_of(desk.session, START).complete_at is not None


def test_a_list_ends_at_its_last_page(desk: Desk) -> None:
    for number in range(1, 6):
        desk.give(f"{HOST}/list/{number}.html", made.list_page([number * 10 + n for n in range(3)]))
    assert f"{HOST}/list/6.html" not in desk.due(), "max_pages"


def test_what_was_known_when_a_list_was_last_read_ends_it(desk: Desk) -> None:
    desk.give(START, made.list_page([1, 2, 3, 4]))
    desk.give(f"{HOST}/list/2.html", made.list_page([]))
    desk.begin(seconds=1000)
    desk.give(START, made.list_page([5, 1, 2, 3, 4]))
    assert {url for url in desk.due() if url.startswith(f"{HOST}/list/")} == set()
    assert address(5) in desk.due()


def test_what_another_list_found_meanwhile_does_not_end_this_one(desk: Desk) -> None:
    desk.give(FLASH, made.list_page([1, 2, 3, 4]))
    desk.give(START, made.list_page([1, 2, 3, 4]))
    assert f"{HOST}/list/2.html" in desk.due()


def test_a_page_that_two_lists_go_on_to_is_asked_once_whichever_of_them_is_committed_last(desk: Desk) -> None:
    """live.shtml of the site is the first page of a list that has a URL of its own, and its "next" is that list's second page."""
    second = f"{HOST}/list/2.html"
    desk.give(START, made.list_page([1, 2]))
    alias = desk.answer(FLASH, made.list_page([1, 2], f'<a class="next" href="{second}">下一页</a>'))
    desk.give(second, made.list_page([3]))
    desk.commit(alias)
    assert alias.settle(None, None).wake == (second,), "else it is no test"
    desk.begin(seconds=7200)
    assert second not in desk.due()


def nights_without_a_second_page(desk: Desk, count: int, first: int = 1) -> None:
    """A start list whose page changes every night and leads to a page that is not there."""
    for night in range(count):
        desk.begin(seconds=86_400 * (first + night))
        desk.give(START, made.list_page(range(10 * (first + night), 10 * (first + night) + 3)))
        if f"{HOST}/list/2.html" in desk.due():
            desk.give(f"{HOST}/list/2.html", status=404)


def failures(desk: Desk) -> dict[str, int]:
    return {word: count for word, count in desk.session.counts.items() if word.startswith("failed/")}


def test_a_list_ends_before_a_page_that_was_not_there_in_two_runs(desk: Desk) -> None:
    nights_without_a_second_page(desk, 1)
    assert made.row_of(desk.session, START).complete_at is None, "it may be back tomorrow"
    assert failures(desk) == {"failed/behind_the_end": 1}, "and no fault"
    nights_without_a_second_page(desk, 1, first=2)
    assert failures(desk) == {"failed/behind_the_end": 1}
    assert made.row_of(desk.session, START).complete_at is not None
    desk.begin(seconds=86_400 * 3)
    desk.give(START, made.list_page([99, 20, 21, 22]))
    assert f"{HOST}/list/2.html" not in desk.due(), "what was known then ends it"


def test_a_page_that_is_away_is_not_the_end_of_a_list_that_was_read_to_its_end(desk: Desk) -> None:
    desk.give(START, made.list_page([1, 2, 3]))
    desk.give(f"{HOST}/list/2.html", made.list_page([1, 2, 3]))
    before = made.row_of(desk.session, START).complete_at
    assert before is not None
    nights_without_a_second_page(desk, 2)
    assert made.row_of(desk.session, START).complete_at == before
    assert failures(desk) == {"failed/http_error": 2}


def test_a_later_page_that_fails_for_nights_is_asked_for_when_the_page_before_leads_to_it_again(desk: Desk) -> None:
    for night in range(6):
        desk.begin(seconds=86_400 * (1 + night))
        desk.give(START, made.list_page(range(10 * night, 10 * night + 3)))
        assert f"{HOST}/list/2.html" in desk.due()
        desk.give(f"{HOST}/list/2.html", status=500)
    assert made.row_of(desk.session, f"{HOST}/list/2.html").state == State.DONE
    desk.begin(seconds=86_400 * 7)
    assert f"{HOST}/list/2.html" not in desk.due(), "by itself it comes more rarely"


def test_a_later_page_that_fails_for_nights_in_a_first_pass_is_asked_ever_more_rarely(desk: Desk) -> None:
    """No other page leads to it: those before it are not read again, and the first one ends where it is known."""
    second, third = f"{HOST}/list/2.html", f"{HOST}/list/3.html"
    asked = []
    for night in range(1, 31):
        desk.begin(seconds=86_400 * night)
        desk.give(START, made.list_page([1, 2, 3]))
        if second in desk.due():
            asked.append(night)
            desk.give(second, status=500)
    assert asked == [1, 2, 3, 4, 5, 6, 8, 10, 13, 18, 25]
    desk.begin(seconds=86_400 * 50)
    desk.give(second, made.list_page([4, 5, 6]))
    assert third in desk.due()


def test_a_later_page_that_asks_to_wait_night_after_night_is_asked_when_it_said(desk: Desk) -> None:
    """Nothing wakes what asked to wait: if it slept, it would sleep for ever."""
    second, wait = f"{HOST}/list/2.html", (("Retry-After", "7200"), ("Content-Type", "text/html"))
    for night in range(5):
        desk.begin(seconds=86_400 * (1 + night))
        desk.give(START, made.list_page(range(10 * night, 10 * night + 3)))
        assert second in desk.due(), night
        assert desk.give(second, status=503, headers=wait) == f"failed/{RETRY_AFTER}"


def test_a_list_ends_where_its_pages_lead_back(desk: Desk) -> None:
    desk.give(FLASH, made.list_page([1], f'<a class="next" href="{FLASH}2.html">下一页</a>'))
    desk.give(f"{FLASH}2.html", made.list_page([2], f'<a class="next" href="{FLASH}3.html">下一页</a>'))
    assert made.row_of(desk.session, FLASH).complete_at is None
    desk.give(f"{FLASH}3.html", made.list_page([3], f'<a class="next" href="{FLASH}2.html">上一页</a>'))
    assert made.row_of(desk.session, FLASH).complete_at is not None


def test_a_list_that_had_links_and_shows_none_has_failed_and_its_validators_are_not_kept(desk: Desk) -> None:
    desk.give(START, made.list_page([1]), headers=(("ETag", '"full"'), ("Content-Type", "text/html")))
    desk.begin(seconds=7200)
    empty = "<html><body><p>系统维护中</p></body></html>".encode()
    assert desk.give(START, empty, headers=(("ETag", '"empty"'), ("Content-Type", "text/html"))) == f"failed/{NO_LINKS}"
    assert made.row_of(desk.session, START).etag == '"full"'
    assert desk.give(FLASH, empty) == Kind.LISTING, "one that never had any may be new"


def test_a_list_whose_links_another_list_had_found_has_failed_too_when_it_shows_none(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    desk.give(FLASH, made.list_page([1]))
    desk.begin(seconds=7200)
    assert desk.give(FLASH, b"<html><body></body></html>") == f"failed/{NO_LINKS}"


@pytest.mark.parametrize(("url", "there"), [(START, f"{HOST}/elsewhere.html"), (address(1), address(2))])
def test_what_a_redirects_target_says_of_its_version_is_kept_as_the_targets(desk: Desk, url: str, there: str) -> None:
    desk.give(START, made.list_page([1]))
    row = desk.lease(url)
    tagged = (("ETag", '"target"'), ("Content-Type", "text/html; charset=utf-8"))
    body = made.list_page([2]) if url == START else made.article_page(2)
    hop = made.exchange(url, status=302, kind=row.kind, headers=(("Location", there),))
    target = made.exchange(there, body, kind=row.kind, headers=tagged, seconds=1)
    captures = (*made.written(desk.session, hop), *made.written(desk.session, target))
    desk.commit(desk.visits.of(row, captures, made.NOW.timestamp() + 2))
    kept = made.row_of(desk.session, url)
    assert (kept.etag, kept.captured_url) == ('"target"', there)


def test_a_list_that_is_as_it_was_costs_no_more_than_one_request(desk: Desk) -> None:
    desk.give(START, made.list_page([1]), headers=(("Content-Type", "text/html"), ("ETag", '"a"')))
    desk.give(f"{HOST}/list/2.html", made.list_page([]))
    row = made.row_of(desk.session, START)
    assert (row.etag, row.captured_url) == ('"a"', START)
    desk.begin(seconds=1000)
    assert desk.give(START, status=304, refers_to=(START, made.NOW)) == Kind.LISTING
    assert f"{HOST}/list/2.html" not in desk.due()


def test_a_304_that_nobody_asked_for_is_a_failure(desk: Desk) -> None:
    assert desk.give(START, status=304) == "failed/http_error"
    desk.give(FLASH, made.list_page([1]))
    assert desk.give(address(1), status=304) == "failed/http_error"
    assert made.row_of(desk.session, address(1)).tries == 1


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_list_with_an_error_has_failed_and_is_kept(desk: Desk, status: int) -> None:
    visit = desk.answer(START, b"<html>error</html>", status=status)
    desk.commit(visit)
    assert (visit.failure, len(visit.earlier)) == ("failed/http_error", 1)
    assert desk.session.counts["failed/http_error"] == 1
    row = made.row_of(desk.session, START)
    assert (row.state, row.reason, row.last_status) == (State.PENDING, "http_error", status)


def test_a_start_listing_is_never_set_aside_however_long_a_site_is_away(desk: Desk) -> None:
    for night in range(1, 8):
        desk.begin(seconds=night * 86_400)
        desk.give(START, status=503)
    assert made.row_of(desk.session, START).state == State.PENDING
    desk.begin(seconds=9 * 86_400)
    assert START in desk.due()


def test_a_feed_that_answers_with_html_is_noticed(tmp_path: Path) -> None:
    session = made.session_at(tmp_path / "feeds", made.site(listings='feeds = ["http://news.test/rss.xml"]'))
    desk = Desk(session, Visits(session.site, session.archive, session.started, session.counts))
    desk.begin()
    assert desk.give(f"{HOST}/rss.xml", b"<!doctype html><html><body><p>no feed here</p></body></html>") == "failed/not_a_feed"
    session.exits.close()


def test_a_followed_list_is_asked_again_when_its_interval_is_over(desk: Desk) -> None:
    desk.give(START, made.list_page([1], f'<a href="{HOST}/topic/7/">专题</a>'))
    topic = f"{HOST}/topic/7/"
    assert topic in desk.due()
    desk.give(topic, made.list_page([9]))
    row = made.row_of(desk.session, topic)
    assert (row.page, row.due_at) == (1, row.last_fetched + row.interval)
    assert row.interval > 0
    assert topic not in desk.due()


def test_what_lies_outside_the_wanted_days_is_skipped_and_counted(session: Session) -> None:
    desk = Desk(session, Visits(session.site, session.archive, session.started, session.counts))
    desk.begin()
    desk.visits = replace(desk.visits, since=date(2026, 9, 8))
    desk.give(START, made.list_page([1, 2]))
    assert session.counts["skipped/outside_dates"] == 2
    assert address(1) not in desk.due()


def days(desk: Desk, since: date | None = None, until: date | None = None, *, seconds: float) -> None:
    """A run of certain days begins. The articles of the test site are all of 2026-09-07."""
    desk.begin(seconds)
    desk.visits = replace(desk.visits, since=since, until=until)


def test_the_page_at_which_a_run_of_certain_days_ended_is_read_by_the_next_run_and_on_from_there(desk: Desk) -> None:
    second, third = f"{HOST}/list/2.html", f"{HOST}/list/3.html"
    days(desk, date(2026, 9, 7), seconds=0)
    old = "".join(f'<li><a href="{HOST}/20260901/{n}.html">旧</a></li>' for n in (7, 8, 9))
    desk.give(START, made.list_page([1, 2, 3]))
    desk.give(second, made.list_page([4], old))
    assert made.row_of(desk.session, START).complete_at is None
    assert not {second, third} & desk.due(), "not in this run"
    desk.begin(seconds=1000)
    desk.give(START, made.list_page([1, 2, 3]))
    desk.give(second, made.list_page([4], old))
    assert third in desk.due()
    desk.give(third, made.list_page([]))
    assert made.row_of(desk.session, START).complete_at is not None
    desk.begin(seconds=2000)
    desk.give(START, made.list_page([1, 2, 3]))
    assert {url for url in desk.due() if "/list/" in url} == set(), "and then it is a list as any other"


def test_a_run_of_certain_days_that_ended_on_the_first_page_leaves_the_list_to_the_next_run(desk: Desk) -> None:
    desk.give(FLASH, made.list_page([1, 2, 3]))
    days(desk, date(2026, 9, 8), seconds=1000)
    desk.give(START, made.list_page([1, 2, 3]))
    desk.begin(seconds=2000)
    desk.give(START, made.list_page([1, 2, 3]))
    assert f"{HOST}/list/2.html" in desk.due(), "all that the first page shows another list had found"


def test_what_a_run_of_certain_days_brought_does_not_end_a_list_that_was_read_to_its_end_before(desk: Desk) -> None:
    desk.give(START, made.list_page([1, 2, 3]))
    desk.give(f"{HOST}/list/2.html", made.list_page([1, 2, 3]))
    before = made.row_of(desk.session, START).complete_at
    days(desk, date(2026, 9, 8), seconds=1000)
    new = "".join(f'<li><a href="{HOST}/20260908/{n}.html">新</a></li>' for n in (11, 12, 13))
    desk.give(START, made.list_page([], new))
    desk.give(f"{HOST}/list/2.html", made.list_page([8, 9, 10]))
    assert made.row_of(desk.session, START).complete_at == before
    desk.begin(seconds=2000)
    desk.give(START, made.list_page([], new))
    assert f"{HOST}/list/2.html" in desk.due()


def test_a_page_with_entries_of_other_days_stays_due_though_the_run_went_on_from_it(desk: Desk) -> None:
    """With `until` a run passes over what is newer."""
    days(desk, until=date(2026, 9, 7), seconds=0)
    new = "".join(f'<li><a href="{HOST}/20260908/{n}.html">新</a></li>' for n in (11, 12, 13))
    for number in (1, 2):
        desk.give(f"{HOST}/list/{number}.html", made.list_page([], new.replace("/1", f"/{number}")))
    desk.give(f"{HOST}/list/3.html", made.list_page([1, 2, 3]))
    assert f"{HOST}/list/4.html" in desk.due()
    desk.begin(seconds=1000)
    assert {url for url in desk.due() if "/list/" in url} == {f"{HOST}/list/{number}.html" for number in (1, 2, 4)}


def test_a_page_further_on_that_was_read_by_itself_is_no_end_of_a_list(desk: Desk) -> None:
    """Several pages are due after a run of certain days: where one part of the list meets the next, that goes on."""
    days(desk, until=date(2026, 9, 7), seconds=0)
    new = "".join(f'<li><a href="{HOST}/20260908/{n}.html">新</a></li>' for n in (11, 12, 13))
    pages = {1: made.list_page([], new), 2: made.list_page([1, 2, 3]), 3: made.list_page([4, 5, 6])}
    for number in (1, 2):
        desk.give(f"{HOST}/list/{number}.html", pages[number])
    desk.begin(seconds=1000)
    for number in (3, 1, 2):
        desk.give(f"{HOST}/list/{number}.html", pages[number])
    assert made.row_of(desk.session, START).complete_at is None
    assert f"{HOST}/list/4.html" in desk.due()
    desk.give(f"{HOST}/list/4.html", made.list_page([]))
    assert made.row_of(desk.session, START).complete_at is not None


def test_a_run_of_certain_days_ends_no_list_before_a_page_that_is_not_there(desk: Desk) -> None:
    second = f"{HOST}/list/2.html"
    for seconds in (0, 1000):
        days(desk, date(2026, 9, 7), seconds=seconds)
        desk.give(START, made.list_page([1, 2, 3]))
        desk.give(second, status=404)
    assert made.row_of(desk.session, START).complete_at is None
    desk.begin(seconds=2000)
    desk.give(second, status=404)
    assert made.row_of(desk.session, START).complete_at is not None


def test_a_first_pass_that_was_broken_off_is_not_ended_by_a_run_of_certain_days(desk: Desk) -> None:
    desk.give(START, made.list_page([1, 2, 3]))
    days(desk, date(2026, 9, 8), seconds=1000)
    desk.give(START, made.list_page([1, 2, 3]))
    desk.give(f"{HOST}/list/2.html", made.list_page([4, 5, 6]))
    desk.begin(seconds=2000)
    assert f"{HOST}/list/2.html" in desk.due()
    assert made.row_of(desk.session, START).complete_at is None


# ── articles ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_first_text_is_new_and_what_it_said_of_itself_is_kept(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    headers = (("Content-Type", "text/html; charset=utf-8"), ("ETag", '"x"'), ("Last-Modified", "Mon, 07 Sep 2026 00:00:00 GMT"))
    assert desk.give(address(1), made.article_page(1), headers=headers) == Verdict.NEW
    row = made.row_of(desk.session, address(1))
    assert (row.state, row.etag, row.last_modified, row.captured_url) == (State.DONE, '"x"', "Mon, 07 Sep 2026 00:00:00 GMT", address(1))
    assert (row.visits, row.tries, row.reason) == (1, 0, None)
    assert address(1) not in desk.due()


def test_a_page_that_is_no_article_says_why_and_leaves_no_validators(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    assert desk.give(address(1), b"", headers=(("ETag", '"x"'),)) == Reason.EMPTY
    row = made.row_of(desk.session, address(1))
    assert (row.reason, row.tries, row.etag) == (Reason.EMPTY, 1, None)


def test_a_known_article_that_is_denied_is_asked_again_a_day_later_not_in_the_next_run(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    desk.give(address(1), made.article_page(1))
    desk.begin(seconds=7200)
    assert desk.give(address(1), status=404) == Reason.GONE
    row = made.row_of(desk.session, address(1))
    assert (row.state, row.reason) == (State.DONE, Reason.GONE)
    assert row.due_at - row.last_fetched > 86_400


def test_the_pages_of_an_article_are_asked_for_one_after_the_other(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    assert desk.give(address(1), made.article_page(1, text=made.LINES[:1], following="1_2.html")) == "awaiting_parts"
    assert address(1, 2) in desk.due()
    assert desk.give(address(1, 2), made.article_page(1, text=made.LINES[1:])) == Verdict.NEW
    assert made.row_of(desk.session, address(1, 2)).due_at == NEVER, "its first page wakes it"


def test_a_page_that_is_as_it_was_leads_to_the_next_one_which_may_have_changed_alone(desk: Desk) -> None:
    first, second = address(1), address(1, 2)
    desk.give(START, made.list_page([1]))
    desk.give(first, made.article_page(1, text=made.LINES[:1], following="1_2.html"))
    desk.give(second, made.article_page(1, text=made.LINES[1:2]))
    desk.begin(seconds=90_000)
    assert second not in desk.due()
    desk.give(first, status=304, refers_to=(first, made.NOW + timedelta(seconds=2)))
    assert second in desk.due()
    desk.give(second, made.article_page(1, text=made.LINES[2:]))
    assert made.texts(desk.session)[first] == f"{made.LINES[0]}\n{made.LINES[2]}"


def test_an_article_whose_second_page_is_never_there_comes_in_with_its_first(desk: Desk) -> None:
    first = made.article_page(1, text=made.LINES, following="1_2.html")
    desk.give(START, made.list_page([1, 2]))
    assert desk.give(address(1), first) == "awaiting_parts"
    for night in range(3):
        desk.begin(seconds=86_400 * night + 10)
        desk.give(address(2), made.article_page(2))
        assert address(1, 2) in desk.due(), night
        assert desk.give(address(1, 2), status=404) == Reason.GONE
    with desk.session.archive.catalogue.transaction() as tx:
        settle_withdrawals(tx, "news")
    assert "\n".join(made.LINES) == made.texts(desk.session)[address(1)]
    desk.begin(seconds=86_400 * 5)
    desk.give(address(1, 2), status=404)
    assert address(1, 2) not in desk.due(), "it sleeps"
    desk.begin(seconds=86_400 * 7)
    desk.give(address(1), first)
    assert address(1, 2) in desk.due(), "its first page wakes it"


def test_a_next_page_that_leads_back_is_not_followed(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    desk.give(address(1), made.article_page(1, text=made.LINES[:1], following="1_2.html"))
    desk.give(address(1, 2), made.article_page(1, text=made.LINES[1:], following="1_2.html"))
    assert address(1, 2) not in desk.due()


@pytest.mark.parametrize("elsewhere", ["http://evil.test/1_2.html", "http://news.test/20260907/2_2.html", "http://news.test/about.html"])
def test_a_next_page_of_another_article_or_host_is_not_followed(desk: Desk, elsewhere: str) -> None:
    desk.give(START, made.list_page([1]))
    before = desk.due()
    desk.give(address(1), made.article_page(1, following=elsewhere))
    assert desk.due() == before - {address(1)}


def test_a_second_page_that_is_gone_takes_nothing_from_its_article(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    desk.give(address(1), made.article_page(1, text=made.LINES[:1], following="1_2.html"))
    desk.give(address(1, 2), made.article_page(1, text=made.LINES[1:]))
    desk.begin(seconds=90_000)
    desk.give(address(1, 2), status=404)
    with desk.session.archive.catalogue.snapshot() as tx:
        parts = [(row.part, row.kind) for row in tx.execute(page.select().order_by(page.c.fetched_at))]
    assert parts == [(1, "text"), (2, "text"), (2, "gone")]


# ── redirects and failures ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_moved_article_is_known_at_its_new_address_and_both_answers_are_kept(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    row = desk.lease(address(1))
    hop = made.exchange(address(1), status=301, seconds=5, headers=(("Location", address(2)),))
    captures = made.written(desk.session, hop, made.exchange(address(2), made.article_page(2), seconds=6))
    visit = desk.visits.of(row, captures, made.NOW.timestamp() + 6)
    assert [capture.url for capture in visit.captures] == [address(1), address(2)]
    outcome = desk.commit(visit)
    assert outcome is not None
    assert (outcome.word, outcome.url) == (Verdict.NEW, address(2))
    assert made.row_of(desk.session, address(1)).state == State.DONE


def test_a_redirect_to_the_home_page_says_that_the_article_is_gone(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    assert desk.give(address(1), status=302, headers=(("Location", f"{HOST}/"),)) == Reason.GONE


def test_a_failure_keeps_what_was_captured_on_its_way(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    row = desk.lease(address(1))
    [busy] = made.written(desk.session, made.exchange(address(1), status=503, seconds=3))
    visit = desk.visits.failure(row, "timeout", (busy,), made.NOW.timestamp() + 4)
    assert desk.commit(visit) is None
    found = made.row_of(desk.session, address(1))
    assert (visit.failure, found.reason, found.tries, found.last_status) == ("failed/timeout", "timeout", 1, 503)
    assert desk.session.counts["failed/timeout"] == 1


def test_a_url_whose_turn_never_came_is_left_as_it_was_and_not_counted(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    desk.commit(desk.visits.failure(desk.lease(address(1)), "run_ended", (), made.NOW.timestamp() + 9))
    row = made.row_of(desk.session, address(1))
    assert (row.state, row.tries, row.last_fetched, row.reason) == (State.PENDING, 0, None, None)
    assert not any(word.startswith("failed") for word in desk.session.counts)


def test_every_visit_knows_what_the_frontier_learns_when_our_own_code_fails(desk: Desk) -> None:
    desk.give(START, made.list_page([1]))
    for visit in (desk.answer(FLASH, made.list_page([])), desk.answer(address(1), made.article_page(1)), desk.answer(FLASH, status=500)):
        assert visit.broken.values["reason"] == "our_fault"
        assert visit.broken.values["tries"] == 1


# ── Retry-After ──────────────────────────────────────────────────────────────────────────────────────────────────────

AWAY = (("Retry-After", "999999999"),)


@pytest.mark.parametrize("url", [address(1), START])
def test_what_asks_for_a_longer_wait_than_a_run_can_bear_waits_by_itself(desk: Desk, url: str) -> None:
    """A day at most; the next run does not wake it earlier, start list or not, and it is no list without links."""
    desk.give(FLASH, made.list_page([1, 2]))
    assert desk.give(url, status=503, headers=AWAY) == "failed/retry_after"
    row = made.row_of(desk.session, url)
    asked = made.NOW.timestamp() + desk.seconds
    assert (row.state, row.reason, row.due_at, row.tries) == (State.PENDING, RETRY_AFTER, asked + 86_400, 1)
    assert desk.session.counts["failed/retry_after"] == 1
    assert address(2) in desk.due(), "nothing else waits"
    with desk.session.archive.catalogue.transaction() as tx:
        urltable.wake(tx, desk.session.site.name, url, asked + 60)
    assert made.row_of(desk.session, url).due_at == row.due_at


# ── other archives ───────────────────────────────────────────────────────────────────────────────────────────────────

CRAWL = "https://index.commoncrawl.org/CC-MAIN-2024-10-index?url=news.test/*"
WAYBACK = "https://web.archive.org/cdx/search/cdx?url=news.test/*"


@pytest.fixture
def looking_back(tmp_path: Path) -> Iterator[Desk]:
    """A site that asks two archives, in a run that has begun."""
    session = made.session_at(tmp_path / "old", made.site(known_margin=f'cdx = ["{CRAWL}", "{WAYBACK}"]\nknown_margin = 3'))
    desk = Desk(session, Visits(session.site, session.archive, session.started, session.counts))
    desk.begin()
    yield desk
    session.exits.close()


def rows_of(*numbers: int) -> bytes:
    """Lines of an index, a capture each."""
    lines = (
        f'{{"url": "{address(number)}", "timestamp": "2024030102030{number}", "status": "200", "mime": "text/html", "digest": "-", '
        f'"offset": "{number}", "length": "9", "filename": "a.warc.gz"}}'
        for number in numbers
    )
    return "\n".join(lines).encode()


COUNT, PAGES = f"{CRAWL}&pageSize=3&showNumPages=true", [f"{CRAWL}&pageSize=3&page={number}" for number in range(2)]
MORE = f"{WAYBACK}&limit=10000&showResumeKey=true"


def key(number: int) -> str:
    return f"record:2024030102030{number}:{address(number)}"


def test_an_index_leads_to_its_pages_and_they_to_captures_at_the_archive(looking_back: Desk) -> None:
    assert looking_back.give(COUNT, b'{"pages": 2}') == "cdx"
    assert set(PAGES) <= looking_back.due()
    assert looking_back.give(PAGES[0], rows_of(1, 2)) == "cdx"
    row = looking_back.lease(key(1))
    assert (row.kind, row.host) == (Kind.RECORD, "data.commoncrawl.org")
    assert looking_back.session.counts["backfill/listed"] == 2
    assert address(1) not in looking_back.due(), "the site itself is not asked"


def test_the_index_of_a_finished_crawl_is_read_once_and_one_that_goes_on_after_a_month(looking_back: Desk) -> None:
    looking_back.give(COUNT, b'{"pages": 1}')
    looking_back.give(PAGES[0], rows_of(1))
    looking_back.give(MORE, b" ".join([b"k", b"20240301020304", address(1).encode(), b"text/html", b"200", b"-", b"9"]))
    assert made.row_of(looking_back.session, COUNT).due_at == NEVER
    assert made.row_of(looking_back.session, PAGES[0]).due_at == NEVER
    assert made.row_of(looking_back.session, MORE).due_at == made.NOW.timestamp() + 3 + INDEX_INTERVAL


def test_a_run_of_certain_days_leaves_the_index_due(looking_back: Desk) -> None:
    looking_back.visits = replace(looking_back.visits, since=date(2026, 9, 8))
    looking_back.give(COUNT, b'{"pages": 1}')
    looking_back.give(PAGES[0], rows_of(1))
    assert looking_back.session.counts["backfill/skipped/outside_dates"] == 1
    assert made.row_of(looking_back.session, PAGES[0]).due_at == made.NOW.timestamp() + 2


def test_an_index_goes_on_where_its_key_says(looking_back: Desk) -> None:
    looking_back.give(MORE, f"k 20240301020304 {address(1)} text/html 200 - 9\n\ntest,news)/b\n".encode())
    assert f"{MORE}&resumeKey=test%2Cnews%29%2Fb" in looking_back.due()


def test_an_index_that_says_in_a_404_that_it_has_nothing_is_read(looking_back: Desk) -> None:
    assert looking_back.give(COUNT, b'{"message": "No Captures found for: news.test/*"}', status=404) == "cdx"
    assert looking_back.give(MORE, b"<html>not here</html>", status=404) == "failed/http_error"
    assert made.row_of(looking_back.session, MORE).state == State.PENDING


def test_what_two_pages_name_is_promised_once(looking_back: Desk) -> None:
    looking_back.give(COUNT, b'{"pages": 2}')
    looking_back.give(PAGES[0], rows_of(1, 2))
    looking_back.give(PAGES[1], rows_of(2, 3))
    assert looking_back.session.counts["backfill/skipped/known"] == 1


def test_a_capture_that_was_taken_is_never_asked_for_again(looking_back: Desk) -> None:
    looking_back.give(COUNT, b'{"pages": 1}')
    looking_back.give(PAGES[0], rows_of(1))
    row = looking_back.lease(key(1))
    old = made.written(looking_back.session, made.exchange(address(1), made.article_page(1), seconds=-1000))
    outcome = looking_back.commit(looking_back.visits.of(row, old, made.NOW.timestamp() + 3))
    assert outcome is not None
    assert outcome.word == Verdict.NEW
    asked = made.row_of(looking_back.session, key(1))
    assert (asked.state, asked.due_at) == (State.DONE, NEVER)


def test_a_broken_promise_is_tried_again_and_then_set_aside_with_its_reason(looking_back: Desk) -> None:
    looking_back.give(COUNT, b'{"pages": 1}')
    looking_back.give(PAGES[0], rows_of(1))
    states = []
    for _ in range(looking_back.session.site.politeness.tries):
        evidence = made.written(looking_back.session, made.exchange("https://data.commoncrawl.org/a.warc.gz", kind=Kind.RECORD))
        looking_back.commit(looking_back.visits.broken(looking_back.lease(key(1)), "record_cut", evidence, made.NOW.timestamp() + 3))
        asked = made.row_of(looking_back.session, key(1))
        states.append((asked.state, asked.reason))
    assert states == [(State.PENDING, "record_cut"), (State.PENDING, "record_cut"), (State.SET_ASIDE, "record_cut")]


def test_an_archive_that_asks_to_wait_is_not_at_fault(looking_back: Desk) -> None:
    looking_back.give(COUNT, b'{"pages": 1}')
    looking_back.give(PAGES[0], rows_of(1))
    headers = (("Retry-After", "7200"),)
    asked_to_wait = made.exchange("https://data.commoncrawl.org/a.warc.gz", status=503, kind=Kind.RECORD, headers=headers)
    evidence = made.written(looking_back.session, asked_to_wait)
    visit = looking_back.visits.broken(looking_back.lease(key(1)), "http_error", evidence, made.NOW.timestamp() + 3)
    assert visit.failure == f"failed/{RETRY_AFTER}"
