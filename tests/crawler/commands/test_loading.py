"""Ctrl-C while the commands are still being loaded, which takes a second."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.crawler.commands.invoke import ROOT

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
