"""Is this text new, and what is it to what the archive has? Pure: no I/O, no clock.

    decide(article, candidates, now=...)  -> Decision      what it is, with every relation that was verified
    relate(article, candidate)            -> Relation      one pair, the same from either side
    cluster.components, cluster.elect                      which texts are one story, and which of them stands for it
    index.*                                                which stored texts are worth comparing

The same URL makes a *revision*, another URL a *relation*. Nothing here depends on which of two texts came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.dedup.compare import Comparison, compare
from pipelines.dedup.difference import Change, Past, Version, classify, is_volatile, is_worse
from pipelines.dedup.evidence import is_form, is_reworded
from pipelines.dedup.fingerprint import VERSION, normalise, verbatim_digest
from pipelines.model import Article, Decision, Quality, Relation, Status, Verdict

__all__ = ["VERSION", "Candidate", "Past", "decide", "relate"]

JACCARD = 0.5
"""from which on two texts are one story"""
CONTAINMENT = 0.6
"""share of a text that another must have to be called its container. Both on 21,582 Chinese texts with reposts, edits,
cuts, quotations and traps: precision 1.000, recall .990"""
COVERED = 0.5
"""share of the container that must be the contained text for the two to be one story: more than half of a text can be
only one other's, so a digest of five stories joins none or one of them, never two"""
REWORDED = 0.1
"""Jaccard from which on two texts may be one in other words (`evidence.is_reworded`): every fifth word replaced leaves
.24 to .38, every third .12 to .24; texts of different stories had .05 at most where they share no notice"""
TOO_SHORT = 20
"""letters below which texts are compared only whole and with their titles: "see the video" is no story"""

_RANK = {Verdict.DUPLICATE: 0, Verdict.NEAR_DUPLICATE: 1, Verdict.CONTAINED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A stored article that a new one may be: the current version of the same URL, or of another URL with the same
    digest or enough of the same fingerprints. `history` are the versions of the same URL, oldest first, the current one
    last; empty for other URLs."""

    article_id: str
    url: str
    is_same_url: bool
    title: str
    paragraphs: tuple[str, ...]
    quality: Quality
    status: Status = Status.ACTIVE
    revision: int = 1
    history: tuple[Past, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)


def decide(article: Article, candidates: Sequence[Candidate], *, now: datetime | None = None) -> Decision:
    """What the article is to the candidates, in whatever order they come. `now` is when it was fetched; without it no
    page is held back for changing too often."""
    own = max((known for known in candidates if known.is_same_url), key=lambda known: known.revision, default=None)
    if own is not None and (unchanged := _unchanged(article, own, now)) is not None:
        return unchanged
    relations = _relations(article, (known for known in candidates if not known.is_same_url))
    if own is not None:
        return Decision(
            verdict=Verdict.REVISION,
            other=own.article_id,
            similarity=compare(article.text, own.text).jaccard,
            change=Change.RESTORED if own.status is Status.WITHDRAWN else classify(own, article),
            relations=relations,
        )
    if not relations:
        return Decision(verdict=Verdict.NEW)
    best = relations[0]
    return Decision(verdict=best.verdict, other=best.other, similarity=best.similarity, relations=relations)


def relate(mine: Version, theirs: Version, *, name: str) -> Relation | None:
    """What one text is to another, whose article is called `name`; None for two that are unrelated. The other way round
    it is the same relation, but for `inside`."""
    found = compare(mine.text, theirs.text)
    if found.jaccard < REWORDED and found.containment < CONTAINMENT:
        return None
    my_form, their_form = normalise(mine.text), normalise(theirs.text)
    same_title = normalise(mine.title) == normalise(theirs.title) != ""
    if my_form == their_form:
        is_story = same_title or len(my_form) >= TOO_SHORT
        return Relation(other=name, verdict=Verdict.DUPLICATE, similarity=1.0) if is_story else None
    if min(len(my_form), len(their_form)) < TOO_SHORT or is_form(mine.text, theirs.text):
        return None
    if _is_one_story(found) or (found.containment < CONTAINMENT and is_reworded(mine.text, theirs.text, same_title=same_title)):
        return Relation(other=name, verdict=Verdict.NEAR_DUPLICATE, similarity=found.jaccard)
    if found.containment < CONTAINMENT:
        return None
    inside = found.contained_in_other > found.contains_other
    return Relation(other=name, verdict=Verdict.CONTAINED, similarity=found.containment, inside=inside)


def _is_one_story(found: Comparison) -> bool:
    covered = min(found.contained_in_other, found.contains_other)
    return found.jaccard >= JACCARD or (found.containment >= CONTAINMENT and covered >= COVERED)


def _relations(article: Article, others: Iterable[Candidate]) -> tuple[Relation, ...]:
    found = (relate(article, other, name=other.article_id) for other in others)
    return tuple(sorted((one for one in found if one), key=lambda one: (_RANK[one.verdict], -one.similarity, one.other)))


def _unchanged(article: Article, own: Candidate, now: datetime | None) -> Decision | None:
    """Why another reading of a URL is no revision of it, None if it is one."""
    same = (article.title, article.text) == (own.title, own.text)
    if own.status is Status.WITHDRAWN and not is_worse(article, than=own):
        return None
    if same:
        return Decision(verdict=Verdict.UNCHANGED, other=own.article_id, similarity=1.0)
    if is_worse(article, than=own):
        change = Change.WORSE_COPY
    elif is_volatile(own.history, verbatim_digest(article.title, article.text), now):
        change = Change.VOLATILE
    else:
        return None
    similarity = compare(article.text, own.text).jaccard
    return Decision(verdict=Verdict.UNCHANGED, other=own.article_id, similarity=similarity, change=change)
