"""Framing: a record is handed out only when its end is proved, and reading goes on behind every damage."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta, timezone

import fastwarc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive import records
from pipelines.archive.records import (
    BLOCK_KEPT,
    Record,
    encode_record,
    end_of_last_whole_member,
    format_date,
    number,
    parse_date,
    read_records,
    sha256,
    unfold,
)
from pipelines.errors import DamagedRecord

PLAIN_HEAD = b"WARC/1.0\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:x:%d>\r\nContent-Length: %d\r\n\r\n"


def member(number_: int, block: bytes = b"a block of some length, long enough to be cut") -> bytes:
    return encode_record((("WARC-Type", "resource"), ("WARC-Record-ID", f"<urn:x:{number_}>")), block)


def plain(number_: int, block: bytes = b"some block") -> bytes:
    return PLAIN_HEAD % (number_, len(block)) + block + b"\r\n\r\n"


def read(content: bytes, start: int = 0) -> list[Record | DamagedRecord]:
    return list(read_records(io.BytesIO(content), "a.warc.gz", start))


def ids(read_: list[Record | DamagedRecord]) -> list[str]:
    """Numbers of the records, and the offset of each damage."""
    return [f"damaged at {item.offset}" if isinstance(item, DamagedRecord) else item.record_id.removeprefix("urn:x:") for item in read_]


def only(read_: list[Record | DamagedRecord]) -> Record:
    (record,) = read_
    assert isinstance(record, Record)
    return record


def damage(read_: list[Record | DamagedRecord]) -> DamagedRecord:
    (found,) = [item for item in read_ if isinstance(item, DamagedRecord)]
    return found


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_is_one_gzip_member_with_its_length_and_digest() -> None:
    packed = encode_record((("WARC-Type", "resource"), ("WARC-Target-URI", "http://a.example/科技")), b"block")
    assert (
        gzip.decompress(packed)
        == (
            "WARC/1.1\r\nWARC-Type: resource\r\nWARC-Target-URI: http://a.example/科技\r\n"
            f"WARC-Block-Digest: {sha256(b'block')}\r\nContent-Length: 5\r\n\r\nblock\r\n\r\n"
        ).encode()
    )


def test_equal_records_are_equal_bytes() -> None:
    assert member(1) == member(1)


def test_fastwarc_reads_what_we_write_and_finds_the_digest_right() -> None:
    stream = io.BytesIO(member(1) + member(2, b""))
    assert [(r.record_id, r.verify_block_digest()) for r in fastwarc.ArchiveIterator(stream)] == [("<urn:x:1>", True), ("<urn:x:2>", True)]


@given(st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001 - hypothesis wants them naive
def test_a_date_comes_back_to_the_microsecond(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert parse_date(format_date(aware)) == aware


def test_a_date_with_an_offset_is_written_in_utc() -> None:
    assert format_date(datetime(2026, 1, 2, 7, 30, tzinfo=timezone(timedelta(hours=8)))) == "2026-01-01T23:30:00.000000Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-02-29T12:34:56Z", datetime(2020, 2, 29, 12, 34, 56, tzinfo=UTC)),
        ("2020-02-29T12:34:56", datetime(2020, 2, 29, 12, 34, 56, tzinfo=UTC)),
        (" 2020-02-29 12:34:56z ", datetime(2020, 2, 29, 12, 34, 56, tzinfo=UTC)),
        ("2020-02-29T12:34:56.1Z", datetime(2020, 2, 29, 12, 34, 56, 100_000, tzinfo=UTC)),
        ("2020-02-29T12:34:56.123456789Z", datetime(2020, 2, 29, 12, 34, 56, 123_456, tzinfo=UTC)),
        ("2020-02-29T20:34:56+08:00", datetime(2020, 2, 29, 12, 34, 56, tzinfo=UTC)),
        ("2020-02-29T12:34Z", datetime(2020, 2, 29, 12, 34, tzinfo=UTC)),
        ("2020-02-29", datetime(2020, 2, 29, tzinfo=UTC)),
        ("2020", datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_every_form_of_a_warc_date_is_read(text: str, moment: datetime) -> None:
    assert parse_date(text) == moment


@pytest.mark.parametrize(
    "text", ["", "now", "2021-02-29", "2020-13-01T00:00:00Z", "20200229123456", "2020-01-01T00:00:00+99:99", "0001-01-01T00:00+23:00"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("17", 17), ("", None), ("-1", None), ("1_0", None), ("²", None), ("9" * 19, None), (None, None)]
)
def test_a_number_is_ascii_digits_and_not_endless(text: str | None, value: int | None) -> None:
    assert number(text) == value


@given(st.binary(max_size=100))
def test_base32_is_the_librarys(payload: bytes) -> None:
    assert sha256(payload) == "sha256:" + base64.b32encode(hashlib.sha256(payload).digest()).decode()
    assert records._base32(payload) == base64.b32encode(payload).decode()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("A: 1\r\nB: 2", "A: 1\r\nB: 2"),
        ("A: 1\r\n  2\r\nB: 3", "A: 1 2\r\nB: 3"),
        ("A: 1\n\t2\n 3", "A: 1 2 3"),
        (" A: 1", " A: 1"),
        ("", ""),
    ],
)
def test_folded_lines_are_joined(text: str, lines: str) -> None:
    assert unfold(text) == lines


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=3_000), min_size=1, max_size=6))
def test_offsets_and_lengths_are_those_of_the_members(blocks: list[bytes]) -> None:
    content = b"".join(member(n, block) for n, block in enumerate(blocks))
    for n, (record, block) in enumerate(zip(read(content), blocks, strict=True)):
        assert isinstance(record, Record)
        assert (record.block, record.block_length, record.record_id, record.type) == (block, len(block), f"urn:x:{n}", "resource")
        assert content[record.offset : record.offset + record.length] == member(n, block)


@pytest.mark.parametrize("raw", [1, 7, 100, 2**16])
def test_the_size_of_a_read_changes_nothing(raw: int, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"".join(member(n, os.urandom(300)) for n in range(4))
    whole = read(content)
    monkeypatch.setattr(records, "RAW", raw)
    monkeypatch.setattr(records, "STEP", max(raw, 50))
    assert read(content) == whole


def test_reading_starts_at_any_record() -> None:
    content = b"".join(map(member, range(4)))
    assert ids(read(content, start=len(member(0)) + len(member(1)))) == ["2", "3"]


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08"])
def test_a_file_with_nothing_whole_in_it_gives_no_record(content: bytes) -> None:
    assert all(isinstance(item, DamagedRecord) for item in read(content))


def test_a_file_that_is_no_warc_is_damage_and_no_exception() -> None:
    assert ids(read(b"<html>not a WARC file</html>" * 9)) == ["damaged at 0"]
    assert ids(read(gzip.compress(b"<html>not a WARC file</html>"))) == ["damaged at 0"]


def test_a_file_compressed_as_a_whole_is_read_and_its_records_have_no_length_of_their_own() -> None:
    content = gzip.compress(plain(1) + plain(2) + plain(3))
    read_ = read(content)
    assert ids(read_) == ["1", "2", "3"]
    assert {(r.offset, r.length) for r in read_ if isinstance(r, Record)} == {(0, 0)}


def test_the_last_of_several_records_in_a_member_has_no_length_either() -> None:
    read_ = read(gzip.compress(plain(1) + plain(2)) + member(3))
    assert [r.length for r in read_ if isinstance(r, Record)] == [0, 0, len(member(3))]


@pytest.mark.parametrize("raw", [1, 5, 2**16])
def test_an_uncompressed_file_is_read_with_exact_places(raw: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "RAW", raw)
    content = plain(1) + plain(2, b"\r\n\r\nWARC/1.0\r\n is only text here") + plain(3, b"")
    read_ = read(content)
    assert ids(read_) == ["1", "2", "3"]
    for record, piece in zip(read_, (plain(1), plain(2, b"\r\n\r\nWARC/1.0\r\n is only text here"), plain(3, b"")), strict=True):
        assert isinstance(record, Record)
        assert content[record.offset : record.offset + record.length] == piece


def test_headers_may_be_folded_have_bare_line_feeds_any_case_and_any_version() -> None:
    head = b"WARC/0.18\nwarc-type: Response\nWARC-TARGET-URI: http://a.example/\n  folded\nContent-Length: 2\n\nab\n\n"
    record = only(read(gzip.compress(head)))
    assert (record.type, record.fields["warc-target-uri"], record.block) == ("response", "http://a.example/ folded", b"ab")


def test_the_first_of_a_repeated_field_counts() -> None:
    head = b"WARC/1.1\r\nWARC-Concurrent-To: a\r\nWARC-Concurrent-To: b\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    assert only(read(gzip.compress(head))).fields["warc-concurrent-to"] == "a"


def test_a_header_that_is_not_utf8_is_read_as_latin1() -> None:
    head = b"WARC/1.0\r\nWARC-Target-URI: http://a.example/\xbf\xc6\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    assert only(read(gzip.compress(head))).fields["warc-target-uri"] == "http://a.example/¿Æ"


@pytest.mark.parametrize("name", ["sha1", "sha256", "md5", "sha512"])
@pytest.mark.parametrize("form", ["base32", "unpadded", "hex", "HEX"])
def test_a_block_digest_of_any_usual_form_is_checked(name: str, form: str) -> None:
    def head(block: bytes) -> bytes:
        digest = hashlib.new(name, b"some block").digest()
        encoded = base64.b32encode(digest).decode()
        value = {"base32": encoded, "unpadded": encoded.rstrip("="), "hex": digest.hex(), "HEX": digest.hex().upper()}[form]
        return f"WARC/1.1\r\nWARC-Block-Digest: {name}:{value}\r\nContent-Length: 10\r\n\r\n".encode() + block + b"\r\n\r\n"

    assert only(read(gzip.compress(head(b"some block")))).block == b"some block"
    assert "digest" in damage(read(gzip.compress(head(b"some b1ock")))).wrong
    assert "digest" in damage(read(head(b"some b1ock"))).wrong


def test_a_digest_of_an_algorithm_that_nobody_knows_is_no_damage() -> None:
    head = b"WARC/1.1\r\nWARC-Block-Digest: whirl:abc\r\nContent-Length: 1\r\n\r\na\r\n\r\n"
    assert only(read(gzip.compress(head))).block == b"a"


def test_a_block_above_what_is_kept_is_cut_hashed_whole_and_costs_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK_KEPT", 2**20)
    packer = zlib.compressobj(wbits=31)
    digest = hashlib.sha256()
    pieces = [packer.compress(b"WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: %d\r\n\r\n" % (64 * 2**20))]
    for _ in range(64):
        pieces.append(packer.compress(bytes(2**20)))
        digest.update(bytes(2**20))
    pieces += [packer.compress(b"\r\n\r\n"), packer.flush()]
    tracemalloc.start()
    record = only(read(b"".join(pieces)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (record.block, record.block_length) == (bytes(2**20), 64 * 2**20)
    assert peak < 8 * 2**20
    assert BLOCK_KEPT == 16 * 2**20


# ── damage ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cut_last_record_is_reported_wherever_it_is_cut() -> None:
    head, last = member(0) + member(1), member(2)
    for cut in range(1, len(last)):
        read_ = read(head + last[:cut])
        assert ids(read_) == ["0", "1", f"damaged at {len(head)}"], cut
        assert damage(read_).file == "a.warc.gz"


def test_a_cut_uncompressed_record_is_reported_wherever_it_is_cut() -> None:
    for cut in range(1, len(plain(1)) - 4):
        assert ids(read(plain(0) + plain(1)[:cut])) == ["0", f"damaged at {len(plain(0))}"], cut


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_any_flipped_byte_costs_its_own_record_only(gone: int) -> None:
    members = [member(n) for n in range(3)]
    content = b"".join(members)
    start = sum(map(len, members[:gone]))
    for at in range(start, start + len(members[gone])):
        flipped = bytearray(content)
        flipped[at] ^= 0xA5
        read_ = ids(read(bytes(flipped)))
        others = [str(n) for n in range(3) if n != gone]
        assert [item for item in read_ if item in others] == others, at
        if at - start not in range(4, 10):  # time, flags and system of the gzip header are not covered by anything
            assert f"damaged at {start}" in read_, at


def test_many_damaged_records_in_a_row_are_one_damage_up_to_the_next_good_one() -> None:
    broken = bytearray(member(1) + member(2))
    broken[3] ^= 0xFF
    broken[len(member(1)) + 3] ^= 0xFF
    assert ids(read(member(0) + bytes(broken) + member(3))) == ["0", f"damaged at {len(member(0))}", "3"]


def test_a_gzip_body_inside_a_damaged_record_is_not_taken_for_a_record() -> None:
    page = gzip.compress(os.urandom(5_000))
    broken = bytearray(member(1, page))
    assert page[:3] in bytes(broken)[10:]  # what does not compress lies there as it is
    broken[-5] ^= 0xFF
    assert ids(read(member(0) + bytes(broken) + member(2))) == ["0", f"damaged at {len(member(0))}", "2"]


def test_zeros_in_the_middle_and_at_the_end_are_damage() -> None:
    assert ids(read(member(0) + bytes(5_000) + member(1))) == ["0", f"damaged at {len(member(0))}", "1"]
    assert ids(read(member(0) + bytes(5_000))) == ["0", f"damaged at {len(member(0))}"]


@pytest.mark.parametrize("length", ["-1", "x", "", "1e3", "9" * 30])
def test_a_content_length_that_is_no_number_is_damage(length: str) -> None:
    content = gzip.compress(f"WARC/1.1\r\nContent-Length: {length}\r\n\r\nabc\r\n\r\n".encode()) + member(1)
    assert ids(read(content)) == ["damaged at 0", "1"]


def test_a_content_length_that_is_not_the_blocks_is_damage() -> None:
    for wrong in (5, 500, 10**15):
        content = gzip.compress(b"WARC/1.1\r\nContent-Length: %d\r\n\r\nsome block\r\n\r\n" % wrong) + member(1)
        assert ids(read(content)) == ["damaged at 0", "1"], wrong


def test_a_header_without_an_end_is_damage_and_not_read_for_ever() -> None:
    endless = gzip.compress(b"WARC/1.1\r\n" + b"X-Y: 1\r\n" * 100_000)
    read_ = read(endless + member(1))
    assert ids(read_) == ["damaged at 0", "1"]
    assert damage(read_).wrong == "the WARC header has no end"


def test_a_damaged_uncompressed_record_costs_itself_only() -> None:
    content = plain(0) + plain(1).replace(b"Content-Length: 10", b"Content-Length: zz") + plain(2)
    assert ids(read(content)) == ["0", f"damaged at {len(plain(0))}", "2"]


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_no_damage_raises_and_no_record_is_ever_a_lie(data: st.DataObject) -> None:
    content = bytearray(b"".join(member(n, bytes([n]) * 200) for n in range(4)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    for item in read(bytes(content)):
        if isinstance(item, Record):
            assert item.block == bytes([int(item.record_id.removeprefix("urn:x:"))]) * 200


# ── the tail ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_end_of_the_last_whole_member_is_found_for_every_cut() -> None:
    first, last = member(0), member(1)
    for cut in range(len(last)):
        assert end_of_last_whole_member(io.BytesIO(first + last[:cut])) == len(first), cut
    assert end_of_last_whole_member(io.BytesIO(first + last)) == len(first + last)
    assert end_of_last_whole_member(io.BytesIO(first + last), start=len(first)) == len(first + last)


def test_damage_in_the_middle_is_no_tail() -> None:
    broken = bytearray(member(1))
    broken[20] ^= 0xFF
    content = member(0) + bytes(broken) + member(2)
    assert end_of_last_whole_member(io.BytesIO(content)) == len(content)
    assert end_of_last_whole_member(io.BytesIO(content + b"\x1f\x8b\x08torn")) == len(content)


def test_zeros_that_a_power_cut_left_are_tail() -> None:
    assert end_of_last_whole_member(io.BytesIO(member(0) + bytes(4_096))) == len(member(0))
