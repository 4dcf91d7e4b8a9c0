"""Files and folders that this user may not use, and files where folders are expected: a message that names them, and nothing made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.archive import Archive
from tests.archive.made import Writer, archive_at
from tests.crawler.commands.invoke import ROOT, invoke

MORTAL = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] if os.geteuid() == 0 else []
"""A root that heeds the modes of files, as everybody else does"""

pytestmark = pytest.mark.skipif(bool(MORTAL) and shutil.which("setpriv") is None, reason="root may read everything here")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        Writer(made).shows("a", 0)
        yield made


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder into which nobody may look."""
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("status --archive {closed}", 21),
        ("status --archive {closed}/archive", 21),
        ("crawl china_tech --archive {closed}/archive", 21),
        ("export --archive {archive} --to {closed}/x.jsonl", 21),
        ("report --archive {archive} --html {closed}/x.html", 21),
        ("feed --archive {archive} --segments {closed}/x", 21),
        ("replay --archive {new} {closed}/x.warc.gz", 21),
        ("replay --archive {new} {closed}", 20),
        ("list -s SEEDS_DIR={closed}", 20),
        ("status --archive {archive} --pidfile {closed}/pid", 2),
    ],
)
def test_what_this_user_may_not_use_is_named(archive: Archive, closed: Path, tmp_path: Path, words: str, status: int) -> None:
    command = words.format(archive=archive.path, closed=closed, new=tmp_path / "new").split()
    done = subprocess.run([*MORTAL, sys.executable, "-m", "scrapy", *command], cwd=ROOT, capture_output=True, check=False)
    said = done.stderr.decode()
    assert done.returncode == status, said
    assert "Traceback" not in said
    assert str(closed) in said
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("words", ["status", "export --to -", "crawl china_tech", "verify"])
def test_a_file_is_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = invoke(capsys, *words.split(), "--archive", tmp_path / "file")
    assert (done.status, done.out) == (21, "")
    assert f"{tmp_path / 'file'}: is no folder. An archive is one" in done.err
