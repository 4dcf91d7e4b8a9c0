"""One real crawl in a process of its own (a reactor runs only once), and what came of it.

The middlewares, the handler and the settings are the project's; the spider and the scheduler (crawl_process.py) are as
plain as can be, so that what is tested is the way to the network and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one URL: an answer, or the `error` that stood in its way (a reason of ours, or a class name)."""

    url: str
    """as first asked for"""
    final_url: str = ""
    status: int | None = None
    body: str = ""
    error: str | None = None
    detail: str = ""
    rejection: str | None = None
    truncated: str | None = None
    redirects: list[list[Any]] = field(default_factory=list)
    to_index: str | None = None
    earlier: int = 0
    lease: Any = None
    text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """`exchanges` as the writer got them, heads of their bodies as latin-1; `worst_stall` of the event loop in seconds."""

    outcomes: list[Outcome]
    exchanges: list[dict[str, Any]]
    stats: dict[str, Any]
    log: str
    hosts: dict[str, dict[str, Any]]
    worst_stall: float
    peak_mb: float

    def of(self, url: str) -> Outcome:
        return next(outcome for outcome in self.outcomes if outcome.url == url)

    def records(self, url: str) -> list[dict[str, Any]]:
        return [exchange for exchange in self.exchanges if exchange["url"] == url]


def seeds(hosts: list[str], **politeness: Any) -> str:
    """A seeds file for tests: fast, and about nothing but these hosts."""
    lines = "\n".join(f"{key} = {value}" for key, value in {"delay": 0.0, **politeness}.items())
    return f"""
name = "test"
publisher = "test"
language = "zh"
timezone = "Asia/Shanghai"
hosts = {json.dumps(hosts)}
[politeness]
{lines}
[discover]
listings = ["http://{hosts[0]}/list/"]
article = ['/a/(?P<id>[^/]+)$']
"""


def crawl(
    urls: Sequence[str | dict[str, Any]],
    hosts: list[str],
    *,
    settings: Mapping[str, Any] | None = None,
    names: Mapping[str, list[str]] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 40,
    **politeness: Any,
) -> Crawl:
    """Runs a crawl of `urls` (a URL, or a dict with `url` and meta). `names` are the answers of a name server, one after
    the other, the last for ever."""
    spec = {"urls": list(urls), "seeds": seeds(hosts, **politeness), "settings": dict(settings or {}), "names": dict(names or {})}
    done = subprocess.run(
        [sys.executable, "-m", "tests.crawler.crawl_process"],
        input=json.dumps(spec),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **(env or {})},
        check=False,
    )
    if done.returncode or not done.stdout.strip():
        raise AssertionError(f"the crawl failed with {done.returncode}:\n{done.stderr[-4000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    outcomes = [Outcome(**item) for item in result.pop("outcomes")]
    return Crawl(outcomes=outcomes, log=done.stderr, **result)
