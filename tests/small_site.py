"""A small site of our own for tests of whole archives: its seeds file, its pages, WARC files of them, an archive of those.

Every byte goes the way that a crawl's goes: `Exchange` → WarcWriter → replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.archive import Archive, open_archive
from pipelines.archive.outcome_record import told
from pipelines.archive.warc import Exchange, WarcWriter
from pipelines.choice import chooser
from pipelines.model import Hints, Kind
from pipelines.reading import read
from pipelines.replay import Tally, replay
from pipelines.site import Site, parse_site
from pipelines.urls import canonical

HOST = "http://news.example.cn"
START = datetime(2026, 11, 1, 2, 0, 0, 123_456, tzinfo=UTC)
NOTE = "本报编辑部提示：以上内容只供测试使用，请勿当真。"
SEEDS = """
name = "small"
publisher = "小站"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.cn"]
[discover]
listings = ["http://news.example.cn/list/"]
article = ['/2026/(?P<id>[a-z0-9-]+)\\.html$']
[identity]
part = '(?P<head>/2026/[a-z0-9-]+)_(?P<part>[0-9]+)(?P<tail>\\.html)$'
[[layout]]
name = "page"
title = ["h1"]
body = ["div.text"]
published = ["span.when"]
"""
ROBOT = (
    "上海一家机器人公司今天展示了新的装配线，六台机械臂在一分钟里装好一台整机，现场没有一个工人动手。",
    "工程师说，视觉系统能分辨零点一毫米的偏差，夜班因此不再需要人值守，每月省下的电费也不是小数。",
    "公司计划明年把产量提高一倍，并在西部建设第二座工厂，当地已经为它划出了四十公顷土地。",
)
BATTERY = (
    "北京的一个研究小组公布了一种新型电池，充电十分钟可以行驶四百公里，冬天也不掉电。",
    "小组负责人表示，材料来自常见的矿物，成本比现有产品低三成，回收时也不产生废水。",
    "明年春天将开始路试，三家汽车厂已经报名参加，第一批样车正在沈阳的一间厂房里改装。",
)
TELESCOPE = (
    "贵州山里的天文台昨夜启用了第二面天线，两面天线合在一起看到的细节是从前的三倍。",
    "值班的年轻人说，第一个目标是一颗六千光年外的脉冲星，它每秒转三十圈，从不迟到。",
    "附近的村民把手机都调成了静默，因为一个来电就足以盖过宇宙深处传来的消息。",
)


def page(paragraphs: Iterable[str], title: str = "机器人装好一台整机", note: str | None = NOTE) -> bytes:
    """An article's page; `note` is a line that a stricter seeds file would leave out."""
    lines = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs) + (f'<p class="note">{note}</p>' if note else "")
    head = f"<head><meta charset='utf-8'><title>{title}</title></head>"
    body = f"<h1>{title}</h1><span class='when'>2026-10-31 09:15</span><div class='text'>{lines}</div>"
    return f"<html>{head}<body>{body}</body></html>".encode()


def url(name: str) -> str:
    return f"{HOST}/2026/{name}.html"


def exchange(name: str, body: bytes, day: float = 0, **rest: Any) -> Exchange:
    """The page of an article as it was answered."""
    values: dict[str, Any] = {
        "url": url(name),
        "fetched_at": START + timedelta(days=day),
        "status": 200,
        "reason": "OK",
        "headers": (("Content-Type", "text/html; charset=utf-8"),),
        "body": body,
    }
    return Exchange(**{**values, **rest})


def confirmation(name: str, day: float, of_day: float = 0) -> Exchange:
    """A 304."""
    return exchange(name, b"", day, status=304, reason="Not Modified", refers_to=(url(name), START + timedelta(days=of_day)))


def listing(names: Iterable[str], day: float = 0) -> Exchange:
    links = "".join(f'<li><a href="{url(name)}">第{n}条</a></li>' for n, name in enumerate(names))
    return exchange("x", f"<html><body><ul>{links}</ul></body></html>".encode(), day, url=f"{HOST}/list/", kind=Kind.LISTING)


def usual() -> list[Exchange]:
    """What most tests begin with: three stories, a copy of the first, a confirmation, a page that is gone, a list."""
    return [
        listing(("robot", "battery"), -0.1),
        exchange("robot", page(ROBOT), 0, hints=Hints(via=f"{HOST}/list/", title="机器人装好一台整机")),
        exchange("battery", page(BATTERY, "充电十分钟行驶四百公里"), 0.1),
        exchange("robot-copy", page(ROBOT), 0.2),
        confirmation("robot", 0.3),
        exchange("telescope", page(TELESCOPE, "第二面天线启用"), 0.4),
        exchange("lost", b"<html><body><p>404</p></body></html>", 0.5, status=404, reason="Not Found"),
    ]


def write_warc(folder: Path, exchanges: Iterable[Exchange], prefix: str = "small") -> Path:
    """One WARC file of some exchanges."""
    with WarcWriter(folder, prefix=prefix, software="tests/1", rules={}, max_seconds=1e9) as writer:
        for one in exchanges:
            writer.write(one)
        assert writer.position is not None
        return folder / writer.position[0]


def told_warc(folder: Path, *, apart: bool = False, of: Sequence[str] = ()) -> list[Path]:
    """The usual captures in a WARC file as a crawl writes it, with what is told of pages (of some); `apart`, that in the next file."""
    with WarcWriter(folder, prefix="small", software="tests/1", rules={}, max_seconds=1e9) as writer:
        captures = [writer.write(one) for one in usual()]
        read_as = [(one, read(one, site())) for one in captures if one.kind is Kind.ARTICLE and (not of or one.url in of)]
        if apart:
            writer.close()
        writer.tell([told(one, canonical(one.url, site()).url, site().digest, result) for one, result in read_as if result is not None])
    return sorted(folder.iterdir())


def site(more: str = "", deny: str = "") -> Site:
    """The site, its one layout with further keys, and URLs that it denies."""
    return parse_site(rules(more, deny), "small.toml")


def rules(more: str = "", deny: str = "") -> bytes:
    denied = f"[discover]\ndeny = ['{deny}']" if deny else "[discover]"
    return (SEEDS.replace("[discover]", denied) + more).encode()


@dataclass(slots=True)
class Small:
    """An archive of the small site. `more` are further lines of its layout, `deny` URLs that are none of its articles."""

    folder: Path
    more: str = ""
    deny: str = ""
    warcs: list[Path] = field(default_factory=list)

    def open(self) -> Archive:
        return open_archive(self.folder, create=True)

    def bring(self, exchanges: Iterable[Exchange], prefix: str = "small") -> Tally:
        """Replays exchanges out of a WARC file of their own."""
        path = write_warc(self.folder.parent / "warcs", exchanges, prefix)
        self.warcs.append(path)
        return self.replay(path)

    def replay(self, *paths: Path) -> Tally:
        with self.open() as archive:
            archive.keep_rules(self.site, rules(self.more, self.deny))
            return replay(archive, paths, chooser({"small": self.site}))

    @property
    def site(self) -> Site:
        return site(self.more, self.deny)


def small(folder: Path, exchanges: Iterable[Exchange] | None = None, more: str = "") -> Small:
    """A new archive of the small site with the usual pages, or with others."""
    made = Small(folder / "archive", more)
    made.bring(usual() if exchanges is None else exchanges)
    return made
