"""robots.txt: every rule of RFC 9309 by an example, and whatever the bytes are, an answer in bounded time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.robots import ALLOW_ALL, MAX_BYTES, MOST_TERMS, Robots, Rule, _spelled, _spelled_path, parse, policy

US = "china-tech-archive"


def allows(text: str | bytes, path: str, agent: str = "FooBot") -> bool:
    return parse(text.encode() if isinstance(text, str) else text).allowed(agent, path)


# ── what an answer means (§2.3.1) ────────────────────────────────────────────────────────────────────────────────────

FORBIDS = b"User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 499])
def test_an_unavailable_file_allows_everything(status: int) -> None:
    assert policy(status, FORBIDS) == ALLOW_ALL


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599, 600, 999, 100, 0])
def test_an_unreachable_file_allows_nothing(status: int) -> None:
    robots = policy(status, b"")
    assert not robots.allowed(US, "/a")
    assert robots.unreachable == f"status {status}"


def test_no_answer_at_all_allows_nothing_and_says_why() -> None:
    robots = policy(None, b"", "timeout")
    assert not robots.allowed(US, "/a")
    assert robots.unreachable == "timeout"


@pytest.mark.parametrize("status", [200, 203, 204, 206])
def test_a_successful_answer_is_read(status: int) -> None:
    assert not policy(status, FORBIDS).allowed(US, "/a")


@pytest.mark.parametrize("status", [301, 302, 304, 310])
def test_redirects_that_lead_nowhere_are_as_good_as_no_file(status: int) -> None:
    assert policy(status, b"").allowed(US, "/a")


def test_a_page_in_place_of_the_file_forbids_nothing() -> None:
    assert policy(200, b"<!doctype html><html><body>404: no such page<br>Disallow here</body></html>").allowed(US, "/a")


@pytest.mark.parametrize("body", [b"", b"\n", b"\xef\xbb\xbf", b"# nothing to say\n", b"\x00" * 1000])
def test_an_empty_file_forbids_nothing(body: bytes) -> None:
    assert policy(200, body).allowed(US, "/a")


# ── lines (§2.2) ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_way(end: str) -> None:
    assert not allows(f"User-agent: FooBot{end}Disallow: /x{end}Allow: /y", "/x")


def test_line_ends_may_be_mixed_and_blank_lines_do_not_end_a_group() -> None:
    text = "User-agent: FooBot\r\n\n\rDisallow: /x\n\r\n\nDisallow: /y\r"
    assert not allows(text, "/x")
    assert not allows(text, "/y")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xef\xbb", b"\xef"])
def test_a_byte_order_mark_is_no_part_of_the_first_name_even_when_cut(mark: bytes) -> None:
    assert not allows(mark + b"User-agent: FooBot\nDisallow: /\n", "/x")


def test_a_mark_that_is_none_spoils_only_its_line() -> None:
    assert allows(b"\xef\x11\xbfUser-agent: FooBot\nDisallow: /\n", "/x")


def test_names_are_read_in_any_case_and_values_as_written() -> None:
    text = "uSER-aGENT: FooBot\nDISALLOW: /Private\n"
    assert not allows(text, "/Private")
    assert allows(text, "/private")


def test_comments_end_a_line_wherever_they_begin() -> None:
    text = "# Disallow: /\nUser-agent: FooBot # that is us\nDisallow: /foo/quz#qux\nAllow: /\n"
    assert allows(text, "/foo/bar")
    assert not allows(text, "/foo/quz")


def test_white_space_around_names_and_values_is_nothing() -> None:
    assert not allows("  User-agent \t:\t FooBot  \n\tDisallow  :  /x  \n", "/x")


def test_a_missing_colon_between_two_words_is_understood() -> None:
    assert not allows("user-agent FooBot\ndisallow /\n", "/x")
    assert allows("user-agent FooBot\ndisallow / for everybody\n", "/x")


@pytest.mark.parametrize("name", ["dissallow", "dissalow", "disalow", "diasllow", "disallaw"])
def test_frequent_misspellings_of_disallow_are_obeyed(name: str) -> None:
    assert not allows(f"useragent: FooBot\n{name}: /x\n", "/x")


def test_names_that_are_none_are_passed_over() -> None:
    assert allows("foo: FooBot\nbar: /\n", "/x")


# ── groups (§2.2.1) ──────────────────────────────────────────────────────────────────────────────────────────────────

SEVERAL = """
allow: /before/any/group

user-agent: FooBot
disallow: /
allow: /x/
user-agent: BarBot
disallow: /
allow: /y/


allow: /w/
user-agent: BazBot

user-agent: FooBot
allow: /z/
disallow: /
"""


@pytest.mark.parametrize(
    ("agent", "allowed", "forbidden"),
    [
        ("FooBot", ["/x/b", "/z/d"], ["/y/c", "/w/a"]),
        ("BarBot", ["/y/c", "/w/a"], ["/x/b", "/z/d"]),
        ("BazBot", ["/z/d"], ["/x/b", "/y/c", "/w/a"]),
    ],
)
def test_groups_of_one_agent_are_merged_wherever_they_stand(agent: str, allowed: list[str], forbidden: list[str]) -> None:
    robots = parse(SEVERAL.encode())
    assert all(robots.allowed(agent, path) for path in allowed)
    assert not any(robots.allowed(agent, path) for path in forbidden)


@pytest.mark.parametrize("line", ["Sitemap: https://foo.bar/sitemap", "Invalid-Unknown-Line: x", "no line at all", "Crawl-delay: 3"])
def test_an_unknown_line_between_agents_does_not_split_their_group(line: str) -> None:
    text = f"User-agent: BarBot\n{line}\nUser-agent: *\nDisallow: /\n"
    assert not allows(text, "/x", "BarBot")
    assert not allows(text, "/x", "FooBot")


def test_an_unknown_line_between_rules_does_not_end_their_group() -> None:
    assert not allows("User-agent: FooBot\nAllow: /x\nSitemap: /s\nDisallow: /y\n", "/y")


def test_the_group_for_everybody_counts_only_where_there_is_no_own_group() -> None:
    text = "user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n"
    assert not allows(text, "/x", "FooBot")
    assert allows(text, "/x", "BarBot")


def test_an_own_group_without_rules_allows_everything() -> None:
    assert allows("User-agent: FooBot\nDisallow:\n\nUser-agent: *\nDisallow: /\n", "/x", "FooBot")


def test_without_a_group_for_everybody_strangers_may_go_everywhere() -> None:
    assert allows("User-agent: BarBot\nDisallow: /\n", "/x", "FooBot")


def test_rules_before_any_group_are_nobodys() -> None:
    assert allows("Disallow: /\nUser-agent: BarBot\nDisallow: /x\n", "/y", "FooBot")


@pytest.mark.parametrize(
    ("line", "agent", "ours"),
    [
        ("FooBot", "foobot", True),
        ("foobot", "FOOBOT", True),
        ("FooBot/2.1 (+http://x)", "FooBot", True),
        ("FooBot 2", "FooBot", True),
        ("Foo Bar", "Foo", True),
        ("Foo Bar", "Foo Bar", False),  # no product token has a space
        ("news", "newsbot", False),
        ("newsbot", "news", False),
        ("news-bot", "news", False),
        ("*", "FooBot", True),
        ("* bots", "FooBot", True),
        ("*bot", "FooBot", False),
        ("china-tech-archive", US, True),
        ("China-Tech-Archive/0.1", US, True),
        ("12345", "FooBot", False),
        ("", "FooBot", False),
    ],
)
def test_an_agent_line_means_exactly_its_product_token(line: str, agent: str, ours: bool) -> None:
    assert allows(f"User-agent: {line}\nDisallow: /\n", "/x", agent) is not ours


def test_an_agent_line_without_a_token_ends_the_group_before_it() -> None:
    text = "User-agent: FooBot\nDisallow: /a\nUser-agent: 2\nDisallow: /b\n"
    assert not allows(text, "/a")
    assert allows(text, "/b")


# ── rules (§2.2.2) ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("Disallow: /x/page\nAllow: /x/", "/x/page", False),
        ("Allow: /x/page\nDisallow: /x/", "/x/page", True),
        ("Disallow: /x/page\nAllow: /x/page", "/x/page", True),  # a tie
        ("Allow: /x/page\nDisallow: /x/page", "/x/page", True),
        ("Disallow:\nAllow:", "/x", True),
        ("Disallow: /", "/", False),
        ("Disallow: /\nAllow: /x", "/xyz", True),
        ("Disallow: /page\nAllow: /*.html", "/page.html", True),
        ("Allow: /page\nDisallow: /*.html", "/page.html", False),
        ("Allow: /page\nDisallow: /*.html", "/page", True),
        ("Allow: /x/page.\nDisallow: /*.html", "/x/page.html", True),
        ("Disallow: x", "/x", True),  # no path begins so
        ("Disallow: *", "/x", False),
        ("Disallow: /", "/robots.txt", True),
        ("Disallow: /", "/robots.txt?x", False),
    ],
)
def test_the_longest_matching_rule_decides_and_allow_at_a_tie(rules: str, path: str, allowed: bool) -> None:
    assert allows(f"User-agent: *\n{rules}\n", path) is allowed


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (
            "/fish",
            ["/fish", "/fish.html", "/fish/salmon.html", "/fishheads", "/fish.php?id=anything"],
            ["/Fish.asp", "/catfish", "/?id=fish"],
        ),
        ("/fish*", ["/fish", "/fishheads/yummy.html"], ["/Fish.asp", "/catfish"]),
        ("/fish/", ["/fish/", "/fish/?id=1", "/fish/salmon.htm"], ["/fish", "/fish.html"]),
        ("/*.php", ["/filename.php", "/folder/any.php?x", "/file.php/", "/index.php"], ["/", "/windows.PHP"]),
        ("/*.php$", ["/filename.php", "/folder/filename.php"], ["/filename.php?x", "/filename.php/", "/filename.php5"]),
        ("/fish*.php", ["/fish.php", "/fishheads/catfish.php?x"], ["/Fish.PHP"]),
        ("/a$", ["/a"], ["/ab", "/a?b", "/"]),
        ("/a$b", ["/a$b", "/a$bc"], ["/a", "/ab"]),  # only at the end is it an anchor
        ("/a**b", ["/ab", "/axxb"], ["/a"]),
        ("/*a*a*$", ["/aa", "/baab"], ["/a", "/bab"]),
        ("*/x", ["/x", "/y/x/z"], ["/y"]),
        ("/x*$", ["/x", "/xyz"], ["/y"]),
        ("/a*bc$", ["/abc", "/a-bc-bc"], ["/abcd", "/bc"]),
        ("/ab*b$", ["/abb", "/ab-b"], ["/ab"]),  # the two may not share an octet
    ],
)
def test_asterisks_and_the_anchor(pattern: str, matching: list[str], other: list[str]) -> None:
    robots = parse(f"User-agent: *\nDisallow: {pattern}\n".encode())
    assert [path for path in matching if robots.allowed(US, path)] == []
    assert [path for path in other if not robots.allowed(US, path)] == []


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https://foo.bar"),
        ("/foo/bar/新闻", "/foo/bar/%E6%96%B0%E9%97%BB"),
        ("/foo/bar/%E6%96%B0%E9%97%BB", "/foo/bar/新闻"),
        ("/foo/bar/新闻", "/foo/bar/新闻"),
        ("/foo/bar/%e6%96%b0", "/foo/bar/%E6%96%B0"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/foo/bar/baz", "/foo/bar/%62a%7a"),
        ("/foo/bar/%7Euser", "/foo/bar/~user"),
        ("/a/%2A", "/a/*"),
        ("/a/%24", "/a/$"),
        ("/a b", "/a%20b"),
        ("/100%", "/100%"),
        ("/%zz", "/%zz"),
    ],
)
def test_paths_are_compared_in_one_spelling(pattern: str, path: str) -> None:
    assert not allows(f"User-agent: *\nDisallow: {pattern}\n", path)


@pytest.mark.parametrize(
    ("pattern", "path"), [("/a%2Fb", "/a/b"), ("/a/b", "/a%2Fb"), ("/a%3Fb", "/a?b"), ("/a%2A", "/axyz"), ("/新", "/闻")]
)
def test_reserved_characters_are_not_the_same_as_their_escapes(pattern: str, path: str) -> None:
    assert allows(f"User-agent: *\nDisallow: {pattern}\n", path)


def test_gb18030_comments_and_paths_survive() -> None:
    body = "# 本站规则：请勿抓取\nUser-agent: *\nDisallow: /新闻/\nDisallow: /x\n".encode("gb18030")
    assert not allows(body, "/x")
    assert not allows(body, "/%D0%C2%CE%C5/1.shtml")  # the octets of 新闻 in GBK, as such a site's own links spell it
    assert allows(body, "/y")


# ── size (§2.5) ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_stands_behind_500_kib_is_not_read() -> None:
    filler = b"# " + b"x" * 97 + b"\n"
    head = b"User-agent: *\nDisallow: /near\n"
    body = head + filler * (MAX_BYTES // len(filler) + 1) + b"Disallow: /far\n"
    assert len(body) > MAX_BYTES
    assert not allows(body, "/near")
    assert allows(body, "/far")


def test_the_line_that_the_limit_cuts_is_left_out() -> None:
    head = b"User-agent: *\nDisallow: /near\n"
    filler = b"#" * (MAX_BYTES - len(head) - len(b"\nDisallow: /"))
    body = head + filler + b"\nDisallow: /private/secret\n"
    assert body[:MAX_BYTES].endswith(b"\nDisallow: /")
    assert allows(body, "/anything")


def test_forty_megabytes_cost_no_more_than_half_a_megabyte() -> None:
    body = b"User-agent: *\nDisallow: /x\n" * 1_500_000
    began = time.process_time()
    robots = parse(body)
    assert not robots.allowed(US, "/x")
    assert time.process_time() - began < 30.0


@pytest.mark.parametrize(
    "body",
    [
        b"User-agent: *\n" + b"Allow:/a\n" * 60_000,
        b"User-agent: *\nDisallow: /" + b"\xe4" * MAX_BYTES,
        b"User-agent: *\nDisallow: /" + b"%e4" * 160_000,
    ],
    ids=["lines", "octets", "escapes"],
)
def test_half_a_megabyte_of_anything_is_read_in_a_moment(body: bytes) -> None:
    began = time.process_time()
    parse(body)
    assert time.process_time() - began < 30.0


def test_patterns_made_to_be_slow_are_not() -> None:
    body = b"User-agent: *\nDisallow: /" + b"*a" * 250_000 + b"$\n"
    robots = parse(body)
    began = time.process_time()
    assert robots.allowed(US, "/" + "a" * 2_000 + "b")
    assert time.process_time() - began < 30.0


def test_half_a_megabyte_of_rules_is_matched_in_a_moment() -> None:
    body = b"User-agent: *\n" + b"".join(b"Disallow: /*%d*x\n" % n for n in range(25_000))
    robots = parse(body)
    began = time.process_time()
    robots.allowed(US, "/" + "a1" * 1_000)
    assert time.process_time() - began < 30.0


# ── beside the rules ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("10", 10.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("9" * 400, None),
        ("ten", None),
        ("", None),
    ],
)
def test_a_crawl_delay_is_a_plain_number_of_seconds(value: str, seconds: float | None) -> None:
    assert parse(f"User-agent: *\nCrawl-delay: {value}\nDisallow: /x\n".encode()).crawl_delay(US) == seconds


def test_the_longest_crawl_delay_of_the_own_groups_counts() -> None:
    groups = [("*", 90), (US, 2), (US, 5)]
    text = "\n".join(f"User-agent: {agent}\nCrawl-delay: {seconds}\nAllow: /\n" for agent, seconds in groups)
    robots = parse(text.encode())
    assert robots.crawl_delay(US) == 5.0
    assert robots.crawl_delay("FooBot") == 90.0


def test_a_file_that_names_no_delay_has_none() -> None:
    assert parse(b"User-agent: *\nDisallow: /x\n").crawl_delay(US) is None
    assert policy(404, b"").crawl_delay(US) is None
    assert policy(None, b"").crawl_delay(US) is None


def test_sitemaps_are_found_anywhere_and_kept_as_written() -> None:
    text = "Sitemap: http://a.test/1.xml\nUser-agent: *\nSITEMAP: /二.xml\nDisallow: /\nSite-map: http://a.test/3.xml#x\nSitemap:\n"
    assert parse(text.encode()).sitemaps == ("http://a.test/1.xml", "/二.xml", "http://a.test/3.xml")


def test_statements_about_use_are_kept_raw_for_whom_they_concern() -> None:
    text = (
        "License: https://a.test/license.xml\n"
        "User-agent: *\nContent-Signal: search=yes, ai-train=no\nContent-Usage: /news/ train-ai=n\nAllow: /\n"
        f"User-agent: {US}\nContent-Usage: train-ai=y\nAllow: /\n"
    )
    robots = parse(text.encode())
    everybody = ("license", "https://a.test/license.xml")
    assert robots.signals("FooBot") == (everybody, ("content-signal", "search=yes, ai-train=no"), ("content-usage", "/news/ train-ai=n"))
    assert robots.signals(US) == (everybody, ("content-usage", "train-ai=y"))


def test_terms_are_the_statements_line_by_line_each_once() -> None:
    text = "Content-Signal:  ai-train=no\u2028 x\n\nUser-agent: *\nContent-Usage: train-ai=n\nContent-Usage: train-ai=n\nAllow: /\n"
    assert parse(text.encode()).terms(US) == "content-signal: ai-train=no x\ncontent-usage: train-ai=n"
    assert parse(b"User-agent: *\nDisallow: /no/\n").terms(US) is None
    assert policy(404, text.encode()).terms(US) is None


def test_no_more_than_fifty_terms_are_kept() -> None:
    text = "".join(f"License: https://a.test/{n}.xml\n" for n in range(1_000))
    terms = parse(text.encode()).terms(US)
    assert terms is not None
    assert len(terms.splitlines()) == MOST_TERMS


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────

PATHS = st.text(alphabet="/ab%*$?新.", max_size=12).map(lambda text: f"/{text}")


@given(st.binary(max_size=400), PATHS)
@example(b"\xff\xfe" * 20, "/\ud800")
@settings(deadline=None, max_examples=200)
def test_any_bytes_give_an_answer(body: bytes, path: str) -> None:
    robots = parse(body)
    assert isinstance(robots.allowed(US, path), bool)
    assert (robots.crawl_delay(US) or 0.0) >= 0.0
    assert all(name.islower() for name, _ in robots.signals(US))


@given(
    st.lists(
        st.sampled_from([b"User-agent: *", b"User-agent: a", b"Disallow: /a", b"Allow: /ab", b"Crawl-delay: 1", b"x: y", b"#", b""]),
        max_size=12,
    )
)
@settings(deadline=None, max_examples=150)
def test_line_ends_and_a_byte_order_mark_change_nothing(lines: list[bytes]) -> None:
    assert parse(b"\n".join(lines)) == parse(b"\xef\xbb\xbf" + b"\r\n".join(lines)) == parse(b"\r".join(lines))


@given(PATHS, PATHS)
@settings(deadline=None, max_examples=300)
def test_a_pattern_matches_what_the_obvious_regular_expression_matches(pattern: str, path: str) -> None:
    spelled, where = _spelled(pattern.encode()), _spelled_path(path)
    body = spelled[:-1] if spelled.endswith(b"$") else spelled
    parts = [re.escape(part.replace(b"$", b"%24")) for part in body.split(b"*")]
    obvious = re.match(b".*".join(parts) + (rb"\Z" if spelled.endswith(b"$") else b""), where, re.DOTALL)
    assert Rule(False, spelled).matches(where) is (obvious is not None)


@given(PATHS)
@settings(deadline=None, max_examples=100)
def test_a_path_without_wildcards_forbids_itself(path: str) -> None:
    plain = path.replace("*", "").replace("$", "")
    assert not parse(f"User-agent: *\nDisallow: {plain}\n".encode()).allowed(US, plain)


def test_a_robots_value_is_frozen() -> None:
    with pytest.raises(AttributeError):
        ALLOW_ALL.unreachable = "x"  # type: ignore[misc]
    assert Robots() == ALLOW_ALL
