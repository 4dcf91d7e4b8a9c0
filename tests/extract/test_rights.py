"""What a page, its server and robots.txt say about its use."""

from __future__ import annotations

import re

import pytest
from lxml import html

from pipelines.extract.furniture import Kind
from pipelines.extract.rights import rights
from pipelines.model import Headers, Rights
from pipelines.site import RightsRules

OWN = RightsRules(own_sources=("河岸网", "河岸网科技"))


def said(
    head: str = "",
    headers: Headers = (),
    *,
    lines: tuple[str, ...] = (),
    source: str | None = None,
    rules: RightsRules = OWN,
    terms: str | None = None,
) -> Rights:
    root = html.document_fromstring(f"<html><head>{head}</head><body><p>一</p></body></html>")
    declaring = list(root.iter("meta", "link", "script"))
    return rights(declaring, headers, upward=reversed(lines), told=(), source=source, rules=rules, terms=terms)


@pytest.mark.parametrize(
    ("source", "owned"), [("河岸网", True), ("河岸网科技", True), ("河岸网 ", True), ("河岸日报", False), (None, None)]
)
def test_a_text_is_owned_where_its_printed_source_is_the_sites_own(source: str | None, owned: bool | None) -> None:
    assert said(source=source).owned is owned


def test_without_rules_nobody_knows_who_owns() -> None:
    assert said(source="河岸网", rules=RightsRules()).owned is None


def test_robots_are_those_of_meta_and_header() -> None:
    found = said(
        '<meta name="robots" content="noindex, NOFOLLOW"><meta name="Googlebot" content="noarchive">', (("X-Robots-Tag", "otherbot: noai"),)
    )
    assert found.robots == ("noai", "noarchive", "nofollow", "noindex")


@pytest.mark.parametrize(
    ("head", "headers", "reserved"),
    [
        ('<meta name="robots" content="noarchive">', (), {"archive": True}),
        ('<meta name="robots" content="noai">', (), {"text-and-data-mining": True, "train": True}),
        ('<meta name="tdm-reservation" content="1">', (), {"text-and-data-mining": True, "train": True}),
        ("", (("tdm-reservation", "0"),), {"text-and-data-mining": False, "train": False}),
        ("", (("Content-Usage", "train-ai=n"),), {"train": True}),
        ("", (("Content-Usage", "train-ai=y, search=y"),), {"train": False}),
        ("", (("Content-Signal", "search=yes, ai-train=no"),), {"train": True}),
        ("", (("Content-Usage", "nonsense"),), {}),
        ('<meta name="robots" content="index, follow">', (), {}),
    ],
)
def test_signals_are_parsed_by_use(head: str, headers: Headers, reserved: dict[str, bool]) -> None:
    assert said(head, headers).reserved == reserved


def test_the_most_restrictive_answer_wins() -> None:
    found = said('<meta name="tdm-reservation" content="0">', (("Content-Usage", "train-ai=n"),))
    assert found.reserved == {"text-and-data-mining": False, "train": True}


def test_what_robots_txt_reserves_is_reserved_whatever_the_page_says() -> None:
    found = said(headers=(("Content-Usage", "train-ai=y"),), terms="content-signal: search=yes, ai-train=no\ncontent-usage: / bots=n")
    assert found.reserved == {"text-and-data-mining": True, "train": True}
    assert found.signals == {"content-signal": "search=yes, ai-train=no", "content-usage": "train-ai=y, / bots=n"}


def test_what_robots_txt_allows_does_not_lift_what_the_page_reserves() -> None:
    assert said('<meta name="robots" content="noai">', terms="content-signal: ai-train=yes").reserved["train"] is True


def test_what_the_publishers_terms_reserve_is_reserved_whatever_the_page_says() -> None:
    found = said(headers=(("Content-Usage", "train-ai=y"),), rules=RightsRules(reserved=("train",)))
    assert found.reserved == {"train": True}


def test_signals_are_kept_raw_by_their_names() -> None:
    found = said(
        '<link rel="license" href="https://example.org/l.xml"><meta name="tdm-policy" content="https://example.org/p">',
        (("Content-Usage", "a=b\x00"),),
    )
    assert found.signals == {"content-usage": "a=b", "license": "https://example.org/l.xml", "tdm-policy": "https://example.org/p"}


def test_the_sites_own_rule_finds_the_notice_first() -> None:
    rules = RightsRules(notice=(re.compile(r"凡本站注明[^\n]+?作品。"),))
    lines = ("正文。", "凡本站注明来源的作品，未经授权不得使用上述作品。电话：000", "版权所有")
    assert said(lines=lines, rules=rules).notice == "凡本站注明来源的作品，未经授权不得使用上述作品。"


def test_else_the_last_line_that_speaks_of_rights_is_the_notice() -> None:
    assert said(lines=("版权所有是什么意思？", "正文。", "河岸网 版权所有 未经授权不得转载")).notice == "河岸网 版权所有 未经授权不得转载"
    assert said(lines=("正文。",)).notice is None


def test_an_image_notice_is_kept_apart() -> None:
    found = rights([], (), upward=(), told=[(Kind.IMAGE_NOTICE, "图片授权本网使用")], source=None, rules=OWN)
    assert found.image_notice == "图片授权本网使用"
