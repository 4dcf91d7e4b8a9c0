"""Whose answer serves whom, who waits, and who asks: over a real archive, without a network."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scrapy import Request

from crawler.redirects import Hop
from crawler.session import Session
from crawler.sharing import Answers
from pipelines import flow, reading
from pipelines.model import Capture, Kind
from pipelines.validators import Validators
from tests.crawler import made
from tests.crawler.made import HOST, address

OLD, NEW = address(1), address(2)
SEEN = Validators(etag='"a"', confirms=(NEW, made.NOW))


def asks(url: str = NEW, **meta: Any) -> Request:
    return Request(url, meta={"kind": Kind.ARTICLE, **meta})


def led(**meta: Any) -> Request:
    """A request to which a redirect has led."""
    return asks(redirects=(Hop(status=301, url=OLD, to=NEW),), **meta)


def answer(session: Session, status: int = 200, **more: Any) -> Capture:
    [capture] = made.written(session, made.exchange(NEW, made.article_page(2) if status == 200 else b"", status=status, **more))
    return capture


def commit(session: Session, answers: Answers, capture: Capture) -> None:
    with session.archive.catalogue.transaction() as tx:
        flow.write(tx, capture, session.site, reading.read(capture, session.site))
    answers.committed((capture,))


async def given(answers: Answers, capture: Capture) -> None:
    """Somebody asked, and this came."""
    first = asks(kind=capture.kind)
    assert await answers.take(first) is None
    answers.answered(first, capture)


def test_an_answer_serves_who_comes_after_it_before_and_after_it_is_committed(session: Session) -> None:
    async def story() -> None:
        answers, capture = Answers(session), answer(session)
        await given(answers, capture)
        assert await answers.take(led()) is capture
        commit(session, answers, capture)
        assert await answers.take(led()) == capture, "as it lies in the archive"
        assert capture.warc is not None
        assert session.shared == {capture.warc.record_id}

    asyncio.run(story())


def test_the_row_of_a_target_is_served_by_what_came_when_it_was_led_to(session: Session) -> None:
    async def story() -> None:
        answers, capture, first = Answers(session), answer(session), led()
        assert await answers.take(first) is None
        answers.answered(first, capture)
        commit(session, answers, capture)
        assert await answers.take(asks()) == capture

    asyncio.run(story())


def test_an_answer_of_an_earlier_run_serves_nobody(session: Session) -> None:
    async def story() -> None:
        answers, capture = Answers(session), answer(session, seconds=-1)
        commit(session, answers, capture)
        assert await answers.take(led()) is None

    asyncio.run(story())


def test_where_nothing_came_one_of_those_who_waited_asks_and_the_others_wait_for_it(session: Session) -> None:
    async def story() -> None:
        answers, capture = Answers(session), answer(session)
        first, second, third = asks(), led(), led()
        assert await answers.take(first) is None
        waiting = [asyncio.ensure_future(answers.take(one)) for one in (second, third)]
        await asyncio.sleep(0)
        answers.over(first)
        assert await waiting[0] is None
        assert not waiting[1].done()
        answers.answered(second, capture)
        assert await waiting[1] is capture

    asyncio.run(story())


@pytest.mark.parametrize("more", [{"status": 503}, {"status": 429}, {"truncated": "time"}, {"status": 304}])
def test_what_may_be_over_in_a_minute_serves_nobody(session: Session, more: dict[str, Any]) -> None:
    async def story() -> None:
        answers, capture = Answers(session), answer(session, **more)
        await given(answers, capture)
        assert await answers.take(led()) is None
        commit(session, answers, capture)
        assert await Answers(session).take(led()) is None

    asyncio.run(story())


@pytest.mark.parametrize("meta", [{"retry_times": 1}, {"unconditional": True}])
def test_who_asks_again_is_not_given_what_would_not_do(session: Session, meta: dict[str, Any]) -> None:
    async def story() -> None:
        answers = Answers(session)
        await given(answers, answer(session))
        assert await answers.take(led(**meta)) is None

    asyncio.run(story())


@pytest.mark.parametrize(
    ("kind", "validators", "serves"),
    [
        (Kind.LISTING, SEEN, True),
        (Kind.LISTING, None, False),
        (Kind.LISTING, Validators(etag='"b"', confirms=(OLD, made.NOW)), False),
        (Kind.ARTICLE, None, True),
    ],
)
def test_a_304_tells_a_list_nothing_that_has_not_seen_that_version(
    session: Session, kind: Kind, validators: Validators | None, *, serves: bool
) -> None:
    async def story() -> None:
        answers, capture = Answers(session), answer(session, 304, kind=kind, refers_to=SEEN.confirms)
        await given(answers, capture)
        meta = {"validators": validators} if validators else {}
        assert (await answers.take(led(kind=kind, **meta)) is capture) == serves

    asyncio.run(story())


def test_a_list_is_not_served_by_what_was_asked_for_as_an_article(session: Session) -> None:
    async def story() -> None:
        answers = Answers(session)
        await given(answers, answer(session))
        assert await answers.take(led(kind=Kind.LISTING)) is None

    asyncio.run(story())


def test_a_request_that_failed_before_it_asked_ends_nobody_elses_wait(session: Session) -> None:
    """A redirect carries its origin's meta: what the origin asked is not the target's."""

    async def story() -> None:
        answers = Answers(session)
        origin = asks(OLD)
        assert await answers.take(origin) is None
        hop = led(answer=origin.meta["answer"])
        first = asks()
        assert await answers.take(first) is None
        answers.over(hop)
        waiting = asyncio.ensure_future(answers.take(led()))
        await asyncio.sleep(0)
        assert not waiting.done()
        answers.over(first)
        assert await waiting is None

    asyncio.run(story())


def test_a_page_that_no_redirect_leads_to_is_not_looked_up(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        answers = Answers(session)
        monkeypatch.setattr(session, "archive", None)
        assert await answers.take(asks(f"{HOST}/x")) is None

    asyncio.run(story())
