"""What an answer says of its own version (RFC 9110 §8.8), and what of that may be sent back with the next request. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipelines.model import Capture

MAX_VALIDATOR = 512
"""characters; longer ones are junk, and would be sent back with every request"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server said of a version of a page, as received. `confirms` is the URL and the time of the capture that has
    the body: a 304 becomes a revisit record that refers to it."""

    etag: str | None = None
    last_modified: str | None = None
    confirms: tuple[str, datetime] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What makes a request conditional; a server that knows both looks at the etag only (RFC 9110 §13.2.2)."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}

    def are_of(self, url: str) -> bool:
        """Whether it was this URL that sent them."""
        return self.confirms is not None and self.confirms[0] == url


def validators_of(capture: Capture) -> Validators:
    """What of a 200 may be stored for the next visit. A Last-Modified after the fetch would claim "not modified" until
    that day comes (RFC 9110 §8.8.2.1), so it is dropped; weak etags serve, as pages are compared whole."""
    return Validators(
        etag=_plain(capture.header("ETag")),
        last_modified=_plain(_past(capture.header("Last-Modified"), capture.fetched_at)),
        confirms=(capture.url, capture.fetched_at),
    )


def http_date(value: str) -> datetime | None:
    """An HTTP-date (RFC 9110 §5.6.7), aware; None for anything else."""
    try:
        moment = parsedate_to_datetime(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _past(value: str | None, now: datetime) -> str | None:
    moment = http_date(value) if value else None
    return value if moment is not None and moment <= now else None


def _plain(value: str | None) -> str | None:
    """A value that can go into a request header again: printable ASCII, of a sane length."""
    value = (value or "").strip()
    return value if value and len(value) <= MAX_VALIDATOR and value.isascii() and value.isprintable() else None
