"""The max-sum subtree: which element of a page holds its article.

Every line weighs plus its length where it reads like prose (punctuated, not linked) and minus where it is a link, a heading
or furniture; the element with the greatest sum over its lines holds the article. Prefix sums over the lines of one walk give
the sum of every element in one subtraction. Tuned for Chinese, where sentence punctuation is unmistakable, and right for
most other scripts (benchmarks/README.md has the figures of this reader alone).
"""

from __future__ import annotations

from itertools import accumulate

from pipelines.extract.blocks import HEADINGS, LINK_SHARE, Line, Reading, Span

_PENALTY = 20.0
"""what a line of links costs, beside its length: lists of short links are many lines and few characters"""
_ASIDE_MAJORITY = 0.7
"""When what the page marks as hidden or beside the article holds more than this share of all prose, the marks are wrong."""


def weight(line: Line) -> float:
    """How much a line speaks for its element being the article."""
    length = len(line.text)
    if line.link_share > LINK_SHARE:
        return -_PENALTY - 0.5 * min(length, 60)
    if not line.prose or not HEADINGS.isdisjoint(line.tags):
        return -_PENALTY / 4
    return float(length - 2 * line.linked)


def weights(reading: Reading) -> list[float]:
    """The weight of every line; what is marked as beside the article costs what it would have brought."""
    plain = [weight(line) for line in reading.lines]
    total = sum(max(0.0, one) for one in plain)
    aside = sum(max(0.0, one) for one, line in zip(plain, reading.lines, strict=True) if line.aside)
    if aside > _ASIDE_MAJORITY * total:
        for line in reading.lines:
            line.aside = False
        return plain
    return [-abs(one) / 2 if line.aside else one for one, line in zip(plain, reading.lines, strict=True)]


def locate(reading: Reading) -> Span | None:
    """The span with the greatest sum; of equals the innermost. None for a page without prose."""
    sums = [0.0, *accumulate(weights(reading))]
    best = max(reading.spans, key=lambda span: (sums[span.end] - sums[span.start], span.depth), default=None)
    return best if best is not None and sums[best.end] - sums[best.start] > 0 else None
