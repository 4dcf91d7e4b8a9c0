"""Archives for tests, made through the one door that writes: captures and articles of our own, no network, no WARC file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st

from pipelines.archive import Archive, open_archive, write_whole
from pipelines.archive.ledger import Outcome, write_down
from pipelines.archive.schema import article as head
from pipelines.archive.schema import metadata
from pipelines.archive.settlement import settle_withdrawals
from pipelines.model import Article, Capture, Extraction, Quality, Reason, Rejection, Status, WarcRef
from pipelines.site import USES

START = datetime(2024, 3, 1, 2, 0, tzinfo=UTC)
HOST = "https://tech.example.cn"
RULES = "ab" * 32
"""Digest of the seeds file that all of them were made by"""
VERSIONS = {"china-tech-archive": "0.1.0", "trafilatura": "2.3.1"}
STORY = (
    "上海一家机器人公司今天展示了新的装配线，六台机械臂在一分钟里装好一台整机。",
    "工程师说，视觉系统能分辨零点一毫米的偏差，夜班因此不再需要人值守。",
    "公司计划明年把产量提高一倍，并在西部建设第二座工厂。",
)
OTHER = (
    "北京的一个研究小组公布了一种新型电池，充电十分钟可以行驶四百公里。",
    "小组负责人表示，材料来自常见的矿物，成本比现有产品低三成。",
    "明年春天将开始路试，三家汽车厂已经报名参加。",
)


def archive_at(path: Path, rights: str = "") -> Archive:
    """A new archive, with the seeds file of its articles, of which `rights` are the keys of the table [rights]."""
    made = open_archive(path, create=True)
    write_whole(made.path / "seeds" / f"{RULES}.toml", f"[rights]\n{rights}\n".encode())
    return made


def moment(days: float) -> datetime:
    return START + timedelta(days=days)


def address(name: str) -> str:
    return f"{HOST}/2024-03/01/{name}.html"


def article(url: str, paragraphs: tuple[str, ...] = STORY, **rest: Any) -> Article:
    """An article with nothing left out, but for what `rest` says."""
    values: dict[str, Any] = {
        "url": url,
        "site": "china_tech",
        "title": "机器人装好一台整机",
        "paragraphs": paragraphs,
        "published": START,
        "quality": Quality(confidence=1.0),
        "extraction": Extraction(method="layout:t3", charset="utf-8", charset_from="header", rules_digest=RULES, versions=VERSIONS),
    }
    return Article(**{**values, **rest})


class Writer:
    """Writes captures down, one transaction each; each has a place of its own in a WARC file that nobody reads."""

    def __init__(self, archive: Archive, file: str = "china_tech-1.warc.gz") -> None:
        self.archive, self.file = archive, file
        self._offset = 0

    def capture(self, url: str, when: datetime, **rest: Any) -> Capture:
        at = WarcRef(file=self.file, offset=self._offset, length=100, record_id=f"<urn:uuid:{self._offset:032d}>")
        self._offset += 100
        values: dict[str, Any] = {"status": 200, "headers": (), "body": b"", "payload_digest": "sha256:00", "warc": at}
        return Capture(url=url, fetched_at=when, **{**values, **rest})

    def says(self, url: str, when: datetime, result: Article | Rejection, **rest: Any) -> Outcome:
        """One capture of `url` and what extraction made of it."""
        with self.archive.catalogue.transaction() as tx:
            return write_down(tx, "china_tech", url, self.capture(url, when, **rest), result)

    def shows(self, name: str, days: float = 0, paragraphs: tuple[str, ...] = STORY, **rest: Any) -> Outcome:
        """A page of the site shows an article."""
        url = address(name)
        return self.says(url, moment(days), article(url, paragraphs, **rest))

    def gone(self, name: str, days: float) -> Outcome:
        """A page of the site is not there any more, while another is: the site is well."""
        self.confirmed("witness", days)
        return self.says(address(name), moment(days), Rejection(reason=Reason.GONE, detail="404", status=404), status=404)

    def withdrawn(self, name: str, days: float) -> None:
        """A page of the site is not there any more, and still not there a day later, while the rest of the site is well."""
        for day in (days, days + 1.1):
            self.confirmed(WITNESS, day)
            self.gone(name, day)

    def confirmed(self, name: str, days: float) -> Outcome:
        """A page of the site is as it was (304)."""
        return self.says(address(name), moment(days), Rejection(reason=Reason.NOT_MODIFIED, detail="304", status=304), status=304)


def vanish(archive: Archive, number: int) -> None:
    """So many articles are denied twice, and what says that their host was well comes in behind it."""
    writer = Writer(archive)
    gone = Rejection(reason=Reason.GONE, detail="404", status=404)
    well = Rejection(reason=Reason.NOT_MODIFIED, detail="304", status=304)

    def say(name: str, when: datetime, result: Article | Rejection) -> None:
        write_down(tx, "china_tech", address(name), writer.capture(address(name), when), result)

    with archive.catalogue.transaction() as tx:
        for n in range(number):
            say(f"a{n}", moment(0), article(address(f"a{n}"), (f"第{n}条新闻说的是编号{n * 7919}的事情。",), title=f"第{n}条"))
        for result, prefix in ((gone, "a"), (well, "w")):
            for day in (1.0, 2.1):
                for n in range(number):
                    say(f"{prefix}{n}", moment(day + n / 86_400), result)


def withdrawn(archive: Archive) -> list[str]:
    return column(archive, sa.select(head.c.id).where(head.c.status == Status.WITHDRAWN).order_by(head.c.id))


def column(archive: Archive, statement: sa.Select[Any]) -> list[Any]:
    """The first column of what a query finds."""
    with archive.catalogue.snapshot() as tx:
        return list(tx.scalars(statement))


def with_rights(made: Article, **rights: Any) -> Article:
    return replace(made, rights=replace(made.rights, **rights))


# ── histories: what any crawl may bring, as data ─────────────────────────────────────────────────────────────────────

NOTICE = ("请看视频。",)
"""too short to be one story by its text alone: the title decides"""
TEXTS = (STORY, OTHER, (*STORY[:2], "公司没有说第二座工厂建在哪里。"), NOTICE)
TITLES = ("机器人装好一台整机", "充电十分钟行驶四百公里")
MINUTES = (0, 1, 2, 1440, 1441, 2880, 2882, 4320)
"""after START: at once, and days later, as it takes to believe that a page is gone"""
WITNESS = "witness"
"""A page that is confirmed and never read: it says that the host was well, and is no article"""
NAMES = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One capture of the page `name`: it shows text and title (numbers of TEXTS and TITLES), or `gone`, or `confirmed`.

    `of_two`: the page is the first of two, or the second. `reserves`: the use that the page reserves.
    """

    name: str
    minute: int
    shows: str
    text: int = 0
    title: int = 0
    of_two: int | None = None
    reserves: str | None = None


def events() -> st.SearchStrategy[list[Event]]:
    """Some captures in the order in which they come in, which need not be that of their times."""
    return st.lists(
        st.builds(
            Event,
            name=st.sampled_from(NAMES),
            minute=st.sampled_from(MINUTES),
            shows=st.sampled_from(("text", "text", "text", "gone", "confirmed")),
            text=st.integers(0, len(TEXTS) - 1),
            title=st.integers(0, len(TITLES) - 1),
            of_two=st.sampled_from((None, None, None, 1, 2)),
            reserves=st.sampled_from((None, None, None, *USES)),
        ),
        min_size=1,
        max_size=8,
    )


def empty(archive: Archive) -> None:
    """Takes everything out of an archive but its version: cheaper than a new one for each example."""
    with archive.catalogue.transaction() as tx:
        for table in metadata.sorted_tables:
            if table.name != "info":
                tx.execute(table.delete())
        tx.execute(sa.text("DELETE FROM sqlite_sequence"))  # the feed begins with 1 again


def bring(archive: Archive, numbered: Iterable[tuple[int, Event]]) -> None:
    """Writes events down; the number of each is its place in the WARC file."""
    well = Rejection(reason=Reason.NOT_MODIFIED, detail="304", status=304)
    with archive.catalogue.transaction() as tx:
        for number, event in numbered:
            write_down(tx, "china_tech", address(event.name), _capture(number, event), _result(event))
            if event.shows == "gone":
                write_down(tx, "china_tech", address(WITNESS), _capture(1_000 + number, replace(event, name=WITNESS)), well)
        settle_withdrawals(tx)
        settle_withdrawals(tx)


def _capture(number: int, event: Event) -> Capture:
    at = WarcRef(file="china_tech-1.warc.gz", offset=number * 100, length=100, record_id=f"<urn:uuid:{number:032d}>")
    when = START + timedelta(minutes=event.minute)
    return Capture(url=address(event.name), fetched_at=when, status=200, headers=(), body=b"", payload_digest="sha256:00", warc=at)


def _result(event: Event) -> Article | Rejection:
    if event.shows != "text":
        reason = Reason.GONE if event.shows == "gone" else Reason.NOT_MODIFIED
        return Rejection(reason=reason, detail=event.shows)
    next_url = address(event.name + "_2") if event.of_two == 1 else None
    made = article(address(event.name), TEXTS[event.text], title=TITLES[event.title], published=None)
    if event.reserves:
        made = with_rights(made, reserved={event.reserves: True})
    return replace(made, part=2 if event.of_two == 2 else 1, next_url=next_url)
