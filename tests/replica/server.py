"""The replica as a proxy on 127.0.0.1: plain http in absolute form, https through CONNECT, both over HTTP/1.1.

Rule of this file: sockets, counting and faults; what a URL answers is decided in directory.py. Nothing is ever fetched from
anywhere: a host outside the family, and none of the archives that have captures of it, gets 502 and is written down.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import ssl
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.replica import common_crawl, days, wayback
from tests.replica.directory import ALIASES, FAMILY, directory, not_found
from tests.replica.resource import Answer, Body, answer, zips
from tests.replica.tls import Authority
from tests.replica.truth import TrueArticle

SERVERS = {"tech.china.com.cn": "nginx/1.14.2", "app.tech.china.com.cn": "nginx", "www.china.org.cn": "Apache"}
ARCHIVES = (common_crawl.INDEX, common_crawl.DATA, wayback.HOST)
"""hosts that are none of the family, and have old captures of it"""
IDLE = 30.0
"""seconds after which an unused connection is closed"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, as it was answered. `bytes_sent` counts the body; `kind` is the resource's; `range` as it was asked for."""

    time_monotonic: float
    method: str
    url: str
    status: int
    conditional: bool
    user_agent: str
    bytes_sent: int
    kind: str
    range: str | None = None


Fault = Answer | Callable[[], Answer | None]
"""a fixed answer, or a function that makes one; None lets the true page through"""


class Replica:
    """The site family, served from `with Replica(day=0) as replica:`. `day` may be set while it runs.

    `faults[url]` answers in place of the page at exactly that URL. A Content-Length among its headers is sent as it is,
    right or wrong; a body of several pieces is sent as they come, and the connection closed. `faults[f"{url}#{range}"]` is
    for the requests of that Range alone. `robots[host]` is (status, headers, body) in place of the host's robots.txt.
    """

    def __init__(self, day: int = 0, port: int = 0) -> None:
        self.day = day
        self.faults: dict[str, Fault] = {}
        self.robots: dict[str, Answer] = {}
        self.requests: list[Asked] = []
        self.strangers: list[str] = []
        self._folder = tempfile.TemporaryDirectory(prefix="replica-")
        self._authority = Authority(Path(self._folder.name))
        self._ticks = itertools.count(1)
        self._server = _Server(("127.0.0.1", port), functools.partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> str:
        return str(self._authority.file)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._folder.cleanup()

    def environment(self) -> dict[str, str]:
        """For a subprocess: the proxy in both cases, no exceptions from it, and the authority that signs its hosts."""
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), self.url)
        return {**proxies, "no_proxy": "", "NO_PROXY": "", "SSL_CERT_FILE": self.ca_file}

    def truth(self, day: int | None = None) -> tuple[TrueArticle, ...]:
        """Every page that is or looks like an article on a day (default: today), newest first."""
        return days.articles(self.day if day is None else day)

    def counts(self) -> Counter[tuple[str, str, int]]:
        """Requests by (host, kind of page, status)."""
        return Counter((urlsplit(asked.url).hostname or "", asked.kind, asked.status) for asked in list(self.requests))

    def reset(self) -> None:
        """Forget what was asked; faults, robots and day stay."""
        self.requests.clear()
        self.strangers.clear()

    def respond(self, url: str, headers: Mapping[str, str]) -> tuple[str, Answer]:
        """The kind of page at a URL and its answer."""
        host, path = urlsplit(url).hostname or "", urlsplit(url).path
        if not is_served(host):
            self.strangers.append(url)
            return "stranger", (502, {"Content-Type": "text/plain"}, b"this host is not in the replica\n")
        if fault := self._fault(url, headers):
            return "fault", fault
        if path == "/robots.txt" and host in self.robots:
            return "robots", self.robots[host]
        if host in ARCHIVES:
            return wayback.respond(url) if host == wayback.HOST else common_crawl.respond(url, headers)
        resource = directory(self.day).find(url) or not_found()
        return "robots" if path == "/robots.txt" else resource.kind, answer(resource, headers, next(self._ticks), zips(path))

    def _fault(self, url: str, headers: Mapping[str, str]) -> Answer | None:
        fault = self.faults.get(f"{url}#{headers.get('range', '')}") or self.faults.get(url)
        return fault() if callable(fault) else fault


def is_served(host: str) -> bool:
    return host in FAMILY or host in ALIASES or host in ARCHIVES


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Callable[..., _Handler]) -> None:
        self.open: set[socket] = set()
        super().__init__(address, handler)  # a partial makes handlers as a class does

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of the machine's own name, which can take seconds."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self.open):
            _hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of the replica; all else is, and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _hang_up(connection: socket) -> None:
    with contextlib.suppress(OSError):  # it was gone already
        connection.shutdown(SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's delayed acknowledgement
    server: _Server

    def __init__(self, replica: Replica, *arguments: Any) -> None:
        self._replica = replica
        self._tunnel: str | None = None
        super().__init__(*arguments)

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        try:
            super().finish()
        finally:
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the base class names it so
        """Quiet: `Replica.requests` is the log."""

    def do_CONNECT(self) -> None:
        """RFC 9110 §9.3.6: answer, then speak TLS as the host that was asked for."""
        host = self.path.rpartition(":")[0].strip("[]").lower()
        if not is_served(host):
            self._replica.strangers.append(f"https://{host}/")
            self._send("stranger", (502, {}, b""), f"https://{host}/")
            return
        self.send_response_only(HTTPStatus.OK, "Connection established")
        self.end_headers()
        self.wfile.flush()
        self._secure(host)

    def _secure(self, host: str) -> None:
        plain = self.connection
        self.server.open.discard(plain)
        try:
            self.connection = self._replica._authority.context(host).wrap_socket(plain, server_side=True)
        except (ssl.SSLError, OSError):
            self.close_connection = True  # the client refused our certificate, or left
            return
        self.server.open.add(self.connection)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self._tunnel = host
        self.close_connection = False

    def do_GET(self) -> None:
        url = self._absolute()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._skip_body(headers)
        kind, reply = self._replica.respond(url, headers)
        self._send(kind, reply, url)

    do_HEAD = do_POST = do_GET  # noqa: N815

    def _skip_body(self, headers: Mapping[str, str]) -> None:
        length = headers.get("content-length", "0")
        self.rfile.read(int(length) if length.isdecimal() else 0)

    def _absolute(self) -> str:
        """The URL asked for: as given to a proxy, or from tunnel or Host header and path."""
        if self._tunnel:
            return f"https://{self._tunnel}{self.path}"
        return self.path if "://" in self.path else f"http://{self.headers.get('Host', '')}{self.path}"

    def _send(self, kind: str, reply: Answer, url: str) -> None:
        status, headers, body = reply
        names = {name.lower() for name in headers}
        self.send_response_only(status, responses.get(status, "Unknown"))
        self.send_header("Server", SERVERS.get(urlsplit(url).hostname or "", "nginx"))
        self.send_header("Date", formatdate(usegmt=True))
        for name, value in headers.items():
            self.send_header(name, value)
        if isinstance(body, bytes) and "content-length" not in names and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        if self._must_close(body, headers):
            self.close_connection = True
            self.send_header("Connection", "close")
        if isinstance(body, bytes):
            sent = 0 if self.command == "HEAD" else len(body)
            self._note(kind, url, status, sent)  # before the client can have it, or its next look at the log would race
            self.end_headers()
            self.wfile.write(body[:sent])
        else:
            self.end_headers()
            self._note(kind, url, status, self._write(body))

    @staticmethod
    def _must_close(body: Body, headers: Mapping[str, str]) -> bool:
        """Where the length is unknown or a lie, only the end of the connection ends the body."""
        stated = next((value for name, value in headers.items() if name.lower() == "content-length"), None)
        return not isinstance(body, bytes) or (stated is not None and stated != str(len(body)))

    def _write(self, pieces: Iterable[bytes]) -> int:
        sent = 0
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            sent += len(piece)
        return sent

    def _note(self, kind: str, url: str, status: int, sent: int) -> None:
        conditional = "If-None-Match" in self.headers or "If-Modified-Since" in self.headers
        self._replica.requests.append(
            Asked(
                time_monotonic=time.monotonic(),
                method=self.command,
                url=url,
                status=status,
                conditional=conditional,
                user_agent=self.headers.get("User-Agent", ""),
                bytes_sent=sent,
                kind=kind,
                range=self.headers.get("Range"),
            )
        )
