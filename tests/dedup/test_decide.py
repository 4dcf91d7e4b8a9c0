from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.dedup_corpus import VARIANTS, digest_of, edit_sentences, quote_whole, repost, template, to_traditional, with_notice
from pipelines.dedup import Candidate, Past, decide, relate
from pipelines.dedup.fingerprint import verbatim_digest
from pipelines.model import Decision, Relation, Status, Verdict
from tests.dedup.made import article, candidate, story, writer

TEXT = story(1)
NOW = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)


def verdict(text: str, *candidates: Candidate) -> Verdict:
    return decide(article(text), candidates).verdict


def test_a_text_that_nothing_resembles_is_new() -> None:
    assert decide(article(TEXT), []) == Decision(verdict=Verdict.NEW)
    assert verdict(TEXT, candidate(story(2)), candidate(story(3), "b")) is Verdict.NEW


def test_the_same_url_with_equal_bytes_is_unchanged() -> None:
    assert decide(article(TEXT), [candidate(TEXT, same_url=True)]) == Decision(verdict=Verdict.UNCHANGED, other="a", similarity=1.0)


@pytest.mark.parametrize(
    ("text", "title", "change"),
    [
        (TEXT.replace("，", ", "), None, "typographic"),
        (TEXT, "青川试验田停用传感器", "headline"),
        (TEXT + "\n记者后来得知，此事已经解决。", None, "body_small"),
        (story(2), None, "body_large"),
    ],
)
def test_the_same_url_with_other_bytes_is_a_revision_with_its_class(text: str, title: str | None, change: str) -> None:
    new = article(text, title=title) if title else article(text)
    found = decide(new, [candidate(TEXT, same_url=True)])
    assert (found.verdict, found.other, found.change) == (Verdict.REVISION, "a", change)


@pytest.mark.parametrize("text", [TEXT, TEXT + "\n补充一句。"])
def test_what_comes_back_after_it_was_withdrawn_is_restored(text: str) -> None:
    found = decide(article(text), [candidate(TEXT, same_url=True, status=Status.WITHDRAWN)])
    assert (found.verdict, found.change) == (Verdict.REVISION, "restored")


def test_a_torn_copy_does_not_bring_a_withdrawn_article_back() -> None:
    torn = article(TEXT[:100], confidence=0.3)
    assert decide(torn, [candidate(TEXT, same_url=True, status=Status.WITHDRAWN)]).change == "worse_copy"


@pytest.mark.parametrize(
    "copy",
    [
        article(TEXT[:100], confidence=0.5),
        article("请完成下列验证后继续访问本网站的全部内容。", confidence=0.4),
        article(TEXT[:-5], flags=("partial",)),
    ],
)
def test_a_worse_copy_never_replaces_a_better_one(copy: object) -> None:
    found = decide(copy, [candidate(TEXT, same_url=True)])  # type: ignore[arg-type]
    assert (found.verdict, found.change) == (Verdict.UNCHANGED, "worse_copy")


def test_a_better_copy_replaces_a_worse_one() -> None:
    found = decide(article(TEXT), [candidate(TEXT[:100], same_url=True, confidence=0.3)])
    assert (found.verdict, found.change) == (Verdict.REVISION, "body_large")


def test_a_page_that_goes_round_makes_no_endless_revisions() -> None:
    title = article(TEXT).title
    one, other = (verbatim_digest(title, text) for text in (TEXT, TEXT + "甲"))
    history = tuple(Past(digest=digest, seen=NOW) for digest in (one, other, one))
    found = decide(article(TEXT + "甲"), [candidate(TEXT, same_url=True, revision=3, history=history)])
    assert (found.verdict, found.change) == (Verdict.UNCHANGED, "volatile")


def test_a_page_that_counts_its_visitors_is_held_back_by_the_time_of_the_fetch() -> None:
    history = tuple(Past(digest=str(n), seen=NOW + timedelta(minutes=n)) for n in range(8))
    own = candidate(TEXT, same_url=True, revision=8, history=history)
    assert decide(article(TEXT + "9"), [own], now=NOW + timedelta(minutes=9)).change == "volatile"
    assert decide(article(TEXT + "9"), [own], now=NOW + timedelta(days=9)).verdict is Verdict.REVISION
    assert decide(article(TEXT + "9"), [own]).verdict is Verdict.REVISION


def test_a_revision_is_held_against_other_urls_too() -> None:
    found = decide(article(story(2)), [candidate(TEXT, "own", same_url=True), candidate(story(2), "other"), candidate(story(3), "none")])
    assert found.verdict is Verdict.REVISION
    assert found.relations == (Relation(other="other", verdict=Verdict.DUPLICATE, similarity=1.0),)


@pytest.mark.parametrize("copy", [TEXT, to_traditional(TEXT), TEXT.replace("\n", "\u3000\u3000"), TEXT.replace("，", ",")])
def test_another_url_with_the_same_words_is_a_duplicate(copy: str) -> None:
    assert decide(article(copy, title="别的题目"), [candidate(TEXT)]).verdict is Verdict.DUPLICATE


@pytest.mark.parametrize("kind", [kind for kind in VARIANTS if not kind.startswith(("cut to 30", "cut to 50", "words 30"))])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_copy_with_any_kind_of_change_joins_the_story(kind: str, language: str) -> None:
    text = story(5, sentences=25, language=language)
    found = decide(article(VARIANTS[kind](text, writer(6, language)), title="别的题目"), [candidate(text)])
    assert found.verdict in (Verdict.DUPLICATE, Verdict.NEAR_DUPLICATE)
    assert found.relations[0].joins


def test_a_quoted_text_is_contained_in_either_direction_and_joins_nothing() -> None:
    host = quote_whole([TEXT, story(2)], writer(7))
    inside, around = relate(article(TEXT), article(host), name="x"), relate(article(host), article(TEXT), name="x")
    assert inside is not None
    assert around is not None
    assert (inside.verdict, inside.inside, inside.joins) == (Verdict.CONTAINED, True, False)
    assert (around.verdict, around.inside, around.similarity) == (Verdict.CONTAINED, False, inside.similarity)


def test_a_digest_of_five_is_related_to_all_and_one_story_with_none() -> None:
    stories = [story(n, sentences=12) for n in range(5)]
    found = decide(article(digest_of(stories, writer(9))), [candidate(text, str(n)) for n, text in enumerate(stories)])
    assert [relation.verdict for relation in found.relations] == [Verdict.CONTAINED] * 5
    assert not any(relation.joins for relation in found.relations)


def test_a_text_cut_short_is_contained_in_the_whole() -> None:
    found = decide(article(TEXT[: len(TEXT) * 3 // 10]), [candidate(TEXT)])
    assert (found.verdict, found.relations[0].inside) == (Verdict.CONTAINED, True)


def test_the_best_relation_decides_and_all_are_kept() -> None:
    near = candidate(edit_sentences(0.2)(TEXT, writer(3)), "near")
    found = decide(article(TEXT), [candidate(quote_whole([TEXT, story(4)], writer(2)), "host"), near, candidate(TEXT, "same")])
    assert (found.verdict, found.other) == (Verdict.DUPLICATE, "same")
    assert [relation.other for relation in found.relations] == ["same", "near", "host"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_form_filled_in_anew_is_new(language: str) -> None:
    by = writer(4, language)
    forms = [template(by) for _ in range(30)]
    for n, form in enumerate(forms):
        assert verdict(form, *(candidate(other, str(i)) for i, other in enumerate(forms[:n]))) is Verdict.NEW


def test_texts_that_only_share_a_notice_are_new() -> None:
    notice = story(30, sentences=6)
    texts = [with_notice(writer(n), notice, 0.45) for n in range(8)]
    for n, text in enumerate(texts):
        assert verdict(text, *(candidate(other, str(i)) for i, other in enumerate(texts[:n]))) is Verdict.NEW


def test_a_few_words_are_a_duplicate_only_under_the_same_title() -> None:
    few = "详情请看视频。"
    assert verdict(few, candidate(few)) is Verdict.DUPLICATE
    assert verdict(few, candidate(few, title="另一个视频")) is Verdict.NEW
    assert verdict(few, candidate(few + TEXT)) is Verdict.NEW
    assert relate(article(few, title=""), article(few, title="……"), name="x") is None, "no title is not the same title"


def test_texts_without_letters_are_related_to_nothing() -> None:
    assert verdict("……", candidate("……")) is Verdict.NEW


@given(st.permutations(range(5)))
@settings(deadline=None, max_examples=30)
def test_the_order_of_candidates_does_not_matter(order: list[int]) -> None:
    candidates = [
        candidate(TEXT, "b"),
        candidate(TEXT, "a"),
        candidate(repost(TEXT, writer(2)), "c"),
        candidate(story(3), "d"),
        candidate(TEXT + "旧", "own", same_url=True),
    ]
    assert decide(article(TEXT), [candidates[n] for n in order]) == decide(article(TEXT), candidates)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["sentences 30 %", "words 20 %", "cut to 30 %", "repost", "mixed"])
def test_a_pair_is_the_same_from_either_side(kind: str, seed: int) -> None:
    one, other = article(TEXT), article(VARIANTS[kind](TEXT, writer(seed)), title="另一个题目")
    there, back = relate(one, other, name="x"), relate(other, one, name="x")
    assert there is not None
    assert back is not None
    assert (there.verdict, there.similarity) == (back.verdict, back.similarity)
    assert there.inside is None if back.inside is None else there.inside is not back.inside
