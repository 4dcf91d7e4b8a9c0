"""Which articles are one story, and which of them stands for it. Both follow from sets: no arrival order enters.

A cluster is a connected component of the graph whose edges are the relations that join (duplicates and near duplicates;
being contained joins nothing, see docs/decisions/0003-clusters.md). Its representative is elected by comparing keys.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipelines.dedup.fingerprint import normalise
from pipelines.model import Article, Precision, Verdict

JOINING = (Verdict.DUPLICATE, Verdict.NEAR_DUPLICATE)
"""The relations that make two articles one cluster"""

Edge = tuple[str, str]
"""Two articles that are joined, by id, in any order"""
Clusters = frozenset[frozenset[str]]
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    id: str
    article: Article


def components(members: Iterable[str], edges: Iterable[Edge]) -> Clusters:
    """The clusters of some articles; an article without edges is one of its own. Edges to others are ignored."""
    unseen = set(members)
    near = _neighbours(edges)
    found = set()
    while unseen:
        cluster = frozenset(_reached(min(unseen), near, unseen))
        unseen -= cluster
        found.add(cluster)
    return frozenset(found)


def joined(clusters: Clusters, member: str, others: Iterable[str]) -> Clusters:
    """The clusters after an article came that is joined to `others`: theirs become one."""
    wanted = {member, *others}
    touched = {cluster for cluster in clusters if cluster & wanted}
    return (clusters - touched) | {frozenset({member}).union(*touched)}


def without(clusters: Clusters, member: str, edges: Iterable[Edge]) -> Clusters:
    """The clusters after an article left or its text became another: what only it held together falls apart. `edges`
    are at least those between the members of its cluster."""
    left = next((cluster for cluster in clusters if member in cluster), frozenset[str]())
    return (clusters - {left}) | components(left - {member}, edges)


def _neighbours(edges: Iterable[Edge]) -> Mapping[str, set[str]]:
    near: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in edges:
        near[one].add(other)
        near[other].add(one)
    return near


def _reached(start: str, near: Mapping[str, set[str]], among: set[str]) -> Iterator[str]:
    found, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        yield here
        new = (near.get(here, set()) & among) - found
        found |= new
        waiting.extend(new)


def elect(members: Iterable[Member]) -> Member:
    """The member that stands for its cluster: published first; else the publisher's own; else the one whose publisher
    the others name as their source; else the shortest address, and of those the first in the order of text.

    Raises ValueError without members.
    """
    present = list(members)
    named = Counter(name for member in present if member.article.rights.owned is False and (name := _name(member)))
    return min(present, key=lambda member: (*_seniority(member.article, named[_name(member)]), member.id))


def _seniority(article: Article, citations: int) -> tuple[bool, datetime, bool, int, int, str]:
    owned = article.rights.owned is True
    moment = _moment(article)
    return moment is None, moment or _NEVER, not owned, -citations if owned else 0, len(article.url), article.url


def _name(member: Member) -> str:
    """The printed source in its normal form; "" names nobody."""
    return normalise(member.article.source or "")


def _moment(article: Article) -> datetime | None:
    """When it was published, to the minute that most pages print. A day without a time counts as its end: it says less
    than a time on that day, and must not win over one."""
    if article.published is None:
        return None
    moment = article.published.replace(second=0, microsecond=0)
    return moment + timedelta(hours=23, minutes=59) if article.published_precision is Precision.DAY else moment
