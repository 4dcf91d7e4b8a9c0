"""Why nothing came of a request: exceptions of Scrapy, Twisted and ours as the words of the ledger. A table."""

from __future__ import annotations

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

from crawler.guard import Refused
from pipelines.stages import OUR_FAULT

WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (CannotResolveHostError, "no_such_host"),
    (DownloadConnectionRefusedError, "connection_refused"),
    (DownloadTimeoutError, "timeout"),
    (DownloadCancelledError, "too_large"),
    (ResponseDataLossError, "partial"),
    (UnsupportedURLSchemeError, "scheme"),
    (DownloadFailedError, "connection_lost"),
    (IgnoreRequest, "refused"),
    # no network and no server raises these: a line of ours does
    (AssertionError, OUR_FAULT),
    (AttributeError, OUR_FAULT),
    (LookupError, OUR_FAULT),
    (NameError, OUR_FAULT),
    (TypeError, OUR_FAULT),
    (ArithmeticError, OUR_FAULT),
)


def reason_of(error: BaseException) -> str:
    """One word for the ledger."""
    if isinstance(error, Refused):
        return error.reason
    return next((word for kind, word in WORDS if isinstance(error, kind)), type(error).__name__)
