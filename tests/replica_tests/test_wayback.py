"""The replica's Wayback Machine: rows and resume keys of its index, and replays with the time and the headers of then."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest

from tests.replica import captures, days
from tests.replica.captures import WAYBACK, Held, held
from tests.replica.wayback import FIELDS, MOST_ROWS, replay_of, respond

CDX = "https://web.archive.org/cdx/search/cdx"
HELD = held(WAYBACK)


def index(question: str) -> tuple[int, bytes]:
    kind, (status, _, body) = respond(f"{CDX}?{question}")
    assert kind == "index"
    assert isinstance(body, bytes)
    return status, body


def table(question: str) -> list[list[str]]:
    status, body = index(f"{question}&output=json")
    assert status == 200
    return [list(row) for row in json.loads(body)]


def walked(question: str) -> Iterator[list[str]]:
    """All rows, by as many answers as it takes."""
    on = ""
    while True:
        header, *rows = table(f"{question}&showResumeKey=true{on}")
        assert header == list(FIELDS)
        if [] not in rows:
            yield from rows
            return
        *shown, empty, [key] = rows
        assert empty == []
        yield from shown
        on = f"&resumeKey={key}"


@pytest.mark.parametrize("limit", [1, 2, MOST_ROWS, 10_000])
def test_answers_go_on_at_their_key_until_every_capture_was_shown_once(limit: int) -> None:
    assert len(HELD) > MOST_ROWS
    found = list(walked(f"url=*.china.com.cn&limit={limit}"))
    assert [(row[2], row[1], row[5]) for row in found] == [(one.url, one.stamp, one.digest) for one in HELD]


def test_a_key_may_come_back_escaped_once_more() -> None:
    key = table("url=*.china.com.cn&limit=2&showResumeKey=true")[-1][0]
    assert table(f"url=*.china.com.cn&limit=2&resumeKey={key}") == table(f"url=*.china.com.cn&limit=2&resumeKey={quote(key)}")


def test_no_key_is_given_where_none_was_asked_for_or_nothing_is_left() -> None:
    assert [] not in table("url=*.china.com.cn&limit=2")
    assert [] not in table("url=news.china.com.cn/*&showResumeKey=true")


def test_nothing_is_an_empty_array() -> None:
    assert table("url=example.org/*") == []


def test_without_json_rows_are_lines_and_the_key_stands_behind_an_empty_one() -> None:
    _, body = index("url=*.china.com.cn&limit=2&showResumeKey=true")
    first, second, empty, key = body.decode().splitlines()
    assert [first.split(" "), second.split(" ")] == table("url=*.china.com.cn&limit=2")[1:]
    assert (empty, key) == ("", table("url=*.china.com.cn&limit=2&showResumeKey=true")[-1][0])


@pytest.mark.parametrize(
    ("rule", "statuses"), [("statuscode:200", {"200"}), ("!statuscode:200", {"404"}), ("statuscode:[24]..", {"200", "404"})]
)
def test_a_filter_keeps_the_rows_that_fit(rule: str, statuses: set[str]) -> None:
    assert {row[4] for row in walked(f"url=*.china.com.cn&filter={quote(rule)}")} == statuses


@pytest.mark.parametrize("question", ["output=json", "url=*.china.com.cn&collapse=digest"])
def test_a_question_that_is_not_understood_is_an_error(question: str) -> None:
    assert index(question)[0] == 400


@pytest.mark.parametrize("one", HELD, ids=lambda one: one.stamp)
def test_a_replay_is_the_answer_of_then_with_its_time_and_its_headers(one: Held) -> None:
    kind, (status, headers, body) = respond(replay_of(one))
    assert (kind, status, body) == ("replay", one.status, one.body)
    assert parsedate_to_datetime(headers["Memento-Datetime"]) == one.at
    assert headers["Link"].startswith(f'<{one.url}>; rel="original"')
    for name, value in one.headers.items():
        assert headers[f"X-Archive-Orig-{name}"] == value


def test_a_body_that_was_sent_with_a_coding_is_replayed_with_it() -> None:
    one = next(one for one in HELD if "Content-Encoding" in one.headers)
    _, (_, headers, body) = respond(replay_of(one))
    assert isinstance(body, bytes)
    assert headers["Content-Encoding"] == "gzip"
    assert one.true is not None
    charset = "gb18030" if one.true.template == "T1" else "utf-8"
    assert one.true.title in gzip.decompress(body).decode(charset)


def test_another_second_leads_to_the_nearest_capture() -> None:
    one = next(one for one in HELD if one.url == days.OFF_HOST)
    _, (status, headers, _) = respond(replay_of(one).replace(one.stamp, "20260101000000"))
    assert (status, headers["Location"]) == (302, replay_of(one))


def test_what_is_not_there_is_404_without_a_time() -> None:
    for url in (f"https://web.archive.org/web/20200101000000id_/{captures.still_here()[0].url}", "https://web.archive.org/none"):
        _, (status, headers, _) = respond(url)
        assert (status, "Memento-Datetime" in headers) == (404, False)


def test_it_has_a_robots_txt() -> None:
    assert respond("https://web.archive.org/robots.txt")[0] == "robots"
