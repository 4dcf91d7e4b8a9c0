"""Scrapy's handler with four things changed: what is borrowed is still there, and nothing off the wire breaks it."""

from __future__ import annotations

import inspect
import random
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scrapy.core.downloader.handlers import http11
from scrapy.exceptions import DownloadConnectionRefusedError, DownloadFailedError, DownloadTimeoutError
from twisted.web._newclient import ResponseFailed, ResponseNeverReceived

from crawler.transport import MAX_HEADER_BYTES, PAGES, Wire, can_be_page, is_the_hosts
from pipelines.model import Kind
from tests.crawler.crawl_once import Crawl, crawl
from tests.crawler.wire_server import PAGE, Asked, WireServer, page, says

# ── what is borrowed ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (http11._ScrapyAgent, "download_request"),
        (http11._ScrapyAgent, "_cb_bodyready"),
        (http11._ScrapyAgent, "_cb_bodydone"),
        (http11._ScrapyAgent, "_cb_timeout"),
        (http11._ScrapyAgent, "_cancel"),
        (http11._LenientHTTPClientParser, "lineReceived"),
        (http11._LenientHTTPClientParser, "statusReceived"),
        (http11._LenientHTTPClientParser, "headerReceived"),
        (http11._LenientHTTPClientParser, "_finished"),
        (http11._LenientHTTP11ClientProtocol, "request"),
        (http11._LenientHTTP11ClientFactory, "buildProtocol"),
    ],
)
def test_what_is_borrowed_from_scrapy_is_still_there(owner: type, name: str) -> None:
    assert callable(getattr(owner, name))


def test_the_timer_of_scrapys_agent_bounds_the_whole_transfer() -> None:
    source = inspect.getsource(http11._ScrapyAgent.download_request)
    assert "callLater(timeout, d3.cancel)" in source
    assert source.index("_cb_bodydone") < source.index("callLater")


def test_what_scrapy_gives_the_agent_is_what_we_give_ours() -> None:
    named = set(inspect.signature(http11._ScrapyAgent.__init__).parameters)
    assert {"contextFactory", "bindAddress", "pool", "maxsize", "crawler"} <= named


# ── what is worth reading ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/html",
        "TEXT/HTML; charset=gb2312",
        "text/plain",
        "text/xml",
        "application/xhtml+xml",
        "application/xml",
        "application/rss+xml",
        "application/json",
        "application/ld+json",
        "application/javascript",
        "application/x-javascript",
        "application/octet-stream",
        "application/gzip",
        "html",
        "; charset=utf-8",
        "text/html, text/html",
    ],
)
def test_what_may_be_a_page_is_read(content_type: str | None) -> None:
    assert can_be_page(content_type, None)


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "video/mp4", "audio/mpeg", "font/woff2", "application/pdf", "application/zip", "application/msword", "x/y"],
)
def test_what_cannot_be_a_page_is_not(content_type: str) -> None:
    assert not can_be_page(content_type, None)


@pytest.mark.parametrize(
    ("disposition", "read"), [("attachment", False), (' Attachment; filename="a"', False), ("inline", True), ("", True), (None, True)]
)
def test_an_attachment_is_not_read_whatever_it_is(disposition: str | None, read: bool) -> None:
    assert can_be_page("text/html", disposition) is read


def test_only_articles_and_listings_are_judged_by_their_headers() -> None:
    assert {Kind.ARTICLE, Kind.LISTING} == PAGES


def test_a_wire_is_frozen() -> None:
    wire = Wire(fetched_at=datetime.now(UTC), status=200, reason="OK", headers=(), ip=None)
    with pytest.raises(AttributeError):
        wire.status = 500  # type: ignore[misc]


# ── over the wire ────────────────────────────────────────────────────────────────────────────────────────────────────

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(PAGE), PAGE)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)
ODD_STATUS_LINES = [
    b"HTTP\xff/1.1 200 OK",
    b"HTTP/1.1 2_00 OK",
    b"HTTP/1.1 -1 OK",
    b"HTTP/1.1 +200 OK",
    b"ICY 200 OK",
    b"HTTP/11.22 200 OK",
    b"HTTP/1.1 20000 OK",
]
KEPT = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SOUP = (
    b"\r\n",
    b"\n",
    b"\x00",
    b"\xff",
    b" ",
    b":",
    b"HTTP/1.1 ",
    b"200",
    b"Content-Length: 5\r\n",
    b"0\r\n\r\n",
    b"-1",
    b"99999999999999999999",
    b"\x1f\x8b",
)


def mutated(seed: int) -> bytes:
    """A whole answer with a few bytes lost, doubled or replaced."""
    dice, answer = random.Random(seed), bytearray(WHOLE)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(answer))
        answer[at : at + dice.choice((0, 0, 1, 5, 40))] = dice.choice(SOUP)
    return bytes(answer)


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[tuple[list[WireServer], Crawl]]:
    """Eighty answers that are not quite HTTP, five to a host, so that the breaker stays closed."""
    with ExitStack() as stack:
        answers = [{f"/a/{n}": says(mutated(host * 100 + n)) for n in range(5)} for host in range(16)]
        answers.append({f"/a/{n}": says(ANSWER.replace(b"HTTP/1.1 200 OK", line)) for n, line in enumerate(ODD_STATUS_LINES[:5])})
        answers.append({f"/a/{n}": says(ANSWER.replace(b"HTTP/1.1 200 OK", line)) for n, line in enumerate(ODD_STATUS_LINES[-5:])})
        servers = [stack.enter_context(WireServer({"/robots.txt": page(b""), **routes})) for routes in answers]
        urls = [server.url(f"/a/{n}") for server in servers for n in range(5)]
        yield servers, crawl(urls, [server.host for server in servers], settings={"DOWNLOAD_TIMEOUT": 1}, timeout=90)


def test_whatever_comes_off_the_wire_every_url_has_an_outcome(fuzzed: tuple[list[WireServer], Crawl]) -> None:
    servers, result = fuzzed
    assert {outcome.url for outcome in result.outcomes} == {server.url(f"/a/{n}") for server in servers for n in range(5)}
    assert len(result.outcomes) == 90


def test_no_failure_is_one_that_we_have_no_word_for(fuzzed: tuple[list[WireServer], Crawl]) -> None:
    words = {outcome.error for outcome in fuzzed[1].outcomes}
    assert words <= {None, "connection_lost", "timeout"}


def test_a_status_line_that_only_a_lenient_reader_accepts_is_no_answer(fuzzed: tuple[list[WireServer], Crawl]) -> None:
    servers, result = fuzzed
    odd = [outcome for outcome in result.outcomes if outcome.url.startswith((servers[-1].url("/"), servers[-2].url("/")))]
    assert {outcome.error for outcome in odd} == {"connection_lost"}


def test_what_is_handed_on_from_a_broken_answer_is_no_half_page(fuzzed: tuple[list[WireServer], Crawl]) -> None:
    handed_on = [outcome for outcome in fuzzed[1].outcomes if outcome.body]
    assert all(outcome.rejection is None and outcome.truncated is None for outcome in handed_on)


def test_no_exception_reaches_the_log(fuzzed: tuple[list[WireServer], Crawl]) -> None:
    assert "Traceback" not in fuzzed[1].log


def test_a_header_section_has_a_limit_that_honest_ones_never_meet() -> None:
    assert 64 * 1024 < MAX_HEADER_BYTES < 512 * 1024


def failed_by(cause: Exception) -> Exception:
    error = DownloadFailedError()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_host"),
    [
        (DownloadTimeoutError(), True),
        (DownloadConnectionRefusedError(), True),
        (failed_by(ResponseNeverReceived([])), True),  # type: ignore[no-untyped-call]
        (failed_by(ResponseFailed([])), False),  # type: ignore[no-untyped-call]
        (failed_by(ValueError()), False),
    ],
)
def test_an_answer_that_is_no_http_is_the_pages_fault_and_silence_the_hosts(error: Exception, is_host: bool) -> None:
    assert is_the_hosts(error) is is_host


def test_pages_that_break_off_do_not_open_the_breaker_of_their_host() -> None:
    broken = says(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n" + PAGE)
    routes = {"/robots.txt": page(b""), **{f"/a/{n}": broken for n in range(12)}, **{f"/b/{n}": says(PAGE) for n in range(12)}}
    with WireServer(routes) as server:
        result = crawl([server.url(path) for path in routes if path != "/robots.txt"], [server.host])
    assert result.hosts[server.host]["openings"] == 0
    assert not any(outcome.error == "host_given_up" for outcome in result.outcomes)


# ── a connection that is kept ────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_on_a_kept_connection_that_is_reset_is_not_repeated_behind_our_back() -> None:
    """Twisted would send it again at once: a request that no turn was waited for, and that nothing counts."""
    arrived: list[float] = []

    def kept(connection: socket.socket, asked: Asked) -> None:
        says(KEPT)(connection, asked)
        connection.recv(65_536)
        arrived.append(time.monotonic())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with WireServer({"/robots.txt": kept, "/a/1": page()}) as server:
        result = crawl([server.url("/a/1")], [server.host], delay=0.4)
    assert result.of(server.url("/a/1")).status == 200
    assert len(arrived) == server.count("/a/1") == 1
    assert server.times("/a/1")[0] - arrived[0] >= 0.4
    assert result.stats["retry/DownloadFailedError"] == 1


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def self_signed(folder: Path) -> Path:
    """A certificate and key that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    signed = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


def test_neither_a_certificate_that_nobody_vouches_for_nor_none_at_all_is_accepted(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    server, plain = WireServer({"*": page()}), WireServer({"*": page()})
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    with server, plain:
        secure = f"https://localhost:{server.port}/a/1"
        garbage = f"https://127.0.0.1:{plain.port}/a/1"
        result = crawl([secure, garbage], [f"localhost:{server.port}", plain.host], settings={"DOWNLOAD_TIMEOUT": 1})
    assert [asked for asked in server.asked if asked.target == "/a/1"] == []
    assert result.of(secure).error == "robots_unreachable"
    assert result.of(garbage).error == "robots_unreachable"


# ── the end of a run ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_that_is_told_to_stop_finishes_what_is_under_way_and_waits_for_no_turn() -> None:
    slow = {"/robots.txt": page(b"User-agent: *\nCrawl-delay: 30\n"), "/a/1": page()}
    with WireServer(slow) as patient, WireServer({"/robots.txt": page(b""), "/a/1": says(2.0, ANSWER)}) as busy:
        urls = [patient.url("/a/1"), busy.url("/a/1")]
        began = time.monotonic()
        result = crawl(urls, [patient.host, busy.host], stop_after=1.0, timeout=40)
    assert time.monotonic() - began < 20
    assert result.of(busy.url("/a/1")).status == 200
    assert result.of(patient.url("/a/1")).error == "run_ended"
    assert result.stats["finish_reason"] == "shutdown"
