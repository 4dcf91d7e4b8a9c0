"""Does this run tell the truth? A ledger in, an exit status and a sentence out. Pure.

A night with nothing new is a good run. A run that read no list, that saved nothing of what it fetched, that found far
less than the runs before it, or that left work behind is not, and says so with a status of its own. What robots.txt
forbids is no work left behind: the next run may not do it either.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crawler.frontier import NOT_ITS_FAULT
from pipelines import report
from pipelines.tables import several

GOOD = 0
OUR_FAULT = 1
NOTHING_SAVED = 10
FAR_LESS = 11
PARTIAL = 12
REFUSED = 13
INTERRUPTED = 14
VERIFICATION_FAILED = 15
"""of `scrapy verify`: something in the archive is not true"""

ENOUGH_HISTORY = 3
"""finished runs before "usual" means anything"""
FAR_LESS_SHARE = 0.3
"""of the usual number of list entries; sites print lists of constant length, so half is already odd"""
MANY = 10
"""visits before the share of rejected pages means anything"""
MOSTLY = 0.5
BROUGHT = frozenset({*report.SAVED, *report.NOTHING_NEW, "awaiting_parts"})
"""visits that brought what was wanted, or confirmed it"""
UNASKED = frozenset(f"failed/{reason}" for reason in NOT_ITS_FAULT)
"""visits that asked for nothing"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    status: int
    sentence: str


def judge(ledger: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]] = ()) -> Health:
    """What a finished run's ledger says, beside the ledgers of earlier runs of the site (newest first)."""
    return next(
        (Health(status=status, sentence=sentence) for status, test in _TESTS if (sentence := test(ledger, earlier))),
        Health(status=GOOD, sentence="Good: everything that was due is accounted for."),
    )


def _our_fault(ledger: Mapping[str, Any], _: Sequence[Mapping[str, Any]]) -> str | None:
    if not ledger.get("our_faults"):
        return None
    return (
        f"A fault of ours: our own code failed on {several(ledger['our_faults'], 'answer')}. Every byte is kept; the tracebacks are in "
        "quarantine/ and in the log. Report them; a newer version reads the bytes again with `scrapy replay`."
    )


def _unaccounted(ledger: Mapping[str, Any], _: Sequence[Mapping[str, Any]]) -> str | None:
    if report.reconciles(ledger):
        return None
    urls, visits = ledger["urls"], sum(ledger["visits"].values())
    return (
        f"A fault of ours: the counts do not add up. {ledger['known']} article URLs are known and {sum(urls.values())} accounted for, "
        f"{urls['visited']} fetched and {several(visits, 'visit')} counted. Nothing is lost; report it, with the log."
    )


def _interrupted(ledger: Mapping[str, Any], _: Sequence[Mapping[str, Any]]) -> str | None:
    if not ledger.get("interrupted"):
        return None
    return f"Interrupted by {ledger['interrupted']}: what was in flight is saved, {_are_left(ledger['urls']['left'])} for the next run."


def _refused(ledger: Mapping[str, Any], _: Sequence[Mapping[str, Any]]) -> str | None:
    refused = ledger["failures"].get("robots", 0) + ledger["failures"].get("host_given_up", 0)
    if not refused or ledger["lists"] or _saved(ledger):
        return None
    return f"Refused: robots.txt or the hosts themselves turned {several(refused, 'request')} away; see the log for each host's reason."


def _nothing(ledger: Mapping[str, Any], _: Sequence[Mapping[str, Any]]) -> str | None:
    if not ledger["lists"]:
        return "Nothing saved: no list could be read. Is the network up, and does the site answer?"
    if not ledger["articles"]["shown"]:
        return "Nothing saved: the archive holds no article of this site. Do the rules of the seeds file still fit its pages?"
    fetched, _bad = _fetched(ledger)
    if fetched >= MANY and not _saved(ledger) and not _confirmed(ledger):
        return f"Nothing saved of {fetched} article URLs fetched: every page was rejected or failed. Did the layout change?"
    return None


def _far_less(ledger: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> str | None:
    fetched, bad = _fetched(ledger)
    if fetched >= MANY and bad > MOSTLY * fetched:
        return f"Far less than usual: {bad} of {fetched} pages fetched were rejected. See `scrapy report`."
    if len(earlier) < ENOUGH_HISTORY:
        return None
    usual = statistics.median(past.get("lists", 0) for past in earlier)
    if ledger["lists"] < FAR_LESS_SHARE * usual:
        return f"Far less than usual: {several(ledger['lists'], 'list')} could be read; usually it is {usual:.0f}."
    return None


def _partial(ledger: Mapping[str, Any], _: Sequence[Mapping[str, Any]]) -> str | None:
    left = ledger["urls"]["left"]
    told = Counter({word: count for word, count in ledger["failures"].items() if word != "robots"})
    counts = {what: (told & Counter(words)).total() for what, words in report.failed(ledger).items()}
    if not left and not any(counts.values()):
        return None
    parts = []
    if left:
        why = f" ({ledger['left_because']})" if ledger.get("left_because") else ""
        parts.append(f"{_are_left(left)}{why}")
    if failed := " and ".join(several(count, what) for what, count in counts.items() if count):
        parts.append(f"{failed} failed")
    them = "it" if left + sum(counts.values()) == 1 else "them"
    return f"Partial: {', '.join(parts)}; the next run goes on with {them}."


def _are_left(count: int) -> str:
    return f"{several(count, 'URL')} {'is' if count == 1 else 'are'} left"


def _saved(ledger: Mapping[str, Any]) -> int:
    return sum(ledger["visits"].get(word, 0) for word in report.SAVED)


def _confirmed(ledger: Mapping[str, Any]) -> int:
    return sum(ledger["visits"].get(word, 0) for word in BROUGHT.difference(report.SAVED))


def _fetched(ledger: Mapping[str, Any]) -> tuple[int, int]:
    """How many pages were fetched, and how many of them brought nothing. Those that failed in earlier runs and failed again
    are no news of this run, and what may not be asked was not fetched."""
    visits = ledger["visits"]
    bad = sum(count for word, count in visits.items() if word not in UNASKED) - _saved(ledger) - _confirmed(ledger)
    bad -= ledger.get("failed_again", 0)
    return _saved(ledger) + _confirmed(ledger) + bad, bad


_TESTS = (
    (OUR_FAULT, _our_fault),
    (OUR_FAULT, _unaccounted),
    (INTERRUPTED, _interrupted),
    (REFUSED, _refused),
    (NOTHING_SAVED, _nothing),
    (FAR_LESS, _far_less),
    (PARTIAL, _partial),
)
