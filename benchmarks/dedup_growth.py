"""How the index of fingerprints grows: time to look a document up and to enter it, at 10 k to 10 M rows.

SQLite in a temporary folder, as the catalogue sets it up; PostgreSQL in a server of its own, started from Debian's
package when that is there. Rows are random, as fingerprints are; a document has 48 of them, a third of which the index
already has when it is looked up. Times are the median of `DOCUMENTS` documents, each entered in a transaction of its
own; the commit itself (8 to 15 ms on a disk, grouped in real life) is not in them.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from pipelines.archive.catalogue import Catalogue
from pipelines.archive.fingerprints import fingerprint, insert, lookup, shared
from pipelines.dedup.index import SHARED

ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
MARKS = 48
DOCUMENTS = 300
BATCH = 50_000
FACTOR = 2.0
"""times as long at the most rows as at 100 k, at most"""
DEBIAN = Path("/usr/lib/postgresql")

Times = dict[int, tuple[float, float]]
"""rows -> microseconds to look up, and to enter"""


def measure(catalogue: Catalogue, rows: Sequence[int]) -> Times:
    chance = np.random.default_rng(5)
    times: Times = {}
    have = 0
    for wanted in rows:
        fill(catalogue, chance, have, wanted)
        have = wanted
        with catalogue.transaction() as tx:
            known = tx.scalars(sa.select(fingerprint.c.fp).limit(100_000)).all()
        pick = chance.choice(np.array(known), size=(DOCUMENTS, MARKS // 3))
        fresh = chance.integers(-(2**63), 2**63, size=(DOCUMENTS, MARKS - MARKS // 3))
        documents = [sorted({*old, *new}) for old, new in zip(pick.tolist(), fresh.tolist(), strict=True)]
        times[wanted] = timed(catalogue, documents, 2**40 + have)
        print(f"  {wanted:>12,} rows: look up {times[wanted][0]:6.0f} us, enter {times[wanted][1]:6.0f} us a document", flush=True)
    return times


def fill(catalogue: Catalogue, chance: np.random.Generator, have: int, wanted: int) -> None:
    """Adds random rows, in the order of the key: that is how a database takes millions in a minute."""
    made = np.sort(chance.integers(-(2**63), 2**63, size=wanted - have))
    with catalogue.transaction() as tx:
        enter = copied if tx.dialect.name == "postgresql" else inserted
        for start in range(0, len(made), BATCH):
            enter(tx, [(one, (have + start + i) // MARKS) for i, one in enumerate(made[start : start + BATCH].tolist())])
    settle(catalogue)


def settle(catalogue: Catalogue) -> None:
    """What each database does by itself in quiet hours: PostgreSQL's vacuum lets the key alone answer a look-up."""
    engine = sa.create_engine(catalogue.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE fingerprint")
    engine.dispose()


def inserted(tx: sa.Connection, rows: Sequence[tuple[int, int]]) -> None:
    tx.exec_driver_sql("INSERT INTO fingerprint (fp, doc) VALUES (?, ?)", list(rows))


def copied(tx: sa.Connection, rows: Sequence[tuple[int, int]]) -> None:
    with tx.connection.cursor() as cursor, cursor.copy("COPY fingerprint (fp, doc) FROM STDIN") as copy:  # type: ignore[attr-defined]
        for row in rows:
            copy.write_row(row)


def timed(catalogue: Catalogue, documents: Sequence[Sequence[int]], first: int) -> tuple[float, float]:
    """Median microseconds; the first tenth warms caches and is not counted. What is entered is rolled back."""
    looked, entered = [], []
    for number, marks in enumerate(documents):
        with catalogue.transaction() as tx:
            looked.append(clocked(lambda tx=tx, marks=marks: shared(tx, lookup(tx, marks), SHARED)))  # type: ignore[misc]
            entered.append(clocked(lambda tx=tx, marks=marks, number=number: insert(tx, first + number, marks)))  # type: ignore[misc]
            tx.rollback()
    warm = len(documents) // 10
    return statistics.median(looked[warm:]) * 1e6, statistics.median(entered[warm:]) * 1e6


def clocked(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


@contextmanager
def sqlite() -> Iterator[Catalogue]:
    with tempfile.TemporaryDirectory() as folder:
        yield from opened(f"sqlite:///{folder}/catalogue.db")


@contextmanager
def postgresql() -> Iterator[Catalogue | None]:
    """A server on a socket in a temporary folder, gone afterwards; None where there is no PostgreSQL."""
    programs = max(DEBIAN.glob("*/bin"), default=None, key=lambda path: int(path.parent.name))
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp())
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # the server refuses to be root
    if user:
        shutil.chown(folder, "postgres")
    control = [*user, str(programs / "pg_ctl"), "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-s"]
    subprocess.run(
        [*user, programs / "initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "postgres"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    subprocess.run([*control, "-o", f"-k {folder} -h ''", "start"], check=True, cwd=folder)
    try:
        yield from opened(f"postgresql+psycopg://postgres@/postgres?host={folder}")
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd=folder)
        shutil.rmtree(folder)


def opened(url: str) -> Iterator[Catalogue]:
    catalogue = Catalogue(url)
    catalogue.create()
    yield catalogue
    catalogue.close()


def slower(times: Times) -> list[str]:
    """Where the goal is missed."""
    small, large = times.get(100_000), times[max(times)]
    if small is None:
        return []
    names = ("look up", "enter")
    return [f"{name}: {b / a:.1f} times as long as at 100 k rows" for name, a, b in zip(names, small, large, strict=True) if b > FACTOR * a]


def main(rows: Sequence[int] = ROWS) -> int:
    missed = []
    print("SQLite")
    with sqlite() as catalogue:
        missed += [f"SQLite, {line}" for line in slower(measure(catalogue, rows))]
    print("PostgreSQL")
    with postgresql() as server:
        if server is None:
            print(f"  left out: no PostgreSQL in {DEBIAN} (apt install postgresql)")
        else:
            missed += [f"PostgreSQL, {line}" for line in slower(measure(server, rows))]
    print("\n".join(missed) or "every goal is reached")
    return bool(missed)
