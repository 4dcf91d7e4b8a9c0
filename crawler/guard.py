"""Nothing outside the seeds file's `hosts` is ever contacted: the URL is checked at every hop, the address at connect time.

Two rules live here, and nothing else decides what may be contacted:
    objection(url, site)     scheme, userinfo, host and port, for every request: links, redirects, robots.txt, retries;
                             the hosts of `cdx` indexes for these, their captures and their robots.txt, and for no page
    GuardedResolver          the addresses that a name resolves to. The reactor connects to exactly the addresses that
                             pass here, so a second answer of the name server has no one to ask for it
Loopback, private, link-local, shared (CGNAT), multicast and metadata addresses are refused, unless `hosts` names that
very address with its port ("127.0.0.1:8800"; "localhost:8800" stands for the loopback addresses). A proxy that the
operator set resolves names itself: then the URL rule stands alone, and only the proxy's own address is let through.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]  # ships none

from crawler.carried import carried
from pipelines.archive.urltable import ARCHIVED
from pipelines.model import Kind
from pipelines.site import Site
from pipelines.urls import host_key, in_scope

LOOPBACK = ("127.0.0.1", "::1")
NEVER: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("168.63.129.16/32"),  # Azure's metadata service, at an address that counts as public
    IPv4Network("192.0.0.0/24"),  # protocol assignments, RFC 6890 §2.2.2, and Oracle's metadata service
    # IPv6 forms that carry an IPv4 address inside: a way round every IPv4 rule
    IPv6Network("::/96"),  # IPv4-compatible, RFC 4291 §2.5.5.1
    IPv6Network("::ffff:0:0/96"),  # IPv4-mapped, RFC 4291 §2.5.5.2
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated, RFC 2765 §2.1
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052 §2.1
    IPv6Network("64:ff9b:1::/48"),  # NAT64 of one's own network, RFC 8215
    IPv6Network("2001::/32"),  # Teredo, RFC 4380 §2.6
    IPv6Network("2002::/16"),  # 6to4, RFC 3056 §2
    IPv6Network("fec0::/10"),  # site-local: deprecated, but routed inside old networks
)
"""What `is_global` of the standard library lets through and we do not."""

POSTPONED = frozenset({"robots_unreachable", "host_given_up", "run_ended"})
"""reasons of a Refused that say nothing about its URL: it is due again as if it had never been asked for"""


class Refused(IgnoreRequest):
    """A request that we do not make, or a host that we do not go on asking. `reason` is one word for the ledger."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def objection(url: str, site: Site, kind: Kind | None = None) -> str | None:
    """Why `url` may not be fetched for what it is, in a few words; None when it may.

    in_scope reads a URL as browsers do, the HTTP client by RFC 3986: where the two disagree about the host, it is refused.
    """
    if not in_scope(url, site) and not (kind in ARCHIVED and in_scope(url, site, site.discover.archive_hosts)):
        return "not http or https, with a user name, or on a host that `hosts` does not name"
    if _contacted(url) != host_key(url):
        return "its host is read differently by different programs"
    return None


def _contacted(url: str) -> str:
    """Host and port as Scrapy and Twisted read them, in the form of `host_key`; "" when a user name stands before them."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if "@" in parts.netloc:
        return ""  # an empty user name and password too, which browsers drop
    host = (parts.hostname or "").removesuffix(".")
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f"{host}:{port}"


def is_public(address: str) -> bool:
    """Whether an address belongs to a machine of the open internet."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in NEVER)


def vouched_addresses(hosts: Iterable[str]) -> set[tuple[str, int]]:
    """The addresses with ports that a seeds file names itself."""
    vouched: set[tuple[str, int]] = set()
    for entry in hosts:
        host, colon, port = entry.rpartition(":")
        if not colon or not port.isdigit():
            continue
        for address in LOOPBACK if host == "localhost" else (host.strip("[]"),):
            if _is_address(address):
                vouched.add((str(ip_address(address)), int(port)))
    return vouched


def operators_proxies() -> list[str]:
    """The proxies that requests may go through. `no_proxy` stands beside them in the environment, and names no proxy."""
    named = getproxies()
    return [named[scheme] for scheme in ("http", "https") if scheme in named]


def proxy_hosts(proxies: Iterable[str]) -> set[tuple[str, int]]:
    """Host and port of the operator's proxies. Port 0 too: the CONNECT tunnel asks for the name without one."""
    found: set[tuple[str, int]] = set()
    for proxy in proxies:
        try:
            parts = urlsplit(proxy if "://" in proxy else f"//{proxy}")
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            continue  # "/var/run/docker.sock" and the like: Scrapy cannot use it either
        if parts.hostname:
            found |= {(parts.hostname, port), (parts.hostname, 0)}
    return found


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@implementer(IHostnameResolver)
class GuardedResolver:
    """Passes only those addresses on that may be connected to. Until a site and its proxies are made known: public ones."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._vouched: set[tuple[str, int]] = set()
        self._proxies: set[tuple[str, int]] = set()
        self.refusals: dict[tuple[str, int], str] = {}
        """(name, port) -> the address that was refused last"""

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> GuardedResolver:  # noqa: ARG003  # Scrapy's contract for TWISTED_DNS_RESOLVER
        """The one that stands already: Scrapy comes here after the middlewares are made."""
        current = reactor.nameResolver
        return current if isinstance(current, GuardedResolver) else cls(current)

    def install_on_reactor(self) -> None:
        """Takes its place on the reactor again, whoever was put there meanwhile."""
        from twisted.internet import reactor  # noqa: PLC0415  # importing it installs one: only when a crawl begins

        if (current := reactor.nameResolver) is not self:
            self._inner = current
            reactor.installNameResolver(self)

    def know(self, hosts: Iterable[str], proxies: Iterable[str]) -> None:
        """Adds a site's own addresses and the operator's proxies to what is let through."""
        self._vouched |= vouched_addresses(hosts)
        self._proxies |= proxy_hosts(proxies)

    def allows(self, name: str, address: str, port: int) -> bool:
        return (name, port) in self._proxies or (address.partition("%")[0], port) in self._vouched or is_public(address)

    def resolveHostName(  # noqa: N802  # Twisted's names here and below, and zope.interface has no types
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Any = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> Any:
        name = _ascii_name(hostName)
        self.refusals.pop((name, portNumber), None)
        sieve = _Sieve(self, resolutionReceiver, name, portNumber)
        return self._inner.resolveHostName(sieve, hostName, portNumber, addressTypes, transportSemantics)


def _ascii_name(name: str) -> str:
    """A name as it stands in URLs; Twisted asks for 新闻.test where the URL has xn--efvp5c.test."""
    try:
        return name.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return name.lower()


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(self, resolver: GuardedResolver, receiver: Any, name: str, port: int) -> None:
        self._resolver, self._receiver, self._name, self._port = resolver, receiver, name, port

    def resolutionBegan(self, resolutionInProgress: Any) -> None:  # noqa: N802, N803
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        if self._resolver.allows(self._name, address.host, self._port):
            self._receiver.addressResolved(address)
        else:
            self._resolver.refusals[self._name, self._port] = address.host

    def resolutionComplete(self) -> None:  # noqa: N802
        self._receiver.resolutionComplete()


def guarded_resolver() -> GuardedResolver:
    """The reactor's resolver, put in its place when the process did not do that from the settings (a runner, a test)."""
    from twisted.internet import reactor  # noqa: PLC0415

    current: Any = reactor.nameResolver
    if isinstance(current, GuardedResolver):
        return current
    resolver = GuardedResolver(current)
    resolver.install_on_reactor()
    return resolver


def site_of(crawler: Crawler) -> Site:
    """The site that a crawl is about: every spider of ours carries it as `site`."""
    site = getattr(crawler.spider, "site", None)
    if not isinstance(site, Site):
        raise TypeError(f"spider {crawler.spider!r} carries no `site`; only spiders made from a seeds file may crawl")
    return site


class GuardMiddleware:
    """Refuses what `objection` objects to, before robots.txt is asked for and before anything is sent."""

    def __init__(self, crawler: Crawler) -> None:
        self._site = site_of(crawler)
        self._stats = crawler.stats
        guarded_resolver().know((*self._site.hosts, *self._site.discover.archive_hosts), operators_proxies())

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if (why := objection(request.url, self._site, carried(request).get("kind"))) is not None:
            self._stats.inc_value("refused/out_of_scope")
            raise Refused("out_of_scope", f"{request.url}: {why}")
