"""What a crawl leaves is true to verify, stays so when an article is taken down, and reading it again changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines.archive import open_archive
from tests.flows import crawling
from tests.flows.river import River

pytestmark = pytest.mark.xdist_group("river")


def verified(archive: Path) -> dict[str, object]:
    done = crawling.run([*crawling.SCRAPY, "verify", "--archive", str(archive), "--json", "-s", "EXTRACT_WORKERS=0"])
    assert done.returncode in (0, 15), done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    assert found["passed"] is (done.returncode == 0)
    return found


def test_verify_finds_nothing_in_what_five_nights_left(river: River) -> None:
    found = verified(river.archive)
    assert found["findings"] == []
    checked = found["checked"]
    assert isinstance(checked, dict)
    assert checked["articles"] == len(river.nights["third"].records)
    assert checked["texts"] >= checked["articles"]


def test_the_index_has_a_line_for_every_page_that_a_crawl_fetched(river: River) -> None:
    with open_archive(river.archive) as archive:
        indexed = {(entry.url, entry.timestamp) for entry in archive.index.entries()}
    for record in river.nights["third"].records.values():
        moment = str(record["fetched_at"])[:19]
        assert any(time == "".join(filter(str.isdigit, moment)) for _, time in indexed)


def test_reading_a_crawl_again_by_its_own_rules_changes_nothing(river: River, folder: Path) -> None:
    shutil.copytree(river.archive, folder)
    done = crawling.run([*crawling.SCRAPY, "reextract", "--archive", str(folder), "--workers", "0"])
    assert done.returncode == 0, done.stderr
    assert ", 0 say something else." in done.stdout
    assert crawling.all_records(folder) == river.nights["third"].records


def exported(archive: Path, *options: str) -> str:
    done = crawling.run([*crawling.SCRAPY, "export", "--archive", str(archive), "--to", "-", *options])
    assert done.returncode == 0, done.stderr
    return done.stdout


def other_rules(folder: Path) -> Path:
    """The site's rules, but that they leave the first paragraph of its newest layout out."""
    shutil.copytree(crawling.SEEDS, folder)
    path = folder / f"{crawling.SITE}.toml"
    rules = path.read_text("utf-8")
    path.write_text(rules.replace('drop = [".bianj", ".ifa"', 'drop = ["p:first-of-type", ".bianj", ".ifa"', 1), "utf-8")
    assert path.read_text("utf-8") != rules
    return folder


def test_a_replay_by_other_rules_in_another_order_read_again_by_these_exports_the_bytes_of_the_crawl(
    river: River, folder: Path, tmp_path: Path
) -> None:
    files = [str(path) for path in reversed(crawling.warc_files(river.archive))]
    seeds = f"SEEDS_DIR={other_rules(tmp_path / 'seeds')}"
    for arguments in (["replay", "-s", seeds, "--workers", "2", *files], ["reextract", "--workers", "2"]):
        if arguments[0] == "reextract":
            assert exported(folder) != exported(river.archive), "by other rules it was read otherwise"
        done = crawling.run([*crawling.SCRAPY, arguments[0], "--archive", str(folder), *arguments[1:]])
        assert done.returncode == 0, done.stderr
    for options in ([], ["--all"], ["--schema", "dolma"]):
        assert exported(folder, *options) == exported(river.archive, *options)
    assert verified(folder)["findings"] == []


def test_a_crawl_without_one_of_its_articles_is_as_true_as_before(river: River, folder: Path) -> None:
    shutil.copytree(river.archive, folder)
    records = river.nights["third"].records
    url = sorted(crawling.shown(river.archive))[len(records) // 2]
    done = crawling.run([*crawling.SCRAPY, "takedown", "--archive", str(folder), "--url", url, "--reason", "test"])
    assert done.returncode == 0, done.stderr
    assert verified(folder)["findings"] == []
    left = crawling.all_records(folder)
    assert set(records) - set(left) == {url}
    text = str(records[url]["paragraphs"][0])
    assert not [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
