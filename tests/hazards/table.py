"""Findings as a table for people: groups under headings, a line each as it comes in, and at the end what does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.hazards.judging import Finding

WIDTHS = {"name": 24, "expected": 22, "happened": 26}


def head() -> str:
    return _columns(" ", "", "expected", "what happened", ("requests", "seconds", "MB", "status"))


def line(one: Finding) -> str:
    """One row, marked where it does not hold."""
    numbers = (f"{one.requests}", _number(one.seconds, 1), _number(one.memory_mb, 0), _number(one.status, 0))
    if one.skipped:
        return _columns(" ", one.name, one.expected, f"skipped: {one.skipped}", ())
    return _columns("!" if one.wrong else " ", one.name, one.expected, one.happened, numbers)


def tally(found: Iterable[Finding]) -> str:
    """How many hold of those that were tried."""
    found = list(found)
    tried = [one for one in found if not one.skipped]
    skipped = f", {len(found) - len(tried)} skipped" if len(tried) < len(found) else ""
    return f"{sum(not one.wrong for one in tried)} of {len(tried)} hold{skipped}"


def summary(modes: Mapping[str, Iterable[Finding]]) -> list[str]:
    """What does not hold, in which mode, and what to do; the last line says how many hold."""
    by_mode = {mode: list(found) for mode, found in modes.items()}
    wrong = [(mode, one) for mode, found in by_mode.items() for one in found if one.wrong]
    lines = ["What does not hold:", *(f"  {mode}: {one.name}: {one.wrong}" for mode, one in wrong)] if wrong else []
    again = [f"python -m tests.hazards {one.name} --keep DIR" for mode, one in wrong if mode == "alone"]
    again += [f"python -m tests.hazards --only {mode} --keep DIR" for mode in by_mode if any(name == mode != "alone" for name, _ in wrong)]
    if wrong:
        lines += ["Mend the crawler, or the row where it expects too much. Once more, with archive and logs kept in DIR:"]
        lines += [f"  {command}" for command in again]
        lines += [""]
    everything = [one for found in by_mode.values() for one in found]
    parts = "; ".join(f"{mode} {tally(found)}" for mode, found in by_mode.items())
    return [*lines, f"{tally(everything)}: {parts}." if len(by_mode) > 1 else f"{tally(everything)}."]


def _columns(mark: str, name: str, expected: str, happened: str, numbers: tuple[str, ...]) -> str:
    words = f"{mark} {name:{WIDTHS['name']}}{expected:{WIDTHS['expected']}}{happened:{WIDTHS['happened']}}"
    return "".join([words, *(f" {number:>{width}}" for number, width in zip(numbers, (8, 8, 5, 6), strict=False))]).rstrip()


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
