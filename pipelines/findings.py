"""What can be untrue in an archive, what to do about each, and the findings of one check."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

KEPT = 100
"""findings of one kind that are kept; all are counted"""


class What(StrEnum):
    """Kinds of finding."""

    CATALOGUE = "catalogue_damaged"
    MISSING_FILE = "missing_file"
    TORN = "torn_record"
    DAMAGED = "damaged_record"
    ORPHAN = "record_without_row"
    ROW = "row_without_record"
    DIFFERS = "row_differs"
    RULES = "rules_missing"
    OUTCOME = "outcome_differs"
    TEXT = "text_differs"
    CONTENT = "content_changed"
    HEAD = "article_differs"
    REVISION = "revision_differs"
    CLUSTER = "cluster_inconsistent"
    FEED = "feed_inconsistent"
    TAKEN_DOWN = "taken_down_present"
    UNTOLD = "takedown_untold"
    INDEX = "index_differs"


ADVICE = {
    What.CATALOGUE: "Restore catalogue.db from a backup, or rebuild it: `scrapy replay --archive NEW warc/*.warc.gz`.",
    What.MISSING_FILE: "Bring the file back from a backup; nothing can stand for raw bytes.",
    What.TORN: "The next crawl cuts a torn tail off and keeps it beside the file. In an older file: restore it from a backup.",
    What.DAMAGED: "Restore the file from a backup. One that came in so from another crawler has nothing more to give: replay told of it.",
    What.ORPHAN: "After a killed run: the next crawl of its site takes it in. Otherwise, or where the site has another name now, replay it:"
    " `scrapy replay --archive DIR DIR/warc/FILE`.",
    What.ROW: "Restore the WARC file or the catalogue from a backup: one of them was changed behind the other's back.",
    What.DIFFERS: "Restore the WARC file or the catalogue from a backup: one of them was changed behind the other's back.",
    What.RULES: "Bring the seeds file back under seeds/<digest>.toml; its git history has it. Until then its texts cannot be checked.",
    What.OUTCOME: "Restore the WARC file or the catalogue from a backup: one of them was changed behind the other's back.",
    What.TEXT: "After an update of the software: `scrapy reextract`. Otherwise the catalogue was changed: restore it from a backup.",
    What.CONTENT: "The catalogue was changed: restore it from a backup, or rebuild it with `scrapy replay`.",
    What.HEAD: "After a site was renamed: `scrapy reextract`. Otherwise the catalogue was changed: restore it from a backup, or rebuild it"
    " with `scrapy replay`.",
    What.REVISION: "The catalogue was changed: restore it from a backup, or rebuild it with `scrapy replay`.",
    What.CLUSTER: "The catalogue was changed: restore it from a backup, or rebuild it with `scrapy replay`.",
    What.FEED: "Followers have what the archive no longer says, or lack it: tell them to begin again with --since 0, and report this.",
    What.TAKEN_DOWN: "Take it down again: `scrapy takedown --id ID --reason TEXT` removes what came back.",
    What.UNTOLD: "A rebuild would fetch it again. Restore the file from a backup, or take it down once more: "
    "`scrapy takedown --id ID --reason TEXT` writes a new one.",
    What.INDEX: "Delete indexes/: the next crawl makes it anew from the WARC files.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not true. `where` is a place for people: file and offset, table and key."""

    what: What
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.what}: {self.where}: {self.detail}"


@dataclass(slots=True)
class Result:
    """What was checked, by word, and what was found; of each kind at most KEPT findings, all counted."""

    checked: Counter[str] = field(default_factory=Counter)
    counts: Counter[What] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.counts

    def add(self, what: What, where: str, detail: str) -> None:
        self.counts[what] += 1
        if self.counts[what] <= KEPT:
            self.findings.append(Finding(what=what, where=where, detail=detail))

    def take(self, other: Result) -> None:
        """Adds what another check found."""
        self.checked.update(other.checked)
        before = self.counts.copy()
        self.counts.update(other.counts)
        room = {what: max(0, KEPT - before[what]) for what in other.counts}
        for one in other.findings:
            if room[one.what]:
                room[one.what] -= 1
                self.findings.append(one)

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "checked": dict(sorted(self.checked.items())),
            "counts": {str(what): count for what, count in sorted(self.counts.items())},
            "findings": [
                {"what": str(one.what), "where": one.where, "detail": one.detail, "advice": ADVICE[one.what]} for one in self.findings
            ],
        }
