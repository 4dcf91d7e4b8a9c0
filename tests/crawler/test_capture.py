"""Every exchange is captured as it came before anything reads it; what comes out decoded is whole or nothing.

Broken, endless, slow and lying servers over real sockets: one crawl for all that only take a moment, one for the slow.
"""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import brotli
import pytest
import zstandard
from scrapy import Request

from crawler.capture import as_capture, exchange_of, sent_headers
from crawler.settings import DOWNLOAD_MAXSIZE
from crawler.transport import Wire
from pipelines.archive.warc import Exchange
from pipelines.model import Hints, Kind
from pipelines.validators import Validators
from tests.crawler.crawl_once import Crawl, crawl
from tests.crawler.outcomes import Outcome
from tests.crawler.wire_server import PAGE, Answer, Asked, WireServer, page, resets, says

AT = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"


def wire(**fields: object) -> Wire:
    given = {"fetched_at": AT, "status": 200, "reason": "OK", "headers": (), "ip": "127.0.0.1", **fields}
    return Wire(**given)  # type: ignore[arg-type]


# ── one exchange ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_exchange_keeps_headers_as_received() -> None:
    headers = (("X-ODD", "1"), ("x-odd", "2"), ("Content-Type", "text/html"))
    exchange = exchange_of(Request("http://a.test/"), b"x", wire(headers=headers, reason="Fine"))
    assert (exchange.headers, exchange.reason, exchange.body, exchange.fetched_at) == (headers, "Fine", b"x", AT)


def test_no_cookie_and_no_credential_reaches_the_archive() -> None:
    request = Request(
        "http://a.test/", headers={"Cookie": "sid=1", "Authorization": "Basic x", "Proxy-Authorization": "Basic y", "Accept": "a"}
    )
    exchange = exchange_of(request, b"", wire(headers=(("Set-Cookie", "sid=1"), ("SET-COOKIE2", "x"), ("Date", "d"))))
    assert exchange.request_headers == (("Accept", "a"),)
    assert exchange.headers == (("Date", "d"),)


def test_the_header_that_speaks_of_chunks_goes_as_the_chunks_do() -> None:
    assert exchange_of(Request("http://a.test/"), b"x", wire(headers=(("Transfer-Encoding", "chunked"),))).headers == ()


def test_what_the_list_said_goes_into_the_exchange() -> None:
    hints = Hints(via="http://a.test/list/", title="标题")
    exchange = exchange_of(Request("http://a.test/", meta={"kind": Kind.FEED, "hints": hints}), b"", wire())
    assert (exchange.kind, exchange.hints) == (Kind.FEED, hints)


def test_a_304_names_the_capture_that_it_confirms() -> None:
    known = Validators(etag='"1"', confirms=("http://a.test/", AT))
    exchange = exchange_of(Request("http://a.test/", headers=known.headers, meta={"validators": known}), b"", wire(status=304))
    assert exchange.refers_to == ("http://a.test/", AT)
    assert as_capture(exchange).refers_to == ("http://a.test/", AT)


def test_a_304_that_nobody_asked_for_confirms_nothing() -> None:
    known = Validators(confirms=("http://a.test/", AT))
    assert exchange_of(Request("http://a.test/", meta={"validators": known}), b"", wire(status=304)).refers_to is None


def test_a_200_confirms_nothing() -> None:
    known = Validators(etag='"1"', confirms=("http://a.test/", AT))
    exchange = exchange_of(Request("http://a.test/", meta={"validators": known}), b"x", wire())
    assert as_capture(exchange).refers_to is None


def test_a_capture_without_an_archive_says_the_same_as_its_exchange() -> None:
    exchange = Exchange(
        url="http://a.test/", fetched_at=AT, status=200, headers=(("A", "b"),), body=b"x", kind=Kind.JSONP, truncated="length"
    )
    capture = as_capture(exchange)
    shared = ("url", "fetched_at", "status", "headers", "body", "kind", "hints", "truncated")
    assert [getattr(capture, name) for name in shared] == [getattr(exchange, name) for name in shared]
    assert capture.warc is None


def test_headers_that_are_sent_twice_are_kept_twice() -> None:
    request = Request("http://a.test/", headers={"Accept": ["a", "b"]})
    assert sent_headers(request.headers) == (("Accept", "a"), ("Accept", "b"))


# ── over the wire: what takes only a moment ──────────────────────────────────────────────────────────────────────────


ZEROS = 64 * 2**20
"""bytes: eight times the limit; larger bombs cost no more, as decoding stops at the limit"""


def bomb(coding: str) -> Answer:
    """Much from little: coded once, or twice where the name says so."""
    make: dict[str, Callable[[], bytes]] = {
        "gzip": lambda: gzip.compress(bytes(ZEROS), 1),
        "gzip, gzip": lambda: gzip.compress(gzip.compress(bytes(ZEROS), 9), 9),
        "deflate": lambda: zlib.compress(bytes(ZEROS), 1),
        "br": lambda: brotli.compress(bytes(ZEROS), quality=1),
        "zstd": lambda: zstandard.compress(bytes(ZEROS), 1),
    }
    return page(make[coding](), headers={"Content-Encoding": coding})


def endless(connection: socket.socket, _: Asked) -> None:
    connection.sendall(HEAD + b"\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def chunked(*chunks: bytes) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


MANY = "".join(f"X-{n}: {'y' * 40}\r\n" for n in range(500)).encode()
ROUTES: dict[str, Answer] = {
    # good ones
    "good": page(),
    "gzip": page(gzip.compress(PAGE), headers={"Content-Encoding": "gzip"}),
    "br": page(brotli.compress(PAGE), headers={"Content-Encoding": "br"}),
    "zstd": page(zstandard.compress(PAGE), headers={"Content-Encoding": "zstd"}),
    "deflate": page(zlib.compress(PAGE), headers={"Content-Encoding": "deflate"}),
    "gzip_lie": page(headers={"Content-Encoding": "gzip"}),
    "gzip_undeclared": page(gzip.compress(PAGE)),
    "chunked": says(chunked(chunk(PAGE[:30]), chunk(PAGE[30:]), b"0\r\n\r\n")),
    "http10_close": says(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE),
    "interim": says(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n", HEAD + b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE),
    "no_content_type": says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE),
    "octet_stream": page(headers={"Content-Type": "application/octet-stream"}),
    "many_headers": says(HEAD + MANY + b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE),
    "cookies": says(HEAD + b"Set-Cookie: c=1; Domain=co.uk\r\n" * 200 + b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE),
    "no_phrase": says(b"HTTP/1.1 200\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE),
    "no_colon": says(HEAD + b"this line has none\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE),
    "odd_names": says(HEAD + b"X\xff: a\r\n: b\r\nSpaced : c\r\nX Y: d\r\nContent-Length : %d\r\n\r\n" % len(PAGE) + PAGE + b"\n"),
    "odd_values": says(
        HEAD + b"X: \xff\x00\r\nContent-Disposition: inline; filename=\xd0\xc2\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE
    ),
    "line_end_behind": says(HEAD + b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE + b"\r\n"),
    "duplicate_length": says(HEAD + b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (len(PAGE), len(PAGE)) + PAGE),
    # never whole
    "cl_too_long": says(HEAD + b"Content-Length: 5000\r\n\r\n" + PAGE),
    "cl_too_short": says(HEAD + b"Content-Length: 40\r\n\r\n" + PAGE),
    "gzip_truncated": page(gzip.compress(PAGE * 50)[:-30], headers={"Content-Encoding": "gzip"}),
    "gzip_corrupt": page(gzip.compress(PAGE)[:20] + b"\x00\xff" * 20 + gzip.compress(PAGE)[60:], headers={"Content-Encoding": "gzip"}),
    "br_truncated": page(brotli.compress(PAGE * 50)[:-5], headers={"Content-Encoding": "br"}),
    "chunk_truncated": says(chunked(chunk(PAGE))),
    "chunk_half": says(chunked(b"400\r\n" + PAGE)),
    "chunk_bad_size": says(chunked(chunk(PAGE), b"zz\r\nx\r\n0\r\n\r\n")),
    "reset_midbody": resets(HEAD + b"Content-Length: 5000\r\n\r\n" + PAGE),
    # no answer that could be read
    "http09": says(PAGE),
    "cl_negative": says(HEAD + b"Content-Length: -5\r\n\r\n" + PAGE),
    "cl_conflict": says(HEAD + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n" + PAGE),
    "huge_header": says(HEAD + b"X-Big: " + b"y" * 100_000 + b"\r\n\r\n" + PAGE),
    "endless_headers": says(HEAD + MANY * 20 + b"\r\n" + PAGE),
    "endless_interim": says(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 20_000),
    "closes": says(),
    "garbage": says(b"\x16\x03\x01\x00\xa5" * 40),
    "odd_transfer": says(HEAD + b"Transfer-Encoding: gzip\r\n\r\n" + PAGE),
    # too much
    "declared_large": page(bytes(DOWNLOAD_MAXSIZE + 1)),
    "endless": endless,
    "bomb_gzip": bomb("gzip"),
    "bomb_gzip2": bomb("gzip, gzip"),
    "bomb_deflate": bomb("deflate"),
    "bomb_br": bomb("br"),
    "bomb_zstd": bomb("zstd"),
    "layers": page(headers={"Content-Encoding": "gzip, br, gzip, br, gzip"}, body=b"\x1f\x8b" + b"\x00" * 90),
    # no page
    "attachment": page(b"x" * 10_000, headers={"Content-Disposition": "attachment; filename=x.zip"}),
    "image": page(b"\x89PNG" + b"x" * 10_000, headers={"Content-Type": "image/png"}),
    "pdf": page(headers={"Content-Type": "application/pdf"}),
    # statuses
    "empty": page(b""),
    "status_204": page(b"", "204 No Content"),
    "status_403": page(PAGE, "403 Forbidden"),
    "status_999": page(PAGE, "999 Denied"),
    "unasked_304": says(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "no_location": page(b"", "302 Found"),
}
NAMES = list(ROUTES)
GOOD = NAMES[: NAMES.index("cl_too_long")]
FAILURES = NAMES[NAMES.index("http09") : NAMES.index("declared_large")]
Hosts = tuple[dict[str, WireServer], Crawl]
"""a server for each hazard, so that none spoils another's host, and what came of asking all of them"""


@contextmanager
def asked(routes: dict[str, Answer], **more: Any) -> Iterator[Hosts]:
    with ExitStack() as stack:
        quick = page(b"")
        servers = {name: stack.enter_context(WireServer({"/robots.txt": quick, "/a/x": answer})) for name, answer in routes.items()}
        urls = [server.url("/a/x") for server in servers.values()]
        yield servers, crawl(urls, [server.host for server in servers.values()], timeout=90, **more)


@pytest.fixture(scope="module")
def hazards() -> Iterator[Hosts]:
    with asked(ROUTES) as result:
        yield result


def outcome(hosts: Hosts, name: str) -> Outcome:
    return hosts[1].of(hosts[0][name].url("/a/x"))


def tries(hosts: Hosts, name: str) -> int:
    return hosts[0][name].count("/a/x")


def records(hosts: Hosts, name: str) -> list[dict[str, Any]]:
    return hosts[1].records(hosts[0][name].url("/a/x"))


@pytest.mark.parametrize("name", GOOD)
def test_a_whole_page_arrives_whole_and_decoded(hazards: Hosts, name: str) -> None:
    result = outcome(hazards, name)
    assert (result.error, result.rejection, result.truncated, result.status) == (None, None, None, 200)
    assert result.body.encode("latin-1") == PAGE
    assert tries(hazards, name) == 1


@pytest.mark.parametrize("name", ["cl_too_long", "chunk_truncated", "chunk_half", "chunk_bad_size", "reset_midbody"])
def test_a_transfer_that_breaks_off_is_tried_again_recorded_as_cut_and_never_handed_on(hazards: Hosts, name: str) -> None:
    result = outcome(hazards, name)
    assert (result.rejection, result.truncated, result.body) == ("partial", "disconnect", "")
    assert tries(hazards, name) == 3
    assert result.earlier == 2
    kept = records(hazards, name)
    assert [record["truncated"] for record in kept] == ["disconnect"] * 3
    assert all(record["body"] == PAGE.decode("latin-1") for record in kept)


@pytest.mark.parametrize(
    ("name", "reason", "times"), [("gzip_truncated", "partial", 3), ("br_truncated", "partial", 3), ("gzip_corrupt", "bad_encoding", 2)]
)
def test_a_coded_stream_that_does_not_end_is_tried_again_and_never_handed_on(hazards: Hosts, name: str, reason: str, times: int) -> None:
    result = outcome(hazards, name)
    assert (result.rejection, result.body) == (reason, "")
    assert tries(hazards, name) == times


@pytest.mark.parametrize("name", FAILURES)
def test_what_is_no_http_is_a_failure_in_a_few_tries(hazards: Hosts, name: str) -> None:
    result = outcome(hazards, name)
    assert result.error == "connection_lost"
    assert tries(hazards, name) <= 3
    assert records(hazards, name) == []


@pytest.mark.parametrize("name", ["declared_large", "endless"])
def test_a_body_above_the_limit_is_cut_there_and_not_asked_for_again(hazards: Hosts, name: str) -> None:
    result = outcome(hazards, name)
    assert (result.rejection, result.truncated, result.body) == ("too_large", "length", "")
    assert tries(hazards, name) == 1
    (record,) = records(hazards, name)
    assert record["truncated"] == "length"
    assert record["size"] in (0, DOWNLOAD_MAXSIZE)


@pytest.mark.parametrize("name", ["bomb_gzip", "bomb_gzip2", "bomb_deflate", "bomb_br", "bomb_zstd"])
def test_a_bomb_is_captured_as_it_came_and_never_goes_off(hazards: Hosts, name: str) -> None:
    result = outcome(hazards, name)
    assert (result.rejection, result.body) == ("too_large", "")
    assert tries(hazards, name) == 1
    (record,) = records(hazards, name)
    assert record["truncated"] is None
    assert record["size"] < 1_000_000


def test_more_layers_of_coding_than_any_honest_server_has_are_refused(hazards: Hosts) -> None:
    assert outcome(hazards, "layers").rejection == "bad_encoding"


@pytest.mark.parametrize("name", ["attachment", "image", "pdf"])
def test_what_cannot_be_a_page_is_not_read_beyond_its_headers(hazards: Hosts, name: str) -> None:
    result = outcome(hazards, name)
    assert (result.rejection, result.truncated, result.status) == ("not_html", "unspecified", 200)
    (record,) = records(hazards, name)
    assert record["size"] == 0
    assert tries(hazards, name) == 1


@pytest.mark.parametrize(
    ("name", "status"), [("empty", 200), ("status_204", 204), ("status_403", 403), ("status_999", 999), ("no_location", 302)]
)
def test_errors_and_empty_answers_are_captured_and_handed_on_with_their_status(hazards: Hosts, name: str, status: int) -> None:
    result = outcome(hazards, name)
    assert (result.status, result.error) == (status, None)
    assert [record["status"] for record in records(hazards, name)] == [status]


def test_a_304_that_nobody_asked_for_is_asked_about_once_more_and_then_a_failure(hazards: Hosts) -> None:
    result = outcome(hazards, "unasked_304")
    assert (result.status, result.rejection) == (304, "http_error")
    assert tries(hazards, "unasked_304") == 2


def test_headers_are_recorded_in_their_own_case_and_order(hazards: Hosts) -> None:
    (record,) = records(hazards, "interim")
    assert record["headers"] == [["Content-Type", "text/html; charset=utf-8"], ["Content-Length", str(len(PAGE))]]
    (many,) = records(hazards, "many_headers")
    assert [name for name, _ in many["headers"]][1:501] == [f"X-{n}" for n in range(500)]


def test_header_lines_that_are_none_are_passed_over_alone(hazards: Hosts) -> None:
    (record,) = records(hazards, "odd_names")
    assert [name for name, _ in record["headers"]] == ["Content-Type", "Spaced", "Content-Length"]


def test_what_was_sent_is_recorded_and_says_who_we_are(hazards: Hosts) -> None:
    (record,) = records(hazards, "good")
    sent = dict(map(tuple, record["request_headers"]))
    assert sent["User-Agent"].startswith("china-tech-archive/")
    arrived = next(asked.headers for asked in hazards[0]["good"].asked if asked.target == "/a/x")
    assert all(arrived[name.lower()] == value for name, value in sent.items())


def test_robots_txt_is_captured_like_everything_else(hazards: Hosts) -> None:
    (record,) = hazards[1].records(hazards[0]["good"].url("/robots.txt"))
    assert record["kind"] == "robots"


def test_every_record_has_the_time_of_its_own_answer(hazards: Hosts) -> None:
    times = [datetime.fromisoformat(exchange["fetched_at"]) for exchange in hazards[1].exchanges]
    assert all(moment.tzinfo is not None for moment in times)
    assert len(set(times)) == len(times)


def test_memory_and_the_event_loop_stay_calm_through_all_of_it(hazards: Hosts) -> None:
    assert hazards[1].peak_mb < 250
    assert hazards[1].worst_stall < 10.0  # minutes for a plain spider (huge_attrs); how long in fact is for `make test-hazards` to print


# ── over the wire: what takes its time ───────────────────────────────────────────────────────────────────────────────


def over_time(piece: bytes, pause: float, times: int) -> list[bytes | float]:
    return [part for _ in range(times) for part in (piece, pause)]


SLOW: dict[str, Answer] = {
    "drip": says(HEAD + b"Content-Length: 5000\r\n\r\n", *over_time(b"x", 0.2, 40)),
    "stalls": says(HEAD + b"Content-Length: 5000\r\n\r\n" + PAGE, 8.0),
    "slow_headers": says(b"HTTP/1.1 200 OK\r\n", *over_time(b"X: y\r\n", 0.3, 25)),
    "no_answer": says(8.0),
}


@pytest.fixture(scope="module")
def slow() -> Iterator[Hosts]:
    with asked(SLOW, settings={"DOWNLOAD_TIMEOUT": 1}) as result:
        yield result


@pytest.mark.parametrize("name", ["drip", "stalls"])
def test_a_transfer_that_takes_too_long_is_cut_and_what_came_is_recorded(slow: Hosts, name: str) -> None:
    result = outcome(slow, name)
    assert (result.rejection, result.truncated, result.body) == ("partial", "time", "")
    assert tries(slow, name) == 2
    assert all(record["size"] > 0 and record["truncated"] == "time" for record in records(slow, name))


@pytest.mark.parametrize("name", ["slow_headers", "no_answer"])
def test_an_answer_that_does_not_begin_in_time_is_a_failure(slow: Hosts, name: str) -> None:
    assert outcome(slow, name).error == "timeout"
    assert tries(slow, name) == 2


def test_slow_hosts_do_not_wait_for_each_other(slow: Hosts) -> None:
    assert slow[1].stats["elapsed_time_seconds"] < 6  # two tries of a second, four hosts
