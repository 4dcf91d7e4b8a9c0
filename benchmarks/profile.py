"""Where the time goes, by part, in CPU milliseconds a page: in a crawl, and when an archive is read again.

    python -m benchmarks.profile [--pages N] [crawl] [reextract]

The crawl is the real command against a server on 127.0.0.1 (a process of its own) that shows N generated pages of 30 to
80 KB, without delay; the re-extraction reads what the crawl has left. All of it in one process (EXTRACT_WORKERS=0), whose
stack is sampled (benchmarks/sampler.py): what handing pages to processes costs is in `make bench-bulk`. The start is spread
over the pages: take some hundreds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks import bulk_pages
from benchmarks.sampler import Sampler
from pipelines.archive import open_archive
from pipelines.choice import chooser
from pipelines.reextract import reextract, today
from pipelines.site import load_sites

PAGES = 400
LINKS = 100
"""articles that one page of the list shows"""
WIDTH = 40
"""characters of the longest bar"""
FILES = 4
"""of a part that are named"""
LEAST = 0.005
"""share of the whole below which a file is not named"""
SITE = "profile"
SEEDS = """
name = "profile"
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
article = ['/a/(?P<id>\\d+)\\.html$']
max_pages = 1_000
"""
Spent = dict[tuple[str, str], float]
"""seconds by part and file"""


# ── the site ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, pages: int) -> None:
        self.pages = [bulk_pages.page(number) for number in range(pages)]
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, path: str) -> bytes | None:
        """The page of a path: an article, or a list of some; None where there is none."""
        _, kind, name, *_ = (*path.split("/"), "", "")
        if kind == "a":
            return self.pages[int(name.removesuffix(".html"))]
        if kind != "list":
            return None
        numbers = range((int(name) - 1) * LINKS, min(int(name) * LINKS, len(self.pages)))
        entries = "".join(f'<li><a href="/a/{number}.html">第 {number} 条消息的标题</a></li>\n' for number in numbers)
        return f"<html><body><ul>{entries}</ul></body></html>".encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        body = self.server.answer(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Quiet."""


# ── what is watched ──────────────────────────────────────────────────────────────────────────────────────────────────


def crawl(folder: Path) -> None:
    """`scrapy crawl` in this process, to its end."""
    from scrapy.cmdline import execute

    settings = {"ARCHIVE_DIR": folder / "archive", "SEEDS_DIR": folder / "seeds", "CONTACT": "benchmark@example.org", "EXTRACT_WORKERS": 0}
    said = [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
    try:
        execute(["scrapy", "crawl", SITE, *said, "-L", "WARNING"])
    except SystemExit as ended:
        if ended.code:
            raise


def read_again(folder: Path) -> None:
    sites = load_sites(folder / "seeds")
    with open_archive(folder / "archive") as archive:
        found = reextract(archive, today(sites, chooser(sites)))
    if found.same != found.read or not found.is_whole:
        raise SystemExit(f"reextract: {found}")


STEPS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "crawl": ("A crawl from a server on this machine", crawl),
    "reextract": ("The archive read again", read_again),
}


def watch(step: str, folder: Path) -> None:
    """Does a step under the sampler, and leaves what it spent in a file."""
    _, work = STEPS[step]
    with Sampler() as sampler:
        work(folder)
    spent = [[*key, seconds] for key, seconds in sampler.spent.items()]
    (folder / f"{step}.json").write_text(json.dumps(spent), encoding="utf-8")


def watched(step: str, folder: Path) -> Spent:
    """The same in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    command = [sys.executable, "-m", "benchmarks.profile", "--watch", step, "--folder", str(folder)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{step} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return {(part, file): seconds for part, file, seconds in json.loads((folder / f"{step}.json").read_text(encoding="utf-8"))}


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def table(title: str, spent: Spent, pages: int) -> Iterator[str]:
    """Parts and their dearest files, the dearest first."""
    whole = sum(spent.values())
    parts: defaultdict[str, float] = defaultdict(float)
    for (part, _), seconds in spent.items():
        parts[part] += seconds
    most = max(parts.values())
    yield f"{title}: {pages:,} pages, {1_000 * whole / pages:.1f} ms of processor time each"
    yield ""
    for part, seconds in _dearest(parts):
        bar = "█" * round(WIDTH * seconds / most)
        yield f"  {part:<26} {1_000 * seconds / pages:>7.2f} ms {seconds / whole:>5.0%}  {bar}".rstrip()
        files = {key[1]: spent[key] for key in spent if key[0] == part and key[1] and spent[key] >= LEAST * whole}
        if len(files) > 1:
            for file, share in _dearest(files)[:FILES]:
                yield f"    {file:<24} {1_000 * share / pages:>7.2f} ms"
    yield ""


def _dearest(spent: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(spent.items(), key=lambda item: -item[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="crawl|reextract", help="what to look at (default: both)")
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--watch", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.watch:
        watch(options.watch, options.folder)
        return
    wanted = options.steps or list(STEPS)
    if unknown := set(wanted) - set(STEPS):
        parser.error(f"{', '.join(unknown)}: expected crawl or reextract")
    for kind in bulk_pages.KINDS:
        with tempfile.TemporaryDirectory(prefix="profile-") as name:
            folder, server = Path(name), Server(options.pages)
            (folder / "seeds").mkdir()
            rules = SEEDS.format(port=server.server_address[1]) + (bulk_pages.LAYOUT if kind == "layout" else "")
            (folder / "seeds" / f"{SITE}.toml").write_text(rules, encoding="utf-8")
            for step, (title, _) in STEPS.items():
                spent = watched(step, folder)
                if step in wanted:
                    print("\n".join(table(f"{title}, pages read by {kind}", spent, options.pages)))
            server.shutdown()
            server.server_close()


if __name__ == "__main__":
    main()
