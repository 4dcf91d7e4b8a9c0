"""The faults of our own machine, with real files, disks and processes: each falls on the real command, which must end with a
status of its own and a message, and the next run must go on (docs/operations.md, "When something on the machine fails").

Rule of this file: a fault is a function that gets a Machine, does its harm, says with `falls` which run it fell on, takes the
harm away as a person would, and ends with `goes_on`. A row of the table and a test are the same fault.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from crawler.health import GOOD, INTERRUPTED, NOTHING_SAVED, PARTIAL
from crawler.politeness import HostState
from pipelines.archive import schema
from pipelines.errors import ArchiveUnusable, CatalogueDamaged, ConfigurationError, Locked, NewerArchive, OutOfSpace
from tests.archive.test_migrations import age
from tests.crawler.wire_server import Asked
from tests.flows import crawling
from tests.hazards import judging, site
from tests.hazards.judging import Finding
from tests.hazards.site import Run, Site

ENDS_WELL = (GOOD, PARTIAL)
UNDER_WAY = 5
"""pages of one host that may be on their way to a reading process when it dies"""
DISK = "96m"
"""the size of a disk: a run does not begin with less than 64 MiB free"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A site of good articles, and an archive of it after a run that nothing disturbed. `busy`: seconds for which a run waits
    for a catalogue that is held, in place of the usual."""

    served: Site
    finished: Path
    busy: float | None = None


@contextmanager
def bench(folder: Path, busy: float | None = None) -> Iterator[Bench]:
    with site.serving((), folder, together=True, traps=()) as served:
        done = site.crawl(served, folder / "finished")
        if done.status != GOOD:
            raise RuntimeError(f"The undisturbed run ended with {done.status}:\n{done.stdout}\n{done.stderr}")
        yield Bench(served=served, finished=folder / "finished", busy=busy)


@dataclass(slots=True, kw_only=True)
class Machine:
    """What one fault falls on. `archive` is not there yet; `restore` puts a copy of the finished one there."""

    bench: Bench
    folder: Path
    archive: Path
    statuses: tuple[int, ...]
    fell: int | None = None
    went_on: int | None = None
    wrong: list[str] = field(default_factory=list)

    @property
    def served(self) -> Site:
        return self.bench.served

    @property
    def process(self) -> subprocess.Popen[str]:
        """The run at work."""
        assert self.served.process is not None
        return self.served.process

    @property
    def catalogue(self) -> Path:
        return self.archive / "catalogue.db"

    def restore(self) -> None:
        shutil.copytree(self.bench.finished, self.archive)

    def crawl(self, *options: str, under: tuple[str, ...] = (), alongside: bool = False) -> Run:
        return site.crawl(self.served, self.archive, *options, under=under, alongside=alongside)

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)

    def falls(self, run: Run, *words: str) -> None:
        """The run that the fault fell on: its status, what its message says, and no traceback."""
        self.fell = run.status
        self.expect(run.status in self.statuses, f"ended with {run.status}: {run.stdout[-400:]} {run.stderr[-400:]}")
        self.expect("Traceback" not in run.stderr, f"a traceback: {run.stderr[-400:]}")
        missing = [word for word in words if word not in run.stdout + run.stderr]
        self.expect(not missing, f"its message does not say {missing}: {run.stderr[-400:]}")

    def goes_on(self) -> None:
        """The next run archives every good article, and nothing is torn, lost or doubled."""
        run = self.crawl()
        self.went_on = run.status
        self.expect(run.status in ENDS_WELL, f"the next run ended with {run.status}: {run.stdout[-400:]} {run.stderr[-400:]}")
        if run.status in ENDS_WELL:
            differ = set(crawling.all_records(self.archive)) ^ set(self.served.good)
            self.expect(not differ, f"other articles after the next run: {sorted(differ)}")
            self.wrong += crawling.faults_of(self.archive)

    def once(self, do: Callable[[], object]) -> None:
        """Does something while an article in the middle of the run is answered."""
        target = list(self.served.good)[10].removeprefix(self.served.origin)
        honest = self.served.main.routes[target]

        def answer(connection: object, asked: Asked) -> None:
            self.served.main.routes[target] = honest
            do()
            honest(connection, asked)  # type: ignore[arg-type]

        self.served.main.routes[target] = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`statuses`: how the run may end that it falls on. `needs` says what is missing for it here, or nothing."""

    play: Callable[[Machine], None]
    statuses: tuple[int, ...]
    needs: Callable[[], str] = lambda: ""


def play(name: str, on: Bench, folder: Path) -> Finding:
    """Lets one fault fall on a new archive in `folder`."""
    fault = FAULTS[name]
    expected = f"{'/'.join(map(str, sorted(fault.statuses)))}, goes on"
    missing = fault.needs()
    if missing:
        return Finding(name=name, expected=expected, happened="", requests=0, skipped=missing)
    folder.mkdir(parents=True, exist_ok=True)
    on.served.runs.clear()
    on.served.logs = folder
    machine = Machine(bench=on, folder=folder, archive=folder / "archive", statuses=fault.statuses)
    fault.play(machine)
    happened = f"{machine.fell}, then {machine.went_on}"
    requests = sum(run.targets.total() for run in on.served.runs)
    wrong = "; ".join(machine.wrong)
    found = Finding(name=name, expected=expected, happened=happened, requests=requests, status=machine.fell, wrong=wrong)
    return judging.measured(on.served, found)


# ── disks and folders ────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A file system of its own at `folder`; what is yielded mounts it anew with other options."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True, capture_output=True)
    try:
        yield lambda options: _remount(folder, options)
    finally:
        subprocess.run(["umount", folder], check=True, capture_output=True)


def _remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True, capture_output=True)


@cache
def cannot_mount() -> str:
    with tempfile.TemporaryDirectory() as name:
        try:
            with disk(Path(name, "disk"), DISK):
                return ""
        except (OSError, subprocess.CalledProcessError):
            return "no disk can be mounted here, which only root may do"


def cannot_write_protect() -> str:
    return cannot_mount() if os.geteuid() == 0 else ""


def is_root() -> str:
    return "nothing is unwritable to root" if os.geteuid() == 0 else ""


def disk_full(machine: Machine) -> None:
    """It fills up in the middle of the run."""
    with disk(machine.folder / "disk", DISK):
        machine.archive = machine.folder / "disk" / "archive"
        filler = machine.folder / "disk" / "filler"
        machine.once(lambda: fill(filler))
        machine.falls(machine.crawl(), "ree some space and run again")
        filler.unlink()
        machine.goes_on()


def fill(filler: Path) -> None:
    """Takes all that is left of a disk."""
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(2**16))


def file_size_limit(machine: Machine) -> None:
    """As a quota does, in the middle of the run."""
    machine.falls(machine.crawl(under=("prlimit", "--fsize=266240")), "ree some space and run again", "lost")
    machine.goes_on()


def folder_read_only(machine: Machine) -> None:
    if os.geteuid() != 0:
        machine.restore()
        paths = [machine.archive, *machine.archive.rglob("*")]
        for path in paths:
            path.chmod(path.stat().st_mode & ~0o222)
        machine.falls(machine.crawl(), str(machine.archive))
        for path in paths:
            path.chmod(path.stat().st_mode | 0o200)
        machine.goes_on()
        return
    with disk(machine.folder / "disk", DISK) as remount:
        machine.archive = machine.folder / "disk" / "archive"
        machine.restore()
        remount("ro")
        machine.falls(machine.crawl(), str(machine.archive))
        remount("rw")
        machine.goes_on()


def folder_turns_read_only(machine: Machine) -> None:
    machine.once(lambda: machine.archive.chmod(0o500))
    machine.falls(machine.crawl())
    machine.archive.chmod(0o700)
    machine.goes_on()


def folder_missing(machine: Machine) -> None:
    """A file stands where it should be made."""
    file = machine.folder / "file"
    file.write_text("mine")
    machine.archive = file / "archive"
    machine.falls(machine.crawl(), str(file))
    machine.expect(file.read_text() == "mine", "the file was touched")
    file.unlink()
    machine.goes_on()


def folder_vanishes(machine: Machine) -> None:
    away = machine.archive.with_name("away")
    machine.once(lambda: machine.archive.rename(away))
    machine.falls(machine.crawl(), str(machine.archive))
    machine.expect(not machine.archive.exists(), "something was made in its place")
    if not machine.archive.exists():
        away.rename(machine.archive)
    machine.goes_on()


# ── files of the archive ─────────────────────────────────────────────────────────────────────────────────────────────


def torn_warc_tail(machine: Machine) -> None:
    machine.restore()
    [path] = crawling.warc_files(machine.archive)
    with path.open("ab") as file:
        file.write(path.read_bytes()[:700])
    crawling.execute(machine.archive, schema.warc_file.update().values(sealed=False))
    machine.falls(machine.crawl(), "torn bytes cut off")
    machine.expect(len(list((machine.archive / "warc").glob("*.torn-*"))) == 1, "the torn bytes were not kept")
    machine.goes_on()


def catalogue_cut(machine: Machine) -> None:
    machine.restore()
    _replaced(machine, machine.catalogue.read_bytes()[: machine.catalogue.stat().st_size // 3])


def catalogue_overwritten(machine: Machine) -> None:
    machine.restore()
    _replaced(machine, b"\x00garbage" * 4_000)


def _replaced(machine: Machine, content: bytes) -> None:
    """The catalogue is no more than `content`."""
    machine.catalogue.write_bytes(content)
    machine.falls(machine.crawl(), "catalogue", "scrapy replay")
    machine.expect(machine.catalogue.read_bytes() == content, "the damaged catalogue was touched")
    _made_anew(machine)


def _made_anew(machine: Machine) -> None:
    """The catalogue, from the WARC files, as the message says."""
    new = machine.archive.with_name("new")
    warcs = map(str, crawling.warc_files(machine.archive))
    done = crawling.run([*crawling.SCRAPY, "replay", "--archive", str(new), "-s", f"SEEDS_DIR={machine.served.seeds}", *warcs])
    machine.expect(done.returncode == GOOD, f"scrapy replay ended with {done.returncode}: {done.stderr[-400:]}")
    machine.archive = new
    machine.goes_on()


def catalogue_stale_wal(machine: Machine) -> None:
    """The -wal of another database lies beside it: SQLite takes it for its own, and the catalogue knows nothing any more."""
    machine.restore()
    other = machine.folder / "other.db"
    with closing(sqlite3.connect(other)) as opened:
        opened.execute("PRAGMA journal_mode=WAL")
        opened.execute("CREATE TABLE mine (x)")
        opened.commit()
        machine.catalogue.with_name("catalogue.db-wal").write_bytes(other.with_name("other.db-wal").read_bytes())
    machine.falls(machine.crawl(), "catalogue", "scrapy replay")
    _made_anew(machine)


def catalogue_held(machine: Machine) -> None:
    machine.restore()
    patience = () if machine.bench.busy is None else ("env", f"BUSY_SECONDS={machine.bench.busy}")
    with closing(sqlite3.connect(machine.catalogue, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        machine.falls(machine.crawl(under=patience), "another process has held the catalogue")
        holder.execute("ROLLBACK")
    machine.goes_on()


def newer_schema(machine: Machine) -> None:
    machine.restore()
    version = schema.info.update().where(schema.info.c.key == "schema")
    crawling.execute(machine.archive, version.values(value="999"))
    before = machine.catalogue.read_bytes()
    machine.falls(machine.crawl(), "newer version", "999")
    machine.expect(machine.catalogue.read_bytes() == before, "the newer catalogue was touched")
    machine.expect(not sum(run.targets.total() for run in machine.served.runs), "something was asked for")
    with closing(sqlite3.connect(machine.catalogue)) as updated:
        updated.execute("UPDATE info SET value = ? WHERE key = 'schema'", (str(schema.SCHEMA_VERSION),))
        updated.commit()
    machine.goes_on()


def older_schema(machine: Machine) -> None:
    machine.restore()
    age(machine.catalogue)
    machine.falls(machine.crawl(), f"brought from schema 1 to {schema.SCHEMA_VERSION}")
    machine.expect(len(list(machine.archive.glob("catalogue.db.version-1.*"))) == 1, "no backup of the older catalogue")
    machine.goes_on()


# ── processes and the clock ──────────────────────────────────────────────────────────────────────────────────────────


def two_runs_at_once(machine: Machine) -> None:
    second: list[Run] = []
    machine.once(lambda: second.append(machine.crawl(alongside=True)))
    first = machine.crawl()
    machine.expect(first.status == GOOD, f"the first run ended with {first.status}")
    machine.expect(max(first.targets.values()) == 1, "the second run asked for something")
    machine.falls(second[0], "locked by another run (process")
    machine.goes_on()


def kill_9(machine: Machine) -> None:
    machine.once(lambda: machine.process.send_signal(signal.SIGKILL))
    machine.falls(machine.crawl())
    machine.goes_on()
    twice = {target for target in machine.served.runs[1].targets if target in machine.served.runs[0].targets} - {"/robots.txt"}
    machine.expect(sum("/tech/2026" in target for target in twice) <= UNDER_WAY, f"asked for again: {sorted(twice)}")


def sigterm(machine: Machine) -> None:
    machine.once(lambda: machine.process.send_signal(signal.SIGTERM))
    machine.falls(machine.crawl(), "what was in flight is saved")
    machine.goes_on()


def reader_killed(machine: Machine) -> None:
    killed: list[int] = []
    machine.once(lambda: killed.extend(kill_readers(machine.process.pid)))
    machine.falls(machine.crawl())
    machine.expect(bool(killed), "no reading process was found")
    lost = set(machine.served.good) - set(crawling.all_records(machine.archive))
    machine.expect(len(lost) <= UNDER_WAY, f"lost: {sorted(lost)}")
    machine.goes_on()


def kill_readers(crawl: int) -> list[int]:
    """Kills the reading processes of a crawl, which are children of a child of it."""
    below: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        below.setdefault(int(fields[1]), []).append(int(status.parent.name))
    readers = [reader for server in below.get(crawl, []) for reader in below.get(server, [])]
    for reader in readers:
        os.kill(reader, signal.SIGKILL)
    return readers


def clock_set_back(machine: Machine) -> None:
    """What earlier runs wrote lies a month ahead: nobody waits for it."""
    machine.restore()
    later = time.time() + 30 * 86_400
    state = HostState(host=machine.served.main.host, delay=0.0, asked_at=later, next_at=later + 60)
    crawling.execute(machine.archive, schema.host.update().values(state=json.dumps(state.to_json())))
    crawling.execute(machine.archive, schema.robots.update().values(fetched_at=later))
    crawling.execute(machine.archive, schema.url.update().where(schema.url.c.kind == "article").values(due_at=0))
    run = machine.crawl()
    machine.falls(run)
    asked = sum(run.targets[url.removeprefix(machine.served.origin)] for url in machine.served.good)
    machine.expect(asked >= len(machine.served.good), f"{asked} of {len(machine.served.good)} articles were asked for")
    machine.goes_on()


# ── what a person wrote, and the network ─────────────────────────────────────────────────────────────────────────────


def malformed_seeds(machine: Machine) -> None:
    seeds = machine.folder / "seeds"
    shutil.copytree(machine.served.seeds, seeds)
    [file] = seeds.iterdir()
    file.write_text(file.read_text("utf-8").replace("publisher =", "publsher ="), encoding="utf-8")
    _refused(machine, ("-s", f"SEEDS_DIR={seeds}"), file.name, "publsher", "Expected")


def malformed_setting(machine: Machine) -> None:
    _refused(machine, ("-s", "DELAY=fast"), "DELAY=fast", "Expected")


def _refused(machine: Machine, options: tuple[str, ...], *words: str) -> None:
    run = machine.crawl(*options)
    machine.falls(run, *words)
    machine.expect(not run.targets, "something was asked for")
    machine.expect(not machine.archive.exists(), "something was written")
    machine.goes_on()


def connections_refused(machine: Machine) -> None:
    with machine.served.main.down():
        machine.falls(machine.crawl(), "no list could be read")
    machine.expect(crawling.warc_files(machine.archive) == [], "a WARC file of nothing")
    known = crawling.rows(machine.archive, sa.select(schema.url.c.state, schema.url.c.tries))
    machine.expect(set(known) == {("pending", 0)}, f"it counts against the lists: {known}")
    machine.goes_on()


UNUSABLE = ArchiveUnusable.exit_status
FAULTS: dict[str, Fault] = {
    "disk_full": Fault(play=disk_full, statuses=(OutOfSpace.exit_status,), needs=cannot_mount),
    "file_size_limit": Fault(play=file_size_limit, statuses=(OutOfSpace.exit_status,)),
    "folder_read_only": Fault(play=folder_read_only, statuses=(UNUSABLE,), needs=cannot_write_protect),
    "folder_turns_read_only": Fault(play=folder_turns_read_only, statuses=(UNUSABLE, *ENDS_WELL), needs=is_root),
    "folder_missing": Fault(play=folder_missing, statuses=(UNUSABLE,)),
    "folder_vanishes": Fault(play=folder_vanishes, statuses=(UNUSABLE,)),
    "torn_warc_tail": Fault(play=torn_warc_tail, statuses=ENDS_WELL),
    "catalogue_cut": Fault(play=catalogue_cut, statuses=(CatalogueDamaged.exit_status,)),
    "catalogue_overwritten": Fault(play=catalogue_overwritten, statuses=(CatalogueDamaged.exit_status,)),
    "catalogue_stale_wal": Fault(play=catalogue_stale_wal, statuses=(UNUSABLE,)),
    "catalogue_held": Fault(play=catalogue_held, statuses=(UNUSABLE,)),
    "newer_schema": Fault(play=newer_schema, statuses=(NewerArchive.exit_status,)),
    "older_schema": Fault(play=older_schema, statuses=ENDS_WELL),
    "two_runs_at_once": Fault(play=two_runs_at_once, statuses=(Locked.exit_status,)),
    "kill_9": Fault(play=kill_9, statuses=(-signal.SIGKILL,)),
    "sigterm": Fault(play=sigterm, statuses=(INTERRUPTED,)),
    "reader_killed": Fault(play=reader_killed, statuses=ENDS_WELL),
    "clock_set_back": Fault(play=clock_set_back, statuses=ENDS_WELL),
    "malformed_seeds": Fault(play=malformed_seeds, statuses=(ConfigurationError.exit_status,)),
    "malformed_setting": Fault(play=malformed_setting, statuses=(ConfigurationError.exit_status,)),
    "connections_refused": Fault(play=connections_refused, statuses=(NOTHING_SAVED,)),
}
