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

from crawler.failures import WORDS, reason_of
from crawler.guard import Refused
from pipelines.stages import OUR_FAULT


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
