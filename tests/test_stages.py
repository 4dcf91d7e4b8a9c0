"""The item pipeline without Scrapy: visits in, grouped transactions out, and every visit ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines import reading, stages
from pipelines.archive import Archive, open_archive, schema, urltable
from pipelines.archive.article_record import article_id
from pipelines.archive.ledger import Outcome
from pipelines.archive.outcome_record import Told
from pipelines.archive.urltable import NewUrl, Row, State
from pipelines.archive.warc import WarcWriter, told_in
from pipelines.errors import ArchiveError, NoProcess, OutOfSpace
from pipelines.model import Capture, Kind, Reason, Verdict
from pipelines.site import Site
from pipelines.stages import GROUP_VISITS, OUR_FAULT, IngestStage, Settlement, Visit, commit_visit
from pipelines.urls import host_key
from pipelines.workers import Readers
from tests.crawler import made
from tests.crawler.made import HOST, address

BROKEN = {"state": State.PENDING, "reason": OUR_FAULT, "tries": 1}


@dataclass
class FakeRun:
    """A run without a crawl."""

    site: Site
    archive: Archive
    writer: Any
    counts: Counter[str] = field(default_factory=Counter)
    loose: list[Capture] = field(default_factory=list)
    shared: set[str] = field(default_factory=set)
    generation: int = 0
    under_way: int = 1_000
    remembering: list[str] = field(default_factory=list)
    ended: list[tuple[Visit, Outcome | None]] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def remember(self, _: sa.Connection) -> None:
        self.remembering.append("written")

    def remembered(self) -> None:
        self.remembering.append("durable")

    def settled(self, visit: Visit, outcome: Outcome | None) -> None:
        self.ended.append((visit, outcome))

    def fail(self, fault: Exception) -> None:
        self.faults.append(fault)

    def row(self, url: str) -> Row:
        now = made.NOW.timestamp()
        with self.archive.catalogue.transaction() as tx:
            urltable.discover(tx, self.site.name, [NewUrl(url=url, host=host_key(url), kind=Kind.ARTICLE, due_at=now)], now)
            found = urltable.by_url(tx, self.site.name, url)
        assert found is not None
        return found

    def visit(self, number: int, *, status: int = 200, body: bytes | None = None, **more: Any) -> Visit:
        url = address(number)
        page = made.article_page(number) if body is None else body
        capture = self.writer.write(made.exchange(url, page, status=status, seconds=number))
        values = {"state": State.DONE, "last_status": status}
        given: dict[str, Any] = {
            "row": self.row(url),
            "capture": capture,
            "now": made.NOW.timestamp() + number,
            "settle": lambda *_: Settlement(values=values),
            "broken": Settlement(values=BROKEN),
        }
        return Visit(**{**given, **more})

    def state(self, number: int) -> sa.Row[Any]:
        with self.archive.catalogue.snapshot() as tx:
            return tx.execute(sa.select(schema.url).where(schema.url.c.url == address(number))).one()

    def count(self, table: sa.Table) -> int:
        with self.archive.catalogue.snapshot() as tx:
            return tx.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.fixture
def run(tmp_path: Path) -> Iterator[FakeRun]:
    with ExitStack() as exits:
        archive = exits.enter_context(open_archive(tmp_path / "archive", create=True))
        writer = exits.enter_context(WarcWriter(archive.warc_folder, prefix="news", software="test", rules={}))
        yield FakeRun(site=made.site(), archive=archive, writer=writer)


def through(run: FakeRun, *visits: Visit, close: bool = True) -> IngestStage:
    """Sends visits through a stage, all at once, and waits for them as Scrapy does."""

    async def work() -> IngestStage:
        stage = IngestStage(run, Readers(0))
        await asyncio.wait_for(asyncio.gather(*(stage.process_item(visit) for visit in visits)), timeout=60)
        if close:
            await stage.close_spider()
        return stage

    return asyncio.run(work())


def refuses(bad: int, error: Callable[[], Exception]) -> Callable[[Capture, Site], Any]:
    """`reading.read`, but for one article on which our code fails."""
    read = reading.read

    def reads(capture: Capture, site: Site) -> Any:
        if capture.url == address(bad):
            raise error()
        return read(capture, site)

    return reads


# ── what is committed ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_visit_is_over_when_its_article_is_durable(run: FakeRun) -> None:
    through(run, run.visit(1))
    [(visit, outcome)] = run.ended
    assert outcome is not None
    assert (outcome.word, visit.row.url) == (Verdict.NEW, address(1))
    assert run.state(1).state == State.DONE
    assert (run.count(schema.article), run.count(schema.capture)) == (1, 1)


def test_visits_that_come_together_are_one_transaction(run: FakeRun) -> None:
    through(run, *(run.visit(number, status=404) for number in range(10)))
    assert run.generation == 1
    assert len(run.ended) == 10


def test_a_group_closes_when_it_is_full(run: FakeRun) -> None:
    through(run, *(run.visit(number, status=404) for number in range(GROUP_VISITS + 1)))
    assert run.generation == 2


def test_nobody_waits_where_nothing_else_is_under_way(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.stages.GROUP_SECONDS", 3_600.0)
    run.under_way = 2
    through(run, *(run.visit(number, status=404) for number in range(4)), close=False)
    assert run.generation == 2


def test_what_belongs_to_no_visit_goes_with_the_next_commit(run: FakeRun) -> None:
    run.loose.append(run.writer.write(made.exchange(f"{HOST}/robots.txt", b"", kind=Kind.ROBOTS)))
    through(run, run.visit(1))
    assert run.count(schema.capture) == 2
    assert run.loose == []
    assert run.remembering == ["written", "durable"]


def test_the_warc_file_is_durable_before_any_row_points_to_it(run: FakeRun) -> None:
    done: list[str] = []
    real = run.writer

    class Watched:
        def tell(self, told: list[Told]) -> None:
            done.append(f"told {[one.outcome for one in told]}")
            real.tell(told)

        def sync(self) -> None:
            done.append(f"synced with {run.count(schema.capture)} rows")
            real.sync()

    visit = run.visit(1)
    run.writer = Watched()
    through(run, visit)
    assert done == ["told ['article']", "synced with 0 rows"]


@pytest.mark.parametrize("together", [True, False])
def test_a_capture_that_two_visits_have_is_told_of_and_counted_once(run: FakeRun, together: bool) -> None:
    one = run.visit(1)
    assert one.capture is not None
    assert one.capture.warc is not None
    run.shared.add(one.capture.warc.record_id)
    other = replace(one, row=run.row(address(2)))
    for group in [(one, other)] if together else [(one,), (other,)]:
        through(run, *group)
    assert told_by(run) == [(address(1), "article")]
    assert [outcome.known for _, outcome in run.ended if outcome] == [False, True]
    assert run.count(schema.capture) == 1


def test_nothing_is_told_of_a_page_that_was_taken_down(run: FakeRun) -> None:
    stone = {"article": article_id(address(1)), "url": address(1), "site": "news", "reason": "test", "at": "2026-11-01"}
    with run.archive.catalogue.transaction() as tx:
        tx.execute(schema.tombstone.insert().values(**stone))
    through(run, run.visit(1), run.visit(2))
    assert told_by(run) == [(address(2), "article")]
    assert {outcome.word for _, outcome in run.ended if outcome} == {"taken_down", "new"}


def told_by(run: FakeRun) -> list[tuple[str, str]]:
    """What the WARC files tell: URLs and outcomes, in order."""
    return [(one.url, one.outcome) for path in sorted(run.archive.warc_folder.iterdir()) for one in told_in(path)]


def test_what_each_page_was_read_as_stands_in_the_warc_file_once(run: FakeRun) -> None:
    hop = run.writer.write(made.exchange(f"{HOST}/moved", status=302, headers=(("Location", address(2)),)))
    robots = run.writer.write(made.exchange(f"{HOST}/robots.txt", b"", kind=Kind.ROBOTS))
    listing = run.writer.write(made.exchange(f"{HOST}/flash/", made.list_page([1]), kind=Kind.LISTING))
    visits = [
        run.visit(1),
        run.visit(2, earlier=(hop,)),
        run.visit(3, status=404),
        replace(run.visit(4), capture=listing, earlier=(robots,)),
    ]
    through(run, *visits)
    assert told_by(run) == [
        (address(1), "article"),
        (f"{HOST}/moved", Reason.REDIRECT),
        (address(2), "article"),
        (address(3), Reason.GONE),
    ]
    through(run, run.visit(5))
    assert told_by(run)[4:] == [(address(5), "article")]


def test_a_visit_that_brought_nothing_ends_its_lease_too(run: FakeRun) -> None:
    visit = replace(run.visit(1), capture=None, failure="failed/timeout")
    through(run, visit)
    assert [(ended.failure, outcome) for ended, outcome in run.ended] == [("failed/timeout", None)]
    assert run.state(1).state == State.DONE


def test_links_are_known_in_the_transaction_of_the_page_that_has_them(run: FakeRun) -> None:
    now = made.NOW.timestamp()
    found = NewUrl(url=address(9), host="news.test", kind=Kind.ARTICLE, due_at=now)
    settlement = Settlement(values={"state": State.DONE}, found=(found,), wake=(address(9),), completed=address(1))
    through(run, run.visit(1, settle=lambda *_: settlement))
    assert run.state(9).state == State.PENDING
    assert run.state(9).due_at == now + 1, "woken"
    assert run.state(1).complete_at == now + 1


def test_a_redirect_to_an_index_on_the_way_says_that_the_article_is_gone(run: FakeRun) -> None:
    hop = run.writer.write(made.exchange(address(1), status=302, headers=(("Location", f"{HOST}/"),)))
    seen: list[str] = []

    def settle(outcome: Outcome | None, _: object) -> Settlement:
        assert outcome is not None
        seen.append(outcome.word)
        return Settlement(values={"state": State.DONE})

    visit = run.visit(2, earlier=(hop,), settle=settle, capture=None)
    with run.archive.catalogue.transaction() as tx:
        outcome = commit_visit(tx, run.site, visit, None)
    assert outcome is not None
    assert (outcome.word, seen) == (Reason.GONE, [Reason.GONE])


# ── our own faults ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_that_our_code_cannot_read_is_kept_named_and_ended(
    run: FakeRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reading, "read", refuses(2, lambda: KeyError("nobody expected this")))
    through(run, run.visit(1), run.visit(2), run.visit(3))
    failures = {visit.row.url: visit.failure for visit, _ in run.ended}
    assert failures == {address(1): None, address(2): "failed/our_fault", address(3): None}
    assert (run.state(2).reason, run.state(2).tries) == (OUR_FAULT, 1)
    assert run.counts[OUR_FAULT] == 1
    assert "nobody expected this" in caplog.text
    assert run.count(schema.capture) == 2, "the third is for a version that can read it"
    [trace] = (run.archive.path / "quarantine").iterdir()
    assert trace.read_text(encoding="utf-8").startswith(address(2))


def test_a_visit_that_cannot_be_committed_does_not_hold_up_its_group(run: FakeRun, caplog: pytest.LogCaptureFixture) -> None:
    def settle(*_: object) -> Settlement:
        raise ZeroDivisionError("a line of ours")

    through(run, run.visit(1), run.visit(2, settle=settle), run.visit(3))
    assert {visit.row.url: visit.failure for visit, _ in run.ended} == {
        address(1): None,
        address(2): "failed/our_fault",
        address(3): None,
    }
    assert run.count(schema.article) == 2
    assert run.state(2).reason == OUR_FAULT
    assert "a line of ours" in caplog.text
    assert told_by(run) == [(address(number), "article") for number in (1, 2, 3)], "each once, however often it is committed"


def test_what_no_visit_is_to_blame_for_ends_the_run(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise RuntimeError("nothing can be committed")

    monkeypatch.setattr(stages, "commit_visit", never)
    through(run, run.visit(1), run.visit(2))
    assert [str(fault) for fault in run.faults] == ["nothing can be committed"]
    assert len(run.ended) == 2, "and still nothing waits for ever"


def test_an_archive_that_fails_ends_the_run_and_acknowledges_nothing(run: FakeRun) -> None:
    class Full:
        def tell(self, _: list[Told]) -> None:
            raise OutOfSpace("the disk is full")

    visits = [run.visit(1), run.visit(2)]
    run.writer = Full()
    through(run, *visits)
    assert [type(fault) for fault in run.faults] == [OutOfSpace]
    assert [outcome for _, outcome in run.ended] == [None, None]
    assert {run.state(number).state for number in (1, 2)} == {State.PENDING}
    assert run.count(schema.capture) == 0
    assert run.counts[OUR_FAULT] == 0
    assert issubclass(OutOfSpace, ArchiveError)


@pytest.mark.parametrize("broken", ["read", "settle"])
def test_a_traceback_that_finds_no_place_ends_the_run_and_nothing_waits(run: FakeRun, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """A full disk, on top of a fault of ours."""

    def settle(*_: object) -> Settlement:
        raise ZeroDivisionError("a line of ours")

    def full(*_: object) -> None:
        raise OutOfSpace("the disk is full")

    monkeypatch.setattr(stages, "quarantine", full)
    if broken == "read":
        monkeypatch.setattr(reading, "read", refuses(2, lambda: KeyError("nobody expected this")))
    through(run, run.visit(1), run.visit(2, settle=settle), close=False)
    assert [type(fault) for fault in run.faults] == [OutOfSpace]
    assert len(run.ended) == 2
    assert run.state(2).state == State.PENDING, "the next run reads it"


def test_where_no_process_can_read_the_run_ends_and_no_page_is_to_blame(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise NoProcess("is there memory for them?")

    monkeypatch.setattr(reading, "read", none)
    through(run, run.visit(1), run.visit(2))
    assert {type(fault) for fault in run.faults} == {NoProcess}
    assert [outcome for _, outcome in run.ended] == [None, None]
    assert run.counts[OUR_FAULT] == 0
    assert list((run.archive.path / "quarantine").glob("*")) == []


def test_an_archive_that_has_failed_is_not_waited_for_again(run: FakeRun) -> None:
    """Each further group would wait for a catalogue that somebody holds as long as the first one did."""
    tried: list[object] = []
    sa.event.listen(run.archive.catalogue._engine, "begin", tried.append)
    visits = [run.visit(1), run.visit(2)]
    run.fail(OutOfSpace("full"))
    tried.clear()
    through(run, *visits)
    assert (tried, [outcome for _, outcome in run.ended]) == ([], [None, None])


def test_a_stage_that_is_closed_has_committed_everything(run: FakeRun) -> None:
    async def work() -> list[Any]:
        stage = IngestStage(run, Readers(0))
        waiting = [asyncio.ensure_future(stage.process_item(run.visit(number))) for number in range(3)]
        await asyncio.sleep(0)
        await stage.close_spider()
        return await asyncio.wait_for(asyncio.gather(*waiting), timeout=30)

    asyncio.run(work())
    assert len(run.ended) == 3
