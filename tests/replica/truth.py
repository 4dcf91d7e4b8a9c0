"""What the replica knows about each of its pages: the answer that a crawler's archive is held against.

Rule of this file: one frozen value and its reading aids; nothing is rendered or served here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from pipelines.model import Precision, Reason

BEIJING = timezone(timedelta(hours=8))

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueArticle:
    """One article (or page that only looks like one), as it is on one day.

    `url` is canonical by the seeds' identity rules: http, no tracking query, the first page of several. `paragraphs` hold
    no captions, editor lines, image notices, inner 来源 lines or table rows, and no indent. A photo set is a good article
    whose paragraphs are its notes in order, and whose captions are the same notes with their images. `captions` are (text as
    printed, image URL). The page of variant
    "broken-byte" shows one U+FFFD that the paragraphs here have not.
    """

    url: str
    site: str
    template: str
    """T3, T2, T1, photo, founder-a … founder-h, en; for what is no article: error, topic, stub"""
    variant: str
    good: bool = True
    """must be archived (duplicates too: they join a cluster)"""
    reason: Reason | None = None
    """why not; None for a good one"""
    title: str
    paragraphs: tuple[str, ...] = ()
    captions: tuple[tuple[str, str], ...] = ()
    table: tuple[Row, ...] = ()
    """rows of the table in the body; a reader may keep or leave them"""
    published: datetime | None = None
    precision: Precision | None = None
    source: str | None = None
    authors: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    section: str | None = None
    """the folder in the URL, as the seeds' named group"""
    keywords: tuple[str, ...] = ()
    language: str = "zh"
    image_notice: str | None = None
    copies: tuple[str, ...] = ()
    """other URLs that answer with the same article: https, tracking query, big5, mobile, and the old URL of a moved one"""
    parts: tuple[str, ...] = ()
    """URLs of the second and later pages"""
    part_sizes: tuple[int, ...] = ()
    """how many of `paragraphs` each page shows, the first page too; empty for a single page"""
    duplicate_of: str | None = None
    revision: int = 1
    updated: datetime | None = None
    """when this revision came on line: the page's Last-Modified"""
    withdrawn: bool = False
    moved_to: str | None = None
    listed: bool = True
    """reachable from the listings of its seeds file"""

    @property
    def text(self) -> str:
        """As a record has it: paragraphs joined by a line feed."""
        return "\n".join(self.paragraphs)

    @property
    def host(self) -> str:
        return self.url.split("/")[2]

    @property
    def number(self) -> int:
        """The CMS's id, from the URL."""
        digits = self.url.rsplit("/", 1)[1].removeprefix("content_").partition(".")[0]
        return int(digits.partition("_")[0])
