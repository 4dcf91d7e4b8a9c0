"""Replay keeps the CDXJ index in step with the WARC files, takes WACZ packages, and knows what a revisit stands for."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from warcio.checker import Checker

from pipelines.archive import schema
from pipelines.archive.cdxj import CdxjIndex
from pipelines.archive.records import sha256
from pipelines.archive.wacz import write_wacz
from pipelines.archive.warc import Exchange, read_captures
from pipelines.choice import chooser
from pipelines.errors import ArchiveUnusable
from pipelines.model import Capture
from pipelines.takedown import Which, alone, takedown
from pipelines.verify import verify
from tests.archive.test_cdxj import PYWB, REPLAY
from tests.small_site import BATTERY, ROBOT, START, Small, confirmation, exchange, page, site, small, url, usual, write_warc


def indexed(made: Small) -> list[tuple[str, int]]:
    with made.open() as archive:
        return sorted((entry.filename, entry.offset) for entry in archive.index.entries())


def stored(made: Small) -> list[tuple[str, int]]:
    """The places of all captures that an index tells of: all but 304s."""
    found = [capture for path in (made.folder / "warc").iterdir() for capture in read_captures(path)]
    return sorted((one.warc.file, one.warc.offset) for one in found if isinstance(one, Capture) and one.warc and one.status != 304)


def outcomes(made: Small, name: str) -> list[str]:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        wanted = sa.select(schema.capture.c.outcome).where(schema.capture.c.url == url(name))
        return list(tx.scalars(wanted.order_by(schema.capture.c.fetched_at)))


def identical(name: str, day: float, of: str | None = None, of_day: float = 0) -> Exchange:
    """A page that came again, byte for byte, and is stored as a revisit."""
    body = page(ROBOT)
    return exchange(name, body, day, refers_to=(url(of or name), START + timedelta(days=of_day)), original_digest=sha256(body))


def test_every_capture_that_was_replayed_has_its_line(tmp_path: Path) -> None:
    made = small(tmp_path)
    assert len(stored(made)) == 6
    assert indexed(made) == stored(made)


def test_a_second_replay_adds_no_line(tmp_path: Path) -> None:
    made = small(tmp_path)
    made.replay(made.warcs[0])
    assert indexed(made) == stored(made)


def test_a_replay_that_goes_on_gives_lines_to_what_it_did_not_finish(tmp_path: Path) -> None:
    made = small(tmp_path)
    (made.folder / "indexes/index.cdxj").unlink()
    made.replay(made.warcs[0])
    assert indexed(made) == stored(made)


def test_the_lines_of_one_file_are_made_anew_and_those_of_others_stay(tmp_path: Path) -> None:
    first, second = write_warc(tmp_path, usual(), "a"), write_warc(tmp_path, usual(), "b")
    index = CdxjIndex(tmp_path)
    index.rebuild([first, second])
    whole = index.path.read_bytes()
    index.add([Capture(url="http://x/", fetched_at=START, status=200, headers=(), body=b"", warc=next(_places(first)).warc)])
    assert index.replace([first]) == []
    assert index.path.read_bytes() == whole
    assert not list(tmp_path.glob("*.renewed*"))


def _places(path: Path) -> filter[Capture]:
    return filter(lambda one: isinstance(one, Capture), read_captures(path))  # type: ignore[arg-type]


def test_a_file_that_is_gone_loses_its_lines(tmp_path: Path) -> None:
    first, second = write_warc(tmp_path, usual(), "a"), write_warc(tmp_path, usual(), "b")
    index = CdxjIndex(tmp_path)
    index.rebuild([first, second])
    first.unlink()
    index.replace([first])
    assert {entry.filename for entry in index.entries()} == {second.name}


def test_what_cannot_be_read_is_told_when_lines_are_made_anew(tmp_path: Path) -> None:
    path = write_warc(tmp_path, usual())
    path.write_bytes(path.read_bytes()[:-20])
    index = CdxjIndex(tmp_path)
    assert len(index.rebuild([path])) == len(index.replace([path])) == 1


def test_warcio_finds_nothing_wrong_with_what_is_archived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = small(tmp_path, [*usual(), identical("robot", 2)])
    for path in (made.folder / "warc").iterdir():
        checker = Checker(type("Arguments", (), {"inputs": [str(path)], "verbose": False})())
        checker.process_all()
        assert checker.exit_value == 0, capsys.readouterr().out


@pytest.mark.skipif(not PYWB.exists(), reason="no pywb in .bench-venvs/pywb: `make test-pywb` makes it")
def test_pywb_shows_the_pages_of_an_archive_as_it_lies(tmp_path: Path) -> None:
    made = small(tmp_path, [*usual(), identical("robot", 2)])
    collection = tmp_path / "collections" / "a"
    shutil.copytree(made.folder / "warc", collection / "archive")  # pywb's walk over folders follows no links
    shutil.copytree(made.folder / "indexes", collection / "indexes")
    urls = [f"/a/{START + timedelta(days=day):%Y%m%d%H%M%S}id_/{url('robot')}" for day in (0, 2)]
    done = subprocess.run([PYWB, "-W", "ignore", "-c", REPLAY, tmp_path, *urls], capture_output=True, text=True, check=True)
    answers = [line for line in done.stdout.splitlines() if line.startswith("answer|")]
    assert [answer.split("|", 3)[3] for answer in answers] == [page(ROBOT).decode()] * 2


@pytest.mark.skipif(not PYWB.exists(), reason="no pywb in .bench-venvs/pywb: `make test-pywb` makes it")
def test_pywb_shows_the_other_pages_of_an_archive_in_which_one_was_taken_down_by_its_own_index_too(tmp_path: Path) -> None:
    made = small(tmp_path)
    with made.open() as archive, alone(archive):
        takedown(archive, Which(url=url("battery")), "asked", START, lambda _: site())
    collection = tmp_path / "collections" / "a"
    shutil.copytree(made.folder / "warc", collection / "archive")
    (collection / "indexes").mkdir()
    files = sorted(map(str, (collection / "archive").iterdir()))
    indexing = "import sys; from pywb.indexer.cdxindexer import main; main(sys.argv[1:])"
    subprocess.run([PYWB, "-W", "ignore", "-c", indexing, "-s", "-j", "-o", collection / "indexes" / "index.cdxj", *files], check=True)
    assert "takedown-" not in (collection / "indexes" / "index.cdxj").read_text()
    done = subprocess.run([PYWB, "-W", "ignore", "-c", REPLAY, tmp_path, *_asked("robot")], capture_output=True, text=True, check=True)
    assert [line.split("|", 3)[3] for line in done.stdout.splitlines() if line.startswith("answer|")] == [page(ROBOT).decode()]


def _asked(name: str) -> list[str]:
    return [f"/a/{START:%Y%m%d%H%M%S}id_/{url(name)}"]


# ── packages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_package_is_replayed_like_the_files_in_it(tmp_path: Path) -> None:
    packed = [write_warc(tmp_path / "in", usual()[:3], "a"), write_warc(tmp_path / "in", usual()[3:], "b")]
    package = tmp_path / "all.wacz"
    write_wacz(package, packed, software="tests/1", created=START)
    made = small(tmp_path, usual()[:1])
    tally = made.replay(package)
    assert sum(tally.outcomes.values()) == 7
    assert tally.is_whole
    assert {path.name for path in packed} <= {path.name for path in (made.folder / "warc").iterdir()}
    assert not list(made.folder.glob("wacz-*"))
    assert made.replay(package).known == 7


def test_a_package_with_a_damaged_file_is_told_and_read_as_far_as_it_goes(tmp_path: Path) -> None:
    package = tmp_path / "all.wacz"
    warc = write_warc(tmp_path / "in", usual())
    write_wacz(package, [warc], software="tests/1", created=START)
    raw, inside = package.read_bytes(), warc.read_bytes()
    at = raw.index(inside) + len(inside) - 30
    package.write_bytes(raw[:at] + bytes([raw[at] ^ 255]) + raw[at + 1 :])
    tally = small(tmp_path, usual()[:1]).replay(package)
    assert not tally.is_whole
    assert sum(tally.outcomes.values()) == 6


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    made = small(tmp_path)
    (tmp_path / "no.wacz").write_bytes(b"no package")
    with pytest.raises(ArchiveUnusable, match="WACZ"):
        made.replay(tmp_path / "no.wacz")


def test_an_index_that_was_deleted_is_made_whole_by_whatever_writes_into_it(tmp_path: Path) -> None:
    made = small(tmp_path)
    shutil.rmtree(made.folder / "indexes")
    with made.open() as archive:
        archive.index.replace([])
        assert not archive.index.path.exists()
    made.bring([exchange("robot", page(BATTERY), 2)], "later")
    with made.open() as archive:
        assert verify(archive).passed
        assert archive.index.path.exists()


# ── revisits ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_that_came_again_byte_for_byte_is_unchanged(tmp_path: Path) -> None:
    made = small(tmp_path)
    made.bring([identical("robot", 2)], "later")
    assert outcomes(made, "robot") == ["new", "not_modified", "unchanged"]


def test_a_revisit_in_the_file_of_its_original_is_found_before_anything_is_committed(tmp_path: Path) -> None:
    made = small(tmp_path, [exchange("robot", page(ROBOT)), identical("robot", 2)])
    assert outcomes(made, "robot") == ["new", "unchanged"]


def test_a_revisit_of_another_url_has_its_payload(tmp_path: Path) -> None:
    made = small(tmp_path)
    made.bring([identical("robot-again", 2, of="robot")], "later")
    assert outcomes(made, "robot-again") == ["duplicate"]


def test_a_revisit_whose_original_is_nowhere_confirms_and_does_not_deny(tmp_path: Path) -> None:
    made = small(tmp_path)
    other = page(BATTERY)
    made.bring([exchange("robot", other, 2, refers_to=(url("robot"), START - timedelta(days=30)), original_digest=sha256(other))], "later")
    assert outcomes(made, "robot") == ["new", "not_modified", "not_modified"]


def test_a_revisit_of_a_revisit_is_not_followed(tmp_path: Path) -> None:
    made = small(tmp_path, [exchange("robot", page(ROBOT)), confirmation("robot", 1), identical("robot", 2, of_day=1)])
    assert outcomes(made, "robot") == ["new", "not_modified", "not_modified"]


def test_an_original_that_is_damaged_is_as_good_as_none(tmp_path: Path) -> None:
    made = small(tmp_path, [exchange("robot", page(ROBOT))])
    path = next((made.folder / "warc").iterdir())
    path.write_bytes(path.read_bytes()[:-20])
    made.bring([identical("robot", 2)], "later")
    assert outcomes(made, "robot") == ["new", "not_modified"]


def test_a_page_that_was_kept_again_stands_in_for_an_original_that_is_damaged(tmp_path: Path) -> None:
    made = small(tmp_path, [exchange("robot", page(ROBOT))])
    path = next((made.folder / "warc").iterdir())
    path.write_bytes(path.read_bytes()[:-20])
    made.bring([exchange("robot", page(BATTERY), 2), exchange("robot", page(ROBOT), 3)], "later")
    made.bring([identical("robot", 4)], "last")
    assert outcomes(made, "robot") == ["new", "revision", "revision", "unchanged"]


# ── files that were compressed as a whole ────────────────────────────────────────────────────────────────────────────


def as_a_whole(path: Path) -> Path:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())))
    return path


def test_every_page_of_a_file_that_was_compressed_as_a_whole_comes_in(tmp_path: Path) -> None:
    made = Small(tmp_path / "archive")
    path = as_a_whole(write_warc(tmp_path, usual()))
    tally = made.replay(path)
    assert sum(tally.outcomes.values()) == 7
    assert made.replay(path).known == 7
    assert [one.suffix for one in (made.folder / "warc").iterdir()] == [".warc"]
    assert indexed(made) == stored(made)
    with made.open() as archive:
        assert verify(archive).findings == []


def test_one_that_breaks_off_comes_in_as_far_as_it_goes(tmp_path: Path) -> None:
    made = Small(tmp_path / "archive")
    path = as_a_whole(write_warc(tmp_path, usual()))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    tally = made.replay(path)
    assert 2 <= sum(tally.outcomes.values()) < 7
    assert len(tally.damaged) == 1


def test_what_was_taken_down_out_of_such_a_file_stays_away_when_it_is_replayed_again(tmp_path: Path) -> None:
    made = Small(tmp_path / "archive")
    path = as_a_whole(write_warc(tmp_path, usual()))
    made.replay(path)
    with made.open() as archive, alone(archive):
        takedown(archive, Which(url=url("robot")), "test", START, chooser({"small": made.site}))
    tally = made.replay(path)
    assert (tally.known, sum(tally.outcomes.values())) == (5, 0)
    assert len(list((made.folder / "warc").glob("small-*"))) == 1
