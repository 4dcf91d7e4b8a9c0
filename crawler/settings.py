"""Every setting of the crawl. What Scrapy has on by default and we do not need is off, and says why.

tests/crawler/test_settings.py holds a reviewed copy of Scrapy's defaults: a release that adds or changes one fails there
by name, until somebody has looked at it. docs/settings.md explains to people the settings that are theirs to choose.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

# ── for people to choose, with -s NAME=VALUE ─────────────────────────────────────────────────────────────────────────
ARCHIVE_DIR = "archive"
SEEDS_DIR = "seeds"
CATALOGUE_URL: str | None = None
"""a PostgreSQL URL, when several machines share one catalogue; None keeps it in the archive's folder"""
CONTACT = ""
"""an address or a page where a site's people find ours; it goes into the User-Agent"""
DELAY: float | None = None
"""seconds between two requests to a host, in place of the seeds file's: for a server that is yours, or to ask for less"""
EXTRACT_WORKERS = 1
"""processes that extract articles; 0 extracts in the main process"""
LOG_LEVEL = "INFO"

# ── who we are ───────────────────────────────────────────────────────────────────────────────────────────────────────
BOT_NAME = "china-tech-archive"
ROBOTS_AGENT = BOT_NAME
"""the product token that robots.txt is read for (RFC 9309 §2.2.1: letters, - and _)"""
USER_AGENT = f"{BOT_NAME}/{version(BOT_NAME)}"
"""crawler.identity adds the CONTACT"""
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5",
}

# ── the house ────────────────────────────────────────────────────────────────────────────────────────────────────────
COMMANDS_MODULE = "crawler.commands"
SPIDER_LOADER_CLASS = "crawler.loader.SiteLoader"
SCHEDULER = "crawler.scheduler.CatalogueScheduler"
ITEM_PIPELINES = {"pipelines.stages.IngestStage": 300}
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"  # the URL table is the duplicate filter
LOG_FORMATTER = "crawler.logs.OneLine"
LOG_INSTALL_ROOT_HANDLER = False  # crawler.logs puts its own there, which writes one line a record
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
TWISTED_DNS_RESOLVER = "crawler.guard.GuardedResolver"
DNSCACHE_ENABLED = False  # the guard checks what is connected to; a cache beside it is one more thing to poison
STATS_DUMP = False  # the run's report says it better

# ── the way to the network, engine first ─────────────────────────────────────────────────────────────────────────────
DOWNLOADER_MIDDLEWARES: dict[str, int | None] = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # dont_filter gets past it; ours lets nothing past
    "crawler.guard.GuardMiddleware": 50,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,  # 5xx means "crawl everything" to it
    "crawler.robots_middleware.RobotsMiddleware": 100,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    # 350 DownloadTimeoutMiddleware, 400 DefaultHeadersMiddleware
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None,
    "crawler.identity.IdentityMiddleware": 500,
    "crawler.conditional.ConditionalMiddleware": 520,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,  # retries at once, whatever Retry-After says
    "crawler.retries.RetryMiddleware": 550,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,  # takes half a stream for a whole page
    "crawler.capture.DecodeMiddleware": 590,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,  # urljoin goes to other hosts than browsers do
    "crawler.redirects.RedirectMiddleware": 600,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    # 750 HttpProxyMiddleware
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,  # writes each head again to count it; crawler.transport counts requests
    "crawler.politeness.PolitenessMiddleware": 880,
    "crawler.sharing.SharingMiddleware": 885,
    "crawler.capture.CaptureMiddleware": 890,
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": None,
}
DOWNLOAD_HANDLERS: dict[str, str | None] = {
    "http": "crawler.transport.Transport",
    "https": "crawler.transport.Transport",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
HTTPPROXY_ENABLED = True  # http_proxy and no_proxy are the operator's

# ── bounds (HAZARDS P2, P3) ──────────────────────────────────────────────────────────────────────────────────────────
DOWNLOAD_TIMEOUT = 30
"""seconds from connecting to the last byte; Scrapy's handler bounds the whole transfer by it, not the silence"""
DOWNLOAD_MAXSIZE = 8 * 2**20
DOWNLOAD_WARNSIZE = 0
CONCURRENT_REQUESTS = 64  # most of them wait for their host's turn; crawler.scheduler bounds them by host
CONCURRENT_REQUESTS_PER_DOMAIN = 16  # [politeness] concurrency of the site counts, in crawler.transport
DOWNLOAD_DELAY = 0  # crawler.politeness keeps the delay, across restarts too; two clocks would only disagree
DOWNLOAD_DELAY_JITTER = 0
AUTOTHROTTLE_ENABLED = False  # adapts to latency; a site's delay is agreed, not measured
CONCURRENT_ITEMS = 1  # a visit is all that an answer gives; each further place is a task for every page
REDIRECT_MAX_TIMES = 5
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 5_000_000
MEMUSAGE_ENABLED = True
MEMUSAGE_LIMIT_MB = 1024

# ── off ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
DOWNLOAD_VERIFY_CERTIFICATES = True
COOKIES_ENABLED = False  # the first Set-Cookie would download the Public Suffix List in the reactor
REMOTE_CONTROL_ENABLED = False  # on by default since 2.19: a way in
TELNETCONSOLE_ENABLED = False
METAREFRESH_ENABLED = False  # reached an internal port in the measurement (HAZARDS)
COMPRESSION_ENABLED = False
RETRY_ENABLED = False
REDIRECT_ENABLED = False
ROBOTSTXT_OBEY = False  # ours obeys; Scrapy's would be a second, laxer one
HTTPCACHE_ENABLED = False
REFERER_ENABLED = False  # nobody needs to know which list a URL was found on
REFERRER_POLICY = "no-referrer"  # a Referrer-Policy header was once executed as code (GHSA-cwxj-rr6w-m6w7)
FEEDS: dict[str, Any] = {}
JOBDIR = None
EXTENSIONS: dict[str, int | None] = {
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.remote_control.RemoteControl": None,
    "scrapy.extensions.feedexport.FeedExporter": None,
    "scrapy.extensions.throttle.AutoThrottle": None,
    "scrapy.extensions.spiderstate.SpiderState": None,
    "scrapy.extensions.memdebug.MemoryDebugger": None,
}
SPIDER_MIDDLEWARES: dict[str, int | None] = {
    "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,  # errors are answers too: the spider settles each lease
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,  # depth is a column of the URL table
    # these three look at the requests that a spider makes; ours makes none, and each is a coroutine a page
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
