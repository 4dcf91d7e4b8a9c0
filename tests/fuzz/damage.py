"""What becomes of bytes on their way through a hostile world: flipped, cut, doubled, moved, and mixed with what parsers trip over."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from hypothesis import strategies as st

SECONDS = 10
"""that one page may take to be read (HAZARDS P2): what takes longer hangs"""
TRIPS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\xe2\x80\xa8", b"&#xD800;", b"&#1114112;", b"&x;", b"<![CDATA[", b"]]>",
    b"<!--", b"-->", b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"<?xml version='1.0' encoding='utf-7'?>", b"'''", b'"""', b"[[", b"]]", b"{", b"}",
    b"\\u0000", b"\\ud800", b"1e999", b"9" * 400, b"-1", b"%", b"%00", b"%zz", b"(", b"\\", b"*" * 50, b"http://[::1", b"//", b"@",
    b"Content-Length: 99999999999", b"Content-Length: -1", b"Transfer-Encoding: chunked",
    b"WARC/1.1", b"\x1f\x8b\x08", b"\x81\x30", b"\x1b$B",
    "。".encode("gb18030"), "\u202e".encode(), "İ".encode(), "٣".encode(), "²".encode(),
)  # fmt: skip


def _flipped(body: bytes, at: int, value: int) -> bytes:
    return body[:at] + bytes((value,)) + body[at + 1 :]


def _replaced(body: bytes, first: int, second: int, by: bytes) -> bytes:
    return body[:first] + by + body[second:]


@st.composite
def damaged(draw: st.DrawFn, good: Sequence[bytes]) -> bytes:
    """One of `good`, damaged in one to four places."""
    body = draw(st.sampled_from(good))
    for _ in range(draw(st.integers(1, 4))):
        first, second = sorted((draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))))
        body = draw(
            st.one_of(
                st.builds(_flipped, st.just(body), st.just(first), st.integers(0, 255)),
                st.just(body[:first]),
                st.just(body[:first] + body[second:]),
                st.just(body[:second] + body[first:]),
                st.builds(_replaced, st.just(body), st.just(first), st.just(first), st.sampled_from(TRIPS)),
                st.builds(_replaced, st.just(body), st.just(first), st.just(second), st.sampled_from(TRIPS)),
                st.builds(_replaced, st.just(body), st.just(first), st.just(first), st.binary(max_size=12)),
            )
        )
    return body


class Hangs(BaseException):
    """Not an Exception: nothing that is fuzzed may catch it."""


@contextmanager
def bounded() -> Iterator[None]:
    """Raises Hangs where the block takes more than SECONDS."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
