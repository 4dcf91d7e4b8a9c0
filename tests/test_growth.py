"""The benchmark of growth fills archives with what it says, and its reckoning adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.endtoend_site import few_of
from benchmarks.growth import Cost, filled, lines, median, reckoned
from benchmarks.process_tree import Spent
from pipelines.archive import open_archive, urltable
from pipelines.export import What, export


def spent(cpu: float, main: float, peak: float) -> Spent:
    return Spent(cpu=cpu, main=main, wall=1.0, peak=peak, status=0, said="")


def cost(cpu: float, peak: float) -> Cost:
    return Cost(cpu=cpu, main=cpu, start=0.0, peak=peak)


def test_an_archive_is_filled_through_the_door_and_copied_for_the_next_size(tmp_path: Path) -> None:
    small, large = filled(tmp_path, (3, 5))
    assert [_held(small), _held(large)] == [(3, {("article", "done"): 3}), (5, {("article", "done"): 5})]


def test_archives_that_are_there_are_taken_and_one_that_broke_off_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    list(filled(tmp_path, (3,)))
    (tmp_path / "filling").mkdir()
    (tmp_path / "filling" / "catalogue.db").write_text("half of one")
    capsys.readouterr()
    _, large = filled(tmp_path, (3, 5))
    assert _held(large)[0] == 5
    assert capsys.readouterr().out.startswith("  2 articles more, 5 in all")


def _held(archive: Path) -> tuple[int, dict[tuple[str, str], int]]:
    """Articles of the corpus, and what the frontier knows."""
    with open_archive(archive) as opened, (archive / "out").open("wb") as out, opened.catalogue.transaction() as tx:
        return export(opened, What(), out).written.total(), urltable.counts(tx, "site")


def test_what_a_page_costs_counts_pages_that_the_first_crawl_had_once() -> None:
    few, pages = few_of(1_000), 1_000
    found = reckoned(
        spent(2.0 + 0.02 * few, 1.0 + 0.01 * few, 90.0), spent(2.0 + 0.02 * (pages - few), 1.0 + 0.01 * (pages - few), 80.0), pages
    )
    assert (found.cpu, found.main, found.start, found.peak) == pytest.approx((20.0, 10.0, 2_000.0, 90.0))


def test_flat_is_judged_by_the_largest_of_all_sizes() -> None:
    met = list(lines({10: cost(20.0, 100.0), 100: cost(23.0, 121.0)}))
    assert met[0].endswith("met")
    assert not met[0].endswith("not met")
    assert met[1].endswith("not met")
    assert "1.15" in met[0]
    assert "1.21" in met[1]


def test_rounds_become_their_median() -> None:
    assert median([cost(1.0, 9.0), cost(5.0, 8.0), cost(3.0, 1.0)]) == cost(3.0, 8.0)
