"""Reading processes in a whole crawl: their number changes nothing, and where they do not keep up, nothing piles up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks import bulk_pages
from benchmarks.profile import SEEDS, SITE, Server
from crawler.settings import CONCURRENT_REQUESTS_PER_DOMAIN
from tests.flows import crawling

PAGES = 40
MANY, AT_ONCE = 120, 1_000_000
"""pages of 50 KB, six times as much as the bytes that may be under way"""
LONGEST = 60.0
"""seconds that anything here is waited for"""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(PAGES)
    yield server
    server.shutdown()
    server.server_close()


def command(folder: Path, server: Server, workers: int, **more: object) -> list[str]:
    (folder / "seeds").mkdir(parents=True)
    (folder / "seeds" / f"{SITE}.toml").write_text(SEEDS.format(port=server.server_address[1]) + bulk_pages.LAYOUT, encoding="utf-8")
    settings: dict[str, object] = {
        "ARCHIVE_DIR": folder / "archive",
        "SEEDS_DIR": folder / "seeds",
        "CONTACT": "test@example.org",
        "EXTRACT_WORKERS": workers,
    }
    settings |= more
    said = [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
    return [*crawling.SCRAPY, "crawl", SITE, *said, "-L", "WARNING"]


def test_the_number_of_processes_changes_no_record(tmp_path: Path, server: Server) -> None:
    found = []
    for workers in (0, 1, 2, 4):
        folder = tmp_path / str(workers)
        done = crawling.run(command(folder, server, workers))
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(crawling.comparables(folder / "archive"))
    assert len(found[0]) == PAGES
    assert found[1:] == [found[0]] * 3


def test_a_crawl_waits_for_its_readers_and_loses_nothing(tmp_path: Path) -> None:
    """The one process that reads stands still for a while, less than a page may take: what the crawl fetches meanwhile has
    its bound."""
    server = Counting(MANY)
    told = command(tmp_path, server, 1, SCRAPER_SLOT_MAX_ACTIVE_SIZE=AT_ONCE)
    process = subprocess.Popen(told, cwd=crawling.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until(lambda: server.served >= 20)
        reader = reader_of(process)
        reader.suspend()
        still = settled(server)
        reader.resume()
        said, _ = process.communicate(timeout=crawling.SECONDS)
    finally:
        process.kill()
        server.shutdown()
        server.server_close()
    assert process.returncode == 0, said.decode()
    assert still <= 20 + AT_ONCE // min(map(len, server.pages)) + 2 * CONCURRENT_REQUESTS_PER_DOMAIN < MANY
    assert len(crawling.all_records(tmp_path / "archive")) == MANY
    assert crawling.faults_of(tmp_path / "archive") == []


def test_a_reader_that_is_killed_again_and_again_costs_no_page(tmp_path: Path, server: Server) -> None:
    process = subprocess.Popen(command(tmp_path, server, 1), cwd=crawling.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    killed = 0
    try:
        while process.poll() is None and killed < 3:
            until(lambda: process.poll() is not None or bool(readers_of(process)))
            for reader in readers_of(process):
                with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
                    os.kill(reader.pid, signal.SIGKILL)
                    killed += 1
            time.sleep(0.2)
        said, _ = process.communicate(timeout=crawling.SECONDS)
    finally:
        process.kill()
        process.communicate()  # else its pipe is found open in the middle of another test
    assert process.returncode == 0, said.decode()
    assert killed
    assert len(crawling.all_records(tmp_path / "archive")) == PAGES


class Counting(Server):
    served = 0

    def answer(self, path: str) -> bytes | None:
        self.served += path.startswith("/a/")
        return super().answer(path)


def until(holds: object) -> None:
    assert callable(holds)
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < LONGEST
        time.sleep(0.02)


def settled(server: Counting) -> int:
    """How many pages were served when no further one is asked for, in a second."""
    before = -1
    while before != server.served:
        before = server.served
        time.sleep(1.0)
    return before


def readers_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes that read: the children of the one that forks them. None where that one has just gone."""
    try:
        return [grandchild for child in psutil.Process(process.pid).children() for grandchild in child.children()]
    except psutil.NoSuchProcess:
        return []


def reader_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    [reader] = readers_of(process)
    return reader
