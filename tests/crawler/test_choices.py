"""Settings that people choose: what cannot be meant is said so, before anything is opened."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.settings import Settings

from crawler import settings as ours
from crawler.choices import CHOICES, check
from pipelines.errors import ConfigurationError

WRONG = {
    "ARCHIVE_DIR": ("", " "),
    "SEEDS_DIR": ("",),
    "CATALOGUE_URL": ("mysql://u:secret@h/n", "nonsense", ""),
    "DELAY": ("fast", "-1", "nan", "inf", ""),
    "DOWNLOAD_TIMEOUT": ("abc", "0", "-3"),
    "EXTRACT_WORKERS": ("two", "-1", "1.5", "٣", "99999"),
    "LOG_LEVEL": ("LOUD", ""),
}
RIGHT = {
    "ARCHIVE_DIR": ("archive", "/srv/a b"),
    "SEEDS_DIR": ("seeds",),
    "CATALOGUE_URL": ("postgresql+psycopg://u:p@h/n", "postgresql://h/n"),
    "DELAY": ("0", "2.5"),
    "DOWNLOAD_TIMEOUT": ("30", "0.5"),
    "EXTRACT_WORKERS": ("0", "4"),
    "LOG_LEVEL": ("WARNING", "info"),
}


def set_to(name: str, value: str) -> Settings:
    return Settings({name: value})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_setting_that_cannot_be_meant_is_named_with_what_was_expected(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}.*Expected") as refused:
        check(set_to(name, value))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in RIGHT.items() for value in values])
def test_a_setting_that_can_be_meant_is_taken(name: str, value: str) -> None:
    check(set_to(name, value))


def test_our_own_defaults_are_right() -> None:
    check(Settings({name: getattr(ours, name) for name in CHOICES}))


@settings(deadline=None)
@given(st.sampled_from(sorted(CHOICES)), st.text(max_size=20))
def test_any_text_is_taken_or_refused(name: str, value: str) -> None:
    with contextlib.suppress(ConfigurationError):
        check(set_to(name, value))


def test_every_setting_that_is_explained_to_people_is_checked() -> None:
    told = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    named = {line.split("`")[1] for line in told.splitlines() if line.startswith("| `")}
    assert named - {"CONTACT"} <= CHOICES.keys()  # a contact is any text
