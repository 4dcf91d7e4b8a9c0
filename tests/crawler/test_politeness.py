"""How hard a host is asked: the pure rules by example and property, then the gate with a clock of its own, then real waits."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.guard import Refused
from crawler.politeness import (
    BREAK_AFTER,
    CALM,
    COOL_OFF_DELAYS,
    LONGEST,
    MAX_OPENINGS,
    MAX_SLOWDOWN,
    MIN_COOL_OFF,
    Gate,
    HostState,
    after_arrival,
    after_article,
    after_challenge,
    after_failure,
    after_request,
    after_response,
    current_delay,
    earliest,
    fresh,
    long_wait,
    resumed,
    retry_after,
    with_crawl_delay,
)
from pipelines.site import Politeness
from tests.crawler.crawl_once import Crawl, crawl
from tests.crawler.wire_server import WireServer, in_turn, page, resets

RULES = Politeness(delay=2.0)
NOW = 1_795_000_000.0
HOST = fresh("a.test", RULES)


def answered(state: HostState, status: int, now: float = NOW, **headers: str) -> HostState:
    return after_response(state, status, {name.replace("_", "-"): value for name, value in headers.items()}, now, RULES)


# ── the delay ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_host_never_seen_may_be_asked_at_once() -> None:
    assert earliest(HOST) <= NOW


def test_the_next_turn_comes_one_delay_after_the_request() -> None:
    assert earliest(after_request(HOST, NOW)) == NOW + 2.0


def test_the_delay_counts_from_the_moment_at_which_the_answer_begins() -> None:
    state = after_arrival(after_request(HOST, NOW), NOW + 0.4)
    assert earliest(state) == NOW + 0.4 + 2.0


def test_a_host_without_a_delay_need_not_wait() -> None:
    assert earliest(after_request(fresh("a.test", Politeness(delay=0.0)), NOW)) == NOW


def test_a_good_answer_changes_nothing_about_the_next_turn() -> None:
    state = after_request(HOST, NOW)
    assert earliest(answered(state, 200, NOW + 0.3)) == earliest(state)


def test_after_a_failure_the_delay_counts_from_the_failure() -> None:
    state = after_failure(after_request(HOST, NOW), NOW + 30, "timeout")
    assert earliest(state) == NOW + 30 + 2.0


@pytest.mark.parametrize(("asked", "agreed"), [(None, 2.0), (1.0, 2.0), (10.0, 10.0), (3_600.0, 60.0)])
def test_a_crawl_delay_counts_when_it_is_longer_and_up_to_its_cap(asked: float | None, agreed: float) -> None:
    state = with_crawl_delay(HOST, asked, RULES)
    assert current_delay(state) == agreed
    assert state.crawl_delay == asked  # as written, for the report


def test_what_hosts_ask_for_is_told_beside_what_is_kept_of_it() -> None:
    gate = Gate(RULES)
    gate.saw_crawl_delay("a.test", 5.0)
    gate.saw_crawl_delay("b.test", 10_000.0)
    gate.saw_crawl_delay("c.test", None)
    assert gate.crawl_delays() == {"a.test": {"asked": 5.0, "kept": 5.0}, "b.test": {"asked": 10_000.0, "kept": RULES.max_crawl_delay}}


def test_a_crawl_delay_holds_for_the_request_after_robots_txt_already() -> None:
    state = with_crawl_delay(after_request(HOST, NOW), 10.0, RULES)
    assert earliest(state) >= NOW + 10.0


# ── slower when told so ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_for_less_is_asked_half_as_often_each_time(status: int) -> None:
    once = answered(HOST, status)
    assert current_delay(once) == 4.0
    assert current_delay(answered(once, status)) == 8.0
    assert earliest(once) == NOW + 4.0


def test_slowing_down_is_bounded() -> None:
    state = HOST
    for _ in range(50):
        state = answered(state, 429)
    assert current_delay(state) == 2.0 * MAX_SLOWDOWN


def test_a_host_without_a_delay_is_slowed_down_too() -> None:
    state = after_response(fresh("a.test", Politeness(delay=0.0)), 429, {}, NOW, RULES)
    assert current_delay(state) == 2.0


def test_good_answers_give_the_old_pace_back_step_by_step() -> None:
    state = answered(HOST, 429)
    delays = []
    while current_delay(state) > 2.0:
        state = answered(state, 200)
        delays.append(current_delay(state))
    assert delays == sorted(delays, reverse=True)
    assert 3 <= len(delays) <= 5
    assert current_delay(state) == 2.0


# ── Retry-After ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [403, 429, 503])
def test_retry_after_in_seconds_is_kept_to(status: int) -> None:
    assert earliest(answered(HOST, status, retry_after="50")) == NOW + 50


def test_retry_after_as_a_date_is_kept_to() -> None:
    assert earliest(answered(HOST, 503, retry_after=formatdate(NOW + 70, usegmt=True))) == NOW + 70


def test_a_retry_after_shorter_than_the_delay_does_not_shorten_it() -> None:
    assert earliest(answered(HOST, 503, retry_after="0")) == NOW + 4.0


def test_a_retry_after_beside_a_good_answer_says_nothing() -> None:
    assert earliest(answered(HOST, 200, retry_after="50")) == earliest(HOST)


def test_one_page_that_asks_for_too_long_a_wait_does_not_speak_for_its_host() -> None:
    state = answered(HOST, 503, retry_after="86400")
    assert (state.given_up, state.long_waits) == (None, 1)
    assert earliest(state) == earliest(answered(HOST, 503)), "slowed down as by any 503, and no more"


def gives_up(state: HostState) -> bool:
    """For this run, and the next one does not begin earlier than it was asked to."""
    return state.given_up is not None and "86400 s" in state.given_up and earliest(state) == NOW + 86_400


def test_a_429_speaks_of_us_and_so_for_its_host() -> None:
    assert gives_up(answered(HOST, 429, retry_after="86400"))


def test_a_robots_txt_speaks_for_its_host() -> None:
    assert gives_up(after_response(HOST, 503, {"retry-after": "86400"}, NOW, RULES, of_host=True))


def test_the_second_page_in_a_row_that_asks_for_too_long_a_wait_speaks_for_its_host() -> None:
    first = answered(HOST, 503, retry_after="86400")
    assert gives_up(answered(first, 503, retry_after="86400"))
    assert answered(answered(first, 200), 503, retry_after="86400").given_up is None, "a good answer stood between them"


@pytest.mark.parametrize(
    ("status", "value", "wait"),
    [
        (503, "86400", 86_400.0),
        (500, "999999999", LONGEST),
        (429, "121", 121.0),
        (503, "120", None),
        (503, None, None),
        (200, "86400", None),
    ],
)
def test_a_url_waits_by_itself_when_its_answer_asks_for_more_than_a_run_can_bear(
    status: int, value: str | None, wait: float | None
) -> None:
    assert long_wait(status, {} if value is None else {"retry-after": value}, NOW, RULES) == wait


def test_a_retry_after_of_years_is_remembered_as_a_day() -> None:
    assert earliest(answered(HOST, 429, retry_after="99999999999")) == NOW + LONGEST


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-1",
        "1.5",
        "0x10",
        "1e3",
        "soon",
        "９９",
        "9" * 400,
        "Fri, 99 Foo 2026 99:99:99 GMT",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "\x00",
        "🕐",
        ",",
    ],
)
def test_a_retry_after_that_is_none_is_passed_over(value: str) -> None:
    assert retry_after(value, NOW) is None


def test_a_retry_after_in_the_past_asks_for_no_wait() -> None:
    assert retry_after(formatdate(NOW - 500, usegmt=True), NOW) == 0.0


def test_no_retry_after_is_none() -> None:
    assert retry_after(None, NOW) is None


# ── the breaker ──────────────────────────────────────────────────────────────────────────────────────────────────────


def failed(state: HostState, times: int, now: float = NOW) -> HostState:
    for _ in range(times):
        state = after_failure(state, now, "connection refused")
    return state


def test_failures_in_a_row_open_the_breaker() -> None:
    closed, opened = failed(HOST, BREAK_AFTER - 1), failed(HOST, BREAK_AFTER)
    assert earliest(closed) < NOW + COOL_OFF_DELAYS * 2.0
    assert earliest(opened) == NOW + COOL_OFF_DELAYS * 2.0
    assert opened.given_up is None


@pytest.mark.parametrize("status", [200, 301, 304, 404, 410])
def test_a_host_that_answers_is_no_host_that_refuses(status: int) -> None:
    state = answered(failed(HOST, BREAK_AFTER - 1), status)
    assert state.failures == 0
    assert failed(state, BREAK_AFTER - 1).openings == 0


@pytest.mark.parametrize("status", [401, 403, 429, 451, 500, 502, 503, 599])
def test_refusals_count_as_failures(status: int) -> None:
    assert answered(HOST, status).failures == 1


def test_an_open_breaker_lets_one_request_try_and_opens_longer_when_it_fails() -> None:
    state = failed(HOST, BREAK_AFTER)
    again = failed(state, 1, earliest(state))
    assert again.openings == 2
    assert earliest(again) - earliest(state) == 2 * COOL_OFF_DELAYS * 2.0


def test_a_host_that_goes_on_refusing_is_given_up_for_this_run() -> None:
    assert failed(HOST, BREAK_AFTER + MAX_OPENINGS - 2).given_up is None
    assert failed(HOST, BREAK_AFTER + MAX_OPENINGS - 1).given_up == "it refused us 5 times in a row (connection refused)"


def test_what_does_not_count_opens_no_breaker() -> None:
    state = failed(HOST, BREAK_AFTER - 1)
    for _ in range(50):
        state = after_failure(state, NOW, "reset", counts=False)
        state = after_response(state, 500, {}, NOW, RULES, counts=False)
    assert (state.failures, state.openings) == (BREAK_AFTER - 1, 0)
    assert after_failure(state, NOW, "reset").openings == 1


def test_one_good_answer_closes_the_breaker_that_failures_opened() -> None:
    state = answered(failed(HOST, BREAK_AFTER + 2), 200)
    assert (state.failures, state.openings) == (0, 0)


def test_the_pauses_of_the_breaker_are_bounded() -> None:
    state, pauses = HOST, []
    for _ in range(4):
        now = earliest(state)
        state = after_challenge(state, now, "captcha")
        pauses.append(earliest(state) - now)
    assert pauses == [30.0, 60.0, 120.0, 120.0]


@pytest.mark.parametrize("delay", [0.0, 0.01])
def test_the_pause_of_a_fast_host_has_a_floor(delay: float) -> None:
    state = after_challenge(fresh("a.test", Politeness(delay=delay)), NOW, "captcha")
    assert earliest(state) == NOW + MIN_COOL_OFF


def test_a_challenge_opens_the_breaker_at_once() -> None:
    state = after_challenge(HOST, NOW, "captcha")
    assert earliest(state) == NOW + COOL_OFF_DELAYS * 2.0
    assert state.openings == 1


def test_a_host_that_serves_nothing_but_challenges_is_given_up_though_each_is_a_200() -> None:
    state, now, asked = HOST, NOW, 0
    while not state.given_up and asked < 50:
        now = earliest(state) + 1
        state = after_challenge(answered(after_request(state, now), 200, now), now, "captcha")
        asked += 1
    assert asked == MAX_OPENINGS


def test_a_host_that_serves_articles_between_its_challenges_is_not_given_up() -> None:
    state = HOST
    for _ in range(30):
        state = after_article(answered(after_challenge(state, NOW, "captcha"), 200))
    assert state.given_up is None
    assert (state.challenges, state.openings) == (0, 0)


def test_an_article_excuses_no_failures_of_the_network() -> None:
    state = HOST
    for _ in range(6):
        state = after_failure(state, NOW, "reset")
    assert state.openings > 0
    assert after_article(state).openings == state.openings


def test_a_host_with_a_challenge_now_and_then_is_not_given_up() -> None:
    state = HOST
    for _ in range(10):
        state = after_challenge(state, NOW, "captcha")
        for _ in range(CALM):
            state = answered(state, 200)
    assert state.given_up is None


# ── from run to run ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_state_survives_json() -> None:
    state = after_challenge(answered(after_request(with_crawl_delay(HOST, 5.0, RULES), NOW), 429, retry_after="9999"), NOW, "captcha")
    assert HostState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_a_state_written_by_a_newer_version_is_read() -> None:
    assert HostState.from_json({**HOST.to_json(), "not_yet_known": 1}) == HOST


def test_the_delay_holds_across_runs() -> None:
    state = after_request(HOST, NOW)
    assert earliest(resumed(state, NOW + 0.5, RULES)) == earliest(state)


def test_a_new_run_tries_again_what_was_given_up() -> None:
    state = resumed(failed(HOST, BREAK_AFTER + 5), NOW + 90_000, RULES)
    assert (state.given_up, state.failures, state.openings) == (None, 0, 0)


def test_a_long_retry_after_holds_in_the_next_run_too() -> None:
    state = answered(after_request(HOST, NOW), 429, retry_after="7200")
    assert earliest(resumed(state, NOW + 60, RULES)) == NOW + 7200


def test_a_new_delay_in_the_seeds_file_counts_at_once() -> None:
    assert current_delay(resumed(HOST, NOW, Politeness(delay=9.0))) == 9.0
    assert current_delay(resumed(with_crawl_delay(HOST, 10.0, RULES), NOW, Politeness(delay=1.0, max_crawl_delay=7.0))) == 7.0


def test_a_clock_that_was_set_back_does_not_stop_the_crawl() -> None:
    state = after_request(HOST, NOW + 10 * 365 * LONGEST)
    assert earliest(resumed(state, NOW, RULES)) == NOW + 2.0


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────

STATUSES = st.integers(min_value=0, max_value=1000)
EVENTS = st.lists(st.tuples(STATUSES, st.one_of(st.none(), st.text(max_size=30)), st.floats(min_value=0, max_value=100)), max_size=30)


@given(EVENTS)
@settings(deadline=None, max_examples=150)
def test_whatever_a_host_answers_requests_are_never_closer_than_its_delay(events: list[tuple[int, str | None, float]]) -> None:
    state, now, before = HOST, NOW, None
    for status, header, passes in events:
        now = max(now + passes, earliest(state))
        if before is not None:
            assert now - before >= 2.0
        before = now
        headers = {} if header is None else {"retry-after": header}
        state = after_response(after_request(state, now), status, headers, now, RULES)
        assert 0.0 <= earliest(state) <= now + LONGEST
        assert 2.0 <= current_delay(state) <= 2.0 * MAX_SLOWDOWN


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_retry_after_gives_seconds_or_nothing(value: str) -> None:
    seconds = retry_after(value, NOW)
    assert seconds is None or seconds >= 0.0


# ── the gate ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Keeper:
    def __init__(self) -> None:
        self.kept: dict[str, HostState] = {}

    def load_host(self, host: str) -> HostState | None:
        return self.kept.get(host)

    def save_host(self, state: HostState) -> None:
        self.kept[state.host] = state


def always() -> bool:
    return True


def test_a_turn_is_kept_by_the_keeper() -> None:
    gate = Gate(RULES, clock=lambda: NOW)
    gate.keeper = Keeper()
    asyncio.run(gate.turn("a.test", always))
    assert gate.keeper.kept["a.test"].next_at == NOW + 2.0


def test_the_turn_of_an_earlier_process_is_waited_for() -> None:
    gate = Gate(Politeness(delay=0.15))
    gate.keeper = Keeper()
    gate.keeper.save_host(after_request(fresh("a.test", gate.politeness), gate.clock()))
    began = gate.clock()
    asyncio.run(gate.turn("a.test", always))
    assert gate.clock() - began >= 0.15


def test_a_host_that_must_wait_does_not_hold_another_one_up() -> None:
    gate = Gate(Politeness(delay=0.3))

    async def both() -> float:
        await gate.turn("a.test", always)
        slow = asyncio.ensure_future(gate.turn("a.test", always))
        began = gate.clock()
        await gate.turn("b.test", always)
        passed = gate.clock() - began
        await slow
        return passed

    assert asyncio.run(both()) < 0.1


def test_turns_of_one_host_are_given_one_by_one() -> None:
    gate = Gate(Politeness(delay=0.05))
    given: list[float] = []

    async def one() -> None:
        async with gate.place("a.test"):
            await gate.turn("a.test", always)
            given.append(gate.clock())

    async def five() -> None:
        await asyncio.gather(*(one() for _ in range(5)))

    asyncio.run(five())
    assert min(later - earlier for earlier, later in itertools.pairwise(given)) >= 0.05


def test_no_more_requests_are_under_way_than_the_site_agrees_to() -> None:
    gate = Gate(Politeness(delay=0.0, concurrency=2))
    under_way, most = 0, 0

    async def one() -> None:
        nonlocal under_way, most
        async with gate.place("a.test"):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1

    async def six() -> None:
        await asyncio.gather(*(one() for _ in range(6)))

    asyncio.run(six())
    assert most == 2


def test_a_host_that_was_given_up_is_refused_with_its_reason() -> None:
    gate = Gate(RULES, clock=lambda: NOW)
    gate.saw_response("a.test", 429, {"retry-after": "5000"})
    with pytest.raises(Refused, match="wait 5000 s") as refusal:
        asyncio.run(gate.turn("a.test", always))
    assert refusal.value.reason == "host_given_up"
    assert list(gate.given_up()) == ["a.test"]


def test_a_turn_that_lies_hours_ahead_is_refused_and_not_waited_for_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """As an earlier run, or one of another site, was told."""
    now = NOW
    gate = Gate(RULES, clock=lambda: now)
    gate.put(replace(HOST, next_at=NOW + 3600))
    for _ in range(2):
        with pytest.raises(Refused, match=r"left alone until \d{4}-\d\d-\d\d \d\d:\d\d UTC"):
            gate.refuse_given_up("a.test")
    assert list(gate.given_up()) == ["a.test"]
    assert [record.levelname for record in caplog.records if "a.test" in record.message] == ["WARNING"]
    now += 3600
    gate.refuse_given_up("a.test")
    assert gate.given_up() == {}


def test_a_run_that_ends_does_not_wait_for_a_hosts_turn() -> None:
    gate = Gate(RULES)
    gate.put(replace(HOST, next_at=gate.clock() + 100))
    answers = iter([True, False])
    began = gate.clock()
    with pytest.raises(Refused) as refusal:
        asyncio.run(gate.turn("a.test", lambda: next(answers)))
    assert refusal.value.reason == "run_ended"
    assert gate.clock() - began < 2.0


# ── over the wire ────────────────────────────────────────────────────────────────────────────────────────────────────

BUSY = "503 Service Unavailable"


@pytest.fixture(scope="module")
def paced() -> Iterator[tuple[WireServer, WireServer, Crawl]]:
    routes = {
        "/robots.txt": page(b"User-agent: *\nCrawl-delay: 0.3\nDisallow: /no\n"),
        **{f"/a/{n}": page() for n in range(3)},
        "/a/moved": page(b"", "301 Moved Permanently", {"Location": "/a/2"}),
    }
    busy = {"/a/busy": in_turn(page(b"later", BUSY, {"Retry-After": "1"}), page())}
    with WireServer(routes) as server, WireServer(busy) as other:
        urls = [*(server.url(f"/a/{name}") for name in ("0", "1", "moved")), other.url("/a/busy")]
        yield server, other, crawl(urls, [server.host, other.host], delay=0.1)


def test_no_two_requests_of_any_kind_are_closer_than_the_longer_delay(paced: tuple[WireServer, WireServer, Crawl]) -> None:
    times = [asked.at for asked in paced[0].asked]
    assert len(times) == 5  # robots.txt, two pages, a redirect and its target
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 0.3


def test_a_retry_waits_as_long_as_it_was_asked_to(paced: tuple[WireServer, WireServer, Crawl]) -> None:
    _, server, result = paced
    first, second = server.times("/a/busy")
    assert second - first >= 1.0
    assert result.of(server.url("/a/busy")).status == 200


@pytest.fixture(scope="module")
def refusing() -> Iterator[tuple[WireServer, Crawl]]:
    full = page(b"", "429 Too Many", {"Retry-After": "100000"})
    with WireServer({"/robots.txt": page(b""), "*": full}) as one, WireServer({"*": resets()}) as other:
        urls = [server.url(f"/a/{n}") for server in (one, other) for n in range(3)]
        yield one, crawl(urls, [one.host, other.host])


def test_a_host_that_asks_for_too_long_a_wait_is_given_up_after_one_request(refusing: tuple[WireServer, Crawl]) -> None:
    server, result = refusing
    assert [asked.target for asked in server.asked][:1] == ["/robots.txt"]
    assert len(server.asked) == 2
    errors = [result.of(server.url(f"/a/{n}")).error for n in range(3)]
    assert sorted(errors, key=str) == [None, "host_given_up", "host_given_up"]


def test_a_page_that_asks_for_too_long_a_wait_is_asked_once_and_costs_no_other_page() -> None:
    away = page(b"", BUSY, {"Retry-After": "999999999"})
    with WireServer({"/robots.txt": page(b""), "/a/away": away, "/a/0": page(), "/a/1": page()}) as server:
        result = crawl([server.url(f"/a/{name}") for name in ("0", "away", "1")], [server.host])
        assert server.count("/a/away") == 1
    assert [result.of(server.url(f"/a/{name}")).status for name in ("0", "away", "1")] == [200, 503, 200]


def test_a_host_that_resets_its_robots_txt_is_not_asked_for_anything_else(refusing: tuple[WireServer, Crawl]) -> None:
    _, result = refusing
    others = [outcome for outcome in result.outcomes if outcome.error == "robots_unreachable"]
    assert len(others) == 3
