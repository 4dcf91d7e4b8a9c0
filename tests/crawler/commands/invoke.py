"""Runs a command of ours as `scrapy` would, in this process."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from scrapy.exceptions import UsageError
from scrapy.settings import Settings

ROOT = Path(__file__).parents[3]
COMMANDS = ROOT / "crawler" / "commands"
INSTEAD = sorted(path.stem for path in COMMANDS.glob("*.py") if "Instead" in path.read_text("utf-8"))
"""Scrapy's own that only name ours"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    status: int
    out: str
    err: str


def invoke(capsys: pytest.CaptureFixture[str], name: str, *arguments: Any, **settings: Any) -> Done:
    """`scrapy <name> <arguments>` with our settings and `settings`. UsageError is status 2, as in Scrapy."""
    command = import_module(f"crawler.commands.{name}").Command()
    command.settings = Settings()
    command.settings.setmodule("crawler.settings", priority="project")
    command.settings.setdict(settings, priority="cmdline")
    parser = argparse.ArgumentParser(prog=f"scrapy {name}", conflict_handler="resolve")
    command.add_options(parser)
    opts, rest = parser.parse_known_args([str(one) for one in arguments])
    try:
        command.process_options(rest, opts)
        command.run(rest, opts)
        status = command.exitcode
    except UsageError as error:
        status = 2
        print(error, file=sys.stderr)  # noqa: T201
    said = capsys.readouterr()
    return Done(status=status, out=said.out, err=said.err)


def scrapy(*arguments: Any, **how: Any) -> subprocess.CompletedProcess[bytes]:
    """The real thing, in a process of its own: a second each."""
    command = [sys.executable, "-m", "scrapy", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=False, **{"capture_output": True, **how})
