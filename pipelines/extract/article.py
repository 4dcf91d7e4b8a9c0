"""What was read, put together as one `model.Article`, or refused. No reading happens here, only the joining of evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo

from pipelines import text as texts
from pipelines.extract import blocks, dates, furniture, metadata, names, notices, verdict
from pipelines.extract.assembly import Assembly
from pipelines.extract.blocks import LINK_SHARE, Line, Reading
from pipelines.extract.consensus import Consensus
from pipelines.extract.dates import Moment
from pipelines.extract.decode import QUARANTINE_SHARE, Decoded
from pipelines.extract.folding import fold
from pipelines.extract.furniture import Kind
from pipelines.extract.layouts import Match
from pipelines.extract.metadata import Declared, Published
from pipelines.extract.page import Page
from pipelines.extract.rights import rights
from pipelines.extract.version import versions
from pipelines.model import Article, Caption, Capture, Extraction, PublishedFrom, Quality, Reason, Rejection
from pipelines.site import GENERIC, Site
from pipelines.text import presence
from pipelines.urls import Canonical, absolute, canonical

CONFIDENT = 0.6
"""Below this agreement of the readers a person should look (benchmarks/README.md has the curve)."""
_SHORT = 80
"""characters: articles this short are flagged, not refused"""
_ANCIENT = 1990
_CHINA = ZoneInfo("Asia/Shanghai")
_LATER_TITLE = 40
_LONGEST_TITLE = 300
"""characters; the longest of 64 real ones has 46"""
_OWN_WORDS = 1_024
_BELOW_TITLE = 5
"""lines in which a page says when it went out"""

CONSENSUS = "consensus"


@dataclass(kw_only=True)
class Reader:
    """Everything that is known of one page before its article is chosen. The whole page is read only for who asks: where a
    layout finds title, date and body, that is nobody, and half of the time of a page."""

    capture: Capture
    site: Site
    page: Page
    decoded: Decoded
    said: Declared
    flags: set[str] = field(default_factory=set)

    @cached_property
    def where(self) -> Canonical:
        return canonical(self.capture.url, self.site)

    @cached_property
    def named(self) -> re.Match[str] | None:
        """What the site's own article rule finds in the URL."""
        return self.site.article_match(self.where.url)

    @cached_property
    def reading(self) -> Reading:
        return blocks.read(self.page.root)

    def upward(self) -> Iterator[str]:
        """The lines of the page, from its foot."""
        if "reading" in self.__dict__:
            return (line.text for line in reversed(self.reading.lines))
        return blocks.upward(self.page.root)

    @cached_property
    def plain_title(self) -> str | None:
        """The title as far as it is known before the article is: the printed heading that the head of the page claims."""
        lines = [line for line in self.reading.lines if len(line.text) <= 120]
        found, _ = metadata.title(lines, len(lines), self.said, self.site.title_suffixes)
        return found

    def zone(self, language: str | None) -> tzinfo:
        if self.site.name != GENERIC:
            return self.site.timezone
        self.flags.add("zone_assumed")
        return _CHINA if language == "zh" else UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What was chosen of a page as its article, before it is read for dates, people and rights."""

    assembly: Assembly
    method: str
    confidence: float
    title: str | None
    head: list[str]
    """the lines above the text that print date, source and people"""
    tail: list[str]
    """such lines below it"""
    marked: tuple[str, ...] = ()
    """who the header's markup calls its author"""
    source: str | None
    crumbs: list[str]
    """where the page says that it belongs"""
    photos: tuple[Caption, ...] = ()
    next_href: str | None = None

    @property
    def is_guessed(self) -> bool:
        """By the readers' agreement, not by a layout of the site."""
        return self.method == CONSENSUS


def from_consensus(reader: Reader, found: Consensus) -> Article | Rejection:
    """The article that the readers agreed on."""
    assembly = found.assembly
    lines = reader.reading.lines
    first = assembly.kept[0].index if assembly.kept else 0
    last = assembly.kept[-1].index if assembly.kept else -1
    printed_title, at = metadata.title(lines, first, reader.said, reader.site.title_suffixes, reader.capture.hints.title)
    if (
        at is not None
        and (listed := verdict.behind_a_list(lines[at + 1 : first], assembly.kept, printed_title, reader.where.url)) is not None
    ):
        return listed
    if (teased := verdict.teasers(lines, assembly.kept)) is not None:
        return notices.said(notices.SIGNS, f"{printed_title or ''}\n{_own_words(lines, assembly.kept)}") or teased
    begin = max(
        0, at - metadata.ABOVE_TITLE if at is not None and at < first <= at + metadata.HEADER_LINES else first - metadata.HEAD_LINES
    )
    head, tail = lines[begin:first], lines[last + 1 : last + 1 + metadata.TAIL_LINES]
    head = [line for line in head if furniture.kind(line.text) is not Kind.NOTICE]
    head_pieces = [metadata.pieces(line) for line in head]
    tail_pieces = [metadata.pieces(line) for line in tail if line.link_share <= LINK_SHARE and not _is_foot(line)]
    source = metadata.source(
        head_pieces,
        tail_pieces,
        reader.said,
        metadata.marked_sources(head),
        metadata.account(lines[at + 1 : first] if at is not None and at < first else []),
        told=[text for _, text in assembly.told],
        chinese=texts.language(" ".join(line.text for line in assembly.kept)) == "zh",
    )
    chosen = Chosen(
        assembly=assembly,
        method=CONSENSUS,
        confidence=found.confidence,
        title=printed_title,
        head=[" ".join(parts) for parts in head_pieces],
        tail=[*(" ".join(parts) for parts in tail_pieces), *(stamp for line in head for stamp in metadata.stamps(line))],
        marked=metadata.marked_authors(head) or metadata.marked_names(head),
        source=source,
        crumbs=[line.text for line in lines[max(0, first - 20) : first] if metadata.is_breadcrumb(line)],
    )
    return _composed(reader, chosen)


def _own_words(lines: list[Line], kept: list[Line]) -> str:
    """The first unlinked lines of a page that are not in what was taken for its text."""
    taken = {line.index for line in kept}
    return "\n".join(line.text for line in lines if line.index not in taken and line.link_share <= LINK_SHARE and not line.aside)[
        :_OWN_WORDS
    ]


def from_layout(reader: Reader, match: Match) -> Article | Rejection:
    """The article that a layout of the site selected."""
    chosen = Chosen(
        assembly=match.assembly,
        method=f"layout:{match.layout.name}",
        confidence=1.0,
        title=presence(match.title),
        head=[text for text in (match.published, match.source, match.author) if text],
        tail=[match.editor] if match.editor else [],
        source=metadata.layout_source(match.source, match.assembly.told),
        crumbs=[match.section] if match.section else [],
        photos=match.photos,
        next_href=match.next_href,
    )
    return _composed(reader, chosen)


def _composed(reader: Reader, chosen: Chosen) -> Article | Rejection:
    assembly = chosen.assembly
    paragraphs, cut = _paragraphs(assembly.kept)
    captions = chosen.photos or _captions(assembly.captions, reader.capture.url)
    paragraphs = paragraphs or tuple(caption.text for caption in captions)  # a photo set: what it tells stands below its pictures
    text = "\n".join(paragraphs)
    title = chosen.title[:_LONGEST_TITLE].rstrip() if chosen.title else None
    language = texts.language(text) or _declared_language(reader)
    zone = reader.zone(language)
    header, below = (list(dates.moments("  ".join(lines))) for lines in (chosen.head, chosen.tail))
    when = _published(reader, header, below, zone)
    claim = _claim(reader, title, text, when)
    endings = [line for _, line in assembly.told] + list(paragraphs[-1:])
    refused = _refusal(reader, claim, paragraphs, endings, guessed=chosen.is_guessed)
    if refused is not None:
        return refused
    authors, editors = _people(reader, chosen, paragraphs, cut, language)
    if chosen.is_guessed and language != "zh":
        paragraphs = _without_bios(paragraphs, authors)
    return Article(
        url=reader.where.url,
        site=reader.site.name,
        title=title or paragraphs[0][:_LATER_TITLE],
        paragraphs=paragraphs,
        captions=captions,
        published=when.at,
        published_precision=when.precision,
        published_from=when.evidence,
        modified=metadata.modified(header, reader.said, zone),
        source=chosen.source,
        authors=authors,
        editors=editors,
        section=metadata.section(reader.said, chosen.crumbs) or _section_in_path(reader),
        keywords=metadata.keywords(reader.said),
        language=language,
        rights=rights(
            reader.said.elements,
            reader.capture.headers,
            upward=reader.upward(),
            told=assembly.told,
            source=chosen.source,
            rules=reader.site.rights,
            terms=reader.capture.hints.terms,
        ),
        quality=Quality(confidence=round(chosen.confidence, 4), flags=_flags(reader, title, text, when)),
        extraction=Extraction(
            method=chosen.method,
            charset=reader.decoded.charset,
            charset_from=reader.decoded.evidence,
            rules_digest=reader.site.digest,
            versions=versions(),
        ),
        part=reader.where.part,
        next_url=_next_url(reader, chosen.next_href),
        quarantine=_quarantine(reader, chosen.confidence),
    )


def _people(
    reader: Reader, chosen: Chosen, paragraphs: tuple[str, ...], cut: list[str], language: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Authors and editors. `cut` is what was printed behind the last sentences of paragraphs."""
    told = [*(line for _, line in chosen.assembly.told), *cut, *chosen.tail]
    editors = tuple(dict.fromkeys(name for line in (*chosen.head, *told) for name in names.editors(line)))
    if language == "zh":
        bylines = [line.text for line in chosen.assembly.bylines]
        authors = metadata.authors(chosen.head, bylines, list(paragraphs), chosen.tail, chosen.marked, told)
    else:
        bylines = [line.text for line in chosen.assembly.bylines]
        authors = metadata.declared_authors(reader.said) or metadata.printed_authors(chosen.head, bylines, chosen.marked)
    return tuple(name for name in authors if name not in editors and name != chosen.source), editors


def _without_bios(paragraphs: tuple[str, ...], authors: tuple[str, ...]) -> tuple[str, ...]:
    """Without what the last paragraphs tell of the authors: who they are, not what happened."""
    end = len(paragraphs)
    while end > max(1, len(paragraphs) - _BIOS) and _is_bio(paragraphs[end - 1], authors):
        end -= 1
    return paragraphs[:end]


def _is_bio(text: str, authors: tuple[str, ...]) -> bool:
    return text in authors or (names.begins_with(text, authors) and _BIO.search(text[:_BIO_BEGIN]) is not None)


_BIOS = 3
_BIO_BEGIN = 120
_BIO = re.compile(r"\b(?:is|was|covers|writes|reports|works|has (?:been|written|covered|worked)|joined|serves)\b")


def _section_in_path(reader: Reader) -> str | None:
    """The section that the site's own article rule finds in the URL."""
    return presence(reader.named.groupdict().get("section")) if reader.named else None


def _next_url(reader: Reader, href: str | None) -> str | None:
    """The URL of the article's next page: a later page of the same article; a link back, or elsewhere, ends the chain."""
    url = absolute(reader.capture.url, href) if href else None
    where = canonical(url, reader.site) if url else None
    return url if where is not None and where.url == reader.where.url and where.part > reader.where.part else None


def _paragraphs(kept: list[Line]) -> tuple[tuple[str, ...], list[str]]:
    """The paragraphs without what is printed behind their last sentence, and that."""
    pairs = [furniture.cut_tail(line.text) for line in kept]
    return tuple(text.strip() for text, _ in pairs if text.strip()), [tail for _, tail in pairs if tail]


def _captions(lines: list[Line], url: str) -> tuple[Caption, ...]:
    return tuple(Caption(text=line.text, image_url=absolute(url, line.image) if line.image else None) for line in lines)


def _claim(reader: Reader, title: str | None, text: str, when: Published) -> verdict.Claim:
    url = reader.where.url
    dated = when.evidence in (PublishedFrom.HEADER, PublishedFrom.META, PublishedFrom.JSONLD)
    dated = dated or reader.where.part > 1  # its first page said so; what is left of a text for the last one may be a line
    dated = dated or (notices.weight(text) < notices.FRAMED and _prints_a_date(reader, title, text))
    return verdict.Claim(title=title, text=text, url=url, dated=dated, expected=reader.named is not None)


def _prints_a_date(reader: Reader, title: str | None, text: str) -> bool:
    """Whether the page says below its title when it went out, where no rule of the site looks for that."""
    lines = reader.reading.lines
    at = next((line.index for line in lines if title and fold(line.text) == fold(title)), None)
    return at is not None and any(dates.first(line.text) for line in lines[at + 1 : at + 1 + _BELOW_TITLE] if line.text not in text)


def _refusal(reader: Reader, claim: verdict.Claim, paragraphs: tuple[str, ...], endings: list[str], *, guessed: bool) -> Rejection | None:
    markup = reader.page.markup
    found = verdict.no_article(claim, reader.reading, markup) if guessed else verdict.no_article_in_frame(claim, markup)
    if found is not None:
        return found
    if not claim.text:
        return Rejection(reason=Reason.NO_TEXT, detail="No reader found an article.")
    teased = next((refused for line in endings if (refused := notices.paywall(line)) is not None), None)
    return verdict.too_long(claim.text) or teased or verdict.partial(markup, paragraphs, ended="</html" in markup[-2_000:].lower())


def _is_foot(line: Line) -> bool:
    """A notice speaks of sources and dates too, but not of this article's."""
    return furniture.kind(line.text) is Kind.NOTICE and not names.editors(line.text)


def _published(reader: Reader, head: list[Moment], tail: list[Moment], zone: tzinfo) -> Published:
    day = reader.named.groupdict().get("date") if reader.named else None
    url_date = re.sub(r"\D", "", day) if day else _date_in_path(reader.where.url)
    hint = reader.capture.hints.published
    return metadata.published(head, tail, reader.said, url_date=url_date, listed=hint, zone=zone, fetched_at=reader.capture.fetched_at)


_PATH_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01])(?!\d)")


def _date_in_path(url: str) -> str | None:
    found = _PATH_DATE.search(url)
    return "".join(found.groups()) if found else None


def _declared_language(reader: Reader) -> str | None:
    lang = (reader.page.root.get("lang") or "").strip().lower()[:2]
    return lang if lang.isalpha() and len(lang) == 2 else reader.site.language or None


def _flags(reader: Reader, title: str | None, text: str, when: Published) -> tuple[str, ...]:
    flags = set(reader.flags)
    flags |= {"no_title"} if title is None else set()
    flags |= {"no_date"} if when.at is None else set()
    flags |= {"future_date"} if when.future else set()
    flags |= {"ancient_date"} if when.at is not None and when.at.year < _ANCIENT else set()
    flags |= {"date_from_url"} if when.evidence is PublishedFrom.URL else set()
    flags |= {"short"} if len(text) < _SHORT else set()
    flags |= {"replacement_characters"} if reader.decoded.replaced else set()
    flags |= {"flattened"} if reader.page.flattened else set()
    return tuple(sorted(flags))


def _quarantine(reader: Reader, confidence: float) -> str | None:
    if reader.decoded.replaced > QUARANTINE_SHARE:
        return f"{reader.decoded.replaced:.1%} of the characters could not be decoded."
    if reader.page.flattened:
        return "The markup could only be read flattened."
    return f"The readers agree by {confidence:.2f} only." if confidence < CONFIDENT else None
