"""The tools that extraction is measured beside, each in its default use, for the measuring script of the yardstick.

Runs in an environment of its own (`benchmarks.extraction` makes it) and so imports nothing of ours.
"""

from __future__ import annotations

import re
from typing import Any


def trafilatura_default(html: str, url: str) -> dict[str, Any]:
    import trafilatura
    from trafilatura.metadata import extract_metadata

    text = trafilatura.extract(html, url=url)
    said = extract_metadata(html, url)
    return {"text": text, "title": said.title, "date": said.date, "author": said.author, "source": said.sitename}


def trafilatura_text(html: str, url: str) -> str:
    """Text alone: what ours is timed against."""
    import trafilatura

    return trafilatura.extract(html, url=url) or ""


def trafilatura_precision(html: str, url: str) -> str:
    import trafilatura

    return trafilatura.extract(html, url=url, favor_precision=True, include_comments=False) or ""


def readability(html: str, _url: str) -> dict[str, Any]:
    import lxml.html
    from readability import Document

    document = Document(html)
    tree = lxml.html.fromstring(document.summary())
    lines = (" ".join(str(element.xpath("string()")).split()) for element in tree.iter("p", "li", "h2", "h3", "td"))
    return {"text": "\n".join(line for line in lines if line) or str(tree.xpath("string()")), "title": document.short_title()}


def newspaper4k(html: str, url: str) -> dict[str, Any]:
    import newspaper  # type: ignore[import-not-found]  # in the peers' environment only

    chinese = len(re.findall("[\u4e00-\u9fff]", html)) > 200
    article = newspaper.article(url or "http://example.org/", input_html=html, language="zh" if chinese else "en")
    return {"text": article.text, "title": article.title, "date": article.publish_date, "author": article.authors}


def gne(html: str, _url: str) -> dict[str, Any]:
    from gne import GeneralNewsExtractor  # type: ignore[import-not-found]

    found = GeneralNewsExtractor().extract(html)
    return {"text": found["content"], "title": found["title"], "date": found["publish_time"], "author": found["author"]}
