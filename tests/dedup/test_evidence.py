from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.dedup_corpus import edit_words, new_figures, price_list, template
from pipelines.dedup import relate
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


PLACES = [
    "河口",
    "南汀",
    "东桥",
    "西岭",
    "白沙",
    "青川",
    "云台",
    "金坪",
    "石渡",
    "柳镇",
    "長岗",
    "新埠",
    "高寨",
    "平原",
    "双溪",
    "海门",
    "北营",
    "中坝",
    "乐亭",
    "永宁",
]


def fuels(seed: int, spread: float) -> str:
    """A list of fuels by place: the grades are the same every day, and so are most of the letters."""
    dice = random.Random(seed)

    def price(usual: float) -> str:
        return f"{usual + dice.uniform(-spread, spread):.2f}元/升"

    lines = [f"{place}：92号汽油{price(7.6)}，95号汽油{price(8.1)}，0号柴油{price(7.2)}。" for place in PLACES]
    return "\n".join(("今日各地油价如下，供读者参考。", *lines, "以上数据由本网整理。"))


@pytest.mark.parametrize("spread", [0.05, 0.15, 0.4])
def test_grades_that_are_the_same_in_every_line_do_not_outvote_the_prices(spread: float) -> None:
    for seed in range(20):
        one, other = fuels(seed, spread), fuels(seed + 1000, spread)
        assert is_form(one, other)
        assert relate(SimpleNamespace(title="今日油价", text=one), SimpleNamespace(title="今日油价", text=other), name="o") is None


def test_the_same_list_in_another_order_cut_or_put_right_is_the_same() -> None:
    text = fuels(1, 0.15)
    head, *lines, foot = text.splitlines()
    assert not is_form(text, "\n".join((head, *reversed(lines), foot)))
    assert not is_form(text, "\n".join((head, *lines[3:], foot)))
    assert not is_form(text, "\n".join((head, *lines[:5], *lines[9:], foot)))
    assert not is_form(text, "\n".join((head, *(f"11月8日{line}" for line in lines), foot)))
    dated = [f"11月7日{line}" for line in lines]
    assert not is_form("\n".join((head, *dated, foot)), "\n".join((head, *(line.replace("月7日", "月8日") for line in dated), foot)))


@given(st.lists(st.integers(0, 99), max_size=40), st.lists(st.integers(0, 99), max_size=40))
def test_the_answer_is_the_same_from_either_side(one: list[int], other: list[int]) -> None:
    text, another = ("".join(f"某地{figure}元，" for figure in figures) for figures in (one, other))
    assert is_form(text, another) == is_form(another, text)


def test_figures_without_end_are_compared_in_bounded_time() -> None:
    """Twenty thousand of one context, of two lengths: aligned as a whole they would take minutes, and the test would not end."""
    one, other = ("".join(f"某地{n * factor % 97}元，" for n in range(20_000 + factor)) for factor in (3, 7))
    assert is_form(one, other) == is_form(other, one)


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
