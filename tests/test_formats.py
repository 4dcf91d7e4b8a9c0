"""Each format holds the same rows, in the same bytes, and nothing in them runs or breaks a line."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import formats
from pipelines.archive.article_record import Head, record
from pipelines.fields import COLUMNS
from pipelines.formats import FORMATS, SCHEMAS, cell, dolma, line
from pipelines.model import Article, Caption, Precision, PublishedFrom, Quality, Rights, WarcRef
from pipelines.site import USES
from tests.archive.made import article

HEAD = Head(
    id="ab" * 16,
    status="active",
    revision=2,
    first_seen="2024-03-01T02:00:00.000000Z",
    last_seen="2024-03-02T02:00:00.000000Z",
    fetched_at="2024-03-01T03:00:00.000000Z",
    warc=WarcRef(file="china_tech-1.warc.gz", offset=7, length=100, record_id="<urn:uuid:1>"),
    payload_digest="sha256:00",
    text_digest="cd" * 32,
    cluster={"id": "ab" * 16, "kind": "near_duplicate", "similarity": 0.75, "size": 2, "representative": "ab" * 16},
)
FULL = article(
    "https://tech.example.cn/a.html",
    captions=(Caption(text="图为新的装配线。", image_url="https://tech.example.cn/a.jpg"), Caption(text="图为夜班。")),
    published=datetime(2024, 3, 1, 10, 5, tzinfo=timezone(timedelta(hours=8))),
    published_precision=Precision.MINUTE,
    published_from=PublishedFrom.HEADER,
    modified=datetime(2024, 3, 2, tzinfo=UTC),
    source="科技日报",
    authors=("王一", "李二"),
    editors=("赵三",),
    section="滚动",
    keywords=("机器人",),
    language="zh",
    rights=Rights(
        notice="未经授权不得转载",
        owned=True,
        robots=("noai",),
        signals={"tdm-reservation": "1"},
        reserved={"train": True, "archive": False},
    ),
    quality=Quality(confidence=0.5, flags=("short",)),
)
BARE = article("https://tech.example.cn/b.html", published=None)


def rows(*articles: Article) -> list[dict[str, object]]:
    return [record(one, HEAD) for one in articles]


def written(form: str, schema: str, made: list[dict[str, object]]) -> bytes:
    out = io.BytesIO()
    with FORMATS[form](out, schema) as put:
        for row in made:
            put(SCHEMAS[schema](row))
    assert not out.closed
    return out.getvalue()


def unpacked(form: str, raw: bytes) -> bytes:
    if form.endswith("gz"):
        return gzip.decompress(raw)
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read() if form.endswith("zst") else raw


# ── JSON lines ───────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.recursive(st.text() | st.integers() | st.none() | st.booleans(), lambda inner: st.dictionaries(st.text(), inner, max_size=4)))
@settings(max_examples=100, deadline=None)
def test_any_value_is_one_line_to_every_reader_and_comes_back(value: object) -> None:
    try:
        raw = line(value)
    except UnicodeEncodeError:  # half of a surrogate pair is no text; nothing of ours holds one
        return
    text = raw.decode("utf-8")
    assert text.endswith("\n")
    assert len(text.splitlines()) == len(raw.splitlines()) == raw.count(b"\n") == 1
    assert json.loads(text) == value


def test_chinese_stays_readable_and_what_ends_lines_or_moves_a_terminal_is_escaped() -> None:
    assert line({"t": "科技\u2028\u2029\x85\x9b\x1b\x7f\r\n"}) == '{"t":"科技\\u2028\\u2029\\u0085\\u009b\\u001b\\u007f\\r\\n"}\n'.encode()


def test_what_is_no_number_in_json_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        line({"similarity": float("nan")})


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "jsonl.zst"])
@pytest.mark.parametrize("schema", SCHEMAS)
def test_json_lines_hold_each_row_with_its_keys_in_order(form: str, schema: str) -> None:
    raw = unpacked(form, written(form, schema, rows(FULL, BARE)))
    found = [json.loads(one) for one in raw.split(b"\n")[:-1]]
    assert found == [SCHEMAS[schema](row) for row in rows(FULL, BARE)]
    assert [list(one) for one in found] == [list(COLUMNS[schema])] * 2


def test_there_is_no_time_and_no_name_in_gzip() -> None:
    raw = written("jsonl.gz", "native", rows(FULL))
    assert raw[3:8] == b"\0\0\0\0\0", "flags and time (RFC 1952 §2.3)"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("schema", SCHEMAS)
def test_equal_rows_give_equal_bytes(form: str, schema: str) -> None:
    assert written(form, schema, rows(FULL, BARE)) == written(form, schema, rows(FULL, BARE))


@pytest.mark.parametrize("form", FORMATS)
def test_no_rows_are_a_file_that_can_be_read(form: str) -> None:
    raw = written(form, "native", [])
    if form == "parquet":
        assert pq.read_table(io.BytesIO(raw)).num_rows == 0
    elif form == "csv":
        assert len(list(csv.reader(io.StringIO(raw.decode("utf-8"))))) == 1
    else:
        assert unpacked(form, raw) == b""


# ── dolma ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_dolma_has_its_six_fields_and_all_the_rest_in_metadata() -> None:
    (row,) = rows(FULL)
    made = dolma(row)
    assert list(made) == ["id", "text", "source", "added", "created", "metadata"]
    assert (made["source"], made["added"], made["created"]) == ("china_tech", "2024-03-01T03:00:00.000000Z", "2024-03-01T10:05:00+08:00")
    assert set(made["metadata"]) | {"id", "text", "paragraphs"} == set(row)
    assert "\n".join(row["paragraphs"]) == made["text"]  # type: ignore[arg-type]  # a list of strings by contract


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_cell_that_a_spreadsheet_would_run_begins_with_an_apostrophe(first: str) -> None:
    assert cell(f"{first}HYPERLINK(1)") == f"'{first}HYPERLINK(1)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("", ""), ("科技", "科技"), (3, "3"), (0.5, "0.5"), (True, "true"), (["王一"], '["王一"]'), ({"a": None}, '{"a":null}')],
)
def test_other_cells_are_as_they_are(value: object, text: str) -> None:
    assert cell(value) == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_no_cell_begins_like_a_formula_and_the_text_is_there(text: str) -> None:
    made = cell(text)
    assert not made.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert made in (text, "'" + text)


def test_a_csv_reader_finds_the_columns_and_a_title_that_is_no_formula() -> None:
    made = article("https://tech.example.cn/a.html", ("一行。", '他说："好。"'), title="=1+1")
    raw = written("csv", "native", rows(made))
    (found,) = csv.DictReader(io.StringIO(raw.decode("utf-8"), newline=""))
    assert list(found) == list(COLUMNS["native"])
    assert (found["title"], found["text"]) == ("'=1+1", '一行。\n他说："好。"')
    assert json.loads(found["provenance"])["offset"] == 7
    assert raw.count(b"\r\n") == 2, "RFC 4180 §2.1"


# ── Parquet ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def mapped(row: dict[str, Any]) -> dict[str, Any]:
    """A row of Parquet as the record that it was: lists of pairs as maps, absent reservations left out."""
    if "metadata" in row:
        return {**row, "metadata": mapped(row["metadata"])}
    rights, provenance = row["rights"], row["provenance"]
    reserved = {use: value for use, value in rights["reserved"].items() if value is not None}
    signals = {pair["name"]: pair["value"] for pair in rights["signals"]}
    extractor = {pair["name"]: pair["value"] for pair in provenance["extractor"]}
    return {**row, "rights": {**rights, "signals": signals, "reserved": reserved}, "provenance": {**provenance, "extractor": extractor}}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_row_of_parquet_is_the_record(schema: str) -> None:
    table = pq.read_table(io.BytesIO(written("parquet", schema, rows(FULL, BARE))))
    assert [mapped(row) for row in table.to_pylist()] == [SCHEMAS[schema](row) for row in rows(FULL, BARE)]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_parquet_schema_does_not_depend_on_the_rows(schema: str) -> None:
    none, bare, full = (pq.read_schema(io.BytesIO(written("parquet", schema, made))) for made in ([], rows(BARE), rows(FULL)))
    assert none.equals(bare)
    assert none.equals(full)
    assert none.names == list(COLUMNS[schema])


def test_the_columns_are_the_record_s_and_every_use_has_its_flag() -> None:
    (row,) = rows(FULL)
    assert list(COLUMNS["native"]) == list(row)
    for name, inner in COLUMNS["native"].items():
        if isinstance(inner, dict) and name != "rights":
            assert list(inner) == list(row[name])  # type: ignore[call-overload]  # a mapping where the column is one
    assert tuple(COLUMNS["native"]["rights"]["reserved"]) == USES


def test_row_groups_are_bounded_by_rows_and_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "ROW_GROUP_ROWS", 3)
    file = pq.ParquetFile(io.BytesIO(written("parquet", "native", rows(*[BARE] * 7))))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [3, 3, 1]
    monkeypatch.setattr(formats, "ROW_GROUP_CHARACTERS", 2 * len(BARE.text))
    file = pq.ParquetFile(io.BytesIO(written("parquet", "native", rows(*[BARE] * 5))))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [2, 2, 1]
