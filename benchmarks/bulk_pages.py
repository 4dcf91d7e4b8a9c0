"""News pages of our own for measurements of bulk work: 30 to 80 KB, of which about 2,500 characters are the article.

Of a site with a layout, or of one that has none and is read by consensus.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.dedup_corpus import Writer
from pipelines.archive.warc import Exchange, WarcWriter
from pipelines.site import Site, parse_site

PARAGRAPHS, SENTENCES = 10, 5
BEGUN = datetime(2026, 9, 5, tzinfo=UTC)
HEADERS = (("Content-Type", "text/html; charset=utf-8"), ("Server", "nginx"), ("ETag", '"5f2c"'))
LAYOUT = """
[[layout]]
name = "page"
title = ["h1"]
body = ["div.text"]
published = ["span.when"]
"""
SEEDS = """
name = "{name}"
publisher = "Benchmark"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["{name}.example.cn"]
[discover]
listings = ["http://{name}.example.cn/"]
article = ['/a/(?P<id>\\d+)\\.html$']
"""
KINDS = ("layout", "consensus")


def rules(kind: str) -> bytes:
    return (SEEDS.format(name=kind) + (LAYOUT if kind == "layout" else "")).encode()


def sites() -> dict[str, Site]:
    return {kind: parse_site(rules(kind), f"{kind}.toml") for kind in KINDS}


def url(kind: str, number: int) -> str:
    return f"http://{kind}.example.cn/a/{number}.html"


def page(number: int) -> bytes:
    """Menus, a sidebar, related links, scripts and styles around an article, in markup as news sites have it."""
    dice = random.Random(number)
    writer = Writer("zh", dice)
    title = writer.sentence().rstrip("。")
    text = "".join(f"<p>{''.join(writer.sentence() for _ in range(SENTENCES))}</p>\n" for _ in range(PARAGRAPHS))
    links = [writer.sentence().rstrip("。")[:24] for _ in range(40)]
    menu = "".join(f'<li class="item"><a href="/c/{n}/" target="_blank">{links[n % 40][:4]}</a></li>\n' for n in range(60))
    beside = "".join(
        f'<li><a href="/a/{dice.randrange(10**6)}.html" title="{link}">{link}</a><em>09-0{n % 9 + 1}</em></li>\n'
        for n, link in enumerate(links)
    )
    script = "".join(f"var v{n}='{dice.getrandbits(64):x}';" for n in range(dice.randrange(200, 1_400)))
    return "\n".join(
        (
            f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}_站点</title>',
            f"<style>{'.item{float:left;margin:0 4px}' * 100}</style><script>{script}</script></head>",
            f'<body><div class="nav"><ul>{menu}</ul></div><div class="main"><h1>{title}</h1>',
            f'<div class="info"><span class="when">2026-09-04 10:{number % 60:02}</span> <span>来源：站点</span></div>',
            f'<div class="text">{text}</div><div class="share">分享到：</div></div>',
            f'<div class="side"><ul>{beside}</ul></div><div class="related"><ul>{beside}</ul></div>',
            '<div class="foot">版权所有 站点 京ICP备000号</div></body></html>',
        )
    ).encode()


def exchanges(kind: str, count: int) -> Iterator[Exchange]:
    for number in range(count):
        yield Exchange(
            url=url(kind, number),
            fetched_at=BEGUN + timedelta(seconds=number),
            status=200,
            reason="OK",
            headers=HEADERS,
            body=page(number),
            request_headers=(("User-Agent", "benchmark"),),
        )


def write(folder: Path, kind: str, count: int) -> list[Path]:
    """WARC files of so many pages."""
    with WarcWriter(folder, prefix="bulk", software="benchmark", rules={}, max_seconds=1e9, max_bytes=2**27) as writer:
        for one in exchanges(kind, count):
            writer.write(one)
    return sorted(folder.iterdir())
