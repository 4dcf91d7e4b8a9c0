"""What outlives a run of hosts: the last state of each, written with the next commit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler.memory import HostMemory
from crawler.politeness import HostState
from crawler.robots_middleware import RobotsAnswer
from pipelines.archive import Archive, open_archive, schema

STATE = HostState(host="news.test", delay=2.0, next_at=50.0, slowdown=4.0, failures=2)
ANSWER = RobotsAnswer(origin="http://news.test", fetched_at=10.0, status=200, body=b"User-agent: *\nDisallow: /x\n")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_archive(tmp_path / "archive", create=True) as archive:
        yield archive


def flush(archive: Archive, memory: HostMemory) -> None:
    with archive.catalogue.transaction() as tx:
        memory.flush(tx)


def test_nothing_is_known_of_a_new_host(archive: Archive) -> None:
    memory = HostMemory(archive)
    assert memory.load_host("news.test") is None
    assert memory.load_robots("http://news.test") is None


def test_a_host_s_state_comes_back_in_the_next_run(archive: Archive) -> None:
    memory = HostMemory(archive)
    memory.save_host(STATE)
    flush(archive, memory)
    assert HostMemory(archive).load_host("news.test") == STATE


def test_the_last_state_of_a_host_is_what_is_kept(archive: Archive) -> None:
    memory = HostMemory(archive)
    for failures in range(5):
        memory.save_host(HostState(host="news.test", delay=2.0, failures=failures))
    flush(archive, memory)
    found = memory.load_host("news.test")
    assert found is not None
    assert found.failures == 4
    with archive.catalogue.snapshot() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(schema.host)) == 1


def test_nothing_is_written_before_the_next_commit(archive: Archive) -> None:
    memory = HostMemory(archive)
    memory.save_host(STATE)
    assert HostMemory(archive).load_host("news.test") is None


@pytest.mark.parametrize(
    "answer",
    [ANSWER, RobotsAnswer(origin="https://news.test", fetched_at=1.5, status=None, failure="TimeoutError")],
    ids=["body", "failure"],
)
def test_what_robots_txt_said_comes_back_as_it_was(archive: Archive, answer: RobotsAnswer) -> None:
    memory = HostMemory(archive)
    memory.save_robots(answer)
    flush(archive, memory)
    assert HostMemory(archive).load_robots(answer.origin) == answer


def test_a_commit_that_fails_keeps_the_state_for_the_next(archive: Archive) -> None:
    memory = HostMemory(archive)
    memory.save_host(STATE)
    with archive.catalogue.transaction() as tx:
        memory.flush(tx)
        tx.rollback()
    assert memory.load_host("news.test") is None
    flush(archive, memory)
    assert memory.load_host("news.test") == STATE


def test_what_is_durable_is_not_written_again(archive: Archive) -> None:
    memory = HostMemory(archive)
    memory.save_host(STATE)
    flush(archive, memory)
    memory.flushed()
    with archive.catalogue.transaction() as tx:
        tx.execute(schema.host.delete())
        memory.flush(tx)
    assert memory.load_host("news.test") is None
