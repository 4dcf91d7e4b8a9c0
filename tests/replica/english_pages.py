"""English pages (to come)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tests.replica.resource import Resource
from tests.replica.truth import TrueArticle


def pages(articles: Sequence[TrueArticle], moment: datetime) -> dict[tuple[str, str], Resource]:
    return {}
