"""Which seeds file reads a URL: one answer, whoever asks."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pipelines.archive.borrowed import series
from pipelines.archive.warc import WarcWriter
from pipelines.choice import chooser
from pipelines.site import GENERIC, load_sites, parse_site
from tests.small_site import exchange

SITES = load_sites(Path(__file__).parent.parent / "seeds")
BIG5 = "http://big5.china.com.cn/gate/big5/"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://tech.china.com.cn/it/20260904/413793.shtml", "china_tech"),
        ("http://TECH.china.com.cn:80/it/20260904/413793.shtml", "china_tech"),
        ("http://www.china.org.cn/business/2026-09/04/content_1.shtml", "china_org_cn"),
        (BIG5 + "tech.china.com.cn/it/20260904/413793.shtml", "china_tech"),
        (BIG5 + "www.china.org.cn/business/2026-09/04/content_1.shtml", "china_org_cn"),
        (BIG5 + "sports.example.org/a.shtml", GENERIC),
        ("http://sports.example.org/a.shtml", GENERIC),
        ("no address", GENERIC),
    ],
)
def test_a_site_reads_its_hosts_and_the_copies_that_a_mirror_shows_of_them(url: str, name: str) -> None:
    """Both seeds files name the same mirror: whose page a copy is, only its original says."""
    choose = chooser(SITES)
    assert choose(url).name == name
    assert pickle.loads(pickle.dumps(choose))(url).name == name  # noqa: S301  # as it goes to the processes that read


def test_one_site_reads_all_where_that_is_asked_for() -> None:
    assert chooser(SITES, "china_tech")("http://sports.example.org/a.shtml").name == "china_tech"


def shared(name: str, *sections: str) -> bytes:
    """A seeds file of a site that shares its host, and its mirror, with others."""
    rules = ", ".join(f"'/{section}/(?P<id>[0-9]+)\\.html$'" for section in sections)
    return f"""
name = "{name}"
publisher = "Test"
language = "zh"
timezone = "Asia/Shanghai"
hosts = ["news.example.cn"]
[identity]
drop_all_query = ['/{sections[0]}/']
[[identity.mirror]]
kind = "traditional"
pattern = 'http://big5\\.example\\.cn/gate/(?P<host>[^/]+)/(?P<path>.*)'
original = "http://{{host}}/{{path}}"
[discover]
listings = ["http://news.example.cn/{name}/"]
article = [{rules}]
""".encode()


SHARED = {name: parse_site(shared(name, *sections), f"{name}.toml") for name, sections in {"aone": "ac", "btwo": "bc"}.items()}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("news.example.cn/a/1.html", "aone"),
        ("news.example.cn/b/1.html", "btwo"),
        ("news.example.cn/b/1.html?id=7", "btwo"),
        ("news.example.cn/c/1.html", "aone"),
        ("news.example.cn/elsewhere", "aone"),
        ("big5.example.cn/gate/news.example.cn/b/1.html", "btwo"),
        ("big5.example.cn/gate/sports.example.org/b/1.html", GENERIC),
    ],
)
def test_of_several_sites_on_one_host_the_one_whose_article_rule_fits_reads_a_page(path: str, name: str) -> None:
    choose = chooser(SHARED)
    assert choose(f"http://{path}").name == name
    assert pickle.loads(pickle.dumps(choose))(f"http://{path}").name == name  # noqa: S301


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("btwo-20261129074311473-00001.warc.gz", "btwo"),
        ("btwo-20261129074311473-00001.warc", "btwo"),
        ("0123456789abcdef-btwo-20261129074311473-00001.warc.gz", "btwo"),
        ("btwo-backfill-20261129074311473-00001.warc.gz", "btwo"),
        ("btwo-2026.warc.gz", "aone"),
        ("gone_since-20261129074311473-00001.warc.gz", "aone"),
        ("", "aone"),
    ],
)
def test_what_lies_in_a_file_of_a_sites_own_crawl_is_read_by_that_site(file: str, name: str) -> None:
    """As the crawl read it: also where another site's article rule fits it too, or alone."""
    choose = chooser(SHARED)
    assert choose("http://news.example.cn/c/1.html", file).name == name
    if name == "btwo":
        assert choose("http://news.example.cn/a/1.html", file).name == name
    gone = "a host that no seeds file names any more"
    assert choose("http://old.example.cn/c/1.html", file).name == (name if name == "btwo" else GENERIC), gone
    assert chooser(SHARED, "aone")("http://news.example.cn/c/1.html", file).name == "aone"


def test_the_file_that_a_crawl_writes_is_its_own(tmp_path: Path) -> None:
    own = exchange("robot", b"")
    for prefix in ("btwo", series("btwo")):
        with WarcWriter(tmp_path, prefix=prefix, software="test", rules={}) as writer:
            capture = writer.write(own)
        assert capture.warc is not None
        assert chooser(SHARED)(capture.url, capture.warc.file).name == "btwo"
