"""What the flows share: a crawl of the replica takes seconds, so the river is crawled once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.river import River, flow


@pytest.fixture(scope="session")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[River]:
    """Six runs over four days of the replica, and what each left."""
    yield from flow(tmp_path_factory.mktemp("river"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an archive may be made; it is not there yet."""
    return tmp_path / "archive"
