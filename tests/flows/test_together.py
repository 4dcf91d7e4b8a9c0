"""Processes that ask one host at the same time: together they ask it no faster than one."""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path

import pytest

from crawler.health import GOOD, NOTHING_SAVED
from tests.crawler.wire_server import Asked, WireServer, page
from tests.flows import crawling
from tests.flows.test_redirects import SEEDS, article, listing

pytestmark = pytest.mark.xdist_group("together")

DELAY = 0.5
NAMES = ("one", "two")
"""sites of one host, in two seeds files"""


def serve(server: WireServer, seeds: Path) -> None:
    seeds.mkdir()
    for name in NAMES:
        text = SEEDS.format(host=server.host, listings=f'"{server.url(f"/{name}/")}"', concurrency=1)
        text = text.replace('"moving"', f'"{name}"').replace("delay = 0.0", f"delay = {DELAY}")
        (seeds / f"{name}.toml").write_text(text, encoding="utf-8")
        server.routes[f"/{name}/"] = page(listing(*(f"{name}-{number}" for number in (1, 2, 3))))
        server.routes |= {f"/a/{name}-{number}.html": page(article(number)) for number in (1, 2, 3)}


@pytest.mark.parametrize("second", ["crawl", "crawl -a sample=1", "probe"])
def test_two_processes_share_the_delay_of_a_host(tmp_path: Path, second: str) -> None:
    """The first waits for its robots.txt until the second asks for it too: from then on both are at work."""
    one, both = threading.Event(), threading.Event()
    came: list[Asked] = []

    def robots(connection: socket.socket, asked: Asked) -> None:
        came.append(asked)
        one.set()
        if len(came) == len(NAMES):
            both.set()
        both.wait(60)
        page(b"User-agent: *\nAllow: /\n")(connection, asked)

    def start(command: str, name: str) -> subprocess.Popen[bytes]:
        said = ["--archive", str(tmp_path / "archive"), "-s", f"SEEDS_DIR={tmp_path / 'seeds'}", "-s", "EXTRACT_WORKERS=0", "-L", "ERROR"]
        return subprocess.Popen([*crawling.SCRAPY, *command.split(), name, *said], env=crawling.environment(None), cwd=crawling.ROOT)

    with WireServer({"/robots.txt": robots}) as server:
        serve(server, tmp_path / "seeds")
        first = start("crawl", "one")
        assert one.wait(60)
        other = start(second, "two")
        assert {first.wait(60), other.wait(60)} <= {GOOD, NOTHING_SAVED}  # whose stories come second are copies
        times = [asked.at for asked in server.asked if asked.at >= came[1].at]
    assert len(times) >= 8
    assert times[-1] - times[0] >= (len(times) - 2) * DELAY, "one turn of slack: a question may be on its way for a while"
