"""Nothing outside `hosts` is contacted: URLs in every disguise, addresses of every kind, name servers that change their mind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.guard import (
    POSTPONED,
    GuardedResolver,
    Refused,
    is_public,
    objection,
    operators_proxies,
    proxy_hosts,
    site_of,
    vouched_addresses,
)
from pipelines.model import Kind
from pipelines.site import Site, parse_site
from tests.crawler.crawl_once import Crawl, crawl, seeds
from tests.crawler.wire_server import WireServer, page


def site(*hosts: str) -> Site:
    return parse_site(seeds(list(hosts)).encode(), "test.toml")


NEWS = site("news.test", "127.0.0.1:8800", "[::1]:8801", "app.news.test:8080")


# ── the URL ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "http://news.test/a/1",
        "https://news.test/a/1?x=1",
        "http://news.test:80/a/1",
        "https://news.test:443/",
        "HTTP://NEWS.TEST/a",
        "http://news.test./a",
        "http://127.0.0.1:8800/a/1",
        "http://[::1]:8801/a",
        "http://app.news.test:8080/a",
    ],
)
def test_what_the_seeds_file_names_may_be_fetched(url: str) -> None:
    assert objection(url, NEWS) is None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://news.test/a",
        "file:///etc/passwd",
        "data:text/html,x",
        "javascript:alert(1)",
        "gopher://news.test/",
        "//news.test/a",
        "/a/1",
        "",
        "http://",
        "http:///a",
        "http://other.test/a",
        "http://sub.news.test/a",
        "http://news.test.other.test/a",
        "http://xnews.test/a",
        "http://news.test:8080/a",
        "http://news.test:443/a",
        "https://news.test:80/a",
        "http://app.news.test/a",
        "http://127.0.0.1/a",
        "http://127.0.0.1:8801/a",
        "http://localhost:8800/a",
        "http://user@news.test/a",
        "http://user:secret@news.test/a",
        "http://:@news.test/a",
        "http://news.test@127.0.0.1:8800/",
        "http://127.0.0.1:8800@other.test/",
        "http://news.test:8800@other.test/a",
        "http://other.test\\@news.test/a",
        "http://news.test\\@other.test/a",
        "http://other.test#@news.test/a",
        "http://other.test/@news.test/a",
        "http://0.0.0.0:8800/a",
        "http://[::ffff:127.0.0.1]:8800/a",
        "http://[::1%25eth0]:8801/a",
        "http://news.test:99999/a",
        "http://news.test:x/a",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    assert objection(url, NEWS) is not None


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "１２７.0.0.1"])
def test_an_address_in_disguise_is_refused_even_where_the_address_itself_is_named(host: str) -> None:
    assert objection(f"http://{host}:8800/a", NEWS) == "its host is read differently by different programs"


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_text_gets_an_answer(url: str) -> None:
    assert objection(url, NEWS) is None or isinstance(objection(url, NEWS), str)


@given(st.text(alphabet="ab.:@/\\#?[]1%\t\n", max_size=20))
@settings(deadline=None, max_examples=300)
def test_what_may_be_fetched_is_on_a_named_host_by_every_reading(middle: str) -> None:
    from urllib.parse import urlsplit

    url = f"http://{middle}news.test/a"
    if objection(url, NEWS) is None:
        assert (urlsplit(url).hostname or "").rstrip(".") in ("news.test", "app.news.test")


# ── the address ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "203.119.24.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "240e:1::1"])
def test_addresses_of_the_open_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "::1"),  # loopback
        *("0.0.0.0", "0.1.2.3", "::"),  # this host
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"),  # private
        *("169.254.0.1", "169.254.169.254", "fe80::1", "fe80::1%eth0"),  # link-local, where clouds put their metadata
        *("100.64.0.1", "100.100.100.200", "100.127.255.255"),  # shared; Alibaba's metadata
        *("168.63.129.16", "fd00:ec2::254", "192.0.0.192"),  # Azure's, Amazon's, Oracle's
        *("224.0.0.1", "239.1.1.1", "ff02::1", "ff0e::1"),  # multicast
        *("240.0.0.1", "255.255.255.255"),  # reserved, broadcast
        *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1"),  # documentation, benchmarks
        *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:10.0.0.1"),  # IPv4 inside IPv6
        *("64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:4136:e378::"),
        *("fec0::1",),  # site-local of old
        *("", "news.test", "1.2.3", "0x7f000001", "1.1.1.1.1"),  # none
    ],
)
def test_all_other_addresses_are_not(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
@settings(deadline=None, max_examples=300)
def test_no_private_address_is_public(address: object) -> None:
    ip = address
    if is_public(str(ip)):
        assert not any(getattr(ip, name) for name in ("is_private", "is_loopback", "is_link_local", "is_multicast", "is_unspecified"))


def test_a_seeds_file_vouches_for_addresses_with_ports_only() -> None:
    named = vouched_addresses(["127.0.0.1:8800", "[::1]:8801", "localhost:9", "10.0.0.1", "news.test", "news.test:8080"])
    assert named == {("127.0.0.1", 8800), ("::1", 8801), ("127.0.0.1", 9), ("::1", 9)}


def test_hosts_that_need_no_proxy_are_no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("no_proxy", "direct.test")
    monkeypatch.setenv("ftp_proxy", "http://old.test")
    assert "http://proxy.test:3128" in operators_proxies()
    assert not {"direct.test", "http://old.test"} & set(operators_proxies())


def test_a_proxy_is_known_by_host_and_port_and_for_its_tunnel() -> None:
    assert proxy_hosts(["http://proxy.test:3128"]) == {("proxy.test", 3128), ("proxy.test", 0)}
    assert proxy_hosts(["proxy.test:3128", "https://u:p@other.test"]) >= {("proxy.test", 3128), ("other.test", 443)}


@pytest.mark.parametrize("proxy", ["", "/var/run/docker.sock", "http://[::1", "http://x:port"])
def test_what_is_no_proxy_lets_nothing_through(proxy: str) -> None:
    assert proxy_hosts([proxy]) == set()


def test_until_a_site_is_known_only_public_addresses_pass() -> None:
    resolver = GuardedResolver(None)
    assert resolver.allows("news.test", "1.1.1.1", 80)
    assert not resolver.allows("127.0.0.1", "127.0.0.1", 8800)


def test_a_named_address_passes_for_its_own_port_only() -> None:
    resolver = GuardedResolver(None)
    resolver.know(["127.0.0.1:8800"], ["http://10.0.0.5:3128"])
    assert resolver.allows("127.0.0.1", "127.0.0.1", 8800)
    assert not resolver.allows("127.0.0.1", "127.0.0.1", 8801)
    assert not resolver.allows("127.0.0.1", "127.0.0.2", 8800)
    assert resolver.allows("10.0.0.5", "10.0.0.5", 3128)
    assert not resolver.allows("news.test", "10.0.0.5", 3128)  # only the proxy's own name leads there


def test_a_spider_without_a_site_does_not_crawl() -> None:
    class Nobody:
        spider = None

    with pytest.raises(TypeError, match="carries no `site`"):
        site_of(Nobody())  # type: ignore[arg-type]


def test_a_refusal_says_its_reason_in_one_word_and_the_rest_in_a_sentence() -> None:
    refusal = Refused("address", "http://a.test/: a.test is 10.0.0.1")
    assert (refusal.reason, str(refusal)) == ("address", "address: http://a.test/: a.test is 10.0.0.1")
    assert "address" not in POSTPONED


# ── over the wire ────────────────────────────────────────────────────────────────────────────────────────────────────

INSIDE = "secret of an internal machine"


@pytest.fixture(scope="module")
def disguises() -> Iterator[tuple[WireServer, WireServer, Crawl]]:
    """Redirects to every form of an internal address, from a server that may be asked to one that may not."""
    with WireServer({"*": page(INSIDE.encode())}) as inside, WireServer({"/robots.txt": page(b"")}) as server:
        port = inside.port
        locations = {
            "port": f"http://127.0.0.1:{port}/a/x",
            "name": f"http://localhost:{port}/a/x",
            "decimal": f"http://2130706433:{port}/a/x",
            "hex": f"http://0x7f000001:{port}/a/x",
            "octal": f"http://0177.0.0.1:{port}/a/x",
            "short": f"http://127.1:{port}/a/x",
            "ipv6": f"http://[::1]:{port}/a/x",
            "mapped": f"http://[::ffff:127.0.0.1]:{port}/a/x",
            "zero": f"http://0.0.0.0:{port}/a/x",
            "link_local": "http://169.254.1.1/latest/x",
            "userinfo": f"http://{server.host}@127.0.0.1:{port}/a/x",
            "backslash": f"http://127.0.0.1:{port}\\@{server.host}/a/x",
            "relative": f"//127.0.0.1:{port}/a/x",
            "file": "file:///etc/passwd",
            "data": "data:text/html,<p>x</p>",
            "ftp": f"ftp://127.0.0.1:{port}/a/x",
            "home": f"http://127.0.0.1:{port}/",
            "crlf": "/a/ok%0d%0aX-Injected:%201",
        }
        for name, location in locations.items():
            server.routes[f"/a/{name}"] = page(b"", "302 Found", {"Location": location})
        direct = [f"http://127.0.0.1:{port}/a/1", f"http://localhost:{server.port}/a/1", f"http://u:p@{server.host}/a/1"]
        yield server, inside, crawl([*(server.url(f"/a/{name}") for name in locations), *direct], [server.host])


def test_no_redirect_reaches_an_internal_machine_in_any_disguise(disguises: tuple[WireServer, WireServer, Crawl]) -> None:
    _, inside, result = disguises
    assert inside.asked == []
    assert not any(INSIDE in exchange["body"] for exchange in result.exchanges)


def test_each_refused_redirect_is_the_failure_of_the_url_that_redirects(disguises: tuple[WireServer, WireServer, Crawl]) -> None:
    server, _, result = disguises
    errors = {
        outcome.url.removeprefix(server.url("/a/")): outcome.error
        for outcome in result.outcomes
        if outcome.url.startswith(server.url("/a/"))
    }
    assert {name for name, error in errors.items() if error != "redirect_refused"} == {"crlf", "home"}


def test_a_home_page_elsewhere_is_recognised_without_being_fetched(disguises: tuple[WireServer, WireServer, Crawl]) -> None:
    server, _, result = disguises
    assert (result.of(server.url("/a/home")).status, result.stats["redirect/to_index"]) == (302, 1)


def test_a_line_end_in_a_redirect_splits_no_header(disguises: tuple[WireServer, WireServer, Crawl]) -> None:
    server, _, result = disguises
    assert server.count("/a/ok%0d%0aX-Injected:%201") == 1
    assert not any("x-injected" in asked.headers for asked in server.asked)
    assert result.of(server.url("/a/crlf")).status == 404


def test_urls_out_of_scope_are_refused_before_anything_is_sent(disguises: tuple[WireServer, WireServer, Crawl]) -> None:
    server, _, result = disguises
    refused = [outcome for outcome in result.outcomes if outcome.error == "out_of_scope"]
    assert len(refused) == 3
    assert result.stats["refused/out_of_scope"] == 3
    assert server.count("/robots.txt") == 1


@pytest.fixture(scope="module")
def rebinding() -> Iterator[tuple[WireServer, WireServer, Crawl]]:
    """A name server that answers with the right address twice, then with an internal one. Both listen on the same port."""
    with (
        WireServer({"*": page(headers={"Connection": "close"})}, address="127.0.0.2") as right,
        WireServer({"*": page()}, port=right.port) as inside,
    ):
        port = right.port
        names = {
            "news.test": ["127.0.0.2", "127.0.0.2", "127.0.0.1"],
            "mixed.test": ["127.0.0.1 127.0.0.2"],
            "inside.test": ["127.0.0.1"],
            "local.test": ["169.254.1.1"],
            "xn--fiqz9s.test": ["127.0.0.3"],
        }
        hosts = [right.host, *(f"{name}:{port}" for name in names)]
        urls = [f"http://{name}:{port}/a/{n}" for name in names for n in (1, 2)]
        yield right, inside, crawl(urls, hosts, names=names)


def test_a_second_answer_of_the_name_server_does_not_help(rebinding: tuple[WireServer, WireServer, Crawl]) -> None:
    _, inside, result = rebinding
    assert inside.asked == []
    outcomes = sorted((outcome.error or "", outcome.status or 0) for outcome in result.outcomes if "news.test" in outcome.url)
    assert outcomes == [("", 200), ("address", 0)]


def test_of_a_mixed_answer_only_the_allowed_address_is_contacted(rebinding: tuple[WireServer, WireServer, Crawl]) -> None:
    right, _, result = rebinding
    assert [outcome.status for outcome in result.outcomes if "mixed.test" in outcome.url] == [200, 200]
    assert any(asked.headers["host"].startswith("mixed.test") for asked in right.asked)


@pytest.mark.parametrize(
    ("name", "address"), [("inside.test", "127.0.0.1"), ("local.test", "169.254.1.1"), ("xn--fiqz9s.test", "127.0.0.3")]
)
def test_a_name_that_leads_inside_is_refused_with_its_address(
    rebinding: tuple[WireServer, WireServer, Crawl], name: str, address: str
) -> None:
    _, _, result = rebinding
    outcomes = [outcome for outcome in result.outcomes if name in outcome.url]
    assert [outcome.error for outcome in outcomes] == ["robots_unreachable", "robots_unreachable"]
    assert all(f"is {address}, no address of the open internet" in outcome.detail for outcome in outcomes)


def test_a_refused_address_is_not_tried_again(rebinding: tuple[WireServer, WireServer, Crawl]) -> None:
    _, _, result = rebinding
    assert not any(name.startswith("retry/") for name in result.stats)


@pytest.fixture(scope="module")
def proxied() -> Iterator[tuple[WireServer, Crawl]]:
    """A proxy on an address that `hosts` does not name, set by the operator as http_proxy and https_proxy."""
    routes = {"http://news.test/robots.txt": page(b""), "http://news.test/a/1": page(), "secure.test:443": page(b"no", "403 Forbidden")}
    with WireServer(routes) as proxy:
        here = f"http://127.0.0.1:{proxy.port}"
        env = {"http_proxy": here, "https_proxy": here, "no_proxy": "direct.test"}
        hosts = ["news.test", "secure.test", "direct.test"]
        urls = ["http://news.test/a/1", "http://other.test/a/1", f"{here}/a/1", "https://secure.test/a/1", "http://direct.test/a/1"]
        yield proxy, crawl(urls, hosts, env=env, names={"direct.test": ["192.0.2.1"]})


def test_the_operators_proxy_is_used_and_resolves_the_names(proxied: tuple[WireServer, Crawl]) -> None:
    _, result = proxied
    assert result.of("http://news.test/a/1").status == 200
    assert [exchange["ip"] for exchange in result.records("http://news.test/a/1")] == [None]


def test_behind_a_proxy_the_urls_are_checked_as_before(proxied: tuple[WireServer, Crawl]) -> None:
    proxy, result = proxied
    assert result.of("http://other.test/a/1").error == "out_of_scope"
    assert result.of(f"http://127.0.0.1:{proxy.port}/a/1").error == "out_of_scope"
    assert {asked.target for asked in proxy.asked} <= {"http://news.test/robots.txt", "http://news.test/a/1", "secure.test:443"}


def test_a_tunnel_is_asked_of_the_proxy_and_its_refusal_is_a_failure(proxied: tuple[WireServer, Crawl]) -> None:
    proxy, result = proxied
    assert [asked.method for asked in proxy.asked if asked.target == "secure.test:443"][:1] == ["CONNECT"]
    assert result.of("https://secure.test/a/1").error == "robots_unreachable"


def test_a_host_that_the_proxy_does_not_serve_is_checked_by_its_address(proxied: tuple[WireServer, Crawl]) -> None:
    _, result = proxied
    assert "192.0.2.1" in result.of("http://direct.test/a/1").detail


def test_another_resolver_in_the_settings_does_not_switch_the_guard_off() -> None:
    with WireServer({"*": page()}) as inside:
        port = inside.port
        settings = {"TWISTED_DNS_RESOLVER": "scrapy.resolver.CachingThreadedResolver"}
        result = crawl([f"http://localhost.localdomain:{port}/a/1"], [f"localhost.localdomain:{port}"], settings=settings)
        assert inside.asked == []
    assert result.outcomes[0].error == "robots_unreachable"


# ── other archives ───────────────────────────────────────────────────────────────────────────────────────────────────

CRAWL = "https://index.commoncrawl.org/CC-MAIN-2024-10-index?url=news.test/*"
BACKFILLED = parse_site(f"{seeds(['news.test'])}\ncdx = ['{CRAWL}']\n".encode(), "test.toml")


@pytest.mark.parametrize("url", [CRAWL, "https://index.commoncrawl.org/robots.txt", "https://data.commoncrawl.org/a.warc.gz"])
@pytest.mark.parametrize("kind", list(Kind))
def test_an_archive_may_be_asked_for_its_index_its_captures_and_its_robots_txt_and_for_no_page(url: str, kind: Kind) -> None:
    is_theirs = kind in (Kind.CDX, Kind.RECORD, Kind.ROBOTS)
    assert (objection(url, BACKFILLED, kind) is None) is is_theirs
    assert objection(url, BACKFILLED) is not None
    assert objection(url, NEWS, kind) is not None, "a site that asks no archive"


@pytest.mark.parametrize(
    "url",
    [
        "https://web.archive.org/web/2024/x",
        "https://user@data.commoncrawl.org/a",
        "https://data.commoncrawl.org:8443/a",
        "ftp://data.commoncrawl.org/a",
    ],
)
def test_no_other_host_is_asked_for_a_capture(url: str) -> None:
    assert objection(url, BACKFILLED, Kind.RECORD) is not None
