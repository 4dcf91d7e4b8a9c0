"""Pages are read in processes that can be killed: one that costs too much costs itself, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import reading, workers
from pipelines.model import Article, Capture, Kind, Reason, Rejection
from pipelines.site import Site
from pipelines.workers import Readers
from tests.crawler import made

PAGE = Capture(
    url=made.address(1),
    fetched_at=made.NOW,
    status=200,
    headers=(("Content-Type", "text/html; charset=utf-8"),),
    body=made.article_page(1),
)
SITE = made.site()


def sleeps(capture: Capture, _: Site) -> Rejection:
    """Reads as a page that takes for ever would be read, in the worker."""
    if b"for ever" in capture.body:
        time.sleep(60)
    if b"dies" in capture.body:
        os._exit(1)
    if b"eats" in capture.body:
        return Rejection(reason=Reason.EMPTY, detail=str(len(bytearray(2 * workers.MEMORY_A_WORKER))))
    if b"raises" in capture.body:
        raise KeyError("a line of ours")
    return Rejection(reason=Reason.EMPTY, detail="read")


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    readers = Readers(1)
    yield readers
    readers.close()


def of(body: bytes) -> Capture:
    return replace(PAGE, body=body)


def test_a_page_is_read_in_a_worker_as_in_this_process(readers: Readers) -> None:
    here, there = Readers(0).read_now(PAGE, SITE), readers.read_now(PAGE, SITE)
    assert isinstance(here, Article)
    assert here == there


def test_what_is_no_article_does_not_go_to_a_worker(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_pool", None)
    assert readers.read_now(replace(PAGE, kind=Kind.LISTING), SITE) is None


def test_a_page_that_takes_too_long_is_given_up_and_the_next_is_read(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "read", sleeps)
    monkeypatch.setattr(workers, "SECONDS_A_PAGE", 0.3)
    began = time.monotonic()
    result = readers.read_now(of(b"for ever"), SITE)
    assert isinstance(result, Rejection)
    assert (result.reason, time.monotonic() - began < 20) == (Reason.TOO_EXPENSIVE, True)
    monkeypatch.setattr(workers, "SECONDS_A_PAGE", 30)
    assert readers.read_now(of(b"short"), SITE) == Rejection(reason=Reason.EMPTY, detail="read")


@pytest.mark.parametrize("body", [b"dies", b"eats"])
def test_a_page_that_kills_its_process_or_eats_its_memory_is_given_up(
    readers: Readers, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(reading, "read", sleeps)
    result = readers.read_now(of(body), SITE)
    assert isinstance(result, Rejection)
    assert result.reason is Reason.TOO_EXPENSIVE
    assert readers.read_now(of(b"next"), SITE) == Rejection(reason=Reason.EMPTY, detail="read")


@pytest.mark.parametrize("count", [0, 1])
def test_a_fault_of_ours_is_heard_of_with_or_without_workers(readers: Readers, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(reading, "read", sleeps)
    with pytest.raises(KeyError, match="a line of ours"):
        (readers if count else Readers(0)).read_now(of(b"raises"), SITE)


def test_several_pages_are_read_at_once_and_each_gets_its_own(readers: Readers) -> None:
    async def work() -> list[object]:
        pages = [replace(PAGE, url=made.address(number), body=made.article_page(number)) for number in range(6)]
        return await asyncio.gather(*(readers.read(page, SITE) for page in pages))

    found = asyncio.run(work())
    assert [article.url for article in found if isinstance(article, Article)] == [made.address(number) for number in range(6)]


def test_each_event_loop_that_reads_is_served(readers: Readers) -> None:
    """Recovery reads before the reactor runs, the crawl in the reactor's loop."""
    for _ in range(2):
        assert isinstance(asyncio.run(readers.read(PAGE, SITE)), Article)


def test_other_rules_are_not_taken_for_those_that_the_worker_knows(readers: Readers) -> None:
    deny = replace(SITE, discover=replace(SITE.discover, article=()))
    assert isinstance(readers.read_now(PAGE, SITE), Article)
    refused = readers.read_now(PAGE, deny)
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.OUT_OF_SCOPE
    assert isinstance(readers.read_now(PAGE, SITE), Article)


def test_a_worker_that_is_killed_between_two_pages_costs_none(readers: Readers) -> None:
    for _ in range(3):
        kill(readers)
        assert isinstance(readers.read_now(PAGE, SITE), Article)


def test_a_worker_that_is_killed_while_it_reads_costs_no_page(tmp_path: Path) -> None:
    """By the machine (out of memory), or by a hand: whoever reads the page next reads it whole."""
    readers = Readers(1)
    mark = tmp_path / "begun"

    async def work() -> object:
        page = asyncio.create_task(readers.run(waits_once, of(str(mark).encode()), SITE))
        while not mark.exists():
            await asyncio.sleep(0.01)
        kill(readers)
        return await page

    try:
        assert asyncio.run(work()) == Rejection(reason=Reason.EMPTY, detail="read")
    finally:
        readers.close()


def waits_once(capture: Capture, _: Site) -> Rejection:
    """The first time it hangs, as a page does that is being read when its process is killed."""
    mark = Path(capture.body.decode())
    if not mark.exists():
        mark.touch()
        time.sleep(60)
    return Rejection(reason=Reason.EMPTY, detail="read")


def kill(readers: Readers) -> None:
    assert readers._pool is not None
    (process,) = readers._pool._processes
    assert process.process.pid is not None
    os.kill(process.process.pid, signal.SIGKILL)
    process.process.join()


def test_readers_that_are_closed_leave_no_process_behind() -> None:
    readers = Readers(1)
    readers.read_now(PAGE, SITE)
    assert readers._pool is not None
    (process,) = readers._pool._processes
    readers.close()
    assert not process.process.is_alive()
