"""One answer serves all who are led to it: what a run has fetched, it does not fetch again because a redirect leads there.

A URL may be asked for by its own row, and as the target of any number of redirects. Each of these leases gets its visit and
its capture, the same one; the site is asked once. While an answer is on its way the others wait for it; until it is committed
it is kept here, and then it lies in the archive. What may be over in a minute serves nobody but who asked (`_lasts`).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Self
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.carried import carried, drop_answer, keep_answer
from crawler.session import Session
from pipelines.archive import schema
from pipelines.archive.article_record import timestamp
from pipelines.archive.originals import originals
from pipelines.archive.warc import read_record
from pipelines.errors import DamagedRecord
from pipelines.model import Capture, Kind, WarcRef
from pipelines.reading import REDIRECTS

LASTING = frozenset({200, 304, 404, 410, *REDIRECTS})
"""statuses that the same question would get again"""

_Answer = asyncio.Future[Capture | None]
"""None where there was none, or none that lasts"""


class Answers:
    """What this run was answered, by URL."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, _Answer] = {}
        """those that are on their way, or not committed"""
        self._targets: set[str] = set()
        """URLs that redirects have led to"""

    async def take(self, request: Request) -> Capture | None:
        """The answer that serves a request, waited for if need be. None: it has to be asked, and whoever comes after it
        waits for `answered` or `over`."""
        if not _is_again(request) and (capture := await self._serving(request)) is not None:
            assert capture.warc is not None
            self._session.shared.add(capture.warc.record_id)
            return capture
        self._known[request.url] = carried(request)["answer"] = asyncio.get_running_loop().create_future()
        if "redirects" in carried(request):
            self._targets.add(request.url)
        return None

    async def _serving(self, request: Request) -> Capture | None:
        while (known := self._known.get(request.url)) is not None:
            capture = await asyncio.shield(known)
            if capture is not None and _serves(capture, request):
                return capture
            if self._known.get(request.url) is known:  # else somebody asks already who could not use it either
                return None
        capture = self._committed(request)
        return capture if capture is not None and _serves(capture, request) else None

    def answered(self, request: Request, capture: Capture) -> None:
        self._end(request, capture if _lasts(capture) else None)

    def over(self, request: Request) -> None:
        """Nothing that lasts will come of a request."""
        self._end(request, None)

    def committed(self, captures: tuple[Capture, ...]) -> None:
        """Forgets what is found in the archive from now on."""
        for capture in captures:
            known = self._known.get(capture.url)
            if known is not None and known.done() and known.result() is capture:
                del self._known[capture.url]

    def _end(self, request: Request, capture: Capture | None) -> None:
        mine = carried(request).get("answer")
        if mine is None or mine.done():
            return
        mine.set_result(capture)
        if capture is None and self._known.get(request.url) is mine:
            del self._known[request.url]

    def _committed(self, request: Request) -> Capture | None:
        """The last answer of this run in the archive; looked for only where a redirect has led, so that pages cost nothing."""
        if "redirects" not in carried(request) and request.url not in self._targets:
            return None
        archive, table = self._session.archive, schema.capture
        began = timestamp(datetime.fromtimestamp(self._session.started, UTC))
        mine = sa.and_(table.c.url == request.url, table.c.site == self._session.site.name, table.c.fetched_at >= began)
        with archive.catalogue.snapshot() as tx:
            row = tx.execute(sa.select(table).where(mine).order_by(table.c.id.desc()).limit(1)).one_or_none()
        if row is None:
            return None
        original = originals(archive.catalogue, archive.warc_folder)
        try:
            capture = read_record(archive.warc_folder / row.file, WarcRef.of_row(row), original=original)
        except DamagedRecord:
            return None
        return capture if _lasts(capture) else None


def _is_again(request: Request) -> bool:
    """Whether a request was made before, and its answer would not do."""
    asked = carried(request)
    return bool(asked.get("retry_times") or asked.get("unconditional"))


def _lasts(capture: Capture) -> bool:
    asked_for = capture.status != 304 or capture.refers_to is not None
    whole = capture.truncated is None and not capture.lacks_payload
    return capture.status in LASTING and whole and capture.warc is not None and asked_for


def _serves(capture: Capture, request: Request) -> bool:
    """Whether an answer is one to this request too. A 304 says that one version holds: it tells a list nothing that has not
    seen that version; an article is known by its own address, whoever led there."""
    asked = carried(request)
    kind = asked.get("kind")
    if capture.kind is not kind:
        return False
    validators = asked.get("validators")
    seen = validators.confirms if validators else None
    return capture.status != 304 or kind is Kind.ARTICLE or capture.refers_to == seen


_ANSWERS: WeakKeyDictionary[Crawler, Answers] = WeakKeyDictionary()


def answers_of(crawler: Crawler) -> Answers | None:
    """The one book of a crawl's answers; None for one without an archive."""
    session: Session | None = getattr(crawler, "session", None)
    if session is not None and crawler not in _ANSWERS:
        _ANSWERS[crawler] = Answers(session)
    return _ANSWERS.get(crawler)


class SharingMiddleware:
    """Stands above the capture: an answer is shared when it is in the WARC file."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> Response | None:
        answers = answers_of(self._crawler)
        if answers is None or carried(request).get("kind") in (Kind.ROBOTS, Kind.RECORD):
            return None
        capture = await answers.take(request)
        return None if capture is None else _shared(request, capture)

    def process_response(self, request: Request, response: Response) -> Response:
        answers = answers_of(self._crawler)
        if answers is not None and (capture := carried(request).get("capture")) is not None:
            answers.answered(request, capture)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002  # Scrapy names it
        if (answers := answers_of(self._crawler)) is not None:
            answers.over(request)


def _shared(request: Request, capture: Capture) -> Response:
    """What the middlewares above read of an answer; what it is, they read of its capture."""
    drop_answer(request)
    keep_answer(request, capture)
    headers: dict[str, list[str]] = {}
    for name, value in capture.headers:
        headers.setdefault(name, []).append(value)
    return Response(request.url, status=capture.status, headers=headers, request=request)
