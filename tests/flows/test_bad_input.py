"""What a person got wrong, or the machine: a message that says what to do, a status of its own, and nothing written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from scrapy.settings import Settings

from crawler.health import PARTIAL
from crawler.run import run
from pipelines.errors import ArchiveError, ArchiveUnusable, ConfigurationError, SeedsError
from tests.flows import crawling
from tests.replica import Replica

pytestmark = pytest.mark.xdist_group("bad input")

SEEDS = """\
name = "china_tech"
publisher = "试验台"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["tech.china.com.cn"]

[discover]
listings = ["http://tech.china.com.cn/bc/"]
article = ['/(?P<date>\\d{8})/(?P<id>\\d+)\\.shtml$']

[[layout]]
name = "T3"
title = ["h1"]
body = ["#fontzoom"]
"""


def seeds_with(folder: Path, old: str, new: str) -> Path:
    assert old in SEEDS
    folder.mkdir()
    (folder / "china_tech.toml").write_text(SEEDS.replace(old, new), encoding="utf-8")
    return folder


def refused(archive: Path, *options: str, seeds: Path = crawling.SEEDS) -> tuple[int, str]:
    """Status and message of a crawl that must not begin; no replica, so that a request would fail loudly."""
    done = crawling.crawl(None, archive, *options, seeds=seeds)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def unopened(archive: Path, seeds: Path = crawling.SEEDS, **arguments: str) -> ArchiveError:
    """What a crawl raises before it has opened anything; in this process, for a start of Python costs two seconds."""
    settings = Settings()
    settings.setmodule("crawler.settings")
    settings.setdict({"ARCHIVE_DIR": str(archive), "SEEDS_DIR": str(seeds)})
    with pytest.raises(ArchiveError) as raised:
        run(settings, crawling.SITE, arguments)
    assert not archive.exists()
    return raised.value


WRONG = {
    "key": ("publisher =", "publsher =", ("publsher", "publisher")),
    "type": ('language = "zh"', "language = 7", ("language", "7")),
    "regex": (r"\d{8})/", r"\d{8}/", ("discover.article", "regular expression")),
    "selector": ('body = ["#fontzoom"]', 'body = ["div[["]', ("layout[0].body", "selector")),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_seeds_file_is_named_with_its_key(folder: Path, tmp_path: Path, kind: str) -> None:
    old, new, said = WRONG[kind]
    error = unopened(folder, seeds_with(tmp_path / "seeds", old, new))
    assert isinstance(error, SeedsError)
    assert all(part in str(error) for part in ("china_tech.toml", "Expected", *said))


def test_a_site_that_is_not_there_is_answered_with_those_that_are(folder: Path) -> None:
    done = crawling.run([*crawling.SCRAPY, "crawl", "china_teck", "-s", f"ARCHIVE_DIR={folder}"])
    assert done.returncode == ConfigurationError.exit_status
    assert "china_teck" in done.stderr
    assert "china_tech" in done.stderr
    assert not folder.exists()


@pytest.mark.parametrize(("name", "value"), [("since", "yesterday"), ("until", "2026-13-01"), ("max_articles", "-1"), ("colour", "red")])
def test_a_wrong_argument_is_named(folder: Path, name: str, value: str) -> None:
    error = unopened(folder, crawling.SEEDS, **{name: value})
    assert isinstance(error, ConfigurationError)
    assert f"-a {name}" in str(error)
    assert "Expected" in str(error)


@pytest.mark.parametrize("option", [("-s", "DELAY=fast"), ("-s", "EXTRACT_WORKERS=two"), ("-a", "sample=maybe")])
def test_a_wrong_option_ends_the_command_with_a_message_and_nothing_written(folder: Path, option: tuple[str, str]) -> None:
    status, message = refused(folder, *option)
    assert status == ConfigurationError.exit_status
    assert option[1].replace("sample=", "-a sample=") in message
    assert not folder.exists()


def test_days_of_which_none_lies_between_are_named(folder: Path) -> None:
    error = unopened(folder, crawling.SEEDS, since="2026-11-20", until="2026-11-01")
    assert isinstance(error, ConfigurationError)
    assert "since=2026-11-20" in str(error)


def test_a_file_in_the_place_of_the_archive_is_no_archive(folder: Path) -> None:
    folder.write_text("mine")
    status, message = refused(folder)
    assert status == ArchiveUnusable.exit_status
    assert str(folder) in message
    assert folder.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable to root")
def test_a_folder_that_may_not_be_written_is_no_archive(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    status, message = refused(folder)
    assert status == ArchiveUnusable.exit_status
    assert "owner" in message
    assert list(folder.iterdir()) == []


def test_a_page_on_which_our_own_code_fails_is_kept_and_the_run_says_whose_fault_it_is(folder: Path, tmp_path: Path) -> None:
    """A pretended fault: the reader of one URL raises. Its bytes stay for the version that can read them."""
    seeds = crawling.small_seeds(tmp_path / "seeds", ["http://tech.china.com.cn/internet/jjds/"])
    program = tmp_path / "crawl.py"
    program.write_text(
        "import sys\n"
        "from pipelines import reading\n"
        "from scrapy.cmdline import execute\n"
        "read = reading.read\n"
        "def failing(capture, site):\n"
        "    if capture.status == 200 and capture.kind == 'article' and capture.url == sys.argv[1]:\n"
        "        raise KeyError('the paragraph that nobody expected')\n"
        "    return read(capture, site)\n"
        "reading.read = failing\n"
        "execute(['scrapy', *sys.argv[2:]])\n"
    )
    with Replica(day=0) as replica:
        [bad, *others] = [true.url for true in replica.truth() if true.section == "internet/jjds" and true.good]
        command = crawling.crawl_command(folder, "-s", "EXTRACT_WORKERS=0", seeds=seeds)
        failing = crawling.run([command[0], str(program), bad, *command[3:]], replica)
        assert failing.returncode == 1, failing.stderr
        assert "our own code failed on 1 answer." in failing.stdout
        assert "KeyError" in failing.stderr
        assert sorted(crawling.all_records(folder)) == sorted(others)
        [trace] = (folder / "quarantine").iterdir()
        assert bad in trace.read_text(encoding="utf-8")
        [ledger] = crawling.ledgers(folder)
        assert (ledger["visits"]["failed/our_fault"], ledger["urls"]["visited"]) == (1, len(others) + 1)
        asked = len(replica.requests)
        mended = crawling.crawl(replica, folder, seeds=seeds)
    assert mended.returncode in (0, PARTIAL), mended.stderr
    assert sorted(crawling.all_records(folder)) == sorted([bad, *others])
    assert [one.url for one in replica.requests[asked:] if one.kind == "article" and one.url != bad] == []
    assert crawling.faults_of(folder) == []
