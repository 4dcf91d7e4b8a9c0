"""A site that knows no versions and answers 200 with the bytes of last time, night after night: they are kept once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from warcio.checker import Checker

from crawler.repeats import MIN_REPEATED
from pipelines.archive import open_archive, schema
from pipelines.archive.cdxj import CdxjIndex
from pipelines.archive.records import Record, read_records
from tests.crawler.wire_server import WireServer, page
from tests.flows import crawling
from tests.flows.test_redirects import Nights, article, listing, moved

pytestmark = pytest.mark.xdist_group("redirects")

LARGE = "<!-- " + "as long as pages are " * (MIN_REPEATED // 20) + " -->"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
"""WARC/1.1 §6.7.2"""


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    with WireServer({}) as server:
        found = Nights(tmp_path, server)
        serve(found, listing("1", "2") + LARGE.encode(), article(1) + LARGE.encode(), article(2))
        yield found


def serve(nights: Nights, lists: bytes, first: bytes, second: bytes) -> None:
    nights.server.routes.update({"/": page(lists), "/a/1.html": page(first), "/a/2.html": page(second)})


def answers(nights: Nights, target: str) -> list[Record]:
    """The response and revisit records of a URL, in order of time."""
    found: list[Record] = []
    for path in crawling.warc_files(nights.archive):
        with path.open("rb") as file:
            found += [one for one in read_records(file, path.name) if isinstance(one, Record) and one.type in ("response", "revisit")]
    found = [one for one in found if one.fields["warc-target-uri"] == nights.server.url(target)]
    return sorted(found, key=lambda one: one.fields["warc-date"])


def types(nights: Nights, target: str) -> list[str]:
    return [one.type for one in answers(nights, target)]


def exported(archive: Path) -> bytes:
    done = subprocess.run(
        [*crawling.SCRAPY, "export", "--all", "--archive", str(archive), "--to", "-"], capture_output=True, cwd=crawling.ROOT, check=True
    )
    return done.stdout


def three_nights(nights: Nights) -> None:
    assert nights.night("/")["visits"] == {"new": 2}
    for _ in range(2):
        assert nights.night("/", again=True)["visits"] == {"unchanged": 2}


def test_a_page_that_did_not_change_is_kept_once(nights: Nights) -> None:
    three_nights(nights)
    assert nights.asked() == ["/", "/a/1.html", "/a/2.html"]
    for target in ("/", "/a/1.html"):
        first, *others = answers(nights, target)
        assert (first.type, [one.type for one in others]) == ("response", ["revisit", "revisit"])
        for one in others:
            assert one.fields["warc-profile"] == IDENTICAL
            assert one.fields["warc-refers-to-target-uri"] == nights.server.url(target)
            assert one.fields["warc-refers-to-date"] == first.fields["warc-date"], "of the record that has the body, not of the last"
            assert one.fields["warc-payload-digest"] == first.fields["warc-payload-digest"]
        mimes = [one.mime for one in CdxjIndex(nights.archive / "indexes").entries() if one.url == nights.server.url(target)]
        assert mimes == ["text/html", "warc/revisit", "warc/revisit"]
    for path in crawling.warc_files(nights.archive):
        checker = Checker(type("Arguments", (), {"inputs": [str(path)], "verbose": False})())
        checker.process_all()
        assert checker.exit_value == 0
    assert nights.verified()


def test_a_page_smaller_than_what_would_stand_for_it_is_kept_whole(nights: Nights) -> None:
    three_nights(nights)
    assert types(nights, "/a/2.html") == ["response"] * 3


def test_a_page_that_changes_is_kept_whole_and_is_what_later_ones_refer_to(nights: Nights) -> None:
    nights.night("/")
    serve(nights, listing("1") + LARGE.encode(), article(3) + LARGE.encode(), article(2))
    assert nights.night("/", again=True)["visits"]["revision"] == 1
    nights.night("/", again=True)
    found = answers(nights, "/a/1.html")
    assert [one.type for one in found] == ["response", "response", "revisit"]
    assert found[2].fields["warc-refers-to-date"] == found[1].fields["warc-date"]


def test_what_a_redirect_leads_to_is_kept_once_and_serves_all_who_are_led_there(nights: Nights) -> None:
    nights.server.routes["/old"] = moved("/a/1.html")
    nights.server.routes["/older"] = moved("/a/1.html")
    for again in (False, True, True):
        nights.night("/", "/old", "/older", again=again)
    assert types(nights, "/a/1.html").count("response") >= 1
    assert nights.verified()


def test_replays_and_readings_of_it_give_the_same_bytes(nights: Nights, tmp_path: Path) -> None:
    three_nights(nights)
    live = exported(nights.archive)
    assert live.count(b"\n") == 2
    for number, files in enumerate((crawling.warc_files(nights.archive), reversed(crawling.warc_files(nights.archive)))):
        again = tmp_path / f"again-{number}"
        seeds = ("-s", f"SEEDS_DIR={tmp_path / 'seeds'}")
        assert crawling.run([*crawling.SCRAPY, "replay", "--archive", str(again), *seeds, *map(str, files)]).returncode == 0
        assert exported(again) == live
        assert rows(again) == rows(nights.archive), "the next crawl of either asks on the same condition"
    done = crawling.run([*crawling.SCRAPY, "reextract", "--archive", str(nights.archive), "-s", f"SEEDS_DIR={tmp_path / 'seeds'}"])
    assert done.returncode == 0, done.stderr
    assert exported(nights.archive) == live


def rows(archive: Path) -> list[sa.Row[tuple[str, str]]]:
    table = schema.url
    return crawling.rows(archive, sa.select(table.c.url, table.c.captured_at).where(table.c.kind == "article").order_by(table.c.url))


def test_what_a_killed_run_had_of_it_is_read_from_its_file(nights: Nights) -> None:
    nights.night("/")
    nights.night("/", again=True)
    live, known = exported(nights.archive), rows(nights.archive)
    last = crawling.warc_files(nights.archive)[-1]
    with open_archive(nights.archive) as archive, archive.catalogue.transaction() as tx:  # as if its commit had not come
        tx.execute(
            schema.page.delete().where(schema.page.c.capture.in_(sa.select(schema.capture.c.id).where(schema.capture.c.file == last.name)))
        )
        tx.execute(schema.capture.delete().where(schema.capture.c.file == last.name))
        tx.execute(schema.warc_file.delete().where(schema.warc_file.c.name == last.name))
    assert nights.night("/")["recovered"] >= 3
    assert rows(nights.archive) == known
    assert nights.verified()
    assert live.count(b"\n") == exported(nights.archive).count(b"\n")


def test_a_takedown_takes_what_refers_to_the_page_too(nights: Nights, tmp_path: Path) -> None:
    three_nights(nights)
    url = nights.server.url("/a/1.html")
    command = ("takedown", "--archive", str(nights.archive), "-s", f"SEEDS_DIR={tmp_path / 'seeds'}", "--url", url, "--reason", "test")
    assert crawling.run([*crawling.SCRAPY, *command]).returncode == 0
    assert answers(nights, "/a/1.html") == []
    assert len(answers(nights, "/")) == 3
    nights.server.routes |= {"/": page(listing("1", "2", "old") + LARGE.encode()), "/a/old.html": moved("/a/1.html")}
    for _ in range(2):
        assert nights.night("/", again=True)["visits"] == {"taken_down": 1, "unchanged": 1}
        assert answers(nights, "/a/1.html") == [], "sent again, by way of another address"
    assert nights.verified()


def test_a_run_that_meets_another_command_at_the_files_leaves_that_for_the_next(nights: Nights, tmp_path: Path) -> None:
    nights.night("/")
    url = nights.server.url("/a/1.html")
    command = ("takedown", "--archive", str(nights.archive), "-s", f"SEEDS_DIR={tmp_path / 'seeds'}", "--url", url, "--reason", "test")
    assert crawling.run([*crawling.SCRAPY, *command]).returncode == 0
    nights.server.routes |= {"/": page(listing("1", "2", "old") + LARGE.encode()), "/a/old.html": moved("/a/1.html")}
    with open_archive(nights.archive) as archive, archive.lock("takedown"):
        assert nights.night("/", again=True)["visits"]["taken_down"] == 1
        assert len(answers(nights, "/a/1.html")) == 1
    nights.night("/", again=True)
    assert answers(nights, "/a/1.html") == []
    assert nights.verified()
