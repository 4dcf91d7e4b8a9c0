"""What is told of a capture comes back equal, is no capture, and is a WARC record to every other tool."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from pipelines.archive.article_record import article_id, digest
from pipelines.archive.exchange import clean_url, new_id
from pipelines.archive.outcome_record import ARTICLE, Text, Told, pack_told, parse_told, told
from pipelines.archive.records import Record, encode_record, read_records
from pipelines.archive.warc import WarcWriter, read_captures, told_in
from pipelines.extract.version import versions
from pipelines.model import Article, Capture, Reason, Rejection
from pipelines.reading import read
from pipelines.urls import canonical
from tests.small_site import BATTERY, NOTE, ROBOT, exchange, page, site, url

MOMENT = datetime(2026, 11, 1, 12, 30, 15, 123_456, tzinfo=UTC)
READ = Told(
    of="urn:uuid:1",
    file="small-20261101123015123-00001.warc.gz",
    offset=1_234,
    url=url("robot"),
    fetched_at=MOMENT,
    outcome=ARTICLE,
    canonical=url("robot"),
    rules="ab" * 32,
    versions={"extract": "0123456789abcdef", "trafilatura": "2.3.1"},
    text=Text(method="layout:page", confidence=1.0, digest="cd" * 32),
)


def record_of(member: bytes) -> Record:
    (record,) = read_records(io.BytesIO(member), "one.warc.gz")
    assert isinstance(record, Record)
    return record


texts = st.text(max_size=30)
anything = st.builds(
    Told,
    of=st.just("urn:uuid:1"),
    file=texts.filter(bool),
    offset=st.integers(0, 10**15),
    url=texts.map(lambda text: f"http://a.example/{text}"),
    fetched_at=st.just(MOMENT),
    outcome=st.just(ARTICLE),
    canonical=texts,
    rules=st.just("ab" * 32),
    versions=st.dictionaries(texts, texts, max_size=3),
    text=st.builds(Text, method=texts, confidence=st.floats(0, 1), digest=st.just("cd" * 32)),
)
rejected = anything.flatmap(lambda one: st.builds(replace, st.just(one), outcome=st.sampled_from(list(map(str, Reason))), text=st.none()))


@given(st.one_of(st.just(READ), anything, rejected))
def test_what_is_told_comes_back_equal(one: Told) -> None:
    assert parse_told(record_of(pack_told(one, new_id()))) == replace(one, url=clean_url(one.url).strip(), at=0)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"kind: listing\r\nvia: http://a.example/\r\n",
        b"fetchTimeMs: 12\r\n",
        b"outcome: article\r\n",
        b"outcome: article\r\noffset: x\r\nfile: a\r\n",
        b'outcome: gone\r\ncanonical-url: u\r\nrules-digest: r\r\nextractor: {"\r\nfile: f\r\noffset: 1\r\n',
        b'outcome: article\r\ncanonical-url: u\r\nrules-digest: r\r\nextractor: {}\r\nfile: f\r\noffset: 1\r\nconfidence: "high"\r\n',
    ],
)
def test_what_others_tell_is_none_of_ours(block: bytes) -> None:
    fields = (
        ("WARC-Type", "metadata"),
        ("WARC-Record-ID", new_id()),
        ("WARC-Refers-To", "<urn:uuid:1>"),
        ("WARC-Target-URI", "http://a.example/"),
        ("WARC-Date", "2026-11-01T12:30:15Z"),
    )
    assert parse_told(record_of(encode_record(fields, block))) is None


@pytest.fixture
def warc(tmp_path: Path) -> tuple[Path, list[Capture], list[Told]]:
    """A file with two articles and a page that is none, each described, the first two together."""
    with WarcWriter(tmp_path, prefix="small", software="tests/1", rules={}) as writer:
        captures: list[Capture] = []
        said: list[Told] = []
        for group in (
            [exchange("robot", page(ROBOT)), exchange("battery", page(BATTERY))],
            [exchange("gone", b"", status=410, reason="Gone")],
        ):
            new = [writer.write(one) for one in group]
            about = [told(one, canonical(one.url, site()).url, site().digest, result) for one in new if (result := read(one, site()))]
            writer.tell(about)
            captures += new
            said += about
        writer.tell([])
        assert writer.position is not None
        return tmp_path / writer.position[0], captures, said


def test_reading_a_page_is_told_without_its_text(warc: tuple[Path, list[Capture], list[Told]]) -> None:
    path, captures, said = warc
    result = read(captures[0], site())
    assert isinstance(result, Article)
    found = list(told_in(path))
    assert [replace(one, at=None) for one in found] == said
    assert [one.outcome for one in found] == [ARTICLE, ARTICLE, Reason.GONE]
    assert [(one.of, one.offset) for one in found] == [(one.warc.record_id, one.warc.offset) for one in captures if one.warc]
    assert found[0].text == Text(method="layout:page", confidence=1.0, digest=digest(result.text))
    assert (found[2].text, found[2].versions) == (None, versions())
    assert found[0].article == article_id(url("robot"))
    with path.open("rb") as file:
        blocks = [one.block for one in read_records(file, path.name) if isinstance(one, Record) and one.type == "metadata"]
    assert len(blocks) == 3
    assert not [line for block in blocks for line in (*ROBOT, *BATTERY, NOTE) if line[:8].encode() in block]


def test_what_is_told_is_no_capture(warc: tuple[Path, list[Capture], list[Told]]) -> None:
    path, captures, _ = warc
    assert list(read_captures(path)) == captures


def test_every_other_tool_takes_the_record(warc: tuple[Path, list[Capture], list[Told]], capsys: pytest.CaptureFixture[str]) -> None:
    path, captures, _ = warc
    checker = Checker(type("Options", (), {"inputs": [str(path)], "verbose": True}))
    checker.process_all()
    assert checker.exit_value == 0, capsys.readouterr().out
    with path.open("rb") as stream:
        seen = [(one.rec_type, one.rec_headers.get_header("WARC-Refers-To")) for one in ArchiveIterator(stream)]
    ids = [f"<{one.warc.record_id}>" for one in captures if one.warc]
    assert [refers for kind, refers in seen if kind == "metadata"] == ids


def test_only_what_lies_in_the_archive_is_described() -> None:
    capture = Capture(url=url("a"), fetched_at=MOMENT, status=404, headers=(), body=b"")
    with pytest.raises(AssertionError):
        told(capture, url("a"), "", Rejection(reason=Reason.GONE, detail=""))
