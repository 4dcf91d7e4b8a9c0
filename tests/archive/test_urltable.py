"""The frontier's rows: known once, leased by one at a time, given back, never lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive import Archive, urltable
from pipelines.archive.urltable import NewUrl, Row, State, Wanted
from pipelines.model import Hints, Kind
from tests.archive.made import archive_at, empty

SITE = "china_tech"
HOST = "tech.example.cn"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_at(tmp_path_factory.mktemp("urls") / "archive") as archive:
        yield archive


@pytest.fixture
def archive(shared: Archive) -> Archive:
    empty(shared)
    return shared


def url(name: str, due_at: float = 0.0, **rest: Any) -> NewUrl:
    return NewUrl(**{"url": f"https://{HOST}/{name}.html", "host": HOST, "kind": Kind.ARTICLE, "due_at": due_at, **rest})


def discover(archive: Archive, *urls: NewUrl, site: str = SITE, now: float = 0.0) -> int:
    with archive.catalogue.transaction() as tx:
        return urltable.discover(tx, site, urls, now)


def lease(archive: Archive, now: float = 10.0, most: int = 100, *, site: str = SITE, **rest: Any) -> list[Row]:
    with archive.catalogue.transaction() as tx:
        return urltable.lease(tx, site, Wanted(**{"now": now, "until": now + 60, "not_since": now, "most": most, **rest}))


def names(rows: list[Row]) -> list[str]:
    return [row.url.rpartition("/")[2].removesuffix(".html") for row in rows]


def settle(archive: Archive, row: Row, **values: Any) -> None:
    with archive.catalogue.transaction() as tx:
        urltable.settle(tx, row.id, {"state": State.DONE, **values})


def counts(archive: Archive) -> dict[tuple[str, str], int]:
    with archive.catalogue.snapshot() as tx:
        return urltable.counts(tx, SITE)


# ── being known ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_url_is_known_once(archive: Archive) -> None:
    assert discover(archive, url("a"), url("b"), url("a", priority=9)) == 2
    assert discover(archive, url("b", due_at=99), url("c")) == 1
    assert [row.due_at for row in lease(archive)] == [0.0, 0.0, 0.0], "what is known stays as it was"


def test_two_sites_may_know_the_same_url(archive: Archive) -> None:
    assert discover(archive, url("a")) == discover(archive, url("a"), site="china_org_cn") == 1
    assert names(lease(archive, site="china_org_cn")) == ["a"]
    assert names(lease(archive)) == ["a"]


def test_what_is_known_says_since_when_however_many_are_asked_for(archive: Archive) -> None:
    many = [url(str(number)) for number in range(1_200)]
    discover(archive, *many, now=5.0)
    with archive.catalogue.snapshot() as tx:
        found = urltable.known(tx, SITE, [one.url for one in many] + ["https://tech.example.cn/unknown.html"])
    assert found == {one.url: 5.0 for one in many}


def test_the_hosts_of_some_kinds_are_those_of_this_site_alone(archive: Archive) -> None:
    discover(archive, url("a"), url("b", host="index.test", kind=Kind.CDX), url("c", host="index.test", kind=Kind.CDX))
    discover(archive, url("d", host="data.test", kind=Kind.RECORD))
    discover(archive, url("e", host="other.test", kind=Kind.CDX), site="another")
    with archive.catalogue.snapshot() as tx:
        assert urltable.hosts_of(tx, SITE, (Kind.CDX, Kind.RECORD)) == {"index.test", "data.test"}
        assert urltable.hosts_of(tx, SITE, (Kind.FEED,)) == set()


def test_a_lease_brings_all_that_was_said_of_the_url(archive: Archive) -> None:
    hints = Hints(via="https://tech.example.cn/list.html", title="机器人", published="2024-03-01 10:05")
    discover(archive, url("a", kind=Kind.LISTING, depth=2, page=3, hints=hints, due_at=1.5), now=0.5)
    (row,) = lease(archive)
    assert (row.kind, row.depth, row.page, row.hints, row.due_at, row.discovered_at) == (Kind.LISTING, 2, 3, hints, 1.5, 0.5)
    assert (row.tries, row.visits, row.etag, row.last_fetched) == (0, 0, None, None)


def test_one_row_can_be_asked_for_by_its_url(archive: Archive) -> None:
    discover(archive, url("a"))
    with archive.catalogue.snapshot() as tx:
        found = urltable.by_url(tx, SITE, url("a").url)
        assert found is not None
        assert found.url == url("a").url
        assert urltable.by_url(tx, SITE, url("b").url) is None
        assert urltable.by_url(tx, "china_org_cn", url("a").url) is None


# ── leases ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_due_is_leased_the_urgent_first_then_the_longest_due(archive: Archive) -> None:
    discover(archive, url("late", 5), url("early", 1), url("listing", 9, priority=10), url("tomorrow", 11))
    assert names(lease(archive, now=10)) == ["listing", "early", "late"]


def test_no_more_are_leased_than_are_wanted(archive: Archive) -> None:
    discover(archive, *(url(str(number)) for number in range(5)))
    assert (len(lease(archive, most=2)), len(lease(archive, most=2)), len(lease(archive, most=2))) == (2, 2, 1)


def test_a_leased_url_is_not_leased_again_until_the_lease_has_run_out(archive: Archive) -> None:
    discover(archive, url("a"))
    assert names(lease(archive, now=10)) == ["a"]
    assert lease(archive, now=69.9) == []
    assert names(lease(archive, now=70)) == ["a"]


def test_what_was_fetched_in_this_run_is_not_asked_again_in_it(archive: Archive) -> None:
    discover(archive, url("a"))
    (row,) = lease(archive, now=10)
    settle(archive, row, last_fetched=12.0, due_at=0.0)
    assert lease(archive, now=20, not_since=10.0) == []
    assert names(lease(archive, now=20, not_since=15.0)) == ["a"]


def test_hosts_that_were_given_up_are_left_alone(archive: Archive) -> None:
    discover(archive, url("a"), url("b", host="news.example.cn"))
    assert names(lease(archive, without_hosts=(HOST,))) == ["b"]


def test_what_was_set_aside_is_not_due(archive: Archive) -> None:
    discover(archive, url("a"))
    (row,) = lease(archive)
    settle(archive, row, state=State.SET_ASIDE, reason="timeout")
    assert lease(archive, now=1e9) == []
    assert counts(archive) == {("article", "set_aside"): 1}


def test_a_lease_ends_with_all_that_was_learnt(archive: Archive) -> None:
    discover(archive, url("a"))
    (row,) = lease(archive, now=10)
    settle(archive, row, etag='"x"', last_status=200, visits=1, due_at=100.0, last_fetched=11.0)
    assert lease(archive, now=99) == []
    (again,) = lease(archive, now=100)
    assert (again.etag, again.last_status, again.visits, again.last_fetched) == ('"x"', 200, 1, 11.0)


def test_a_lease_given_back_is_due_as_before(archive: Archive) -> None:
    discover(archive, url("a", 3), url("b", 4))
    first, _ = lease(archive, now=10)
    with archive.catalogue.transaction() as tx:
        urltable.release(tx, [first.id])
    assert names(lease(archive, now=11)) == ["a"]


def test_giving_back_what_is_done_changes_nothing(archive: Archive) -> None:
    discover(archive, url("a"))
    (row,) = lease(archive)
    settle(archive, row, due_at=1e6)
    with archive.catalogue.transaction() as tx:
        urltable.release(tx, [row.id])
    assert counts(archive) == {("article", "done"): 1}


def test_a_run_begins_with_every_lease_of_its_site_given_back(archive: Archive) -> None:
    discover(archive, url("a"), url("b"))
    discover(archive, url("c"), site="china_org_cn")
    lease(archive)
    lease(archive, site="china_org_cn")
    with archive.catalogue.transaction() as tx:
        assert urltable.release_all(tx, SITE) == 2
    assert names(lease(archive, now=11)) == ["a", "b"]
    assert lease(archive, now=11, site="china_org_cn") == [], "another run holds it"


def test_a_known_url_wakes_unless_it_is_held_or_set_aside(archive: Archive) -> None:
    discover(archive, *(url(name) for name in ("done", "held", "aside")), url("asleep", 1e6))
    rows = {row.url: row for row in lease(archive)}
    settle(archive, rows[url("done").url], due_at=1e6)
    settle(archive, rows[url("aside").url], state=State.SET_ASIDE)
    with archive.catalogue.transaction() as tx:
        for name in ("done", "held", "aside", "asleep", "unknown"):
            urltable.wake(tx, SITE, url(name).url, 5.0)
    assert sorted(names(lease(archive, now=20))) == ["asleep", "done"]


def test_a_url_that_was_asked_since_then_does_not_wake(archive: Archive) -> None:
    discover(archive, url("early"), url("late"), url("never", 1e6))
    rows = {row.url: row for row in lease(archive)}
    for name, when in (("early", 3.0), ("late", 4.0)):
        settle(archive, rows[url(name).url], due_at=1e6, last_fetched=when)
    with archive.catalogue.transaction() as tx:
        for name in ("early", "late", "never"):
            urltable.wake(tx, SITE, url(name).url, 5.0, not_since=4.0)
    assert sorted(names(lease(archive, now=20))) == ["early", "never"]


def test_a_list_remembers_when_it_was_read_to_its_end(archive: Archive) -> None:
    start = url("list", kind=Kind.LISTING).url
    discover(archive, url("list", kind=Kind.LISTING))
    with archive.catalogue.transaction() as tx:
        assert urltable.completed(tx, SITE, start) is None
        urltable.complete(tx, SITE, start, 7.0)
        assert urltable.completed(tx, SITE, start) == 7.0


def test_urls_are_counted_by_kind_and_state(archive: Archive) -> None:
    discover(archive, url("a"), url("b"), url("list", kind=Kind.LISTING, priority=1))
    lease(archive, most=1)
    assert counts(archive) == {("article", "pending"): 2, ("listing", "leased"): 1}


@given(
    st.lists(
        st.tuples(st.sampled_from(("discover", "lease", "settle", "release", "crash")), st.integers(0, 3), st.floats(0, 40)), max_size=25
    )
)
@settings(max_examples=40, deadline=None)
def test_no_url_is_held_twice_and_none_is_ever_lost(shared: Archive, steps: list[tuple[str, int, float]]) -> None:
    """Any run of steps, time going on between them: a URL is with at most one holder, and what is not done comes again."""
    empty(shared)
    now, known, held, done = 0.0, set(), dict[int, tuple[Row, float]](), set()
    for step, number, passed in steps:
        now += passed
        if step == "discover":
            discover(shared, url(str(number), due_at=now), now=now)
            known.add(url(str(number)).url)
        elif step == "lease":
            for row in lease(shared, now=now, most=2):
                assert row.id not in held or held[row.id][1] <= now
                assert row.url not in done
                held[row.id] = (row, now + 60)
        elif held:
            key = sorted(held)[number % len(held)]
            row, until = held.pop(key)
            if step == "settle":
                settle(shared, row, due_at=1e9)
                done.add(row.url)
            elif step == "release":
                with shared.catalogue.transaction() as tx:
                    urltable.release(tx, [row.id])
            else:
                held[key] = (row, until)  # nobody comes back: the lease runs out
    assert {row.url for row in lease(shared, now=now + 1_000)} == known - done


# ── clocks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_clock_that_was_set_back_wrote_down_does_not_count_as_this_run_s(archive: Archive) -> None:
    """Found and asked "tomorrow", then the clock is set right: both are known since before now, and due."""
    discover(archive, url("asked"), url("waits", due_at=90_000.0), now=90_000.0)
    discover(archive, url("honest", due_at=5_000.0), now=50.0)
    asked = next(row for row in lease(archive, now=90_000.0) if names([row]) == ["asked"])
    settle(archive, asked, last_fetched=90_001.0, due_at=0.0, complete_at=90_001.0)
    with archive.catalogue.transaction() as tx:
        urltable.release_all(tx, SITE)
        assert urltable.nothing_after(tx, SITE, 100.0) == 2
        assert urltable.nothing_after(tx, SITE, 100.0) == 0
    found = {names([row])[0]: row for row in lease(archive, now=100.0)}
    assert set(found) == {"asked", "waits"}, "what honestly waits goes on waiting"
    assert {row.discovered_at for row in found.values()} == {99.0}
    assert (found["asked"].last_fetched, found["asked"].complete_at) == (99.0, 99.0)


def test_what_its_own_answer_put_off_is_not_woken_before(archive: Archive) -> None:
    discover(archive, url("list"))
    [row] = lease(archive)
    settle(archive, row, state=State.PENDING, reason=urltable.RETRY_AFTER, due_at=500.0)
    for now, due in ((100.0, []), (500.0, ["list"])):
        with archive.catalogue.transaction() as tx:
            urltable.wake(tx, SITE, row.url, now)
        assert names(lease(archive, now=now)) == due


# ── where a run begins ───────────────────────────────────────────────────────────────────────────────────────────────


def begin(archive: Archive, *starts: NewUrl, now: float = 100.0) -> list[str]:
    with archive.catalogue.transaction() as tx:
        return urltable.begin(tx, SITE, starts, now)


def start(name: str, kind: Kind = Kind.LISTING, due_at: float = 100.0) -> NewUrl:
    return url(name, due_at, kind=kind, priority=100)


def read_as(archive: Archive, new: NewUrl, **values: Any) -> None:
    """A list that was known and read, and what came of it."""
    discover(archive, new)
    [row] = lease(archive)
    learnt = {"etag": '"x"', "last_modified": "then", "captured_url": new.url, "captured_at": "then", "last_fetched": 12.0}
    settle(archive, row, **{**learnt, "visits": 3, "complete_at": 12.0, "last_changed": 12.0, "interval": 60.0, **values})


def row_of(archive: Archive, name: str) -> Row:
    with archive.catalogue.snapshot() as tx:
        found = urltable.by_url(tx, SITE, url(name).url)
    assert found is not None
    return found


def test_where_a_run_begins_is_asked_though_it_was_set_aside_and_keeps_what_is_known_of_it(archive: Archive) -> None:
    read_as(archive, url("list", kind=Kind.LISTING, depth=2, priority=100), state=State.SET_ASIDE, reason="timeout", tries=4)
    assert begin(archive, start("list")) == []
    [row] = lease(archive, now=100.0)
    assert (row.tries, row.depth, row.page, row.chain, row.due_at) == (0, 0, 1, None, 100.0)
    assert (row.etag, row.last_modified, row.captured_at, row.complete_at, row.visits) == ('"x"', "then", "then", 12.0, 3)


@pytest.mark.parametrize("before", [{"kind": Kind.LISTING}, {"kind": Kind.ARTICLE}, {"kind": Kind.FEED, "page": 3, "chain": "http://a"}])
def test_what_was_known_as_something_else_is_the_list_that_it_is_named_as_and_is_read_whole(
    archive: Archive, before: dict[str, Any]
) -> None:
    read_as(archive, url("list", **before), tries=2, reason="not_a_listing", due_at=1e6)
    begin(archive, start("list", Kind.FEED))
    [row] = lease(archive, now=100.0)
    assert (row.kind, row.page, row.chain, row.tries) == (Kind.FEED, 1, None, 0)
    assert (row.etag, row.last_modified, row.complete_at, row.visits, row.last_changed) == (None, None, None, 0, None)
    assert row.captured_at == "then", "the same bytes are kept once"


def test_the_later_pages_of_a_list_are_of_its_kind(archive: Archive) -> None:
    first = start("list")
    read_as(archive, url("page", kind=Kind.LISTING, page=2, chain=first.url), due_at=1e6)
    discover(archive, url("other", 1e6, kind=Kind.LISTING, page=2, chain="http://other"), first)
    begin(archive, start("list", Kind.JSONP))
    page = row_of(archive, "page")
    assert (page.kind, page.etag, page.due_at) == (Kind.JSONP, None, 1e6), "when it is due is as before"
    assert row_of(archive, "other").kind is Kind.LISTING


def test_a_start_list_that_is_well_is_left_as_it_is(archive: Archive) -> None:
    read_as(archive, start("list", due_at=5.0), due_at=1e6, tries=1, reason="timeout")
    before = row_of(archive, "list")
    begin(archive, start("list"))
    assert row_of(archive, "list") == before


def test_a_start_list_that_asked_to_wait_waits(archive: Archive) -> None:
    put_off = {"reason": urltable.RETRY_AFTER, "due_at": 500.0}
    read_as(archive, url("aside", kind=Kind.LISTING), state=State.SET_ASIDE, **put_off)
    read_as(archive, url("other"), state=State.PENDING, **put_off)
    begin(archive, start("aside"), start("other"))
    assert lease(archive, now=499.0) == []
    assert sorted(names(lease(archive, now=500.0))) == ["aside", "other"]


def test_what_was_taken_down_and_what_is_held_begins_no_run(archive: Archive) -> None:
    discover(archive, url("gone"), url("held"))
    with archive.catalogue.transaction() as tx:
        urltable.set_aside(tx, SITE, [url("gone").url], "taken_down")
    lease(archive, now=10)
    assert begin(archive, start("gone"), start("held"), now=20.0) == [url("gone").url]
    assert counts(archive) == {("article", "set_aside"): 1, ("article", "leased"): 1}


def test_a_url_that_is_named_as_two_kinds_stays_what_it_is_named_first(archive: Archive) -> None:
    for _ in range(2):
        begin(archive, start("list", Kind.LISTING), start("list", Kind.FEED))
        assert row_of(archive, "list").kind is Kind.LISTING


def test_what_lies_on_a_host_that_is_the_sites_no_more_is_set_aside_until_it_is_again(archive: Archive) -> None:
    there: dict[str, Any] = {"host": "old.example.cn"}
    read_as(archive, url("done", **there), due_at=1e6, tries=2, reason="timeout")
    discover(archive, url("here"), url("pending", **there), url("old"), url("index", kind=Kind.CDX, **there))
    with archive.catalogue.transaction() as tx:
        urltable.set_aside(tx, SITE, [url("old").url], "gone")
        assert [urltable.keep_to(tx, SITE, [HOST]) for _ in range(2)] == [2, 0]
    assert counts(archive) == {("article", "pending"): 1, ("article", "set_aside"): 3, ("cdx", "pending"): 1}
    with archive.catalogue.transaction() as tx:
        assert urltable.keep_to(tx, SITE, [HOST, "old.example.cn"]) == 0
    assert sorted(names(lease(archive, now=2e6))) == ["done", "here", "index", "pending"]
    assert row_of(archive, "old").reason == "gone"


def keep_to_rules(archive: Archive, rules: str, *hosts: str, fits: str = "") -> int:
    with archive.catalogue.transaction() as tx:
        return urltable.keep_to_rules(tx, SITE, hosts or (HOST,), rules, lambda address: fits in address)


def test_an_article_that_no_rule_fits_any_more_is_set_aside_until_one_does_and_due_as_before(archive: Archive) -> None:
    read_as(archive, url("old-done"), due_at=1e6, tries=2, reason="timeout")
    discover(archive, url("new"), url("old-pending"), url("old-gone"), url("old-list", kind=Kind.LISTING))
    with archive.catalogue.transaction() as tx:
        urltable.set_aside(tx, SITE, [url("old-gone").url], "gone")
    assert keep_to_rules(archive, "wide") == 0
    assert keep_to_rules(archive, "narrow", fits="new") == 2
    assert sorted(names(lease(archive, now=2e6))) == ["new", "old-list"]
    assert row_of(archive, "old-done").reason == urltable.NO_RULE
    with archive.catalogue.transaction() as tx:
        assert urltable.keep_to(tx, SITE, [HOST]) == 0, "its host is not what it lacks"
    assert keep_to_rules(archive, "wide") == 0
    row = row_of(archive, "old-done")
    assert (row.due_at, row.tries, row.reason, row.etag) == (1e6, 0, None, '"x"')
    assert sorted(names(lease(archive, now=2e6))) == ["old-done", "old-pending"]
    assert row_of(archive, "old-gone").reason == "gone"


def test_rules_are_held_against_all_articles_only_when_they_are_others(archive: Archive) -> None:
    discover(archive, url("old"))
    assert keep_to_rules(archive, "wide") == 0
    assert keep_to_rules(archive, "wide", fits="new") == 0
    assert names(lease(archive)) == ["old"]


def test_a_rule_brings_nothing_back_from_a_host_that_is_not_the_sites(archive: Archive) -> None:
    discover(archive, url("old"))
    keep_to_rules(archive, "narrow", fits="new")
    keep_to_rules(archive, "wide", "other.example.cn")
    assert lease(archive) == []
    keep_to_rules(archive, "wide, and the host")
    assert names(lease(archive)) == ["old"]
