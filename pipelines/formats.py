"""Records as rows, rows as bytes: JSON lines, CSV, Parquet; the record itself or Dolma's. Writes to an open file only.

Every format holds the same rows in the same order, and the same rows give the same bytes: gzip has no time in it, JSON
has one form, Parquet an explicit schema. A row of Parquet is the record, but that its maps with open keys (`signals`,
`extractor`) are lists of {name, value}: pyarrow's maps are read as something else by each of its readers.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO

import zstandard

from pipelines.fields import CHANGE, COLUMNS, NOT_METADATA, PAIRS

Row = Mapping[str, Any]
Put = Callable[[Row], None]

GZIP_LEVEL = 6
ZSTD_LEVEL = 9
ROW_GROUP_ROWS = 4_096
ROW_GROUP_CHARACTERS = 16 * 2**20
"""of text in one row group of Parquet, and so in memory: whichever is reached first ends it"""
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""First characters for which a spreadsheet runs a cell as a formula; the full-width ones in its East Asian versions"""

# Legal within a JSON string, but line ends (U+0085, U+2028, U+2029) or terminal controls to those who read it.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029]")


def line(value: object) -> bytes:
    """One JSON object as one line of UTF-8 that ends with "\\n" and is one line to everybody, `splitlines` too."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode("utf-8") + b"\n"


# ── schemas: what a row holds ────────────────────────────────────────────────────────────────────────────────────────


def native(record: Row) -> Row:
    """The article record itself."""
    return record


def dolma(record: Row) -> Row:
    """The record as AI2's Dolma and datatrove read it: id, text, source, added, created, metadata (all the rest)."""
    return {
        "id": record["id"],
        "text": record["text"],
        "source": record["site"],
        "added": record["fetched_at"],
        "created": record["published"],
        "metadata": {name: value for name, value in record.items() if name not in NOT_METADATA},
    }


SCHEMAS: dict[str, Callable[[Row], Row]] = {"native": native, "dolma": dolma}


# ── formats: how rows are written ────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _jsonl(out: BinaryIO, _: str) -> Iterator[Put]:
    yield lambda row: _write(out, line(row))


@contextmanager
def _gzipped(out: BinaryIO, _: str) -> Iterator[Put]:
    with gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=out, mtime=0) as packed:
        yield lambda row: _write(packed, line(row))


@contextmanager
def _zstandard(out: BinaryIO, _: str) -> Iterator[Put]:
    packer = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
    with packer.stream_writer(out, closefd=False) as packed:
        yield lambda row: _write(packed, line(row))


@contextmanager
def _csv(out: BinaryIO, schema: str) -> Iterator[Put]:
    """RFC 4180 in UTF-8. Nested values are JSON; absent ones empty cells; cells that a spreadsheet would run begin with '."""
    names = COLUMNS[schema]
    table = csv.writer(_Text(out))
    table.writerow(names)
    yield lambda row: table.writerow([cell(row[name]) for name in names])


@contextmanager
def _parquet(out: BinaryIO, schema: str) -> Iterator[Put]:
    with _table(out, COLUMNS[schema]) as put:
        yield lambda row: put(_listed(row), len(row["text"]))


@contextmanager
def changes(out: BinaryIO) -> Iterator[Put]:
    """Changes of the feed (docs/feed.md) as Parquet: op, sequence, id, and the record as a row of Parquet, null for a delete."""
    with _table(out, CHANGE) as put:

        def put_change(change: Row) -> None:
            record = change["record"]
            put({**change, "record": record and _listed(record)}, len(record["text"]) if record else 0)

        yield put_change


@contextmanager
def _table(out: BinaryIO, columns: Mapping[str, Any]) -> Iterator[Callable[[Row, int], None]]:
    """A Parquet file of rows, each given with the number of characters of its text."""
    import pyarrow as pa  # noqa: PLC0415 -- a third of a second, for one format of five
    import pyarrow.parquet as pq  # noqa: PLC0415

    kind = _arrow(columns)
    rows: list[Row] = []
    size = 0

    def put(row: Row, characters: int) -> None:
        nonlocal size
        rows.append(row)
        size += characters
        if len(rows) >= ROW_GROUP_ROWS or size >= ROW_GROUP_CHARACTERS:
            flush()

    def flush() -> None:
        nonlocal size
        writer.write_table(pa.Table.from_pylist(rows, schema=kind))
        rows.clear()
        size = 0

    with pq.ParquetWriter(out, kind, compression="zstd") as writer:
        yield put
        if rows:
            flush()


FORMATS: dict[str, Callable[[BinaryIO, str], AbstractContextManager[Put]]] = {
    "jsonl": _jsonl,
    "jsonl.gz": _gzipped,
    "jsonl.zst": _zstandard,
    "csv": _csv,
    "parquet": _parquet,
}
"""name -> opener(file open for writing, name of the schema); the file stays open"""


def _write(out: Any, raw: bytes) -> None:
    out.write(raw)


class _Text:
    """What `csv.writer` writes to: text in, UTF-8 out."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, text: str) -> None:
        self._out.write(text.encode("utf-8"))


def cell(value: object) -> str:
    """A value as the cell of a table that nobody can run."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else line(value).decode("utf-8").rstrip("\n")
    return "'" + text if text.startswith(FORMULA) else text


# ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _arrow(columns: Mapping[str, Any]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 -- see _parquet

    words = {"text": pa.string(), "number": pa.int64(), "share": pa.float64(), "flag": pa.bool_()}
    words[PAIRS] = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))

    def kind_of(kind: Any) -> Any:
        if isinstance(kind, list):
            return pa.list_(kind_of(kind[0]))
        if isinstance(kind, dict):
            return pa.struct([(name, kind_of(inner)) for name, inner in kind.items()])
        return words[kind]

    return pa.schema([(name, kind_of(kind)) for name, kind in columns.items()])


def _listed(row: Row) -> Row:
    """A row with its maps of open keys as lists of pairs."""
    if "metadata" in row:
        return {**row, "metadata": _listed(row["metadata"])}
    rights, provenance = row["rights"], row["provenance"]
    return {
        **row,
        "rights": {**rights, "signals": _pairs(rights["signals"])},
        "provenance": {**provenance, "extractor": _pairs(provenance["extractor"])},
    }


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
