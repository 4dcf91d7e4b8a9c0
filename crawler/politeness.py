"""How hard a host is asked: never faster than its delay, slower when it says so, not at all when it refuses.

Everything that decides is a pure function `HostState -> HostState` with the time passed in (seconds since the epoch, so
that a state holds across processes). `Gate` at the end keeps the states of one crawl and waits; nothing in it decides.

    earliest(state)                       when the host may be asked next
    after_request / after_arrival         it is asked now; its answer begins now
    after_response(state, status, ...)    what its answer says about the next request
    after_failure / after_challenge       no answer; an answer that means "go away"
    after_article(state)                  an answer that was what we came for
    resumed(state, now, politeness)       at the start of a run: what still holds of the last one
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Protocol, Self
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler import clock
from crawler.carried import carried
from crawler.guard import Refused, site_of
from crawler.turns import Turns
from pipelines.site import Politeness
from pipelines.urls import host_key
from pipelines.validators import http_date

logger = logging.getLogger(__name__)

SLOW_DOWN = frozenset({429, 503})
"""statuses that ask for fewer requests (RFC 6585 §4, RFC 9110 §15.6.4)"""
OF_HOST = frozenset({429})
"""statuses that speak of us and not of a page: RFC 6585 §4"""
REFUSALS = frozenset({401, 403, 407, 451})
"""client errors that may mean us and not the page; many in a row do"""
MAX_SLOWDOWN = 16.0
"""the delay is at most this many times the agreed one: 2 s become 32 s"""
RECOVERY = 0.8
"""of the slowdown is left after each good answer: 16 falls back to 1 in 13"""
MIN_SLOW_DELAY = 1.0
"""seconds; a host that asked for less is not asked twice a second, whatever the seeds file says"""
BREAK_AFTER = 6
"""URLs in a row for which a host refuses, is silent or is in trouble open the breaker. Further tries do not count, nor do
answers that break off or are no HTTP: a page in trouble is not a host that refuses"""
COOL_OFF_DELAYS = 15.0
"""how long an open breaker stays open, in delays of the host (2 s: 30 s), doubled each time up to MAX_COOL_OFFS"""
MAX_COOL_OFFS = 4.0
MIN_COOL_OFF = 1.0
"""seconds"""
MAX_OPENINGS = 5
"""openings of the breaker in a row after which the host is given up for this run: ten URLs that failed one after the other,
or five challenges"""
CALM = 10
"""good answers in a row after which earlier challenges are forgotten, or `most_begun` where that is more: as many may be in flight
before a verdict comes"""
AHEAD = 4
"""requests that a host may have on the way beyond its concurrency: they wait for their turn, not for the catalogue"""
WIDTH = 4
"""visits of a host, in times of its concurrency, that may be begun and not committed: those that were answered wait to be read,
and for a group that is worth a transaction"""
LONGEST = 86_400.0
"""seconds; a Retry-After of more than a day is remembered as a day"""
LONG_WAITS = 2
"""answers in a row that ask for more than `max_retry_after`: one is a page in trouble, the second says that the host is"""
STEP = 0.25
"""seconds; a run that is told to stop waits no longer than this for a host's turn"""

_DIGITS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """What is known of one host ("name" or "name:port"). Times are seconds since the epoch.

    `delay` is agreed: the longer of the seeds file's and the capped Crawl-delay; `slowdown` multiplies it. `failures` and
    `calm` count answers in a row, `openings` those of the breaker, `challenges` those among them that a challenge caused,
    `long_waits` answers in a row that asked for a longer wait than a run can bear. `given_up` says why the host is not asked
    again in this run.
    """

    host: str
    delay: float
    crawl_delay: float | None = None
    """as robots.txt says it, not capped"""
    asked_at: float = 0.0
    next_at: float = 0.0
    slowdown: float = 1.0
    failures: int = 0
    calm: int = 0
    openings: int = 0
    challenges: int = 0
    long_waits: int = 0
    given_up: str | None = None

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Self:
        """Fields that this version does not know are passed over."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})  # type: ignore[arg-type]


def fresh(host: str, politeness: Politeness) -> HostState:
    return HostState(host=host, delay=politeness.delay)


def resumed(state: HostState, now: float, politeness: Politeness) -> HostState:
    """At the start of a run: the host's next turn holds, what was given up is tried again. A turn that lies further
    ahead than any can (the clock was set back) does not hold."""
    delay = _agreed(politeness, state.crawl_delay)
    clock_went_back = state.asked_at > now or state.next_at > now + LONGEST
    next_at = now + delay if clock_went_back else state.next_at
    begun = replace(state, delay=delay, next_at=next_at, asked_at=min(state.asked_at, now))
    return replace(begun, given_up=None, failures=0, openings=0, challenges=0, long_waits=0, calm=0)


def earliest(state: HostState) -> float:
    return state.next_at


def with_crawl_delay(state: HostState, crawl_delay: float | None, politeness: Politeness) -> HostState:
    """What robots.txt asks for counts, up to `max_crawl_delay`."""
    delay = _agreed(politeness, crawl_delay)
    changed = replace(state, crawl_delay=crawl_delay, delay=delay)
    return replace(changed, next_at=max(state.next_at, state.asked_at + delay)) if state.asked_at else changed


def _agreed(politeness: Politeness, crawl_delay: float | None) -> float:
    return max(politeness.delay, min(crawl_delay or 0.0, politeness.max_crawl_delay))


def current_delay(state: HostState) -> float:
    """Seconds from one request to the next."""
    return state.delay if state.slowdown <= 1.0 else max(state.delay, MIN_SLOW_DELAY) * state.slowdown


def after_request(state: HostState, now: float) -> HostState:
    return _not_before(replace(state, asked_at=now), now)


def after_arrival(state: HostState, now: float) -> HostState:
    """The answer begins, so the request has arrived. The delay counts from here: whatever the way there took, two requests
    never arrive closer together."""
    return _not_before(replace(state, asked_at=max(state.asked_at, now)), now)


def _not_before(state: HostState, since: float) -> HostState:
    return replace(state, next_at=max(state.next_at, since + current_delay(state)))


def after_response(
    state: HostState,
    status: int,
    headers: Mapping[str, str],
    now: float,
    politeness: Politeness,
    *,
    counts: bool = True,
    of_host: bool = False,
) -> HostState:
    """What an answer says about the next request. `headers` by lower-case name; a further try of one URL `counts` not;
    `of_host`: it speaks for its host, as a robots.txt does."""
    wait = _asked_wait(status, headers, now)
    if status in SLOW_DOWN:
        state = replace(state, slowdown=min(state.slowdown * 2, MAX_SLOWDOWN))
        state = _not_before(state, now)
    if wait is not None:
        state = _told_to_wait(state, wait, now, politeness, of_host or status in OF_HOST)
    if status in SLOW_DOWN or status >= 500 or status in REFUSALS:
        return _failed(state, now, f"status {status}", counts)
    return _answered(state, politeness)


def most_asked(politeness: Politeness) -> int:
    """Requests that a host may have on the way, the one that waits for its turn as much as the one that is sent."""
    return politeness.concurrency + AHEAD


def most_begun(politeness: Politeness) -> int:
    """The same of visits, from their requests to the commit of what came of them."""
    return max(most_asked(politeness), WIDTH * politeness.concurrency)


def _answered(state: HostState, politeness: Politeness) -> HostState:
    """A good answer, as far as the network can tell: a challenge comes with status 200 too, so that challenges are
    forgotten only after several."""
    calm = state.calm + 1
    challenges = 0 if calm >= max(CALM, most_begun(politeness)) else state.challenges
    openings = min(state.openings, challenges)
    slowdown = max(1.0, state.slowdown * RECOVERY)
    return replace(state, failures=0, calm=calm, challenges=challenges, long_waits=0, openings=openings, slowdown=slowdown)


def _told_to_wait(state: HostState, wait: float, now: float, politeness: Politeness, of_host: bool) -> HostState:
    """A wait that a run can bear holds for the host. A longer one holds for its URL (`long_wait`), and for the host too when
    the answer speaks for it or the answer before asked for the same."""
    held = replace(state, next_at=max(state.next_at, now + min(wait, LONGEST)))
    if wait <= politeness.max_retry_after:
        return held
    if not of_host and state.long_waits + 1 < LONG_WAITS:
        return replace(state, long_waits=state.long_waits + 1)
    return replace(held, given_up=f"it asked us to wait {wait:.0f} s, more than max_retry_after ({politeness.max_retry_after:.0f} s)")


def long_wait(status: int, headers: Mapping[str, str], now: float, politeness: Politeness) -> float | None:
    """Seconds for which a URL is not to be asked because its answer says so; None where a run can wait as long as that."""
    wait = _asked_wait(status, headers, now)
    return min(wait, LONGEST) if wait is not None and wait > politeness.max_retry_after else None


def _asked_wait(status: int, headers: Mapping[str, str], now: float) -> float | None:
    return retry_after(headers.get("retry-after"), now) if status >= 400 else None


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110 §10.2.3: seconds, or an HTTP-date); None for none, or for nonsense."""
    value = (value or "").strip()
    if _DIGITS.fullmatch(value):
        return float(value)
    moment = http_date(value) if value else None
    if moment is None:
        return None
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())


def after_failure(state: HostState, now: float, why: str, *, counts: bool = True) -> HostState:
    """No answer, or half of one: refused, reset, timed out, no such name. When it arrived is unknown: the delay counts
    from now. One that is the page's own fault `counts` not for the breaker."""
    return _not_before(_failed(state, now, why, counts), now)


def after_challenge(state: HostState, now: float, why: str) -> HostState:
    """A captcha, a challenge or a maintenance page: the host means "go away", so the breaker opens at once."""
    return _opened(replace(state, challenges=state.challenges + 1), now, why)


def after_article(state: HostState) -> HostState:
    """A page that was read as an article: a host that serves its articles does not mean "go away" by a captcha in between."""
    return replace(state, challenges=0, openings=max(0, state.openings - state.challenges))


def _failed(state: HostState, now: float, why: str, counts: bool) -> HostState:
    failed = replace(state, failures=state.failures + counts, calm=0)
    return _opened(failed, now, why) if failed.failures >= BREAK_AFTER and counts else failed


def _opened(state: HostState, now: float, why: str) -> HostState:
    """The breaker opens: nothing for a while, then one URL tries; its failure opens it again, for twice as long."""
    openings = state.openings + 1
    given_up = state.given_up
    if openings >= MAX_OPENINGS:
        given_up = given_up or f"it refused us {openings} times in a row ({why})"
    next_at = max(state.next_at, now + _cool_off(state.delay, openings))
    return replace(state, failures=BREAK_AFTER - 1, calm=0, openings=openings, next_at=next_at, given_up=given_up)


def _cool_off(delay: float, openings: int) -> float:
    return max(MIN_COOL_OFF, COOL_OFF_DELAYS * delay) * min(2.0 ** (openings - 1), MAX_COOL_OFFS)


def retry_header(response: Response) -> dict[str, str]:
    """The one header that says something about the next request."""
    value = response.headers.get("Retry-After")
    return {} if value is None else {"retry-after": value.decode("latin-1")}


class KeepsHosts(Protocol):
    """Where host states outlive a run: the catalogue's host table. Neither call may wait."""

    def load_host(self, host: str) -> HostState | None: ...

    def save_host(self, state: HostState) -> None: ...


class Gate:
    """The states of one crawl. `keeper` and `turns` are set by the run; without them, states live as long as the process, and
    no other one hears of them."""

    def __init__(self, politeness: Politeness, clock: Callable[[], float] = clock.now) -> None:
        self.politeness = politeness
        self.keeper: KeepsHosts | None = None
        self.turns: Turns | None = None
        self.clock = clock
        self._states: dict[str, HostState] = {}
        self._places: dict[str, asyncio.Semaphore] = {}
        self._told: set[str] = set()
        """hosts of which the log says why they are not asked"""

    def place(self, host: str) -> asyncio.Semaphore:
        """Holds as many as may be asked of one host at a time. Scrapy's transfer slots do not: with no delay of their own
        they start everything that is queued before the first counts as started."""
        return self._places.setdefault(host, asyncio.Semaphore(max(1, self.politeness.concurrency)))

    def state(self, host: str) -> HostState:
        if host not in self._states:
            stored = self.keeper.load_host(host) if self.keeper else None
            known = resumed(stored, self.clock(), self.politeness) if stored else None
            self._states[host] = known or fresh(host, self.politeness)
        return self._states[host]

    def put(self, state: HostState) -> None:
        self._states[state.host] = state
        if self.keeper:
            self.keeper.save_host(state)
        if self.turns:
            self.turns.put_off(state.host, self.clock(), state.next_at)

    def refuse_given_up(self, host: str) -> None:
        """Raises Refused for a host that is not to be asked again in this run."""
        if (why := self._given_up(self.state(host))) is None:
            return
        if host not in self._told:
            logger.warning("%s is not asked any more in this run: %s.", host, why)
            self._told.add(host)
        raise Refused("host_given_up", f"{host}: {why}")

    def _given_up(self, state: HostState) -> str | None:
        """Why a host is not to be asked again in this run."""
        wait = state.next_at - self.clock()
        if state.given_up or wait <= max(self.politeness.max_retry_after, _cool_off(state.delay, MAX_OPENINGS), current_delay(state)):
            return state.given_up
        return f"it is to be left alone until {datetime.fromtimestamp(state.next_at, UTC):%Y-%m-%d %H:%M} UTC, as it or its failures said"

    async def turn(self, host: str, going_on: Callable[[], bool]) -> None:
        """Waits until `host` may be asked, and marks it as asked. Raises Refused when the host is given up or the run
        ends meanwhile."""
        while True:
            self.refuse_given_up(host)
            if not going_on():
                raise Refused("run_ended", f"{host}: the run ended before its turn came")
            state = self.state(host)
            wait = earliest(state) - self.clock()
            if wait > 0:
                await asyncio.sleep(min(wait, STEP))
                continue
            asked = after_request(state, now := self.clock())
            theirs = self.turns.take(host, now, asked.next_at) if self.turns else None
            if theirs is None:
                return self.put(asked)
            self.put(replace(state, next_at=theirs))  # another process has asked it

    def saw_response(self, host: str, status: int, headers: Mapping[str, str], *, counts: bool = True, of_host: bool = False) -> None:
        now = self.clock()
        self.put(after_response(self.state(host), status, headers, now, self.politeness, counts=counts, of_host=of_host))

    def has_to_wait_long(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether an answer says that its URL is not to be asked again in this run."""
        return long_wait(status, headers, self.clock(), self.politeness) is not None

    def saw_arrival(self, host: str) -> None:
        self.put(after_arrival(self.state(host), self.clock()))

    def saw_failure(self, host: str, why: str, *, counts: bool = True) -> None:
        self.put(after_failure(self.state(host), self.clock(), why, counts=counts))

    def saw_challenge(self, host: str, why: str) -> None:
        self.put(after_challenge(self.state(host), self.clock(), why))

    def saw_article(self, host: str) -> None:
        if (state := self.state(host)).challenges:
            self.put(after_article(state))

    def saw_crawl_delay(self, host: str, crawl_delay: float | None) -> None:
        self.put(with_crawl_delay(self.state(host), crawl_delay, self.politeness))

    def crawl_delays(self) -> dict[str, dict[str, float]]:
        """Hosts whose robots.txt asks for seconds between two requests: `asked`, and `kept`, as `max_crawl_delay` may cut them."""
        asked = {host: state.crawl_delay for host, state in self._states.items() if state.crawl_delay is not None}
        return {host: {"asked": seconds, "kept": min(seconds, self.politeness.max_crawl_delay)} for host, seconds in asked.items()}

    def given_up(self) -> dict[str, str]:
        """Hosts that were given up, and why."""
        return {host: why for host, state in self._states.items() if (why := self._given_up(state))}


_GATES: WeakKeyDictionary[Crawler, Gate] = WeakKeyDictionary()


def gate_of(crawler: Crawler) -> Gate:
    """The one gate of a crawl."""
    if crawler not in _GATES:
        _GATES[crawler] = Gate(site_of(crawler).politeness)
    return _GATES[crawler]


class PolitenessMiddleware:
    """Keeps requests for given-up hosts from taking a place in the queue. The waiting, and what answers mean for it, are in
    crawler.transport, with the host's place taken."""

    def __init__(self, crawler: Crawler) -> None:
        self._gate = gate_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        host = host_key(request.url)
        carried(request)["download_slot"] = host  # a port is a host of its own, as in the seeds file
        self._gate.refuse_given_up(host)
