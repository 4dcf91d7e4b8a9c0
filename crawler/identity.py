"""Who we say we are: our own name, our version, and where our people are found. Never a browser's name."""

from __future__ import annotations

import logging
import re
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

_UNFIT = re.compile(r"[^\x21-\x7e]+|[()]")


def user_agent(agent: str, contact: str) -> str:
    """ "name/1.0 (+contact)" (RFC 9110 §10.1.5); what could break the header or its comment is left out of the contact."""
    fit = _UNFIT.sub("", contact)
    return f"{agent} (+{fit})" if fit else agent


class IdentityMiddleware:
    """Every request carries the same User-Agent, robots.txt's too."""

    def __init__(self, crawler: Crawler) -> None:
        contact = crawler.settings["CONTACT"] or ""
        self._agent = user_agent(crawler.settings["USER_AGENT"], contact)
        if not contact:
            logger.warning("CONTACT is empty: nobody at the site can reach you. Set it with -s CONTACT=<mail address or URL>.")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        request.headers["User-Agent"] = self._agent
