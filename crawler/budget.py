"""What a run has sent and received, beside what its seeds file lets it: counted where it happens, in crawler.transport.

A budget that counts what the run has in mind is no budget: a URL that redirects, or fails and is tried again, costs the site
a request each time. Captures of other archives have a budget of their own (`max_records`).
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from scrapy.crawler import Crawler

from crawler.guard import site_of
from pipelines.model import Kind
from pipelines.site import Politeness


@dataclass(slots=True)
class Budget:
    politeness: Politeness
    requests: int = 0
    received: int = 0
    """bytes of headers and bodies, as they came off the network"""

    def allows(self, kind: Kind | None) -> bool:
        """Whether one more request may be sent."""
        return kind is Kind.RECORD or self.requests < self.politeness.max_requests

    def sent(self, kind: Kind | None) -> None:
        self.requests += kind is not Kind.RECORD

    def came(self, size: int) -> None:
        self.received += size

    @property
    def spent(self) -> str | None:
        """The budget that is spent, by its key in the seeds file."""
        if self.requests >= self.politeness.max_requests:
            return "max_requests"
        return "max_bytes" if self.received > self.politeness.max_bytes else None


_BUDGETS: WeakKeyDictionary[Crawler, Budget] = WeakKeyDictionary()


def budget_of(crawler: Crawler) -> Budget:
    """The one budget of a crawl."""
    if crawler not in _BUDGETS:
        _BUDGETS[crawler] = Budget(site_of(crawler).politeness)
    return _BUDGETS[crawler]
