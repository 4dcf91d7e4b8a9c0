"""`make demo`: the nightly crawl, twice, against the bundled replica of the site, and a look at what came of it.

The same `scrapy crawl china_tech` and the same seeds file as against the live site; only the proxy is ours, and the
delay between two requests is 0, because the server is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tests.replica import Replica

ARCHIVE = Path("demo-archive")
SITE = "china_tech"
SCRAPY = (sys.executable, "-m", "scrapy")

console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def main() -> int:
    """Crawls, crawls again, shows. Returns the first exit status that is not 0."""
    shutil.rmtree(ARCHIVE, ignore_errors=True)
    with Replica(day=0) as replica:
        environment = {**os.environ, **replica.environment(), "COLUMNS": "140"}
        console.print(f"A synthetic copy of the site is served on {replica.url} (a proxy, so that the real host names are crawled).\n")
        for title in ("First run: everything is new", "Second run: nothing is new"):
            console.rule(title, align="left")
            replica.reset()
            began = time.monotonic()
            status = _crawl(environment)
            asked, unchanged = len(replica.requests), sum(asked.status == 304 for asked in replica.requests)
            console.print(
                f"The server counted {asked} requests, {unchanged} of them answered with 304, in {time.monotonic() - began:.1f} s.\n"
            )
            if status:
                return status
        good = sum(true.good and true.site == SITE for true in replica.truth())
    return _show(good)


def _crawl(environment: dict[str, str]) -> int:
    arguments = ("crawl", SITE, "-s", f"ARCHIVE_DIR={ARCHIVE}", "-s", "DELAY=0", "-s", "CONTACT=demo@example.org", "-L", "WARNING")
    return subprocess.run((*SCRAPY, *arguments), env=environment, check=False).returncode


def _show(good: int) -> int:
    """Three records as the downstream corpus gets them, and where things are."""
    exported = subprocess.run((*SCRAPY, "export", "--archive", str(ARCHIVE), "--to", "-"), capture_output=True, check=False)
    if exported.returncode:
        sys.stderr.buffer.write(exported.stderr)
        return exported.returncode
    records = [json.loads(line) for line in exported.stdout.split(b"\n") if line]
    console.rule("What a corpus gets (`scrapy export`)", align="left")
    for record in (records[0], records[len(records) // 2], records[-1]):
        _show_record(record)
    console.print(f"{len(records)} records. The replica published {good} good articles at {SITE}'s addresses, copies included.")
    size = sum(path.stat().st_size for path in ARCHIVE.rglob("*") if path.is_file())
    console.print(f"The archive is in {ARCHIVE}/ ({size / 2**20:.1f} MiB): catalogue.db, and warc/ with every body as it was received.")
    console.print("Go on with:  .venv/bin/scrapy status --archive demo-archive     .venv/bin/scrapy export --archive demo-archive --to -")
    return 0


def _show_record(record: dict[str, object]) -> None:
    paragraphs, captions = record["paragraphs"], record["captions"]
    assert isinstance(paragraphs, list)
    assert isinstance(captions, list)
    console.print(f"[bold]{escape(str(record['title']))}[/bold]")
    for name in ("url", "published", "source", "authors", "editors"):
        console.print(f"  {name:<10} {escape(str(record[name]))}")
    console.print(
        f"  {'text':<10} {len(paragraphs)} paragraphs, {len(captions)} captions apart: {escape(paragraphs[0][:40])}…\n", soft_wrap=True
    )


if __name__ == "__main__":
    raise SystemExit(main())
