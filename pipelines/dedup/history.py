"""The history of one article, folded from everything that captures ever said about it. Pure.

    pages        what each capture said: a text (of one part), gone, confirmed
    repeat       what is confirmed is the text before            pages -> pages
    compose      parts of a multi-page article joined            pages -> observations
    fold         observations in order of time                   -> revisions, status, first and last seen

Because the fold reads the whole set in order of time, the order in which WARC files are read decides nothing:
live, replay and bulk end in the same history. A part that is confirmed (304, or the same bytes again) shows the text that it had,
as if it had been sent: a later part may be another by then, and what stood there in between is not what comes next.

A later part of which two credible denials stand a day apart is waited for no longer: the article is what stands before it,
flagged INCOMPLETE (decisions/0012).

An article is withdrawn when two credible denials stand a day apart with no sight of it between (decisions/0004). One
denial is an accident of one moment; denials while the host denies most of its articles are an outage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pipelines.dedup.difference import Past, classify, is_volatile, is_worse
from pipelines.dedup.fingerprint import verbatim_digest
from pipelines.model import Article, Status

CONFIRMED_AFTER = timedelta(hours=24)
"""between the first and the last denial of a withdrawal: a night's maintenance, or a deployment put right in the morning,
is over by then"""
INCOMPLETE = "incomplete"
"""the flag of an article whose later pages are gone"""
AROUND = timedelta(hours=1)
"""on either side of a denial: what the host showed then says whether it was well. A run at 2 s a request asks for 1,800
pages in that time"""
TOLD_AFTER = timedelta(days=30)
"""from one time of last sight that the record tells to the next: a record that changed at every visit would send the whole
corpus through the feed every night (decisions/0005)"""


class PageKind(StrEnum):
    TEXT = "text"
    GONE = "gone"
    """the URL said that there is no such article: 404, 410, a page that says so, a redirect to an index page"""
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one capture said about an article. `content` is the digest of its extraction result, None but for TEXT, and for
    CONFIRMED where it is known what."""

    capture: int
    """the catalogue's number of the capture: names it, orders nothing"""
    fetched_at: str
    part: int
    kind: PageKind
    content: str | None = None
    place: str = ""
    """the capture's WARC-Record-ID, which is the same in every archive: settles the order of pages that are otherwise equal"""
    credible: bool = True
    """of GONE: whether its host was well (`is_credible`)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """`change` is the difference class to the revision before, None for the first."""

    number: int
    fetched_at: str
    capture: int
    contents: tuple[str, ...]
    """the extraction results that it is made of, a digest each part"""
    article: Article
    change: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    revisions: tuple[Revision, ...]
    status: Status
    first_seen: str
    last_seen: str
    last_told: str
    """`last_seen` as the record has it: in steps of `TOLD_AFTER`, exact once it is withdrawn"""

    @property
    def current(self) -> Revision:
        return self.revisions[-1]

    @property
    def is_incomplete(self) -> bool:
        """Whether it depends on denials of later parts."""
        return any(INCOMPLETE in made.article.quality.flags for made in self.revisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observation:
    capture: int
    fetched_at: str
    kind: PageKind
    contents: tuple[str, ...] = ()
    article: Article | None = None
    credible: bool = True


def is_credible(*, shown: int, denied: int) -> bool:
    """Whether a denial is believed, of a host that denied so many articles `AROUND` it (this one included) and showed so
    many others. A host that showed none may be ill, and so may one that denied more than it showed."""
    return shown >= denied


def fold(pages: Iterable[Page], contents: Mapping[str, Article]) -> History | None:
    """The history that a set of pages tells; None while no whole text is among them.

    `contents` maps each page's content digest to its article. Any order of `pages` gives the same history.
    """
    ordered = _repeated(sorted(pages, key=lambda page: (page.fetched_at, page.part, page.kind, page.content or "", page.place)))
    observations = [seen for page in ordered if (seen := _observe(page, ordered, contents)) is not None]
    texts = [seen for seen in observations if seen.kind is PageKind.TEXT]
    if not texts:
        return None
    revisions: list[Revision] = []
    for seen in observations:
        if seen.kind is PageKind.TEXT:
            _take_text(seen, revisions)
    since = [seen for seen in observations if seen.fetched_at >= texts[0].fetched_at]
    shown = [place for place, seen in enumerate(since) if seen.kind is not PageKind.GONE]
    status = _status(revisions[-1].article, since[shown[-1] + 1 :])
    sights = [since[place].fetched_at for place in shown]
    return History(
        revisions=tuple(revisions),
        status=status,
        first_seen=texts[0].fetched_at,
        last_seen=sights[-1],
        last_told=sights[-1] if status is Status.WITHDRAWN else _told(revisions[-1].fetched_at, sights),
    )


def _repeated(ordered: Iterable[Page]) -> list[Page]:
    """The pages with the text that each confirmation confirms: the last one of its part before it."""
    last: dict[int, str] = {}
    repeated = []
    for page in ordered:
        if page.content is not None:
            last[page.part] = page.content
        elif page.kind is PageKind.CONFIRMED:
            page = replace(page, content=last.get(page.part))  # noqa: PLW2901
        repeated.append(page)
    return repeated


def _told(text_since: str, sights: Sequence[str]) -> str:
    """The last sight that moves the record: `TOLD_AFTER` behind the one before it, the first of them that of the text."""
    told = text_since
    for at in sights:
        if _moment(at) - _moment(told) >= TOLD_AFTER:
            told = at
    return told


def _status(article: Article, denials: Sequence[_Observation]) -> Status:
    """The status of an article that nothing but denials followed."""
    if _is_confirmed(denials):
        return Status.WITHDRAWN
    return Status.QUARANTINED if article.quarantine else Status.ACTIVE


def _is_confirmed(said: Sequence[Page | _Observation]) -> bool:
    """Whether the first and the last denial that are believed stand far enough apart; no text is among what was `said`."""
    believed = [_moment(one.fetched_at) for one in said if one.kind is PageKind.GONE and one.credible]
    return bool(believed) and believed[-1] - believed[0] >= CONFIRMED_AFTER


def _observe(page: Page, pages: Sequence[Page], contents: Mapping[str, Article]) -> _Observation | None:
    if page.part != 1:
        return None
    seen = _Observation(capture=page.capture, fetched_at=page.fetched_at, kind=page.kind, credible=page.credible)
    if page.content is None:
        return seen
    digests = _chain(page, pages, contents)
    if digests is None:
        return replace(seen, kind=PageKind.CONFIRMED)  # there it is, though not yet whole
    whole = join([contents[digest] for digest in digests])
    return replace(seen, kind=PageKind.TEXT, contents=digests, article=whole)


def _chain(first: Page, pages: Sequence[Page], contents: Mapping[str, Article]) -> tuple[str, ...] | None:
    """The content digests of all parts that belong to a first page, or of those before one that is gone for good; None while
    one of them is missing."""
    assert first.content is not None
    digests = [first.content]
    while contents[digests[-1]].next_url is not None:
        part = _nearest(first, len(digests) + 1, pages)
        if part is None and not _is_confirmed([page for page in pages if page.part == len(digests) + 1]):
            return None
        if part is None or part in digests:
            break  # a chain that loops back ends there
        digests.append(part)
    return tuple(digests)


def _nearest(first: Page, part: int, pages: Sequence[Page]) -> str | None:
    """The text of a part as it was seen between this sight of the first page and the next one, for a visit asks for the parts in
    their order; else the last one before, else the first one behind."""
    shown = [page for page in pages if page.part == part and page.content is not None]
    again = next((page.fetched_at for page in pages if page.part == 1 and page.fetched_at > first.fetched_at), None)
    before = [page for page in shown if page.fetched_at < first.fetched_at]
    after = [page for page in shown if page.fetched_at >= first.fetched_at]
    with_it = [page for page in after if again is None or page.fetched_at < again]
    return next((page.content for page in (*with_it[:1], *before[-1:], *after[:1])), None)


def join(parts: Sequence[Article]) -> Article:
    """One article of all its parts in order: title, date and source are the first page's. Where the last one names a next, that
    is gone."""
    quality = parts[0].quality
    if parts[-1].next_url is not None:
        quality = replace(quality, flags=tuple(sorted({*quality.flags, INCOMPLETE})))
    elif len(parts) == 1:
        return parts[0]
    return replace(
        parts[0],
        paragraphs=tuple(paragraph for part in parts for paragraph in part.paragraphs),
        captions=tuple(caption for part in parts for caption in part.captions),
        editors=parts[0].editors or parts[-1].editors,
        authors=parts[0].authors or parts[-1].authors,
        quality=quality,
        next_url=None,
    )


def _take_text(seen: _Observation, revisions: list[Revision]) -> None:
    assert seen.article is not None
    change = None
    if revisions and seen.contents == revisions[-1].contents:
        return
    if revisions:
        change = _change(seen, revisions)
        if change is None:
            return
    revisions.append(
        Revision(
            number=len(revisions) + 1,
            fetched_at=seen.fetched_at,
            capture=seen.capture,
            contents=seen.contents,
            article=seen.article,
            change=change,
        )
    )


def _change(seen: _Observation, revisions: Sequence[Revision]) -> str | None:
    """The difference class of a text to the revision before it; None where it is no revision."""
    assert seen.article is not None
    current = revisions[-1].article
    change = classify(current, seen.article)
    if change is None or is_worse(seen.article, than=current):
        return None
    past = [Past(digest=_digest(made.article), seen=_moment(made.fetched_at)) for made in revisions]
    return None if is_volatile(past, _digest(seen.article), _moment(seen.fetched_at)) else change


def _digest(article: Article) -> str:
    return verbatim_digest(article.title, article.text)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
