"""Template memory: lines that recur across many articles of one site are furniture that no rule names yet.

They are counted, shown and marked, never dropped: only the seeds file's `furniture` drops a line, so that the same
captures and the same rules always give the same text. A mark follows from the set of articles, whatever their order:
when the last article that a line needed comes, or one of them goes, all that carry the line are marked anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.archive.prepared import Among, Prepared, given
from pipelines.archive.schema import article, template_line
from pipelines.extract.folding import template_lines
from pipelines.model import Article

FREQUENT = 8
"""articles of one site with the same first or last line: a reporter's closing phrase recurs two or three times, a notice
in every article"""
MARK = "template_line"
"""the flag of `quality.flags`"""

_OF_ARTICLE = template_line.c.article == given("name")
_MINE = Prepared(sa.select(template_line.c.site, template_line.c.digest).where(_OF_ARTICLE))
_DROP = Prepared(template_line.delete().where(_OF_ARTICLE, Among(template_line.c.digest, "digests")))
_KEEP = Prepared(template_line.insert(), ["article", "digest", "site", "text"])
_CARRIERS = Prepared(
    sa.select(template_line.c.article)
    .where(template_line.c.site == given("site"), template_line.c.digest == given("digest"))
    .limit(given("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A line that recurs: in how many articles of which site, and one of them."""

    site: str
    text: str
    articles: int
    example: str

    @property
    def rule(self) -> str:
        """The line as an entry of the seeds file's `furniture`: a TOML literal string, figures generalised."""
        pattern = re.sub(r"\d+", r"\\d+", re.escape(self.text)).replace("'", r"\x27")  # TOML's literal strings hold no '
        return f"'^{pattern}$'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrawn:
    """`touched`: articles that are now marked, or no longer, the article itself among them or not. `is_marked`: whether it
    carries a line that recurs."""

    touched: frozenset[str]
    is_marked: bool


def redraw(tx: sa.Connection, site: str, name: str, now: Article | None, *, is_new: bool = False) -> Redrawn:
    """Counts the lines of an article's present text in place of those before; None takes it out. A new one had none."""
    former = set() if is_new else {(row.site, row.digest) for row in _MINE.rows(tx, {"name": name})}
    lines = dict(template_lines(now)) if now is not None else {}
    present = {(site, digest) for digest in lines}
    gone, new = former - present, present - former
    if gone:
        _DROP.run(tx, {"name": name, "digests": sorted(digest for _, digest in gone)})
    if new:
        rows = [{"article": name, "digest": digest, "site": site, "text": lines[digest]} for _, digest in sorted(new)]
        _KEEP.run_many(tx, rows)
    counts = {row.digest: row.articles for row in _COUNTED.rows(tx, {"name": name})} if lines else {}
    reached = [line for line in new if counts[line[1]] == FREQUENT]
    touched = _crossed(tx, reached, FREQUENT) | _crossed(tx, gone, FREQUENT - 1)
    return Redrawn(touched=frozenset(touched), is_marked=any(count >= FREQUENT for count in counts.values()))


def _crossed(tx: sa.Connection, lines: Iterable[tuple[str, str]], count: int) -> set[str]:
    """The articles of those lines (site, digest) that stand in exactly `count` articles."""
    touched: set[str] = set()
    for site, digest in sorted(lines):
        carriers = _CARRIERS.rows(tx, {"site": site, "digest": digest, "most": count + 1})
        if len(carriers) == count:
            touched.update(row.article for row in carriers)
    return touched


def _counted_lines() -> sa.Select[tuple[str, int]]:
    """The lines of one article, and in how many articles each stands; beyond FREQUENT they are not counted on."""
    mine, others = template_line.alias(), template_line.alias()
    same = sa.and_(others.c.site == mine.c.site, others.c.digest == mine.c.digest)
    some = sa.select(others.c.article).where(same).limit(FREQUENT + 1).correlate(mine).subquery()
    articles = sa.select(sa.func.count()).select_from(some).correlate(mine).scalar_subquery()
    return sa.select(mine.c.digest, articles.label("articles")).where(mine.c.article == given("name"))


_COUNTED = Prepared(_counted_lines())


def marked(tx: sa.Connection, names: Iterable[str]) -> set[str]:
    """Which of some articles carry a line that recurs."""
    return {row.article for row in _MARKED.rows(tx, {"names": sorted(names)})}


def _marked_articles() -> sa.Select[tuple[str]]:
    line, wanted = template_line.c, Among(template_line.c.article, "names")
    mine = sa.select(line.site, line.digest).where(wanted).distinct().subquery()
    counted = sa.select(line.site, line.digest).join(mine, sa.and_(line.site == mine.c.site, line.digest == mine.c.digest))
    frequent = counted.group_by(line.site, line.digest).having(sa.func.count() >= FREQUENT).subquery()
    return sa.select(line.article).join(frequent, sa.and_(line.site == frequent.c.site, line.digest == frequent.c.digest)).where(wanted)


_MARKED = Prepared(_marked_articles())


def counted(tx: sa.Connection, names: Iterable[str]) -> dict[str, set[tuple[str, str]]]:
    """(site, digest) of the lines that are counted for each of some articles."""
    found: dict[str, set[tuple[str, str]]] = {}
    for row in _LINES.rows(tx, {"names": sorted(names)}):
        found.setdefault(row.article, set()).add((row.site, row.digest))
    return found


_LINES = Prepared(sa.select(template_line).where(Among(template_line.c.article, "names")))


def without_article() -> sa.Select[tuple[str]]:
    """The articles of which lines are counted, and which are not there (any more)."""
    known = sa.exists().where(article.c.id == template_line.c.article)
    return sa.select(template_line.c.article).where(~known).distinct()


def recurring(tx: sa.Connection, most: int) -> list[Recurring]:
    """The lines that recur most, over all sites."""
    count = sa.func.count().label("articles")
    columns = (
        template_line.c.site,
        count,
        sa.func.min(template_line.c.text).label("text"),
        sa.func.min(template_line.c.article).label("one"),
    )
    grouped = sa.select(*columns).group_by(template_line.c.site, template_line.c.digest).having(count >= FREQUENT).subquery()
    chosen = sa.select(grouped, article.c.url).join(article, article.c.id == grouped.c.one)
    rows = tx.execute(chosen.order_by(grouped.c.articles.desc(), grouped.c.site, grouped.c.text).limit(most))
    return [Recurring(site=row.site, text=row.text, articles=row.articles, example=row.url) for row in rows]
