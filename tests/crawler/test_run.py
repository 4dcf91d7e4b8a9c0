"""The run's books: what each event adds to them, that they add up, and what closes them. No reactor: flows/ has it."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.statscollectors import MemoryStatsCollector

from crawler import clock
from crawler.frontier import RUN_ENDED
from crawler.health import FAR_LESS, GOOD, INTERRUPTED, NOTHING_SAVED, OUR_FAULT, PARTIAL, REFUSED
from crawler.loader import spider_of
from crawler.politeness import gate_of
from crawler.recovery import Recovered, recover
from crawler.run import Conductor, Interrupted, _make_start_urls_due, _own_pace, run
from crawler.scheduler import CatalogueScheduler
from crawler.session import Session, open_session
from crawler.visits import Visits
from pipelines import report, stages
from pipelines.archive import open_archive, schema, urltable
from pipelines.archive.catalogue import Catalogue
from pipelines.archive.cdxj import CdxjIndex, parse_line
from pipelines.archive.exchange import Exchange
from pipelines.archive.warc import read_record
from pipelines.errors import ConfigurationError, OutOfSpace
from pipelines.model import Capture, Kind
from pipelines.reading import read
from pipelines.site import Site
from pipelines.stages import commit_visit
from pipelines.verify import verify
from tests.crawler import made
from tests.crawler.made import HOST, address

FLASH = f"{HOST}/flash/"


def opened(folder: Path, rules: str | None = None) -> Session:
    folder.mkdir(parents=True, exist_ok=True)
    seeds = folder / "news.toml"
    seeds.write_text(rules or made.SEEDS, encoding="utf-8")
    return open_session(seeds, folder / "archive")


class Crawl:
    """A crawl whose network is the test."""

    def __init__(self, folder: Path, rules: str | None = None) -> None:
        self.session = opened(folder, rules)
        values = Settings()
        values.setmodule("crawler.settings")
        crawler = Crawler(spider_of(self.session.site), values)
        crawler.stats = MemoryStatsCollector(crawler)
        self.conductor = Conductor(crawler, self.session)
        crawler.spider = spider = spider_of(self.session.site).from_crawler(crawler)
        self.visits: Visits = spider.visits
        self.scheduler = CatalogueScheduler.from_crawler(crawler)
        self.scheduler.open(crawler.spider)
        _make_start_urls_due(self.session)

    def answer(self, body: bytes = b"", *, fails: str | None = None, status: int = 200, **said: Any) -> str | None:
        """The next request's answer, committed; its URL, or None when nothing is asked any more."""
        request = self.scheduler.next_request()
        if request is None:
            return None
        row = request.meta["lease"]
        now = clock.now()
        if fails is not None:
            visit, result = self.visits.failure(row, fails, (), now), None
        else:
            capture = self.write(made.exchange(row.url, body, status=status, kind=row.kind, **said))
            visit = self.visits.of(row, (capture,), now)
            result = read(capture, self.session.site) if visit.capture is not None else None
        with self.session.archive.catalogue.transaction() as tx:
            outcome = commit_visit(tx, self.session.site, visit, result)
        self.session.generation += 1
        self.conductor._settled(visit, outcome)
        return request.url

    def write(self, exchange: Exchange) -> Capture:
        return asyncio.run(self.conductor.write(exchange))

    def lists(self, *numbers: int) -> None:
        """The lists' answers: these articles, and nothing more."""
        for _ in range(3):  # two start listings, and the second page of one, which repeats the first and so ends it
            assert self.answer(made.list_page(numbers)) is not None


@pytest.fixture
def crawl(tmp_path: Path) -> Iterator[Crawl]:
    crawl = Crawl(tmp_path)
    yield crawl
    crawl.session.close(status=1)


def finished(crawl: Crawl, reason: str = "finished") -> dict[str, Any]:
    crawl.conductor._closed(reason)
    result = crawl.conductor.finish()
    return {**result.ledger, "status": result.health.status}


def test_a_good_run_has_books_that_say_so(crawl: Crawl) -> None:
    crawl.lists(1)
    while crawl.answer(made.article_page(1)):
        pass
    ledger = finished(crawl)
    assert ledger["visits"] == {"new": 1}
    assert (ledger["discovered"], ledger["known"], ledger["urls"]["visited"]) == (1, 1, 1)
    assert (ledger["status"], ledger["articles"]["shown"]) == (GOOD, 1)
    assert report.reconciles(ledger)


def test_an_article_that_waits_for_a_page_is_counted_in_every_run(crawl: Crawl, tmp_path: Path) -> None:
    crawl.lists(1)
    crawl.answer(made.article_page(1, following="1_2.html"))
    crawl.answer(status=500)
    ledger = finished(crawl)
    assert ledger["awaiting"] == 1
    assert any(line.split("  ")[-1] == "1 article" for line in report.lines(ledger) if "waiting for later pages" in line)
    again = Crawl(tmp_path)
    again.answer(made.list_page([1]))
    assert finished(again)["awaiting"] == 1


def test_a_list_that_fails_is_named_in_the_log_and_a_page_only_in_the_books(crawl: Crawl, caplog: pytest.LogCaptureFixture) -> None:
    failed = [crawl.answer(fails="timeout"), crawl.answer(made.list_page([1]), status=500)]
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warned == [f"The list {failed[0]} failed: timeout.", f"The list {failed[1]} failed: http_error (500)."]
    assert finished(crawl)["answers"] == {"http_error (500)": 1}, "what failed without an answer has none to tell"


def test_a_list_that_times_out_behind_a_redirect_has_not_answered(crawl: Crawl, caplog: pytest.LogCaptureFixture) -> None:
    request = crawl.scheduler.next_request()
    assert request is not None
    row = request.meta["lease"]
    hop = crawl.write(made.exchange(row.url, b"", status=302, kind=row.kind))
    crawl.conductor._settled(crawl.visits.failure(row, "timeout", (hop,), clock.now()), None)
    assert f"The list {row.url} failed: timeout." in caplog.messages


def test_links_of_which_no_rule_takes_any_are_told_by_their_list_as_the_rules_see_them(crawl: Crawl) -> None:
    page = '<a href="/2026/09/07/1.html?utm_source=x">一</a><a href="/">首页</a><a href="http://elsewhere.test/1.html">二</a>'
    lists = [crawl.answer(f"<html><body>{page}</body></html>".encode()), crawl.answer(made.list_page([1]))]
    told = finished(crawl)["untaken"]
    examples = {"examples": (f"{HOST}/2026/09/07/1.html", f"{HOST}/"), "foreign_examples": ("http://elsewhere.test/1.html",)}
    assert told == {lists[0]: {"links": 2, "foreign": 1, **examples}}


def test_a_list_that_leads_to_other_lists_alone_is_not_said_to_have_no_links(crawl: Crawl) -> None:
    crawl.answer(b'<html><body><a href="/topic/5/">topic</a></body></html>')
    assert finished(crawl)["untaken"] == {}


def test_a_night_in_which_no_list_shows_a_link_any_more_is_not_good(tmp_path: Path) -> None:
    before = Crawl(tmp_path)
    before.lists(1)
    while before.answer(made.article_page(1)):
        pass
    assert finished(before)["status"] == GOOD
    crawl = Crawl(tmp_path)
    while crawl.answer("<html><body><p>系统维护中</p></body></html>".encode()):
        pass
    ledger = finished(crawl)
    assert ledger["failures"] == {"no_links": 2}, "also the list that never had one that the other had not"
    assert ledger["status"] != GOOD


def test_a_list_that_was_set_aside_is_asked_for_once_the_seeds_file_names_it(crawl: Crawl, tmp_path: Path) -> None:
    topic = f"{HOST}/topic/1/"
    made.known(crawl.session, topic, kind=Kind.LISTING, depth=1)
    with crawl.session.archive.catalogue.transaction() as tx:
        tx.execute(schema.url.update().where(schema.url.c.url == topic).values(state="set_aside", reason="timeout", tries=3))
    finished(crawl)
    again = Crawl(tmp_path, made.SEEDS.replace(FLASH, topic))
    asked = [again.answer(made.list_page([1])) for _ in range(4)]
    assert topic in asked
    again.session.close(status=1)


def test_a_list_that_moved_to_the_feeds_is_read_as_one(crawl: Crawl, tmp_path: Path) -> None:
    feed = f"<rss version='2.0'><channel><item><link>{address(7)}</link></item></channel></rss>".encode()
    while crawl.answer(feed):
        pass
    assert finished(crawl)["failures"] == {"not_a_listing": 2}
    moved = made.SEEDS.replace(f', "{FLASH}"]', f']\nfeeds = ["{FLASH}"]')
    again = Crawl(tmp_path, moved)
    asked = [again.answer(feed), again.answer(feed)]
    assert FLASH in asked
    assert made.row_of(again.session, FLASH).reason is None
    assert made.row_of(again.session, address(7)).kind == Kind.ARTICLE
    again.session.close(status=1)


def test_a_feed_that_answers_html_is_told_in_the_log_and_by_the_status(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    crawl = Crawl(tmp_path, made.SEEDS.replace(f', "{FLASH}"]', f']\nfeeds = ["{FLASH}"]'))
    while (request := crawl.scheduler.next_request()) is not None:
        crawl.scheduler.enqueue_request(request)
        crawl.answer(made.article_page(1) if request.url == address(1) else made.list_page([1]))
    ledger = finished(crawl)
    assert (ledger["visits"], ledger["failures"], ledger["status"]) == ({"new": 1}, {"not_a_feed": 1}, PARTIAL)
    assert f"The list {FLASH} failed: not_a_feed (200)." in caplog.messages


def test_an_article_that_no_rule_fits_any_more_is_not_asked_until_one_does(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Asked in between, it would have been called out of scope, and its corrections lost for good."""
    crawl = Crawl(tmp_path)
    crawl.lists(1)
    while crawl.answer(status=500):
        pass
    assert finished(crawl)["visits"] == {"http_error": 1}
    narrow = made.SEEDS.replace("/(?P<date>", "/other/(?P<date>")
    for _ in range(2):
        crawl = Crawl(tmp_path, narrow)
        asked = []
        while (url := crawl.answer(made.list_page([1]))) is not None:
            asked.append(url)
        assert address(1) not in asked
        ledger = finished(crawl)
        assert (ledger["known"], ledger["urls"]["set_aside"], report.reconciles(ledger)) == (1, 1, True)
    said = "No `article` rule of the seeds file fits 1 known article URL any more: set aside until one does."
    assert caplog.messages.count(said) == 1, "when it happens"
    again = Crawl(tmp_path)
    for _ in range(2):
        again.answer(made.list_page([1]))
    assert again.answer(made.article_page(1)) == address(1)
    assert finished(again)["visits"] == {"new": 1}


def test_a_start_list_that_was_taken_down_is_named_in_the_log(crawl: Crawl, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with crawl.session.archive.catalogue.transaction() as tx:
        urltable.set_aside(tx, "news", [FLASH], "taken_down")
    finished(crawl)
    again = Crawl(tmp_path)
    assert f"The start list {FLASH} was taken down, and is not asked." in caplog.messages
    assert again.answer(made.list_page([1])) != FLASH
    again.session.close(status=1)


def test_a_page_that_fails_again_is_counted_apart_from_one_that_fails(crawl: Crawl, tmp_path: Path) -> None:
    crawl.lists(1, 2)
    assert crawl.answer(fails="timeout") == address(1)
    assert crawl.answer(made.article_page(2)) == address(2)
    assert finished(crawl)["failed_again"] == 0
    again = Crawl(tmp_path)
    again.answer(made.list_page([1, 2, 3]))
    while again.answer(fails="timeout"):
        pass
    ledger = finished(again)
    assert (ledger["visits"], ledger["failed_again"]) == ({"failed/timeout": 2}, 1)


def test_an_article_that_fails_run_after_run_is_asked_later_and_the_books_add_up(crawl: Crawl, tmp_path: Path) -> None:
    crawl.lists(1)
    assert crawl.answer(fails="timeout") == address(1)
    assert finished(crawl)["failed_for_long"] == 0
    for _ in range(2):  # as often as `tries` says
        again = Crawl(tmp_path)
        again.answer(made.list_page([1]))
        while again.answer(fails="timeout"):
            pass
        finished(again)
    later = Crawl(tmp_path)
    with later.session.archive.catalogue.transaction() as tx:
        counted = report.article_urls(tx, "news", later.session.started, clock.now())
        assert counted == {"visited": 0, "not_due": 1, "left": 0, "set_aside": 0}
        tx.execute(schema.url.update().where(schema.url.c.url == address(1)).values(due_at=0.0))
    later.answer(made.list_page([1]))
    while later.answer(fails="timeout"):
        pass
    ledger = finished(later)
    assert (ledger["visits"], ledger["failed_for_long"]) == ({"failed/timeout": 1}, 1)
    assert report.reconciles(ledger)


def night(folder: Path, *numbers: int, since: date | None = None) -> dict[str, Any]:
    """A run whose lists show these articles."""
    crawl = Crawl(folder)
    crawl.conductor._crawler.spider.since = since  # type: ignore[union-attr]
    while crawl.answer(made.list_page(numbers)):
        pass
    return finished(crawl)


def test_a_run_counts_what_its_start_lists_showed_since_the_last_run_that_counts_for_it(tmp_path: Path) -> None:
    first = night(tmp_path, 1, 2)
    assert (first["starts"], first["is_dated"]) == ({"named": 2, "read": 2, "found": 0, "seconds": None}, False)
    dated = night(tmp_path, 1, 2, 3, since=date(2026, 1, 1))
    assert (dated["starts"], dated["is_dated"]) == (first["starts"], True)
    killed = Crawl(tmp_path)
    killed.answer(made.list_page([1, 2, 3, 4]))
    killed.session.close(status=1)
    last = night(tmp_path, 1, 2, 3, 4, 5)
    assert last["starts"]["found"] == 3, "what the run of certain days and the one that was killed found is not missing tonight"
    assert 0 < last["starts"]["seconds"] == pytest.approx(last["at"] - first["at"], abs=0.01)
    assert last["usual"] == {"lists": None, "found": None, "day": None}
    assert night(tmp_path, 1, 2, 3, 4, 5)["starts"]["found"] == 0


def test_a_start_list_that_does_not_answer_was_not_read(crawl: Crawl) -> None:
    assert crawl.answer(fails="timeout") is not None
    while crawl.answer(made.list_page([1])):
        pass
    assert finished(crawl)["starts"]["read"] == 1


words = st.lists(
    st.sampled_from(["article", "empty", "gone", "timeout", "robots", "robots_unreachable", "host_given_up", RUN_ENDED, "our_fault"]),
    max_size=8,
)


@settings(
    deadline=None,
    max_examples=12,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=words, reason=st.sampled_from(["finished", "shutdown", "memusage_exceeded"]))
def test_the_books_add_up_whatever_comes(tmp_path_factory: pytest.TempPathFactory, story: list[str], reason: str) -> None:
    crawl = Crawl(tmp_path_factory.mktemp("books"))
    crawl.lists(*range(6))
    for word in story:
        if word == "article":
            crawl.answer(made.article_page(1))
        elif word in ("empty", "gone"):
            crawl.answer(b"", status=404 if word == "gone" else 200)
        else:
            crawl.answer(fails=word)
    ledger = finished(crawl, reason)
    assert report.reconciles(ledger)
    assert ledger["known"] == 6 == sum(ledger["urls"].values())
    asked = [word for word in story if word != RUN_ENDED][:6]
    assert sum(ledger["visits"].values()) <= len(asked)
    assert (ledger["status"] == INTERRUPTED) == (reason == "shutdown")
    assert ledger["status"] in {GOOD, NOTHING_SAVED, FAR_LESS, PARTIAL, REFUSED, INTERRUPTED, OUR_FAULT}


@pytest.mark.parametrize("reason", ["robots", "robots_unreachable", "host_given_up", RUN_ENDED])
def test_what_is_not_the_url_s_fault_is_no_try_and_due_again(crawl: Crawl, reason: str) -> None:
    crawl.lists(1)
    url = crawl.answer(fails=reason)
    assert url == address(1)
    row = made.row_of(crawl.session, url)
    assert (row.state, row.tries) == ("pending", 0)
    assert row.due_at <= clock.now()


def test_a_url_that_was_asked_is_not_asked_again_in_the_same_run(crawl: Crawl) -> None:
    crawl.lists(1)
    assert crawl.answer(fails="robots_unreachable") == address(1)
    assert crawl.answer(fails="robots_unreachable") is None


def test_what_a_host_said_is_written_with_a_commit_once(crawl: Crawl) -> None:
    """By the run's own hands: the stage calls both."""
    session = crawl.session
    gate_of(crawl.conductor._crawler).keeper = crawl.conductor._memory
    gate_of(crawl.conductor._crawler).saw_failure("news.test", "timeout")
    committed(session)
    assert crawl.conductor._memory.load_host("news.test") is not None
    assert crawl.conductor._memory._hosts == {}


# ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────────


def committed(session: Session) -> None:
    """As the stage does it."""
    with session.archive.catalogue.transaction() as tx:
        session.remember(tx)
    session.remembered()


def indexed(session: Session) -> list[str]:
    with session.archive.index.snapshot() as now:
        return [parse_line(line).url for line in (*now.stored(), *now.journal)]


def test_the_index_gets_its_lines_behind_the_commit(crawl: Crawl) -> None:
    crawl.write(made.exchange(address(1), made.article_page(1)))
    with crawl.session.archive.catalogue.transaction() as tx:
        crawl.session.remember(tx)
        assert indexed(crawl.session) == []
    crawl.session.remembered()
    assert indexed(crawl.session) == [address(1)]


def test_an_index_in_the_hands_of_another_holds_no_commit_up_and_gets_its_lines_later(crawl: Crawl) -> None:
    archive = crawl.session.archive
    archive.index.merge()
    with archive.index.journal.open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        crawl.write(made.exchange(address(1), made.article_page(1)))
        committed(crawl.session)
    assert indexed(crawl.session) == []
    crawl.write(made.exchange(address(2), made.article_page(2)))
    committed(crawl.session)
    assert indexed(crawl.session) == [address(1), address(2)]
    committed(crawl.session)
    assert indexed(crawl.session) == [address(1), address(2)]


def test_a_run_that_is_killed_between_a_commit_and_its_lines_gets_them_from_the_next(crawl: Crawl, tmp_path: Path) -> None:
    with_article(crawl)
    assert indexed(crawl.session) == []
    crawl.session.close(status=1)
    heals(tmp_path)


@pytest.mark.parametrize("step", ["add", "merge"])
def test_so_does_one_that_is_killed_while_it_closes_its_books(
    crawl: Crawl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with_article(crawl)
    with monkeypatch.context() as patch:
        patch.setattr(CdxjIndex, step, interrupts)
        with pytest.raises(KeyboardInterrupt):
            finished(crawl)
    crawl.session.archive.index.journal.unlink(missing_ok=True)  # nothing has made it durable
    crawl.session.close(status=1)
    heals(tmp_path)


def with_article(crawl: Crawl) -> None:
    """In an archive that has an index: one without gets a whole one from the next run in any case."""
    crawl.session.archive.index.merge()
    crawl.lists(1)
    assert crawl.answer(made.article_page(1)) == address(1)


def interrupts(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def heals(folder: Path) -> None:
    """The next run adds what the index lacks, without a capture that is new to the catalogue; verify finds nothing wrong."""
    after = Crawl(folder)
    assert recover(after.visits, after.session.readers, after.session.writer) == Recovered()
    assert address(1) in indexed(after.session)
    assert verify(after.session.archive).findings == []
    after.session.close(status=1)


def test_a_turn_that_never_came_is_left_and_not_failed(crawl: Crawl) -> None:
    crawl.lists(1, 2)
    crawl.answer(fails=RUN_ENDED)
    crawl.session.interrupted = "a signal"
    ledger = finished(crawl, "shutdown")
    assert (ledger["urls"]["left"], ledger["visits"], ledger["failures"]) == (2, {}, {})


def test_leases_go_back_at_the_end(crawl: Crawl) -> None:
    crawl.lists(1, 2, 3)
    assert crawl.scheduler.next_request() is not None
    archive = crawl.session.archive.path
    finished(crawl, "shutdown")
    with open_archive(archive) as again, again.catalogue.snapshot() as tx:
        assert set(tx.scalars(sa.select(schema.url.c.state))) == {"pending", "done"}


def test_a_file_that_is_wholly_known_is_sealed(crawl: Crawl) -> None:
    crawl.lists(1)
    crawl.write(made.exchange(f"{HOST}/robots.txt", b"", kind=Kind.ROBOTS))
    archive = crawl.session.archive.path
    finished(crawl)
    with open_archive(archive) as again, again.catalogue.snapshot() as tx:
        assert list(tx.scalars(sa.select(schema.warc_file.c.sealed))) == [True]
        assert "robots" in set(tx.scalars(sa.select(schema.capture.c.kind))), "what no visit carried is written down at the end"


def test_a_file_with_a_capture_that_nobody_wrote_down_is_left_to_the_next_run(crawl: Crawl, tmp_path: Path) -> None:
    crawl.lists(1)
    crawl.write(made.exchange(address(1), made.article_page(1)))
    finished(crawl)
    after = Crawl(tmp_path)
    assert recover(after.visits, after.session.readers, after.session.writer) == Recovered(captures=1)
    after.session.close(status=1)


def test_a_run_that_ends_before_all_is_settled_leaves_it_to_the_next(crawl: Crawl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files stay unsealed and its books open, so that the next run looks back as far."""
    settled_since: list[str | None] = []

    def settle(_: Catalogue, __: str, *, since: str | None) -> None:
        settled_since.append(since)
        if len(settled_since) == 2:
            raise OutOfSpace("the disk is full")

    monkeypatch.setattr("crawler.run.settle_in_groups", settle)
    crawl.lists(1)
    started = [run_started(crawl)]
    finished(crawl)
    second = Crawl(tmp_path)
    second.answer(made.list_page([1]))
    with pytest.raises(OutOfSpace):
        finished(second)
    with second.session.archive.catalogue.snapshot() as tx:
        assert list(tx.scalars(sa.select(schema.warc_file.c.sealed))) == [True]
        assert len(list(second.session.archive.warc_folder.iterdir())) == 2
    second.session.close(status=OutOfSpace.exit_status)
    third = Crawl(tmp_path)
    started.append(run_started(third))
    finished(third)
    assert settled_since == [None, started[0], started[0]]


def run_started(crawl: Crawl) -> str:
    with crawl.session.archive.catalogue.snapshot() as tx:
        return str(tx.scalar(sa.select(schema.run.c.started).where(schema.run.c.id == crawl.session.run)))


def test_a_large_body_holds_nobody_up(crawl: Crawl) -> None:
    """It is packed in a thread: a small one that came after it is in the file before it. The file says so."""
    large = made.exchange(address(1), random.Random(1).randbytes(8 * 2**20))
    small = made.exchange(address(2), made.article_page(2))

    async def both() -> list[Capture]:
        return list(await asyncio.gather(crawl.conductor.write(large), crawl.conductor.write(small)))

    captures = asyncio.run(both())
    refs = [capture.warc for capture in captures]
    assert refs[0]
    assert refs[1]
    assert refs[1].offset < refs[0].offset
    crawl.session.writer.sync()
    assert [read_record(crawl.session.archive.warc_folder / ref.file, ref) for ref in refs if ref] == captures


def test_a_fault_of_the_archive_is_raised_and_is_the_run_s_status(crawl: Crawl) -> None:
    archive = crawl.session.archive.path
    crawl.session.faults.append(OutOfSpace("the disk is full"))
    with pytest.raises(OutOfSpace):
        crawl.conductor.finish()
    with open_archive(archive) as again, again.catalogue.snapshot() as tx:
        assert tx.execute(sa.select(schema.run.c.status, schema.run.c.ledger)).one() == (OutOfSpace.exit_status, None)


def test_an_exception_past_all_edges_still_ends_its_lease_and_is_counted(crawl: Crawl) -> None:
    crawl.lists(1)
    request = crawl.scheduler.next_request()
    assert request is not None
    visit = crawl.visits.failure(request.meta["lease"], "timeout", (), 0.0)
    crawl.conductor._broken(item=visit)
    assert len(crawl.scheduler._leases) == 0
    assert finished(crawl)["status"] == OUR_FAULT


def test_books_that_do_not_add_up_are_said_so(crawl: Crawl, caplog: pytest.LogCaptureFixture) -> None:
    crawl.conductor._books.visits["new"] += 1
    with caplog.at_level(logging.ERROR):
        assert finished(crawl)["status"] == OUR_FAULT
    assert "does not add up" in caplog.text


def test_a_reactor_that_ended_without_the_spider_was_stopped(crawl: Crawl) -> None:
    assert crawl.conductor.finish().health.status == INTERRUPTED


def test_a_run_that_takes_too_long_ends_the_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "SEEDS", made.SEEDS.replace("tries = 3", "tries = 3\nmax_seconds = 0.0"))
    crawl = Crawl(tmp_path)
    crawl.answer(made.list_page([1, 2]))
    assert crawl.session.left_because == "max_seconds"
    assert crawl.answer() is None
    crawl.session.close(status=1)


def test_a_run_is_of_its_site_s_pace_unless_the_operator_says_otherwise() -> None:
    site = made.site()
    assert _own_pace(site, Settings({"DELAY": None})) is site
    assert _own_pace(site, Settings({"DELAY": "0.5"})).politeness.delay == 0.5
    assert _own_pace(site, Settings({"DELAY": 0})).politeness.delay == 0.0


def test_a_site_that_is_not_there_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "news.toml").write_text(made.SEEDS, encoding="utf-8")
    values = Settings({"SEEDS_DIR": str(tmp_path), "ARCHIVE_DIR": str(tmp_path / "archive")})
    with pytest.raises(ConfigurationError, match="Known sites: news"):
        run(values, "elsewhere", {})
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize("fault", [ConfigurationError("not this one"), ValueError("a fault of ours")])
def test_a_run_that_ends_before_its_crawl_begins_leaves_nothing_open(tmp_path: Path, fault: Exception) -> None:
    def narrow(_: Site) -> Site:
        raise fault

    (tmp_path / "news.toml").write_text(made.SEEDS, encoding="utf-8")
    values = Settings()
    values.setmodule("crawler.settings")
    values.setdict({"SEEDS_DIR": str(tmp_path), "ARCHIVE_DIR": str(tmp_path / "archive"), "EXTRACT_WORKERS": 0})
    with pytest.raises(type(fault)):
        run(values, "news", {}, narrow=narrow)
    again = open_session(tmp_path / "news.toml", tmp_path / "archive")
    with again.exits, again.archive.catalogue.snapshot() as tx:
        first = tx.execute(sa.select(schema.run).order_by(schema.run.c.id)).first()
    assert first is not None
    assert first.ended is not None
    assert first.status == 1


def test_a_signal_before_the_first_request_has_the_status_of_an_interrupted_run() -> None:
    assert Interrupted.exit_status == INTERRUPTED
    assert stages.OUR_FAULT == "our_fault"
