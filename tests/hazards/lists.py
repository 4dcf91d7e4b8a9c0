"""The lists that lead to the hazards, and the traps among them. Everything is an Answer of a target; nothing is served here."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.crawler.wire_server import Answer, Asked, page

MOST_OF_A_TRAP = 60
"""requests of one trap in one run: HAZARDS says 50, and its entrance"""
FOREIGN = 60_000
"""links of the page with too many; none of them is an article's"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """`pattern` matches the targets that the trap is made of. The start list links to `entrances`; `sitemaps` and `feeds` stand
    in the seeds file."""

    name: str
    pattern: str
    most: int = MOST_OF_A_TRAP
    entrances: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()


TRAPS = (
    Trap(name="trap_calendar", pattern=r"^/calendar/", entrances=("/calendar/2026/11/",)),
    Trap(name="trap_list.php", pattern=r"^/list\.php", entrances=("/list.php?page=1",)),
    Trap(name="trap_growing_path", pattern=r"^/deep/", most=8, entrances=("/deep/deep/",)),
    Trap(name="trap_endless_pages", pattern=r"^/tech/list_\d+", most=4),
    Trap(name="trap_endless_jsonp", pattern=r"^/more\.php", most=4),
    Trap(name="trap_many_links", pattern=r"^/(?:many\.html|tag/)", most=2, entrances=("/many.html",)),
    Trap(name="badlinks", pattern=r"^/badlinks", most=2, entrances=("/badlinks.html",)),
    Trap(name="base_href", pattern=r"^/based", most=2, entrances=("/based.html",)),
    Trap(name="sitemap_loop", pattern=r"^/sitemap_(?:loop|left|right)", most=8, sitemaps=("/sitemap_loop.xml",)),
    Trap(name="sitemap_bomb", pattern=r"^/sitemap_(?:bomb|lol)", most=4, sitemaps=("/sitemap_bomb.xml.gz", "/sitemap_lol.xml")),
    Trap(name="sitemap_xxe", pattern=r"^/(?:sitemap_xxe|feed_xxe)", most=4, sitemaps=("/sitemap_xxe.xml",), feeds=("/feed_xxe.xml",)),
    Trap(name="sitemap_inside", pattern=r"^/sitemap_inside", most=2, sitemaps=("/sitemap_inside.xml",)),
)
FOLLOW = (r"/calendar/\d{4}/\d{1,2}/$", r"/list\.php\?", r"/deep/", r"/badlinks\.html$", r"/based\.html$", r"/many\.html$")


def listed(links: Iterable[tuple[str, str]]) -> bytes:
    items = "".join(f'<li><a href="{href}">{title}</a> <span>2026-11-20</span></li>\n' for href, title in links)
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>科技</title></head><body><ul>{items}</ul></body></html>'.encode()


def xml(body: str) -> Answer:
    return page(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode(), headers={"Content-Type": "application/xml"})


def sitemap(urls: Iterable[str], doctype: str = "", entity: str = "") -> Answer:
    entries = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    return xml(f'{doctype}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entity}{entries}</urlset>')


def sitemap_index(urls: Iterable[str]) -> Answer:
    entries = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return xml(f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</sitemapindex>')


def bomb_of_addresses(origin: str) -> Answer:
    entry = f"<url><loc>{origin}/tag/x.html</loc></url>\n".encode()
    body = (
        b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">' + entry * (2**25 // len(entry)) + b"</urlset>"
    )
    return page(gzip.compress(body), headers={"Content-Type": "application/gzip"})


def when_asked(make: Callable[[], Answer]) -> Answer:
    """An answer that is made only for who asks: it is large, and most crawls do not."""

    def answer(connection: socket.socket, asked: Asked) -> None:
        make()(connection, asked)

    return answer


def doctypes(internal: int) -> dict[str, str]:
    """Documents that would have us read a file, ask the neighbour, or grow."""
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return {
        "file": '<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        "inside": f'<!DOCTYPE urlset SYSTEM "http://127.0.0.1:{internal}/x.dtd" [<!ENTITY % p SYSTEM "http://127.0.0.1:{internal}/"> %p;]>',
        "lol": f'<!DOCTYPE urlset [<!ENTITY l0 "lol">{lol}]>',
    }


def traps(origin: str, internal: int, articles: Iterable[str]) -> dict[str, Answer]:
    """Fixed targets. `articles` are three articles for the page of bad links; two of them are linked nowhere else."""
    first, second, third = articles
    neighbour = f"http://127.0.0.1:{internal}"
    bad = [
        ("http://[::1", "坏"),
        (first, "一"),
        ("http://a b c/", "坏"),
        ("//", "坏"),
        (second, "二"),
        ("http://x:99999999/", "坏"),
        ("javascript:void(0)", "坏"),
        ("\x00", "坏"),
        ("ht!tp://x", "坏"),
        ("%zz%", "坏"),
        (third, "三"),
        (f"{neighbour}/tech/20261120/5.html", "内"),
    ]
    said = doctypes(internal)
    based = listed([("/tech/20261120/77.html", "内"), ("tech/20261120/78.html", "内")])
    return {
        "/badlinks.html": page(listed(bad)),
        "/based.html": page(based.replace(b"<head>", f'<head><base href="{neighbour}/">'.encode())),
        "/many.html": when_asked(lambda: page(listed((f"/tag/{n}.html", f"标签{n}") for n in range(FOREIGN)))),
        "/": page(listed([("/tech/list_1.html", "科技"), ("/calendar/2026/11/", "日历")])),
        "/sitemap_loop.xml": sitemap_index(f"{origin}/sitemap_{name}.xml" for name in ("loop", "left", "right")),
        "/sitemap_left.xml": sitemap_index([f"{origin}/sitemap_right.xml", f"{origin}/sitemap_loop.xml"]),
        "/sitemap_right.xml": sitemap_index([f"{origin}/sitemap_left.xml"]),
        "/sitemap_bomb.xml.gz": when_asked(lambda: bomb_of_addresses(origin)),
        "/sitemap_lol.xml": sitemap([f"{origin}/tag/&l9;"], said["lol"]),
        "/sitemap_xxe.xml": sitemap([f"{origin}/tag/&x;"], said["file"]),
        "/sitemap_inside.xml": sitemap([f"{neighbour}/tech/20261120/9.html", f"{neighbour}/sitemap.xml"]),
        "/feed_xxe.xml": xml(f"{said['inside']}<rss version='2.0'><channel><item><link>&x;</link></item></channel></rss>"),
        "/robots.txt": page(b"User-agent: *\nDisallow: /no/\n", headers={"Content-Type": "text/plain"}),
    }


def endless(first_page: bytes) -> Answer:
    """What has no end: months, numbered lists, paths that grow, later pages that repeat the first. Anything else is a 404."""

    def answer(connection: socket.socket, asked: Asked) -> None:
        body = next((make(match) for pattern, make in makers if (match := re.search(pattern, asked.target))), None)
        (page(b"not here", "404 Not Found") if body is None else page(body))(connection, asked)

    makers: tuple[tuple[str, Callable[[re.Match[str]], bytes]], ...] = (
        (r"^/calendar/(\d+)/(\d+)/$", lambda match: listed(_months(int(match[1]), int(match[2])))),
        (r"^/list\.php\?page=(\d+)", lambda match: listed((f"/list.php?page={int(match[1]) + n}", f"第{n}页") for n in range(1, 4))),
        (r"^/deep/", lambda _: listed([("more/", "更多"), ("deeper/more/", "更深")])),
        (r"^/tech/list_\d+\.html$", lambda _: first_page),
        (r"^/more\.php", lambda _: b'CB(["<li><a href=\\"/tag/1.html\\">x</a></li>"])'),
    )
    return answer


def _months(year: int, month: int) -> list[tuple[str, str]]:
    number = year * 12 + month - 1
    return [(f"/calendar/{other // 12}/{other % 12 + 1}/", f"{other // 12}年{other % 12 + 1}月") for other in (number - 1, number + 1)]
