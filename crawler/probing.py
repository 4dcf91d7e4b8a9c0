"""One URL of each kind from a live site, and what its answers say of the rules of its seeds file (`scrapy probe`)."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa
from scrapy.settings import Settings

from crawler.health import NOTHING_SAVED, REFUSED, judge
from crawler.logs import one_line
from crawler.run import Result, run
from pipelines import report
from pipelines.archive import Archive, open_archive, schema, stored
from pipelines.archive.originals import originals
from pipelines.archive.warc import read_record
from pipelines.extract import explain
from pipelines.extract.article import CONSENSUS
from pipelines.extract.layouts import Fit, Misfit
from pipelines.model import Article, Kind, Precision, Reason, WarcRef
from pipelines.site import Site, load_site
from pipelines.tables import Section, as_text, plain, several, shortened
from pipelines.text import line

LINKS_A_LIST = 2
MAX_URL = 100
"""characters of a URL in the table"""
INDENT = 16
"""columns before the text of a field"""
MAX_WIDTH = 132
"""columns of a line that shows what was read"""
FIELDS = ("published", "source", "authors", "editors")
"""beside the title, what an article may be without"""


def probe(settings: Settings, name: str, archive: Path) -> tuple[list[Answer], Result]:
    """Asks a site for one URL of each kind, as the command's settings say but into a folder that is gone behind it; it takes turns
    with crawls into `archive`. Raises what `crawler.run.run` does."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        settings.set("ARCHIVE_DIR", folder, priority="cmdline")
        settings.set("CATALOGUE_URL", None, priority="cmdline")
        result = run(settings, name, {}, narrow=one_of_each, beside=archive)
        return list(seen(Path(folder), load_site(Path(settings["SEEDS_DIR"]) / f"{name}.toml"))), result


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one URL answered. `article` is what was read of it, None where nothing was; `fits` what each layout makes of it."""

    kind: str
    status: int
    outcome: str
    detail: str | None
    url: str
    article: Article | None
    fits: tuple[Fit, ...] = ()


def one_of_each(site: Site) -> Site:
    """The site with lists of one page and of a few links each."""
    return replace(site, discover=replace(site.discover, max_pages=1, max_links=LINKS_A_LIST))


def seen(folder: Path, site: Site) -> Iterator[Answer]:
    """The answers that an archive holds, lists first."""
    with open_archive(folder) as archive:
        with archive.catalogue.snapshot() as tx:
            pages = {row.capture: row.content for row in tx.execute(sa.select(schema.page))}
            rows = tx.execute(sa.select(schema.capture).order_by(schema.capture.c.kind.desc(), schema.capture.c.url)).all()
            contents = stored.contents(tx, {digest for digest in pages.values() if digest})
        for row in rows:
            yield Answer(
                kind=row.kind,
                status=row.status,
                outcome=row.outcome,
                detail=row.detail,
                url=unquote(row.url),
                article=contents.get(pages.get(row.id) or ""),
                fits=_fits(archive, row, site),
            )


def _fits(archive: Archive, row: sa.Row[Any], site: Site) -> tuple[Fit, ...]:
    """What the layouts make of an article's page; one that was too expensive to be read is not read again."""
    if row.kind != Kind.ARTICLE or row.outcome == Reason.TOO_EXPENSIVE:
        return ()
    at = WarcRef(file=row.file, offset=row.offset, length=row.length, record_id=row.record_id)
    original = originals(archive.catalogue, archive.warc_folder)
    return explain(read_record(archive.warc_folder / row.file, at, original=original), site)


def told(answers: Sequence[Answer], result: Result) -> Iterator[str]:
    """What came of a probe: the answers, what was read, which layouts fitted, and where nothing was read what to look at."""
    ledger = result.ledger
    yield from table(answers)
    untaken = list(report.untaken(ledger))
    yield from (one_line(f"{url} shows {said}") for url, said in untaken)
    yield from layouts(answers)
    yield from (f"robots.txt asks for {asked}." for asked in report.crawl_delays(ledger))
    yield from (f"given up: {host}: {one_line(why)}" for host, why in ledger["given_up"].items())
    yield from failed(ledger)
    if result.health.status in (NOTHING_SAVED, REFUSED) and not untaken:
        yield judge({**ledger, "is_sample": True}).sentence


def table(answers: Iterable[Answer]) -> Iterator[str]:
    """A line an answer, and below an article what was read of it."""
    for answer in answers:
        how = answer.detail or "" if answer.article is None else _how(answer.article)
        yield f"{answer.status}  {answer.kind:<8} {answer.outcome:<14} {one_line(answer.url)[:MAX_URL]}  {how}".rstrip()
        if answer.article is not None:
            yield from (shortened(f"     {name:<9}  {text}", MAX_WIDTH) for name, text in _fields(answer.article))


def _how(found: Article) -> str:
    """How an article was read, and what it is without. A title that no reader found is the beginning of the text."""
    fields = {"title": "no_title" not in found.quality.flags, **{name: getattr(found, name) for name in FIELDS}}
    missing = ", ".join(name for name, value in fields.items() if not value)
    return f"{found.extraction.method} without {missing}" if missing else found.extraction.method


def _fields(found: Article) -> Iterator[tuple[str, str]]:
    """What a person looks at to see whether a layout is right."""
    size = f"({several(len(found.paragraphs), 'paragraph')}, {several(len(found.text), 'character')})"
    yield "title", line(found.title)
    yield "published", _when(found)
    yield "source", plain(found.source)
    yield "text", f"{shortened(line(found.paragraphs[0]), MAX_WIDTH - INDENT - 1 - len(size))} {size}"


def _when(found: Article) -> str:
    if found.published is None:
        return plain(None)
    is_day = found.published_precision is Precision.DAY
    moment = found.published.date().isoformat() if is_day else found.published.isoformat(" ", "minutes")
    return f"{moment} ({found.published_from})" if found.published_from else moment


def layouts(answers: Sequence[Answer]) -> Iterator[str]:
    """The layouts that fitted, and of each how many pages it read and why not the others."""
    found = Counter(answer.article.extraction.method for answer in answers if answer.article)
    guessed = found.pop(CONSENSUS, 0)
    rest = f" ({several(guessed, 'article')} read by consensus)" if guessed else ""
    rows = tuple(_of_layout(list(fits)) for fits in zip(*(answer.fits for answer in answers if answer.fits), strict=True))
    yield from as_text([Section(title=f"Layouts that fitted: {', '.join(sorted(found)) or 'none'}{rest}.", columns=("",) * 3, rows=rows)])


def _of_layout(fits: Sequence[Fit]) -> tuple[str, str, str]:
    """What one layout makes of some pages, as a row."""
    read = sum(fit.why is None for fit in fits)
    reasons = Counter(fit.why for fit in fits if fit.why is not None)
    empty = Counter(name for fit in fits if fit.why in (None, Misfit.LITTLE_PROSE) for name in fit.empty)
    said = [
        *(f"{why} ({count})" for why, count in reasons.items()),
        *(f"`{name}` found nothing ({count})" for name, count in empty.items()),
    ]
    return fits[0].layout, f"read {read} of {several(len(fits), 'article')}", ", ".join(said)


def failed(ledger: Mapping[str, Any]) -> Iterator[str]:
    """What brought nothing, by what it was and why."""
    for what, words in report.failed(ledger).items():
        for reason, count in words.items():
            yield f"{'not asked' if f'failed/{reason}' in report.UNASKED else 'failed'}: {several(count, what)}, {reason}"
