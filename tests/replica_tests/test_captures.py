"""What other archives have of the replica's site: lost articles, some that are still there, and what is no article."""

from __future__ import annotations

from itertools import chain

import pytest

from pipelines.urls import canonical, in_scope
from tests.replica import calendar, captures, days
from tests.replica.captures import NEW_CRAWL, OLD_CRAWL, WAYBACK, Held, asked_for, held, key
from tests.replica_tests.reading import site

ARCHIVES = (*captures.CRAWLS, WAYBACK)
ALL = tuple(chain.from_iterable(held(archive) for archive in ARCHIVES))


def urls(found: tuple[Held, ...]) -> list[str]:
    return [one.url for one in found]


def test_lost_articles_are_on_no_page_of_the_site_on_any_day() -> None:
    ever = {url for day in range(calendar.LAST_DAY + 1) for true in days.articles(day) for url in (true.url, *true.parts)}
    assert not ever & {url for true in captures.lost() for url in (true.url, *true.parts)}


def test_every_page_of_a_lost_article_is_held_and_is_an_article_by_the_seeds() -> None:
    for true in captures.lost():
        assert canonical(true.url, site("china_tech")).url == true.url
        assert any(pattern.search(true.url) for pattern in site("china_tech").discover.article)
        for url in (true.url, *true.parts):
            assert any(one.url == url and one.true == true for one in ALL), url


def test_lost_articles_come_from_every_archive_and_every_generation_of_pages() -> None:
    lost = {true.url for true in captures.lost()}
    assert {one.archive for one in ALL if one.url in lost} == set(ARCHIVES)
    assert {true.template for true in captures.lost()} >= {"T1", "T2", "T3", "founder-a"}


def test_no_capture_is_older_than_its_article_or_younger_than_the_site() -> None:
    for one in ALL:
        assert one.at < calendar.moment(1)
        assert one.true is None or (one.true.published is not None and one.true.published < one.at)


@pytest.mark.parametrize("crawl", captures.CRAWLS)
def test_captures_of_a_crawl_lie_in_the_weeks_after_the_one_that_it_is_named_after(crawl: str) -> None:
    _, _, year, week = crawl.split("-")
    for one in held(crawl):
        given = one.at.isocalendar()
        assert (given.year, given.week - int(week)) in {(int(year), late) for late in range(-2, 3)}


def test_what_the_site_still_has_is_listed_there_with_the_same_text() -> None:
    today = {true.url: true for true in days.articles(0)}
    assert len(captures.still_here()) == 2
    for true in captures.still_here():
        assert today[true.url] == true
        assert any(one.url == true.url and one.true == true for one in held(OLD_CRAWL))


def test_one_is_held_as_it_was_before_the_site_corrected_it() -> None:
    old = captures.revised()
    new = next(true for true in days.articles(1) if true.url == old.url)
    assert new.text != old.text
    assert [one.true for one in held(WAYBACK) if one.url == old.url] == [old]


def test_of_one_only_the_beginning_is_held() -> None:
    [cut] = [one for one in ALL if one.truncated]
    assert (cut.archive, cut.url, cut.true) == (NEW_CRAWL, captures.only_cut().url, None)
    assert captures.only_cut().title in cut.body.decode("utf-8", "replace")
    assert captures.only_cut().paragraphs[-1] not in cut.body.decode("utf-8", "replace")


def test_the_same_payload_is_held_twice_by_one_crawl_and_by_two() -> None:
    digests = [(one.digest, one.url) for one in ALL if one.status == 200]
    twice = [url for digest, url in digests if digests.count((digest, url)) > 1]
    assert sorted(set(twice)) == sorted({captures.lost()[4].url, captures.lost()[10].url})


def test_there_are_a_redirect_a_404_a_picture_and_a_host_that_the_seeds_do_not_name() -> None:
    assert {one.status for one in held(OLD_CRAWL)} == {200, 301, 404}
    assert {one.status for one in held(WAYBACK)} == {200, 404}
    assert {one.mime for one in held(WAYBACK)} == {"text/html", "image/png"}
    assert [one.url for one in ALL if not in_scope(one.url, site("china_tech"))] == [days.OFF_HOST]


def test_only_wayback_keeps_a_coding_and_not_of_every_page() -> None:
    coded = {one.archive for one in ALL if "Content-Encoding" in one.headers}
    assert coded == {WAYBACK}
    assert any("Content-Encoding" not in one.headers for one in held(WAYBACK))


def test_a_url_is_sorted_by_its_host_from_behind() -> None:
    assert key("http://tech.china.com.cn/It/1.shtml?a=1") == "cn,com,china,tech)/it/1.shtml?a=1"
    assert key("https://www.china.com.cn") == "cn,com,china)/"


@pytest.mark.parametrize(
    ("url", "match_type", "hosts"),
    [
        ("*.china.com.cn", None, {"finance.china.com.cn", "news.china.com.cn", "tech.china.com.cn"}),
        ("china.com.cn", "domain", {"finance.china.com.cn", "news.china.com.cn", "tech.china.com.cn"}),
        ("tech.china.com.cn/*", None, {"tech.china.com.cn"}),
        ("http://tech.china.com.cn/", "host", {"tech.china.com.cn"}),
        ("news.china.com.cn/2022-09/", "prefix", {"news.china.com.cn"}),
        ("hina.com.cn", "domain", set()),
        ("china.com.cn", "host", set()),
        ("tech.china.com.cn/it/", None, set()),
    ],
)
def test_a_question_is_about_a_domain_a_host_a_folder_or_one_url(url: str, match_type: str | None, hosts: set[str]) -> None:
    assert {found.split("/")[2] for found in urls(asked_for(WAYBACK, url, match_type))} == hosts


def test_a_question_about_one_url_is_answered_with_its_captures_alone() -> None:
    url = captures.lost()[10].url
    assert urls(asked_for(NEW_CRAWL, url, None)) == [url, url]
