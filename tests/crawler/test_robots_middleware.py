"""The modes in which a robots.txt can be served, over real sockets: what is crawled after each, and what it cost."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import Response

from crawler.guard import Refused
from crawler.politeness import gate_of
from crawler.robots import MAX_BYTES
from crawler.robots_middleware import MAX_AGE, UNREACHABLE_AGE, RobotsAnswer, RobotsBook, fetch, origin_of, path_and_query
from pipelines.model import Kind
from pipelines.site import parse_site
from tests.crawler.crawl_once import Crawl, crawl, seeds
from tests.crawler.outcomes import Outcome
from tests.crawler.wire_server import PAGE, Answer, WireServer, in_turn, page, resets, says

FORBIDS = b"User-agent: *\nDisallow: /\n"
LONG = b"User-agent: *\nDisallow: /no/\n" + b"# a comment of no interest whatever\n" * 600_000
BOMB = b"User-agent: *\nDisallow: /no/\n" + bytes(64 * 2**20)


def to(location: str, status: str = "302 Found") -> Answer:
    return page(b"", status, {"Location": location})


CRAWLED: dict[str, Answer] = {
    "404": page(FORBIDS, "404 Not Found"),
    "403": page(FORBIDS, "403 Forbidden"),
    "401": page(FORBIDS, "401 Unauthorized"),
    "html": page(PAGE),
    "empty": page(b""),
    "bom": page(b"\xef\xbb\xbfUser-agent: *\nDisallow: /no/\n"),
    "gb18030": page("# 规则\nUser-agent: *\nDisallow: /no/\n".encode("gb18030"), headers={"Content-Type": "text/plain; charset=gb18030"}),
    "for_others": page(b"User-agent: otherbot\nDisallow: /\n"),
    "for_us": page(b"User-agent: *\nDisallow: /\n\nUser-agent: China-Tech-Archive\nDisallow: /no/\n"),
    "redirect": to("/a/rules.txt"),
    "loop": to("/robots.txt"),
    "40_mb": page(LONG, headers={"Content-Type": "text/plain"}),
    "40_mb_unmeasured": says(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", LONG),
    "bomb_gzip": page(gzip.compress(BOMB, 1), headers={"Content-Encoding": "gzip"}),
    "bomb_deflate": page(zlib.compress(BOMB, 1), headers={"Content-Encoding": "deflate"}),
    "download": page(b"User-agent: *\nDisallow: /no/\n", headers={"Content-Type": "application/zip", "Content-Disposition": "attachment"}),
    "flaky_500": in_turn(page(b"", "500 Oops"), page(b"User-agent: *\nDisallow: /no/\n")),
}
NOT_CRAWLED: dict[str, Answer] = {
    "disallow_all": page(FORBIDS),
    "500": page(b"", "500 Internal Server Error"),
    "503": page(b"", "503 Service Unavailable"),
    "429": page(b"", "429 Too Many Requests"),
    "reset": resets(),
    "timeout": says(3.0),
    "half": says(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nUser-agent: *\n"),
    "half_gzip": page(gzip.compress(FORBIDS * 50)[:-9], headers={"Content-Encoding": "gzip"}),
    "redirect_away": to("http://127.0.0.1:1/robots.txt"),
    "redirect_file": to("file:///etc/passwd"),
}
MODES = CRAWLED | NOT_CRAWLED
Modes = tuple[dict[str, WireServer], Crawl]


@pytest.fixture(scope="module")
def modes() -> Iterator[Modes]:
    """Each mode on a host of its own, with an article, a second one, and a page below /no/."""
    with ExitStack() as stack:
        rest = {"/a/1": page(), "/a/2": page(), "/no/1": page(), "/a/rules.txt": page(b"User-agent: *\nDisallow: /no/\n")}
        servers = {name: stack.enter_context(WireServer({"/robots.txt": answer, **rest})) for name, answer in MODES.items()}
        urls = [server.url(path) for server in servers.values() for path in ("/a/1", "/a/2", "/no/1")]
        hosts = [server.host for server in servers.values()]
        yield servers, crawl(urls, hosts, settings={"DOWNLOAD_TIMEOUT": 1}, timeout=90)


def outcome(modes: Modes, name: str, path: str = "/a/1") -> Outcome:
    return modes[1].of(modes[0][name].url(path))


@pytest.mark.parametrize("name", CRAWLED)
def test_the_site_is_crawled(modes: Modes, name: str) -> None:
    assert [outcome(modes, name, path).status for path in ("/a/1", "/a/2")] == [200, 200]


@pytest.mark.parametrize("name", NOT_CRAWLED)
def test_the_site_is_not_crawled(modes: Modes, name: str) -> None:
    word = "robots" if name == "disallow_all" else "robots_unreachable"
    assert [outcome(modes, name, path).error for path in ("/a/1", "/a/2", "/no/1")] == [word] * 3
    assert {asked.target for asked in modes[0][name].asked} == {"/robots.txt"}


@pytest.mark.parametrize(
    "name", ["bom", "gb18030", "for_us", "redirect", "40_mb", "40_mb_unmeasured", "bomb_gzip", "bomb_deflate", "download", "flaky_500"]
)
def test_what_it_forbids_is_not_fetched(modes: Modes, name: str) -> None:
    assert outcome(modes, name, "/no/1").error == "robots"
    assert modes[0][name].count("/no/1") == 0


@pytest.mark.parametrize("name", MODES)
def test_however_many_pages_wait_for_it_it_is_asked_for_only_as_often_as_it_must_be(modes: Modes, name: str) -> None:
    assert modes[0][name].count("/robots.txt") <= (6 if name == "loop" else 3)


@pytest.mark.parametrize("name", ["40_mb", "40_mb_unmeasured"])
def test_of_a_large_file_half_a_megabyte_is_kept(modes: Modes, name: str) -> None:
    (record,) = modes[1].records(modes[0][name].url("/robots.txt"))
    assert (record["size"], record["truncated"]) == (MAX_BYTES, "length")


def test_every_answer_is_captured_as_robots_txt(modes: Modes) -> None:
    kinds = {exchange["kind"] for exchange in modes[1].exchanges if exchange["url"].endswith("/robots.txt")}
    assert kinds == {"robots"}
    assert all(modes[1].records(server.url("/robots.txt")) for name, server in modes[0].items() if name not in ("reset", "timeout"))


def test_memory_stays_small(modes: Modes) -> None:
    assert modes[1].peak_mb < 250


# ── the book, with a small fake in place of the engine ───────────────────────────────────────────────────────────────


class Engine:
    """Answers robots.txt requests with what a test wants, and counts them."""

    def __init__(self, answer: Response | Exception) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    async def download_async(self, request: Request) -> Response:
        self.asked.append(request)
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer.replace(request=request)


class FakeCrawler:
    def __init__(self, answer: Response | Exception) -> None:
        self.engine = Engine(answer)
        self.settings = {"ROBOTS_AGENT": "china-tech-archive"}
        self.spider = SimpleNamespace(site=parse_site(seeds(["a.test"], delay=2.0).encode(), "test.toml"))


class Keeper:
    def __init__(self) -> None:
        self.kept: dict[str, RobotsAnswer] = {}

    def load_robots(self, origin: str) -> RobotsAnswer | None:
        return self.kept.get(origin)

    def save_robots(self, answer: RobotsAnswer) -> None:
        self.kept[answer.origin] = answer


def answer(body: bytes = b"User-agent: *\nCrawl-delay: 7\nDisallow: /no\n", status: int = 200) -> Response:
    return Response("http://a.test/robots.txt", status=status, body=body)


def book(crawler: Any, now: list[float]) -> RobotsBook:
    return RobotsBook(crawler, clock=lambda: now[0])


def test_pages_that_wait_for_the_same_file_wait_for_one_request() -> None:
    crawler = FakeCrawler(answer())

    async def five() -> None:
        opened = book(crawler, [0.0])
        await asyncio.gather(*(opened.robots(f"http://a.test/{n}") for n in range(5)))

    asyncio.run(five())
    assert len(crawler.engine.asked) == 1
    assert crawler.engine.asked[0].meta["kind"] is Kind.ROBOTS


@pytest.mark.parametrize(
    ("age", "status", "requests"), [(MAX_AGE - 1, 200, 1), (MAX_AGE, 200, 2), (UNREACHABLE_AGE - 1, 500, 1), (UNREACHABLE_AGE, 500, 2)]
)
def test_an_answer_holds_for_a_day_and_a_failure_for_half_an_hour(age: float, status: int, requests: int) -> None:
    crawler, now = FakeCrawler(answer(status=status)), [1_000_000.0]

    async def twice() -> None:
        opened = book(crawler, now)
        await opened.robots("http://a.test/1")
        now[0] += age
        await opened.robots("http://a.test/2")

    asyncio.run(twice())
    assert len(crawler.engine.asked) == requests


def test_an_answer_that_was_kept_is_used_by_the_next_run() -> None:
    crawler, keeper, now = FakeCrawler(answer()), Keeper(), [1_000_000.0]
    for _ in range(2):
        opened = book(crawler, now)
        opened.keeper = keeper
        robots = asyncio.run(opened.robots("http://a.test/1"))
        assert not robots.allowed("china-tech-archive", "/no")
    assert len(crawler.engine.asked) == 1
    assert keeper.kept["http://a.test"].body.startswith(b"User-agent")


def test_pages_that_wait_for_a_kept_answer_read_it_once() -> None:
    crawler, reads = FakeCrawler(answer()), 0
    kept = RobotsAnswer(origin="http://a.test", fetched_at=0.0, status=200, body=b"")

    class Counts(Keeper):
        def load_robots(self, origin: str) -> RobotsAnswer | None:
            nonlocal reads
            reads += 1
            return kept if origin == kept.origin else None

    async def five() -> None:
        opened = book(crawler, [0.0])
        opened.keeper = Counts()
        await asyncio.gather(*(opened.robots(f"http://a.test/{n}") for n in range(5)))

    asyncio.run(five())
    assert (reads, crawler.engine.asked) == (1, [])


def test_an_answer_from_the_future_does_not_hold() -> None:
    assert not RobotsAnswer(origin="http://a.test", fetched_at=1_000.0, status=200).holds(999.0)


def test_a_crawl_delay_goes_to_the_hosts_gate() -> None:
    crawler: Any = FakeCrawler(answer())
    asyncio.run(book(crawler, [0.0]).robots("http://a.test/1"))
    assert gate_of(crawler).state("a.test").delay == 7.0


@pytest.mark.parametrize(
    ("failure", "status", "why"),
    [
        (DownloadTimeoutError(), None, "DownloadTimeoutError"),
        (Refused("address", "a.test is 10.0.0.1"), None, "a.test is 10.0.0.1"),
        (Refused("redirect_loop", "x"), 310, None),
        (ConnectionResetError(), None, "ConnectionResetError"),
    ],
)
def test_what_stands_in_the_way_is_remembered_by_name(failure: Exception, status: int | None, why: str | None) -> None:
    crawler: Any = FakeCrawler(failure)
    found = asyncio.run(fetch(crawler, "http://a.test", 5.0))
    assert (found.status, found.failure, found.fetched_at) == (status, why, 5.0)


def test_a_fault_of_ours_is_heard_of() -> None:
    crawler: Any = FakeCrawler(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        asyncio.run(fetch(crawler, "http://a.test", 5.0))


@pytest.mark.parametrize(
    ("url", "origin"),
    [("http://a.test/x", "http://a.test"), ("HTTPS://A.Test:443/x", "https://a.test"), ("http://a.test:8080/", "http://a.test:8080")],
)
def test_a_file_speaks_for_one_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(("url", "asked"), [("http://a.test", "/"), ("http://a.test/x?y=1#z", "/x?y=1"), ("http://a.test?y", "/?y")])
def test_path_and_query_are_what_rules_are_compared_with(url: str, asked: str) -> None:
    assert path_and_query(url) == asked
