"""Running the real commands against the replica, and looking at what they left: the hands and eyes of the flows.

Rule of this file: every crawl is a process of its own, over real sockets, with the settings that a person would use; what
is compared is read through the archive's own doors.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.archive import open_archive, schema
from pipelines.archive.stored import chunks, records
from pipelines.archive.warc import read_captures, read_record
from pipelines.errors import DamagedRecord
from pipelines.model import Capture, WarcRef
from tests.replica import Replica

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"
SITE = "china_tech"
SCRAPY = (sys.executable, "-m", "scrapy")
SECONDS = 300
"""after which a command is taken for hung; the longest takes 20 on an idle machine"""

Record = dict[str, Any]


def environment(replica: Replica | None) -> dict[str, str]:
    """Of a command: the replica as its proxy, or none at all."""
    own = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**own, **(replica.environment() if replica else {})}


def crawl_command(archive: Path, *options: str, seeds: Path = SEEDS) -> list[str]:
    said = ("-s", f"ARCHIVE_DIR={archive}", "-s", f"SEEDS_DIR={seeds}", "-s", "DELAY=0", "-s", "CONTACT=flows@example.org")
    return [*SCRAPY, "crawl", SITE, *said, "-L", "WARNING", *options]


def run(command: Iterable[str], replica: Replica | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(command), cwd=ROOT, env=environment(replica), capture_output=True, text=True, timeout=SECONDS, check=False)


def crawl(replica: Replica | None, archive: Path, *options: str, seeds: Path = SEEDS) -> subprocess.CompletedProcess[str]:
    return run(crawl_command(archive, *options, seeds=seeds), replica)


def small_seeds(folder: Path, listings: Iterable[str]) -> Path:
    """The site's own seeds file with fewer places to start from."""
    text = (SEEDS / f"{SITE}.toml").read_text(encoding="utf-8")
    quoted = ", ".join(f'"{url}"' for url in listings)
    text = re.sub(r"(?ms)^listings = \[.*?^\]", f"listings = [{quoted}]", text)
    text = re.sub(r"(?ms)^jsonp = \[.*?^\]", "", text)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{SITE}.toml").write_text(text, encoding="utf-8")
    return folder


def all_records(archive: Path) -> dict[str, Record]:
    """The record of every article, shown or not, by URL."""
    with open_archive(archive) as opened, opened.catalogue.snapshot() as tx:
        names = list(tx.scalars(sa.select(schema.article.c.id)))
        return {record["url"]: record for part in chunks(names) for _, record in records(tx, part)}  # type: ignore[misc]


def shown(archive: Path) -> set[str]:
    """The URLs of the articles that the corpus shows."""
    return set(column(archive, sa.select(schema.article.c.url).where(schema.article.c.shown)))


def column(archive: Path, statement: sa.Select[Any]) -> list[Any]:
    with open_archive(archive) as opened, opened.catalogue.snapshot() as tx:
        return list(tx.scalars(statement))


def rows(archive: Path, statement: sa.Select[Any]) -> list[sa.Row[Any]]:
    with open_archive(archive) as opened, opened.catalogue.snapshot() as tx:
        return list(tx.execute(statement))


def execute(archive: Path, statement: sa.Update | sa.Delete) -> None:
    with open_archive(archive) as opened, opened.catalogue.transaction() as tx:
        tx.execute(statement)


def make_due(archive: Path, urls: Iterable[str]) -> None:
    """Lets the time come at which URLs are asked again."""
    execute(archive, schema.url.update().where(schema.url.c.url.in_(list(urls))).values(due_at=0))


def ledgers(archive: Path) -> list[dict[str, Any]]:
    """The ledgers of the runs that closed their books, in order."""
    import json

    found = column(archive, sa.select(schema.run.c.ledger).where(schema.run.c.ledger.is_not(None)).order_by(schema.run.c.id))
    return [json.loads(text) for text in found]


def warc_files(archive: Path) -> list[Path]:
    return sorted((archive / "warc").glob("*.warc.gz"))


def faults_of(archive: Path) -> list[str]:
    """What is torn, lost or doubled in an archive; empty for a sound one."""
    wrong: list[str] = []
    stored: set[tuple[str, int]] = set()
    for path in warc_files(archive):
        for capture in read_captures(path):
            if isinstance(capture, DamagedRecord):
                wrong.append(str(capture))
            elif capture.warc is not None:
                stored.add((capture.warc.file, capture.warc.offset))
    table = schema.capture
    known = {(row.file, row.offset): row for row in rows(archive, sa.select(table))}
    wrong += [f"{place}: in the WARC file, unknown to the catalogue" for place in sorted(stored - set(known))]
    wrong += [f"{place}: in the catalogue, not in the WARC file" for place in sorted(set(known) - stored)]
    wrong += [f"{url}: is still leased" for url in column(archive, sa.select(schema.url.c.url).where(schema.url.c.state == "leased"))]
    with open_archive(archive) as opened:
        wrong += opened.catalogue.integrity()
    return wrong


def capture_of(archive: Path, record: Mapping[str, Any]) -> Capture:
    """The capture that a record's provenance names, read out of its WARC file."""
    said = record["provenance"]
    ref = WarcRef(file=said["warc"], offset=said["offset"], length=said["length"], record_id=said["record_id"])
    return read_record(archive / "warc" / ref.file, ref)


_OF_ITS_RUN = ("first_seen", "last_seen", "fetched_at")
_OF_ITS_FILE = ("warc", "offset", "length", "record_id", "payload_digest")
"""side blocks of the replica's pages differ at every request, as the site's do: so do payloads"""


def comparable(record: Record) -> Record:
    """A record without what another run of the same crawl cannot have: when it was fetched, and where its bytes lie."""
    provenance = {name: value for name, value in record["provenance"].items() if name not in _OF_ITS_FILE}
    return {**{name: value for name, value in record.items() if name not in _OF_ITS_RUN}, "provenance": provenance}


def comparables(archive: Path) -> dict[str, Record]:
    return {url: comparable(record) for url, record in all_records(archive).items()}
