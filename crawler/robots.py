"""robots.txt by RFC 9309: bytes in, permissions out. No network, no clock.

    policy(status, body)     what an answer to /robots.txt means, RFC 9309 §2.3.1: a table
    parse(body)              groups, rules, and the lines beside them that say how texts may be used
    Robots.allowed(agent, path_and_query)

A parser of our own because Protego 0.7 fails 14 of the reference parser's 145 published checks: an unknown line splits a
group there, agents are cut at spaces on both sides, and paths are compared without bringing them to one spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

MAX_BYTES = 500 * 1024
"""RFC 9309 §2.5: at least 500 KiB are parsed; what follows is not read"""

MOST_TERMS = 50
"""statements about use that are kept beside each page: more are not written for reading"""

_AGENT = {"user-agent", "useragent", "user agent"}
_RULE = {
    "allow": True,
    "disallow": False,
    # misspellings that Google's parser obeys too: whoever wrote them meant them
    "dissallow": False,
    "dissalow": False,
    "disalow": False,
    "diasllow": False,
    "disallaw": False,
}
_SIGNALS = frozenset({"content-usage", "content-signal", "license", "tdm-reservation", "tdm-policy"})
_SITEMAP = {"sitemap", "site-map"}

_BOM = re.compile(rb"\A\xef(?:\xbb\xbf?)?")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_NO_COLON = re.compile(rb"(\S+)[ \t]+(\S+)\Z")
_TOKEN = re.compile(r"[a-zA-Z_-]+")
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_ESCAPE = re.compile(rb"%[0-9a-fA-F]{2}")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_OUTSIDE = re.compile(rb"[^\x21-\x7e]")
_ESCAPED = [bytes((octet,)) if 0x21 <= octet <= 0x7E else b"%%%02X" % octet for octet in range(256)]


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` is in the spelling of `_spelled`; `pieces` are what stands between its asterisks."""

    allow: bool
    pattern: bytes
    pieces: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    anchored: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        anchored = self.pattern.endswith(b"$")
        body = self.pattern[:-1] if anchored else self.pattern
        object.__setattr__(self, "anchored", anchored)
        object.__setattr__(self, "pieces", tuple(body.replace(b"$", b"%24").split(b"*")))

    def matches(self, path: bytes) -> bool:
        """Piece after piece from the left, each as early as it can stand: never more than one pass over the path."""
        first, *rest = self.pieces
        if not path.startswith(first):
            return False
        at = len(first)
        if not rest:
            return not self.anchored or at == len(path)
        for piece in rest[:-1]:
            if (found := path.find(piece, at)) < 0:
                return False
            at = found + len(piece)
        if self.anchored:
            return len(path) - len(rest[-1]) >= at and path.endswith(rest[-1])
        return path.find(rest[-1], at) >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`agents` are product tokens in lower case, or "*"."""

    agents: frozenset[str]
    rules: tuple[Rule, ...] = ()
    crawl_delay: float | None = None
    signals: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What one host allows. `unreachable` says why nothing is allowed: we could not learn the host's wishes."""

    groups: tuple[Group, ...] = ()
    sitemaps: tuple[str, ...] = ()
    general_signals: tuple[tuple[str, str], ...] = ()
    """usage statements that stand before any group, as (name in lower case, value as written)"""
    unreachable: str | None = None

    def allowed(self, agent: str, path_and_query: str) -> bool:
        """Whether the product token `agent` may fetch a path with its query. The longest rule in octets decides, and
        Allow at equal length (RFC 9309 §2.2.2)."""
        if self.unreachable:
            return False
        path = _spelled_path(path_and_query)
        if path == b"/robots.txt":
            return True
        matching = [rule for group in self._groups_of(agent) for rule in group.rules if rule.matches(path)]
        return max(matching, key=_strength).allow if matching else True

    def crawl_delay(self, agent: str) -> float | None:
        """Seconds between two requests; the longest where the groups name several."""
        return max((group.crawl_delay for group in self._groups_of(agent) if group.crawl_delay is not None), default=None)

    def signals(self, agent: str) -> tuple[tuple[str, str], ...]:
        """Usage statements for `agent`, raw: Content-Usage, Content-Signal, License and the like."""
        return (*self.general_signals, *(signal for group in self._groups_of(agent) for signal in group.signals))

    def terms(self, agent: str) -> str | None:
        """The same as `Hints.terms`, each statement once; None where nothing is said. What a pattern of paths stands before is held
        to speak of all pages: who reserves a part has reserved no less."""
        lines = dict.fromkeys(f"{name}: {' '.join(value.split())}" for name, value in self.signals(agent))
        return "\n".join(islice(lines, MOST_TERMS)) or None

    def _groups_of(self, agent: str) -> tuple[Group, ...]:
        """All groups of the agent together, else all groups for everybody (RFC 9309 §2.2.1)."""
        own = tuple(group for group in self.groups if agent.lower() in group.agents)
        return own or tuple(group for group in self.groups if "*" in group.agents)


def _strength(rule: Rule) -> tuple[int, bool]:
    return len(rule.pattern), rule.allow


ALLOW_ALL = Robots()


def policy(status: int | None, body: bytes, failure: str = "no answer") -> Robots:
    """What an answer to /robots.txt means. `status` None is no answer at all, for the reason `failure`.

    RFC 9309 §2.3.1: unavailable (4xx, 401 and 403 too, and redirects that lead nowhere) allows all; unreachable
    (5xx, 429, no answer) allows nothing.
    """
    if status is None:
        return Robots(unreachable=failure)
    if 200 <= status < 300:
        return parse(body)
    if 300 <= status < 500 and status != 429:
        return ALLOW_ALL
    return Robots(unreachable=f"status {status}")


def parse(body: bytes) -> Robots:
    """The rules of a robots.txt. Whatever the bytes are, something comes back: lines that say nothing to us are passed over."""
    draft = _Draft()
    for name, value in _lines(body):
        draft.add(name, value)
    return draft.finished()


def _lines(body: bytes) -> Iterator[tuple[str, bytes]]:
    """(name in lower case, value) of every line that has both. The line that the size limit cuts is left out: half a
    path would forbid, or allow, too much."""
    whole = len(body) <= MAX_BYTES
    lines = _LINE_END.split(_BOM.sub(b"", body[:MAX_BYTES]))
    for line in lines if whole else lines[:-1]:
        text = line.partition(b"#")[0].strip()
        name, colon, value = text.partition(b":")
        if not colon and (match := _NO_COLON.match(text)):
            name, value = match.groups()  # "disallow /": what Google's parser takes for meant
        if name:
            yield name.strip().lower().decode("latin-1"), value.strip()


class _Draft:
    """Groups while they are read. A user-agent line opens a new group only after a rule; no other line does."""

    def __init__(self) -> None:
        self._groups: list[Group] = []
        self._sitemaps: list[str] = []
        self._general: list[tuple[str, str]] = []
        self._begin()

    def _begin(self) -> None:
        self._agents: set[str] = set()
        self._rules: list[Rule] = []
        self._delays: list[float] = []
        self._signals: list[tuple[str, str]] = []

    def add(self, name: str, value: bytes) -> None:
        if name in _AGENT:
            self._agent(value.decode("latin-1"))
        elif name in _RULE:
            self._rule(_RULE[name], value)
        elif name == "crawl-delay":
            self._delay(value.decode("latin-1"))
        elif name in _SITEMAP and value:
            self._sitemaps.append(value.decode("utf-8", "replace"))
        elif name in _SIGNALS:
            signals = self._signals if self._agents else self._general
            signals.append((name, value.decode("utf-8", "replace")))

    def _agent(self, value: str) -> None:
        if self._rules:
            self._end()
        if value == "*" or value.startswith(("* ", "*\t")):
            self._agents.add("*")
        elif token := _TOKEN.match(value):
            self._agents.add(token[0].lower())
        else:
            self._agents.add("")  # a group for nobody: its rules are not for those who stand before it

    def _rule(self, allow: bool, value: bytes) -> None:
        if self._agents:  # rules before any user-agent line are nobody's
            self._rules.append(Rule(allow, _spelled(value)))

    def _delay(self, value: str) -> None:
        if self._agents and _SECONDS.fullmatch(value):
            self._delays.append(float(value))

    def _end(self) -> None:
        if self._agents:
            kept = tuple(rule for rule in self._rules if rule.pattern)  # an empty path matches nothing (RFC 9309 §2.2.2)
            delay = max(self._delays, default=None)
            group = Group(agents=frozenset(self._agents), rules=kept, crawl_delay=delay, signals=tuple(self._signals))
            self._groups.append(group)
        self._begin()

    def finished(self) -> Robots:
        self._end()
        return Robots(groups=tuple(self._groups), sitemaps=tuple(self._sitemaps), general_signals=tuple(self._general))


def _spelled(octets: bytes) -> bytes:
    """One spelling (RFC 9309 §2.2.2): escapes of unreserved characters undone, all others in upper case, and every octet
    outside printable ASCII escaped, whatever charset it is of."""
    if b"%" in octets:
        octets = _ESCAPE.sub(_escape, octets)
    return b"".join(map(_ESCAPED.__getitem__, octets)) if _OUTSIDE.search(octets) else octets


def _escape(match: re.Match[bytes]) -> bytes:
    octet = int(match[0][1:], 16)
    return bytes((octet,)) if octet in _UNRESERVED else match[0].upper()


def _spelled_path(path_and_query: str) -> bytes:
    """The path of a URL in the same spelling; its own asterisks and dollars stand for themselves."""
    path = path_and_query.partition("#")[0].encode("utf-8", "surrogatepass")
    return _spelled(path if path.startswith(b"/") else b"/" + path).replace(b"*", b"%2A").replace(b"$", b"%24")
