"""Writing down what came in: the only code that changes captures, pages, revisions and articles. What the corpus sees
of them stands in publishing.py.

Every function takes the transaction of its caller and reads no clock: all times come from the captures. What an
article *is* follows from the set of its pages (`dedup.history.fold`), what a cluster is from the set of edges
(`dedup.cluster`), so the order of arrival decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from pipelines.archive import neighbours, templates
from pipelines.archive.article_record import article_id, canonical_json, digest, timestamp, to_json
from pipelines.archive.catalogue import new_rows, upsert
from pipelines.archive.denials import Verdicts, denial, verdicts
from pipelines.archive.prepared import Among, Prepared, Row, given
from pipelines.archive.publishing import announce, publish, regroup
from pipelines.archive.schema import article, capture, content, edge, page, revision, tombstone
from pipelines.archive.stored import PLACE, Head, chunks, contents, record_alone
from pipelines.dedup import fingerprint, history
from pipelines.model import DENIED, Article, Capture, Reason, Rejection, Status, Verdict, WarcRef

_NONE: Mapping[str, Article] = {}
_NOTHING: Verdicts = {}
_FOLLOWS = ("cluster", "representative", "shown", "record_digest")
"""columns of a head that follow from other articles too"""

_KNOWN = Prepared(sa.select(capture).where(capture.c.file == given("file"), capture.c.offset == given("offset")))
_SEEN = new_rows(capture, returning="id")
_OUTCOME = Prepared(capture.update().where(capture.c.id == given("number")), ["outcome", "detail", "article"])
_LOST = Prepared(sa.select(tombstone.c.article).where(Among(tombstone.c.article, "names")))
_SAYS = Prepared(page.insert(), [column.name for column in page.c])
_KEEP_CONTENT = new_rows(content)
_PAGES = Prepared(
    sa.select(page, capture.c.url, *PLACE).join(capture, capture.c.id == page.c.capture).where(page.c.article == given("name"))
)
_LAST_TEXT = Prepared(
    sa.select(page.c.content)
    .where(page.c.article == given("article"), page.c.part == given("part"), page.c.fetched_at <= given("fetched_at"))
    .where(page.c.content.is_not(None))
    .order_by(page.c.fetched_at.desc())
    .limit(1)
)
_OF_ARTICLE = article.c.id == given("name")
_HEAD = Prepared(sa.select(article).where(_OF_ARTICLE))
_NEW_HEAD = Prepared(article.insert(), [column.name for column in article.c])
_NEW_TEXT = Prepared(article.update().where(_OF_ARTICLE), [column.name for column in article.c if column.name not in ("id", *_FOLLOWS)])
_DROP_HEAD = Prepared(article.delete().where(_OF_ARTICLE))
_NEW_REVISION = Prepared(revision.insert(), revision.c.keys())
_REVISIONS = Prepared(sa.select(revision).where(revision.c.article == given("name")))
_DROP_REVISIONS = Prepared(revision.delete().where(revision.c.article == given("name"), revision.c.number > given("last")))
_KINDS = Prepared(sa.select(edge.c.kind).where(sa.or_(edge.c.low == given("name"), edge.c.high == given("name"))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a capture: `word` is a Verdict or a Reason, or "awaiting_parts"; `known` marks one ingested before. `next_url`
    is the article's next page, where the capture shows a page that has one or confirms that it is as it was."""

    word: str
    url: str
    article: str | None = None
    detail: str | None = None
    known: bool = False
    next_url: str | None = None


AWAITING_PARTS = "awaiting_parts"


def write_down(tx: sa.Connection, site: str, url: str, seen: Capture, result: Article | Rejection, *, part: int = 1) -> Outcome:
    """Records a capture and what extraction made of it. A capture that is already known changes nothing.

    `url` is the canonical URL of the page that `seen` shows (of the first page, for a later part); `part` is the number that
    its own URL says.
    """
    assert seen.warc is not None, "only what lies in the archive can be written down"
    name = article_id(url)
    if taken_down(tx, [name]):
        result = Rejection(reason=Reason.TAKEN_DOWN, detail="was taken down, and stays so")
    expected = _expected(result, url, name)
    number = _insert_capture(tx, site, seen, expected)
    if number is None:
        return _known(tx, seen.warc)
    said = _page(name, number, part, seen, result)  # gone and confirmed too, where no text is known: it may be read later
    if said is None:
        assert isinstance(result, Rejection)
        outcome = Outcome(word=result.reason, url=url, detail=result.detail)
    else:
        known = _store(tx, result, said) if isinstance(result, Article) else {}
        _SAYS.run(tx, said)
        outcome = Outcome(word=refold(tx, site, url, name, known), url=url, article=name)
        if isinstance(result, Rejection):
            outcome = Outcome(word=result.reason, url=url, article=name, detail=result.detail)
    if outcome != expected:
        _OUTCOME.run(tx, {"number": number, "outcome": outcome.word, "detail": outcome.detail, "article": outcome.article})
    shown = result if isinstance(result, Article) else _confirmed(tx, said)
    return outcome if shown is None else replace(outcome, next_url=shown.next_url)


def _confirmed(tx: sa.Connection, said: Mapping[str, object] | None) -> Article | None:
    """The text that a page without one confirms."""
    if said is None or said["kind"] != history.PageKind.CONFIRMED:
        return None
    last = _LAST_TEXT.first(tx, {name: said[name] for name in ("article", "part", "fetched_at")})
    return None if last is None else contents(tx, {last.content})[last.content]


def _expected(result: Article | Rejection, url: str, name: str) -> Outcome:
    """What becomes of most captures with this result."""
    if isinstance(result, Article):
        return Outcome(word=Verdict.NEW, url=url, article=name)
    return Outcome(word=result.reason, url=url, article=None if page_kind(result) is None else name, detail=result.detail)


def _store(tx: sa.Connection, result: Article, said: dict[str, object]) -> dict[str, Article]:
    """Keeps an extraction result, and names it in the row that says so; the result by that name."""
    stored = to_json(result)
    name = digest(stored)
    said["content"] = name
    _KEEP_CONTENT.run(tx, {"digest": name, "article": stored})
    return {name: result}


def is_known(tx: sa.Connection, file: str, offset: int) -> bool:
    """Whether the capture there was written down."""
    return bool(_KNOWN.rows(tx, {"file": file, "offset": offset}))


def _known(tx: sa.Connection, at: WarcRef) -> Outcome:
    (row,) = _KNOWN.rows(tx, {"file": at.file, "offset": at.offset})
    return Outcome(word=row.outcome, url=row.url, article=row.article, detail=row.detail, known=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOut:
    """`head`: of the article of which the capture had said something."""

    head: Head | None


def take_out(tx: sa.Connection, at: WarcRef) -> TakenOut | None:
    """Deletes the row of a capture and what it says; who calls writes both anew. None where there is no such row."""
    number = tx.scalar(sa.select(capture.c.id).where(capture.c.file == at.file, capture.c.offset == at.offset))
    if number is None:
        return None
    former = tx.scalar(sa.select(page.c.article).where(page.c.capture == number))
    head = tx.execute(sa.select(article).where(article.c.id == former)).one_or_none()
    tx.execute(page.delete().where(page.c.capture == number))
    tx.execute(capture.delete().where(capture.c.id == number))
    return TakenOut(head=head)


def _insert_capture(tx: sa.Connection, site: str, seen: Capture, outcome: Outcome) -> int | None:
    """The number of its row; None where its record has one already."""
    assert seen.warc is not None
    row = {
        "site": site,
        "url": seen.url,
        "kind": seen.kind,
        "fetched_at": timestamp(seen.fetched_at),
        "status": seen.status,
        "file": seen.warc.file,
        "offset": seen.warc.offset,
        "length": seen.warc.length,
        "record_id": seen.warc.record_id,
        "payload_digest": seen.payload_digest,
        "outcome": outcome.word,
        "detail": outcome.detail,
        "article": outcome.article,
    }
    made = _SEEN.first(tx, row)
    return None if made is None else int(made.id)


def note_capture(tx: sa.Connection, site: str, seen: Capture, word: str, detail: str | None = None) -> None:
    """Records a capture that is no article page (a listing, a robots.txt), once."""
    _insert_capture(tx, site, seen, Outcome(word=word, url=seen.url, detail=detail))


def _page(name: str, number: int, part: int, seen: Capture, result: Article | Rejection) -> dict[str, object] | None:
    """The row that a result adds to its article's pages; None when it says nothing about the article."""
    row: dict[str, object] = {"article": name, "capture": number, "fetched_at": timestamp(seen.fetched_at), "part": part, "content": None}
    if isinstance(result, Article):
        return {**row, "part": result.part, "kind": history.PageKind.TEXT}
    kind = page_kind(result)
    return None if kind is None else {**row, "kind": kind}


def page_kind(result: Rejection) -> history.PageKind | None:
    """What a page without a text says about its article; None when it says nothing."""
    if result.reason is Reason.NOT_MODIFIED:
        return history.PageKind.CONFIRMED
    return history.PageKind.GONE if result.reason in DENIED else None


def taken_down(tx: sa.Connection, names: Iterable[str]) -> set[str]:
    """Which of some article ids were taken down."""
    return {row.article for part in chunks(sorted(names)) for row in _LOST.rows(tx, {"names": part})}


def sweep(tx: sa.Connection) -> int:
    """Deletes the extraction results that no page has any more; how many."""
    used = sa.select(page.c.content).where(page.c.content.is_not(None))
    return int(tx.execute(content.delete().where(content.c.digest.not_in(used))).rowcount)


def refold(tx: sa.Connection, site: str, url: str, name: str, known: Mapping[str, Article] = _NONE, *, weighed: Verdicts = _NOTHING) -> str:
    """Brings revisions, head, cluster and feed of one article in line with its pages. `known`: extraction results by digest
    that need not be read. `weighed`: what denials are worth that need not be asked, either.

    Returns what that changed: a Verdict, or "awaiting_parts".
    """
    rows = _PAGES.rows(tx, {"name": name})
    folded = _fold(tx, rows, known, weighed)
    before = _HEAD.first(tx, {"name": name})
    if folded is None:
        if before is not None:
            _forget(tx, name)
        return AWAITING_PARTS
    site = folded.current.article.site  # of two whose rules fit its address, the one that its current text was read for
    if before is None:
        return _begin(tx, {"id": name, "site": site, "url": url}, folded, rows)
    _store_revisions(tx, name, folded, {row.number: row for row in _REVISIONS.rows(tx, {"name": name})})
    current = folded.current.article
    _NEW_TEXT.run(tx, {"name": name, **_head_row({"id": name, "site": site, "url": url}, folded)})
    touched = {name}
    if before.content != canonical_json(folded.current.contents):  # a short text is what its title says
        touched |= neighbours.redraw(tx, name, current, before.comparison_digest)
    marked = templates.redraw(tx, site, name, current).touched
    regroup(tx, touched)
    publish(tx, marked - touched)
    return Verdict.UNCHANGED if before.revision == folded.current.number else Verdict.REVISION


def _begin(tx: sa.Connection, named: dict[str, Any], folded: history.History, rows: Sequence[Row]) -> str:
    """`refold` of an article that has no head: no revision, edge or counted line either, as they go with it."""
    name, current = named["id"], folded.current.article
    _store_revisions(tx, name, folded, {})
    head = {**_head_row(named, folded), "cluster": name, "representative": name, "shown": False, "record_digest": ""}
    others = neighbours.redraw(tx, name, current, None)
    lines = templates.redraw(tx, named["site"], name, current, is_new=True)
    if others:
        _NEW_HEAD.run(tx, head)
        regroup(tx, {name, *others})
        publish(tx, lines.touched - {name} - others)
        return _kinship(tx, name)
    if folded.status is Status.ACTIVE:  # alone, and its own representative: nothing need be asked to know its record
        place = next(row for row in rows if row.capture == folded.current.capture)
        made = record_alone(SimpleNamespace(**{**place._asdict(), **head}), current, is_marked=lines.is_marked)
        head.update(shown=True, record_digest=digest(canonical_json(made)))
        announce(tx, name, "add")
    _NEW_HEAD.run(tx, head)
    publish(tx, lines.touched - {name})
    return Verdict.NEW


def _fold(tx: sa.Connection, rows: Sequence[Row], known: Mapping[str, Article], weighed: Verdicts) -> history.History | None:
    """The history of an article by its pages; where denials would withdraw it or cut it short, a second look says whether they
    are to be believed."""
    shown = contents(tx, {row.content for row in rows if row.content}, known)
    folded = history.fold([_history_page(row) for row in rows], shown)
    if folded is None or not (folded.status is Status.WITHDRAWN or folded.is_incomplete):
        return folded
    denials = {row.capture: denial(row.url, row.fetched_at) for row in rows if row.kind == history.PageKind.GONE}
    asked = verdicts(tx, {one for one in denials.values() if one not in weighed})
    ill = {number for number, one in denials.items() if not (asked[one] if one in asked else weighed[one])}
    return history.fold([_history_page(row, credible=row.capture not in ill) for row in rows], shown)


def _history_page(row: Row, *, credible: bool = True) -> history.Page:
    return history.Page(
        capture=row.capture,
        fetched_at=row.fetched_at,
        part=row.part,
        kind=history.PageKind(row.kind),
        content=row.content,
        place=row.record_id,  # stays when files are read in another order; the catalogue's numbers do not
        credible=credible,
    )


def _store_revisions(tx: sa.Connection, name: str, folded: history.History, stored: Mapping[int, Row]) -> None:
    for row in _revision_rows(name, folded):
        if row["number"] not in stored:
            _NEW_REVISION.run(tx, row)
        elif _differing(stored[row["number"]], row):
            upsert(tx, revision, row)
    if len(stored) > len(folded.revisions):
        _DROP_REVISIONS.run(tx, {"name": name, "last": len(folded.revisions)})


def _revision_rows(name: str, folded: history.History) -> Iterator[dict[str, Any]]:
    for made in folded.revisions:
        yield {
            "article": name,
            "number": made.number,
            "fetched_at": made.fetched_at,
            "capture": made.capture,
            "content": canonical_json(made.contents),
            "text_digest": digest(made.article.text),
            "change": made.change,
        }


def _differing(stored: Row | None, row: Mapping[str, object]) -> list[str]:
    """The columns in which a stored row is not what it should be; all of them where there is none."""
    return [key for key, value in row.items() if stored is None or getattr(stored, key) != value]


def misfolded(tx: sa.Connection, head: Row) -> str | None:
    """What the rows of an article say otherwise than its pages do; None for one that was denied: what that is worth is settled
    when its run closes its books, and this may be before."""
    pages = _PAGES.rows(tx, {"name": head.id})
    if any(row.kind == history.PageKind.GONE for row in pages):
        return None
    folded = history.fold([_history_page(row) for row in pages], contents(tx, {row.content for row in pages if row.content}))
    if folded is None:
        return "its pages show no text of it"
    wrong = _differing(head, _head_row({"id": head.id}, folded))
    wrong += ["site"] if head.site != folded.current.article.site else []
    wrong += ["url"] if article_id(head.url) != head.id else []
    stored = {row.number: row for row in _REVISIONS.rows(tx, {"name": head.id})}
    rows = list(_revision_rows(head.id, folded))
    wrong += [f"{name} of revision {row['number']}" for row in rows for name in _differing(stored.get(row["number"]), row)]
    wrong += [f"revision {number}" for number in sorted(stored.keys() - {row["number"] for row in rows})]
    return f"{', '.join(wrong)}: not what its pages say" if wrong else None


def _head_row(named: dict[str, Any], folded: history.History) -> dict[str, Any]:
    current = folded.current
    return {
        **named,
        "text_digest": digest(current.article.text),
        "status": folded.status,
        "revision": current.number,
        "content": canonical_json(current.contents),
        "capture": current.capture,
        "comparison_digest": fingerprint.text_digest(current.article.text),
        "published": current.article.published and timestamp(current.article.published),
        "owned": current.article.rights.owned,
        "first_seen": folded.first_seen,
        "last_seen": folded.last_told,
        "fetched_at": current.fetched_at,
    }


def _kinship(tx: sa.Connection, name: str) -> str:
    """What a new article is to those that it was found to be related to."""
    kinds = {row.kind for row in _KINDS.rows(tx, {"name": name})}
    order = (Verdict.DUPLICATE, Verdict.NEAR_DUPLICATE, Verdict.CONTAINED)
    return next((kind for kind in order if kind in kinds), Verdict.NEW)


def _forget(tx: sa.Connection, name: str) -> None:
    """Takes an article out that no longer has any text (its rules changed): the feed says so."""
    head = _HEAD.first(tx, {"name": name})
    assert head is not None, "who calls has seen it"
    touched = neighbours.forget(tx, name, head.comparison_digest)
    if head.shown:
        announce(tx, name, "delete")
    marked = templates.redraw(tx, head.site, name, None).touched
    _DROP_REVISIONS.run(tx, {"name": name, "last": 0})
    _DROP_HEAD.run(tx, {"name": name})
    regroup(tx, touched)
    publish(tx, marked)
