"""The replica: a synthetic copy of tech.china.com.cn and its family, served on 127.0.0.1 as an HTTP proxy.

    http_proxy=http://127.0.0.1:8800 https_proxy=http://127.0.0.1:8800 scrapy crawl china_tech

crawls the real host names with the unchanged seeds files. Structure and dirt follow public descriptions of the site; every
sentence, firm and person is invented. The flow, from words to wire:

    chance, words, sentences, prose   a seed → an article's text
    stories, english, days            which articles exist on which day                → TrueArticle
    pages, founder, english_pages     a true article → HTML
    lists, furniture                  lists, the index, what stands around an article  → HTML
    resource, directory               URL + day → Resource → (status, headers, body)
    captures, common_crawl, wayback   what other archives have of it: indexes, WARC files, replays
    tls, server                       sockets, counting, faults                        → Replica
"""

from tests.replica.server import Asked, Replica
from tests.replica.truth import TrueArticle

__all__ = ["Asked", "Replica", "TrueArticle"]
