"""Feeds and sitemaps to links. Pure.

XML is read without entities, DTD or network: a document that brings a DTD is not read at all (HAZARDS: XXE, bombs).
Elements are known by their local names, since feeds disagree about namespaces.
"""

from __future__ import annotations

import re
import zlib

from lxml import etree

from crawler.links import MAX_URL, UNEXPECTED, Basket, Found, Text, clipped, offered
from pipelines.model import Hints, Kind
from pipelines.text import presence

MAX_SITEMAP = 10 * 1024**2
"""bytes of a sitemap, once unpacked (HAZARDS, sitemap bomb)"""

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*>")
_PROLOG = re.compile(r"(?:\s++|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_HALVES = re.compile(
    r"&#(?:x0{0,9}d[89a-f][0-9a-f]{2}|0{0,9}(?:5529[6-9]|55[3-9]\d\d|56\d{3}|57[0-2]\d\d|573[0-3]\d|5734[0-3]));", re.IGNORECASE
)
"""references to halves of a character (surrogates): libxml2 takes them, and lxml fails on what it then has"""
_ROOT = re.compile(r"<[A-Za-z_]")
"""XML 1.0 §2.8: a DOCTYPE can only stand between the two. Behind the root's start it is text, as in a CDATA section."""
_FEEDS = {"rss", "RDF", "feed"}
_SITEMAPS = {"urlset", "sitemapindex"}
_DATES = ("pubDate", "published", "date", "issued", "updated")
"""of RSS 2.0, Atom, Dublin Core and the drafts of Atom"""


def feed(text: Text, basket: Basket) -> Found:
    root = _xml(text.decoded())
    return _read_feed(root, basket) if root is not None and _name(root) in _FEEDS else UNEXPECTED


def sitemap(text: Text, basket: Basket) -> Found:
    """A sitemap, an index of sitemaps, a feed in the place of one, or a plain list of URLs (sitemaps.org protocol 0.9)."""
    body = _unpacked(text.body)
    if body is None:
        return UNEXPECTED
    characters = text.decoded(body)
    root = _xml(characters)
    if root is None:
        return _plain_sitemap(characters, basket)
    if _name(root) in _FEEDS:
        return _read_feed(root, basket)
    return _read_sitemap(root, basket) if _name(root) in _SITEMAPS else UNEXPECTED


def _xml(text: str) -> etree._Element | None:
    """The root of a document without a DTD: entities are neither expanded nor fetched, because none can be declared."""
    markup = _HALVES.sub("", _XML_DECLARATION.sub("", text))
    prolog = _PROLOG.match(markup)
    if prolog is None or not _ROOT.match(markup, prolog.end()):
        return None
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True, remove_comments=True
    )
    try:
        return etree.fromstring(markup[prolog.end() :].encode("utf-8", "ignore"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _unpacked(body: bytes) -> bytes | None:
    """The body, gunzipped where it is gzip by its first bytes. None when it is more than MAX_SITEMAP or damaged."""
    if not body.startswith(b"\x1f\x8b"):
        return body if len(body) <= MAX_SITEMAP else None
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, MAX_SITEMAP)
    except zlib.error:
        return None
    return plain if unpacker.eof else None


def _name(element: etree._Element) -> str:
    """The local name, whatever namespace a feed gives its elements; "" for what is no element (an undeclared entity)."""
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _read_feed(root: etree._Element, basket: Basket) -> Found:
    """RSS 2.0, RSS 1.0 (RDF) and Atom: an item or entry, its link, title, date and first category."""
    entries = list(root.iter("{*}item", "{*}entry"))
    for entry in entries:
        fields = _fields(entry)
        href = _feed_link(entry, fields)
        if href and not basket.full():
            hints = Hints(
                via=basket.url,
                title=fields.get("title"),
                published=next((fields[name] for name in _DATES if name in fields), None),
                section=fields.get("category"),
            )
            basket.offer(href, lambda hints=hints: hints)  # type: ignore[misc]
    return basket.found(len(entries))


def _feed_link(entry: etree._Element, fields: dict[str, str]) -> str | None:
    """RSS writes the link as text, Atom as href (rel "alternate" or none), some only as a guid that is a permalink."""
    if link := fields.get("link"):
        return link
    links = (element for element in entry if _name(element) == "link" and element.get("rel", "alternate") == "alternate")
    return next((href for element in links if (href := element.get("href"))), None) or fields.get("guid")


def _fields(entry: etree._Element) -> dict[str, str]:
    """The texts of an entry's children by local name, the first of each; `category` also from Atom's term."""
    fields: dict[str, str] = {}
    for child in entry.iterchildren("*"):  # neither instructions nor entities, which have no text to ask for
        text = presence(clipped((str(piece) for piece in child.itertext()), MAX_URL)) or presence(child.get("term"))
        if text:
            fields.setdefault(_name(child), text)
    return fields


def _read_sitemap(root: etree._Element, basket: Basket) -> Found:
    entries = [element for element in root if _name(element) in ("url", "sitemap")]
    for entry in entries:
        fields = _fields(entry)
        if (href := fields.get("loc")) and not basket.full():
            news = next((_fields(child) for child in entry.iterchildren("*") if _name(child) == "news"), {})
            hints = Hints(via=basket.url, title=news.get("title"), published=news.get("publication_date") or fields.get("lastmod"))
            if _name(entry) == "sitemap":
                basket.follow(href, Kind.SITEMAP, hints)
            else:
                basket.offer(href, lambda hints=hints: hints)  # type: ignore[misc]
    return basket.found(len(entries))


def _plain_sitemap(text: str, basket: Basket) -> Found:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not all(line.startswith(("http://", "https://")) for line in lines[:100]):
        return UNEXPECTED
    return offered(lines, basket)
