"""What is written down when a capture comes in, and that the order in which captures come decides nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive import Archive, stored
from pipelines.archive.article_record import article_id, canonical_json, digest
from pipelines.archive.ledger import AWAITING_PARTS, misfolded, note_capture, refold, write_down
from pipelines.archive.publishing import publish
from pipelines.archive.schema import article as heads
from pipelines.archive.schema import capture as captures
from pipelines.archive.schema import change, edge, page, revision, tombstone
from pipelines.export import What, export
from pipelines.model import Reason, Rejection, Status, Verdict
from tests.archive.made import NOTICE, OTHER, STORY, Event, Writer, address, archive_at, article, bring, column, empty, events, moment

LONGER = (*STORY, "第一批产品将在年底前交付。")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_at(tmp_path_factory.mktemp("ledger") / "archive") as archive:
        yield archive


@pytest.fixture
def archive(shared: Archive) -> Archive:
    empty(shared)
    return shared


@pytest.fixture
def writer(archive: Archive) -> Writer:
    return Writer(archive)


def head(archive: Archive, name: str) -> sa.Row[tuple[object, ...]]:
    with archive.catalogue.snapshot() as tx:
        return tx.execute(sa.select(heads).where(heads.c.id == article_id(address(name)))).one()


def ops(archive: Archive, name: str) -> list[str]:
    wanted = sa.select(change.c.op).where(change.c.article == article_id(address(name)))
    return column(archive, wanted.order_by(change.c.sequence))


def exported(archive: Archive) -> str:
    out = io.BytesIO()
    export(archive, What(everything=True), out)
    return out.getvalue().decode("utf-8")


def story(archive: Archive, *events: Event) -> str:
    """What the archive exports after some events in this order; their numbers are their places."""
    empty(archive)
    bring(archive, list(enumerate(events)))
    return exported(archive)


# ── one article ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_first_text_is_new_and_shown(archive: Archive, writer: Writer) -> None:
    outcome = writer.shows("a")
    assert (outcome.word, outcome.known, outcome.article) == (Verdict.NEW, False, article_id(address("a")))
    found = head(archive, "a")
    assert (found.status, found.revision, found.shown, found.representative) == (Status.ACTIVE, 1, True, found.id)
    assert ops(archive, "a") == ["add"]


def test_a_capture_that_is_known_changes_nothing_and_says_what_it_was(archive: Archive, writer: Writer) -> None:
    seen = writer.capture(address("a"), moment(0))
    with archive.catalogue.transaction() as tx:
        first = write_down(tx, "china_tech", address("a"), seen, article(address("a")))
    before = exported(archive)
    with archive.catalogue.transaction() as tx:
        again = write_down(tx, "china_tech", address("a"), seen, article(address("a"), OTHER))
    assert again == replace(first, known=True, url=seen.url)
    assert exported(archive) == before
    assert ops(archive, "a") == ["add"]


def test_the_same_text_again_is_unchanged_but_was_seen(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    assert writer.shows("a", 30).word == Verdict.UNCHANGED
    found = head(archive, "a")
    assert (found.revision, found.fetched_at[:10], found.last_seen[:10]) == (1, "2024-03-01", "2024-03-31")


def test_nightly_visits_that_find_nothing_new_are_told_once_in_30_days(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    for day in range(1, 30):
        assert (writer.shows("a", day) if day % 2 else writer.confirmed("a", day)).word
    assert (ops(archive, "a"), head(archive, "a").last_seen[:10]) == (["add"], "2024-03-01")
    writer.confirmed("a", 30)
    assert (ops(archive, "a"), head(archive, "a").last_seen[:10]) == (["add", "modify"], "2024-03-31")


def test_another_text_of_the_same_page_is_a_revision_with_its_difference_class(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    assert writer.shows("a", 1, LONGER).word == Verdict.REVISION
    assert head(archive, "a").revision == 2
    assert column(archive, sa.select(revision.c.change).order_by(revision.c.number)) == [None, "body_small"]
    assert ops(archive, "a") == ["add", "modify"]


def test_a_page_that_is_gone_withdraws_its_article_and_one_that_is_back_restores_it(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    assert writer.gone("a", 1).word == Reason.GONE
    writer.withdrawn("a", 1.1)
    assert (head(archive, "a").status, head(archive, "a").shown) == (Status.WITHDRAWN, False)
    writer.shows("a", 3)
    assert (head(archive, "a").status, head(archive, "a").shown) == (Status.ACTIVE, True)
    assert ops(archive, "a") == ["add", "delete", "add"]


def test_a_304_confirms_what_was_there(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    assert writer.confirmed("a", 31).word == Reason.NOT_MODIFIED
    assert head(archive, "a").last_seen.startswith("2024-04-01")


def test_a_rejection_leaves_the_article_as_it_is(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    before = exported(archive)
    outcome = writer.says(address("a"), moment(1), Rejection(reason=Reason.CAPTCHA, detail="asks for letters"))
    assert (outcome.word, outcome.detail, outcome.article) == (Reason.CAPTCHA, "asks for letters", None)
    assert exported(archive) == before
    assert column(archive, sa.select(captures.c.outcome).order_by(captures.c.id)) == ["new", "captcha"]


def test_an_article_in_quarantine_is_kept_and_not_shown(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0, quarantine="the date is in the future")
    assert (head(archive, "a").status, head(archive, "a").shown) == (Status.QUARANTINED, False)
    assert ops(archive, "a") == []


def test_what_was_taken_down_does_not_come_in_again(archive: Archive, writer: Writer) -> None:
    stone = {"article": article_id(address("a")), "url": address("a"), "site": "china_tech", "reason": "a court", "at": "2024"}
    with archive.catalogue.transaction() as tx:
        tx.execute(tombstone.insert().values(**stone))
    assert writer.shows("a").word == Reason.TAKEN_DOWN
    assert exported(archive) == ""
    assert column(archive, sa.select(captures.c.outcome)) == ["taken_down"]


def test_a_capture_that_is_no_article_page_is_noted_once(archive: Archive, writer: Writer) -> None:
    seen = writer.capture("https://tech.example.cn/list.html", moment(0))
    for _ in range(2):
        with archive.catalogue.transaction() as tx:
            note_capture(tx, "china_tech", seen, "listing", "of 20 links")
    with archive.catalogue.snapshot() as tx:
        assert [(row.outcome, row.detail, row.article) for row in tx.execute(sa.select(captures))] == [("listing", "of 20 links", None)]


def test_publishing_again_says_nothing(archive: Archive, writer: Writer) -> None:
    writer.shows("a")
    with archive.catalogue.transaction() as tx:
        publish(tx, [article_id(address("a"))])
    assert ops(archive, "a") == ["add"]


def test_an_article_whose_pages_are_read_as_none_any_more_is_deleted_from_the_feed(archive: Archive, writer: Writer) -> None:
    writer.shows("a")
    writer.shows("b")
    name = article_id(address("a"))
    with archive.catalogue.transaction() as tx:
        tx.execute(page.delete().where(page.c.article == name))
        refold(tx, "china_tech", address("a"), name)
    assert column(archive, sa.select(heads.c.id)) == [article_id(address("b"))]
    assert ops(archive, "a")[-1] == "delete"
    assert head(archive, "b").shown, "what it stood for stands for itself"
    assert column(archive, sa.select(edge.c.low)) == []


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_article_of_two_pages_waits_for_both_and_is_one(archive: Archive, writer: Writer) -> None:
    first = article(address("a"), STORY, next_url=address("a_2"))
    assert writer.says(address("a"), moment(0), first).word == AWAITING_PARTS
    assert exported(archive) == ""
    assert writer.says(address("a"), moment(0.001), article(address("a"), OTHER, part=2)).word == Verdict.NEW
    with archive.catalogue.snapshot() as tx:
        whole = stored.current(tx, [article_id(address("a"))])[article_id(address("a"))]
    assert whole.paragraphs == STORY + OTHER


# ── clusters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_joins_its_original_and_is_not_shown(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 1, published=moment(0))
    assert writer.shows("b", 2, published=moment(1)).word == Verdict.DUPLICATE
    assert (head(archive, "a").shown, head(archive, "b").shown) == (True, False)
    assert head(archive, "b").representative == article_id(address("a"))
    assert (ops(archive, "a"), ops(archive, "b")) == (["add", "modify"], []), "the size of its cluster is in the record"


def test_an_earlier_original_that_comes_later_takes_the_place_of_the_copy(archive: Archive, writer: Writer) -> None:
    writer.shows("b", 1, published=moment(1))
    writer.shows("a", 2, published=moment(0))
    assert (head(archive, "a").shown, head(archive, "b").shown) == (True, False)
    assert (ops(archive, "a"), ops(archive, "b")) == (["add"], ["add", "delete"])


def test_the_copy_stands_in_when_the_original_is_withdrawn(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 1, published=moment(0))
    writer.shows("b", 2, published=moment(1))
    writer.withdrawn("a", 3)
    assert (head(archive, "a").shown, head(archive, "b").shown) == (False, True)
    assert (ops(archive, "a")[-1], ops(archive, "b")) == ("delete", ["add"])


def test_a_copy_that_becomes_another_text_leaves_its_cluster(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 1, published=moment(0))
    writer.shows("b", 2, published=moment(1))
    writer.shows("b", 3, OTHER, published=moment(1))
    assert head(archive, "b").shown
    assert head(archive, "b").cluster != head(archive, "a").cluster
    assert ops(archive, "b") == ["add"]


# ── the order of arrival ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_that_was_gone_before_its_text_is_read_is_withdrawn_all_the_same(archive: Archive) -> None:
    text = Event(name="a", minute=0, shows="text")
    gone, still = Event(name="a", minute=5, shows="gone"), Event(name="a", minute=2000, shows="gone")
    well, and_still = Event(name="b", minute=6, shows="confirmed"), Event(name="b", minute=2001, shows="confirmed")
    empty(archive)
    bring(archive, [(1, gone), (4, and_still), (2, still), (3, well), (0, text)])
    assert exported(archive) == story(archive, text, gone, still, well, and_still)
    assert head(archive, "a").status == Status.WITHDRAWN


def test_a_304_that_is_read_before_its_text_counts_all_the_same(archive: Archive) -> None:
    text, confirmed = Event(name="a", minute=0, shows="text"), Event(name="a", minute=30 * 1440 + 5, shows="confirmed")
    empty(archive)
    bring(archive, [(1, confirmed), (0, text)])
    assert exported(archive) == story(archive, text, confirmed)
    assert head(archive, "a").last_seen.startswith("2024-03-31T02:05")


def test_a_short_text_that_gets_the_title_of_its_copy_joins_it_whichever_came_first(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0, NOTICE, title="发射直播")
    writer.shows("b", 1, NOTICE, title="着陆直播")
    assert head(archive, "a").cluster != head(archive, "b").cluster
    writer.shows("a", 2, NOTICE, title="着陆直播")
    assert head(archive, "a").cluster == head(archive, "b").cluster


def test_of_two_captures_of_the_same_moment_the_record_s_id_says_which_is_meant(archive: Archive) -> None:
    event = Event(name="a", minute=0, shows="text")
    empty(archive)
    bring(archive, [(1, event), (0, event)])
    assert exported(archive) == story(archive, event, event)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_the_order_in_which_captures_come_decides_nothing(shared: Archive, data: st.DataObject) -> None:
    numbered = list(enumerate(data.draw(events())))
    empty(shared)
    bring(shared, numbered)
    one = exported(shared)
    empty(shared)
    bring(shared, data.draw(st.permutations(numbered)))
    assert exported(shared) == one


@given(events())
@settings(max_examples=20, deadline=None)
def test_what_is_shown_is_what_was_last_said_in_the_feed(shared: Archive, history: list[Event]) -> None:
    """Each shown article's record is the one whose digest was published; exactly one article of a cluster is shown, and
    only where one is active."""
    empty(shared)
    bring(shared, enumerate(history))
    with shared.catalogue.snapshot() as tx:
        every = list(tx.scalars(sa.select(heads.c.id)))
        found = stored.records(tx, every)
        last = {row.article: row.op for row in tx.execute(sa.select(change).order_by(change.c.sequence))}
    for row, made in found:
        assert row.shown == (last.get(row.id, "delete") != "delete")
        assert row.record_digest == (digest(canonical_json(made)) if row.shown else "")
    for label in {row.cluster for row, _ in found}:
        members = [row for row, _ in found if row.cluster == label]
        assert sum(row.shown for row in members) == any(row.status == Status.ACTIVE for row in members)
        assert len({row.representative for row in members}) == 1


def _killed_on_the_way(writer: Writer) -> None:
    with writer.archive.catalogue.transaction() as tx:
        write_down(tx, "china_tech", address("a"), writer.capture(address("a"), moment(0)), article(address("a")))
        raise KeyboardInterrupt


def test_a_run_that_is_killed_leaves_nothing_half(tmp_path: Path) -> None:
    with archive_at(tmp_path / "archive") as archive:
        writer = Writer(archive)
        with pytest.raises(KeyboardInterrupt):
            _killed_on_the_way(writer)
        assert column(archive, sa.select(captures.c.id)) == []
        assert exported(archive) == ""


def test_an_article_that_two_sites_read_is_of_the_one_that_its_current_text_was_read_for(archive: Archive, writer: Writer) -> None:
    url = address("both")
    with archive.catalogue.transaction() as tx:
        for day, site in enumerate(("aone", "btwo")):
            write_down(tx, site, url, writer.capture(url, moment(day)), article(url, STORY, site=site))
        row = tx.execute(sa.select(heads).where(heads.c.url == url)).one()
        assert (row.site, misfolded(tx, row)) == ("aone", None)
        write_down(tx, "btwo", url, writer.capture(url, moment(2)), article(url, OTHER, site="btwo"))
        row = tx.execute(sa.select(heads).where(heads.c.url == url)).one()
        assert (row.site, misfolded(tx, row)) == ("btwo", None)
