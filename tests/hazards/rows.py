"""One row a hazard (HAZARDS, "from the network"): what is served behind an article's URL, and what must come of it.

Rule of this file: data. `make` gets the Case (its own story, its place, where the forbidden neighbour listens) and returns
what the URL answers; nothing is served, crawled or judged here.
"""

from __future__ import annotations

import gzip
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum

from tests.crawler.test_capture import HEAD, MANY, bomb, chunk, chunked, endless
from tests.crawler.wire_server import Answer, Asked, in_turn, page, resets, says
from tests.hazards import pages
from tests.hazards.pages import Story


class Expect(StrEnum):
    """HAZARDS' words: what must be in the corpus after the first run (`LATER`: after the second)."""

    ARCHIVE = "archive"
    LATER = "archive later"
    POLICY = "policy"
    """archived, and its rights say who may not use it"""
    REJECT = "reject"
    FAIL = "fail"
    PARTIAL = "partial"
    SURVIVE = "survive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the slow take and the busy ask us to wait, in seconds."""

    retry_after: float = 2
    retry_after_429: float = 5
    silent: float = 90
    """longer than any timeout of the crawl"""


@dataclass(slots=True, kw_only=True)
class Case:
    """One hazard in its place. `also` are further targets of its server; `internal` is the neighbour that nobody may ask."""

    name: str
    story: Story
    origin: str
    path: str
    internal: int
    pace: Pace
    also: dict[str, Answer] = field(default_factory=dict)

    @property
    def page(self) -> bytes:
        return pages.page(self.story)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`requests` bounds what the first run may ask of the URL; `reason` is what the frontier must call it, where one word is
    right; `own_host`: what it says, it says for its whole host."""

    name: str
    expect: Expect
    make: Callable[[Case], Answer]
    requests: int = 3
    reason: str | None = None
    gap: Callable[[Pace], float] = lambda _: 0.0
    """seconds that must lie between its requests"""
    own_host: bool = False


def row(name: str, expect: Expect, make: Callable[[Case], Answer], **more: object) -> Row:
    return Row(name=name, expect=expect, make=make, **more)  # type: ignore[arg-type]


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def just(answer: Answer) -> Callable[[Case], Answer]:
    return lambda _: answer


def told(**more: str) -> Callable[[Case], Answer]:
    """The case's page with something changed."""
    return lambda case: page(pages.page(case.story, **more))


def with_headers(*lines: str) -> Callable[[Case], Answer]:
    headers = "".join(f"{line}\r\n" for line in lines).encode("utf-8")
    return lambda case: raw(headers, case.page)


def raw(headers: bytes, body: bytes, length: int | None = None) -> Answer:
    """An answer with header lines of one's own behind the usual ones."""
    return says(HEAD + headers + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % (len(body) if length is None else length) + body)


def typed(content_type: str | None, body: bytes, *more: str) -> Answer:
    lines = [*([f"Content-Type: {content_type}"] if content_type else []), *more]
    head = "HTTP/1.1 200 OK\r\n" + "".join(f"{line}\r\n" for line in lines) + f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return says(head.encode("latin-1") + body)


def to(location: str) -> Answer:
    return says(b"HTTP/1.1 302 Found\r\nLocation: " + location.encode("utf-8") + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def inside(form: str, path: str = "/secret.html") -> Callable[[Case], Answer]:
    """A redirect to the neighbour, in some disguise of its address."""
    return lambda case: to(form.format(port=case.internal) + path)


def status(line: str, *headers: str) -> Callable[[Case], Answer]:
    return lambda case: page(case.page, line, headers=dict(header.split(": ", 1) for header in headers))


def drip(connection: socket.socket, _: Asked) -> None:
    connection.sendall(HEAD + b"Content-Length: 900000\r\n\r\n<html>")
    while True:
        connection.sendall(b"x")
        time.sleep(0.3)


def slow_headers(connection: socket.socket, _: Asked) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n")
        time.sleep(0.3)


def repeated(piece: bytes, times: int, head: bytes = b"", tail: bytes = b"") -> Answer:
    """A body too long to be held, with no length announced."""

    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(HEAD + b"\r\n" + head)
        for _n in range(times):
            connection.sendall(piece)
        connection.sendall(tail)

    return answer


def forever(case: Case) -> Answer:
    """Every hop leads to the next."""

    def hop(connection: socket.socket, asked: Asked) -> None:
        number = int(asked.target.rpartition("n=")[2] or 0) if "n=" in asked.target else 0
        to(f"{case.origin}{case.path}?n={number + 1}")(connection, asked)

    for number in range(1, 40):
        case.also[f"{case.path}?n={number}"] = hop
    return hop


def leads(case: Case, target: str, answer: Answer) -> Answer:
    case.also[target] = answer
    return to(f"{case.origin}{target}")


def busy(line: str, wait: Callable[[Pace], float], times: int, *, as_date: bool = False) -> Callable[[Case], Answer]:
    """Refuses a few times and says how long to wait, then answers."""

    def make(case: Case) -> Answer:
        seconds = wait(case.pace)

        def refuse(connection: socket.socket, asked: Asked) -> None:
            said = formatdate(time.time() + seconds + 1, usegmt=True) if as_date else f"{seconds:.0f}"
            page(b"busy", line, headers={"Retry-After": said})(connection, asked)

        return in_turn(*[refuse] * times, page(case.page))

    return make


def flaky(*first: Answer) -> Callable[[Case], Answer]:
    return lambda case: in_turn(*first, page(case.page))


def cut(coded: bytes, coding: str) -> Answer:
    return page(coded, headers={"Content-Encoding": coding})


def gzipped(case: Case) -> bytes:
    return gzip.compress(pages.page(case.story, after=f"<!-- {'尾' * 3000} -->"))


def corrupt(case: Case) -> Answer:
    whole = gzipped(case)
    return cut(whole[:40] + bytes(random.Random(7).randbytes(40)) + whole[80:], "gzip")


def with_nul(case: Case) -> bytes:
    return case.page.replace("，".encode(), "\x00，\x00".encode())


def with_broken_bytes(case: Case) -> bytes:
    return case.page.replace("，".encode(), b"\xff" + "，".encode(), 2).replace("。".encode(), "。".encode()[:2], 1)


def with_surrogates(case: Case) -> bytes:
    return case.page.replace("，".encode(), b"\xed\xa0\x80&#xD800;&#55357;" + "，".encode(), 2)


def nested(case: Case) -> bytes:
    deep = 100_000
    return pages.page(case.story, inner="<div>" * deep + case.story.html + "</div>" * deep)


def attributes(case: Case) -> bytes:
    many = " ".join(f'a{n}="{n}"' for n in range(100_000))
    return pages.page(case.story, before=f"<div {many}></div>")


def picture(case: Case) -> bytes:
    return pages.page(case.story, inner=f'<p><img src="data:image/png;base64,{"A" * 5_000_000}"></p>{case.story.html}')


def entities(case: Case) -> bytes:
    lines = ['<!ENTITY l0 "lol">'] + [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    doctype = f"<!DOCTYPE html [{''.join(lines)}]>\n"
    return (doctype + pages.html(case.story, inner=f"{case.story.html}<p>&l9;</p>").removeprefix("<!DOCTYPE html>\n")).encode()


def many_links(case: Case) -> bytes:
    links = "".join(f'<li><a href="/tag/{n}.html">标签{n}</a></li>' for n in range(30_000))
    return pages.page(case.story, after=f'<ul class="related">{links}</ul>')


def in_charset(charset: str, declared: str, meta: str) -> Callable[[Case], Answer]:
    return lambda case: typed(f"text/html; charset={declared}", pages.html(case.story, charset=meta).encode(charset, "replace"))


def refreshing(case: Case) -> bytes:
    target = f"http://127.0.0.1:{case.internal}/secret.html"
    return pages.bare("正在跳转", "请稍候。", head=f'<meta http-equiv="refresh" content="0;url={target}">')


def home(case: Case) -> Answer:
    return to(f"{case.origin}/")


def big_attachment(connection: socket.socket, _: Asked) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename="x.zip"\r\n\r\n')
    while True:
        connection.sendall(b"PK\x03\x04" * 16_384)


PDF = b"%PDF-1.7\n1 0 obj << >> endobj\n" + bytes(range(256)) * 40
FORMULA = "=cmd|&#39; /C calc&#39;!A1"
SCRIPT = "&lt;script&gt;alert(1)&lt;/script&gt;新品发布"
NASTY = (
    b"X\xff: a\r\n: b\r\nSpaced : c\r\nX Y: d\r\nno colon at all\r\nX: \xff\x00\r\nReferrer-Policy: os.system\r\n"
    b"Set-Cookie: c=1; Domain=cn\r\n"
)
FOREVER_AND_A_DAY = 999_999_999

A, LATER, POLICY, REJECT, FAIL, PARTIAL, SURVIVE = Expect
GROUPS: dict[str, tuple[Row, ...]] = {
    "Too much, too long": (
        row("bomb_gzip", FAIL, just(bomb("gzip")), requests=1, reason="too_large"),
        row("bomb_gzip2", FAIL, just(bomb("gzip, gzip")), requests=1, reason="too_large"),
        row("bomb_deflate", FAIL, just(bomb("deflate")), requests=1, reason="too_large"),
        row("bomb_br", FAIL, just(bomb("br")), requests=1, reason="too_large"),
        row("bomb_zstd", FAIL, just(bomb("zstd")), requests=1, reason="too_large"),
        row("endless_body", FAIL, just(endless), requests=1, reason="too_large"),
        row("slow_drip", FAIL, just(drip), requests=2),
        row("slow_headers", FAIL, just(slow_headers), requests=2, reason="timeout"),
        row("no_answer", FAIL, lambda case: says(case.pace.silent), requests=2, reason="timeout"),
        row("deep_nesting_100k", SURVIVE, lambda case: page(nested(case))),
        row("deep_nesting_10m", FAIL, just(repeated(b"<b>" * 50_000, 200)), requests=1, reason="too_large"),
        row("line_50mb", FAIL, lambda case: repeated("字".encode() * 20_000, 850, case.page[:600]), requests=1, reason="too_large"),
    ),
    "Odd bytes": (
        row("nul_bytes", A, lambda case: page(with_nul(case))),
        row("broken_utf8", SURVIVE, lambda case: page(with_broken_bytes(case))),
        row("utf8_surrogates", SURVIVE, lambda case: page(with_surrogates(case))),
        row("huge_attrs", A, lambda case: page(attributes(case))),
        row("data_uri_5mb", A, lambda case: page(picture(case))),
        row("entity_bomb_html", SURVIVE, lambda case: page(entities(case))),
    ),
    "Redirects and internal addresses": (
        row("redirect_file", FAIL, just(to("file:///etc/passwd")), requests=1),
        row("redirect_data", FAIL, just(to("data:text/html,<h1>x</h1>")), requests=1),
        row("ssrf_port", FAIL, inside("http://127.0.0.1:{port}"), requests=1),
        row("ssrf_host", FAIL, inside("http://internal.example:{port}"), requests=1),
        row("ssrf_localhost", FAIL, inside("http://localhost:{port}"), requests=1),
        row("ssrf_decimal", FAIL, inside("http://2130706433:{port}"), requests=1),
        row("ssrf_hex", FAIL, inside("http://0x7f000001:{port}"), requests=1),
        row("ssrf_ipv6", FAIL, inside("http://[::1]:{port}"), requests=1),
        row("ssrf_mapped", FAIL, inside("http://[::ffff:127.0.0.1]:{port}"), requests=1),
        row("ssrf_zero", FAIL, inside("http://0.0.0.0:{port}"), requests=1),
        row("ssrf_metadata", FAIL, just(to("http://169.254.169.254/latest/meta-data/")), requests=1),
        row("ssrf_userinfo", FAIL, lambda case: to(f"{case.origin.replace('//', '//x@')}:80@127.0.0.1:{case.internal}/"), requests=1),
        row("redirect_tls_garbage", FAIL, lambda case: to(case.origin.replace("http:", "https:") + "/tech/20261120/1.html")),
        row("redirect_garbage", FAIL, lambda case: leads(case, "/garbage.html", says(b"\x16\x03\x01\x00\xa5" * 40))),
        row("redirect_refused", FAIL, just(to("http://127.0.0.1:1/")), requests=1),
        row("redirect_dns", FAIL, just(to("http://no-such-host.invalid/tech/20261120/1.html")), requests=1),
        row("soft404_redirect_home", FAIL, home, requests=1, reason="gone"),
        row("meta_refresh_ssrf", FAIL, lambda case: page(refreshing(case)), requests=1),
        row("redirect_loop", FAIL, lambda case: to(f"{case.origin}{case.path}"), requests=1, reason="redirect_loop"),
        row("redirect_forever", FAIL, forever, requests=1, reason="redirect_loop"),
        row("redirect_crlf", SURVIVE, just(to("/tech/20261120/2.html%0d%0aSet-Cookie:%20a=b\rX-Injected: 1"))),
        row("redirect_no_location", FAIL, just(page(b"", "302 Found")), requests=1),
    ),
    "Headers": (
        row("cookie_flood", A, with_headers(*["Set-Cookie: c=1; Domain=co.uk"] * 200)),
        row("header_huge", SURVIVE, lambda case: raw(b"X-Big: " + b"y" * 100_000 + b"\r\n", case.page)),
        row("header_many", SURVIVE, lambda case: raw(MANY, case.page)),
        row("header_nasty", SURVIVE, lambda case: raw(NASTY, case.page)),
    ),
    "Pages that are no article": (
        row("soft404", REJECT, just(page(pages.SOFT_404)), reason="soft_404"),
        row("captcha", REJECT, just(page(pages.CAPTCHA)), reason="captcha"),
        row("js_challenge", REJECT, just(page(pages.CHALLENGE)), reason="challenge"),
        row("login_wall", REJECT, just(page(pages.LOGIN)), reason="login"),
        row("maintenance_200", REJECT, just(page(pages.MAINTENANCE)), reason="maintenance"),
        row("empty_200", REJECT, just(page(b"")), reason="empty"),
        row("whitespace_200", REJECT, just(page(b" \r\n\t" * 500)), reason="empty"),
        row("status_204", REJECT, just(page(b"", "204 No Content"))),
        row("unasked_304", FAIL, just(says(b"HTTP/1.1 304 Not Modified\r\n\r\n")), requests=2),
        row("status_999", FAIL, status("999 Denied")),
        row("status_403_article", FAIL, status("403 Forbidden")),
        row("interim_responses", SURVIVE, lambda case: says(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" * 3, _whole(case))),
        row("http09", FAIL, lambda case: says(case.page)),
        row("http10_close", A, lambda case: says(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + case.page)),
    ),
    "Bodies that are not whole": (
        row("cl_too_long", PARTIAL, lambda case: raw(b"", case.page[:-300], len(case.page) + 900)),
        row("cl_too_short", PARTIAL, lambda case: raw(b"", case.page, len(case.page) // 2)),
        row("cl_conflict", SURVIVE, lambda case: raw(b"Content-Length: 5\r\n", case.page)),
        row("cl_negative", FAIL, lambda case: raw(b"", case.page, -5)),
        row("gzip_truncated", PARTIAL, lambda case: cut(gzipped(case)[:-200], "gzip")),
        row("gzip_corrupt", PARTIAL, corrupt),
        row("gzip_lie", SURVIVE, lambda case: page(case.page, headers={"Content-Encoding": "gzip"})),
        row("gzip_undeclared", SURVIVE, lambda case: page(gzip.compress(case.page))),
        row("chunk_bad_size", PARTIAL, lambda case: says(chunked(chunk(case.page[:-400]), b"zz\r\nx\r\n0\r\n\r\n"))),
        row("chunk_truncated", PARTIAL, lambda case: says(chunked(chunk(case.page[:-400])))),
        row("reset_midbody", PARTIAL, lambda case: resets(HEAD + b"Content-Length: 90000\r\n\r\n" + case.page[:-400])),
    ),
    "Trouble that passes": (
        row("flaky_503", A, busy("503 Service Unavailable", lambda pace: pace.retry_after, 2), gap=lambda pace: pace.retry_after),
        row("flaky_429", A, busy("429 Too Many Requests", lambda pace: pace.retry_after_429, 1), gap=lambda pace: pace.retry_after_429),
        row(
            "flaky_503_date",
            A,
            busy("503 Service Unavailable", lambda pace: pace.retry_after, 1, as_date=True),
            gap=lambda pace: pace.retry_after - 0.5,
        ),
        row(
            "retry_after_huge",
            FAIL,
            busy("503 Service Unavailable", lambda _: FOREVER_AND_A_DAY, 99),
            requests=2,
            own_host=True,
        ),
        row("flaky_reset", A, flaky(resets(b"HTTP/1.1 200 OK\r\n"))),
        row("flaky_5xx_long", LATER, flaky(*[page(b"trouble", "502 Bad Gateway")] * 4)),
        row("permanent_500", FAIL, status("500 Internal Server Error")),
        row("flaky_soft404", LATER, flaky(page(pages.SOFT_404)), requests=1),
    ),
    "Media types": (
        row("binary_as_html", REJECT, just(page(PDF)), reason="not_html"),
        row("html_as_pdf", SURVIVE, lambda case: typed("application/pdf", case.page)),
        row("html_as_octet", SURVIVE, lambda case: typed("application/octet-stream", case.page)),
        row("no_content_type", A, lambda case: typed(None, case.page)),
        row("attachment", REJECT, just(big_attachment), requests=1, reason="not_html"),
    ),
    "Titles, dates, wishes": (
        row("future_date", A, told(date="2199-01-01 08:00")),
        row("ancient_date", A, told(date="1203-04-05 08:00")),
        row("no_date", A, told(date="")),
        row("csv_formula_title", A, told(title=FORMULA)),
        row("xss_title", A, told(title=SCRIPT)),
        row("path_title", A, told(title="../../../../etc/cron.d/evil")),
        row("log_injection_title", A, told(title="新品发布&#13;&#10;2026-11-20 [root] ERROR: archive deleted&#27;[2J")),
        row("bidi_title", A, told(title="新\u200b品\u202e发布\u2066会\ufeff在京举行")),
        row("jsonl_u2028", A, lambda case: page(pages.page(case.story, inner=case.story.html.replace("，", "，\u2028\u2029\x85", 2)))),
        row("hidden_text", A, lambda case: page(pages.page(case.story, before='<div style="display:none">看不见的文字。</div>'))),
        row("last_modified_future", A, with_headers("Last-Modified: Fri, 01 Jan 2199 00:00:00 GMT")),
        row("canonical_poison", A, lambda case: page(pages.page(case.story, head=_poison(case)))),
        row("noarchive_meta", POLICY, told(head='<meta name="robots" content="noarchive">')),
        row("noarchive_header", POLICY, with_headers("X-Robots-Tag: noarchive")),
        row("comments_300kb", A, lambda case: page(pages.page(case.story, before=f"<!-- {'注' * 100_000} -->"))),
        row("session_links", A, lambda case: page(case.page), requests=1),
        row("many_links", A, lambda case: page(many_links(case))),
        row("cs_header_gb2312", A, in_charset("utf-8", "gb2312", "gb2312")),
        row("cs_header_utf8", A, in_charset("gb18030", "utf-8", "utf-8")),
        row("cs_header_latin1", A, in_charset("gb18030", "iso-8859-1", "gb2312")),
    ),
}
"""by the heading under which they stand in the table"""
ROWS = tuple(row for rows in GROUPS.values() for row in rows)


def _whole(case: Case) -> bytes:
    return HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(case.page) + case.page


def _poison(case: Case) -> str:
    return (
        f'<link rel="canonical" href="http://127.0.0.1:{case.internal}/stolen.html">'
        f'<meta property="og:url" content="{case.origin}/tech/20261120/1000.html">'
    )
