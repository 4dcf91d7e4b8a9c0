"""Who we say we are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.identity import user_agent


@pytest.mark.parametrize(
    ("contact", "agent"),
    [
        ("", "x/1"),
        ("a@b.test", "x/1 (+a@b.test)"),
        ("https://b.test/bot", "x/1 (+https://b.test/bot)"),
        ("a(b)c", "x/1 (+abc)"),
        ("a\r\nX: y", "x/1 (+aX:y)"),
        ("邮箱", "x/1"),
    ],
)
def test_the_contact_stands_behind_the_name_in_what_a_header_can_hold(contact: str, agent: str) -> None:
    assert user_agent("x/1", contact) == agent


@given(st.text(max_size=50))
@settings(deadline=None, max_examples=100)
def test_no_contact_breaks_the_header(contact: str) -> None:
    agent = user_agent("x/1", contact)
    assert agent.isascii()
    assert agent.isprintable()
    assert agent.count("(") == agent.count(")") <= 1
