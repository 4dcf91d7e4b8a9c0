"""Bytes to characters, by evidence."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extract.decode import DAMAGED_UTF8, QUARANTINE_SHARE, decode, known_codec

CHINESE = "春分那天，河岸小镇的工程师们把第一台潮汐发电样机放进水里，岸上站满了拿着热水瓶的老人和逃了半节课的孩子。" * 3
TRADITIONAL = "河岸小鎮的工程師們把第一台潮汐發電樣機放進水裡，岸上站滿了拿著熱水瓶的老人和逃了半節課的孩子。" * 3


def page(body: str, charset: str | None) -> str:
    meta = f'<meta charset="{charset}">' if charset else ""
    return f"<html><head>{meta}<script>var a = 1;</script></head><body><p>{body}</p></body></html>"


def test_a_byte_order_mark_is_a_proof() -> None:
    found = decode(codecs.BOM_UTF8 + page(CHINESE, "gbk").encode(), "text/html; charset=gbk")
    assert (found.charset, found.evidence, found.text) == ("utf-8", "bom", page(CHINESE, "gbk"))


@pytest.mark.parametrize(("mark", "charset"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")])
def test_utf_16_is_known_by_its_mark(mark: bytes, charset: str) -> None:
    found = decode(mark + page(CHINESE, None).encode(charset))
    assert (found.charset, found.text) == (charset, page(CHINESE, None))


@pytest.mark.parametrize("declared", [None, "gbk", "iso-8859-1", "big5", "utf-8", "no-such-charset", "utf-7"])
def test_strict_utf_8_is_utf_8_whatever_is_declared(declared: str | None) -> None:
    found = decode(page(CHINESE, declared).encode(), f"text/html; charset={declared}" if declared else None)
    assert (found.charset, found.evidence, found.replaced) == ("utf-8", "utf-8", 0.0)
    assert CHINESE in found.text


@pytest.mark.parametrize("header", [None, "gb2312", "gbk", "utf-8", "iso-8859-1", "windows-1252"])
@pytest.mark.parametrize("meta", [None, "gb2312", "gbk", "gb18030", "utf-8", "iso-8859-1"])
def test_gb_pages_come_out_right_under_any_declaration(header: str | None, meta: str | None) -> None:
    found = decode(page(CHINESE, meta).encode("gb18030"), f"text/html; charset={header}" if header else "text/html")
    assert found.charset == "gb18030"
    assert CHINESE in found.text


def test_gb2312_means_gb18030() -> None:
    rare = "朱镕基与喆堃，" + CHINESE
    found = decode(page(rare, "gb2312").encode("gb18030"), "text/html; charset=gb2312")
    assert rare in found.text
    assert found.evidence == "header"


def test_the_header_goes_before_the_meta_element() -> None:
    assert decode(page(CHINESE, "gbk").encode("gbk"), "text/html; charset=gbk").evidence == "header"
    assert decode(page(CHINESE, "gbk").encode("gbk"), "text/html").evidence == "meta"
    assert decode(page(CHINESE, None).encode("gbk"), "text/html").evidence == "guess"


@pytest.mark.parametrize("meta", ["big5", "big5-hkscs", None])
def test_big5_is_read_as_big5(meta: str | None) -> None:
    found = decode(page(TRADITIONAL, meta).encode("big5"), "text/html")
    assert found.charset == "big5hkscs"
    assert TRADITIONAL in found.text


def test_latin_1_means_windows_1252() -> None:
    body = "Le café “du pont” est fermé, l’été dernier déjà il l’était; on y a mangé des crêpes à volonté — " * 4
    found = decode(page(body, "iso-8859-1").encode("cp1252"), "text/html; charset=iso-8859-1")
    assert found.charset == "cp1252"
    assert body in found.text


def test_a_broken_character_leaves_utf_8_utf_8() -> None:
    body = page(CHINESE, "utf-8").encode()
    at = body.index("工程".encode())
    found = decode(body[: at + 1] + body[at + 3 :])
    assert (found.charset, found.text.count("\ufffd")) == ("utf-8", 1)
    assert 0 < found.replaced < QUARANTINE_SHARE


def test_a_page_cut_inside_a_character_is_utf_8() -> None:
    found = decode(page(CHINESE, None).encode()[:-30][:-1])
    assert found.charset == "utf-8"


def test_the_share_of_replaced_characters_is_of_all_characters() -> None:
    found = decode("河".encode() * 90 + b"\xff" * 10)
    assert found.replaced == pytest.approx(0.1)
    assert found.replaced < DAMAGED_UTF8


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("GB2312", "gb18030"),
        ("gbk", "gb18030"),
        ("GB_2312-80", "gb18030"),
        ("ISO-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("Big5", "big5hkscs"),
        ("UTF8", "utf-8"),
        ("shift_jis", "cp932"),
        ("utf-7", None),
        ("rot13", None),
        ("base64", None),
        ("no such", None),
        ("", None),
        ("\x00", None),
    ],
)
def test_declared_names_are_widened_or_refused(name: str, codec: str | None) -> None:
    assert known_codec(name) == codec


def test_an_empty_body_is_empty_text() -> None:
    assert decode(b"").text == ""


@given(st.binary(max_size=400), st.sampled_from([None, "text/html; charset=gbk", "text/html; charset=utf-16", "; charset=\x00"]))
@settings(deadline=None, max_examples=120)
def test_any_bytes_decode(body: bytes, content_type: str | None) -> None:
    found = decode(body, content_type)
    assert isinstance(found.text, str)
    assert 0.0 <= found.replaced <= 1.0
    assert found.utf8 in (None, found.text.encode())


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=80))
@settings(deadline=None, max_examples=100)
def test_utf_8_comes_back_as_it_was(written: str) -> None:
    assert decode(written.encode()).text == written
