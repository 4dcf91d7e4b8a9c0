"""Runs in the loaders' own environment (`make test-loaders`): loads exports as their cards say, and tells what came out.

    python loading.py LOADER FOLDER NAME...      -> one JSON object: name -> rows | "error: …"

Knows nothing of this project: what it needs to know of an export, it reads in the card.
"""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any


def main(loader: str, folder: str, *names: str) -> None:
    os.chdir(folder)
    print(json.dumps({name: attempt(loader, name) for name in names}, ensure_ascii=False))  # noqa: T201


def attempt(loader: str, name: str) -> Any:
    try:
        return load(loader, name)
    except Exception:  # noqa: BLE001  whatever a loader raises is what the test is about
        return f"error: {traceback.format_exc()[-1500:]}"


def load(loader: str, name: str) -> list[Any]:
    if loader == "mlcroissant":
        return croissant(f"{name}.croissant.json")
    known = {loader: import_module(loader)}
    *before, last = way(loader, name)
    for line in before:
        exec(line, known)  # noqa: S102  our own card
    return [plain(row) for row in ROWS[loader](eval(last, known))]  # noqa: S307


def way(loader: str, name: str) -> list[str]:
    """The lines of a card for a loader; where it has none (there are no rows), those of the export with rows, for this one."""
    for other in (name, name.replace("empty.", "full.")):
        lines = Path(f"{other}.README.md").read_text("utf-8").splitlines()
        if found := [line.replace(other, name) for line in lines if line.startswith((f"{loader}.", f"features = {loader}."))]:
            return [line.replace('"json", ', f'"json", chunksize={A_PIECE}, ') for line in found]
    raise LookupError(f"{name}.README.md: no line for {loader}")


A_PIECE = 8192
"""bytes that `datasets` takes at once, so that what is read in pieces of 10 MB is read in pieces here too"""
ROWS: dict[str, Any] = {
    "datasets": lambda found: found.to_list(),
    "duckdb": lambda found: [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()],
    "polars": lambda found: found.to_dicts(),
    "pandas": lambda found: found.to_dict("records"),
}


def croissant(name: str) -> list[Any]:
    dataset = import_module("mlcroissant").Dataset(name)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors, issues.errors
    assert not issues.warnings, issues.warnings
    return [nested(row) for row in dataset.records("articles")]


def nested(row: dict[str, Any]) -> dict[str, Any]:
    """A record as it was: mlcroissant puts the fields of the innermost object beside those of the outermost, by their paths."""
    made: dict[str, Any] = {}
    for key, value in row.items():
        for path, leaf in value.items() if isinstance(value, dict) else [(key, value)]:
            _, *parents, last = path.split("/")
            at = made
            for parent in parents:
                at = at.setdefault(parent, {})
            at[last] = plain(leaf)
    return made


def plain(value: Any) -> Any:
    """A value as JSON has it, without what is absent: loaders write that as null, NaN, or not at all."""
    if isinstance(value, dict):
        return {key.rpartition("/")[2]: made for key, one in value.items() if (made := plain(one)) is not None}
    if isinstance(value, (list, tuple)) or hasattr(value, "tolist"):
        made = value if isinstance(value, (list, tuple)) else value.tolist()
        return [plain(one) for one in made] if isinstance(made, (list, tuple)) else plain(made)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, float) and math.isnan(value):
        return None
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()  # noqa: PLR0124  NaT
    return value


if __name__ == "__main__":
    main(*sys.argv[1:])
