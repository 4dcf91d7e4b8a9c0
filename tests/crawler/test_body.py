"""A body is handed on whole, or not at all; of robots.txt the head is enough."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from crawler.body import decoded
from crawler.robots import MAX_BYTES
from pipelines.model import Capture, Kind, Reason, Rejection
from tests.crawler.wire_server import PAGE

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def captured(**fields: object) -> Capture:
    given = {"url": "http://a.test/", "fetched_at": AT, "status": 200, "headers": (), "body": PAGE, **fields}
    return Capture(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("truncated", "reason"),
    [
        ("length", Reason.TOO_LARGE),
        ("time", Reason.PARTIAL),
        ("disconnect", Reason.PARTIAL),
        ("unspecified", Reason.NOT_HTML),
        ("other", Reason.PARTIAL),
    ],
)
def test_a_cut_body_is_never_looked_at(truncated: str, reason: Reason) -> None:
    result = decoded(captured(truncated=truncated, body=b"" if truncated == "unspecified" else PAGE))
    assert isinstance(result, Rejection)
    assert result.reason is reason


def test_of_robots_txt_the_part_below_its_limit_is_good() -> None:
    assert decoded(captured(kind=Kind.ROBOTS, truncated="length", body=b"User-agent: *")) == b"User-agent: *"
    assert isinstance(decoded(captured(kind=Kind.ROBOTS, truncated="disconnect")), Rejection)


def test_of_a_robots_txt_that_unpacks_to_more_than_its_limit_the_head_is_read() -> None:
    packed = gzip.compress(b"User-agent: *\n" * 10**6)
    result = decoded(captured(kind=Kind.ROBOTS, headers=(("Content-Encoding", "gzip"),), body=packed))
    assert isinstance(result, bytes)
    assert (result[:14], len(result)) == (b"User-agent: *\n", MAX_BYTES)


def test_a_smaller_limit_is_kept_to() -> None:
    result = decoded(captured(), len(PAGE) - 1)
    assert isinstance(result, Rejection)
    assert result.reason is Reason.TOO_LARGE
    assert decoded(captured(), len(PAGE)) == PAGE


def test_reading_processes_do_not_import_scrapy_for_it() -> None:
    """A quarter of a second and 30 MB for each of them."""
    subprocess.run([sys.executable, "-c", "import sys, crawler.discovery; sys.exit('scrapy' in sys.modules)"], check=True)
