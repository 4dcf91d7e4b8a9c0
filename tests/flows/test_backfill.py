"""Old pages from other archives: they come in with their own dates, cost the site nothing, and come once and unharmed or not at all."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from crawler.health import GOOD, PARTIAL
from pipelines import report
from pipelines.archive import schema
from pipelines.archive.article_record import timestamp
from pipelines.archive.borrowed import Broken, is_borrowed
from pipelines.archive.warc import read_captures
from pipelines.model import Capture, Kind, Reason
from tests.flows import crawling, kill
from tests.flows.crawling import Record
from tests.replica import Asked, Replica, TrueArticle, captures, common_crawl, wayback
from tests.replica.captures import CRAWLS, OLD_CRAWL, WAYBACK, Held
from tests.replica.resource import Answer
from tests.replica.server import ARCHIVES

pytestmark = pytest.mark.xdist_group("backfill")

LIST = f"http://tech.china.com.cn/{captures.FOLDER}/"
COMMON_CRAWL = tuple(f"https://index.commoncrawl.org/{crawl}-index?url=*.china.com.cn&output=json" for crawl in CRAWLS)
MACHINE = "https://web.archive.org/cdx/search/cdx?url=*.china.com.cn&output=json"
INDEXES = (*COMMON_CRAWL, MACHINE)
LOST = {true.url: true for true in captures.lost()}


def seeds_with(folder: Path, indexes: Iterable[str] = INDEXES, **more: int) -> Path:
    """The site's own seeds file with one list, these indexes, and further keys of `[discover]`."""
    seeds = crawling.small_seeds(folder, [LIST])
    path = seeds / f"{crawling.SITE}.toml"
    keys = "".join(f"{key} = {value}\n" for key, value in {"cdx": json.dumps(list(indexes)), **more}.items())
    path.write_text(path.read_text("utf-8").replace("[discover]\n", f"[discover]\n{keys}", 1), "utf-8")
    return seeds


def held() -> Iterator[Held]:
    for archive in (*CRAWLS, WAYBACK):
        yield from captures.held(archive)


def place(one: Held) -> str:
    """Where a capture is had: a replay, or a file and a range of it."""
    return wayback.replay_of(one) if one.archive == WAYBACK else "#".join(common_crawl.range_of(one))


def capture_of(true: TrueArticle, archive: str | None = None) -> Held:
    return next(one for one in held() if one.true == true and archive in (None, one.archive))


def places_asked(asked: Iterable[Asked]) -> list[str]:
    """Of captures."""
    return [f"{one.url}#{one.range}" if one.range else one.url for one in asked if one.kind in ("range", "replay")]


def of_archives(asked: Iterable[Asked]) -> list[Asked]:
    return [one for one in asked if urlsplit(one.url).hostname in ARCHIVES]


def of_the_site(asked: Iterable[Asked]) -> list[Asked]:
    return [one for one in asked if urlsplit(one.url).hostname not in ARCHIVES]


def verified(archive: Path) -> Any:
    done = crawling.run([*crawling.SCRAPY, "verify", "--archive", str(archive), "--json", "-s", "EXTRACT_WORKERS=0"])
    return json.loads(done.stdout)["findings"]


def exported(archive: Path) -> str:
    done = crawling.run([*crawling.SCRAPY, "export", "--archive", str(archive), "--all", "--to", "-"])
    assert done.returncode == 0, done.stderr
    return done.stdout


def states(archive: Path) -> dict[str, tuple[str, str | None]]:
    """State and reason of the captures that were promised, by what the frontier knows them by."""
    table = schema.url
    found = crawling.rows(archive, sa.select(table.c.url, table.c.state, table.c.reason).where(table.c.kind == Kind.RECORD))
    return {row.url: (row.state, row.reason) for row in found}


def borrowed_on_disk(archive: Path) -> list[Capture]:
    files = [path for path in crawling.warc_files(archive) if is_borrowed(path.name, crawling.SITE)]
    return [one for path in files for one in read_captures(path) if isinstance(one, Capture)]


# ── two runs, nothing in their way ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Two runs on the replica's day 1, and what each asked."""

    archive: Path
    seeds: Path
    first: tuple[Asked, ...]
    again: tuple[Asked, ...]
    said: str
    records: dict[str, Record]
    ledger: Mapping[str, Any]
    truth: Mapping[str, TrueArticle]


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica(day=1) as replica:
        yield replica


@pytest.fixture(autouse=True)
def _as_on_the_first_day(replica: Replica) -> None:
    replica.faults.clear()
    replica.robots.clear()
    replica.reset()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, replica: Replica) -> Story:
    folder = tmp_path_factory.mktemp("backfill")
    archive, seeds = folder / "archive", seeds_with(folder / "seeds")
    asked, said = [], []
    for _ in range(2):
        replica.reset()
        done = crawling.crawl(replica, archive, seeds=seeds)
        assert done.returncode == GOOD, f"{done.stdout}\n{done.stderr}"
        asked.append(tuple(replica.requests))
        said.append(done.stdout)
    return Story(
        archive=archive,
        seeds=seeds,
        first=asked[0],
        again=asked[1],
        said=said[0],
        records=crawling.all_records(archive),
        ledger=crawling.ledgers(archive)[0],
        truth={true.url: true for true in replica.truth()},
    )


def test_every_article_that_the_site_lost_is_in_the_corpus_with_its_whole_text(story: Story) -> None:
    assert {url: story.records[url]["text"] for url in LOST} == {url: true.text for url, true in LOST.items()}
    assert crawling.shown(story.archive) >= set(LOST)


def test_a_lost_article_has_the_date_on_which_the_other_archive_took_it(story: Story) -> None:
    for url, true in LOST.items():
        dates = sorted(timestamp(one.at) for one in held() if one.true == true and one.url == url)
        assert {story.records[url][name] for name in ("first_seen", "fetched_at", "last_seen")} == {dates[0]}, url
        assert is_borrowed(story.records[url]["provenance"]["warc"], crawling.SITE)


def test_the_site_is_asked_for_nothing_that_it_has_lost(story: Story) -> None:
    pages = {url for true in LOST.values() for url in (true.url, *true.parts)}
    assert not pages & {one.url for one in story.first}
    live = {url for url, true in story.truth.items() if true.section == captures.FOLDER} | {captures.only_cut().url}
    assert {one.url for one in of_the_site(story.first) if one.kind not in ("robots", "channel")} <= live


def test_a_page_of_which_only_the_beginning_is_held_is_asked_of_the_site(story: Story) -> None:
    url = captures.only_cut().url
    assert [one.url for one in of_the_site(story.first)].count(url) == 1
    assert story.records[url]["text"] == captures.only_cut().text


def test_what_both_have_is_one_article_that_was_first_seen_when_the_other_archive_saw_it(story: Story) -> None:
    for true in captures.still_here():
        record = story.records[true.url]
        assert (record["revision"], record["text"]) == (1, true.text)
        assert record["first_seen"] == timestamp(capture_of(true).at)
        assert record["last_seen"] > record["first_seen"]


def test_an_older_wording_becomes_the_first_revision_of_what_the_site_shows_now(story: Story) -> None:
    old, new = captures.revised(), story.truth[captures.revised().url]
    record = story.records[new.url]
    assert (record["revision"], record["text"], record["first_seen"]) == (2, new.text, timestamp(capture_of(old).at))
    done = crawling.run([*crawling.SCRAPY, "history", "--archive", str(story.archive), new.url])
    was = [line for line in done.stdout.splitlines() if line.lstrip().startswith("-")]
    lost = next(paragraph for paragraph in old.paragraphs if paragraph not in new.paragraphs)
    assert any(lost[:12] in line for line in was), done.stdout


def test_each_payload_is_asked_for_once_and_errors_lists_and_strangers_never(story: Story) -> None:
    asked = places_asked(story.first)
    assert max(Counter(asked).values()) == 1
    by_place = {place(one): one for one in held()}
    had = [by_place[one] for one in asked]
    assert {one.status for one in had} == {200}
    assert len({(one.url, one.digest) for one in had}) == len(had)
    wanted = {(one.url, one.digest) for one in held() if one.true is not None}
    soft = {(one.url, one.digest) for one in had} - wanted
    assert len(soft) == 1, "the page for what is gone, which no index tells from an article"
    assert len(had) == len(wanted) + len(soft)


def test_a_page_for_what_is_gone_is_no_article_though_its_index_said_200(story: Story) -> None:
    assert story.ledger["backfill"]["taken"][Reason.SOFT_404] == 1
    assert set(story.records) == {*LOST, captures.only_cut().url, *(url for url, true in story.truth.items() if url in _listed(story))}


def _listed(story: Story) -> set[str]:
    return {url for url, true in story.truth.items() if true.good and true.listed and true.section == captures.FOLDER}


def test_the_ledger_accounts_for_every_line_of_the_indexes(story: Story) -> None:
    told = story.ledger["backfill"]
    assert report.reconciles(story.ledger)
    assert told["listed"] == len(list(held()))
    assert told["skipped"] == {"known": 1, "mime": 1, "no_article": 2, "same_payload": 1, "status": 3, "truncated": 1}
    assert told["listed"] == told["fresh"] + sum(told["skipped"].values())
    assert told["fresh"] == told["promised"] == sum(told["taken"].values()) == len(places_asked(story.first))
    assert (told["waiting"], told["set_aside"], told["failed"]) == (0, 0, {})
    assert re.search(rf"from other archives +{told['promised']} \(", story.said)


def test_a_second_run_asks_the_archives_for_nothing(story: Story) -> None:
    assert of_archives(story.again) == []
    assert [one.kind for one in story.again] == ["channel"]


def test_the_archives_robots_txt_is_asked_for_before_anything_else_of_theirs(story: Story) -> None:
    for host in ARCHIVES:
        kinds = [one.kind for one in story.first if urlsplit(one.url).hostname == host]
        assert kinds.index("robots") == 0
        assert kinds.count("robots") == 1


def test_what_came_from_other_archives_is_as_sound_and_true_as_the_rest(story: Story) -> None:
    assert crawling.faults_of(story.archive) == []
    assert verified(story.archive) == []
    assert len(borrowed_on_disk(story.archive)) == story.ledger["backfill"]["promised"]


@pytest.mark.parametrize("backwards", [False, True])
def test_replays_of_the_files_in_either_order_export_the_bytes_of_the_crawl(story: Story, folder: Path, backwards: bool) -> None:
    files = sorted(map(str, crawling.warc_files(story.archive)), reverse=backwards)
    assert len(files) > 1
    done = crawling.run([*crawling.SCRAPY, "replay", "--archive", str(folder), "-s", f"SEEDS_DIR={story.seeds}", *files])
    assert done.returncode == GOOD, done.stderr
    assert exported(folder) == exported(story.archive)


# ── what may come between ────────────────────────────────────────────────────────────────────────────────────────────


def test_kill_9_in_the_middle_of_it_converges_to_the_same_archive(story: Story, folder: Path, replica: Replica) -> None:
    middle = len(places_asked(story.first)) // 2
    process: list[subprocess.Popen[str]] = []

    def blow() -> None:
        if len(places_asked(replica.requests)) >= middle:
            process[0].kill()

    replica.faults.update({place(one): blow for one in held()})
    process.append(
        subprocess.Popen(
            crawling.crawl_command(folder, seeds=story.seeds),
            cwd=crawling.ROOT,
            env=crawling.environment(replica),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    )
    said, _ = process[0].communicate(timeout=crawling.SECONDS)
    assert process[0].returncode == -signal.SIGKILL, said
    replica.faults.clear()
    by_capture = {(one.url, one.stamp): place(one) for one in held()}
    on_disk = {by_capture[one.url, f"{one.fetched_at:%Y%m%d%H%M%S}"] for one in borrowed_on_disk(folder)}
    assert on_disk

    replica.reset()
    done = crawling.crawl(replica, folder, seeds=story.seeds)
    assert done.returncode == GOOD, f"{done.stdout}\n{done.stderr}"
    assert not on_disk & set(places_asked(replica.requests)), "what was on disk was asked for again"
    assert crawling.faults_of(folder) == []
    assert crawling.comparables(folder) == {url: crawling.comparable(record) for url, record in story.records.items()}
    assert kill.frontier(folder) == kill.frontier(story.archive)
    found = crawling.all_records(folder)
    assert {url: found[url]["fetched_at"] for url in LOST} == {url: story.records[url]["fetched_at"] for url in LOST}
    assert verified(folder) == []


def test_a_budget_spreads_captures_over_runs_that_end_with_the_same_articles(
    tmp_path: Path, folder: Path, story: Story, replica: Replica
) -> None:
    seeds, each = seeds_with(tmp_path / "seeds", max_records=7), 7
    promised = story.ledger["backfill"]["promised"]
    for run in range(3):
        replica.reset()
        assert crawling.crawl(replica, folder, seeds=seeds).returncode == GOOD
        assert len(places_asked(replica.requests)) == min(each, promised - run * each)
        told = crawling.ledgers(folder)[-1]["backfill"]
        assert told["waiting"] == max(0, promised - (run + 1) * each)
    assert {url: record["text"] for url, record in crawling.all_records(folder).items()} == {
        url: record["text"] for url, record in story.records.items()
    }


def test_what_was_taken_down_does_not_come_back_through_an_index(story: Story, folder: Path, replica: Replica) -> None:
    shutil.copytree(story.archive, folder)
    gone = captures.lost()[4]
    assert len({one.archive for one in held() if one.url == gone.url}) == 2, "two crawls have it"
    done = crawling.run([*crawling.SCRAPY, "takedown", "--archive", str(folder), "--url", gone.url, "--reason", "test"])
    assert done.returncode == GOOD, done.stderr
    table = schema.url
    crawling.execute(folder, table.delete().where(table.c.kind == Kind.RECORD))  # as if nothing had ever been promised
    crawling.execute(folder, table.update().where(table.c.kind == Kind.CDX).values(due_at=0, state="pending", last_fetched=0))
    done = crawling.crawl(replica, folder, seeds=story.seeds)
    assert done.returncode == GOOD, f"{done.stdout}\n{done.stderr}"
    told = crawling.ledgers(folder)[-1]["backfill"]
    assert told["skipped"][Reason.TAKEN_DOWN] == 2
    assert told["skipped"]["had"] == story.ledger["backfill"]["promised"] - 1
    assert [place(one) for one in held() if one.url == gone.url and place(one) in places_asked(replica.requests)] == []
    assert gone.url not in crawling.all_records(folder)
    assert verified(folder) == []


def test_what_waits_in_the_frontier_when_it_is_taken_down_is_not_asked_for(tmp_path: Path, folder: Path, replica: Replica) -> None:
    seeds = seeds_with(tmp_path / "seeds", COMMON_CRAWL, max_records=1)
    assert crawling.crawl(replica, folder, seeds=seeds).returncode == GOOD
    gone = captures.lost()[10]
    assert gone.url not in crawling.all_records(folder)
    done = crawling.run(
        [*crawling.SCRAPY, "takedown", "--archive", str(folder), "-s", f"SEEDS_DIR={seeds}", "--url", gone.url, "--reason", "x"]
    )
    assert done.returncode == GOOD, done.stderr
    replica.reset()
    assert crawling.crawl(replica, folder, seeds=seeds_with(tmp_path / "all", COMMON_CRAWL)).returncode == GOOD
    asked = places_asked(replica.requests)
    assert len(asked) > 5
    assert not {place(one) for one in held() if one.url == gone.url} & set(asked)
    assert gone.url not in crawling.all_records(folder)
    assert ("set_aside", Reason.TAKEN_DOWN) in states(folder).values()


def test_it_stops_when_the_seeds_file_names_no_index_and_goes_on_when_it_does_again(tmp_path: Path, folder: Path, replica: Replica) -> None:
    few, none = seeds_with(tmp_path / "few", max_records=4), crawling.small_seeds(tmp_path / "none", [LIST])
    assert crawling.crawl(replica, folder, seeds=few).returncode == GOOD
    waiting = crawling.ledgers(folder)[-1]["backfill"]["waiting"]
    assert waiting > 4
    for seeds, taken in ((none, 0), (few, 4)):
        replica.reset()
        done = crawling.crawl(replica, folder, seeds=seeds)
        assert done.returncode == GOOD, done.stdout
        assert len(places_asked(replica.requests)) == taken
        assert bool(of_archives(replica.requests)) is bool(taken)
        assert crawling.ledgers(folder)[-1]["backfill"]["waiting"] == waiting - taken


def test_an_archive_whose_robots_txt_forbids_it_is_asked_for_nothing(tmp_path: Path, folder: Path, replica: Replica) -> None:
    replica.robots[wayback.HOST] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /cdx/\nDisallow: /web/\n")
    assert crawling.crawl(replica, folder, seeds=seeds_with(tmp_path / "seeds", [MACHINE])).returncode == GOOD
    assert {one.kind for one in of_archives(replica.requests)} == {"robots"}
    assert crawling.ledgers(folder)[-1]["failures"] == {"robots": 1}


# ── archives that do not keep what their index promised ──────────────────────────────────────────────────────────────


def padded(member: bytes, length: int) -> bytes:
    """A gzip member with as much in its extra field (RFC 1952 §2.3.1.1) as makes it so long."""
    extra = length - len(member) - 2
    assert 0 <= extra < 2**16
    return member[:3] + b"\x04" + member[4:10] + extra.to_bytes(2, "little") + bytes(extra) + member[10:]


def in_its_range(one: Held, member: bytes) -> Answer:
    """The answer to the request for a capture, with other bytes of the right number."""
    wanted, (_, asked) = len(common_crawl.record(one)), common_crawl.range_of(one)
    return 206, {"Content-Range": f"bytes {asked.removeprefix('bytes=')}/9999999"}, padded(member, wanted)


SPAM = "<html><body><h1>便宜货</h1><p>今日特价，点击购买，机会难得，不要错过。</p></body></html>".encode()


def broken_by_place() -> dict[str, tuple[Broken, Answer]]:
    """One fault for each of some captures: where, and what is to be said of it."""
    ranges = [capture_of(captures.lost()[number], OLD_CRAWL) for number in (1, 3, 4, 5, 6)]
    whole, other, payload, url, cut = ranges
    replays = [capture_of(captures.lost()[number], WAYBACK) for number in (0, 2, 7, 8)]
    offline, elsewhere, later, spam = replays
    file = common_crawl.respond(common_crawl.range_of(whole)[0], {})[1]
    size = len(common_crawl.record(other))
    of_other = common_crawl.respond(common_crawl.range_of(other)[0], {"range": f"bytes=0-{size - 1}"})[1]
    member = common_crawl.record(cut)
    begun = {**in_its_range(cut, common_crawl.record(replace(cut, body=b"")))[1], "Content-Length": str(len(member))}
    replayed = wayback.replayed(spam)
    return {
        place(whole): (Broken.WHOLE_FILE, file),
        place(other): (Broken.OTHER_RANGE, of_other),
        place(payload): (Broken.OTHER_PAYLOAD, in_its_range(payload, common_crawl.record(replace(payload, body=SPAM)))),
        place(url): (
            Broken.OTHER_URL,
            in_its_range(url, common_crawl.record(replace(url, url="http://tech.china.com.cn/it/1.shtml", body=SPAM))),
        ),
        place(cut): (Broken.CUT, (206, begun, member[:500])),
        place(offline): (Broken.NO_REPLAY, (200, {"Content-Type": "text/html"}, b"<html><body>Temporarily offline</body></html>")),
        place(elsewhere): (Broken.HTTP_ERROR, (302, {"Location": wayback.replay_of(spam)}, b"")),
        place(later): (Broken.OTHER_TIME, wayback.replayed(replace(later, at=later.at.replace(second=later.at.second - 1)))),
        place(spam): (Broken.OTHER_PAYLOAD, (200, replayed[1], SPAM)),
    }


def test_what_is_not_as_promised_stays_out_with_its_reason_until_it_is(tmp_path: Path, folder: Path, replica: Replica) -> None:
    seeds, broken = seeds_with(tmp_path / "seeds", (COMMON_CRAWL[0], MACHINE)), broken_by_place()
    replica.faults.update({where: answer for where, (_, answer) in broken.items()})
    done = crawling.crawl(replica, folder, seeds=seeds)
    assert done.returncode == PARTIAL, f"{done.stdout}\n{done.stderr}"
    expected = Counter(str(reason) for reason, _ in broken.values())
    told = crawling.ledgers(folder)[-1]
    assert told["backfill"]["failed"] == expected
    assert told["backfill"]["waiting"] == len(broken)
    assert told["failures"] == expected
    assert re.search(rf"broken promises +{len(broken)} \(", done.stdout)
    assert Counter(reason for state, reason in states(folder).values() if state == "pending") == expected
    by_place = {place(one): one.url for one in held()}
    missing = {by_place[where] for where in broken}
    assert not missing & set(crawling.all_records(folder))
    assert not missing & {one.url for one in borrowed_on_disk(folder)}
    kept = [one for path in crawling.warc_files(folder) for one in read_captures(path) if isinstance(one, Capture)]
    assert [one.body for one in kept if one.kind is Kind.RECORD] == [b""] * len(broken), "of a broken answer the head alone is kept"
    assert not any("便宜货".encode() in one.body for one in kept)
    assert verified(folder) == []

    replica.faults.clear()
    replica.reset()
    done = crawling.crawl(replica, folder, seeds=seeds)
    assert done.returncode == GOOD, f"{done.stdout}\n{done.stderr}"
    assert set(places_asked(replica.requests)) == set(broken)
    assert missing <= set(crawling.all_records(folder))
    assert verified(folder) == []
