"""What a revisit stands for is found by URL and date, here and in another process."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.archive.exchange import Original
from pipelines.archive.originals import Originals, originals
from tests.small_site import ROBOT, START, Small, confirmation, exchange, page, small, url


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return small(
        tmp_path_factory.mktemp("made"), [exchange("robot", page(ROBOT)), exchange("lost", b"", 1, status=404), confirmation("robot", 2)]
    )


@pytest.fixture(params=["here", "elsewhere"])
def find(made: Small, request: pytest.FixtureRequest) -> Original:
    archive = made.open()
    if request.param == "here":
        return originals(archive.catalogue, archive.warc_folder)
    carried: Originals = pickle.loads(pickle.dumps(Originals(str(archive.catalogue.url), archive.warc_folder)))  # noqa: S301  # our own
    return carried


def test_the_capture_of_a_url_and_a_date_is_found_with_its_body(find: Original) -> None:
    found = find(url("robot"), START)
    assert found is not None
    assert (found.url, found.body) == (url("robot"), page(ROBOT))


def test_a_later_date_finds_the_last_one_before_it_and_an_earlier_one_or_another_url_nothing(find: Original) -> None:
    found = find(url("robot"), START + timedelta(microseconds=1))
    assert found is not None
    assert found.fetched_at == START
    assert find(url("robot"), START - timedelta(microseconds=1)) is None
    assert find(url("lost"), START) is None


def test_what_stands_for_another_capture_itself_is_none(find: Original) -> None:
    found = find(url("robot"), START + timedelta(days=2))
    assert found is not None
    assert (found.fetched_at, found.refers_to) == (START, None)


def test_where_the_file_is_gone_there_is_none(made: Small, tmp_path: Path) -> None:
    archive = made.open()
    assert originals(archive.catalogue, tmp_path)(url("robot"), START) is None
