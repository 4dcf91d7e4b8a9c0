"""Does this run tell the truth? A ledger in, an exit status and a sentence out. Pure.

A night with nothing new is a good run, where that happens. A run that read no list, that saved nothing of what it fetched,
that found far less than is usual, or that left work behind is not, and says so with a status of its own. What robots.txt
forbids is no work left behind: the next run may not do it either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines import report
from pipelines.model import DENIED, Reason
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

FAR_LESS_SHARE = 0.3
"""of the start lists that are read usually: they are as many in every run, so half is already odd"""
FOUND_SHARE = 0.1
"""of the article URLs that they show on a slow day (crawler.usual): what is new on a holiday is a third, or a fifth"""
MANY = 10
"""visits before the share of rejected pages means anything, and URLs on a slow day before it means anything that there are none"""
MOSTLY = 0.5
BROUGHT = frozenset({*report.SAVED, *report.NOTHING_NEW, "awaiting_parts"})
"""visits that brought what was wanted, or confirmed it"""
TURNED_AWAY = frozenset({"failed/robots", "failed/host_given_up"})
NOTICES = frozenset({Reason.CAPTCHA, Reason.CHALLENGE, Reason.LOGIN, Reason.MAINTENANCE})
CAUSES: tuple[tuple[Container[str], str], ...] = (
    ({"failed/robots"}, "robots.txt forbids {these}. Ask the site's people."),
    ({"failed/robots_unreachable"}, "{these} could not be asked, for the robots.txt of their host cannot be read."),
    ({"failed/host_given_up"}, "{these} were not asked, for their host was given up; see the log for its reason."),
    (
        DENIED,
        "{these} are no pages (404 and the like). Do the rules of the seeds file make other addresses of them?",
    ),
    ({Reason.HTTP_ERROR}, "{these} answered with an error. Does the site show them to a browser?"),
    (NOTICES, "{these} answered with a notice in place of the article (captcha or log-in, {words}). Does the site show them to a browser?"),
    (frozenset(Reason), "{these} were rejected ({words}). Did the layout change, or do the rules of the seeds file not fit its pages?"),
)
"""why articles do not come in, by the words of their visits, and what to do"""
NETWORK = "Is the network up, and does the site answer?"
OTHER_CAUSE = f"{{these}} failed ({{words}}). {NETWORK}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    status: int
    sentence: str


def judge(ledger: Mapping[str, Any]) -> Health:
    """What a finished run's ledger says; what is usual for its site stands in it (`crawler.usual`)."""
    good = "Good: a sample; nothing of it is kept." if _is_sample(ledger) else "Good: everything that was due is accounted for."
    return next(
        (Health(status=status, sentence=sentence) for status, test in _TESTS if (sentence := test(ledger))),
        Health(status=GOOD, sentence=good),
    )


def _is_sample(ledger: Mapping[str, Any]) -> bool:
    """Whether the run's archive goes with it: no run comes after, and what is left is no work left behind."""
    return bool(ledger.get("is_sample"))


def _our_fault(ledger: Mapping[str, Any]) -> str | None:
    if not ledger.get("our_faults"):
        return None
    said = f"A fault of ours: our own code failed on {several(ledger['our_faults'], 'answer')}."
    if _is_sample(ledger):
        return f"{said} The tracebacks are in the log: report them."
    return (
        f"{said} Every byte is kept; the tracebacks are in quarantine/ and in the log. "
        "Report them; a newer version reads the bytes again with `scrapy replay`."
    )


def _unaccounted(ledger: Mapping[str, Any]) -> str | None:
    if report.reconciles(ledger):
        return None
    urls, visits = ledger["urls"], sum(ledger["visits"].values())
    return (
        f"A fault of ours: the counts do not add up. {ledger['known']} article URLs are known and {sum(urls.values())} accounted for, "
        f"{urls['visited']} fetched and {several(visits, 'visit')} counted. Nothing is lost; report it, with the log."
    )


def _interrupted(ledger: Mapping[str, Any]) -> str | None:
    if not ledger.get("interrupted"):
        return None
    if _is_sample(ledger):
        return f"Interrupted by {ledger['interrupted']}; nothing of a sample is kept."
    return f"Interrupted by {ledger['interrupted']}: what was in flight is saved, {_are_left(ledger['urls']['left'])} for the next run."


def _refused(ledger: Mapping[str, Any]) -> str | None:
    if _saved(ledger):
        return None
    if ledger["lists"]:
        return _refused_articles(ledger)
    refused = ledger["failures"].get("robots", 0) + ledger["failures"].get("host_given_up", 0)
    if not refused:
        return None
    return f"Refused: robots.txt or the hosts themselves turned {several(refused, 'request')} away; see the log for each host's reason."


def _refused_articles(ledger: Mapping[str, Any]) -> str | None:
    """Where lists may be read and articles not. In an archive that has some, that is their affair."""
    visits = ledger["visits"]
    if _has_articles(ledger) or not visits or not TURNED_AWAY.issuperset(visits):
        return None
    who = "robots.txt forbids" if set(visits) == {"failed/robots"} else "robots.txt or the hosts themselves forbid"
    return f"Refused: {who} all {several(sum(visits.values()), 'article URL')} that were due. Ask the site's people."


def _nothing(ledger: Mapping[str, Any]) -> str | None:
    if ledger.get("left_because") and not ledger["visits"] and not ledger["failures"] and not _is_sample(ledger):
        return None  # a budget that was spent before any article was asked for is no fault of the site or the rules
    if not ledger["lists"]:
        return f"Nothing saved: no list could be read. {_silence(ledger)}"
    if not _has_articles(ledger):
        where = "the sample has" if _is_sample(ledger) else "the archive holds"
        return f"Nothing saved: {where} no article of this site. {_links(ledger) or _cause(ledger['visits'])}"
    fetched, _bad = _fetched(ledger)
    if fetched >= MANY and not _saved(ledger) and not _confirmed(ledger):
        return f"Nothing saved of {fetched} article URLs fetched. {_cause(ledger['visits'])}"
    return None


def _silence(ledger: Mapping[str, Any]) -> str:
    """Why no list could be read, and what to do."""
    if answers := ledger.get("answers"):
        came = several(sum(answers.values()), "list")
        return f"{came} answered: {', '.join(answers)}. Look at the addresses under [discover] in the seeds file, `listings` first."
    unasked = set(ledger["failures"]) == {"robots_unreachable"}
    return f"{'None was asked, for robots.txt cannot be read. ' if unasked else ''}{NETWORK}"


def _links(ledger: Mapping[str, Any]) -> str | None:
    """What the lists showed, where that led to no article URL at all."""
    told = list(report.untaken(ledger))
    if not told or ledger["visits"]:
        return None
    (url, said), *others = told
    rest = f" {several(len(others), 'other list')} showed no article either." if others else ""
    return f"{url} shows {said}.{rest}"


def _cause(visits: Mapping[str, int]) -> str:
    """Why most articles did not come in, and what to do."""
    bad = {word: count for word, count in visits.items() if word not in BROUGHT}
    if not bad:
        return "Do the rules of the seeds file still fit its pages?"
    causes: dict[str, Counter[str]] = {}
    for word, count in bad.items():
        said = next((said for words, said in CAUSES if word in words), OTHER_CAUSE)
        causes.setdefault(said, Counter())[word.removeprefix("failed/")] += count
    said, words = max(causes.items(), key=lambda cause: cause[1].total())
    these = f"{words.total()} of {several(sum(visits.values()), 'article URL')}"
    return said.format(these=these, words=", ".join(sorted(words)))


def _far_less(ledger: Mapping[str, Any]) -> str | None:
    fetched, bad = _fetched(ledger)
    if fetched >= MANY and bad > MOSTLY * fetched:
        return f"Far less than usual: {bad} of {fetched} pages fetched were rejected. See `scrapy report`."
    return _fewer_lists(ledger) or _less_found(ledger)


def _fewer_lists(ledger: Mapping[str, Any]) -> str | None:
    lists, starts = (ledger.get("usual") or {}).get("lists"), ledger.get("starts")
    if lists is None or starts is None or starts["read"] >= FAR_LESS_SHARE * min(lists, starts["named"]):
        return None
    return f"Far less than usual: {several(starts['read'], 'start list')} could be read; usually it is {lists:.0f}."


def _less_found(ledger: Mapping[str, Any]) -> str | None:
    usual = ledger.get("usual") or {}
    day, slow = usual.get("day"), usual.get("found")
    if day is None or slow is None or slow < MANY or day >= FOUND_SHARE * slow:
        return None
    return (
        f"Far less than usual: the start lists showed {several(day, 'new article URL')} in a day; on a slow day it is {slow:.0f}. "
        "Does the site still put its news there, and do the rules of the seeds file fit their addresses?"
    )


def _partial(ledger: Mapping[str, Any]) -> str | None:
    left = 0 if _is_sample(ledger) else ledger["urls"]["left"]
    told = Counter({word: count for word, count in ledger["failures"].items() if word not in ("robots", report.BEHIND_THE_END)})
    counts = {what: (told & Counter(words)).total() for what, words in report.failed(ledger).items()}
    counts["article"] -= ledger.get("failed_for_long", 0)  # told in its time; the next run goes on without them
    if not left and not any(counts.values()):
        return _spent(ledger)
    parts = []
    if left:
        why = f" ({ledger['left_because']})" if ledger.get("left_because") else ""
        parts.append(f"{_are_left(left)}{why}")
    if failed := " and ".join(several(count, what) for what, count in counts.items() if count):
        parts.append(f"{failed} failed")
    if _is_sample(ledger):
        return f"Partial: {', '.join(parts)}; nothing of a sample is kept."
    them = "it" if left + sum(counts.values()) == 1 else "them"
    return f"Partial: {', '.join(parts)}; the next run goes on with {them}."


def _spent(ledger: Mapping[str, Any]) -> str | None:
    """Where a budget ended the run before any article was due: lists wait."""
    if _is_sample(ledger) or not ledger.get("left_because"):
        return None
    return f"Partial: {ledger['left_because']} is spent; the next run goes on."


def _are_left(count: int) -> str:
    return f"{several(count, 'URL')} {'is' if count == 1 else 'are'} left"


def _has_articles(ledger: Mapping[str, Any]) -> bool:
    """Whether the archive has any: of the site itself, or at its URLs, where another site read them first or they are copies."""
    return bool(ledger["articles"]["shown"] or ledger.get("has_articles"))


def _saved(ledger: Mapping[str, Any]) -> int:
    return sum(ledger["visits"].get(word, 0) for word in report.SAVED)


def _confirmed(ledger: Mapping[str, Any]) -> int:
    return sum(ledger["visits"].get(word, 0) for word in BROUGHT.difference(report.SAVED))


def _fetched(ledger: Mapping[str, Any]) -> tuple[int, int]:
    """How many pages were fetched, and how many of them brought nothing. Those that failed in earlier runs and failed again
    are no news of this run, and what may not be asked was not fetched."""
    visits = ledger["visits"]
    bad = sum(count for word, count in visits.items() if word not in report.UNASKED) - _saved(ledger) - _confirmed(ledger)
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
