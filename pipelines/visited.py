"""Which articles a site was asked for, and with what success, as its own WARC files tell: the rows that its crawl of then had left
in the frontier. So the first crawl of an archive that is made again of its files asks what is due, on the condition that it had.

Rules of this file:
- Only what a crawl of this software wrote counts, by the names of its files: of others nobody knows what they asked for, and when.
- Only articles. What a list led to and nobody had fetched yet stands in no file: lists are read once more, whole, by the crawl.
- A row that is at work, or knows of a later visit, knows better.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from pipelines.archive import urltable
from pipelines.archive.article_record import moment
from pipelines.archive.borrowed import is_borrowed
from pipelines.archive.ledger import Outcome
from pipelines.archive.urltable import NewUrl, Row
from pipelines.model import Article, Capture, Kind, Reason
from pipelines.reading import REDIRECTS, Result
from pipelines.schedule import PASSING, remembered, visited_article
from pipelines.site import GENERIC, Site
from pipelines.urls import absolute, canonical, host_key, request_url


@dataclass(slots=True)
class Visited:
    """Notes captures as they are written down, in the order of their file."""

    _led: dict[tuple[str, str], dict[str, tuple[Site, Capture]]] = field(default_factory=dict)
    """by site and URL that redirects named: the URLs that were asked for, and the redirect of each. Their answer comes soon, one
    for all of them (crawler/sharing.py)"""
    _before: dict[tuple[str, str], Row] = field(default_factory=dict)
    """by site and URL: the row before a visit of this file, which is a run's, that failed; a further try belongs to the same visit"""

    def note(self, tx: sa.Connection, site: Site, capture: Capture, outcome: Outcome, result: Result) -> None:
        """One capture, in the transaction that writes it down; nothing where it is no visit of an article."""
        if not _is_visit(capture, site) or outcome.word == Reason.TAKEN_DOWN:
            return
        led = self._led.pop((site.name, capture.url), {})
        asked = tuple(led) or (capture.url,)
        if capture.status in REDIRECTS and outcome.word == Reason.REDIRECT:
            target = absolute(capture.url, capture.header("Location") or "")
            if target is not None:
                hop = site, replace(capture, body=b"")
                self._led.setdefault((site.name, request_url(target)), {}).update(dict.fromkeys(asked, hop))
                return
        for url in dict.fromkeys((*asked, capture.url)):  # a crawl asks once for a page, though lists name it and redirects lead there
            self._settle(tx, site, url, capture, outcome=outcome, result=result)
        if led and outcome.word in PASSING:
            self._led[site.name, capture.url] = led  # a further try may follow

    def end(self, tx: sa.Connection) -> None:
        """The end of a file: what redirects led to was never seen."""
        for led in self._led.values():
            for asked, (site, hop) in led.items():
                self._settle(tx, site, asked, hop, outcome=Outcome(word=Reason.REDIRECT, url=hop.url), result=None)
        self._led.clear()
        self._before.clear()

    def _settle(self, tx: sa.Connection, site: Site, url: str, capture: Capture, *, outcome: Outcome, result: Result) -> None:
        """The row of a URL after the visit that brought `capture`."""
        now = capture.fetched_at.timestamp()
        row = urltable.by_url(tx, site.name, url) or _discovered(tx, site, url, capture, now)
        if row.kind is not Kind.ARTICLE:
            return
        if row.last_fetched is None or row.last_fetched < now:
            before = self._before.get((site.name, url), row)
            if outcome.word in PASSING:
                self._before[site.name, url] = before
            row = replace(row, tries=before.tries, reason=before.reason, visits=before.visits)
            values, following = visited_article(row, capture, outcome, result, site=site, now=now)
            urltable.settle_unleased(tx, row.id, values)
            urltable.discover(tx, site.name, following, now)
        elif isinstance(result, Article) and (row.captured_at is None or moment(row.captured_at) < capture.fetched_at):
            urltable.settle_unleased(tx, row.id, remembered(capture))


def _is_visit(capture: Capture, site: Site) -> bool:
    """A 304 to a request that named no version says nothing (RFC 9110 §15.4.5)."""
    assert capture.warc is not None, "only what lies in the archive is written down"
    file = capture.warc.file
    is_own = site.name != GENERIC and file.startswith(f"{site.name}-") and not is_borrowed(file, site.name)
    return is_own and capture.kind is Kind.ARTICLE and not (capture.status == 304 and capture.refers_to is None)


def _discovered(tx: sa.Connection, site: Site, url: str, capture: Capture, now: float) -> Row:
    hints = replace(capture.hints, terms=None)  # robots.txt is asked anew
    new = NewUrl(url=url, host=host_key(url), kind=Kind.ARTICLE, due_at=now, page=canonical(url, site).part, hints=hints)
    urltable.discover(tx, site.name, [new], now)
    row = urltable.by_url(tx, site.name, url)
    assert row is not None, "it has just been made"
    return row
