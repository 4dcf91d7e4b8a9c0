"""The faults of our own machine, with real files: a message that says what to do, a status of its own, the archive's last
good state intact, and a next run that goes on (HAZARDS, "Faults of our own machine")."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.health import GOOD, OUR_FAULT, PARTIAL
from crawler.politeness import HostState
from pipelines.archive import open_archive, schema
from pipelines.errors import ArchiveUnusable, CatalogueDamaged, OutOfSpace
from pipelines.model import Article, Capture, Reason, Rejection
from pipelines.site import parse_site
from pipelines.workers import Readers
from tests.crawler.wire_server import Answer, Asked, page
from tests.flows import crawling
from tests.hazards import pages, site
from tests.hazards.site import SEEDS

pytestmark = pytest.mark.xdist_group("machine")
MODULE = [sys.executable, "-m", "scrapy", "crawl", site.NAME]
ENDS_WELL = (GOOD, PARTIAL)
"""what robots.txt forbids and the sitemaps that are none leave a run partial"""


UNDER_WAY = 5
"""pages of one host that may be on their way to a reading process when it dies"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[site.Site]:
    with site.serving((), tmp_path_factory.mktemp("machine"), together=True) as served:
        for target in ("/list.php?page=1", "/calendar/2026/11/", "/many.html", "/deep/deep/", "/sitemap_bomb.xml.gz"):
            served.main.routes[target] = page(b"not here", "404 Not Found")
        yield served


@pytest.fixture(scope="module")
def finished(served: site.Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive after a run that nothing disturbed."""
    archive = tmp_path_factory.mktemp("finished") / "archive"
    done = crawl(served, archive)
    assert done.returncode in ENDS_WELL, done.stdout + done.stderr
    return archive


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def full(finished: Path, archive: Path) -> Path:
    """A copy of the finished archive."""
    shutil.copytree(finished, archive)
    return archive


def crawl(served: site.Site, archive: Path, *options: str, first: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    said = ["-s", f"ARCHIVE_DIR={archive}", "-s", f"SEEDS_DIR={served.seeds}", "-s", "DELAY=0", "-L", "WARNING", *options]
    env = crawling.environment(None)
    return subprocess.run(
        [*MODULE, *said], cwd=crawling.ROOT, env=env, capture_output=True, text=True, timeout=120, preexec_fn=first, check=False
    )


def goes_on(served: site.Site, archive: Path) -> None:
    """The next run archives every good article, and nothing is torn, lost or doubled."""
    done = crawl(served, archive)
    assert done.returncode in ENDS_WELL, done.stdout + done.stderr
    assert set(crawling.all_records(archive)) == set(served.good)
    assert crawling.faults_of(archive) == []


def refuses(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def once(served: site.Site, do: Callable[[], object]) -> None:
    """Does something while an article in the middle of the run is answered."""
    url = list(served.good)[10]
    target = url.removeprefix(f"http://{served.main.host}")
    done: list[bool] = []
    honest: Answer = served.main.routes[target]

    def answer(connection: object, asked: Asked) -> None:
        if not done:
            done.append(True)
            do()
        honest(connection, asked)  # type: ignore[arg-type]

    served.main.routes[target] = answer


def test_a_disk_that_fills_up_ends_the_run_and_the_next_one_goes_on(served: site.Site, archive: Path) -> None:
    limit = 260 * 1024
    done = crawl(served, archive, first=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    refuses(done, OutOfSpace.exit_status, "ree some space and run again", "lost")
    goes_on(served, archive)


def test_an_archive_folder_that_vanishes_in_mid_run_ends_it(served: site.Site, archive: Path) -> None:
    away = archive.with_name("away")
    once(served, lambda: archive.rename(away))
    done = crawl(served, archive)
    assert done.returncode in (ArchiveUnusable.exit_status, OutOfSpace.exit_status, *ENDS_WELL), done.stdout + done.stderr
    if not archive.exists():
        away.rename(archive)
        goes_on(served, archive)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable to root")
def test_a_folder_that_becomes_read_only_in_mid_run_ends_it(served: site.Site, archive: Path) -> None:
    once(served, lambda: archive.chmod(0o500))
    done = crawl(served, archive)
    archive.chmod(0o700)
    assert done.returncode in (ArchiveUnusable.exit_status, *ENDS_WELL), done.stdout + done.stderr
    goes_on(served, archive)


def test_a_torn_tail_is_cut_off_kept_and_reported(served: site.Site, full: Path) -> None:
    [path] = crawling.warc_files(full)
    with path.open("ab") as file:
        file.write(path.read_bytes()[:700])
    crawling.execute(full, schema.warc_file.update().values(sealed=False))
    done = crawl(served, full)
    assert done.returncode in ENDS_WELL
    assert "torn bytes cut off" in done.stderr
    assert len(list((full / "warc").glob("*.torn-*"))) == 1
    goes_on(served, full)


@pytest.mark.parametrize("damage", ["garbage", "cut"])
def test_a_damaged_catalogue_is_named_and_can_be_rebuilt_from_the_warc_files(served: site.Site, full: Path, damage: str) -> None:
    path = full / "catalogue.db"
    whole = path.read_bytes()
    path.write_bytes(b"\x00garbage" * 4_000 if damage == "garbage" else whole[: len(whole) // 3])
    refuses(crawl(served, full), CatalogueDamaged.exit_status, "catalogue", "scrapy replay")
    path.unlink()
    env = {**crawling.environment(None)}
    warcs = [str(one) for one in crawling.warc_files(full)]
    new = full.with_name("new")
    replay = [sys.executable, "-m", "scrapy", "replay", "--archive", str(new), "-s", f"SEEDS_DIR={served.seeds}", *warcs]
    done = subprocess.run(replay, cwd=crawling.ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == GOOD, done.stdout + done.stderr
    assert set(crawling.all_records(new)) == set(served.good)


def test_a_stale_wal_of_another_database_does_no_harm(served: site.Site, full: Path) -> None:
    other = sqlite3.connect(full.with_name("other.db"))
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("CREATE TABLE mine (x)")
    other.commit()
    (full / "catalogue.db-wal").write_bytes(full.with_name("other.db-wal").read_bytes())
    other.close()
    done = crawl(served, full)
    assert done.returncode in (*ENDS_WELL, CatalogueDamaged.exit_status), done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode in ENDS_WELL:
        goes_on(served, full)


def test_a_catalogue_that_is_held_by_another_process_is_said_so(served: site.Site, full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = sqlite3.connect(full / "catalogue.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("pipelines.archive.catalogue.BUSY_SECONDS", 0.2)
    with (
        pytest.raises(ArchiveUnusable, match="another process has held the catalogue"),
        open_archive(full) as opened,
        opened.catalogue.transaction(),
    ):
        pass
    holder.execute("ROLLBACK")
    holder.close()
    goes_on(served, full)


def test_a_reading_process_that_is_killed_costs_the_pages_under_way_and_the_crawl_goes_on(served: site.Site, archive: Path) -> None:
    killed: list[int] = []
    once(served, lambda: killed.extend(kill_readers()))
    done = crawl(served, archive)
    assert killed
    assert done.returncode in (OUR_FAULT, *ENDS_WELL), done.stdout + done.stderr
    lost = set(served.good) - set(crawling.all_records(archive))
    assert len(lost) <= UNDER_WAY
    if lost:
        goes_on(served, archive)


def kill_readers() -> list[int]:
    """Kills the reading processes of the crawl that is a child of this process."""
    below: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        below.setdefault(int(fields[1]), []).append(int(status.parent.name))
    crawls = below.get(os.getpid(), [])
    servers = [child for crawl in crawls for child in below.get(crawl, [])]
    readers = [reader for server in servers for reader in below.get(server, [])]
    for reader in readers:
        os.kill(reader, signal.SIGKILL)
    return readers


def test_a_clock_that_was_set_back_makes_nobody_wait(served: site.Site, full: Path) -> None:
    later = time.time() + 30 * 86_400
    state = HostState(host=served.main.host, delay=0.0, asked_at=later, next_at=later + 60)
    crawling.execute(full, schema.host.update().values(next_at=later, state=json.dumps(state.to_json())))
    crawling.execute(full, schema.robots.update().values(fetched_at=later))
    crawling.execute(full, schema.url.update().where(schema.url.c.kind == "article").values(due_at=0))
    served.main.asked.clear()
    began = time.monotonic()
    done = crawl(served, full)
    assert done.returncode in ENDS_WELL, done.stdout + done.stderr
    assert time.monotonic() - began < 60
    assert sum(asked.target.startswith("/tech/20261121/") for asked in served.main.asked) >= len(served.good)
    assert crawling.faults_of(full) == []


def test_a_page_that_takes_too_long_to_read_is_too_expensive_and_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = parse_site(
        SEEDS.format(hosts='"a.test"', origin="http://a.test", budget=1, feeds="", sitemaps="", follow="").encode(), "x.toml"
    )
    rules = replace(rules, discover=replace(rules.discover, article=(re.compile("/tech/"),)))
    story = pages.story("expensive")
    readers = Readers(1)
    try:
        monkeypatch.setattr("pipelines.workers.SECONDS_A_PAGE", 0.001)
        late = readers.read_now(capture(pages.page(story, inner="<p>字</p>" * 100_000)), rules)
        monkeypatch.setattr("pipelines.workers.SECONDS_A_PAGE", 30.0)
        good = readers.read_now(capture(pages.page(story)), rules)
    finally:
        readers.close()
    assert isinstance(late, Rejection)
    assert late.reason is Reason.TOO_EXPENSIVE
    assert isinstance(good, Article)
    assert good.text == story.text


def capture(body: bytes) -> Capture:
    return Capture(url="http://a.test/tech/1.html", fetched_at=datetime(2026, 11, 23, tzinfo=UTC), status=200, headers=(), body=body)
