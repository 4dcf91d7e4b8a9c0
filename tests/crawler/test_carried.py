"""What a request carries, and what of it goes on to the one that is made in its place."""

from __future__ import annotations

from scrapy import Request

from crawler.capture import as_capture
from crawler.carried import again, carried, drop_answer, keep_answer
from pipelines.model import Kind
from tests.crawler import made


def test_a_request_in_the_place_of_another_carries_on_what_is_not_left_behind() -> None:
    request = Request("http://a.test/", meta={"kind": Kind.ARTICLE, "retry_times": 1, "unconditional": True})
    after = again(request, {"retry_times": 2}, without=("unconditional",), url="http://a.test/b")
    assert (after.url, after.dont_filter, after.meta) == ("http://a.test/b", True, {"kind": Kind.ARTICLE, "retry_times": 2})
    assert carried(request)["retry_times"] == 1


def test_the_answer_of_the_origin_is_forgotten_and_its_capture_remembered() -> None:
    first, second = as_capture(made.exchange("http://a.test/")), as_capture(made.exchange("http://a.test/b"))
    request = Request("http://a.test/", meta={"rejection": 1, "broken": "2"})
    keep_answer(request, first)
    drop_answer(request)
    assert request.meta == {"captures": (first,)}
    keep_answer(request, second)
    assert request.meta == {"capture": second, "captures": (first, second)}
