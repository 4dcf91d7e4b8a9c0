"""The modes in which a robots.txt can be served, each with what must come of it. Data: nothing is served or crawled here."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.crawler.wire_server import PAGE, Answer, in_turn, page, resets, says

RULES = b"User-agent: *\nDisallow: /no/\n"
FORBIDS = b"User-agent: *\nDisallow: /\n"
LONG = RULES + b"# a comment of no interest whatever\n" * 1_200_000
"""43 MB"""
BOMB = RULES + bytes(64 * 2**20)
"""bytes; larger bombs cost no more, as decoding stops at 500 KiB"""
MOVED = "/a/rules.txt"
"""where the mode "redirect" leads; RULES must be served there"""


class Expect(StrEnum):
    """What must come of the site."""

    CRAWL = "crawl"
    DO_NOT = "do not"
    BOUNDED = "bounded"
    """crawled, and no more than 500 KiB, or six requests, were spent on its robots.txt"""
    NEVER_FOLLOWED = "never followed"
    """where it leads is not contacted, and the site, whose rules stay unknown, is not crawled"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """`make` gets the port of a neighbour on 127.0.0.1 that nobody may ask. `rules`: RULES are in force, whatever is around them.
    `requests` of /robots.txt are allowed. `disallowed`: the file itself forbids the site, rather than its absence."""

    expect: Expect
    make: Callable[[int], Answer]
    rules: bool = False
    requests: int = 3
    disallowed: bool = False

    @property
    def crawled(self) -> bool:
        return self.expect in (Expect.CRAWL, Expect.BOUNDED)


def to(location: str) -> Answer:
    return page(b"", "302 Found", {"Location": location})


def crawl(answer: Answer, *, rules: bool = False) -> Mode:
    return Mode(expect=Expect.CRAWL, make=lambda _: answer, rules=rules)


def do_not(answer: Answer, *, disallowed: bool = False) -> Mode:
    return Mode(expect=Expect.DO_NOT, make=lambda _: answer, disallowed=disallowed)


def bounded(answer: Answer, *, rules: bool = True, requests: int = 3) -> Mode:
    return Mode(expect=Expect.BOUNDED, make=lambda _: answer, rules=rules, requests=requests)


def never_followed(location: str) -> Mode:
    return Mode(expect=Expect.NEVER_FOLLOWED, make=lambda port: to(location.format(port=port)))


def flaky() -> Mode:
    """Made anew for each server: it counts."""
    return Mode(expect=Expect.CRAWL, make=lambda _: in_turn(page(b"", "500 Oops"), page(RULES)), rules=True)


MODES: dict[str, Mode] = {
    "404": crawl(page(FORBIDS, "404 Not Found")),
    "403": crawl(page(FORBIDS, "403 Forbidden")),
    "401": crawl(page(FORBIDS, "401 Unauthorized")),
    "html": crawl(page(PAGE)),
    "empty": crawl(page(b"")),
    "bom": crawl(page(b"\xef\xbb\xbf" + RULES), rules=True),
    "gb18030": crawl(
        page("# 规则\n".encode("gb18030") + RULES, headers={"Content-Type": "text/plain; charset=gb18030"}),
        rules=True,
    ),
    "for_others": crawl(page(b"User-agent: otherbot\nDisallow: /\n")),
    "for_us": crawl(page(FORBIDS + b"\nUser-agent: China-Tech-Archive\nDisallow: /no/\n"), rules=True),
    "redirect": crawl(to(MOVED), rules=True),
    "download": crawl(
        page(RULES, headers={"Content-Type": "application/zip", "Content-Disposition": "attachment"}),
        rules=True,
    ),
    "flaky_500": flaky(),
    "disallow_all": do_not(page(FORBIDS), disallowed=True),
    "500": do_not(page(b"", "500 Internal Server Error")),
    "503": do_not(page(b"", "503 Service Unavailable")),
    "429": do_not(page(b"", "429 Too Many Requests")),
    "reset": do_not(resets()),
    "timeout": do_not(says(90.0)),
    "half": do_not(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nUser-agent: *\n")),
    "half_gzip": do_not(page(gzip.compress(FORBIDS * 50)[:-9], headers={"Content-Encoding": "gzip"})),
    "loop": bounded(to("/robots.txt"), rules=False, requests=6),
    "40_mb": bounded(page(LONG, headers={"Content-Type": "text/plain"})),
    "40_mb_unmeasured": bounded(says(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", LONG)),
    "bomb_gzip": bounded(page(gzip.compress(BOMB, 1), headers={"Content-Encoding": "gzip"})),
    "bomb_deflate": bounded(page(zlib.compress(BOMB, 1), headers={"Content-Encoding": "deflate"})),
    "redirect_port": never_followed("http://127.0.0.1:{port}/robots.txt"),
    "redirect_address": never_followed("http://0.0.0.0:{port}/robots.txt"),
    "redirect_refused": never_followed("http://127.0.0.1:1/robots.txt"),
    "redirect_file": never_followed("file:///etc/passwd"),
}
