"""The river: what the site serves is what the archive holds, day after day, and what other files of it would give."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from crawler.visits import start_urls
from pipelines import report
from pipelines.archive import open_archive, schema
from pipelines.archive.article_record import canonical_json, moment, timestamp
from pipelines.archive.settlement import settle_withdrawals
from pipelines.model import Reason
from pipelines.site import load_site
from tests.flows import crawling
from tests.flows.river import UNCHANGED, River
from tests.replica import furniture

pytestmark = pytest.mark.xdist_group("river")

START_URLS = 23
"""of seeds/china_tech.toml: 20 listings and 3 JSONP lists"""
FURNITURE = (
    *(name for _, name in furniture.TOPICS),
    "凡本网站注明",
    "责任编辑",
    "分享到",
    "设为首页",
    "扫描二维码",
    "京ICP证",
    "官方微信",
    "上一页",
    "下一页",
    "版权所有",
    "function(",
)
NIGHTS = ("first", "again", "second", "quiet", "third")


# ── the first night ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_good_article_is_archived_and_nothing_else(river: River) -> None:
    good = {url for url, true in river.truth[0].items() if true.good}
    archived = set(river.nights["first"].records)
    assert sorted(good - archived) == []
    assert sorted(archived - good) == []


@pytest.mark.parametrize("template", ["T3", "T2", "T1"])
def test_the_text_of_a_normal_page_is_the_truth_s(river: River, template: str) -> None:
    normal = {url: true for url, true in river.truth[0].items() if (true.template, true.variant) == (template, "normal")}
    assert len(normal) > 10
    records = river.nights["first"].records
    assert [url for url, true in normal.items() if records[url]["text"] != true.text] == []
    assert [url for url, true in normal.items() if records[url]["title"] != true.title] == []
    assert [url for url, true in normal.items() if records[url]["published"] != (true.published and true.published.isoformat())] == []


def test_pages_of_several_parts_are_joined_in_order(river: River) -> None:
    several = {url: true for url, true in river.truth[0].items() if true.parts and true.good}
    assert several
    records = river.nights["first"].records
    assert [url for url, true in several.items() if records[url]["text"] != true.text] == []


def test_no_text_has_furniture_in_it(river: River) -> None:
    texts = [(url, record["text"]) for url, record in river.nights["first"].records.items()]
    assert [(url, mark) for url, text in texts for mark in FURNITURE if mark in text] == []


def test_a_story_that_has_two_ids_is_shown_once(river: River) -> None:
    night = river.nights["first"]
    twice = [true for true in river.truth[0].values() if true.variant == "second-id"]
    assert twice
    for true in twice:
        assert true.duplicate_of is not None
        assert night.records[true.url]["cluster"]["id"] == night.records[true.duplicate_of]["cluster"]["id"]
        assert len({true.url, true.duplicate_of} & night.shown) == 1


def test_what_is_rejected_is_rejected_for_its_reason(river: River) -> None:
    found = crawling.rows(river.archive, sa.select(schema.capture.c.url, schema.capture.c.outcome).distinct())
    said = {row.url: {other.outcome for other in found if other.url == row.url} for row in found}
    wanted = {url: true.reason for url, true in river.truth[0].items() if true.reason and url in said and true.variant != "home"}
    alike = {Reason.TOPIC: {Reason.TOPIC, Reason.LISTING}}  # a page of nothing but links
    assert {url: reason for url, reason in wanted.items() if not alike.get(reason, {reason}) & said[url]} == {}


def test_nobody_outside_the_site_s_hosts_was_asked_for_anything(river: River) -> None:
    hosts = set(load_site(crawling.SEEDS / "china_tech.toml").hosts)
    assert {urlsplit(one.url).hostname for night in river.nights.values() for one in night.asked} <= hosts


def test_no_url_is_asked_for_twice_in_a_night(river: River) -> None:
    moved = {true.moved_to for true in river.changed("moved")}  # its old address leads there, and the lists do
    for name in ("first", "second", "quiet"):
        times = Counter(one.url for one in river.nights[name].asked if one.url not in moved)
        assert {url: count for url, count in times.items() if count > 1} == {}, name


# ── the nights after ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["again", "quiet"])
def test_a_night_with_nothing_new_asks_one_conditional_request_a_list_and_adds_nothing(river: River, name: str) -> None:
    night, before = river.nights[name], river.nights[NIGHTS[NIGHTS.index(name) - 1]]
    lists = [one for one in night.asked if one.kind not in ("article", "robots", "not found", "redirect", "empty", "forbidden", "soft 404")]
    known_bad = {url for url, true in river.truth[0].items() if not true.good}
    lists = [one for one in lists if one.url not in known_bad]
    assert sorted(one.url for one in lists) == sorted(url for _, url in start_urls(load_site(crawling.SEEDS / "china_tech.toml")))
    assert [one.url for one in lists if one.status != 304 and one.kind != "index"] == []  # the index differs at every request
    assert [url for url in night.articles_asked() if url not in known_bad] == []
    assert night.records.keys() == before.records.keys()
    assert (night.ledger["discovered"], night.shown) == (0, before.shown)


def test_day_one_brings_what_is_new(river: River) -> None:
    arrived = {url for url, true in river.truth[1].items() if url not in river.truth[0] and true.good}
    night, before = river.nights["second"], river.nights["again"]
    assert len(arrived) == 6, "five new ones, and the moved one at its new address"
    assert set(night.records) - set(before.records) == arrived
    assert all(night.records[url]["text"] == river.truth[1][url].text for url in arrived)


def test_a_day_costs_its_lists_what_is_new_and_what_is_due(river: River) -> None:
    night = river.nights["second"]
    known_bad = {url for url, true in river.truth[0].items() if not true.good}
    asked = [url for url in night.articles_asked() if url not in known_bad]
    changed = 5 + 2 + 1 + 1
    assert len(asked) <= changed + UNCHANGED + 2, "the moved one is asked for by two addresses, of which one leads to the other"
    assert len(night.asked) <= 2 * START_URLS + changed + UNCHANGED + 2 + len(known_bad)


def test_a_revised_article_has_both_of_its_texts(river: River) -> None:
    revised = river.changed("revised")
    assert len(revised) == 2
    for true in revised:
        record = river.nights["second"].records[true.url]
        assert (record["revision"], record["text"]) == (2, true.text)
        kept = crawling.rows(river.archive, sa.select(schema.revision).where(schema.revision.c.article == record["id"]))
        assert sorted(row.number for row in kept) == [1, 2]
        assert river.nights["first"].records[true.url]["text"] == river.truth[0][true.url].text


def test_a_moved_article_is_shown_once(river: River) -> None:
    [old] = [true for true in river.changed("moved") if true.moved_to]
    assert old.moved_to is not None
    for name in ("second", "third"):
        night = river.nights[name]
        assert len({old.url, old.moved_to} & night.shown) == 1, name
        assert night.records[old.url]["cluster"]["id"] == night.records[old.moved_to]["cluster"]["id"]
        assert night.records[old.url]["status"] == "active"


def test_an_article_that_is_denied_once_or_for_a_moment_stays(river: River) -> None:
    [true] = river.changed("withdrawn")
    for name in ("second", "quiet", "third"):
        assert river.nights[name].records[true.url]["status"] == "active"
    [due] = crawling.column(river.archive, sa.select(schema.url.c.due_at).where(schema.url.c.url == true.url))
    [last] = crawling.column(river.archive, sa.select(schema.url.c.last_fetched).where(schema.url.c.url == true.url))
    assert due - last == 7 * 86_400, "its second denial: next week"


def test_an_article_that_is_still_denied_a_day_later_is_withdrawn(river: River, folder: Path) -> None:
    """The nights before the third lie three days back, in a copy of the archive."""
    [true] = river.changed("withdrawn")
    shutil.copytree(river.archive, folder)
    with open_archive(folder) as opened, opened.catalogue.transaction() as tx:
        third = tx.scalar(sa.select(sa.func.max(schema.run.c.started)))
        for number, at in tx.execute(sa.select(schema.page.c.capture, schema.page.c.fetched_at).where(schema.page.c.fetched_at < third)):
            earlier = timestamp(moment(at) - timedelta(days=3))
            tx.execute(schema.page.update().where(schema.page.c.capture == number).values(fetched_at=earlier))
        settle_withdrawals(tx)
    after = crawling.all_records(folder)
    assert [url for url, record in after.items() if record["status"] == "withdrawn"] == [true.url]
    assert crawling.shown(river.archive) - crawling.shown(folder) == {true.url}


def test_day_three_brings_a_reprint_and_a_copy_in_other_script_that_are_shown_once(river: River) -> None:
    arrived = {url: true for url, true in river.truth[3].items() if url not in river.truth[2]}
    night, before = river.nights["third"], river.nights["quiet"]
    assert len(arrived) == 12
    assert set(night.records) - set(before.records) == set(arrived)
    for true in arrived.values():
        if true.duplicate_of is not None:
            assert night.records[true.url]["cluster"]["id"] == night.records[true.duplicate_of]["cluster"]["id"], true.variant
            assert len({true.url, true.duplicate_of} & night.shown) == 1


# ── the books ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_ledger_of_every_night_adds_up(river: River) -> None:
    assert [name for name, night in river.nights.items() if not report.reconciles(night.ledger)] == []


def test_the_replica_counted_what_the_ledger_says(river: River) -> None:
    assert {name: len(night.asked) for name, night in river.nights.items()} == {
        name: night.ledger["requests"] for name, night in river.nights.items()
    }


def test_every_discovered_url_is_accounted_for(river: River) -> None:
    for name, night in river.nights.items():
        assert night.ledger["urls"]["left"] == 0, name
        assert "lost" not in " ".join(night.ledger["visits"]), name


def test_the_archive_is_sound(river: River) -> None:
    assert crawling.faults_of(river.archive) == []


def test_a_record_leads_to_the_bytes_that_it_was_made_of(river: River) -> None:
    records = river.nights["third"].records
    for url in list(records)[::40]:
        capture = crawling.capture_of(river.archive, records[url])
        assert (capture.url, capture.status) == (url, 200)
        assert timestamp(capture.fetched_at) == records[url]["fetched_at"]
        assert capture.payload_digest == records[url]["provenance"]["payload_digest"]


# ── replay ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_replay_of_the_files_in_another_order_gives_the_same_records_byte_for_byte(river: River, folder: Path) -> None:
    files = crawling.warc_files(river.archive)
    assert len(files) == len(NIGHTS)
    shuffled = [*files[3:], *reversed(files[:3])]
    replayed = crawling.run([*crawling.SCRAPY, "replay", "--archive", str(folder), *map(str, shuffled)])
    assert replayed.returncode == 0, replayed.stderr
    live, again = crawling.all_records(river.archive), crawling.all_records(folder)
    assert live.keys() == again.keys()
    assert [url for url in live if canonical_json(live[url]) != canonical_json(again[url])] == []
    export = [*crawling.SCRAPY, "export", "--to", "-", "--archive"]
    exported, once_more = crawling.run([*export, str(river.archive)]), crawling.run([*export, str(folder)])
    assert exported.returncode == once_more.returncode == 0
    assert exported.stdout == once_more.stdout
    assert len(exported.stdout.splitlines()) == len(river.nights["third"].shown)
    assert {json.loads(line)["url"] for line in exported.stdout.split("\n") if line} == river.nights["third"].shown
