"""A replay of a site's own WARC files leaves the rows of its articles as the crawl of then had left them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.archive import schema, urltable
from pipelines.archive.article_record import timestamp
from pipelines.archive.borrowed import series
from pipelines.archive.urltable import NewUrl, State
from pipelines.model import Hints, Kind, Reason
from pipelines.schedule import NEVER
from tests.small_site import BATTERY, HOST, ROBOT, START, Small, confirmation, exchange, listing, page, url, write_warc
from tests.test_takedown import states, take

TAGGED = (("Content-Type", "text/html; charset=utf-8"), ("ETag", '"one"'), ("Last-Modified", "Sat, 31 Oct 2026 02:00:00 GMT"))
RETAGGED = (("Content-Type", "text/html; charset=utf-8"), ("ETag", '"two"'))
BORN = datetime.fromisoformat("2026-10-31T09:15:00+08:00").timestamp()
DAY = 86_400.0


@pytest.fixture
def made(tmp_path: Path) -> Small:
    return Small(tmp_path / "archive")


def rows(made: Small) -> dict[str, Any]:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        return {row.url: row for row in tx.execute(sa.select(schema.url))}


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def validators(row: Any) -> tuple[Any, ...]:
    return (row.etag, row.last_modified, row.captured_url, row.captured_at)


FIRST = ('"one"', "Sat, 31 Oct 2026 02:00:00 GMT", url("robot"), timestamp(START))


def test_a_page_that_was_fetched_is_known_with_what_its_answer_said_of_its_version(made: Small) -> None:
    hints = Hints(via=f"{HOST}/list/", title="机器人", terms="content-usage: bots=n")
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED, hints=hints)])
    [row] = rows(made).values()
    assert (row.site, row.url, row.host, row.kind) == ("small", url("robot"), "news.example.cn", "article")
    assert validators(row) == FIRST
    assert (row.state, row.tries, row.reason, row.last_status, row.visits) == (State.DONE, 0, None, 200, 1)
    assert (row.last_fetched, row.last_changed, row.discovered_at) == (START.timestamp(),) * 3
    assert row.due_at == BORN + 7 * DAY, "a day old when it was fetched"
    assert row.hints == '{"via": "http://news.example.cn/list/", "title": "机器人"}', "what robots.txt said is asked anew"


def test_a_confirmation_is_a_visit_and_leaves_the_version_as_it_was(made: Small) -> None:
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED), confirmation("robot", 7)])
    [row] = rows(made).values()
    assert validators(row) == FIRST
    assert (row.visits, row.last_status, row.last_fetched) == (2, 304, at(7).timestamp())


def test_a_later_version_takes_the_place_of_the_one_before(made: Small) -> None:
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED), exchange("robot", page(ROBOT[:2]), 7, headers=RETAGGED)])
    [row] = rows(made).values()
    assert validators(row) == ('"two"', None, url("robot"), timestamp(at(7)))
    assert row.last_changed == at(7).timestamp()


@pytest.mark.parametrize("newer", [confirmation("robot", 7), exchange("robot", b"", 7, status=500)])
def test_an_older_file_that_is_read_later_gives_the_version_only(made: Small, newer: Any) -> None:
    made.bring([newer], "small-b")
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED)], "small-a")
    [row] = rows(made).values()
    assert validators(row) == FIRST
    assert (row.last_status, row.last_fetched) == (newer.status, at(7).timestamp())


def test_an_older_version_that_is_read_later_changes_nothing(made: Small) -> None:
    made.bring([exchange("robot", page(ROBOT[:2]), 7, headers=RETAGGED)], "small-b")
    before = rows(made)
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED)], "small-a")
    assert rows(made) == before


def test_a_denial_is_asked_again_by_the_ladder(made: Small) -> None:
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED), exchange("robot", b"", 8, status=404)])
    [row] = rows(made).values()
    assert (row.reason, row.tries, row.due_at) == (Reason.GONE, 1, at(8).timestamp() + 25 * 3600)
    assert validators(row) == FIRST


def test_what_failed_as_often_as_it_may_is_asked_more_rarely_or_set_aside(made: Small) -> None:
    tries = made.site.politeness.tries
    for day in range(tries):
        made.bring([exchange("robot", b"", day, status=500), exchange("gone", b"", day, status=404)])
    found = rows(made)
    robot, gone = found[url("robot")], found[url("gone")]
    assert (robot.state, robot.tries, robot.reason) == (State.DONE, tries, Reason.HTTP_ERROR)
    assert robot.due_at == at(tries - 1).timestamp() + 86_400
    assert (gone.state, gone.tries, gone.reason) == (State.SET_ASIDE, tries, Reason.GONE)


def test_an_article_that_no_rule_fits_today_is_set_aside_until_one_does_and_then_due(tmp_path: Path) -> None:
    made = Small(tmp_path / "archive", deny="/2026/robot")
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED)])
    [row] = rows(made).values()
    assert (row.state, row.reason, row.due_at) == (State.SET_ASIDE, urltable.NO_RULE, START.timestamp())


def test_an_article_that_led_to_a_page_that_no_rule_fits_is_not_asked_again(tmp_path: Path) -> None:
    made = Small(tmp_path / "archive", deny="/2026/robot")
    made.bring([hop("old", url("robot"), 0), exchange("robot", page(ROBOT), 0.1)])
    row = rows(made)[url("old")]
    assert (row.state, row.reason, row.due_at) == (State.DONE, Reason.OUT_OF_SCOPE, NEVER)


@pytest.mark.parametrize(("last", "tries", "reason"), [(500, 4, Reason.HTTP_ERROR), (404, 1, Reason.GONE), (200, 0, None)])
def test_the_further_tries_of_a_run_are_one_visit_with_the_answer_of_the_last(
    made: Small, last: int, tries: int, reason: Reason | None
) -> None:
    """A run writes files of its own, and asks once for a page; but for an error (crawler/retries.py)."""
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED)])
    for day in range(8, 12):
        answers = (500, 500, last if day == 11 else 500)
        made.bring([exchange("robot", page(ROBOT), day + n / DAY, status=status) for n, status in enumerate(answers)])
    [row] = rows(made).values()
    assert (row.visits, row.tries, row.reason, row.last_status) == (5, tries, reason, last)


def test_an_error_before_a_denial_in_one_visit_is_not_what_the_denial_follows(made: Small) -> None:
    for day in (0, 8):
        made.bring([exchange("robot", b"", day + n / DAY, status=status) for n, status in enumerate((500, 404))])
    [row] = rows(made).values()
    assert (row.tries, row.reason, row.visits) == (2, Reason.GONE, 2)


# ── redirects, pages of several parts ────────────────────────────────────────────────────────────────────────────────


def hop(name: str, to: str, day: float) -> Any:
    return exchange(name, b"", day, status=301, headers=(("Location", to),))


def test_a_redirect_is_one_visit_of_the_address_that_was_asked_for_and_of_the_one_that_answered(made: Small) -> None:
    """A crawl asks once for a page, though lists name it and redirects lead there (crawler/sharing.py)."""
    made.bring([hop("old", url("older"), 0), hop("older", "robot.html", 0.1), exchange("robot", page(ROBOT), 0.2, headers=TAGGED)])
    assert rows(made).keys() == {url("old"), url("robot")}
    for row in rows(made).values():
        assert validators(row) == ('"one"', TAGGED[2][1], url("robot"), timestamp(at(0.2))), "with the address that they go back to"
        assert (row.state, row.last_status, row.visits) == (State.DONE, 200, 1)


@pytest.mark.parametrize("between", [[], [hop("older", url("robot"), 0.2)]])
def test_each_of_several_addresses_that_redirect_to_one_page_has_its_row(made: Small, between: list[Any]) -> None:
    """Their answer is one: a crawl shares it (crawler/sharing.py)."""
    to = url("older" if between else "robot")
    made.bring([hop("old-a", to, 0), hop("old-b", to, 0.1), *between, exchange("robot", page(ROBOT), 0.3)])
    found = rows(made)
    assert found.keys() == {url("old-a"), url("old-b"), url("robot")}
    for row in found.values():
        assert (row.state, row.reason, row.last_status, row.visits) == (State.DONE, None, 200, 1)


def test_the_page_that_one_was_led_to_is_known_when_it_was_asked_for_itself(made: Small) -> None:
    made.bring([hop("old", url("robot"), 0), exchange("robot", page(ROBOT), 0.1), exchange("robot", page(ROBOT), 0.2, headers=TAGGED)])
    assert sorted(rows(made)) == sorted([url("old"), url("robot")])
    assert rows(made)[url("robot")].etag == '"one"'


def test_a_redirect_that_led_nowhere_may_pass(made: Small) -> None:
    made.bring([hop("old", url("robot"), 0)])
    [row] = rows(made).values()
    assert (row.url, row.reason, row.tries, row.due_at) == (url("old"), Reason.REDIRECT, 1, START.timestamp())


def test_a_further_try_of_a_page_is_one_of_the_address_that_led_there(made: Small) -> None:
    made.bring([hop("old", url("robot"), 0), exchange("robot", b"", 0.1, status=500), exchange("robot", page(ROBOT), 0.2)])
    for row in rows(made).values():
        assert (row.reason, row.tries, row.visits, row.captured_url) == (None, 0, 1, url("robot"))


def test_each_of_several_redirects_that_led_nowhere_may_pass(made: Small) -> None:
    made.bring([hop("old-a", url("robot"), 0), hop("old-b", url("robot"), 0.1)])
    assert {name: row.reason for name, row in rows(made).items()} == dict.fromkeys((url("old-a"), url("old-b")), Reason.REDIRECT)


def test_who_is_led_to_a_page_that_fails_tries_it_within_the_visit_of_its_run(made: Small) -> None:
    """An answer that may be over in a minute serves nobody but who asked (crawler/sharing.py)."""
    made.bring([exchange("robot", page(ROBOT))])
    for day in (8, 16):
        leads = [
            (hop(name, url("robot"), day + n), exchange("robot", b"", day + n + 0.1, status=500)) for name, n in (("a", 0.1), ("b", 0.3))
        ]
        made.bring([exchange("robot", b"", day, status=500), *leads[0], *leads[1]])
    found = rows(made)
    assert [(found[url(name)].tries, found[url(name)].visits) for name in ("robot", "a", "b")] == [(2, 3), (2, 2), (2, 2)]


def test_the_next_page_of_an_article_is_known_though_it_was_never_fetched(tmp_path: Path) -> None:
    made = Small(tmp_path / "archive", more='next_part = ["a.next"]\n')
    made.bring([exchange("robot", page(ROBOT).replace(b"</body>", "<a class='next' href='robot_2.html'>下一页</a></body>".encode()))])
    part = rows(made)[f"{HOST}/2026/robot_2.html"]
    assert (part.state, part.page) == (State.PENDING, 2)


def test_a_later_part_sleeps_until_its_first_page_wakes_it(made: Small) -> None:
    made.bring([exchange("robot", page(ROBOT)), exchange("robot_2", page(BATTERY), 0.1)])
    assert rows(made)[f"{HOST}/2026/robot_2.html"].due_at == NEVER


# ── what is left alone ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prefix", ["other", "smaller", series("small")])
def test_files_that_the_crawl_of_this_site_did_not_write_leave_no_row(made: Small, prefix: str) -> None:
    """Nobody says that the site was asked for what they hold, nor when: their pages would all be due at once."""
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED)], prefix)
    assert rows(made) == {}


def test_lists_leave_no_row(made: Small) -> None:
    """Only the lists know what was found and not yet fetched: they are read once more, whole."""
    made.bring([listing(["robot"])])
    assert rows(made) == {}


def test_what_was_taken_down_leaves_no_row(made: Small) -> None:
    take(made, url=url("robot"))
    before = states(made)
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED)])
    assert states(made) == before


@pytest.mark.parametrize("state", [State.LEASED, State.DONE])
def test_a_row_that_is_at_work_or_knows_more_stays_as_it_is(made: Small, state: State) -> None:
    with made.open() as archive, archive.catalogue.transaction() as tx:
        urltable.discover(tx, "small", [NewUrl(url=url("robot"), host="news.example.cn", kind=Kind.ARTICLE, due_at=0)], 0)
        fetched = at(1).timestamp() if state is State.DONE else None
        known = timestamp(at(1)) if state is State.DONE else None
        tx.execute(schema.url.update().values(state=state, last_fetched=fetched, captured_at=known))
    before = rows(made)
    made.bring([exchange("robot", page(ROBOT), headers=TAGGED)])
    assert rows(made) == before


def test_a_file_that_is_read_again_is_no_further_visit(made: Small, tmp_path: Path) -> None:
    path = write_warc(tmp_path, [exchange("robot", page(ROBOT), headers=TAGGED)])
    made.replay(path)
    before = rows(made)
    made.replay(path)
    assert rows(made) == before
