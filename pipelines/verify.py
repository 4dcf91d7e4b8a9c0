"""Is every row of an archive true? Reads everything, believes nothing, changes nothing.

    WARC files, in many processes    each record ↔ its capture row ↔ its line of the index; each text read again
    what they tell of pages          against the records that they name, and the rows (pipelines/outcome_check.py)
    what they tell of takedowns      each record ↔ its tombstone (pipelines/takedown_check.py)
    missing files                    rows that point nowhere
    the catalogue, meanwhile         what follows from the rest does follow (pipelines/consistency.py)
    the index                        against the records (pipelines/index_check.py)

Rules of this file: a lie is a Finding and the check goes on; memory is bounded by the pieces that are under way; a text is
read again by the rules that its record names (`seeds/<digest>.toml`), where today's readers are those that read it then.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from pipelines.archive import Archive, schema
from pipelines.archive.article_record import digest, from_json, timestamp, to_json
from pipelines.archive.catalogue import Catalogue
from pipelines.archive.prepared import Prepared
from pipelines.archive.records import is_digest_of
from pipelines.archive.warc import is_being_written, warc_files
from pipelines.bulk import END, WITHIN, Fault, Item, Read, Stretch, Sweep, offset_of, original_of, place
from pipelines.consistency import Consistency
from pipelines.errors import CatalogueDamaged, DamagedRecord, SeedsError
from pipelines.extract.version import versions
from pipelines.findings import ADVICE, KEPT, Finding, Result, What
from pipelines.index_check import IndexCheck, Lines, sum_of
from pipelines.model import Article, Capture, Reason, Rejection
from pipelines.outcome_check import OutcomeCheck
from pipelines.pool import Kept, Pool, ProcessDied, Task
from pipelines.site import Site, generic_site, parse_site
from pipelines.takedown_check import TakedownCheck
from pipelines.workers import MEMORY_A_WORKER

Tell = Callable[[int, int], None]
"""Hears of progress: bytes of WARC files that were read, and of all."""


def verify(archive: Archive, *, workers: int = 0, tell: Tell = lambda *_: None) -> Result:
    """Checks a whole archive. Raises ArchiveError only where nothing can be said at all."""
    with _Aside(archive, workers) as aside:
        job = _Verification(archive, workers, tell, aside)
        steps = [job.files, job.missing, job.takedowns, job.integrity, job.catalogue, job.index]
        for step in steps:
            try:
                step()
            except CatalogueDamaged as damage:
                job.result.add(What.CATALOGUE, "catalogue", str(damage))
                if step == job.files:
                    steps.remove(job.index)  # what it should hold is known from all files alone
    return job.result


# ── in the processes that read ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the catalogue has of a capture. `content` is the digest of the extraction result, `stored` that itself."""

    url: str
    record_id: str
    length: int
    fetched_at: str
    status: int
    payload_digest: str | None
    kind: str
    content: str | None
    stored: str | None


@dataclass(slots=True)
class Rules:
    """The seeds files that an archive keeps, each read when it is first asked for."""

    folder: Path
    _known: dict[str, Site | str] = field(default_factory=dict)

    def of(self, wanted: str) -> Site | str:
        """The rules of a digest, or what is wrong with their file."""
        if wanted not in self._known:
            self._known[wanted] = generic_site() if wanted == generic_site().digest else self._load(wanted)
        return self._known[wanted]

    def _load(self, wanted: str) -> Site | str:
        path = self.folder / f"{wanted}.toml"
        try:
            raw = path.read_bytes()
            return parse_site(raw, str(path)) if hashlib.sha256(raw).hexdigest() == wanted else "is not the file that its name says"
        except (OSError, SeedsError) as error:
            return f"cannot be read ({error})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a piece, by offset, and the rules that their texts were read by."""

    rows: dict[int, Row]
    rules: Kept[Rules]

    def __contains__(self, offset: object) -> bool:
        return offset in self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of one record. `line` is the sum of its line in the index; `text` says how its text was looked at."""

    url: str
    line: int | None
    has_row: bool
    text: str | None = None
    findings: tuple[Finding, ...] = ()


def look(item: Item, known: Rows, read: Read) -> Looked | Finding | str:
    """A record against its row; TORN and what is wrong for a torn one without a row. See bulk.Work."""
    row = known.rows.get(offset_of(item))
    if isinstance(item, DamagedRecord):
        return _damage(item, row)
    if row is None:
        return Looked(url=item.url, line=sum_of(item), has_row=False)
    findings = _differences(item, row)
    text, wrong = _text(item, row, known.rules.value, read)
    return Looked(url=item.url, line=sum_of(item), has_row=True, text=text, findings=(*findings, *wrong))


TORN = "torn"


def _damage(damage: DamagedRecord, row: Row | None) -> Finding | str:
    torn = "ends" in damage.wrong
    if torn and row is None:
        return TORN + damage.wrong
    of = f" (the capture of {row.url})" if row is not None else ""
    return Finding(what=What.TORN if torn else What.DAMAGED, where=f"{damage.file} at byte {damage.offset}", detail=damage.wrong + of)


def _differences(capture: Capture, row: Row) -> tuple[Finding, ...]:
    assert capture.warc is not None
    found = {
        "record_id": capture.warc.record_id,
        "length": capture.warc.length,
        "url": capture.url,
        "fetched_at": timestamp(capture.fetched_at),
        "status": capture.status,
        "payload_digest": capture.payload_digest,
        "kind": capture.kind,
    }
    if capture.refers_to is not None and is_digest_of(row.payload_digest, capture.body):
        del found["payload_digest"]  # by the other crawler's algorithm, as what it stands for was not here yet
    wrong = [f"{name} is {value}, the catalogue says {getattr(row, name)}" for name, value in found.items() if value != getattr(row, name)]
    return (_finding(What.DIFFERS, capture, "; ".join(wrong)),) if wrong else ()


def _text(capture: Capture, row: Row, rules: Rules, read: Read) -> tuple[str | None, tuple[Finding, ...]]:
    """A text read again as it was then: how it was looked at, and what is wrong with it."""
    if row.content is None:
        return None, ()
    if (made := _article(row.stored)) is None:
        wrong = f"is not there, or no article; the capture of {row.url} points to it"
        return None, (Finding(what=What.CONTENT, where=f"content {row.content}", detail=wrong),)
    if dict(made.extraction.versions) != versions():
        return "texts_of_other_versions", ()
    site = rules.of(made.extraction.rules_digest)
    if isinstance(site, str):
        return None, (Finding(what=What.RULES, where=f"seeds/{made.extraction.rules_digest}.toml", detail=site),)
    result = read(capture, site)
    if isinstance(result, Rejection) and result.reason is Reason.TOO_EXPENSIVE:
        return "texts_too_expensive", ()
    if capture.lacks_payload:
        return None, (_finding(What.DAMAGED, capture, f"what it stands for cannot be read (the capture of {row.url})"),)
    if isinstance(result, Article) and digest(to_json(result)) == row.content:
        return "texts", ()
    return "texts", (_finding(What.TEXT, capture, f"{row.url} reads as {_shown(result)} today"),)


def _article(text: str | None) -> Article | None:
    try:
        return None if text is None else from_json(text)
    except (ValueError, TypeError, KeyError):
        return None


def _shown(result: object) -> str:
    if isinstance(result, Article):
        return "another text or other facts"
    return f"{result.reason} ({result.detail})" if isinstance(result, Rejection) else "nothing"


def _finding(what: What, capture: Capture, detail: str) -> Finding:
    assert capture.warc is not None
    return Finding(what=what, where=f"{capture.warc.file} at byte {capture.warc.offset}", detail=detail)


# ── of the catalogue alone ───────────────────────────────────────────────────────────────────────────────────────────


def integrity_of(catalogue: Catalogue) -> Result:
    """The database's own check."""
    result = Result()
    for complaint in catalogue.integrity():
        result.add(What.CATALOGUE, "catalogue", complaint)
    return result


def consistency_of(catalogue: Catalogue) -> Result:
    """What it says of itself."""
    result = Result()
    with catalogue.snapshot() as tx:
        Consistency(result).check(tx)
    return result


def of_catalogue(check: Callable[[Catalogue], Result], url: str) -> Result:
    """In a process of its own."""
    catalogue = Catalogue(url)
    try:
        return check(catalogue)
    finally:
        catalogue.close()


@dataclass(slots=True)
class _Aside:
    """Checks of the catalogue, in a process of their own while others read the files; here where there is none. A context
    manager that ends it."""

    archive: Archive
    workers: int
    _pool: Pool | None = None
    _tasks: dict[Callable[[Catalogue], Result], Task] = field(default_factory=dict)

    def __enter__(self) -> Self:
        if self.workers:
            url = self.archive.catalogue.url.render_as_string(hide_password=False)
            self._pool = Pool(1, MEMORY_A_WORKER, 2, modules=(__name__,))
            self._tasks = {check: self._pool.begin(math.inf, of_catalogue, check, url) for check in (consistency_of, integrity_of)}
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()

    def result(self, check: Callable[[Catalogue], Result]) -> Result:
        """Raises CatalogueDamaged."""
        if self._pool is None:
            return check(self.archive.catalogue)
        with contextlib.suppress(ProcessDied):
            found: Result = self._pool.wait(self._tasks[check])
            return found
        return check(self.archive.catalogue)  # somebody killed it


# ── in the main process ──────────────────────────────────────────────────────────────────────────────────────────────


class _Verification:
    def __init__(self, archive: Archive, workers: int, tell: Tell, aside: _Aside) -> None:
        self.archive, self.result, self._aside = archive, Result(), aside
        self._workers, self._tell = workers, tell
        self._paths = warc_files(archive.warc_folder)
        self._rules = Kept(Rules(archive.path / "seeds"))
        self._rules_missing: set[str] = set()
        self._lines: dict[str, Lines] = {}
        self._written: set[str] = set()
        self._damaged_files: set[str] = set()
        self._takedowns = TakedownCheck(archive, self.result)
        self._outcomes = OutcomeCheck(archive, self.result, self._written)

    def integrity(self) -> None:
        self.result.take(self._aside.result(integrity_of))

    def missing(self) -> None:
        """Rows that point into files that are not there."""
        capture = schema.capture
        with self.archive.catalogue.snapshot() as tx:
            counted = tx.execute(sa.select(capture.c.file, sa.func.count()).group_by(capture.c.file).order_by(capture.c.file)).all()
        there = {path.name for path in self._paths}
        for file, count in counted:
            if file not in there:
                self.result.add(What.MISSING_FILE, f"warc/{file}", f"is not there; {count} captures point into it")

    def takedowns(self) -> None:
        self._takedowns.check()

    def catalogue(self) -> None:
        self.result.take(self._aside.result(consistency_of))

    def index(self) -> None:
        IndexCheck(self.archive, self.result, self._lines, self._written | self._damaged_files).check()

    # ── records ↔ rows ───────────────────────────────────────────────────────────────────────────────────────────────

    def files(self) -> None:
        """Every WARC file against the rows that point into it."""
        sizes = {path: path.stat().st_size for path in self._paths}
        done, whole = 0, sum(sizes.values())
        with Sweep(self._workers, look, self._ask, original_of(self.archive, self._workers)) as sweep:
            for stretch in sweep.through(self._opened()):
                file = stretch.piece.file
                for offset, answer in stretch.answers:
                    self._hear(file.name, offset, answer)
                self._tell_rows(stretch)
                self._outcomes.hear(file.name, stretch.told)
                self._takedowns.hear(file.name, stretch.buried)
                self._tell(done + min(stretch.piece.stop, sizes[file]), whole)
                if stretch.piece.stop == END:
                    done += sizes[file]
                    self.result.checked["files"] += 1

    def _opened(self) -> Iterator[Path]:
        for path in self._paths:
            self._lines[path.name] = Lines()
            if is_being_written(path):
                self._written.add(path.name)
                self.result.checked["files_being_written"] += 1
            yield path

    def _ask(self, file: Path, low: int, high: int) -> Rows:
        with self.archive.catalogue.snapshot() as tx:
            found = _ROWS.rows(tx, place(file, low, high))
        return Rows(rows={offset: Row(**dict(zip(_ROW, values, strict=True))) for offset, *values in found}, rules=self._rules)

    def _hear(self, file: str, offset: int, answer: Any) -> None:
        where = f"{file} at byte {offset}"
        if isinstance(answer, (Finding, str)):
            self._hear_damage(file, where, answer)
            return
        self.result.checked["records"] += 1
        if isinstance(answer, Fault):
            fault = answer.trace.strip().rpartition("\n")[2]
            wrong = Finding(what=What.TEXT, where=where, detail=f"{answer.capture.url} reads as nothing ({fault}) today")
            answer = Looked(url=answer.capture.url, line=sum_of(answer.capture), has_row=True, text="texts", findings=(wrong,))
        if answer.line is not None:
            self._lines[file].add(answer.line)
        if answer.text is not None:
            self.result.checked[answer.text] += 1
        for one in answer.findings:
            self._add(one)
        if not answer.has_row:
            self._orphan(file, offset, answer.url)

    def _hear_damage(self, file: str, where: str, answer: Finding | str) -> None:
        self._damaged_files.add(file)
        if isinstance(answer, Finding):
            self._add(answer)
        elif file not in self._written:
            self.result.add(What.TORN, where, answer.removeprefix(TORN))

    def _add(self, finding: Finding) -> None:
        if finding.what is What.RULES:
            if finding.where in self._rules_missing:
                return
            self._rules_missing.add(finding.where)
        self.result.add(finding.what, finding.where, finding.detail)

    def _orphan(self, file: str, offset: int, url: str) -> None:
        if file in self._written:
            return
        if (self.archive.path / "quarantine" / f"{Path(file).stem}-{offset}.txt").exists():
            self.result.checked["quarantined"] += 1  # the archive says so itself
            return
        self.result.add(What.ORPHAN, f"{file} at byte {offset}", f"the catalogue has no row for {url}")

    def _tell_rows(self, stretch: Stretch[Rows]) -> None:
        """Rows for which no record begins."""
        file = stretch.piece.file.name
        if file not in self._written:
            for offset in stretch.unheard(stretch.known.rows):
                url = stretch.known.rows[offset].url
                self.result.add(What.ROW, f"{file} at byte {offset}", f"no record begins here; the catalogue has {url} here")


def _rows() -> sa.Select[Any]:
    capture, page, content = schema.capture, schema.page, schema.content
    columns = [capture.c[name] for name in ("url", "record_id", "length", "fetched_at", "status", "payload_digest", "kind")]
    said = sa.select(capture.c.offset, *columns, page.c.content, content.c.article.label("stored")).where(WITHIN)
    return said.outerjoin(page, page.c.capture == capture.c.id).outerjoin(content, content.c.digest == page.c.content)


_ROWS = Prepared(_rows())
_ROW = tuple(Row.__dataclass_fields__)


__all__ = ["ADVICE", "KEPT", "Finding", "Result", "What", "verify"]
