"""`scrapy list` is the list of sites: a spider for each seeds file, and none where one of them is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from scrapy import Request
from scrapy.settings import Settings

from crawler.loader import SiteLoader, spider_of
from crawler.spiders.news import NewsSpider
from pipelines.errors import ConfigurationError, SeedsError
from tests.crawler import made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "news.toml").write_text(made.SEEDS, encoding="utf-8")
    (tmp_path / "daily_news.toml").write_text(
        made.SEEDS.replace('"news"', '"daily_news"').replace("news.test", "daily.test").replace("other.test", "evening.test"),
        encoding="utf-8",
    )
    return tmp_path


def test_there_is_a_spider_for_each_seeds_file(folder: Path) -> None:
    loader = SiteLoader.from_settings(Settings({"SEEDS_DIR": str(folder)}))
    assert loader.list() == ["daily_news", "news"]
    spider = loader.load("news")
    assert issubclass(spider, NewsSpider)
    assert (spider.name, spider.site.name) == ("news", "news")


def test_a_spider_is_named_after_its_site() -> None:
    assert spider_of(made.site()).__name__ == "NewsSpider"


def test_an_unknown_site_is_answered_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(KeyError, match="daily_news, news"):
        SiteLoader(folder).load("nwes")


def test_a_request_is_answered_with_the_sites_whose_hosts_it_names(folder: Path) -> None:
    loader = SiteLoader(folder)
    assert loader.find_by_request(Request("http://evening.test/a")) == ["daily_news"]
    assert loader.find_by_request(Request("http://elsewhere.test/a")) == []


def test_one_wrong_file_stops_all(folder: Path) -> None:
    (folder / "wrong.toml").write_text("name = 'wrong'", encoding="utf-8")
    with pytest.raises(SeedsError, match=r"wrong\.toml"):
        SiteLoader(folder)


def test_a_folder_without_seeds_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SEEDS_DIR"):
        SiteLoader(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("since", "2026-02-30"), ("until", "x"), ("since", ""), ("max_articles", "1.5"), ("colour", "red"), ("name", "other")],
)
def test_a_spider_refuses_a_wrong_argument_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"-a {name}"):
        spider_of(made.site())(**{name: value})


def test_a_spider_takes_dates_and_a_count() -> None:
    spider = spider_of(made.site())(since="2026-09-01", until="2026-09-07", max_articles="5")
    assert (str(spider.since), str(spider.until), spider.max_articles) == ("2026-09-01", "2026-09-07", 5)
