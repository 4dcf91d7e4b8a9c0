"""An article goes for good: text, raw bytes, fingerprints, index lines; a tombstone stays, so that it never comes back.

    which       a URL, an id, or a pattern → the articles, known or not
    find        their records in every WARC file, by reading them: the index and the catalogue are not asked what there is
    one transaction: rows deleted, articles folded again, DELETE in the feed, tombstone, URL set aside, intent
    finish      told in a WARC file, others overwritten in place, index, database pages, audit line (archive/erasure.py)

Where a WARC file that is replayed tells of takedowns (archive/takedown_record.py), `heed` does the same by their ids.

What refers to a record that goes (a revisit of the same payload under another URL, what was told of it) goes with it, in
whichever file. Copies at other URLs stay unless they are named; how many there are is told. No clock is read: the time comes
from the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa

from pipelines.archive import Archive, erasure, ledger, schema, urltable
from pipelines.archive.article_record import article_id, moment, timestamp
from pipelines.archive.catalogue import upsert
from pipelines.archive.erasure import Found
from pipelines.archive.settlement import settle_withdrawals
from pipelines.archive.takedown_record import Tombstone
from pipelines.archive.urltable import NewUrl
from pipelines.archive.warc import warc_files
from pipelines.errors import ConfigurationError
from pipelines.model import Kind, Reason
from pipelines.site import Site
from pipelines.urls import canonical, host_key, request_url

CANONICAL_KEPT = 2**14
"""URLs whose article is remembered: an exchange has three records of one URL, one behind the other"""

Choose = Callable[[str], Site]
"""The site whose rules read a URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """What is to be taken down: exactly one of these. `pattern` is searched in the canonical URLs of known articles."""

    url: str | None = None
    id: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An article by its canonical URL, which nobody knows where only a WARC file told that it was taken down."""

    id: str
    url: str | None
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What went with one article. `copies` are ids of articles of its cluster that stay. `before` is when it was taken down for
    the first time, None where that is now."""

    article: Named
    had_text: bool
    captures: int
    copies: tuple[str, ...]
    before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """`others` counts captures at other URLs that referred to what went, and went with it."""

    articles: tuple[Gone, ...]
    records: int
    bytes: int
    files: int
    others: int


@contextmanager
def alone(archive: Archive, *, without: Collection[str] = ()) -> Iterator[None]:
    """Holds every lock of an archive, `without` those that the caller has: no crawl, replay or re-extraction is at work. Raises
    Locked."""
    with archive.catalogue.snapshot() as tx:
        sites = {name for table in (schema.url, schema.capture, schema.run) for name in tx.scalars(sa.select(table.c.site).distinct())}
    sites |= {path.stem for path in (archive.path / "locks").glob("*.lock")}
    with ExitStack() as locks:
        for name in sorted((sites | {"replay", "reextract", "takedown"}) - set(without)):
            locks.enter_context(archive.lock(name))
        yield


def takedown(
    archive: Archive, which: Which, reason: str, at: datetime, choose: Choose, *, tell: Callable[[int, int], None] = lambda *_: None
) -> Taken:
    """Takes articles down. The caller is `alone`. `tell` hears of bytes of WARC files read, and of all.

    Raises ConfigurationError where nothing is named, ArchiveError where the archive fails; then either nothing has changed or
    the next that opens the archive brings it to its end.
    """
    named = named_by(archive, which, choose)
    now = timestamp(at)
    rows = [{"article": one.id, "url": one.url, "site": one.site, "reason": reason, "at": now, "file": None} for one in named]
    return _carry_out(_Takedown(archive, named, choose), rows, tell)


def heed(archive: Archive, told: Mapping[str, tuple[Tombstone, str]], choose: Choose) -> int:
    """Takes down what WARC files tell was taken down, wherever that was: by id, the tombstone and the file that tells of it.
    What is known to be taken down stays as it is; how many were not.

    The caller holds the lock "replay". Raises Locked while anybody else is at work, and what `takedown` does.
    """
    with archive.catalogue.snapshot() as tx:
        known = ledger.taken_down(tx, told)
    new = {name: one for name, one in told.items() if name not in known}
    if not new:
        return 0
    with alone(archive, without=("replay",)):
        named = [Named(id=name, url=None, site=stone.site) for name, (stone, _) in sorted(new.items())]
        rows = [
            {"article": name, "url": None, "site": stone.site, "reason": None, "at": timestamp(stone.at), "file": file}
            for name, (stone, file) in sorted(new.items())
        ]
        _carry_out(_Takedown(archive, named, choose), rows)
    return len(new)


def _carry_out(job: _Takedown, stones: list[dict[str, str | None]], tell: Callable[[int, int], None] = lambda *_: None) -> Taken:
    """Everything behind the question which. `stones` are rows of the tombstone table."""
    erasure.clear_left_overs(job.archive)
    found = job.find(tell)
    with job.archive.catalogue.transaction() as tx:
        taken = job.delete(tx, found, stones)
    erasure.finish(job.archive)
    return taken


# ── which ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def named_by(archive: Archive, which: Which, choose: Choose) -> list[Named]:
    """The articles that are meant. Raises ConfigurationError."""
    with archive.catalogue.snapshot() as tx:
        if which.url is not None:
            return [_by_url(which.url, choose)]
        known = _known(tx, choose)
        if which.id is not None:
            found = [one for one in known if one.id == which.id]
        else:
            pattern = _compiled(which.pattern or "")
            found = [one for one in known if one.url is not None and pattern.search(one.url)]
    if not found:
        raise ConfigurationError(f"{which.id or which.pattern!r} names no article of this archive; nothing was done. See `scrapy history`.")
    return sorted({one.id: one for one in found}.values(), key=lambda one: one.url or one.id)


def _by_url(url: str, choose: Choose) -> Named:
    if re.match(r"https?://[^/]", url) is None:
        raise ConfigurationError(f"{url!r} is no web address. Expected one that begins with http:// or https://.")
    site = choose(url)
    where = canonical(url, site).url
    return Named(id=article_id(where), url=where, site=site.name)


def _known(tx: sa.Connection, choose: Choose) -> Iterator[Named]:
    """All articles that the archive has, has had, or has read a page of."""
    article, tombstone, capture = schema.article, schema.tombstone, schema.capture
    yield from (Named(id=row.id, url=row.url, site=row.site) for row in tx.execute(sa.select(article.c.id, article.c.url, article.c.site)))
    for row in tx.execute(sa.select(tombstone)):
        yield Named(id=row.article, url=row.url, site=row.site)
    for url in tx.scalars(sa.select(capture.c.url).where(capture.c.kind == Kind.ARTICLE).distinct()):
        yield _by_url(url, choose)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigurationError(f"{pattern!r} is no regular expression ({error}).") from None


# ── find, delete ─────────────────────────────────────────────────────────────────────────────────────────────────────


class _Takedown:
    def __init__(self, archive: Archive, named: list[Named], choose: Choose) -> None:
        self.archive, self._choose = archive, choose
        self._named = {one.id: one for one in named}
        self._places, self._urls = self._rows()
        self._is_named = lru_cache(CANONICAL_KEPT)(self._speaks_of)

    def _rows(self) -> tuple[dict[str, set[int]], set[str]]:
        """Where the catalogue has captures of the articles (file → offsets), and under which URLs."""
        capture = schema.capture
        places: dict[str, set[int]] = {}
        urls = {one.url for one in self._named.values() if one.url is not None}
        of = lru_cache(CANONICAL_KEPT)(self._article_of)
        with self.archive.catalogue.snapshot() as tx:
            columns = (capture.c.url, capture.c.file, capture.c.offset, capture.c.article)
            for row in tx.execute(sa.select(*columns).order_by(capture.c.url)):
                if row.article in self._named or of(row.url) in self._named:
                    places.setdefault(row.file, set()).add(row.offset)
                    urls.add(row.url)
        return places, urls

    def _article_of(self, url: str) -> str:
        return article_id(canonical(url, self._choose(url)).url)

    def _speaks_of(self, url: str) -> bool:
        return url in self._urls or self._article_of(url) in self._named

    def find(self, tell: Callable[[int, int], None]) -> dict[Path, Found]:
        """The records that go, by file. What refers to them may stand before them, or in any other file: all are read until
        nothing more is found."""
        self._urls |= {url for url in erasure.urls_beside(self.archive) if self._is_named(url)}
        gone: set[str] = set()
        while True:
            before = len(gone)
            found = self._pass(gone, tell)
            if len(gone) == before:
                return found

    def _files(self) -> list[Path]:
        """Every WARC file, and whatever else the catalogue says that a capture lies in."""
        folder = self.archive.warc_folder
        named = (folder / name for name in self._places)
        return sorted({*warc_files(folder), *(path for path in named if path.exists())})

    def _pass(self, gone: set[str], tell: Callable[[int, int], None]) -> dict[Path, Found]:
        paths = self._files()
        sizes = [path.stat().st_size for path in paths]
        found = {}
        for number, path in enumerate(paths):
            before = sum(sizes[:number])
            here = erasure.find(
                path,
                self._is_named,
                self._places.get(path.name, ()),
                gone,
                lambda offset, before=before: tell(before + offset, sum(sizes)),  # type: ignore[misc]
            )
            if here.spans:
                found[path] = here
        return found

    def delete(self, tx: sa.Connection, found: dict[Path, Found], stones: list[dict[str, str | None]]) -> Taken:
        """Everything that the catalogue has of the articles, in the caller's transaction; a tombstone of each comes in. Where there is
        one, what it says stays; a WARC file tells of it once more, as that of then may be lost."""
        now = max(stone["at"] or "" for stone in stones)
        copies = {name: self._copies(tx, name) for name in self._named}
        former = self._tombstones(tx)
        for stone in stones:
            there = former.get(stone["article"] or "", {})
            upsert(tx, schema.tombstone, {name: there.get(name) or value for name, value in stone.items()} | {"file": stone["file"]})
        captures, others = self._delete_captures(tx, found)
        self._set_aside(tx, moment(now))
        ledger.sweep(tx)
        gone = tuple(
            Gone(
                article=one,
                had_text=had,
                captures=captures.get(one.id, 0),
                copies=tuple(sorted(mates - set(self._named))),
                before=former.get(one.id, {}).get("at"),
            )
            for one in self._named.values()
            for had, mates in [copies[one.id]]
        )
        spans = {path.name: here.spans for path, here in found.items()}
        audit = [
            {"at": one["at"], "id": one["article"], "reason": one["reason"], "captures": captures.get(one["article"] or "", 0)}
            for one in stones
        ]
        erasure.intend(tx, self.archive.warc_folder, spans, at=now, urls=self._urls, audit=audit)
        return Taken(
            articles=gone,
            records=sum(len(here.offsets) for here in found.values()),
            bytes=sum(length for here in spans.values() for _, length in here),
            files=len(found),
            others=others,
        )

    def _tombstones(self, tx: sa.Connection) -> dict[str, dict[str, str | None]]:
        """The tombstones of the articles from before, by id."""
        stone = schema.tombstone
        rows = tx.execute(sa.select(stone).where(stone.c.article.in_(list(self._named))))
        return {row.article: dict(row._mapping) for row in rows}

    def _copies(self, tx: sa.Connection, name: str) -> tuple[bool, set[str]]:
        """Whether an article has a text, and the other members of its cluster."""
        article = schema.article
        label = tx.scalar(sa.select(article.c.cluster).where(article.c.id == name))
        if label is None:
            return False, set()
        return True, set(tx.scalars(sa.select(article.c.id).where(article.c.cluster == label, article.c.id != name)))

    def _delete_captures(self, tx: sa.Connection, found: dict[Path, Found]) -> tuple[dict[str, int], int]:
        """Rows and pages; captures deleted by article, and those of other articles. Denials of what stays are weighed again: what they
        are worth depends on what their host showed then."""
        capture, page, article = schema.capture, schema.page, schema.article
        counts: dict[str, int] = {}
        touched, others = set(self._named), 0
        times = set(tx.scalars(sa.select(page.c.fetched_at).where(page.c.article.in_(list(self._named)))))
        files = {path.name: here.offsets for path, here in found.items()}
        for file in files.keys() | self._places.keys():
            offsets = set(files.get(file, ())) | self._places.get(file, set())
            rows = tx.execute(
                sa.select(capture.c.id, capture.c.url, capture.c.article, capture.c.offset).where(capture.c.file == file)
            ).all()
            for row in rows:
                if row.offset not in offsets:
                    continue
                name = row.article if row.article in self._named else self._article_of(row.url)
                others += name not in self._named
                counts[name] = counts.get(name, 0) + 1
                said = tx.execute(sa.select(page.c.article, page.c.fetched_at).where(page.c.capture == row.id)).all()
                touched |= {one.article for one in said}
                times |= {one.fetched_at for one in said}
                tx.execute(page.delete().where(page.c.capture == row.id))
                tx.execute(capture.delete().where(capture.c.id == row.id))
        tx.execute(page.delete().where(page.c.article.in_(list(self._named))))
        for name in sorted(touched):
            head = tx.execute(sa.select(article).where(article.c.id == name)).one_or_none()
            if head is not None:
                ledger.refold(tx, head.site, head.url, name)
        settle_withdrawals(tx, near=times)
        return counts, others

    def _set_aside(self, tx: sa.Connection, at: datetime) -> None:
        """Every URL of the articles, those that were never discovered too: discovering them later changes nothing."""
        url, now = schema.url, at.timestamp()
        for one in self._named.values():
            if one.url is None:  # where somebody links to it, it is known by its id (pipelines.stages)
                continue
            asked = request_url(one.url)
            new = NewUrl(url=asked, host=host_key(asked), kind=Kind.ARTICLE, due_at=now)
            urltable.discover(tx, one.site, [new], now)
        for site, address in tx.execute(sa.select(url.c.site, url.c.url).where(url.c.kind == Kind.ARTICLE)).all():
            if self._is_named(address):
                urltable.set_aside(tx, site, [address], Reason.TAKEN_DOWN)
