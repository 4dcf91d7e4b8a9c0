"""How well and how fast copies are found: ours, datasketch, rensa and 64-bit simhash on one labelled corpus.

    python -m benchmarks.dedup [--documents N]                   precision, recall by kind, documents/s, bytes a document
    python -m benchmarks.dedup --growth [--rows N ...]           the index at 10 k to 10 M rows, SQLite and PostgreSQL

A pair that was found is right when the two share a story (`dedup_corpus`). Recall of a kind is the share of its
documents for which the original was found among all those before or after it. Time is processor time of one core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import dedup_growth
from benchmarks.dedup_corpus import DOCUMENTS, SEED, Document, read
from benchmarks.dedup_methods import METHODS, PEERS
from pipelines.dedup.cluster import components

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "build" / "dedup-{documents}.jsonl"
PEER_PYTHON = ROOT / ".bench-venvs" / "dedup" / "bin" / "python"
PEER_PACKAGES = ("numpy", "opencc", "datasketch", "rensa")
GOALS = {"precision": 0.999, "easy": 0.99, "hard": 0.95, "speed": 1_500}
HARD = frozenset({"sentences 30 %", "words 30 %", "quoted whole", "quoted mostly", "digest of five"})
JOINING = frozenset({"duplicate", "near_duplicate"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    name: str
    precision: float
    recall: dict[str, float]
    fused: int
    """originals in one cluster with another original"""
    wrong: dict[tuple[str, str], int]
    """pairs that have nothing to do with each other, by their kinds"""
    speed: float
    weight: float

    @property
    def overall(self) -> float:
        return sum(self.recall.values()) / len(self.recall)


def peers_ready() -> bool:
    """Makes the peers' environment if it can be made."""
    if PEER_PYTHON.exists():
        return True
    folder = PEER_PYTHON.parents[1]
    made = subprocess.run([sys.executable, "-m", "venv", folder], check=False).returncode == 0
    return made and subprocess.run([PEER_PYTHON, "-m", "pip", "install", "-q", *PEER_PACKAGES], check=False).returncode == 0


def corpus(documents: int, python: Path) -> Path:
    path = Path(str(CORPUS).format(documents=documents))
    if not path.exists():
        subprocess.run(
            [python, "-m", "benchmarks.dedup_corpus", path, "--documents", str(documents), "--seed", str(SEED)], check=True, cwd=ROOT
        )
    return path


def measure(method: str, path: Path, documents: Sequence[Document], python: Path) -> Score:
    """Runs one method in a process of its own and scores what it found."""
    run = subprocess.run([python, "-m", "benchmarks.dedup_methods", method, path], check=True, cwd=ROOT, capture_output=True, text=True)
    found = json.loads(run.stdout)
    pairs = [(documents[a], documents[b], relation) for a, b, relation in found["pairs"]]
    count = len(documents)
    return score(found["name"], pairs, documents, speed=count / found["seconds"], weight=found["bytes"] / count)


def score(
    name: str, pairs: Iterable[tuple[Document, Document, str]], documents: Sequence[Document], *, speed: float, weight: float
) -> Score:
    wrong: Counter[tuple[str, str]] = Counter()
    total = 0
    joined: list[tuple[int, int]] = []
    together: defaultdict[int, set[int]] = defaultdict(set)
    for one, other, relation in pairs:
        total += 1
        together[one.id].add(other.id)
        together[other.id].add(one.id)
        if not set(one.stories) & set(other.stories):
            wrong[min(one.kind, other.kind), max(one.kind, other.kind)] += 1
        joined += [(one.id, other.id)] if relation in JOINING else []
    hits: defaultdict[str, list[bool]] = defaultdict(list)
    for one in documents:
        if one.original is not None:
            hits[one.kind].append(one.original in together[one.id])
    precision = 1 - wrong.total() / total if total else 1.0
    recall = {kind: sum(found) / len(found) for kind, found in hits.items()}
    return Score(
        name=name,
        precision=precision,
        recall=recall,
        fused=fused_originals(joined, documents),
        wrong=dict(wrong),
        speed=speed,
        weight=weight,
    )


def fused_originals(joined: Iterable[tuple[int, int]], documents: Iterable[Document]) -> int:
    """How many originals share their cluster with the original of another story."""
    originals = {str(one.id) for one in documents if one.kind == "original"}
    clusters = components((str(one.id) for one in documents), ((str(a), str(b)) for a, b in joined))
    return sum(count for cluster in clusters if (count := len(cluster & originals)) > 1)


def report(scores: Sequence[Score]) -> Iterable[str]:
    yield f"{'':16}" + "".join(f"{one.name:>18}" for one in scores)
    yield f"{'precision':16}" + "".join(f"{one.precision:18.4f}" for one in scores)
    yield f"{'recall':16}" + "".join(f"{one.overall:18.4f}" for one in scores)
    for kind in sorted(scores[0].recall):
        yield f"  {kind:14}" + "".join(f"{one.recall[kind]:18.4f}" for one in scores)
    yield f"{'fused stories':16}" + "".join(f"{one.fused:18}" for one in scores)
    yield f"{'documents/s':16}" + "".join(f"{one.speed:18,.0f}" for one in scores)
    yield f"{'bytes/document':16}" + "".join(f"{one.weight:18,.0f}" for one in scores)
    for one in scores:
        yield from (f"{one.name}: {count} wrong pairs of {a} and {b}" for (a, b), count in sorted(one.wrong.items()))


def missed(one: Score) -> list[str]:
    """The goals that a score does not reach."""
    goals = {kind: GOALS["hard" if kind in HARD else "easy"] for kind in one.recall}
    below = [f"recall of {kind} {one.recall[kind]:.4f} < {goal}" for kind, goal in sorted(goals.items()) if one.recall[kind] < goal]
    below += [f"precision {one.precision:.4f} < {GOALS['precision']}"] if one.precision < GOALS["precision"] else []
    return below + ([f"{one.speed:.0f} documents/s < {GOALS['speed']}"] if one.speed < GOALS["speed"] else [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else None)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--only", choices=METHODS, nargs="*", default=list(METHODS))
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--rows", type=int, nargs="+", default=dedup_growth.ROWS)
    given = parser.parse_args()
    return dedup_growth.main(given.rows) if given.growth else compare_methods(given.documents, given.only)


def compare_methods(size: int, only: Sequence[str]) -> int:
    have_peers = peers_ready()
    if not have_peers:
        print(f"{', '.join(PEERS)} are left out: no environment could be made for them in {PEER_PYTHON.parents[1]}.")
    path = corpus(size, PEER_PYTHON if have_peers else Path(sys.executable))
    documents = list(read(path))
    print(f"{len(documents)} documents, {sum(len(one.text) for one in documents) / len(documents):.0f} characters on average")
    methods = [method for method in only if have_peers or method not in PEERS]
    scores = [measure(method, path, documents, PEER_PYTHON if method in PEERS else Path(sys.executable)) for method in methods]
    print("\n".join(report(scores)))
    failures = [line for one in scores if one.name == "ours" for line in missed(one)]
    print("\n".join(failures) or "every goal is reached")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
