"""What an export holds is counted as its records say it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.portrait import Portrait, month, version
from pipelines.site import USES


def record(**changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "site": "china_tech",
        "url": "https://tech.example.cn/a.html",
        "text": "四个字符",
        "language": "zh",
        "source": "科技日报",
        "published": "2024-02-29T23:30:00+08:00",
        "first_seen": "2024-03-01T02:00:00.000000Z",
        "last_seen": "2024-03-31T02:00:00.000000Z",
        "fetched_at": "2024-03-01T02:00:00.000000Z",
        "rights": {"notice": None, "owned": None, "reserved": {}},
    }
    return {**made, **changed}


def test_nothing_was_counted_of_nothing() -> None:
    found = Portrait()
    assert (found.articles, found.sites, found.day) == (0, {}, "1970-01-01")


def test_each_record_counts_once_under_what_it_says() -> None:
    found = Portrait()
    found.add(record())
    found.add(record(site="b", url="http://b.example.cn:8080/x", language=None, source=None, published=None))
    assert (found.articles, found.characters) == (2, 8)
    assert found.sites == {"china_tech": 1, "b": 1}
    assert found.months == {"2024-02": 1, "2024-03": 1}
    assert found.languages == {"zh": 1, "": 1}
    assert found.sources == {"科技日报": 1, "": 1}
    assert found.day == "2024-03-31"


def test_every_reserved_use_counts_and_so_does_none() -> None:
    found = Portrait()
    for reserved in ({}, {"train": False}, {"train": True}, dict.fromkeys(USES, True)):
        found.add(record(rights={"notice": "版权所有" if reserved else None, "owned": None, "reserved": reserved}))
    assert found.reserved == {"": 2, "archive": 1, "text-and-data-mining": 1, "train": 2}
    assert found.notices == 3


@given(st.permutations([record(language=language, last_seen=f"2024-0{n}-01") for n, language in enumerate(("zh", "en", None), 3)]))
def test_the_order_of_the_records_does_not_matter(records: list[dict[str, Any]]) -> None:
    found, other = Portrait(), Portrait()
    for one in records:
        found.add(one)
    for one in sorted(records, key=lambda one: one["last_seen"]):
        other.add(one)
    assert found == other


def test_a_month_is_the_printed_one_and_first_sight_stands_in() -> None:
    assert [month(record()), month(record(published=None))] == ["2024-02", "2024-03"]


def test_a_version_is_semantic_and_grows_with_the_cursor() -> None:
    assert [version(0), version(17)] == ["1.0.0", "1.17.0"]
