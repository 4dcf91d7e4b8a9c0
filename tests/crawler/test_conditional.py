"""What a URL said of itself last time is sent back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scrapy import Request

from crawler.conditional import is_conditional, plainly
from pipelines.validators import Validators
from tests.crawler.crawl_once import Crawl, crawl
from tests.crawler.wire_server import PAGE, Asked, WireServer, in_turn, page, says

PAST = "Sun, 22 Nov 2026 08:00:00 GMT"


# ── what is sent ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_validators_make_a_request_conditional() -> None:
    assert Validators(etag='"1"', last_modified=PAST).headers == {"If-None-Match": '"1"', "If-Modified-Since": PAST}


def test_a_plain_request_keeps_everything_but_its_validators() -> None:
    request = Request(
        "http://a.test/", headers={"If-None-Match": '"1"', "If-Modified-Since": PAST, "Accept": "a"}, meta={"validators": 1, "lease": 7}
    )
    again = plainly(request)
    assert not is_conditional(again)
    assert (again.headers["Accept"], again.meta) == (b"a", {"lease": 7, "unconditional": True})
    assert is_conditional(request)


# ── over the wire ────────────────────────────────────────────────────────────────────────────────────────────────────

NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'


def honest(connection: object, asked: Asked) -> None:
    """Answers 304 to whoever names the right version."""
    same = asked.headers.get("if-none-match") == '"1"' or asked.headers.get("if-modified-since") == PAST
    answer = says(NOT_MODIFIED) if same else page(headers={"ETag": '"1"', "Last-Modified": PAST})
    answer(connection, asked)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def revisits() -> Iterator[tuple[WireServer, Crawl]]:
    routes = {
        "/robots.txt": page(b""),
        **{f"/a/{name}": honest for name in ("new", "same", "dated", "changed", "target")},
        **{f"/a/{name}": in_turn(says(NOT_MODIFIED), page()) for name in ("unasked", "nameless")},
        "/a/moved": page(b"", "301 Moved", {"Location": "/a/target"}),
    }
    with WireServer(routes) as server:
        known = {"same": ['"1"', None], "dated": [None, PAST], "changed": ['"0"', None], "moved": ['"1"', None], "nameless": [None, None]}
        urls = [{"url": server.url(f"/a/{name}"), "validators": pair} for name, pair in known.items()]
        yield server, crawl([*urls, server.url("/a/new"), server.url("/a/unasked")], [server.host])


@pytest.mark.parametrize("name", ["same", "dated"])
def test_what_has_not_changed_costs_no_body_and_confirms_its_capture(revisits: tuple[WireServer, Crawl], name: str) -> None:
    server, result = revisits
    url = server.url(f"/a/{name}")
    outcome = result.of(url)
    assert (outcome.status, outcome.error, outcome.rejection) == (304, None, None)
    (record,) = result.records(url)
    assert record["refers_to"][0] == url
    assert server.count(f"/a/{name}") == 1


@pytest.mark.parametrize("name", ["changed", "new"])
def test_what_has_changed_or_is_new_comes_whole(revisits: tuple[WireServer, Crawl], name: str) -> None:
    server, result = revisits
    outcome = result.of(server.url(f"/a/{name}"))
    assert (outcome.status, outcome.body.encode("latin-1")) == (200, PAGE)


def test_a_request_without_validators_names_none(revisits: tuple[WireServer, Crawl]) -> None:
    server, _ = revisits
    (asked,) = [asked for asked in server.asked if asked.target == "/a/new"]
    assert not {"if-none-match", "if-modified-since"} & set(asked.headers)


def test_a_304_that_nobody_asked_for_is_asked_about_plainly(revisits: tuple[WireServer, Crawl]) -> None:
    server, result = revisits
    for name in ("unasked", "nameless"):
        assert server.count(f"/a/{name}") == 2
        assert result.of(server.url(f"/a/{name}")).status == 200
    assert result.stats["conditional/unasked_304"] == 2


def test_the_validators_of_a_url_are_not_sent_to_the_one_it_redirects_to(revisits: tuple[WireServer, Crawl]) -> None:
    server, result = revisits
    (asked,) = [asked for asked in server.asked if asked.target == "/a/target"]
    assert "if-none-match" not in asked.headers
    assert result.of(server.url("/a/moved")).status == 200
