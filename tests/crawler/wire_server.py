"""A server that says exactly the bytes a test wants, over real sockets on 127.0.0.1, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

PAGE = "<html><head><title>标题</title></head><body><p>正文第一段。</p></body></html>".encode()


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived. `headers` by lower-case name."""

    at: float
    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[[socket.socket, Asked], None]


def says(*parts: bytes | float) -> Answer:
    """Sends bytes; a number between them is a pause in seconds."""

    def answer(connection: socket.socket, asked: Asked) -> None:
        for part in parts:
            if isinstance(part, bytes):
                connection.sendall(part)
            else:
                time.sleep(part)

    return answer


def page(body: bytes = PAGE, status: str = "200 OK", headers: Mapping[str, str] | None = None) -> Answer:
    """A whole, honest answer."""
    named = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return says(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body)


def resets(*parts: bytes | float) -> Answer:
    """Sends bytes, then cuts the connection with a reset."""

    def answer(connection: socket.socket, asked: Asked) -> None:
        says(*parts)(connection, asked)
        time.sleep(0.05)  # so that what was sent is read before the reset throws it away
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return answer


def in_turn(*answers: Answer) -> Answer:
    """The first answer to the first request, and so on; the last one for ever."""
    left = list(answers)

    def answer(connection: socket.socket, asked: Asked) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection, asked)

    return answer


class WireServer:
    """`routes` maps a request target to its Answer; what is not there is a 404."""

    def __init__(self, routes: Mapping[str, Answer], address: str = "127.0.0.1", port: int = 0) -> None:
        self.routes = dict(routes)
        self.asked: list[Asked] = []
        self._address = address
        self._open(port)

    def _open(self, port: int) -> None:
        self._server = _Threads((self._address, port), _Connection)
        self._server.owner = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def host(self) -> str:
        return f"{self._address}:{self.port}"

    def url(self, target: str) -> str:
        return f"http://{self.host}{target}"

    def times(self, target: str) -> list[float]:
        return [asked.at for asked in self.asked if asked.target == target]

    def count(self, target: str) -> int:
        return len(self.times(target))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Meanwhile connections are refused: its port is bound, and nobody listens."""
        self.__exit__()
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((self._address, self.port))
            yield
        self._open(self.port)
        self._thread.start()


class _Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 64
    owner: WireServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is what these tests are about."""


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        owner = self.server.owner  # type: ignore[attr-defined]
        line = self.rfile.readline(65_536).decode("latin-1").split()
        if len(line) < 2:
            owner.asked.append(Asked(time.monotonic(), "", ""))
            return
        headers = {}
        while (raw := self.rfile.readline(65_536).decode("latin-1").strip()) != "":
            name, _, value = raw.partition(":")
            headers[name.strip().lower()] = value.strip()
        asked = Asked(time.monotonic(), line[0], line[1], headers)
        owner.asked.append(asked)
        answer = owner.routes.get(asked.target, owner.routes.get("*", page(b"not here", "404 Not Found")))
        with contextlib.suppress(OSError):
            answer(self.request, asked)
