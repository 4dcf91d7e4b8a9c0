"""The only door: what a capture is, by its site's rules, and that it is written down once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.session import Session
from pipelines import flow, reading
from pipelines.archive import schema
from pipelines.archive.ledger import Outcome
from pipelines.model import Article, Capture, Kind, Reason, Rejection, Verdict
from pipelines.site import generic_site
from tests.crawler import made
from tests.crawler.made import HOST, address

SITE = made.site()
HEADERS = (("Content-Type", "text/html; charset=utf-8"),)


def capture(url: str, body: bytes = b"", status: int = 200, kind: Kind = Kind.ARTICLE, **rest: object) -> Capture:
    return Capture(url=url, fetched_at=made.NOW, status=status, headers=HEADERS, body=body, kind=kind, **rest)  # type: ignore[arg-type]


def redirect(target: str, url: str = address(1)) -> Rejection:
    result = reading.read(replace(capture(url, status=302), headers=(("Location", target),)), SITE)
    assert isinstance(result, Rejection)
    return result


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = made.session_at(tmp_path / "archive")
    yield session
    session.exits.close()


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_article_page_is_read_as_one() -> None:
    result = reading.read(capture(address(1), made.article_page(1)), SITE)
    assert isinstance(result, Article)
    assert result.paragraphs == made.LINES


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ARTICLE])
def test_what_was_fetched_as_something_else_is_not_read_as_an_article(kind: Kind) -> None:
    assert reading.read(capture(address(1), made.article_page(1), kind=kind), SITE) is None


def test_a_page_that_no_rule_calls_an_article_is_out_of_scope() -> None:
    result = reading.read(capture(f"{HOST}/about.html", made.article_page(1)), SITE)
    assert isinstance(result, Rejection)
    assert result.reason is Reason.OUT_OF_SCOPE


@pytest.mark.parametrize("target", ["/", f"{HOST}/", "/index.html", "/it/", "/404.html", "/error.shtml", f"{HOST}/flash/"])
def test_a_redirect_to_a_page_that_stands_for_none_says_gone(target: str) -> None:
    assert redirect(target).reason is Reason.GONE


@pytest.mark.parametrize("target", [address(2), "/other/20260907/1.html", "https://news.test/20260907/1.html", "", "javascript:void(0)"])
def test_a_redirect_to_anything_else_is_one(target: str) -> None:
    assert redirect(target).reason is Reason.REDIRECT


@pytest.mark.parametrize(("original", "reason"), [(address(1), Reason.NOT_MODIFIED), (address(2), Reason.PARTIAL)])
def test_a_revisit_record_of_the_same_payload_confirms_its_own_page_alone(original: str, reason: Reason) -> None:
    result = reading.read(capture(address(1), refers_to=(original, made.NOW)), SITE)
    assert isinstance(result, Rejection)
    assert result.reason is reason


def test_a_redirect_home_says_gone_for_a_site_of_which_nothing_is_known() -> None:
    moved = replace(capture("http://elsewhere.test/a/1.html", status=301), headers=(("Location", "/"),))
    result = reading.read(moved, generic_site())
    assert isinstance(result, Rejection)
    assert result.reason is Reason.GONE


@settings(deadline=None, max_examples=40)
@given(body=st.binary(max_size=300), status=st.sampled_from([200, 206, 301, 304, 404, 410, 500, 999]), target=st.text(max_size=30))
def test_no_bytes_and_no_status_raise(body: bytes, status: int, target: str) -> None:
    reading.read(replace(capture(address(1), body, status), headers=(*HEADERS, ("Location", target))), SITE)


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def written(seen: Capture, session: Session) -> Outcome:
    result = reading.read(seen, session.site)
    with session.archive.catalogue.transaction() as tx:
        return flow.write(tx, seen, session.site, result)


def test_a_capture_is_written_down_once(session: Session) -> None:
    [seen] = made.written(session, made.exchange(address(1), made.article_page(1)))
    first = written(seen, session)
    again = written(seen, session)
    assert (first.word, first.known, again.word, again.known) == (Verdict.NEW, False, Verdict.NEW, True)


def test_a_list_is_noted_by_its_kind(session: Session) -> None:
    [seen] = made.written(session, made.exchange(f"{HOST}/flash/", made.list_page([1]), kind=Kind.LISTING))
    assert written(seen, session).word == Kind.LISTING
    assert made.count(session, schema.article) == 0
    assert made.count(session, schema.capture) == 1


def test_a_later_page_is_written_to_its_article(session: Session) -> None:
    first = made.exchange(address(1), made.article_page(1, text=made.LINES[:1], following="1_2.html"))
    second = made.exchange(address(1, 2), made.article_page(1, text=made.LINES[1:]), seconds=1)
    words = [written(seen, session).word for seen in made.written(session, first, second)]
    assert words == ["awaiting_parts", Verdict.NEW]
    assert made.texts(session) == {address(1): "\n".join(made.LINES)}


def test_a_later_page_that_is_gone_denies_nothing(session: Session) -> None:
    pages = (
        made.exchange(address(1), made.article_page(1)),
        made.exchange(address(1, 2), status=404, seconds=90_000),
        made.exchange(address(1, 2), status=404, seconds=190_000),
        made.exchange(address(2), made.article_page(2, text=["别的"] * 3), seconds=90_001),
        made.exchange(address(2), made.article_page(2, text=["别的"] * 3), seconds=190_001),
    )
    for seen in made.written(session, *pages):
        written(seen, session)
    with session.archive.catalogue.snapshot() as tx:
        status = tx.scalar(sa.select(schema.article.c.status).where(schema.article.c.url == address(1)))
    assert status == "active"


def test_what_a_copy_on_a_mirror_lacks_its_original_may_have(tmp_path: Path) -> None:
    mirror = "[[identity.mirror]]\npattern = 'http://m\\.test/(?P<path>.*)'\noriginal = 'http://news.test/{path}'\n\n[[layout]]"
    session = made.session_at(tmp_path / "mirrored", made.site(**{"[[layout]]": mirror}))
    pages = (made.exchange(address(1), made.article_page(1)), made.exchange("http://m.test/20260907/1.html", status=404, seconds=5))
    words = [written(seen, session).word for seen in made.written(session, *pages)]
    assert words == [Verdict.NEW, Reason.GONE]
    assert made.count(session, schema.page) == 1
    session.exits.close()
