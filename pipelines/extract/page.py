"""Characters to one tree, whatever the characters: bounded before lxml sees them, checked after.

lxml's HTML parser is quadratic in the attributes of one tag (40,000 take 4 s, HAZARDS) and stops at 2,048 open elements,
silently. So attributes are capped and data: URIs emptied in the markup, and a tree that holds far fewer characters than
the markup shows is thrown away for BeautifulSoup's, flattened to paragraphs.
"""

from __future__ import annotations

import itertools
import re
import warnings
from dataclasses import dataclass

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, XMLParsedAsHTMLWarning
from lxml import etree, html

MAX_ATTRIBUTES = 256
"""of one tag; the most seen on a real page is 38"""
MAX_DATA_URI = 256
"""characters of a data: URI that are kept"""
KEPT_SHARE = 0.5
"""A tree with less than this share of the markup's visible characters has lost text."""
_PLENTY = 4_000
"""visible characters of a tree that has lost nothing, unless libxml2 itself says so: the check costs more than the parse"""
_SUSPICIOUS_TAG = 16_384
"""characters: tags shorter than this cannot hold enough attributes to matter"""

_DATA_URI = re.compile(rf"data:[\w.+/-]{{0,80}}[;,][^\s\"'<>)]{{{MAX_DATA_URI},}}+")
# Possessive throughout: a tag is read once, whatever its quotes do. Scripts and comments are no tags, whatever they print.
_TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(?:script|style)\b.*?(?:</(?:script|style)|\Z)"""
    r"""|<[a-z](?:[^>"'=]++|=\s*+(?:"[^"]*+"|'[^']*+')|["'=])*+>?""",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""[^\s=>"'/]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"']*+))?""")
_UNSEEN = re.compile(r"<(script|style|noscript|template)\b.*?(?:</\1|\Z)|<!--.*?(?:-->|\Z)|<[^>]*+>", re.IGNORECASE | re.DOTALL)
_SILENT = re.compile(
    r"<(script|style|noscript|template)\b.*?(?:</\1[^>]*+>?|\Z)|<!--.*?(?:-->|\Z)|<!doctype\b[^>]*+>?", re.IGNORECASE | re.DOTALL
)
_STRAY = re.compile(r"<(?!/?[a-zA-Z][^<>]*+>)")
"""what begins no whole tag: Python's parser looks for the end of each again and again (100,000 take minutes)"""
_INLINE = re.compile(r"</?(?:a|b|i|u|em|strong|span|font|sup|sub|mark|small|big)\b[^<>]*+>", re.IGNORECASE)
_BREAKING = re.compile(r"(?:</?[a-zA-Z][^<>]*+>\s*+)++")
"""all other tags, a run of them at a time: 100,000 open elements cost BeautifulSoup 3 s, one <br/> nothing"""
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\f\r")
"""deleted from the UTF-8 bytes, where each is a character of its own; lone surrogates fall out on the way there"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One parsed page. `root` is the <html> element; readers copy what they change. `flattened` says that the tree
    lost text and stands for paragraphs only."""

    root: html.HtmlElement
    markup: str
    url: str
    flattened: bool = False


def parse(text: str, url: str) -> Page | None:
    """The page, or None where there is nothing to parse. Never raises; linear in the length of `text`."""
    markup = bounded(text)
    parser = html.HTMLParser(huge_tree=True, encoding="utf-8", remove_comments=True, remove_pis=True)
    root = _tree(markup, parser)
    if root is not None and not _lost_text(root, markup, parser):
        return Page(root=root, markup=markup, url=url)
    flat = _flatten(markup)
    return Page(root=flat, markup=markup, url=url, flattened=True) if len(flat[0]) else None


def bounded(text: str) -> str:
    """`text` without control characters, long data: URIs and more than MAX_ATTRIBUTES attributes in one tag."""
    text = text.encode("utf-8", "ignore").translate(None, _CONTROL).decode("utf-8")
    if "data:" in text:
        text = _DATA_URI.sub("data:,", text)
    return _TAG.sub(_fewer_attributes, text) if _has_long_tag(text) else text


def _has_long_tag(text: str) -> bool:
    return any(len(match[0]) > _SUSPICIOUS_TAG for match in _TAG.finditer(text))


def _fewer_attributes(tag: re.Match[str]) -> str:
    """The tag with its first MAX_ATTRIBUTES attributes; scripts, comments and all usual tags as they are."""
    if len(tag[0]) <= _SUSPICIOUS_TAG or not re.match("<(?!script|style)[a-z]", tag[0], re.IGNORECASE):
        return tag[0]
    parts = [part[0] for part in itertools.islice(_ATTRIBUTE.finditer(tag[0], 1), MAX_ATTRIBUTES + 1)]
    return f"<{' '.join(parts)}>"


def _tree(markup: str, parser: html.HTMLParser) -> html.HtmlElement | None:
    try:
        return html.document_fromstring(markup.encode("utf-8", "ignore"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        return None


def _lost_text(root: html.HtmlElement, markup: str, parser: html.HTMLParser) -> bool:
    if any(error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log):
        return True
    kept = _visible(root.xpath("string()"))
    return kept < _PLENTY and kept < KEPT_SHARE * _visible(_UNSEEN.sub(" ", markup))


def _visible(text: str) -> int:
    return len("".join(text.split()))


def _flatten(markup: str) -> html.HtmlElement:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        flat_markup = _BREAKING.sub("<br/>", _INLINE.sub("", _STRAY.sub(" ", _SILENT.sub(" ", markup))))
        soup = BeautifulSoup(flat_markup, "html.parser")
    flat = html.Element("html")
    body = etree.SubElement(flat, "body")
    for text in soup.stripped_strings:
        etree.SubElement(body, "p").text = text
    return flat
