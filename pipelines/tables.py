"""Facts as tables for people: on a terminal, or as a page of HTML without scripts. Pure.

What stands in a cell came from web pages: on the terminal it is one line without control characters, in HTML escaped,
and a link only where it is a web address.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from pipelines.text import line

Cell = str | int | float | None

_WIDE = frozenset("WF")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table under a title. Numbers stand right; a share is a float in 0..1; what is absent is None. Columns may all be ""."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    note: str | None = None
    """a sentence or some lines before the table"""


def plain(cell: Cell) -> str:
    """A cell in words: shares as percent, None as a dash."""
    match cell:
        case None:
            return "–"
        case float():
            return f"{cell:.1%}"
        case int():
            return f"{cell:,}"
        case _:
            return line(cell)


def several(count: int, what: str) -> str:
    """How many of what: "1 record", "2 records", "2 stories", "2 copies", "2 captures of another archive"."""
    noun, of, rest = what.partition(" of ")
    plural = f"{noun[:-1]}ies" if noun.endswith(("ry", "py")) else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}{of}{rest}"


# ── terminal ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_text(sections: Iterable[Section]) -> Iterator[str]:
    """Lines without line ends."""
    for number, section in enumerate(sections):
        if number:
            yield ""
        yield section.title
        yield from (f"  {line(one)}" for one in (section.note or "").splitlines())
        yield from _text_table(section)


def _text_table(section: Section) -> Iterator[str]:
    if not section.rows:
        return
    rows = [section.columns, *([plain(cell) for cell in row] for row in section.rows)]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    right = [_is_number(column) for column in zip(*section.rows, strict=True)]
    for row in rows if any(section.columns) else rows[1:]:
        cells = [_padded(text, size, right=side) for text, size, side in zip(row, widths, right, strict=True)]
        yield "  " + "  ".join(cells).rstrip()


def width(text: str) -> int:
    """Columns that a text takes on a terminal: a Chinese character takes two (UAX #11)."""
    return sum(2 if unicodedata.east_asian_width(letter) in _WIDE else not unicodedata.combining(letter) for letter in text)


def shortened(text: str, columns: int) -> str:
    """A text that takes no more than so many columns on a terminal, one at least."""
    if width(text) <= columns:
        return text
    ends = accumulate(map(width, text))
    return text[: sum(end < columns for end in ends)] + "…"


def _padded(text: str, size: int, *, right: bool) -> str:
    space = " " * (size - width(text))
    return space + text if right else text + space


def _is_number(column: Sequence[Cell]) -> bool:
    """Numbers, and cells that are left empty on purpose."""
    return all(cell == "" or not isinstance(cell, str) for cell in column)


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --faint: #666; }
@media (prefers-color-scheme: dark) { :root { --faint: #aaa; } }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .4rem; }
p { margin: .3rem 0; white-space: pre-wrap; }
.faint { color: var(--faint); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .25rem 1.2rem .25rem 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; }
td:not(.number) { min-width: 9rem; }
td:first-child { min-width: 0; white-space: nowrap; }
th { font-weight: 600; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
"""


def as_html(title: str, subtitle: str, sections: Iterable[Section]) -> str:
    """One page that needs nothing else and may run nothing: its own policy forbids it."""
    body = "\n".join(_html_section(section) for section in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{_escaped(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{_escaped(title)}</h1>\n<p class="faint">{_escaped(subtitle)}</p>\n{body}\n</body>\n</html>\n'
    )


def _html_section(section: Section) -> str:
    note = f'<p class="faint">{_escaped(section.note)}</p>' if section.note else ""
    return f"<section>\n<h2>{_escaped(section.title)}</h2>\n{note}{_html_table(section)}\n</section>"


def _html_table(section: Section) -> str:
    if not section.rows:
        return ""
    marks = [' class="number"' if _is_number(column) else "" for column in zip(*section.rows, strict=True)]
    names = zip(section.columns, marks, strict=True)
    head = "".join(f'<th scope="col"{mark}>{_escaped(name)}</th>' for name, mark in names) if any(section.columns) else ""
    rows = "\n".join(
        "<tr>" + "".join(f"<td{mark}>{_html_cell(cell)}</td>" for cell, mark in zip(row, marks, strict=True)) + "</tr>"
        for row in section.rows
    )
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'


def _html_cell(cell: Cell) -> str:
    text = _escaped(plain(cell))
    is_link = isinstance(cell, str) and cell.startswith(("http://", "https://"))
    return f'<a href="{text}" rel="noreferrer">{text}</a>' if is_link else text


def _escaped(text: str) -> str:
    """Lines stay lines; everything else that is no visible character goes."""
    return html.escape("\n".join(line(one) for one in text.splitlines()))
