"""What a statement costs, by the way that it goes: built and carried out by SQLAlchemy, only carried out, or by the driver.

    python -m benchmarks.statements [--times N]

A head of an article that is not there, in an SQLite file that holds nothing: what is measured is the way, not the search.
A page takes about thirty statements (docs/decisions/0010).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from pipelines.archive.catalogue import Catalogue
from pipelines.archive.prepared import Prepared, given
from pipelines.archive.schema import article

BUILT = sa.select(article).where(article.c.id == sa.bindparam("name"))
PREPARED = Prepared(sa.select(article).where(article.c.id == given("name")))
WAYS: dict[str, Callable[[sa.Connection], object]] = {
    "the driver": lambda tx: PREPARED.rows(tx, {"name": "a"}),
    "SQLAlchemy, a statement built once": lambda tx: tx.execute(BUILT, {"name": "a"}).all(),
    "SQLAlchemy, built each time": lambda tx: tx.execute(sa.select(article).where(article.c.id == "a")).all(),
}


def microseconds(tx: sa.Connection, way: Callable[[sa.Connection], object], times: int) -> float:
    """Of processor time."""
    for _ in range(100):
        way(tx)
    began = time.process_time()
    for _ in range(times):
        way(tx)
    return 1e6 * (time.process_time() - began) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5_000)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Catalogue(f"sqlite:///{Path(folder) / 'catalogue.db'}")
        catalogue.create()
        with catalogue.snapshot() as tx:
            found = {name: microseconds(tx, way, times) for name, way in WAYS.items()}
        catalogue.close()
    least = min(found.values())
    for name, cost in found.items():
        print(f"{cost / least:6.1f} x {cost:8.1f} µs  {name}")


if __name__ == "__main__":
    main()
