from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.dedup import fingerprint
from pipelines.dedup.fingerprint import fingerprints, normalise, sequence, shingles, size, text_digest, verbatim_digest
from tests.dedup.made import story

TEXT = st.text(max_size=60) | st.text(alphabet="中國国发發髮，。 aAＡ9９\u0301\u1100\u1161\ufb01½", max_size=60)


def shared(one: str, other: str) -> int:
    return len(np.intersect1d(fingerprints(one), fingerprints(other)))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("中国科技", "中国科技"),
        ("中國科技", "中国科技"),
        ("頭髮與發展", "头发与发展"),
        ("後裏裡", "后里里"),
        ("着名的記者", "著名的记者"),
        ("ＡＢＣ　１２３", "abc123"),
        ("5G 网络，“很快”！", "5g网络很快"),
        ("line\r\n\tbreak\u200b\u00ad", "linebreak"),
        ("ﬁve ㈱ ⑩ ½", "five株1012"),
        ("e\u0301t\u0301 Été", "étété"),
        ("Straße ΣΊΣΥΦΟΣ", "straßeσίσυφοσ"),
        ("ﾊﾟｿｺﾝ", "パソコン"),
        ("葛\U000e0100城", "葛城"),
        ("……——、", ""),
        ("", ""),
        ("\ud800x", "x"),
    ],
)
def test_the_normal_form_keeps_letters_and_numbers_in_one_script_width_and_case(text: str, form: str) -> None:
    assert normalise(text) == form


@pytest.mark.parametrize(("one", "other"), [("已", "己"), ("未", "末"), ("科技", "科学"), ("1.2", "1.3"), ("café", "cafe")])
def test_what_means_something_else_stays_apart(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(TEXT)
@settings(deadline=None, max_examples=300)
@example("\u1100。\u1161")
@example("゛か\u3099")
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(TEXT)
@settings(deadline=None, max_examples=300)
@example("\uffa1\uffc2")
@example("가\u11a8")
def test_the_short_way_by_the_table_agrees_with_nfkc(text: str) -> None:
    assert normalise(text) == normalise(unicodedata.normalize("NFKC", text))


@given(TEXT)
@settings(deadline=None, max_examples=100)
def test_nothing_raises_on_any_text(text: str) -> None:
    assert len(fingerprints(text)) <= len(sequence(text))
    assert set(fingerprints(text).tolist()) <= set(shingles(text).tolist())
    assert (len(shingles(text)) == 0) == (normalise(text) == "")


def test_digest_of_the_form_is_equal_for_copies_and_of_the_letter_is_not() -> None:
    assert text_digest("中國，科技") == text_digest("中国科技 ")
    assert text_digest("中国科技") != text_digest("中国科学")
    assert verbatim_digest("题", "中国，科技") != verbatim_digest("题", "中国科技")
    assert verbatim_digest("题", "文") != verbatim_digest("题目", "文")
    assert len(text_digest("")) == len(verbatim_digest("", "\ud800")) == 64


def test_values_are_the_same_on_every_machine_until_the_version_changes() -> None:
    """Stored rows hold these numbers: who changes one of them changes VERSION."""
    assert fingerprint.VERSION == "1"
    assert text_digest("中國ＴＥＣＨ") == "8caf78bb957b8bee1212912d973e67c795e64055f6d89f6821d647211a104a27"
    assert shingles("中国科技新闻").tolist() == [2181575045149286731, 15447311834580347538]
    assert shingles("news of the day").tolist() == [3408792941384825493, 7714861357908375757]
    assert fingerprints("一二三四五六七八九十" * 3).tolist() == [90416545783714596, 564763760524649988]


def test_fingerprints_are_few_sorted_and_without_repetition() -> None:
    marks = fingerprints(story(1, sentences=40))
    assert marks.dtype == np.uint64
    assert (np.diff(marks.astype(object)) > 0).all()
    assert len(marks) == pytest.approx(size(story(1, sentences=40)), rel=0.25)
    assert size(story(1, sentences=40)) == pytest.approx(len(sequence(story(1, sentences=40))) * 2 / 41, abs=1)


def test_copies_in_another_script_width_or_flow_have_the_same_fingerprints() -> None:
    text = "本周一，東港的網絡平臺發布了新規則，涉及12萬臺設備。" * 3
    copy = "本周一, 东港的网络平台\n发布了新规则， 涉及１２万台设备。" * 3
    assert (fingerprints(text) == fingerprints(copy)).all()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_different_stories_share_next_to_nothing(language: str) -> None:
    assert shared(story(1, language=language), story(2, language=language)) <= 3


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_common_passage_of_a_window_and_a_shingle_is_always_seen(language: str) -> None:
    passage = story(9, sentences=6, language=language)
    for seed in range(12):
        around = f"{story(seed + 20, language=language)}\n{passage}\n{story(seed + 50, language=language)}"
        assert shared(passage, around) >= 2


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_short_text_is_read_closer_and_still_found_inside_a_long_one(language: str) -> None:
    short, long = story(1, sentences=5, language=language), story(2, sentences=60, language=language)
    assert len(fingerprints(short)) > 2 * size(short)
    assert shared(short, f"{long}\n{short}\n{long}") >= size(short) // 2


def test_words_make_the_shingles_of_spaced_scripts_and_characters_those_of_others() -> None:
    assert len(sequence("one two three four five")) == 3
    assert len(sequence("Один два три четыре")) == 2
    assert len(sequence("一二三四五六七")) == 3
    assert len(sequence("使用 Android 手机的用户 x")) == len(normalise("使用 Android 手机的用户 x")) - 4


def test_order_of_words_and_letters_within_them_counts() -> None:
    assert len(np.intersect1d(shingles("alpha beta gamma"), shingles("alpha gamma beta"))) == 0
    assert len(np.intersect1d(shingles("on the dog"), shingles("no the god"))) == 0


@pytest.mark.parametrize("text", ["中", "word", "two words", "中文字"])
def test_a_text_shorter_than_a_shingle_is_one(text: str) -> None:
    assert len(shingles(text)) == len(fingerprints(text)) == 1
    assert shingles(text).tolist() != shingles(text + text).tolist()


def test_a_word_of_any_length_has_a_hash() -> None:
    assert len(shingles("a" * 1_000 + " b c d")) == 2
    assert shingles("a" * 1_000).tolist() != shingles("a" * 1_001).tolist()


def test_what_is_remembered_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        shingles("一二三四五六七")[0] = 0


def test_every_line_of_the_table_folds_into_something_that_counts() -> None:
    lines = Path(fingerprint.__file__).with_name("fold.txt").read_text("utf-8").split("@fold\n")[1].splitlines()
    assert len(lines) > 4_000
    assert len({char for line in lines for char in line[1:]}) == sum(len(line) - 1 for line in lines), "one line for each"
    assert all(normalise(char) == line[0] for line in lines for char in line)


def test_of_long_texts_only_the_last_few_are_remembered() -> None:
    fingerprint._shingles.cache_clear()
    for number in range(10):
        assert len(fingerprint.shingles(f"{number}" + "长文" * fingerprint._LONG)) > 0
    assert fingerprint._shingles.cache_info().currsize == 0
    assert fingerprint._many_shingles.cache_info().currsize == 4
