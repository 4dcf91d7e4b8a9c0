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

from pipelines.archive.schema import article, template_line
from pipelines.extract.furniture import template_lines
from pipelines.model import Article

FREQUENT = 8
"""articles of one site with the same first or last line: a reporter's closing phrase recurs two or three times, a notice
in every article"""
MARK = "template_line"
"""the flag of `quality.flags`"""


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


def redraw(tx: sa.Connection, site: str, name: str, now: Article | None) -> set[str]:
    """Counts the lines of an article's present text in place of those before; None takes it out.

    Returns the articles that are now marked, or no longer.
    """
    mine = template_line.c.article == name
    former = set(tx.scalars(sa.select(template_line.c.digest).where(mine)))
    lines = dict(template_lines(now)) if now is not None else {}
    gone, new = former - lines.keys(), lines.keys() - former
    if gone:
        tx.execute(template_line.delete().where(mine, template_line.c.digest.in_(sorted(gone))))
    if new:
        rows = [{"article": name, "digest": digest, "site": site, "text": lines[digest]} for digest in sorted(new)]
        tx.execute(template_line.insert(), rows)
    return _crossed(tx, site, new, FREQUENT) | _crossed(tx, site, gone, FREQUENT - 1)


def _crossed(tx: sa.Connection, site: str, digests: Iterable[str], count: int) -> set[str]:
    """The articles of those lines that stand in exactly `count` articles."""
    touched: set[str] = set()
    for digest in sorted(digests):
        carries = sa.and_(template_line.c.site == site, template_line.c.digest == digest)
        carriers = list(tx.scalars(sa.select(template_line.c.article).where(carries).limit(count + 1)))
        if len(carriers) == count:
            touched |= set(carriers)
    return touched


def marked(tx: sa.Connection, names: Iterable[str]) -> set[str]:
    """Which of some articles carry a line that recurs."""
    wanted = sorted(names)
    mine = sa.select(template_line.c.site, template_line.c.digest).where(template_line.c.article.in_(wanted)).distinct().subquery()
    same = sa.and_(template_line.c.site == mine.c.site, template_line.c.digest == mine.c.digest)
    counted = sa.select(template_line.c.site, template_line.c.digest).join(mine, same)
    frequent = counted.group_by(template_line.c.site, template_line.c.digest).having(sa.func.count() >= FREQUENT).subquery()
    there = sa.and_(template_line.c.site == frequent.c.site, template_line.c.digest == frequent.c.digest)
    found = sa.select(template_line.c.article).join(frequent, there).where(template_line.c.article.in_(wanted))
    return set(tx.scalars(found))


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
