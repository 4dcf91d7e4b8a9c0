"""Who wrote and who edited, by the forms in which Chinese pages print it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extract import names

BYLINES = [
    ("本报记者 林小雨 周 舟", ("林小雨", "周舟")),
    ("作者：林小雨", ("林小雨",)),
    ("作者 林小雨 周大暑", ("林小雨", "周大暑")),
    ("作者：林小雨 周大暑", ("林小雨", "周大暑")),
    ("【文/河岸网专栏作者 林小雨】", ("林小雨",)),
    ("执笔/雨叨叨、周一刀&李飞刀", ("雨叨叨", "周一刀", "李飞刀")),
    ("河岸社记者林小雨、周大暑、李白露", ("林小雨", "周大暑", "李白露")),
    ("河岸报·河岸网记者 林小雨 来源：河岸日报", ("林小雨",)),
    ("2026-03-01 12:11来源：河岸日报作者：林小雨", ("林小雨",)),
    ("林小雨/河岸日报", ("林小雨",)),
    ("文/林小雨 图/周大暑", ("林小雨",)),
    ("作者：阿依古丽·买买提", ("阿依古丽·买买提",)),
    ("作者｜林小雨 编辑｜王小满 头图｜河岸图库", ("林小雨",)),
    ("作者：文/林小雨  图/周大暑", ("林小雨",)),
    ("作者：林小雨 点击：123", ("林小雨",)),
    ("作者 林小雨 · 发布于", ("林小雨",)),
    ("【作者：林小雨】【阅读：123】", ("林小雨",)),
    ("【记者】林小雨", ("林小雨",)),
    ("（来源：河岸发布 记者 林小雨 编辑 王小满）", ("林小雨",)),
    ("文/图 林小雨 通讯员 周大暑", ("林小雨", "周大暑")),
    ("本报记者林小雨文并摄", ("林小雨",)),
    ("本报记者 林小雨 《 河岸日报 》（05 版）", ("林小雨",)),
    ("撰稿：林小雨　摄影：周大暑　一审：王小满", ("林小雨",)),
    ("作者： 林小雨责任编辑：王小满", ("林小雨",)),
    ("每河记者 林小雨   每河编辑 王小满", ("林小雨",)),
    ("河岸時報／記者林小雨／台北即時報導", ("林小雨",)),
    ("注：文/林小雨，文章来源：河岸观察", ("林小雨",)),
    ("优质创作者 关注", ()),
    ("来源：河岸日报 作者：林小雨 我要评论(12)", ("林小雨",)),
    ("河岸报记者 林小雨 摄影 周大暑", ("林小雨",)),
    ("记者推荐", ()),
    ("作者最新文章", ()),
    ("作者：admin 点击：123", ()),
    ("记者手记", ()),
    ("作者：河岸日报", ()),
    ("责任编辑：王小满", ()),
    ("作者：admin", ()),
    ("记者从镇公所获悉，样机下水。", ()),
    ("来源：河岸日报", ()),
    ("", ()),
]


@pytest.mark.parametrize(("text", "expected"), BYLINES, ids=[text for text, _ in BYLINES])
def test_a_byline_names_its_authors(text: str, expected: tuple[str, ...]) -> None:
    assert names.byline(text) == expected


EDITORS = [
    ("（责任编辑：王小满）", ("王小满",)),
    ("(责编：王小满、李谷雨)", ("王小满", "李谷雨")),
    ("编辑：王小满 责任编辑：李谷雨", ("王小满", "李谷雨")),
    ("编辑 王小满 ｜ 排版 李谷雨", ("王小满", "李谷雨")),
    ("来源：河岸日报 编辑：王小满", ("王小满",)),
    ("本文来源：河岸日报责任编辑：王小满_NN7379", ("王小满",)),
    ("責任編輯：陳小滿", ("陳小滿",)),
    ("编辑：王 满", ("王满",)),
    ("(责任编辑：HN666)", ()),
    ("作者：林小雨", ()),
    ("编辑部的灯亮着", ()),
]


@pytest.mark.parametrize(("text", "expected"), EDITORS, ids=[text for text, _ in EDITORS])
def test_editors_stand_behind_their_role(text: str, expected: tuple[str, ...]) -> None:
    assert names.editors(text) == expected


DATELINES = [
    ("河岸社河岸3月1日电（记者林小雨）春分那天", ("林小雨",)),
    ("河岸社河岸3月1日电（林小雨、周大暑）春分那天", ("林小雨", "周大暑")),
    ("河岸日报讯（记者 林小雨 周大暑）春分那天", ("林小雨", "周大暑")),
    ("本报讯 （实习记者 林小雨 记者周大暑）春分那天", ("林小雨", "周大暑")),
    ("河岸網3月1日訊（記者陳小滿）春分那天", ("陳小滿",)),
    ("（河岸社記者林小雨台北22日電）春分那天", ("林小雨",)),
    ("〔記者林小雨／台北報導〕春分那天", ("林小雨",)),
    ("河岸报3月1日报道（文/林小雨）春分那天", ("林小雨",)),
    ("小雨（化名）今年七岁，住在河边。", ()),
    ("河岸水利公司（以下简称公司）今天说", ()),
    ("春分那天，小镇把样机放进水里。", ()),
]


@pytest.mark.parametrize(("text", "expected"), DATELINES, ids=[text for text, _ in DATELINES])
def test_reporters_stand_in_the_dateline(text: str, expected: tuple[str, ...]) -> None:
    assert names.dateline(text) == expected


SIGNATURES = [
    ("老得有多快。（林小雨）", ("林小雨",)),
    ("老得有多快。(林小雨 周大暑 )", ("林小雨", "周大暑")),
    ("老得有多快。（记者 林小雨）", ("林小雨",)),
    ("（总台河岸记者 林小雨 周大暑）", ("林小雨", "周大暑")),
    ("（作者：林小雨，系某大学水利学院副教授）", ("林小雨",)),
    ("（本报河岸3月1日电 记者 林小雨）", ("林小雨",)),
    ("作者简介：林小雨，某大学副教授，著有《河》。", ("林小雨",)),
    ("老得有多快。（陳小滿）", ("陳小滿",)),
    ("老得有多快。（完）", ()),
    ("老得有多快。（见表）", ()),
    ("老得有多快。（资料来源：河岸日报）", ()),
    ("老得有多快。（河岸水利局）", ()),
    ("老得有多快。", ()),
]


@pytest.mark.parametrize(("text", "expected"), SIGNATURES, ids=[text for text, _ in SIGNATURES])
def test_a_signature_stands_in_brackets_behind_the_end(text: str, expected: tuple[str, ...]) -> None:
    assert names.signature(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("林小雨", ("林小雨",)), ("林小雨 周舟", ("林小雨", "周舟")), ("管不住自己", ()), ("在河边", ()), ("河岸日报", ()), ("", ())],
)
def test_a_text_of_nothing_but_usual_names_is_their_list(text: str, expected: tuple[str, ...]) -> None:
    assert names.bare(text) == expected


@pytest.mark.parametrize("text", ["河岸日报", "河岸网", "编辑部", "本网", "原创", "佚名", "林小雨报社", "a", "123"])
def test_organisations_are_no_people(text: str) -> None:
    assert names.people(text) == ()


WORDS = (
    "记者",
    "作",
    "者",
    "實習",
    "記者",
    "撰文",
    "文",
    "编译",
    "执笔",
    "张三",
    "李四",
    "河岸日报",
    "来源：",
    "编辑：",
    "/",
    "：",
    " ",
    "，",
    "（",
)


@given(st.lists(st.sampled_from(WORDS), max_size=8).map("".join))
@settings(deadline=None, max_examples=300)
def test_nobody_wrote_where_no_word_of_writing_stands(text: str) -> None:
    named = names.byline(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(names, "_WROTE", re.compile(""))
        assert names.byline(text) == named


@given(st.text(max_size=150))
@settings(deadline=None, max_examples=150)
def test_any_text_names_somebody_or_nobody(text: str) -> None:
    for found in (names.byline(text), names.editors(text), names.dateline(text), names.signature(text)):
        assert all(name == name.strip() and name for name in found)
        assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ann Miller is a staff writer.", True),
        ("Steph Bazin covers rivers.", True),
        ("Stone’s bridge is closed.", False),
        ("Mr. Stone is due in court.", False),
        ("Bob is late.", False),
        ("", False),
    ],
)
def test_a_text_begins_with_an_author_by_first_and_last_name(text: str, found: bool) -> None:
    assert names.begins_with(text, ("Ann Miller", "Stephanie Bazin", "Bob Stone", "Reuters")) is found
