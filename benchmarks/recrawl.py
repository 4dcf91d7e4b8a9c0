"""What a night costs the site: ours beside a plain Scrapy spider and trafilatura's own crawler, on the bundled replica.

    python -m benchmarks.recrawl

All are given the same addresses to start from (trafilatura: the front page, from which it goes by itself) and no delay, and
go through the same proxy, which counts. Ours is the real command with the real seeds file. Between day 0 and day 1 the time
comes, by SQL, at which crawler.frontier would ask young articles again: `due_at` of their rows. Writes nothing outside a
temporary folder. The exit status says whether ours kept to what it promises.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import urllib3
from trafilatura import downloads, spider
from trafilatura.settings import use_config

from crawler.visits import start_urls
from pipelines.schedule import next_revisit
from pipelines.site import load_site
from tests.replica import Asked, Replica
from tests.replica.calendar import moment

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"
SITE = "china_tech"
FRONT_PAGE = "http://tech.china.com.cn/"
MOST_PAGES = 10_000
"""for trafilatura's crawler, which stops after 10 of its own accord"""
FURTHER_PAGES = 2
"""list pages that day 1 may cost beyond the first ones: an article that moved stands as something new in the middle of two
lists, and what follows it on their first pages is less than the margin of known entries"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run, as the replica saw it. `kilobytes` of bodies; `articles` that were fetched, among them the `new` and `revised`
    ones of day 1."""

    requests: int
    kilobytes: float
    not_modified: int
    articles: int
    new: int
    revised: int
    seconds: float
    asked: tuple[Asked, ...]


class Nights:
    """The replica, and what is new on its day 1."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.good = [{true.url: true for true in replica.truth(day) if true.site == SITE and true.good} for day in (0, 1)]
        before, after = self.good
        self.new = set(after) - set(before)
        self.revised = {url for url, true in after.items() if true.variant == "revised"}
        now, then = moment(0).timestamp(), moment(1).timestamp()
        self.due = [true.url for true in before.values() if true.published and next_revisit(true.published.timestamp(), now) <= then]

    def run(self, day: int, crawl: Callable[[], object]) -> Cost:
        self.replica.day = day
        self.replica.reset()
        began = time.monotonic()
        crawl()
        seconds = time.monotonic() - began
        asked = tuple(self.replica.requests)
        fetched = {one.url for one in asked if one.status == 200}
        return Cost(
            requests=len(asked),
            kilobytes=sum(one.bytes_sent for one in asked) / 1000,
            not_modified=sum(one.status == 304 for one in asked),
            articles=len(fetched & set(self.good[day])),
            new=len(fetched & self.new),
            revised=len(fetched & self.revised),
            seconds=seconds,
            asked=asked,
        )


def command(replica: Replica, arguments: list[str], folder: Path) -> None:
    environment = {**os.environ, **replica.environment(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"scrapy {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")


# ── ours ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ours(nights: Nights, folder: Path) -> dict[str, Cost]:
    archive = folder / "archive"
    options = {"ARCHIVE_DIR": archive, "SEEDS_DIR": SEEDS, "DELAY": 0, "CONTACT": "benchmark@example.org"}
    said = ["crawl", SITE, *(word for name, value in options.items() for word in ("-s", f"{name}={value}")), "-L", "ERROR"]

    def crawl() -> None:
        command(nights.replica, said, ROOT)

    costs = {"first run": nights.run(0, crawl), "nothing new": nights.run(0, crawl)}
    while _failing(archive):
        crawl()
    costs["nothing new, errors put off"] = nights.run(0, crawl)
    _pass_a_day(archive, nights.due)
    return {**costs, "day 1": nights.run(1, crawl)}


def _failing(archive: Path) -> int:
    """Pages that answered with an error and are tried again in the next run."""
    with sqlite3.connect(archive / "catalogue.db") as db:
        waiting = "SELECT count(*) FROM url WHERE kind = 'article' AND state != 'set_aside' AND due_at <= ?"
        return int(db.execute(waiting, (time.time(),)).fetchone()[0])


def _pass_a_day(archive: Path, urls: list[str]) -> None:
    with sqlite3.connect(archive / "catalogue.db") as db:
        db.executemany("UPDATE url SET due_at = 0 WHERE url = ? AND state = 'done'", [(url,) for url in urls])


def promises(nights: Nights, costs: dict[str, Cost]) -> list[str]:
    """What ours did not keep of what it promises."""
    starts = {url for _, url in start_urls(load_site(SEEDS / f"{SITE}.toml"))}
    quiet, day = costs["nothing new, errors put off"], costs["day 1"]
    plain = [one.url for one in quiet.asked if not one.conditional and one.kind != "index"]  # the front page names no version
    bound = len(starts) + FURTHER_PAGES + len(nights.new) + len(nights.due)
    wrong = {
        f"not one request a listing: {quiet.requests}, {len(starts)} listings": sorted(one.url for one in quiet.asked) == sorted(starts),
        f"asked without conditions: {plain}": not plain,
        f"day 1 cost {day.requests} requests, not at most {bound}": day.requests <= bound,
        f"day 1: {day.new} new and {day.revised} revised found": (day.new, day.revised) == (len(nights.new), len(nights.revised)),
    }
    return [text for text, kept in wrong.items() if not kept]


# ── the others ───────────────────────────────────────────────────────────────────────────────────────────────────────


def plain_scrapy(nights: Nights, folder: Path) -> dict[str, Cost]:
    arguments = ["runspider", str(Path(__file__).parent / "plain_spider.py"), "-a", f"seeds={SEEDS / f'{SITE}.toml'}", "-L", "ERROR"]

    def crawl() -> None:
        command(nights.replica, arguments, folder)  # a folder without scrapy.cfg: Scrapy's own settings

    return {name: nights.run(day, crawl) for name, day in (("first run", 0), ("nothing new", 0), ("day 1", 1))}


def trafilatura_crawler(nights: Nights) -> tuple[dict[str, Cost], dict[str, Cost]]:
    """Without memory, and with the links that it returned given back to it (`known_links`), all but the front page."""
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    config = use_config()
    config.set("DEFAULT", "SLEEP_TIME", "0")
    config.set("DEFAULT", "SSRF_PROTECTION", "off")  # it refuses 127.0.0.1; of proxies it only knows SOCKS: it is given a pool
    pool = urllib3.ProxyManager(nights.replica.url, num_pools=50, ca_certs=nights.replica.ca_file)
    downloads.HTTP_POOL = downloads.NO_CERT_POOL = pool  # type: ignore[assignment]  # None until it makes its own
    known: list[str] = []

    def crawl(known_links: list[str] | None = None) -> None:
        spider.URL_STORE.reset()
        _, found = spider.focused_crawler(FRONT_PAGE, MOST_PAGES, config=config, known_links=known_links)
        known[:] = [url for url in found if url != FRONT_PAGE]

    first = nights.run(0, crawl)
    plain = {"first run": first, "nothing new": nights.run(0, crawl)}
    told = {"nothing new": nights.run(0, lambda: crawl(list(known))), "day 1": nights.run(1, lambda: crawl(list(known)))}
    return {**plain, "day 1": nights.run(1, crawl)}, {"first run": first, **told}


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def show(costs: dict[str, dict[str, Cost]], nights: Nights) -> None:
    own = costs["ours"]
    print("Ratios to ours, requests and bytes:")
    for name in ("plain Scrapy", "trafilatura"):
        for ours_on, theirs_on in (("nothing new, errors put off", "nothing new"), ("day 1", "day 1")):
            mine, other = own[ours_on], costs[name][theirs_on]
            times = f"{other.requests / mine.requests:5.1f} x the requests, {other.kilobytes / mine.kilobytes:6.1f} x the bytes"
            print(f"  {name:<14} {theirs_on:<12} {times}")
    print(f"\n{'':<25} {'run':<30} {'requests':>8} {'KB':>6} {'304':>4} {'articles':>9} {'new':>4} {'revised':>8} {'seconds':>8}")
    for name, runs in costs.items():
        for run, cost in runs.items():
            new, revised = (f"{cost.new}/{len(nights.new)}", f"{cost.revised}/{len(nights.revised)}") if run == "day 1" else ("", "")
            counts = f"{cost.requests:>8} {cost.kilobytes:>6.0f} {cost.not_modified:>4} {cost.articles:>9}"
            print(f"{name:<25} {run:<30} {counts} {new:>4} {revised:>8} {cost.seconds:>8.1f}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="recrawl-") as name, Replica(day=0) as replica:
        folder, nights = Path(name), Nights(replica)
        costs = {"ours": ours(nights, folder), "plain Scrapy": plain_scrapy(nights, folder)}
        costs["trafilatura"], costs["trafilatura, known_links"] = trafilatura_crawler(nights)
        show(costs, nights)
        print(f"\nday 0: {len(nights.good[0])} articles. Day 1: {len(nights.new)} new addresses (one of an article that moved), ", end="")
        print(f"{len(nights.due)} articles due again, {len(nights.revised)} of them revised.")
        broken = promises(nights, costs["ours"])
    if broken:
        raise SystemExit("\n".join(broken))


if __name__ == "__main__":
    main()
