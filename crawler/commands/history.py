"""`scrapy history`: what became of one article, with the differences between its revisions."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice, pairwise

from scrapy.exceptions import UsageError

from crawler.command import ArchiveCommand
from crawler.pipe import say
from pipelines.archive import open_archive
from pipelines.chronicle import Chapter, Chronicle, chronicle
from pipelines.dedup.difference import unified
from pipelines.model import Article
from pipelines.site import load_sites
from pipelines.tables import several
from pipelines.text import line
from pipelines.urls import canonical, in_scope


class Command(ArchiveCommand):
    def syntax(self) -> str:
        return "[options] URL|ID"

    def short_desc(self) -> str:
        return "What became of one article"

    def long_desc(self) -> str:
        return (
            "Prints the revisions of an article with their dates and what kind of difference each made, sentence by sentence: "
            "- was, + is. The kinds: typographic (punctuation, white space, script), headline (the title), body_small (most of the "
            "text stayed), body_large (it did not). URL may be any address of the article that the seeds file of its site knows to be the "
            "same; ID is the "
            "record's. Exit statuses: 0 good, 20 no such article (and what is known of the URL), 21 archive unusable."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--url", help="the same as URL, spelled as for `scrapy takedown`")
        self.add_archive_option(parser)

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:
        named = [*args, opts.url] if opts.url else args
        if len(named) != 1:
            raise UsageError("Name one article by its URL or its id.")
        assert self.settings is not None
        names = [named[0], *self._canonical(named[0])]
        with open_archive(opts.archive, catalogue_url=self.settings["CATALOGUE_URL"]) as archive, archive.catalogue.snapshot() as tx:
            found = chronicle(tx, names)
        for text in lines(found):
            say(text)
        return 0

    def _canonical(self, url: str) -> Iterator[str]:
        """What the seeds files make of a URL; nothing for what is none, or where there are no seeds."""
        if url.startswith(("http://", "https://")) and self.seeds.is_dir():
            yield from (canonical(url, site).url for site in load_sites(self.seeds).values() if in_scope(url, site))


def lines(told: Chronicle) -> Iterator[str]:
    """The chronicle for people, oldest first; every line without control characters."""
    head = told.head
    yield line(told.chapters[-1].article.title)
    yield f"  {line(head.url)}"
    yield f"  id {head.id}, {head.status}, seen first {_minute(head.first_seen)}, last {_minute(told.last_seen)}"
    yield from _cluster(told)
    yield from _chapter(told.chapters[0])
    for old, new in pairwise(told.chapters):
        yield from _chapter(new)
        yield from _difference(old.article, new.article)


def _cluster(told: Chronicle) -> Iterator[str]:
    if told.relatives:
        yield f"  one story with {several(len(told.relatives), 'other article')}; the corpus shows {_shown(told)}"
        yield from (f"    {line(other.url)}  {other.status}" for other in told.relatives)


def _shown(told: Chronicle) -> str:
    shown = next((row for row in (told.head, *told.relatives) if row.shown), None)
    if shown is None:
        return "none of them"
    return "this one" if shown.id == told.head.id else line(shown.url)


def _chapter(made: Chapter) -> Iterator[str]:
    yield ""
    letters = several(len(made.article.text), "character")
    yield f"revision {made.number}  {_minute(made.fetched_at)}  {made.change or 'first'}  {letters}  {line(made.warc)}"


def _difference(old: Article, new: Article) -> Iterator[str]:
    """The hunks of a unified diff; where each begins nobody wants to know of sentences."""
    for text in islice(unified(old, new), 2, None):
        yield f"  {line(text)}" if not text.startswith("@@") else "  …"


def _minute(moment: str) -> str:
    return f"{moment[:10]} {moment[11:16]} UTC"
