"""Which answers may be kept as a revisit of the capture that their URL's row remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crawler.repeats import MIN_REPEATED, with_original
from crawler.session import Session
from pipelines import flow, reading, schedule
from pipelines.archive.article_record import timestamp
from pipelines.archive.exchange import Exchange
from pipelines.model import Capture
from tests.crawler import made
from tests.crawler.made import address

PAGE = made.article_page(1) + b" " * MIN_REPEATED


@pytest.fixture
def first(session: Session) -> Capture:
    [capture] = made.written(session, made.exchange(address(1), PAGE))
    with session.archive.catalogue.transaction() as tx:
        flow.write(tx, capture, session.site, reading.read(capture, session.site))
    return capture


def again(first: Capture, body: bytes = PAGE) -> Exchange:
    return replace(made.exchange(address(1), body, seconds=60), refers_to=(first.url, first.fetched_at))


def test_the_same_body_has_a_record_without_it_and_is_read_whole(session: Session, first: Capture) -> None:
    known = with_original(again(first), session.archive)
    assert known.original_digest == first.payload_digest
    [capture] = made.written(session, known)
    assert (capture.refers_to, capture.body) == ((first.url, first.fetched_at), PAGE)
    assert capture.warc is not None
    assert first.warc is not None
    assert capture.warc.length < first.warc.length


def test_another_body_is_kept_whole(session: Session, first: Capture) -> None:
    [capture] = made.written(session, with_original(again(first, PAGE + b"!"), session.archive))
    assert (capture.refers_to, capture.body) == (None, PAGE + b"!")


@pytest.mark.parametrize(
    "changed",
    [
        {"status": 203},
        {"truncated": "length"},
        {"body": PAGE[: MIN_REPEATED - 1]},
        {"refers_to": None},
        {"refers_to": (address(2), made.NOW)},
    ],
    ids=["other status", "cut", "small", "nothing remembered", "not in the catalogue"],
)
def test_what_does_not_pay_or_cannot_be_vouched_for_is_kept_whole(session: Session, first: Capture, changed: dict[str, object]) -> None:
    assert with_original(replace(again(first), **changed), session.archive).original_digest is None  # type: ignore[arg-type]


def test_what_cannot_be_read_any_more_is_kept_once_more_and_is_what_later_ones_refer_to(session: Session, first: Capture) -> None:
    assert first.warc is not None
    path = session.archive.warc_folder / first.warc.file
    raw = bytearray(path.read_bytes())
    raw[first.warc.offset + first.warc.length // 2] ^= 0xFF
    path.write_bytes(raw)
    [capture] = made.written(session, with_original(again(first), session.archive))
    assert (capture.refers_to, capture.body) == (None, PAGE)
    assert schedule.remembered(capture)["captured_at"] == timestamp(capture.fetched_at)


def test_a_page_whose_file_is_gone_is_kept_once_more(session: Session, first: Capture) -> None:
    assert first.warc is not None
    (session.archive.warc_folder / first.warc.file).unlink()
    assert with_original(again(first), session.archive).original_digest is None
