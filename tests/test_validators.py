"""What a URL said of itself last time: only what may be stored is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.model import Capture
from pipelines.validators import MAX_VALIDATOR, Validators, http_date, validators_of

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PAST = "Sun, 22 Nov 2026 08:00:00 GMT"
FUTURE = "Tue, 24 Nov 2026 08:00:00 GMT"


def capture(*headers: tuple[str, str]) -> Capture:
    return Capture(url="http://a.test/1", fetched_at=AT, status=200, headers=headers, body=b"")


def test_validators_are_taken_as_received_with_the_capture_that_has_the_body() -> None:
    seen = validators_of(capture(("etag", 'W/"a-1"'), ("LAST-MODIFIED", PAST)))
    assert seen == Validators(etag='W/"a-1"', last_modified=PAST, confirms=("http://a.test/1", AT))


def test_a_page_without_validators_has_none() -> None:
    assert validators_of(capture()).headers == {}


def test_a_last_modified_from_the_future_is_not_stored() -> None:
    seen = validators_of(capture(("ETag", '"1"'), ("Last-Modified", FUTURE)))
    assert (seen.etag, seen.last_modified) == ('"1"', None)


@pytest.mark.parametrize("value", ["", "yesterday", "0", "Sun, 32 Nov 2026 08:00:00 GMT", "\x00", PAST + "\r\nX: y"])
def test_a_last_modified_that_is_no_date_is_not_stored(value: str) -> None:
    assert validators_of(capture(("Last-Modified", value))).last_modified is None


@pytest.mark.parametrize("value", ["", "  ", '"a\r\nX: y"', '"\x1b[31m"', '"标"', '"' + "x" * MAX_VALIDATOR + '"'])
def test_an_etag_that_cannot_go_into_a_request_is_not_stored(value: str) -> None:
    assert validators_of(capture(("ETag", value))).etag is None


@given(st.text(max_size=80))
@settings(deadline=None, max_examples=200)
def test_whatever_a_server_says_what_is_stored_fits_into_one_header_line(value: str) -> None:
    seen = validators_of(capture(("ETag", value), ("Last-Modified", value)))
    assert all(item.isascii() and item.isprintable() for item in seen.headers.values())


@given(st.integers(min_value=0, max_value=4_102_444_800))
@settings(deadline=None, max_examples=100)
def test_a_date_is_read_back_as_it_was_written(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert http_date(format_datetime(moment, usegmt=True)) == moment


def test_a_date_with_another_zone_is_the_same_moment() -> None:
    assert http_date("Mon, 23 Nov 2026 16:00:00 +0800") == AT
    assert http_date("Mon, 23 Nov 2026 08:00:00") == AT


def test_a_date_of_this_very_second_is_not_from_the_future() -> None:
    now = "Mon, 23 Nov 2026 08:00:00 GMT"
    assert validators_of(capture(("Last-Modified", now))).last_modified == now
    later = Capture(
        url="http://a.test/", fetched_at=AT - timedelta(microseconds=1), status=200, headers=(("Last-Modified", now),), body=b""
    )
    assert validators_of(later).last_modified is None
