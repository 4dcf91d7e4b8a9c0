"""The hazard site at work: its servers, its seeds file, and the command that crawls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.archive import schema
from tests.crawler.wire_server import WireServer, page
from tests.flows import crawling
from tests.flows.crawling import ROOT
from tests.hazards import lists, pages
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
article = ['^http://127\\.0\\.0\\.1:\\d+/tech/(?P<date>\\d{{8}})/(?P<id>\\d+)\\.html$']
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
BUDGET = 1_000
"""requests of a run: the site has 130 URLs worth asking, its traps have none"""


@dataclass(slots=True, kw_only=True)
class Site:
    """The servers at work. `urls` of each hazard by its name, `good` are the honest articles, three of which a page of
    bad links names."""

    main: WireServer
    internal: WireServer
    servers: dict[str, WireServer]
    cases: dict[str, Case]
    urls: dict[str, str]
    good: dict[str, pages.Story]
    seeds: Path
    together: bool
    runs: list[Run] = field(default_factory=list)

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
def serving(rows: Sequence[Row], folder: Path, *, together: bool, pace: Pace | None = None) -> Iterator[Site]:
    """The site with these hazards. `together`: all on one host, but for those that speak for their whole host."""
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
        for row in rows:
            case = cases[row.name]
            servers[row.name].routes[case.path] = row.make(case)
            servers[row.name].routes.update(case.also)
        site = _site(main, internal, servers, cases, folder)
        site.together = together
        yield site


def _case(row: Row, number: int, server: WireServer, internal: int, pace: Pace) -> Case:
    path = f"/tech/20261120/{1000 + number}.html"
    return Case(name=row.name, story=pages.story(row.name), origin=f"http://{server.host}", path=path, internal=internal, pace=pace)


def _site(main: WireServer, internal: WireServer, servers: dict[str, WireServer], cases: dict[str, Case], folder: Path) -> Site:
    origin = f"http://{main.host}"
    good = {f"{origin}/tech/20261121/{2000 + n}.html": pages.story(f"good {n}") for n in range(GOOD)}
    linked = tuple(f"{origin}/tech/20261121/{3000 + n}.html" for n in range(3))
    for url, story in {**good, **{url: pages.story(url[-9:]) for url in linked}}.items():
        main.routes[url.removeprefix(origin)] = page(pages.page(story))
    forbidden = "/tech/20261119/1.html"
    main.routes[forbidden] = page(pages.page(pages.story("forbidden")))
    urls = {name: f"{case.origin}{case.path}" for name, case in cases.items()}
    hrefs = _order(cases, urls, list(good))
    first = lists.listed([*hrefs, (linked[0], "坏链里的第一篇"), (forbidden, "不许看"), *_entrances()])
    main.routes.update(lists.traps(origin, internal.port, linked))
    main.routes["/tech/list_1.html"] = page(first)
    main.routes["*"] = lists.endless(first)
    seeds = folder / "seeds"
    seeds.mkdir(parents=True)
    text = SEEDS.format(
        hosts=", ".join(f'"{host}"' for host in sorted({main.host, *(server.host for server in servers.values())})),
        origin=origin,
        budget=BUDGET,
        feeds=_quoted(origin + path for path in lists.FEEDS),
        sitemaps=_quoted(origin + path for path in lists.SITEMAPS),
        follow=", ".join(f"'{pattern}'" for pattern in lists.FOLLOW),
    )
    (seeds / f"{NAME}.toml").write_text(text, encoding="utf-8")
    return Site(
        main=main, internal=internal, servers=servers, cases=cases, urls=urls, good={**good, **{u: pages.story(u[-9:]) for u in linked}},
        seeds=seeds,
        together=False,
    )  # fmt: skip


def _quoted(texts: Iterator[str]) -> str:
    return ", ".join(f'"{text}"' for text in texts)


def _entrances() -> list[tuple[str, str]]:
    targets = ("/calendar/2026/11/", "/list.php?page=1", "/deep/deep/", "/badlinks.html", "/based.html", "/many.html")
    return [(target, f"更多 {target}") for target in targets]


def _order(cases: dict[str, Case], urls: dict[str, str], good: list[str]) -> list[tuple[str, str]]:
    """Hazards with good articles between them, and the one of session links three times."""
    entries = []
    every = max(1, len(cases) // len(good))
    left = list(good)
    for number, (name, url) in enumerate(urls.items()):
        links = [f"{url}?sid=1", f"{url}?utm_source=a&sid=2", f"{url}?from=b"] if name == "session_links" else [url]
        entries += [(link, cases[name].story.title) for link in links]
        if number % every == 0 and left:
            entries.append((left.pop(0), "好文章"))
    return entries + [(url, "好文章") for url in left]


def crawl(site: Site, archive: Path, *options: str) -> Run:
    """One run of the real command, measured."""
    measured = archive.parent / f"measured-{len(site.runs)}.json"
    command = [sys.executable, "-m", "tests.hazards.measured", str(measured), "crawl", NAME, "-s", f"ARCHIVE_DIR={archive}"]
    command += ["-s", f"SEEDS_DIR={site.seeds}", "-s", "DELAY=0", "-L", "INFO", *options]
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    site.forget()
    began, wall = time.monotonic(), time.time()
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    said: dict[str, Any] = json.loads(measured.read_text()) if measured.exists() else {"peak_mb": 0.0, "stalls": []}
    run = Run(
        status=done.returncode,
        stdout=done.stdout,
        stderr=done.stderr,
        seconds=time.monotonic() - began,
        peak_mb=said["peak_mb"],
        stalls=tuple(Stall(*stall) for stall in said["stalls"]),
        fetched={row.url: row.last_fetched for row in crawling.rows(archive, sa.select(schema.url)) if row.last_fetched},
        asked=site.asked(),
        targets=Counter(asked.target for asked in site.main.asked),
        began=began,
        wall=wall,
    )
    site.runs.append(run)
    return run
