"""The modes in which a robots.txt can be served, over real sockets: what is crawled after each, and what it cost."""

from __future__ import annotations

import asyncio
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
from tests.crawler.robots_modes import MODES, MOVED, RULES
from tests.crawler.wire_server import WireServer, page

Modes = tuple[dict[str, WireServer], Crawl]
CRAWLED = [name for name, mode in MODES.items() if mode.crawled]
NOT_CRAWLED = [name for name, mode in MODES.items() if not mode.crawled]


@pytest.fixture(scope="module")
def modes() -> Iterator[Modes]:
    """Each mode on a host of its own, with an article, a second one, and a page below /no/."""
    with ExitStack() as stack:
        neighbour = stack.enter_context(WireServer({"*": page(RULES)}))
        rest = {"/a/1": page(), "/a/2": page(), "/no/1": page(), MOVED: page(RULES)}
        routes = {name: {"/robots.txt": mode.make(neighbour.port), **rest} for name, mode in MODES.items()}
        servers = {name: stack.enter_context(WireServer(routes[name])) for name in MODES}
        urls = [server.url(path) for server in servers.values() for path in ("/a/1", "/a/2", "/no/1")]
        hosts = [server.host for server in servers.values()]
        done = crawl(urls, hosts, settings={"DOWNLOAD_TIMEOUT": 1}, timeout=90)
        assert neighbour.asked == [], "a redirect of robots.txt led inside"
        yield servers, done


def outcome(modes: Modes, name: str, path: str = "/a/1") -> Outcome:
    return modes[1].of(modes[0][name].url(path))


@pytest.mark.parametrize("name", CRAWLED)
def test_the_site_is_crawled(modes: Modes, name: str) -> None:
    assert [outcome(modes, name, path).status for path in ("/a/1", "/a/2")] == [200, 200]


@pytest.mark.parametrize("name", NOT_CRAWLED)
def test_the_site_is_not_crawled(modes: Modes, name: str) -> None:
    word = "robots" if MODES[name].disallowed else "robots_unreachable"
    assert [outcome(modes, name, path).error for path in ("/a/1", "/a/2", "/no/1")] == [word] * 3
    assert {asked.target for asked in modes[0][name].asked} == {"/robots.txt"}


@pytest.mark.parametrize("name", [name for name, mode in MODES.items() if mode.rules])
def test_what_it_forbids_is_not_fetched(modes: Modes, name: str) -> None:
    assert outcome(modes, name, "/no/1").error == "robots"
    assert modes[0][name].count("/no/1") == 0


@pytest.mark.parametrize("name", MODES)
def test_however_many_pages_wait_for_it_it_is_asked_for_only_as_often_as_it_must_be(modes: Modes, name: str) -> None:
    assert modes[0][name].count("/robots.txt") <= MODES[name].requests


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


@pytest.mark.parametrize(("said", "kept"), [(answer(status=503), True), (answer(status=404), True), (ConnectionRefusedError(), False)])
def test_that_no_whole_answer_came_is_not_kept_for_the_next_run(said: Response | Exception, kept: bool) -> None:
    """The network may have been our own: the next run asks again."""
    crawler: Any = FakeCrawler(said)
    opened, keeper = book(crawler, [0.0]), Keeper()
    opened.keeper = keeper
    asyncio.run(opened.robots("http://a.test/1"))
    assert bool(keeper.kept) is kept


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
