"""The data card of an export: a README.md with the YAML header of the Hugging Face Hub. Pure.

It says what can be known of these articles, and of what it does not know says so. Nothing in it depends on when it was
written: equal archives give equal cards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.fields import COLUMNS, FIELDS, PAIRS, TIMES
from pipelines.portrait import Portrait, version
from pipelines.text import line

_MARKS = re.compile(r"([\\`*_{}\[\]<>|!#&~])")
"""What Markdown may read as more than itself"""
MOST = 20
"""hosts and printed sources named; the rest are counted"""
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))
LOADERS = {
    "jsonl": (
        'features = datasets.Features({features})\ndatasets.load_dataset("json", data_files="{path}", split="train", features=features)',
        "duckdb.sql(\"SELECT * FROM read_json('{path}', format = 'newline_delimited', sample_size = -1, timestampformat = '-')\")",
        'polars.read_ndjson("{path}", infer_schema_length=None)',
        'pandas.read_json("{path}", lines=True, dtype=False, convert_dates=False, precise_float=True)',
    ),
    "csv": (
        'datasets.load_dataset("csv", data_files="{path}", split="train", keep_default_na=False)',
        "duckdb.sql(\"SELECT * FROM read_csv('{path}', all_varchar = true)\")",
        'polars.read_csv("{path}", infer_schema=False)',
        'pandas.read_csv("{path}", dtype=str, keep_default_na=False)',
    ),
    "parquet": (
        'datasets.load_dataset("parquet", data_files="{path}", split="train")',
        "duckdb.sql(\"SELECT * FROM read_parquet('{path}')\")",
        'polars.read_parquet("{path}")',
        'pandas.read_parquet("{whole}")',
    ),
}
"""How each reader takes each format, as the tests run it; `path` finds all files, `whole` is the file or the folder.

So that values are what was written: DuckDB and `datasets` take what looks like a time for one, and its offset is lost (no time
is written as "-"; what is Json() stays as it is); `datasets` guesses from the first 10 MB which columns there are; pandas and
`datasets` take the cells NA and null for nothing.
"""
_FEATURES = {
    name: f'datasets.Value("{kind}")' for name, kind in (("text", "string"), ("number", "int64"), ("share", "float64"), ("flag", "bool"))
}
_OPEN = "datasets.Json()"
REFUSE_NO_ROWS = {"jsonl": ("datasets", "polars"), "csv": ("datasets",), "parquet": ("datasets",)}
"""Readers that fail where there are no rows: `datasets` has no split then, Polars no columns of JSON lines"""
ZSTANDARD = "jsonl.zst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a card is about. `name` is the export's file or folder, `pattern` finds all of its files (the file itself, if one)."""

    name: str
    pattern: str
    form: str
    schema: str
    manifest: Mapping[str, Any]
    contact: str | None
    portrait: Portrait


def card(told: Subject) -> bytes:
    """The data card, Markdown in UTF-8."""
    parts = (_header, _summary, _loading, _contents, _fields, _rights, _making, _limits, _removal)
    return "\n".join(line for part in parts for line in (*part(told), "")).encode("utf-8")


def title(told: Subject) -> str:
    return f"Articles of {', '.join(sorted(told.portrait.sites)) or 'no site'}"


def _header(told: Subject) -> Iterator[str]:
    """YAML: every string as JSON writes it, which YAML reads."""
    found = told.portrait
    size = next((name for most, name in SIZES if found.articles < most), "n>10M")
    yield "---"
    yield f"pretty_name: {json.dumps(title(told), ensure_ascii=False)}"
    yield f"language: {json.dumps(sorted(language for language in found.languages if language), ensure_ascii=False)}"
    yield "license: other"
    yield "license_name: as-stated-in-each-record"
    yield f"size_categories: [{json.dumps(size)}]"
    yield "configs:"
    yield "- config_name: default"
    yield f"  data_files: {json.dumps(told.pattern, ensure_ascii=False)}"
    yield "---"


def _summary(told: Subject) -> Iterator[str]:
    found, manifest = told.portrait, told.manifest
    yield f"# {title(told)}"
    yield ""
    yield (
        f"{found.articles:,} news articles, {found.characters:,} characters, as the archive had them at cursor {manifest['cursor']}; "
        f"the newest of them it saw on {found.day}. Version {version(manifest['cursor'])}."
        if found.articles
        else f"No articles: none of the archive's was to be exported at cursor {manifest['cursor']}."
    )
    yield ""
    yield from _table(("in", "articles"), [("the archive", manifest["articles"]["known"]), ("this export", found.articles)])
    if excluded := manifest["articles"]["excluded"]:
        yield ""
        yield from _table(("left out because", "articles"), [(_why(reason), count) for reason, count in excluded.items()])


def _why(reason: str) -> str:
    word, _, use = reason.partition("/")
    said = {"copy": "the same story is told by another article", "withdrawn": "the publisher took it away"}
    said |= {"quarantined": "a person should look first", "reserved": f"its rights reserve the use `{use}`"}
    return said.get(word, reason)


def _loading(told: Subject) -> Iterator[str]:
    kind = "jsonl" if told.form.startswith("jsonl") else told.form
    refuse = () if told.portrait.articles else REFUSE_NO_ROWS[kind]
    yield "## Loading"
    yield "```python"
    for way in LOADERS[kind]:
        if not any(f"{package}." in way for package in refuse):
            yield way.format(path=told.pattern, whole=told.name, features=_features(COLUMNS[told.schema]))
    yield "```"
    if refuse:
        yield f"There are no rows in it, and {' and '.join(refuse)} cannot load that."
    if told.form == ZSTANDARD:
        yield "`datasets` and pandas need the package `zstandard` for it; `mlcroissant` does not read the records."
    yield f"`{told.name}.manifest.json` has the digest of every file, `{told.name}.croissant.json` the same and the fields for machines."


def _features(kind: Any, name: str = "") -> str:
    """What a column holds, as `datasets` writes it."""
    if isinstance(kind, list):
        return f"datasets.List({_features(kind[0])})"
    if isinstance(kind, dict):
        return f"{{{', '.join(f'{json.dumps(inner)}: {_features(kind[inner], inner)}' for inner in kind)}}}"
    return _OPEN if kind == PAIRS or name in TIMES else _FEATURES[kind]


def _contents(told: Subject) -> Iterator[str]:
    found = told.portrait
    yield "## What is in it"
    yield from _table(("site", "articles"), _most(found.sites, None))
    yield ""
    yield from _table(("host", "articles", "characters", "published", "whose", "reserved", "left out"), _by_host(told.manifest["domains"]))
    yield ""
    yield from _table(("language", "articles"), _most(found.languages, None))
    yield ""
    yield from _table(("printed source", "articles"), _most(found.sources, MOST))
    yield ""
    yield "By month of publication (of first sight where no date was printed):"
    yield ""
    yield from _months(found.months)


def _by_host(domains: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[object, ...]]:
    """A row for each of the largest hosts, and one for all others."""
    ordered = sorted(domains.items(), key=lambda pair: (-pair[1]["articles"], pair[0]))
    for host, of in ordered[:MOST]:
        days = " to ".join(of[end][:10] for end in ("first_published", "last_published") if of[end])
        counted = (", ".join(f"{word} {count:,}" for word, count in of[kind].items()) for kind in ("whose", "reserved", "excluded"))
        yield (_printed(host) or "(none)", of["articles"], of["characters"], days, *counted)
    if rest := [of for _, of in ordered[MOST:]]:
        total = (sum(of[kind] for of in rest) for kind in ("articles", "characters"))
        yield (f"{len(rest)} others", *total, "", "", "", sum(sum(of["excluded"].values()) for of in rest))


def _months(counted: Mapping[str, int]) -> Iterator[str]:
    years = sorted({month[:4] for month in counted})
    rows = [(year, *(counted.get(f"{year}-{month:02}", 0) for month in range(1, 13))) for year in years]
    yield from _table(("year", *(f"{month:02}" for month in range(1, 13))), rows)


def _fields(told: Subject) -> Iterator[str]:
    yield "## Fields"
    said = FIELDS[told.schema]
    yield from _table(("field", "what it is"), [(f"`{name}`", said[name,]) for name in COLUMNS[told.schema]])


def _rights(told: Subject) -> Iterator[str]:
    found = told.portrait
    owned = {True: "the publisher's own", False: "a reprint", None: "no source is printed, or the site's own are not known"}
    yield "## Rights"
    yield (
        "There is no licence for the whole. The texts are their publishers' and authors'. What page, server and seeds file said about "
        "their use when they were fetched stands in each record under `rights`; where nothing is said, nothing was granted. "
        "This card is no legal advice."
    )
    yield ""
    uses = told.manifest["uses"]
    yield from (f"Articles of {site} whose rights reserve the use `{'`, `'.join(held)}` were left out.\n" for site, held in uses.items())
    rows = [(f"`{use}` is reserved" if use else "no use is reserved", count) for use, count in _most(found.reserved, None, none="")]
    rows += [(f"source: {owned[whose]}", count) for whose, count in sorted(found.owned.items(), key=lambda pair: -pair[1])]
    yield from _table(("rights", "articles"), [*rows, ("a rights notice is printed", found.notices)])


def _making(told: Subject) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in told.manifest["versions"].items())
    yield "## How it was made"
    yield (
        "Pages were fetched as robots.txt and the sites' delays allow, or taken from the WARC files of others, and kept as received. "
        "Title, text, date, people and rights were read from them by rules for each site, or by the agreement of independent readers; "
        "captions, bylines, notices and navigation are no part of the text. Texts of the same story were compared whole; one article "
        "stands for each. `provenance` names the record, the rules and the versions that made an article, so that each can be made again."
    )
    yield ""
    yield f"Written by {versions}."


def _limits(told: Subject) -> Iterator[str]:
    yield "## Known limits"
    yield "- It holds what the named sites published and this archive found: a sample of neither a language nor an opinion."
    yield "- News names people. Nothing was taken out of the texts for that, and nothing was checked for its truth."
    yield "- `quality.confidence` below 1 means that no layout of the site fitted, and `quality.flags` what else is doubtful."
    yield "- Dates are as printed; where none was, `published` is null. Texts in tables and pictures are not in it."
    if told.manifest["selection"]["everything"]:
        yield "- Copies, withdrawn and quarantined articles are in it (`--all`): `status` and `cluster` tell which they are."
    else:
        yield "- Near copies are recognised by their wording: a story told anew in other words is another article."


def _removal(told: Subject) -> Iterator[str]:
    yield "## When a text must go"
    whom = told.contact or "whoever gave you this export: its maker has named no contact (`CONTACT`)"
    yield f"Write to {whom}, with the `id` or the address of the article."
    yield (
        "A text that is taken down leaves the archive with its raw bytes (`scrapy takedown`), the next export does not have it, and "
        f"the feed says `delete`. Whoever keeps a copy {_follows(told.manifest)}takes the next export and drops what it lacks."
    )


def _follows(manifest: Mapping[str, Any]) -> str:
    """The feed goes on from an export that holds what the feed does: neither one site nor everything."""
    chosen = manifest["selection"]
    if chosen["everything"] or chosen["site"]:
        return ""
    use = f" --use {chosen['use']}" if chosen["use"] else ""
    return f"follows with `scrapy feed --since {manifest['cursor']}{use}`, or "


def _most(counted: Mapping[str, int], most: int | None, none: str = "(none)") -> list[tuple[str, int]]:
    rows = sorted(((_printed(name) or none, count) for name, count in counted.items()), key=lambda row: (-row[1], row[0]))
    if most is None or len(rows) <= most:
        return rows
    return [*rows[:most], (f"{len(rows) - most} others", sum(count for _, count in rows[most:]))]


def _table(names: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    names = tuple(names)
    yield _row(names)
    yield _row("---" for _ in names)
    yield from map(_row, rows)


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(f'{cell:,}' if isinstance(cell, int) else str(cell) for cell in cells)} |"


def _printed(text: str) -> str:
    """What pages printed, as itself."""
    return _MARKS.sub(r"\\\1", line(text))
