"""What becomes of a command when nobody reads what it says, the disk takes no more of it, or the locale has no code for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from pipelines.archive import Archive, schema
from pipelines.errors import ArchiveUnusable, OutOfSpace
from tests.archive.made import Writer, address, archive_at
from tests.crawler.commands.invoke import ROOT, scrapy

BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
UNBUFFERED = {**BUFFERED, "PYTHONUNBUFFERED": "1"}
ASCII = {**BUFFERED, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        Writer(made).shows("a", 0)
        yield made


@pytest.fixture
def full() -> Iterator[IO[bytes]]:
    with Path("/dev/full").open("wb") as disk:
        yield disk


def untrue(archive: Archive) -> None:
    """Makes `scrapy verify` find something."""
    with archive.catalogue.transaction() as tx:
        tx.execute(schema.capture.update().values(payload_digest="sha256:" + 64 * "0"))


@needs_a_full_disk
@pytest.mark.parametrize("environment", [BUFFERED, UNBUFFERED], ids=["buffered", "unbuffered"])
def test_a_report_that_a_full_disk_does_not_take_is_out_of_space(archive: Archive, full: IO[bytes], environment: dict[str, str]) -> None:
    done = scrapy("status", "--archive", archive.path, capture_output=False, stdout=full, stderr=subprocess.PIPE, env=environment)
    assert done.returncode == OutOfSpace.exit_status
    assert done.stderr.startswith(b"scrapy status: standard output: no space left")
    assert done.stderr.count(b"\n") == 1


@needs_a_full_disk
def test_a_message_that_a_full_disk_does_not_take_leaves_the_status_as_it_is(archive: Archive, full: IO[bytes]) -> None:
    for place, status in ((archive.path, 0), ("/none", ArchiveUnusable.exit_status)):
        done = scrapy("export", "--archive", place, "--to", "-", capture_output=False, stdout=subprocess.DEVNULL, stderr=full, env=BUFFERED)
        assert done.returncode == status


@pytest.mark.parametrize("environment", [BUFFERED, UNBUFFERED], ids=["buffered", "unbuffered"])
def test_a_command_that_nobody_reads_ends_with_its_own_status(archive: Archive, environment: dict[str, str]) -> None:
    untrue(archive)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = scrapy("verify", "--archive", archive.path, capture_output=False, stdout=writer, stderr=subprocess.PIPE, env=environment)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (15, b"")


def test_letters_that_the_locale_has_no_code_for_are_escapes(archive: Archive) -> None:
    done = scrapy("history", address("a"), "--archive", archive.path, env=ASCII)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"\\u")
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ("status --archive {} >&-", ArchiveUnusable.exit_status, "scrapy status: standard output: "),
        ("export --to - --archive {} >&-", ArchiveUnusable.exit_status, "scrapy export: standard output: "),
        ("export --to - --archive {} 2>&- >/dev/null", 0, ""),
        ("status --archive {} <&- >/dev/null", 0, ""),
    ],
)
def test_a_stream_that_is_closed_is_no_traceback(archive: Archive, words: str, status: int, says: str) -> None:
    command = f'exec "$0" -m scrapy {words.format(archive.path)}'
    done = subprocess.run(["sh", "-c", command, sys.executable], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == status
    assert done.stderr.decode().startswith(says)
    assert done.stderr.count(b"\n") == bool(says)
