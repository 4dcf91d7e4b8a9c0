"""All lists of both seeds files, walked over the replica without a socket: what it lists is found, and nothing else."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from crawler.discovery import Found, discover
from crawler.paging import gaps, go_on, number_of
from crawler.turning import next_list
from crawler.visits import start_urls
from pipelines.model import Kind
from pipelines.site import Site, load_sites
from tests.replica import days
from tests.replica.directory import directory
from tests.replica.resource import answer

SITES = load_sites(Path(__file__).parent.parent.parent / "seeds")


class Walk:
    """One run over a day of the replica, list by list."""

    def __init__(self, site: Site, day: int, known: frozenset[str] = frozenset()) -> None:
        self.site, self.day, self.known = site, day, known
        self.articles: dict[str, str | None] = {}
        self.asked: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.bad = 0
        todo = [(kind, url) for kind, url in start_urls(site)]
        while todo:
            kind, url = todo.pop(0)
            if url not in self.asked:
                todo += [(Kind.LISTING, other) for other in self._list(kind, url)]

    def _list(self, kind: Kind, start: str) -> list[str]:
        """Reads one list to its end; gives the other lists that it leads to."""
        url: str | None = start
        run, before, others = 0, None, []
        for page in range(1, self.site.discover.max_pages + 2):
            if url is None:
                break
            found = self._ask(kind, url)
            others += [link.url for link in found.links if link.kind is not Kind.ARTICLE]
            again, run = go_on(found, self.known, run, self.site, before=before)
            url = next_list(url, page, found, self.site) if again else None
            before = found
        return others

    def _ask(self, kind: Kind, url: str) -> Found:
        self.asked[url] += 1
        resource = directory(self.day).find(url)
        if resource is None:
            return Found()
        status, headers, body = answer(resource, {}, 1, False)
        if status != 200 or not isinstance(body, bytes):
            return Found()
        found = discover(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body, url, kind, self.site, tuple(headers.items()))
        self.bad += found.bad_hrefs
        if not found.is_expected_kind:
            self.unexpected.append(url)
        for link in found.articles:
            self.articles[link.url] = link.hints.title or self.articles.get(link.url)
        return found


@pytest.fixture(scope="module", params=["china_tech", "china_org_cn"])
def walk(request: pytest.FixtureRequest) -> Walk:
    return Walk(SITES[request.param], day=0)


def listed(site: Site, day: int) -> set[str]:
    return {true.url for true in days.articles(day) if true.site == site.name and true.listed and true.good and not true.withdrawn}


def test_every_listed_article_is_found(walk: Walk) -> None:
    assert listed(walk.site, 0) - set(walk.articles) == set()


def test_nothing_is_found_that_the_replica_does_not_know(walk: Walk) -> None:
    everything = {true.url for true in days.articles(0)}
    assert set(walk.articles) - everything == set()


def test_every_link_has_the_title_that_the_list_printed(walk: Walk) -> None:
    assert [url for url, title in walk.articles.items() if not title] == []


def test_a_run_with_nothing_new_asks_for_each_start_once(walk: Walk) -> None:
    again = Walk(walk.site, 0, frozenset(walk.articles))
    assert again.asked == Counter(url for _, url in start_urls(walk.site))


def test_the_next_day_finds_what_is_new_for_a_few_more_pages(walk: Walk) -> None:
    tomorrow = Walk(walk.site, 1, frozenset(walk.articles))
    assert listed(walk.site, 1) - set(walk.articles) <= set(tomorrow.articles)
    assert tomorrow.asked.total() <= 1.5 * len(start_urls(walk.site))


def test_a_feed_that_answers_html_is_noticed_and_nothing_else() -> None:
    english = Walk(SITES["china_org_cn"], 0)
    assert english.unexpected == list(english.site.discover.feeds)


def test_the_sites_counter_shows_what_the_lists_do_not() -> None:
    walk = Walk(SITES["china_tech"], 0)
    tech = {url for url in walk.articles if url.startswith("http://tech.china.com.cn/")}
    left_out = sorted(tech)[len(tech) // 2]
    day = date(2026, 9, 4)

    def missing(urls: set[str]) -> int:
        return gaps((number, day) for url in urls if (number := number_of(url, walk.site)) is not None).missing

    assert missing(tech - {left_out}) == missing(tech) + 1
