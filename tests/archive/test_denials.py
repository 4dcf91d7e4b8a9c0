"""What denials are worth is what their host showed and denied around each, however many of them are asked at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.archive import Archive, denials, schema
from pipelines.archive.article_record import moment as moment_of
from pipelines.archive.article_record import timestamp
from pipelines.archive.denials import STRETCH, Denial, denial, host_of, stretches, verdicts, verdicts_on
from pipelines.archive.prepared import Prepared
from pipelines.dedup.history import AROUND, PageKind, is_credible
from pipelines.urls import host_key
from tests.archive.made import START, archive_at, empty

HOSTS = ("https://a.example.cn", "http://A.example.cn:80", "http://a.example.cn", "https://a.example.cn:8443", "https://b.example.cn")
"""three of them are one host, in three spellings"""
EDGES = (timedelta(0), timedelta(microseconds=1), timedelta(minutes=30), AROUND, AROUND + timedelta(microseconds=1), 2 * AROUND, STRETCH)
TIMES = [timestamp(START + sign * edge + days) for days in (timedelta(0), timedelta(days=1)) for edge in EDGES for sign in (1, -1)]
URLS = st.one_of(
    st.text(),
    st.builds(
        str.__add__,
        st.sampled_from(
            ("http://a.cn", "https://a.cn/", "https:/a.cn", "http:\\\\a.cn\\b", "HTTP://u@A.cn:80", "http://a.cn.:81/", "http:///a/")
        ),
        st.text("/\\.:@a?#% 中1"),
    ),
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_at(tmp_path_factory.mktemp("denials") / "archive") as made:
        yield made


@st.composite
def pages(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What some captures said of parts of few articles."""
    one = st.fixed_dictionaries(
        {
            "article": st.sampled_from("pqrs"),
            "part": st.sampled_from((1, 1, 2)),
            "kind": st.sampled_from((*PageKind, PageKind.GONE)),
            "fetched_at": st.sampled_from(TIMES),
            "origin": st.sampled_from(HOSTS),
        }
    )
    return draw(st.lists(one, max_size=14))


def write(archive: Archive, said: list[dict[str, Any]]) -> None:
    empty(archive)
    with archive.catalogue.transaction() as tx:
        for number, one in enumerate(said, 1):
            url = f"{one['origin']}/{one['article']}_{one['part']}.html"
            row = {"id": number, "site": "news", "url": url, "kind": "article", "fetched_at": one["fetched_at"], "status": 200}
            where = {"file": "f", "offset": number, "length": 1, "record_id": f"<{number}>", "outcome": one["kind"]}
            tx.execute(schema.capture.insert(), [{**row, **where}])
            page = {name: one[name] for name in ("article", "part", "kind", "fetched_at")}
            tx.execute(schema.page.insert(), [{**page, "capture": number}])


def by_definition(tx: sa.Connection, of: Denial) -> bool:
    """docs/decisions/0004, for one denial alone: all pages are looked at, and those of the host at that hour counted."""
    page, capture = schema.page, schema.capture
    rows = tx.execute(sa.select(page, capture.c.url).join(capture, capture.c.id == page.c.capture)).all()
    at = moment_of(of.at)
    here = [row for row in rows if host_key(row.url) == of.host and abs(moment_of(row.fetched_at) - at) <= AROUND]
    denied = {(row.article, row.part) for row in here if row.kind == PageKind.GONE}
    shown = {(row.article, row.part) for row in here} - denied
    return is_credible(shown=len(shown), denied=len(denied))


@settings(deadline=None)
@given(pages())
def test_each_denial_is_worth_what_the_definition_says(archive: Archive, said: list[dict[str, Any]]) -> None:
    write(archive, said)
    asked = {denial(f"{one['origin']}/x", one["fetched_at"]) for one in said if one["kind"] == PageKind.GONE}
    with archive.catalogue.snapshot() as tx:
        expected = {one: by_definition(tx, one) for one in asked}
        assert verdicts(tx, asked) == expected
        assert verdicts_on(tx, list("pqrs")) == expected
        assert {one: verdicts(tx, {one})[one] for one in asked} == expected, "asked one by one"


@given(URLS)
@example("https://a.cn:443/b")
@example("http:\\\\a.cn/b")
@example(" https://a.cn/b")
def test_a_host_that_is_known_by_its_origin_is_the_one_that_is_contacted(url: str) -> None:
    assert host_of(url) == host_key(url)


def test_pages_around_many_denials_are_read_once(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night of 200 pages, half of them denied; all of them lie around each."""
    night: list[dict[str, Any]] = [
        {
            "article": f"a{number}",
            "part": 1,
            "kind": PageKind.GONE if number % 2 else PageKind.CONFIRMED,
            "fetched_at": timestamp(START + timedelta(seconds=2 * number)),
            "origin": HOSTS[0],
        }
        for number in range(200)
    ]
    write(archive, night)
    read: list[int] = []

    def tuples(self: Prepared, tx: sa.Connection, values: dict[str, Any], original: Any = Prepared.tuples) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = original(self, tx, values)
        read.append(len(found))
        return found

    monkeypatch.setattr(Prepared, "tuples", tuples)
    with archive.catalogue.snapshot() as tx:
        found = denials.verdicts_on(tx, [one["article"] for one in night])
    assert read == [200]
    assert list(found.values()) == [True] * 100


@given(st.lists(st.sampled_from(TIMES)))
def test_a_stretch_reaches_an_hour_beyond_its_times_and_is_no_longer_than_may_be_in_memory(times: list[str]) -> None:
    found = list(stretches(times))
    assert [at for _, _, group in found for at in group] == sorted(set(times))
    for low, high, group in found:
        assert (moment_of(low), moment_of(high)) == (moment_of(group[0]) - AROUND, moment_of(group[-1]) + AROUND)
        assert moment_of(group[-1]) - moment_of(group[0]) <= STRETCH
        assert all(moment_of(later) - moment_of(at) <= 2 * AROUND for at, later in pairwise(group)), "nothing in between"
