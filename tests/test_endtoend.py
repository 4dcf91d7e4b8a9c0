"""The site of the end-to-end benchmark is what it says, and its reckoning adds up."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.endtoend import Result, Row, Table, goals, lines, median, read_texts, row
from benchmarks.endtoend_site import (
    ARTICLE,
    FEW_LIST,
    FURNITURE,
    LARGEST,
    LIST,
    SMALLEST,
    answers,
    few_of,
    make,
    path_of,
    seeds,
    write_site,
)
from benchmarks.endtoend_tools import CONSENSUS, LAYOUT, TOOLS, YARDSTICK, Pages
from benchmarks.process_tree import spend
from pipelines.extract import extract
from pipelines.model import Article, Capture, Kind
from pipelines.site import parse_site

HOST = "127.0.0.1:1"
NUMBERS = st.integers(1, 10**6)


# ── the site ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(NUMBERS)
def test_a_page_follows_from_its_number_and_has_a_size_in_bounds(number: int) -> None:
    made = make(number)
    assert made == make(number)
    assert SMALLEST <= len(made.body) <= LARGEST


@given(NUMBERS)
def test_a_page_holds_its_truth_once_and_all_its_furniture(number: int) -> None:
    made = make(number)
    page = made.body.decode()
    assert all(page.count(f"<p>\u3000\u3000{paragraph}</p>") == made.paragraphs.count(paragraph) for paragraph in made.paragraphs)
    assert made.title in page
    assert FURNITURE[0] in page
    assert FURNITURE[1] in page


def test_pages_differ() -> None:
    assert len({make(number).body for number in range(1, 50)}) == 49


def test_a_fair_share_of_a_page_is_scripts_and_styles() -> None:
    shares = []
    for number in range(1, 60):
        body = make(number).body
        shares.append(sum(len(one[0]) for one in re.finditer(rb"(?s)<(script|style)>.*?</\1>", body)) / len(body))
    assert min(shares) > 0.05
    assert max(shares) < 0.5


@pytest.mark.parametrize("layout", [True, False])
def test_the_seeds_file_reads_a_page_whole(layout: bool) -> None:
    site = parse_site(seeds(HOST, layout=layout).encode(), "site.toml")
    made = make(7)
    when = datetime(2026, 9, 5, tzinfo=UTC)
    page = Capture(url=f"http://{HOST}{path_of(7)}", fetched_at=when, status=200, headers=(), body=made.body, kind=Kind.ARTICLE)
    found = extract(page, site)
    assert isinstance(found, Article)
    assert (found.title, found.paragraphs, found.authors) == (made.title, made.paragraphs, ("岳青禾",))
    assert found.extraction.method == ("layout:2026" if layout else "consensus")


def test_two_sets_of_lists_lead_to_all_pages_and_to_few(tmp_path: Path) -> None:
    truth = write_site(tmp_path, 250, first=11)
    led = {
        name: re.findall(r'href="([^"]+)"', "".join(page.read_text() for page in (tmp_path / name).iterdir())) for name in (LIST, FEW_LIST)
    }
    assert sorted(led[LIST]) == sorted(truth)
    assert led[FEW_LIST] == list(truth)[: few_of(250)]
    known = answers(tmp_path)
    assert known[path_of(11).encode()].endswith(make(11).body)
    assert set(truth) <= {path.decode() for path in known}
    assert all(path.startswith(f"/{ARTICLE}/") for path in truth)


# ── the reckoning ────────────────────────────────────────────────────────────────────────────────────────────────────

TRUTH = {"/a/1.html": ("Erster Satz.", "Zweiter Satz."), "/a/2.html": ("Dritter Satz.",), "/a/3.html": ("Vierter Satz.",)}


def result(cpu: float, wall: float, texts: dict[str, str] | None = None) -> Result:
    return Result(cpu=cpu, main=cpu / 2, wall=wall, texts=texts or {})


def a_row(cpu: float, rate: float) -> Row:
    return Row(cpu=cpu, main=cpu, rate=rate, start=0.0, found=1.0, paragraphs=1.0, furniture=0.0)


def test_what_a_page_costs_is_the_difference_of_two_runs() -> None:
    found = row(result(3.0, 4.0), result(21.0, 13.0), (100, 1_000), TRUTH)
    assert (found.cpu, found.main, found.rate, found.start) == pytest.approx((20.0, 10.0, 100.0, 1_000.0))
    assert (found.found, found.paragraphs, found.furniture) == (0.0, 0.0, 0.0)


def test_texts_are_held_against_the_truth() -> None:
    texts = {"/a/1.html": "Erster Satz.\nein Rest", "/a/2.html": f"Dritter  Satz. {FURNITURE[0]}", "/other": "Vierter Satz."}
    found = row(result(0.0, 0.0), result(1.0, 1.0, texts), (0, 3), TRUTH)
    assert found.found == pytest.approx(2 / 3)
    assert found.paragraphs == pytest.approx(2 / 4)
    assert found.furniture == pytest.approx(1 / 3)


def test_rows_with_an_address_are_known_by_it() -> None:
    said = [{"url": f"http://{HOST}/a/2.html", "text": "zwei"}, {"url": f"http://{HOST}/a/1.html", "text": ""}]
    assert read_texts("\n".join(map(json.dumps, said)).encode(), HOST, TRUTH) == {"/a/2.html": "zwei"}


def test_rows_without_an_address_are_known_by_their_order_or_by_what_they_say() -> None:
    whole = b'{"text": "x"}\n{"text": null}\n{"text": "z"}\n'
    assert read_texts(whole, HOST, TRUTH) == {"/a/1.html": "x", "/a/3.html": "z"}
    some = '{"text": "… Zweiter  Satz."}\n{"text": "Vierter Satz."}\n'.encode()
    assert read_texts(some, HOST, TRUTH) == {"/a/1.html": "… Zweiter  Satz.", "/a/3.html": "Vierter Satz."}
    assert read_texts(b'{"text": "Fremdes"}', HOST, TRUTH) == {}


def test_a_goal_is_told_where_its_rows_are_there() -> None:
    rows = {LAYOUT: a_row(7.0, 210.0), CONSENSUS: a_row(31.0, 60.0), YARDSTICK: a_row(20.0, 100.0)}
    told = {what: (value, met) for value, what, _, met in goals(rows, {"bare, layout": 2.5, "bare, consensus": 27.0})}
    assert told == {
        f"{LAYOUT}: CPU a page, times {YARDSTICK}": (0.35, True),
        f"{CONSENSUS}: CPU a page, times {YARDSTICK}": (1.55, False),
        f"{LAYOUT}: pages a second, times {YARDSTICK}": (2.1, True),
        f"{LAYOUT}: CPU ms a page beside extraction": (4.5, False),
        f"{CONSENSUS}: CPU ms a page beside extraction": (4.0, True),
    }
    assert goals({YARDSTICK: rows[YARDSTICK]}, {}) == []


def test_a_tool_that_fails_is_told_and_left_out_of_the_ratios() -> None:
    table = Table(rounds={YARDSTICK: [a_row(20.0, 1.0)], "crawlee": [a_row(30.0, 1.0)]}, failures={"crawlee": "exit status 1: no"})
    said = list(lines(table))
    assert any(line.startswith("crawlee") and line.endswith("FAILED  exit status 1: no") for line in said)
    assert "30.00" not in "".join(said)


def test_rounds_become_their_median() -> None:
    assert median([a_row(1.0, 9.0), a_row(5.0, 8.0), a_row(3.0, 1.0)]) == a_row(3.0, 8.0)


# ── what is measured ─────────────────────────────────────────────────────────────────────────────────────────────────

BURN = "import time\nwhile time.process_time() < {}: pass\n"


def test_orphans_and_their_children_are_counted_and_the_first_process_apart(tmp_path: Path) -> None:
    """The command starts a process and ends without waiting for it."""
    child = BURN.format(0.5)
    parent = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {child!r}])\n"
    spent = spend([sys.executable, "-c", parent], tmp_path, tmp_path, most=60)
    assert spent.status == 0
    assert spent.cpu - spent.main >= 0.5


def test_an_exit_status_and_the_last_words_are_kept(tmp_path: Path) -> None:
    spent = spend([sys.executable, "-c", "import sys; print('why', file=sys.stderr); sys.exit(3)"], tmp_path, tmp_path, most=60)
    assert (spent.status, spent.said) == (3, "why\n")


def test_what_does_not_end_is_ended(tmp_path: Path) -> None:
    parent = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    assert spend([sys.executable, "-c", parent], tmp_path, tmp_path, most=0.5).status is None


def test_every_command_names_a_program_that_is_there_or_can_be_made(tmp_path: Path) -> None:
    for number, (name, tool) in enumerate(TOOLS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        job = tool(Pages(folder=tmp_path, host=HOST, truth=TRUTH), 2, folder)
        program = Path(job.words[0])
        assert program.exists() or ".bench-venvs" in program.parts, name
        if not name.startswith("ours"):
            assert len((folder / "urls.txt").read_text().split()) == 2
