"""Which seeds file reads a URL: one answer, whoever asks."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pipelines.choice import chooser
from pipelines.site import GENERIC, load_sites

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
