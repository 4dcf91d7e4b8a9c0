"""Traditional script: character by character, and nothing else changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.dedup.fingerprint import normalise
from tests.replica import days, traditional
from tests.replica.traditional import to_traditional

PAIRS = dict(zip(traditional._SIMPLIFIED, traditional._TRADITIONAL, strict=True))


def test_what_everybody_knows() -> None:
    assert to_traditional("中国网科技发布电动汽车报告") == "中國網科技發布電動汽車報告"


def test_no_character_is_converted_twice_or_to_itself() -> None:
    assert len(PAIRS) == len(traditional._SIMPLIFIED)
    assert not set(PAIRS) & set(PAIRS.values())


def test_no_two_characters_become_one() -> None:
    assert len(set(PAIRS.values())) == len(PAIRS)


@given(st.text())
def test_length_and_everything_outside_the_table_stay(text: str) -> None:
    converted = to_traditional(text)
    assert len(converted) == len(text)
    assert all(after == PAIRS.get(before, before) for before, after in zip(text, converted, strict=True))


def test_most_articles_of_the_replica_look_different_in_traditional_script() -> None:
    for true in days.articles(0):
        if true.good and true.language == "zh":
            changed = sum(before != after for before, after in zip(true.text, to_traditional(true.text), strict=True))
            assert changed > 0.15 * len(true.text)


def test_the_archives_own_fold_takes_every_article_back() -> None:
    for true in days.articles(3):
        assert normalise(to_traditional(true.text)) == normalise(true.text)
