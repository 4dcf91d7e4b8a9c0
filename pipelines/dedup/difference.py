"""What changed between two versions of one article: a class for machines, lines for people; and which readings of a
page are no version of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pipelines.dedup.compare import compare
from pipelines.dedup.fingerprint import normalise
from pipelines.model import Quality

BODY_SMALL = 0.8
"""Jaccard of the two texts from which on the change is small: about a tenth of the sentences"""
MUCH_SHORTER = 0.5
"""Share of the letters below which a text of less confidence is a torn copy"""
NOTHING_LEFT = 0.1
"""Share of the old text below which one of less confidence is another page in its place: a challenge, a notice"""
DAMAGE = frozenset({"partial", "truncated", "incomplete", "replacement_characters"})
"""Quality flags of text that was not received whole"""
FREE_REVISIONS = 6
FIRST_GAP = timedelta(hours=1)
"""After that many versions the next must wait an hour, the next two hours, then four: a page that is another at every
visit for a year makes 19 versions, and one that settles is caught up with"""
_SENTENCE = re.compile(r".+?(?:[。！？]+[”’」』）]*|[.!?]+[\"')]*(?=\s|$)|$)")


class Change(StrEnum):
    """The difference class of a revision."""

    TYPOGRAPHIC = "typographic"
    """punctuation, white space, width, case or script; no word"""
    HEADLINE = "headline"
    """the title; the text at most typographically"""
    BODY_SMALL = "body_small"
    BODY_LARGE = "body_large"


class Version(Protocol):
    """An article or a stored version of one."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...


def classify(old: Version, new: Version) -> Change | None:
    """The difference class of two versions, None where title and text are equal byte for byte."""
    if (old.title, old.text) == (new.title, new.text):
        return None
    if normalise(old.text) != normalise(new.text):
        return Change.BODY_SMALL if compare(old.text, new.text).jaccard >= BODY_SMALL else Change.BODY_LARGE
    return Change.HEADLINE if normalise(old.title) != normalise(new.title) else Change.TYPOGRAPHIC


class Copy(Version, Protocol):
    """A version of which is known how well it was read."""

    @property
    def quality(self) -> Quality: ...


def is_worse(new: Copy, *, than: Copy) -> bool:
    """Whether a reading shows less of the article than the one that is here: torn, damaged, or another page in its place.

    A shorter text alone is no worse one: publishers cut, and a historian wants to see it.
    """
    new_form, old_form = normalise(new.text), normalise(than.text)
    if not new_form or DAMAGE & set(new.quality.flags) - set(than.quality.flags):
        return bool(old_form)
    if new.quality.confidence >= than.quality.confidence:
        return False
    return len(new_form) < MUCH_SHORTER * len(old_form) or compare(new.text, than.text).contains_other < NOTHING_LEFT


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One version that a URL had: its `fingerprint.verbatim_digest`, and when it was first seen."""

    digest: str
    seen: datetime


def is_volatile(history: Sequence[Past], digest: str, now: datetime | None = None) -> bool:
    """Whether the next version of a page is only another turn of its wheel. `history`: oldest first, the current last.

    A page may return to an earlier text once (A-B-A is a correction taken back); to leave again for the text between
    (A-B-A-B) is alternation. Beyond `FREE_REVISIONS` the time since the last version must double with each.
    """
    earlier = {past.digest for past in history[:-1]}
    if history and digest in earlier and history[-1].digest in earlier:
        return True
    surplus = len(history) - FREE_REVISIONS
    return now is not None and surplus >= 0 and now - history[-1].seen < FIRST_GAP * 2 ** min(surplus, 30)


def unified(old: Version, new: Version, *, old_name: str = "old", new_name: str = "new") -> Iterator[str]:
    """The lines of a unified diff, sentence by sentence, without line ends. The title is its first line, and an empty
    line stands between paragraphs."""
    return difflib.unified_diff(list(_lines(old)), list(_lines(new)), old_name, new_name, n=1, lineterm="")


def _lines(version: Version) -> Iterator[str]:
    yield version.title
    for paragraph in version.text.split("\n"):
        yield ""
        yield from (match.group().strip() for match in _SENTENCE.finditer(paragraph))
