"""One line that moves on a terminal; elsewhere nothing of a crawl, and a plain line now and then of work over whole archives."""

from __future__ import annotations

import contextlib
import os
import pty
import sys
import time
from collections import Counter
from typing import Any

import pytest

from crawler import progress
from crawler.progress import Bar, Progress, plain_progress
from pipelines.model import Verdict

VISITS = Counter({Verdict.NEW: 2, Verdict.UNCHANGED: 3, "failed/timeout": 1})


def test_nothing_is_written_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Progress()
    shown.show(VISITS)
    shown.end()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_how_far_the_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    said: list[str] = []
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        shown = Progress()
        assert shown._status is not None
        monkeypatch.setattr(shown._status, "update", said.append)
        shown.show(VISITS)
        shown.show(VISITS)
        shown.end()
    os.close(ours)
    assert said == ["6 articles fetched, 2 saved"], "at most so often as the line is redrawn"


def test_the_line_is_redrawn_a_few_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    shown = Progress()
    shown._status = type("Line", (), {"update": staticmethod(said.append), "stop": staticmethod(lambda: None)})()
    clock = iter([1.0, 1.0 + progress.EVERY / 2, 1.0 + progress.EVERY * 2])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    for _ in range(3):
        shown.show(VISITS)
    shown.end()
    assert len(said) == 2


def test_where_nobody_looks_a_bar_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 101.0, 100.0 + progress.EVERY_PLAIN, 101.0 + progress.EVERY_PLAIN])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    bar = Bar("Reading captures")
    for done in (10, 600, 700):
        bar.show(done, 1_200)
    bar.end()
    assert capsys.readouterr() == ("", "Reading captures: 600 of 1,200 captures (50 %), 20 a second\n")


def test_bytes_are_told_in_mebibytes_and_nothing_of_nothing() -> None:
    assert plain_progress("Reading", "bytes", 3 * 2**20, 12 * 2**20, 2.0) == "Reading: 3 of 12 MiB (25 %), 1.5 MiB/s"
    assert "nothing to do" in plain_progress("Reading", "captures", 0, 0, 31.0)


@pytest.mark.parametrize("unit", ["captures", "bytes"])
def test_a_terminal_sees_a_bar(monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        bar = Bar("Reading", unit)
        bar.show(3 * 2**20, 12 * 2**20)
        assert bar._bar is not None
        bar._bar.refresh()
        bar.end()
    shown = b""
    with contextlib.suppress(OSError):  # EIO: all is read, and nobody writes any more
        while piece := os.read(ours, 65_536):
            shown += piece  # a terminal gives what one write brought, and the bar writes several times
    assert b"25%" in shown
    os.close(ours)
