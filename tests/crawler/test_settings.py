"""Secure settings: what must be off is off in a real crawl, and nothing new of Scrapy's gets in unread.

scrapy_defaults.json is a copy of Scrapy 2.19's defaults as somebody reviewed them. When a test here names a setting, read
what the new release does with it, decide in crawler/settings.py, and only then bring the copy up to date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings, default_settings
from scrapy.utils.misc import load_object

from crawler import settings as ours
from tests.crawler.crawl_once import Crawl, crawl
from tests.crawler.wire_server import PAGE, WireServer, page

REVIEWED: dict[str, str] = json.loads(Path(__file__).with_name("scrapy_defaults.json").read_text("utf-8"))
MACHINE = {"EDITOR", "TEMPLATES_DIR", "USER_AGENT"}
"""defaults that differ from machine to machine, or by Scrapy's own version"""
NAMES = {name for name in vars(default_settings) if name.isupper()} - MACHINE


def effective() -> Settings:
    settings = Settings()
    settings.setmodule("crawler.settings")
    return settings


# ── Scrapy's side ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_setting_of_scrapy_is_new_and_unread() -> None:
    assert sorted(NAMES - set(REVIEWED)) == []


def test_no_setting_of_scrapy_has_gone() -> None:
    assert sorted(set(REVIEWED) - NAMES) == []


@pytest.mark.parametrize("name", sorted(NAMES & set(REVIEWED)))
def test_a_default_of_scrapy_is_what_was_reviewed(name: str) -> None:
    assert repr(getattr(default_settings, name)) == REVIEWED[name]


# ── our side ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [
        "REMOTE_CONTROL_ENABLED",
        "TELNETCONSOLE_ENABLED",
        "COOKIES_ENABLED",
        "METAREFRESH_ENABLED",
        "COMPRESSION_ENABLED",
        "RETRY_ENABLED",
        "REDIRECT_ENABLED",
        "HTTPCACHE_ENABLED",
        "REFERER_ENABLED",
        "AUTOTHROTTLE_ENABLED",
        "ROBOTSTXT_OBEY",
        "LOG_INSTALL_ROOT_HANDLER",
        "DNSCACHE_ENABLED",
        "MEMDEBUG_ENABLED",
        "HTTPERROR_ALLOW_ALL",
        "FEEDS",
        "JOBDIR",
        "HTTPAUTH_USER",
        "DOWNLOAD_DELAY",
    ],
)
def test_what_must_be_off_is_off(name: str) -> None:
    assert not effective()[name]


@pytest.mark.parametrize("name", ["DOWNLOAD_VERIFY_CERTIFICATES", "HTTPPROXY_ENABLED", "MEMUSAGE_ENABLED", "LOG_ENABLED"])
def test_what_must_be_on_is_on(name: str) -> None:
    assert effective().getbool(name)


def test_only_http_and_https_have_a_handler_and_it_is_ours() -> None:
    handlers = {scheme: path for scheme, path in effective().getwithbase("DOWNLOAD_HANDLERS").items() if path}
    assert handlers == {"http": "crawler.transport.Transport", "https": "crawler.transport.Transport"}


KEPT = {
    "DOWNLOADER_MIDDLEWARES": {"DownloadTimeoutMiddleware", "DefaultHeadersMiddleware", "HttpProxyMiddleware"},
    "SPIDER_MIDDLEWARES": set(),
    "EXTENSIONS": {"CoreStats", "LogCount", "MemoryUsage", "CloseSpider", "LogStats"},
}


@pytest.mark.parametrize("name", sorted(KEPT))
def test_of_scrapys_own_components_only_these_are_kept(name: str) -> None:
    components = effective().getwithbase(name)
    scrapys = {path.rpartition(".")[2] for path, order in components.items() if order is not None and str(path).startswith("scrapy.")}
    assert scrapys == KEPT[name]


def test_our_middlewares_exist_and_stand_in_the_order_that_their_rules_need() -> None:
    active = {path: order for path, order in effective().getwithbase("DOWNLOADER_MIDDLEWARES").items() if order is not None}
    names = [str(path).rpartition(".")[2] for path in sorted(active, key=lambda path: active[path])]
    assert all(load_object(path) for path in active)
    ours_in_order = [name for name in names if name not in KEPT["DOWNLOADER_MIDDLEWARES"]]
    assert ours_in_order == [
        "GuardMiddleware",  # before robots.txt of a foreign host is asked for
        "RobotsMiddleware",
        "IdentityMiddleware",
        "ConditionalMiddleware",
        "RetryMiddleware",  # above the decoder, which tells whether a stream ended
        "DecodeMiddleware",
        "RedirectMiddleware",
        "PolitenessMiddleware",
        "SharingMiddleware",  # above the capture, which has to be in the WARC file
        "CaptureMiddleware",  # nearest to the network
    ]


def test_the_bounds_are_those_that_are_promised() -> None:
    assert (ours.DOWNLOAD_TIMEOUT, ours.DOWNLOAD_MAXSIZE, ours.REDIRECT_MAX_TIMES) == (30, 8 * 2**20, 5)


def test_the_agent_that_robots_txt_is_read_for_is_a_product_token_and_our_own_name() -> None:
    assert re.fullmatch(r"[a-zA-Z_-]+", ours.ROBOTS_AGENT)
    assert ours.USER_AGENT.startswith(f"{ours.ROBOTS_AGENT}/")
    assert "Mozilla" not in ours.USER_AGENT


@pytest.mark.parametrize("name", ["COMMANDS_MODULE", "SPIDER_LOADER_CLASS", "SCHEDULER", "LOG_FORMATTER", "TWISTED_DNS_RESOLVER"])
def test_the_parts_that_the_settings_name_are_ours(name: str) -> None:
    assert str(effective()[name]).startswith("crawler.")


def test_every_setting_that_is_not_scrapys_is_one_that_we_mean() -> None:
    own = {name for name in vars(ours) if name.isupper()} - {name for name in vars(default_settings) if name.isupper()}
    assert {"ARCHIVE_DIR", "SEEDS_DIR", "CONTACT", "EXTRACT_WORKERS", "ROBOTS_AGENT"} <= own


# ── a real crawl ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def crawled() -> Iterator[tuple[WireServer, Crawl]]:
    refresh = PAGE.replace(b"<head>", b'<head><meta http-equiv="refresh" content="0;url=/elsewhere">')
    hostile = {"Set-Cookie": "sid=1; Path=/", "Referrer-Policy": "builtins.print", "X-Log": "a"}
    with WireServer({"/robots.txt": page(b""), "/a/1": page(refresh, headers=hostile), "/a/2": page(headers=hostile)}) as server:
        settings = {"CONTACT": "mailto:a@b.test (we)\r\nX-Evil: 1"}
        yield server, crawl([server.url("/a/1"), server.url("/a/2")], [server.host], settings=settings)


def arrived(crawled: tuple[WireServer, Crawl]) -> list[dict[str, Any]]:
    return [dict(asked.headers) for asked in crawled[0].asked]


def test_nothing_goes_out_that_was_not_asked_for(crawled: tuple[WireServer, Crawl]) -> None:
    assert sorted(asked.target for asked in crawled[0].asked) == ["/a/1", "/a/2", "/robots.txt"]


def test_neither_cookies_nor_a_referer_are_sent(crawled: tuple[WireServer, Crawl]) -> None:
    assert not any({"cookie", "referer", "authorization"} & set(headers) for headers in arrived(crawled))


def test_every_request_says_who_we_are_and_where_our_people_are_found(crawled: tuple[WireServer, Crawl]) -> None:
    agents = {headers["user-agent"] for headers in arrived(crawled)}
    assert agents == {f"{ours.USER_AGENT} (+mailto:a@b.testweX-Evil:1)"}
    assert not any("x-evil" in headers for headers in arrived(crawled))


def test_no_door_is_open_beside_the_crawl(crawled: tuple[WireServer, Crawl]) -> None:
    log = crawled[1].log.lower()
    assert "telnet console listening" not in log
    assert "remote control" not in log
    assert "publicsuffix" not in log


def test_cookies_are_in_no_record_and_no_log(crawled: tuple[WireServer, Crawl]) -> None:
    assert "sid=1" not in json.dumps([exchange["headers"] for exchange in crawled[1].exchanges])
    assert "sid=1" not in crawled[1].log


def test_every_record_of_the_log_is_one_line(crawled: tuple[WireServer, Crawl]) -> None:
    lines = crawled[1].log.splitlines()
    assert len(lines) > 5
    assert all(re.match(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} \[", line) for line in lines)
