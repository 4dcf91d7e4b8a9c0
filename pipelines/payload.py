"""The entity behind Content-Encoding: undone in steps, bounded, and only believed when its stream ends.

Rules of this file: no step makes more than STEP bytes (zstd: one frame block times ZSTD_INPUT), no layer more than
the limit, so that a bomb costs its limit and not its size. A stream that stops before its own end mark is PARTIAL, never
half a page. What the header says is tried first; what the bytes plainly are decides when the header lies.
Codings: RFC 9110 §8.4.1 (gzip, x-gzip, deflate), RFC 7932 (br), RFC 8878 and 9659 (zstd).
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Callable, Generator, Iterator

import brotli
import zstandard

from pipelines.model import Headers, Reason, Rejection

MAX_DECODED = 8 * 2**20
"""bytes; the largest article page seen is under 1 MiB (HAZARDS P2)"""
MAX_LAYERS = 2
"""declared codings; a server with three of them is an attack or a fault"""
STEP = 2**16
"""bytes of output (zlib, br) or input that one step may handle"""
ZSTD_INPUT = 256
"""bytes of input a step: zstd has no output limit, and 4 bytes of input make at most one block of 128 KiB"""
ZSTD_WINDOW = 8 * 2**20
"""RFC 9659 §3: a zstd Content-Encoding must not need a larger window"""
SNIFFED = 512
"""bytes of head in which compressed data always shows a control byte: 229 of 256 values are none, (229/256)**512 is 1e-25"""
PLAIN_UTF8 = 64
"""bytes: shorter heads of compressed streams can be UTF-8 by chance (zlib's first byte is "x")"""
MAX_STREAMS = 1_024
"""gzip members or zstd frames of one body; 8 MiB of empty frames cost 13 s, and 8 MiB in blocks of 64 KiB are 128"""
GZIP_MAGIC = b"\x1f\x8b\x08"

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")  # \x1b opens ISO-2022 escapes, which are text
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[!?/a-zA-Z]")


class _TooManyStreams(Exception):
    """Thrown by a step, caught by `_collect`."""


def decode_payload(headers: Headers, body: bytes, limit: int = MAX_DECODED) -> bytes | Rejection:
    """The entity with every Content-Encoding undone: at most `limit` bytes.

    TOO_LARGE above the limit (in any layer), PARTIAL when a compressed stream is cut, BAD_ENCODING when it is corrupt,
    of an unknown coding, or coded more than MAX_LAYERS times. A body that is plain text whatever is declared passes
    through; gzip that nobody declared is undone (a `.xml.gz` sitemap, a mislabelled page).
    """
    codings = _declared(headers)
    if len(codings) > MAX_LAYERS:
        return _bad(f"{len(codings)} layers of Content-Encoding")
    for coding in reversed(codings):
        if isinstance(result := _undo(coding, body, limit), Rejection):
            return result
        body = result
    if body.startswith(GZIP_MAGIC) and len(codings) < MAX_LAYERS:
        return _undo("gzip", body, limit)
    return body if len(body) <= limit else _too_large(limit)


def _declared(headers: Headers) -> list[str]:
    """The codings in the order in which the server applied them."""
    values = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    return [coding for item in values.split(",") if (coding := item.strip().lower()) not in ("", "identity")]


def _undo(coding: str, body: bytes, limit: int) -> bytes | Rejection:
    if not body:
        return body  # HEAD, 304 and empty answers still carry the header
    result = _decoded(coding, body, limit)
    if isinstance(result, Rejection) and result.reason is not Reason.TOO_LARGE and _is_plain(body):
        return body if len(body) <= limit else _too_large(limit)
    return result


def _decoded(coding: str, body: bytes, limit: int) -> bytes | Rejection:
    steps = _STEPS.get(coding)
    if steps is None:
        return _bad(f"Content-Encoding {coding[:40]!r} is unknown")
    result = _collect(coding, steps(body), limit)
    if coding == "deflate" and isinstance(result, Rejection) and result.reason is Reason.BAD_ENCODING:
        return _collect(coding, _raw_deflate(body), limit)  # RFC 9110 §8.4.1.2, note: some servers leave the zlib wrapper out
    return result


def _collect(coding: str, steps: Iterator[bytes], limit: int) -> bytes | Rejection:
    whole = bytearray()
    try:
        for piece in steps:
            whole += piece
            if len(whole) > limit:
                return _too_large(limit)
    except EOFError:
        return Rejection(reason=Reason.PARTIAL, detail=f"the {coding} stream ends before its end mark")
    except _TooManyStreams:
        return _bad(f"more than {MAX_STREAMS} {coding} streams one after the other")
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        return _bad(f"the {coding} stream is corrupt ({error})")
    return bytes(whole)


def _gzip(body: bytes) -> Iterator[bytes]:
    """All members (RFC 1952 §2.2); what follows the last one and is no member is padding, as browsers take it."""
    at = yield from _inflate(body, 0, zlib.MAX_WBITS | 16)
    for _ in range(MAX_STREAMS):
        if not body.startswith(GZIP_MAGIC, at):
            return
        at = yield from _inflate(body, at, zlib.MAX_WBITS | 16)
    raise _TooManyStreams


def _zlib_deflate(body: bytes) -> Iterator[bytes]:
    yield from _inflate(body, 0, zlib.MAX_WBITS)


def _raw_deflate(body: bytes) -> Iterator[bytes]:
    yield from _inflate(body, 0, -zlib.MAX_WBITS)


def _inflate(body: bytes, at: int, wbits: int) -> Generator[bytes, None, int]:
    """The stream that begins at `at`; returns where it ends."""
    inflater = zlib.decompressobj(wbits=wbits)
    for start in range(at, len(body), STEP):
        chunk = body[start : start + STEP]
        piece = inflater.decompress(chunk, STEP)
        yield piece
        while not inflater.eof and (inflater.unconsumed_tail or len(piece) == STEP):
            piece = inflater.decompress(inflater.unconsumed_tail, STEP)
            yield piece
        if inflater.eof:
            return start + len(chunk) - len(inflater.unused_data)
    raise EOFError


def _brotli(body: bytes) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    for start in range(0, len(body), STEP):
        piece = decoder.process(body[start : start + STEP], output_buffer_limit=STEP)
        while piece:
            yield piece
            piece = b"" if decoder.is_finished() else decoder.process(b"", output_buffer_limit=STEP)
    if not decoder.is_finished():
        raise EOFError


def _zstd(body: bytes) -> Iterator[bytes]:
    """All frames, skippable ones too (RFC 8878 §3.1)."""
    at = 0
    for _ in range(MAX_STREAMS):
        at = yield from _zstd_frame(body, at)
        if at >= len(body):
            return
    raise _TooManyStreams


def _zstd_frame(body: bytes, at: int) -> Generator[bytes, None, int]:
    """The frame that begins at `at`; returns where it ends."""
    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
    for start in range(at, len(body), ZSTD_INPUT):
        chunk = body[start : start + ZSTD_INPUT]
        yield decoder.decompress(chunk)
        if decoder.eof:
            return start + len(chunk) - len(decoder.unused_data)
    raise EOFError


_STEPS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _zlib_deflate,
    "br": _brotli,
    "zstd": _zstd,
}


def _is_plain(body: bytes) -> bool:
    """Text that nothing compressed: no control bytes in its head, and markup or UTF-8."""
    head = body[:SNIFFED]
    if _CONTROL.search(head):
        return False
    return _MARKUP.match(head) is not None or (len(head) >= PLAIN_UTF8 and _is_utf8(head))


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # a character cut by the sample's end is no fault
    except UnicodeDecodeError:
        return False
    return True


def _bad(detail: str) -> Rejection:
    return Rejection(reason=Reason.BAD_ENCODING, detail=detail)


def _too_large(limit: int) -> Rejection:
    return Rejection(reason=Reason.TOO_LARGE, detail=f"more than {limit} bytes when decoded")
