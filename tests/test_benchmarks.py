"""`make bench` runs what is there and repeats what each benchmark says of its goals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES, ROOT, Ended, conditions, of_goals, table


@pytest.mark.parametrize("name", NAMES)
def test_each_benchmark_is_a_module_and_has_a_target_of_its_own(name: str) -> None:
    assert (ROOT / "benchmarks" / f"{name}.py").exists()
    assert re.search(
        rf"^bench-{name}: .*\n\t@\$\(BIN\)/python -m benchmarks\.{name}$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )


def test_every_benchmark_with_a_target_is_run() -> None:
    assert set(re.findall(r"^bench-([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)) == set(NAMES)


def test_lines_about_goals_are_repeated_and_no_others() -> None:
    said = [
        "    0.34  ours, layout: CPU a page   <= 0.35    met",
        "  2.00  the other  >= 3  not met",
        "MISSED: F1 .9, goal >= .95",
        "we met a page",
        "",
    ]
    assert of_goals(said) == (said[0].strip(), said[1].strip(), said[2])


def test_the_table_tells_time_status_and_goals() -> None:
    told = table(
        [Ended(name="dedup", seconds=61.4, status=1, goals=("every goal is reached",)), Ended(name="bulk", seconds=2, status=0, goals=())]
    )
    rows = [re.split(r"\s{2,}", row.strip()) for row in told.strip().splitlines()]
    assert rows == [["benchmark", "seconds", "exit status"], ["dedup", "61", "1"], ["every goal is reached"], ["bulk", "2", "0"]]


def test_conditions_name_cores_load_and_versions() -> None:
    assert re.fullmatch(r"\d+ cores, .+, load [\d.]+; Python 3\.\d+\.\d+, scrapy [\d.]+, trafilatura .+", conditions())


def test_a_figure_stands_beside_its_command() -> None:
    """Every benchmark has its section, which names its command."""
    text = Path(ROOT / "benchmarks" / "README.md").read_text("utf-8")
    assert {name for name in NAMES if f"make bench-{name}" in text} == set(NAMES)
