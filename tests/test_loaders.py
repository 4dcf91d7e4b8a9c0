"""What an export writes is read unchanged by those who will read it, each as the export's own card says.

The loaders live in an environment of their own (tests/loaders.txt), which `make test-loaders` and `make check` make: they are
830 MB of packages that nothing here needs. Without it these tests are left out.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipelines import delivery
from pipelines.archive import Archive
from pipelines.archive.stored import SIMILARITY_DIGITS
from pipelines.card import REFUSE_NO_ROWS, ZSTANDARD
from pipelines.export import What, export, export_to
from pipelines.fields import TIMES
from pipelines.formats import FORMATS, SCHEMAS
from pipelines.model import Caption, PublishedFrom, Rights
from pipelines.segments import seal
from tests.archive.made import OTHER, STORY, Writer, archive_at, moment

ROOT = Path(__file__).parent.parent
LOADERS_VENV = ROOT / ".bench-venvs" / "loaders"
PYTHON = LOADERS_VENV / "bin" / "python"
LOADERS = ("datasets", "duckdb", "polars", "pandas")
FULL = [f"full.{schema}.{form}" for schema in SCHEMAS for form in FORMATS] + ["full.folder"]
EMPTY = [name.replace("full", "empty") for name in FULL]
pytestmark = [
    pytest.mark.skipif(not (LOADERS_VENV / ".ready").exists(), reason="the loaders are not installed: `make test-loaders` does it"),
    pytest.mark.xdist_group("loaders"),
]
OPEN = (("rights", "signals"), ("provenance", "extractor"))
"""Maps with open keys"""
BEIJING = timezone(timedelta(hours=8))
Rows = list[dict[str, Any]]


def fill(writer: Writer) -> None:
    """Articles that lack everything, have everything, or have it only once."""
    for number in range(40):
        text = tuple(f"第{number}条新闻的第{part}段说的是编号{number * 7919 + part * 104729}的事情。\t“引号”，=1+1" for part in range(3))
        some: dict[str, Any] = {}
        if number % 2:
            some |= {
                "source": "科技日报" if number % 5 else "NA",
                "authors": ("王五", "O'Neil"),
                "language": "zh",
                "section": "=cmd|' /C calc'!A0",
            }
            some |= {"published_from": PublishedFrom.META, "keywords": ("机器人", 'a,b;"c"')}
        if number % 3 == 0:
            some["captions"] = (Caption(text="图一"), Caption(text="图二", image_url="https://x.example.cn/2.jpg"))
        if number == 39:  # what is null in all rows but the last
            some["modified"] = moment(50)
            some["rights"] = Rights(owned=True, notice="版权", reserved={"train": True}, signals={"tdm-reservation": "1"}, robots=("noai",))
        writer.shows(f"n{number}", number, text, published=moment(number).astimezone(BEIJING) if number % 4 else None, **some)
    writer.shows("copy", 50, (*text, "记者在现场看到，工人正在拆卸旧的支架。"), published=moment(50))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of export of an archive with articles, and of one without."""
    made = tmp_path_factory.mktemp("exports")
    for kind in ("full", "empty"):
        with archive_at(tmp_path_factory.mktemp(kind) / "archive") as archive:
            if kind == "full":
                fill(Writer(archive))
            for schema in SCHEMAS:
                for form in FORMATS:
                    put(archive, f"{made}/{kind}.{schema}.{form}", form, schema)
            put(archive, f"{made}/{kind}.folder/", "parquet", "native")
            (made / f"{kind}.native.rows").write_bytes(raw(archive, "native"))
            (made / f"{kind}.dolma.rows").write_bytes(raw(archive, "dolma"))
    return made


def put(archive: Archive, to: str, form: str, schema: str) -> None:
    export_to(delivery.place(to, form, archive.path), archive, What(everything=True), form=form, schema=schema)


def raw(archive: Archive, schema: str) -> bytes:
    out = io.BytesIO()
    export(archive, What(everything=True), out, schema=schema)
    return out.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    by: str
    rows: dict[str, Any]
    """by name; "error: …" where there are none"""


@pytest.fixture(scope="module")
def loaded(request: pytest.FixtureRequest, folder: Path) -> Loaded:
    """What a loader makes of each of them."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / ".hf"), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    command = [PYTHON, ROOT / "tests" / "loading.py", request.param, folder, *FULL, *EMPTY]
    done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, **offline}, timeout=600)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return Loaded(by=request.param, rows=json.loads(done.stdout))


def expected(folder: Path, name: str) -> Rows:
    """The rows that were written, as the format holds them; the cells of CSV are what they say."""
    kind, schema, *form = name.split(".")
    if form == ["csv"]:
        return list(csv.DictReader(io.StringIO((folder / name).read_text("utf-8"), newline="")))
    rows = [json.loads(line) for line in (folder / f"{kind}.{'dolma' if schema == 'dolma' else 'native'}.rows").read_bytes().splitlines()]
    return [pairs(row) if is_parquet(name) else row for row in rows]


def is_parquet(name: str) -> bool:
    return name.endswith((".parquet", ".folder"))


def pairs(row: dict[str, Any]) -> dict[str, Any]:
    """Maps with open keys as Parquet holds them."""
    inner = row.get("metadata", row)
    for group, name in OPEN:
        inner[group][name] = [{"name": key, "value": value} for key, value in inner[group][name].items()]
    return row


def settled(value: Any) -> Any:
    """A value without what is absent, which is null, or not there, as each loader likes."""
    if isinstance(value, dict):
        return {key: made for key, one in value.items() if (made := settled(one)) is not None}
    return [settled(one) for one in value] if isinstance(value, list) else value


def cells(row: dict[str, Any]) -> dict[str, str]:
    """A row of CSV: numbers are what they say, and what is empty is absent."""
    return {name: str(value) for name, value in row.items() if value not in (None, "")}


def told(value: Any, path: tuple[str, ...] = ()) -> Any:
    """A value as Croissant can tell it: no empty lists nor objects, times by their moment, shares without their last bit."""
    if isinstance(value, dict):
        return {key: made for key, one in value.items() if (made := told(one, (*path, key))) not in (None, [], {})}
    if isinstance(value, list):
        return [told(one, path) for one in value]
    if isinstance(value, float):
        return round(value, SIMILARITY_DIGITS)
    return datetime.fromisoformat(value) if path and path[-1] in TIMES and value else value


def without_open(row: dict[str, Any]) -> dict[str, Any]:
    for group, name in OPEN:
        row.get("metadata", row)[group].pop(name, None)
    return row


# ── what comes out ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [*FULL, *EMPTY])
@pytest.mark.parametrize("loaded", LOADERS, indirect=True)
def test_a_loader_gives_what_was_written_as_the_card_says(loaded: Loaded, folder: Path, name: str) -> None:
    found = loaded.rows[name]
    kind = "jsonl" if ".jsonl" in name else "csv" if name.endswith("csv") else "parquet"
    if name in EMPTY and loaded.by in REFUSE_NO_ROWS[kind]:
        assert isinstance(found, str), "it loads what has no rows by now: say so in the card"
        return
    assert not isinstance(found, str), found
    usual = cells if kind == "csv" else settled
    assert [usual(row) for row in found] == [usual(row) for row in expected(folder, name)]


@pytest.mark.parametrize("name", [name for name in (*FULL, *EMPTY) if not name.endswith(ZSTANDARD)])
@pytest.mark.parametrize("loaded", ["mlcroissant"], indirect=True)
def test_mlcroissant_finds_nothing_to_say_of_the_metadata_and_reads_the_records_by_them(loaded: Loaded, folder: Path, name: str) -> None:
    found, rows = loaded.rows[name], expected(folder, name)
    assert not isinstance(found, str), found
    if name.endswith("csv"):
        assert [told(cells(row)) for row in found] == [told({key: one for key, one in cells(row).items() if one != "NA"}) for row in rows]
    else:
        assert [told(row) for row in found] == [told(row if is_parquet(name) else without_open(row)) for row in rows]


@pytest.mark.parametrize("name", [name for name in (*FULL, *EMPTY) if name.endswith(ZSTANDARD)])
@pytest.mark.parametrize("loaded", ["mlcroissant"], indirect=True)
def test_mlcroissant_reads_the_metadata_of_what_it_cannot_open(loaded: Loaded, name: str) -> None:
    """It fails in the end, on the bytes, after everything that it has to say of the metadata."""
    assert isinstance(loaded.rows[name], str), "it opens Zstandard by now: say so in the card"
    assert f"during the operation Read({name})" in loaded.rows[name]


def test_what_is_loaded_has_in_it_what_loaders_stumble_over(folder: Path) -> None:
    rows = expected(folder, "full.native.jsonl")
    assert len(rows) == 41
    assert {row["source"] for row in rows} == {None, "NA", "科技日报"}
    assert sum(row["modified"] is not None for row in rows) == 1
    assert any(row["cluster"]["similarity"] not in (None, 0.0, 1.0) for row in rows)


def test_the_query_in_the_documentation_makes_the_corpus_of_all_segments(tmp_path: Path) -> None:
    query = re.search(r"```sql\n(.*?)```", (ROOT / "docs" / "feed.md").read_text("utf-8"), re.DOTALL)
    assert query is not None
    with archive_at(tmp_path / "archive") as archive:
        writer = Writer(archive)
        for number, text in enumerate((STORY, OTHER, STORY[:1])):
            writer.shows(f"n{number}", 0, text, title=f"第{number}条")
        seal(archive, tmp_path / "segments", size=1)
        writer.withdrawn("n0", 1)
        writer.shows("n1", 2, (*OTHER[:2], "明年不再路试，三家汽车厂都退出了。"))
        seal(archive, tmp_path / "segments", size=1)
        rows = [json.loads(line) for line in raw(archive, "native").splitlines()]
    shown = {row["id"]: row["text"] for row in rows if row["status"] == "active"}
    ask = "import duckdb, json, sys; print(json.dumps(duckdb.sql(sys.argv[1]).select('id, text').fetchall()))"
    done = subprocess.run([PYTHON, "-c", ask, query[1]], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert dict(json.loads(done.stdout)) == shown
    assert len(shown) == 2
