from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.crawler.commands.invoke import COMMANDS, INSTEAD, ROOT, invoke, scrapy


@pytest.mark.parametrize("name", INSTEAD)
@pytest.mark.parametrize("arguments", [(), ("http://127.0.0.1:1/x",), ("--nolog", "-c", "parse", "x.py")])
def test_a_command_of_scrapys_names_what_does_it_here(capsys: pytest.CaptureFixture[str], name: str, arguments: tuple[str, ...]) -> None:
    done = invoke(capsys, name, *arguments)
    assert (done.status, done.out) == (2, "")
    for ours in re.findall(r"`scrapy (\w+)", done.err):
        assert (COMMANDS / f"{ours}.py").exists()
        assert ours not in INSTEAD
    for page in re.findall(r"docs/[\w-]+\.md", done.err):
        assert (ROOT / page).exists()


def test_it_says_so_without_a_traceback_and_makes_nothing(tmp_path: Path) -> None:
    done = scrapy("genspider", "x", "example.cn", "--pidfile", tmp_path / "pid")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr + done.stdout
    assert b"docs/adding-a-site.md" in done.stderr + done.stdout
    assert not (ROOT / "x.py").exists()


def test_the_list_of_commands_says_it_too() -> None:
    shown = scrapy("--help").stdout.decode()
    assert len(re.findall(r"^  \w+ +Not here: ", shown, re.MULTILINE)) == len(INSTEAD) > 5


@pytest.mark.parametrize("name", ["check", "edit", "startproject"])
def test_what_scrapy_would_answer_as_if_all_were_well_is_not_here_either(name: str) -> None:
    assert name in INSTEAD
