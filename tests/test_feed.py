"""A follower of the feed has what the archive exports, however it followed."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive import Archive
from pipelines.archive.article_record import article_id
from pipelines.choice import chooser
from pipelines.errors import ConfigurationError
from pipelines.export import What, export
from pipelines.feed import answer, feed
from pipelines.formats import line
from pipelines.model import Rights
from pipelines.reextract import reextract, today
from pipelines.site import USES
from tests.archive.made import OTHER, STORY, Event, Writer, address, archive_at, bring, empty, events
from tests.small_site import rules, small, usual

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


def heard(archive: Archive, since: str = "0", limit: int | None = None, use: str | None = None) -> list[dict[str, Any]]:
    """What the command says."""
    return list(answer(archive, since, limit, use, Counter()))


def follow(archive: Archive, store: Store, since: str, limit: int | None = None, use: str | None = None) -> str:
    """One answer applied as docs/feed.md says; where to go on."""
    *changes, last = heard(archive, since, limit, use)
    for one in changes:
        if one["op"] == "delete":
            store.pop(one["id"], None)
        else:
            store[one["id"]] = one["record"]
    return str(last["since"])


def exported(archive: Archive, use: str | None = None) -> Store:
    out = io.BytesIO()
    export(archive, What(use=use), out)
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
    cursor = follow(archive, store, "0")
    writer.withdrawn("a", 1)
    writer.shows("b", 3, OTHER)
    writer.shows("a", 4)
    cursor = follow(archive, store, cursor, limit=1)
    assert sorted(store) == sorted(article_id(address(name)) for name in "ab"), "it has a, by an older word"
    writer.withdrawn("a", 5)
    assert brief(heard(archive, cursor)) == [("delete", "a")]
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


# ── where to go on ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("use", [None, *USES])
def test_the_last_line_names_number_archive_and_use_and_is_taken_again(archive: Archive, writer: Writer, use: str | None) -> None:
    writer.shows("a")
    last = heard(archive, use=use)[-1]
    assert last == {"cursor": 1, "since": f"1@{archive.id}" + (f"/{use}" if use else "")}
    assert heard(archive, last["since"], use=use) == [last]


def test_the_bare_number_is_taken_for_any_use(archive: Archive, writer: Writer) -> None:
    writer.shows("a")
    assert [brief(heard(archive, "1", use=use)) for use in (None, "train")] == [[], []]


def test_the_cursor_of_another_archive_is_refused_though_its_number_fits(archive: Archive, writer: Writer, tmp_path: Path) -> None:
    writer.shows("a")
    with archive_at(tmp_path / "other") as other:
        Writer(other).shows("b")
        given = heard(other)[-1]["since"]
    with pytest.raises(ConfigurationError, match=f"{given} is of another archive; this is {archive.id}. Begin anew with --since 0"):
        heard(archive, given)


@pytest.mark.parametrize(
    ("was", "asked", "says"),
    [
        (None, "train", "was given for no --use, and this asks for --use train"),
        ("train", None, "was given for --use train, and this asks for no --use"),
        ("archive", "train", "was given for --use archive, and this asks for --use train"),
    ],
)
def test_the_cursor_of_another_use_is_refused(archive: Archive, was: str | None, asked: str | None, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        heard(archive, heard(archive, use=was)[-1]["since"], use=asked)


@pytest.mark.parametrize("since", ["", "x", "1.0", " 1", "1@", "1@x/", "1 @ab", "9" * 19, "１", "1\n"])
def test_what_is_no_cursor_is_refused(archive: Archive, since: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is no cursor\. Expected 0, or `since` of the last line"):
        heard(archive, since)


# ── rights ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def reserving(use: str) -> Rights:
    return Rights(reserved={use: True})


def test_what_is_reserved_for_the_use_is_a_delete_and_counted_by_its_reason(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0, rights=reserving("train"))
    writer.shows("b", 0, OTHER, rights=reserving("archive"))
    withheld: Counter[str] = Counter()
    *changes, _ = answer(archive, "0", None, "train", withheld)
    assert [(one["op"], one["record"]) for one in changes] == [("delete", None)] * 2
    assert withheld == {"reserved/train": 1, "reserved/archive": 1}
    assert brief(heard(archive, use="text-and-data-mining")) == [("add", "a"), ("delete", "b")]
    assert brief(heard(archive)) == [("add", "a"), ("add", "b")]


def test_what_is_gone_anyhow_is_not_counted_as_withheld(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0, rights=reserving("train"))
    writer.withdrawn("a", 1)
    withheld: Counter[str] = Counter()
    assert brief(list(answer(archive, "0", None, "train", withheld))) == [("delete", "a")]
    assert not withheld


def test_an_article_that_begins_to_reserve_the_use_goes_and_one_that_ends_it_comes(archive: Archive, writer: Writer) -> None:
    writer.shows("a", 0)
    writer.shows("b", 0, OTHER, rights=reserving("train"))
    store: Store = {}
    since = follow(archive, store, "0", use="train")
    assert store.keys() == {article_id(address("a"))}
    writer.shows("a", 1, STORY[:2], rights=reserving("train"))
    writer.shows("b", 1, OTHER[:2])
    since = follow(archive, store, since, use="train")
    assert store.keys() == {article_id(address("b"))}
    assert store == exported(archive, "train")


def test_the_seeds_file_withholds_without_being_asked(tmp_path: Path) -> None:
    with archive_at(tmp_path / "archive", rights='export_for = "train"') as archive:
        Writer(archive).shows("a", 0, rights=reserving("train"))
        assert [brief(heard(archive, use=use)) for use in (None, "archive")] == [[("delete", "a")]] * 2


def test_a_seeds_file_that_changes_what_exports_are_for_reaches_followers_with_the_re_extraction(tmp_path: Path) -> None:
    """Until then the records are held against the file that made them; then the feed says delete, and add when it is undone."""
    reserved = "[rights]\nreserved = ['train']\n"
    made = small(tmp_path, usual(), reserved)
    store: Store = {}

    def by(more: str) -> None:
        made.more = more
        with made.open() as archive:
            archive.keep_rules(made.site, rules(more))
            sites = {"small": made.site}
            reextract(archive, today(sites, chooser(sites)))

    def followed(since: str) -> tuple[str, int]:
        with made.open() as archive:
            since = follow(archive, store, since)
            assert store == exported(archive)
        return since, len(store)

    since, count = followed("0")
    assert count == 3
    with made.open() as archive:
        made.more = reserved + "export_for = 'train'\n"
        archive.keep_rules(made.site, rules(made.more))
    assert followed(since) == (since, 3), "a seeds file alone changes nothing"
    by(reserved + "export_for = 'train'\n")
    since, count = followed(since)
    assert count == 0
    by(reserved + "export_for = 'archive'\n")
    assert followed(since)[1] == 3


# ── exactness ────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.data(), st.sampled_from([None, *USES]))
@settings(max_examples=60, deadline=None)
def test_a_follower_has_the_export_for_its_use_however_it_followed(shared: Archive, data: st.DataObject, use: str | None) -> None:
    """Anything may come in between two answers, and each answer may be cut anywhere."""
    empty(shared)
    store: Store = {}
    since = "0"
    numbered = list(enumerate(data.draw(events())))
    while numbered:
        cut = data.draw(st.integers(1, len(numbered)), label="captures that come in")
        bring(shared, numbered[:cut])
        numbered = numbered[cut:]
        for limit in data.draw(st.lists(st.integers(1, 3), max_size=3), label="answers asked for"):
            since = follow(shared, store, since, limit, use)
    for _ in range(100):  # each answer of one article goes on by one article
        before, since = since, follow(shared, store, since, data.draw(st.sampled_from((1, 2, None)), label="limit"), use)
        if since == before:
            break
    assert store == exported(shared, use)


@given(events(), st.integers(1, 3), st.sampled_from([None, *USES]))
@settings(max_examples=20, deadline=None)
def test_what_a_follower_has_at_a_cursor_is_right_but_for_what_is_still_to_come(
    shared: Archive, history: list[Event], limit: int, use: str | None
) -> None:
    """The invariant of the proof in the module's docstring, at every cursor on the way."""
    empty(shared)
    bring(shared, enumerate(history))
    truth, since = exported(shared, use), "0"
    store: Store = {}
    while True:
        before, since = since, follow(shared, store, since, limit, use)
        to_come = {one["id"] for one in heard(shared, since, use=use) if "op" in one}
        assert {name: made for name, made in store.items() if name not in to_come} == {
            name: made for name, made in truth.items() if name not in to_come
        }
        if since == before:
            break


# ── the contract ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_follower_in_the_documentation_has_the_export(archive: Archive, writer: Writer, tmp_path: Path) -> None:
    program = re.search(r"```python\n(.*?)```", CONTRACT.read_text(encoding="utf-8"), re.DOTALL)
    assert program is not None
    assert len(program[1].splitlines()) <= 25
    follower = tmp_path / "follow.py"
    follower.write_text(program[1], encoding="utf-8")

    def run(since: str, cut: int | None = None) -> int:
        lines = b"".join(map(line, heard(archive, since, use="train")[:cut]))
        done = subprocess.run([sys.executable, follower], input=lines, cwd=tmp_path, capture_output=True, check=False)
        return done.returncode

    def since() -> str:
        asked = subprocess.run([sys.executable, follower, "cursor"], cwd=tmp_path, capture_output=True, check=True)
        return asked.stdout.decode().strip()

    def followed() -> Store:
        import sqlite3

        with sqlite3.connect(tmp_path / "corpus.db") as store:
            return {name: json.loads(record) for name, record in store.execute("SELECT id, record FROM article")}

    assert since() == "0"
    writer.shows("a", 0)
    writer.shows("b", 0, OTHER)
    assert run(since()) == 0
    assert since() == f"2@{archive.id}/train"
    assert followed() == exported(archive, "train")
    writer.withdrawn("a", 1)
    writer.shows("b", 2, STORY)
    held = followed()
    assert run(since(), cut=-1) != 0, "an answer without its last line was cut off"
    assert followed() == held, "and is not taken by half"
    assert run(since()) == 0
    assert followed() == exported(archive, "train") != held
    writer.shows("b", 3, STORY[:2], rights=reserving("train"))
    assert run(since()) == 0
    assert followed() == {}
