"""The form in which lines are compared, and the lines of an article that are counted."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extract import extract, folding
from pipelines.model import Article
from tests.pages import folder


@given(st.text(alphabet="a A1，：；！？（）。「」ｅé\u0301\u0338\u3000ﬁ①編責㈱ 文", max_size=40))
@settings(deadline=None)
def test_folding_is_normalising_whatever_the_short_cut(text: str) -> None:
    assert folding.fold(text) == folding.simpler(unicodedata.normalize("NFKC", text).replace(" ", "").lower())


def test_folding_is_for_rules_and_keeps_no_spaces_or_width() -> None:
    assert folding.fold("　責任 編輯：ＡＢＣ") == "责任编辑:abc"


def test_simpler_keeps_every_place() -> None:
    assert len(folding.simpler("文章來源:中國電腦報")) == len("文章來源:中國電腦報")
    assert "来源" in folding.simpler("文章來源")


def test_no_line_is_remembered_that_could_fill_the_memory() -> None:
    folding._folded.cache_clear()
    assert folding.fold("长 Ｘ" * 1_000) == "长x" * 1_000
    assert folding._folded.cache_info().currsize == 0
    assert folding.fold("短 Ｘ") == "短x"
    assert folding._folded.cache_info().currsize == 1


def an_article(paragraphs: tuple[str, ...]) -> Article:
    loaded = folder.load(folder.ROOT / "web" / "plain")
    found = extract(loaded.capture, loaded.site)
    assert isinstance(found, Article)
    return replace(found, paragraphs=paragraphs)


def test_template_lines_are_those_at_both_ends_once_each() -> None:
    lines = folding.template_lines(an_article(tuple("甲乙丙丁戊己庚")))
    assert [line for _, line in lines] == list("甲乙丙戊己庚")
    assert len({digest for digest, _ in lines}) == 6
    assert [line for _, line in folding.template_lines(an_article(("甲", "甲")))] == ["甲"]


def test_a_line_has_one_digest_however_it_is_spaced() -> None:
    assert folding.line_digest("本报 讯：") == folding.line_digest("本报讯:")
