"""What robots.txt says of the use of its pages stands in each record, keeps it from exports, and is read again from the WARC."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler import health
from pipelines.archive import open_archive
from pipelines.export import What, export
from tests.flows import crawling
from tests.replica import Replica

pytestmark = pytest.mark.xdist_group("terms")

HOST = "tech.china.com.cn"
LISTING = f"http://{HOST}/roll/"
SIGNAL = "search=yes, ai-train=no"
ROBOTS = f"User-agent: *\nContent-Signal: {SIGNAL}\nContent-Usage: bots=n\nAllow: /\n".encode()


def exported(archive: Path, to: Path, use: str | None = None) -> dict[str, int]:
    with open_archive(archive) as opened, to.open("wb") as out:
        return dict(export(opened, What(everything=True, use=use), out).excluded)


def test_what_robots_txt_reserves_is_in_every_record_and_in_its_replay(tmp_path: Path) -> None:
    live, again = tmp_path / "live", tmp_path / "again"
    seeds = crawling.small_seeds(tmp_path / "seeds", [LISTING])
    with Replica() as replica:
        replica.robots[HOST] = (200, {"Content-Type": "text/plain"}, ROBOTS)
        done = crawling.crawl(replica, live, "-a", "max_articles=5", seeds=seeds)
    assert done.returncode == health.PARTIAL, done.stderr
    records = [record for record in crawling.all_records(live).values() if HOST in record["url"]]
    assert len(records) >= 3
    for record in records:
        assert record["rights"]["signals"] == {"content-signal": SIGNAL, "content-usage": "bots=n"}
        assert record["rights"]["reserved"]["text-and-data-mining"] is True
    assert exported(live, tmp_path / "mining.jsonl", "text-and-data-mining") == {"reserved/text-and-data-mining": len(records)}
    replay = [*crawling.SCRAPY, "replay", "--archive", str(again), "--workers", "0", *map(str, crawling.warc_files(live))]
    assert crawling.run([*replay, "-s", f"SEEDS_DIR={seeds}"]).returncode == 0
    exported(live, tmp_path / "live.jsonl")
    exported(again, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "live.jsonl").read_bytes()
