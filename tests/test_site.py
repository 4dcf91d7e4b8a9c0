"""A seeds file is checked whole before any request: each way to write it wrong is named with file, key and expectation."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import re
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from pipelines.errors import ConfigurationError, SeedsError
from pipelines.site import Site, compile_selector, load_site, load_sites, parse_site

SEEDS = Path(__file__).parent.parent / "seeds"

GOOD = """
name = "example"
publisher = "示例新闻"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.cn", "127.0.0.1:8800"]

[discover]
listings = ["http://news.example.cn/list.php?channel=科技&p={page}"]
article = ['^http://news\\.example\\.cn/(?P<date>\\d{8})/(?P<id>\\d+)\\.html$']
"""

LAYOUT = """
[[layout]]
name = "now"
title = ["h1"]
body = ["#body"]
"""

MIRROR = """
[[identity.mirror]]
pattern = 'http://m\\.example\\.cn/(?P<path>.*)'
original = "http://news.example.cn/{path}"
"""


def site(text: str = GOOD) -> Site:
    return parse_site(text.encode(), "seeds/example.toml")


def fault(text: str) -> SeedsError:
    with pytest.raises(SeedsError) as caught:
        site(text)
    return caught.value


def swapped(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def without(key: str) -> str:
    return re.sub(rf"(?m)^{key} = .*\n", "", GOOD)


def test_a_whole_seeds_file_gives_a_frozen_site() -> None:
    loaded = site(GOOD + LAYOUT + MIRROR)
    assert loaded.name == "example"
    assert loaded.timezone == ZoneInfo("Asia/Shanghai")
    assert loaded.hosts == ("news.example.cn", "127.0.0.1:8800")
    assert loaded.layouts[0].body == ("#body",)
    assert loaded.identity.mirrors[0].kind == "copy"
    with pytest.raises(AttributeError):
        loaded.name = "other"  # type: ignore[misc]


def test_what_a_file_leaves_out_has_the_documented_default() -> None:
    loaded = site()
    assert loaded.politeness.delay == 2.0
    assert loaded.discover.max_pages == 50
    assert loaded.identity.scheme is None
    assert loaded.layouts == ()
    assert loaded.rights.reserved == ()


def test_the_digest_is_the_sha256_of_the_file_as_it_lies_on_disk() -> None:
    assert site().digest == hashlib.sha256(GOOD.encode()).hexdigest()


def test_a_comment_changes_the_digest_and_nothing_else() -> None:
    commented = site(GOOD + "# seen again today\n")
    assert commented.digest != site().digest
    assert commented.hosts == site().hosts


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse_site(b"\xef\xbb\xbf" + GOOD.encode(), "x.toml").name == "example"


def test_dates_and_numbers_come_out_as_their_types() -> None:
    loaded = site(GOOD + LAYOUT + "since = 2016-01-01\n[politeness]\ndelay = 1\ntries = 2\n")
    assert loaded.layouts[0].since == date(2016, 1, 1)
    assert loaded.politeness.delay == 1.0
    assert isinstance(loaded.politeness.delay, float)
    assert loaded.politeness.tries == 2


@pytest.mark.parametrize("key", ["name", "publisher", "language", "timezone", "hosts"])
def test_a_key_that_must_be_there_is_named_when_it_is_missing(key: str) -> None:
    error = fault(without(key))
    assert (error.file, error.key, error.wrong) == ("seeds/example.toml", key, "is missing")


def test_a_file_without_discover_is_told_to_have_one() -> None:
    error = fault(GOOD.partition("[discover]")[0])
    assert (error.key, error.wrong, error.expected) == ("discover", "is missing", "a [discover] table")


def test_a_file_without_article_rules_is_told_to_have_them() -> None:
    error = fault(re.sub(r"(?m)^article = .*\n", "", GOOD))
    assert (error.key, error.expected) == ("discover.article", "a list of regular expressions")


@pytest.mark.parametrize("key", ["title", "body", "name"])
def test_a_layout_must_have_its_name_title_and_body(key: str) -> None:
    error = fault(GOOD + re.sub(rf"(?m)^{key} = .*\n", "", LAYOUT))
    assert (error.key, error.wrong) == (f"layout[0].{key}", "is missing")


WRONG = {
    # what a person wrote: (the file, key, in `wrong`, in `expected`)
    "an unknown key": (GOOD + 'publsher = "x"\n', "discover.publsher", "no such key", "one of"),
    "a misspelt key": ('publsher = "x"\n' + without("publisher"), "publsher", "no such key", "`publisher`, maybe"),
    "layouts in the plural": (GOOD + LAYOUT.replace("[[layout]]", "[[layouts]]"), "layouts", "no such key", "`layout`, maybe"),
    "a digest of one's own": ('digest = "x"\n' + GOOD, "digest", "no such key", ""),
    "a number for a string": (swapped('"示例新闻"', "7"), "publisher", "7 is an integer", "a string"),
    "nothing in a string": (swapped('"示例新闻"', '" "'), "publisher", "' ' is a string", "something in it"),
    "a name with a dash": (swapped('"example"', '"ex-ample"'), "name", "'ex-ample'", "lower-case letters"),
    "a language by its name": (swapped('"zh"', '"Chinese language"'), "language", "'Chinese language'", "BCP 47"),
    "a time zone nobody knows": (swapped("Asia/Shanghai", "Asia/Atlantis"), "timezone", "'Asia/Atlantis'", "Asia/Shanghai"),
    "a folder of time zones": (swapped("Asia/Shanghai", "Asia"), "timezone", "'Asia'", "Asia/Shanghai"),
    "a path for a time zone": (swapped("Asia/Shanghai", "../../etc/passwd"), "timezone", "passwd", "Asia/Shanghai"),
    "one host, not a list": (swapped('["news.example.cn", "127.0.0.1:8800"]', '"news.example.cn"'), "hosts", "a string", "a list"),
    "no host": (swapped('["news.example.cn", "127.0.0.1:8800"]', "[]"), "hosts", "is empty", "something in it"),
    "a host with its scheme": (swapped("127.0.0.1:8800", "http://x.cn"), "hosts", "'http://x.cn'", "without scheme"),
    "a host in capitals": (swapped("127.0.0.1:8800", "News.example.cn"), "hosts", "'News.example.cn'", "lower case"),
    "a host in Chinese": (swapped("127.0.0.1:8800", "新闻.cn"), "hosts", "'新闻.cn'", "a host name"),
    "a port that is none": (swapped("127.0.0.1:8800", "127.0.0.1:88000"), "hosts", "88000", "1 to 65535"),
    "the default port": (swapped("127.0.0.1:8800", "127.0.0.1:80"), "hosts", ":80", "left out"),
    "an address in hex": (swapped("127.0.0.1:8800", "0x7f.1"), "hosts", "0x7f.1", "four decimal numbers"),
    "an address as one number": (swapped("127.0.0.1:8800", "2130706433"), "hosts", "2130706433", "four decimal numbers"),
    "a number in a list of strings": (swapped('"127.0.0.1:8800"', "8800"), "hosts", "8800 is an integer", "a string"),
    "a table for a list": (GOOD + "[discover.feeds]\nx = 1\n", "discover.feeds", "a table", "a list"),
    "a string for a table": ('politeness = "x"\n' + GOOD, "politeness", "'x' is a string", "a table"),
    "a table for an array of tables": (GOOD + '[layout]\nname = "x"\n', "layout", "a table", "an array of tables"),
    "no start": (swapped("listings =", "listings = []\n#"), "discover", "no place to start from", "at least one of"),
    "a start on another host": (swapped("http://news.", "http://www."), "discover.listings", "www.example.cn", "one of"),
    "a start that is no URL": (swapped('["http://news', '["news'), "discover.listings", "'news.example.cn", "http or https"),
    "a start by FTP": (swapped('["http://news', '["ftp://news'), "discover.listings", "'ftp:", "http or https"),
    "a field nobody fills": (swapped("{page}", "{n}"), "discover.listings", "{n}", "{page}"),
    "an index that is no URL": (GOOD + 'cdx = ["index.example.org/cdx"]\n', "discover.cdx", "index.example.org", "http or https"),
    "an index at an address in hex": (GOOD + 'cdx = ["http://0x7f.1/cdx"]\n', "discover.cdx", "0x7f.1", "four decimal numbers"),
    "an index whose pages are in its path": (
        GOOD + 'cdx = ["https://index.example.org/{page}/cdx"]\n',
        "discover.cdx",
        "{page} elsewhere",
        "page={page}",
    ),
    "captures of no index": (
        GOOD + 'cdx_records = { "index.example.org" = "https://data.example.org/" }\n',
        "discover.cdx_records.index.example.org",
        "no index",
        "one of []",
    ),
    "captures at a base without an end": (
        GOOD + 'cdx = ["https://index.example.org/cdx"]\ncdx_records = { "index.example.org" = "https://data.example.org" }\n',
        "discover.cdx_records.index.example.org",
        "https://data.example.org",
        "ends in /",
    ),
    "captures at a replay without a time": (
        GOOD + 'cdx = ["https://index.example.org/cdx"]\ncdx_records = { "index.example.org" = "https://x.example.org/{url}" }\n',
        "discover.cdx_records.index.example.org",
        "{url}",
        "{timestamp} and {url}",
    ),
    "no article rule": (swapped("article = [", "article = []\n#"), "discover.article", "is empty", "regular expressions"),
    "a regex that does not parse": (GOOD + "deny = ['(']\n", "discover.deny", "'('", "Python's `re`"),
    "a regex of giants": (GOOD + "deny = ['a{99999999999999}']\n", "discover.deny", "too large", "Python's `re`"),
    "one regex, not a list": (GOOD + "deny = 'x'\n", "discover.deny", "a string", "a list of regular expressions"),
    "a selector that does not parse": (GOOD + 'entry = "li["\n', "discover.entry", "'li['", "a selector"),
    "a pseudo-class nobody knows": (GOOD + 'entry = "li:firstborn"\n', "discover.entry", "firstborn", "a selector"),
    "a pseudo-element nobody knows": (GOOD + 'entry = "li::texts"\n', "discover.entry", "texts", "a selector"),
    "an XPath that does not parse": (GOOD + 'next_page = ["//a["]\n', "discover.next_page", "//a[", "no XPath"),
    "an XPath with a prefix": (GOOD + 'next_page = ["//x:a"]\n', "discover.next_page", "//x:a", "prefix"),
    "an XPath function nobody has": (GOOD + 'next_page = ["//a[has-class(1)]"]\n', "discover.next_page", "", "has-class()"),
    "an XPath that gives a number": (GOOD + 'next_page = ["(1)"]\n', "discover.next_page", "'(1)'", "a float"),
    "half a page": (GOOD + "max_pages = 1.5\n", "discover.max_pages", "1.5 is a float", "a whole number, 1 or more"),
    "no page at all": (GOOD + "max_pages = 0\n", "discover.max_pages", "0 is an integer", "1 or more"),
    "a first page below 0": (GOOD + "first_page = -1\n", "discover.first_page", "-1", "0 or more"),
    "true for a number": (GOOD + "max_depth = true\n", "discover.max_depth", "True is a boolean", "a whole number"),
    "a delay below 0": (GOOD + "[politeness]\ndelay = -0.5\n", "politeness.delay", "-0.5", "0 or more"),
    "an endless delay": (GOOD + "[politeness]\ndelay = inf\n", "politeness.delay", "inf", "a number"),
    "a delay that is no number": (GOOD + "[politeness]\ndelay = nan\n", "politeness.delay", "nan", "a number"),
    "no request at a time": (GOOD + "[politeness]\nconcurrency = 0\n", "politeness.concurrency", "0", "1 or more"),
    "a next page on another host": (
        GOOD + 'next_base = { "news.example.cn" = "http://app.example.cn/" }\n',
        "discover.next_base.news.example.cn",
        "app.example.cn",
        "one of",
    ),
    "a next page of another host": (
        GOOD + 'next_base = { "app.example.cn" = "http://news.example.cn/" }\n',
        "discover.next_base.app.example.cn",
        "'app.example.cn' is not in `hosts`",
        "one of",
    ),
    "a next page without a base": (
        GOOD + 'next_base = { "news.example.cn" = "/news/" }\n',
        "discover.next_base.news.example.cn",
        "'/news/'",
        "http or https",
    ),
    "a list for a table of strings": (GOOD + "next_base = []\n", "discover.next_base", "a list", "a table of strings"),
    "a scheme of its own": (GOOD + '[identity]\nscheme = "ftp"\n', "identity.scheme", "'ftp'", '"http" or "https"'),
    "a scheme in a list": (GOOD + '[identity]\nscheme = ["http"]\n', "identity.scheme", "a list", "a string"),
    "an alias of an alias": (
        GOOD + '[identity.hosts]\n"a.cn" = "b.cn"\n"b.cn" = "c.cn"\n',
        "identity.hosts.a.cn",
        "'b.cn' is itself an alias",
        "no alias",
    ),
    "an alias of a URL": (GOOD + '[identity.hosts]\n"a.cn" = "http://b.cn"\n', "identity.hosts.a.cn", "'http://b.cn'", "a host name"),
    "an alias that is a number": (GOOD + '[identity.hosts]\n"a.cn" = 5\n', "identity.hosts.a.cn", "5 is an integer", "a string"),
    "a part rule without its groups": (GOOD + "[identity]\npart = '(?P<head>.*)_(\\d+)'\n", "identity.part", "no group 'part'", "tail"),
    "a mirror of an unknown group": (
        GOOD + MIRROR.replace("{path}", "{rest}"),
        "identity.mirror[0].original",
        "{rest} is no group",
        "['path']",
    ),
    "a mirror that reaches inside": (
        GOOD + MIRROR.replace("{path}", "{path.__class__}"),
        "identity.mirror[0].original",
        "a brace too many",
        "{group}",
    ),
    "a mirror of another kind": (GOOD + MIRROR + 'kind = "print"\n', "identity.mirror[0].kind", "'print'", "copy, traditional, mobile"),
    "a mirror without its original": (
        GOOD + re.sub(r"(?m)^original = .*\n", "", MIRROR),
        "identity.mirror[0].original",
        "is missing",
        "a string",
    ),
    "a layout that selects nothing": (GOOD + LAYOUT.replace('["#body"]', "[]"), "layout[0].body", "is empty", "something in it"),
    "a layout with a broken selector": (GOOD + LAYOUT.replace('"#body"', '"#"'), "layout[0].body", "'#'", "a selector"),
    "a layout with one selector, not a list": (GOOD + LAYOUT.replace('["h1"]', '"h1"'), "layout[0].title", "a string", "a list"),
    "a date as a string": (GOOD + LAYOUT + 'since = "2016-01-01"\n', "layout[0].since", "a string", "2016-04-08"),
    "a date with a time": (GOOD + LAYOUT + "since = 2016-01-01T00:00:00Z\n", "layout[0].since", "datetime", "2016-04-08"),
    "a layout that ends before it begins": (
        GOOD + LAYOUT + "since = 2016-01-02\nuntil = 2016-01-01\n",
        "layout[0].until",
        "2016-01-01 is before `since`, 2016-01-02",
        "not before",
    ),
    "two layouts of one name": (GOOD + LAYOUT + LAYOUT, "layout.name", "'now' stands twice", "of its own"),
    "a photo rule without a group": (GOOD + LAYOUT + "photos = 'pic_data'\n", "layout[0].photos", "no group", "a group 1"),
    "a use nobody knows": (GOOD + '[rights]\nreserved = ["everything"]\n', "rights.reserved", "'everything'", "archive"),
    "an export for a use nobody knows": (GOOD + '[rights]\nexport_for = "sale"\n', "rights.export_for", "'sale'", "text-and-data-mining"),
    "an export for several uses": (GOOD + '[rights]\nexport_for = ["train"]\n', "rights.export_for", "a list", "a string"),
    "no TOML": ("name = ", "(whole file)", "not TOML", "TOML 1.0"),
    "an integer of 5,000 digits": ("x = " + "9" * 5000, "(whole file)", "not TOML", "TOML 1.0"),
    "the name of a lock": (
        GOOD.replace('name = "example"', 'name = "takedown"'),
        "name",
        "'takedown' means something else",
        "another name than",
    ),
    "the name of all other pages": (GOOD.replace('name = "example"', 'name = "web"'), "name", "'web' means something else", "replay"),
    "a thousand brackets": ("x = " + "[" * 5000, "(whole file)", "not TOML", "TOML 1.0"),
}


@pytest.mark.parametrize("what", WRONG)
def test_each_wrong_file_is_named_with_key_wrong_and_expected(what: str) -> None:
    text, key, wrong, expected = WRONG[what]
    error = fault(text)
    assert error.file == "seeds/example.toml"
    assert error.key == key
    assert wrong in error.wrong
    assert expected in error.expected
    assert str(error) == f"{error.file}: {error.key}: {error.wrong}. Expected {error.expected}."


def test_a_message_is_one_line_however_long_the_value() -> None:
    error = fault(GOOD + "[discover.deny]\n" + "".join(f"key{n} = 'x'\n" for n in range(1000)))
    assert len(str(error)) < 300
    assert "\n" not in str(error)


def test_bytes_that_are_no_utf8_are_reported_with_their_place() -> None:
    with pytest.raises(SeedsError, match="not UTF-8 at byte"):
        parse_site('name = "示例"'.encode("gb18030"), "x.toml")


def test_an_error_survives_the_way_back_from_a_worker_process() -> None:
    error = fault("name = ")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  our own bytes


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_site_or_a_seeds_error(raw: bytes) -> None:
    with pytest.raises(SeedsError):
        parse_site(raw, "x.toml")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(GOOD.splitlines()), st.text(max_size=12))
def test_a_line_replaced_by_anything_gives_a_site_or_a_seeds_error(line: str, text: str) -> None:
    with contextlib.suppress(SeedsError):
        assert site((GOOD + LAYOUT + MIRROR).replace(line, text) if line else GOOD + text).name


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab.#>:[]()*~+='\"/@ ,|-1", min_size=1, max_size=16))
def test_a_selector_either_compiles_and_runs_or_is_refused(selector: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(compile_selector(selector)(html.fromstring("<p class=a id=b>a<b>b</b></p>")), list)


@pytest.mark.parametrize("selector", ["h1.toph1", "a::attr(href)", "h1::text", "//h1[2]", "(//h1)[2]", "./a", "p:has(> a)"])
def test_css_with_text_and_attr_and_xpath_are_selectors(selector: str) -> None:
    compile_selector(selector)


def test_an_article_rule_gives_its_groups() -> None:
    match = site().article_match("http://news.example.cn/20220817/390000.html")
    assert match is not None
    assert match.groupdict() == {"date": "20220817", "id": "390000"}


def test_deny_wins_over_article() -> None:
    denied = site(GOOD + "deny = ['/20220817/']\n")
    assert denied.article_match("http://news.example.cn/20220817/390000.html") is None
    assert denied.article_match("http://news.example.cn/20220818/390000.html") is not None


def test_the_second_rule_is_asked_when_the_first_does_not_match() -> None:
    two = site(swapped("article = [", "article = ['^never$', "))
    assert two.article_match("http://news.example.cn/20220817/390000.html") is not None


def test_a_folder_gives_its_sites_in_order_of_name(tmp_path: Path) -> None:
    for name in ("zeta", "alpha"):
        (tmp_path / f"{name}.toml").write_text(GOOD.replace('"example"', f'"{name}"'), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a site")
    assert list(load_sites(tmp_path)) == ["alpha", "zeta"]


def test_a_file_must_bear_the_name_of_its_site(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(SeedsError, match="'example' is not the file's name"):
        load_sites(tmp_path)


@pytest.mark.parametrize("name", ["", "absent"])
def test_a_folder_without_seeds_says_where_it_looked(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="SEEDS_DIR") as caught:
        load_sites(tmp_path / name)
    assert str(tmp_path) in str(caught.value)


def test_a_file_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml: cannot be read"):
        load_site(tmp_path / "absent.toml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text(GOOD, encoding="utf-8")
    path.chmod(0)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_site(path)


def test_a_folder_in_the_place_of_a_file_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "example.toml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_sites(tmp_path)


def test_our_own_seeds_load() -> None:
    assert {"china_org_cn", "china_tech"} <= set(load_sites(SEEDS))


@pytest.mark.parametrize("name", ["china_tech", "china_org_cn"])
def test_our_own_seeds_name_publisher_rights_and_a_polite_delay(name: str) -> None:
    ours = load_site(SEEDS / f"{name}.toml")
    assert ours.politeness.delay >= 1
    assert ours.politeness.concurrency == 1
    assert ours.rights.own_sources
    assert ours.rights.notice
    assert ours.layouts
