"""Several machines that share one catalogue in PostgreSQL: they share the archive's folder, and one site is crawled by one of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler.health import GOOD
from pipelines.archive import open_archive, schema
from pipelines.errors import ArchiveUnusable, Locked
from tests.archive import postgres
from tests.flows import crawling
from tests.replica import Replica

pytestmark = [
    pytest.mark.skipif(postgres.programs() is None, reason=f"no PostgreSQL in {postgres.DEBIAN} (apt install postgresql)"),
    pytest.mark.xdist_group("postgres"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres.server() as found:
        yield found


def test_the_second_run_of_a_site_touches_nothing_wherever_it_is_started(url: str, folder: Path, tmp_path: Path) -> None:
    seeds = crawling.small_seeds(tmp_path / "seeds", ["http://tech.china.com.cn/sx/"])
    seconds: list[subprocess.CompletedProcess[str]] = []
    with Replica(day=0) as replica:

        def start_others() -> None:
            replica.faults.clear()
            (folder / "locks" / "china_tech.lock").unlink()  # as in a network's folder that passes no locks on
            archives = (folder, tmp_path / "own")
            seconds.extend(crawling.crawl(None, archive, "-s", f"CATALOGUE_URL={url}", seeds=seeds) for archive in archives)

        replica.faults["http://tech.china.com.cn/sx/"] = start_others
        first = crawling.crawl(replica, folder, "-s", f"CATALOGUE_URL={url}", seeds=seeds)
    same, other = seconds
    assert (same.returncode, other.returncode) == (Locked.exit_status, ArchiveUnusable.exit_status), same.stderr + other.stderr
    assert "maybe on another machine" in same.stderr
    assert "share its folder" in other.stderr
    assert first.returncode == GOOD, first.stdout + first.stderr
    assert crawling.run([*crawling.SCRAPY, "verify", "--archive", str(folder), "-s", f"CATALOGUE_URL={url}"]).returncode == GOOD
    with open_archive(folder, catalogue_url=url) as archive, archive.catalogue.snapshot() as tx:
        assert tx.scalars(sa.select(schema.run.c.status)).all() == [GOOD]
