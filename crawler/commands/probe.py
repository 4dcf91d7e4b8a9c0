"""`scrapy probe SITE`: one URL of each kind from the live site, to see which rules of the seeds file still hold."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

import sqlalchemy as sa
from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.health import GOOD, NOTHING_SAVED
from crawler.logs import one_line
from crawler.pipe import say
from crawler.run import run
from pipelines import report
from pipelines.archive import open_archive, schema, stored
from pipelines.model import Kind
from pipelines.site import Site
from pipelines.tables import several

LINKS_A_LIST = 2
MAX_URL = 100
"""characters of a URL in the table"""


class Command(ArchiveCommand):
    default_settings: ClassVar = {"LOG_ENABLED": True}

    def syntax(self) -> str:
        return "[options] SITE"

    def short_desc(self) -> str:
        return "One URL of each kind: what answers, and which layout fits"

    def long_desc(self) -> str:
        return (
            "Asks each list of a site for its first page, robots.txt of each host, and at most two articles of each list, and says what "
            "answered and which layout read it. Keeps nothing, and takes turns with crawls into the archive. Exit statuses: 0 an article "
            "was read, 10 none was, 14 interrupted, 20 bad configuration, 21 and 23 no place for temporary files."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        if len(args) != 1:
            raise UsageError("Name one site; `scrapy list` lists them.")
        assert self.settings is not None
        with tempfile.TemporaryDirectory(prefix="probe-") as folder:
            self.settings.set("ARCHIVE_DIR", folder, priority="cmdline")
            self.settings.set("CATALOGUE_URL", None, priority="cmdline")
            self.settings.set("LOG_LEVEL", opts.loglevel or "ERROR", priority="cmdline")
            result = run(self.settings, args[0], {}, narrow=one_of_each, beside=Path(opts.archive))
            answers = list(seen(Path(folder)))
        for line in table(answers):
            say(line)
        for asked in report.crawl_delays(result.ledger):
            say(f"robots.txt asks for {asked}.")
        for host, why in result.ledger["given_up"].items():
            say(f"given up: {host}: {why}")
        for reason, count in result.ledger["failures"].items():
            say(f"failed: {several(count, 'request')}, {reason}")
        return GOOD if any(answer.kind == Kind.ARTICLE and answer.method for answer in answers) else NOTHING_SAVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one URL answered. `method` is how its text was found, None where none was."""

    kind: str
    status: int
    outcome: str
    detail: str | None
    url: str
    method: str | None
    missing: tuple[str, ...] = ()


def one_of_each(site: Site) -> Site:
    """The site with lists of one page and of a few links each."""
    return replace(site, discover=replace(site.discover, max_pages=1, max_links=LINKS_A_LIST))


def seen(folder: Path) -> Iterator[Answer]:
    """The answers that an archive holds, lists first."""
    with open_archive(folder) as archive, archive.catalogue.snapshot() as tx:
        pages = {row.capture: row.content for row in tx.execute(sa.select(schema.page))}
        rows = tx.execute(sa.select(schema.capture).order_by(schema.capture.c.kind.desc(), schema.capture.c.url)).all()
        contents = stored.contents(tx, {digest for digest in pages.values() if digest})
    for row in rows:
        found = contents.get(pages.get(row.id) or "")
        missing = tuple(name for name in ("published", "source", "authors", "editors") if found is not None and not getattr(found, name))
        yield Answer(
            kind=row.kind,
            status=row.status,
            outcome=row.outcome,
            detail=row.detail,
            url=unquote(row.url),
            method=found.extraction.method if found else None,
            missing=missing,
        )


def table(answers: list[Answer]) -> Iterator[str]:
    """A line an answer, and the layouts that fitted."""
    for answer in answers:
        how = answer.method or answer.detail or ""
        without = f" without {', '.join(answer.missing)}" if answer.missing else ""
        yield f"{answer.status}  {answer.kind:<8} {answer.outcome:<14} {one_line(answer.url)[:MAX_URL]}  {how}{without}".rstrip()
    methods = sorted({answer.method for answer in answers if answer.method})
    yield f"Layouts that fitted: {', '.join(methods) or 'none'}."
