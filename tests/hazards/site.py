"""The hazard site at work: its servers, its seeds file, and the command that crawls it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.archive import schema
from pipelines.errors import ArchiveError
from tests.crawler.wire_server import Answer, WireServer, page
from tests.flows import crawling
from tests.flows.crawling import ROOT
from tests.hazards import lists, pages
from tests.hazards.lists import TRAPS, Trap
from tests.hazards.rows import Case, Pace, Row

NAME = "hazard_site"
GOOD = 20
SECONDS = 900
"""after which a run counts as one that does not end"""
SEEDS = """\
name = "hazard_site"
publisher = "试验台"
language = "zh"
timezone = "Asia/Shanghai"
hosts = [{hosts}]

[politeness]
delay = 0.0
max_requests = {budget}

[discover]
listings = ["{origin}/tech/list_{{page}}.html"]
jsonp = ["{origin}/more.php?page={{page}}"]
feeds = [{feeds}]
sitemaps = [{sitemaps}]
article = ['^http://127\\.0\\.0\\.1:\\d+/(?:tech|no)/(?P<date>\\d{{8}})/(?P<id>\\d+)\\.html$']
follow = [{follow}]
max_pages = 20

[[layout]]
name = "2024"
title = ["h1"]
body = ["#article-body"]
published = ["span.date"]
source = ["span.source"]
drop = [".share", ".related"]

[rights]
own_sources = ["试验台"]
"""
FORBIDDEN = "/no/20261119/1.html"
"""an article that robots.txt forbids"""
BUDGET = 1_000
"""requests of a run: the site has 130 URLs worth asking, its traps have none"""


@dataclass(slots=True, kw_only=True)
class Site:
    """The servers at work. `urls` of each hazard by its name, `good` are the honest articles, three of which a page of
    bad links names where it is among the `traps`. `process` is the crawl that began last; each leaves its log in `logs`."""

    main: WireServer
    internal: WireServer
    servers: dict[str, WireServer]
    cases: dict[str, Case]
    urls: dict[str, str]
    good: dict[str, pages.Story]
    seeds: Path
    logs: Path
    traps: tuple[Trap, ...]
    together: bool
    forbids: bool = True
    """whether its robots.txt says so of FORBIDDEN"""
    runs: list[Run] = field(default_factory=list)
    begun: int = 0
    process: subprocess.Popen[str] | None = None

    @property
    def origin(self) -> str:
        return f"http://{self.main.host}"

    @property
    def forbidden(self) -> str:
        return f"{self.origin}{FORBIDDEN}"

    def asked(self) -> dict[str, tuple[float, ...]]:
        """When each hazard was asked for, in seconds, since the last `forget`."""
        return {name: tuple(self.servers[name].times(case.path)) for name, case in self.cases.items()}

    def forget(self) -> None:
        for server in (self.main, *self.servers.values()):
            server.asked.clear()


@dataclass(frozen=True, slots=True)
class Stall:
    """How long the event loop could not be reached, how much of that its own thread was at work, and in what."""

    seconds: float
    at_work: float
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One `scrapy crawl`, and what was measured: `asked` are the requests of each hazard, `targets` those of the main server."""

    status: int
    stdout: str
    stderr: str
    seconds: float
    peak_mb: float
    """0 where the process had no time to say"""
    stalls: tuple[Stall, ...]
    """the longest of its event loop"""
    fetched: Mapping[str, float]
    """by URL, when the frontier heard of its answer, in seconds since the epoch"""
    asked: Mapping[str, tuple[float, ...]]
    targets: Counter[str]
    began: float
    wall: float
    """seconds since the epoch at `began`"""


@contextmanager
def serving(
    rows: Sequence[Row],
    folder: Path,
    *,
    together: bool,
    pace: Pace | None = None,
    traps: tuple[Trap, ...] = TRAPS,
    good: int = GOOD,
    robots: Callable[[int], Answer] | None = None,
) -> Iterator[Site]:
    """The site with these hazards and traps among so many good articles. `together`: all on one host, but for those that speak
    for their whole host. `robots` gets the port of the forbidden neighbour and gives what /robots.txt answers in place of
    the usual."""
    with ExitStack() as stack:
        internal = stack.enter_context(WireServer({"*": page(pages.page(pages.story("internal")))}))
        main = stack.enter_context(WireServer({}))
        servers = {
            row.name: main
            if together and not row.own_host
            else stack.enter_context(WireServer({"/robots.txt": page(b"", "404 Not Found")}))
            for row in rows
        }
        cases = {row.name: _case(row, number, servers[row.name], internal.port, pace or Pace()) for number, row in enumerate(rows)}
        origin = f"http://{main.host}"
        site = Site(
            main=main,
            internal=internal,
            servers=servers,
            cases=cases,
            urls={name: f"{case.origin}{case.path}" for name, case in cases.items()},
            good={f"{origin}/tech/20261121/{2000 + n}.html": pages.story(f"good {n}") for n in range(good)},
            seeds=folder / "seeds",
            logs=folder,
            traps=traps,
            together=together,
        )
        _fill(site)
        for row in rows:
            case = cases[row.name]
            servers[row.name].routes[case.path] = row.make(case)
            servers[row.name].routes.update(case.also)
        if robots is not None:
            main.routes["/robots.txt"] = robots(internal.port)
        _write_seeds(site)
        yield site


def _case(row: Row, number: int, server: WireServer, internal: int, pace: Pace) -> Case:
    path = f"/tech/20261120/{1000 + number}.html"
    return Case(name=row.name, story=pages.story(row.name), origin=f"http://{server.host}", path=path, internal=internal, pace=pace)


def _fill(site: Site) -> None:
    """Gives the main server its good articles, its traps, and the list that leads to them and to the hazards."""
    entrances = [target for trap in site.traps for target in trap.entrances]
    linked = tuple(f"{site.origin}/tech/20261121/{3000 + n}.html" for n in range(3))
    hrefs = [*_order(site), (site.forbidden, "不许看"), *((target, f"更多 {target}") for target in entrances)]
    if "/badlinks.html" in entrances:
        site.good.update({url: pages.story(url[-9:]) for url in linked})
        hrefs.append((linked[0], "坏链里的第一篇"))
    first = lists.listed(hrefs)
    routes = site.main.routes
    routes.update({url.removeprefix(site.origin): page(pages.page(story)) for url, story in site.good.items()})
    routes[FORBIDDEN] = page(pages.page(pages.story("forbidden")))
    routes.update(lists.traps(site.origin, site.internal.port, linked))
    routes["/tech/list_1.html"] = page(first)
    routes["*"] = lists.endless(first)


def _write_seeds(site: Site) -> None:
    site.seeds.mkdir(parents=True)
    hosts = {site.main.host, *(server.host for server in site.servers.values())}
    text = SEEDS.format(
        hosts=_quoted(sorted(hosts)),
        origin=site.origin,
        budget=BUDGET,
        feeds=_quoted(site.origin + target for trap in site.traps for target in trap.feeds),
        sitemaps=_quoted(site.origin + target for trap in site.traps for target in trap.sitemaps),
        follow=", ".join(f"'{pattern}'" for pattern in lists.FOLLOW),
    )
    (site.seeds / f"{NAME}.toml").write_text(text, encoding="utf-8")


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f'"{text}"' for text in texts)


def _order(site: Site) -> list[tuple[str, str]]:
    """Hazards with good articles between them, and the one of session links three times."""
    entries = []
    left = list(site.good)
    every = max(1, len(site.cases) // max(1, len(left)))
    for number, (name, url) in enumerate(site.urls.items()):
        links = [f"{url}?sid=1", f"{url}?utm_source=a&sid=2", f"{url}?from=b"] if name == "session_links" else [url]
        entries += [(link, site.cases[name].story.title) for link in links]
        if number % every == 0 and left:
            entries.append((left.pop(0), "好文章"))
    return entries + [(url, "好文章") for url in left]


def crawl(site: Site, archive: Path, *options: str, under: Sequence[str] = (), alongside: bool = False) -> Run:
    """One run of the real command, measured. `under`: a command that runs it. `alongside` another run, what the servers were
    asked is not forgotten before it. One that does not end in SECONDS is killed."""
    site.begun += 1
    log, measured = site.logs / f"run-{site.begun}.log", site.logs / f"measured-{site.begun}.json"
    command = [*under, sys.executable, "-m", "tests.hazards.measured", str(measured), "crawl", NAME, "-s", f"ARCHIVE_DIR={archive}"]
    command += ["-s", f"SEEDS_DIR={site.seeds}", "-s", "DELAY=0", "-L", "INFO", *options]
    if not alongside:
        site.forget()
    began, wall = time.monotonic(), time.time()
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=crawling.environment(None), **pipes) as process:
        site.process = process
        try:
            stdout, stderr = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
    log.write_text(stdout + stderr, encoding="utf-8")
    said: dict[str, Any] = json.loads(measured.read_text()) if measured.exists() else {"peak_mb": 0.0, "stalls": []}
    run = Run(
        status=process.returncode,
        stdout=stdout,
        stderr=stderr,
        seconds=time.monotonic() - began,
        peak_mb=said["peak_mb"],
        stalls=tuple(Stall(*stall) for stall in said["stalls"]),
        fetched=_fetched(archive),
        asked=site.asked(),
        targets=Counter(asked.target for asked in site.main.asked),
        began=began,
        wall=wall,
    )
    site.runs.append(run)
    return run


def _fetched(archive: Path) -> dict[str, float]:
    """When the frontier heard of each URL; nothing where a fault left no archive to be opened."""
    with suppress(ArchiveError):
        return {row.url: row.last_fetched for row in crawling.rows(archive, sa.select(schema.url)) if row.last_fetched}
    return {}
