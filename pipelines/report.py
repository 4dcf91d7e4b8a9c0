"""What a run did with every URL, as numbers that add up, and as text for people. Reading only.

The ledger reconciles: known = new + unchanged + … + rejected(reason) + failed(reason) + not due + left(reason) + set
aside. `reconciles` checks it; a run whose ledger does not add up says so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from pipelines.archive.schema import article, capture, url
from pipelines.archive.stored import chunks
from pipelines.archive.urltable import State
from pipelines.model import Kind, Reason, Status, Verdict
from pipelines.tables import several

SAVED = (Verdict.NEW, Verdict.DUPLICATE, Verdict.NEAR_DUPLICATE, Verdict.CONTAINED, Verdict.REVISION)
NOTHING_NEW = (Verdict.UNCHANGED, Reason.NOT_MODIFIED)
UNASKED = frozenset({"failed/robots", "failed/robots_unreachable", "failed/host_given_up", "failed/run_ended"})
"""visits that asked for nothing (crawler.frontier.NOT_ITS_FAULT)"""

BEHIND_THE_END = "behind_the_end"
"""a later page of a list that is not there: where the next run does not find it either, the list ends before it"""


def article_urls(tx: sa.Connection, site: str, started: float, now: float) -> dict[str, int]:
    """How many article URLs of a site were visited since `started`, are not due, were left, or are set aside."""
    visited = url.c.last_fetched >= started
    rest = sa.case(
        (visited, "visited"),
        (url.c.state == State.SET_ASIDE, "set_aside"),
        (url.c.due_at > now, "not_due"),
        else_="left",
    )
    mine = sa.and_(url.c.site == site, url.c.kind == Kind.ARTICLE)
    rows = tx.execute(sa.select(rest.label("word"), sa.func.count().label("n")).where(mine).group_by(rest))
    counted: dict[str, int] = {row.word: row.n for row in rows}
    return {word: counted.get(word, 0) for word in ("visited", "not_due", "left", "set_aside")}


def discovered(tx: sa.Connection, site: str, started: float) -> int:
    """How many article URLs became known since `started`."""
    mine = sa.and_(url.c.site == site, url.c.kind == Kind.ARTICLE, url.c.discovered_at >= started)
    return tx.scalar(sa.select(sa.func.count()).where(mine)) or 0


def lists_read(tx: sa.Connection, site: str, started: float) -> int:
    """How many pages of lists were read since `started`."""
    is_list = url.c.kind.not_in([Kind.ARTICLE, Kind.RECORD])
    mine = sa.and_(url.c.site == site, is_list, url.c.last_fetched >= started, url.c.reason.is_(None))
    return tx.scalar(sa.select(sa.func.count()).where(mine)) or 0


def starts(tx: sa.Connection, site: str, urls: Collection[str], *, started: float) -> dict[str, Any]:
    """How many lists the seeds file names, and how many of them were read since `started`."""
    read = [row for row in _rows(tx, site, urls) if (row.last_fetched or 0.0) >= started and row.reason is None]
    return {"named": len(urls), "read": len(read)}


def found_on(tx: sa.Connection, site: str, urls: Collection[str], since: float) -> int:
    """How many article URLs became known after `since` on the first pages of some lists, or on what these redirect to."""
    pages = {*urls, *(row.captured_url for row in _rows(tx, site, urls))}
    mine = sa.and_(url.c.site == site, url.c.kind == Kind.ARTICLE, url.c.discovered_at > since, url.c.hints.is_not(None))
    found = tx.execute(sa.select(url.c.hints).where(mine), execution_options={"yield_per": 1_000}).scalars()
    return sum(json.loads(hints).get("via") in pages for hints in found)


def _rows(tx: sa.Connection, site: str, urls: Collection[str]) -> list[sa.Row[Any]]:
    seen: sa.Select[Any] = sa.select(url.c.last_fetched, url.c.reason, url.c.captured_url)
    return [row for part in chunks(sorted(urls)) for row in tx.execute(seen.where(url.c.site == site, url.c.url.in_(part)))]


def backfill(tx: sa.Connection, site: str, started: float, counts: Mapping[str, int]) -> dict[str, Any]:
    """What became of the captures that other archives have; empty where no index ever named one. `listed` lines of indexes were
    read in this run, `fresh` of them promised what nobody had before, the others are `skipped`; `promised` are all that were ever
    to be asked for: taken, waiting for a later run, or set aside."""
    mine = sa.and_(url.c.site == site, url.c.kind == Kind.RECORD)
    states = {row.state: row.n for row in tx.execute(sa.select(url.c.state, sa.func.count().label("n")).where(mine).group_by(url.c.state))}
    if not states and not any(word.startswith(BACKFILL) for word in counts):
        return {}
    told = {part: below(counts, f"{BACKFILL}{part}/") for part in ("taken", "skipped", "failed")}
    fresh = tx.scalar(sa.select(sa.func.count()).where(mine, url.c.discovered_at >= started)) or 0
    if (twice := counts.get(f"{BACKFILL}wanted", 0) - fresh) > 0:  # two answers that came before the first of them was written down
        told["skipped"] = {**told["skipped"], "known": told["skipped"].get("known", 0) + twice}
    return {
        "listed": counts.get(f"{BACKFILL}listed", 0),
        "fresh": fresh,
        "promised": sum(states.values()),
        "waiting": sum(states.get(state, 0) for state in (State.PENDING, State.LEASED)),
        "set_aside": states.get(State.SET_ASIDE, 0),
        **told,
    }


BACKFILL = "backfill/"
"""how the words begin that count it"""


def below(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    """The counts whose words begin so, without that."""
    return {word.removeprefix(prefix): n for word, n in sorted(counts.items()) if word.startswith(prefix) and n}


def articles(tx: sa.Connection, site: str | None = None) -> dict[str, int]:
    """How many articles there are by status, and how many of them the corpus shows."""
    standing = (article.c.status, article.c.shown)
    asked = sa.select(*standing, sa.func.count().label("n")).where(article.c.site == site if site else sa.true()).group_by(*standing)
    counted: Counter[str] = Counter(shown=0)
    for status, shown, n in tx.execute(asked):
        counted[status] += n
        counted["shown"] += n if shown else 0
    return dict(counted)


def has_articles(tx: sa.Connection, site: str) -> bool:
    """Whether a page at any of a site's URLs is that of an article which stands, whoever read it first, and whatever it is a copy of."""
    read = sa.and_(capture.c.url == url.c.captured_url, capture.c.fetched_at == url.c.captured_at)
    stands = sa.and_(article.c.id == capture.c.article, article.c.status == Status.ACTIVE)
    held = sa.select(url.c.id).join(capture, read).join(article, stands).where(url.c.site == site, url.c.kind == Kind.ARTICLE)
    return tx.execute(held.limit(1)).first() is not None


def reconciles(ledger: Mapping[str, Any]) -> bool:
    """Whether every known article URL is accounted for, by reason."""
    urls = ledger["urls"]
    return bool(urls["visited"] == sum(ledger["visits"].values()) and ledger["known"] == sum(urls.values()))


def failed(ledger: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What failed in a run, by reason: articles, captures that other archives have, and lists, which are all that is left."""
    articles = below(ledger["visits"], "failed/")
    captures = (ledger.get("backfill") or {}).get("failed", {})
    lists = Counter(ledger.get("failures", {})) - Counter(articles) - Counter(captures)
    return {"article": articles, "list": dict(lists), "capture of another archive": captures}


def lines(ledger: Mapping[str, Any]) -> list[str]:
    """The run report, a line a fact."""
    visits, urls = ledger["visits"], ledger["urls"]
    rejected = {word: n for word, n in visits.items() if word in tuple(Reason) and word != Reason.NOT_MODIFIED}
    bad = failed(ledger)
    lists, shown = several(ledger["lists"], "list"), several(ledger["articles"]["shown"], "article")
    is_sample = ledger.get("is_sample")
    rows = [
        ("discovered", f"{several(ledger['discovered'], 'new article URL')} on {lists}; {ledger['known']} known"),
        ("fetched", _fetched(ledger)),
        ("new", str(visits.get(Verdict.NEW, 0))),
        ("duplicates", _words({word: visits.get(word, 0) for word in (Verdict.DUPLICATE, Verdict.NEAR_DUPLICATE, Verdict.CONTAINED)})),
        ("revisions", str(visits.get(Verdict.REVISION, 0))),
        ("unchanged", f"{visits.get(Verdict.UNCHANGED, 0)}, and {visits.get(Reason.NOT_MODIFIED, 0)} not modified (304)"),
        ("pages of several", f"{visits.get('awaiting_parts', 0)} that other pages of their article complete"),
        ("rejected", _words(rejected)),
        ("failed articles", _words(bad["article"])),
        ("failed lists", _words(bad["list"])),
        ("not due", str(urls["not_due"])),
        (
            "left" if is_sample else "left for the next run",
            f"{urls['left']}" + (f" ({ledger['left_because']})" if ledger.get("left_because") else ""),
        ),
        ("set aside", str(urls["set_aside"])),
        ("waiting for later pages", several(ledger.get("awaiting", visits.get("awaiting_parts", 0)), "article")),
        *_of_backfill(ledger),
        *_of_discovery(ledger),
        *(("given up", f"{host}: {why}") for host, why in sorted((ledger.get("given_up") or {}).items())),
        *(("robots.txt asks for", line) for line in crawl_delays(ledger, cut=True)),
        ("seconds", f"{ledger['seconds']:.1f}"),
        (
            "archive",
            f"none: {shown} were in the corpus of the sample"
            if is_sample
            else f"{ledger['archive']}: {shown} of {ledger['site']} in the corpus",
        ),
    ]
    width = max(len(name) for name, _ in rows)
    return [f"  {name:<{width}}  {text}" for name, text in rows]


def _fetched(ledger: Mapping[str, Any]) -> str:
    unasked = sum(count for word, count in ledger["visits"].items() if word in UNASKED)
    asked = several(ledger["urls"]["visited"] - unasked, "article URL")
    return f"{asked} in {several(ledger['requests'], 'request')}" + (f"; {unasked} not asked" if unasked else "")


def _of_backfill(ledger: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What other archives gave; no line for a site that asks none."""
    told = ledger.get("backfill")
    if not told:
        return []
    rest = f"{told['waiting']} of {told['promised']} wait for a later run"
    rest += f", {told['set_aside']} set aside" if told["set_aside"] else ""
    said = [("from other archives", f"{_words(told['taken'])} captures; {rest}")]
    if told["listed"]:
        said.append(("their indexes", f"{told['listed']} lines; skipped {_words(told['skipped'])}"))
    return [*said, ("broken promises", _words(told["failed"]))] if told["failed"] else said


def crawl_delays(ledger: Mapping[str, Any], *, cut: bool = False) -> Iterator[str]:
    """What the hosts' robots.txt ask for between two requests, a line each; with `cut` only of those that get less."""
    for host, delay in sorted((ledger.get("crawl_delays") or {}).items()):
        is_cut = delay["kept"] < delay["asked"]
        if is_cut or not cut:
            kept = f"; {delay['kept']:g} s are kept, as max_crawl_delay says" if is_cut else ""
            yield f"{delay['asked']:g} s between two requests to {host}{kept}"


def untaken(ledger: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The lists without an article, and what became of their links, which are told as the rules of the seeds file see them."""
    for name, told in (ledger.get("untaken") or {}).items():
        said = []
        if told["links"]:
            said.append(f"{several(told['links'], 'link')}, none matches `article`, e.g. {' and '.join(told['examples'])}")
        if told["foreign"]:
            others = " and ".join(told["foreign_examples"])
            said.append(f"{several(told['foreign'], 'link')} to hosts that `hosts` does not name, e.g. {others}")
        yield name, "; ".join(said) or "no links; a script may build the list"


def _of_discovery(ledger: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was left out on purpose, and what was never shown; no line where there is nothing to say."""
    skipped, gaps = ledger.get("skipped"), ledger.get("gaps")
    not_met = [f"{host} {told['missing']} of {told['covered']}" for host, told in sorted((gaps or {}).items()) if told["missing"]]
    said = (("links skipped", _words(skipped) if skipped else ""), ("numbers not met", ", ".join(not_met)))
    return [(name, text) for name, text in said if text]


def _words(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    named = ", ".join(f"{word} {count}" for word, count in sorted(counts.items()) if count)
    return f"{total}" + (f" ({named})" if named else "")
