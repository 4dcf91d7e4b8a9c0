"""Texts and articles for these tests: our own words, put together by a seed."""

from __future__ import annotations

import random
from datetime import datetime

from benchmarks.dedup_corpus import Writer
from pipelines.model import Article, Extraction, Precision, Quality, Rights

EXTRACTION = Extraction(method="layout:T3", charset="utf-8", charset_from="header", rules_digest="0" * 64, versions={})


def writer(seed: int = 0, language: str = "zh") -> Writer:
    made = Writer(language, random.Random(seed))
    made.begin_story()
    return made


def story(seed: int = 0, sentences: int = 20, language: str = "zh") -> str:
    """A text of its own for each seed, about 30 Chinese characters or 17 English words a sentence."""
    return "\n".join(writer(seed, language).paragraphs(sentences))


def article(
    text: str,
    *,
    title: str = "青川一处试验田换装新型传感器",
    url: str = "http://news.example/1.htm",
    published: datetime | None = None,
    precision: Precision = Precision.MINUTE,
    source: str | None = None,
    owned: bool | None = None,
    confidence: float = 1.0,
    flags: tuple[str, ...] = (),
) -> Article:
    return Article(
        url=url,
        site="example",
        title=title,
        paragraphs=tuple(text.split("\n")),
        published=published,
        published_precision=precision if published else None,
        source=source,
        rights=Rights(owned=owned),
        quality=Quality(confidence=confidence, flags=flags),
        extraction=EXTRACTION,
    )
