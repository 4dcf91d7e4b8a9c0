"""The Croissant file says where every field of an export is found, and only what is true of its files.

Whether `mlcroissant` takes it, and reads the records by it, is a test of tests/test_loaders.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.croissant import ENCODINGS, croissant
from pipelines.fields import COLUMNS, PAIRS
from pipelines.formats import FORMATS
from pipelines.portrait import Portrait
from tests.test_portrait import record

FILES = [
    {"name": "out/a/2024-02.parquet", "bytes": 7, "sha256": "ab" * 32},
    {"name": "out/b/2024-03.parquet", "bytes": 8, "sha256": "cd" * 32},
]


def told(form: str = "jsonl", schema: str = "native", pattern: str | None = None, **changed: Any) -> Any:
    portrait = Portrait()
    for language in ("zh", "en", None):
        portrait.add(record(language=language))
    values: dict[str, Any] = {"name": "Articles", "card": "out.README.md", "creator": "x@example.org", "cursor": 17, "files": FILES[:1]}
    return json.loads(croissant(form=form, schema=schema, pattern=pattern, portrait=portrait, **{**values, **changed}))


def leaves(fields: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in fields:
        if "subField" in one:
            yield from leaves(one["subField"])
        else:
            yield one


def field(name: str, **how: str) -> dict[str, Any]:
    (found,) = [one for one in leaves(told(**how)["recordSet"][0]["field"]) if one["name"] == name]
    return found


def test_it_says_which_standard_it_follows_and_when_and_what_the_data_are() -> None:
    found = told()
    assert (found["conformsTo"], found["@type"], found["version"]) == ("http://mlcommons.org/croissant/1.1", "sc:Dataset", "1.17.0")
    assert (found["datePublished"], found["inLanguage"], found["url"]) == ("2024-03-31", ["en", "zh"], "out.README.md")
    assert "no licence" in found["license"]


def test_every_file_stands_in_it_with_its_digest_and_a_pattern_finds_several() -> None:
    found = told(form="parquet", files=FILES, pattern="out/*/*.parquet")
    *files, several = found["distribution"]
    assert [(one["contentUrl"], one["sha256"], one["contentSize"]) for one in files] == [
        ("out/a/2024-02.parquet", "ab" * 32, "7 B"),
        ("out/b/2024-03.parquet", "cd" * 32, "8 B"),
    ]
    assert (several["@type"], several["includes"]) == ("cr:FileSet", "out/*/*.parquet")
    assert {one["source"]["fileSet"]["@id"] for one in leaves(found["recordSet"][0]["field"])} == {several["@id"]}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_its_encoding(form: str) -> None:
    assert told(form=form)["distribution"][0]["encodingFormat"] in (ENCODINGS[form][0], list(ENCODINGS[form]))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("schema", COLUMNS)
def test_every_column_is_a_field_and_every_identity_is_one_of_a_kind(form: str, schema: str) -> None:
    fields = told(form=form, schema=schema)["recordSet"][0]["field"]
    assert [one["name"] for one in fields] == list(COLUMNS[schema])
    identities = [one["@id"] for one in leaves(fields)]
    assert len(identities) == len(set(identities))
    assert not any(" " in one for one in identities)


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("published", "sc:DateTime", None),
        ("published_precision", "sc:Text", None),
        ("rights/owned", "sc:Boolean", "owned"),
        ("rights/reserved/text-and-data-mining", "sc:Boolean", "reserved.'text-and-data-mining'"),
        ("cluster/similarity", "sc:Float", "similarity"),
        ("provenance/offset", "sc:Integer", "offset"),
        ("captions/image_url", "sc:Text", "image_url"),
    ],
)
def test_a_value_has_its_type_and_the_way_to_it(name: str, kind: str, path: str | None) -> None:
    found = field(name)
    assert found["dataType"] == kind
    assert found["source"]["extract"] == {"column": name.partition("/")[0]}
    assert found["source"].get("transform", {}).get("jsonPath") == path


def test_times_are_times_in_dolma_too() -> None:
    assert [field(name, schema="dolma")["dataType"] for name in ("added", "created", "metadata/modified")] == ["sc:DateTime"] * 3
    assert field("metadata/source", schema="dolma")["description"].startswith("The outlet")


def test_a_list_is_an_array_of_any_length() -> None:
    assert (field("authors")["isArray"], field("authors")["arrayShape"]) == (True, "-1")


@pytest.mark.parametrize(("form", "fields"), [("jsonl", []), ("parquet", ["rights/signals/name", "rights/signals/value"])])
def test_a_map_with_open_keys_is_left_out_where_it_is_one(form: str, fields: list[str]) -> None:
    assert COLUMNS["native"]["rights"]["signals"] == PAIRS
    assert [one["name"] for one in leaves(told(form=form)["recordSet"][0]["field"]) if "signals" in one["name"]] == fields


def test_what_is_nested_is_text_in_csv() -> None:
    assert all(one["dataType"] in ("sc:Text", "sc:DateTime", "sc:Integer") for one in told(form="csv")["recordSet"][0]["field"])
    assert field("rights", form="csv")["dataType"] == "sc:Text"
