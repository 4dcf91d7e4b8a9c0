"""One `scrapy crawl`, from the seeds file to the exit status: opens the session, runs the reactor, judges what came of it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from crawler import clock, usual
from crawler.capture import AT_ONCE
from crawler.carried import carried
from crawler.completeness import gaps_of
from crawler.failures import answer
from crawler.frontier import RUN_ENDED
from crawler.health import BROUGHT, INTERRUPTED, Health, judge
from crawler.loader import spider_of
from crawler.memory import HostMemory
from crawler.politeness import gate_of
from crawler.progress import Progress
from crawler.recovery import Recovered, recover
from crawler.repeats import with_original
from crawler.robots_middleware import book_of
from crawler.session import Session, earlier_runs, last_books, open_session
from crawler.sharing import answers_of
from crawler.spiders.news import NewsSpider
from crawler.turns import Turns
from crawler.visits import Visits, start_rows, start_urls
from pipelines import flow, report
from pipelines.archive import erasure, urltable
from pipelines.archive.borrowed import Borrowed, is_borrowed
from pipelines.archive.exchange import Exchange, pack
from pipelines.archive.ledger import Outcome
from pipelines.archive.settlement import settle_in_groups
from pipelines.archive.stored import awaiting
from pipelines.errors import ArchiveError, ConfigurationError, Locked
from pipelines.intake import seal
from pipelines.model import Capture, Kind, Reason, Verdict
from pipelines.site import Site, load_sites
from pipelines.stages import OUR_FAULT, Visit

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
    now = clock.now()
    rows = start_rows(session.site, now)
    with session.archive.catalogue.transaction() as tx:
        outside = urltable.keep_to(tx, session.site.name, session.site.hosts)
        gone = urltable.begin(tx, session.site.name, rows, now)
        for row in rows:
            if row.kind is not Kind.CDX:  # an index is asked again when its answer can have changed (crawler.frontier)
                urltable.wake(tx, session.site.name, row.url, now)
    if outside:
        logger.warning("%d URLs lie on hosts that the seeds file does not name any more: set aside until it does.", outside)
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
        self._visits: Counter[str] = Counter()
        self._failed_again = 0
        """article pages that had failed in earlier runs, and did so once more"""
        self._failed_for_long = 0
        """those for which nobody answered, once more than `tries`: they are asked ever more rarely (crawler.frontier)"""
        self._answers: Counter[str] = Counter()
        """lists that failed although something answered: reason and status"""
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
        if visit.failure and visit.failure != f"failed/{RUN_ENDED}" and visit.row.kind not in (Kind.ARTICLE, Kind.RECORD):
            self._list_failed(visit, visit.failure.removeprefix("failed/"))
        if visit.row.kind is Kind.ARTICLE and visit.failure != f"failed/{RUN_ENDED}":
            word = visit.failure or (_news(outcome) if outcome else "failed/lost")
            self._visits[word] += 1
            again = visit.row.tries > 0 and word not in BROUGHT and word not in report.UNASKED
            self._failed_again += again
            self._failed_for_long += again and visit.failure is not None and visit.row.tries >= self._session.site.politeness.tries
        if visit.row.kind is Kind.RECORD:
            self._count_record(visit.failure or f"taken/{outcome.word if outcome else 'lost'}")
        elif outcome is not None and outcome.word in GO_AWAY and not outcome.known:
            gate_of(self._crawler).saw_challenge(visit.row.host, f"{outcome.word}: {visit.row.url}")
        elif outcome is not None and outcome.word in BROUGHT:
            gate_of(self._crawler).saw_article(visit.row.host)
        self._check_budgets()
        self._progress.show(self._visits)

    def _list_failed(self, visit: Visit, reason: str) -> None:
        if (status := answer(reason, visit.captures)) is not None:
            reason = f"{reason} ({status})"
            self._answers[reason] += 1
        level = logging.INFO if visit.failure == f"failed/{report.BEHIND_THE_END}" else logging.WARNING
        logger.log(level, "The list %s failed: %s.", visit.row.url, reason)

    def _count_record(self, word: str) -> None:
        if word != f"failed/{RUN_ENDED}":
            self._session.counts[f"{report.BACKFILL}{word}"] += 1

    def _check_budgets(self) -> None:
        session, politeness = self._session, self._session.site.politeness
        wanted = getattr(self._crawler.spider, "max_articles", 0)
        spent = (
            (wanted and self._visits[Verdict.NEW] >= wanted, "max_articles"),
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

    def _ledger(self, tx: Any) -> dict[str, Any]:
        session, now = self._session, clock.now()
        urls = report.article_urls(tx, session.site.name, session.started, now)
        ledger = {
            "site": session.site.name,
            "run": session.run,
            "at": now,
            "is_dated": self._is_dated,
            "discovered": report.discovered(tx, session.site.name, session.started),
            "gaps": gaps_of(tx, session.site, session.started),
            "known": sum(urls.values()),
            "urls": urls,
            "visits": {word: count for word, count in sorted(self._visits.items()) if count},
            "failed_again": self._failed_again,
            "failed_for_long": self._failed_for_long,
            "awaiting": len(awaiting(tx, session.site.name)),
            "lists": report.lists_read(tx, session.site.name, session.started),
            "starts": report.starts(tx, session.site.name, self._starts, started=session.started),
            "backfill": report.backfill(tx, session.site.name, session.started, session.counts),
            "failures": {word.removeprefix("failed/"): n for word, n in sorted(session.counts.items()) if word.startswith("failed/")},
            "answers": dict(sorted(self._answers.items())),
            "skipped": {
                word.removeprefix("skipped/"): n for word, n in sorted(session.counts.items()) if word.startswith("skipped/") and n
            },
            "untaken": {url: asdict(links) for url, links in session.untaken.items()},
            "requests": self._crawler.stats.get_value("downloader/request_count", 0),
            "given_up": gate_of(self._crawler).given_up(),
            "crawl_delays": gate_of(self._crawler).crawl_delays(),
            "left_because": session.left_because,
            "interrupted": session.interrupted,
            "our_faults": session.counts[OUR_FAULT] + self.recovered.at_fault,
            "recovered": self.recovered.captures,
            "seconds": round(now - session.started, 3),
            "archive": str(session.archive.path),
            "articles": report.articles(tx, session.site.name),
        }
        earlier = earlier_runs(tx, session.site.name, most=usual.MOST_RUNS)
        since = None if ledger["is_dated"] else usual.last_at(earlier)
        ledger["starts"] |= self._found_since(tx, since, now)
        return {**ledger, "usual": usual.compared(ledger, earlier)}

    def _found_since(self, tx: Any, since: float | None, now: float) -> dict[str, Any]:
        """What the start lists showed since the last run that counts for it; a clock that was set back since says nothing."""
        if since is None or since >= now:
            return {"found": 0, "seconds": None}
        found = report.found_on(tx, self._session.site.name, self._starts, since)
        return {"found": found, "seconds": round(now - since, 3)}

    @property
    def _starts(self) -> frozenset[str]:
        return frozenset(url for kind, url in start_urls(self._session.site) if kind is not Kind.CDX)

    @property
    def _is_dated(self) -> bool:
        spider = self._crawler.spider
        return bool(getattr(spider, "since", None) or getattr(spider, "until", None))


def _news(outcome: Outcome) -> str:
    """What a visit brought. Of an answer that several had, the first of them brought the article."""
    return Verdict.UNCHANGED if outcome.known and outcome.word in report.SAVED else outcome.word
