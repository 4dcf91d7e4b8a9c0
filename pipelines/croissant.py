"""What an export is, for machines: Croissant 1.1 (MLCommons, http://mlcommons.org/croissant/1.1), JSON-LD. Pure.

The files with their digests, and one record set, `articles`, whose fields say where in the files they are found. Nested
objects are fields with sub-fields. A map with open keys has no form in Croissant: where a format holds one as such (JSON),
the field is left out; as CSV, all that is nested is text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.fields import COLUMNS, FIELDS, PAIRS, TIMES
from pipelines.portrait import Portrait, version

VERSION = "http://mlcommons.org/croissant/1.1"
RECORDS = "articles"
ENCODINGS: dict[str, tuple[str, ...]] = {
    "jsonl": ("application/jsonlines",),
    "jsonl.gz": ("application/jsonlines", "application/gzip"),
    "jsonl.zst": ("application/jsonlines", "application/zstd"),
    "csv": ("text/csv",),
    "parquet": ("application/x-parquet",),
}
LICENSE = "As stated in each record (rights): the texts are their publishers', and no licence is given for all of them."
_TYPES = {"text": "sc:Text", "time": "sc:DateTime", "number": "sc:Integer", "share": "sc:Float", "flag": "sc:Boolean"}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(
    *,
    name: str,
    card: str,
    creator: str,
    cursor: int,
    form: str,
    schema: str,
    files: Sequence[Mapping[str, Any]],
    pattern: str | None,
    portrait: Portrait,
) -> bytes:
    """The JSON-LD file that lies beside an export.

    `files` have name (relative to this file), bytes and sha256; `pattern` finds all of them where they are several, None where
    there is one. `card` is the name of the data card beside it.
    """
    source = {"fileSet": {"@id": "files"}} if pattern else {"fileObject": {"@id": files[0]["name"]}}
    told: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": f"{portrait.articles} news articles with their rights and provenance. {card} tells what they are and are not.",
        "conformsTo": VERSION,
        "citeAs": f"{name}, version {version(cursor)}, {portrait.day}",
        "creator": {"@type": "sc:Organization", "name": creator},
        "datePublished": portrait.day,
        "inLanguage": sorted(language for language in portrait.languages if language),
        "license": LICENSE,
        "url": card,
        "version": version(cursor),
        "distribution": list(_distribution(form, files, pattern)),
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": RECORDS,
                "name": RECORDS,
                "description": f"{portrait.articles} articles, one a record.",
                "key": {"@id": f"{RECORDS}/id"},
                "field": list(_Fields(form=form, said=FIELDS[schema], source=source).all(COLUMNS[schema])),
            }
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def _distribution(form: str, files: Sequence[Mapping[str, Any]], pattern: str | None) -> Iterator[dict[str, Any]]:
    encoding = ENCODINGS[form][0] if len(ENCODINGS[form]) == 1 else list(ENCODINGS[form])
    for file in files:
        yield {
            "@type": "cr:FileObject",
            "@id": file["name"],
            "name": file["name"],
            "contentUrl": file["name"],
            "contentSize": f"{file['bytes']} B",
            "encodingFormat": encoding,
            "sha256": file["sha256"],
        }
    if pattern:
        yield {"@type": "cr:FileSet", "@id": "files", "name": "files", "encodingFormat": encoding, "includes": pattern}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    """The fields of one export: where their values are found depends on its format, what they are on its schema."""

    form: str
    said: Mapping[tuple[str, ...], str]
    source: Mapping[str, Any]

    def all(self, columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for column, kind in columns.items():
            if self.form == "csv" and not isinstance(kind, str):
                yield self._leaf((column,), "text")
            else:
                yield from self._any((column,), kind)

    def _any(self, path: tuple[str, ...], kind: Any) -> Iterator[dict[str, Any]]:
        if isinstance(kind, dict):
            inner = [one for name, below in kind.items() for one in self._any((*path, name), below)]
            yield self._field(path, subField=inner)
        elif isinstance(kind, list):
            yield self._list(path, kind[0])
        elif kind != PAIRS:
            yield self._leaf(path, kind)
        elif self.form == "parquet":
            yield self._list(path, {"name": "text", "value": "text"})

    def _list(self, path: tuple[str, ...], kind: Any) -> dict[str, Any]:
        many = {"isArray": True, "arrayShape": "-1"}
        if isinstance(kind, dict):
            parts = [self._field((*path, name), dataType=_TYPES[word], source=self._found(path, name)) for name, word in kind.items()]
            return self._field(path, **many, subField=parts)
        return self._field(path, dataType=_TYPES[kind], **many, source=self._found(path))

    def _leaf(self, path: tuple[str, ...], kind: str) -> dict[str, Any]:
        return self._field(path, dataType=_TYPES["time" if path[-1] in TIMES else kind], source=self._found(path))

    def _field(self, path: tuple[str, ...], **rest: Any) -> dict[str, Any]:
        said = {"description": self.said[path]} if path in self.said else {}
        return {"@type": "cr:Field", "@id": "/".join((RECORDS, *path)), "name": "/".join(path), **said, **rest}

    def _found(self, path: tuple[str, ...], *each: str) -> dict[str, Any]:
        """Where a value is: a column, and the way from there to what is nested; `each` is taken of every element of a list."""
        column, *inner = path
        ways = (*([".".join(map(_quoted, inner))] if inner else []), *each)
        steps = [{"jsonPath": way} for way in ways]
        return {**self.source, "extract": {"column": column}, **({"transform": steps[0] if len(steps) == 1 else steps} if steps else {})}


def _quoted(name: str) -> str:
    """A name in a JSONPath; one with a hyphen would be read as a difference."""
    return name if name.isidentifier() else f"'{name}'"
