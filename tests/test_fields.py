"""The tables of fields, the record itself and the contract's pages say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.fields import COLUMNS, FIELDS, PAIRS
from tests.test_formats import BARE, rows

CONTRACT = (Path(__file__).parent.parent / "docs" / "article-record.md").read_text("utf-8")


def paths(columns: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field, whether a value or a group of them; what is within a map of open keys is none."""
    for name, kind in columns.items():
        yield (*above, name)
        inner = kind[0] if isinstance(kind, list) else kind
        if isinstance(inner, dict):
            yield from paths(inner, (*above, name))


@pytest.mark.parametrize("schema", COLUMNS)
def test_every_field_has_its_sentence_and_every_sentence_its_field(schema: str) -> None:
    assert set(FIELDS[schema]) == set(paths(COLUMNS[schema]))


@pytest.mark.parametrize("schema", COLUMNS)
def test_a_sentence_is_one(schema: str) -> None:
    assert [said for said in FIELDS[schema].values() if not re.fullmatch(r"[^\n|]{10,140}\.", said)] == []


def test_the_columns_are_the_fields_of_the_record_in_its_order() -> None:
    assert list(COLUMNS["native"]) == list(rows(BARE)[0])


def test_the_columns_are_the_fields_of_the_contract_in_its_order() -> None:
    tables = re.split(r"^#+ ", CONTRACT, flags=re.MULTILINE)
    fields = next(table for table in tables if table.startswith("Fields\n"))
    assert re.findall(r"^\| `(\w+)` \|", fields, re.MULTILINE) == list(COLUMNS["native"])


def test_the_maps_with_open_keys_are_those_of_the_contract() -> None:
    told = {path for path in paths(COLUMNS["native"]) if kind_at(path) == PAIRS}
    assert told == {("rights", "signals"), ("provenance", "extractor")}


def kind_at(path: tuple[str, ...]) -> object:
    kind: Any = COLUMNS["native"]
    for name in path:
        kind = kind[0][name] if isinstance(kind, list) else kind[name]
    return kind
