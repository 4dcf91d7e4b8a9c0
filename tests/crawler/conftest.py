from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.session import Session
from tests.crawler import made


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A run at work into an archive of its own."""
    session = made.session_at(tmp_path / "archive")
    yield session
    session.exits.close()
