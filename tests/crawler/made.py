"""Sites, rows, captures and sessions for the tests of the frontier: made by hand, over a real archive in tmp_path."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crawler.session import Session
from crawler.settings import USER_AGENT
from pipelines.archive import open_archive, schema, urltable
from pipelines.archive.stored import current
from pipelines.archive.urltable import NewUrl, Row, Wanted
from pipelines.archive.warc import Exchange, WarcWriter
from pipelines.model import Capture, Headers, Hints, Kind
from pipelines.site import Site, parse_site
from pipelines.urls import host_key

NOW = datetime(2026, 9, 7, 1, 0, tzinfo=UTC)
HOST = "http://news.test"
SEEDS = """\
name = "news"
publisher = "测试社"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.test", "other.test"]

[politeness]
delay = 0.0
tries = 3

[discover]
listings = ["http://news.test/list/{page}.html", "http://news.test/flash/"]
article = ['^http://(?:news|other)\\.test/(?P<date>\\d{8})/(?P<id>\\d+)(?:_\\d+)?\\.html$']
follow = ['^http://news\\.test/topic/\\d+/$']
known_margin = 3
max_pages = 5
next_page = ["a.next"]

[identity]
part = '^(?P<head>.*/\\d+)_(?P<part>\\d+)(?P<tail>\\.html)$'

[[layout]]
name = "plain"
title = ["h1"]
body = ["#body"]
next_part = ["a.next"]
"""
LINES = (
    "测试社九月七日电，山谷里的第三座泵站今天并网，夜里的余电把水送上高处的水库。",
    "值班工程师说，机组从静止到满负荷只要九十秒，比设计时快了一成。",
    "下游的两个村子参加了分红，第一笔款项将用来修缮通往学校的吊桥。",
)


def site(**changed: str) -> Site:
    """The test site; `changed` replaces whole lines of its seeds file by their key."""
    lines = [
        next((value for key, value in changed.items() if line == key or line.startswith(f"{key} =")), line) for line in SEEDS.split("\n")
    ]
    return parse_site("\n".join(lines).encode(), "news.toml")


def address(number: int, part: int = 1) -> str:
    return f"{HOST}/20260907/{number}{'' if part == 1 else f'_{part}'}.html"


def article_page(number: int, *, text: Iterable[str] = LINES, following: str | None = None, title: str = "泵站并网") -> bytes:
    """An article that the layout of the test site reads."""
    paragraphs = "".join(f"<p>{line}</p>" for line in text)
    more = f'<a class="next" href="{following}">下一页</a>' if following else ""
    head = f"<head><title>{title}{number}</title></head>"
    return f"<html>{head}<body><h1>{title}{number}</h1><div id='body'>{paragraphs}{more}</div></body></html>".encode()


def list_page(numbers: Iterable[int], *more: str) -> bytes:
    """A list of articles, and what else it links to."""
    links = "".join(f'<li><a href="{address(number)}">第{number}条新闻</a></li>' for number in numbers)
    return f"<html><body><ul>{links}</ul>{''.join(more)}</body></html>".encode()


def exchange(url: str, body: bytes = b"", *, status: int = 200, seconds: float = 0, kind: Kind = Kind.ARTICLE, **rest: Any) -> Exchange:
    headers: Headers = (("Content-Type", "text/html; charset=utf-8"),)
    return Exchange(
        url=url,
        fetched_at=NOW + timedelta(seconds=seconds),
        status=status,
        body=body,
        kind=kind,
        **{"headers": headers, **rest},
    )


def row(**values: Any) -> Row:
    """A row of the URL table as `lease` gives it: never asked, but for what `values` say."""
    given: dict[str, Any] = {
        "id": 1,
        "url": address(1),
        "kind": Kind.ARTICLE,
        "depth": 0,
        "page": 1,
        "chain": None,
        "complete_at": None,
        "tries": 0,
        "reason": None,
        "hints": Hints(),
        "etag": None,
        "last_modified": None,
        "last_status": None,
        "last_fetched": None,
        "last_changed": None,
        "interval": None,
        "visits": 0,
        "captured_url": None,
        "captured_at": None,
        "discovered_at": NOW.timestamp(),
        "due_at": NOW.timestamp(),
        **values,
    }
    return Row(host=host_key(given["url"]), **given)


def session_at(folder: Path, of: Site | None = None) -> Session:
    """An open session over a new archive, begun at NOW."""
    of = of or site()
    with ExitStack() as exits:
        archive = exits.enter_context(open_archive(folder, create=True))
        writer = WarcWriter(archive.warc_folder, prefix=of.name, software=USER_AGENT, rules={of.name: of.digest})
        exits.callback(writer.close)
        return Session(site=of, archive=archive, writer=writer, run=1, started=NOW.timestamp(), exits=exits.pop_all())


def known(session: Session, *urls: str, kind: Kind = Kind.ARTICLE, at: float = 0, **more: Any) -> None:
    """Makes URLs known and due, `at` seconds after NOW."""
    now = NOW.timestamp() + at
    rows = [NewUrl(url=url, host=host_key(url), kind=kind, due_at=now, **more) for url in urls]
    with session.archive.catalogue.transaction() as tx:
        urltable.discover(tx, session.site.name, rows, now)


def leased(session: Session, most: int = 100, *, seconds: float = 1) -> list[Row]:
    """What may be asked, `seconds` after NOW."""
    now = NOW.timestamp() + seconds
    with session.archive.catalogue.transaction() as tx:
        return urltable.lease(tx, session.site.name, Wanted(now=now, until=now + 60, not_since=now, most=most))


def row_of(session: Session, url: str) -> sa.Row[Any]:
    with session.archive.catalogue.snapshot() as tx:
        return tx.execute(sa.select(schema.url).where(schema.url.c.url == url)).one()


def count(session: Session, table: sa.Table) -> int:
    with session.archive.catalogue.snapshot() as tx:
        return tx.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def texts(session: Session) -> dict[str, str]:
    """The text of every article, by URL."""
    with session.archive.catalogue.snapshot() as tx:
        found = current(tx, list(tx.scalars(sa.select(schema.article.c.id))))
    return {article.url: article.text for article in found.values()}


def written(session: Session, *exchanges: Exchange) -> tuple[Capture, ...]:
    return tuple(session.writer.write(one) for one in exchanges)
