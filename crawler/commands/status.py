"""`scrapy status`: an archive at a glance."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from crawler.command import ArchiveCommand
from crawler.health import judge
from crawler.pipe import say
from pipelines.archive import open_archive
from pipelines.archive.urltable import State
from pipelines.model import Status
from pipelines.overview import Frontier, Glance, Run, glance
from pipelines.tables import Cell, Section, as_text, several

NAMED = 10
"""articles that are named where many wait"""
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "An archive at a glance"

    def long_desc(self) -> str:
        return (
            "Prints how many articles there are by site and status, which wait for a page, how the last run of each site ended, how many "
            "URLs wait and when the next is due, the size of everything, and the feed's cursor. Only reads. "
            "Exit statuses: 0 good, 21 archive unusable."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        self.add_archive_option(parser)

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        self.refuse(args, "Name the archive with --archive DIR.")
        assert self.settings is not None
        now = time.time()
        with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive:
            for line in as_text(sections(glance(archive, now), str(archive.path), now)):
                say(line)
        return 0


def sections(seen: Glance, place: str, now: float) -> Iterator[Section]:
    """What a person wants to know first."""
    files, stories = several(seen.warc_files, "WARC file"), several(seen.clusters, "story")
    told = f"{seen.shared} of them in several articles (up to {seen.largest})" if seen.shared else "each in one article"
    yield Section(
        title=f"Archive {place}",
        note=f"{files} of {size(seen.warc_bytes)}, catalogue {size(seen.catalogue_bytes)}, feed cursor {seen.cursor}",
    )
    yield Section(
        title="Articles",
        columns=("site", "in the corpus", *Status),
        rows=tuple((site, counts["shown"], *(counts.get(status, 0) for status in Status)) for site, counts in seen.articles.items()),
        note=f"{stories}, {told}" if seen.articles else "none yet",
    )
    yield Section(
        title="Last runs",
        columns=("site", "run", "ended", "status", "what came of it"),
        rows=tuple(_last_run(runs) for runs in seen.runs.values()),
        note=None if seen.runs else "none yet",
    )
    if seen.awaiting:
        more = len(seen.awaiting) - NAMED
        yield Section(
            title="Waiting for a page that never came, or is still to come",
            columns=("site", "article"),
            rows=tuple(seen.awaiting[:NAMED]),
            note=f"and {more} more" if more > 0 else None,
        )
    yield Section(
        title="URLs",
        columns=("site", *State, "due now", "next due"),
        rows=tuple(_frontier(site, one, now) for site, one in seen.frontiers.items()),
        note=None if seen.frontiers else "none known",
    )


def _last_run(runs: Sequence[Run]) -> tuple[Cell, ...]:
    last = runs[0]
    return last.site, str(last.id), _minute(last.ended), last.status, sentence(last)


def sentence(run: Run) -> str:
    """What became of a run, in the words that it ended with."""
    if run.ended is None:
        return f"Has not ended since {_minute(run.started)}: it is at work, or it was killed."
    if not run.ledger:
        return "Broken off by a fault of ours or of this machine; its log says which."
    said: str | None = run.ledger.get("sentence")  # older ones do not have it
    return said or judge(run.ledger).sentence


def _frontier(site: str, seen: Frontier, now: float) -> tuple[Cell, ...]:
    return site, *(seen.states.get(state, 0) for state in State), seen.due, _when(seen.next_due, now)


def _when(due: float | None, now: float) -> str | None:
    if due is None:
        return None
    return "now" if due <= now else datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _minute(moment: str | None) -> str | None:
    return moment and f"{moment[:10]} {moment[11:16]} UTC"


def size(count: float) -> str:
    """Bytes in words: 3 digits are enough for a glance."""
    unit = next((n for n in range(len(UNITS)) if count < 1024 ** (n + 1)), len(UNITS) - 1)
    return f"{count / 1024**unit:.3g} {UNITS[unit]}" if unit else f"{count} B"
