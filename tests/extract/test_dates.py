"""Dates as pages print them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.extract import dates
from pipelines.model import Precision

PRINTED = [
    ("2022年08月17日10:05", (2022, 8, 17, 10, 5, 0)),
    ("发布时间：2015-12-13 09:19:44", (2015, 12, 13, 9, 19, 44)),
    ("2026/3/1 8:05", (2026, 3, 1, 8, 5, 0)),
    ("2026.03.01 16:31 来源：河岸日报", (2026, 3, 1, 16, 31, 0)),
    ("2026 03/01 22:27:02", (2026, 3, 1, 22, 27, 2)),
    ("時間:2006 年2 月15 日", (2006, 2, 15, 0, 0, 0)),
    ("2026年3月1日週日 下午3:05", (2026, 3, 1, 15, 5, 0)),
    ("2026年3月1日 上午12:05", (2026, 3, 1, 0, 5, 0)),
    ("2026年3月1日 凌晨12:30", (2026, 3, 1, 0, 30, 0)),
    ("2026年3月1日 凌晨1:30", (2026, 3, 1, 1, 30, 0)),
    ("2026年3月1日 早上8:30", (2026, 3, 1, 8, 30, 0)),
    ("2026年3月1日 中午11:30", (2026, 3, 1, 11, 30, 0)),
    ("2026年3月1日 中午12:30", (2026, 3, 1, 12, 30, 0)),
    ("2026年3月1日 中午1:30", (2026, 3, 1, 13, 30, 0)),
    ("2026年3月1日 下午12:30", (2026, 3, 1, 12, 30, 0)),
    ("2026年3月1日 下午15:30", (2026, 3, 1, 15, 30, 0)),
    ("2026年3月1日 傍晚6:30", (2026, 3, 1, 18, 30, 0)),
    ("2026年3月1日 晚上9:05", (2026, 3, 1, 21, 5, 0)),
    ("2026年3月1日 晚上20:05", (2026, 3, 1, 20, 5, 0)),
    ("2026年2月28日 晚上12:00", (2026, 3, 1, 0, 0, 0)),
    ("2026-12-31 24:00", (2027, 1, 1, 0, 0, 0)),
    ("2026-03-01 00:05", (2026, 3, 1, 0, 5, 0)),
    ("March 1, 2026 12:30 a.m.", (2026, 3, 1, 0, 30, 0)),
    ("March 1, 2026 12:30 PM", (2026, 3, 1, 12, 30, 0)),
    ("01/03/2026 - 13:48", (2026, 3, 1, 13, 48, 0)),
    ("May 26, 2015", (2015, 5, 26, 0, 0, 0)),
    ("March 1, 2026 8:30 PM", (2026, 3, 1, 20, 30, 0)),
    ("1 March 2026, 08:30", (2026, 3, 1, 8, 30, 0)),
    ("2026年3月1日11时20分", (2026, 3, 1, 11, 20, 0)),
    ("２０２６年０３月０１日１１:２０", (2026, 3, 1, 11, 20, 0)),
    ("中華民國115年3月1日 11:20", (2026, 3, 1, 11, 20, 0)),
    ("2026-03-01 HKT 11:20", (2026, 3, 1, 11, 20, 0)),
    ("20260301", (2026, 3, 1, 0, 0, 0)),
    ("2026-03-01T08:30:15", (2026, 3, 1, 8, 30, 15)),
    ("June 3, 2024 at 6:15 a.m.", (2024, 6, 3, 6, 15, 0)),
    ("15:39, November 23, 2022", (2022, 11, 23, 15, 39, 0)),
    ("12:43, 20 Apr 2026", (2026, 4, 20, 12, 43, 0)),
    ("09:05, 10-Dec-2018", (2018, 12, 10, 9, 5, 0)),
    ("7:05 PM, Thursday, March 1, 2026", (2026, 3, 1, 19, 5, 0)),
    ("NOVEMBER 20, 2019 09:42", (2019, 11, 20, 9, 42, 0)),
    ("Tue, 02/14/2023 - 16:20", (2023, 2, 14, 16, 20, 0)),
    ("Fri, Apr 28 2023 2:23 PM", (2023, 4, 28, 14, 23, 0)),
    ("5. März 2024, 14:12 Uhr", (2024, 3, 5, 14, 12, 0)),
    ("Publié le 5 mars 2024 à 14h12", (2024, 3, 5, 14, 12, 0)),
    ("5 de marzo de 2024, 14:12", (2024, 3, 5, 14, 12, 0)),
    ("terça-feira, 5 de março de 2024 às 14:12", (2024, 3, 5, 14, 12, 0)),
    ("5 марта 2024, 14:12", (2024, 3, 5, 14, 12, 0)),
    ("05 Mart 2024 14:12", (2024, 3, 5, 14, 12, 0)),
    ("May 26, 2015 12.5 percent", (2015, 5, 26, 0, 0, 0)),
    ("03:25 2022-05-06", (2022, 5, 6, 0, 0, 0)),
]


@pytest.mark.parametrize(("text", "expected"), PRINTED, ids=[text for text, _ in PRINTED])
def test_a_printed_date_is_read(text: str, expected: tuple[int, ...]) -> None:
    found = dates.first(text)
    assert found is not None
    assert found.at == datetime(*expected)  # type: ignore[arg-type]  # noqa: DTZ001 -- no zone is printed


@pytest.mark.parametrize(
    "text",
    ["8月16日，大会召开", "星期一", "2026年", "2026-13-01", "2026-02-30", "电话：010-88828000", "id 413793", "12:30", "", "1850-01-01"],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert dates.first(text) is None


@pytest.mark.parametrize(
    ("text", "precision"),
    [("2026-03-01", Precision.DAY), ("2026-03-01 08:30", Precision.MINUTE), ("2026-03-01 08:30:15", Precision.SECOND)],
)
def test_precision_is_what_is_printed(text: str, precision: Precision) -> None:
    found = dates.first(text)
    assert found is not None
    assert found.precision is precision


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2026-03-01T08:30:15+08:00", 8),
        ("2026-03-01T08:30:15Z", 0),
        ("2026-03-01T08:30:15.000Z", 0),
        ("2026-03-01 08:30 -0500", -5),
        ("2026-03-01 08:30 GMT", 0),
        ("March 1, 2026 8:30 AM EST", -5),
        ("July 1, 2026 at 8:30 a.m. ET", -4),
        ("14:05 BST, 3 June 2023", 1),
        ("May 9, 2024, 7:21 PM GMT+2", 2),
        ("Fri 24 Feb 2023 11.42 CET", 1),
    ],
)
def test_an_offset_that_is_printed_is_kept(text: str, offset: int) -> None:
    found = dates.first(text)
    assert found is not None
    assert found.at.utcoffset() == timedelta(hours=offset)


def test_a_zone_of_two_countries_is_none() -> None:
    found = dates.first("2018-11-21 19:15 CST")
    assert found is not None
    assert found.at.tzinfo is None


def test_a_zone_is_added_only_where_none_is_printed() -> None:
    china = ZoneInfo("Asia/Shanghai")
    naive, point, printed = (dates.first(f"2026-03-01T00:30:00{end}") for end in ("", "Z", "+09:00"))
    assert naive is not None
    assert point is not None
    assert printed is not None
    assert naive.within(china).isoformat() == "2026-03-01T00:30:00+08:00"
    assert point.within(china).isoformat() == "2026-03-01T08:30:00+08:00"
    assert printed.within(china).isoformat() == "2026-03-01T00:30:00+09:00"


def test_all_dates_come_in_order_of_place() -> None:
    found = list(dates.moments("2026-03-01 08:30 … March 2, 2026 … 2026年3月3日"))
    assert [moment.at.day for moment in found] == [1, 2, 3]


@pytest.mark.parametrize("label", ["最后更新：", "更新时间: ", "Last updated ", "修改日期："])
def test_an_update_is_known_by_its_label(label: str) -> None:
    found = dates.first(f"{label}2026-03-01 08:30")
    assert found is not None
    assert found.modified


@pytest.mark.parametrize("label", ["成文日期：", "施行时间：", "截至", "印发日期 "])
def test_dates_of_something_else_are_known_by_their_label(label: str) -> None:
    found = dates.first(f"{label}2026-03-01")
    assert found is not None
    assert found.other


def test_an_absurd_offset_is_no_offset() -> None:
    found = dates.first("2026-03-01T08:30:00+99:00")
    assert found is not None
    assert found.at.tzinfo is None


@given(st.datetimes(min_value=datetime(1985, 1, 1), max_value=datetime(2048, 12, 31)), st.integers(-12, 14))  # noqa: DTZ001
@settings(deadline=None, max_examples=150)
def test_what_is_printed_in_iso_form_comes_back(at: datetime, hours: int) -> None:
    aware = at.replace(microsecond=0, second=at.second or 1, tzinfo=timezone(timedelta(hours=hours)))
    found = dates.first(aware.isoformat())
    assert found is not None
    assert found.within(UTC) == aware


FORMS = (
    "2026-03-01 08:30",
    "2026年3月",
    "1/3/2026",
    "March 1, 2026",
    "1 March 2026",
    "20260301",
    "2026",
    "3",
    "更新：",
    " ",
    "1",
    "-",
    "年",
)


@given(st.lists(st.sampled_from(FORMS), max_size=9).map("".join), st.integers(0, 9))
@settings(deadline=None, max_examples=300)
def test_the_next_date_is_the_first_of_all_forms(text: str, at: int) -> None:
    found = [match for form in dates._FORMS if (match := form.search(text, at))]
    nearest = min(found, key=re.Match.start, default=None)
    match = dates._next(text, at)
    assert (match and (match.re, match.span())) == (nearest and (nearest.re, nearest.span()))


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=150)
def test_any_text_has_dates_or_none(text: str) -> None:
    assert all(1980 <= moment.at.year < 2050 for moment in dates.moments(text))
