"""Records that name the same versions were read by the same code."""

from __future__ import annotations

import re
import subprocess
import sys

from pipelines.extract.version import LIBRARIES, own_digest, versions


def test_every_library_that_reads_pages_is_named_beside_our_own_code() -> None:
    assert set(versions()) == {"extract", *LIBRARIES}
    assert all(versions().values())


def test_the_digest_is_the_same_in_every_process() -> None:
    other = subprocess.run(
        [sys.executable, "-c", "from pipelines.extract.version import own_digest; print(own_digest())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == own_digest()
    assert re.fullmatch(r"[0-9a-f]{16}", own_digest())
