"""Documents that can rot are held to the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler import health
from crawler.choices import CHOICES
from pipelines import errors
from pipelines.archive import open_archive, urltable
from pipelines.archive.borrowed import Broken
from pipelines.archive.urltable import NewUrl, Wanted
from pipelines.model import Kind, Reason

ROOT = Path(__file__).parent.parent
OPERATIONS = (ROOT / "docs/operations.md").read_text("utf-8")


def _statuses() -> set[int]:
    return {int(number) for number in re.findall(r"^\| (\d+) \|", OPERATIONS, re.MULTILINE)}


def _error_classes(root: type[errors.ArchiveError]) -> list[type[errors.ArchiveError]]:
    return [root, *(found for child in root.__subclasses__() for found in _error_classes(child))]


@pytest.mark.parametrize("error", _error_classes(errors.ArchiveError))
def test_the_exit_status_of_every_error_is_in_operations(error: type[errors.ArchiveError]) -> None:
    assert error.exit_status in _statuses()


@pytest.mark.parametrize("name", ["GOOD", "NOTHING_SAVED", "FAR_LESS", "PARTIAL", "REFUSED", "INTERRUPTED"])
def test_the_exit_status_of_every_verdict_is_in_operations(name: str) -> None:
    assert getattr(health, name) in _statuses()


def test_operations_names_no_status_that_nothing_ends_with() -> None:
    made = {error.exit_status for error in _error_classes(errors.ArchiveError)}
    made |= {value for name, value in vars(health).items() if name.isupper() and isinstance(value, int)}
    assert _statuses() - made == {2}, "2 is Scrapy's own, for a wrong command line"


def _settings_for_people() -> set[str]:
    source = (ROOT / "crawler/settings.py").read_text("utf-8")
    chosen = source.partition("for people to choose")[2].partition("# ── who we are")[0]
    return set(re.findall(r"^([A-Z_]+)\b.*=", chosen, re.MULTILINE))


@pytest.mark.parametrize("reason", Broken)
def test_operations_says_of_every_broken_promise_what_the_other_archive_did(reason: Broken) -> None:
    assert f"`{reason}`" in OPERATIONS


def test_the_statement_that_puts_a_url_back_makes_it_due_and_nothing_that_was_taken_down(tmp_path: Path) -> None:
    [statement] = re.findall(r"```sql\n(.*?);\n```", OPERATIONS, re.DOTALL)
    [named] = re.findall(r"url = '(.*)'", statement)
    with open_archive(tmp_path / "archive", create=True) as archive, archive.catalogue.transaction() as tx:
        for site, reason in (("one", "gone"), ("two", Reason.TAKEN_DOWN)):
            urltable.discover(tx, site, [NewUrl(url=named, host="news.example.cn", kind=Kind.ARTICLE, due_at=1e9)], 0.0)
            urltable.set_aside(tx, site, [named], reason)
        tx.execute(sa.text(statement))
        wanted = Wanted(now=1.0, until=2.0, not_since=1.0, most=9)
        assert [row.url for row in urltable.lease(tx, "one", wanted)] == [named]
        assert urltable.lease(tx, "two", wanted) == []


def test_settings_md_names_exactly_the_settings_that_are_for_people() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text("utf-8"), re.MULTILINE))
    assert documented == {*CHOICES, "CONTACT"}, "what is checked is told, and what is told is checked: a contact is any text"
    assert _settings_for_people() <= documented


@pytest.mark.parametrize("document", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name)
def test_every_command_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"scrapy ([a-z]+)\b(?: --?[a-zA-Z]| [A-Z]| `|`)", document.read_text("utf-8")))
    builtin = {"list", "crawl"}
    ours = {path.stem for path in (ROOT / "crawler/commands").glob("*.py")}
    assert named - builtin - ours == set()


def test_the_readme_python_example_parses() -> None:
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        ast.parse(example)


def test_make_help_lists_every_target_that_is_for_people() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    helped = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    assert targets == helped
