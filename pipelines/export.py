"""A snapshot of the corpus as a file, a folder or a stream: what is in it, in which order, and how it comes to disk whole.

One read transaction gives all of it, so an export is the archive at one place of the feed (`cursor`). The order is site,
date of publication (of first sight where there is none), id: nothing of when or in which order things came in. Equal
archives give equal bytes, manifest included; therefore neither holds the time of the export.

    tell(tx, what)              how many articles there are, and how many of them are left out for what they are
    records(tx, what, …)        those that are in, in order, in little memory; left out for their rights: booked
    export(…, out)              to an open file or a pipe
    export_to(…, place)         to disk, whole, with its manifest, its data card and its Croissant file
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any, BinaryIO

import sqlalchemy as sa

from pipelines import delivery
from pipelines.archive import Archive, stored
from pipelines.archive.article_record import SCHEMA as RECORD_SCHEMA
from pipelines.archive.schema import SCHEMA_VERSION, article
from pipelines.card import Subject, card, title
from pipelines.croissant import croissant
from pipelines.domains import Domains
from pipelines.errors import ConfigurationError
from pipelines.formats import Row
from pipelines.model import Status
from pipelines.policy import Policy, policy_of
from pipelines.portrait import Portrait

MANIFEST_SCHEMA = "china-tech-archive/export/1"
SOFTWARE = ("china-tech-archive", "pyarrow", "zstandard")
"""Whose versions can change the bytes of an export"""
BATCH = 200
"""Records read at once: about 2 MB of them"""
MANY = 10_000
"""Addresses read at once: about 2 MB of them"""


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """What an export holds: by default what the corpus shows, one active representative of each cluster.

    `use` is one of `pipelines.site.USES`; articles whose rights reserve it are left out, and always those that their seeds
    file leaves out (pipelines/policy.py).
    """

    everything: bool = False
    """every article, whatever its status, and every copy"""
    site: str | None = None
    use: str | None = None


@dataclass(slots=True)
class Tally:
    """The books of an export: `known` = the sum of `written` + the sum of `excluded`."""

    cursor: int
    known: int
    written: Counter[str] = field(default_factory=Counter)
    """by site"""
    excluded: Counter[str] = field(default_factory=Counter)
    """by reason"""
    portrait: Portrait = field(default_factory=Portrait)
    """of what was written"""
    domains: Domains = field(default_factory=Domains)
    """of both, host by host"""
    uses: dict[str, set[str]] = field(default_factory=dict)
    """site -> what its records were held against"""

    def leave_out(self, url: str, reason: str) -> None:
        self.excluded[reason] += 1
        self.domains.leave_out(url, reason)


def tell(tx: sa.Connection, what: What) -> Tally:
    """The books before the first row: everything that is left out for its status or as a copy is in them.

    Raises ConfigurationError for a site of which the archive has nothing.
    """
    counted = tx.execute(sa.select(article.c.site, sa.func.count()).group_by(article.c.site)).all()
    sites = sorted(site for site, _ in counted)
    if what.site is not None and what.site not in sites:
        raise ConfigurationError(f"The archive has no article of a site {what.site!r}. It has: {', '.join(sites) or 'none at all'}.")
    tally = Tally(cursor=stored.cursor(tx), known=sum(count for site, count in counted if what.site in (None, site)))
    if not what.everything:
        hidden = sa.select(article.c.url, article.c.status).where(~article.c.shown, *_of_site(what))
        for url, status in tx.execute(hidden, execution_options={"yield_per": MANY}):
            tally.leave_out(url, "copy" if status == Status.ACTIVE else status)
    return tally


def records(tx: sa.Connection, what: What, policy: Policy, tally: Tally) -> Iterator[Row]:
    """The records of an export in its order. `tally` is kept as they pass."""
    names = sa.select(article.c.id).where(*_conditions(what)).order_by(*_order(tx))
    for part in tx.execute(names, execution_options={"yield_per": BATCH}).partitions():
        for head, record in stored.records(tx, [name for (name,) in part]):
            if (use := policy.use_of(record)) is not None:
                tally.uses.setdefault(head.site, set()).add(use)
            if (reason := policy.refusal(record)) is None:
                tally.written[head.site] += 1
                tally.portrait.add(record)
                tally.domains.add(record)
                yield record
            else:
                tally.leave_out(str(record["url"]), reason)


def _conditions(what: What) -> list[sa.ColumnElement[bool]]:
    return _of_site(what) if what.everything else [article.c.shown, *_of_site(what)]


def _of_site(what: What) -> list[sa.ColumnElement[bool]]:
    return [] if what.site is None else [article.c.site == what.site]


def _order(tx: sa.Connection) -> list[sa.ColumnElement[str]]:
    """By bytes, as SQLite sorts; PostgreSQL would ask the locale."""
    site: sa.ColumnElement[str] = article.c.site if tx.dialect.name == "sqlite" else article.c.site.collate("C")
    return [site, sa.func.coalesce(article.c.published, article.c.first_seen), article.c.id]


def export(archive: Archive, what: What, out: BinaryIO, *, form: str = "jsonl", schema: str = "native") -> Tally:
    """Writes an export to an open file or pipe. `form` is one of `formats.FORMATS`, `schema` one of `formats.SCHEMAS`.

    Raises ConfigurationError, and the faults of the catalogue.
    """
    with archive.catalogue.snapshot() as tx:
        tally = tell(tx, what)
        with delivery.Sheet(out, form, schema) as sheet:
            for record in records(tx, what, policy_of(archive, what.use), tally):
                sheet.put(record)
    return tally


def export_to(
    place: delivery.Place, archive: Archive, what: What, *, form: str = "jsonl", schema: str = "native", contact: str | None = None
) -> Tally:
    """Writes an export to disk, with its card, its Croissant file and its manifest. What was there under its name is replaced
    when the new one is whole, never before. `contact` is whom to ask for the removal of a text.

    Raises ConfigurationError, OutOfSpace, ArchiveUnusable.
    """
    with archive.catalogue.snapshot() as tx:
        tally = tell(tx, what)

        def describe(written: list[delivery.Written]) -> dict[str, bytes]:
            told = _manifest(what, tally, written, form, schema)
            return _beside(place, told, tally.portrait, contact)

        delivery.deliver(place, records(tx, what, policy_of(archive, what.use), tally), form, schema, describe)
    return tally


def _beside(place: delivery.Place, manifest: dict[str, Any], portrait: Portrait, contact: str | None) -> dict[str, bytes]:
    """What stands beside an export, by ending."""
    form, schema = manifest["format"], "dolma" if manifest["rows"] == "dolma" else "native"
    subject = Subject(
        name=place.path.name, pattern=place.pattern, form=form, schema=schema, manifest=manifest, contact=contact, portrait=portrait
    )
    within = f"{place.path.name}/" if place.is_folder else ""
    files = [{**file, "name": within + file["name"]} for file in manifest["files"]]
    told = croissant(
        name=title(subject),
        card=place.beside(delivery.CARD).name,
        creator=contact or SOFTWARE[0],
        cursor=manifest["cursor"],
        form=form,
        schema=schema,
        files=files,
        pattern=place.pattern if place.is_folder else None,
        portrait=portrait,
    )
    raw = json.dumps(manifest, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"
    return {delivery.CARD: card(subject), delivery.CROISSANT: told, delivery.MANIFEST: raw}


def _manifest(what: What, tally: Tally, written: list[delivery.Written], form: str, schema: str) -> dict[str, Any]:
    return {
        "schema": MANIFEST_SCHEMA,
        "format": form,
        "rows": RECORD_SCHEMA if schema == "native" else schema,
        "selection": asdict(what),
        "uses": {site: sorted(uses) for site, uses in sorted(tally.uses.items())},
        "cursor": tally.cursor,
        "articles": {
            "known": tally.known,
            "written": tally.written.total(),
            "excluded": dict(sorted(tally.excluded.items())),
            "by_site": dict(sorted(tally.written.items())),
        },
        "domains": tally.domains.report(),
        "files": [asdict(file) for file in written],
        "versions": {"catalogue": SCHEMA_VERSION, **{name: version(name) for name in SOFTWARE}},
    }
