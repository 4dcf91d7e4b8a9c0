"""Why nothing came of a request: exceptions of Scrapy, Twisted and ours as the words of the ledger. A table."""

from __future__ import annotations

from collections.abc import Sequence

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
from pipelines.model import Capture, Reason
from pipelines.reading import REDIRECTS
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

OF_REDIRECTS = frozenset({Reason.HTTP_ERROR, "redirect_refused", "redirect_loop"})
"""reasons for which a redirect itself is the answer, and not only on the way to one"""


def answer(reason: str, captures: Sequence[Capture]) -> int | None:
    """The status that came where a request failed for a reason; None where nothing did, or it only led on."""
    status = captures[-1].status if captures else None
    return None if status in REDIRECTS and reason not in OF_REDIRECTS else status


def reason_of(error: BaseException) -> str:
    """One word for the ledger."""
    if isinstance(error, Refused):
        return error.reason
    return next((word for kind, word in WORDS if isinstance(error, kind)), type(error).__name__)
