"""What another archive promised, and every way not to keep it."""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive.borrowed import Borrowed, Broken, Promise, borrowed, is_borrowed, is_stamp, series, sha1_of, target_of
from pipelines.archive.exchange import Exchange, new_id
from pipelines.archive.records import encode_record, read_records, sha256
from pipelines.archive.warc import WarcWriter, read_captures
from pipelines.errors import DamagedRecord
from pipelines.model import Capture, Headers, Hints, Kind

ASKED_AT = datetime(2026, 9, 7, 1, 0, tzinfo=UTC)
AT = "20240301020304"
MOMENT = datetime(2024, 3, 1, 2, 3, 4, tzinfo=UTC)
URL = "http://news.test/20240301/1.html"
PAGE = "<html><body><h1>泵站并网</h1></body></html>".encode()
SOURCE = "https://data.test/crawl/CC-1.warc.gz"
REPLAY = f"https://replay.test/web/{AT}id_/{URL}"


def sha1(payload: bytes) -> str:
    return base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode()


# ── a range of a WARC file ───────────────────────────────────────────────────────────────────────────────────────────


def member(body: bytes = PAGE, *, head: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", **changed: str | None) -> bytes:
    """A gzip member with one response record, as Common Crawl writes it; `changed` are named fields with _ for -."""
    fields = {
        "WARC-Type": "response",
        "WARC-Record-ID": new_id(),
        "WARC-Target-URI": URL,
        "WARC-Date": "2024-03-01T02:03:04Z",
        "Content-Type": "application/http; msgtype=response",
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    return encode_record(tuple((name, value) for name, value in fields.items() if value is not None), head + b"\r\n" + body)


MEMBER = member()


def promise(of: bytes = MEMBER, **changed: Any) -> Promise:
    values = {"source": SOURCE, "url": URL, "at": AT, "digest": sha1(PAGE), "offset": 700, "length": len(of), **changed}
    return Promise(**values)


def ranged(body: bytes = MEMBER, **changed: Any) -> Exchange:
    """The answer to a request for that range."""
    headers: Headers = (("Content-Range", f"bytes 700-{700 + len(body) - 1}/900000"), ("Content-Type", "application/octet-stream"))
    values = {"url": SOURCE, "fetched_at": ASKED_AT, "status": 206, "headers": headers, "body": body, "kind": Kind.RECORD, **changed}
    return Exchange(**values)


def kept(wanted: Promise, answer: Exchange) -> Borrowed:
    result = borrowed(wanted, answer)
    assert isinstance(result, Borrowed), result
    return result


def test_a_range_comes_in_as_it_is_with_where_it_was_had_before_it() -> None:
    taken = kept(promise(), ranged())
    assert taken.members.endswith(MEMBER)
    before, record = read_records_of(taken.members)
    assert (before.type, record.type) == ("metadata", "response")
    assert before.fields["warc-source-uri"] == SOURCE
    assert before.fields["warc-refers-to"] == f"<{record.record_id}>"
    assert before.fields["warc-creation-date"].startswith("2026-09-07T01:00:00")
    assert b"range: bytes=700-" in before.block


def read_records_of(members: bytes) -> list[Any]:
    return list(read_records(BytesIO(members), "x.warc.gz"))


def written(taken: Borrowed, folder: Path) -> tuple[Capture, list[Capture | DamagedRecord]]:
    """The capture as it is told, and what the file is read as."""
    writer = WarcWriter(folder, prefix=series("news"), software="test/1", rules={})
    capture = taken.capture(*writer.add(taken.members, ASKED_AT))
    writer.close()
    return capture, list(read_captures(next(folder.glob("*.warc.gz"))))


@pytest.mark.parametrize("way", ["range", "replay"])
def test_the_capture_that_is_told_is_the_one_that_the_file_is_read_as(way: str, tmp_path: Path) -> None:
    taken = kept(promise(), ranged()) if way == "range" else kept(replay_promise(), replayed())
    capture, read = written(taken, tmp_path)
    assert read == [capture]
    assert (capture.url, capture.fetched_at, capture.status, capture.body) == (URL, MOMENT, 200, PAGE)
    assert (capture.kind, capture.hints, capture.payload_digest) == (Kind.ARTICLE, Hints(), sha256(PAGE))
    assert capture.warc is not None
    assert is_borrowed(capture.warc.file, "news")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PAGE), PAGE)
TWO = MEMBER + member()
HALVED = gzip.compress(gzip.decompress(MEMBER)[:-30])


@pytest.mark.parametrize("digest", [sha1(PAGE), sha1(CHUNKS), None])
def test_a_digest_may_be_of_the_payload_with_its_chunks_or_without(digest: str | None) -> None:
    chunked = member(CHUNKS, head=CHUNKED)
    assert kept(promise(chunked, digest=digest), ranged(chunked)).capture("f", 0).body == PAGE


def test_an_escape_that_one_of_them_spells_out_makes_no_other_url() -> None:
    spelled = member(WARC_Target_URI="http://news.test/20240301/泵.html")
    kept(promise(spelled, url="http://news.test/20240301/%E6%B3%B5.html"), ranged(spelled))


BROKEN_RANGES: dict[str, tuple[bytes, dict[str, Any], dict[str, Any], Broken]] = {
    "a 404": (MEMBER, {"status": 404}, {}, Broken.HTTP_ERROR),
    "a 503": (MEMBER, {"status": 503}, {}, Broken.HTTP_ERROR),
    "the whole file": (MEMBER, {"status": 200}, {}, Broken.WHOLE_FILE),
    "another range": (MEMBER, {"headers": (("Content-Range", "bytes 0-9/100"),)}, {}, Broken.OTHER_RANGE),
    "no word of a range": (MEMBER, {"headers": ()}, {}, Broken.OTHER_RANGE),
    "a range with a sign": (MEMBER, {"headers": (("Content-Range", f"bytes +700-{699 + len(MEMBER)}/*"),)}, {}, Broken.OTHER_RANGE),
    "more than was asked for": (MEMBER, {"truncated": "length"}, {}, Broken.TOO_LARGE),
    "a line that broke": (MEMBER, {"truncated": "disconnect"}, {}, Broken.CUT),
    "fewer bytes than it says": (
        MEMBER[:-1],
        {"headers": (("Content-Range", f"bytes 700-{699 + len(MEMBER)}/*"),)},
        {"length": len(MEMBER)},
        Broken.CUT,
    ),
    "half a member": (MEMBER[:-20], {}, {}, Broken.CUT),
    "no gzip": (b"WARC/1.0\r\n" + bytes(90), {}, {}, Broken.DAMAGED),
    "a flipped bit": (MEMBER[:-6] + bytes([MEMBER[-6] ^ 1]) + MEMBER[-5:], {}, {}, Broken.DAMAGED),
    "gzip of something else": (gzip.compress(b"no record at all"), {}, {}, Broken.DAMAGED),
    "a record without its end": (HALVED, {}, {}, Broken.DAMAGED),
    "a block digest that does not fit": (member(WARC_Block_Digest="sha1:" + "A" * 32), {}, {}, Broken.DAMAGED),
    "a bomb": (gzip.compress(bytes(80 * 2**20)), {}, {}, Broken.TOO_LARGE),
    "two members": (TWO, {}, {}, Broken.SEVERAL),
    "a member and rubbish": (MEMBER + b"rubbish", {}, {}, Broken.SEVERAL),
    "two records in one member": (gzip.compress(gzip.decompress(MEMBER) * 2), {}, {}, Broken.SEVERAL),
    "an empty member": (gzip.compress(b""), {}, {}, Broken.SEVERAL),
    "a request": (member(WARC_Type="request"), {}, {}, Broken.NO_RESPONSE),
    "a revisit": (member(WARC_Type="revisit"), {}, {}, Broken.NO_RESPONSE),
    "a response of a name server": (member(WARC_Target_URI="dns:news.test"), {}, {}, Broken.NO_RESPONSE),
    "a response that names what stands before it": (member(X_Metadata_Length="90"), {}, {}, Broken.NO_RESPONSE),
    "no status line": (member(head=b"HTTP/x\r\n"), {}, {}, Broken.DAMAGED),
    "no date": (member(WARC_Date="yesterday"), {}, {}, Broken.DAMAGED),
    "another page": (member(WARC_Target_URI="http://news.test/20240301/2.html"), {}, {}, Broken.OTHER_URL),
    "another host": (member(WARC_Target_URI="http://other.test/20240301/1.html"), {}, {}, Broken.OTHER_URL),
    "another second": (member(WARC_Date="2024-03-01T02:03:05Z"), {}, {}, Broken.OTHER_TIME),
    "a day to come": (member(WARC_Date="2026-09-08T00:00:00Z"), {}, {"at": "20260908000000"}, Broken.OTHER_TIME),
    "another status": (member(head=b"HTTP/1.1 404 Not Found\r\n"), {}, {}, Broken.OTHER_STATUS),
    "another payload": (member(b"<html>spam</html>"), {}, {}, Broken.OTHER_PAYLOAD),
}


@pytest.mark.parametrize("name", BROKEN_RANGES)
def test_a_range_that_is_not_what_was_promised_stays_out(name: str) -> None:
    body, answered, promised, reason = BROKEN_RANGES[name]
    assert borrowed(promise(body, **promised), ranged(body, **answered)) is reason


# ── a replay ─────────────────────────────────────────────────────────────────────────────────────────────────────────

REPLAYED: Headers = (
    ("Content-Type", "text/html"),
    ("Memento-Datetime", "Fri, 01 Mar 2024 02:03:04 GMT"),
    ("Link", f'<{URL}>; rel="original", <https://replay.test/web/timemap/link/{URL}>; rel="timemap"'),
    ("X-Archive-Orig-Server", "nginx"),
    ("x-archive-orig-last-modified", "Fri, 01 Mar 2024 01:00:00 GMT"),
    ("X-Archive-Orig-Content-Length", "99999"),
    ("X-Archive-Orig-Transfer-Encoding", "chunked"),
    ("X-Archive-Orig-Set-Cookie", "sid=1"),
    ("Set-Cookie", "archive=1"),
)


def replay_promise(**changed: Any) -> Promise:
    return Promise(**{"source": REPLAY, "url": URL, "at": AT, "digest": sha1(PAGE), **changed})


def replayed(body: bytes = PAGE, headers: Headers = REPLAYED, **changed: Any) -> Exchange:
    return Exchange(
        **{"url": REPLAY, "fetched_at": ASKED_AT, "status": 200, "headers": headers, "body": body, "kind": Kind.RECORD, **changed}
    )


def without(name: str, value: str | None = None) -> Headers:
    """The headers of a replay without one of them, or with another value."""
    left = tuple(item for item in REPLAYED if item[0] != name)
    return left if value is None else (*left, (name, value))


def test_a_replay_becomes_the_response_that_it_had_been() -> None:
    capture = kept(replay_promise(), replayed()).capture("f", 0)
    assert (capture.header("Server"), capture.header("Last-Modified")) == ("nginx", "Fri, 01 Mar 2024 01:00:00 GMT")
    assert capture.header("Content-Type") == "text/html"
    assert (capture.header("Memento-Datetime"), capture.header("Link"), capture.truncated) == (None, None, None)


def test_no_cookie_of_a_replay_is_kept() -> None:
    assert b"sid=1" not in gzip.decompress(kept(replay_promise(), replayed()).members)
    assert b"archive=1" not in gzip.decompress(kept(replay_promise(), replayed()).members)


def test_where_it_was_had_and_when_stands_in_the_record() -> None:
    [record] = read_records_of(kept(replay_promise(), replayed()).members)
    assert record.fields["warc-source-uri"] == REPLAY
    assert record.fields["warc-creation-date"].startswith("2026-09-07T01:00:00")
    assert record.fields["warc-date"].startswith("2024-03-01T02:03:04")


def test_the_coding_is_that_of_the_body_as_it_came() -> None:
    packed = gzip.compress(PAGE)
    coded = (*REPLAYED, ("Content-Encoding", "gzip"), ("X-Archive-Orig-Content-Encoding", "br"))
    capture = kept(replay_promise(), replayed(packed, coded)).capture("f", 0)
    assert [value for name, value in capture.headers if name.lower() == "content-encoding"] == ["gzip"]
    assert capture.body == packed
    kept(replay_promise(digest=sha1(packed)), replayed(packed, coded))


@pytest.mark.parametrize(
    "link", [None, f"<{URL.replace('http:', 'https:')}>; rel=original", f'<{URL.replace("//", "//www.")}>; rel="original"']
)
def test_the_original_may_be_unnamed_or_spelled_as_indexes_do(link: str | None) -> None:
    kept(replay_promise(), replayed(headers=without("Link", link)))


BROKEN_REPLAYS: dict[str, tuple[Exchange, dict[str, Any], Broken]] = {
    "a redirect to another time": (replayed(status=302), {}, Broken.HTTP_ERROR),
    "a 404": (replayed(status=404), {}, Broken.HTTP_ERROR),
    "a body too large": (replayed(truncated="length"), {}, Broken.TOO_LARGE),
    "a line that broke": (replayed(truncated="disconnect"), {}, Broken.CUT),
    "a page of the archive's own": (replayed(headers=without("Memento-Datetime")), {}, Broken.NO_REPLAY),
    "a time that is none": (replayed(headers=without("Memento-Datetime", "soon")), {}, Broken.NO_REPLAY),
    "another second": (replayed(headers=without("Memento-Datetime", "Fri, 01 Mar 2024 02:03:05 GMT")), {}, Broken.OTHER_TIME),
    "a day to come": (
        replayed(headers=without("Memento-Datetime", "Tue, 08 Sep 2026 00:00:00 GMT")),
        {"at": "20260908000000"},
        Broken.OTHER_TIME,
    ),
    "another page": (replayed(headers=without("Link", '<http://news.test/2.html>; rel="original"')), {}, Broken.OTHER_URL),
    "another payload": (replayed(b"<html>spam</html>"), {}, Broken.OTHER_PAYLOAD),
    "a coding that is none": (replayed(b"no gzip", (*REPLAYED, ("Content-Encoding", "gzip"))), {}, Broken.OTHER_PAYLOAD),
}


@pytest.mark.parametrize("name", BROKEN_REPLAYS)
def test_a_replay_that_is_not_what_was_promised_stays_out(name: str) -> None:
    answer, promised, reason = BROKEN_REPLAYS[name]
    assert borrowed(replay_promise(**promised), answer) is reason


def test_every_reason_is_shown_here() -> None:
    shown = {reason for *_, reason in BROKEN_RANGES.values()} | {reason for *_, reason in BROKEN_REPLAYS.values()}
    assert shown == set(Broken)


# ── for any bytes ────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(100, 599))
def test_no_answer_raises(body: bytes, status: int) -> None:
    for answer in (ranged(body, status=status), ranged(gzip.compress(body), status=206)):
        assert isinstance(borrowed(promise(answer.body), answer), Broken)
    assert isinstance(borrowed(replay_promise(), replayed(body, status=status)), Broken)


@settings(deadline=None)
@given(st.integers(0, len(MEMBER) - 1), st.integers(1, 255))
def test_no_changed_byte_changes_what_comes_in(at: int, change: int) -> None:
    body = MEMBER[:at] + bytes([MEMBER[at] ^ change]) + MEMBER[at + 1 :]
    result = borrowed(promise(), ranged(body))
    assert isinstance(result, Broken) or result.capture("f", 0).body == PAGE


HEADER = st.sampled_from(["Memento-Datetime", "Link", "Content-Encoding", "Content-Type", "X-Archive-Orig-Date", "X-Archive-Orig-:"])


@settings(deadline=None)
@given(st.lists(st.tuples(HEADER, st.text(st.characters(max_codepoint=255), max_size=40))))
def test_no_headers_of_a_replay_raise(headers: list[tuple[str, str]]) -> None:
    result = borrowed(replay_promise(), replayed(headers=(*headers, *REPLAYED)))
    assert isinstance(result, Broken) or result.capture("f", 0).body == PAGE


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PROMISES = st.builds(
    Promise,
    source=st.sampled_from([SOURCE, REPLAY, "https://data.test/a?b=c&d"]),
    url=TEXT.filter(bool),
    at=st.just(AT),
    digest=st.none() | st.just("A" * 32),
).flatmap(
    lambda one: (
        st.none().map(lambda _: one)
        | st.tuples(st.integers(0, 2**50), st.integers(1, 2**23)).map(lambda at: replace(one, offset=at[0], length=at[1]))
    )
)


@given(PROMISES, TEXT)
def test_a_promise_is_found_again_at_its_place_and_its_article_in_its_key(one: Promise, canonical: str) -> None:
    assert Promise.at_place(one.place()) == one
    assert target_of(one.key(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (sha1(PAGE), sha1(PAGE)),
        (f"sha1:{sha1(PAGE)}", sha1(PAGE)),
        (sha1(PAGE).lower(), sha1(PAGE)),
        (hashlib.sha1(PAGE, usedforsecurity=False).hexdigest(), sha1(PAGE)),
        ("-", None),
        ("", None),
        ("g" * 40, None),
        (sha256(PAGE), None),
    ],
)
def test_digests_are_read_as_indexes_write_them(text: str, digest: str | None) -> None:
    assert sha1_of(text) == digest


@pytest.mark.parametrize("at", ["20240229000000", AT])
def test_a_second_of_the_calendar_is_a_stamp(at: str) -> None:
    assert is_stamp(at)


@pytest.mark.parametrize(
    "at", ["", "2024", "20230229000000", "20240301250000", "２０２４０３０１０２０３０４", "2024030102030a", "+2024030102030"]
)
def test_anything_else_is_none(at: str) -> None:
    assert not is_stamp(at)


def test_a_site_knows_the_files_of_its_own_series() -> None:
    assert is_borrowed("news-backfill-20260907-00001.warc.gz", "news")
    assert not is_borrowed("news-20260907-00001.warc.gz", "news")
    assert not is_borrowed("newsroom-backfill-20260907-00001.warc.gz", "news")
