"""Many withdrawals are settled group by group, and as all at once would be, also where a process ends between two groups."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive import Archive, settlement
from pipelines.archive.settlement import denied_near, settle_in_groups
from pipelines.export import What, export
from tests.archive import made
from tests.archive.made import Event, address, archive_at, bring, empty, events, moment, vanish, withdrawn


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_at(tmp_path_factory.mktemp("settlement") / "archive") as archive:
        yield archive


@pytest.fixture
def archive(shared: Archive) -> Archive:
    empty(shared)
    return shared


@contextmanager
def transactions(archive: Archive, monkeypatch: pytest.MonkeyPatch, at_most: int | None = None) -> Iterator[list[int]]:
    """Counts them: how many articles were withdrawn behind each. The process ends before it begins more than `at_most`."""
    behind: list[int] = []
    original = archive.catalogue.transaction

    @contextmanager
    def counted(**how: Any) -> Iterator[sa.Connection]:
        if len(behind) == at_most:
            raise KeyboardInterrupt
        with original(**how) as tx:
            yield tx
        behind.append(len(withdrawn(archive)))

    with monkeypatch.context() as patch:
        patch.setattr(archive.catalogue, "transaction", counted)
        yield behind


def exported(archive: Archive) -> str:
    out = io.BytesIO()
    export(archive, What(everything=True), out)
    return out.getvalue().decode("utf-8")


def test_withdrawals_are_settled_in_groups(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "GROUP", 8)
    vanish(archive, 18)
    assert withdrawn(archive) == []
    with transactions(archive, monkeypatch) as behind:
        settle_in_groups(archive.catalogue, "china_tech")
    assert behind == [8, 16, 18]


def test_what_a_process_that_ended_between_two_groups_left_is_settled_by_the_next(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "GROUP", 2)
    vanish(archive, 5)
    with transactions(archive, monkeypatch, at_most=1) as behind, pytest.raises(KeyboardInterrupt):
        settle_in_groups(archive.catalogue)
    assert behind == [2]
    settle_in_groups(archive.catalogue)
    assert len(withdrawn(archive)) == 5


def test_another_site_and_what_was_denied_before_are_left_alone(archive: Archive) -> None:
    vanish(archive, 3)
    settle_in_groups(archive.catalogue, "elsewhere")
    settle_in_groups(archive.catalogue, since="2024-03-09T00:00:00.000000Z")
    assert withdrawn(archive) == []
    settle_in_groups(archive.catalogue, "china_tech", since="2024-03-03T00:00:00.000000Z")
    assert len(withdrawn(archive)) == 3


def test_what_was_denied_near_a_time_is_within_an_hour_of_it(archive: Archive) -> None:
    bring(archive, enumerate([Event(name="a", minute=0, shows="text"), Event(name="a", minute=1440, shows="gone")]))
    with archive.catalogue.snapshot() as tx:
        for minutes, found in ((-61, 0), (-60, 1), (0, 1), (60, 1), (61, 0)):
            near = denied_near(tx, times=["2024-02-01T00:00:00.000000Z", f"{moment(1 + minutes / 1440):%Y-%m-%dT%H:%M:%S.%fZ}"])
            assert [one.url for one in near] == [address("a")] * found, minutes


@settings(max_examples=25, deadline=None)
@given(events(), st.integers(1, 3))
def test_groups_settle_what_one_transaction_does(shared: Archive, some: list[Event], size: int) -> None:
    empty(shared)
    bring(shared, enumerate(some))
    expected = exported(shared)
    empty(shared)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "settle_withdrawals", lambda _: None)
        patch.setattr(settlement, "GROUP", size)
        bring(shared, enumerate(some))
        settle_in_groups(shared.catalogue)
    assert exported(shared) == expected
