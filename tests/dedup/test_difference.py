from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.dedup_corpus import edit_sentences
from pipelines.dedup.difference import FIRST_GAP, FREE_REVISIONS, Change, Past, classify, is_volatile, is_worse, unified
from tests.dedup.made import article, story, writer

TEXT = story(1)
START = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)


def past(*digests: str, every: timedelta = timedelta(days=1)) -> list[Past]:
    return [Past(digest=digest, seen=START + n * every) for n, digest in enumerate(digests)]


def test_what_is_equal_byte_for_byte_has_no_class() -> None:
    assert classify(article(TEXT), article(TEXT)) is None


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (article(TEXT.replace("，", ",")), Change.TYPOGRAPHIC),
        (article(TEXT.replace("\n", "\n\n")), Change.TYPOGRAPHIC),
        (article(TEXT, title="青川一处试验田换装新型传感器！"), Change.TYPOGRAPHIC),
        (article(TEXT, title="青川试验田出了问题"), Change.HEADLINE),
        (article(TEXT.replace("，", ","), title="青川试验田出了问题"), Change.HEADLINE),
        (article(TEXT + "\n更正：数字有误。"), Change.BODY_SMALL),
        (article(edit_sentences(0.5)(TEXT, writer(3))), Change.BODY_LARGE),
        (article(story(2)), Change.BODY_LARGE),
        (article(""), Change.BODY_LARGE),
    ],
)
def test_the_class_is_that_of_the_greatest_change(new: object, change: Change) -> None:
    assert classify(article(TEXT), new) is change  # type: ignore[arg-type]


def test_a_body_that_changed_with_its_headline_is_a_change_of_the_body() -> None:
    assert classify(article(TEXT), article(TEXT + "\n又讯。", title="另一个标题")) is Change.BODY_SMALL


@pytest.mark.parametrize(
    ("text", "confidence", "flags", "worse"),
    [
        (TEXT, 1.0, (), False),
        (TEXT[: len(TEXT) // 3], 1.0, (), False),
        (TEXT[: len(TEXT) // 3], 0.6, (), True),
        (TEXT[: len(TEXT) * 3 // 4], 0.6, (), False),
        (story(2), 0.6, (), True),
        (story(2), 1.0, (), False),
        (TEXT, 1.0, ("partial",), True),
        (TEXT + "又及", 1.0, ("replacement_characters",), True),
        (TEXT + "又及", 1.0, ("no_date", "short"), False),
        ("", 1.0, (), True),
        ("……", 1.0, (), True),
    ],
)
def test_a_copy_is_worse_when_less_was_received_of_it(text: str, confidence: float, flags: tuple[str, ...], worse: bool) -> None:
    assert is_worse(article(text, confidence=confidence, flags=flags), than=article(TEXT)) is worse


def test_damage_that_was_there_before_makes_no_copy_worse() -> None:
    damaged = article(TEXT, flags=("partial",))
    assert not is_worse(article(TEXT + "又及", flags=("partial",)), than=damaged)


def test_a_better_copy_is_never_worse() -> None:
    assert not is_worse(article(TEXT), than=article(TEXT[:100], confidence=0.4))
    assert not is_worse(article(""), than=article(""))


@pytest.mark.parametrize(
    ("history", "new", "volatile"),
    [
        ((), "a", False),
        (("a",), "b", False),
        (("a", "b"), "a", False),
        (("a", "b"), "c", False),
        (("a", "b", "a"), "b", True),
        (("a", "b", "a"), "c", False),
        (("a", "b", "c"), "a", False),
        (("a", "b", "c", "a"), "b", True),
        (("a", "b", "c", "b"), "c", True),
    ],
)
def test_a_page_may_return_to_a_text_once_and_not_go_round(history: tuple[str, ...], new: str, volatile: bool) -> None:
    assert is_volatile(past(*history), new) is volatile


def test_a_page_that_is_another_at_every_visit_gets_fewer_and_fewer_versions() -> None:
    history: list[Past] = []
    for hour in range(24 * 365):
        now = START + timedelta(hours=hour)
        if not is_volatile(history, f"text of hour {hour}", now):
            history.append(Past(digest=f"text of hour {hour}", seen=now))
    assert FREE_REVISIONS < len(history) <= 19


def test_a_page_that_settles_is_caught_up_with() -> None:
    history = past(*"abcdefgh", every=timedelta(minutes=5))
    last = history[-1].seen
    assert is_volatile(history, "final", last + FIRST_GAP)
    assert not is_volatile(history, "final", last + FIRST_GAP * 4)


def test_without_a_time_only_alternation_is_seen() -> None:
    assert not is_volatile(past(*(str(n) for n in range(50)), every=timedelta(seconds=1)), "new")


def test_a_hundred_versions_ask_for_a_time_that_can_be_told() -> None:
    assert is_volatile(past(*(str(n) for n in range(100))), "new", START + timedelta(days=200))


def test_the_diff_goes_sentence_by_sentence() -> None:
    old = article("第一句没变。第二句写错了。\n第二段也没变。", title="旧题")
    new = article("第一句没变。第二句改对了！\n第二段也没变。", title="新题")
    lines = list(unified(old, new, old_name="revision 1", new_name="revision 2"))
    assert lines[:2] == ["--- revision 1", "+++ revision 2"]
    assert [line for line in lines[2:] if line[0] in "+-"] == ["-旧题", "+新题", "-第二句写错了。", "+第二句改对了！"]
    assert " 第一句没变。" in lines
    assert not any("\n" in line for line in lines)


def test_a_diff_of_equals_is_empty_and_of_english_goes_by_sentence_too() -> None:
    assert list(unified(article(TEXT), article(TEXT))) == []
    old, new = article("One stays. Two goes, at 3.5 percent."), article("One stays. Two went, at 3.5 percent.")
    assert "-Two goes, at 3.5 percent." in list(unified(old, new))
