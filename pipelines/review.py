"""What came in, what was refused and why, what changed its shape: the facts of the report. Reading only.

scope     one run, or everything that the archive holds
review    catalogue -> Review, JSON all through        one pass over the articles in scope, in little memory
sections  Review -> tables for people
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from pipelines import report
from pipelines.archive import stored, templates
from pipelines.archive.schema import article, capture, run
from pipelines.errors import ConfigurationError
from pipelines.model import Article, Kind, Reason, Verdict
from pipelines.overview import Run, as_run, runs
from pipelines.tables import Cell, Section, several

EXAMPLES = 3
MOST_LINES = 20
"""URLs shown of each reason"""
TOP = 20
"""sources and domains shown; the rest is counted"""
LARGEST = 10
"""clusters shown"""
BATCH = 200
FIELDS = ("published", "source", "authors", "editors", "section", "language")
"""Fields that a layout should find and may miss"""
MUCH = 0.2
"""Share by which a layout's missing fields, or its part of the articles, may move before it is said to have changed"""
ENOUGH = 10
"""articles before a share means anything, and by how much a number of a run must differ to be called unusual"""
ODD = 2.0
"""A number of a run that is this many times its usual, or that part of it, is marked"""
HISTORY = 3
"""earlier runs before "usually" means anything"""
_ACCEPTED = (*Verdict, Reason.NOT_MODIFIED, "awaiting_parts")
_SHOWN = {"failed": "failed articles"}
"""measures that people need more words for"""
_MEASURES = ("discovered", "requests", "lists", "new", "revision", "rejected", "failed", "seconds")


@dataclass(slots=True)
class Shape:
    """The articles that one layout read, and how many of them lack a field."""

    articles: int = 0
    missing: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FIELDS, 0))

    def add(self, read: Article) -> None:
        self.articles += 1
        for name in FIELDS:
            self.missing[name] += not getattr(read, name)

    def share(self, name: str) -> float | None:
        return self.missing[name] / self.articles if self.articles else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    title: str
    runs: list[Run]
    """the run asked for, or the last of each site"""
    usual: dict[str, dict[str, float]]
    """site -> measure -> its median in the runs before; empty where they are fewer than `HISTORY`"""
    rejected: dict[str, dict[str, Any]]
    """reason -> {"count", "examples": [{"url", "detail"}]}; a page that was refused every night counts once"""
    shapes: dict[str, Shape]
    """layout -> shape of the articles in scope"""
    before: dict[str, Shape] | None
    """layout -> shape of all others of the site; None where everything is in scope"""
    clusters: dict[str, Any]
    sources: dict[str, int]
    domains: dict[str, int]
    recurring: list[dict[str, Any]]
    """first and last lines that many articles of a site share: text, site, articles, example, and the rule that drops it"""


def review(tx: sa.Connection, number: int | None = None) -> Review:
    """The facts of one run, or of the whole archive. Raises ConfigurationError for a run that there is not."""
    if number is None:
        sites = tx.scalars(sa.select(run.c.site).distinct().order_by(run.c.site)).all()
        return _review(tx, "The whole archive", [runs(tx, site) for site in sites], None)
    row = tx.execute(sa.select(run).where(run.c.id == number)).one_or_none()
    if row is None:
        last = tx.scalar(sa.select(sa.func.max(run.c.id)))
        raise ConfigurationError(f"There is no run {number}; " + (f"the last is {last}." if last else "there was none yet."))
    one = as_run(row)
    return _review(tx, f"Run {one.id} of {one.site}", [runs(tx, one.site, until=one.id)], one)


def _review(tx: sa.Connection, title: str, histories: Sequence[Sequence[Run]], scope: Run | None) -> Review:
    shapes: defaultdict[str, Shape] = defaultdict(Shape)
    before: defaultdict[str, Shape] = defaultdict(Shape)
    sources: Counter[str] = Counter()
    domains: Counter[str] = Counter()
    for head, read in _articles(tx, scope):
        if not _within(head.fetched_at, scope):
            before[read.extraction.method].add(read)
            continue
        shapes[read.extraction.method].add(read)
        sources[read.source or "–"] += 1
        domains[urlsplit(head.url).hostname or "–"] += 1
    return Review(
        title=title,
        runs=[history[0] for history in histories],
        usual={history[0].site: _usual(history[1:]) for history in histories},
        rejected=_rejected(tx, scope),
        shapes=dict(sorted(shapes.items())),
        before=None if scope is None else dict(sorted(before.items())),
        clusters=_clusters(tx, scope),
        sources=dict(sources),  # asdict makes nonsense of a Counter
        domains=dict(domains),
        recurring=[{**asdict(one), "rule": one.rule} for one in templates.recurring(tx, MOST_LINES)],
    )


def _articles(tx: sa.Connection, scope: Run | None) -> Iterator[tuple[stored.Head, Article]]:
    """The articles of the run's site, or all."""
    chosen = sa.select(article).where(sa.true() if scope is None else article.c.site == scope.site).order_by(article.c.id)
    for part in tx.execute(chosen, execution_options={"yield_per": BATCH}).partitions():
        texts = stored.whole_articles(tx, part)
        yield from ((head, texts[head.id]) for head in part)


def _within(fetched_at: str, scope: Run | None) -> bool:
    return scope is None or (scope.started <= fetched_at and (scope.ended is None or fetched_at <= scope.ended))


def _rejected(tx: sa.Connection, scope: Run | None) -> dict[str, dict[str, Any]]:
    """Article pages that were read and refused, by reason, the most frequent first; the newest are the examples."""
    refused = [capture.c.kind == Kind.ARTICLE, capture.c.outcome.not_in(_ACCEPTED)]
    if scope is not None:
        refused += [capture.c.site == scope.site, capture.c.fetched_at >= scope.started]
        refused += [] if scope.ended is None else [capture.c.fetched_at <= scope.ended]
    counted = sa.select(capture.c.outcome, sa.func.count(capture.c.url.distinct()).label("n")).where(*refused).group_by(capture.c.outcome)
    found = {row.outcome: row.n for row in tx.execute(counted.order_by(sa.desc("n"), capture.c.outcome))}
    return {reason: {"count": count, "examples": _examples(tx, reason, refused)} for reason, count in found.items()}


def _examples(tx: sa.Connection, reason: str, refused: Iterable[sa.ColumnElement[bool]]) -> list[dict[str, str | None]]:
    newest = sa.func.max(capture.c.fetched_at)
    chosen = sa.select(capture.c.url, sa.func.max(capture.c.detail).label("detail")).where(*refused, capture.c.outcome == reason)
    rows = tx.execute(chosen.group_by(capture.c.url).order_by(newest.desc(), capture.c.url).limit(EXAMPLES))
    return [{"url": row.url, "detail": row.detail} for row in rows]


def _clusters(tx: sa.Connection, scope: Run | None) -> dict[str, Any]:
    mine = sa.true() if scope is None else article.c.site == scope.site
    sizes = sa.select(article.c.cluster, sa.func.count(article.c.id).label("size")).where(mine).group_by(article.c.cluster).subquery()
    counted = tx.execute(sa.select(sizes.c.size, sa.func.count().label("n")).group_by(sizes.c.size).order_by(sizes.c.size)).all()
    largest = sa.select(sizes.c.size, article.c.url).join(article, article.c.id == sizes.c.cluster).where(sizes.c.size > 1)
    rows = tx.execute(largest.order_by(sizes.c.size.desc(), article.c.url).limit(LARGEST))
    return {
        "sizes": {str(row.size): row.n for row in counted},
        "largest": [{"size": row.size, "url": row.url} for row in rows],
    }


# ── drift ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def measures(ledger: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a run that can be held against those of other runs."""
    visits: Mapping[str, int] = ledger.get("visits", {})
    reasons = [word for word in visits if word in tuple(Reason) and word != Reason.NOT_MODIFIED]
    return {
        **{name: ledger.get(name, 0) for name in ("discovered", "requests", "lists", "seconds")},
        "new": visits.get(Verdict.NEW, 0),
        "revision": visits.get(Verdict.REVISION, 0),
        "rejected": sum(visits[word] for word in reasons),
        "failed": sum(count for word, count in visits.items() if word.startswith("failed/")),
    }


def _usual(earlier: Sequence[Run]) -> dict[str, float]:
    past = [measures(one.ledger) for one in earlier if one.ledger]
    return {name: statistics.median(one[name] for one in past) for name in _MEASURES} if len(past) >= HISTORY else {}


def _odd(now: float, usual: float) -> str | None:
    if abs(now - usual) < ENOUGH:
        return None
    if not usual or now / usual > ODD:
        return "more than usual"
    return "less than usual" if now / usual < 1 / ODD else None


# ── for people ───────────────────────────────────────────────────────────────────────────────────────────────────────


def sections(told: Review) -> Iterator[Section]:
    """The report as tables."""
    yield from _run_sections(told)
    yield Section(
        title="Refused pages",
        columns=("reason", "pages", "for example", "why"),
        rows=tuple(_refusals(told.rejected)),
        note=None if told.rejected else "none",
    )
    yield from _shape_sections(told)
    yield _cluster_section(told.clusters)
    yield _top("Sources", "printed source", told.sources)
    yield _top("Domains", "domain", told.domains)
    yield Section(
        title="Lines that recur",
        columns=("articles", "site", "line", "for example"),
        rows=tuple((one["articles"], one["site"], one["text"], one["example"]) for one in told.recurring),
        note=_furniture(told.recurring),
    )


def _furniture(recurring: Sequence[Mapping[str, Any]]) -> str:
    """What to write into the seeds file, if a person finds that the lines are furniture."""
    if not recurring:
        return "none"
    rules = "\n".join(f"  {one['rule']}," for one in recurring)
    return f"If they are furniture, add them to the seeds file and run `scrapy reextract`:\nfurniture = [\n{rules}\n]"


def _cluster_section(clusters: Mapping[str, Any]) -> Section:
    sizes: Mapping[str, int] = clusters["sizes"]
    articles = sum(int(size) * count for size, count in sizes.items())
    return Section(
        title="Stories told more than once",
        columns=("articles", "one of them"),
        rows=tuple((one["size"], one["url"]) for one in clusters["largest"]),
        note=f"{several(sum(sizes.values()), 'story')} in {several(articles, 'article')}, {sizes.get('1', 0)} of them told once",
    )


def _run_sections(told: Review) -> Iterator[Section]:
    for one in told.runs:
        title = f"Run {one.id} of {one.site}, {one.started[:16].replace('T', ' ')} UTC"
        if not one.ledger:
            yield Section(title=title, note="It left no ledger: it is at work, was killed, or was broken off by a fault.")
            continue
        facts = (text.strip().partition("  ") for text in report.lines(one.ledger))
        yield Section(title=title, columns=("", ""), rows=tuple((name, text.strip()) for name, _, text in facts), note=_verdict(one))
        yield _against(measures(one.ledger), told.usual[one.site])


def _verdict(one: Run) -> str | None:
    """What the run ended with; older ledgers do not tell."""
    said = one.ledger and one.ledger.get("sentence")
    return f"It ended with {one.status}. {said}" if said else None


def _against(now: Mapping[str, float], usual: Mapping[str, float]) -> Section:
    title = "Against the runs before it"
    if not usual:
        return Section(title=title, note=f"fewer than {HISTORY} of them ended: nothing to compare with yet")
    rows = tuple((_SHOWN.get(name, name), round(now[name]), round(usual[name]), _odd(now[name], usual[name]) or "") for name in _MEASURES)
    return Section(title=title, columns=("", "this run", "usually", ""), rows=rows)


def _refusals(rejected: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Cell, ...]]:
    for reason, found in rejected.items():
        for place, example in enumerate(found["examples"]):
            first: tuple[Cell, ...] = (reason, found["count"]) if place == 0 else ("", "")
            yield (*first, example["url"], example["detail"])


def _shape_sections(told: Review) -> Iterator[Section]:
    total = sum(shape.articles for shape in told.shapes.values())
    yield Section(
        title="Fields that are missing, by layout",
        columns=("layout", "articles", "of all", *FIELDS),
        rows=tuple(
            (name, shape.articles, shape.articles / total, *(shape.share(one) for one in FIELDS)) for name, shape in told.shapes.items()
        ),
        note=None if total else "no articles",
    )
    if told.before is not None:
        changes = tuple(_moved(told.shapes, told.before))
        yield Section(
            title="Layouts that changed",
            columns=("layout", "what", "before", "now"),
            rows=changes,
            note=None if changes else "none that can be told",
        )


def _moved(now: Mapping[str, Shape], before: Mapping[str, Shape]) -> Iterator[tuple[str, str, float, float]]:
    """What a layout misses, and its part of all articles, where it moved by `MUCH`."""
    totals = [sum(shape.articles for shape in shapes.values()) for shapes in (before, now)]
    if min(totals) < ENOUGH:
        return
    for name in sorted({*now, *before}):
        then, there = before.get(name, Shape()), now.get(name, Shape())
        pairs = [("part of all articles", then.articles / totals[0], there.articles / totals[1])]
        if min(then.articles, there.articles) >= ENOUGH:
            pairs += [(f"without {one}", then.share(one) or 0.0, there.share(one) or 0.0) for one in FIELDS]
        yield from ((name, what, old, new) for what, old, new in pairs if abs(new - old) >= MUCH)


def _top(title: str, column: str, counted: Mapping[str, int]) -> Section:
    rows = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = len(rows) - TOP
    note = f"and {several(rest, 'other')} with {several(sum(count for _, count in rows[TOP:]), 'article')}" if rest > 0 else None
    return Section(title=title, columns=(column, "articles"), rows=tuple(rows[:TOP]), note=note)
