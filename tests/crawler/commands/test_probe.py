"""`scrapy probe`: one URL of each kind, and what its answers say to a person."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawler.probing import MAX_WIDTH, Answer, failed, layouts, one_of_each, table
from pipelines.extract.layouts import Fit, Misfit
from pipelines.model import Article, Precision, PublishedFrom, Quality
from pipelines.site import load_site
from pipelines.tables import width
from tests import small_site
from tests.archive.made import STORY, address, article
from tests.crawler.commands.invoke import scrapy
from tests.crawler.wire_server import WireServer, page
from tests.replica import Replica

SITE = load_site(Path("seeds/china_org_cn.toml"))


def _article(method: str = "layout:en", paragraphs: tuple[str, ...] = STORY, **rest: Any) -> Article:
    made = article(address("a"), paragraphs, **rest)
    return replace(made, extraction=replace(made.extraction, method=method))


CONSENSUS = _article("consensus")


def _answer(**more: object) -> Answer:
    by_layout = _article()
    values = {"kind": "article", "status": 200, "outcome": "new", "detail": None, "url": "http://example.org/a", "article": by_layout}
    return Answer(**{**values, **more})  # type: ignore[arg-type]


def test_a_probe_reads_one_page_of_each_list_and_two_links_of_it() -> None:
    narrowed = one_of_each(SITE).discover
    assert (narrowed.max_pages, narrowed.max_links) == (1, 2)
    assert narrowed.listings == SITE.discover.listings


def test_the_table_names_the_layout_and_what_is_missing() -> None:
    untitled = _article(quality=Quality(confidence=1.0, flags=("no_title",)), published=None)
    first, *_ = table([_answer(article=untitled)])
    assert first.endswith("layout:en without title, published, source, authors, editors")


def test_an_answer_that_is_no_article_says_why() -> None:
    [line] = table([_answer(outcome="gone", status=404, article=None, detail="The server answered 404.")])
    assert line.startswith("404")
    assert line.endswith("The server answered 404.")


def test_what_was_extracted_stands_below_its_page_each_field_in_a_line() -> None:
    long = _article(paragraphs=("长" * 200, "第二段。"), title="机器人\x1b[31m装好\n一台", source=None)
    _, *lines = table([_answer(article=long)])
    assert [line[:16] for line in lines] == ["     title      ", "     published  ", "     source     ", "     text       "]
    title, published, source, text = (line[16:] for line in lines)
    assert title == "机器人[31m装好一台"
    assert published.startswith("2024-03-01 ")
    assert source == "–"
    assert text == f"{'长' * 42}… (2 paragraphs, 205 characters)"
    assert max(map(width, lines)) <= MAX_WIDTH


def test_a_day_that_only_the_address_tells_is_shown_as_that() -> None:
    day = _article(published_precision=Precision.DAY, published_from=PublishedFrom.URL)
    assert any(line.endswith("published  2024-03-01 (url)") for line in table([_answer(article=day)]))


FITS = Fit(layout="en")
WITHOUT_TITLE = Fit(layout="en", empty=("title", "source"))
NO_BODY = Fit(layout="en", why=Misfit.NO_BODY, empty=("title",))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([_answer(fits=(FITS,)), _answer(fits=(FITS,))], ["Layouts that fitted: layout:en.", "  en  read 2 of 2 articles"]),
        (
            [_answer(fits=(WITHOUT_TITLE,)), _answer(fits=(FITS,))],
            ["Layouts that fitted: layout:en.", "  en  read 2 of 2 articles  `title` found nothing (1), `source` found nothing (1)"],
        ),
        (
            [_answer(fits=(NO_BODY,), article=CONSENSUS)],
            ["Layouts that fitted: none (1 article read by consensus).", "  en  read 0 of 1 article  its `body` found nothing (1)"],
        ),
        (
            [_answer(fits=(NO_BODY,), article=CONSENSUS), _answer(fits=(FITS,))],
            ["Layouts that fitted: layout:en (1 article read by consensus).", "  en  read 1 of 2 articles  its `body` found nothing (1)"],
        ),
        (
            [_answer(fits=(Fit(layout="en", why=Misfit.LITTLE_PROSE, empty=("title",)), Fit(layout="new")))],
            [
                "Layouts that fitted: layout:en.",
                f"  en   read 0 of 1 article  {Misfit.LITTLE_PROSE} (1), `title` found nothing (1)",
                "  new  read 1 of 1 article",
            ],
        ),
        ([_answer(article=None, fits=())], ["Layouts that fitted: none."]),
        ([_answer(article=CONSENSUS)], ["Layouts that fitted: none (1 article read by consensus)."]),
    ],
)
def test_each_layout_is_told_whether_it_fitted_and_if_not_why(answers: list[Answer], said: list[str]) -> None:
    assert list(layouts(answers)) == said


def test_what_failed_is_told_by_what_it_was_and_what_was_not_asked_did_not_fail() -> None:
    visits, failures = {"failed/timeout": 1, "failed/robots": 2}, {"timeout": 1, "robots": 2, "robots_unreachable": 23, "http_error": 1}
    told = list(failed({"visits": visits, "failures": failures}))
    assert told == [
        "not asked: 2 articles, robots",
        "failed: 1 article, timeout",
        "not asked: 23 lists, robots_unreachable",
        "failed: 1 list, http_error",
    ]


def test_what_a_site_writes_into_its_urls_cannot_break_a_line() -> None:
    [line] = table([_answer(url="http://example.org/\n\x1b[31mred", article=None)])
    assert "\n" not in line
    assert "\x1b" not in line


@pytest.mark.xdist_group("river")
def test_a_probe_of_the_replica_says_which_layout_holds_and_keeps_nothing(tmp_path: Path) -> None:
    with Replica(day=0) as replica:
        done = subprocess.run(
            [sys.executable, "-m", "scrapy", "probe", "china_org_cn", "-s", "DELAY=0", "-s", f"ARCHIVE_DIR={tmp_path / 'archive'}"],
            env={**os.environ, **replica.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        asked = len(replica.requests)
    assert done.returncode == 0, done.stderr
    assert "Layouts that fitted: layout:en.\n  en  read " in done.stdout
    assert "     title      " in done.stdout
    assert "not_a_feed" in done.stdout
    assert not (tmp_path / "archive").exists()
    assert asked < 45


@pytest.mark.parametrize(
    ("key", "value", "status", "said"),
    [
        (
            "body",
            "['#nothere']",
            0,
            "none (1 article read by consensus).\n  2024  read 0 of 1 article  its `body` found nothing (1)",
        ),
        ("title", "['h2']", 0, "Layouts that fitted: layout:2024.\n  2024  read 1 of 1 article  `title` found nothing (1)"),
        (
            "article",
            r"['/\d{5}\.html$']",
            10,
            "http://{host}/list/ shows 1 link, none matches `article`, e.g. http://{host}/2026/robot.html\n",
        ),
        ("scheme", "'https'", 10, "none matches `article`, e.g. https://{host}/2026/robot.html\n"),
        ("listings", "['http://{host}/lost/']", 10, "1 list answered: http_error (404). Look at the addresses under [discover]"),
        (
            "listings",
            "['http://127.0.0.1:9/list/']",
            10,
            "not asked: 1 list, robots_unreachable\nNothing saved: no list could be read. None was",
        ),
    ],
)
def test_a_probe_says_which_part_of_the_seeds_file_does_not_hold(tmp_path: Path, key: str, value: str, status: int, said: str) -> None:
    listed = b"<html><body><a href='/2026/robot.html?utm_source=x'>1</a></body></html>"
    routes = {"/list/": page(listed), "/2026/robot.html": page(small_site.page(small_site.ROBOT))}
    with WireServer(routes) as server:
        lines = [line.format(host=server.host) for line in SEEDS.splitlines()]
        lines = [f"{key} = {value.replace('{host}', server.host)}" if line.startswith(f"{key} =") else line for line in lines]
        (tmp_path / "mine.toml").write_text("\n".join(lines), encoding="utf-8")
        done = scrapy("probe", "mine", "-s", f"SEEDS_DIR={tmp_path}", "-s", f"ARCHIVE_DIR={tmp_path / 'archive'}")
    assert (done.returncode, done.stderr) == (status, b"")
    assert said.replace("{host}", server.host) in done.stdout.decode()


SEEDS = r"""
name = "mine"
publisher = "小站"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["{host}", "127.0.0.1:9"]
[politeness]
delay = 0.0
tries = 1
[discover]
listings = ['http://{host}/list/']
article = ['^http://{host}/2026/(?P<id>[a-z]+)\.html$']
[identity]
scheme = 'http'
[[layout]]
name = "2024"
title = ['h1']
body = ['div.text']
published = ['span.when']
"""


def test_a_probe_of_no_site_is_bad_configuration() -> None:
    done = subprocess.run([sys.executable, "-m", "scrapy", "probe", "nowhere"], capture_output=True, text=True, check=False)
    assert done.returncode == 20
    assert "china_tech" in done.stderr
