"""Ours and its peers as functions from texts to pairs, each run in a process and an environment of its own.

    python -m benchmarks.dedup_methods METHOD CORPUS        prints one JSON object: pairs, seconds, bytes

All stream: a text is held against those before it, then added. All read the same texts in our normal form where they
have none of their own, so none of them loses the traditional copies or the full-width ones.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.dedup_corpus import Document, read
from pipelines.dedup import relate
from pipelines.dedup.fingerprint import fingerprints, normalise, shingles, size, text_digest
from pipelines.dedup.index import MemoryIndex, verified

Found = tuple[int, int, str]
"""(later, earlier, relation), as places in the list of documents"""


def ours(documents: list[Document]) -> Iterator[Found]:
    index = MemoryIndex()
    copies: dict[str, int] = {}
    for number, one in enumerate(documents):
        first = copies.setdefault(text_digest(one.text), number)
        if first != number:
            yield number, first, "duplicate"
            continue
        marks, length = fingerprints(one.text).tolist(), size(one.text)
        candidates = index.candidates(index.lookup(marks), length)
        relations = dict(verified(candidates, lambda other, one=one: relate(one, documents[other], name=str(other))))  # type: ignore[misc]
        yield from ((number, other, str(relation.verdict)) for other, relation in relations.items())
        kin = [other for other, relation in relations.items() if relation.joins]
        index.insert(number, marks, length, kin)


def pieces(text: str) -> list[str]:
    return [text[i : i + 5] for i in range(max(len(text) - 4, 1))]


def datasketch(documents: list[Document], threshold: float = 0.5) -> Iterator[Found]:
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found]

    index = MinHashLSH(threshold=threshold, num_perm=128)
    known: dict[int, Any] = {}
    for number, one in enumerate(documents):
        mine = MinHash(num_perm=128)
        mine.update_batch([piece.encode() for piece in pieces(normalise(one.text))])
        for other in index.query(mine):
            if mine.jaccard(known[other]) >= threshold:
                yield number, other, "near_duplicate"
        index.insert(number, mine)
        known[number] = mine


def rensa(documents: list[Document], threshold: float = 0.5) -> Iterator[Found]:
    from rensa import RMinHash, RMinHashLSH  # type: ignore[import-not-found]

    index = RMinHashLSH(threshold=threshold, num_perm=128, num_bands=32)
    known: dict[int, Any] = {}
    for number, one in enumerate(documents):
        mine = RMinHash(num_perm=128, seed=1)
        mine.update(pieces(normalise(one.text)))
        for other in index.query(mine):
            if mine.jaccard(known[other]) >= threshold:
                yield number, other, "near_duplicate"
        index.insert(number, mine)
        known[number] = mine


def simhash(documents: list[Document], distance: int = 3, bits: int = 64) -> Iterator[Found]:
    """Charikar's, over the same 5-grams; a pair within the distance agrees on one of `distance + 1` blocks."""
    import numpy as np

    width = bits // (distance + 1)
    blocks: list[dict[int, list[int]]] = [{} for _ in range(distance + 1)]
    known: list[int] = []
    places = np.arange(bits, dtype=np.uint64)
    for number, one in enumerate(documents):
        hashes = shingles(one.text)
        votes = ((hashes[:, None] >> places) & np.uint64(1)).sum(axis=0, dtype=np.int64) * 2 - len(hashes)
        mine = sum(1 << int(bit) for bit in np.flatnonzero(votes > 0))
        near = set()
        for i, block in enumerate(blocks):
            fellows = block.setdefault(mine >> (i * width) & ((1 << width) - 1), [])
            near.update(fellows)
            fellows.append(number)
        known.append(mine)
        yield from ((number, other, "near_duplicate") for other in near if (known[other] ^ mine).bit_count() <= distance)


METHODS: dict[str, Callable[[list[Document]], Iterator[Found]]] = {
    "ours": ours,
    "datasketch": datasketch,
    "rensa": rensa,
    "simhash": simhash,
}
PEERS = ("datasketch", "rensa")


def resident() -> int:
    """Bytes of memory in use by this process."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else None)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("corpus", type=Path)
    given = parser.parse_args()
    documents = list(read(given.corpus))
    list(METHODS[given.method](documents[:200]))  # imports and first calls are not measured
    gc.collect()
    before, start = resident(), time.process_time()
    pairs = list(METHODS[given.method](documents))
    seconds = time.process_time() - start
    name = f"{given.method} {version(given.method)}" if given.method in PEERS else given.method
    print(json.dumps({"name": name, "pairs": pairs, "seconds": seconds, "bytes": resident() - before}))


if __name__ == "__main__":
    main()
