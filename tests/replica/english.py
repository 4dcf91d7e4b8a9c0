"""English articles of www.china.org.cn."""

from __future__ import annotations

from tests.replica.truth import TrueArticle


def english() -> tuple[TrueArticle, ...]:
    return ()
