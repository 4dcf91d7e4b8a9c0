"""A package holds the WARC files byte for byte, and what comes out of a damaged one is told and kept."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.archive.cdxj import parse_line
from pipelines.archive.wacz import unpack_wacz, write_wacz
from pipelines.archive.warc import Exchange, WarcWriter, read_captures
from pipelines.errors import ArchiveUnusable, ConfigurationError, DamagedRecord
from pipelines.model import Capture, Hints, Kind

MOMENT = datetime(2026, 11, 1, 12, 0, 0, 5_000, tzinfo=UTC)
HTML = (("Content-Type", "text/html; charset=utf-8"),)


@pytest.fixture
def warcs(tmp_path: Path) -> list[Path]:
    """Two files: two articles with a robots.txt and a missing page between them."""
    exchanges = [
        Exchange(
            url="http://a.example/1", fetched_at=MOMENT, status=200, headers=HTML, body=os.urandom(9_000), hints=Hints(title="电池工厂")
        ),
        Exchange(url="http://a.example/robots.txt", fetched_at=MOMENT, status=200, body=b"User-agent: *", kind=Kind.ROBOTS),
        Exchange(url="http://a.example/2", fetched_at=MOMENT, status=404, headers=HTML),
        Exchange(url="http://a.example/3", fetched_at=MOMENT + timedelta(minutes=1), status=200, headers=HTML, body=b"<p>3</p>"),
    ]
    with WarcWriter(tmp_path / "warc", prefix="p", software="s", rules={}, max_bytes=9_000) as writer:
        for exchange in exchanges:
            writer.write(exchange)
    return sorted((tmp_path / "warc").iterdir())


@pytest.fixture
def package(warcs: list[Path], tmp_path: Path) -> Path:
    path = tmp_path / "a.wacz"
    assert write_wacz(path, warcs, software="archive/1.0", created=MOMENT, title="测试") == []
    return path


def contents(folder: list[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder}


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x40
    path.write_bytes(content)


def test_warc_files_come_out_as_they_went_in(package: Path, warcs: list[Path], tmp_path: Path) -> None:
    out, damage = unpack_wacz(package, tmp_path / "out")
    assert damage == []
    assert contents(out) == contents(warcs)
    assert len(warcs) == 2


def test_nothing_in_the_package_is_compressed_again_and_zipfile_finds_it_whole(package: Path) -> None:
    with zipfile.ZipFile(package) as opened:
        assert opened.testzip() is None
        assert {entry.compress_type for entry in opened.infolist()} == {zipfile.ZIP_STORED}


def test_the_datapackage_describes_every_resource_and_its_digest_is_there(package: Path) -> None:
    with zipfile.ZipFile(package) as opened:
        raw = opened.read("datapackage.json")
        described = json.loads(raw)
        assert json.loads(opened.read("datapackage-digest.json")) == {
            "path": "datapackage.json",
            "hash": f"sha256:{hashlib.sha256(raw).hexdigest()}",
        }
        for resource in described.pop("resources"):
            content = opened.read(resource["path"])
            assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
            assert resource["bytes"] == len(content)
            assert resource["path"].endswith(resource["name"])
    assert described == {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "title": "测试",
        "software": "archive/1.0",
        "created": "2026-11-01T12:00:00Z",
    }


def test_the_index_leads_into_the_stored_files(package: Path) -> None:
    with zipfile.ZipFile(package) as opened:
        entries = [parse_line(line) for line in opened.read("indexes/index.cdxj").splitlines()]
        assert [entry.url for entry in entries] == [f"http://a.example/{name}" for name in ("1", "2", "3", "robots.txt")]
        for entry in entries:
            warc = opened.read(f"archive/{entry.filename}")
            assert warc[entry.offset : entry.offset + 3] == b"\x1f\x8b\x08"


def test_pages_are_the_html_that_was_found(package: Path) -> None:
    with zipfile.ZipFile(package) as opened:
        head, *pages = map(json.loads, opened.read("pages/pages.jsonl").splitlines())
    assert head == {"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}
    assert [(page["url"], page["title"], page["ts"]) for page in pages] == [
        ("http://a.example/1", "电池工厂", "2026-11-01T12:00:00.005Z"),
        ("http://a.example/3", "http://a.example/3", "2026-11-01T12:01:00.005Z"),
    ]


def test_equal_input_makes_equal_packages(package: Path, warcs: list[Path], tmp_path: Path) -> None:
    write_wacz(tmp_path / "b.wacz", warcs, software="archive/1.0", created=MOMENT, title="测试")
    assert (tmp_path / "b.wacz").read_bytes() == package.read_bytes()


def test_a_damaged_warc_file_is_packed_and_told(warcs: list[Path], tmp_path: Path) -> None:
    os.truncate(warcs[1], warcs[1].stat().st_size - 1)
    (damage,) = write_wacz(tmp_path / "a.wacz", warcs, software="s", created=MOMENT)
    assert damage.file == warcs[1].name
    assert contents(unpack_wacz(tmp_path / "a.wacz", tmp_path / "out")[0]) == contents(warcs)


def test_two_files_of_one_name_are_refused(warcs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="stands twice"):
        write_wacz(tmp_path / "a.wacz", [warcs[0], warcs[0]], software="s", created=MOMENT)
    assert not (tmp_path / "a.wacz").exists()


def test_a_missing_warc_file_leaves_no_package(tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnusable, match="No such file"):
        write_wacz(tmp_path / "a.wacz", [tmp_path / "none.warc.gz"], software="s", created=MOMENT)
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_byte_is_told_and_the_other_records_are_read(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as opened:
        first = opened.infolist()[0]
    flip(package, first.header_offset + 5_000)
    out, (damage,) = unpack_wacz(package, tmp_path / "out")
    assert (damage.file, damage.wrong) == ("a.wacz", f"{first.filename} is not what datapackage.json says")
    read = [found for path in out for found in read_captures(path)]
    assert [type(found) for found in read] == [DamagedRecord, Capture, Capture, Capture]


def test_packages_of_others_are_unpacked_without_a_datapackage_and_deflated(warcs: list[Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.wacz", "w", zipfile.ZIP_DEFLATED) as made:
        made.write(warcs[0], "archive/deep/x.warc.gz")
        made.writestr("archive/../../x.warc", b"")
        made.writestr("archive/notes.txt", b"")
        made.writestr("x.warc.gz", b"")
        made.writestr("datapackage.json", b"[]")
    out, damage = unpack_wacz(tmp_path / "a.wacz", tmp_path / "out")
    assert damage == []
    assert [path.relative_to(tmp_path).as_posix() for path in out] == ["out/..-..-x.warc", "out/deep-x.warc.gz"]
    assert out[1].read_bytes() == warcs[0].read_bytes()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"..-..-x.warc", "deep-x.warc.gz"}


def test_a_deflated_entry_that_is_damaged_is_told(warcs: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("archive/x.warc", b"WARC/1.0\r\n" * 5_000)
    flip(path, 60)
    _, (damage,) = unpack_wacz(path, tmp_path / "out")
    assert damage.wrong.startswith("archive/x.warc is damaged")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 but no more", b"<html>"])
def test_what_is_no_zip_file_is_our_own_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.wacz").write_bytes(content)
    with pytest.raises(ArchiveUnusable, match="Expected a WACZ file"):
        unpack_wacz(tmp_path / "a.wacz", tmp_path / "out")


def test_a_zip_file_without_warcs_and_a_missing_file_are_our_own_errors(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.wacz", "w") as made:
        made.writestr("archive/", b"")
    with pytest.raises(ArchiveUnusable, match=r"no archive/\*\.warc"):
        unpack_wacz(tmp_path / "a.wacz", tmp_path / "out")
    with pytest.raises(ArchiveUnusable, match="No such file"):
        unpack_wacz(tmp_path / "none.wacz", tmp_path / "out")
