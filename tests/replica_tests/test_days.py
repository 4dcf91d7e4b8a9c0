"""The site's days: what is new, revised, moved and withdrawn, and what never was an article."""

from __future__ import annotations

from collections import Counter

import pytest

from pipelines.model import Precision, Reason
from pipelines.urls import canonical
from tests.replica import calendar, days
from tests.replica.truth import TrueArticle
from tests.replica_tests.reading import site

DAYS = range(calendar.LAST_DAY + 1)


def _by_url(day: int) -> dict[str, TrueArticle]:
    return {true.url: true for true in days.articles(day)}


def _good(day: int) -> set[str]:
    return {true.url for true in days.articles(day) if true.good}


def _variant(day: int, variant: str) -> list[TrueArticle]:
    return [true for true in days.articles(day) if true.variant == variant]


@pytest.mark.parametrize("day", DAYS)
def test_no_url_stands_for_two_pages(day: int) -> None:
    urls = [url for true in days.articles(day) for url in (true.url, *true.parts)]
    assert [url for url, count in Counter(urls).items() if count > 1] == []


@pytest.mark.parametrize("day", DAYS)
def test_every_true_url_is_canonical_by_the_seeds(day: int) -> None:
    wrong = [true.url for true in days.articles(day) if canonical(true.url, site(true.site)).url != true.url]
    assert wrong == []


@pytest.mark.parametrize("day", DAYS)
def test_every_copy_but_the_phone_one_and_the_moved_one_maps_back_to_its_original(day: int) -> None:
    pairs = [(copy, true) for true in days.articles(day) if true.good for copy in true.copies if "m.gxfin.com" not in copy]
    strays = {copy for copy, true in pairs if canonical(copy, site(true.site)).url != true.url}
    assert strays <= {true.url for true in _variant(day, "moved")}


@pytest.mark.parametrize("day", DAYS)
def test_every_part_of_an_article_maps_to_its_first_page(day: int) -> None:
    for true in days.articles(day):
        for number, part in enumerate(true.parts, 2):
            found = canonical(part, site(true.site))
            assert (found.url, found.part) == (true.url, number)


@pytest.mark.parametrize("day", DAYS)
def test_good_urls_are_articles_by_the_seeds_and_carry_section_and_id(day: int) -> None:
    for true in days.articles(day):
        if true.good:
            match = site(true.site).article_match(true.url)
            assert match is not None, true.url
            assert match["section"] == true.section
            assert int(match["id"]) == true.number


def test_the_url_date_is_the_printed_one_but_for_the_variant_that_lies() -> None:
    for true in days.articles(0):
        if true.good and true.published:
            found = site(true.site).article_match(true.url)
            assert found is not None
            same = found["date"].replace("-", "").replace("/", "") == f"{true.published:%Y%m%d}"
            assert same == (true.variant != "url-date"), true.url


def test_ids_of_the_tech_host_ascend_with_time() -> None:
    pages = [true for true in days.articles(3) if true.host == "tech.china.com.cn" and true.good and true.published]
    plain = sorted((true for true in pages if true.duplicate_of is None), key=lambda true: true.published or calendar.DAY0)
    numbers = [true.number for true in plain]
    assert numbers == sorted(numbers)


def test_nothing_is_published_after_the_day_it_is_seen_on() -> None:
    for day in DAYS:
        assert all(true.published <= calendar.moment(day) for true in days.articles(day) if true.published)
        assert all(true.updated <= calendar.moment(day) for true in days.articles(day) if true.updated)


def test_times_carry_the_offset_of_beijing() -> None:
    assert {true.published.utcoffset() for true in days.articles(3) if true.published} == {calendar.DAY0.utcoffset()}


def test_precision_is_what_the_template_prints() -> None:
    seen = {(true.template, true.precision) for true in days.articles(0) if true.good}
    assert ("T3", Precision.MINUTE) in seen
    assert ("T2", Precision.SECOND) in seen
    assert ("en", Precision.DAY) in seen
    assert len({template for template, _ in seen}) == len(seen)


def test_day_1_brings_five_new_articles() -> None:
    new = _good(1) - _good(0)
    assert len([url for url in new if _by_url(1)[url].variant != "moved"]) == 5


def test_day_1_revises_two_articles_at_their_urls() -> None:
    revised = [true for true in days.articles(1) if true.revision == 2]
    assert len(revised) == 2
    for true in revised:
        before = _by_url(0)[true.url]
        assert before.revision == 1
        assert before.text != true.text
        assert before.published == true.published
        assert before.paragraphs[0] == true.paragraphs[0]


def test_day_1_moves_one_article_and_says_where_to() -> None:
    (old,) = [true for true in days.articles(1) if true.moved_to]
    new = _by_url(1)[old.moved_to or ""]
    assert (old.good, old.reason, old.listed) == (False, Reason.REDIRECT, False)
    assert new.good
    assert new.text == _by_url(0)[old.url].text
    assert old.url in new.copies


def test_day_1_withdraws_one_article() -> None:
    (gone,) = [true for true in days.articles(1) if true.withdrawn]
    assert (gone.good, gone.reason, gone.listed) == (False, Reason.GONE, False)
    assert _by_url(0)[gone.url].good


def test_nothing_happens_on_day_2() -> None:
    assert days.articles(2) == days.articles(1)


def test_day_3_brings_twelve_new_articles_two_of_them_copies_of_old_ones() -> None:
    new = [_by_url(3)[url] for url in _good(3) - _good(2)]
    assert len(new) == 12
    assert sorted(true.variant for true in new if true.duplicate_of) == ["reprint", "traditional"]


def test_the_reprint_has_another_lead_and_the_old_rest() -> None:
    (reprint,) = _variant(3, "reprint")
    original = _by_url(3)[reprint.duplicate_of or ""]
    assert reprint.paragraphs[0] != original.paragraphs[0]
    assert reprint.paragraphs[1:] == original.paragraphs[1:]
    assert reprint.source != original.source


def test_the_traditional_copy_has_no_paragraph_in_common_with_its_original_as_printed() -> None:
    (copy,) = _variant(3, "traditional")
    original = _by_url(3)[copy.duplicate_of or ""]
    assert not set(copy.paragraphs) & set(original.paragraphs)
    assert len(copy.text) == len(original.text)


def test_some_stories_stand_under_a_second_id_from_day_0() -> None:
    second = _variant(0, "second-id")
    assert len(second) == 4
    for true in second:
        assert true.section == "roll"
        assert _by_url(0)[true.duplicate_of or ""].text == true.text


def test_every_reason_of_the_dossier_has_its_page() -> None:
    reasons = {true.variant: true.reason for true in days.articles(0) if not true.good}
    assert reasons == {
        "not-found": Reason.GONE,
        "soft-404": Reason.SOFT_404,
        "home": Reason.REDIRECT,
        "forbidden": Reason.HTTP_ERROR,
        "empty": Reason.EMPTY,
        "video": Reason.NO_TEXT,
        "links": Reason.TOPIC,
        "off-host": Reason.OUT_OF_SCOPE,
        "stub": Reason.OUT_OF_SCOPE,
    }


def test_a_good_page_has_no_reason_and_a_bad_one_has_one() -> None:
    assert all(true.good == (true.reason is None) for day in DAYS for true in days.articles(day))


def test_the_sizes_of_the_parts_add_up_to_the_article() -> None:
    parted = [true for true in days.articles(0) if true.parts]
    assert len(parted) == 8
    for true in parted:
        assert sum(true.part_sizes) == len(true.paragraphs)
        assert len(true.part_sizes) == len(true.parts) + 1
        assert min(true.part_sizes) > 0
