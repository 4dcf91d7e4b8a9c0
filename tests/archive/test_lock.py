"""One run a site at a time: the lock dies with its owner, however it dies."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.archive.lock import exclusive
from pipelines.errors import ArchiveUnusable, Locked

HOLD = """
import sys
from pathlib import Path
from pipelines.archive.lock import exclusive
with exclusive(Path(sys.argv[1]), "a site"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until it is let go or killed."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        if process.poll() is None:
            process.kill()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "china_tech.lock"


def test_another_process_is_turned_away_and_told_who_holds_it(lock: Path) -> None:
    with another_process(lock) as holder:
        with (
            pytest.raises(Locked, match=rf"site 'china_tech' is locked by another run \(process {holder.pid}\)"),
            exclusive(lock, "site 'china_tech'"),
        ):
            pytest.fail("two runs at once")
        assert holder.poll() is None, "the holder is not disturbed"


def test_a_run_that_is_killed_lets_go(lock: Path) -> None:
    with another_process(lock) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with exclusive(lock, "a site"):
        assert lock.read_text() == f"{os.getpid()}\n"


def test_a_run_that_ends_lets_go(lock: Path) -> None:
    for _ in range(2):
        with exclusive(lock, "a site"):
            pass


def test_a_run_that_fails_lets_go(lock: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(lock, "a site"):
        raise ZeroDivisionError
    with exclusive(lock, "a site"):
        pass


def test_within_a_process_too_there_is_one_holder(lock: Path) -> None:
    with exclusive(lock, "a site"), pytest.raises(Locked, match=f"process {os.getpid()}"), exclusive(lock, "a site"):
        pytest.fail("two runs at once")


def test_two_sites_do_not_meet(tmp_path: Path) -> None:
    with exclusive(tmp_path / "one.lock", "one"), exclusive(tmp_path / "two.lock", "two"):
        pass


def test_a_number_left_by_an_earlier_holder_is_written_over(lock: Path) -> None:
    lock.parent.mkdir()
    lock.write_text("123456789012345678901234567890\n")
    with exclusive(lock, "a site"):
        assert lock.read_text() == f"{os.getpid()}\n"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file")
    with pytest.raises(ArchiveUnusable, match="cannot be written"), exclusive(tmp_path / "locks" / "a.lock", "a site"):
        pytest.fail("there is no such place")


def test_a_full_disk_takes_no_lock_away(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with exclusive(lock, "a site"), pytest.raises(Locked), exclusive(lock, "a site"):
            pass
