"""Redirects in whole runs: what they cost a site night after night, and that one fetch serves all who are led to it."""

from __future__ import annotations

import json
import socket
import subprocess
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
        self._seeds.mkdir()
        server.routes["/robots.txt"] = page(b"User-agent: *\nAllow: /\n")

    def night(self, *listings: str, again: bool = False) -> dict[str, Any]:
        """A run from these lists; its ledger. With `again`, all articles are due."""
        quoted = ", ".join(f'"{self.server.url(one)}"' for one in listings)
        (self._seeds / f"{NAME}.toml").write_text(SEEDS.format(host=self.server.host, listings=quoted), encoding="utf-8")
        if again:
            crawling.write(self.archive, schema.url.update().values(due_at=0.0))
        self.server.asked.clear()
        done = self._scrapy("crawl", NAME, "-s", f"ARCHIVE_DIR={self.archive}", "-s", f"SEEDS_DIR={self._seeds}", "-L", "INFO")
        [told] = crawling.column(self.archive, sa.select(schema.run.c.ledger).order_by(schema.run.c.id.desc()).limit(1))
        ledger = {**json.loads(told), "status": done.returncode, "log": done.stderr}
        assert report.reconciles(ledger)
        return ledger

    def verified(self) -> bool:
        return self._scrapy("verify", "--archive", str(self.archive), "-s", f"SEEDS_DIR={self._seeds}").returncode == 0

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
    assert nights.verified()


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
    assert nights.verified()
