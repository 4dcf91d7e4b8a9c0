"""White space, forbidden characters and scripts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import text
from pipelines.text import Script

ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=200)
FORBIDDEN = [
    "\x00",
    "\x07",
    "\x1b",
    "\x7f",
    "\x9f",
    "\u200b",
    "\u200e",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\ufffd",
    "\ufffe",
    "\ud800",
    "\U000e0041",
]


@pytest.mark.parametrize("char", FORBIDDEN, ids=lambda char: f"U+{ord(char):04X}")
def test_forbidden_characters_are_taken_out(char: str) -> None:
    assert text.clean(f"潮{char}汐") == "潮汐"


@pytest.mark.parametrize("separator", ["\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_every_line_separator_becomes_a_line_feed(separator: str) -> None:
    assert text.clean(f"一{separator}二") == "一\n二"
    assert text.clean(f"a{separator}b") == "a\nb"


def test_tabs_and_line_feeds_stay() -> None:
    assert text.clean("一\t二\n三") == "一\t二\n三"


def test_text_comes_out_composed() -> None:
    assert text.clean("e\u0301") == "\xe9"


def test_a_line_has_single_spaces_and_none_at_its_ends() -> None:
    assert text.line("\u3000\u3000春分 \t那天\xa0 \n") == "春分 那天"


def test_a_line_break_between_chinese_characters_is_no_space() -> None:
    assert text.line("春分那天，\n    河岸") == "春分那天，河岸"
    assert text.line("“慢一点，\n”她说") == "“慢一点，”她说"


def test_a_line_break_between_words_is_a_space() -> None:
    assert text.line("a river\n  town") == "a river town"


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u3000", "\u200b", "\ufffd"])
def test_what_is_absent_is_none(nothing: str | None) -> None:
    assert text.presence(nothing) is None


def test_what_is_present_is_a_clean_line() -> None:
    assert text.presence(" 河岸\n日报 ") == "河岸日报"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("春分那天，河岸小镇的工程师们把样机放进水里。", Script.HAN),
        ("ひらがなとカタカナで書かれた文章です。", Script.HAN),
        ("A river town lowers its first tidal generator.", Script.SPACED),
        ("Речной город опустил генератор в воду.", Script.SPACED),
        ("강변 마을이 발전기를 물에 넣었다.", Script.SPACED),
        ("The engineers of 河岸 lowered a generator into the water on Sunday morning.", Script.SPACED),
        ("iPhone 与 Android 的更新同时推送", Script.HAN),
        ("", Script.SPACED),
        ("12345 。，", Script.SPACED),
    ],
)
def test_the_script_is_that_of_most_letters(written: str, expected: Script) -> None:
    assert text.script(written) is expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("春分那天，河岸小镇的工程师们把样机放进水里。", "zh"),
        ("河岸小鎮的工程師們把樣機放進水裡。", "zh"),
        ("川辺の町の技術者たちが試作機を水に入れた。", "ja"),
        ("강변 마을이 발전기를 물에 넣었다.", "ko"),
        ("A river town lowers its first tidal generator.", None),
        ("店名叫“のの”，门口挂着一块写满汉字的木板，老板每天都要擦一遍。", "zh"),
        ("", None),
    ],
)
def test_the_language_is_told_by_characters_or_not_at_all(written: str, expected: str | None) -> None:
    assert text.language(written) == expected


@given(ANY_TEXT)
@settings(deadline=None, max_examples=200)
def test_cleaning_twice_is_cleaning_once(any_text: str) -> None:
    once = text.clean(any_text)
    assert text.clean(once) == once
    assert text.line(text.line(any_text)) == text.line(any_text)


@given(ANY_TEXT)
@settings(deadline=None, max_examples=200)
def test_no_forbidden_character_survives_and_the_result_is_utf_8(any_text: str) -> None:
    cleaned = text.line(any_text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert not any(char in cleaned for char in FORBIDDEN)
    assert not any(unicodedata.category(char) == "Cc" for char in cleaned)
    assert "\n" not in cleaned


@given(ANY_TEXT)
@settings(deadline=None, max_examples=100)
def test_a_line_is_present_or_none(any_text: str) -> None:
    found = text.presence(any_text)
    assert found is None or (found == text.line(any_text) and found.strip() == found)


@given(st.text(alphabet="河岸\u9fff\ufaff・カナ\u3099한글abé 1½_，", max_size=60))
@settings(deadline=None, max_examples=300)
def test_a_script_tells_where_it_is_a_share_of_the_letters(any_text: str) -> None:
    han, kana, hangul, letters = (text.characters(one, any_text) for one in (text._HAN, text._KANA, text._HANGUL, text._LETTER))
    assert (text.script(any_text) is Script.HAN) is (letters > 0 and han + kana >= text.HAN_SHARE * letters)
    assert (text.language(any_text) is not None) is (letters > 0 and han + kana + hangul >= text.HAN_SHARE * letters)
