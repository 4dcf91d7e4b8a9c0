"""What a re-extraction found, kept on disk until all of it is applied, so that one that is killed goes on where it stopped.

    reextract.jsonl.part   while it compares: a line a change, and now and then a mark: how far, and what was counted until then
    reextract.jsonl        when all is compared: the same file under its name

Rules of this file: what stands behind the last mark is found again, so a torn end costs minutes and no truth; a mark counts
only for the rules that it was made by.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines.archive.article_record import canonical_json, digest, from_json
from pipelines.archive.durable import disk_fault, sync_folder
from pipelines.bulk import END, Piece
from pipelines.compared import Sample, What
from pipelines.extract.version import versions
from pipelines.model import Article, Reason, Rejection
from pipelines.site import Site

SAMPLES = 3
"""of each kind of difference, site and layout"""
NAMED = 100
"""URLs on which our own code failed"""
MARK_EVERY = 100
"""pieces: 2,000 to 3,000 pages, 10 to 30 s of two cores"""


@dataclass(slots=True)
class Difference:
    """What reading again changes. `counts` by (site, layout, what); the layout is the way that the text was found, or "-"."""

    read: int = 0
    same: int = 0
    counts: Counter[tuple[str, str, What]] = field(default_factory=Counter)
    samples: dict[tuple[str, str, What], list[Sample]] = field(default_factory=dict)
    unreadable: int = 0
    """captures whose records cannot be read; they stay as they are"""
    too_expensive: int = 0
    failures: int = 0
    """captures on which our own code failed; they stay as they are"""
    failed: list[str] = field(default_factory=list)
    """their first NAMED URLs"""
    rules: dict[str, str] = field(default_factory=dict)
    """by which rules captures were read: name of a site -> key_of"""
    resumed: int | None = None
    """changes that an earlier run had found and not yet applied; then nothing was compared in this one"""
    applied: int = 0

    @property
    def is_whole(self) -> bool:
        return not (self.unreadable or self.too_expensive or self.failures)

    def add(self, site: str, layout: str, sample: Sample) -> None:
        key = (site, layout, sample.what)
        self.counts[key] += 1
        if len(several := self.samples.setdefault(key, [])) < SAMPLES:
            several.append(sample)

    def fail(self, url: str) -> None:
        self.failures += 1
        if len(self.failed) < NAMED:
            self.failed.append(url)

    def as_json(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "counts": [[*key, count] for key, count in self.counts.items()],
            "samples": [[*key, [asdict(one) for one in several]] for key, several in self.samples.items()],
        }

    def take(self, told: dict[str, Any]) -> None:
        """Goes on from what `as_json` told."""
        for name in _PLAIN:
            setattr(self, name, told[name])
        self.counts.update({(site, layout, What(what)): count for site, layout, what, count in told["counts"]})
        for site, layout, what, several in told["samples"]:
            self.samples[site, layout, What(what)] = [_sample(one) for one in several]


_PLAIN = ("read", "same", "unreadable", "too_expensive", "failures", "failed", "rules")


def _sample(told: dict[str, Any]) -> Sample:
    return Sample(what=What(told["what"]), url=told["url"], lines=tuple(told["lines"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the capture at `offset` of `file` says today, by the rules of `site`."""

    file: str
    offset: int
    site: str
    key: str
    """of the rules that it was read by"""
    article: str | None = None
    rejection: dict[str, Any] | None = None

    @property
    def result(self) -> Article | Rejection:
        if self.article is not None:
            return from_json(self.article)
        assert self.rejection is not None
        return Rejection(**{**self.rejection, "reason": Reason(self.rejection["reason"])})


def key_of(site: Site) -> str:
    """Of the rules and the software: results of equal keys are equal."""
    return digest(canonical_json([site.digest, versions()]))


class Spool:
    """`only` is the site whose captures are read, None for all. Raises OutOfSpace, ArchiveUnusable."""

    def __init__(self, path: Path, only: str | None) -> None:
        self._path, self._only = path, only
        self._part = path.with_name(f"{path.name}.part")

    @property
    def is_whole(self) -> bool:
        return self._path.exists()

    def is_of(self, key_today: Callable[[str], str]) -> bool:
        """Whether all of it was found by today's rules."""
        return all(change.key == key_today(change.site) for change in self.changes())

    def changes(self) -> Iterator[Change]:
        return (Change(**line) for line, _ in _lines(self._path) if "mark" not in line)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
        self._part.unlink(missing_ok=True)

    def fill(self, found: Difference, key_today: Callable[[str], str], compare: Callable[[Piece | None], Iterable[Found]]) -> None:
        """Makes it whole: what a run left that was killed, as far as its last mark, and what `compare` finds behind it."""
        try:
            after = self._left(found, key_today)
            with self._part.open("ab") as out:
                for number, one in enumerate(compare(after), 1):
                    out.writelines(_line(asdict(change)) for change in one.changes)
                    if number % MARK_EVERY == 0:
                        out.write(_line({"mark": self._mark(one.end, found)}))
                        out.flush()
                out.flush()
                os.fsync(out.fileno())
            self._part.rename(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise disk_fault(self._part, error) from error

    def _mark(self, end: Piece, found: Difference) -> dict[str, Any]:
        at = {"file": end.file.name, "start": end.start, "behind": end.behind, "before": end.before}
        return {"at": at, "only": self._only, "found": found.as_json()}

    def _left(self, found: Difference, key_today: Callable[[str], str]) -> Piece | None:
        """Where a killed run's last mark is, everything behind it cut off; None where there is none by today's rules."""
        mark, end = self._last_mark()
        rules = mark["found"]["rules"] if mark else {}
        if mark is None or mark["only"] != self._only or any(key != key_today(site) for site, key in rules.items()):
            self._part.unlink(missing_ok=True)
            return None
        os.truncate(self._part, end)
        found.take(mark["found"])
        return Piece(**{**mark["at"], "file": Path(mark["at"]["file"]), "before": tuple(mark["at"]["before"]), "stop": END})

    def _last_mark(self) -> tuple[dict[str, Any] | None, int]:
        mark, end = None, 0
        with contextlib.suppress(ValueError):  # a power cut leaves anything behind what was flushed
            for line, behind in _lines(self._part) if self._part.exists() else ():
                if "mark" in line:
                    mark, end = line["mark"], behind
        return mark, end


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The changes of a piece, and where the next one begins."""

    changes: list[Change]
    end: Piece


def _line(value: dict[str, Any]) -> bytes:
    return canonical_json(value).encode("utf-8") + b"\n"


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Lines and where they end, up to a torn one."""
    end = 0
    with path.open("rb") as lines:
        for line in lines:
            end += len(line)
            if not line.endswith(b"\n"):
                return
            yield json.loads(line), end
