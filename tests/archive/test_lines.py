"""More lines than memory holds come out in order, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive import lines as module
from pipelines.archive.lines import in_order, merged, told_apart
from pipelines.errors import ArchiveUnusable, OutOfSpace

some_lines = st.lists(st.binary(max_size=3).map(lambda raw: raw.replace(b"\n", b"") + b"\n"), max_size=60)


@settings(deadline=None)
@given(some_lines, st.integers(1, 20))
def test_lines_are_in_order_and_once_in_however_many_pieces(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE_BYTES", size)
        patch.setattr(module, "PIECES", 3)
        with in_order(lines, folder) as found:
            assert list(found) == sorted(set(lines))


def test_what_is_put_aside_has_no_name_and_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a fault of whoever gives the lines."""
    monkeypatch.setattr(module, "PIECE_BYTES", 1)
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    there: list[int] = []

    def lines() -> Iterator[bytes]:
        for _ in range(5):
            there.append(len(list(tmp_path.iterdir())))
            yield b"a\n"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), in_order(lines(), tmp_path):
        pass
    assert there == [0] * 5
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_a_folder_that_is_not_there_is_our_own_error(tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnusable, match="No such file"), in_order([b"a\n"], tmp_path / "no"):
        pass


def test_a_full_disk_is_our_own_error(tmp_path: Path) -> None:
    def full() -> Iterator[bytes]:
        raise OSError(28, "No space left on device")
        yield b""

    with pytest.raises(OutOfSpace), in_order(full(), tmp_path):
        pass


@given(some_lines, some_lines)
def test_lines_are_told_from_those_that_were_there_before(lines: list[bytes], before: list[bytes]) -> None:
    found = told_apart(sorted(set(lines)), sorted(set(before)))
    assert list(found) == [(line, line in before) for line in sorted(set(lines))]


@given(some_lines, some_lines)
def test_so_are_they_where_what_was_there_before_is_out_of_order(before: list[bytes], more: list[bytes]) -> None:
    before = list(dict.fromkeys(before))
    new = sorted(set(more) - set(before))
    assert dict(told_apart(merged(before, new), before)) == {line: line in before for line in (*before, *new)}
