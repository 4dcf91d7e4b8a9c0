"""All benchmarks one after the other, and in the end a short table: what each says of its goals.

    python -m benchmarks [NAME ...]

Each is a command of its own (`make bench-NAME`), whose exit status says whether what it promises held. The machine, the
Python and the versions of what is compared stand at the head: no figure means anything without them.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMES = ("endtoend", "growth", "bulk", "extraction", "dedup", "archive", "recrawl", "memory")
COMPARED = ("scrapy", "trafilatura", "lxml", "sqlalchemy", "warcio")
_OF_A_GOAL = re.compile(r"\b(?:not )?met$|\bgoal\b|^MISSED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One benchmark: seconds by the clock, exit status, and its lines that tell of a goal."""

    name: str
    seconds: float
    status: int
    goals: tuple[str, ...]


def conditions() -> str:
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "model name: unknown")
    versions = ", ".join(f"{name} {version(name)}" for name in COMPARED)
    return (
        f"{len(os.sched_getaffinity(0))} cores, {cpu.partition(':')[2].strip()}, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, {versions}"
    )


def run(name: str) -> Ended:
    """Runs one to its end and shows what it prints, as it prints it."""
    print(f"\n══ {name} ══", flush=True)
    began = time.monotonic()
    said: list[str] = []
    with subprocess.Popen([sys.executable, "-u", "-m", f"benchmarks.{name}"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            said.append(line.rstrip())
    return Ended(name=name, seconds=time.monotonic() - began, status=process.returncode, goals=of_goals(said))


def of_goals(said: Sequence[str]) -> tuple[str, ...]:
    return tuple(line.strip() for line in said if _OF_A_GOAL.search(line))


def table(ended: Sequence[Ended]) -> str:
    rows = [f"\n{'benchmark':<12} {'seconds':>8}  exit status"]
    for one in ended:
        rows += [f"{one.name:<12} {one.seconds:>8.0f}  {one.status}", *(f"    {line}" for line in one.goals)]
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    wanted = parser.parse_args().names or NAMES
    if unknown := set(wanted) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    print(conditions())
    ended = [run(name) for name in wanted]
    print(table(ended), f"\n{conditions()}", sep="\n")
    return max(one.status for one in ended)


if __name__ == "__main__":
    sys.exit(main())
