"""A PostgreSQL server for tests, from Debian's package: on a socket in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """Where the newest server's programs are; None where there is none."""
    return max(DEBIAN.glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


@contextmanager
def server() -> Iterator[str]:
    """The URL of its one database, up to the name: add one that does not exist yet with `database`."""
    found = programs()
    assert found is not None, "ask `programs` first"
    folder = Path(tempfile.mkdtemp())
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # the server refuses to be root
    if user:
        shutil.chown(folder, "postgres")
    control = [*user, str(found / "pg_ctl"), "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-s"]
    made = [*user, str(found / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    subprocess.run([*control, "-o", f"-k {folder} -h '' -F", "start"], check=True, cwd=folder)
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)
