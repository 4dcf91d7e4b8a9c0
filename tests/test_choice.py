"""Which seeds file reads a URL: one answer, whoever asks."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pipelines.choice import chooser
from pipelines.site import GENERIC, load_sites, parse_site

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
    sites = {site: parse_site(shared(site, *sections), f"{site}.toml") for site, sections in {"aone": "ac", "btwo": "bc"}.items()}
    choose = chooser(sites)
    assert choose(f"http://{path}").name == name
    assert pickle.loads(pickle.dumps(choose))(f"http://{path}").name == name  # noqa: S301
