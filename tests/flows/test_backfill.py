"""Old pages come from other archives, at no request to the site: by ranges of WARC files and by replays, once, and only if
they are what an index had promised."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crawler.health import GOOD, PARTIAL
from tests.flows import crawling
from tests.replica import Asked, Replica, TrueArticle
from tests.replica.directory import directory
from tests.replica.elsewhere import FILES, HOSTS, INDEX, WAYBACK, Elsewhere, Old

pytestmark = pytest.mark.xdist_group("backfill")

THEN = datetime(2024, 3, 1, 2, 3, 4, tzinfo=UTC)
LIST = "http://tech.china.com.cn/it/"
CDX = f"""cdx = [
    "https://{INDEX}/CC-MAIN-2024-10-index?url=tech.china.com.cn/*&output=json",
    "https://{WAYBACK}/cdx/search/cdx?url=tech.china.com.cn/*&output=json",
]"""
CRAWLED, REPLAYED = 5, 3


def seeds(folder: Path) -> Path:
    made = crawling.small_seeds(folder, [LIST])
    file = made / f"{crawling.SITE}.toml"
    file.write_text(re.sub(r"(?m)^(listings = .*)$", rf"\1\n{CDX}", file.read_text("utf-8"), count=1), "utf-8")
    return made


def old_articles(replica: Replica) -> list[TrueArticle]:
    """Whole articles of one page of years ago, of channels whose lists are not read."""
    good = [true for true in replica.truth() if true.good and not (true.parts or true.duplicate_of) and "/it/" not in true.url]
    return [true for true in good if true.template == "T3" and true.published and true.published.year < 2024][-(CRAWLED + REPLAYED) :]


def held(articles: Sequence[TrueArticle]) -> Elsewhere:
    found = [directory(0).find(true.url) for true in articles]
    olds = [
        Old(url=true.url, at=THEN + timedelta(days=number), body=resource.make(1))
        for number, (true, resource) in enumerate(zip(articles, found, strict=True))
        if resource is not None
    ]
    crawled, replayed = olds[:CRAWLED], olds[CRAWLED:]
    no_article = Old(url="http://tech.china.com.cn/about/", at=THEN, body=b"<p>about</p>")
    foreign = Old(url="http://elsewhere.example.org/it/20240301/1.shtml", at=THEN, body=b"<p>foreign</p>")
    later = Old(url=crawled[0].url, at=THEN + timedelta(days=90), body=crawled[0].body)
    return Elsewhere(crawled=[*crawled, no_article, foreign, later], replayed=[*replayed, crawled[1]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Two runs over one archive: what was asked in each, and how they ended."""

    archive: Path
    wanted: dict[str, TrueArticle]
    first: tuple[Asked, ...]
    second: tuple[Asked, ...]
    statuses: tuple[int, int]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("backfill")
    archive, rules = folder / "archive", seeds(folder / "seeds")
    with Replica(day=0) as replica:
        articles = old_articles(replica)
        replica.elsewhere = held(articles)
        for true in articles:  # the site itself has none of them any more
            replica.faults[true.url] = (404, {"Content-Type": "text/html"}, b"<p>404</p>")
        runs = []
        for _ in range(2):
            done = crawling.crawl(replica, archive, seeds=rules)
            runs.append((done.returncode, tuple(replica.requests)))
            replica.reset()
        assert replica.strangers == []
    statuses, asked = zip(*runs, strict=True)
    return Story(archive=archive, wanted={true.url: true for true in articles}, first=asked[0], second=asked[1], statuses=statuses)


def to(asked: Sequence[Asked], host: str, *kinds: str) -> list[str]:
    return [one.url for one in asked if urlsplit(one.url).hostname == host and (not kinds or one.kind in kinds)]


def test_articles_that_the_site_has_no_more_are_in_the_archive_as_they_were(story: Story) -> None:
    assert len(story.wanted) == CRAWLED + REPLAYED
    records = crawling.all_records(story.archive)
    for url, true in story.wanted.items():
        assert (records[url]["title"], tuple(records[url]["paragraphs"])) == (true.title, true.paragraphs)
        assert records[url]["fetched_at"].startswith("2024-03-")
        assert records[url]["provenance"]["warc"].startswith(f"{crawling.SITE}-backfill-")
        assert records[url]["status"] == "active"


def test_the_site_is_asked_for_none_of_them(story: Story) -> None:
    assert {one.url for one in (*story.first, *story.second)}.isdisjoint(story.wanted)


def test_each_payload_is_taken_once_and_what_is_no_article_not_at_all(story: Story) -> None:
    ranges, replays = to(story.first, FILES, "range"), to(story.first, WAYBACK, "replay")
    assert len(ranges) + len(replays) == CRAWLED + REPLAYED, "what both have is had from the one whose index came first"
    assert len(ranges) in (CRAWLED - 1, CRAWLED)
    assert not any("about" in url or "elsewhere.example.org" in url for url in replays)


def test_the_second_run_asks_the_other_archives_for_nothing(story: Story) -> None:
    assert story.statuses == (GOOD, GOOD)
    assert [one.url for one in story.second if urlsplit(one.url).hostname in HOSTS] == []


def test_the_archive_is_true_and_a_replay_of_its_files_gives_the_same(story: Story, tmp_path: Path) -> None:
    assert crawling.faults_of(story.archive) == []
    verified = crawling.run([*crawling.SCRAPY, "verify", "--archive", str(story.archive)])
    assert verified.returncode == 0, verified.stdout
    files = [str(path) for path in reversed(crawling.warc_files(story.archive))]
    again = tmp_path / "again"
    said = ("-s", f"SEEDS_DIR={story.archive.parent / 'seeds'}")
    replayed = crawling.run([*crawling.SCRAPY, "replay", "--archive", str(again), *said, *files])
    assert replayed.returncode == 0, replayed.stderr
    assert exported(again) == exported(story.archive)


def exported(archive: Path) -> str:
    return crawling.run([*crawling.SCRAPY, "export", "--archive", str(archive), "--all", "--to", "-"]).stdout


@pytest.mark.parametrize(("fault", "reason"), [("no ranges", "record_whole_file"), ("another", "record_other_range")])
def test_a_server_that_does_not_keep_what_the_index_promised_brings_no_article(tmp_path: Path, fault: str, reason: str) -> None:
    with Replica(day=0) as replica:
        articles = old_articles(replica)[:CRAWLED]
        there = held(articles)
        replica.elsewhere = Elsewhere(crawled=there.crawled[:CRAWLED], ranges=fault != "no ranges", swapped=fault == "another")
        done = crawling.crawl(replica, tmp_path / "archive", seeds=seeds(tmp_path / "seeds"))
    assert done.returncode == PARTIAL
    assert crawling.all_records(tmp_path / "archive").keys().isdisjoint(true.url for true in articles)
    (ledger,) = crawling.ledgers(tmp_path / "archive")
    failed = ledger["backfill"]["failed"]
    assert sum(failed.values()) == CRAWLED
    assert failed[reason] >= CRAWLED - 1, "where the other page is the longer one, it is not read to its end"
