"""The two readers that are not ours: trafilatura and readability, each a function from a tree to text.

The only file that knows either library. Both read a lean copy of the tree that the page was parsed into once.
Trafilatura never sees comments or tables: with them, F1 on Chinese pages falls from .91 to .88 (benchmarks/README.md).
"""

from __future__ import annotations

import re
from copy import deepcopy

from lxml import etree, html
from readability import Document
from readability.readability import Unparseable
from trafilatura import bare_extraction
from trafilatura.settings import Extractor

_THEIR_FAULTS = (ValueError, TypeError, AttributeError, AssertionError, LookupError, RecursionError, etree.LxmlError, Unparseable)
"""What the libraries let out on broken trees; a reader that fails has no opinion."""
_DEAD_WEIGHT = ("script", "style", "svg", "noscript", "template", "iframe", "select", "textarea", "button", "object", "embed")


def lean(root: html.HtmlElement) -> html.HtmlElement:
    """A copy of the tree without what no reader reads: it is copied several times more by either library."""
    copy = deepcopy(root)
    etree.strip_elements(copy, *_DEAD_WEIGHT, with_tail=False)
    return copy


def trafilatura_text(root: html.HtmlElement) -> str:
    """What trafilatura takes for the article, one paragraph a line; "" where it finds none. In its fast mode: the slow one
    asks readability and justext, and would be no independent voice."""
    try:
        document = bare_extraction(root, options=Extractor(output_format="python", fast=True, comments=False, tables=False))
    except _THEIR_FAULTS:
        return ""
    text = (getattr(document, "text", None) or "") if document is not None else ""
    return _LIST_MARK.sub("", text)


_LIST_MARK = re.compile(r"^- ", re.MULTILINE)
"""what trafilatura prints before the items of a list"""


def readability_text(root: html.HtmlElement) -> str:
    """What readability takes for the article, one piece of text a line; "" where it finds none."""
    try:
        document = _Summary(root)
        document.summary(html_partial=True)
    except _THEIR_FAULTS:
        return ""
    return "\n".join(text for text in document.html.itertext() if not text.isspace())


class _Summary(Document):  # type: ignore[misc]  # readability ships no types
    """Readability without its first and its last step: the tree is clean already (18 of 43 ms a page), and its removal of
    attributes by regular expression is quadratic on hostile ones. What it found is left in `html`."""

    def _parse(self, root: html.HtmlElement) -> html.HtmlElement:
        self.encoding = "utf-8"
        return deepcopy(root)

    def get_clean_html(self) -> str:
        return str(html.tostring(self.html, encoding="unicode"))
