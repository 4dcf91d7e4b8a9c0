"""URLs as a browser reads them, and the one URL that stands for an article.

Pure: strings in, strings out, no I/O, and nothing here raises on what a page printed. This is the only file that
knows `ada_url` (WHATWG URL Standard; docs/decisions/0002-whatwg-urls.md says why `urljoin` is not enough).

    absolute      what an href means on its page                     WHATWG, http and https only
    canonical     the URL under which an article is known            the rules of `Site.identity`
    normal        the URL under which a list is known                the same, without mirrors and pages
    in_scope      may this URL be fetched at all                     `Site.hosts`, nothing else
    is_article    is it one of an article                            `discover.article`, `discover.deny`
    request_url   how it is written into a request line              printable ASCII

A canonical URL is what is fetched, so it is never an invention: the order of query parameters is kept, because a
server may read them in order (repeated names do), and because a sorted query is an address that the site never printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_plus

import ada_url

from pipelines.site import Mirror, Site

MAX_STEPS = 8
"""Rewritings of one URL (mirror to original, later page to first). Real chains have two: a mirror of a second page."""
MAX_PART_DIGITS = 3
"""`_413793` behind an id is another id, not page 413,793 of an article."""

_PARTS = re.compile(r"(https?)://(?:([^/?#@]*)@)?([^/?#]*)(/[^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
"""What ada serialises (URL Standard §4.5) always has this form, so one match takes it apart."""
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = {f"{ord(char):02X}": char for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"}
_UNSAFE = re.compile(r"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]")
"""RFC 3986 §2: what is neither reserved, unreserved nor an escape. A browser sends | { } raw in a query; servers decode
either form, and HTTP libraries differ, so it is always escaped."""
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Canonical:
    """The URL that stands for an article, always that of its first page; `part` is the page that was asked about,
    counted from 1; `mirror` is the kind of copy that was asked about, None for the original."""

    url: str
    part: int = 1
    mirror: str | None = None


class _Split(NamedTuple):
    """A WHATWG-serialised http or https URL without its fragment. `host` is "name" or "name:port"."""

    scheme: str
    userinfo: str | None
    host: str
    path: str
    query: str | None

    def __str__(self) -> str:
        user = "" if self.userinfo is None else f"{self.userinfo}@"
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{user}{self.host}{self.path}{query}"


def absolute(base: str, href: str) -> str | None:
    """The http or https URL that `href` means on the page `base`, as a browser would read it. None for an empty href,
    for other schemes (javascript:, mailto:, data: ...) and for what is no URL. A broken base costs no absolute href."""
    href = href.strip()
    if not href:
        return None
    url = _parse(href, base) or _parse(href)
    return url if url and url.startswith(("http://", "https://")) else None


def canonical(url: str, site: Site) -> Canonical:
    """The canonical URL by the rules of `site.identity`; idempotent, and whatever is no http URL comes back as it is.

    Rules that send a URL round in a circle settle on the smallest URL of the circle, and rules that never settle are
    not applied: both only so that the answer is the same whichever copy was met first.
    """
    first = current = normal(url, site)
    part, mirror = 1, None
    seen = [current]
    for _ in range(MAX_STEPS):
        if step := _original(current, site.identity.mirrors):
            current, mirror = normal(step[0], site), mirror or step[1]
        elif later := _first_page(current, site.identity.part):
            current, part = normal(later[0], site), later[1] if part == 1 else part
        else:
            return Canonical(url=current, part=part, mirror=mirror)
        if current in seen:
            return Canonical(url=min(seen[seen.index(current) :]), part=part, mirror=mirror)
        seen.append(current)
    return Canonical(url=first)


def normal(url: str, site: Site) -> str:
    """The URL in the site's own spelling, all rules of `site.identity` but mirrors and pages: what a list is known by."""
    split = _split(url)
    if split is None:
        return url
    rules = site.identity
    host = rules.hosts.get(split.host, split.host)
    scheme = rules.scheme if rules.scheme and host in site.hosts else split.scheme
    path = _spelled(split.path)
    bare = _without_path_parameters(path, rules.drop_query)
    result = _Split(scheme=scheme, userinfo=split.userinfo, host=host, path=bare, query=_kept_query(split.query, rules.drop_query))
    text = str(result)
    if any(rule.search(text) for rule in rules.drop_all_query):
        text = text.partition("?")[0]
    directory, _, name = text.rpartition("/")
    if name in rules.index_names and result.path.endswith(f"/{name}"):
        text = f"{directory}/"
    if bare != path or host != split.host or scheme != split.scheme:
        # "/a/..;sid=1" has become "/a/..", a port may now be the default one: the standard reads it once more
        return _parse(text) or text
    return text


def in_scope(url: str, site: Site, hosts: tuple[str, ...] | None = None) -> bool:
    """Whether the URL may be fetched: http or https, no user name or password in it, and a host (with its port, where
    that is not the scheme's own) that `site.hosts` names. Aliases and mirrors are not fetched unless they stand there.
    With `hosts`, these in place of the site's."""
    split = _split(url)
    return split is not None and split.userinfo is None and split.host in (site.hosts if hosts is None else hosts)


def is_article(url: str, site: Site) -> bool:
    """Whether an `article` rule of the seeds file fits the canonical URL."""
    return site.article_match(canonical(url, site).url) is not None


def host_key(url: str) -> str:
    """ "host", or "host:port" where the port is not the scheme's own, as a browser would contact it: lower case,
    punycode, IPv4 in any notation as four decimal numbers, no trailing dot. "" for what is no http URL."""
    split = _split(url)
    return split.host if split else ""


def request_url(url: str) -> str:
    """The URL without its fragment in printable ASCII, as it is fetched: Chinese as percent-encoded UTF-8, spaces and
    control characters escaped, so that no URL can break a request line (RFC 9112 §3.2). The rest stays as it is."""
    whole = (_parse(url) or url).partition("#")[0]
    before, _, query = whole.partition("?")
    return _UNSAFE.sub(_escaped, whole if query else before)  # "/a?" is "/a" to every HTTP library in between


def _parse(url: str, base: str | None = None) -> str | None:
    """The serialised URL (URL Standard §4.4 and §4.5), None where the standard says failure."""
    if not url.isascii():
        url = url.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # the standard's USVString
    try:
        return str(ada_url.normalize_url(url) if base is None else ada_url.join_url(base, url))
    except ValueError:
        return None


@lru_cache(maxsize=512)  # one page's URL is asked about ten times on its way, by the guard, the gate, the frontier, the ledger …
def _split(url: str) -> _Split | None:
    serialised = _parse(url.strip())
    match = _PARTS.fullmatch(serialised) if serialised else None
    if match is None:
        return None
    scheme, userinfo, host, path, query = match.groups()
    return _Split(scheme=scheme, userinfo=userinfo, host=_undotted(host), path=path, query=query)


def _undotted(host: str) -> str:
    """A trailing dot makes a name absolute (RFC 3986 §3.2.2): the same machine, and the same host to us."""
    name, colon, port = host.partition(":") if not host.startswith("[") else (host, "", "")
    return f"{name[:-1]}{colon}{port}" if name.endswith(".") and len(name) > 1 else host


def _spelled(text: str) -> str:
    """RFC 3986 §6.2.2: escapes in upper case, unreserved characters not escaped; and everything unsafe escaped."""
    if "%" in text:
        text = _ESCAPE.sub(lambda match: _UNRESERVED.get(match[1].upper(), f"%{match[1].upper()}"), text)
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))


def _without_path_parameters(path: str, names: tuple[str, ...]) -> str:
    """`/a/413793.shtml;jsessionid=1F?p=2`: a session id in the path (RFC 3986 §3.3) goes as one in the query does."""
    if ";" not in path:
        return path
    segments = []
    for segment in path.split("/"):
        head, *parameters = segment.split(";")
        segments.append(";".join([head, *(item for item in parameters if not _says_nothing(item, names))]))
    return "/".join(segments)


def _kept_query(query: str | None, names: tuple[str, ...]) -> str | None:
    if not query:
        return None
    return "&".join(item for item in _spelled(query).split("&") if item and not _says_nothing(item, names)) or None


def _says_nothing(parameter: str, names: tuple[str, ...]) -> bool:
    """Whether `name=value` is a tracking or session parameter; names are compared without regard to case, since the
    servers that add them are not agreed on it (PHPSESSID, JSESSIONID)."""
    name = unquote_plus(parameter.partition("=")[0]).lower()
    return any(name.startswith(rule[:-1].lower()) if rule.endswith("*") else name == rule.lower() for rule in names)


def _original(url: str, mirrors: tuple[Mirror, ...]) -> tuple[str, str] | None:
    for mirror in mirrors:
        if match := mirror.pattern.fullmatch(url):
            groups = match.groupdict()
            original = _FIELD.sub(lambda name, groups=groups: groups.get(name[1]) or "", mirror.original)  # type: ignore[misc]
            return original, mirror.kind
    return None


def _first_page(url: str, rule: re.Pattern[str] | None) -> tuple[str, int] | None:
    match = rule.search(url) if rule else None
    if match is None:
        return None
    head, part, tail = match["head"], match["part"], match["tail"]
    if not (part.isascii() and part.isdigit() and len(part) <= MAX_PART_DIGITS and int(part) > 0):
        return None
    return f"{url[: match.start()]}{head}{tail}{url[match.end() :]}", int(part)
