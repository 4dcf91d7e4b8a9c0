"""A spool that was broken off at any place goes on from its last mark, and only by the rules that it was made by."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import spool as module
from pipelines.bulk import END, Piece
from pipelines.compared import Sample, What
from pipelines.errors import OutOfSpace
from pipelines.spool import NAMED, SAMPLES, Change, Difference, Found, Spool

PIECES = 7
KEYS = {"a": "key of a", "b": "key of b"}


def compare(after: Piece | None, found: Difference, until: int = PIECES) -> Iterator[Found]:
    """Piece n has n changes; the last that is looked at is broken off."""
    for n in range(after.start if after else 0, PIECES):
        if n == until:
            raise OutOfSpace("killed")
        site = "ab"[n % 2]
        found.rules[site] = KEYS[site]
        found.read += 10
        sample = Sample(what=What.TEXT, url=f"http://{n}/", lines=(f"- {n}",))
        found.add(site, "page", sample)
        found.fail(f"http://{n}/")
        changes = [Change(file=f"{n}.warc", offset=k, site=site, key=KEYS[site], article=f"{n} {k}") for k in range(n)]
        yield Found(changes=changes, end=Piece(file=Path("/x/a.warc.gz"), start=n + 1, stop=END, behind=n, before=(n, n + 5)))


def fill(path: Path, until: int = PIECES) -> Difference:
    found = Difference()
    Spool(path, None).fill(found, KEYS.__getitem__, lambda after: compare(after, found, until))
    return found


def gone_on(path: Path, keys: dict[str, str], only: str | None) -> tuple[Difference, list[Piece | None]]:
    """What is found in the end, and where comparing began."""
    found, asked = Difference(), []

    def begun(after: Piece | None) -> Iterator[Found]:
        asked.append(after)
        return compare(after, found)

    Spool(path, only).fill(found, keys.__getitem__, begun)
    return found, asked


@pytest.fixture(autouse=True)
def _marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MARK_EVERY", 2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(until=st.lists(st.integers(0, PIECES - 1), max_size=3), cut=st.integers(0, 400), junk=st.binary(max_size=9))
def test_one_that_is_broken_off_anywhere_ends_as_an_undisturbed_one(
    tmp_path_factory: pytest.TempPathFactory, until: list[int], cut: int, junk: bytes
) -> None:
    """Its end torn, and followed by whatever a power cut leaves."""
    folder = tmp_path_factory.mktemp("spool")
    undisturbed = fill(folder / "whole.jsonl")
    part = folder / "broken.jsonl.part"
    for number in until:
        with contextlib.suppress(OutOfSpace):
            fill(folder / "broken.jsonl", number)
            break
        if part.exists():
            raw = part.read_bytes()
            part.write_bytes(raw[: len(raw) - cut] + junk)
    assert fill(folder / "broken.jsonl") == undisturbed
    assert list(Spool(folder / "broken.jsonl", None).changes()) == list(Spool(folder / "whole.jsonl", None).changes())
    assert not part.exists()


def test_it_goes_on_behind_the_last_mark(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with pytest.raises(OutOfSpace):
        fill(path, 5)
    _, asked = gone_on(path, KEYS, None)
    assert asked == [Piece(file=Path("a.warc.gz"), start=4, stop=END, behind=3, before=(3, 8))]


@pytest.mark.parametrize(("keys", "only"), [({**KEYS, "b": "another key"}, None), (KEYS, "a")])
def test_by_other_rules_or_for_other_captures_it_begins_anew(tmp_path: Path, keys: dict[str, str], only: str | None) -> None:
    path = tmp_path / "s.jsonl"
    with pytest.raises(OutOfSpace):
        fill(path, 5)
    found, asked = gone_on(path, keys, only)
    assert asked == [None]
    assert found.read == 10 * PIECES


def test_a_whole_one_is_of_the_rules_that_made_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.jsonl", None)
    assert not spool.is_whole
    fill(tmp_path / "s.jsonl")
    assert spool.is_whole
    assert spool.is_of(KEYS.__getitem__)
    assert not spool.is_of({**KEYS, "a": "another"}.__getitem__)
    spool.remove()
    assert not spool.is_whole


def test_samples_and_names_have_their_number_and_counts_have_none() -> None:
    found = Difference()
    for n in range(2 * NAMED):
        found.add("a", "page", Sample(what=What.LOST, url=f"http://{n}/", lines=()))
        found.fail(f"http://{n}/")
    assert (found.failures, len(found.failed), found.counts["a", "page", What.LOST]) == (2 * NAMED, NAMED, 2 * NAMED)
    assert len(found.samples["a", "page", What.LOST]) == SAMPLES
