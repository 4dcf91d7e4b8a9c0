"""Two sites of one host: at the same time they ask it no faster than one; each reads what its own crawl brought, whoever reads it again."""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path

import pytest

from crawler.health import GOOD
from tests.crawler.wire_server import Asked, WireServer, page
from tests.flows import crawling
from tests.flows.test_redirects import SEEDS, article, listing, moved

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
        assert {first.wait(60), other.wait(60)} == {GOOD}, "whose stories come second are copies"
        times = [asked.at for asked in server.asked if asked.at >= came[1].at]
    assert len(times) >= 8
    assert times[-1] - times[0] >= (len(times) - 2) * DELAY, "one turn of slack: a question may be on its way for a while"


def command(folder: Path, *words: str, archive: str = "archive") -> subprocess.CompletedProcess[str]:
    said = ["--archive", str(folder / archive), "-s", f"SEEDS_DIR={folder / 'seeds'}", "-s", "EXTRACT_WORKERS=0", "-L", "ERROR"]
    return crawling.run([*crawling.SCRAPY, *words, *said])


def test_live_replay_and_reextract_agree_where_two_sites_share_a_host(tmp_path: Path) -> None:
    """Both article rules fit /a/, that of `two` alone /shared/; `two` leaves a note out that is text to `one`."""
    (seeds := tmp_path / "seeds").mkdir()
    noted = article(2).replace(b"</div>", "<p class='note'>编者按：这一行只有一个站点当作正文。</p></div>".encode())
    routes = {
        "/one/": page(listing("1", "moved")),
        "/two/": page(listing("2")),
        "/a/1.html": page(article(1)),
        "/a/2.html": page(noted),
        "/a/moved.html": moved("/shared/3.html"),
        "/shared/3.html": page(article(3)),
    }
    with WireServer(routes) as server:
        for name, more in {"one": "", "two": "drop = ['.note']\n"}.items():
            text = SEEDS.format(host=server.host, listings=f'"{server.url(f"/{name}/")}"', concurrency=1) + more
            text = text.replace('"moving"', f'"{name}"').replace("'/a/", "'/a/" if name == "one" else "'/(?:a|shared)/")
            (seeds / f"{name}.toml").write_text(text, encoding="utf-8")
        assert {command(tmp_path, "crawl", name).returncode for name in NAMES} == {GOOD}
        live = crawling.all_records(tmp_path / "archive")
        assert {url: record["site"] for url, record in live.items()} == {server.url("/a/1.html"): "one", server.url("/a/2.html"): "two"}
    files = map(str, crawling.warc_files(tmp_path / "archive"))
    replayed = command(tmp_path, "replay", "--workers", "0", *files, archive="again")
    assert replayed.returncode == 0, replayed.stderr
    assert crawling.all_records(tmp_path / "again") == live
    for archive in ("archive", "again"):
        told = command(tmp_path, "reextract", "--workers", "0", archive=archive)
        assert "4 say what they said, 0 say something else." in told.stdout
        assert crawling.all_records(tmp_path / archive) == live


def test_a_site_whose_articles_another_one_has_already_does_well(tmp_path: Path) -> None:
    """Night after night: all pages are what they were, and later none is due."""
    with WireServer({}) as server:
        serve(server, tmp_path / "seeds")
        server.routes["/two/"] = server.routes["/one/"]
        ends = [command(tmp_path, "crawl", name) for name in ("one", "two", "two")]
    assert [end.returncode for end in ends] == [GOOD] * 3, ends[1].stdout
    assert "0 articles of two in the corpus" in ends[1].stdout
    visits = [(ledger["visits"], ledger["urls"]["visited"]) for ledger in crawling.ledgers(tmp_path / "archive")]
    assert visits == [({"new": 3}, 3), ({"unchanged": 3}, 3), ({}, 0)]
