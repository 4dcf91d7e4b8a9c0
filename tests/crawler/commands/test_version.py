"""`scrapy version`: this project's first, then Scrapy's."""

from __future__ import annotations

from importlib.metadata import version

import pytest
import scrapy

from tests.crawler.commands.invoke import invoke

OURS = f"china-tech-archive {version('china-tech-archive')}"


def test_it_names_this_project_and_scrapy(capsys: pytest.CaptureFixture[str]) -> None:
    done = invoke(capsys, "version")
    assert (done.status, done.out, done.err) == (0, f"{OURS}\nScrapy {scrapy.__version__}\n", "")


def test_a_report_of_a_fault_gets_the_versions_of_all_that_is_below(capsys: pytest.CaptureFixture[str]) -> None:
    lines = invoke(capsys, "version", "-v").out.splitlines()
    assert lines[0] == OURS
    assert [line.split()[0] for line in lines if line.startswith(("Scrapy", "Twisted", "lxml"))] == ["Scrapy", "lxml", "Twisted"]
