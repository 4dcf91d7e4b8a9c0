"""The history of an article: a pure fold, the same whatever the order in which its pages come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedup.difference import FREE_REVISIONS
from pipelines.dedup.history import AROUND, CONFIRMED_AFTER, INCOMPLETE, History, Page, PageKind, fold, is_credible, join
from pipelines.model import Article, Extraction, Quality, Status

START = datetime(2026, 9, 7, 1, 0, tzinfo=UTC)
LINES = (
    "云栈工坊九月七日宣布，第二条封装线在山脚的新厂房里通电，首批芯片月底下线。",
    "负责人说，新线的良率比旧线高出四个百分点，用电却少了一成半。",
    "厂房由一座停产的纸厂改建，原来的水渠如今给冷却塔供水。",
    "当地的职校为此开了一个班，四十名学员已经跟着老师傅上机。",
)


CONFIRMED = CONFIRMED_AFTER / timedelta(hours=1)


def at(hours: float) -> str:
    return (START + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def article(*lines: str, title: str = "封装线通电", part: int = 1, following: bool = False, confidence: float = 1.0) -> Article:
    return Article(
        url="http://tech.example.cn/it/20260907/1.shtml",
        site="example",
        title=title,
        paragraphs=lines or LINES[:2],
        quality=Quality(confidence=confidence),
        extraction=Extraction(method="layout:t3", charset="utf-8", charset_from="header", rules_digest="0" * 64, versions={}),
        part=part,
        next_url=f"http://tech.example.cn/it/20260907/1_{part + 1}.shtml" if following else None,
    )


class Pages:
    """Pages of one article in the making."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.contents: dict[str, Article] = {}

    def text(self, hours: float, made: Article | None = None) -> None:
        made = made or article()
        digest = f"{made.part}:{made.title}:{made.text}:{made.next_url}:{made.quality}:{made.quarantine}"
        self.contents[digest] = made
        self._add(hours, PageKind.TEXT, part=made.part, content=digest)

    def gone(self, *hours: float, credible: bool = True, part: int = 1) -> None:
        for hour in hours:
            self._add(hour, PageKind.GONE, credible=credible, part=part)

    def confirmed(self, hours: float, part: int = 1) -> None:
        self._add(hours, PageKind.CONFIRMED, part=part)

    def _add(self, hours: float, kind: PageKind, *, part: int = 1, content: str | None = None, credible: bool = True) -> None:
        number = len(self.pages) + 1
        self.pages.append(
            Page(capture=number, fetched_at=at(hours), part=part, kind=kind, content=content, place=f"a:{number:06d}", credible=credible)
        )

    def fold(self) -> History:
        folded = fold(self.pages, self.contents)
        assert folded is not None
        return folded


@pytest.fixture
def pages() -> Pages:
    return Pages()


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_text_there_is_no_history(pages: Pages) -> None:
    pages.gone(1)
    pages.confirmed(2)
    assert fold(pages.pages, {}) is None


def test_a_first_text_is_the_first_revision(pages: Pages) -> None:
    pages.text(0)
    folded = pages.fold()
    assert [(made.number, made.change, made.capture) for made in folded.revisions] == [(1, None, 1)]
    assert (folded.status, folded.first_seen, folded.last_seen) == (Status.ACTIVE, at(0), at(0))


def test_the_same_text_again_moves_only_the_time_it_was_last_seen(pages: Pages) -> None:
    pages.text(0)
    pages.text(6)
    folded = pages.fold()
    assert (len(folded.revisions), folded.current.capture, folded.last_seen) == (1, 1, at(6))


def test_the_record_tells_the_last_sight_in_steps_of_30_days(pages: Pages) -> None:
    pages.text(0)
    told = []
    for day in (1, 7, 29, 30, 31, 59, 60, 200):
        pages.confirmed(24 * day)
        told.append(pages.fold().last_told)
    assert told == [at(24 * day) for day in (0, 0, 0, 30, 30, 30, 60, 200)]
    assert pages.fold().last_seen == at(24 * 200)


def test_a_revision_begins_the_steps_anew(pages: Pages) -> None:
    pages.text(0)
    pages.text(24 * 20, article(*LINES[:3]))
    pages.confirmed(24 * 49)
    assert pages.fold().last_told == at(24 * 20)
    pages.confirmed(24 * 50)
    assert pages.fold().last_told == at(24 * 50)


def test_what_is_withdrawn_tells_to_the_visit_when_it_was_last_there(pages: Pages) -> None:
    pages.text(0)
    pages.confirmed(24 * 9)
    pages.gone(24 * 10, 24 * 12)
    folded = pages.fold()
    assert (folded.status, folded.last_told) == (Status.WITHDRAWN, at(24 * 9))


def test_another_text_is_a_revision_with_its_class(pages: Pages) -> None:
    pages.text(0)
    pages.text(6, article(*LINES[:3]))
    folded = pages.fold()
    assert [(made.number, made.change) for made in folded.revisions] == [(1, None), (2, "body_large")]
    assert folded.current.article.paragraphs == LINES[:3]


def test_a_304_says_that_it_was_seen_as_it_is(pages: Pages) -> None:
    pages.text(0)
    pages.confirmed(24)
    assert (pages.fold().last_seen, len(pages.fold().revisions)) == (at(24), 1)


def test_what_was_said_before_any_text_says_nothing(pages: Pages) -> None:
    pages.gone(0, 30)
    pages.confirmed(31)
    pages.text(40)
    folded = pages.fold()
    assert (folded.status, folded.first_seen, folded.last_seen) == (Status.ACTIVE, at(40), at(40))


def test_a_torn_copy_never_takes_the_place_of_a_whole_one(pages: Pages) -> None:
    pages.text(0, article(*LINES))
    pages.text(6, article(LINES[0], confidence=0.4))
    folded = pages.fold()
    assert folded.current.article.paragraphs == LINES
    assert folded.last_seen == at(6)


def test_a_page_that_is_another_at_every_visit_makes_few_revisions(pages: Pages) -> None:
    for visit in range(200):
        pages.text(visit / 60, article(*LINES, title=f"第{visit}次"))
    assert len(pages.fold().revisions) <= FREE_REVISIONS + 2


def test_a_quarantined_text_is_shown_to_nobody_until_a_person_has_looked(pages: Pages) -> None:
    pages.text(0, replace(article(), quarantine="more than 1 % replacement characters"))
    assert pages.fold().status is Status.QUARANTINED


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def three_parts(pages: Pages, *order: int) -> None:
    for hour, part in enumerate(order):
        pages.text(hour, article(LINES[part], part=part, title="封装线通电" if part == 1 else "", following=part < 3))


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 3), (3, 1, 2)])
def test_parts_are_joined_in_order_in_whatever_order_they_come(pages: Pages, order: tuple[int, ...]) -> None:
    three_parts(pages, *order)
    folded = pages.fold()
    assert folded.current.article.paragraphs == LINES[1:]
    assert (folded.current.article.title, folded.current.article.next_url) == ("封装线通电", None)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_an_article_with_a_part_missing_waits_for_it(pages: Pages, missing: int) -> None:
    three_parts(pages, *({1, 2, 3} - {missing}))
    assert fold(pages.pages, pages.contents) is None


def test_a_part_that_is_twice_denied_a_day_apart_is_waited_for_no_longer_and_missed(pages: Pages) -> None:
    pages.text(0, article(LINES[0], following=True))
    pages.gone(1, part=2)
    assert fold(pages.pages, pages.contents) is None, "it may be on its way"
    pages.gone(CONFIRMED + 0.5, part=2)
    assert fold(pages.pages, pages.contents) is None
    pages.gone(CONFIRMED + 1, part=2)
    folded = pages.fold()
    assert (folded.current.article.paragraphs, folded.current.article.next_url) == (LINES[:1], None)
    assert (folded.current.article.quality.flags, folded.is_incomplete) == ((INCOMPLETE,), True)
    assert (folded.status, folded.first_seen) == (Status.ACTIVE, at(0))


def test_a_part_that_comes_after_all_makes_its_article_whole_from_the_first(pages: Pages) -> None:
    pages.text(0, article(LINES[0], following=True))
    pages.gone(1, 40, part=2)
    pages.text(50, article(LINES[1], part=2))
    folded = pages.fold()
    assert [made.article.paragraphs for made in folded.revisions] == [LINES[:2]]
    assert (folded.current.article.quality.flags, folded.is_incomplete) == ((), False)


def test_what_stands_behind_a_part_that_is_missed_is_left_out(pages: Pages) -> None:
    three_parts(pages, 1, 3)
    pages.gone(1, 40, part=2)
    assert pages.fold().current.article.paragraphs == (LINES[1],)


def test_denials_that_are_not_believed_end_no_wait_for_a_part(pages: Pages) -> None:
    pages.text(0, article(LINES[0], following=True))
    pages.gone(1, part=2)
    pages.gone(40, part=2, credible=False)
    pages.gone(1, 40, part=3)
    assert fold(pages.pages, pages.contents) is None


def test_a_further_part_that_is_missed_takes_nothing_from_an_article_that_is_whole(pages: Pages) -> None:
    pages.text(0)
    pages.text(10, article(LINES[0], following=True))
    pages.gone(11, 50, part=2)
    folded = pages.fold()
    assert [made.article.paragraphs for made in folded.revisions] == [LINES[:2]]
    assert folded.last_seen == at(10)


def test_a_chain_that_leads_back_to_itself_ends(pages: Pages) -> None:
    pages.text(0, article(LINES[0], following=True))
    pages.text(1, replace(article(LINES[1], part=2, following=True), next_url="http://tech.example.cn/it/20260907/1.shtml"))
    second = next(page.content for page in pages.pages if page.part == 2)
    pages.pages.append(Page(capture=9, fetched_at=at(2), part=3, kind=PageKind.TEXT, content=second))
    assert pages.fold().current.article.paragraphs == LINES[:2]


def test_a_part_that_changed_later_makes_a_revision_when_the_first_page_is_seen_again(pages: Pages) -> None:
    pages.text(0, article(LINES[0], following=True))
    pages.text(1, article(LINES[1], part=2))
    pages.text(10, article(LINES[0], following=True))
    pages.text(11, article(LINES[2], part=2))
    folded = pages.fold()
    assert [made.article.paragraphs for made in folded.revisions] == [(LINES[0], LINES[1]), (LINES[0], LINES[2])]


def in_parts(*lines: str, second: str) -> tuple[Article, Article]:
    return article(*lines, following=True), article(second, part=2)


def texts(history: History) -> list[tuple[str, str]]:
    return [(made.fetched_at, made.article.text) for made in history.revisions]


def test_a_later_part_that_a_304_confirmed_is_what_stood_there_then_whatever_comes_later(pages: Pages) -> None:
    for hours, first in ((0, LINES[:1]), (2, LINES[:2])):
        pages.text(hours, article(*first, following=True))
    pages.text(0.1, article(LINES[2], part=2))
    pages.confirmed(2.1, part=2)
    then = texts(pages.fold())
    pages.text(7, article(*LINES[:2], "另附一表。", following=True))
    pages.text(7.1, article(LINES[3], part=2))
    assert texts(pages.fold())[:2] == then == [(at(0), f"{LINES[0]}\n{LINES[2]}"), (at(2), f"{LINES[0]}\n{LINES[1]}\n{LINES[2]}")]
    assert len(pages.fold().revisions) == 3


@pytest.mark.parametrize("sent", [True, False], ids=["200", "304"])
def test_a_part_that_changed_alone_is_a_revision_whether_the_first_page_is_sent_again_or_confirmed(pages: Pages, sent: bool) -> None:
    first, second = in_parts(LINES[0], second=LINES[1])
    pages.text(0, first)
    pages.text(0.1, second)
    if sent:
        pages.text(24, first)
    else:
        pages.confirmed(24)
    pages.text(24.1, article(LINES[2], part=2))
    assert texts(pages.fold()) == [(at(0), f"{LINES[0]}\n{LINES[1]}"), (at(24), f"{LINES[0]}\n{LINES[2]}")]


def test_a_part_that_did_not_answer_in_one_visit_is_what_it_was_in_the_one_before(pages: Pages) -> None:
    pages.text(0, article(LINES[0], following=True))
    pages.text(0.1, article(LINES[1], part=2))
    pages.text(24, article(LINES[0], "更正：日期有误。", following=True))
    then = texts(pages.fold())
    pages.confirmed(48)
    pages.text(48.1, article(LINES[2], part=2))
    assert texts(pages.fold())[:2] == then
    assert texts(pages.fold())[2] == (at(48), f"{LINES[0]}\n更正：日期有误。\n{LINES[2]}")


def test_a_second_page_that_is_gone_is_no_withdrawal(pages: Pages) -> None:
    pages.text(0, article(LINES[0], following=True))
    pages.text(1, article(LINES[1], part=2))
    pages.gone(10, 40, part=2)
    assert pages.fold().status is Status.ACTIVE


def test_a_first_page_whose_new_part_is_still_missing_is_no_denial(pages: Pages) -> None:
    pages.text(0)
    pages.gone(10)
    pages.text(20, article(LINES[0], following=True))
    pages.gone(36)
    folded = pages.fold()
    assert (folded.status, folded.last_seen, len(folded.revisions)) == (Status.ACTIVE, at(20), 1)


def test_the_title_and_the_source_of_a_whole_are_those_of_its_first_page() -> None:
    first = replace(article(LINES[0], following=True), source="云栈日报", editors=())
    last = replace(article(LINES[1], part=2, title="别的题"), source="别处", editors=("何编",))
    whole = join([first, last])
    assert (whole.title, whole.source, whole.editors, whole.next_url) == ("封装线通电", "云栈日报", ("何编",), None)


# ── withdrawals (docs/decisions/0004) ────────────────────────────────────────────────────────────────────────────────


def test_one_denial_withdraws_nothing(pages: Pages) -> None:
    pages.text(0)
    pages.gone(10)
    assert (pages.fold().status, pages.fold().last_seen) == (Status.ACTIVE, at(0))


def test_denials_of_one_night_withdraw_nothing(pages: Pages) -> None:
    pages.text(0)
    pages.gone(10, 11, 12, 18, 10 + CONFIRMED - 0.01)
    assert pages.fold().status is Status.ACTIVE


def test_a_denial_that_still_stands_a_day_later_withdraws(pages: Pages) -> None:
    pages.text(0)
    pages.gone(10, 10 + CONFIRMED)
    assert (pages.fold().status, pages.fold().last_seen) == (Status.WITHDRAWN, at(0))


@pytest.mark.parametrize("sight", ["text", "confirmed"])
def test_any_sight_of_it_between_begins_the_count_anew(pages: Pages, sight: str) -> None:
    pages.text(0)
    pages.gone(10)
    pages.text(20) if sight == "text" else pages.confirmed(20)
    pages.gone(21, 10 + CONFIRMED)
    assert (pages.fold().status, pages.fold().last_seen) == (Status.ACTIVE, at(20))


@pytest.mark.parametrize("sight", ["text", "confirmed"])
def test_an_article_that_is_back_is_active_again(pages: Pages, sight: str) -> None:
    pages.text(0)
    pages.gone(10, 50)
    pages.text(60) if sight == "text" else pages.confirmed(60)
    assert (pages.fold().status, pages.fold().last_seen, len(pages.fold().revisions)) == (Status.ACTIVE, at(60), 1)


def test_denials_of_an_ill_host_count_for_nothing_however_many(pages: Pages) -> None:
    pages.text(0)
    pages.gone(10, 40, 200, 900, credible=False)
    assert pages.fold().status is Status.ACTIVE


def test_one_denial_of_a_healthy_host_needs_another_of_a_healthy_host(pages: Pages) -> None:
    pages.text(0)
    pages.gone(10)
    pages.gone(100, credible=False)
    assert pages.fold().status is Status.ACTIVE
    pages.gone(200)
    assert pages.fold().status is Status.WITHDRAWN


def test_a_withdrawn_article_is_withdrawn_though_it_was_quarantined(pages: Pages) -> None:
    pages.text(0, replace(article(), quarantine="looks torn"))
    pages.gone(10, 50)
    assert pages.fold().status is Status.WITHDRAWN


@pytest.mark.parametrize(("shown", "denied", "believed"), [(0, 1, False), (1, 1, True), (5, 1, True), (3, 4, False), (4, 4, True)])
def test_a_host_is_believed_when_it_shows_at_least_as_many_as_it_denies(shown: int, denied: int, believed: bool) -> None:
    assert is_credible(shown=shown, denied=denied) is believed


def test_what_counts_as_around_a_denial_is_far_shorter_than_what_confirms_it() -> None:
    assert 10 * AROUND < CONFIRMED_AFTER


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────

kinds = st.sampled_from(["text", "text", "first of two", "second", "second gone", "gone", "ill", "confirmed"])
stories = st.lists(st.tuples(st.integers(0, 60), kinds, st.integers(1, 3)), min_size=1, max_size=9)


def told(story: list[tuple[int, str, int]]) -> Pages:
    pages = Pages()
    for hour, kind, lines in story:
        match kind:
            case "text":
                pages.text(hour, article(*LINES[:lines]))
            case "first of two":
                pages.text(hour, article(*LINES[:lines], following=True))
            case "second":
                pages.text(hour, article(*LINES[lines:], part=2))
            case "second gone":
                pages.gone(hour, part=2)
            case "confirmed":
                pages.confirmed(hour)
            case _:
                pages.gone(hour, credible=kind == "gone")
    return pages


@settings(deadline=None, max_examples=150)
@given(stories, st.randoms(use_true_random=False))
def test_any_order_of_the_pages_gives_the_same_history(story: list[tuple[int, str, int]], random: object) -> None:
    pages = told(story)
    expected = fold(pages.pages, pages.contents)
    random.shuffle(pages.pages)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert fold(pages.pages, pages.contents) == expected


@settings(deadline=None, max_examples=100)
@given(stories)
def test_what_a_history_says_can_be_seen_in_its_pages(story: list[tuple[int, str, int]]) -> None:
    pages = told(story)
    folded = fold(pages.pages, pages.contents)
    if folded is None:
        return
    times = {page.fetched_at for page in pages.pages if page.kind is not PageKind.GONE and page.part == 1}
    assert {folded.first_seen, folded.last_seen, folded.last_told} <= times
    assert folded.first_seen <= folded.current.fetched_at <= folded.last_told <= folded.last_seen
    assert [made.number for made in folded.revisions] == list(range(1, len(folded.revisions) + 1))
    assert [made.change is None for made in folded.revisions] == [True] + [False] * (len(folded.revisions) - 1)
    if folded.status is Status.WITHDRAWN:
        denials = [page for page in pages.pages if page.kind is PageKind.GONE and page.fetched_at >= folded.last_seen]
        assert len(denials) >= 2


@settings(deadline=None, max_examples=60)
@given(stories)
def test_a_sight_at_the_end_of_any_history_makes_it_active(story: list[tuple[int, str, int]]) -> None:
    pages = told(story)
    pages.text(100)
    assert pages.fold().status is Status.ACTIVE


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from(["a", "b", "same"])), max_size=14))
@settings(deadline=None, max_examples=300)
def test_a_page_that_is_confirmed_tells_what_the_same_page_sent_again_tells(visits: list[tuple[int, str]]) -> None:
    confirmed, sent = Pages(), Pages()
    shown: dict[int, Article] = {}
    for number, (part, what) in enumerate(visits):
        hours = 30.0 * number
        if what != "same":
            shown[part] = article(f"第{part}页：{LINES[0] if what == 'a' else LINES[1]}", part=part, following=part < 3)
        if part not in shown:
            continue
        sent.text(hours, shown[part])
        confirmed.confirmed(hours, part) if what == "same" else confirmed.text(hours, shown[part])
    assert fold(confirmed.pages, confirmed.contents) == fold(sent.pages, sent.contents)
