"""Template memory: what recurs is counted, shown and marked, and the marks follow from the set of articles alone."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.archive import Archive, schema, stored, templates
from pipelines.archive.article_record import article_id
from pipelines.archive.templates import FREQUENT, MARK, Recurring
from pipelines.feed import feed
from tests.archive.made import Writer, address, archive_at

NOTICE = "更多精彩内容，请关注本台客户端的每日推送。"


def _text(number: int, *, with_notice: bool = True) -> tuple[str, ...]:
    own = tuple(f"第{number}座试验站的第{line}号机组今天完成了第{number * 7 + line}次检修，记录已经归档。" for line in range(5))
    return (*own, NOTICE) if with_notice else own


def _marked(archive: Archive) -> set[str]:
    with archive.catalogue.snapshot() as tx:
        names = sorted(tx.scalars(sa.select(schema.article.c.id)))
        return {made["url"] for _, made in stored.records(tx, names) if MARK in made["quality"]["flags"]}  # type: ignore[index,misc]


def test_a_line_is_marked_when_enough_articles_carry_it_and_all_of_them_are(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        for number in range(FREQUENT - 1):
            writer.shows(f"n{number}", number, _text(number))
        writer.shows("other", 0, _text(99, with_notice=False))
        assert _marked(archive) == set()
        writer.shows("last", 50, _text(50))
        assert _marked(archive) == {address("last"), *(address(f"n{number}") for number in range(FREQUENT - 1))}


def test_the_feed_says_that_the_others_are_marked_too(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        for number in range(FREQUENT - 1):
            writer.shows(f"n{number}", number, _text(number))
        with archive.catalogue.snapshot() as tx:
            before = stored.cursor(tx)
        writer.shows("last", 50, _text(50))
        with archive.catalogue.snapshot() as tx:
            changed = {line["id"] for line in feed(tx, before, None) if "id" in line}
        assert changed == {article_id(address(name)) for name in ("last", *(f"n{number}" for number in range(FREQUENT - 1)))}


def test_a_mark_goes_when_an_article_loses_the_line(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        for number in range(FREQUENT):
            writer.shows(f"n{number}", number, _text(number))
        assert len(_marked(archive)) == FREQUENT
        writer.shows("n0", 60, _text(0, with_notice=False))
        assert _marked(archive) == set()


def test_an_article_that_moves_to_another_site_takes_its_lines_along(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        for number in range(FREQUENT):
            writer.shows(f"n{number}", number, _text(number))
        name = article_id(address("n0"))
        with archive.catalogue.transaction() as tx:
            article = stored.current(tx, [name])[name]
            moved = templates.redraw(tx, "elsewhere", name, article)
            sites = {site for site, _ in templates.counted(tx, [name])[name]}
        assert sites == {"elsewhere"}
        assert not moved.is_marked
        assert moved.touched >= {article_id(address(f"n{number}")) for number in range(1, FREQUENT)}  # too few are left there


def test_the_text_itself_is_left_as_it_is(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        for number in range(FREQUENT):
            writer.shows(f"n{number}", number, _text(number))
        with archive.catalogue.snapshot() as tx:
            ((_, made),) = stored.records(tx, [article_id(address("n1"))])
        assert made["paragraphs"] == list(_text(1))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(order=st.permutations(range(FREQUENT + 1)))
def test_marks_do_not_depend_on_the_order_of_arrival(tmp_path_factory: object, order: list[int]) -> None:
    folder: Path = tmp_path_factory.mktemp("order")  # type: ignore[attr-defined]
    with archive_at(folder) as archive:
        writer = Writer(archive)
        for number in order:
            writer.shows(f"n{number}", number, _text(number, with_notice=number != 3))
        assert _marked(archive) == {address(f"n{number}") for number in range(FREQUENT + 1) if number != 3}


def test_what_recurs_is_shown_with_its_count_and_an_example(tmp_path: Path) -> None:
    with archive_at(tmp_path) as archive:
        writer = Writer(archive)
        for number in range(FREQUENT + 2):
            writer.shows(f"n{number}", number, _text(number))
        with archive.catalogue.snapshot() as tx:
            (found,) = templates.recurring(tx, 10)
        assert (found.text, found.articles, found.site) == (NOTICE, FREQUENT + 2, "china_tech")
        assert found.example.startswith("https://tech.example.cn/")


def test_the_rule_that_is_offered_matches_the_line_and_is_toml() -> None:
    for text in (NOTICE, "关注我们（微信号：abc123）", "it's 24'7", 'a "quoted" line'):
        rule = Recurring(site="s", text=text, articles=9, example="u").rule
        (pattern,) = tomllib.loads(f"furniture = [{rule}]")["furniture"]
        assert re.fullmatch(pattern, text)


def test_figures_in_an_offered_rule_are_generalised() -> None:
    rule = Recurring(site="s", text="本文共1234字", articles=9, example="u").rule
    assert re.fullmatch(rule.strip("'"), "本文共88字")
