"""One seeds file = one site: read, checked whole, frozen.

Every fact about a site is data in `seeds/<name>.toml`. Loading reports the first thing that is wrong with file, key,
what is wrong and what was expected (`errors.SeedsError`), before any request. The file's SHA-256 is `Site.digest`
and stands in every record that the file made. docs/adding-a-site.md explains each key to people.

A *selector* is CSS with the extensions `::text` and `::attr(name)`, or XPath when it begins with "/", "./" or "(".
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lxml import etree
from parsel.csstranslator import HTMLTranslator

from pipelines.errors import ConfigurationError, SeedsError

GENERIC = "web"
"""the name of `generic_site()`"""
USES = ("archive", "text-and-data-mining", "train")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Politeness:
    """How hard a host may be asked. Times in seconds, sizes in bytes."""

    delay: float = 2.0
    concurrency: int = 1
    max_requests: int = 5_000
    """a run, all hosts together"""
    max_bytes: int = 2 * 1024**3
    max_seconds: float = 6 * 3600.0
    max_crawl_delay: float = 60.0
    """a robots.txt Crawl-delay above this is cut to it, and reported"""
    max_retry_after: float = 120.0
    """a Retry-After above this gives the host up for this run"""
    tries: int = 4
    """of one URL before it is set aside"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discover:
    """Where links to articles are found. URLs may hold `{page}`, counted from `first_page`."""

    listings: tuple[str, ...] = ()
    jsonp: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    cdx: tuple[str, ...] = ()
    article: tuple[re.Pattern[str], ...]
    """an absolute canonical URL that matches one of these (search) is an article; named groups `date`, `id`, `section`"""
    follow: tuple[re.Pattern[str], ...] = ()
    """further listing pages linked from listings"""
    deny: tuple[re.Pattern[str], ...] = ()
    next_page: tuple[str, ...] = ()
    """selectors of the link to a list's next page; their text or href"""
    next_base: Mapping[str, str] = field(default_factory=dict)
    """host of the list -> base URL to which a relative "next page" href is joined"""
    entry: str | None = None
    """selector of one entry of a list; its first date-like text is the listing date of its links"""
    first_page: int = 1
    max_pages: int = 50
    max_links: int = 2_000
    """of one page"""
    max_depth: int = 6
    """hops of listings from a start URL"""
    known_margin: int = 20
    """a list stops after this many known entries in a row, none of them new"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """URLs that match `pattern` (whole) are copies of the URL that `original` expands to ({group} names)."""

    pattern: re.Pattern[str]
    original: str
    kind: str = "copy"
    """"copy", "traditional" or "mobile" """


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Rules for the canonical URL of an article."""

    scheme: str | None = None
    """the scheme that all URLs of `hosts` are given; None keeps each its own"""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """alias host -> canonical host"""
    drop_query: tuple[str, ...] = ("utm_*", "spm", "from", "sid", "jsessionid", "phpsessid")
    """names of query parameters that say nothing of the page; * at the end is a wildcard"""
    drop_all_query: tuple[re.Pattern[str], ...] = ()
    """URLs whose whole query says nothing"""
    index_names: tuple[str, ...] = ("index.html", "index.htm", "index.shtml", "index.php")
    mirrors: tuple[Mirror, ...] = ()
    part: re.Pattern[str] | None = None
    """a later page of an article: named groups `head`, `part`, `tail`; the first page is head + tail"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One generation of a site's article page. `since` and `until` bound the page's own date (inclusive), `url` its URL.

    Every field is a list of selectors, tried in order; the first that gives text wins. `drop` are removed first.
    """

    name: str
    since: date | None = None
    until: date | None = None
    url: re.Pattern[str] | None = None
    title: tuple[str, ...]
    body: tuple[str, ...]
    published: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    editor: tuple[str, ...] = ()
    section: tuple[str, ...] = ()
    caption: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    next_part: tuple[str, ...] = ()
    """links to the following page of the same article"""
    photos: re.Pattern[str] | None = None
    """a script's photo list: group 1 is JSON, an array of objects or an object with one array"""
    photo_text: tuple[str, ...] = ("note", "detail")
    photo_image: tuple[str, ...] = ("image", "bigPic")


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsRules:
    """`own_sources`: printed sources that are the publisher's own. `notice`: regexes that find its rights notice.
    `reserved`: the uses that the publisher's general terms reserve, whatever the page says."""

    own_sources: tuple[str, ...] = ()
    notice: tuple[re.Pattern[str], ...] = ()
    reserved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One seeds file. `hosts` are "name" or "name:port"; nothing else is ever fetched."""

    name: str
    publisher: str
    language: str
    timezone: ZoneInfo
    hosts: tuple[str, ...]
    title_suffixes: tuple[str, ...] = ()
    """what stands behind the last separators of <title>"""
    furniture: tuple[re.Pattern[str], ...] = ()
    """lines (whole, stripped) that are never part of an article of this site"""
    politeness: Politeness = Politeness()
    discover: Discover
    identity: Identity = Identity()
    layouts: tuple[Layout, ...] = ()
    rights: RightsRules = RightsRules()
    digest: str = ""

    def article_match(self, url: str) -> re.Match[str] | None:
        """The match of the first `discover.article` rule for a canonical URL, unless `deny` rules it out."""
        if any(rule.search(url) for rule in self.discover.deny):
            return None
        return next((match for rule in self.discover.article if (match := rule.search(url))), None)


def compile_selector(selector: str) -> etree.XPath:
    """A selector as a compiled XPath. Raises ValueError with one line on a selector that does not parse."""
    xpath = selector if selector.startswith(("/", "./", "(")) else _css_to_xpath(selector)
    try:
        return etree.XPath(xpath)
    except etree.XPathSyntaxError as error:
        raise ValueError(f"{selector!r} is no XPath ({error})") from None


def _css_to_xpath(selector: str) -> str:
    try:
        return HTMLTranslator().css_to_xpath(selector)
    except (ValueError, SyntaxError) as error:  # cssselect's errors derive from these
        raise ValueError(f"{selector!r} is no CSS selector ({error})") from None


def load_site(path: Path) -> Site:
    """The site that a seeds file describes. Raises SeedsError."""
    return parse_site(_read(path), str(path))


def parse_site(raw: bytes, file: str) -> Site:
    """The site that the bytes of a seeds file describe; `file` names it in messages. Raises SeedsError."""
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise SeedsError(file, "(whole file)", f"not UTF-8 at byte {error.start}", "UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SeedsError(file, "(whole file)", f"not TOML: {error}", "TOML 1.0") from None
    site: Site = _Reader(file).build(Site, table, "", digest=hashlib.sha256(raw).hexdigest())
    _check_whole(site, file)
    return site


def load_sites(folder: Path) -> dict[str, Site]:
    """All sites of a folder by name, in order of name. Raises SeedsError, ConfigurationError."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise ConfigurationError(f"{folder}: no seeds files here. Expected at least one <site>.toml; SEEDS_DIR names the folder.")
    sites: dict[str, Site] = {}
    for path in paths:
        site = load_site(path)
        if site.name != path.stem:
            raise SeedsError(str(path), "name", f"{site.name!r} is not the file's name", f"{path.stem!r}")
        sites[site.name] = site
    return sites


@cache
def generic_site() -> Site:
    """The site for pages of which no seeds file speaks: every URL is an article, nothing is known about its layout,
    and `timezone` is only what a page that prints no offset is read by when nothing else tells (UTC)."""
    return Site(
        name=GENERIC,
        publisher="",
        language="",
        timezone=ZoneInfo("UTC"),
        hosts=(),
        discover=Discover(article=(re.compile(""),)),
        digest=hashlib.sha256(GENERIC.encode()).hexdigest(),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}). Expected a seeds file.") from None


def _check_whole(site: Site, file: str) -> None:
    """What no single key can say."""
    discover = site.discover
    if not (discover.listings or discover.jsonp or discover.feeds or discover.sitemaps or discover.cdx):
        raise SeedsError(file, "discover", "no place to start from", "at least one of listings, jsonp, feeds, sitemaps, cdx")
    for key in ("listings", "jsonp", "feeds", "sitemaps"):
        for url in getattr(discover, key):
            host = re.sub(r"^https?://([^/?#]*).*$", r"\1", url)
            if host not in site.hosts:
                raise SeedsError(
                    file, f"discover.{key}", f"{url!r} is on {host!r}, which `hosts` does not name", f"one of {list(site.hosts)}"
                )
    names = [layout.name for layout in site.layouts]
    for name in names:
        if names.count(name) > 1:
            raise SeedsError(file, "layout.name", f"{name!r} stands twice", "a name of its own for each [[layout]]")


class _Reader:
    """Reads TOML tables into the dataclasses above, by the annotation of each field."""

    def __init__(self, file: str) -> None:
        self.file = file

    def build(self, cls: type[Any], table: object, where: str, **given: object) -> Any:
        if not isinstance(table, dict):
            raise self._wrong(where, table, "a table")
        known = {_key(cls, item.name): item for item in fields(cls) if item.name not in given}
        for key in table:
            if key not in known:
                raise self._unknown(_join(where, key), key, list(known))
        values: dict[str, object] = dict(given)
        for key, item in known.items():
            if key in table:
                values[item.name] = self._value(str(item.type), table[key], _join(where, key))
            elif item.default is MISSING and item.default_factory is MISSING:
                raise SeedsError(self.file, _join(where, key), "is missing", _EXPECTED.get(str(item.type), "a value"))
        return cls(**values)

    def _value(self, annotation: str, value: object, where: str) -> object:
        if read := _SPECIAL.get(where) or _SPECIAL.get(re.sub(r"\[\d+\]", "", where)):
            return self._special(read, value, where)
        annotation = annotation.removesuffix(" | None")
        if table := _TABLES.get(annotation):
            return self.build(table, value, where)
        if table := _ARRAYS.get(annotation):
            return tuple(self.build(table, item, f"{where}[{n}]") for n, item in enumerate(self._list(value, where, "an array of tables")))
        if annotation == "tuple[str, ...]":
            return tuple(self._text(item, where) for item in self._list(value, where, "a list of strings"))
        if annotation == "tuple[re.Pattern[str], ...]":
            return tuple(self._regex(item, where) for item in self._list(value, where, "a list of regular expressions"))
        return self._scalar(annotation, value, where)

    def _scalar(self, annotation: str, value: object, where: str) -> object:
        match annotation:
            case "str":
                return self._text(value, where)
            case "re.Pattern[str]":
                return self._regex(value, where)
            case "int" if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                return value
            case "float" if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
                return float(value)
            case "date" if type(value) is date:
                return value
            case "ZoneInfo":
                return self._zone(value, where)
            case "Mapping[str, str]" if isinstance(value, dict):
                return {str(key): self._text(item, _join(where, key)) for key, item in value.items()}
        raise self._wrong(where, value, _EXPECTED.get(annotation, annotation))

    def _special(self, read: Callable[[str], str | None], value: object, where: str) -> object:
        """Strings, or a list of strings, each of which has a form of its own; `read` names what is wrong, or None."""
        several = isinstance(value, list)
        items = self._list(value, where, "a list of strings") if where.rpartition(".")[2] in _LISTS else [value]
        for item in items:
            if (expected := read(self._text(item, where))) is not None:
                raise SeedsError(self.file, where, f"{item!r} does not fit", expected)
        return tuple(items) if several else value

    def _list(self, value: object, where: str, expected: str) -> list[object]:
        if not isinstance(value, list):
            raise self._wrong(where, value, expected)
        return value

    def _text(self, value: object, where: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(where, value, "a string with something in it")
        return value

    def _regex(self, value: object, where: str) -> re.Pattern[str]:
        try:
            return re.compile(self._text(value, where))
        except re.error as error:
            raise SeedsError(self.file, where, f"{value!r} is no regular expression ({error})", "Python's `re` syntax") from None

    def _zone(self, value: object, where: str) -> ZoneInfo:
        try:
            return ZoneInfo(self._text(value, where))
        except (ZoneInfoNotFoundError, ValueError):
            raise SeedsError(self.file, where, f"{value!r} is no time zone", 'a name of the tz database, e.g. "Asia/Shanghai"') from None

    def _wrong(self, where: str, value: object, expected: str) -> SeedsError:
        return SeedsError(self.file, where or "(whole file)", f"{value!r} is {_toml_type(value)}", expected)

    def _unknown(self, where: str, key: str, known: list[str]) -> SeedsError:
        close = difflib.get_close_matches(key, known, n=1)
        expected = f"`{close[0]}`?" if close else f"one of {', '.join(sorted(known))}"
        return SeedsError(self.file, where, "no such key", expected)


def _key(cls: type[Any], name: str) -> str:
    """TOML's [[layout]] and [[identity.mirror]] are singular, as an array of tables reads best."""
    return {(Site, "layouts"): "layout", (Identity, "mirrors"): "mirror"}.get((cls, name), name)


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _toml_type(value: object) -> str:
    names = {str: "a string", bool: "a boolean", int: "an integer", float: "a float", list: "a list", dict: "a table", date: "a date"}
    return names.get(type(value), type(value).__name__)


def _selector(value: str) -> str | None:
    try:
        compile_selector(value)
    except ValueError as error:
        return f"a selector: CSS, or XPath beginning with / ./ or ( — {error}"
    return None


def _url(value: str) -> str | None:
    return None if re.match(r"https?://[^/?#\s]+", value) else "an http or https URL"


def _host(value: str) -> str | None:
    return None if _HOST.fullmatch(value) else "a host name in lower case, with or without :port, without scheme or path"


def _site_name(value: str) -> str | None:
    return None if _NAME.fullmatch(value) else "lower-case letters, digits and _, a letter first"


def _scheme(value: str) -> str | None:
    return None if value in ("http", "https") else '"http" or "https"'


def _use(value: str) -> str | None:
    return None if value in USES else f"one of {', '.join(USES)}"


_SELECTOR_FIELDS = ("title", "body", "published", "source", "author", "editor", "section", "caption", "drop", "next_part")
_URL_FIELDS = ("listings", "jsonp", "feeds", "sitemaps", "cdx")
_SPECIAL: dict[str, Callable[[str], str | None]] = {
    "name": _site_name,
    "hosts": _host,
    "identity.scheme": _scheme,
    "rights.reserved": _use,
    "discover.entry": _selector,
    "discover.next_page": _selector,
    **{f"discover.{key}": _url for key in _URL_FIELDS},
    **{f"layout.{key}": _selector for key in _SELECTOR_FIELDS},
}
_LISTS = {"hosts", "reserved", "next_page", *_URL_FIELDS, *_SELECTOR_FIELDS}
_TABLES: dict[str, type[Any]] = {"Politeness": Politeness, "Discover": Discover, "Identity": Identity, "RightsRules": RightsRules}
_ARRAYS: dict[str, type[Any]] = {"tuple[Layout, ...]": Layout, "tuple[Mirror, ...]": Mirror}
_EXPECTED = {
    "str": "a string",
    "int": "a whole number, 0 or more",
    "float": "a number, 0 or more",
    "date": "a date, e.g. 2016-04-08",
    "Discover": "a [discover] table",
    "ZoneInfo": 'a time zone, e.g. "Asia/Shanghai"',
    "tuple[str, ...]": "a list of strings",
    "tuple[re.Pattern[str], ...]": "a list of regular expressions",
    "Mapping[str, str]": "a table of strings",
}
