"""What was taken down, as WARC metadata records in files of their own: who has the files alone still knows what must not come
back. Pure.

    tombstones ─► name and bytes of a file ─► metadata record ─► Tombstone

Rules of this file:
- An article is named by its id alone: these files are shown to others, and the code asks by ids. No address, no reason, no text.
- The same tombstones give the same bytes under the same name: writing them a second time, after a crash, does no harm.
- A record counts wherever it lies, whoever wrote it (docs/decisions/0013); another's metadata never looks like one by chance.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.archive.article_record import digest, timestamp
from pipelines.archive.exchange import METADATA_FIELDS, pack_warcinfo, parse_warc_fields, warc_fields
from pipelines.archive.records import Record, encode_record, format_date, parse_date

PREFIX = "takedown-"
"""how the names of these files begin"""
_OPENING = b"taken-down: "
_ARTICLE = re.compile(r"[0-9a-f]{32}")
_ABOUT = {
    "description": "Articles that were taken down and must not come back, each by its id: the first 128 bits of the SHA-256 of its "
    "canonical URL, in hex. Nothing else of them is kept here."
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """An article that was taken down, as the files tell of it. `offset` of the record, where it was read."""

    article: str
    site: str
    at: datetime
    offset: int = 0


def takedown_file(stones: Sequence[Tombstone]) -> tuple[str, bytes]:
    """Name and content of the WARC file that tells of some articles, at least one."""
    newest = max(stone.at for stone in stones).astimezone(UTC)
    which = digest("\n".join(sorted(_key(stone) for stone in stones)))
    name = f"{PREFIX}{newest:%Y%m%d%H%M%S}{newest.microsecond // 1000:03}-{which[:16]}.warc.gz"
    about = _record_id(which)
    return name, pack_warcinfo(about, name, newest, _ABOUT) + b"".join(_pack(stone, about) for stone in stones)


def _pack(stone: Tombstone, warcinfo_id: str) -> bytes:
    """Its gzip member. It describes no other record (WARC/1.1 §6.6): those that it speaks of are gone."""
    given = (("WARC-Record-ID", _record_id(_key(stone))), ("WARC-Date", format_date(stone.at)), ("WARC-Warcinfo-ID", warcinfo_id))
    return encode_record((*METADATA_FIELDS, *given), warc_fields({"taken-down": stone.article, "site": stone.site}))


def _key(stone: Tombstone) -> str:
    return f"{stone.article} {stone.site} {timestamp(stone.at)}"


def _record_id(key: str) -> str:
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'takedown {key}')}>"


def opens_takedown_file(first: Record) -> bool:
    """Whether a file that begins with this record is one of these."""
    return first.type == "warcinfo" and parse_warc_fields(first.block).get("description") == _ABOUT["description"]


def parse_takedown(record: Record) -> Tombstone | None:
    """What a metadata record says was taken down; None for one of another kind, or of somebody else."""
    if not record.block.startswith(_OPENING):
        return None
    values = parse_warc_fields(record.block)
    at, article, site = parse_date(record.fields.get("warc-date", "")), values["taken-down"], values.get("site", "")
    if at is None or not _ARTICLE.fullmatch(article) or not site:
        return None
    return Tombstone(article=article, site=site, at=at, offset=record.offset)
