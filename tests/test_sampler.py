"""The profile's parts are those of the house, and a sample goes to the part that is at work."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from benchmarks import bulk_pages
from benchmarks.profile import table
from benchmarks.sampler import IMPORTS, PARTS, ROOT, SCRAPY, Sampler, part_of
from pipelines.extract import extract
from pipelines.model import Article, Capture

PLACES = sorted({place for _, places in PARTS for place in places})


@pytest.mark.parametrize("place", PLACES)
def test_every_place_of_a_part_exists(place: str) -> None:
    assert (Path(ROOT) / place).exists()


@pytest.mark.parametrize(
    ("file", "part"),
    [
        (f"{ROOT}pipelines/extract/blocks.py", ("extraction", "blocks.py")),
        (f"{ROOT}pipelines/archive/templates.py", ("duplicates", "templates.py")),
        (f"{ROOT}pipelines/archive/ledger.py", ("catalogue", "ledger.py")),
        (f"{ROOT}crawler/links.py", ("lists and links", "links.py")),
        (f"{ROOT}crawler/transport.py", ("our side of the network", "transport.py")),
        ("/x/lib/python3.11/site-packages/scrapy/core/engine.py", (SCRAPY, "")),
        ("<frozen importlib._bootstrap_external>", (IMPORTS, "")),
        (f"{ROOT}pipelines/text.py", None),
        ("/x/lib/python3.11/site-packages/sqlalchemy/engine/base.py", None),
    ],
)
def test_a_file_belongs_to_a_part_or_to_who_calls_it(file: str, part: tuple[str, str] | None) -> None:
    assert part_of(file) == part


def test_what_is_at_work_gets_the_samples() -> None:
    site = bulk_pages.sites()["layout"]
    page = Capture(url=bulk_pages.url("layout", 1), fetched_at=bulk_pages.BEGUN, status=200, headers=(), body=bulk_pages.page(1))
    began = time.process_time()
    with Sampler() as sampler:
        while time.process_time() - began < 0.3:
            assert isinstance(extract(page, site), Article)
    spent = sum(seconds for (part, _), seconds in sampler.spent.items() if part == "extraction")
    assert spent > 0.8 * sum(sampler.spent.values())


def test_the_table_adds_up() -> None:
    spent = {("extraction", "page.py"): 3.0, ("extraction", "blocks.py"): 1.0, ("catalogue", "ledger.py"): 1.0, (SCRAPY, ""): 5.0}
    lines = list(table("A crawl", spent, 1_000))
    assert "1,000 pages, 10.0 ms" in lines[0]
    shares = [int(found[1]) for line in lines if (found := re.search(r"(\d+)%", line))]
    assert shares == [50, 40, 10]
    assert [line.split()[0] for line in lines if line.startswith("    ")] == ["page.py", "blocks.py"]
