"""Runs that are killed, stopped and begun twice, at random moments: `python -m tests.flows.kill --rounds 20`.

Each round crawls the replica into an archive of its own while blows fall on it: kill -9, SIGTERM, or a second start. Then
the crawl is left alone until it ends well, and the archive is held against one that nobody disturbed:

- the same articles with the same records, but for when they were fetched and where their bytes lie
  (`crawling.comparable` names the fields), shown and hidden alike;
- the same rows in the frontier, by URL, kind and state; no lease left behind;
- every WARC record whole, known to the catalogue exactly once, and every row of the catalogue with its record;
- fewer than 1.2 times the requests, counted by the replica.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from crawler.health import GOOD, INTERRUPTED, PARTIAL
from pipelines.archive import schema
from pipelines.errors import Locked
from tests.flows import crawling
from tests.flows.crawling import Record
from tests.replica import Replica

LISTINGS = ("http://tech.china.com.cn/roll/", "http://tech.china.com.cn/bc/", "http://news.china.com.cn/node_7208703.htm")
"""of the short site: articles of two templates, pages of several parts, what is no article, and what has two ids"""
MOST_REQUESTS = 1.2
MOST_BLOWS = 2
TRIES = 5
"""runs after the last blow until one ends well; one is enough, or two where a lock was still held"""
CAUGHT = {INTERRUPTED, -signal.SIGTERM, GOOD}
"""how a run ends that gets SIGTERM: as interrupted; before Python has begun, as killed; when it was over already, well"""
Blow = Callable[["Round"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """What a crawl leaves that nobody disturbs, how many requests it took, and how many seconds."""

    records: dict[str, Record]
    frontier: set[tuple[str, str, str]]
    requests: int
    seconds: float


@dataclass(slots=True, kw_only=True)
class Round:
    """One archive, the replica that it is crawled from, and what has fallen on it."""

    folder: Path
    seeds: Path
    replica: Replica
    chance: random.Random
    expected: Undisturbed
    wrong: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def start(self) -> subprocess.Popen[str]:
        command = crawling.crawl_command(self.archive, seeds=self.seeds)
        where = {"cwd": crawling.ROOT, "env": crawling.environment(self.replica)}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **where)  # type: ignore[call-overload,no-any-return]

    def wait(self) -> float:
        """Until some moment of a run, its beginning and its end included."""
        moment = self.chance.uniform(0.0, self.expected.seconds * 1.05)
        time.sleep(moment)
        return moment

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)


def kill_9(this: Round) -> None:
    process = this.start()
    moment = this.wait()
    process.kill()
    process.communicate()
    this.told.append(f"kill -9 at {moment:.2f} s")


def terminate(this: Round) -> None:
    """SIGTERM, or SIGINT: what is in flight is finished, and the exit status says so."""
    process = this.start()
    moment = this.wait()
    number = this.chance.choice((signal.SIGTERM, signal.SIGINT))
    process.send_signal(number)
    said, _ = process.communicate(timeout=crawling.SECONDS)
    this.told.append(f"{number.name} at {moment:.2f} s: {process.returncode}")
    this.expect(process.returncode in CAUGHT | {-signal.SIGINT, 1 if moment < STARTING else GOOD}, f"{this.told[-1]}\n{said}")


STARTING = 2.0
"""seconds in which Python is still importing: SIGINT ends that by itself, or with 1"""


def second_start(this: Round) -> None:
    """A start while a run is at work touches nothing, and says why; then the run is killed."""
    process = this.start()
    until = time.monotonic() + crawling.SECONDS
    lock = this.archive / "locks" / f"{crawling.SITE}.lock"
    while process.poll() is None and not (lock.exists() and lock.read_text().strip() == str(process.pid)):
        this.expect(time.monotonic() < until, "the first run never took its lock")
        time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)  # else it may be over before the second one has begun
    asked = len(this.replica.requests)
    second = crawling.crawl(this.replica, this.archive, seeds=this.seeds)
    over = process.poll() is not None
    this.expect(over or second.returncode == Locked.exit_status, f"the second start ended with {second.returncode}\n{second.stderr}")
    this.expect(over or len(this.replica.requests) == asked, "the second start asked for something")
    process.send_signal(signal.SIGCONT)
    this.wait()
    process.kill()
    process.communicate()
    this.told.append(f"second start: {second.returncode}, then kill -9")


BLOWS: tuple[Blow, ...] = (kill_9, terminate, second_start)


def undisturbed(folder: Path, seeds: Path, replica: Replica) -> Undisturbed:
    """A run that nobody disturbs, and a second one after it: what a disturbed crawl, too, has had in the end."""
    replica.reset()
    began = time.monotonic()
    done = crawling.crawl(replica, folder / "archive", seeds=seeds)
    seconds = time.monotonic() - began
    if done.returncode != GOOD:
        raise SystemExit(f"The undisturbed run ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    archive = folder / "archive"
    return Undisturbed(records=crawling.comparables(archive), frontier=frontier(archive), requests=len(replica.requests), seconds=seconds)


def frontier(archive: Path) -> set[tuple[str, str, str]]:
    """What is known, by URL, kind and state; "set aside" is left out: how often a bad page was asked for is no news."""
    table = schema.url
    found = crawling.rows(archive, sa.select(table.c.url, table.c.kind, table.c.state).where(table.c.state != "set_aside"))
    return {(row.url, row.kind, row.state) for row in found}


def play(this: Round, blows: tuple[Blow, ...]) -> None:
    """One round: the blows, then runs until one ends well, then the comparison. `this.wrong` says what is not as it should."""
    this.replica.reset()
    for blow in blows:
        blow(this)
    for _ in range(TRIES):
        done = crawling.crawl(this.replica, this.archive, seeds=this.seeds)
        this.told.append(f"run: {done.returncode}")
        if done.returncode != PARTIAL:
            break
    this.expect(done.returncode == GOOD, f"the last run ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    compare(this)


def compare(this: Round) -> None:
    """Holds what a round left against what an undisturbed run leaves."""
    expected = this.expected
    records, known = crawling.comparables(this.archive), frontier(this.archive)
    this.expect(records.keys() == expected.records.keys(), f"other articles: {sorted(records.keys() ^ expected.records.keys())[:5]}")
    differ = [url for url in records.keys() & expected.records.keys() if records[url] != expected.records[url]]
    this.expect(not differ, f"other records: {differ[:5]}")
    this.expect(known == expected.frontier, f"another frontier: {sorted(known ^ expected.frontier)[:5]}")
    asked, most = len(this.replica.requests), MOST_REQUESTS * expected.requests
    this.expect(asked < most, f"{asked} requests, undisturbed {expected.requests}")
    this.told.append(f"{asked} requests, {asked / expected.requests:.2f} times")
    this.wrong += crawling.faults_of(this.archive)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.flows.kill", description="Crawls the replica and kills it.")
    parser.add_argument("--rounds", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default: 0)")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="kill-") as name, Replica(day=0) as replica:
        folder = Path(name)
        seeds = crawling.small_seeds(folder / "seeds", LISTINGS)
        expected = undisturbed(folder / "undisturbed", seeds, replica)
        _say(f"Undisturbed: {len(expected.records)} articles, {expected.requests} requests, {expected.seconds:.1f} s.")
        for number in range(1, options.rounds + 1):
            chance = random.Random(f"{options.seed}/{number}")
            blows = tuple(chance.choice(BLOWS) for _ in range(chance.randint(1, MOST_BLOWS)))
            this = Round(folder=folder / str(number), seeds=seeds, replica=replica, chance=chance, expected=expected)
            play(this, blows)
            failed += bool(this.wrong)
            _say(f"{number:>3}  {'WRONG' if this.wrong else 'good'}  {'; '.join(this.told)}")
            for line in this.wrong:
                _say(f"     {line}")
            shutil.rmtree(folder / str(number))
    _say(f"{options.rounds - failed} of {options.rounds} rounds ended as if nothing had happened.")
    return 1 if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
