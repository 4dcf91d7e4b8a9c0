"""What may be done with a text, as page, server and robots.txt say it: raw as printed, and parsed. Nothing is concluded.

Read here: the page's own notice, the printed source against the publisher's own, image notices, robots meta and X-Robots-Tag,
TDMRep (W3C Community Group report, 2024), AIPREF `Content-Usage` (draft-ietf-aipref-attach), Cloudflare `Content-Signal`
and RSL licences. Of several answers about one use the most restrictive is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lxml import html

from pipelines.extract.folding import fold
from pipelines.extract.furniture import Kind
from pipelines.model import Headers, Rights
from pipelines.site import RightsRules
from pipelines.text import line as clean_line

_ROBOTS_META = re.compile(r"^(?:robots|googlebot|baiduspider|bingbot|otherbots|archivebot|ccbot)$", re.IGNORECASE)
_AGENT_PREFIX = re.compile(r"^[\w*-]+:\s*(?!\d)")
_SIGNAL_NAMES = ("tdm-reservation", "tdm-policy", "content-usage", "content-signal", "license", "rsl", "ai-usage")
_NOTICE = re.compile(
    r"^凡(?:本[网站]|注明|来源)|未[经获].{0,20}(?:授权|许可|允许|同意)|版权(?:所有|归|声明|说明)|©|copyright|all rights reserved",
    re.IGNORECASE,
)
_NOTICE_LINE = 600
"""characters: a longer line is a text that speaks of rights, not a notice"""
_NOTICE_LENGTH = 400
_TRUE, _FALSE = ("n", "no", "1", "disallow", "false"), ("y", "yes", "0", "allow", "true")
_USE_OF_KEY = {
    "train-ai": "train",
    "ai-train": "train",
    "genai": "train",
    "ai": "train",
    "bots": "text-and-data-mining",
    "tdm": "text-and-data-mining",
}
_DIRECTIVES = {
    "noarchive": ("archive",),
    "noai": ("train", "text-and-data-mining"),
    "noimageai": (),
    "notrain": ("train",),
    "nocache": ("archive",),
}


def rights(
    declaring: Sequence[html.HtmlElement],
    headers: Headers,
    *,
    upward: Iterable[str],
    told: Iterable[tuple[Kind, str]],
    source: str | None,
    rules: RightsRules,
    terms: str | None = None,
) -> Rights:
    """All that is said about the use of this page. `declaring` are its meta, link and script elements in order,
    `upward` its lines, from its foot, `told` those of the article's container, `terms` what robots.txt said (`Hints.terms`)."""
    metas = [element for element in declaring if element.tag == "meta"]
    robots = _robots(metas, headers)
    signals = _signals(metas, declaring, headers, terms)
    return Rights(
        notice=_notice(upward, rules),
        owned=_owned(source, rules),
        image_notice=next((text for kind, text in told if kind is Kind.IMAGE_NOTICE), None),
        robots=robots,
        signals=signals,
        reserved=_reserved(robots, signals, rules),
    )


def _notice(upward: Iterable[str], rules: RightsRules) -> str | None:
    """What the site's rules find, else the last line that speaks of rights: notices stand at the foot."""
    own = None
    if rules.notice:
        upward = list(upward)
        text = "\n".join(reversed(upward))
        own = next((found[0] for pattern in rules.notice if (found := pattern.search(text))), None)
    general = (line for line in upward if len(line) <= _NOTICE_LINE and _NOTICE.search(line))
    return (own or next(general, "")).strip()[:_NOTICE_LENGTH] or None


def _owned(source: str | None, rules: RightsRules) -> bool | None:
    if source is None or not rules.own_sources:
        return None
    return fold(source) in {fold(own) for own in rules.own_sources}


def _robots(metas: Sequence[html.HtmlElement], headers: Headers) -> tuple[str, ...]:
    values = [element.get("content") or "" for element in metas if _ROBOTS_META.match(element.get("name") or "")]
    values += [_AGENT_PREFIX.sub("", value) for name, value in headers if name.lower() == "x-robots-tag"]
    directives = (part.strip().lower() for value in values for part in value.split(","))
    return tuple(sorted({directive for directive in directives if re.fullmatch(r"[\w:. +-]{2,60}", directive)}))


def _signals(
    metas: Sequence[html.HtmlElement], declaring: Sequence[html.HtmlElement], headers: Headers, terms: str | None
) -> dict[str, str]:
    found = [(name.lower(), value) for name, value in headers]
    found += [(name, value) for name, _, value in (line.partition(": ") for line in (terms or "").splitlines())]
    found += [((meta.get("name") or meta.get("http-equiv") or "").lower(), meta.get("content") or "") for meta in metas]
    for element in declaring:
        if element.tag == "link" and "license" in (element.get("rel") or "").lower().split():
            found.append(("license", element.get("href") or ""))
        elif element.tag == "script" and "rsl+xml" in (element.get("type") or ""):
            found.append(("rsl", "inline"))
    kept: dict[str, list[str]] = {}
    for name, value in found:
        if name in _SIGNAL_NAMES and (clean := clean_line(value)[:_NOTICE_LENGTH]):
            kept.setdefault(name, []).append(clean)
    return {name: ", ".join(dict.fromkeys(values)) for name, values in sorted(kept.items())}


def _reserved(robots: tuple[str, ...], signals: dict[str, str], rules: RightsRules) -> dict[str, bool]:
    answers = [(use, True) for use in rules.reserved]
    answers += [(use, True) for directive in robots for use in _DIRECTIVES.get(directive, ())]
    if (reservation := signals.get("tdm-reservation")) is not None:
        # Training is text and data mining: recital 105 of Regulation (EU) 2024/1689
        answers += [(use, "1" in reservation) for use in ("text-and-data-mining", "train")]
    for name in ("content-usage", "content-signal"):
        answers += _preferences(signals.get(name, ""))
    return {use: any(answer for one, answer in answers if one == use) for use in sorted({use for use, _ in answers})}


def _preferences(value: str) -> list[tuple[str, bool]]:
    """The answers in a structured-field dictionary: "train-ai=n, search=y"."""
    found = []
    for key, answer in re.findall(r"([\w-]+)\s*=\s*\"?(\w+)", value.lower()):
        if key in _USE_OF_KEY and answer in (*_TRUE, *_FALSE):
            found.append((_USE_OF_KEY[key], answer in _TRUE))
    return found
