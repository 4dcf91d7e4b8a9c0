"""The data card says what is in an export, what is not, and what nobody knows; and nothing that a page printed breaks it."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.card import LOADERS, MOST, Subject, card
from pipelines.domains import Domains
from pipelines.fields import COLUMNS
from pipelines.portrait import Portrait
from tests.test_portrait import record

MANIFEST: dict[str, Any] = {
    "cursor": 17,
    "articles": {"known": 5, "excluded": {"copy": 1, "reserved/train": 2}},
    "selection": {"everything": False, "site": None, "use": None},
    "domains": {},
    "uses": {"china_tech": ["train"]},
    "versions": {"china-tech-archive": "0.1.0", "pyarrow": "26.0.1"},
}


def told(*records: dict[str, Any], form: str = "jsonl", schema: str = "native", contact: str | None = None, **manifest: Any) -> str:
    portrait, domains = Portrait(), Domains()
    for one in records or (record(), record(language="en", source=None)):
        portrait.add(one)
        domains.add(one)
    name = f"out.{form}"
    subject = Subject(
        name=name,
        pattern=name,
        form=form,
        schema=schema,
        manifest={**MANIFEST, "domains": domains.report(), **manifest},
        contact=contact,
        portrait=portrait,
    )
    return card(subject).decode("utf-8")


def test_it_begins_with_the_header_of_the_hub() -> None:
    header = told().split("---\n")[1].splitlines()
    assert header == [
        'pretty_name: "Articles of china_tech"',
        'language: ["en", "zh"]',
        "license: other",
        "license_name: as-stated-in-each-record",
        'size_categories: ["n<1K"]',
        "configs:",
        "- config_name: default",
        '  data_files: "out.jsonl"',
    ]


@pytest.mark.parametrize(("count", "size"), [(0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (10**7, "n>10M")])
def test_the_size_is_in_a_category_of_the_hub(count: int, size: str) -> None:
    subject = Subject(
        name="x",
        pattern="x",
        form="csv",
        schema="native",
        manifest=MANIFEST,
        contact=None,
        portrait=Portrait(articles=count, newest="2024"),
    )
    assert f'size_categories: ["{size}"]' in card(subject).decode()


def test_what_was_left_out_stands_there_with_its_reason() -> None:
    found = told()
    assert "| the same story is told by another article | 1 |" in found
    assert "| its rights reserve the use `train` | 2 |" in found
    assert "Articles of china_tech whose rights reserve the use `train` were left out." in found


def test_it_claims_no_licence() -> None:
    found = told()
    assert "There is no licence for the whole." in found
    assert "| no use is reserved | 2 |" in found


def test_counts_are_by_site_host_language_source_and_month() -> None:
    found = told()
    for row in ("| china\\_tech | 2 |", "| zh | 1 |", "| (none) | 1 |", "| 2024 | 0 | 2 | 0 |"):
        assert row in found


def test_the_report_by_host_tells_what_is_in_and_what_is_not() -> None:
    reserving = record(published="2024-03-09T00:00:00+08:00", rights={"notice": None, "owned": True, "reserved": {"train": True}})
    domains = Domains()
    for one in (record(), reserving):
        domains.add(one)
    domains.leave_out("http://b.example.cn/", "copy")
    found = told(domains=domains.report())
    assert "| tech.example.cn | 2 | 8 | 2024-02-29 to 2024-03-09 | own 1, unknown 1 | train 1 |  |" in found
    assert "| b.example.cn | 0 | 0 |  |  |  | copy 1 |" in found


def test_the_largest_hosts_are_named_and_the_rest_counted() -> None:
    found = told(*(record(url=f"http://h{n:02}.example.cn/") for n in range(MOST + 3)))
    assert "| 3 others | 3 | 12 |  |  |  | 0 |" in found
    assert f"h{MOST:02}" not in found


def test_the_most_frequent_sources_are_named_and_the_rest_counted() -> None:
    found = told(*(record(source=f"报{n:02}") for n in range(MOST + 3)))
    assert "| 3 others | 3 |" in found
    assert f"报{MOST:02}" not in found


@pytest.mark.parametrize("schema", COLUMNS)
def test_every_field_is_explained(schema: str) -> None:
    found = told(schema=schema)
    assert [name for name in COLUMNS[schema] if f"| `{name}` |" not in found] == []


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "jsonl.zst", "csv", "parquet"])
def test_every_loader_has_its_line(form: str) -> None:
    found = told(form=form)
    for package in ("datasets", "duckdb", "polars", "pandas"):
        assert f"\n{package}." in found
    assert set(LOADERS) == {"jsonl", "csv", "parquet"}
    assert ("package `zstandard`" in found) == (form == "jsonl.zst")


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "jsonl.zst", "csv", "parquet"])
def test_a_loader_that_refuses_what_has_no_rows_is_not_recommended_for_it(form: str) -> None:
    subject = Subject(name="x", pattern="x", form=form, schema="native", manifest=MANIFEST, contact=None, portrait=Portrait())
    found = card(subject).decode()
    ways = {package for package in ("datasets", "duckdb", "polars", "pandas") if f"\n{package}." in found}
    refuse = {"datasets", "polars"} if form.startswith("jsonl") else {"datasets"}
    assert ways == {"datasets", "duckdb", "polars", "pandas"} - refuse
    assert f"and {' and '.join(sorted(refuse))} cannot load that" in found


def test_who_is_to_be_asked_is_named_or_said_not_to_be() -> None:
    assert "Write to corpus@example.org, with" in told(contact="corpus@example.org")
    assert "has named no contact (`CONTACT`)" in told()


@pytest.mark.parametrize(
    ("selection", "follow"),
    [
        ({}, "follows with `scrapy feed --since 17`, or takes"),
        ({"use": "train"}, "follows with `scrapy feed --since 17 --use train`, or takes"),
        ({"everything": True}, "Whoever keeps a copy takes"),
        ({"site": "one"}, "Whoever keeps a copy takes"),
    ],
)
def test_the_feed_goes_on_only_from_an_export_that_holds_what_the_feed_does(selection: dict[str, Any], follow: str) -> None:
    assert follow in told(selection={"everything": False, "site": None, "use": None, **selection})


def test_what_pages_printed_stays_what_they_printed() -> None:
    found = told(record(source="a|b\n---\n# <script>[x](javascript:1)`"))
    assert "a\\|b --- \\# \\<script\\>\\[x\\](javascript:1)\\` | 1 |" in found
    assert "<script>" not in found.replace("\\<script\\>", "")


def test_an_export_of_nothing_says_so() -> None:
    subject = Subject(name="x", pattern="x", form="csv", schema="native", manifest=MANIFEST, contact=None, portrait=Portrait())
    assert "No articles: none of the archive's was to be exported at cursor 17." in card(subject).decode()


def test_an_export_of_everything_says_what_that_is() -> None:
    assert "`--all`" in told(selection={"everything": True, "site": None, "use": None})
    assert "`--all`" not in told()
