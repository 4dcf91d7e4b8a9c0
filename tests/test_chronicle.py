"""What became of one article, found by any of its names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.archive import Archive
from pipelines.archive.article_record import article_id
from pipelines.archive.ledger import note_capture
from pipelines.archive.schema import tombstone
from pipelines.chronicle import Chronicle, chronicle
from pipelines.errors import ConfigurationError
from pipelines.model import Kind, Reason, Rejection
from tests.archive.made import OTHER, STORY, Writer, address, archive_at, article, moment


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_at(tmp_path / "archive") as made:
        yield made


def told(archive: Archive, *names: str) -> Chronicle:
    with archive.catalogue.snapshot() as tx:
        return chronicle(tx, names)


def test_revisions_come_oldest_first_with_their_differences_and_places(archive: Archive) -> None:
    writer = Writer(archive)
    writer.shows("a", 0)
    writer.shows("a", 1)
    writer.shows("a", 2, STORY, title="另一个题目")
    writer.shows("a", 3, OTHER, title="另一个题目")
    found = told(archive, address("a"))
    assert [(one.number, one.change, one.warc) for one in found.chapters] == [
        (1, None, "china_tech-1.warc.gz:0"),
        (2, "headline", "china_tech-1.warc.gz:200"),
        (3, "body_large", "china_tech-1.warc.gz:300"),
    ]
    assert [one.article.paragraphs for one in found.chapters] == [STORY, STORY, OTHER]
    assert found.chapters[2].fetched_at == "2024-03-04T02:00:00.000000Z"


def test_when_it_was_last_seen_is_told_to_the_visit(archive: Archive) -> None:
    writer = Writer(archive)
    writer.shows("a", 0)
    writer.confirmed("a", 3)
    assert told(archive, address("a")).last_seen == "2024-03-04T02:00:00.000000Z"


@pytest.mark.parametrize("name", [address("a"), article_id(address("a"))])
def test_a_url_and_an_id_name_the_same_article(archive: Archive, name: str) -> None:
    Writer(archive).shows("a")
    assert told(archive, name).head.url == address("a")


def test_any_of_several_names_will_do(archive: Archive) -> None:
    Writer(archive).shows("a")
    assert told(archive, "https://m.example.cn/a", address("a")).head.url == address("a")


def test_relatives_are_the_others_of_the_cluster(archive: Archive) -> None:
    writer = Writer(archive)
    for number, name in enumerate("abc"):
        writer.shows(name, number)
    writer.shows("d", 5, OTHER)
    assert [row.url for row in told(archive, address("b")).relatives] == [address("a"), address("c")]
    assert told(archive, address("d")).relatives == ()


def test_an_article_of_parts_is_told_whole(archive: Archive) -> None:
    writer = Writer(archive)
    writer.says(address("a"), moment(0), article(address("a"), STORY, next_url=address("a_2")))
    writer.says(address("a"), moment(0.01), article(address("a"), OTHER, part=2))
    assert told(archive, address("a")).chapters[0].article.paragraphs == STORY + OTHER


def test_an_unknown_address_is_said_to_be_unknown(archive: Archive) -> None:
    with pytest.raises(ConfigurationError, match=r"knows no article https://tech\.example\.cn/none"):
        told(archive, "https://tech.example.cn/none")


def test_a_page_that_was_refused_is_told_with_its_reason(archive: Archive) -> None:
    Writer(archive).says(address("a"), moment(0), Rejection(reason=Reason.CAPTCHA, detail="asks for letters"))
    with pytest.raises(ConfigurationError, match=r"was fetched on 2024-03-01 and is no article: captcha \(asks for letters\)"):
        told(archive, address("a"))


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        (Kind.LISTING, 404, "{url} is a list and no article. It was fetched on 2024-03-01, and answered 404."),
        (Kind.JSONP, 200, "{url} is a list and no article. It was fetched on 2024-03-01, and answered 200."),
        (Kind.SITEMAP, 500, "{url} is a sitemap and no article. It was fetched on 2024-03-01, and answered 500."),
        (Kind.ROBOTS, 200, "{url} is a robots.txt and no article. It was fetched on 2024-03-01, and answered 200."),
    ],
)
def test_what_is_a_list_is_called_one_with_what_it_answered(archive: Archive, kind: Kind, status: int, said: str) -> None:
    url = "https://tech.example.cn/list_3.html"
    with archive.catalogue.transaction() as tx:
        note_capture(tx, "china_tech", Writer(archive).capture(url, moment(0), kind=kind, status=status), kind)
    with pytest.raises(ConfigurationError) as refused:
        told(archive, url)
    assert str(refused.value) == said.format(url=url)


def test_what_was_taken_down_is_told_without_its_content(archive: Archive) -> None:
    stone = {
        "article": article_id(address("a")),
        "url": address("a"),
        "site": "china_tech",
        "reason": "a court",
        "at": "2024-05-01T00:00:00Z",
    }
    with archive.catalogue.transaction() as tx:
        tx.execute(tombstone.insert().values(**stone))
    with pytest.raises(ConfigurationError, match="was taken down on 2024-05-01: a court"):
        told(archive, address("a"))
