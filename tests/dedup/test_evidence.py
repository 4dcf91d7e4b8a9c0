from __future__ import annotations

import pytest

from benchmarks.dedup_corpus import edit_words, new_figures, price_list, template
from pipelines.dedup.compare import compare
from pipelines.dedup.evidence import is_form, is_reworded
from tests.dedup.made import story, writer

CLOSING = "{}收盘，华远科技报{}元，涨幅{}%，成交额{}亿元，换手率{}%，主力净流入{}万元，融资净买入{}万元，目标均价为{}元。"
MONDAY = CLOSING.format("周一", "12.3", "1.02", "3.4", "0.88", "560", "71", "15.8")
TUESDAY = CLOSING.format("周二", "12.9", "4.88", "7.1", "1.75", "984", "23", "15.8")


def test_a_form_with_other_figures_is_a_form() -> None:
    assert compare(MONDAY, TUESDAY).jaccard > 0.1
    assert is_form(MONDAY, TUESDAY)
    assert is_form(TUESDAY, MONDAY)


def test_a_form_with_the_same_figures_is_the_same_report() -> None:
    assert not is_form(MONDAY, MONDAY)
    assert not is_form(MONDAY, MONDAY.replace("，", "；").replace("收盘", "尾盘"))


@pytest.mark.parametrize("wrong", ["12.3", "3.4", "560"])
def test_a_corrected_figure_makes_no_form(wrong: str) -> None:
    assert not is_form(MONDAY, MONDAY.replace(wrong, "99.9"))


def test_a_correction_of_a_long_text_makes_no_form() -> None:
    text = story(4, sentences=30)
    for seed in range(10):
        assert not is_form(text, new_figures(text, writer(seed)))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_forms_of_the_benchmark_are_forms(language: str) -> None:
    by = writer(3, language)
    forms = [template(by) for _ in range(40)]
    alike = [(a, b) for i, a in enumerate(forms) for b in forms[:i] if compare(a, b).containment >= 0.5]
    assert len(alike) > 10
    assert all(is_form(a, b) for a, b in alike)


def test_the_same_goods_at_the_prices_of_another_day_are_a_form() -> None:
    by = writer(3)
    goods = [f"{place}新型路由器" for place in by.words["place"][:12]]
    assert is_form(price_list(by, goods), price_list(by, goods))


def test_different_stories_and_texts_without_figures_are_no_form() -> None:
    assert not is_form(story(1), story(2))
    assert not is_form("没有数字的文字", "也没有数字")
    assert not is_form("", "")


@pytest.mark.parametrize("rate", [0.1, 0.2])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_story_with_words_replaced_all_over_is_reworded(rate: float, language: str) -> None:
    text = story(2, sentences=25, language=language)
    copy = edit_words(rate)(text, writer(8, language))
    assert compare(text, copy).jaccard < 0.65
    assert is_reworded(text, copy, same_title=False)
    assert is_reworded(copy, text, same_title=False)


def test_other_figures_are_no_rewording_unless_the_title_is_the_same() -> None:
    text = story(2, sentences=25)
    copy = edit_words(0.1)(text, writer(8)).translate(str.maketrans("0123456789", "5678901234"))
    assert not is_reworded(text, copy, same_title=False)
    assert is_reworded(text, copy, same_title=True)


def test_a_common_notice_in_one_piece_is_no_rewording() -> None:
    notice = story(9, sentences=15)
    one, other = f"{story(1, sentences=12)}\n{notice}", f"{story(2, sentences=12)}\n{notice}"
    assert compare(one, other).jaccard > 0.25
    assert not is_reworded(one, other, same_title=True)


def test_different_stories_under_one_title_are_no_rewording() -> None:
    assert not is_reworded(story(1), story(2), same_title=True)
