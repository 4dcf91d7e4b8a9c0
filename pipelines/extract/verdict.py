"""Whether a page is an article, and if not, why. Every reason has its page folder in tests/pages.

A page is refused for what it is, never for what it speaks about: the words of a captcha or a maintenance page count only
on pages with hardly any prose of their own. The rules are a table, tried in order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.extract import notices
from pipelines.extract.blocks import LINK_SHARE, Line, Reading
from pipelines.model import Headers, Reason, Rejection

SLIGHT = 220
"""characters of article below which a page may be something else; the shortest real article of 64 has 108"""
NEWSY = 60
"""characters of unlinked prose in one column that make an article out of a page full of links"""
MOST = 300_000
"""characters of one page's text; the longest government reports have 40,000, and comparing 3,000,000 took 1.5 s"""
_LINKS = 5
"""link lines that make a listing out of a page without an article; the smallest listing seen has 10"""
_HEAD = 1_024
_SENTENCE_END = re.compile(r"[。！？!?.…；;：:”\"’'」』》）)\]】〉~～—一-]\s*$|[完终]\s*$")

_MAGIC = (
    b"%PDF",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"ID3",
    b"\x00\x00\x00",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x7fELF",
    b"MZ",
    b"\xd0\xcf\x11\xe0",
    b"{\\rtf",
)
_MARKUP = re.compile(rb"<\s*(?:!doctype|html|head|body|meta|title|div|p|table|script|article|section|h1|span|br|a|!--)\b", re.IGNORECASE)
_CONTROL = bytes((*range(1, 9), *range(14, 27)))
_CONTROL_SHARE = 0.05
_HTML_TYPES = re.compile(r"html|xhtml|text/plain|octet-stream|xml", re.IGNORECASE)


_LIST_BEFORE = 10
"""lines of links between a title and a short text; a flash report follows its title after a handful of share links"""
_TEASER = 200
"""characters: what a list shows of an article is shorter"""
_TEASERS, _MOSTLY = 3, 0.6
_TOPIC = re.compile(r"/(?:special|zt|zhuanti|topics?|subject)/|专题(?:[_\-|—－]|$|报道)|专题_")
_LEADS_ON = re.compile(r"<meta\b[^>]{0,100}http-equiv\s*=\s*[\"']?refresh\b[^>]{0,100}\burl\s*=", re.IGNORECASE)
_PHOTO_SCRIPT = re.compile(r"\b(?:pic_data|picList|slide_data|g_oPics?)\s*[=:]", re.IGNORECASE)


def not_html(body: bytes, headers: Headers) -> Rejection | None:
    """Bytes that are no page: by their first bytes, whatever the header calls them; a page under another name is a page."""
    declared = {name.lower(): value for name, value in headers}
    if "attachment" in declared.get("content-disposition", "").lower() and not _MARKUP.search(body[:_HEAD]):
        return Rejection(reason=Reason.NOT_HTML, detail="The server sent it as an attachment.")
    if body.startswith(_MAGIC) or _control_share(body) > _CONTROL_SHARE:
        return Rejection(reason=Reason.NOT_HTML, detail=f"The body begins with {body[:8]!r}.")
    kind = declared.get("content-type", "text/html")
    if not _HTML_TYPES.search(kind) and not _MARKUP.search(body[:_HEAD]):
        return Rejection(reason=Reason.NOT_HTML, detail=f"Sent as {kind[:60]} and without markup.")
    if body.lstrip()[:1] in (b"{", b"[") and not _MARKUP.search(body[:_HEAD]):
        return Rejection(reason=Reason.NOT_HTML, detail="The body is JSON.")
    return None


def _control_share(body: bytes) -> float:
    """Of the first bytes; NULs between letters are a fault of text (and UTF-16), not a sign of a binary."""
    head = body[:_HEAD]
    return (len(head) - len(head.translate(None, _CONTROL))) / max(1, len(head))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What was taken for an article: `dated` where the page itself says when it went out, `expected` where the rules of
    its site call the URL that of an article."""

    title: str | None
    text: str
    url: str
    dated: bool
    expected: bool


def no_article(claim: Claim, reading: Reading, markup: str) -> Rejection | None:
    """Why a page with this little text is no article; None where it may be one. A title, a date and two sentences make a
    flash report, whatever words stand around them."""
    if len(claim.text) >= SLIGHT or (claim.expected and claim.dated and claim.title and _is_news(claim, reading)):
        return notices.notice(claim.title, claim.text, dated=claim.dated)
    if not any(line.text for line in reading.lines) and not notices.said(notices.CHALLENGES, "", markup):
        return Rejection(reason=Reason.EMPTY, detail="The page shows no text.")
    own = claim.text if len(claim.text) >= NEWSY else _outside_links(reading)
    if found := notices.said(notices.SIGNS, f"{claim.title or ''}\n{own}", markup):
        return found
    if found := _leads_on(claim, markup):
        return found
    if _PHOTO_SCRIPT.search(markup):
        return Rejection(reason=Reason.PHOTO_SET, detail="A photo set without texts.")
    if max(_column_length(reading), len(claim.text) if claim.title else 0) < NEWSY:
        return _without_prose(claim, reading, markup, _LINKS) or _few_words(claim)
    if claim.expected and (claim.dated or _is_headed(claim, reading)):
        return None
    return _without_prose(claim, reading, markup, _LIST_BEFORE if claim.expected else 1)


def _is_news(claim: Claim, reading: Reading) -> bool:
    """A report of two sentences, or of one that tells what the heading above it says."""
    told = notices.weight(claim.text) >= notices.ITEM and notices.tells(claim.title, claim.text)
    return len(claim.text) >= NEWSY or (told and _is_headed(claim, reading))


def no_article_in_frame(claim: Claim, markup: str) -> Rejection | None:
    """Why a page whose layout fits is no article all the same: sites print their notices in the frame of their articles. Only
    what stands in the article's place is looked at, and only where it is short and nothing on the page says when it went out."""
    found = notices.notice(claim.title, claim.text, dated=claim.dated)
    return found if found is not None and found.reason is not Reason.NO_TEXT else _leads_on(claim, markup) or found


def behind_a_list(between: Sequence[Line], kept: Sequence[Line], title: str | None, url: str) -> Rejection | None:
    """Why a short text is no article that stands behind a list: the heading was the list's, the text is a footer's.
    `between` are the lines from the title to the text."""
    links = sum(line.link_share > LINK_SHARE for line in between)
    if links < _LIST_BEFORE or sum(len(line.text) for line in kept) >= SLIGHT:
        return None
    return Rejection(reason=_list_reason(title, url), detail=f"{links} lines of links stand between the title and the only prose.")


def teasers(lines: Sequence[Line], kept: Sequence[Line]) -> Rejection | None:
    """Why a text is none that stands in pieces below links: they are the beginnings of other articles, each below its own
    headline, and what the page itself has to say is not among them."""
    below = [line for line in kept if line.index > 0 and lines[line.index - 1].link_share > LINK_SHARE and len(line.text) < _TEASER]
    if len(below) < _TEASERS or len(below) < _MOSTLY * len(kept):
        return None
    return Rejection(
        reason=Reason.LISTING, detail=f"{len(below)} of {len(kept)} paragraphs stand below a link: beginnings of other articles."
    )


def _list_reason(title: str | None, url: str) -> Reason:
    return Reason.TOPIC if _TOPIC.search(url) or _TOPIC.search(title or "") else Reason.LISTING


def _leads_on(claim: Claim, markup: str) -> Rejection | None:
    if claim.dated or len(claim.text) >= notices.FRAMED or not _LEADS_ON.search(markup):
        return None
    return Rejection(reason=Reason.REDIRECT, detail="A few words, and a meta refresh that leads elsewhere.")


def _is_headed(claim: Claim, reading: Reading) -> bool:
    """Whether the title stands on the page itself, and not as a link: an index in the place of an article has it in <title> alone."""
    return claim.title is not None and any(claim.title in line.text for line in reading.lines if line.link_share <= LINK_SHARE)


def _few_words(claim: Claim) -> Rejection | None:
    """A server's "moved", "ok" or "test": nothing on the page says when it went out."""
    if claim.dated or not claim.text:
        return None
    return Rejection(reason=Reason.NO_TEXT, detail=f"Only {len(claim.text)} characters, and no date: {claim.text[:20]!r}.")


def _outside_links(reading: Reading) -> str:
    return "\n".join(line.text for line in reading.lines if line.link_share <= LINK_SHARE and not line.aside)[:_HEAD]


def _column_length(reading: Reading) -> int:
    return sum(len(line.text) for line in reading.lines if line.prose and not line.aside and line.linked == 0)


def _without_prose(claim: Claim, reading: Reading, markup: str, enough: int) -> Rejection | None:
    """`enough` lines of links make a listing."""
    links = sum(line.link_share > LINK_SHARE for line in reading.lines)
    if links >= enough:
        return Rejection(reason=_list_reason(claim.title, claim.url), detail=f"{links} lines of links, no prose.")
    if markup.count("<img") + markup.count("<IMG") >= 3:
        return Rejection(reason=Reason.PHOTO_SET, detail="Pictures, no prose.")
    return None


def too_long(text: str) -> Rejection | None:
    """More than anybody prints: bytes made to cost, and a text that every later comparison would pay for."""
    if len(text) <= MOST:
        return None
    return Rejection(reason=Reason.TOO_LARGE, detail=f"{len(text)} characters of text; more than {MOST} are not read as an article.")


def partial(markup: str, paragraphs: tuple[str, ...], ended: bool) -> Rejection | None:
    """A page that was cut: no end of document, and the last sentence in the middle."""
    if ended or not paragraphs or _SENTENCE_END.search(paragraphs[-1]):
        return None
    tail = markup[-200:].rstrip()
    if re.search(r"</(?:html|body|div|table)\s*>\s*(?:<!--.*)?$", tail, re.IGNORECASE | re.DOTALL):
        return None
    return Rejection(reason=Reason.PARTIAL, detail=f"The page ends in mid-sentence: {paragraphs[-1][-20:]!r}.")
