"""Lists of links: markup A (app lists), B and C (channel pages), Founder nodes, JSONP, and the index with its dirt.

Rule of this file: pure functions from entries to HTML, shapes as in the dossier (§2, §5, §8.1 to 8.4). Which entries stand in
which list is decided in directory.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from urllib.parse import quote

from tests.replica import furniture
from tests.replica.truth import TrueArticle

PER_APP_PAGE = 40
PER_CHANNEL_PAGE = 20
PER_NODE_PAGE = 15
PER_MORE_PAGE = 20

_ASCII = re.compile("[!-~]{2}")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def pages(count: int, size: int) -> int:
    return max((count + size - 1) // size, 1)


def page_of(entries: Sequence[TrueArticle], page: int, size: int) -> Sequence[TrueArticle]:
    """The entries of a page; past the end, the last page again (dossier §8.3)."""
    last = pages(len(entries), size)
    begin = (min(max(page, 1), last) - 1) * size
    return entries[begin : begin + size]


def _document(title: str, body: str) -> str:
    return (
        f'<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" />\n<title>{title}</title></head><body>\n'
        f"{furniture.TOP}{furniture.navigation()}{body}{furniture.footer()}</body></html>"
    )


def _channel_name(true: TrueArticle) -> str:
    return furniture.CHANNELS.get(true.section or "roll", "滚动")


def _time(true: TrueArticle, seconds: bool = False) -> str:
    assert true.published
    return f"{true.published:%Y-%m-%d %H:%M:%S}" if seconds else f"{true.published:%Y-%m-%d %H:%M}"


def app(entries: Sequence[TrueArticle], page: int, address: str, title: str) -> str:
    """Markup A: `ul.news_list`, the channel's link before the article's, next page relative to the app host.

    The traps of dossier §8.3 stand on page 1: one entry with an empty href, one with a full-width title, one
    time without seconds; the one on another host comes as an entry.
    """
    last = pages(len(entries), PER_APP_PAGE)
    page = min(max(page, 1), last)
    shown = page_of(entries, page, PER_APP_PAGE)
    wide = next((index for index, true in enumerate(shown) if _ASCII.search(true.title)), None)
    items = [_app_item(true, index == wide, index != 7) for index, true in enumerate(shown)]
    if page == 1:
        items.insert(3, '<li><span>2026-09-06 00:00:00</span> [<a href="">滚动</a>] <a href="" target="_blank">（此稿已删）</a></li>')
    return _document(title, f'<div><ul class="news_list">{"".join(items)}</ul>\n{_app_pager(address, page, last)}</div>')


def _app_item(true: TrueArticle, wide: bool, seconds: bool) -> str:
    title = true.title.translate(_FULL_WIDTH) if wide else true.title
    channel = true.section or "roll"
    return (
        f'<li><span>{_time(true, seconds=seconds)}</span> [<a href="http://tech.china.com.cn/{channel}/">{_channel_name(true)}</a>] '
        f'<a href="{true.url}" target="_blank">{title}</a></li>\n'
    )


def _app_pager(address: str, page: int, last: int) -> str:
    """`&` is not escaped in the hrefs; on the last page the next link has an empty href."""
    following = f"{address}&p={page + 1}" if page < last else ""
    first = "首页" if page == 1 else f'<a href="{address}&p=1">首页</a>'
    return f'<ul class="page"><li>{first}</li><li><a href="{following}">下一页</a></li><li><a href="{address}&p={last}">尾页</a></li></ul>'


def app_address(script: str, parameter: str, value: str) -> str:
    """The href of a list, relative to its host, with its parameter in percent-encoded UTF-8."""
    return f"/news/{script}?{parameter}={quote(value)}"


def channel_b(entries: Sequence[TrueArticle], page: int, folder: str) -> str:
    """Markup B: div.htabx, h3.hsTit3, div.pg a.nxt; hrefs relative to the host."""
    items = "".join(
        f'<li><h3 class="hsTit3"><a href="{_path(true)}">{true.title}</a></h3><p class="lsTips"> {_teaser(true)} </p>'
        f'<div class="fl"><span> {_time(true)} </span></div></li>\n'
        for true in page_of(entries, page, PER_CHANNEL_PAGE)
    )
    body = f'<div class="htabx"><ul>{items}</ul></div>\n{_static_pager(len(entries), page, folder)}'
    return _document(f"{furniture.CHANNELS[folder]}_科技_中国网", body)


def channel_c(entries: Sequence[TrueArticle], page: int, folder: str) -> str:
    """Markup C: .s-list .c h3 a, and the button that a script fills."""
    items = "".join(_c_item(true) for true in page_of(entries, page, PER_CHANNEL_PAGE))
    more = '<a id="more" href="javascript:void(0)">加载更多</a>'
    body = f'<div class="s-list"><ul>{items}</ul>{more}</div>\n{_static_pager(len(entries), page, folder)}'
    return _document(f"{furniture.CHANNELS[folder]}_科技_中国网", body)


def _c_item(true: TrueArticle) -> str:
    return f'<li><div class="c"><h3><a href="{true.url}">{true.title}</a></h3><p>{_teaser(true)}</p><span>{_time(true)}</span></div></li>\n'


def _path(true: TrueArticle) -> str:
    return "/" + true.url.split("/", 3)[3]


def _teaser(true: TrueArticle) -> str:
    return f"{true.paragraphs[0][:40]}…" if true.paragraphs else ""


def _static_pager(count: int, page: int, folder: str) -> str:
    last = pages(count, PER_CHANNEL_PAGE)
    names = [f"/{folder}/index.shtml", *(f"/{folder}/index_{number}.shtml" for number in range(2, last + 1))]
    numbers = "".join(f'<a href="{name}">{number}</a>' for number, name in enumerate(names, 1))
    following = f'<a class="nxt" href="{names[page]}">下一页</a>' if page < last else ""
    return f'<div class="pg">{numbers}{following}</div>'


def node(entries: Sequence[TrueArticle], page: int, name: str) -> str:
    """A Founder list: ul#c_list, div#autopage; on odd lines the href is relative."""
    last = pages(len(entries), PER_NODE_PAGE)
    items = "".join(_node_item(true, index) for index, true in enumerate(page_of(entries, page, PER_NODE_PAGE)))
    names = [f"{name}.htm", *(f"{name}_{number}.htm" for number in range(2, last + 1))]
    numbers = " ".join(f"<span>{n}</span>" if n == page else f'<a href="{href}">{n}</a>' for n, href in enumerate(names, 1))
    following = f' <a href="{names[page]}">></a>' if page < last else ""
    return (
        f'<html><head><meta charset="utf-8"><title>产业_中国网</title></head><body><ul id="c_list">{items}</ul>'
        f'<div id="autopage"><center>{numbers}{following}</center></div>{furniture.footer("中国网")}</body></html>'
    )


def _node_item(true: TrueArticle, index: int) -> str:
    href = _path(true)[1:] if index % 2 else true.url
    return f'<li><div class="c_title fl"><a href="{href}">{true.title}</a></div><span class="date">{_time(true)[:10]}</span></li>\n'


def more(entries: Sequence[TrueArticle], page: int, callback: str | None) -> str:
    """JSONP: with a callback the items of 2018 (li > h3 > a) and past the end an empty array; without one those of
    2022 (.c > h3 > a), in escaped Unicode, and past the end the last page again."""
    if callback is None:
        return f"({json.dumps([_c_item(true) for true in page_of(entries, page, PER_MORE_PAGE)])})"
    shown = page_of(entries, page, PER_MORE_PAGE) if page <= pages(len(entries), PER_MORE_PAGE) else ()
    items = [f'<li><h3><a href="{true.url}">{true.title}</a></h3><p>{_teaser(true)}</p></li>' for true in shown]
    return f"{callback}({json.dumps(items, ensure_ascii=False)})"


def index(new: Sequence[TrueArticle], blocks: Sequence[TrueArticle], tick: int) -> str:
    """The home page: lists in B and C, an iframe, the dirt of dossier §5, and includes that change at every request."""
    first, second, third = new[0], new[1], new[2]
    dirt = (
        f'<LI><A title=""href=" {first.url}" TARGET=_blank>{first.title}</A></LI>\n'
        f'<li><a href="{second.url}\n" target=_blank>{second.title}</a></li>\n'
        f'<li><a href="{third.url}?f=pad&a=true"><a href="{third.url}">{third.title}</a></a></li>\n'
        f'<li><a GBKUrl="{_path(new[3])}" href="https://{new[3].url.removeprefix("http://")}">{new[3].title}</a></li>\n'
        f'<li><a href="{new[4].copies[2]}">{new[4].title}</a></li>\n'
        '<li><a href="javascript:void(0)">收藏本站</a></li>\n'
        '<li><a href="http://app.tech.china.com.cn/news/live.php?channel=%E7%A7%91%E6%8A%80&p=1">滚动</a></li>\n'
    )
    tabs = "".join(f'<li><h3 class="hsTit3"><a href="{_path(true)}">{true.title}</a></h3></li>\n' for true in new[:12])
    stream = "".join(_c_item(true) for true in new[12:32])
    body = (
        f'<base target="_blank">\n<ul class="focus">{dirt}</ul>\n<div class="htabx"><ul>{tabs}</ul></div>\n'
        f'<div class="s-list"><ul>{stream}</ul><a id="more" href="javascript:void(0)">加载更多</a></div>\n'
        f'<iframe src="http://www.china.com.cn/node_7241142.htm"></iframe>\n{furniture.sides(blocks, tick)}'
    )
    return _document("科技频道_中国网", body)


def topic(name: str, entries: Sequence[TrueArticle]) -> str:
    """A special topic: links only."""
    groups = (entries[begin : begin + 4] for begin in range(0, len(entries), 4))
    blocks = "".join(
        '<div class="zt"><h2>报道</h2><ul>' + "".join(f'<li><a href="{true.url}">{true.title}</a></li>' for true in group) + "</ul></div>\n"
        for group in groups
    )
    return _document(f"{name}_专题_中国网", f"<h1>{name}</h1>\n{blocks}")
