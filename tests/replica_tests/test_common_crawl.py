"""The replica's Common Crawl: pages of an index, and WARC files by ranges, held against a WARC reader that is not ours."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from tests.replica import captures, common_crawl
from tests.replica.captures import NEW_CRAWL, OLD_CRAWL, Held, held
from tests.replica.common_crawl import line, range_of, record, respond

HELD = [one for crawl in captures.CRAWLS for one in held(crawl)]


def index(crawl: str, question: str) -> tuple[int, bytes]:
    kind, (status, _, body) = respond(f"https://index.commoncrawl.org/{crawl}-index?{question}", {})
    assert kind == "index"
    assert isinstance(body, bytes)
    return status, body


def lines(crawl: str, question: str) -> list[dict[str, Any]]:
    status, body = index(crawl, question)
    assert status == 200
    return [json.loads(text) for text in body.decode().splitlines()]


def ranged(url: str, asked: str | None) -> tuple[int, dict[str, str], bytes]:
    kind, (status, headers, body) = respond(url, {"range": asked} if asked else {})
    assert kind == "range"
    assert isinstance(body, bytes)
    return status, dict(headers), body


def test_every_capture_has_one_line_in_the_order_of_the_index() -> None:
    found = lines(OLD_CRAWL, "url=*.china.com.cn&output=json")
    assert [(one["url"], one["timestamp"]) for one in found] == [(one.url, one.stamp) for one in held(OLD_CRAWL)]
    assert [one["urlkey"] for one in found] == sorted(one["urlkey"] for one in found)


def test_a_line_says_what_the_real_ones_say() -> None:
    [one] = lines(NEW_CRAWL, f"url={captures.only_cut().url}&output=json")
    names = {"urlkey", "timestamp", "url", "mime", "mime-detected", "status", "digest", "length", "offset", "filename"}
    assert set(one) == names | {"charset", "languages", "truncated"}
    assert {type(value) for value in one.values()} == {str}


def test_a_redirect_says_where_it_leads() -> None:
    [one] = [one for one in lines(OLD_CRAWL, "url=*.china.com.cn&output=json") if one["status"] == "301"]
    assert one["redirect"] == "http://tech.china.com.cn/"


def test_without_json_a_line_is_cdxj() -> None:
    _, body = index(NEW_CRAWL, f"url={captures.only_cut().url}")
    key, stamp, rest = body.decode().split(" ", 2)
    assert (key, stamp) == (captures.key(captures.only_cut().url), "20240229235958")
    assert json.loads(rest)["truncated"] == "length"


@pytest.mark.parametrize(("crawl", "size"), [(OLD_CRAWL, 1), (OLD_CRAWL, 3), (NEW_CRAWL, 2), (NEW_CRAWL, 50)])
def test_the_pages_together_are_the_whole(crawl: str, size: int) -> None:
    question = f"url=*.china.com.cn&output=json&pageSize={size}"
    [said] = lines(crawl, f"{question}&showNumPages=true")
    assert said["pageSize"] == size
    pages = [lines(crawl, f"{question}&page={page}") for page in range(said["pages"])]
    assert all(pages)
    assert [one for page in pages for one in page] == lines(crawl, "url=*.china.com.cn&output=json")


def test_a_page_behind_the_last_is_an_error_that_names_the_last() -> None:
    status, body = index(NEW_CRAWL, "url=*.china.com.cn&pageSize=1&page=3")
    assert (status, json.loads(body)) == (400, {"message": "Page 3 invalid: First Page is 0, Last Page is 2"})


def test_nothing_is_404_with_a_message_and_a_crawl_that_is_not_there_404_without_one() -> None:
    status, body = index(NEW_CRAWL, "url=example.org/*&output=json")
    assert (status, json.loads(body)) == (404, {"message": "No Captures found for: example.org/*"})
    status, body = index("CC-MAIN-2013-20", "url=*.china.com.cn")
    assert (status, body.startswith(b"<html>")) == (404, True)


@pytest.mark.parametrize("question", ["output=json", "url=*.china.com.cn&fl=url"])
def test_a_question_that_is_not_understood_is_an_error(question: str) -> None:
    assert index(NEW_CRAWL, question)[0] == 400


@pytest.mark.parametrize("one", HELD, ids=lambda one: f"{one.archive}-{one.stamp}")
def test_the_range_of_a_line_is_one_record_with_the_answer_of_then(one: Held) -> None:
    said = json.loads(line(one))
    url = f"https://data.commoncrawl.org/{said['filename']}"
    asked = f"bytes={said['offset']}-{int(said['offset']) + int(said['length']) - 1}"
    assert (url, asked) == range_of(one)
    status, headers, body = ranged(url, asked)
    assert (status, body) == (206, record(one))
    assert headers["Content-Range"].startswith(f"bytes {asked.removeprefix('bytes=')}/")
    [found] = list(ArchiveIterator(BytesIO(body), check_digests="raise"))
    fields = found.rec_headers
    assert (found.rec_type, fields["WARC-Target-URI"], found.http_headers.get_statuscode()) == ("response", one.url, str(one.status))
    assert fields["WARC-Date"].translate({ord(sign): None for sign in "-:TZ"}) == one.stamp
    assert (fields["WARC-Truncated"] == "length") is one.truncated
    assert fields["WARC-Payload-Digest"] == f"sha1:{one.digest}"


def test_a_file_is_read_whole_by_another_reader_and_holds_a_request_for_each_answer() -> None:
    urls = sorted({range_of(one)[0] for one in HELD})
    assert len(urls) == 3, "pages of two crawls, and what was no page in one of them"
    for url in urls:
        status, headers, body = ranged(url, None)
        assert (status, headers["Accept-Ranges"]) == (200, "bytes")
        types = [found.rec_type for found in ArchiveIterator(BytesIO(body))]
        assert types[0] == "warcinfo"
        assert types[1:] == ["request", "response"] * (len(types) // 2)


def test_ranges_are_cut_at_the_end_and_refused_behind_it() -> None:
    url, _ = range_of(HELD[0])
    whole = ranged(url, None)[2]
    assert ranged(url, f"bytes={len(whole) - 5}-{len(whole) + 5}")[2] == whole[-5:]
    status, headers, body = ranged(url, f"bytes={len(whole)}-")
    assert (status, headers["Content-Range"], body) == (416, f"bytes */{len(whole)}", b"")


def test_a_file_that_is_not_there_is_forbidden_as_the_store_says_it() -> None:
    assert ranged("https://data.commoncrawl.org/crawl-data/none.warc.gz", "bytes=0-9")[0] == 403


def test_the_index_has_a_robots_txt_and_the_store_has_none() -> None:
    assert respond(f"https://{common_crawl.INDEX}/robots.txt", {})[1][0] == 200
    assert respond(f"https://{common_crawl.DATA}/robots.txt", {}) == ("robots", respond(f"https://{common_crawl.DATA}/x", {})[1])
