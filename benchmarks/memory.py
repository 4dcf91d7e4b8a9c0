"""Memory of a crawl: with 100,000 known addresses and 20,000 pages to fetch, the main process stays under 200 MB.

    python -m benchmarks.memory [--pages N] [--known N]

The real command against a server on 127.0.0.1 that makes a different article for every number, without delay, sixteen
requests at a time; all in a temporary folder. The known addresses are rows of the URL table that are not due. Resident
memory is looked at once a second; the processes that extract stand beside it. The exit status says whether the bound held.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from benchmarks.dedup_corpus import Writer
from pipelines.archive import open_archive, urltable
from pipelines.archive.urltable import NewUrl
from pipelines.model import Kind
from pipelines.schedule import NEVER

ROOT = Path(__file__).parents[1]
PAGES, KNOWN = 20_000, 100_000
MOST_MB = 200
LINKS = 1_000
"""articles that one page of the list shows"""
PARAGRAPHS, SENTENCES = 8, 3
"""of an article, and of a paragraph: about 1,000 characters, as the replica's"""
ROWS_AT_ONCE = 10_000
EVERY = 1.0
"""seconds between two looks"""
SHOWN = 12
"""looks that are printed"""
SITE = "memory"
SEEDS = """
name = "memory"
publisher = "Benchmark"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["127.0.0.1:{port}"]
[politeness]
delay = 0.0
concurrency = 16
max_requests = 10_000_000
[discover]
listings = ["http://127.0.0.1:{port}/list/{{page}}"]
article = ['^http://127\\.0\\.0\\.1:{port}/a/(?P<date>\\d{{8}})/(?P<id>\\d+)\\.html$']
max_pages = 1_000
[[layout]]
name = "only"
title = ["h1"]
body = ["#body"]
published = ["span.time"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """At `seconds` after the start: megabytes resident, and pages served by then."""

    seconds: float
    main: float
    workers: float
    pages: int


# ── the site ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def path(number: int) -> str:
    return f"/a/20260904/{number}.html"


def article(number: int) -> bytes:
    writer = Writer("zh", random.Random(number))
    paragraphs = ("".join(writer.sentence() for _ in range(SENTENCES)) for _ in range(PARAGRAPHS))
    body = "".join(f"<p>{text}</p>\n" for text in paragraphs)
    head = f"<h1>{writer.sentence().rstrip('。')}</h1><span class=time>2026-09-04 10:{number % 60:02}</span>"
    return f"<html><head><meta charset=utf-8><title>{number}</title></head><body>{head}<div id=body>{body}</div></body></html>".encode()


@lru_cache(maxsize=4)
def listing(page: int, pages: int) -> bytes:
    """Numbers above the known ones, the newest first; behind the last page, nothing."""
    newest = KNOWN_TO + pages - (page - 1) * LINKS
    numbers = range(newest, max(KNOWN_TO, newest - LINKS), -1)
    entries = "".join(f'<li><a href="{path(number)}">第 {number} 条消息的标题</a></li>\n' for number in numbers)
    return f"<html><body><ul>{entries}</ul></body></html>".encode()


KNOWN_TO = 1_000_000
"""the highest number of the known addresses"""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, pages: int) -> None:
        self.pages, self.served = pages, 0
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        _, kind, *rest = self.path.split("/")
        if kind == "list":
            self._send(200, listing(int(rest[0]), self.server.pages))
        elif kind == "a":
            self.server.served += 1
            self._send(200, article(int(rest[1].removesuffix(".html"))))
        else:
            self._send(404, b"")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Quiet."""


# ── the crawl ────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_known(archive: Path, host: str, count: int) -> None:
    with open_archive(archive, create=True) as opened:
        for begin in range(0, count, ROWS_AT_ONCE):
            numbers = range(KNOWN_TO - begin, KNOWN_TO - min(begin + ROWS_AT_ONCE, count), -1)
            rows = [NewUrl(url=f"http://{host}{path(number)}", host=host, kind=Kind.ARTICLE, due_at=NEVER) for number in numbers]
            with opened.catalogue.transaction() as tx:
                urltable.discover(tx, SITE, rows, time.time() - 86_400)


def crawl(folder: Path, server: Server) -> tuple[list[Look], int]:
    """Runs the command to its end; what was seen on the way, and its exit status."""
    settings = {"ARCHIVE_DIR": folder / "archive", "SEEDS_DIR": folder / "seeds", "CONTACT": "benchmark@example.org"}
    said = [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    command = [sys.executable, "-m", "scrapy", "crawl", SITE, *said, "-L", "WARNING"]
    with (folder / "said").open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
        looks = _watch(process, server)
    print((folder / "said").read_text())
    return looks, process.returncode


def _watch(process: subprocess.Popen[bytes], server: Server) -> list[Look]:
    looks: list[Look] = []
    began, watched = time.monotonic(), psutil.Process(process.pid)
    while process.poll() is None:
        try:
            main = watched.memory_info().rss / 2**20
            workers = sum(child.memory_info().rss for child in watched.children(recursive=True)) / 2**20
        except psutil.NoSuchProcess:
            break
        looks.append(Look(seconds=time.monotonic() - began, main=main, workers=workers, pages=server.served))
        time.sleep(EVERY)
    process.wait()
    return looks


def show(looks: list[Look], known: int) -> float:
    """Prints the looks; the peak of the main process in MB."""
    print(f"{'seconds':>8} {'pages':>8} {'main MB':>8} {'extracting MB':>14}")
    for look in looks[:: max(1, len(looks) // SHOWN)]:
        print(f"{look.seconds:>8.0f} {look.pages:>8} {look.main:>8.1f} {look.workers:>14.1f}")
    peak, last = max(looks, key=lambda look: look.main), looks[-1]
    rate = last.pages / last.seconds
    print(f"\n{known:,} known addresses, {last.pages:,} pages in {last.seconds:.0f} s ({rate:.0f} pages/s).")
    print(f"Peak of the main process: {peak.main:.1f} MB, at {peak.pages:,} pages.")
    return peak.main


def _books(archive: Path) -> dict[str, int]:
    with sqlite3.connect(archive / "catalogue.db") as db:
        [told] = db.execute("SELECT ledger FROM run ORDER BY id DESC LIMIT 1").fetchone()
    visits: dict[str, int] = json.loads(told)["visits"]
    return visits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--known", type=int, default=KNOWN)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memory-") as name:
        folder, server = Path(name), Server(options.pages)
        port = server.server_address[1]
        (folder / "seeds").mkdir()
        (folder / "seeds" / f"{SITE}.toml").write_text(SEEDS.format(port=port), encoding="utf-8")
        make_known(folder / "archive", f"127.0.0.1:{port}", options.known)
        looks, status = crawl(folder, server)
        peak = show(looks, options.known)
        visits = _books(folder / "archive")
    if status or sum(visits.values()) != options.pages:
        raise SystemExit(f"exit status {status}; {visits}, not {options.pages} pages")
    if peak >= MOST_MB:
        raise SystemExit(f"{MOST_MB} MB or more")


if __name__ == "__main__":
    main()
