"""What is written comes back equal; what others wrote is understood; a crash or a full disk leaves whole records."""

from __future__ import annotations

import gzip
import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import fastwarc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter as PeerWriter

from pipelines.archive.exchange import pack
from pipelines.archive.records import Record, read_records, sha256
from pipelines.archive.warc import Exchange, Tail, WarcWriter, read_captures, read_record, repair_tail
from pipelines.errors import ArchiveUnusable, DamagedRecord, Locked, OutOfSpace
from pipelines.model import Capture, Headers, Hints, Kind, WarcRef

URL = "http://tech.example.cn/it/20220817/1.shtml?page=1&from=list"
MOMENT = datetime(2026, 11, 1, 12, 30, 15, 123_456, tzinfo=UTC)
PAGE = "<html><body><p>新的电池工厂在山谷里开工。</p></body></html>".encode()
HEADERS: Headers = (("Content-Type", "text/html; charset=utf-8"), ("X-Via", "one"), ("X-Via", "two"), ("Content-Encoding", "gzip"))
EXCHANGE = Exchange(
    url=URL,
    fetched_at=MOMENT,
    ip="203.0.113.7",
    status=200,
    reason="OK",
    headers=HEADERS,
    body=gzip.compress(PAGE),
    request_headers=(("User-Agent", "archive/1 (+https://archive.example/)"), ("Accept", "text/html")),
    hints=Hints(via="http://tech.example.cn/roll/", title="电池工厂 开工", published="2022-08-17 10:05", section="滚动"),
)
DEV_PAGES = Path(__file__).parents[3] / "shared" / "real" / "dev-pages.warc.gz"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[WarcWriter]:
    with WarcWriter(tmp_path / "warc", prefix="china_tech", software="archive/1.0", rules={"china_tech": "sha256:aa"}) as open_writer:
        yield open_writer


def file_of(writer: WarcWriter) -> Path:
    assert writer.position is not None
    return writer._folder / writer.position[0]


def raw_records(path: Path) -> list[Record]:
    with path.open("rb") as file:
        read = list(read_records(file, path.name))
    assert not [item for item in read if isinstance(item, DamagedRecord)]
    return [item for item in read if isinstance(item, Record)]


def captures(path: Path, **options: object) -> list[Capture]:
    read = list(read_captures(path, **options))  # type: ignore[arg-type]
    assert not [item for item in read if isinstance(item, DamagedRecord)]
    return [item for item in read if isinstance(item, Capture)]


def ref_of(capture: Capture) -> WarcRef:
    assert capture.warc is not None
    return capture.warc


def resource_record(n: int) -> bytes:
    head = f"WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: http://a.example/{n}\r\nWARC-Record-ID: <urn:uuid:{n}>\r\n"
    return f"{head}WARC-Date: 2020-05-06T07:08:09Z\r\nContent-Length: 6\r\n\r\ntext {n}\r\n\r\n".encode()


# ── live = replay ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_capture_comes_back_equal(writer: WarcWriter) -> None:
    written = writer.write(EXCHANGE)
    assert captures(file_of(writer)) == [written]
    assert read_record(file_of(writer), ref_of(written)) == written
    assert (written.url, written.fetched_at, written.status, written.headers) == (URL, MOMENT, 200, HEADERS)
    assert (written.body, written.kind, written.hints) == (EXCHANGE.body, Kind.ARTICLE, EXCHANGE.hints)
    assert (written.truncated, written.refers_to, written.payload_digest) == (None, None, sha256(EXCHANGE.body))


texts = st.text(max_size=40)
headers_ = st.lists(
    st.tuples(st.one_of(st.sampled_from(["Content-Length", "Transfer-Encoding", "Date", "ETag"]), texts), texts), max_size=6
)
digests = st.one_of(st.none(), st.just(sha256(PAGE)))
moments = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
exchanges = st.builds(
    Exchange,
    url=st.one_of(st.just(URL), texts.map(lambda text: f"https://例え.example/{text}")),
    fetched_at=moments,
    ip=st.sampled_from([None, "203.0.113.7", "2001:db8::1"]),
    status=st.sampled_from([200, 204, 301, 304, 404, 503]),
    reason=texts,
    headers=headers_.map(tuple),
    request_headers=headers_.map(tuple),
    body=st.one_of(st.binary(max_size=400), st.just(PAGE), st.just(b"\r\n\r\n"), st.just(b"\n\nWARC/1.0\r\n")),
    kind=st.sampled_from(Kind),
    hints=st.builds(Hints, *[]) | st.builds(Hints, via=st.none() | texts, title=st.none() | texts, section=st.none() | texts),
    truncated=st.sampled_from([None, "length", "time", "disconnect", "unspecified"]),
    refers_to=st.none() | st.tuples(st.just(URL), moments),
    original_digest=digests,
)


@settings(deadline=None, max_examples=120)
@given(st.lists(exchanges, min_size=1, max_size=4))
def test_any_exchange_that_is_written_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, several: list[Exchange]) -> None:
    def original(url: str, moment: datetime, _: str | None = None, /) -> Capture:
        return Capture(url=url, fetched_at=moment, status=200, headers=(), body=PAGE, payload_digest=sha256(PAGE))

    with WarcWriter(tmp_path_factory.mktemp("any"), prefix="p", software="s", rules={}, max_seconds=10**10) as writer:
        written = [writer.write(exchange) for exchange in several]
        path = file_of(writer)
        assert captures(path, original=original) == written
        assert [read_record(path, ref_of(capture), original=original) for capture in written] == written
    assert [capture.fetched_at for capture in written] == [exchange.fetched_at for exchange in several]
    assert [capture.hints for capture in written] == [exchange.hints for exchange in several]
    assert [capture.kind for capture in written] == [exchange.kind for exchange in several]


def test_the_payload_is_verbatim_for_every_byte(writer: WarcWriter) -> None:
    body = bytes(range(256)) * 3
    assert writer.write(replace(EXCHANGE, body=body, headers=())).body == body
    assert captures(file_of(writer))[0].body == body


def test_header_octets_come_back_as_they_were(writer: WarcWriter) -> None:
    value = "文件.html".encode("gb18030").decode("latin-1")
    assert writer.write(replace(EXCHANGE, headers=(("X-Name", value),))).headers == (("X-Name", value),)


def test_a_header_that_somebody_decoded_is_written_as_utf8(writer: WarcWriter) -> None:
    (header,) = writer.write(replace(EXCHANGE, headers=(("X-Name", "科技"),))).headers
    assert header[1].encode("latin-1").decode("utf-8") == "科技"


def test_a_header_can_not_bring_another_header_with_it(writer: WarcWriter) -> None:
    evil = (("X-A", "b\r\nX-Injected: c"), ("X-B: d\r\nX-C", "e"), ("", "f"), ("X D", "g"))
    assert writer.write(replace(EXCHANGE, headers=evil)).headers == (("X-A", "b X-Injected: c"), ("X D", "g"))


def test_a_url_can_not_bring_a_field_with_it(writer: WarcWriter) -> None:
    capture = writer.write(replace(EXCHANGE, url="http://a.example/x y\r\nWARC-Type: resource\r\n"))
    assert capture.url == "http://a.example/x%20y%0D%0AWARC-Type:%20resource%0D%0A"
    assert [r.type for r in raw_records(file_of(writer))] == ["warcinfo", "request", "metadata", "response"]


# ── what stands in the file ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_exchange_is_request_metadata_and_response_behind_one_warcinfo(writer: WarcWriter) -> None:
    writer.write(EXCHANGE)
    info, request, metadata, answer = raw_records(file_of(writer))
    assert [r.type for r in (info, request, metadata, answer)] == ["warcinfo", "request", "metadata", "response"]
    assert f"<{answer.record_id}>" == request.fields["warc-concurrent-to"] == metadata.fields["warc-concurrent-to"]
    assert answer.fields["warc-concurrent-to"] == f"<{metadata.record_id}>"
    for each in (request, metadata, answer):
        assert each.fields["warc-target-uri"] == URL
        assert each.fields["warc-date"] == "2026-11-01T12:30:15.123456Z"
        assert each.fields["warc-ip-address"] == "203.0.113.7"
        assert each.fields["warc-warcinfo-id"] == f"<{info.record_id}>"
        assert each.fields["warc-block-digest"] == sha256(each.block)
    assert answer.fields["warc-payload-digest"] == sha256(EXCHANGE.body)
    assert answer.block.endswith(b"\r\n\r\n" + EXCHANGE.body)


def test_the_warcinfo_names_software_format_and_rules(writer: WarcWriter) -> None:
    writer.write(EXCHANGE)
    info = raw_records(file_of(writer))[0]
    lines = info.block.decode().splitlines()
    assert lines[:3] == ["software: archive/1.0", "rules-china_tech: sha256:aa", "format: WARC File Format 1.1"]
    assert info.fields["warc-filename"] == file_of(writer).name


def test_the_request_line_has_path_and_query_and_the_host_is_named(writer: WarcWriter) -> None:
    writer.write(EXCHANGE)
    writer.write(replace(EXCHANGE, url="https://u:p@a.example:8443?q=科 技#part", request_headers=(("host", "b.example"),), method="POST"))
    blocks = [r.block for r in raw_records(file_of(writer)) if r.type == "request"]
    assert blocks[0].startswith(b"GET /it/20220817/1.shtml?page=1&from=list HTTP/1.1\r\nHost: tech.example.cn\r\nUser-Agent: archive/1")
    assert blocks[1] == b"POST /?q=%E7%A7%91%20%E6%8A%80 HTTP/1.1\r\nhost: b.example\r\n\r\n"


def test_the_metadata_record_can_be_read_by_people(writer: WarcWriter) -> None:
    writer.write(replace(EXCHANGE, kind=Kind.LISTING))
    metadata = raw_records(file_of(writer))[2]
    assert metadata.block.decode().splitlines() == [
        "kind: listing",
        "via: http://tech.example.cn/roll/",
        "link-title: 电池工厂 开工",
        "link-published: 2022-08-17 10:05",
        "link-section: 滚动",
    ]


def test_an_article_without_hints_needs_no_metadata_record(writer: WarcWriter) -> None:
    capture = writer.write(replace(EXCHANGE, hints=Hints()))
    assert [r.type for r in raw_records(file_of(writer))] == ["warcinfo", "request", "response"]
    assert read_record(file_of(writer), ref_of(capture)) == capture


def test_secrets_are_never_written(writer: WarcWriter) -> None:
    secret = (
        ("Set-Cookie", "k=hush"),
        ("SET-COOKIE2", "hush"),
        ("Cookie", "hush"),
        ("authorization", "hush"),
        ("Proxy-Authorization", "hush"),
    )
    capture = writer.write(replace(EXCHANGE, headers=(*HEADERS, *secret), request_headers=secret))
    assert capture.headers == HEADERS
    assert not [r for r in raw_records(file_of(writer)) if b"hush" in r.block]


def test_headers_agree_with_the_stored_body_and_keep_what_was_said(writer: WarcWriter) -> None:
    said = (("Transfer-Encoding", "chunked"), ("Content-Length", "7"))
    capture = writer.write(replace(EXCHANGE, headers=said, body=b"0123456789"))
    assert capture.headers == (("X-Crawler-Transfer-Encoding", "chunked"), ("X-Crawler-Content-Length", "7"), ("Content-Length", "10"))
    assert captures(file_of(writer))[0].body == b"0123456789"


def test_a_content_length_that_is_right_or_speaks_of_another_body_stays(writer: WarcWriter) -> None:
    assert writer.write(replace(EXCHANGE, headers=(("content-length", "3"),), body=b"abc")).headers == (("content-length", "3"),)
    assert writer.write(replace(EXCHANGE, status=304, headers=(("Content-Length", "99"),), body=b"")).headers == (("Content-Length", "99"),)


def test_a_truncated_body_says_so(writer: WarcWriter) -> None:
    capture = writer.write(replace(EXCHANGE, truncated="length"))
    assert raw_records(file_of(writer))[-1].fields["warc-truncated"] == "length"
    assert captures(file_of(writer))[0].truncated == capture.truncated == "length"


def test_places_are_exact(writer: WarcWriter) -> None:
    several = [writer.write(replace(EXCHANGE, body=os.urandom(n))) for n in (0, 10, 70_000)]
    writer.sync()
    content = file_of(writer).read_bytes()
    for capture in several:
        ref = ref_of(capture)
        assert ref.file == file_of(writer).name
        one = gzip.decompress(content[ref.offset : ref.offset + ref.length])
        assert ref.record_id.encode() in one
        assert one.endswith(capture.body + b"\r\n\r\n")
    assert writer.position == (file_of(writer).name, len(content))


# ── revisits ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_304_is_a_revisit_that_names_what_it_confirms(writer: WarcWriter) -> None:
    first = writer.write(EXCHANGE)
    later = replace(
        EXCHANGE,
        fetched_at=MOMENT + timedelta(hours=1),
        status=304,
        reason="Not Modified",
        headers=(("ETag", '"a"'),),
        body=b"",
        refers_to=(first.url, first.fetched_at),
        original_digest=first.payload_digest,
    )
    second = writer.write(later)
    assert captures(file_of(writer)) == [first, second]
    assert (second.status, second.body, second.refers_to) == (304, b"", (first.url, first.fetched_at))
    fields = raw_records(file_of(writer))[-1].fields
    assert fields["warc-profile"] == "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
    assert (fields["warc-refers-to-target-uri"], fields["warc-refers-to-date"]) == (URL, "2026-11-01T12:30:15.123456Z")
    assert fields["warc-payload-digest"] == first.payload_digest


def test_a_304_that_confirms_nothing_known_is_an_ordinary_response(writer: WarcWriter) -> None:
    capture = writer.write(replace(EXCHANGE, status=304, body=b""))
    assert raw_records(file_of(writer))[-1].type == "response"
    assert (capture.status, capture.refers_to) == (304, None)


def test_an_identical_payload_is_stored_once_and_found_again(writer: WarcWriter) -> None:
    first = writer.write(EXCHANGE)
    again = replace(EXCHANGE, url=f"{URL}&again=1", fetched_at=MOMENT + timedelta(hours=1), headers=(("Content-Type", "text/html"),))
    second = writer.write(replace(again, refers_to=(first.url, first.fetched_at), original_digest=first.payload_digest))
    last = raw_records(file_of(writer))[-1]
    assert (last.type, last.fields["warc-profile"]) == ("revisit", "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest")
    assert last.block == b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    assert second.body == EXCHANGE.body
    asked = []

    def original(url: str, moment: datetime, digest: str | None = None, /) -> Capture:
        asked.append((url, moment, digest))
        return first

    assert captures(file_of(writer), original=original) == [first, second]
    assert read_record(file_of(writer), ref_of(second), original=original) == second
    assert asked == [(first.url, first.fetched_at, first.payload_digest)] * 2


def test_a_revisit_whose_original_nobody_finds_has_no_body_but_says_what_it_means(writer: WarcWriter) -> None:
    second = writer.write(replace(EXCHANGE, refers_to=(URL, MOMENT), original_digest=sha256(EXCHANGE.body)))
    for options in ({}, {"original": lambda *_: None}):
        (read,) = captures(file_of(writer), **options)
        assert read == replace(second, body=b"")
        assert (read.refers_to, read.payload_digest) == ((URL, MOMENT), sha256(EXCHANGE.body))


def test_a_payload_that_changed_is_a_response_although_it_was_asked_for_conditionally(writer: WarcWriter) -> None:
    writer.write(replace(EXCHANGE, refers_to=(URL, MOMENT), original_digest=sha256(b"another")))
    assert raw_records(file_of(writer))[-1].type == "response"


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_created_before_the_first_exchange(tmp_path: Path) -> None:
    with WarcWriter(tmp_path / "warc", prefix="p", software="s", rules={}) as writer:
        writer.sync()
        assert writer.position is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_named_by_prefix_time_and_serial(writer: WarcWriter) -> None:
    writer.write(EXCHANGE)
    assert file_of(writer).name == "china_tech-20261101123015123-00001.warc.gz"


def test_files_rotate_by_size_and_never_inside_an_exchange(tmp_path: Path) -> None:
    with WarcWriter(tmp_path, prefix="p", software="s", rules={}, max_bytes=2_500) as writer:
        written = [writer.write(replace(EXCHANGE, fetched_at=MOMENT + timedelta(seconds=n))) for n in range(4)]
    files = sorted(tmp_path.iterdir())
    assert [f.name for f in files] == ["p-20261101123015123-00001.warc.gz", "p-20261101123017123-00002.warc.gz"]
    assert [capture for file in files for capture in captures(file)] == written
    assert all(raw_records(file)[0].type == "warcinfo" for file in files)


def test_what_was_packed_for_a_file_that_has_ended_is_packed_for_the_one_it_comes_into(tmp_path: Path) -> None:
    with WarcWriter(tmp_path, prefix="p", software="s", rules={}, max_bytes=500) as writer:
        packed = pack(EXCHANGE, writer.warcinfo_id(MOMENT))
        first = writer.write(EXCHANGE)
        late = writer.put(packed)
    one, two = sorted(tmp_path.iterdir())
    assert (captures(one), captures(two)) == ([first], [late])
    about, *records = raw_records(two)
    assert {record.fields["warc-warcinfo-id"] for record in records} == {about.fields["warc-record-id"]}


def test_files_rotate_by_time_and_a_clock_set_back_does_no_harm(tmp_path: Path) -> None:
    with WarcWriter(tmp_path, prefix="p", software="s", rules={}, max_seconds=60) as writer:
        for seconds in (0, 59, -500, 60, 61):
            writer.write(replace(EXCHANGE, fetched_at=MOMENT + timedelta(seconds=seconds)))
    assert [len(captures(file)) for file in sorted(tmp_path.iterdir())] == [3, 2]


def test_two_writers_of_one_name_do_not_share_a_file(tmp_path: Path) -> None:
    first, second = (WarcWriter(tmp_path, prefix="p", software="s", rules={}) for _ in range(2))
    with first, second:
        first.write(EXCHANGE)
        second.write(EXCHANGE)
    assert [len(captures(file)) for file in sorted(tmp_path.iterdir())] == [1, 1]


def test_a_closed_writer_begins_a_new_file(writer: WarcWriter) -> None:
    writer.write(EXCHANGE)
    first = file_of(writer)
    writer.close()
    writer.close()
    writer.write(EXCHANGE)
    assert file_of(writer) != first


def test_reading_goes_on_where_it_ended(writer: WarcWriter) -> None:
    writer.write(EXCHANGE)
    assert writer.position is not None
    position = writer.position[1]
    second = writer.write(EXCHANGE)
    assert captures(file_of(writer), start=position) == [second]


def test_a_file_can_be_read_while_it_is_written(writer: WarcWriter) -> None:
    first = writer.write(EXCHANGE)
    reading = read_captures(file_of(writer))
    assert next(reading) == first
    second = writer.write(EXCHANGE)
    assert list(reading) == [second]


def test_a_folder_that_can_not_be_made_is_our_own_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchiveUnusable, match=r"file/warc/p-\d+-00001\.warc\.gz: Not a directory"):
        WarcWriter(tmp_path / "file" / "warc", prefix="p", software="s", rules={}).write(EXCHANGE)


def test_a_file_that_is_not_there_is_our_own_error(tmp_path: Path) -> None:
    for read in (
        lambda p: list(read_captures(p)),
        repair_tail,
        lambda p: read_record(p, WarcRef(file="a", offset=0, length=1, record_id="x")),
    ):
        with pytest.raises(ArchiveUnusable, match="No such file"):
            read(tmp_path / "none.warc.gz")


# ── crash, full disk, repair ─────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow above `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_whole_records_and_writing_goes_on_when_there_is_room(writer: WarcWriter) -> None:
    first = writer.write(EXCHANGE)
    path, before = file_of(writer), writer.position
    with no_file_above(path.stat().st_size + 1_000), pytest.raises(OutOfSpace, match="no space left"):
        writer.write(replace(EXCHANGE, body=os.urandom(5_000)))
    assert (writer.position, path.stat().st_size) == (before, first.warc.offset + first.warc.length if first.warc else 0)
    assert captures(path) == [first]
    second = writer.write(EXCHANGE)
    assert captures(path) == [first, second]


def test_a_disk_that_is_full_from_the_start_leaves_no_file(writer: WarcWriter, tmp_path: Path) -> None:
    with no_file_above(10), pytest.raises(OutOfSpace):
        writer.write(EXCHANGE)
    assert list((tmp_path / "warc").iterdir()) == []
    assert writer.position is None


WRITE_FOR_EVER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pipelines.archive.warc import Exchange, WarcWriter
writer = WarcWriter(Path(sys.argv[1]), prefix="p", software="s", rules={})
for n in range(10**9):
    capture = writer.write(Exchange(url=f"http://a.example/{n}", fetched_at=datetime(2026, 1, 1, tzinfo=UTC), status=200, body=b"x" * 5000))
    writer.sync()
    print(capture.warc.record_id, flush=True)
"""


def test_after_kill_9_every_synced_capture_is_there_and_the_tail_can_be_repaired(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [child.stdout.readline().strip() for _ in range(20)]
    (path,) = tmp_path.iterdir()
    child.send_signal(signal.SIGKILL)
    acknowledged += [line.strip() for line in child.stdout]
    child.wait()
    child.stdout.close()
    with path.open("ab") as file:
        file.write(b"\x1f\x8b\x08 the beginning of a member that is never finished")
    assert repair_tail(path, cut=True).cut_bytes > 50
    read = [ref_of(capture).record_id for capture in list(read_captures(path)) if isinstance(capture, Capture)]
    assert len(acknowledged) >= 20
    assert set(acknowledged) <= set(read)


def test_the_tail_of_a_file_that_is_being_written_is_left_alone(writer: WarcWriter) -> None:
    writer.write(EXCHANGE)
    path = file_of(writer)
    with path.open("ab") as file:
        file.write(b"\x1f\x8b\x08 half of what the writer is about to write")
    assert repair_tail(path).cut_bytes > 0
    with pytest.raises(Locked, match="written by another run"):
        repair_tail(path, cut=True)
    writer.close()
    assert repair_tail(path, cut=True).cut_bytes > 0
    assert repair_tail(path).cut_bytes == 0


def test_a_torn_tail_is_kept_beside_the_file(writer: WarcWriter) -> None:
    written = writer.write(EXCHANGE)
    path = file_of(writer)
    writer.close()
    whole = path.stat().st_size
    torn = gzip.compress(b"WARC/1.1\r\n" + os.urandom(500))[:-20]
    with path.open("ab") as file:
        file.write(torn)
    assert repair_tail(path) == Tail(whole_bytes=whole, cut_bytes=len(torn))
    assert path.stat().st_size == whole + len(torn)
    assert repair_tail(path, cut=True, start=ref_of(written).offset) == Tail(whole_bytes=whole, cut_bytes=len(torn))
    assert path.stat().st_size == whole
    assert path.with_name(f"{path.name}.torn-{whole}").read_bytes() == torn
    assert repair_tail(path, cut=True) == Tail(whole_bytes=whole, cut_bytes=0)
    assert captures(path) == [written]


def test_an_uncompressed_file_has_no_gzip_tail_to_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(resource_record(0))
    assert repair_tail(path, cut=True) == Tail(whole_bytes=path.stat().st_size, cut_bytes=0)


def test_a_cut_file_gives_its_whole_captures_and_then_the_damage(writer: WarcWriter) -> None:
    written = [writer.write(EXCHANGE) for _ in range(3)]
    path = file_of(writer)
    writer.close()
    os.truncate(path, path.stat().st_size - 1)
    *good, last = read_captures(path)
    assert good == written[:2]
    assert isinstance(last, DamagedRecord)
    assert (last.file, last.offset) == (path.name, ref_of(written[2]).offset)


# ── random access ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reference_that_is_wrong_in_any_part_is_damage(writer: WarcWriter) -> None:
    first, second = writer.write(EXCHANGE), writer.write(EXCHANGE)
    path, ref = file_of(writer), ref_of(first)
    for wrong in (
        replace(ref, offset=ref.offset + 1),
        replace(ref, offset=ref_of(second).offset),
        replace(ref, offset=10**9),
        replace(ref, length=ref.length + 1),
        replace(ref, length=0),
        replace(ref, record_id="urn:uuid:other"),
    ):
        with pytest.raises(DamagedRecord):
            read_record(path, wrong)


@pytest.mark.parametrize("of", ["response", "metadata"])
def test_a_flipped_byte_in_a_record_or_its_metadata_is_damage(writer: WarcWriter, of: str) -> None:
    capture = writer.write(EXCHANGE)
    path, place = file_of(writer), next(r for r in raw_records(file_of(writer)) if r.type == of)
    content = bytearray(path.read_bytes())
    content[place.offset + place.length // 2] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(DamagedRecord):
        read_record(path, ref_of(capture))


def test_records_of_a_file_compressed_as_a_whole_are_found_by_id(tmp_path: Path) -> None:
    path = tmp_path / "whole.warc.gz"
    several = b"".join(map(resource_record, range(3)))
    path.write_bytes(gzip.compress(several))
    read = captures(path)
    assert [read_record(path, ref_of(capture)) for capture in read] == read
    with pytest.raises(DamagedRecord, match="the file ends here"):
        read_record(path, replace(ref_of(read[0]), record_id="urn:uuid:none"))


# ── other tools read ours, and we read theirs ────────────────────────────────────────────────────────────────────────


def everything(writer: WarcWriter) -> list[Capture]:
    first = writer.write(EXCHANGE)
    refers = {"refers_to": (first.url, first.fetched_at), "original_digest": first.payload_digest}
    return [
        first,
        writer.write(replace(EXCHANGE, status=304, body=b"", headers=(), **refers)),  # type: ignore[arg-type]
        writer.write(replace(EXCHANGE, **refers)),  # type: ignore[arg-type]
        writer.write(
            replace(EXCHANGE, body=b"cut", truncated="length", headers=(("Transfer-Encoding", "chunked"), ("Content-Length", "9")))
        ),
        writer.write(replace(EXCHANGE, status=404, body=b"", hints=Hints(), kind=Kind.ROBOTS)),
    ]


def test_warcio_check_passes(writer: WarcWriter, capsys: pytest.CaptureFixture[str]) -> None:
    everything(writer)
    checker = Checker(SimpleNamespace(inputs=[str(file_of(writer))], verbose=True))
    assert checker.process_all() == 0
    out = capsys.readouterr().out
    assert "failed" not in out
    assert out.count("digest pass") == 14  # all but the two revisits, which warcio does not check
    assert out.count("not checked (revisit)") == 2


def test_warcio_reads_headers_and_body_as_we_do(writer: WarcWriter) -> None:
    ours = [capture for capture in everything(writer) if capture.refers_to is None]
    with file_of(writer).open("rb") as stream:
        theirs = [(r.http_headers.headers, r.raw_stream.read()) for r in ArchiveIterator(stream) if r.rec_type == "response"]
    assert theirs == [(list(capture.headers), capture.body) for capture in ours]


def test_fastwarc_reads_ours_and_every_digest_is_right(writer: WarcWriter) -> None:
    everything(writer)
    with file_of(writer).open("rb") as stream:
        read = [(r.record_id, r.verify_block_digest()) for r in fastwarc.ArchiveIterator(stream, parse_http=False)]
    assert read == [(f"<{r.record_id}>", True) for r in raw_records(file_of(writer))]


class QuietPeer(PeerWriter):  # type: ignore[misc]  # warcio ships no types
    @staticmethod
    def _create_temp_file() -> io.BytesIO:
        return io.BytesIO()  # warcio leaves its temporary files to the garbage collector, which is a warning


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_what_warcio_writes_is_read_as_warcio_reads_it(packed: bool, version: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.warc"
    with path.open("wb") as out:
        peer = QuietPeer(out, gzip=packed, warc_version=version)
        peer.write_record(peer.create_warcinfo_record("theirs.warc", {"software": "peer"}))
        for n in range(5):
            head = StatusAndHeaders("200 OK", [("Content-Type", "text/html"), ("X-N", str(n))], protocol="HTTP/1.1")
            peer.write_record(peer.create_warc_record(f"{URL}&n={n}", "response", payload=io.BytesIO(PAGE * n), http_headers=head))
    with path.open("rb") as stream:
        theirs = [
            (r.rec_headers["WARC-Target-URI"], r.content_stream().read()) for r in ArchiveIterator(stream) if r.rec_type == "response"
        ]
    ours = captures(path)
    assert [(capture.url, capture.body) for capture in ours] == theirs
    assert [read_record(path, ref_of(capture)) for capture in ours] == ours
    assert [capture.header("x-n") for capture in ours] == ["0", "1", "2", "3", "4"]


@pytest.mark.skipif(not DEV_PAGES.exists(), reason="needs ../shared/real/dev-pages.warc.gz")
def test_the_real_pages_are_read_whole() -> None:
    read = captures(DEV_PAGES)
    assert len(read) == 123
    assert {(capture.status, capture.truncated) for capture in read} == {(200, None)}
    content = DEV_PAGES.read_bytes()
    assert sum(ref_of(capture).length for capture in read) == len(content)
    for capture in read:
        ref = ref_of(capture)
        assert gzip.decompress(content[ref.offset : ref.offset + ref.length]).endswith(capture.body + b"\r\n\r\n")
