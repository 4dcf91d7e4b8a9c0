"""What all commands share: errors are messages with a status, whoever ends one ends it well, and all cores work."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from scrapy.settings import Settings

from crawler.command import ArchiveCommand
from crawler.health import INTERRUPTED
from pipelines.errors import ArchiveUnusable, OutOfSpace
from tests.crawler.commands.invoke import invoke, scrapy
from tests.small_site import small


class Ends(ArchiveCommand):
    """A command that ends as it is told."""

    def __init__(self, how: Any) -> None:
        super().__init__()
        self.how = how

    def short_desc(self) -> str:
        return ""

    def execute(self, args: list[str], opts: argparse.Namespace) -> int:  # noqa: ARG002  # the base class names them
        return int(self.how())


def ended(how: Any) -> int:
    command = Ends(how)
    command.run([], argparse.Namespace())
    return int(command.exitcode)


def full() -> int:
    raise OutOfSpace("The disk is full.")


def is_told(number: int) -> int:
    os.kill(os.getpid(), number)
    time.sleep(60)
    return 0


def test_a_status_is_what_a_command_returns() -> None:
    assert ended(lambda: 12) == 12


def test_an_error_of_the_archive_is_a_message_and_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(full) == OutOfSpace.exit_status
    assert "The disk is full." in capsys.readouterr().err


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Tests in the background of a shell are started deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_told_to_end_says_so_in_one_line(capsys: pytest.CaptureFixture[str], number: int) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert ended(lambda: is_told(number)) == INTERRUPTED
    assert capsys.readouterr().err.count("\n") == 1
    assert signal.getsignal(signal.SIGTERM) == before


def workers(**settings: int) -> int:
    command = Ends(lambda: 0)
    command.settings = Settings()
    command.settings.setmodule("crawler.settings", priority="project")
    command.settings.setdict(settings, priority="cmdline")
    parser = argparse.ArgumentParser()
    command.add_workers_option(parser)
    opts = parser.parse_args([])
    command.process_options([], with_scrapys(opts))
    command.run([], opts)
    count: int = opts.workers
    return count


def with_scrapys(opts: argparse.Namespace) -> argparse.Namespace:
    """With those of Scrapy's own options that its base class reads, not given."""
    for name in ("logfile", "loglevel", "nolog", "pidfile", "pdb"):
        setattr(opts, name, None)
    opts.set = []
    return opts


def test_settings_on_the_command_line_name_the_archive_and_the_processes(tmp_path: Any) -> None:
    """In a process of its own: Scrapy reads -s only after the options have their defaults."""
    made = small(tmp_path)
    asked = scrapy("status", "-s", f"ARCHIVE_DIR={made.folder}")
    assert (asked.returncode, asked.stderr) == (0, b"")
    nowhere = scrapy("takedown", "-s", f"ARCHIVE_DIR={tmp_path / 'nowhere'}", "--url", "http://a.test/", "--reason", "none")
    assert nowhere.returncode == ArchiveUnusable.exit_status
    assert str(tmp_path / "nowhere") in nowhere.stderr.decode()


def test_work_over_whole_archives_takes_all_cores_unless_somebody_says_how_many() -> None:
    assert workers() == len(os.sched_getaffinity(0))
    assert [workers(EXTRACT_WORKERS=count) for count in (0, 1, 3)] == [0, 1, 3]


def test_a_number_of_processes_in_a_setting_that_is_none_is_refused_as_any_setting(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("verify", "reextract", "replay"):
        done = invoke(capsys, command, "--archive", small(tmp_path / command).folder, "-s", "EXTRACT_WORKERS=x")
        assert (done.status, done.out) == (20, "")
        assert "EXTRACT_WORKERS=x: not usable" in done.err


@pytest.mark.parametrize("wrong", ["-1", "many", "1.5"])
def test_a_number_of_processes_that_is_none_is_refused(tmp_path: Any, capsys: pytest.CaptureFixture[str], wrong: str) -> None:
    made = small(tmp_path)
    with pytest.raises(SystemExit) as refused:
        invoke(capsys, "verify", "--archive", made.folder, f"--workers={wrong}")
    assert refused.value.code == 2
    assert "is no number of processes" in capsys.readouterr().err
