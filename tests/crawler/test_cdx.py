"""Indexes of web archives, each format by example; and what pretends to be one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import cdx
from crawler.discovery import Found, discover
from pipelines.archive.borrowed import MAX_MEMBER, Promise
from pipelines.model import Capture, Kind
from pipelines.site import Site
from tests.crawler import made
from tests.crawler.made import address

CRAWL = "https://index.commoncrawl.org/CC-MAIN-2024-10-index?url=news.test/*&output=json"
WAYBACK = "https://web.archive.org/cdx/search/cdx?url=news.test/*&output=json"
PLAIN = "http://news.test/cdx?url=news.test/*"
"""an index that says nothing of where its captures are"""
DIGEST = "A" * 32
OTHER = "B" * 32
FILE = "crawl-data/CC-MAIN-2024-10/segments/1/warc/CC-MAIN-1.warc.gz"


def site_of(*indexes: str, **more: str) -> Site:
    given_keys = "\n".join(f"{key} = {value}" for key, value in {"cdx": json.dumps(indexes), **more}.items())
    return made.site(known_margin=f"{given_keys}\nknown_margin = 3")


SITE = site_of(CRAWL, WAYBACK, PLAIN)


def read(body: str | bytes, url: str = CRAWL, site: Site = SITE) -> Found:
    return discover(body if isinstance(body, bytes) else body.encode(), url, Kind.CDX, site)


def line(number: int = 1, **said: Any) -> dict[str, Any]:
    """A capture as Common Crawl writes it down."""
    return {
        "urlkey": f"test,news)/20260907/{number}.html",
        "timestamp": "20240301020304",
        "url": address(number),
        "mime": "text/html",
        "status": "200",
        "digest": DIGEST,
        "length": "1000",
        "offset": "500",
        "filename": FILE,
        **said,
    }


def lines(*given_lines: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in given_lines)


HEADER = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")


def table(*rows: list[str], header: tuple[str, ...] = HEADER) -> str:
    return json.dumps([list(header), *rows])


def promises(found: Found) -> list[Promise]:
    return [Promise.at_place(link.hints.via or "") for link in found.links if link.kind is Kind.RECORD]


def urls(found: Found) -> list[str]:
    return [link.url for link in found.links]


PROMISE = Promise(
    source=f"https://data.commoncrawl.org/{FILE}", url=address(1), at="20240301020304", digest=DIGEST, offset=500, length=1000
)


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (CRAWL, f"{CRAWL}&pageSize=3&showNumPages=true"),
        (f"{CRAWL}&pageSize=1", f"{CRAWL}&pageSize=1&showNumPages=true"),
        (f"{CRAWL}&page={{page}}", f"{CRAWL}&showNumPages=true"),
        (f"{CRAWL}&page=2", f"{CRAWL}&page=2"),
        (WAYBACK, f"{WAYBACK}&limit=10000&showResumeKey=true"),
        (f"{WAYBACK}&limit=5", f"{WAYBACK}&limit=5"),
        (PLAIN, PLAIN),
        ("https://index.commoncrawl.org/saved.cdxj", "https://index.commoncrawl.org/saved.cdxj"),
    ],
)
def test_an_index_is_asked_by_the_paging_that_its_server_knows(url: str, asked: str) -> None:
    assert cdx.question(url, site_of(url)) == asked


def test_only_the_index_of_one_finished_crawl_never_answers_otherwise() -> None:
    assert cdx.is_finished(CRAWL)
    assert not cdx.is_finished(WAYBACK)
    assert not cdx.is_finished(PLAIN)


@pytest.mark.parametrize(("kind", "status", "is_empty"), [(Kind.CDX, 404, True), (Kind.CDX, 500, False), (Kind.LISTING, 404, False)])
def test_a_404_of_an_index_may_be_its_way_to_say_that_it_has_nothing(kind: Kind, status: int, is_empty: bool) -> None:
    assert cdx.is_empty_answer(Capture(url=CRAWL, fetched_at=made.NOW, status=status, headers=(), body=b"", kind=kind)) is is_empty


# ── paging ───────────────────────────────────────────────────────────────────────────────────────────────────────────

COUNTED = f"{CRAWL}&pageSize=3&showNumPages=true"


@pytest.mark.parametrize("body", ['{"pages": 2, "pageSize": 3, "blocks": 4}', "2\n"])
def test_each_page_that_an_index_counts_is_a_row_of_its_own(body: str) -> None:
    found = read(body, COUNTED)
    assert urls(found) == [f"{CRAWL}&pageSize=3&page=0", f"{CRAWL}&pageSize=3&page=1"]
    assert {link.kind for link in found.links} == {Kind.CDX}
    assert found.skipped == ()


def test_pages_beyond_the_most_are_told() -> None:
    found = read('{"pages": 8}', COUNTED)
    assert (len(found.links), found.skipped) == (5, (("pages", 3),))


def test_an_index_without_pages_is_an_empty_one() -> None:
    assert read('{"pages": 0}', COUNTED) == Found()


@pytest.mark.parametrize("body", ["-1", "true", '{"pages": "2"}', '{"pages": true}', "[]", '"2"'])
def test_what_is_no_number_of_pages_is_noticed(body: str) -> None:
    assert not read(body, COUNTED).is_expected_kind


def test_a_server_that_does_not_count_its_pages_is_read_for_what_it_answers() -> None:
    assert promises(read(lines(line()), COUNTED)) == [PROMISE]


ROW = ["test,news)/20260907/1.html", "20240301020304", address(1), "text/html", "200", DIGEST, "1000"]


@pytest.mark.parametrize(("key", "written"), [("test,news)/a 2024", "test%2Cnews%29%2Fa%202024"), ("test%2Cnews", "test%2Cnews")])
def test_the_resume_key_of_a_table_leads_on(key: str, written: str) -> None:
    found = read(table(ROW, [], [key]), f"{WAYBACK}&limit=10000&showResumeKey=true")
    assert found.next_url == f"{WAYBACK}&limit=10000&showResumeKey=true&resumeKey={written}"
    assert len(promises(found)) == 1


def test_a_resume_key_takes_the_place_of_the_one_before() -> None:
    assert read(table(ROW, [], ["b"]), f"{WAYBACK}&resumeKey=a").next_url == f"{WAYBACK}&resumeKey=b"


def test_the_resume_key_of_plain_lines_leads_on() -> None:
    assert read(" ".join(ROW) + "\n\ntest,news)/b\n", WAYBACK).next_url == f"{WAYBACK}&resumeKey=test%2Cnews%29%2Fb"


@pytest.mark.parametrize("body", [table(ROW), table(ROW, [], ["x" * 5000]), table(ROW, [], []), " ".join(ROW)])
def test_without_a_key_an_index_is_at_its_end(body: str) -> None:
    found = read(body, WAYBACK)
    assert (found.next_url, len(promises(found))) == (None, 1)


# ── formats ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_lines_promise_a_range_of_a_warc_file() -> None:
    found = read(lines(line()))
    assert promises(found) == [PROMISE]
    assert (found.links[0].url, found.entries, found.skipped) == (PROMISE.key(address(1)), 1, ())


@pytest.mark.parametrize("key", ["test,news)/20260907/1.html", "test,news)/{x}"])
def test_cdxj_promises_the_same(key: str) -> None:
    said = {name: value for name, value in line().items() if name not in ("urlkey", "timestamp")}
    assert promises(read(f"{key} 20240301020304 {json.dumps(said)}\n")) == [PROMISE]


def test_plain_cdx_of_eleven_fields_promises_the_same() -> None:
    body = f" CDX N b a m s k r M S V g\ntest,news)/x 20240301020304 {address(1)} text/html 200 {DIGEST} - - 1000 500 {FILE}\n"
    assert promises(read(body)) == [PROMISE]


def test_plain_cdx_of_nine_fields_has_no_length_to_ask_for() -> None:
    body = f"test,news)/x 20240301020304 {address(1)} text/html 200 {DIGEST} - 500 {FILE}\n"
    assert read(body).skipped == (("no_place", 1),)


def test_a_table_promises_a_replay() -> None:
    [promise] = promises(read(table(ROW), WAYBACK))
    assert promise == Promise(
        source=f"https://web.archive.org/web/20240301020304id_/{address(1)}", url=address(1), at="20240301020304", digest=DIGEST
    )


def test_plain_cdx_of_seven_fields_promises_a_replay() -> None:
    assert promises(read(" ".join(ROW), WAYBACK)) == promises(read(table(ROW), WAYBACK))


def test_a_seeds_file_may_say_where_the_captures_of_an_index_are() -> None:
    own = "http://archive.test:8080/cdx?url=news.test/*"
    site = site_of(own, cdx_records='{ "archive.test:8080" = "http://data.test:8081/warcs/" }')
    [promise] = promises(read(lines(line(filename="a.warc.gz")), own, site))
    assert promise.source == "http://data.test:8081/warcs/a.warc.gz"
    assert site.discover.archive_hosts == ("archive.test:8080", "data.test:8081")


# ── what is taken ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"mime": "warc/revisit", "status": "-"}, "revisit"),
        ({"status": "301"}, "status"),
        ({"status": "-"}, "status"),
        ({"mime": "image/jpeg"}, "mime"),
        ({"timestamp": "20240231000000"}, "malformed"),
        ({"timestamp": "2024"}, "malformed"),
        ({"url": "http://news.test/about.html"}, "no_article"),
        ({"url": "http://elsewhere.test/20260907/1.html"}, "no_article"),
        ({"truncated": "length"}, "truncated"),
        ({"offset": "-1"}, "no_place"),
        ({"length": "0"}, "no_place"),
        ({"filename": ""}, "no_place"),
        ({"filename": "../../secret.warc.gz"}, "no_place"),
        ({"filename": "/etc/secret.warc.gz"}, "no_place"),
        ({"filename": "http://other.test/a.warc.gz"}, "no_place"),
        ({"filename": "a%2f..%2fb.warc.gz"}, "no_place"),
        ({"filename": "a.warc.gz?x=1"}, "no_place"),
        ({"filename": "a.warc"}, "no_place"),
        ({"length": str(MAX_MEMBER + 1)}, "too_large"),
    ],
)
def test_what_is_not_asked_for_is_counted_by_its_reason(said: dict[str, Any], word: str) -> None:
    found = read(lines(line(**said)))
    assert (promises(found), found.skipped, found.entries) == ([], ((word, 1),), 1)


def test_a_page_that_was_cut_there_is_asked_of_the_site_itself() -> None:
    found = read(lines(line(truncated="length")))
    assert [(link.url, link.kind) for link in found.links] == [(address(1), Kind.ARTICLE)]


def test_of_captures_with_the_same_payload_the_earliest_is_asked_for() -> None:
    found = read(lines(line(timestamp="20240303000000"), line(timestamp="20240301000000"), line(timestamp="20240302000000")))
    assert [promise.at for promise in promises(found)] == ["20240301000000"]
    assert found.skipped == (("same_payload", 2),)


def test_captures_with_another_payload_are_versions() -> None:
    assert len(promises(read(lines(line(), line(digest=OTHER, timestamp="20240302000000"))))) == 2


def test_captures_whose_digest_is_none_differ_by_their_time() -> None:
    found = read(lines(line(digest="-"), line(digest="-", timestamp="20240302000000")))
    assert [promise.digest for promise in promises(found)] == [None, None]


def test_lines_beyond_the_most_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdx, "MAX_LINES", 2)
    found = read(lines(line(1), line(2, digest=OTHER), line(3)))
    assert (len(promises(found)), found.skipped) == (2, (("lines", 1),))


# ── an index that only names addresses ───────────────────────────────────────────────────────────────────────────────


def test_where_nobody_says_where_captures_are_the_addresses_are_asked_of_the_site() -> None:
    found = read(lines(line(1), line(2), line(3, status="404"), line(4, status="301")), PLAIN)
    assert urls(found) == [address(1), address(2)]
    assert found.links[0].hints.via == PLAIN
    assert {link.kind for link in found.links} == {Kind.ARTICLE}


def test_many_captures_of_one_article_are_one_address() -> None:
    assert urls(read(lines(*(line(1, timestamp=f"2024030102030{n}") for n in range(9))), PLAIN)) == [address(1)]


def test_a_table_is_read_by_its_header() -> None:
    body = table(["200", address(1)], ["404", address(2)], ["-", address(3)], ["200"], header=("statuscode", "original"))
    assert urls(read(body, PLAIN)) == [address(1), address(3)]


def test_captures_of_other_sites_are_left_out() -> None:
    found = read(lines(line(1), line(2, url="http://x.example/20260907/2.html")) + '{"url": 5}\n{\n', PLAIN)
    assert (urls(found), found.out_of_scope) == ([address(1)], 1)


# ── answers that are none ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("url", [CRAWL, WAYBACK, PLAIN])
@pytest.mark.parametrize("body", ["", "\n", '{"message": "No Captures found for: news.test/*"}'])
def test_an_index_that_knows_nothing_is_an_index(body: str, url: str) -> None:
    assert read(body, url) == Found()


@pytest.mark.parametrize("url", [CRAWL, WAYBACK, PLAIN])
@pytest.mark.parametrize("body", ["<html></html>", "error", "[[", "[[1]]", '[["a"], {}]', "[[]]", "[[[]]]", "[" * 100_000, "{" * 100_000])
def test_what_is_no_index_is_noticed(body: str, url: str) -> None:
    assert read(body, url) == Found(is_expected_kind=False)


VALUES = st.one_of(st.text(st.characters(), max_size=20), st.integers(), st.booleans(), st.none(), st.lists(st.integers(), max_size=2))
FIELDS = st.sampled_from(["url", "timestamp", "status", "mime", "digest", "length", "offset", "filename", "truncated"])
BODIES = st.one_of(
    st.binary(max_size=200),
    st.lists(st.dictionaries(FIELDS, VALUES).map(lambda said: {**line(), **said})).map(lambda found: lines(*found).encode()),
    st.lists(st.lists(VALUES, max_size=7), max_size=5).map(lambda rows: json.dumps([["timestamp", "original"], *rows]).encode()),
    st.lists(VALUES, max_size=3).map(lambda key: json.dumps([["original"], ["x"], [], key]).encode()),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=12).map(lambda words: " ".join(words).encode()),
)


@settings(deadline=None)
@given(BODIES, st.sampled_from([CRAWL, COUNTED, WAYBACK, PLAIN]))
def test_no_bytes_raise_and_no_promise_leads_elsewhere(body: bytes, url: str) -> None:
    found = read(body, url)
    for promise in promises(found):
        assert promise.source.startswith(("https://data.commoncrawl.org/", "https://web.archive.org/web/"))
    for link in found.links:
        assert link.kind in (Kind.RECORD, Kind.CDX) or link.url.startswith(("http://news.test/", "http://other.test/"))


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_a_url_of_any_characters_is_promised_or_not_and_raises_nothing(tail: str) -> None:
    for url, body in ((CRAWL, lines(line(url=f"{address(1)}?{tail}"))), (WAYBACK, table([*ROW[:2], f"{address(1)}?{tail}", *ROW[3:]]))):
        for promise in promises(read(body, url)):
            assert Promise.at_place(promise.place()) == promise
