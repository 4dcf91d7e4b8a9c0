"""A run's clock only goes forwards; nothing else in the crawl reads the wall clock to wait by it."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from crawler import clock
from crawler.clock import steady

HOUR = 3600.0
CRAWLER = Path(clock.__file__).parent


class Machine:
    """A machine whose clock somebody sets."""

    def __init__(self) -> None:
        self.wall, self.elapsed = 1_790_000_000.0, 500.0

    def passes(self, seconds: float, set_by: float = 0.0) -> None:
        self.wall += seconds + set_by
        self.elapsed += seconds


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-10 * HOUR, 10 * HOUR)), max_size=20))
def test_time_is_what_has_passed_whatever_is_done_to_the_clock(steps: list[tuple[float, float]]) -> None:
    machine = Machine()
    now = steady(lambda: machine.wall, lambda: machine.elapsed)
    began = now()
    assert began == 1_790_000_000.0
    for seconds, set_by in steps:
        machine.passes(seconds, set_by)
    assert abs(now() - began - sum(seconds for seconds, _ in steps)) < 1e-3


def test_nothing_in_a_crawl_waits_by_the_wall_clock() -> None:
    readers = {path.name for path in CRAWLER.rglob("*.py") if re.search(r"\btime\.time\b", path.read_text(encoding="utf-8"))}
    assert readers == {"clock.py", "status.py"}, "`scrapy status` tells people the time; all others ask crawler.clock"
