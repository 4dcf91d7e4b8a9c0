"""docs/adding-a-site.md is held to the code: every key, its default, and every example in it."""

from __future__ import annotations

import dataclasses
import functools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipelines import site
from pipelines.urls import canonical

DOC = (Path(__file__).parent.parent / "docs" / "adding-a-site.md").read_text(encoding="utf-8")

SECTIONS: dict[str, type[Any]] = {
    "## The site": site.Site,
    "## `[politeness]`": site.Politeness,
    "## `[discover]`": site.Discover,
    "## `[identity]`": site.Identity,
    "### `[[identity.mirror]]`": site.Mirror,
    "## `[[layout]]`": site.Layout,
    "## `[rights]`": site.RightsRules,
}
SINGULAR = {"layouts": "layout", "mirrors": "mirror"}
NOT_WRITTEN = {"digest"}
"""made from the file, never written in it"""


@functools.cache
def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading: key -> its cells."""
    section = re.split(r"(?m)^#{2,3} ", DOC.partition(f"\n{heading}\n")[2])[0]
    cells = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line.startswith("| `"))
    return {row[0].strip("` |"): row for row in cells}


def fields(cls: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    return {SINGULAR.get(item.name, item.name): item for item in dataclasses.fields(cls) if item.name not in NOT_WRITTEN}


def default_of(item: dataclasses.Field[Any]) -> Any:
    return item.default if item.default_factory is dataclasses.MISSING else item.default_factory()


CASES = [(heading, key) for heading, cls in SECTIONS.items() for key in fields(cls)]


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_tables_name_every_key_and_no_other(heading: str) -> None:
    assert list(rows(heading)) == list(fields(SECTIONS[heading]))


@pytest.mark.parametrize(("heading", "key"), CASES)
def test_every_key_has_a_type_its_true_default_and_an_explanation(heading: str, key: str) -> None:
    _, kind, default, meaning = rows(heading)[key]
    assert kind
    assert len(meaning) > 10
    item = fields(SECTIONS[heading])[key]
    value = default_of(item)
    if value is dataclasses.MISSING:
        assert default == "required"
    elif default == "none":
        assert value is None
    elif default == "see below":
        assert value == type(value)()
    else:
        written = tomllib.loads(f"x = {default.strip('`')}")["x"]
        assert written == (list(value) if isinstance(value, tuple) else value)
        assert type(written) is (list if isinstance(value, tuple) else type(value))


def smallest() -> str:
    return DOC.partition("```toml\n")[2].partition("```")[0]


def test_the_smallest_file_loads_and_finds_its_article() -> None:
    loaded = site.parse_site(smallest().encode(), "seeds/example_news.toml")
    found = canonical("http://news.example.cn/tech/20260904/12345.html?utm_source=x", loaded)
    match = loaded.article_match(found.url)
    assert match is not None
    assert match["date"] == "20260904"


EXAMPLE = re.compile(r"Example: `([^`]+)`")
TOP = """
name = "x"
publisher = "X"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.cn", "tech.example.cn", "app.example.cn", "archive.example.cn"]
"""
CDX = 'cdx = ["http://archive.example.cn/cdx"]\n'
DISCOVER = """
[discover]
feeds = ["http://news.example.cn/rss"]
cdx = ["http://archive.example.cn/cdx"]
article = ['x']
"""
AROUND = {
    # heading: what stands before the table, and the table
    "## The site": ("", f"discover = {{ feeds = ['http://news.example.cn/rss'], article = ['x'] }}{TOP}"),
    "## `[politeness]`": (TOP + DISCOVER, "[politeness]\n"),
    "## `[discover]`": (TOP, DISCOVER),
    "## `[identity]`": (TOP + DISCOVER, "[identity]\n"),
    "### `[[identity.mirror]]`": (TOP + DISCOVER, "[[identity.mirror]]\npattern = '(?P<host>.)(?P<path>.)'\noriginal = 'x'\n"),
    "## `[[layout]]`": (TOP + DISCOVER, "[[layout]]\nname = 'x'\ntitle = ['h1']\nbody = ['#b']\n"),
    "## `[rights]`": (TOP + DISCOVER, "[rights]\n"),
}


@pytest.mark.parametrize(("heading", "key"), [(h, k) for h, k in CASES if EXAMPLE.search(rows(h).get(k, [""])[-1])])
def test_every_example_is_accepted(heading: str, key: str) -> None:
    """Each example stands alone in a file that is otherwise good."""
    found = EXAMPLE.search(rows(heading)[key][-1])
    assert found is not None
    before, table = AROUND[heading]
    others = "".join(line for line in table.splitlines(keepends=True) if not line.startswith(f"{key} = "))
    if (heading, key) == ("## The site", "hosts"):
        others = others.replace("news.example.cn/rss", "127.0.0.1:8800/rss")
    assert site.parse_site(f"{before}{others}{key} = {found[1]}\n".encode(), "x.toml").digest


def test_the_commands_and_files_that_are_named_are_those_of_the_design() -> None:
    for named in ("scrapy list", "scrapy probe", "scrapy crawl", "sample=1", "make test", "tests/pages/", "pipelines.extract_page"):
        assert named in DOC


def test_no_default_is_left_untested() -> None:
    assert {key for heading in SECTIONS for key in rows(heading)} >= {item for cls in SECTIONS.values() for item in fields(cls)}


def test_the_old_pages_of_the_example_are_had_from_the_archives_that_it_names() -> None:
    """Common Crawl's by range, the Wayback Machine's by replay, neither with an entry of its own."""
    [text] = re.findall(r"(?s)```toml\n\[discover\]\n(cdx = .*?)```", DOC)
    discover = site.parse_site(f"{TOP}{DISCOVER.replace(CDX, '')}{text}".encode(), "x.toml").discover
    records = [discover.records_of(index) for index in discover.cdx]
    assert records == ["https://data.commoncrawl.org/", "https://web.archive.org/web/{timestamp}id_/{url}"]
    assert discover.archive_hosts == ("index.commoncrawl.org", "data.commoncrawl.org", "web.archive.org")
