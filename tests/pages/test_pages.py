"""Every page folder, field by field. A bug found in a page enters here as a folder before it is mended."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelines.model import Reason
from tests.pages import folder

FOLDERS = folder.folders()
CASES = [(path, name) for path in FOLDERS for name in folder.load(path).expected]
ELSEWHERE = {Reason.TOO_EXPENSIVE, Reason.TAKEN_DOWN, Reason.OUT_OF_SCOPE}
"""reasons that other parts give: the worker that is killed, the takedown, the rules of the crawl"""


@cache
def seen(path: Path) -> dict[str, Any]:
    loaded = folder.load(path)
    return folder.observed(loaded.capture, loaded.site)


@pytest.mark.parametrize(("path", "name"), CASES, ids=[f"{path.parent.name}/{path.name}/{name}" for path, name in CASES])
def test_a_page_gives_what_was_reviewed(path: Path, name: str) -> None:
    expected = folder.load(path).expected[name]
    if name == "absent":
        text = "\n".join(seen(path)["paragraphs"])
        assert [part for part in expected if part in text] == []
    else:
        assert seen(path).get(name) == expected


@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_forbidden_character_is_in_any_output_or_expectation(path: Path) -> None:
    for text in (repr(seen(path)), (path / "expected.json").read_text("utf-8")):
        assert "\ufffd" not in text
        assert not any(0x202A <= ord(char) <= 0x202E or 0xD800 <= ord(char) <= 0xDFFF for char in text)


def test_every_reason_of_the_verdict_has_its_page() -> None:
    shown = {folder.load(path).expected["outcome"] for path in FOLDERS}
    assert {reason.value for reason in Reason if reason not in ELSEWHERE} <= shown


def test_every_layout_of_the_seeds_files_has_its_page() -> None:
    shown = {seen(path).get("method") for path in FOLDERS}
    layouts = {f"layout:{layout.name}" for name in ("china_tech", "china_org_cn") for layout in folder.site_named(name).layouts}
    assert layouts <= shown
