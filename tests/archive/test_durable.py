"""Files are whole or not there, and the disk's faults come in our own words."""

from __future__ import annotations

import errno
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
