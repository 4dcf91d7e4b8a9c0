"""The tools of `benchmarks.endtoend`: the command of each for some pages of a site, and the environment that it needs.

Ours finds the pages through lists; the others are given a list of addresses, which is all that they take. What Scrapy's and
trafilatura's own environment does not hold lives in .bench-venvs/NAME, made here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.endtoend_site import FEW_LIST, LIST, seeds

ROOT = Path(__file__).parents[1]
VENVS = ROOT / ".bench-venvs"
CORES = len(os.sched_getaffinity(0))
LAYOUT, CONSENSUS = "ours, layout", "ours, consensus"
LAYOUT_INLINE = "ours, layout, one process"
"""EXTRACT_WORKERS=0: pages are read where they are fetched, as the peers do; two busy cores slow each other"""
YARDSTICK, YARDSTICK_TOLD = "trafilatura CLI", "trafilatura CLI, metadata"
PACKAGES = {
    "crawlee": ("crawlee[beautifulsoup]", "trafilatura", "lxml_html_clean"),
    "news-please": ("news-please", "newspaper4k[all]", "lxml_html_clean", "setuptools<81"),
    "newspaper4k": ("newspaper4k[all]", "lxml_html_clean"),
}
_NO_SLEEP = "[DEFAULT]\nSLEEP_TIME = 0\nSSRF_PROTECTION = off\n"
"""it refuses 127.0.0.1 otherwise"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """A served site: `host` with port, its pages' paths with their true paragraphs."""

    folder: Path
    host: str
    truth: Mapping[str, tuple[str, ...]]

    @property
    def urls(self) -> list[str]:
        return [f"http://{self.host}{path}" for path in self.truth]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command, where it is run, and where its texts will be: our archive, or JSON lines."""

    words: Sequence[str]
    cwd: Path
    out: Path


Tool = Callable[[Pages, int, Path], Job]
"""The site, how many of its pages, and an empty folder."""


def _ours(layout: bool, **settings: object) -> Tool:
    def job(pages: Pages, count: int, folder: Path) -> Job:
        (folder / "seeds").mkdir()
        rules = seeds(pages.host, layout=layout, lists=LIST if count == len(pages.truth) else FEW_LIST)
        (folder / "seeds" / "site.toml").write_text(rules, encoding="utf-8")
        return Job(words=crawl(folder, **settings), cwd=ROOT, out=folder / "archive")

    return job


def crawl(folder: Path, **settings: object) -> list[str]:
    """`scrapy crawl site`, all other settings as they are: seeds and archive in a folder."""
    options = {"ARCHIVE_DIR": folder / "archive", "SEEDS_DIR": folder / "seeds", "CONTACT": "benchmark@example.org", **settings}
    return [
        sys.executable,
        "-m",
        "scrapy",
        "crawl",
        "site",
        *(word for name, value in options.items() for word in ("-s", f"{name}={value}")),
    ]


def _scrapy(pages: Pages, count: int, folder: Path) -> Job:
    spider, out = Path(__file__).parent / "endtoend_spider.py", folder / "out.jsonl"
    run = [sys.executable, "-m", "scrapy", "runspider", str(spider), "-L", "ERROR"]  # by default it logs every item whole
    return Job(words=[*run, "-a", f"urls={_urls(pages, count, folder)}", "-O", str(out)], cwd=folder, out=out)


def _trafilatura(*more: str) -> Tool:
    """To stdout: into a folder it writes one file for texts whose hash is the same, and for Chinese that is most."""

    def job(pages: Pages, count: int, folder: Path) -> Job:
        config = folder / "settings.cfg"
        config.write_text(_NO_SLEEP)
        options = ["--parallel", str(CORES), "--json", "--config-file", str(config), *more]
        command = str(Path(sys.executable).parent / "trafilatura")
        return Job(words=[command, "-i", str(_urls(pages, count, folder)), *options], cwd=folder, out=folder / "stdout")

    return job


def _peer(name: str) -> Tool:
    def job(pages: Pages, count: int, folder: Path) -> Job:
        script, out = Path(__file__).parent / "endtoend_peers.py", folder / "out.jsonl"
        words = [str(VENVS / name / "bin" / "python"), str(script), name, str(_urls(pages, count, folder)), str(out)]
        return Job(words=words, cwd=folder, out=out)

    return job


def _urls(pages: Pages, count: int, folder: Path) -> Path:
    file = folder / "urls.txt"
    file.write_text("\n".join(pages.urls[:count]) + "\n")
    return file


TOOLS: dict[str, Tool] = {
    LAYOUT: _ours(True),
    CONSENSUS: _ours(False),
    LAYOUT_INLINE: _ours(True, EXTRACT_WORKERS=0),
    YARDSTICK: _trafilatura(),
    YARDSTICK_TOLD: _trafilatura("--with-metadata"),
    "Scrapy + trafilatura": _scrapy,
    "crawlee + trafilatura": _peer("crawlee"),
    "news-please": _peer("news-please"),
    "newspaper4k": _peer("newspaper4k"),
}


def missing(name: str) -> str | None:
    """Makes a tool's environment where it is not there yet. Why the tool cannot be used, or None."""
    peer = name.partition(" ")[0]
    made = VENVS / peer / ".made"
    wanted = "\n".join(PACKAGES.get(peer, ()))
    if peer not in PACKAGES or (made.exists() and made.read_text() == wanted):
        return None
    print(f"Installing {', '.join(PACKAGES[peer])} into {made.parent.relative_to(ROOT)} …", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(made.parent)], check=True)
    install = [str(made.parent / "bin" / "python"), "-m", "pip", "install", "-q", *PACKAGES[peer]]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"cannot be installed: {last_line(done.stderr)}"
    made.write_text(wanted)
    return None


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "nothing was said"
