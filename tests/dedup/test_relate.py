from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.dedup_corpus import VARIANTS, digest_of, quote_whole, template, to_traditional, with_notice
from pipelines.dedup import relate
from pipelines.dedup.compare import compare
from pipelines.model import Relation, Verdict
from tests.dedup.made import article, story, writer

TEXT = story(1)


def related(text: str, other: str, *, title: str = "别的题目") -> Relation | None:
    return relate(article(text), article(other, title=title), name="other")


def verdict(text: str, other: str, *, title: str = "别的题目") -> Verdict | None:
    found = related(text, other, title=title)
    return found.verdict if found else None


def any_related(texts: Sequence[str]) -> bool:
    """Whether any two of some texts are, under one title."""
    return any(related(text, other, title=article(text).title) for n, text in enumerate(texts) for other in texts[:n])


def test_different_texts_are_unrelated() -> None:
    assert related(TEXT, story(2)) is None


def test_a_relation_names_the_other_article() -> None:
    assert related(TEXT, TEXT) == Relation(other="other", verdict=Verdict.DUPLICATE, similarity=1.0)


@pytest.mark.parametrize("copy", [TEXT, to_traditional(TEXT), TEXT.replace("\n", "\u3000\u3000"), TEXT.replace("，", ",")])
def test_the_same_words_are_a_duplicate_whatever_the_title(copy: str) -> None:
    assert verdict(TEXT, copy) is Verdict.DUPLICATE


@pytest.mark.parametrize("kind", [kind for kind in VARIANTS if not kind.startswith(("cut to 30", "cut to 50", "words 30"))])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_copy_with_any_kind_of_change_is_the_same_story(kind: str, language: str) -> None:
    text = story(5, sentences=25, language=language)
    found = related(text, VARIANTS[kind](text, writer(6, language)))
    assert found is not None
    assert found.verdict in (Verdict.DUPLICATE, Verdict.NEAR_DUPLICATE)
    assert found.joins


def test_what_two_short_reports_end_with_makes_no_story_of_them() -> None:
    """Seven tenths of the one and more than half of the other are the notice."""
    notice = story(9, sentences=12)
    one, other = f"{story(1, sentences=5)}\n{notice}", f"{story(2, sentences=9)}\n{notice}"
    assert 0.4 < compare(one, other).jaccard < 0.5
    for found in (related(one, other), related(other, one)):
        assert found is not None
        assert found.verdict is Verdict.CONTAINED


@pytest.mark.parametrize(("language", "share"), [("zh", 0.8), ("en", 0.7)])
def test_a_report_that_was_edited_all_over_and_cut_is_the_same_story(language: str, share: float) -> None:
    text = story(3, sentences=30, language=language)
    cut = VARIANTS["words 10 %"](text[: int(share * len(text))], writer(6, language))
    assert 0.4 < compare(text, cut).jaccard < 0.5
    assert verdict(text, cut) is verdict(cut, text) is Verdict.NEAR_DUPLICATE


def test_a_quoted_text_is_contained_in_either_direction_and_joins_nothing() -> None:
    host = quote_whole([TEXT, story(2)], writer(7))
    inside, around = related(TEXT, host), related(host, TEXT)
    assert inside is not None
    assert around is not None
    assert (inside.verdict, inside.inside, inside.joins) == (Verdict.CONTAINED, True, False)
    assert (around.verdict, around.inside, around.similarity) == (Verdict.CONTAINED, False, inside.similarity)


def test_a_digest_of_five_is_related_to_all_and_one_story_with_none() -> None:
    stories = [story(n, sentences=12) for n in range(5)]
    digest = digest_of(stories, writer(9))
    found = [related(digest, one) for one in stories]
    assert [relation.verdict if relation else None for relation in found] == [Verdict.CONTAINED] * 5
    assert not any(relation.joins for relation in found if relation)


def test_a_text_cut_short_is_contained_in_the_whole() -> None:
    found = related(TEXT[: len(TEXT) * 3 // 10], TEXT)
    assert found is not None
    assert (found.verdict, found.inside) == (Verdict.CONTAINED, True)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_form_filled_in_anew_is_another_text(language: str) -> None:
    by = writer(4, language)
    assert not any_related([template(by) for _ in range(30)])


def test_texts_that_only_share_a_notice_are_unrelated() -> None:
    notice = story(30, sentences=6)
    assert not any_related([with_notice(writer(n), notice, 0.45) for n in range(8)])


def test_a_few_words_are_a_duplicate_only_under_the_same_title() -> None:
    few = "详情请看视频。"
    assert verdict(few, few, title=article(few).title) is Verdict.DUPLICATE
    assert verdict(few, few, title="另一个视频") is None
    assert verdict(few, few + TEXT) is None
    assert relate(article(few, title=""), article(few, title="……"), name="x") is None, "no title is not the same title"


def test_texts_without_letters_are_related_to_nothing() -> None:
    assert related("……", "……") is None


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["sentences 30 %", "words 20 %", "cut to 30 %", "repost", "mixed"])
def test_a_pair_is_the_same_from_either_side(kind: str, seed: int) -> None:
    copy = VARIANTS[kind](TEXT, writer(seed))
    there, back = related(TEXT, copy), related(copy, TEXT)
    assert there is not None
    assert back is not None
    assert (there.verdict, there.similarity) == (back.verdict, back.similarity)
    assert there.inside is None if back.inside is None else there.inside is not back.inside
