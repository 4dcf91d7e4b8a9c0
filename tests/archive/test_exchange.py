"""Records of every writer are understood: chunks, revisits, resources, old dates, missing pieces."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive.exchange import MAX_HTTP_HEAD, NOT_MODIFIED, Exchange, pack, parse_metadata, resolved
from pipelines.archive.records import Record, read_records, sha256
from pipelines.archive.warc import captures_in
from pipelines.errors import DamagedRecord
from pipelines.model import Capture, Hints, Kind, WarcRef

URL = "http://tech.example.cn/it/20220817/1.shtml?page=1&from=list"
MOMENT = datetime(2026, 11, 1, 12, 30, 15, 123_456, tzinfo=UTC)


def foreign(*members: bytes) -> list[Capture | DamagedRecord]:
    return list(captures_in(io.BytesIO(b"".join(members)), "theirs.warc.gz"))


def foreign_capture(*members: bytes) -> Capture:
    (capture,) = foreign(*members)
    assert isinstance(capture, Capture)
    return capture


def record(kind: str, block: bytes, *fields: str, version: str = "1.0", url: str = URL, date: str | None = "2020-05-06T07:08:09Z") -> bytes:
    lines = [f"WARC/{version}", f"WARC-Type: {kind}", f"WARC-Target-URI: {url}", "WARC-Record-ID: <urn:uuid:1>", *fields]
    lines += [f"WARC-Date: {date}"] if date else []
    return "\r\n".join([*lines, f"Content-Length: {len(block)}"]).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def response(block: bytes, *fields: str, date: str | None = "2020-05-06T07:08:09Z") -> bytes:
    return gzip.compress(record("response", block, "Content-Type: application/http; msgtype=response", *fields, date=date))


def test_a_warc_1_0_response_with_seconds_and_brackets_is_read() -> None:
    block = b"HTTP/1.0 200\r\nContent-Type: text/html\r\n\r\n<p>a</p>"
    packed = gzip.compress(record("response", block, "Content-Type: application/http;msgtype=response", url=f"<{URL}>"))
    capture = foreign_capture(packed)
    assert (capture.url, capture.status, capture.body) == (URL, 200, b"<p>a</p>")
    assert capture.fetched_at == datetime(2020, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert capture.payload_digest == sha256(b"<p>a</p>")
    assert (capture.kind, capture.hints) == (Kind.ARTICLE, Hints())
    assert capture.warc == WarcRef(file="theirs.warc.gz", offset=0, length=len(packed), record_id="urn:uuid:1")


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_chunks_that_were_stored_are_undone(end: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    capture = foreign_capture(response(head + end.join([b"5;ext=1", b"hello", b"6 ", b" world", b"0", b"", b""])))
    assert (capture.body, capture.truncated) == (b"hello world", None)


def test_chunks_without_their_last_are_a_disconnect() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for body, rest in ((b"5\r\nhello\r\n", b"hello"), (b"5\r\nhel", b"hel"), (b"5\r\nhello\r\n6", b"hello")):
        capture = foreign_capture(response(head + body))
        assert (capture.body, capture.truncated) == (rest, "disconnect")


def test_a_transfer_encoding_that_was_undone_but_is_still_named_does_no_harm() -> None:
    capture = foreign_capture(response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<html>whole</html>"))
    assert (capture.body, capture.truncated) == (b"<html>whole</html>", None)


def test_a_body_shorter_than_its_content_length_is_a_disconnect() -> None:
    assert foreign_capture(response(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<html>")).truncated == "disconnect"
    assert foreign_capture(response(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<html>")).truncated is None
    assert foreign_capture(response(b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n<html>")).truncated is None
    assert foreign_capture(response(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "WARC-Truncated: time")).truncated == "time"
    assert foreign_capture(response(b"HTTP/1.1 200 OK\r\n\r\nfirst part", "WARC-Segment-Number: 1")).truncated == "length"


def test_headers_may_be_folded_repeated_or_have_bare_line_feeds() -> None:
    block = b"HTTP/1.1 200 OK\nX-A: 1\nX-A: 2\nX-B: long\n  value\nno colon here\n\nbody\r\n\r\n"
    capture = foreign_capture(response(block))
    assert capture.headers == (("X-A", "1"), ("X-A", "2"), ("X-B", "long value"))
    assert capture.body == b"body\r\n\r\n"


def test_a_response_without_a_body_or_without_headers_is_read() -> None:
    assert foreign_capture(response(b"HTTP/1.1 404 Not Found\r\n\r\n")).headers == ()
    capture = foreign_capture(response(b"HTTP/1.1 301 Moved\r\nLocation: /a"))
    assert (capture.status, capture.headers, capture.body) == (301, (("Location", "/a"),), b"")


def test_headers_without_an_end_are_damage_and_not_millions_of_headers() -> None:
    (damage,) = foreign(response(b"HTTP/1.1 200 OK\r\n" + b"a:b\n" * (MAX_HTTP_HEAD // 4)))
    assert isinstance(damage, DamagedRecord)
    assert damage.wrong == "the HTTP header has no end"


def test_a_record_without_a_date_takes_the_servers_and_without_both_is_damage() -> None:
    dated = b"HTTP/1.1 200 OK\r\nDate: Wed, 06 May 2020 15:08:09 +0800\r\n\r\na"
    assert foreign_capture(response(dated, date=None)).fetched_at == datetime(2020, 5, 6, 7, 8, 9, tzinfo=UTC)
    for value in (b"Date: never", b"Date: Wed, 99999999999999999999 May 2020 15:08:09 GMT", b"X: y"):
        (damage,) = foreign(response(b"HTTP/1.1 200 OK\r\n" + value + b"\r\n\r\na", date=None))
        assert isinstance(damage, DamagedRecord)
        assert "WARC-Date" in damage.wrong


def test_a_resource_is_a_page_with_the_type_that_it_names() -> None:
    capture = foreign_capture(gzip.compress(record("resource", b"<p>a</p>", "Content-Type: text/html")))
    assert (capture.status, capture.headers, capture.body) == (200, (("Content-Type", "text/html"),), b"<p>a</p>")


def test_what_is_no_exchange_of_the_web_is_passed_over() -> None:
    assert (
        foreign(
            gzip.compress(record("warcinfo", b"software: x\r\n")),
            gzip.compress(record("request", b"GET / HTTP/1.1\r\n\r\n")),
            gzip.compress(
                record("response", b"20200506 tech.example.cn. 1 IN A 203.0.113.7", "Content-Type: text/dns", url="dns:tech.example.cn")
            ),
            gzip.compress(record("resource", b"\x89PNG", "Content-Type: image/png", url="urn:view:http://a.example/")),
            gzip.compress(record("metadata", b"outlink: http://a.example/\r\n")),
            gzip.compress(record("conversion", b"text", "Content-Type: text/plain")),
            gzip.compress(record("continuation", b"text")),
        )
        == []
    )


def test_a_response_that_is_no_http_is_damage_and_the_next_one_is_read() -> None:
    good = response(b"HTTP/1.1 200 OK\r\n\r\na")
    damage, capture = foreign(response(b"ICY 200 OK\r\n\r\na"), good)
    assert isinstance(damage, DamagedRecord)
    assert damage.wrong == "no HTTP status line"
    assert isinstance(capture, Capture)


@pytest.mark.parametrize(
    ("profile", "status"), [("http://netpreserve.org/warc/1.0/revisit/identical-payload-digest", 200), (NOT_MODIFIED, 304)]
)
def test_a_revisit_without_http_headers_means_what_its_profile_says(profile: str, status: int) -> None:
    fields = ("WARC-Refers-To-Date: 2019-01-01T00:00:00Z", "WARC-Payload-Digest: sha1:ABC", f"WARC-Profile: {profile}")
    capture = foreign_capture(gzip.compress(record("revisit", b"", *fields)))
    assert (capture.status, capture.refers_to) == (status, (URL, datetime(2019, 1, 1, tzinfo=UTC)))
    assert (capture.body, capture.payload_digest) == (b"", "sha1:ABC")


def test_a_body_above_what_is_kept_is_cut_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.archive.records.BLOCK_KEPT", 1_000)
    digest = "sha256:" + base64.b32encode(hashlib.sha256(b"a" * 5_000).digest()).decode()
    capture = foreign_capture(response(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 5_000, f"WARC-Payload-Digest: {digest}"))
    assert (len(capture.body), capture.truncated, capture.payload_digest) == (1_000 - 19, "length", digest)


def test_metadata_of_another_capture_is_not_taken_for_ours() -> None:
    packed = pack(Exchange(url=URL, fetched_at=MOMENT, status=200, hints=Hints(title="电池工厂")), "<urn:uuid:info>")
    stray = packed.members[: packed.answer.offset]
    assert foreign_capture(stray, response(b"HTTP/1.1 200 OK\r\n\r\na")).hints == Hints()


def test_what_was_packed_is_read_as_it_was_promised_wherever_it_lies() -> None:
    packed = pack(Exchange(url=URL, fetched_at=MOMENT, status=200, body=b"<p>a</p>", hints=Hints(title="电池工厂")), "<urn:uuid:info>")
    before = response(b"HTTP/1.1 200 OK\r\n\r\na")
    assert foreign(before, packed.members)[1] == packed.capture("theirs.warc.gz", len(before))


# ── packing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def packed_records(exchange: Exchange) -> list[Record]:
    read = list(read_records(io.BytesIO(pack(exchange, "<urn:uuid:info>").members), "ours"))
    assert not [item for item in read if isinstance(item, DamagedRecord)]
    return [item for item in read if isinstance(item, Record)]


@pytest.mark.parametrize(
    ("url", "line", "host"),
    [
        ("http://a.example", b"GET / HTTP/1.1", b"a.example"),
        ("http://a.example/", b"GET / HTTP/1.1", b"a.example"),
        ("http://a.example?b=1", b"GET /?b=1 HTTP/1.1", b"a.example"),
        ("https://a.example:8443/b/c?d=1&d=2#e", b"GET /b/c?d=1&d=2 HTTP/1.1", b"a.example:8443"),
        ("http://user:secret@a.example/b", b"GET /b HTTP/1.1", b"a.example"),
        ("http://a.example/%E7%A7%91?q=%2f", b"GET /%E7%A7%91?q=%2f HTTP/1.1", b"a.example"),
        ("http://a.example/科", b"GET /%E7%A7%91 HTTP/1.1", b"a.example"),
        ("http://a.example/a b", b"GET /a%20b HTTP/1.1", b"a.example"),
        ("http://[2001:db8::1]:80/a", b"GET /a HTTP/1.1", b"[2001:db8::1]:80"),
    ],
)
def test_a_request_asks_for_what_the_url_names(url: str, line: bytes, host: bytes) -> None:
    request = packed_records(Exchange(url=url, fetched_at=MOMENT, status=200))[0]
    assert request.block.split(b"\r\n")[:2] == [line, b"Host: " + host]


@pytest.mark.parametrize(
    ("status", "reason", "line"), [(200, "OK", b"HTTP/1.1 200 OK"), (404, "", b"HTTP/1.1 404 "), (503, "a\r\nb", b"HTTP/1.1 503 a b")]
)
def test_the_status_line_is_one_line(status: int, reason: str, line: bytes) -> None:
    answer = packed_records(Exchange(url=URL, fetched_at=MOMENT, status=status, reason=reason))[-1]
    assert answer.block == line + b"\r\n\r\n"


@settings(deadline=None)
@given(
    st.builds(
        Hints, via=st.none() | st.text(), title=st.none() | st.text(), published=st.none() | st.text(), section=st.none() | st.text()
    ),
    st.sampled_from(Kind),
)
def test_hints_and_kind_come_back_whatever_they_hold(hints: Hints, kind: Kind) -> None:
    packed = pack(Exchange(url=URL, fetched_at=MOMENT, status=200, hints=hints, kind=kind), "<urn:uuid:info>")
    capture = foreign_capture(packed.members)
    assert (capture.hints, capture.kind) == (hints, kind)


@pytest.mark.parametrize(
    "title",
    ["", " ", "a\r\nkind: robots", '"quoted"', '"', "全角　空格", "tab\there", "null\0byte", "\u2028", "\ud800", "a: b", "%0D%0A"],
)
def test_awkward_titles_come_back(title: str) -> None:
    packed = pack(Exchange(url=URL, fetched_at=MOMENT, status=200, hints=Hints(title=title)), "<urn:uuid:info>")
    assert foreign_capture(packed.members).hints.title == title


def test_a_kind_of_a_later_version_is_read_as_an_article() -> None:
    assert parse_metadata(b"kind: hologram\r\nvia: http://a.example/\r\n") == (Kind.ARTICLE, Hints(via="http://a.example/"))


def test_terms_of_several_lines_come_back_as_they_were() -> None:
    terms = "content-signal: ai-train=no\ncontent-usage: / train-ai=n"
    told = next(
        record
        for record in packed_records(Exchange(url=URL, fetched_at=MOMENT, status=200, hints=Hints(terms=terms)))
        if record.type == "metadata"
    )
    assert parse_metadata(told.block) == (Kind.ARTICLE, Hints(terms=terms))


@pytest.mark.parametrize("block", [b"", b"\xff\xfe", b"no colon", b'link-title: "half', b"kind:\r\n\r\n"])
def test_metadata_of_any_shape_never_raises(block: bytes) -> None:
    assert parse_metadata(block)[0] is Kind.ARTICLE


def test_a_record_that_is_no_exchange_of_ours_still_says_which_it_is() -> None:
    kinds = [record.type for record in packed_records(Exchange(url=URL, fetched_at=MOMENT, status=200, hints=Hints(title="a")))]
    assert kinds == ["request", "metadata", "response"]


def test_an_original_without_its_body_resolves_nothing() -> None:
    revisit = Capture(url=URL, fetched_at=MOMENT, status=200, headers=(), body=b"", refers_to=(URL, MOMENT))
    original = Capture(url=URL, fetched_at=MOMENT, status=200, headers=(("A", "b"),), body=b"<p>", payload_digest="sha256:x")
    assert resolved(revisit, None) is revisit
    assert resolved(revisit, lambda *_: None) is revisit
    found = resolved(revisit, lambda *_: original)
    assert (found.body, found.headers, found.payload_digest, found.url) == (b"<p>", (("A", "b"),), "sha256:x", URL)


def test_a_304_is_never_filled_with_another_captures_body() -> None:
    confirmed = Capture(url=URL, fetched_at=MOMENT, status=304, headers=(), body=b"", refers_to=(URL, MOMENT))
    assert resolved(confirmed, lambda *_: pytest.fail("was asked")) is confirmed


# ── payload digests, and revisits that say little ────────────────────────────────────────────────────────────────────


def sha1(payload: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize("of", [b"hello", CHUNKED[1]])
def test_a_payload_is_what_its_digest_says_with_its_chunks_or_without(of: bytes) -> None:
    assert foreign_capture(response(b"".join(CHUNKED), f"WARC-Payload-Digest: {sha1(of)}")).body == b"hello"


def test_a_payload_that_is_not_what_its_digest_says_is_damaged() -> None:
    """Heritrix writes no digest of the block."""
    (found,) = foreign(response(b"HTTP/1.1 200 OK\r\n\r\nhallo", f"WARC-Payload-Digest: {sha1(b'hello')}"))
    assert isinstance(found, DamagedRecord)
    assert "payload is not what its digest says" in str(found)


@pytest.mark.parametrize("field", ["WARC-Payload-Digest: crc:1", "WARC-Truncated: length"])
def test_what_nobody_can_check_is_no_damage(field: str) -> None:
    wrong = f"WARC-Payload-Digest: {sha1(b'whole')}" if "Truncated" in field else field
    assert foreign_capture(response(b"HTTP/1.1 200 OK\r\n\r\nhallo", wrong, field)).body == b"hallo"


def test_a_revisit_as_wget_writes_it_stands_for_the_last_payload_before_it_that_has_its_digest() -> None:
    profile = "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"
    fields = (profile, "WARC-Refers-To: <urn:uuid:0>", "WARC-Truncated: length", f"WARC-Payload-Digest: {sha1(b'<p>')}")
    capture = foreign_capture(gzip.compress(record("revisit", b"HTTP/1.1 200 OK\r\n\r\n", *fields)))
    assert capture.refers_to == (URL, capture.fetched_at)
    assert capture.truncated is None
    before = Capture(url=URL, fetched_at=datetime(2019, 1, 1, tzinfo=UTC), status=200, headers=(), body=b"<p>", payload_digest="sha256:x")
    assert resolved(capture, lambda *_: before).body == b"<p>"
    assert resolved(capture, lambda *_: replace(before, body=b"<b>")).body == b""
