"""Whatever ends a run, the next one ends as if nothing had happened. The short form of `python -m tests.flows.kill`: three
rounds, in which the blow falls while the replica is answering for an article in the middle of the crawl.
"""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler.health import GOOD, INTERRUPTED
from pipelines import report
from pipelines.archive import schema
from pipelines.errors import Locked
from tests.flows import crawling, kill
from tests.replica import Replica

pytestmark = pytest.mark.xdist_group("kill")

LISTINGS = ("http://tech.china.com.cn/sx/", "http://tech.china.com.cn/bc/")
"""fewer than the long form has: some 40 articles"""


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica(day=0) as replica:
        yield replica


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crawling.small_seeds(tmp_path_factory.mktemp("seeds"), LISTINGS)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, seeds: Path, replica: Replica) -> kill.Undisturbed:
    return kill.undisturbed(tmp_path_factory.mktemp("undisturbed"), seeds, replica)


@pytest.fixture
def this(tmp_path: Path, seeds: Path, replica: Replica, expected: kill.Undisturbed) -> Iterator[kill.Round]:
    yield kill.Round(folder=tmp_path, seeds=seeds, replica=replica, chance=random.Random(4), expected=expected)
    replica.faults.clear()


def in_the_middle(this: kill.Round, do: Callable[[subprocess.Popen[str]], None]) -> subprocess.CompletedProcess[str]:
    """A run to which something is done while it waits for an article, about half of all being asked for."""
    this.replica.reset()
    process: list[subprocess.Popen[str]] = []
    done: list[bool] = []

    def blow() -> None:
        if len(this.replica.requests) > this.expected.requests // 2 and not done:
            done.append(True)
            do(process[0])

    for url in this.expected.records:
        this.replica.faults[url] = blow
    process.append(this.start())
    said, _ = process[0].communicate(timeout=crawling.SECONDS)
    assert done, f"the run ended before anything was done to it:\n{said}"
    this.replica.faults.clear()
    return subprocess.CompletedProcess(process[0].args, process[0].returncode, said)


def converges(this: kill.Round) -> None:
    """The next run ends well, and the archive is the undisturbed one."""
    asked = len(this.replica.requests)
    done = crawling.crawl(this.replica, this.archive, seeds=this.seeds)
    this.expect(done.returncode == GOOD, f"{done.returncode}\n{done.stdout}\n{done.stderr}")
    assert len(this.replica.requests) > asked
    kill.compare(this)
    assert this.wrong == []


def test_kill_9_loses_nothing_and_doubles_nothing(this: kill.Round) -> None:
    killed = in_the_middle(this, lambda process: process.kill())
    assert killed.returncode == -signal.SIGKILL
    converges(this)
    [ledger] = crawling.ledgers(this.archive)
    assert report.reconciles(ledger)
    assert ledger["interrupted"] is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_when_what_is_in_flight_is_in(this: kill.Round, number: signal.Signals) -> None:
    stopped = in_the_middle(this, lambda process: process.send_signal(number))
    assert stopped.returncode == INTERRUPTED, stopped.stdout
    assert "Interrupted by a signal: what was in flight is saved" in stopped.stdout
    [ledger] = crawling.ledgers(this.archive)
    assert report.reconciles(ledger)
    assert ledger["urls"]["left"] > 0
    assert ledger["failures"] == {}
    assert crawling.faults_of(this.archive) == []
    if number is signal.SIGTERM:
        converges(this)
        assert [ledger["recovered"] for ledger in crawling.ledgers(this.archive)] == [0, 0], "it left nothing to recover"


def test_a_second_start_leaves_with_its_own_status_and_touches_nothing(this: kill.Round) -> None:
    second: list[subprocess.CompletedProcess[str]] = []
    first = in_the_middle(this, lambda _: second.append(crawling.crawl(this.replica, this.archive, seeds=this.seeds)))
    assert first.returncode == GOOD, first.stdout
    assert second[0].returncode == Locked.exit_status
    assert "locked by another run (process" in second[0].stderr
    assert len(crawling.column(this.archive, sa.select(schema.run.c.id))) == 1
    assert len(crawling.warc_files(this.archive)) == 1
    kill.compare(this)
    assert this.wrong == []
    assert len(this.replica.requests) == this.expected.requests
