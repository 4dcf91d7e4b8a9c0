"""A site whose robots.txt is served in one of the modes of tests/crawler/robots_modes.py, crawled, and held against its mode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crawler.health import GOOD, NOTHING_SAVED, REFUSED
from crawler.robots import MAX_BYTES
from pipelines.archive.warc import read_captures
from pipelines.model import Capture, Kind
from tests.crawler.robots_modes import MODES, MOVED, RULES, Mode
from tests.crawler.wire_server import page
from tests.flows import crawling
from tests.hazards import judging, pages, site
from tests.hazards.judging import Finding
from tests.hazards.site import FORBIDDEN, Site

ARTICLES = 5


def row_of(name: str) -> str:
    """What the row of a mode is called."""
    return f"robots_{name}"


def play(name: str, folder: Path, timeout: str) -> Finding:
    """One crawl of the site with robots.txt in this mode."""
    mode, archive = MODES[name], folder / "archive"
    with site.serving((), folder, together=True, traps=(), good=ARTICLES, robots=mode.make) as served:
        served.main.routes[MOVED] = page(RULES)
        if not mode.rules:
            served.forbids, served.good[served.forbidden] = False, pages.story("forbidden")
        site.crawl(served, archive, "-s", f"DOWNLOAD_TIMEOUT={timeout}")
        return judging.measured(served, _finding(name, mode, served, archive))


def _finding(name: str, mode: Mode, served: Site, archive: Path) -> Finding:
    [run] = served.runs
    wrong = "; ".join(_objections(mode, served, archive))
    records = crawling.all_records(archive)
    got = sum(judging.is_clean(records.get(url), story) for url, story in served.good.items())
    happened = f"{got} of {len(served.good)} articles" if records else "not crawled"
    return Finding(name=row_of(name), expected=mode.expect, happened=happened, requests=run.targets.total(), wrong=wrong)


def _objections(mode: Mode, served: Site, archive: Path) -> Iterator[str]:
    [run] = served.runs
    asked = run.targets["/robots.txt"]
    if not 1 <= asked <= mode.requests:
        yield f"{asked} requests of /robots.txt, 1 to {mode.requests} expected"
    if served.internal.asked:
        yield "the neighbour was asked"
    if mode.rules and run.targets[FORBIDDEN]:
        yield "what it forbids was asked for"
    if any(size > MAX_BYTES for size in _kept(archive)):
        yield "more than 500 KiB of it was kept"
    if mode.crawled:
        yield from judging.wrongs(judging.around(served, archive))
    elif run.targets.keys() != {"/robots.txt"}:
        yield "pages were asked for"
    status = GOOD if mode.crawled else REFUSED if mode.disallowed else NOTHING_SAVED
    if run.status != status:
        yield f"status {run.status}, {status} expected"


def _kept(archive: Path) -> list[int]:
    """The sizes of the robots.txt files in the archive, in bytes."""
    captures = (one for path in crawling.warc_files(archive) for one in read_captures(path))
    return [len(one.body) for one in captures if isinstance(one, Capture) and one.kind is Kind.ROBOTS]
