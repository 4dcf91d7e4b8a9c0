"""Is this text new, and what is it to what the archive has? Pure: no I/O, no clock.

    index.*                                     which stored texts are worth comparing
    relate(mine, theirs, name=...) -> Relation  what two texts of different URLs are to each other, the same from either side
    cluster.components, cluster.elect           which texts are one story, and which of them stands for it
    history.fold(pages, contents) -> History    which readings of one URL are revisions of its article

Nothing here depends on which of two texts came first.
"""

from __future__ import annotations

from pipelines.dedup.compare import Comparison, compare
from pipelines.dedup.difference import Version
from pipelines.dedup.evidence import is_cut, is_form, is_reworded
from pipelines.dedup.fingerprint import normalise
from pipelines.model import Relation, Verdict

JACCARD = 0.5
"""from which on two texts are one story"""
CONTAINMENT = 0.6
"""share of a text that another must have to be called its container. Both on 21,582 Chinese texts with reposts, edits,
cuts, quotations and traps: precision 1.000, recall .990"""
COVERED = 0.5
"""share of the container that must be the contained text for the two to be one story (if it was cut from it, see
`evidence.is_cut`): more than half of a text can be only one other's, so a digest of five stories joins none or one of
them, never two"""
REWORDED = 0.1
"""Jaccard from which on two texts may be one in other words (`evidence.is_reworded`): every fifth word replaced leaves
.24 to .38, every third .12 to .24; texts of different stories had .05 at most where they share no notice"""
TOO_SHORT = 20
"""letters below which texts are compared only whole and with their titles: "see the video" is no story"""


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
    if _is_one_story(found, mine.text, theirs.text, same_title=same_title):
        return Relation(other=name, verdict=Verdict.NEAR_DUPLICATE, similarity=found.jaccard)
    if found.containment < CONTAINMENT:
        return None
    inside = found.contained_in_other > found.contains_other
    return Relation(other=name, verdict=Verdict.CONTAINED, similarity=found.containment, inside=inside)


def _is_one_story(found: Comparison, mine: str, theirs: str, *, same_title: bool) -> bool:
    if found.jaccard >= JACCARD:
        return True
    if found.containment < CONTAINMENT:
        return is_reworded(mine, theirs, same_title=same_title)
    is_inside = found.contained_in_other >= CONTAINMENT and is_cut(mine, theirs)
    is_around = found.contains_other >= CONTAINMENT and is_cut(theirs, mine)
    return (is_inside or is_around) and min(found.contained_in_other, found.contains_other) >= COVERED
