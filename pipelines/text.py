"""White space, forbidden characters and scripts: what every string goes through on its way into a record.

Pure functions of strings. What a page printed stays in the WARC; what leaves here is valid Unicode text without
control, bidi, zero-width or replacement characters (HAZARDS, promise P6).
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

# C0 without \t \n, C1, soft hyphen, Mongolian vowel separator, zero-width and directional marks, word joiner to the
# deprecated format characters, variation-free BOM, interlinear marks, U+FFFC, U+FFFD, surrogates, non-characters, tags.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_BREAK = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile(r"\s+")
_CJK = (
    "\u2018-\u201d\u2026\u2e80-\u303f\u3041-\u30ff\u3105-\u312f\u31a0-\u31bf"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff"
)
# A line break of the source between two Chinese characters is no space: Chinese HTML is wrapped anywhere.
_WRAP = re.compile(f"(?<=[{_CJK}])[ \t\r]*\n[ \t\r\n]*(?=[{_CJK}])")
# Runs, not single characters: counted so, a Chinese text costs a fifth.
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_KANA = re.compile("[\u3041-\u30ff]+")
_HANGUL = re.compile("[\uac00-\ud7a3]+")
_LETTER = re.compile(r"[^\W\d_]+")

HAN_SHARE = 0.15
"""of all letters: an English page that quotes Chinese names stays below, a Chinese page full of brand names above"""


class Script(StrEnum):
    """How the words of a text are told apart."""

    HAN = "han"
    """Chinese or Japanese: no spaces between words"""
    SPACED = "spaced"
    """Latin, Cyrillic, Arabic, Hangul ...: spaces between words"""


def clean(text: str) -> str:
    """`text` without forbidden characters, in NFC; every other line separator becomes a line feed. White space stays."""
    text = _FORBIDDEN.sub("", _LINE_BREAK.sub("\n", text))
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def line(text: str) -> str:
    """`text` as one clean line: white space collapsed (U+3000 and U+00A0 too), none at the ends."""
    bare = text.strip()
    if _is_clean(bare):
        return " ".join(bare.split()) if "  " in bare else bare
    return _SPACE.sub(" ", _WRAP.sub("", clean(text))).strip()


def _is_clean(text: str) -> bool:
    """Whether `clean` would leave a line as it is, without its four searches: nine lines of ten are. Of the forbidden
    characters only two are printable, and of white space only the plain space is."""
    return text.isprintable() and (
        text.isascii() or ("\ufffd" not in text and "\ufffc" not in text and unicodedata.is_normalized("NFC", text))
    )


def presence(text: str | None) -> str | None:
    """`text` as one clean line, or None where nothing is left: absent is null, never ""."""
    return (line(text) or None) if text else None


def script(text: str) -> Script:
    """The way of writing that most of `text` follows."""
    return Script.HAN if _tell(characters(_HAN, text) + characters(_KANA, text), text) else Script.SPACED


def language(text: str) -> str | None:
    """ "zh", "ja" or "ko" by the characters used; None where they do not tell."""
    han, kana, hangul = (characters(pattern, text) for pattern in (_HAN, _KANA, _HANGUL))
    if not _tell(han + kana + hangul, text):
        return None
    if hangul > han + kana:
        return "ko"
    # a Japanese sentence is never without kana; a Chinese text may quote some
    return "ja" if kana > 0.1 * (han + kana) else "zh"


def _tell(count: int, text: str) -> bool:
    """Whether so many characters are HAN_SHARE of the letters of `text`. What is that share of all characters is it of the letters,
    too: they are counted only in what is hardly Chinese."""
    if _LETTER.search(text) is None:
        return False
    return count >= HAN_SHARE * len(text) or count >= HAN_SHARE * characters(_LETTER, text)


def characters(runs: re.Pattern[str], text: str) -> int:
    """How many characters of `text` stand in runs that a pattern finds."""
    return sum(map(len, runs.findall(text)))
