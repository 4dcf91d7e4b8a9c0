"""What Scrapy loads before each command: all of ours, which takes a second. And Ctrl-C meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys

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


def test_no_command_waits_for_what_only_reads_pages_or_only_crawls() -> None:
    """Scrapy imports the module of every command to find the one that was called."""
    modules = sorted(f"crawler.commands.{path.stem}" for path in COMMANDS.glob("*.py"))
    told = "import sys, importlib; [importlib.import_module(one) for one in sys.argv[1:]]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", told, *modules], cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
    dear = {"crawler.run", "crawler.transport", "pipelines.extract.main", "pipelines.extract.furniture", "trafilatura", "pyarrow"}
    assert set(modules) <= set(loaded)
    assert dear.isdisjoint(loaded)


def test_what_writes_down_what_others_read_loads_nothing_that_reads() -> None:
    told = "import sys; import crawler.run, pipelines.stages; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
    assert {"pipelines.extract.main", "trafilatura", "readability"}.isdisjoint(loaded)
