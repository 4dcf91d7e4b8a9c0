"""The books of one run: what its visits brought, counted as each is durable, and the ledger that they close with.

Counting and reading. What a ledger says of the run is judged in crawler/health.py, and shown by pipelines/report.py.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

from crawler import clock, usual
from crawler.completeness import gaps_of
from crawler.failures import answer
from crawler.frontier import RUN_ENDED
from crawler.health import BROUGHT
from crawler.politeness import Gate
from crawler.recovery import Recovered
from crawler.session import Session, earlier_runs
from crawler.visits import start_urls
from pipelines import report
from pipelines.archive.ledger import Outcome
from pipelines.archive.stored import awaiting
from pipelines.model import Kind, Verdict
from pipelines.stages import OUR_FAULT, Visit

logger = logging.getLogger(__name__)

_LEFT = f"failed/{RUN_ENDED}"
"""of a visit that the end of the run left to the next one: it counts as none"""


@dataclass(slots=True)
class Books:
    session: Session
    visits: Counter[str] = field(default_factory=Counter)
    """of article pages, by what they brought"""
    failed_again: int = 0
    """article pages that had failed in earlier runs, and did so once more"""
    failed_for_long: int = 0
    """those for which nobody answered, once more than `tries`: they are asked ever more rarely (crawler.frontier)"""
    answers: Counter[str] = field(default_factory=Counter)
    """lists that failed although something answered: reason and status"""

    def enter(self, visit: Visit, outcome: Outcome | None) -> None:
        """A visit that is durable."""
        if visit.failure == _LEFT:
            return
        if visit.row.kind is Kind.ARTICLE:
            self._enter_article(visit, outcome)
        elif visit.row.kind is Kind.RECORD:
            word = visit.failure or f"taken/{outcome.word if outcome else 'lost'}"
            self.session.counts[f"{report.BACKFILL}{word}"] += 1
        elif visit.failure:
            self._enter_failed_list(visit, visit.failure.removeprefix("failed/"))

    def _enter_article(self, visit: Visit, outcome: Outcome | None) -> None:
        word = visit.failure or (_news(outcome) if outcome else "failed/lost")
        self.visits[word] += 1
        again = visit.row.tries > 0 and word not in BROUGHT and word not in report.UNASKED
        self.failed_again += again
        self.failed_for_long += again and visit.failure is not None and visit.row.tries >= self.session.site.politeness.tries

    def _enter_failed_list(self, visit: Visit, reason: str) -> None:
        level = logging.INFO if reason == report.BEHIND_THE_END else logging.WARNING
        if (status := answer(reason, visit.captures)) is not None:
            reason = f"{reason} ({status})"
            self.answers[reason] += 1
        logger.log(level, "The list %s failed: %s.", visit.row.url, reason)

    def ledger(self, tx: sa.Connection, *, recovered: Recovered, gate: Gate, requests: int, is_dated: bool) -> dict[str, Any]:
        """What the run did, as numbers that add up (`report.reconciles`), beside what is usual."""
        session, site, now = self.session, self.session.site, clock.now()
        urls = report.article_urls(tx, site.name, session.started, now)
        starts = frozenset(url for kind, url in start_urls(site) if kind is not Kind.CDX)
        earlier = earlier_runs(tx, site.name, most=usual.MOST_RUNS)
        since = None if is_dated else usual.last_at(earlier)
        ledger = {
            "site": site.name,
            "run": session.run,
            "at": now,
            "is_dated": is_dated,
            "discovered": report.discovered(tx, site.name, session.started),
            "gaps": gaps_of(tx, site, session.started),
            "known": sum(urls.values()),
            "urls": urls,
            "visits": {word: count for word, count in sorted(self.visits.items()) if count},
            "failed_again": self.failed_again,
            "failed_for_long": self.failed_for_long,
            "awaiting": len(awaiting(tx, site.name)),
            "lists": report.lists_read(tx, site.name, session.started),
            "starts": report.starts(tx, site.name, starts, started=session.started) | _found_since(tx, site.name, starts, since, now),
            "backfill": report.backfill(tx, site.name, session.started, session.counts),
            "failures": report.below(session.counts, "failed/"),
            "answers": dict(sorted(self.answers.items())),
            "skipped": report.below(session.counts, "skipped/"),
            "untaken": {url: asdict(links) for url, links in session.untaken.items()},
            "requests": requests,
            "given_up": gate.given_up(),
            "crawl_delays": gate.crawl_delays(),
            "left_because": session.left_because,
            "interrupted": session.interrupted,
            "our_faults": session.counts[OUR_FAULT] + recovered.at_fault,
            "recovered": recovered.captures,
            "seconds": round(now - session.started, 3),
            "archive": str(session.archive.path),
            "articles": report.articles(tx, site.name),
            "has_articles": report.has_articles(tx, site.name),
        }
        return {**ledger, "usual": usual.compared(ledger, earlier)}


def _found_since(tx: sa.Connection, site: str, starts: frozenset[str], since: float | None, now: float) -> dict[str, Any]:
    """What the start lists showed since the last run that counts for it; a clock that was set back since says nothing."""
    if since is None or since >= now:
        return {"found": 0, "seconds": None}
    return {"found": report.found_on(tx, site, starts, since), "seconds": round(now - since, 3)}


def _news(outcome: Outcome) -> str:
    """What a visit brought. Of an answer that several had, the first of them brought the article."""
    return Verdict.UNCHANGED if outcome.known and outcome.word in report.SAVED else outcome.word
