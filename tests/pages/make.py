"""A new page folder from a saved page or a WARC file, with what extraction makes of it today: to be reviewed by a person.

    python -m tests.pages.make --url URL --file page.html [--site SITE] [--slug SLUG] [--fetched-at 2026-01-31T08:00:00+00:00]
    python -m tests.pages.make --warc FILE [--url URL] [--site SITE] [--slug SLUG]

Nothing is fetched. The page of a third party stays on your own machine: what is committed here was written by us.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.model import Capture
from pipelines.site import GENERIC, load_sites
from pipelines.urls import host_key
from tests.pages import folder


def main(arguments: Sequence[str] | None = None, root: Path = folder.ROOT) -> int:
    options = _options(arguments)
    captures = _from_warc(Path(options.warc), options.url) if options.warc else _from_file(options)
    written = [_written(capture, options, root) for capture in captures]
    for path in written:
        sys.stdout.write(f"{path}\n")
    if not written:
        sys.stderr.write("No capture of that URL.\n")
    for path in written:
        sys.stderr.write(
            f"Now read through {path / 'expected.json'}: it is what is made of the page today, and every word of it becomes a test.\n"
        )
    return 0 if written else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.pages.make", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", help="the page's URL; with --warc the one capture to take")
    parser.add_argument("--file", help="the saved page")
    parser.add_argument("--warc", help="a WARC file")
    parser.add_argument("--site", help='a seeds file\'s name; default: by the host, else "web"')
    parser.add_argument("--slug", help="the folder's name; default: from the URL")
    parser.add_argument("--fetched-at", default=None, help="ISO 8601 with offset; default: when the file was written")
    parser.add_argument("--content-type", default="text/html")
    options = parser.parse_args(arguments)
    if not options.warc and not (options.url and options.file):
        parser.error("either --warc, or --url with --file")
    return options


def _from_file(options: argparse.Namespace) -> list[Capture]:
    path = Path(options.file)
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    at = datetime.fromisoformat(options.fetched_at) if options.fetched_at else written
    headers = (("Content-Type", options.content_type),)
    return [Capture(url=options.url, fetched_at=at, status=200, headers=headers, body=path.read_bytes())]


def _from_warc(path: Path, url: str | None) -> Iterator[Capture]:
    from pipelines.archive.warc import read_captures

    for capture in read_captures(path):
        if isinstance(capture, Capture) and (url is None or capture.url == url) and capture.body:
            yield capture


def _written(capture: Capture, options: argparse.Namespace, root: Path) -> Path:
    name = options.site or _site_of(capture.url)
    path = root / name / (options.slug or _slug(capture.url))
    folder.save(path, capture, folder.observed(capture, folder.site_named(name)))
    return path


def _site_of(url: str) -> str:
    sites = load_sites(folder.SEEDS)
    return next((name for name, site in sites.items() if host_key(url) in site.hosts), GENERIC)


def _slug(url: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", url.lower().partition("://")[2]).strip("-")[-60:] or "page"


if __name__ == "__main__":
    sys.exit(main())
