"""The site of `benchmarks.endtoend`: generated article pages of 30 to 80 KB in files, the truth about them, and a server.

    python -m benchmarks.endtoend_site FOLDER        serves a folder on 127.0.0.1 and prints the port

The pages are built as Chinese news sites build them: meta elements, style sheets and scripts in the page, a menu, breadcrumbs,
the article with its header and its editor's line, share buttons, boxes of related and popular articles with pictures, a footer.
Elements, links, scripts and text a page are those of the yardstick's real pages of this size (17 Chinese ones: 405 elements, 84
links, 24 % scripts and styles, 1,303 characters of text in the median). Every sentence is ours. A page follows from its number.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count as numbered
from pathlib import Path

from benchmarks.dedup_corpus import Writer

SMALLEST, LARGEST = 30_000, 80_000
"""bytes of a page"""
ROOM = 3_500
"""bytes by which the last box may pass the wanted size"""
SCRIPTS = (0.10, 0.45)
"""share of a page's bytes that are scripts and styles"""
PARAGRAPHS = (6, 18)
SENTENCES = (2, 5)
ENTRIES = 6
"""articles that one box shows"""
LINKS = 200
"""articles that one page of the list shows"""
DAY = "20260904"
EDITOR, FOOTER = "责任编辑：何晓苇", "版权所有 例行新闻网 未经书面授权禁止使用"
BOXES = ("相关阅读", "热门排行", "图片新闻", "频道精选", "本地消息", "编辑推荐")
FURNITURE = (EDITOR, FOOTER, *BOXES, "分享到")
"""what must not be in any text"""
LIST, FEW_LIST, ARTICLE = "list", "few", "a"
FEW = 0.1
"""share of the pages that a second set of lists leads to, for the run that tells what the start costs"""
CHARSETS = "charsets.json"
"""path -> charset, of the pages that are not UTF-8"""

SEEDS = """
name = "site"
publisher = "例行新闻网"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["{host}"]
[politeness]
delay = 0.0
concurrency = 16
max_requests = 10_000_000
max_bytes = 1_000_000_000_000
[discover]
listings = ["http://{host}/{lists}/{{page}}.html"]
article = ['^http://{escaped}/a/(?P<date>\\d{{8}})/(?P<id>[\\w-]+)\\.html$']
max_pages = 10_000
"""
LAYOUT = """
[[layout]]
name = "2026"
title = ["h1.headline"]
body = ["#content-text"]
published = ["span.pubtime"]
source = ["span.from a"]
author = ["span.writer"]
editor = ["p.bianji"]
drop = [".share"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One page and the truth about it."""

    number: int
    body: bytes
    title: str
    paragraphs: tuple[str, ...]


def path_of(number: int) -> str:
    return f"/{ARTICLE}/{DAY}/{number}.html"


# ── a page ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def make(number: int) -> Made:
    """The page of a number."""
    writer = Writer("zh", random.Random(number))
    dice = writer.random
    title, paragraphs = _story(writer)
    size = dice.randint(SMALLEST, LARGEST - ROOM)
    scripts = dice.uniform(*SCRIPTS) * size
    parts = [_menu(), *_article(number, title, paragraphs)]
    markup = sum(len(part.encode()) for part in parts) + len(_head(title, "").encode())
    while markup < size - scripts:
        parts.append(_box(writer, len(parts)))
        markup += len(parts[-1].encode())
    body = _page(title, parts, _scripts(dice, max(0, size - markup), len(parts)))
    return Made(number=number, body=body.encode(), title=title, paragraphs=paragraphs)


def bare_page(number: int) -> bytes:
    """The article of a number, its title and text in the same elements, and next to nothing around it."""
    title, paragraphs = _story(Writer("zh", random.Random(number)))
    return f"{_head(title, '')}<body>{''.join(_article(number, title, paragraphs))}</body></html>\n".encode()


def _story(writer: Writer) -> tuple[str, tuple[str, ...]]:
    """Title and paragraphs."""
    dice = writer.random
    title = writer.sentence().rstrip("。")
    return title, tuple("".join(writer.sentence() for _ in range(dice.randint(*SENTENCES))) for _ in range(dice.randint(*PARAGRAPHS)))


def _page(title: str, parts: list[str], scripts: list[str]) -> str:
    """Style sheets in the head, a script after each part."""
    style, *code = scripts
    blocks = "\n".join(f"{part}\n<script>{script}</script>" for part, script in zip(parts, code, strict=True))
    return (
        f'{_head(title, style)}<body class="page page-article"><div class="wrap">{blocks}</div>\n<div class="footer"><p>{FOOTER}</p>'
        '<p><a href="/about.html">关于我们</a> | <a href="/contact.html">联系方式</a></p></div></body></html>\n'
    )


def _head(title: str, style: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}_例行新闻网</title>\n'
        f'<meta name="description" content="{title}"><meta name="publishdate" content="2026-09-04">\n'
        f'<link rel="stylesheet" href="/css/article.css"><style>{style}</style></head>\n'
    )


def _menu() -> str:
    entries = "".join(f'<li class="nav-item"><a href="/{LIST}/{n}.html" target="_blank">频道{n}</a></li>' for n in range(1, 31))
    crumbs = f'<div class="crumbs"><a href="/">首页</a> &gt; <a href="/{LIST}/1.html">科技</a> &gt; 正文</div>'
    return f'<!-- 导航 --><div class="top-nav"><ul>{entries}</ul></div>{crumbs}'


def _article(number: int, title: str, paragraphs: tuple[str, ...]) -> tuple[str, str]:
    text = "\n".join(f"<p>\u3000\u3000{paragraph}</p>" for paragraph in paragraphs)
    share = "".join(f'<a href="#s{n}"><i class="icon icon-{n}"></i></a>' for n in range(6))
    when = f'<span class="pubtime">2026-09-04 {number % 24:02}:{number % 60:02}</span>'
    source = '<span class="from">来源：<a href="/about.html">例行新闻网</a></span> <span class="writer">记者 岳青禾</span>'
    head = f'<h1 class="headline">{title}</h1>\n<div class="meta-line">{when} {source}</div>'
    body = f'{text}\n<div class="share">分享到 {share}</div>\n<p class="bianji">{EDITOR}</p>'
    return (
        f'<!-- 标题 --><div class="head clearfix">{head}</div>',
        f'<!-- 正文 --><div class="main"><div id="content-text">{body}</div></div>',
    )


def _box(writer: Writer, place: int) -> str:
    name = BOXES[place % len(BOXES)]
    entries = "".join(_entry(writer, place, number) for number in range(ENTRIES))
    head = f"<!-- {name} --><h3><span>{name}</span></h3>"
    return f'<div class="box box-{place}">{head}<ul class="list clearfix">{entries}</ul></div><!-- /{name} -->'


def _entry(writer: Writer, place: int, number: int) -> str:
    dice, title = writer.random, writer.sentence()[:24]
    picture = f'data-src="/upload/2026/0904/{dice.getrandbits(96):024x}.jpg" alt="{title}" width="120" height="80"'
    link = f'href="{path_of(dice.randrange(10**6))}?from=box{place}&amp;pos={number}" target="_blank" title="{title}"'
    return (
        f'<li class="item"><div class="pic"><img src="/img/blank.gif" {picture}></div>'
        f'<a {link} data-track="box{place}.{number}.{dice.getrandbits(48):012x}">{title}</a><em>09-0{number % 9 + 1}</em></li>\n'
    )


def _scripts(dice: random.Random, length: int, parts: int) -> list[str]:
    """A style sheet and a script for each part, of a length (in bytes) in all."""
    share = length // 3
    return [_style(dice, share), *(_script(dice, (length - share) // parts) for _ in range(parts))]


def _style(dice: random.Random, length: int) -> str:
    return _until(length, (f".c{n} .item-{dice.randrange(999)}{{margin:{n % 40}px;color:#{dice.randrange(4096):03x}}}" for n in numbered()))


def _script(dice: random.Random, length: int) -> str:
    return _until(length, (f'var v{n}={{"k":"{dice.getrandbits(128):032x}","n":{n}}};' for n in numbered()))


def _until(length: int, lines: Iterator[str]) -> str:
    """Whole lines, the last of them passing a length (in ASCII characters)."""
    taken: list[str] = []
    while length > 0:
        taken.append(next(lines))
        length -= len(taken[-1]) + 1
    return "\n".join(taken)


# ── the site ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def listing(page: int, numbers: range) -> str:
    entries = "".join(f'<li><a href="{path_of(number)}">第 {number} 条消息的标题</a><span>09-04</span></li>\n' for number in numbers)
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>第{page}页</title></head><body><ul>{entries}</ul></body></html>'


def write_site(folder: Path, pages: int, first: int = 1) -> dict[str, tuple[str, ...]]:
    """Writes the pages `first` … `first + pages - 1` and their lists. Path -> true paragraphs."""
    (folder / ARTICLE / DAY).mkdir(parents=True)
    numbers = range(first, first + pages)
    truth = {}
    for number in numbers:
        made = make(number)
        (folder / path_of(number).lstrip("/")).write_bytes(made.body)
        truth[path_of(number)] = made.paragraphs
    write_lists(folder, pages, first)
    return truth


def write_lists(folder: Path, pages: int, first: int = 1) -> None:
    """Those of all pages, and those of few of them."""
    for name, count in ((LIST, pages), (FEW_LIST, few_of(pages))):
        numbers = range(first, first + count)
        (folder / name).mkdir()
        for page, begin in enumerate(range(0, count + LINKS, LINKS), 1):  # behind the last one, an empty one
            (folder / name / f"{page}.html").write_text(listing(page, numbers[begin : begin + LINKS]), encoding="utf-8")


def few_of(pages: int) -> int:
    return max(1, round(FEW * pages))


def seeds(host: str, *, layout: bool, lists: str = LIST) -> str:
    return SEEDS.format(host=host, escaped=host.replace(".", r"\."), lists=lists) + (LAYOUT if layout else "")


# ── the server ───────────────────────────────────────────────────────────────────────────────────────────────────────


def answers(folder: Path) -> dict[bytes, bytes]:
    """Path -> the whole answer, in memory: the server takes next to nothing of the two cores."""
    known = folder / CHARSETS
    charsets = json.loads(known.read_text()) if known.exists() else {}
    found = {}
    for file in folder.rglob("*.html"):
        path = f"/{file.relative_to(folder)}"
        found[path.encode()] = _answer("200 OK", charsets.get(path, "utf-8"), file.read_bytes())
    return found


def _answer(status: str, charset: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset={charset}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, known: Mapping[bytes, bytes]) -> None:
    missing = _answer("404 Not Found", "utf-8", b"")
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            target = request.split(b" ", 2)[1].partition(b"?")[0]
            writer.write(known.get(target, missing))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, IndexError):
        pass
    finally:
        writer.close()


async def _serve(folder: Path, port: int) -> None:
    known = answers(folder)
    server = await asyncio.start_server(lambda reader, writer: _talk(reader, writer, known), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]).resolve(), int(sys.argv[2])))
