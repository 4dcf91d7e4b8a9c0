"""What a capture said ↔ what it says today: are they the same, and if not, how to show it. Pure.

`Said` is read from the catalogue's row, `says` from what extraction made of the capture now; equal ones change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipelines.archive import ledger
from pipelines.archive.article_record import article_id, digest, to_json
from pipelines.dedup.history import PageKind
from pipelines.model import Article, Rejection
from pipelines.site import Site
from pipelines.urls import canonical

SAMPLE_LINES = 3


class What(StrEnum):
    """What reading again changes of a capture."""

    TEXT = "text"
    FACTS = "facts"
    """title, date, people, rights, flags; the text is the same"""
    PROVENANCE = "provenance"
    """nothing but the digest of the rules or the versions of the readers"""
    GAINED = "gained"
    LOST = "lost"
    REASON = "reason"
    """still no article, for another reason"""
    MOVED = "moved"
    """it belongs to another article or site now"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    what: What
    url: str
    lines: tuple[str, ...]
    """"- …" as it was, "+ …" as it is """


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the catalogue has of a capture: its page of an article, and the text there, or the reason why there is none."""

    site: str
    article: str | None
    kind: str | None
    part: int | None
    word: str
    """the digest of the extraction result, or the reason"""


def says(url: str, site: Site, result: Article | Rejection) -> Said:
    """What `flow.write` would make of a result."""
    where = canonical(url, site)
    name = article_id(where.url)
    if isinstance(result, Article):
        return Said(site=site.name, article=name, kind=PageKind.TEXT, part=result.part, word=digest(to_json(result)))
    kind = None if where.mirror is not None else ledger.page_kind(result)
    if kind is None:
        return Said(site=site.name, article=None, kind=None, part=None, word=result.reason)
    return Said(site=site.name, article=name, kind=kind, part=where.part, word=result.reason)


def sample(url: str, said: Said, before: Article | None, result: Article | Rejection, site: Site) -> Sample:
    """The difference, shown. `before` is the article that the capture gave, None where it gave none."""
    after = result if isinstance(result, Article) else None
    if before is None or after is None:
        what = What.GAINED if after else What.LOST if before else What.REASON
        was = f"- {before.title}" if before else f"- {said.word}"
        now = f"+ {result.reason}: {result.detail}" if isinstance(result, Rejection) else f"+ {result.title}"
        return Sample(what=what, url=url, lines=(was, now))
    if (said.site, said.article, said.part) != (site.name, article_id(canonical(url, site).url), after.part):
        return Sample(what=What.MOVED, url=url, lines=(f"- {said.site} {before.url}", f"+ {site.name} {after.url}"))
    if lines := _different(before.paragraphs, after.paragraphs):
        return Sample(what=What.TEXT, url=url, lines=lines)
    facts = _facts(before, after)
    return Sample(what=What.FACTS if facts else What.PROVENANCE, url=url, lines=facts)


def _different(before: Iterable[str], after: Iterable[str]) -> tuple[str, ...]:
    """The first paragraphs that only one of two texts has, or that stand elsewhere."""
    was, now = tuple(before), tuple(after)
    gone = [f"- {line}" for line in was if line not in now]
    new = [f"+ {line}" for line in now if line not in was]
    if was != now and not gone and not new:
        return ("~ the paragraphs are the same, their order or number is not",)
    return (*gone[:SAMPLE_LINES], *new[:SAMPLE_LINES])


def _facts(before: Article, after: Article) -> tuple[str, ...]:
    was, now = json.loads(to_json(before)), json.loads(to_json(after))
    for one in (was, now):
        one["extraction"] = {key: value for key, value in one["extraction"].items() if key not in ("rules_digest", "versions")}
    return tuple(_unlike("", was, now))


def _unlike(name: str, was: object, now: object) -> Iterator[str]:
    """The facts that differ, each by its own name: what is equal around them would push them off the line."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*was, *now)):
            yield from _unlike(f"{name}.{key}" if name else key, was.get(key), now.get(key))
    elif was != now:
        yield from (f"- {name}: {was}", f"+ {name}: {now}")
