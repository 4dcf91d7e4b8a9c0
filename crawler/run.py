"""One `scrapy crawl`, from the seeds file to the exit status: opens the session, runs the reactor, judges what came of it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from crawler.health import Health, judge
from crawler.loader import spider_of
from crawler.memory import HostMemory
from crawler.politeness import gate_of
from crawler.progress import Progress
from crawler.recovery import recover, seal
from crawler.robots_middleware import book_of
from crawler.session import Session, earlier_runs, open_session
from crawler.visits import Visits
from pipelines import report, stages
from pipelines.archive.ledger import Outcome
from pipelines.errors import ConfigurationError
from pipelines.model import Capture, Kind, Verdict
from pipelines.site import Site, load_sites
from pipelines.stages import Visit

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended: its ledger, and the verdict on it."""

    ledger: dict[str, Any]
    health: Health


def run(settings: Settings, name: str, arguments: dict[str, str]) -> Result:
    """One run of one site. Raises every ArchiveError that stands in its way before the first request, or ended it."""
    seeds = Path(settings["SEEDS_DIR"])
    sites = load_sites(seeds)
    if name not in sites:
        raise ConfigurationError(f"There is no site {name!r} in {seeds}. Known sites: {', '.join(sites)}.")
    spider_of(sites[name])(**arguments)  # refuses bad arguments before anything is opened
    session = open_session(seeds / f"{name}.toml", Path(settings["ARCHIVE_DIR"]), catalogue_url=settings["CATALOGUE_URL"])
    session.site = _own_pace(session.site, settings)
    spider = spider_of(session.site)
    settings.set("CONCURRENT_REQUESTS_PER_DOMAIN", session.site.politeness.concurrency, priority="spider")
    process = AsyncCrawlerProcess(settings)
    try:
        crawler = process.create_crawler(spider)
        conductor = Conductor(crawler, session)
        recover(Visits(session.site, session.archive, session.started))
        process.crawl(crawler, **arguments)
        process.start()
        return conductor.finish()
    finally:
        session.close(status=1, ledger={})  # when something of ours raised; else it is closed already


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
        self._files: set[str] = set()
        crawler.session = session  # type: ignore[attr-defined]  # Scrapy classes find it there
        crawler.archive_writer = self  # type: ignore[attr-defined]
        session.remember = self._memory.flush
        connect = crawler.signals.connect
        connect(self._opened, signals.spider_opened)
        connect(self._closed, signals.spider_closed)
        connect(self._settled, stages.settled)

    def write(self, exchange: Any) -> Capture:
        """Takes every exchange to the WARC file; those of no visit (robots.txt) are noted with the next commit."""
        capture = self._session.writer.write(exchange)
        assert capture.warc is not None
        self._files.add(capture.warc.file)
        if capture.kind is Kind.ROBOTS:
            self._session.loose.append(capture)
        return capture

    def _opened(self) -> None:
        gate_of(self._crawler).keeper = self._memory
        book_of(self._crawler).keeper = self._memory

    def _closed(self, reason: str) -> None:
        if reason == "shutdown":
            self._session.interrupted = "a signal"

    def _settled(self, visit: Visit, outcome: Outcome | None) -> None:
        self._crawler.scheduler.settled(visit.row)  # type: ignore[attr-defined]
        self._session.given_up = set(gate_of(self._crawler).given_up())
        if visit.row.kind is Kind.ARTICLE:
            self._visits[visit.failure or (outcome.word if outcome else "failed/lost")] += 1
        self._check_budgets()
        self._progress.show(self._visits)

    def _check_budgets(self) -> None:
        session, politeness = self._session, self._session.site.politeness
        wanted = getattr(self._crawler.spider, "max_articles", 0)
        spent = (
            (wanted and self._visits[Verdict.NEW] >= wanted, "max_articles"),
            (time.time() - session.started > politeness.max_seconds, "max_seconds"),
            (session.bytes_written() > politeness.max_bytes, "max_bytes"),
        )
        session.left_because = session.left_because or next((why for over, why in spent if over), None)

    def finish(self) -> Result:
        """Closes the books. Raises the fault that ended the run, if one did."""
        session = self._session
        self._progress.end()
        session.writer.close()
        if session.faults:
            session.close(status=session.faults[0].exit_status, ledger={})
            raise session.faults[0]
        with session.archive.catalogue.transaction() as tx:
            self._memory.flush(tx)
            for name in sorted(self._files):
                seal(tx, session.archive.warc_folder / name)
        with session.archive.catalogue.snapshot() as tx:
            earlier = earlier_runs(tx, session.site.name, most=7)
            ledger = self._ledger(tx)
        health = judge(ledger, earlier)
        if not report.reconciles(ledger):
            logger.error("The ledger does not add up: %s", ledger)
        session.close(status=health.status, ledger=ledger)
        return Result(ledger=ledger, health=health)

    def _ledger(self, tx: Any) -> dict[str, Any]:
        session, now = self._session, time.time()
        urls = report.article_urls(tx, session.site.name, session.started, now)
        return {
            "site": session.site.name,
            "run": session.run,
            "discovered": report.discovered(tx, session.site.name, session.started),
            "known": sum(urls.values()),
            "urls": urls,
            "visits": {word: count for word, count in sorted(self._visits.items()) if count},
            "lists": report.lists_read(tx, session.site.name, session.started),
            "failures": {word.removeprefix("failed/"): n for word, n in sorted(session.counts.items()) if word.startswith("failed/")},
            "skipped": {
                word.removeprefix("skipped/"): n for word, n in sorted(session.counts.items()) if word.startswith("skipped/") and n
            },
            "requests": self._crawler.stats.get_value("downloader/request_count", 0),
            "given_up": gate_of(self._crawler).given_up(),
            "left_because": session.left_because,
            "interrupted": session.interrupted,
            "seconds": round(now - session.started, 3),
            "archive": str(session.archive.path),
            "articles": report.articles(tx, session.site.name),
        }
