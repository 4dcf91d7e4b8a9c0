"""`scrapy probe`: one URL of each kind, and what its answers say to a person."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.commands.probe import Answer, one_of_each, table
from pipelines.site import load_site
from tests.replica import Replica

SITE = load_site(Path("seeds/china_org_cn.toml"))


def _answer(**more: object) -> Answer:
    values = {"kind": "article", "status": 200, "outcome": "new", "detail": None, "url": "http://example.org/a", "method": "layout:en"}
    return Answer(**{**values, **more})  # type: ignore[arg-type]


def test_a_probe_reads_one_page_of_each_list_and_two_links_of_it() -> None:
    narrowed = one_of_each(SITE).discover
    assert (narrowed.max_pages, narrowed.max_links) == (1, 2)
    assert narrowed.listings == SITE.discover.listings


def test_the_table_names_the_layout_and_what_is_missing() -> None:
    lines = list(table([_answer(missing=("authors",))]))
    assert "layout:en without authors" in lines[0]
    assert lines[-1] == "Layouts that fitted: layout:en."


def test_an_answer_that_is_no_article_says_why() -> None:
    lines = list(table([_answer(outcome="gone", status=404, method=None, detail="The server answered 404.")]))
    assert lines[0].startswith("404")
    assert lines[0].endswith("The server answered 404.")
    assert lines[-1] == "Layouts that fitted: none."


def test_what_a_site_writes_into_its_urls_cannot_break_a_line() -> None:
    (line, _) = table([_answer(url="http://example.org/\n\x1b[31mred")])
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
    assert "Layouts that fitted: layout:en." in done.stdout
    assert "not_a_feed" in done.stdout
    assert not (tmp_path / "archive").exists()
    assert asked < 45


def test_a_probe_of_no_site_is_bad_configuration() -> None:
    done = subprocess.run([sys.executable, "-m", "scrapy", "probe", "nowhere"], capture_output=True, text=True, check=False)
    assert done.returncode == 20
    assert "china_tech" in done.stderr
