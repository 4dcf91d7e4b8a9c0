"""Every exception that can end a request is one word of the ledger, and a bug of ours is called one."""

from __future__ import annotations

import pytest
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from twisted.internet.error import ConnectionLost

from crawler.failures import WORDS, answer, reason_of
from crawler.guard import Refused
from pipelines.model import Capture, Reason
from pipelines.stages import OUR_FAULT
from tests.crawler import made


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (CannotResolveHostError(), "no_such_host"),
        (DownloadConnectionRefusedError(), "connection_refused"),
        (DownloadTimeoutError(), "timeout"),
        (DownloadCancelledError(), "too_large"),
        (ResponseDataLossError(), "partial"),
        (UnsupportedURLSchemeError(), "scheme"),
        (DownloadFailedError(), "connection_lost"),
        (IgnoreRequest(), "refused"),
        (Refused("robots", "not allowed"), "robots"),
        (Refused("host_given_up", "it refused us"), "host_given_up"),
        (ConnectionLost(), "ConnectionLost"),
    ],
)
def test_what_stood_in_the_way_has_a_word(error: Exception, word: str) -> None:
    assert reason_of(error) == word


@pytest.mark.parametrize(
    "error", [KeyError("x"), IndexError(), TypeError(), AttributeError(), AssertionError(), ZeroDivisionError(), NameError()]
)
def test_what_no_network_raises_is_our_fault(error: Exception) -> None:
    assert reason_of(error) == OUR_FAULT


def test_a_narrower_class_stands_before_a_wider_one() -> None:
    kinds = [kind for kind, _ in WORDS]
    hidden = [(wide, narrow) for n, wide in enumerate(kinds) for narrow in kinds[n + 1 :] if issubclass(narrow, wide)]
    assert hidden == []


@pytest.mark.parametrize(
    ("reason", "statuses", "status"),
    [
        ("timeout", (), None),
        ("timeout", (302,), None),
        (Reason.HTTP_ERROR, (404,), 404),
        (Reason.HTTP_ERROR, (301, 404), 404),
        (Reason.HTTP_ERROR, (302,), 302),
        ("redirect_refused", (301,), 301),
        ("not_a_feed", (200,), 200),
    ],
)
def test_a_redirect_that_leads_on_is_no_answer(reason: str, statuses: tuple[int, ...], status: int | None) -> None:
    captures = [Capture(url=made.HOST, fetched_at=made.NOW, status=one, headers=(), body=b"") for one in statuses]
    assert answer(reason, captures) == status
