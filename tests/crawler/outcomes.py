"""What the test crawls of crawl_once.py hand back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one URL: an answer, or the `error` that stood in its way (a reason of ours, or a class name)."""

    url: str
    """as first asked for"""
    final_url: str = ""
    status: int | None = None
    body: str = ""
    error: str | None = None
    detail: str = ""
    rejection: str | None = None
    truncated: str | None = None
    redirects: list[list[Any]] = field(default_factory=list)
    earlier: int = 0
    lease: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """`exchanges` as the writer got them, heads of their bodies as latin-1; `worst_stall` of the event loop in seconds."""

    outcomes: list[Outcome]
    exchanges: list[dict[str, Any]]
    stats: dict[str, Any]
    log: str
    hosts: dict[str, dict[str, Any]]
    worst_stall: float
    peak_mb: float

    def of(self, url: str) -> Outcome:
        return next(outcome for outcome in self.outcomes if outcome.url == url)

    def records(self, url: str) -> list[dict[str, Any]]:
        return [exchange for exchange in self.exchanges if exchange["url"] == url]
