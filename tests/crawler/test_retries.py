"""What is worth asking for once more in a run: little, and what we refused ourselves never."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
)

from crawler.guard import Refused
from crawler.retries import tries_after_failure, tries_after_response
from pipelines.model import Reason, Rejection
from tests.crawler.crawl_once import Crawl, crawl
from tests.crawler.wire_server import WireServer, in_turn, page, resets


def rejection(reason: Reason) -> Rejection:
    return Rejection(reason=reason, detail="x")


@pytest.mark.parametrize("status", [200, 204, 301, 304, 400, 401, 403, 404, 410, 451, 501, 505, 999])
def test_an_answer_that_says_what_it_means_is_not_asked_for_again(status: int) -> None:
    assert tries_after_response(status, None, timed_out=False) == 0


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524])
def test_a_server_in_trouble_is_asked_once_or_twice_more(status: int) -> None:
    assert 1 <= tries_after_response(status, None, timed_out=False) <= 2


@pytest.mark.parametrize(("reason", "tries"), [(Reason.PARTIAL, 2), (Reason.BAD_ENCODING, 1), (Reason.TOO_LARGE, 0), (Reason.NOT_HTML, 0)])
def test_a_broken_transfer_is_worth_another_and_a_large_one_is_not(reason: Reason, tries: int) -> None:
    assert tries_after_response(200, rejection(reason), timed_out=False) == tries


def test_a_transfer_that_took_too_long_is_tried_once_more_only() -> None:
    assert tries_after_response(200, rejection(Reason.PARTIAL), timed_out=True) == 1


@pytest.mark.parametrize(
    ("failure", "tries"),
    [
        (DownloadTimeoutError(), 1),
        (DownloadConnectionRefusedError(), 1),
        (CannotResolveHostError(), 1),
        (DownloadFailedError(), 2),
        (Refused("address", "x"), 0),
        (IgnoreRequest(), 0),
        (ValueError(), 0),
    ],
)
def test_a_request_without_an_answer_is_repeated_by_what_went_wrong(failure: Exception, tries: int) -> None:
    assert tries_after_failure(failure) == tries


@pytest.fixture(scope="module")
def troubled() -> Iterator[tuple[dict[str, WireServer], Crawl]]:
    flaky = {
        "flaky_reset": in_turn(resets(), page()),
        "flaky_500": in_turn(page(b"", "500 Oops"), page(b"", "500 Oops"), page()),
        "permanent_500": page(b"", "500 Oops"),
        "gone": page(b"", "404 Not Found"),
    }
    servers = {name: WireServer({"/robots.txt": page(b""), "/a/x": answer}) for name, answer in flaky.items()}
    for server in servers.values():
        server.__enter__()
    urls = [{"url": server.url("/a/x"), "lease": name} for name, server in servers.items()]
    closed = "127.0.0.1:1"
    yield servers, crawl([*urls, f"http://{closed}/a/x"], [*(server.host for server in servers.values()), closed])
    for server in servers.values():
        server.__exit__()


@pytest.mark.parametrize(
    ("name", "status", "times"), [("flaky_reset", 200, 2), ("flaky_500", 200, 3), ("permanent_500", 500, 3), ("gone", 404, 1)]
)
def test_a_page_is_asked_for_as_often_as_it_is_worth(
    troubled: tuple[dict[str, WireServer], Crawl], name: str, status: int, times: int
) -> None:
    servers, result = troubled
    outcome = result.of(servers[name].url("/a/x"))
    assert (outcome.status, outcome.lease) == (status, name)
    assert servers[name].count("/a/x") == times


def test_each_try_is_captured(troubled: tuple[dict[str, WireServer], Crawl]) -> None:
    servers, result = troubled
    url = servers["flaky_500"].url("/a/x")
    assert [record["status"] for record in result.records(url)] == [500, 500, 200]
    assert result.of(url).earlier == 2


def test_a_host_that_refuses_connections_is_asked_for_robots_txt_twice_and_for_nothing_else(
    troubled: tuple[dict[str, WireServer], Crawl],
) -> None:
    _, result = troubled
    outcome = result.of("http://127.0.0.1:1/a/x")
    assert outcome.error == "robots_unreachable"
    assert "DownloadConnectionRefusedError" in outcome.detail
