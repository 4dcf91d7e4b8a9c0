"""The max-sum subtree: which element of a page holds its article.

Every line weighs plus its length where it reads like prose (punctuated, not linked) and minus where it is a link or
furniture; the element with the greatest sum over its lines holds the article. Prefix sums over the lines of one walk give
the sum of every element in one subtraction. Tuned for Chinese, where sentence punctuation is unmistakable, and right for
most other scripts (../benchmarks/README.md has the figures of this reader alone).
"""

from __future__ import annotations

import re
from itertools import accumulate

from pipelines.extract.blocks import Line, Reading, Span

PUNCTUATION = re.compile(r"[，。！？；：、“”…（）《》]|[,.;:!?](?=\s|$|[\"'”’])")
_LINK_SHARE = 0.5
_SHORT = 12
"""characters: captions of links, dates and buttons are shorter; most sentences are not"""
_PENALTY = 20.0
"""what a line of links costs, beside its length: lists of short links are many lines and few characters"""


def weight(line: Line) -> float:
    """How much a line speaks for its element being the article."""
    length = len(line.text)
    if line.link_share > _LINK_SHARE:
        return -_PENALTY - 0.5 * min(length, 60)
    marks = len(PUNCTUATION.findall(line.text))
    if not marks:
        return -_PENALTY / 4 if length < _SHORT else -_PENALTY / 8
    return float(length - 2 * line.linked)


def locate(reading: Reading) -> Span | None:
    """The span with the greatest sum; of equals the innermost. None for a page without lines."""
    sums = [0.0, *accumulate(weight(line) for line in reading.lines)]
    best = max(reading.spans, key=lambda span: (sums[span.end] - sums[span.start], span.depth), default=None)
    return best if best is not None and sums[best.end] - sums[best.start] > 0 else None
