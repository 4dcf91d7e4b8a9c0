from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.dedup_corpus import WORDS, daily_list, edit_words, new_figures, price_list, repost, template
from pipelines.dedup import relate
from pipelines.dedup.compare import compare
from pipelines.dedup.evidence import is_form, is_reworded
from pipelines.model import Verdict
from tests.dedup.made import article, story, writer

CLOSING = "{}收盘，华远科技报{}元，涨幅{}%，成交额{}亿元，换手率{}%，主力净流入{}万元，融资净买入{}万元，目标均价为{}元。"
MONDAY = CLOSING.format("周一", "12.3", "1.02", "3.4", "0.88", "560", "71", "15.8")
TUESDAY = CLOSING.format("周二", "12.9", "4.88", "7.1", "1.75", "984", "23", "15.8")


WITHOUT_FIGURES = re.compile(r"[0-9.]*[0-9]")


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


DAILY = [pytest.param(language, form, id=form.partition("\n")[0]) for language in ("zh", "en") for form in WORDS[language]["daily"]]
CLOSE = "今日各地油价如下。\n{each}：92号汽油<7.55-7.65>元/升，95号汽油<8.05-8.15>元/升，0号柴油<7.15-7.25>元/升。\n以上数据由本网整理。"
CITY = "青川市{}月{}日二十四时起调整油价：92号汽油每升{}元，95号汽油每升{}元，98号汽油每升{}元，0号柴油每升{}元。"
FRIDAY = CITY.format(11, 6, 7.56, 8.04, 9.04, 7.22)


def is_one_story(text: str, other: str) -> bool:
    """Whether they are, under one title."""
    found = relate(article(text), article(other), name="x")
    return found is not None and found.verdict is Verdict.NEAR_DUPLICATE


@pytest.mark.parametrize(("language", "form"), [*DAILY, pytest.param("zh", CLOSE, id="close")])
def test_the_lists_of_different_days_are_different_texts(language: str, form: str) -> None:
    by = writer(5, language)
    days = [daily_list(by, form) for _ in range(12)]
    assert [(a, b) for n, a in enumerate(days) for b in days[:n] if relate(article(a), article(b), name="x")] == []


@pytest.mark.parametrize(("language", "form"), DAILY)
def test_a_list_that_is_passed_on_with_a_line_less_and_a_figure_corrected_is_the_same_list(language: str, form: str) -> None:
    by = writer(5, language)
    text = daily_list(by, form)
    lines = text.split("\n")
    del lines[random.Random(2).randrange(1, len(lines) - 1)]
    assert is_one_story(text, new_figures("\n".join(lines), by))
    assert is_one_story(text, repost(text, by))


def test_a_list_of_which_half_is_as_the_day_before_is_another_list() -> None:
    by = writer(5)
    form = WORDS["zh"]["daily"][0]
    old, new = (daily_list(by, form).split("\n") for _ in range(2))
    assert not is_one_story("\n".join(old), "\n".join(old[: len(old) // 2] + new[len(old) // 2 :]))


def test_few_prices_are_not_outvoted_by_the_grades_they_belong_to() -> None:
    assert is_form(FRIDAY, CITY.format(11, 20, 7.31, 7.78, 8.78, 6.95))
    assert not is_form(FRIDAY, FRIDAY.replace("青川市", "据报道，青川市").replace("9.04", "9.40"))


AUCTION = "青川市粮食局今日以网上竞价方式卖出{}万吨储备稻谷，成交均价为每吨2750元，起拍价与前一次持平。今日另有{}万吨竞价粮出库。"
MEASURED = "The {} index of the Northridge exchange {} to {} points on Tuesday, its secretary said, and {} of its members gained."


@pytest.mark.parametrize(
    ("form", "days"),
    [(AUCTION, [(120, 80), (60, 95), (45, 30)]), (MEASURED, [("grain", "rose", 811, 24), ("grain", "rose", 775, 31)])],
)
def test_a_flash_of_another_day_differs_in_two_figures(form: str, days: list[tuple[object, ...]]) -> None:
    flashes = [form.format(*day) for day in days]
    assert all(is_form(a, b) for n, a in enumerate(flashes) for b in flashes[:n])
    assert not is_one_story(flashes[0], flashes[1])


def test_a_flash_that_is_passed_on_or_put_right_is_the_same() -> None:
    flash = AUCTION.format(120, 80)
    assert is_one_story(flash, AUCTION.format(120, 90))
    assert is_one_story(f"【青川通讯社11月6日电】{flash}", f"【青川通讯社12月7日电】{flash}（编辑：方一）")


def test_two_figures_that_were_corrected_make_no_form_of_a_report() -> None:
    report = "{}\n" + story(4, sentences=12) + "\n{}"
    assert not is_form(report.format("入库稻谷8吨。", "出库稻谷4吨。"), report.format("入库稻谷9吨。", "出库稻谷5吨。"))


@pytest.mark.parametrize("stamp", ["2026年{:02}月{:02}日 {:02}:{:02}", "{}月{}日{:02}:{:02}更新", "2026-{:02}-{:02} {:02}:{:02}"])
def test_the_times_of_their_pages_make_no_form_of_two_copies(stamp: str) -> None:
    text = WITHOUT_FIGURES.sub("若干", story(4, sentences=3))
    one, other = (f"{stamp.format(*moment)}\n{text}" for moment in ((5, 12, 9, 41), (6, 13, 15, 6)))
    assert not is_form(one, other)
    assert is_one_story(one, other)


def test_a_date_that_was_corrected_throughout_is_one_correction() -> None:
    text = "".join(f"{place}试验田于11月6日完成测试。" for place in writer().words["place"][:12])
    assert not is_form(text, text.replace("11月6日", "12月7日"))


def test_lines_that_no_letter_tells_apart_are_compared_in_their_order() -> None:
    line = "最高气温{}摄氏度，最低气温{}摄氏度，相对湿度百分之{}。"
    old, new = ("".join(line.format(n * high % 41, n + 1, n * high % 37) for n in range(12)) for high in (14, 16))
    assert is_form(old, new)
    assert not is_form(old, old)


def test_the_same_list_in_another_order_cut_or_put_right_is_the_same() -> None:
    text = daily_list(writer(5), WORDS["zh"]["daily"][0])
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


@pytest.mark.parametrize("rate", [0.2, 0.3])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_story_without_figures_is_reworded_where_all_of_it_goes_together(rate: float, language: str) -> None:
    text = WITHOUT_FIGURES.sub("若干" if language == "zh" else "several", story(2, sentences=40, language=language))
    copy = edit_words(rate)(text, writer(8, language))
    assert compare(text, copy).jaccard < 0.5
    assert is_reworded(text, copy, same_title=False)
    assert is_reworded(copy, text, same_title=False)


def test_a_story_without_figures_that_goes_on_otherwise_is_reworded_under_its_title_only() -> None:
    text = WITHOUT_FIGURES.sub("若干", story(2, sentences=40))
    longer = f"{edit_words(0.2)(text, writer(8))}\n{story(3, sentences=8)}"
    assert not is_reworded(text, longer, same_title=False)
    assert is_reworded(text, longer, same_title=True)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_story_that_was_reworded_and_cut_is_reworded(language: str) -> None:
    text = story(2, sentences=40, language=language)
    cut = edit_words(0.2)(text[: len(text) * 13 // 20], writer(8, language))
    assert compare(text, cut).containment < 0.6
    assert is_reworded(text, cut, same_title=True)
    assert is_reworded(cut, text, same_title=True)


def test_of_two_stories_that_were_reworded_and_printed_as_one_neither_is_it() -> None:
    one, other = story(1, sentences=20), story(2, sentences=20)
    both = edit_words(0.2)(f"{one}\n{other}", writer(8))
    assert not is_reworded(one, both, same_title=True)
    assert not is_reworded(both, other, same_title=True)


def test_a_common_notice_in_one_piece_is_no_rewording() -> None:
    notice = story(9, sentences=15)
    one, other = f"{story(1, sentences=12)}\n{notice}", f"{story(2, sentences=12)}\n{notice}"
    assert compare(one, other).jaccard > 0.25
    assert not is_reworded(one, other, same_title=True)


def test_different_stories_under_one_title_are_no_rewording() -> None:
    assert not is_reworded(story(1), story(2), same_title=True)
