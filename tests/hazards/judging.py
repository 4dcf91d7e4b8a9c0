"""What an archive says came of each hazard, held against its row. `wrong` says in a few words what does not hold."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.archive import schema
from pipelines.policy import refusal
from tests.flows import crawling
from tests.hazards.lists import Trap
from tests.hazards.pages import Story
from tests.hazards.rows import Expect, Pace, Row
from tests.hazards.site import FORBIDDEN, Site, Stall

MEMORY_MB = {True: 250, False: 350}
"""of the main process, with all hazards together on one host; apart, a hundred hosts answer at once, and eight bodies of 8 MiB
are in its hands at the same time"""
STALL_MS = 200
"""for which one answer may hold the event loop up"""
CLEAN = 0.9
"""of a survivor's text must be its story's"""
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table. `wrong` is empty where it holds; `skipped` says why it was not tried."""

    name: str
    expected: str
    happened: str
    requests: int
    seconds: float | None = None
    memory_mb: float | None = None
    """the largest of the main process"""
    status: int | None = None
    wrong: str = ""
    skipped: str = ""


def findings(site: Site, archive: Path, rows: tuple[Row, ...], pace: Pace) -> Iterator[Finding]:
    """One for each hazard, each trap, and what must hold around them."""
    yield from of_hazards(site, archive, rows, pace)
    yield from of_traps(site)
    yield from around(site, archive)
    yield from bounds(site)


def of_hazards(site: Site, archive: Path, rows: tuple[Row, ...], pace: Pace) -> Iterator[Finding]:
    records = crawling.all_records(archive)
    known = {one.url: one for one in crawling.rows(archive, sa.select(schema.url))}
    for row in rows:
        yield _hazard(site, row, records.get(site.urls[row.name]), known.get(site.urls[row.name]), pace)


def of_traps(site: Site) -> Iterator[Finding]:
    for trap in site.traps:
        yield _trap(site, trap)


def around(site: Site, archive: Path) -> Iterator[Finding]:
    """What must hold whatever else was served: good articles, no others, no request that is not allowed."""
    records = crawling.all_records(archive)
    missing = [url for url, story in site.good.items() if not is_clean(records.get(url), story)]
    got = len(site.good) - len(missing)
    yield Finding(
        name="good articles", expected=Expect.ARCHIVE, happened=f"{got} of {len(site.good)}", requests=got, wrong=" ".join(missing)
    )
    strangers = [url for url in records if url not in site.good and url not in site.urls.values()]
    yield Finding(name="nothing else", expected="none", happened=f"{len(strangers)} more", requests=0, wrong=" ".join(strangers))
    contacts = len(site.internal.asked)
    yield Finding(
        name="internal port", expected="no contact", happened=f"{contacts} requests", requests=contacts, wrong="asked" if contacts else ""
    )
    if not site.forbids:
        return
    forbidden = sum(run.targets[FORBIDDEN] for run in site.runs)
    yield Finding(
        name="robots.txt disallow", expected="no request", happened=f"{forbidden}", requests=forbidden, wrong="asked" if forbidden else ""
    )


def bounds(site: Site) -> Iterator[Finding]:
    """How long the event loop was held up, and how much memory the main process took, in the worst of the runs."""
    yield _stall(site)
    peak, limit = max(run.peak_mb for run in site.runs), MEMORY_MB[site.together]
    yield Finding(name="memory", expected=f"< {limit} MB", happened=f"{peak:.0f} MB", requests=0, wrong="too much" if peak >= limit else "")


def wrongs(found: Iterable[Finding]) -> Iterator[str]:
    """What does not hold, with the name of the line."""
    return (f"{one.name}: {one.happened}, {one.expected} expected" for one in found if one.wrong)


def measured(site: Site, finding: Finding) -> Finding:
    """A finding of a site that served nothing else, with what all its runs took, and held against their bounds too."""
    wrong = "; ".join([*([finding.wrong] if finding.wrong else []), *wrongs(bounds(site))])
    return replace(
        finding,
        seconds=sum(run.seconds for run in site.runs),
        memory_mb=max(run.peak_mb for run in site.runs) or None,
        status=site.runs[-1].status if finding.status is None else finding.status,
        wrong=wrong,
    )


def _stall(site: Site) -> Finding:
    """By the time that the loop's own thread was at work: what other processes of the machine took is none of its doing."""
    stalls = [stall for run in site.runs for stall in run.stalls]
    longest = max(stalls, key=lambda stall: stall.at_work, default=Stall(0.0, 0.0, ""))
    return Finding(
        name="event loop",
        expected=f"< {STALL_MS} ms",
        happened=f"held for {longest.at_work * 1000:.0f} ms",
        requests=0,
        wrong=longest.where or "?" if longest.at_work * 1000 >= STALL_MS else "",
    )


def _hazard(site: Site, row: Row, record: Record | None, known: Any, pace: Pace) -> Finding:
    story, first = site.cases[row.name].story, site.runs[0]
    asked = first.asked[row.name]
    heard = first.fetched.get(site.urls[row.name])
    seconds = max(0.0, heard - first.wall - (asked[0] - first.began)) if asked and heard else None
    wrong = "; ".join([*_objections(row, record, known, story), *_rudeness(row, asked, pace)])
    return Finding(
        name=row.name, expected=row.expect, happened=_word(record, known, story), requests=len(asked), seconds=seconds, wrong=wrong
    )


def _word(record: Record | None, known: Any, story: Story) -> str:
    if record is not None:
        return "archived clean" if is_clean(record, story) else f"archived, {_share(record, story):.0%} its own"
    return "never found" if known is None else f"{known.reason or known.state}"


def _objections(row: Row, record: Record | None, known: Any, story: Story) -> Iterator[str]:
    wanted = row.expect in (Expect.ARCHIVE, Expect.LATER, Expect.POLICY)
    if known is None:
        yield "its link was not found"
    if wanted and not is_clean(record, story):
        yield "not archived clean"
    if row.expect in (Expect.REJECT, Expect.FAIL, Expect.PARTIAL) and record is not None:
        yield "is in the corpus"
    if row.expect is Expect.SURVIVE and record is not None and _share(record, story) < CLEAN:
        yield "what is archived is not its text"
    if row.reason and known is not None and known.reason != row.reason:
        yield f"called {known.reason}, not {row.reason}"
    if record is not None:
        yield from _unfit(record)
        yield from (CHECKS[row.name](record) for _ in range(row.name in CHECKS) if CHECKS[row.name](record))


def _rudeness(row: Row, asked: tuple[float, ...], pace: Pace) -> Iterator[str]:
    if not 1 <= len(asked) <= row.requests:
        yield f"{len(asked)} requests, 1 to {row.requests} expected"
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    if gaps and min(gaps) < row.gap(pace):
        yield f"asked again after {min(gaps):.1f} s"


def is_clean(record: Record | None, story: Story) -> bool:
    return record is not None and _squeezed(record["text"]) == _squeezed(story.text)


def _squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def _share(record: Record, story: Story) -> float:
    """How much of a text is its story's: characters of paragraphs that hardly differ."""
    told = set(_squeezed(story.text))
    text = _squeezed(record["text"])
    whole = sum(len(part) for part in story.paragraphs if _squeezed(part) in text)
    same = sum(char in told for char in text)
    return min(1.0, max(whole, same) / max(1, len(text)))


def _unfit(record: Record) -> Iterator[str]:
    """What may be in no record (P6)."""
    title = record["title"]
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in title):
        yield f"title holds {title!r}"
    if any(0xD800 <= ord(char) <= 0xDFFF or (ord(char) < 32 and char not in "\n\t") for char in record["text"]):
        yield "text holds control characters or surrogates"
    if record["published"] and record["published"][:4] > record["fetched_at"][:4]:
        yield f"published {record['published']}, after it was fetched"


def _from_url(record: Record) -> str:
    return "" if (record["published_from"], (record["published"] or "")[:10]) == ("url", "2026-11-20") else f"date {record['published']}"


def _is_reserved(record: Record) -> str:
    return "" if refusal(record["rights"], "archive") else "its wish is not recorded"


def _is(title: str) -> Callable[[Record], str]:
    return lambda record: "" if record["title"] == title else f"title {record['title']!r}"


def _ancient(record: Record) -> str:
    """Either not believed, or flagged."""
    believed = (record["published"] or "").startswith("1203")
    return "not flagged" if believed and "ancient_date" not in record["quality"]["flags"] else ""


CHECKS: dict[str, Callable[[Record], str]] = {
    "no_date": _from_url,
    "ancient_date": _ancient,
    "noarchive_meta": _is_reserved,
    "noarchive_header": _is_reserved,
    "bidi_title": _is("新品发布会在京举行"),
    "xss_title": _is("<script>alert(1)</script>新品发布"),
    "path_title": _is("../../../../etc/cron.d/evil"),
}


def _trap(site: Site, trap: Trap) -> Finding:
    count = max(sum(n for target, n in run.targets.items() if re.search(trap.pattern, target)) for run in site.runs)
    wrong = "" if 1 <= count <= trap.most else f"{count} requests, 1 to {trap.most} expected"
    return Finding(name=trap.name, expected="bounded", happened="ended", requests=count, wrong=wrong)
