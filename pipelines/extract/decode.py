"""Bytes to characters, by evidence: BOM, then strict UTF-8, then what is declared and fits, then what fits best.

A declaration is only a claim: UTF-8 pages go out under latin-1 or GBK headers and the reverse. A byte order mark
is a proof, so is UTF-8 that decodes strictly: chance does not write it. Everything else is weighed by what comes out.
gb2312 and gbk mean gb18030, iso-8859-1 means windows-1252 (WHATWG Encoding, section 4.2).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from bs4.dammit import UnicodeDammit

DAMAGED_UTF8 = 0.3
"""A text of which fewer than this share of the non-ASCII characters are broken is UTF-8 with damage: bytes of other
charsets read as UTF-8 break in nearly every character."""
QUARANTINE_SHARE = 0.01
"""of U+FFFD among all characters: above it a person should look (HAZARDS, broken_utf8)"""
_SAMPLE = 8_192
"""bytes that are weighed when charsets compete, taken from the runs that are not ASCII: heads are full of scripts"""
_HEAD = 4_096
"""bytes searched for a declaration. WHATWG says 1,024; real heads are longer."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"""<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,30})""", re.IGNORECASE)
_RUN = re.compile(rb"(?:[\x80-\xff][\x40-\xff]?)+")
_HIGH = re.compile(rb"[\x80-\xff]+")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{2,30})", re.IGNORECASE)
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "gb18030",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
_WIDE = {"gb18030", "big5hkscs", "cp949", "cp932", "euc_jp", "iso2022_jp", "utf-8"}
"""codecs of scripts without upper and lower case"""
_LABELS = {"gb_2312-80": "gb2312", "gb_2312": "gb2312", "csgb2312": "gb2312", "x-gbk": "gbk", "x-x-big5": "big5", "x-sjis": "shift_jis"}
"""names that pages use and Python does not know (WHATWG Encoding, section 4.2)"""
_NEVER = {"utf-7", "utf-16", "utf-32", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}


def _level_one(charset: str, first: range) -> str:
    pairs = (bytes((high, low)) for high in first for low in range(0x40, 0xFF))
    return "".join(pair.decode(charset, "ignore") for pair in pairs)


# The everyday characters of each standard: a wrong reading is full of others.
_EVERYDAY = frozenset(_level_one("gb2312", range(0xB0, 0xD8)) + _level_one("big5", range(0xA4, 0xC7)))
_PUNCTUATION = re.compile("[\u2010-\u2026\u3000-\u30ff\uff01-\uff65\xb0\xb1\xb7\xd7\xf7]")
_BROKEN = re.compile("[\ufffd\ue000-\uf8ff\x80-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """`charset` is the codec used, `evidence` one of "bom", "utf-8", "header", "meta", "guess", "none";
    `replaced` the share of U+FFFD (0..1) among all characters. `utf8` is the page itself where its bytes are the UTF-8 of `text`."""

    text: str
    utf8: bytes | None = None
    charset: str
    evidence: str
    replaced: float


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """The characters of a page. Never raises."""
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], charset, "bom")
    try:
        return Decoded(text=body.decode("utf-8"), utf8=body, charset="utf-8", evidence="utf-8", replaced=0.0)
    except UnicodeDecodeError:
        return _weigh(body, _declared(body, content_type))


def _weigh(body: bytes, declared: list[tuple[str, str]]) -> Decoded:
    sample = b"\n".join(_RUN.findall(body))[:_SAMPLE]
    if _damage(sample.decode("utf-8", "replace")) < DAMAGED_UTF8:
        return _decoded(body, "utf-8", "utf-8")
    claims = [(codec, evidence) for codec, evidence in declared if codec != "utf-8"]
    candidates = [*claims, ("gb18030", "guess"), ("big5hkscs", "guess")]
    # max() keeps the first of equals, so a declaration that fits wins over a guess that fits as well
    codec, evidence = max(candidates, key=lambda one: round(_fitness(sample, one[0]), 1))
    if _fitness(sample, codec) > _FITS:
        return _decoded(body, codec, evidence)
    guess = UnicodeDammit(sample, is_html=True).original_encoding
    return _decoded(body, known_codec(guess or "") or "utf-8", "guess" if guess else "none")


_FITS = 0.6


def _fitness(sample: bytes, codec: str) -> float:
    """0..1: the share of non-ASCII characters that somebody would have written on purpose."""
    foreign = [char for char in sample.decode(codec, "replace") if char > "\x7f"]
    if codec == "cp1252":
        return _isolated(sample)
    if codec not in _WIDE:
        cased = [char for char in foreign if char.lower() != char.upper()]
        return sum(char.islower() for char in cased) / max(1, len(foreign))
    likely = sum(char in _EVERYDAY or _PUNCTUATION.match(char) is not None for char in foreign)
    return (likely - sum(_BROKEN.match(char) is not None for char in foreign)) / max(1, len(foreign))


def _isolated(sample: bytes) -> float:
    """The share of bytes beyond ASCII that stand alone or in twos, as accents and quotes do; Chinese stands in long runs."""
    runs = [len(run) for run in _HIGH.findall(sample)]
    return sum(length for length in runs if length <= 2) / max(1, sum(runs))


def _damage(text: str) -> float:
    foreign = sum(char > "\x7f" for char in text)
    return text.count("\ufffd") / max(1, foreign)


def _declared(body: bytes, content_type: str | None) -> list[tuple[str, str]]:
    header = _CHARSET.search(content_type or "")
    claims = [(header[1], "header")] if header else []
    claims += [(match.decode("ascii", "ignore"), "meta") for match in _DECLARED.findall(body[:_HEAD])]
    return [(codec, evidence) for name, evidence in claims if (codec := known_codec(name))]


def known_codec(name: str) -> str | None:
    """The codec for a declared name, widened to the superset that it means in practice; None for what is no text codec."""
    try:
        label = name.strip().lower()
        found = codecs.lookup(_LABELS.get(label, label)).name
    except (LookupError, ValueError):
        return None
    codec = _SUPERSETS.get(found, found)
    if codec in _NEVER:
        return None
    try:
        b"a".decode(codec)  # base64 and its like are codecs, and none of text
    except (LookupError, ValueError):
        return None
    return codec


def _decoded(body: bytes, charset: str, evidence: str) -> Decoded:
    text = body.decode(charset, "replace")
    return Decoded(text=text, charset=charset, evidence=evidence, replaced=text.count("\ufffd") / max(1, len(text)))
