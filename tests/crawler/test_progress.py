"""One line that moves on a terminal, and nothing anywhere else."""

from __future__ import annotations

import os
import pty
import sys
import time
from collections import Counter
from typing import Any

import pytest

from crawler import progress
from crawler.progress import Progress
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
