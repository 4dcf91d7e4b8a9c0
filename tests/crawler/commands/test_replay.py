"""`scrapy replay` reads into the archive that the settings name, and says what it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crawler.commands.invoke import invoke
from tests.small_site import rules, usual, write_warc


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "small.toml").write_bytes(rules())
    return tmp_path / "seeds"


def test_the_catalogue_is_where_the_setting_says(tmp_path: Path, seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, database = tmp_path / "archive", tmp_path / "elsewhere.db"
    settings = {"SEEDS_DIR": str(seeds), "CATALOGUE_URL": f"sqlite:///{database}"}
    path = write_warc(tmp_path / "warcs", usual())
    done = invoke(capsys, "replay", "--archive", folder, "--workers", "0", path, **settings)
    assert (done.status, done.err) == (0, "")
    assert database.exists()
    assert not (folder / "catalogue.db").exists()
    verified = invoke(capsys, "verify", "--archive", folder, "--workers", "0", **settings)
    assert (verified.status, verified.err) == (0, "")
    assert "4 articles" in verified.out
