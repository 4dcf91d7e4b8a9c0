"""Files are whole or not there, and the disk's faults come in our own words."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from pipelines.archive.durable import disk_fault, sync_folder, whole_file
from pipelines.errors import ArchiveUnusable, OutOfSpace


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with whole_file(path) as out:
        out.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_fault_leaves_the_old_file_and_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with whole_file(path) as out:
            out.write(b"new")
            raise KeyError("in the middle")

    with pytest.raises(KeyError):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def killed(path: Path) -> int:
    """A process that was killed while it wrote the file; its number."""
    child = os.fork()
    if not child:
        with whole_file(path) as out:
            out.write(b"half")
            out.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    return child


def test_what_a_killed_process_left_is_gone_when_the_file_is_written_again(tmp_path: Path) -> None:
    path, other = tmp_path / "a.wacz", tmp_path / "b.a.wacz"
    left = [tmp_path / f".a.wacz.{killed(path)}.new", tmp_path / f".b.a.wacz.{killed(other)}.new"]
    alive = tmp_path / f".a.wacz.{os.getppid()}.new"
    alive.write_bytes(b"at work")
    assert all(file.exists() for file in left)
    with whole_file(path) as out:
        out.write(b"new")
    assert set(tmp_path.iterdir()) == {path, left[1], alive}, "of this file, and of nobody who is at work"


def test_a_place_that_is_not_there_is_our_own_error(tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnusable, match="No such file"), whole_file(tmp_path / "none" / "a"):
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_way_of_being_full_is_out_of_space(number: int) -> None:
    error = disk_fault(Path("a"), OSError(number, "full"))
    assert isinstance(error, OutOfSpace)
    assert str(error).startswith("a: no space left (full).")


def test_other_faults_are_an_unusable_archive() -> None:
    assert isinstance(disk_fault(Path("a"), OSError(errno.EROFS, "read-only")), ArchiveUnusable)


def test_a_folders_names_can_be_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "none")
