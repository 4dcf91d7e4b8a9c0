"""Captures of other archives on their way: promised, wanted or not, asked for, taken, and never twice, over a real catalogue."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from crawler import backfill
from crawler.backfill import Window
from crawler.session import Session
from pipelines import flow, reading
from pipelines.archive.borrowed import Borrowed, Promise, borrowed
from pipelines.archive.urltable import State
from pipelines.model import Hints, Kind, Link, Reason
from pipelines.takedown import Which, takedown
from tests.crawler import made
from tests.crawler.made import address

AT = "20240301020304"
MOMENT = datetime(2024, 3, 1, 2, 3, 4, tzinfo=UTC)
DATA = "https://data.commoncrawl.org/a.warc.gz"


def replay(number: int, at: str = AT) -> Promise:
    url = address(number)
    return Promise(source=f"https://web.archive.org/web/{at}id_/{url}", url=url, at=at)


def link(promise: Promise, number: int = 1) -> Link:
    return Link(url=promise.key(address(number)), kind=Kind.RECORD, hints=Hints(via=promise.place()))


def known(session: Session, promise: Promise, number: int = 1) -> str:
    """A row for what was promised; its key."""
    key = promise.key(address(number))
    made.known(session, key, kind=Kind.RECORD, hints=Hints(via=promise.place()), priority=-100)
    return key


def take(session: Session, promise: Promise, number: int = 1) -> None:
    """The capture, as a run takes it, and committed."""
    capture = session.take(answered(promise, number), made.NOW)
    result = reading.read(capture, session.site)
    with session.archive.catalogue.transaction() as tx:
        flow.write(tx, capture, session.site, result)


def answered(promise: Promise, number: int = 1) -> Borrowed:
    date_line = ("Memento-Datetime", f"{promise.moment:%a, %d %b %Y %H:%M:%S} GMT")
    answer = made.exchange(promise.source, made.article_page(number), headers=(("Content-Type", "text/html; charset=utf-8"), date_line))
    result = borrowed(promise, answer)
    assert isinstance(result, Borrowed)
    return result


def take_away(session: Session, number: int) -> None:
    session.close_files()
    takedown(session.archive, Which(url=address(number)), "a court said so", made.NOW, lambda _: session.site)


# ── the request ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_is_asked_for_by_its_range_and_no_more_of_the_answer_is_read() -> None:
    promise = Promise(source=DATA, url=address(1), at=AT, offset=500, length=1000)
    asked = backfill.asked(made.row(url=promise.key(address(1)), kind=Kind.RECORD, hints=Hints(via=promise.place())))
    assert (asked.url, asked.promise, asked.maxsize) == (DATA, promise, 1000)
    assert asked.headers == {"Range": "bytes=500-1499", "Accept-Encoding": "identity"}


def test_a_replay_is_asked_for_as_any_page() -> None:
    asked = backfill.asked(made.row(url=replay(1).key(address(1)), kind=Kind.RECORD, hints=Hints(via=replay(1).place())))
    assert (asked.url, asked.headers, asked.maxsize) == (replay(1).source, {}, None)


# ── what is wanted ───────────────────────────────────────────────────────────────────────────────────────────────────


def wanted(session: Session, *links: Link, window: Window | None = None) -> tuple[list[Link], Counter[str]]:
    with session.archive.catalogue.snapshot() as tx:
        return backfill.wanted(tx, session.site, links, window or Window())


def test_what_is_not_had_is_wanted_and_other_links_are_none_of_it(session: Session) -> None:
    page = Link(url=address(2), kind=Kind.ARTICLE)
    assert wanted(session, link(replay(1)), page) == ([link(replay(1))], Counter())


def test_what_was_promised_before_is_not_wanted_again(session: Session) -> None:
    known(session, replay(1))
    assert wanted(session, link(replay(1))) == ([], Counter(known=1))


def test_what_the_archive_has_of_that_second_is_not_wanted(session: Session) -> None:
    take(session, replay(1))
    other = replay(1, "20240301020305")
    assert wanted(session, link(replay(1)), link(other)) == ([link(other)], Counter(had=1))


def test_what_was_taken_down_is_never_wanted(session: Session) -> None:
    take(session, replay(1))
    take_away(session, 1)
    other = replay(1, "20240401000000")
    assert wanted(session, link(other)) == ([], Counter({Reason.TAKEN_DOWN.value: 1}))


@pytest.mark.parametrize(
    ("window", "is_wanted"),
    [
        (Window(since=date(2026, 9, 8)), False),
        (Window(until=date(2026, 9, 6)), False),
        (Window(since=date(2026, 9, 7), until=date(2026, 9, 7)), True),
    ],
)
def test_a_run_of_certain_days_wants_the_articles_of_these(session: Session, window: Window, is_wanted: bool) -> None:
    links, skipped = wanted(session, link(replay(1)), window=window)
    assert (len(links), skipped["outside_dates"]) == (is_wanted, not is_wanted)


# ── what has become needless ─────────────────────────────────────────────────────────────────────────────────────────


def needless(session: Session) -> dict[str, str]:
    """Of all that may be leased, by key."""
    rows = made.leased(session)
    with session.archive.catalogue.snapshot() as tx:
        found = backfill.needless(tx, rows)
    return {row.url: found[row.id] for row in rows if row.id in found}


def test_what_came_in_another_way_is_needless(session: Session) -> None:
    key = known(session, replay(1))
    known(session, replay(2), 2)
    take(session, replay(1))
    assert needless(session) == {key: "had"}


def test_what_was_taken_down_meanwhile_is_needless(session: Session) -> None:
    take(session, replay(1))
    key = known(session, replay(1, "20240401000000"))
    take_away(session, 1)
    assert needless(session) == {key: Reason.TAKEN_DOWN}


def test_pages_and_lists_are_never_needless(session: Session) -> None:
    take(session, replay(1))
    made.known(session, address(1))
    made.known(session, f"{made.HOST}/flash/", kind=Kind.LISTING)
    assert needless(session) == {}


def test_what_is_had_is_done_and_what_was_taken_down_is_set_aside_without_its_place() -> None:
    assert backfill.put_away("had")["state"] == State.DONE
    assert backfill.put_away(Reason.TAKEN_DOWN) == {"state": State.SET_ASIDE, "reason": Reason.TAKEN_DOWN, "hints": None}
