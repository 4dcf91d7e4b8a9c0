"""The library that docs/library.md shows is the one that there is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import pipelines
from pipelines.archive import Archive
from pipelines.errors import ArchiveUnusable
from pipelines.model import Rights
from tests.archive.made import OTHER, STORY, Writer, archive_at

ROOT = Path(__file__).parent.parent
PAGE, WHOLE = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "library.md").read_text("utf-8"), re.DOTALL)


def printed(program: str, folder: Path, body: bytes = b"") -> str:
    """What an example of the documentation prints, run in a folder."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"body = {body!r}\n{program}"], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_the_example_of_a_page_gives_the_article(tmp_path: Path) -> None:
    page = ROOT / "tests" / "pages" / "china_tech" / "founder-a"
    expected = json.loads((page / "expected.json").read_bytes())
    said = printed(PAGE, tmp_path, (page / "page.html").read_bytes())
    assert said.startswith(f"{expected['title']} {datetime.fromisoformat(expected['published'])} ({expected['paragraphs'][0]!r}, ")


def test_the_example_of_a_page_tells_why_it_is_no_article(tmp_path: Path) -> None:
    page = ROOT / "tests" / "pages" / "web" / "captcha"
    assert printed(PAGE, tmp_path, (page / "page.html").read_bytes()).startswith("captcha ")


def test_the_example_of_an_archive_goes_through_it_and_writes_it_down(tmp_path: Path) -> None:
    with archive_at(tmp_path / "archive") as made:
        writer = Writer(made)
        writer.shows("a", 0)
        writer.shows("b", 0, OTHER, rights=Rights(reserved={"train": True}))
        writer.shows("c", 0, STORY)
    lines = printed(WHOLE, tmp_path).splitlines()
    assert lines[1:] == ["1 {'copy': 1, 'reserved/train': 1} 3"]
    assert lines[0].endswith("机器人装好一台整机 china_tech-1.warc.gz")
    assert pq.read_table(tmp_path / "corpus.parquet").num_rows == 1


def test_an_archive_is_opened_by_its_folder_as_text_or_path(tmp_path: Path) -> None:
    archive_at(tmp_path / "archive").close()
    for path in (tmp_path / "archive", str(tmp_path / "archive")):
        with pipelines.open_archive(path) as archive:
            assert isinstance(archive, Archive)
            assert archive.path == tmp_path / "archive"


def test_where_there_is_no_archive_none_is_made(tmp_path: Path) -> None:
    for place in (tmp_path / "none", tmp_path):
        with pytest.raises(ArchiveUnusable):
            pipelines.open_archive(place)
    assert list(tmp_path.iterdir()) == []


def test_importing_the_package_imports_nothing_that_is_heavy() -> None:
    program = "import sys, pipelines; print(sorted({'scrapy', 'twisted', 'lxml', 'sqlalchemy', 'trafilatura', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"[]\n"


def test_an_installed_package_reads_pages_by_the_rules_of_their_sites(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    program = "import pipelines, pipelines.choice; print(pipelines.__file__, pipelines._chooser()('http://tech.china.com.cn/a').name)"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path / "installed", capture_output=True, check=True, text=True)
    assert done.stdout.split() == [str(tmp_path / "installed" / "pipelines" / "__init__.py"), "china_tech"]
