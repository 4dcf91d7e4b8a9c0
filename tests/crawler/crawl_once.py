"""One real crawl in a process of its own (a reactor runs only once), and what came of it.

The middlewares, the handler and the settings are the project's; the spider and the scheduler (crawl_process.py) are as
plain as can be, so that what is tested is the way to the network and nothing else.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.crawler import crawl_process
from tests.crawler.outcomes import Crawl, Outcome

__all__ = ["Crawl", "Outcome", "crawl", "seeds"]


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
    timeout: float = 60,
    stop_after: float | None = None,
    **politeness: Any,
) -> Crawl:
    """Runs a crawl of `urls` (a URL, or a dict with `url` and meta). `names` are the answers of a name server, one after
    the other, the last for ever. `stop_after` seconds it is sent a SIGTERM."""
    spec: dict[str, Any] = {
        "urls": list(urls),
        "seeds": seeds(hosts, **politeness),
        "settings": dict(settings or {}),
        "names": dict(names or {}),
    }
    spec["stop_after"] = stop_after
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crawler.crawl_process"])
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        process = context.Process(target=crawl_process.main, args=(spec, dict(env or {}), str(log), there))
        process.start()
        there.close()
        answered = here.poll(timeout)
        result = json.loads(here.recv()) if answered else None
        process.join(5) if answered else process.kill()
        process.join()
        text = log.read_text("utf-8", "replace") if log.exists() else ""
    if result is None:
        raise AssertionError(f"the crawl did not end in {timeout} s:\n{text[-4000:]}")
    outcomes = [Outcome(**item) for item in result.pop("outcomes")]
    return Crawl(outcomes=outcomes, log=text, **result)
