"""What a killed run left on the disk: ingested without a request, exactly once, whatever state it is in."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from crawler.backfill import needless
from crawler.recovery import Recovered, recover
from crawler.session import Session
from crawler.visits import Visits
from pipelines import flow, reading
from pipelines.archive import schema, urltable, write_whole
from pipelines.archive.article_record import timestamp
from pipelines.archive.borrowed import Borrowed, Promise, borrowed
from pipelines.archive.outcome_record import told
from pipelines.archive.urltable import State
from pipelines.archive.warc import read_captures, told_in
from pipelines.intake import seal
from pipelines.model import Capture, Hints, Kind
from pipelines.site import Site
from pipelines.verify import verify
from pipelines.workers import Readers
from tests.crawler import made
from tests.crawler.made import HOST, address

FLASH = f"{HOST}/flash/"


def next_run(session: Session) -> Recovered:
    """The start of the run after the one that was killed."""
    session.writer.close()
    return recover(Visits(session.site, session.archive, made.NOW.timestamp() + 500, session.counts), session.readers, session.writer)


def killed(session: Session) -> None:
    """A run that wrote a list and two articles, and committed nothing."""
    made.known(session, FLASH, kind=Kind.LISTING, priority=100)
    made.known(session, address(1), address(2))
    made.leased(session)
    made.written(
        session,
        made.exchange(f"{HOST}/robots.txt", b"User-agent: *\n", kind=Kind.ROBOTS),
        made.exchange(FLASH, made.list_page([1, 2, 3]), kind=Kind.LISTING, seconds=1),
        made.exchange(address(1), made.article_page(1), seconds=2),
        made.exchange(address(2), made.article_page(2, text=["另一篇：" + line for line in made.LINES]), seconds=3),
    )


def test_captures_on_disk_become_the_visits_that_they_would_have_been(session: Session) -> None:
    killed(session)
    assert next_run(session) == Recovered(captures=4)
    assert (made.count(session, schema.article), made.count(session, schema.capture)) == (2, 4)
    assert [made.row_of(session, address(number)).state for number in (1, 2)] == [State.DONE, State.DONE]
    assert made.row_of(session, address(3)).state == State.PENDING, "found on the list that nobody had committed"


def test_a_page_that_cost_a_run_too_much_does_not_keep_the_next_one_from_starting(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(session)
    session.readers = Readers(1)
    try:
        monkeypatch.setattr("crawler.recovery.read_list", takes_for_ever)
        monkeypatch.setattr("pipelines.workers.SECONDS_A_PAGE", 4.0)
        assert next_run(session) == Recovered(captures=4)
    finally:
        session.readers.close()
    assert made.count(session, schema.article) == 2, "the articles were read"
    assert (made.row_of(session, FLASH).reason, made.row_of(session, FLASH).state) == ("too_expensive", State.PENDING)


def takes_for_ever(*_: object) -> None:
    time.sleep(60)


def test_a_second_start_finds_nothing_more(session: Session) -> None:
    killed(session)
    next_run(session)
    assert next_run(session) == Recovered()
    assert made.count(session, schema.capture) == 4


def told_by(session: Session) -> list[tuple[str, str]]:
    files = sorted(session.archive.warc_folder.glob("*.warc.gz"))
    return sorted((one.url, one.outcome) for path in files for one in told_in(path))


BOTH = [(address(1), "article"), (address(2), "article")]


def test_what_nobody_had_told_of_pages_is_told_once(session: Session) -> None:
    killed(session)
    assert told_by(session) == []
    next_run(session)
    assert told_by(session) == BOTH
    assert next_run(session) == Recovered()
    assert told_by(session) == BOTH


@pytest.mark.parametrize("many", [1, 2])
def test_what_the_killed_run_had_told_is_not_told_again(session: Session, many: int) -> None:
    killed(session)
    [path] = session.archive.warc_folder.glob("*.warc.gz")
    pages = [one for one in read_captures(path) if isinstance(one, Capture) and one.kind is Kind.ARTICLE]
    results = [(one, reading.read(one, session.site)) for one in pages[:many]]
    session.writer.tell([told(one, one.url, session.site.digest, result) for one, result in results if result is not None])
    assert next_run(session).captures == 4
    assert told_by(session) == BOTH


def test_a_recovery_that_is_killed_after_telling_does_not_make_the_next_one_tell_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(session)
    with monkeypatch.context() as patch:
        patch.setattr("crawler.recovery._commit", interrupts)
        with pytest.raises(KeyboardInterrupt):
            next_run(session)
    assert told_by(session) == BOTH
    assert made.count(session, schema.capture) == 0
    assert next_run(session) == Recovered(captures=4)
    assert told_by(session) == BOTH


def interrupts(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_clean_end_leaves_nothing_to_recover(session: Session) -> None:
    killed(session)
    name = session.writer.position
    assert name is not None
    with session.archive.catalogue.transaction() as tx:
        seal(tx, session.archive.warc_folder / name[0])
    assert next_run(session) == Recovered()


def test_what_was_committed_before_is_not_ingested_again(session: Session) -> None:
    killed(session)
    [capture] = made.written(session, made.exchange(address(2), made.article_page(2), seconds=9))
    with session.archive.catalogue.transaction() as tx:
        flow.write(tx, capture, session.site, reading.read(capture, session.site))
    assert next_run(session).captures == 4
    assert made.count(session, schema.capture) == 5


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_torn_last_record_is_cut_off_and_kept_beside(session: Session, cut: int, caplog: pytest.LogCaptureFixture) -> None:
    killed(session)
    session.writer.close()
    [path] = session.archive.warc_folder.glob("*.warc.gz")
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    with caplog.at_level(logging.WARNING):
        found = next_run(session)
    assert found.captures == 3
    assert found.cut_bytes > 0
    assert "did not end by itself" in caplog.text
    [torn] = session.archive.warc_folder.glob("*.torn-*")
    assert path.read_bytes() + torn.read_bytes() == whole[:-cut]
    assert made.row_of(session, address(2)).state == State.LEASED, "it is asked for again when the leases have gone back"


def test_damage_in_the_middle_costs_one_record(session: Session) -> None:
    killed(session)
    session.writer.close()
    [path] = session.archive.warc_folder.glob("*.warc.gz")
    with session.archive.catalogue.snapshot():
        raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    found = next_run(session)
    assert (found.damaged, found.captures) == (1, 3) or found.captures == 4, "a request record may be what was hit"


def test_the_files_of_another_site_are_left_to_it(session: Session) -> None:
    (session.archive.warc_folder / "elsewhere-20260907010000000-00001.warc.gz").write_bytes(b"no WARC file at all")
    assert next_run(session) == Recovered()


def test_a_page_on_which_our_own_code_fails_costs_no_other_and_stops_no_start(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    killed(session)
    read = reading.read

    def failing(capture: Capture, site: Site) -> Any:
        if capture.url == address(1):
            raise KeyError("nobody expected this")
        return read(capture, site)

    monkeypatch.setattr(reading, "read", failing)
    found = next_run(session)
    assert (found.captures, found.at_fault) == (3, 1)
    assert "nobody expected this" in caplog.text
    [trace] = (session.archive.path / "quarantine").iterdir()
    assert address(1) in trace.read_text(encoding="utf-8")
    assert next_run(session) == Recovered(), "the next start does not stumble over it again"


def test_many_captures_are_ingested_in_groups(session: Session) -> None:
    urls = [address(number) for number in range(150)]
    made.known(session, *urls)
    made.written(session, *(made.exchange(url, status=404, seconds=number) for number, url in enumerate(urls)))
    assert next_run(session).captures == 150
    assert made.count(session, schema.capture) == 150


def test_a_redirect_and_its_target_give_the_article_of_the_target(session: Session) -> None:
    made.known(session, address(1))
    hop = made.exchange(address(1), status=301, headers=(("Location", address(2)),))
    made.written(session, hop, made.exchange(address(2), made.article_page(2), seconds=1))
    assert next_run(session).captures == 2
    with session.archive.catalogue.snapshot() as tx:
        assert list(tx.scalars(sa.select(schema.article.c.url))) == [address(2)]


# ── captures of other archives ───────────────────────────────────────────────────────────────────────────────────────

OLD = datetime(2024, 3, 1, 2, 3, 4, tzinfo=UTC)
PROMISE = Promise(source=f"http://web.test/20240301020304id_/{address(1)}", url=address(1), at="20240301020304")
REPLAYED = (("Content-Type", "text/html; charset=utf-8"), ("Memento-Datetime", "Fri, 01 Mar 2024 02:03:04 GMT"))


def killed_while_it_looked_back(session: Session) -> str:
    """A run that wrote down what another archive had, and committed nothing; the key of its row."""
    key = PROMISE.key(address(1))
    made.known(session, key, kind=Kind.RECORD, hints=Hints(via=PROMISE.place()), priority=-100)
    made.leased(session)
    answer = made.exchange(PROMISE.source, made.article_page(1), kind=Kind.RECORD, headers=REPLAYED)
    result = borrowed(PROMISE, answer)
    assert isinstance(result, Borrowed)
    session.take(result, made.NOW)
    session.borrowed.close()
    return key


def test_an_old_capture_is_ingested_once_with_its_own_date_and_not_asked_for_again(session: Session) -> None:
    key = killed_while_it_looked_back(session)
    assert next_run(session) == Recovered(captures=1, borrowed=True)
    with session.archive.catalogue.snapshot() as tx:
        assert list(tx.scalars(sa.select(schema.capture.c.fetched_at))) == [timestamp(OLD)]
        assert list(tx.scalars(sa.select(schema.article.c.first_seen))) == [timestamp(OLD)]
    assert next_run(session) == Recovered()
    with session.archive.catalogue.transaction() as tx:
        urltable.release_all(tx, "news")
    rows = made.leased(session)
    with session.archive.catalogue.snapshot() as tx:
        assert [row.url for row in rows if needless(tx, rows).get(row.id) == "had"] == [key]


def test_an_old_capture_says_nothing_of_what_its_address_answers_today(session: Session) -> None:
    made.known(session, address(1))
    killed_while_it_looked_back(session)
    next_run(session)
    row = made.row_of(session, address(1))
    assert (row.visits, row.last_fetched, row.last_status) == (0, None, None)


def test_an_answer_that_was_not_what_an_archive_had_promised_is_evidence_and_no_article(session: Session) -> None:
    key = PROMISE.key(address(1))
    made.known(session, key, kind=Kind.RECORD, hints=Hints(via=PROMISE.place()))
    made.leased(session)
    made.written(session, made.exchange(PROMISE.source, b"", kind=Kind.RECORD, truncated="unspecified"))
    assert next_run(session) == Recovered(captures=1)
    assert (made.count(session, schema.article), made.row_of(session, key).state) == (0, State.LEASED)


def test_verify_finds_nothing_wrong_with_what_was_had_from_another_archive(session: Session) -> None:
    killed_while_it_looked_back(session)
    next_run(session)
    session.writer.close()
    write_whole(session.archive.path / "seeds" / f"{session.site.digest}.toml", made.SEEDS.encode())
    found = verify(session.archive)
    assert (dict(found.counts), found.checked["records"] > 0) == ({}, True)
