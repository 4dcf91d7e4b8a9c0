"""Content-Encoding is undone in bounded memory, and a half page is never taken for a whole one."""

from __future__ import annotations

import gzip
import io
import os
import resource
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import payload
from pipelines.model import Headers, Reason, Rejection
from pipelines.payload import MAX_DECODED, MAX_LAYERS, MAX_STREAMS, STEP, decode_payload

PAGE = "<!DOCTYPE html><html><title>电池工厂</title><body><p>新的电池工厂在山谷里开工，工人们早上八点进场。</p></body></html>".encode()
LONG_PAGE = PAGE.replace(b"</p>", "</p><p>机器每天检查三次，记录写在墙上的牌子上。</p>".encode() * 400)
MIB = 2**20


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def coded(*names: str) -> Headers:
    return (("Content-Type", "text/html"), ("Content-Encoding", ", ".join(names)))


def rejection(result: bytes | Rejection) -> Rejection:
    assert isinstance(result, Rejection)
    return result


def bomb(coding: str, megabytes: int = 1024) -> bytes:
    """`megabytes` MiB of zeros, compressed without ever standing in memory."""
    piece = bytes(MIB)
    if coding == "br":
        packer = brotli.Compressor(quality=5)
        return b"".join([*(packer.process(piece) for _ in range(megabytes)), packer.finish()])
    if coding == "zstd":
        out = io.BytesIO()
        with zstandard.ZstdCompressor().stream_writer(out, closefd=False) as stream:
            for _ in range(megabytes):
                stream.write(piece)
        return out.getvalue()
    packer = zlib.compressobj(1, wbits={"gzip": 31, "deflate": 15, "raw": -15}[coding])
    return b"".join([*(packer.compress(piece) for _ in range(megabytes)), packer.flush()])


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", [1, 100, STEP - 1, STEP, STEP + 1, 3 * STEP])
@pytest.mark.parametrize("byte", [b"a", None])
def test_every_coding_gives_the_body_back_at_every_size(coding: str, size: int, byte: bytes | None) -> None:
    body = os.urandom(size) if byte is None else byte * size
    assert decode_payload(coded(coding), CODINGS[coding](body)) == body


@pytest.mark.parametrize("size", [1, 100, STEP - 1, STEP, STEP + 1, 3 * STEP])
def test_deflate_without_its_zlib_wrapper_is_undone(size: int) -> None:
    body = os.urandom(size // 2) + b"x" * (size - size // 2)
    assert decode_payload(coded("deflate"), raw_deflate(body)) == body


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=5_000), st.lists(st.sampled_from(sorted(CODINGS)), min_size=1, max_size=MAX_LAYERS))
def test_layers_are_undone_in_the_reverse_order_of_their_names(body: bytes, names: list[str]) -> None:
    packed = body
    for name in names:
        packed = CODINGS[name](packed) if packed else packed
    if not body.startswith(b"\x1f\x8b\x08"):
        assert decode_payload(coded(*names), packed) == body


def test_layers_may_stand_in_headers_of_their_own() -> None:
    headers = (("content-encoding", "gzip"), ("Content-Encoding", "BR"))
    assert decode_payload(headers, brotli.compress(gzip.compress(PAGE))) == PAGE


def test_a_body_without_content_encoding_is_itself() -> None:
    assert decode_payload((), PAGE) is PAGE
    assert decode_payload(coded("identity"), PAGE) == PAGE
    assert decode_payload(coded(""), PAGE) == PAGE


def test_more_layers_than_two_are_refused() -> None:
    packed = gzip.compress(gzip.compress(gzip.compress(PAGE)))
    assert rejection(decode_payload(coded("gzip", "gzip", "gzip"), packed)).reason is Reason.BAD_ENCODING


@pytest.mark.parametrize("coding", CODINGS)
def test_an_empty_body_is_empty_whatever_is_declared(coding: str) -> None:
    assert decode_payload(coded(coding), b"") == b""


@pytest.mark.parametrize("coding", CODINGS)
def test_a_stream_that_is_cut_anywhere_is_partial_and_never_half_a_page(coding: str) -> None:
    whole = CODINGS[coding](PAGE)
    reasons = {rejection(decode_payload(coded(coding), whole[:cut])).reason for cut in range(1, len(whole))}
    assert reasons == {Reason.PARTIAL}


@pytest.mark.parametrize("coding", CODINGS)
def test_a_long_stream_that_lacks_its_last_byte_is_partial(coding: str) -> None:
    whole = CODINGS[coding](os.urandom(3 * STEP))
    assert rejection(decode_payload(coded(coding), whole[:-1])).reason is Reason.PARTIAL


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate"])
def test_a_flipped_byte_is_found_by_the_checksum(coding: str) -> None:
    whole = bytearray(CODINGS[coding](LONG_PAGE))
    whole[len(whole) // 2] ^= 0x40
    result = rejection(decode_payload(coded(coding), bytes(whole)))
    assert result.reason in (Reason.BAD_ENCODING, Reason.PARTIAL)
    assert coding in result.detail


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(CODINGS)), st.data())
def test_damage_never_raises(coding: str, data: st.DataObject) -> None:
    whole = bytearray(CODINGS[coding](LONG_PAGE))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(decode_payload(coded(coding), bytes(whole)), bytes | Rejection)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(CODINGS)), st.binary(min_size=1, max_size=300))
def test_bytes_that_no_coder_made_never_raise(coding: str, body: bytes) -> None:
    assert isinstance(decode_payload(coded(coding), body), bytes | Rejection)


def test_an_unknown_coding_is_named() -> None:
    result = rejection(decode_payload(coded("compress"), b"\x1f\x9d\x90" + bytes(range(100))))
    assert result.reason is Reason.BAD_ENCODING
    assert "'compress'" in result.detail


@pytest.mark.parametrize("name", [*CODINGS, "utf-8", "none", "aws-chunked"])
@pytest.mark.parametrize(
    "body", [PAGE, b"\xef\xbb\xbf" + PAGE, "<html>百年".encode("gb18030") * 30, b"User-agent: *\nDisallow: /private/\n" * 3]
)
def test_plain_text_passes_whatever_is_declared(name: str, body: bytes) -> None:
    assert decode_payload(coded(name), body) == body


def test_a_coding_that_is_named_twice_but_applied_once_is_undone_once() -> None:
    assert decode_payload(coded("gzip", "gzip"), gzip.compress(PAGE)) == PAGE


def test_gzip_that_nobody_declared_is_undone() -> None:
    assert decode_payload((("Content-Type", "text/html"),), gzip.compress(PAGE)) == PAGE
    assert decode_payload((("Content-Type", "application/x-gzip"),), gzip.compress(b"<urlset/>")) == b"<urlset/>"
    assert decode_payload(coded("gzip"), gzip.compress(gzip.compress(b"<urlset/>"))) == b"<urlset/>"


def test_undeclared_gzip_that_is_cut_is_partial() -> None:
    assert rejection(decode_payload((), gzip.compress(PAGE)[:-3])).reason is Reason.PARTIAL


def test_all_members_of_a_gzip_body_are_read_and_padding_behind_them_is_not() -> None:
    half = len(PAGE) // 2
    two = gzip.compress(PAGE[:half]) + gzip.compress(PAGE[half:])
    assert decode_payload(coded("gzip"), two) == PAGE
    assert decode_payload(coded("gzip"), two + bytes(512)) == PAGE
    assert decode_payload(coded("gzip"), two + b"\r\n") == PAGE


def test_a_second_member_that_is_cut_makes_the_body_partial() -> None:
    two = gzip.compress(PAGE) + gzip.compress(PAGE)
    assert rejection(decode_payload(coded("gzip"), two[:-1])).reason is Reason.PARTIAL


def test_all_frames_of_a_zstd_body_are_read() -> None:
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00note"
    assert decode_payload(coded("zstd"), zstandard.compress(PAGE) + skippable + zstandard.compress(PAGE)) == PAGE + PAGE


@pytest.mark.parametrize(
    ("coding", "empty"), [("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstandard.compress(b""))], ids=["gzip", "zstd"]
)
def test_a_flood_of_empty_streams_is_refused(coding: str, empty: bytes) -> None:
    assert decode_payload(coded(coding), empty * (MAX_STREAMS - 1)) == b""
    result = rejection(decode_payload(coded(coding), empty * (8 * MIB // len(empty))))
    assert result.reason is Reason.BAD_ENCODING
    assert str(MAX_STREAMS) in result.detail


def test_a_zstd_window_above_what_http_allows_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    packed = zstandard.ZstdCompressor(compression_params=wide).compress(os.urandom(64) * (9 * MIB // 64))
    assert rejection(decode_payload(coded("zstd"), packed)).reason is Reason.BAD_ENCODING


@pytest.mark.parametrize("coding", CODINGS)
def test_the_limit_is_met_exactly(coding: str) -> None:
    packed = CODINGS[coding](b"a" * 1_000)
    assert decode_payload(coded(coding), packed, limit=1_000) == b"a" * 1_000
    result = rejection(decode_payload(coded(coding), packed, limit=999))
    assert (result.reason, result.detail) == (Reason.TOO_LARGE, "more than 999 bytes when decoded")


def test_the_limit_holds_for_plain_bodies_and_lies() -> None:
    assert rejection(decode_payload((), b"<p>" * 100, limit=299)).reason is Reason.TOO_LARGE
    assert rejection(decode_payload(coded("gzip"), b"<p>" * 100, limit=299)).reason is Reason.TOO_LARGE


def test_the_limit_holds_for_each_layer() -> None:
    nested = gzip.compress(bomb("gzip", 16))
    assert len(gzip.decompress(nested)) < MAX_DECODED
    assert rejection(decode_payload(coded("gzip", "gzip"), nested)).reason is Reason.TOO_LARGE
    inner_too_large = brotli.compress(gzip.compress(os.urandom(2 * MIB)), quality=1)
    assert rejection(decode_payload(coded("gzip", "br"), inner_too_large, limit=MIB)).reason is Reason.TOO_LARGE


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw", "br", "zstd"])
def test_a_bomb_costs_its_limit_and_not_its_size(coding: str) -> None:
    packed = bomb(coding, 64)
    tracemalloc.start()
    result = rejection(decode_payload(coded("deflate" if coding == "raw" else coding), packed))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.reason is Reason.TOO_LARGE
    assert peak < 3 * MAX_DECODED


MEASURE = """
import re, sys
from pathlib import Path
from pipelines.payload import decode_payload
def most():  # kB; getrusage would show what the parent had when it forked
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
packed = Path(sys.argv[2]).read_bytes()
decode_payload((("Content-Encoding", sys.argv[1]),), packed[:5])
before = most()
result = decode_payload((("Content-Encoding", sys.argv[1]),), packed)
print(result.reason, most() - before)
"""


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_bomb_of_a_gigabyte_grows_the_process_by_less_than_50_mb(coding: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("bomb") / coding
    file.write_bytes(bomb(coding))
    out = subprocess.run([sys.executable, "-c", MEASURE, coding, str(file)], capture_output=True, text=True, check=True).stdout
    reason, kilobytes = out.split()
    assert reason == Reason.TOO_LARGE
    assert int(kilobytes) < 50 * 1024


def test_the_constants_hang_together() -> None:
    assert payload.ZSTD_INPUT // 4 * 128 * 1024 <= MAX_DECODED  # the most that one zstd step can make
    assert resource.getpagesize() <= STEP
