"""The articles: long enough, all filled in, and none like another unless the truth says so."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime

import numpy as np
import pytest

from tests.replica import days, prose, sentences, words
from tests.replica.calendar import LAST_DAY
from tests.replica.chance import Chance
from tests.replica.english import EnglishTeller, english
from tests.replica.truth import BEIJING, TrueArticle

Table = np.ndarray
WHEN = datetime(2024, 5, 6, 7, 8, tzinfo=BEIJING)
GRAM = 5
UNRELATED = 0.3
"""Jaccard index of character 5-grams that two unrelated articles stay below (0.24 when this was written)"""
CONTAINED = 0.58
"""share of the shorter one's 5-grams that stand in another (0.53 when this was written; the archive says contained from 0.6)"""


@pytest.fixture(scope="module")
def unrelated() -> list[TrueArticle]:
    return [true for true in days.articles(LAST_DAY) if true.good and true.duplicate_of is None and true.variant != "short"]


def test_there_are_at_least_340_good_chinese_articles_and_40_english_ones_on_day_0() -> None:
    good = Counter(true.site for true in days.articles(0) if true.good and true.duplicate_of is None)
    assert good["china_tech"] >= 340
    assert good["china_org_cn"] >= 40


def test_articles_have_between_300_and_3000_characters(unrelated: list[TrueArticle]) -> None:
    lengths = [len(true.text) for true in unrelated if true.template != "photo"]
    assert min(lengths) >= 300
    assert max(lengths) <= 3_100


def test_lengths_are_spread_over_the_whole_range() -> None:
    lengths = np.array([len(true.text) for true in days.articles(0) if true.good])
    assert np.percentile(lengths, 10) < 800
    assert np.percentile(lengths, 90) > 2_200


def test_no_paragraph_stands_in_two_articles(unrelated: list[TrueArticle]) -> None:
    seen = Counter(paragraph for true in unrelated for paragraph in true.paragraphs)
    assert [text for text, count in seen.items() if count > 1] == []


def test_no_title_is_used_twice(unrelated: list[TrueArticle]) -> None:
    assert max(Counter(true.title for true in unrelated).values()) == 1


def test_no_pattern_is_left_unfilled(unrelated: list[TrueArticle]) -> None:
    printed = "\n".join(part for true in unrelated for part in (true.title, true.text, *(text for text, _ in true.captions)))
    assert re.search(r"[{}\[\]|]|None|。。|，。|\.\.", printed) is None


@pytest.fixture(scope="module")
def overlaps(unrelated: list[TrueArticle]) -> tuple[Table, Table]:
    """How many 5-grams each two articles share (0 on the diagonal), and how many each has."""
    grams = [_grams(true.text) for true in unrelated]
    postings: dict[str, list[int]] = {}
    for place, own in enumerate(grams):
        for gram in own:
            postings.setdefault(gram, []).append(place)
    rows = [np.bincount([place for gram in own for place in postings[gram]], minlength=len(grams)) for own in grams]
    shared = np.array(rows)
    np.fill_diagonal(shared, 0)
    return shared, np.array([len(own) for own in grams])


def _grams(text: str) -> set[str]:
    return {text[begin : begin + GRAM] for begin in range(len(text) - GRAM + 1)}


def test_unrelated_articles_share_few_character_five_grams(overlaps: tuple[Table, Table]) -> None:
    shared, sizes = overlaps
    jaccard = shared / (sizes[:, None] + sizes[None, :] - shared)
    assert jaccard.max() < UNRELATED


def test_no_short_article_is_nearly_contained_in_a_long_one(overlaps: tuple[Table, Table]) -> None:
    shared, sizes = overlaps
    assert (shared / np.minimum(sizes[:, None], sizes[None, :])).max() < CONTAINED


def test_many_first_paragraphs_hold_a_date_that_is_not_the_printed_one() -> None:
    plain = [true for true in days.articles(0) if true.variant == "normal" and true.site == "china_tech" and true.published]
    dated = [re.search(r"(\d+)月(\d+)日", true.paragraphs[0]) for true in plain]
    other = [found for true, found in zip(plain, dated, strict=True) if found and true.published and int(found[2]) != true.published.day]
    assert len(other) > 100


def test_bodies_hold_quotations_figures_and_latin_words() -> None:
    together = "\n".join(true.text for true in days.articles(0) if true.site == "china_tech")
    assert together.count("“") > 1_000
    assert len(re.findall(r"\d+\.\d%", together)) > 100
    assert len(re.findall(r"(?:Apache|Gbps|GB|TOPS|kbps)", together)) > 50


def test_no_body_names_an_editor() -> None:
    assert not any("编辑：" in true.text or "责任编辑" in true.text for true in days.articles(LAST_DAY))


def test_the_same_seed_writes_the_same_article_and_another_seed_another() -> None:
    trade = words.TRADES[0]
    assert prose.write("a", trade, WHEN, 900) == prose.write("a", trade, WHEN, 900)
    assert prose.write("a", trade, WHEN, 900).paragraphs != prose.write("b", trade, WHEN, 900).paragraphs


@pytest.mark.parametrize("trade", words.TRADES, ids=lambda trade: trade.name)
def test_every_pattern_can_be_told_in_every_trade(trade: words.Trade) -> None:
    teller = prose.Teller(Chance("all", trade.name), trade, WHEN)
    roles = [value for name, value in vars(sentences).items() if name.isupper() and isinstance(value, tuple)]
    for pattern in (pattern for role in roles for pattern in role):
        assert not re.search(r"[{}\[\]|]", teller.tell(pattern)), pattern


@pytest.mark.parametrize("trade", words.TRADES, ids=lambda trade: trade.name)
def test_a_trade_has_words_enough_and_gauges_with_five_fields(trade: words.Trade) -> None:
    assert all(len(gauge.split("|")) == 5 for gauge in trade.gauges)
    assert min(map(len, (trade.things, trade.parts, trade.methods, trade.troubles, trade.scenes, trade.users, trade.tasks))) >= 5


def test_a_gauge_keeps_its_name_and_unit_within_a_sentence() -> None:
    teller = prose.Teller(Chance("gauge"), words.TRADES[0], WHEN)
    for _ in range(20):
        name, old, new = teller.tell("{gname} {gold} {gnew}").split(" ")
        unit = next(gauge.split("|")[1] for gauge in words.TRADES[0].gauges if gauge.startswith(name + "|"))
        assert old.endswith(unit)
        assert new.endswith(unit)


def test_english_sentences_begin_with_a_capital_and_say_an_before_a_vowel() -> None:
    together = " ".join(true.text for true in english())
    assert not re.search(r"\b[Aa] [aeio]", together)
    assert not re.search(r"[.?!] [a-z]", together.replace("St. ", ""))


def test_an_english_teller_prints_dates_as_the_site_does() -> None:
    assert EnglishTeller.between == " "
    assert any(re.search(r"on (?:Sept\.|Aug\.|May|March) \d", true.text) for true in english())
