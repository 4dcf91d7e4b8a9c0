"""One `scrapy crawl`, from the seeds file to the exit status: opens the session, runs the reactor, judges what came of it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from crawler import clock
from crawler.books import Books
from crawler.capture import AT_ONCE
from crawler.carried import carried
from crawler.health import BROUGHT, INTERRUPTED, Health, judge
from crawler.loader import spider_of
from crawler.memory import HostMemory
from crawler.politeness import gate_of
from crawler.progress import Progress
from crawler.recovery import Recovered, recover
from crawler.repeats import with_original
from crawler.robots_middleware import book_of
from crawler.session import Session, last_books, open_session
from crawler.sharing import answers_of
from crawler.spiders.news import NewsSpider
from crawler.turns import Turns
from crawler.visits import Visits, start_rows
from pipelines import flow, report
from pipelines.archive import erasure, urltable
from pipelines.archive.borrowed import Borrowed, is_borrowed
from pipelines.archive.exchange import Exchange, pack
from pipelines.archive.ledger import Outcome
from pipelines.archive.settlement import settle_in_groups
from pipelines.errors import ArchiveError, ConfigurationError, Locked
from pipelines.intake import seal
from pipelines.model import Capture, Kind, Reason, Verdict
from pipelines.site import Site, load_sites
from pipelines.stages import OUR_FAULT, Visit
from pipelines.tables import several
from pipelines.urls import is_article

logger = logging.getLogger(__name__)

YOUNG = 20_000
"""objects that came to be and did not go before Python looks for those that only know each other; by its own 700 it looked
at the pages of every group that waited for its commit, a tenth of a millisecond a page"""
GO_AWAY = frozenset({Reason.CAPTCHA, Reason.CHALLENGE, Reason.MAINTENANCE})
"""answers by which a host means that it does not want to be asked now"""


class Interrupted(ArchiveError):
    """A signal came before the first request."""

    exit_status = INTERRUPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended: its ledger, and the verdict on it."""

    ledger: dict[str, Any]
    health: Health


def run(
    settings: Settings,
    name: str,
    arguments: dict[str, str],
    narrow: Callable[[Site], Site] = lambda site: site,
    beside: Path | None = None,
) -> Result:
    """One run of one site, as `narrow` leaves it of what its seeds file says. It takes turns on its hosts with the runs of its
    archive, or of another one that is there already: `beside`.

    Raises every ArchiveError that stands in its way before the first request, or ended it.
    """
    seeds = Path(settings["SEEDS_DIR"])
    sites = load_sites(seeds)
    if name not in sites:
        raise ConfigurationError(f"There is no site {name!r} in {seeds}. Known sites: {', '.join(sites)}.")
    spider_of(sites[name])(**arguments)  # refuses bad arguments before anything is opened
    session = open_session(
        seeds / f"{name}.toml",
        Path(settings["ARCHIVE_DIR"]),
        catalogue_url=settings["CATALOGUE_URL"],
        workers=settings.getint("EXTRACT_WORKERS"),
    )
    try:
        session.site = narrow(_own_pace(session.site, settings))
        spider = spider_of(session.site)
        settings.set("CONCURRENT_REQUESTS_PER_DOMAIN", session.site.politeness.concurrency, priority="spider")
        turns = Turns((beside or session.archive.path) / "locks")
        session.exits.callback(turns.close)
        return _run(settings, spider, session, turns, arguments)
    except KeyboardInterrupt:
        session.close(INTERRUPTED)
        raise Interrupted("Interrupted before the first request. Nothing was fetched, nothing is lost.") from None
    except ArchiveError as fault:
        session.faults.append(fault)  # also where it came before the first request, or when the books were closed
        raise
    finally:
        session.close(status=1)  # when something of ours raised; else it is closed already


def _run(settings: Settings, spider: type[NewsSpider], session: Session, turns: Turns, arguments: dict[str, str]) -> Result:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the reactor has its own: what is open is closed well
    wanted = spider(**arguments)
    recovered = recover(
        Visits(session.site, session.archive, session.started, since=wanted.since, until=wanted.until), session.readers, session.writer
    )
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(spider)
    conductor = Conductor(crawler, session)
    conductor.recovered, conductor.turns = recovered, turns
    _make_start_urls_due(session)
    crawl = process.crawl(crawler, **arguments)
    gc.collect()
    gc.freeze()  # modules and tables are never garbage; looking through all of them held the event loop for 0.2 s each time
    gc.set_threshold(YOUNG)
    process.start()
    if crawl.done() and (fault := crawl.exception()) is not None:
        raise fault
    return conductor.finish()


def _make_start_urls_due(session: Session) -> None:
    now, site = clock.now(), session.site
    rows = start_rows(site, now)

    def fits(url: str) -> bool:
        """Most are canonical, and to find that out costs ten times as much as the rules (26 µs)."""
        return site.article_match(url) is not None or is_article(url, site)

    with session.archive.catalogue.transaction() as tx:
        outside = urltable.keep_to(tx, site.name, site.hosts)
        unruled = urltable.keep_to_rules(tx, site.name, site.hosts, site.digest, fits)
        gone = urltable.begin(tx, site.name, rows, now)
        for row in rows:
            if row.kind is not Kind.CDX:  # an index is asked again when its answer can have changed (crawler.frontier)
                urltable.wake(tx, site.name, row.url, now)
    if outside:
        logger.warning("%d URLs lie on hosts that the seeds file does not name any more: set aside until it does.", outside)
    if unruled:
        what = several(unruled, "known article URL")
        logger.warning("No `article` rule of the seeds file fits %s any more: set aside until one does.", what)
    for url in gone:
        logger.warning("The start list %s was taken down, and is not asked.", url)


def _own_pace(site: Site, settings: Settings) -> Site:
    """The site with the operator's DELAY in place of the seeds file's."""
    if settings["DELAY"] is None:
        return site
    return replace(site, politeness=replace(site.politeness, delay=settings.getfloat("DELAY")))


class Conductor:
    """Ties one crawl's parts together and keeps its books."""

    def __init__(self, crawler: Crawler, session: Session) -> None:
        self._crawler, self._session = crawler, session
        self._memory = HostMemory(session.archive)
        self._progress = Progress()
        self._books = Books(session)
        self._files: set[str] = set()
        self._unsettled: set[tuple[str, int]] = set()
        """places of captures that no commit has written down yet"""
        self._unindexed: list[Capture] = []
        self._packing = asyncio.Semaphore()
        self._ended = False
        self._stopping: asyncio.Future[None] | None = None
        self.recovered = Recovered()
        self.turns: Turns | None = None
        crawler.session = session  # type: ignore[attr-defined]  # Scrapy classes find it there
        crawler.archive_writer = self  # type: ignore[attr-defined]
        session.remember, session.remembered = self._memory.flush, self._remembered
        session.settled, session.stop = self._settled, self._stop
        connect = crawler.signals.connect
        connect(self._opened, signals.spider_opened)
        connect(self._closed, signals.spider_closed)
        connect(self._broken, signals.spider_error)
        connect(self._broken, signals.item_error)

    async def write(self, exchange: Exchange) -> Capture:
        """Takes every exchange to the WARC file; those of no visit (robots.txt) are noted with the next commit. Nobody sees
        an answer before this returns."""
        return self._noted(await self._written(exchange))

    async def take(self, taken: Borrowed, moment: datetime) -> Capture:
        """Takes what another archive had to a WARC file of its own."""
        return self._noted(self._session.take(taken, moment))

    def _noted(self, capture: Capture) -> Capture:
        assert capture.warc is not None
        self._files.add(capture.warc.file)
        self._unindexed.append(replace(capture, body=b""))
        if capture.kind is Kind.ROBOTS:
            self._session.loose.append(capture)
        else:
            self._unsettled.add((capture.warc.file, capture.warc.offset))
        return capture

    async def _written(self, exchange: Exchange) -> Capture:
        """Large bodies are compared, hashed and compressed in a thread, one at a time; only the event loop's own appends to the
        file."""
        writer, archive = self._session.writer, self._session.archive
        if len(exchange.body) <= AT_ONCE:
            return writer.write(with_original(exchange, archive))
        async with self._packing:
            exchange = await asyncio.to_thread(with_original, exchange, archive)
            packed = await asyncio.to_thread(pack, exchange, writer.warcinfo_id(exchange.fetched_at))
            return writer.put(packed)

    def _remembered(self) -> None:
        """Behind each grouped commit. The WARC file is durable by then, so the index may point to it; where another process is at
        work in the index, the lines wait for the next commit, and neither the event loop nor a transaction for that process."""
        self._memory.flushed()
        with suppress(Locked):
            self._session.archive.index.add(self._unindexed, waits=False)
            self._unindexed.clear()

    def _opened(self) -> None:
        gate_of(self._crawler).keeper, gate_of(self._crawler).turns = self._memory, self.turns
        book_of(self._crawler).keeper = self._memory

    def _closed(self, reason: str) -> None:
        self._ended = True
        if reason == "shutdown":
            self._session.interrupted = "a signal"
        elif reason != "finished":
            self._session.left_because = self._session.left_because or reason  # memusage_exceeded

    def _broken(self, item: Any = None, response: Any = None) -> None:
        """An exception got past the edges in the spider and the stage; Scrapy has logged it. No lease may stay behind."""
        self._session.counts[OUR_FAULT] += 1
        request = getattr(response, "request", None)
        row = item.row if isinstance(item, Visit) else carried(request).get("lease") if request else None
        if row is not None:
            self._crawler.scheduler.settled(row)  # type: ignore[attr-defined]

    def _stop(self) -> None:
        engine = self._crawler.engine
        if self._stopping is None and engine is not None:
            self._stopping = asyncio.ensure_future(engine.close_spider_async(reason="fault"))

    def _settled(self, visit: Visit, outcome: Outcome | None) -> None:
        self._crawler.scheduler.settled(visit.row)  # type: ignore[attr-defined]
        if (answers := answers_of(self._crawler)) is not None:
            answers.committed(visit.captures)
        self._session.given_up = set(gate_of(self._crawler).given_up())
        self._unsettled.difference_update((one.warc.file, one.warc.offset) for one in visit.captures if one.warc is not None)
        self._books.enter(visit, outcome)
        self._tell_gate(visit, outcome)
        self._check_budgets()
        self._progress.show(self._books.visits)

    def _tell_gate(self, visit: Visit, outcome: Outcome | None) -> None:
        """What an answer was read as says how its host means it; what another archive has says nothing of that."""
        if outcome is None or visit.row.kind is Kind.RECORD:
            return
        if outcome.word in GO_AWAY and not outcome.known:
            gate_of(self._crawler).saw_challenge(visit.row.host, f"{outcome.word}: {visit.row.url}")
        elif outcome.word in BROUGHT:
            gate_of(self._crawler).saw_article(visit.row.host)

    def _check_budgets(self) -> None:
        session, politeness = self._session, self._session.site.politeness
        wanted = getattr(self._crawler.spider, "max_articles", 0)
        spent = (
            (wanted and self._books.visits[Verdict.NEW] >= wanted, "max_articles"),
            (clock.now() - session.started > politeness.max_seconds, "max_seconds"),
        )
        session.left_because = session.left_because or next((why for over, why in spent if over), None)

    def finish(self) -> Result:
        """Closes the books. Raises the fault that ended the run, if one did."""
        session = self._session
        self._progress.end()
        session.close_files()
        if session.faults:
            session.close(status=getattr(session.faults[0], "exit_status", 1))
            raise session.faults[0]
        if not self._ended:
            session.interrupted = "a second signal"
        self._close_books()
        with session.archive.catalogue.snapshot() as tx:
            ledger = self._ledger(tx)
        health = judge(ledger)
        if not report.reconciles(ledger):
            logger.error("The ledger does not add up: %s", ledger)
        ledger["sentence"] = health.sentence
        session.close(status=health.status, ledger=ledger)
        return Result(ledger=ledger, health=health)

    def _close_books(self) -> None:
        """Writes down what no visit carried, and settles withdrawals. A WARC file is sealed when the catalogue knows its captures and
        the index has its lines, durably, and when everything is settled: the next run's recovery reads the others, and by them
        knows what this run looked back at."""
        session = self._session
        unknown = {file for file, _ in self._unsettled}
        with session.archive.catalogue.transaction() as tx:
            for capture in session.loose:
                flow.write(tx, capture, session.site, None)
            self._memory.flush(tx)
            urltable.release_all(tx, session.site.name)
            since = None if self._looked_back() else last_books(tx, session.site.name)
        settle_in_groups(session.archive.catalogue, session.site.name, since=since)
        session.archive.index.add(self._unindexed)
        session.archive.index.merge()
        with session.archive.catalogue.transaction() as tx:
            for name in sorted(self._files - unknown):
                seal(tx, session.archive.warc_folder / name)
        self._erase_what_came_again()

    def _erase_what_came_again(self) -> None:
        """A redirect may lead to what was taken down. Where another process packs the files or takes something down, the next run
        of the site does it."""
        archive = self._session.archive
        try:
            for path in erasure.came_again(archive, self._session.site.name):
                erasure.erase_taken_down(archive, path)
        except Locked:
            logger.warning(
                "What was taken down came in again through a redirect. It is in no export, and stays in its WARC file until the next run of"
                " this site: another command is at work on the files."
            )

    def _looked_back(self) -> bool:
        """Whether captures of years ago came in: what they show says how far denials of that time are to be believed."""
        return self.recovered.borrowed or any(is_borrowed(name, self._session.site.name) for name in self._files)

    def _ledger(self, tx: sa.Connection) -> dict[str, Any]:
        spider, requests = self._crawler.spider, self._crawler.stats.get_value("downloader/request_count", 0)
        is_dated = bool(getattr(spider, "since", None) or getattr(spider, "until", None))
        return self._books.ledger(tx, recovered=self.recovered, gate=gate_of(self._crawler), requests=requests, is_dated=is_dated)
