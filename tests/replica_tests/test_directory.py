"""What stands at a URL: copies, mirrors, errors, robots.txt, validators."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.replica import calendar, days
from tests.replica.directory import FAMILY, Directory, directory
from tests.replica.resource import Resource, answer, tag, zips
from tests.replica.traditional import to_traditional
from tests.replica.truth import TrueArticle
from tests.replica_tests import reading
from tests.replica_tests.reading import elements, root, select, text

HOME = "http://tech.china.com.cn/"


def _page(variant: str, day: int = 0) -> TrueArticle:
    return next(true for true in days.articles(day) if true.variant == variant)


def _status(url: str, day: int = 0) -> int:
    return reading.resource(url, day).status


@pytest.mark.parametrize("day", range(4))
def test_every_good_article_answers_200_with_validators(day: int) -> None:
    for true in days.articles(day):
        if true.good:
            found = reading.resource(true.url, day)
            assert (found.status, found.modified) == (200, true.updated)
            assert found.etag


def test_every_copy_of_an_article_answers_with_its_title() -> None:
    for true in [true for true in days.articles(0) if true.good][::9]:
        for copy in true.copies:
            shown = text(copy)
            assert true.title in shown or to_traditional(true.title) in shown, copy


def test_https_and_a_tracking_query_answer_the_very_same_page() -> None:
    for true in [true for true in days.articles(0) if true.good][::9]:
        assert text(true.copies[0]) == text(true.copies[1]) == text(true.url) or true.template == "en"


def test_the_big5_gate_shows_any_page_in_traditional_script() -> None:
    true = _page("plain-source")
    gate = f"http://big5.china.com.cn/gate/big5/{true.url.removeprefix('http://')}"
    assert to_traditional(true.paragraphs[0]) in text(gate)
    assert true.paragraphs[0] not in text(gate)


def test_the_big5_gate_reads_gb18030_pages_too() -> None:
    true = next(true for true in days.articles(0) if true.template == "T1" and true.variant == "normal")
    gate = f"https://big5.china.com.cn/gate/big5/{true.url.removeprefix('http://')}"
    assert to_traditional(true.title) in text(gate)


@pytest.mark.parametrize(
    "path", ["/", "/gate/big5/", "/gate/big5/tech.china.com.cn/none.shtml", "/gate/big5/big5.china.com.cn/gate/big5/tech.china.com.cn/"]
)
def test_the_big5_gate_has_nothing_of_its_own(path: str) -> None:
    assert directory(0).find(f"http://big5.china.com.cn{path}") is None


def test_the_phone_copy_has_the_text_and_the_desktops_id() -> None:
    true = next(true for true in days.articles(0) if true.template == "T3" and true.variant == "normal")
    (mobile,) = [copy for copy in true.copies if "m.gxfin.com" in copy]
    assert mobile.endswith(f"/{true.number}.html")
    assert tuple(one.strip("　") for one in select(root(mobile), ("div.content1 > p",))) == true.paragraphs


def test_old_articles_have_no_phone_copy() -> None:
    old = [true for true in days.articles(0) if true.published and true.published.year < 2022]
    assert not any("gxfin" in copy for true in old for copy in true.copies)


@pytest.mark.parametrize(
    ("variant", "status"),
    [
        ("not-found", 404),
        ("soft-404", 200),
        ("home", 302),
        ("forbidden", 403),
        ("empty", 200),
        ("video", 200),
        ("short", 200),
        ("links", 200),
    ],
)
def test_pages_that_are_no_articles_answer_as_the_dossier_says(variant: str, status: int) -> None:
    assert _status(_page(variant).url) == status


def test_the_soft_404_says_so_in_words_only() -> None:
    assert "页面不存在" in text(_page("soft-404").url)


def test_the_redirect_of_an_old_story_leads_home() -> None:
    assert reading.resource(_page("home").url).location == HOME


def test_the_empty_page_is_empty_and_the_forbidden_one_is_not() -> None:
    assert reading.body(_page("empty").url) == b""
    assert "没有权限" in text(_page("forbidden").url)


def test_the_video_page_has_a_player_and_no_paragraph() -> None:
    (body,) = elements(root(_page("video").url), ("#fontzoom",))
    assert body.find(".//script") is not None
    assert [one for one in body.findall("p") if (one.text or "").strip()] == []


def test_the_stub_below_txt_holds_nested_links() -> None:
    assert text(_page("stub").url).count("<a></a></a>") == 9


def test_the_moved_article_answers_301_and_its_new_url_200() -> None:
    old = next(true for true in days.articles(1) if true.moved_to)
    assert _status(old.url, 0) == 200
    assert _status(old.url, 1) == 301
    assert reading.resource(old.url, 1).location == old.moved_to
    assert _status(old.moved_to or "", 1) == 200
    assert directory(0).find(old.moved_to or "") is None


def test_the_withdrawn_article_answers_404_from_its_day_on() -> None:
    gone = next(true for true in days.articles(1) if true.withdrawn)
    assert [_status(gone.url, day) for day in range(4)] == [200, 404, 404, 404]


def test_a_revision_changes_tag_and_time_and_no_other_article_does() -> None:
    before, after = directory(0), directory(1)
    changed = set()
    for true in days.articles(0):
        old, new = before.find(true.url), after.find(true.url)
        assert old is not None
        assert new is not None
        if (old.etag, old.modified) != (new.etag, new.modified) and new.status == 200 and new.kind == "article":
            changed.add(true.url)
    assert changed == {true.url for true in days.articles(1) if true.revision == 2}


def test_the_index_has_no_validators() -> None:
    assert (reading.resource(HOME).etag, reading.resource(HOME).modified) == (None, None)


@pytest.mark.parametrize("host", FAMILY)
def test_robots_txt_allows_what_the_seeds_need_or_is_not_there(host: str) -> None:
    found = directory(0).find(f"http://{host}/robots.txt")
    assert found is None or b"Disallow: /\n" not in found.make(1).split(b"BadBot")[0]


def test_some_hosts_have_a_robots_txt_and_some_have_none() -> None:
    there = [directory(0).find(f"http://{host}/robots.txt") is not None for host in FAMILY]
    assert {True, False} == set(there)


def test_bare_and_www_hosts_answer_alike() -> None:
    assert text("http://china.org.cn/china/node_7075073.htm") == text("http://www.china.org.cn/china/node_7075073.htm")


@pytest.mark.parametrize(
    "url", ["http://tech.china.com.cn/none", "http://tech.china.com.cn/it/20260101/1.shtml", "http://m.gxfin.com/", "http:///"]
)
def test_nothing_stands_at_unknown_paths(url: str) -> None:
    assert directory(0).find(url) is None


def test_a_days_directory_is_the_same_whoever_builds_it() -> None:
    other = Directory(0)
    urls = [true.url for true in days.articles(0)[:40]]
    assert [other.find(url) == directory(0).find(url) or _same(other, url) for url in urls] == [True] * 40


def _same(other: Directory, url: str) -> bool:
    found, known = other.find(url), directory(0).find(url)
    return found is not None and known is not None and found.make(3) == known.make(3) and found.etag == known.etag


PAGE = Resource(kind="article", make=lambda _: b"body", etag='"a"', modified=calendar.DAY0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": '"a"'}, 304),
        ({"if-none-match": 'W/"a"'}, 304),
        ({"if-none-match": '"b", "a"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"b"'}, 200),
        ({"if-modified-since": "Mon, 07 Sep 2026 01:00:00 GMT"}, 304),
        ({"if-modified-since": "Mon, 07 Sep 2026 00:59:59 GMT"}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-none-match": '"b"', "if-modified-since": "Mon, 07 Sep 2026 01:00:00 GMT"}, 200),
    ],
)
def test_a_conditional_request_is_answered_by_rfc_9110(headers: dict[str, str], status: int) -> None:
    assert answer(PAGE, headers, 1, zipped=False)[0] == status


def test_a_304_has_validators_and_no_body() -> None:
    status, headers, body = answer(PAGE, {"if-none-match": '"a"'}, 1, zipped=True)
    assert (status, body) == (304, b"")
    assert set(headers) == {"ETag", "Last-Modified"}


def test_a_page_without_validators_is_never_304() -> None:
    bare = replace(PAGE, etag=None, modified=None)
    assert answer(bare, {"if-none-match": '"a"', "if-modified-since": "Mon, 07 Sep 2026 01:00:00 GMT"}, 1, zipped=False)[0] == 200


def test_only_a_client_that_accepts_gzip_gets_it() -> None:
    assert "Content-Encoding" not in answer(PAGE, {}, 1, zipped=True)[1]
    assert answer(PAGE, {"accept-encoding": "gzip, br"}, 1, zipped=True)[1]["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in answer(PAGE, {"accept-encoding": "gzip"}, 1, zipped=False)[1]


def test_some_pages_are_compressed_and_some_are_not() -> None:
    share = sum(zips(f"/it/{number}.shtml") for number in range(300)) / 300
    assert 0.5 < share < 0.8


def test_a_tag_depends_on_all_that_it_is_made_from() -> None:
    assert tag("a", "b") != tag("a", "c")
    assert tag(b"a") == tag("a")
