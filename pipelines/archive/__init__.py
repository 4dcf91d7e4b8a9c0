"""An archive: one folder with the catalogue, the WARC files, and the seeds files that made its records.

<archive>/catalogue.db            SQLite (WAL), unless the catalogue is a PostgreSQL URL
<archive>/catalogue.db.version-*  what it was before a newer software brought it forward (migrations.py): yours to delete
<archive>/warc/*.warc.gz          raw bytes, written once
<archive>/warc/*.torn-<offset>    what a killed run left behind the last whole record of a file, cut off
<archive>/indexes/index.cdxj      which capture of which URL lies where; derived from warc/, and made anew where it is missing
<archive>/seeds/<digest>.toml     every seeds file that ever made a record here
<archive>/quarantine/             tracebacks of pages on which our own code failed
<archive>/reextract.jsonl*        what a re-extraction has found so far, for one that goes on after it was killed
<archive>/audit.log               what was taken down, when and why: JSON lines without any text
<archive>/locks/<site>.lock       one run a site at a time
<archive>/locks/<host>.turn       when a host may be asked, told between runs at work at once (crawler/turns.py)
<archive>/folder.id               which folder this is, to a catalogue that lies elsewhere

`open_archive` and what belongs to it (opening.py) are loaded when they are first asked for (PEP 562): whoever needs one of the file
formats alone, as processes that read pages do, loads no database.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.archive.opening import Archive, expect_folder, open_archive, write_whole

__all__ = ["Archive", "expect_folder", "open_archive", "write_whole"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("pipelines.archive.opening"), name)
