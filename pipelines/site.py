"""One seeds file = one site: read, checked whole, frozen.

Every fact about a site is data in `seeds/<name>.toml`. Loading reports the first thing that is wrong with file, key,
what is wrong and what was expected (`errors.SeedsError`), before any request. The file's SHA-256 is `Site.digest`
and stands in every record that the file made. docs/adding-a-site.md explains each key to people.

A *selector* is CSS with the extensions `::text` and `::attr(name)`, or XPath when it begins with "/", "./" or "(".
"""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cssselect import SelectorError
from lxml import etree
from parsel.csstranslator import HTMLTranslator

from pipelines.errors import ConfigurationError, SeedsError

GENERIC = "web"
"""the name of `generic_site()`"""
RESERVED = frozenset({GENERIC, "replay", "reextract", "takedown"})
"""names that no site may have: of the site of all other pages, of locks and of WARC files"""
USES = ("archive", "text-and-data-mining", "train")
MIRROR_KINDS = ("copy", "traditional", "mobile")
CDX_RECORDS = {
    "index.commoncrawl.org": "https://data.commoncrawl.org/",
    "web.archive.org": "https://web.archive.org/web/{timestamp}id_/{url}",
}
"""what every seeds file knows of `cdx_records`"""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_FUNCTION = re.compile(r"([A-Za-z_][\w.-]*)\s*\(")
_XPATH_FUNCTION = re.compile(  # XPath 1.0 §4, the node tests of §2.3, and the operators, which may stand before a bracket
    r"last|position|count|id|local-name|namespace-uri|name|string|concat|starts-with|contains|substring(?:-before|-after)?|"
    r"string-length|normalize-space|translate|boolean|not|true|false|lang|number|sum|floor|ceiling|round|"
    r"comment|text|processing-instruction|node|and|or|div|mod"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Politeness:
    """How hard a host may be asked. Times in seconds, sizes in bytes."""

    delay: float = 2.0
    concurrency: int = 1
    max_requests: int = 5_000
    """sent in a run, all hosts together, robots.txt, redirects and further tries too"""
    max_bytes: int = 2 * 1024**3
    """received in a run, as they come"""
    max_seconds: float = 6 * 3600.0
    max_crawl_delay: float = 60.0
    """a robots.txt Crawl-delay above this is cut to it, and reported"""
    max_retry_after: float = 120.0
    """a Retry-After above this puts its URL off until then; with a 429, or twice in a row, the whole host"""
    tries: int = 4
    """of one URL before it is asked ever more rarely, or set aside"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discover:
    """Where links to articles are found. URLs may hold `{page}`, counted from `first_page`."""

    listings: tuple[str, ...] = ()
    jsonp: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    cdx: tuple[str, ...] = ()
    cdx_records: Mapping[str, str] = field(default_factory=dict)
    """host of an index -> where its captures are: the base URL of its WARC files, or a replay's with {timestamp} and {url}"""
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
    max_records: int = 500
    """captures that are taken from other archives in one run"""

    def records_of(self, index: str) -> str | None:
        """Where the captures are that an index speaks of; None for an index that only names addresses."""
        host = _host_of(index)
        return self.cdx_records.get(host) or CDX_RECORDS.get(host)

    @property
    def archive_hosts(self) -> tuple[str, ...]:
        """The hosts of indexes and of their captures: asked for these and for nothing else."""
        named = [one for index in self.cdx for one in (index, self.records_of(index)) if one is not None]
        return tuple(dict.fromkeys(_host_of(one) for one in named))


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
    `reserved`: the uses that the publisher's general terms reserve, whatever the page says. `export_for`: what exports and the
    feed are used for; what is reserved for it leaves the archive in neither (pipelines/policy.py)."""

    own_sources: tuple[str, ...] = ()
    notice: tuple[re.Pattern[str], ...] = ()
    reserved: tuple[str, ...] = ()
    export_for: str | None = None


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


@lru_cache(maxsize=1_024)
def compile_selector(selector: str) -> etree.XPath:
    """A selector as a compiled XPath that gives a list; compiled once. Raises ValueError with one line on what would fail on a page."""
    xpath = selector if selector.startswith(("/", "./", "(")) else _css_to_xpath(selector)
    try:
        compiled = etree.XPath(xpath)
        result = compiled(etree.Element("html"))
    except etree.XPathError as error:
        raise ValueError(f"{selector!r} is no XPath ({error})") from None
    if not isinstance(result, list):
        raise ValueError(f"{selector!r} gives a {type(result).__name__}, not elements, attributes or text")
    # libxml2 looks a function up when it first calls it, which is on the first page that has the element before it
    for name in _FUNCTION.findall(_QUOTED.sub("", xpath)):
        if not _XPATH_FUNCTION.fullmatch(name):
            raise ValueError(f"{selector!r} is no XPath 1.0 (no function {name}())")
    return compiled


def _css_to_xpath(selector: str) -> str:
    try:
        return HTMLTranslator().css_to_xpath(selector)
    except (SelectorError, ValueError) as error:
        raise ValueError(f"{selector!r} is no CSS selector ({error})") from None


def load_site(path: Path) -> Site:
    """The site that a seeds file describes. Raises SeedsError."""
    return parse_site(_read(path), str(path))


def parse_site(raw: bytes, file: str) -> Site:
    """The site that the bytes of a seeds file describe; `file` names it in messages. Raises SeedsError."""
    try:
        table = tomllib.loads(raw.decode("utf-8-sig"))  # some editors of Windows write a BOM
    except UnicodeDecodeError as error:
        raise SeedsError(file, "(whole file)", f"not UTF-8 at byte {error.start}", "UTF-8 text") from None
    except (ValueError, RecursionError) as error:  # tomllib lets both through: an integer of 5,000 digits, [[[[[…
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
    for check in (
        _check_name,
        _check_start,
        _check_archives,
        _check_next_base,
        _check_aliases,
        _check_mirrors,
        _check_part,
        _check_layouts,
    ):
        if (wrong := check(site)) is not None:
            raise SeedsError(file, *wrong)


_Wrong = tuple[str, str, str] | None
"""Key, what is wrong, what was expected."""


def _check_name(site: Site) -> _Wrong:
    if site.name not in RESERVED:
        return None
    return "name", f"{site.name!r} means something else in an archive", f"another name than {', '.join(sorted(RESERVED))}"


def _check_start(site: Site) -> _Wrong:
    starts = [(key, url) for key in _URL_FIELDS for url in getattr(site.discover, key)]
    if not starts:
        return "discover", "no place to start from", "at least one of listings, jsonp, feeds, sitemaps, cdx"
    own = (start for start in starts if start[0] != "cdx")
    return next((wrong for key, url in own if (wrong := _foreign(site, f"discover.{key}", url))), None)


def _check_archives(site: Site) -> _Wrong:
    """An index may be anywhere; but its host stands in the guard's list as it is written here."""
    indexes = [_host_of(url) for url in site.discover.cdx]
    for host, base in zip(indexes, site.discover.cdx, strict=True):
        if expected := _host(host):
            return "discover.cdx", f"{base!r} is on {host!r}", expected
        if "{page}" in re.sub(r"[?&]page=\{page\}(?=&|$)", "", base):
            return "discover.cdx", f"{base!r} holds {{page}} elsewhere", "page={page} in its query, or no {page}: paging is found out"
    for host in site.discover.cdx_records:
        if host not in indexes:
            return f"discover.cdx_records.{host}", "no index of `cdx` is on this host", f"one of {sorted(set(indexes))}"
    return None


def _check_next_base(site: Site) -> _Wrong:
    for host, base in site.discover.next_base.items():
        if host not in site.hosts:
            return f"discover.next_base.{host}", f"{host!r} is not in `hosts`", f"one of {list(site.hosts)}"
        if wrong := _foreign(site, f"discover.next_base.{host}", base):
            return wrong
    return None


def _foreign(site: Site, key: str, url: str) -> _Wrong:
    host = _host_of(url)
    return None if host in site.hosts else (key, f"{url!r} is on {host!r}, which `hosts` does not name", f"one of {list(site.hosts)}")


def _host_of(url: str) -> str:
    return re.sub(r"(?s)^https?://([^/?#]*).*$", r"\1", url)


def _check_aliases(site: Site) -> _Wrong:
    for alias, host in site.identity.hosts.items():
        if host in site.identity.hosts:
            return f"identity.hosts.{alias}", f"{host!r} is itself an alias", "the canonical host, which is no alias"
    return None


def _check_mirrors(site: Site) -> _Wrong:
    for number, mirror in enumerate(site.identity.mirrors):
        key = f"identity.mirror[{number}]"
        named = re.sub(r"\{(\w+)\}", "", mirror.original)
        if set(named) & set("{}"):
            return f"{key}.original", f"{mirror.original!r} has a brace too many", "{group} names only"
        unknown = set(re.findall(r"\{(\w+)\}", mirror.original)) - set(mirror.pattern.groupindex)
        if unknown:
            return f"{key}.original", f"{{{min(unknown)}}} is no group of `pattern`", f"one of {sorted(mirror.pattern.groupindex)}"
    return None


def _check_part(site: Site) -> _Wrong:
    rule = site.identity.part
    missing = {"head", "part", "tail"} - set(rule.groupindex) if rule else set()
    return ("identity.part", f"no group {min(missing)!r}", "the named groups head, part and tail") if missing else None


def _check_layouts(site: Site) -> _Wrong:
    names = [layout.name for layout in site.layouts]
    for number, layout in enumerate(site.layouts):
        if names.count(layout.name) > 1:
            return "layout.name", f"{layout.name!r} stands twice", "a name of its own for each [[layout]]"
        if layout.since and layout.until and layout.since > layout.until:
            return f"layout[{number}].until", f"{layout.until} is before `since`, {layout.since}", "a date not before `since`"
        if layout.photos and layout.photos.groups < 1:
            return f"layout[{number}].photos", "no group", "a group 1 around the JSON"
    return None


Form = Callable[[str], str | None]
"""What a string was expected to be; None for one that is."""


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
        annotation = annotation.removesuffix(" | None")
        if expects := _FORMS.get(_unnumbered(where)):
            return self._of_form(expects, annotation, value, where)
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
            case "int" if isinstance(value, int) and not isinstance(value, bool) and value >= _at_least(where):
                return value
            case "float" if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf:
                return float(value)
            case "date" if type(value) is date:
                return value
            case "ZoneInfo":
                return self._zone(value, where)
            case "Mapping[str, str]" if isinstance(value, dict):
                return self._mapping(value, where)
            case "int":
                raise self._wrong(where, value, f"a whole number, {_at_least(where)} or more")
        raise self._wrong(where, value, _EXPECTED.get(annotation, annotation))

    def _mapping(self, table: dict[str, object], where: str) -> dict[str, str]:
        of_keys, of_values = _MAPPINGS[where]
        read = {}
        for key, value in table.items():
            at = _join(where, key)
            read[self._formed(of_keys, key, at)] = self._formed(of_values, self._text(value, at), at)
        return read

    def _of_form(self, expects: Form, annotation: str, value: object, where: str) -> object:
        """A string, or a list of strings, each of which has a form of its own."""
        if annotation == "str":
            return self._formed(expects, self._text(value, where), where)
        return tuple(self._formed(expects, self._text(item, where), where) for item in self._list(value, where, "a list of strings"))

    def _formed(self, expects: Form, text: str, where: str) -> str:
        if (expected := expects(text)) is not None:
            raise SeedsError(self.file, where, f"{text!r} does not fit", expected)
        return text

    def _list(self, value: object, where: str, expected: str) -> list[object]:
        if not isinstance(value, list):
            raise self._wrong(where, value, expected)
        if not value and _unnumbered(where) in _NOT_EMPTY:
            raise SeedsError(self.file, where, "is empty", f"{expected} with something in it")
        return value

    def _text(self, value: object, where: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(where, value, "a string with something in it")
        return value

    def _regex(self, value: object, where: str) -> re.Pattern[str]:
        try:
            return re.compile(self._text(value, where))
        except (re.error, OverflowError, RecursionError) as error:
            raise SeedsError(self.file, where, f"{value!r} is no regular expression ({error})", "Python's `re` syntax") from None

    def _zone(self, value: object, where: str) -> ZoneInfo:
        try:
            return ZoneInfo(self._text(value, where))
        except (ZoneInfoNotFoundError, ValueError, OSError):  # "Asia" is a folder of the tz database: IsADirectoryError
            raise SeedsError(self.file, where, f"{value!r} is no time zone", 'a name of the tz database, e.g. "Asia/Shanghai"') from None

    def _wrong(self, where: str, value: object, expected: str) -> SeedsError:
        return SeedsError(self.file, where or "(whole file)", f"{_shown(value)} is {_toml_type(value)}", expected)

    def _unknown(self, where: str, key: str, known: list[str]) -> SeedsError:
        close = difflib.get_close_matches(key, known, n=1)
        expected = f"`{close[0]}`, maybe" if close else f"one of {', '.join(sorted(known))}"
        return SeedsError(self.file, where, "no such key", expected)


def _key(cls: type[Any], name: str) -> str:
    """TOML's [[layout]] and [[identity.mirror]] are singular, as an array of tables reads best."""
    return {(Site, "layouts"): "layout", (Identity, "mirrors"): "mirror"}.get((cls, name), name)


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _unnumbered(where: str) -> str:
    """The key of all entries of an array of tables."""
    return re.sub(r"\[\d+\]", "", where)


def _toml_type(value: object) -> str:
    names = {str: "a string", bool: "a boolean", int: "an integer", float: "a float", list: "a list", dict: "a table", date: "a date"}
    return names.get(type(value), type(value).__name__)


def _shown(value: object) -> str:
    """A table may hold the rest of the file: enough of it to be recognised."""
    return text if len(text := repr(value)) <= _SHOWN else f"{text[:_SHOWN]}…"


def _at_least(where: str) -> int:
    return 1 if where in _POSITIVE else 0


def _selector(value: str) -> str | None:
    try:
        compile_selector(value)
    except ValueError as error:
        return f"a selector: CSS, or XPath beginning with / ./ or ( — {error}"
    return None


def _url(value: str) -> str | None:
    if not re.match(r"https?://[^/?#\s]+", value):
        return "an http or https URL"
    return "no braces but {page}" if set(value.replace("{page}", "")) & set("{}") else None


def _base_url(value: str) -> str | None:
    return None if re.match(r"https?://[^/?#\s]+/", value) else "an http or https URL with at least / behind its host"


def _records_base(value: str) -> str | None:
    expected = "an http or https URL that ends in /, or one with {timestamp} and {url} in its path"
    host = _host_of(value)
    if not re.match(r"https?://[^/?#\s{}]+/", value) or _host(host) is not None:
        return expected
    fields = sorted(re.findall(r"\{\w+\}", value))
    plain = value.endswith("/") and not set(value) & set("{}?#")
    return None if plain or fields == ["{timestamp}", "{url}"] else expected


def _host(value: str) -> str | None:
    """A host as `urls.host_key` writes it: anything else would never match, and the site would silently stay empty."""
    if not _HOST.fullmatch(value):
        return "a host name in lower case, with or without :port, without scheme or path"
    name, _, port = value.rpartition("]")[2].partition(":")
    if port and (int(port) > _MAX_PORT or port in ("80", "443") or port.startswith("0")):
        return "a port from 1 to 65535; 80 and 443 are the schemes' own and are left out"
    if re.fullmatch(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)", name):  # URL Standard §3.6: the last label makes it an IPv4 address
        return None if _is_ipv4(name) else "an IPv4 address as four decimal numbers"
    return None


def _is_ipv4(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _site_name(value: str) -> str | None:
    return None if _NAME.fullmatch(value) else "lower-case letters, digits and _, a letter first"


def _scheme(value: str) -> str | None:
    return None if value in ("http", "https") else '"http" or "https"'


def _mirror_kind(value: str) -> str | None:
    return None if value in MIRROR_KINDS else f"one of {', '.join(MIRROR_KINDS)}"


def _language(value: str) -> str | None:
    return None if _LANGUAGE.fullmatch(value) else 'a language tag (BCP 47), e.g. "zh"'


def _use(value: str) -> str | None:
    return None if value in USES else f"one of {', '.join(USES)}"


_SELECTOR_FIELDS = ("title", "body", "published", "source", "author", "editor", "section", "caption", "drop", "next_part")
_URL_FIELDS = ("listings", "jsonp", "feeds", "sitemaps", "cdx")
_FORMS: dict[str, Form] = {
    "name": _site_name,
    "language": _language,
    "hosts": _host,
    "identity.mirror.kind": _mirror_kind,
    "identity.scheme": _scheme,
    "rights.reserved": _use,
    "rights.export_for": _use,
    "discover.entry": _selector,
    "discover.next_page": _selector,
    **{f"discover.{key}": _url for key in _URL_FIELDS},
    **{f"layout.{key}": _selector for key in _SELECTOR_FIELDS},
}
_MAPPINGS: dict[str, tuple[Form, Form]] = {
    "discover.next_base": (_host, _base_url),
    "discover.cdx_records": (_host, _records_base),
    "identity.hosts": (_host, _host),
}
_NOT_EMPTY = {"hosts", "discover.article", "layout.title", "layout.body"}
_POSITIVE = {f"politeness.{key}" for key in ("concurrency", "max_requests", "max_bytes", "tries")} | {
    f"discover.{key}" for key in ("max_pages", "max_links", "known_margin")
}
"""What would stop every crawl at 0."""
_SHOWN = 80
_MAX_PORT = 65_535
_TABLES: dict[str, type[Any]] = {"Politeness": Politeness, "Discover": Discover, "Identity": Identity, "RightsRules": RightsRules}
_ARRAYS: dict[str, type[Any]] = {"tuple[Layout, ...]": Layout, "tuple[Mirror, ...]": Mirror}
_EXPECTED = {
    "str": "a string",
    "float": "a number, 0 or more",
    "date": "a date, e.g. 2016-04-08",
    "Discover": "a [discover] table",
    "ZoneInfo": 'a time zone, e.g. "Asia/Shanghai"',
    "tuple[str, ...]": "a list of strings",
    "tuple[re.Pattern[str], ...]": "a list of regular expressions",
    "Mapping[str, str]": "a table of strings",
}
