"""The process behind crawl_once.crawl, forked from one that has everything imported: a spec goes in, JSON comes out."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, fields
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.http import Response
from scrapy.settings import Settings
from twisted.python.failure import Failure

from crawler.body import decoded
from crawler.capture import as_capture
from crawler.failures import reason_of
from crawler.politeness import gate_of
from pipelines.archive.warc import Exchange
from pipelines.model import Capture, Kind, Rejection
from pipelines.site import parse_site
from pipelines.validators import Validators
from tests.crawler.outcomes import Outcome

HEAD = 4000
"""characters of a body that are handed back"""
PLAIN = {
    "SCHEDULER": "scrapy.core.scheduler.Scheduler",
    "SPIDER_LOADER_CLASS": "scrapy.spiderloader.SpiderLoader",
    "ITEM_PIPELINES": {},
    "LOG_LEVEL": "DEBUG",
    "MEMUSAGE_ENABLED": False,
}


class Keeps:
    """An archive that only remembers."""

    def __init__(self) -> None:
        self.exchanges: list[dict[str, Any]] = []

    async def write(self, exchange: Exchange) -> Capture:
        values = {item.name: getattr(exchange, item.name) for item in fields(exchange)}
        head = exchange.body[:HEAD].decode("latin-1")
        self.exchanges.append({**values, "body": head, "size": len(exchange.body), "hints": None})
        return as_capture(exchange)


class One(Spider):
    """Asks for each URL of the spec once."""

    name = "one"

    def __init__(self, spec: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec
        self.site = parse_site(spec["seeds"].encode(), "test.toml")
        self.outcomes: list[Outcome] = []
        self.worst_stall = 0.0

    async def start(self) -> AsyncIterator[Any]:
        self.watching = asyncio.ensure_future(self._watch())
        if self.spec["stop_after"]:
            asyncio.get_running_loop().call_later(self.spec["stop_after"], os.kill, os.getpid(), signal.SIGTERM)
        for one in self.spec["urls"]:
            url, meta = _meta_of(one)
            yield Request(url, callback=self.parse, errback=self.failed, meta=meta, dont_filter=True)

    async def _watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            self.worst_stall = max(self.worst_stall, time.perf_counter() - before - 0.01)

    def parse(self, response: Response) -> Iterator[Any]:
        assert response.request is not None
        meta = response.request.meta
        rejection, body = meta.get("rejection"), decoded(meta["capture"])
        outcome = Outcome(
            status=response.status,
            final_url=response.url,
            body="" if isinstance(body, Rejection) else body[:HEAD].decode("latin-1"),
            rejection=rejection.reason if rejection else None,
            truncated=meta["capture"].truncated,
            **_about(meta),
        )
        self.outcomes.append(outcome)
        yield from ()

    def failed(self, failure: Failure) -> None:
        meta = failure.request.meta  # type: ignore[attr-defined]
        assert failure.value is not None
        self.outcomes.append(Outcome(error=reason_of(failure.value), detail=str(failure.value), **_about(meta)))


def _meta_of(one: str | dict[str, Any]) -> tuple[str, dict[str, Any]]:
    given = dict(one) if isinstance(one, dict) else {"url": one}
    url = given.pop("url")
    meta = {**given, "kind": Kind(given.get("kind", "article")), "first": url}
    if "validators" in given:
        pair: Any = given["validators"]
        etag, modified = pair
        at = datetime.fromisoformat("2026-11-22T08:00:00+00:00")
        meta["validators"] = Validators(etag=etag, last_modified=modified, confirms=(url, at))
    return url, meta


def _about(meta: dict[str, Any]) -> dict[str, Any]:
    return {
        "url": meta["first"],
        "redirects": [[hop.status, hop.url, hop.to] for hop in meta.get("redirects", ())],
        "earlier": len(meta.get("captures", ())) - ("capture" in meta),
        "lease": meta.get("lease"),
    }


def _answer_names(names: dict[str, list[str]]) -> None:
    """A name server of one's own: what it says may change from one question to the next."""
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host not in names:
            return real(host, port, *rest, **more)
        left = names[host]
        text = left.pop(0) if len(left) > 1 else left[0]
        return [found for address in text.split() for found in real(address, port, *rest, **more)]

    from twisted.internet import _resolver

    _resolver.GAIResolver.__init__.__defaults__ = (None, answer)  # before the reactor makes its resolver


def _run(spec: dict[str, Any]) -> dict[str, Any]:
    settings = Settings()
    settings.setmodule("crawler.settings")
    settings.setdict({**PLAIN, **spec["settings"]}, priority="cmdline")
    process = CrawlerProcess(settings)
    crawler: Crawler = process.create_crawler(One)
    archive = crawler.archive_writer = Keeps()  # type: ignore[attr-defined]
    process.crawl(crawler, spec=spec)
    process.start()
    spider = crawler.spider
    assert isinstance(spider, One)
    states = gate_of(crawler)._states
    return {
        "outcomes": [asdict(outcome) for outcome in spider.outcomes],
        "exchanges": archive.exchanges,
        "stats": crawler.stats.get_stats(),
        "hosts": {host: state.to_json() for host, state in states.items()},
        "worst_stall": spider.worst_stall,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main(spec: dict[str, Any], env: dict[str, str], log: str, out: Connection) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        os.environ.pop(name, None)
    os.environ.update(env)
    if spec["names"]:
        _answer_names(spec["names"])
    spec["settings"] = {"LOG_FILE": log, **spec["settings"]}
    out.send(json.dumps(_run(spec), default=str))
