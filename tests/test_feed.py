"""A follower of the feed has what the archive exports, however it followed."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive import Archive
from pipelines.archive.article_record import article_id
from pipelines.errors import ConfigurationError
from pipelines.export import What, export
from pipelines.feed import feed
from pipelines.formats import line
from tests.archive.made import OTHER, STORY, Event, Writer, address, archive_at, bring, empty, events

CONTRACT = Path(__file__).parent.parent / "docs" / "feed.md"
Store = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_at(tmp_path_factory.mktemp("feed") / "archive") as archive:
        yield archive


@pytest.fixture
def archive(shared: Archive) -> Archive:
    empty(shared)
    return shared


@pytest.fixture
def writer(archive: Archive) -> Writer:
    return Writer(archive)


def said(archive: Archive, since: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
    with archive.catalogue.snapshot() as tx:
        return list(feed(tx, since, limit))


def follow(archive: Archive, store: Store, since: int, limit: int | None = None) -> int:
    """One answer applied as docs/feed.md says; the next cursor."""
    *changes, last = said(archive, since, limit)
    for one in changes:
        if one["op"] == "delete":
            store.pop(one["id"], None)
        else:
            store[one["id"]] = one["record"]
    return int(last["cursor"])


def exported(archive: Archive) -> Store:
    out = io.BytesIO()
    export(archive, What(), out)
    return {record["id"]: record for record in map(json.loads, out.getvalue().splitlines())}


def brief(changes: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """op and the page's name of each change."""
    names = {article_id(address(name)): name for name in "abcd"}
    return [(one["op"], names[one["id"]]) for one in changes if "op" in one]


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_archive_says_the_cursor_0(archive: Archive) -> None:
    assert said(archive) == [{"cursor": 0}]


def test_a_new_article_is_added_with_its_whole_record(archive: Archive, writer: Writer) -> None:
    writer.shows("a")
    added, last = said(archive)
    assert (added["op"], added["id"]) == ("add", article_id(address("a")))
    assert added["record"] == exported(archive)[added["id"]]
    assert last == {"cursor": added["sequence"]}


def test_nothing_is_said_twice(archive: Archive, writer: Writer) -> None:
    writer.shows("a")
    cursor = said(archive)[-1]["cursor"]
    assert said(archive, cursor) == [{"cursor": cursor}]


def test_a_change_is_a_modify_and_a_withdrawal_a_delete_without_record(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    first = said(archive)[-1]["cursor"]
    writer.shows("a", 1, OTHER)
    assert brief(said(archive, first)) == [("modify", "a")]
    second = said(archive)[-1]["cursor"]
    writer.withdrawn("a", 2)
    gone = said(archive, second)
    assert brief(gone) == [("delete", "a")]
    assert gone[0]["record"] is None


def test_an_article_comes_once_at_its_last_change_however_often_it_changed(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    writer.shows("b", 0, OTHER)
    for month in range(1, 5):
        writer.confirmed("a", month * 30)
    assert brief(said(archive)) == [("add", "b"), ("add", "a")]


def test_what_came_and_went_since_the_cursor_is_deleted_all_the_same(archive: Archive, writer: Writer) -> None:
    """The case in the module's docstring: the follower skipped the first withdrawal because the article came back."""
    writer.shows("a", 0)
    store: Store = {}
    cursor = follow(archive, store, 0)
    writer.withdrawn("a", 1)
    writer.shows("b", 3, OTHER)
    writer.shows("a", 4)
    cursor = follow(archive, store, cursor, limit=1)
    assert sorted(store) == sorted(article_id(address(name)) for name in "ab"), "it has a, by an older word"
    writer.withdrawn("a", 5)
    assert brief(said(archive, cursor)) == [("delete", "a")]
    follow(archive, store, cursor)
    assert store == exported(archive)


def test_a_copy_that_takes_the_place_of_its_original_is_an_add_beside_a_delete(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    writer.shows("b", 1)
    cursor = said(archive)[-1]["cursor"]
    shown = next(name for name in "ab" if article_id(address(name)) in exported(archive))
    writer.withdrawn(shown, 2)
    other = "b" if shown == "a" else "a"
    assert sorted(brief(said(archive, cursor))) == sorted([("delete", shown), ("add", other)])


def test_a_limit_counts_articles_and_the_cursor_stands_behind_the_last(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    writer.shows("b", 0, OTHER)
    first = said(archive, 0, limit=1)
    assert [len(first), brief(first)] == [2, [("add", "a")]]
    assert brief(said(archive, first[-1]["cursor"], limit=1)) == [("add", "b")]


@pytest.mark.parametrize("since", [-1, 1, 10**12])
def test_a_cursor_that_the_archive_never_gave_is_refused(archive: Archive, since: int) -> None:
    with pytest.raises(ConfigurationError, match=f"never gave the cursor {since}; its newest is 0"):
        said(archive, since)


def test_an_answer_is_one_moment_whatever_is_written_meanwhile(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    with archive.catalogue.snapshot() as tx:
        answer = feed(tx, 0)
        first = next(answer)
        writer.shows("a", 1, OTHER)
        writer.shows("b", 1, STORY)
        rest = list(answer)
    assert rest == [{"cursor": first["sequence"]}]
    assert brief(said(archive, first["sequence"])) == [("modify", "a"), ("add", "b")]


def test_more_articles_than_are_read_at_once_come_in_order(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.feed.BATCH", 2)
    writer = Writer(archive)
    for number in range(7):
        writer.shows(
            f"n{number}",
            number,
            tuple(f"第{number}座工厂的第{n}条消息写在这里，与别的都不相同。" for n in range(3 * number, 3 * number + 3)),
        )
    *changes, last = said(archive)
    assert [one["sequence"] for one in changes] == sorted(one["sequence"] for one in changes)
    assert len({one["id"] for one in changes}) == 7
    assert last == {"cursor": changes[-1]["sequence"]}


# ── exactness ────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_follower_has_the_default_export_however_it_followed(shared: Archive, data: st.DataObject) -> None:
    """Anything may come in between two answers, and each answer may be cut anywhere."""
    empty(shared)
    store: Store = {}
    cursor = 0
    numbered = list(enumerate(data.draw(events())))
    while numbered:
        cut = data.draw(st.integers(1, len(numbered)), label="captures that come in")
        bring(shared, numbered[:cut])
        numbered = numbered[cut:]
        for limit in data.draw(st.lists(st.integers(1, 3), max_size=3), label="answers asked for"):
            cursor = follow(shared, store, cursor, limit)
    for _ in range(100):  # each answer of one article goes on by one article
        before, cursor = cursor, follow(shared, store, cursor, data.draw(st.sampled_from((1, 2, None)), label="limit"))
        if cursor == before:
            break
    assert store == exported(shared)


@given(events(), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_what_a_follower_has_at_a_cursor_is_right_but_for_what_is_still_to_come(shared: Archive, history: list[Event], limit: int) -> None:
    """The invariant of the proof in the module's docstring, at every cursor on the way."""
    empty(shared)
    bring(shared, enumerate(history))
    truth, cursor = exported(shared), 0
    store: Store = {}
    while True:
        before, cursor = cursor, follow(shared, store, cursor, limit)
        to_come = {one["id"] for one in said(shared, cursor) if "op" in one}
        assert {name: made for name, made in store.items() if name not in to_come} == {
            name: made for name, made in truth.items() if name not in to_come
        }
        if cursor == before:
            break


# ── the contract ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_follower_in_the_documentation_has_the_default_export(archive: Archive, writer: Writer, tmp_path: Path) -> None:
    program = re.search(r"```python\n(.*?)```", CONTRACT.read_text(encoding="utf-8"), re.DOTALL)
    assert program is not None
    assert len(program[1].splitlines()) <= 25
    follower = tmp_path / "follow.py"
    follower.write_text(program[1], encoding="utf-8")

    def run(since: int, cut: int | None = None) -> int:
        answer = b"".join(map(line, said(archive, since)[:cut]))
        done = subprocess.run([sys.executable, follower], input=answer, cwd=tmp_path, capture_output=True, check=False)
        return done.returncode

    def cursor() -> int:
        asked = subprocess.run([sys.executable, follower, "cursor"], cwd=tmp_path, capture_output=True, check=True)
        return int(asked.stdout)

    def followed() -> Store:
        import sqlite3

        with sqlite3.connect(tmp_path / "corpus.db") as store:
            return {name: json.loads(record) for name, record in store.execute("SELECT id, record FROM article")}

    assert cursor() == 0
    writer.shows("a", 0)
    writer.shows("b", 0, OTHER)
    assert run(cursor()) == 0
    assert followed() == exported(archive)
    writer.withdrawn("a", 1)
    writer.shows("b", 2, STORY)
    held = followed()
    assert run(cursor(), cut=-1) != 0, "an answer without its cursor was cut off"
    assert followed() == held, "and is not taken by half"
    assert run(cursor()) == 0
    assert followed() == exported(archive)
