"""Redirects in whole runs: what they cost a site night after night, and that one fetch serves all who are led to it."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines import report
from pipelines.archive import schema
from tests import small_site
from tests.crawler.wire_server import Asked, WireServer, page, says
from tests.flows import crawling

pytestmark = pytest.mark.xdist_group("redirects")

NAME = "moving"
SEEDS = """\
name = "moving"
publisher = "试验台"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["{host}"]

[politeness]
delay = 0.0
concurrency = {concurrency}

[discover]
listings = [{listings}]
article = ['/a/(?P<id>[^/]+)\\.html$']

[[layout]]
name = "page"
title = ["h1"]
body = ["#body"]
"""


STORIES = (small_site.ROBOT, small_site.BATTERY, small_site.TELESCOPE)


def article(number: int) -> bytes:
    lines = "".join(f"<p>{line}</p>" for line in STORIES[number - 1])
    head = f"<head><title>第{number}号装配线投产</title></head>"
    return f"<html>{head}<body><h1>第{number}号装配线投产</h1><div id='body'>{lines}</div></body></html>".encode()


def listing(*names: str) -> bytes:
    links = "".join(f'<li><a href="/a/{name}.html">第{name}条新闻的标题</a></li>' for name in names)
    return f"<html><body><ul>{links}</ul></body></html>".encode()


def tagged(body: bytes) -> Callable[[socket.socket, Asked], None]:
    """Answers 304 to whoever names its version."""
    tag = f'"{sha256(body).hexdigest()[:8]}"'

    def answer(connection: socket.socket, asked: Asked) -> None:
        same = asked.headers.get("if-none-match") == tag
        (says(f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()) if same else page(body, headers={"ETag": tag}))(
            connection, asked
        )

    return answer


def moved(target: str, status: str = "301 Moved Permanently") -> Callable[[socket.socket, Asked], None]:
    return page(b"", status, {"Location": target})


class Nights:
    """A site and an archive of it."""

    def __init__(self, folder: Path, server: WireServer) -> None:
        self.server, self.archive, self._seeds = server, folder / "archive", folder / "seeds"
        self.concurrency = 1
        self._seeds.mkdir()
        server.routes["/robots.txt"] = page(b"User-agent: *\nAllow: /\n")

    def night(self, *listings: str, again: bool = False) -> dict[str, Any]:
        """A run from these lists; its ledger. With `again`, all articles are due."""
        quoted = ", ".join(f'"{self.server.url(one)}"' for one in listings)
        seeds = SEEDS.format(host=self.server.host, listings=quoted, concurrency=self.concurrency)
        (self._seeds / f"{NAME}.toml").write_text(seeds, encoding="utf-8")
        if again:
            crawling.execute(self.archive, schema.url.update().values(due_at=0.0))
        self.server.asked.clear()
        done = self._scrapy("crawl", NAME, "-s", f"ARCHIVE_DIR={self.archive}", "-s", f"SEEDS_DIR={self._seeds}", "-L", "INFO")
        [told] = crawling.column(self.archive, sa.select(schema.run.c.ledger).order_by(schema.run.c.id.desc()).limit(1))
        ledger = {**json.loads(told), "status": done.returncode, "log": done.stderr}
        assert report.reconciles(ledger)
        return ledger

    def verified(self) -> bool:
        return self._scrapy("verify", "--archive", str(self.archive), "-s", f"SEEDS_DIR={self._seeds}").returncode == 0

    def records(self) -> dict[str, crawling.Record]:
        return crawling.all_records(self.archive)

    def replayed(self) -> dict[str, crawling.Record]:
        """The records of an archive that is made of this one's WARC files."""
        again = self.archive.with_name("again")
        files = sorted(map(str, (self.archive / "warc").glob("*.warc.gz")))
        done = self._scrapy("replay", "--archive", str(again), "-s", f"SEEDS_DIR={self._seeds}", *files)
        assert done.returncode == 0, done.stderr
        return crawling.all_records(again)

    def _scrapy(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return crawling.run([*crawling.SCRAPY, *arguments])

    def asked(self) -> list[str]:
        return [asked.target for asked in self.server.asked if asked.target != "/robots.txt"]

    def conditional(self) -> list[str]:
        return [asked.target for asked in self.server.asked if "if-none-match" in asked.headers]


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    with WireServer({}) as server:
        yield Nights(tmp_path, server)


def test_the_target_of_a_list_that_moved_is_asked_with_what_it_said_itself(nights: Nights) -> None:
    nights.server.routes |= {"/tech": moved("/tech/"), "/tech/": tagged(listing("1")), "/a/1.html": tagged(article(1))}
    assert nights.night("/tech")["visits"] == {"new": 1}
    assert nights.conditional() == []
    quiet = nights.night("/tech")
    assert (nights.asked(), nights.conditional()) == (["/tech", "/tech/"], ["/tech/"])
    assert (quiet["lists"], quiet["status"]) == (1, 0)
    assert f"{nights.server.url('/tech')} has moved for good to {nights.server.url('/tech/')}" in quiet["log"]
    nights.server.routes |= {"/tech/": tagged(listing("2", "1")), "/a/2.html": tagged(article(2))}
    assert nights.night("/tech")["visits"] == {"new": 1}


def test_a_list_that_stopped_moving_is_asked_plainly_and_read(nights: Nights) -> None:
    """Why a permanent redirect is asked again every night: who mended it would not be heard."""
    nights.server.routes |= {"/tech": moved("/tech/"), "/tech/": tagged(listing("1")), "/a/1.html": tagged(article(1))}
    nights.night("/tech")
    nights.server.routes |= {"/tech": tagged(listing("1", "2")), "/a/2.html": tagged(article(2))}
    assert nights.night("/tech")["visits"] == {"new": 1}
    assert (nights.asked(), nights.conditional()) == (["/tech", "/a/2.html"], [])
    nights.night("/tech")
    assert (nights.asked(), nights.conditional()) == (["/tech"], ["/tech"])


def test_an_article_that_moved_is_asked_with_what_its_new_address_said(nights: Nights) -> None:
    nights.server.routes |= {"/tech/": tagged(listing("old")), "/a/old.html": moved("/a/1.html"), "/a/1.html": tagged(article(1))}
    assert nights.night("/tech/")["visits"] == {"new": 1}
    assert nights.night("/tech/", again=True)["visits"] == {"not_modified": 1}
    assert (nights.asked(), nights.conditional()) == (["/tech/", "/a/old.html", "/a/1.html"], ["/tech/", "/a/1.html"])


LED = {"/a/old.html": moved("/a/1.html"), "/a/older.html": moved("/a/1.html", "302 Found"), "/a/1.html": tagged(article(1))}
"""two addresses that lead to a third"""


@pytest.mark.parametrize("names", [("old", "1"), ("1", "old")])
def test_one_fetch_serves_a_page_and_who_is_led_to_it(nights: Nights, names: tuple[str, str]) -> None:
    nights.server.routes |= {**LED, "/tech/": tagged(listing(*names))}
    assert nights.night("/tech/")["visits"] == {"new": 1, "unchanged": 1}
    assert sorted(nights.asked()) == ["/a/1.html", "/a/old.html", "/tech/"]


def test_one_fetch_serves_several_night_after_night_and_is_archived_once(nights: Nights) -> None:
    nights.concurrency = 4
    nights.server.routes |= {**LED, "/tech/": tagged(listing("older", "1", "old"))}
    assert nights.night("/tech/")["visits"] == {"new": 1, "unchanged": 2}
    assert nights.server.count("/a/1.html") == 1
    assert nights.night("/tech/", again=True)["visits"] == {"not_modified": 3}
    assert nights.conditional().count("/a/1.html") == 1
    nights.server.routes["/a/1.html"] = tagged(article(2))
    assert nights.night("/tech/", again=True)["visits"] == {"revision": 1, "unchanged": 2}
    assert nights.server.count("/a/1.html") == 1
    assert nights.verified()
    assert nights.replayed() == nights.records()


def test_who_is_led_to_a_page_on_its_way_waits_for_it(nights: Nights) -> None:
    led = threading.Event()

    def leads(connection: socket.socket, asked: Asked) -> None:
        moved("/a/1.html")(connection, asked)
        led.set()

    def slow(connection: socket.socket, asked: Asked) -> None:
        assert led.wait(30)
        tagged(article(1))(connection, asked)

    nights.concurrency = 4
    nights.server.routes |= {"/a/old.html": leads, "/a/1.html": slow, "/tech/": tagged(listing("1", "old"))}
    assert nights.night("/tech/")["visits"] == {"new": 1, "unchanged": 1}
    assert nights.server.count("/a/1.html") == 1


@pytest.mark.parametrize("lists", [("/tech/", "/tech"), ("/tech", "/t")])
def test_two_lists_that_are_one_cost_one_fetch(nights: Nights, lists: tuple[str, str]) -> None:
    nights.server.routes |= {
        "/tech": moved("/tech/"),
        "/t": moved("/tech/"),
        "/tech/": tagged(listing("1")),
        "/a/1.html": tagged(article(1)),
    }
    ledger = nights.night(*lists)
    assert (ledger["visits"], ledger["lists"]) == ({"new": 1}, 2)
    assert nights.server.count("/tech/") == 1
    ledger = nights.night(*lists)
    assert (ledger["lists"], ledger["status"], nights.server.count("/tech/")) == (2, 0, 1)
    assert nights.conditional() == ["/tech/"]


def test_redirects_that_lead_to_each_other_end(nights: Nights) -> None:
    nights.concurrency = 4
    nights.server.routes |= {
        "/a/ping.html": moved("/a/pong.html"),
        "/a/pong.html": moved("/a/ping.html"),
        "/a/1.html": tagged(article(1)),
        "/tech/": tagged(listing("ping", "pong", "1")),
    }
    assert nights.night("/tech/")["visits"] == {"failed/redirect_loop": 2, "new": 1}
    assert (nights.server.count("/a/ping.html"), nights.server.count("/a/pong.html")) == (1, 1)


def test_a_page_that_is_not_there_is_asked_for_once_too(nights: Nights) -> None:
    nights.server.routes |= {**LED, "/a/1.html": page(b"", "404 Not Found"), "/tech/": tagged(listing("old", "1"))}
    assert nights.night("/tech/")["visits"] == {"gone": 2}
    assert nights.server.count("/a/1.html") == 1
