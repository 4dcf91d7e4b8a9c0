"""The scripts of docs/operations.md do what the page says of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.archive import open_archive
from pipelines.choice import chooser
from pipelines.takedown import Which, alone, takedown
from pipelines.verify import verify
from tests.small_site import START, TELESCOPE, Small, exchange, page, small, url

PAGE = (Path(__file__).parent.parent / "docs" / "operations.md").read_text("utf-8")
HOME, CORPUS, BACKUP = "/srv/china-tech-archive", "/srv/corpus", "/srv/backup/china-tech-archive"
SCRAPY = """#!/bin/sh
echo "$@" >> "{folder}/called"
echo "what $1 said"
exit "$(cat "{folder}/$1.status")"
"""
CRAWL = "crawl china_tech -s CONTACT=you@example.org -L WARNING"


def script(name: str, folder: Path) -> Path:
    """A script of the page, with its places in `folder`."""
    text = next(block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if f"# {name}:" in block)
    for place in (BACKUP, HOME, CORPUS):
        assert PAGE.count(place)
        text = text.replace(place, str(folder / Path(place).relative_to("/srv")))
    path = folder / name
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    status: int
    printed: str
    called: list[str]


def run(folder: Path, *, crawl: int = 0, feed: int = 0) -> Ran:
    """run.sh, with a `scrapy` that ends as it is told."""
    program = folder / "china-tech-archive" / ".venv" / "bin" / "scrapy"
    program.parent.mkdir(parents=True)
    program.write_text(SCRAPY.format(folder=folder), "utf-8")
    program.chmod(0o755)
    for name, status in (("crawl", crawl), ("feed", feed)):
        (folder / f"{name}.status").write_text(str(status), "ascii")
    done = subprocess.run([script("run.sh", folder)], capture_output=True, check=False, text=True)
    assert done.stderr == ""
    return Ran(status=done.returncode, printed=done.stdout, called=(folder / "called").read_text("utf-8").splitlines())


@pytest.mark.parametrize("status", [0, 12])
def test_after_a_run_that_is_good_or_partial_the_corpus_gets_what_changed_and_nobody_is_told(tmp_path: Path, status: int) -> None:
    ran = run(tmp_path, crawl=status)
    assert (ran.status, ran.printed) == (0, "")
    assert ran.called == [CRAWL, f"feed --segments {tmp_path}/corpus/segments"]


@pytest.mark.parametrize("status", [14, 22])
def test_what_was_told_to_end_or_is_at_work_already_is_left_to_the_next_run(tmp_path: Path, status: int) -> None:
    ran = run(tmp_path, crawl=status)
    assert (ran.status, ran.printed, ran.called) == (0, "", [CRAWL])


@pytest.mark.parametrize("status", [1, 2, 10, 11, 13, 20, 21, 23, 24])
def test_a_run_that_somebody_should_look_at_keeps_its_status_and_shows_its_log(tmp_path: Path, status: int) -> None:
    ran = run(tmp_path, crawl=status)
    assert (ran.status, ran.called) == (status, [CRAWL])
    assert ran.printed == f"scrapy crawl ended with {status}, see docs/operations.md:\nwhat crawl said\n"


def test_so_does_a_feed(tmp_path: Path) -> None:
    ran = run(tmp_path, feed=23)
    assert ran.status == 23
    assert ran.printed.startswith("scrapy feed ended with 23")


def test_cron_and_systemd_run_these_scripts() -> None:
    assert re.search(rf"^17 \* \* \* \*  {HOME}/run\.sh$", PAGE, re.MULTILINE)
    assert re.search(rf"^47 2 \* \* \*  {HOME}/backup\.sh$", PAGE, re.MULTILINE)
    assert re.search(rf"^ExecStart={HOME}/run\.sh$", PAGE, re.MULTILINE)


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 program is not here")
def test_a_backup_is_an_archive_again_and_a_takedown_that_came_between_its_copies_is_made_good(tmp_path: Path) -> None:
    """The catalogue is of before, the WARC files of after: as where a takedown falls between the two lines of backup.sh."""
    home = tmp_path / "china-tech-archive"
    home.mkdir()
    made = small(home)
    backup = script("backup.sh", tmp_path)
    subprocess.run([backup], check=True)
    kept = tmp_path / "backup" / "china-tech-archive"
    older = (kept / "catalogue.db").read_bytes()
    made.bring([exchange("later", page(TELESCOPE[:2], "第二面天线启用"), 3)], "later")
    with made.open() as archive, alone(archive):
        takedown(archive, Which(url=url("robot")), "a court said so", START, chooser({"small": made.site}))
    subprocess.run([backup], check=True)
    assert {path.name for path in kept.iterdir()} == {"catalogue.db", "warc", "seeds", "audit.log"}
    assert_true(Small(kept))

    (kept / "catalogue.db").write_bytes(older)
    Small(kept).replay(*kept.glob("warc/*.warc.gz"))  # what the next crawl takes from them is in tests/flows
    assert_true(Small(kept))


def assert_true(made: Small) -> None:
    with open_archive(made.folder) as archive:
        found = verify(archive).as_json()["findings"]
    assert [one for one in found if one["what"] != "index_differs"] == []
