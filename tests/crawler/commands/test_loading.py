"""What Scrapy loads before each command: all of ours, which takes a second. And Ctrl-C meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterable

import pytest

from pipelines.pool import PRELOADED
from tests.crawler.commands.invoke import COMMANDS, ROOT

TOLD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import crawler.commands
signal.raise_signal(signal.SIGINT)
"""


def test_ctrl_c_before_a_command_begins_is_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", TOLD], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"scrapy: interrupted before anything was done.\n")


def test_a_fault_is_still_told_whole() -> None:
    done = subprocess.run([sys.executable, "-c", f"{TOLD.partition('signal.raise')[0]}\n1 / 0"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"ZeroDivisionError" in done.stderr


def loaded_with(modules: Iterable[str]) -> set[str]:
    """The modules that a process has which has imported these."""
    told = "import sys, importlib; [importlib.import_module(one) for one in sys.argv[1:]]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", told, *modules], cwd=ROOT, capture_output=True, check=True, text=True)
    assert set(modules) <= set(done.stdout.split())
    return set(done.stdout.split())


def test_no_command_waits_for_what_only_reads_pages_or_only_crawls() -> None:
    """Scrapy imports the module of every command to find the one that was called."""
    modules = sorted(f"crawler.commands.{path.stem}" for path in COMMANDS.glob("*.py"))
    dear = {"crawler.run", "crawler.transport", "pipelines.extract.main", "pipelines.extract.furniture", "trafilatura", "pyarrow"}
    assert dear.isdisjoint(loaded_with(modules))


@pytest.mark.parametrize(
    ("process", "other"),
    [
        (("crawler.run", "pipelines.stages"), {"pipelines.extract.main", "trafilatura", "readability"}),
        ((*PRELOADED, "pipelines.workers", "crawler.discovery"), {"pipelines.archive.opening", "sqlalchemy", "numpy", "scrapy"}),
    ],
    ids=["crawls", "reads"],
)
def test_neither_of_a_runs_processes_loads_what_the_other_needs(process: tuple[str, ...], other: set[str]) -> None:
    assert other.isdisjoint(loaded_with(process))
