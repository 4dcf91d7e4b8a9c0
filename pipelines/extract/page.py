"""Characters to one tree, whatever the characters: bounded before lxml sees them, checked after.

lxml's HTML parser is quadratic in the attributes of one tag (40,000 take 4 s, HAZARDS) and stops at 2,048 open elements,
silently. So attributes are capped in long pages, data: URIs emptied in the markup, and a tree that holds far fewer characters than
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
_SUSPICIOUS_PAGE = 65_536
"""characters: a shorter page that is one tag (16,000 attributes) is parsed in 0.6 s; looking at the tags of every page is a tenth of
its time"""

_DATA_URI = re.compile(rf"data:[\w.+/-]{{0,80}}[;,][^\s\"'<>)]{{{MAX_DATA_URI},}}+")
# Possessive throughout: a tag is read once, whatever its quotes do. What scripts and comments print is no tag; they are
# passed in runs of characters, not one by one, which is a third of the time of a lazy search.
_START = r"""<[a-z][^>"'=]*+(?:(?:=\s*+(?:"[^"]*+"|'[^']*+')|["'=])[^>"'=]*+)*+>?"""
_START_TAG = re.compile(_START, re.IGNORECASE)
_PIECE = re.compile(
    r"""<!--[^-]*+(?:-(?!->)[^-]*+)*+(?:-->|\Z)"""
    r"""|<(?:script|style)\b[^<]*+(?:<(?!/(?:script|style))[^<]*+)*+(?:</(?:script|style)|\Z)"""
    rf"""|{_START}""",
    re.IGNORECASE,
)
"""a comment, a script with its start tag, or any other start tag"""
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
_CLASSES = etree.ElementDefaultClassLookup(
    element=html.HtmlElement, comment=html.HtmlComment, pi=html.HtmlProcessingInstruction, entity=html.HtmlEntity
)
"""one class for all elements: lxml.html's own look-up asks Python for each, which is half the time of a walk over a tree"""
_STRING = etree.XPath("string()", smart_strings=False)
_SPOKEN_NAMES = """
    sr-only visually-hidden visuallyhidden visually-hidden-text screen-reader-text screen-reader screenreader screen-reader-only
    screenreader-only u-visually-hidden a11y-hidden
"""
_SPOKEN_CLASSES = frozenset(_SPOKEN_NAMES.split())
"""what frameworks call text that is spoken and not shown"""
_CLIPPED = re.compile(r"\bclip: ?rect\((?:[01](?:px)?,? ?){4}\)")
_SPOKEN = ("sr-only", "visually", "screen-reader", "screenreader", "a11y-hidden", "clip:")
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
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


def parse(text: str, url: str, utf8: bytes | None = None) -> Page | None:
    """The page, or None where there is nothing to parse. Never raises; linear in the length of `text`, whose UTF-8 is made only
    where it is not given."""
    markup, encoded = bounded(text, utf8)
    parser = etree.HTMLParser(huge_tree=True, encoding="utf-8", remove_comments=True, remove_pis=True)
    parser.set_element_class_lookup(_CLASSES)
    root = _tree(encoded, parser)
    if root is not None and not _lost_text(root, markup, parser):
        _drop_spoken(root, markup)
        return Page(root=root, markup=markup, url=url)
    flat = _flatten(markup)
    return Page(root=flat, markup=markup, url=url, flattened=True) if len(flat[0]) else None


def _drop_spoken(root: html.HtmlElement, markup: str) -> None:
    """Without the words inside a line that only screen readers speak (", opens new tab"): nobody sees them in the sentence. A block
    of its own stays: some pages hide their heading so."""
    if not any(word in markup for word in _SPOKEN):
        return
    for element in list(root.iter("span", "small")):
        if _is_spoken(element) and element.getparent().tag not in _HEADINGS:
            element.drop_tree()


def _is_spoken(element: html.HtmlElement) -> bool:
    style = element.get("style")
    return not _SPOKEN_CLASSES.isdisjoint((element.get("class") or "").split()) or (bool(style) and _CLIPPED.search(style) is not None)


def bounded(text: str, utf8: bytes | None = None) -> tuple[str, bytes]:
    """`text` without control characters, long data: URIs and, in a page that is long enough for it to matter, more than
    MAX_ATTRIBUTES attributes in one tag; and its UTF-8. A usual page is not copied."""
    try:
        encoded = text.encode("utf-8") if utf8 is None else utf8
    except UnicodeEncodeError:  # a lone surrogate
        encoded = text.encode("utf-8", "ignore")
        text = encoded.decode("utf-8")
    if len(kept := encoded.translate(None, _CONTROL)) != len(encoded):
        encoded, text = kept, kept.decode("utf-8")
    bare = _DATA_URI.sub("data:,", text) if "data:" in text else text
    if _has_long_tag(bare):
        bare = _PIECE.sub(_fewer_attributes, bare)
    return bare, encoded if bare is text else bare.encode("utf-8")


def _has_long_tag(text: str) -> bool:
    if len(text) <= _SUSPICIOUS_PAGE:
        return False
    return any(len(piece) > _SUSPICIOUS_TAG and _start_length(piece) > _SUSPICIOUS_TAG for piece in _PIECE.findall(text))


def _start_length(piece: str) -> int:
    """The characters of the start tag that a piece begins with; none in a comment."""
    start = _START_TAG.match(piece)
    return start.end() if start else 0


def _fewer_attributes(piece: re.Match[str]) -> str:
    """The piece with the first MAX_ATTRIBUTES attributes of its start tag; comments and all usual tags as they are."""
    text = piece[0]
    length = _start_length(text) if len(text) > _SUSPICIOUS_TAG else 0
    if length <= _SUSPICIOUS_TAG:
        return text
    parts = [part[0] for part in itertools.islice(_ATTRIBUTE.finditer(text, 1, length), MAX_ATTRIBUTES + 1)]
    return f"<{' '.join(parts)}>{text[length:]}"


def _tree(encoded: bytes, parser: etree.HTMLParser) -> html.HtmlElement | None:
    try:
        return html.document_fromstring(encoded, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        return None


def _lost_text(root: html.HtmlElement, markup: str, parser: etree.HTMLParser) -> bool:
    if any(error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log):
        return True
    text = str(_STRING(root))
    kept = _visible(text[: 2 * _PLENTY])
    if kept < _PLENTY:
        kept = _visible(text)
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
