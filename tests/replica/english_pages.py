"""Pages of www.china.org.cn: articles, node lists, the feed that is none.

Rule of this file: selectors and dirt as in the dossier (§3, T-en): two elements with the id `guild`, a count of comments before
the source, page links in which the current number is a span.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime

from tests.replica.english import HOME, NODES, english_day
from tests.replica.pages import shown
from tests.replica.resource import HTML, Resource, tag
from tests.replica.truth import TrueArticle

HOST = HOME.removeprefix("http://")
PER_PAGE = 12
Key = tuple[str, str]
FOLLOW = '<p>Follow China.org.cn on <a href="#">Twitter</a> and <a href="#">Facebook</a> to join the conversation.</p>'
TOP = (
    '<div id="header"><a href="http://www.china.org.cn/">Home</a> <a href="/china/node_7075073.htm">China</a> '
    '<a href="/business/node_7074857.htm">Business</a></div>'
)
FOOT = (
    '<div id="footer"><div id="guild"><a href="http://www.china.org.cn/2009-09/28/content_18620394.htm">About Us</a> | '
    '<a href="http://www.china.org.cn/e-logo/map.htm">Site Map</a></div>'
    "<p>Copyright © China.org.cn. All Rights Reserved</p><p>E-mail: editor@example.org.cn Tel: 86-10-00000000 ICP 000000</p></div>"
    "</body></html>"
)


def pages(articles: Sequence[TrueArticle], moment: datetime) -> dict[Key, Resource]:
    """Everything on the English host, by (host, path)."""
    own = [true for true in articles if true.host == HOST]
    found: dict[Key, Resource] = {(HOST, f"/rss/{feed}.xml"): _fixed("feed", _no_feed(), moment) for feed in (1201719, 1185842)}
    found[HOST, "/"] = _fixed("index", _home(own), moment)
    found[HOST, "/rss/node_1214384.htm"] = _fixed("node", _feeds(), moment)
    for section, nodes in NODES.items():
        entries = [true for true in own if true.section == section]
        for place, node in enumerate(nodes):
            found |= _nodes(entries[place :: max(2 * place, 1)], f"/{section}/{node}", moment)
    for true in own:
        for part, url in enumerate((true.url, *true.parts), 1):
            found[HOST, url.removeprefix(HOME)] = _article(true, part)
    return found


def _fixed(kind: str, html: str, moment: datetime) -> Resource:
    body = html.encode()
    return Resource(kind=kind, make=lambda _: body, etag=tag(body), modified=moment, content_type=HTML)


def _article(true: TrueArticle, part: int) -> Resource:
    make = functools.partial(_render, true, part)
    return Resource(kind="article", make=make, etag=tag(make(0)), modified=true.updated, content_type=HTML)


def _render(true: TrueArticle, part: int, tick: int) -> bytes:
    assert true.published
    printed = f"{true.source}, {english_day(true.published)}, {true.published.year}"
    top = (
        f'<h1 id="title">{true.title}</h1>\n<dl id="guild"><dd><span><font id="pinglun">0</font> Comment(s)</span>'
        f'<a href="#">Print</a> <a href="#">E-mail</a> {printed}</dd><dt>Adjust font size: <a href="#">A</a></dt></dl>\n'
    )
    pictures = "".join(_picture(text, image) for text, image in true.captions)
    body = "".join(f"<p>{text}</p>\n" for text in shown(true, part))
    last = part == len(true.parts) + 1
    return (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />'
        f"<title>{true.title + ' - ' if part == 1 else ''}China.org.cn</title></head>"
        f'<body>{TOP}<div class="wrapper"><div class="apDiv1">{top if part == 1 else ""}<div id="container_txt">'
        f"{pictures if part == 1 else ''}{body}{FOLLOW if last else ''}</div>\n{_page_links(true, part)}</div></div>\n{FOOT}"
    ).encode()


def _picture(text: str, image: str) -> str:
    return f'<p align="center"><img src="{image}" /></p><p align="center">{text}</p>\n'


def _page_links(true: TrueArticle, part: int) -> str:
    if not true.parts:
        return ""
    names = [url.rsplit("/", 1)[1] for url in (true.url, *true.parts)]
    return f'<div id="autopage">{_centre(names, part)}</div>'


def _centre(names: Sequence[str], current: int) -> str:
    links = (f"<span>{page}</span>" if page == current else f'<a href="{name}">{page}</a>' for page, name in enumerate(names, 1))
    return f"<center>{'&nbsp;&nbsp;'.join(links)}</center>"


def _nodes(entries: Sequence[TrueArticle], path: str, moment: datetime) -> dict[Key, Resource]:
    count = max((len(entries) + PER_PAGE - 1) // PER_PAGE, 1)
    names = [f"{path}.htm", *(f"{path}_{page}.htm" for page in range(2, count + 1))]
    return {(HOST, name): _fixed("node", _node(entries, names, page), moment) for page, name in enumerate(names, 1)}


def _node(entries: Sequence[TrueArticle], names: Sequence[str], page: int) -> str:
    items = "".join(_entry(true) for true in entries[(page - 1) * PER_PAGE : page * PER_PAGE])
    links = _centre([name.rsplit("/", 1)[1] for name in names], page)
    lists = f'<div class="columns1"><ul>{items}</ul><div id="autopage">{links}</div></div>'
    return f"<html><head><title>China.org.cn</title></head><body>{TOP}{lists}{FOOT}"


def _entry(true: TrueArticle) -> str:
    assert true.published
    return f'<li><a href="{true.url}">{true.title}</a> <span>{true.published:%Y-%m-%d}</span></li>\n'


def _home(entries: Sequence[TrueArticle]) -> str:
    links = "".join(f'<li><a href="{true.url}">{true.title}</a></li>' for true in entries[:10])
    return f"<html><head><title>China.org.cn</title></head><body>{TOP}<ul>{links}</ul>{FOOT}"


def _no_feed() -> str:
    """What one collector saw in 2026: HTML where a feed should be."""
    return f"<html><head><title>China.org.cn</title></head><body>{TOP}<p>The page you asked for has moved.</p>{FOOT}"


def _feeds() -> str:
    return f'<html><head><title>RSS</title></head><body>{TOP}<ul><li><a href="/rss/1201719.xml">China</a></li></ul>{FOOT}'
