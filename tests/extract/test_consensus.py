"""The agreement of readers, and how their lines become an article."""

from __future__ import annotations

import pytest
from lxml import html

from pipelines.extract import blocks, consensus, generic, page
from pipelines.extract.assembly import assemble
from pipelines.extract.consensus import Consensus
from pipelines.text import Script

P = [
    "春分那天，河岸小镇的工程师们把第一台潮汐发电样机放进水里，岸上站满了拿着热水瓶的老人和逃了半节课的孩子。",
    "样机的外壳用回收的渔船木料制成，内部的传感器每隔十秒记录一次水温、流速和电压，数据当晚就公布在镇图书馆的屏幕上。",
    "图书馆的志愿者把这些数字抄成一张长表，贴在借书处旁边；有人发现凌晨四点的流速总比预报快一点，原因至今没有定论。",
    "镇上的面馆老板提出用多余的电力蒸馒头，这个建议被认真地写进了会议纪要，并附上一份手绘的线路草图。",
]
E = [
    "On the morning of the equinox the engineers of a small river town lowered their first tidal generator into the water.",
    "Inside, a sensor writes down temperature, speed and voltage every ten seconds, and the library shows the figures at night.",
    '"We are in no hurry to talk about scale," the head of the project said. "Let it turn through one rainy season first."',
    "Volunteers have copied the numbers into a long table beside the lending desk, where somebody found a riddle in them.",
]
LINKS = "<ul>" + "".join(f"<li><a href=/{number}>昨日旧闻第{number}条</a></li>" for number in range(12)) + "</ul>"


def paragraphs(texts: list[str]) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def agreed(body: str, title: str | None = None, summary: str | None = None) -> Consensus:
    found = page.parse(f"<html><head><title>题</title></head><body>{body}</body></html>", "")
    assert found is not None
    return consensus.consensus(found.root, blocks.read(found.root), title, Script.HAN, summary)


def kept(found: Consensus) -> list[str]:
    return [line.text for line in found.assembly.kept]


def test_readers_that_agree_are_certain() -> None:
    found = agreed(f"{LINKS}<div class=main><h1>题</h1>{paragraphs(P)}</div>{LINKS}", "题")
    assert kept(found) == P
    assert found.confidence > 0.95


def test_a_page_of_links_has_no_article() -> None:
    assert kept(agreed(LINKS)) == []


def test_a_lead_that_the_summary_repeats_is_taken_in() -> None:
    lead = "一台用旧渔船改成的发电机在春分下水，小镇的人们决定先看它能不能熬过雨季。"
    body = f"<div class=summary>核心提示：{lead}</div><p><a href=#>广告</a></p><div class=main>{paragraphs(P)}</div>{LINKS}"
    assert kept(agreed(body, summary=lead))[0].endswith(lead)


def test_the_libraries_leave_the_tree_as_it_was() -> None:
    found = page.parse(f"<html><body><div class=main>{paragraphs(P)}</div></body></html>", "")
    assert found is not None
    before = "".join(found.root.itertext())
    tree = generic.lean(found.root)
    assert P[0] in generic.readability_text(tree)
    assert P[0] in generic.trafilatura_text(tree)
    assert "".join(found.root.itertext()) == before


def test_a_reader_without_an_answer_has_none() -> None:
    found = page.parse("<html><body></body></html>", "")
    assert found is not None
    assert generic.trafilatura_text(found.root) == ""
    assert generic.readability_text(found.root) == ""


def test_lines_are_matched_whatever_their_white_space() -> None:
    found = page.parse("<html><body><p>春分 那天，小镇。</p><p>短</p><p>别的一行文字，不在其中。</p></body></html>", "")
    assert found is not None
    lines = blocks.read(found.root).lines
    assert [line.index for line in consensus.matched(lines, "前面的话。春分那天，\n小镇。后面的话")] == [0]
    assert [line.index for line in consensus.matched(lines, "短\n春分那天，小镇。")] == [0, 1]


def test_a_short_line_stands_where_its_neighbour_does_and_an_item_where_its_mark_does() -> None:
    found = page.parse("<html><body><h3>慢慢来</h3><p>春分那天，小镇把样机放进水里。</p><p>短</p><li>防水盒</li></body></html>", "")
    assert found is not None
    lines = blocks.read(found.root).lines
    one_line = "慢慢来 春分那天，小镇把样机放进水里。 别的话短"
    assert [line.index for line in consensus.matched(lines, one_line)] == [0, 1]
    assert [line.index for line in consensus.matched(lines, "春分那天，小镇把样机放进水里。\n- 防水盒")] == [1, 3]


def assembled(body: str, title: str | None = None) -> list[str]:
    found = page.parse(f"<html><body>{body}</body></html>", "")
    assert found is not None
    return [line.text for line in assemble(blocks.read(found.root).lines, title).kept]


def test_the_head_is_trimmed_down_to_the_last_header_line() -> None:
    head = "<h1>题目在此</h1><p>首页 > 科技 > 正文</p><p>2026-03-01 08:30 来源：河岸日报</p>"
    assert assembled(f"<div>{head}<p>编者按</p>{paragraphs(P)}</div>", "题目在此") == ["编者按", *P]


def test_headings_inside_the_text_stay() -> None:
    assert assembled(f"<div>{paragraphs(P[:2])}<h2>先熬过雨季</h2>{paragraphs(P[2:])}</div>") == [*P[:2], "先熬过雨季", *P[2:]]


def test_the_text_ends_where_the_page_goes_on_to_something_else() -> None:
    assert assembled(f"<div>{paragraphs(P[:3])}<p>相关阅读</p>{paragraphs(P[3:])}</div>") == P[:3]


def test_a_box_of_links_inside_the_text_does_not_end_it() -> None:
    box = "<p>相关阅读</p><p><a href=#>昨日旧闻一则</a></p>"
    assert assembled(f"<div>{paragraphs(P[:3])}{box}{paragraphs(P)}</div>") == [*P[:3], *P]


def test_a_pointer_in_one_line_does_not_end_the_text() -> None:
    pointer = "<p>相关文章：河岸停航三天，渡口明日恢复↓↓↓</p>"
    assert assembled(f"<div>{paragraphs(P[:3])}{pointer}{paragraphs(P)}</div>") == [*P[:3], *P]


def test_the_beginnings_of_other_articles_below_their_headlines_are_none_of_the_text() -> None:
    others = "".join(f"<p><a href=#>昨日旧闻一则</a></p><p>{text}</p>" for text in P[2:])
    assert assembled(f"<div>{paragraphs(P)}<p>相关报道：</p>{others}</div>") == P


def test_a_heading_of_links_inside_the_text_is_none_of_its_own() -> None:
    box = "<h2>热读</h2><ul><li><a href=#>昨日旧闻一则</a></li><li><a href=#>昨日旧闻两则</a></li></ul>"
    assert assembled(f"<div>{paragraphs(P[:2])}{box}{paragraphs(P[2:])}</div>") == P


def test_a_notice_above_a_last_word_about_the_author_is_one() -> None:
    about = "作者简介：林小雨，某大学副教授。"
    text = [*P, *P]
    assert assembled(f"<div>{paragraphs([*text, '本文为作者原创，未经授权不得转载。', about])}</div>") == [*text, about]
    assert assembled(f"<div>{paragraphs([*P, '此书的第一页写着，未经授权不得转载。', *P])}</div>")[len(P)].startswith("此书")


def test_a_signature_below_the_text_stays_and_a_stray_line_does_not() -> None:
    assert assembled(f"<div>{paragraphs(P)}<p>河岸小镇人民政府</p><p>2026年1月27日</p></div>") == [*P, "河岸小镇人民政府", "2026年1月27日"]
    assert assembled(f"<div><div>{paragraphs(P)}</div><span>游客须知</span></div>") == P


def test_nothing_makes_nothing() -> None:
    assert assemble([], None).kept == []


def test_a_line_with_characters_that_no_record_may_hold_is_heard_of_every_reader() -> None:
    broken = [text.replace("的", "\ufffd\ufffd的\u200b", 1) for text in P]
    found = agreed(f"{LINKS}<div class=main><h1>题</h1>{paragraphs(broken)}</div>{LINKS}", "题")
    assert kept(found) == P
    assert found.confidence > 0.95


@pytest.mark.parametrize(
    "linked",
    [
        "<p>The council also put <a href=/r>a separate review of the northern sluice on its pages</a>.</p>",
        "<p>And <a href=/r>who should pay for a review of the northern sluice in the end</a>?</p>",
    ],
)
@pytest.mark.parametrize("at", [0, 2])
def test_a_sentence_that_is_mostly_link_is_a_sentence(linked: str, at: int) -> None:
    sentence = blocks.read(html.fromstring(linked)).lines[0].text
    texts = [*(f"<p>{text}</p>" for text in E[:at]), linked, *(f"<p>{text}</p>" for text in E[at:])]
    blocks_of_one = "".join(f"<div class=block>{text}</div>" for text in texts)
    expected = [*E[:at], sentence, *E[at:]]
    assert assembled(f"<div>{''.join(texts)}</div>") == expected
    assert at == 0 or assembled(f"<div>{blocks_of_one}</div>") == expected
    assert at == 0 or kept(agreed(f"<div class=main>{''.join(texts)}</div>{LINKS}")) == expected


@pytest.mark.parametrize(
    "link",
    [
        "<p><a href=/r>A separate review of the northern sluice is on the pages of the council.</a></p>",
        "<p>MORE: <a href=/r>Who should pay for a review of the northern sluice</a>?</p>",
        "<p>Also: <a href=/r>The best pumps of the year, tested by the keepers of the northern sluice</a>.</p>",
        "<p>» <a href=/r>A separate review of the northern sluice</a></p>",
    ],
)
def test_a_link_to_further_reading_is_none(link: str) -> None:
    assert assembled(f"<div>{paragraphs(E[:2])}{link}{paragraphs(E[2:])}</div>") == E


def test_items_of_a_list_stay_with_it_whether_they_are_links_or_short() -> None:
    texts = ["The tide letter", "A good map of the valley and a pencil", "Lamp", "Rope", "Boots that have seen worse"]
    items = "".join(f"<li><a href=/1>{text}</a></li>" if text in {"The tide letter", "Lamp"} else f"<li>{text}</li>" for text in texts)
    body = f"<div class=main>{paragraphs(E[:2])}<ul>{items}</ul>{paragraphs(E[2:])}</div>{LINKS}"
    assert kept(agreed(body)) == [*E[:2], *texts, *E[2:]]


BOXES = {
    "links below a sentence": (
        "<div class=rel><h2>The adviser's desk</h2><div><p>Here is more of how to live so.</p>"
        "<ul><li><a href=/1>Members share what they know about boats</a></li><li><a href=/2>Three keepers tell</a></li></ul></div></div>"
    ),
    "heading above a link": "<div class=issue><h4>Current Issue</h4><div><a href=/i>December 25, 2023, Issue</a></div></div>",
    "form": "<div class=letter><h3>The weekly digest</h3><p>The best of our rivers, every Friday.</p><form><input name=mail></form></div>",
    "notice": "<div class=letter><p>First Edition</p><p>Our letter tells all.</p><p>By signing up, you agree to our terms.</p></div>",
    "pull quote": "<blockquote class=pull>Let it turn through one rainy season first.</blockquote>",
}


@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
def test_a_box_inside_the_text_that_is_none_of_it_is_left_out(box: str) -> None:
    assert assembled(f"<div class=main>{paragraphs(E[:3])}{box}{paragraphs(E[3:])}</div>") == E


@pytest.mark.parametrize(
    "box",
    [
        "<blockquote><p>We counted every lamp twice, and then once more for luck.</p></blockquote>",
        "<div class=numbers><h3>The town by numbers</h3><ul><li>1997: the lock is built</li><li>43 boats a day</li></ul></div>",
        "<div class=section><p>The lamp was lit again, and <a href=/l>the keeper</a> went home at last.</p></div>",
    ],
    ids=["quotation", "figures", "section"],
)
def test_a_box_inside_the_text_that_tells_something_stays(box: str) -> None:
    told = [line.text for line in blocks.read(html.fromstring(f"<html><body>{box}</body></html>")).lines]
    assert assembled(f"<div class=main>{paragraphs(E[:3])}{box}{paragraphs(E[3:])}</div>") == [*E[:3], *told, *E[3:]]


@pytest.mark.parametrize(
    "name", ["caption", "wp-caption-text", "image__caption", "InlineImage-imageEmbedCaption", "photo-credit", "image-credit"]
)
def test_what_a_page_calls_a_caption_is_one(name: str) -> None:
    box = f"<div><img src=a.jpg><p class='{name} small'>The lamp at the quay on Sunday</p></div>"
    assert assembled(f"<div class=main>{paragraphs(E[:2])}{box}{paragraphs(E[2:])}</div>") == E


@pytest.mark.parametrize("name", ["captioned", "credits-and-thanks", "recaption", "accreditation"])
def test_what_only_sounds_like_a_caption_is_none(name: str) -> None:
    line = "The lamp at the quay was lit on Sunday."
    assert assembled(f"<div>{paragraphs(E[:2])}<p class={name}>{line}</p>{paragraphs(E[2:])}</div>") == [*E[:2], line, *E[2:]]


def test_a_pointer_in_the_middle_of_a_text_does_not_end_it() -> None:
    pointer = "<p>Also read: <a href=/f>Fog and the future of the pier</a></p>"
    assert assembled(f"<div>{paragraphs(E[:3])}{pointer}<p>It is still raining.</p></div>") == [*E[:3], "It is still raining."]


def test_a_press_release_ends_where_it_tells_who_sent_it() -> None:
    about = "<p><b>About Fenwick Mill</b></p><p>Fenwick Mill is a maker of tide clocks.</p><p>Contact: press@example.org</p>"
    assert assembled(f"<div>{paragraphs(E)}{about}</div>") == E
    assert assembled(f"<div>{paragraphs(E)}<h2>About time</h2><p>The lock is old.</p></div>") == [*E, "About time", "The lock is old."]


def test_a_heading_inside_the_text_is_no_byline() -> None:
    assert assembled(f"<div>{paragraphs(E[:2])}<h2>By Night</h2>{paragraphs(E[2:])}</div>") == [*E[:2], "By Night", *E[2:]]


def test_a_stream_of_articles_ends_behind_the_first() -> None:
    stream = f"<article class=one>{paragraphs(E[:1])}<h3>You may also like</h3></article><article>{paragraphs(E[1:])}</article>"
    assert assembled(f"<div>{stream}</div>") == E[:1]
    inside = f"<article class=one>{paragraphs(E[:1])}<h3>You may also like</h3>{paragraphs(E[1:])}</article>"
    assert assembled(f"<div>{inside}</div>")[-1] == E[-1]


def test_entries_of_a_live_report_keep_their_headings() -> None:
    expected = [text for name in "ABC" for text in (f"Gate {name}", f"Nobody passed the gate {name} in all of the night.")]
    pairs = zip(expected[::2], expected[1::2], strict=True)
    entries = "".join(f"<div class=entry><h3>{heading}</h3><div class=text><p>{text}</p></div></div>" for heading, text in pairs)
    assert assembled(f"<div><div class=intro>{paragraphs(E)}</div>{entries}</div>") == [*E, *expected]
    cards = "<div class=card><h3><a href=/1>Fog and the pier</a></h3><p><a href=/1>Nobody knows when it ends.</a></p></div>"
    assert assembled(f"<div><div class=intro>{paragraphs(E)}</div>{cards}</div>") == E
