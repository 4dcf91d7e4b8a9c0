"""What a run may cost a site holds for what is really sent and received, and what is left over is left, not failed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crawler.health import GOOD, PARTIAL, REFUSED
from pipelines import report
from pipelines.archive import schema
from pipelines.archive.urltable import State
from pipelines.model import Kind
from tests.crawler.wire_server import Answer, WireServer, page
from tests.flows import crawling

pytestmark = pytest.mark.xdist_group("budgets")

SEEDS = """\
name = "costly"
publisher = "试验台"
language = "zh"
timezone = "Asia/Shanghai"
hosts = [{hosts}]

[politeness]
delay = 0.0
{budget}

[discover]
listings = ["http://{host}/list.html"]
article = ['/a/(?P<id>\\d+)\\.html$']

[[layout]]
name = "page"
title = ["h1"]
body = ["#body"]
"""
COUNT = 30
ONE_SMALL_FILE = "import pipelines.archive.warc as warc; warc.WarcWriter.__init__.__kwdefaults__['max_bytes'] = {size}; "
CRAWL = "from scrapy.cmdline import execute; execute()"


class Site:
    """A list of COUNT articles, which answer as the test wants."""

    def __init__(self, folder: Path, server: WireServer) -> None:
        self.server, self.archive, self.seeds = server, folder / "archive", folder / "seeds"
        self.seeds.mkdir()
        self.hosts = [server.host]
        links = "".join(f'<li><a href="/a/{number}.html">第{number}条新闻的标题</a></li>' for number in range(COUNT))
        server.routes["/robots.txt"] = page(b"User-agent: *\nAllow: /\n")
        server.routes["/list.html"] = page(f"<html><body><ul>{links}</ul></body></html>".encode())

    def serve(self, answer: Answer, prefix: str = "/a/") -> None:
        self.server.routes.update({f"{prefix}{number}.html": answer for number in range(COUNT)})

    def write(self, budget: str) -> None:
        hosts = ", ".join(f'"{host}"' for host in self.hosts)
        (self.seeds / "costly.toml").write_text(SEEDS.format(host=self.server.host, hosts=hosts, budget=budget), encoding="utf-8")

    def run(self, budget: str = "", before: str = "") -> tuple[int, dict[str, Any]]:
        """The status and the ledger of a run."""
        self.write(budget)
        said = ("-s", f"ARCHIVE_DIR={self.archive}", "-s", f"SEEDS_DIR={self.seeds}", "-L", "WARNING")
        done = crawling.run([sys.executable, "-c", before + CRAWL, "crawl", "costly", *said])
        ledger = crawling.ledgers(self.archive)[-1]
        assert report.reconciles(ledger)
        assert crawling.column(self.archive, sa.select(schema.url.c.url).where(schema.url.c.state == State.LEASED)) == []
        return done.returncode, ledger

    def rows(self) -> list[tuple[str, str | None, int]]:
        wanted = sa.select(schema.url.c.state, schema.url.c.reason, schema.url.c.tries).where(schema.url.c.kind == Kind.ARTICLE)
        return [(row.state, row.reason, row.tries) for row in crawling.rows(self.archive, wanted)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with WireServer({}) as server:
        yield Site(tmp_path, server)


def article(number: int) -> bytes:
    lines = "".join(f"<p>第{number}台机组今天并网，夜里的余电把水送上高处的水库，这是第{line}次记录。</p>" for line in range(400))
    title = f"第{number}台机组并网"
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1><div id='body'>{lines}</div></body></html>".encode()


def test_the_budget_of_bytes_holds_across_files(site: Site) -> None:
    """A file of the archive is closed at a gibibyte, half of what a run may take: what it held is not forgotten."""
    for number in range(COUNT):
        site.server.routes[f"/a/{number}.html"] = page(article(number))
    size = len(article(1))
    status, ledger = site.run(f"max_bytes = {4 * size}", ONE_SMALL_FILE.format(size=2_000))
    assert len(crawling.warc_files(site.archive)) > 2
    assert (status, ledger["left_because"]) == (PARTIAL, "max_bytes")
    assert 4 <= ledger["urls"]["visited"] < COUNT - 2


def test_the_budget_of_requests_counts_further_tries(site: Site) -> None:
    site.serve(page(b"", "408 Request Timeout"))
    _, ledger = site.run("max_requests = 10")
    assert len(site.server.asked) == ledger["requests"] == 10
    assert ledger["left_because"] == "max_requests"
    assert set(ledger["visits"]) == {"http_error"}, "whose further try was cut off has not failed"
    assert (State.PENDING, None, 0) in site.rows()


def test_the_budget_of_requests_counts_redirects(site: Site) -> None:
    for hop in range(6):
        for number in range(COUNT):
            site.server.routes[f"/{hop or 'a'}/{number}.html"] = page(b"", "302 Found", {"Location": f"/{hop + 1}/{number}.html"})
    _, ledger = site.run("max_requests = 10")
    assert len(site.server.asked) == ledger["requests"] == 10


def test_what_the_budget_cut_off_is_left_and_the_next_run_takes_it(site: Site) -> None:
    for number in range(COUNT):
        site.server.routes[f"/a/{number}.html"] = page(article(number))
    for budget in (1, 2, 5):
        before = len(site.server.asked)
        _, ledger = site.run(f"max_requests = {budget}")
        assert len(site.server.asked) - before <= budget
        assert ledger["failures"] == {}
    assert {reason for _, reason, _ in site.rows()} == {None}
    assert site.run()[1]["urls"] == {"visited": COUNT - 5, "not_due": 5, "left": 0, "set_aside": 0}


def test_a_robots_txt_that_the_budget_cuts_off_forbids_nothing(site: Site) -> None:
    with WireServer({"/a/1.html": page(article(1))}) as other:
        site.hosts.append(other.host)
        site.server.routes["/list.html"] = page(
            f'<html><body><a href="{other.url("/a/1.html")}">第1台机组今天并网</a></body></html>'.encode()
        )
        _, ledger = site.run("max_requests = 2")
        assert (len(site.server.asked), len(other.asked)) == (2, 0)
        assert (ledger["failures"], ledger["urls"]["left"]) == ({}, 1)
        assert site.run()[1]["visits"] == {"new": 1}


def test_a_sample_ends_well_and_promises_nothing(site: Site) -> None:
    """It looks at a few articles of many, which is no work left behind: no run goes on where it stopped."""
    for number in range(COUNT):
        site.server.routes[f"/a/{number}.html"] = page(article(number))
    site.write("")
    said = ("-s", f"SEEDS_DIR={site.seeds}", "-L", "WARNING", "-a", "sample=1")
    done = crawling.run([*crawling.SCRAPY, "crawl", "costly", *said])
    assert done.returncode == GOOD, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "Good: a sample; nothing of it is kept."
    assert "next run" not in done.stdout
    assert "/sample-" not in done.stdout
    assert 5 <= len(site.server.asked) < COUNT


def test_articles_that_robots_txt_forbids_are_refused_and_were_not_fetched(site: Site) -> None:
    site.server.routes["/robots.txt"] = page(b"User-agent: *\nDisallow: /a/\n")
    status, ledger = site.run()
    assert status == REFUSED
    assert any(f"0 article URLs in 2 requests; {COUNT} not asked" in line for line in report.lines(ledger))
