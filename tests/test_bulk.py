"""Many processes hear what one hears that reads from end to end, whatever the pieces, the damage and the deaths."""

from __future__ import annotations

import gzip
import os
import signal
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import bulk, workers
from pipelines.archive.records import encode_record
from pipelines.archive.warc import read_captures, steps_in
from pipelines.bulk import END, Fault, Item, Piece, Read, Stretch, Sweep, offset_of, pieces
from pipelines.errors import ArchiveUnusable
from pipelines.model import Capture, Hints, Reason, Rejection
from pipelines.site import generic_site
from tests.small_site import exchange, url, write_warc

Heard = list[tuple[str, int, Any]]


def told(item: Item, known: Any, read: Read) -> tuple[str, str | None, int] | str:
    """What a record says: its URL, what it was fetched for (which stands in the record before it), and how long it is."""
    return (item.url, item.hints.title, len(item.body)) if isinstance(item, Capture) else item.wrong


def nothing(file: Path, low: int, high: int) -> dict[int, None]:
    return {}


def sequential(file: Path) -> Heard:
    return [(file.name, offset_of(item), told(item, {}, lambda *_: None)) for item in read_captures(file)]


def heard(stretches: Iterator[Stretch[dict[int, Any]]]) -> Heard:
    return [(one.piece.file.name, offset, answer) for one in stretches for offset, answer in one.answers]


def swept(*files: Path, workers: int = 0, work: bulk.Work = told, **how: Any) -> Heard:
    with Sweep(workers, work, nothing) as sweep:
        return heard(sweep.through(files, **how))


def many(folder: Path, count: int = 40, prefix: str = "many", **how: Any) -> Path:
    """Pages of many lengths, each with a metadata record before it that names its link."""
    one = (
        exchange(f"n{n}", os.urandom(37 * (n % 7)) + b"<p>%d</p>" % n, n, hints=Hints(title=f"第{n}条", via="http://a.test/"))
        for n in range(count)
    )
    return write_warc(folder, one, prefix)


def plain(path: Path) -> Path:
    """The same file, not compressed."""
    raw, rest = b"", path.read_bytes()
    while rest:
        inflater = zlib.decompressobj(wbits=31)
        raw += inflater.decompress(rest)
        rest = inflater.unused_data
    target = path.with_name(path.name.removesuffix(".gz"))
    target.write_bytes(raw)
    return target


# ── the same as one reader ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [1, 100, 700, 5_000, bulk.PIECE])
def test_every_capture_is_heard_once_and_in_order_whatever_the_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(bulk, "PIECE", size)
    gzipped = many(tmp_path)
    for file in (gzipped, plain(gzipped)):
        assert swept(file) == sequential(file)
        assert len(sequential(file)) == 40


@pytest.mark.parametrize("held", [0, 100, bulk.HELD])
def test_how_many_bodies_are_read_before_the_first_is_worked_on_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(bulk, "HELD", held)
    file = many(tmp_path)
    assert swept(file) == sequential(file)
    began: list[int] = []
    monkeypatch.setattr(bulk, "steps_in", watched(steps_in, began))
    waiting = swept(file, work=lambda _item, _known, _read: len(began))
    assert (waiting[0][2] == 1) is (held == 0), "bodies wait, or they do not"


def watched(reading: Callable[..., Iterator[bulk.Step]], began: list[int]) -> Callable[..., Iterator[bulk.Step]]:
    """Counts the captures that were read so far."""

    def steps(*args: Any, **how: Any) -> Iterator[bulk.Step]:
        for step in reading(*args, **how):
            if isinstance(step, Capture):
                began.append(bulk.offset_of(step))
            yield step

    return steps


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_number_of_processes_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(bulk, "PIECE", 1_500)
    files = [many(tmp_path, 30, prefix=f"many{n}") for n in range(3)]
    assert swept(*files, workers=count) == [one for file in files for one in sequential(file)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file whose pages are WARC files, some of them: compressed, and not."""
    folder = tmp_path_factory.mktemp("sound")
    inner = many(folder / "inner", 3).read_bytes()
    bodies = [inner if n % 5 == 2 else b"<p>%d</p>" % n for n in range(12)]
    file = write_warc(folder, [exchange(f"n{n}", body, n, hints=Hints(title=str(n))) for n, body in enumerate(bodies)])
    return file, plain(file)


Damage = tuple[str, float, int]
damages = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "insert", "double", "end"]), st.floats(0, 1, exclude_max=True), st.integers(1, 500)),
    max_size=4,
)


def damage(raw: bytes, done: list[Damage]) -> bytes:
    """Some bytes of a file flipped, lost, doubled, or put in; or its end lost."""
    for what, share, size in done:
        at = int(share * len(raw))
        match what:
            case "flip":
                raw = raw[:at] + bytes([raw[at] ^ (size % 255 + 1)]) + raw[at + 1 :]
            case "cut":
                raw = raw[:at] + raw[at + size :]
            case "insert":
                raw = raw[:at] + b"\x1f\x8b\x08\nWARC/1.1\r\n" + raw[at:]
            case "double":
                raw = raw[: at + size] + raw[at:]
            case "end":
                raw = raw[:at]
        if not raw:
            break
    return raw


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=damages, size=st.integers(50, 3_000), is_plain=st.booleans())
def test_damage_anywhere_is_heard_as_one_reader_hears_it(
    sound: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, done: list[Damage], size: int, is_plain: bool
) -> None:
    monkeypatch.setattr(bulk, "PIECE", size)
    file = sound[0].with_name("damaged.warc")
    file.write_bytes(damage(sound[is_plain].read_bytes(), done))
    assert swept(file) == sequential(file)


def test_a_record_larger_than_many_pieces_is_read_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 300)
    file = write_warc(tmp_path, [exchange("a", b"1", 0), exchange("b", os.urandom(20_000), 1), exchange("c", b"3", 2)])
    assert swept(file) == sequential(file)
    assert swept(file, workers=1) == sequential(file)


def test_records_that_are_no_captures_are_joints_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of texts alone (WET) is read in pieces as well, not to its end by each of them."""
    monkeypatch.setattr(bulk, "PIECE", 1_000)
    head = [("WARC-Type", "conversion"), ("WARC-Target-URI", "http://a.test/"), ("WARC-Date", "2026-01-01T00:00:00Z")]
    wet = tmp_path / "wet.warc.gz"
    wet.write_bytes(b"".join(encode_record([*head, ("WARC-Record-ID", f"<urn:uuid:{n}>")], os.urandom(300)) for n in range(30)))
    with Sweep(0, told, nothing) as sweep:
        ends = [one.end.behind for one in sweep.through([wet])]
    assert len(ends) > 5
    assert all(behind is not None and behind >= 1_000 * n for n, behind in enumerate(ends[:-2], 1))


def test_a_file_compressed_as_a_whole_is_heard_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST", 3)
    file = tmp_path / "whole.warc.gz"
    file.write_bytes(gzip.compress(plain(many(tmp_path, 20)).read_bytes()))
    assert [answer for _, _, answer in swept(file)] == [answer for _, _, answer in sequential(file)]
    assert len(swept(file)) == 20


def test_a_task_reads_so_many_captures_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST", 3)
    file = many(tmp_path, 20)
    assert swept(file) == sequential(file)


def test_a_sweep_goes_on_behind_any_stretch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 900)
    files = [many(tmp_path, 20, "a"), many(tmp_path, 20, "b")]
    with Sweep(0, told, nothing) as sweep:
        stretches = list(sweep.through(files))
    for number, stretch in enumerate(stretches, 1):
        rest = files[files.index(stretch.end.file) :]
        assert swept(*rest, after=stretch.end) == heard(iter(stretches[number:]))


def test_a_file_that_is_not_there_has_no_captures_and_one_without_a_byte_neither(tmp_path: Path) -> None:
    (tmp_path / "empty.warc.gz").touch()
    assert swept(tmp_path / "lost.warc.gz", tmp_path / "empty.warc.gz") == []


def test_a_file_that_nobody_may_read_is_the_archives_fault(tmp_path: Path) -> None:
    (tmp_path / "folder.warc.gz").mkdir()
    for count in (0, 1):
        with pytest.raises(ArchiveUnusable, match=r"folder\.warc\.gz"):
            swept(tmp_path / "folder.warc.gz", workers=count)


# ── what the catalogue knows ─────────────────────────────────────────────────────────────────────────────────────────


def known_there(item: Item, known: Any, read: Read) -> bool:
    return offset_of(item) in known


@pytest.mark.parametrize("size", [200, 1_000, bulk.PIECE])
def test_rows_are_known_where_their_captures_are_however_wrong_the_rows_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Also behind rows that name places where nothing begins; and those are told, each once."""
    monkeypatch.setattr(bulk, "PIECE", size)
    file = many(tmp_path)
    true = [offset for _, offset, _ in sequential(file)]
    false = [offset + step for offset in true[3:30] for step in (-3, 5)] + [file.stat().st_size + 10]
    rows = sorted({*true[:20], *true[21:], *false})

    def ask(_: Path, low: int, high: int) -> dict[int, None]:
        behind = next((row for row in rows if row >= high), high)
        return dict.fromkeys(row for row in rows if low <= row <= behind)

    with Sweep(0, known_there, ask) as sweep:
        stretches = list(sweep.through([file]))
    assert [offset for _, offset, known in heard(iter(stretches)) if not known] == [true[20]]
    assert sorted(one for stretch in stretches for one in stretch.unheard(rows)) == sorted(false)


# ── what goes wrong in a process ─────────────────────────────────────────────────────────────────────────────────────


def hazardous(item: Item, known: Any, read: Read) -> object:
    """Reads a page as `read` would that hangs, dies, eats or fails on some."""
    assert isinstance(item, Capture)
    refused = read(item, generic_site()) if read.__name__ == "<lambda>" else None
    if refused is not None:
        return refused
    if b"hangs" in item.body:
        time.sleep(60)
    if b"dies" in item.body:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"eats" in item.body:
        return len(bytearray(2 * workers.MEMORY_A_WORKER))
    if b"fails" in item.body:
        raise KeyError("a line of ours")
    return item.url


def test_pages_that_hang_die_eat_or_fail_cost_themselves_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 2_000)
    monkeypatch.setattr(bulk, "SECONDS_A_PAGE", 1.5)
    bad = {7: b"hangs", 11: b"dies", 12: b"dies", 17: b"eats", 25: b"fails"}
    file = write_warc(tmp_path, [exchange(f"n{n}", bad.get(n, b"good"), n) for n in range(40)])
    answers = [answer for _, _, answer in swept(file, workers=2, work=hazardous)]
    assert [answer for n, answer in enumerate(answers) if n not in bad] == [url(f"n{n}") for n in range(40) if n not in bad]
    assert all(isinstance(answers[n], Rejection) and answers[n].reason is Reason.TOO_EXPENSIVE for n in (7, 11, 12, 17))
    assert "took more than" in answers[7].detail
    fault = answers[25]
    assert isinstance(fault, Fault)
    assert (fault.capture.url, fault.capture.body) == (url("n25"), b"")
    assert "KeyError: 'a line of ours'" in fault.trace


def dies_once(item: Item, known: Any, read: Read) -> str:
    """As a process that somebody kills: the machine, short of memory, or a hand."""
    assert isinstance(item, Capture)
    mark = Path(item.header("X-Mark") or "")
    if mark.name == "mark" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item.url


def test_a_process_that_is_killed_loses_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 2_000)
    mark = {"headers": (("X-Mark", str(tmp_path / "mark")),)}
    file = write_warc(tmp_path / "warcs", [exchange(f"n{n}", b"x", n, **(mark if n == 9 else {})) for n in range(30)])
    assert [answer for _, _, answer in swept(file, workers=2, work=dies_once)] == [url(f"n{n}") for n in range(30)]
    assert (tmp_path / "mark").exists()


def waits(item: Item, known: Any, read: Read) -> str:
    """Until somebody says go."""
    assert isinstance(item, Capture)
    while not Path(item.header("X-Go") or "").exists():
        time.sleep(0.01)
    return item.url


def test_the_catalogue_is_asked_little_ahead_of_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it knows of a piece may be many texts."""
    monkeypatch.setattr(bulk, "PIECE", 2_000)
    headers = (("X-Go", str(tmp_path / "go")),)
    file = write_warc(tmp_path / "warcs", [exchange(f"n{n}", os.urandom(500), n, headers=headers) for n in range(60)])
    asked: list[int] = []
    before_go: list[int] = []

    def go() -> None:
        before_go.append(len(asked))
        (tmp_path / "go").touch()

    def ask(file: Path, low: int, high: int) -> dict[int, None]:
        asked.append(low)
        return {}

    timer = threading.Timer(0.5, go)
    timer.start()
    with Sweep(2, waits, ask) as sweep:
        assert [answer for _, _, answer in heard(sweep.through([file]))] == [url(f"n{n}") for n in range(60)]
    assert before_go[0] <= 1 + 2 * bulk.READY < len(asked)


def test_a_fault_of_the_archive_itself_ends_the_work(tmp_path: Path) -> None:
    file = many(tmp_path, 3)
    for count in (0, 1):
        with pytest.raises(ArchiveUnusable, match="no disk"):
            swept(file, workers=count, work=no_disk)


def no_disk(item: Item, known: Any, read: Read) -> None:
    raise ArchiveUnusable("There is no disk.")


def test_pieces_cover_a_file_without_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 100)
    file = tmp_path / "x.warc"
    for size in (0, 1, 99, 100, 101, 250):
        file.write_bytes(bytes(size))
        cut = list(pieces(file))
        assert (cut[0].start, cut[-1].stop) == (0, END)
        assert [one.stop for one in cut[:-1]] == [one.start for one in cut[1:]]
    assert [one.start for one in pieces(file, Piece(file=file, start=200, stop=END, behind=170))] == [200]
