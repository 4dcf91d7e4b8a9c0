"""Redirects: few, remembered, read as a browser reads them, and never to a page that stands for "gone"."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.redirects import Hop, moved_to
from pipelines.reading import leads_to_index
from pipelines.site import parse_site
from tests.crawler.crawl_once import Crawl, crawl, seeds
from tests.crawler.wire_server import PAGE, WireServer, page

SITE = parse_site(seeds(["news.test", "www.news.test"]).encode(), "test.toml")
HERE = "http://news.test/a/20261123.shtml"


def hop(status: int, url: str = HERE, to: str = "http://news.test/a/2") -> Hop:
    return Hop(status=status, url=url, to=to)


@pytest.mark.parametrize(
    "target",
    [
        "http://news.test/",
        "http://news.test",
        "https://www.news.test/?from=old",
        "http://elsewhere.test/",
        "http://news.test/index.html",
        "http://news.test/tech/INDEX.shtml",
        "http://news.test/tech/",
        "http://news.test/list/",
        "http://news.test/404.html",
        "http://news.test/error.php?x=1",
        "http://news.test/common/notFound.htm",
    ],
)
def test_a_page_that_stands_for_none_is_recognised(target: str) -> None:
    assert leads_to_index(HERE, target, SITE)


@pytest.mark.parametrize(
    "target",
    [
        "http://news.test/a/2",  # an article by the seeds file's rules
        "https://news.test/a/20261123.shtml",
        "http://www.news.test/new/place/20261123.shtml",  # the same name elsewhere
        "http://news.test/other/content_77.htm",
    ],
)
def test_a_page_that_may_be_the_article_is_followed(target: str) -> None:
    assert not leads_to_index(HERE, target, SITE)


def test_an_article_whose_address_is_a_folder_is_not_taken_for_an_index() -> None:
    assert not leads_to_index("http://news.test/2026/story/", "https://www.news.test/new/story/", SITE)
    assert leads_to_index("http://news.test/", "http://www.news.test/", SITE)


@given(st.text(max_size=40), st.text(max_size=40))
@settings(deadline=None, max_examples=150)
def test_any_two_urls_get_an_answer(url: str, target: str) -> None:
    assert isinstance(leads_to_index(f"http://news.test/{url}", f"http://news.test/{target}", SITE), bool)


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [((), False), ((301,), True), ((308,), True), ((302,), False), ((301, 308), True), ((301, 302), False), ((303,), False)],
)
def test_a_page_has_moved_for_good_when_every_hop_says_so(statuses: tuple[int, ...], moved: bool) -> None:
    hops = tuple(hop(status, to=f"http://news.test/a/{n}") for n, status in enumerate(statuses))
    assert moved_to(hops) == (hops[-1].to if moved else None)


# ── over the wire ────────────────────────────────────────────────────────────────────────────────────────────────────


def to(location: str, status: str = "302 Found") -> object:
    return page(b"moved", status, {"Location": location})


@pytest.fixture(scope="module")
def followed() -> Iterator[tuple[WireServer, Crawl]]:
    routes: dict[str, object] = {
        "/robots.txt": page(b"User-agent: *\nDisallow: /private/\n"),
        "/a/end": page(),
        "/a/one": to("/a/end", "301 Moved Permanently"),
        "/a/two": to("one", "308 Permanent Redirect"),
        "/a/spaces": to("  /a/end \t"),
        "/a/backslashes": to("\\a\\end"),
        "/a/chinese": to("/a/\u65b0".encode().decode("latin-1")),
        "/a/%E6%96%B0": page(),
        "/a/fragment": to("/a/end#part"),
        "/a/loop": to("/a/loop"),
        "/a/ping": to("/a/pong"),
        "/a/pong": to("/a/ping"),
        "/a/forbidden": to("/private/x"),
        "/private/x": page(),
        "/a/home": to("/"),
        "/": page(),
        "/a/see_other": to("/a/end", "303 See Other"),
        "/a/multiple": to("/a/end", "300 Multiple Choices"),
        "/list/old": to("/", "301 Moved"),
        **{f"/a/long{n}": to(f"/a/long{n + 1}") for n in range(8)},
        **{f"/a/five{n}": to(f"/a/five{n + 1}" if n < 4 else "/a/end") for n in range(5)},
    }
    names = [
        "one",
        "two",
        "spaces",
        "backslashes",
        "chinese",
        "fragment",
        "loop",
        "ping",
        "forbidden",
        "home",
        "see_other",
        "multiple",
        "long0",
        "five0",
    ]
    with WireServer(routes) as server:  # type: ignore[arg-type]
        urls = [{"url": server.url(f"/a/{name}"), "lease": name} for name in names]
        listing = {"url": server.url("/list/old"), "kind": "listing"}
        yield server, crawl([*urls, listing], [server.host])


@pytest.mark.parametrize("name", ["one", "two", "spaces", "backslashes", "chinese", "fragment", "see_other", "five0"])
def test_redirects_inside_the_site_are_followed_to_the_page(followed: tuple[WireServer, Crawl], name: str) -> None:
    server, result = followed
    outcome = result.of(server.url(f"/a/{name}"))
    assert (outcome.status, outcome.body.encode("latin-1")) == (200, PAGE)


def test_every_hop_is_remembered_and_captured(followed: tuple[WireServer, Crawl]) -> None:
    server, result = followed
    outcome = result.of(server.url("/a/two"))
    assert [[status, to.removeprefix(server.url(""))] for status, _, to in outcome.redirects] == [[308, "/a/one"], [301, "/a/end"]]
    assert outcome.earlier == 2
    assert [record["status"] for record in result.records(server.url("/a/two"))] == [308]
    assert [record["body"] for record in result.records(server.url("/a/two"))] == ["moved"]


def test_the_lease_of_a_url_goes_with_its_redirects(followed: tuple[WireServer, Crawl]) -> None:
    _, result = followed
    assert all(outcome.lease == outcome.url.rpartition("/")[2] for outcome in result.outcomes if outcome.lease)


def test_redirects_without_an_end_stop_after_five(followed: tuple[WireServer, Crawl]) -> None:
    server, result = followed
    outcome = result.of(server.url("/a/long0"))
    assert outcome.error == "redirect_loop"
    assert len(outcome.redirects) == 5


@pytest.mark.parametrize(("name", "asked"), [("loop", ["/a/loop"]), ("ping", ["/a/ping", "/a/pong"])])
def test_redirects_that_lead_back_end_there(followed: tuple[WireServer, Crawl], name: str, asked: list[str]) -> None:
    """No cookies are kept: the same URL gives the same answer, however often it is asked."""
    server, result = followed
    outcome = result.of(server.url(f"/a/{name}"))
    assert outcome.error == "redirect_loop"
    assert f"leads back to {server.url(f'/a/{name}')}" in outcome.detail
    assert [server.count(target) for target in asked] == [1] * len(asked)


def test_robots_txt_counts_for_the_target_too(followed: tuple[WireServer, Crawl]) -> None:
    server, result = followed
    assert result.of(server.url("/a/forbidden")).error == "robots"
    assert server.count("/private/x") == 0


def test_an_article_that_leads_home_is_gone_and_the_home_page_is_not_fetched_for_it(followed: tuple[WireServer, Crawl]) -> None:
    server, result = followed
    outcome = result.of(server.url("/a/home"))
    assert (outcome.status, outcome.redirects) == (302, [])
    assert server.count("/") == 1  # for the list that moved there


def test_a_list_may_move_to_the_home_page(followed: tuple[WireServer, Crawl]) -> None:
    server, result = followed
    assert result.of(server.url("/list/old")).status == 200


def test_a_choice_of_several_is_no_redirect(followed: tuple[WireServer, Crawl]) -> None:
    server, result = followed
    assert result.of(server.url("/a/multiple")).status == 300


@pytest.mark.parametrize("target", ["http://[\x00:ffff:127.0.0.1]:80/", "http://[::1", "http://\x00::1]:80/"])
def test_an_address_that_is_none_stands_for_no_article(target: str) -> None:
    assert leads_to_index(HERE, target, SITE)
