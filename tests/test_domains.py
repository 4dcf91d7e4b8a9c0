"""Each host's part of an export is counted as its records say it, whatever the order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domains import Domains
from pipelines.site import USES
from tests.test_portrait import record

OWN = {"notice": None, "owned": True, "reserved": {"train": True, "archive": False}}
LATE, EARLY = "2024-03-01T00:30:00+08:00", "2024-02-29T18:00:00+00:00"
"""by the clock on the wall the second is the earlier one, by the moment the later"""


def found(*records: dict[str, Any]) -> dict[str, dict[str, Any]]:
    domains = Domains()
    for one in records:
        domains.add(one)
    return domains.report()


def test_of_nothing_there_is_nothing_to_report() -> None:
    assert found() == {}


def test_a_host_has_its_articles_characters_dates_and_rights() -> None:
    told = found(record(), record(published=None, rights=OWN), record(url="http://b.example.cn:8080/x"))
    assert list(told) == ["b.example.cn", "tech.example.cn"]
    assert told["tech.example.cn"] == {
        "articles": 2,
        "characters": 8,
        "first_published": "2024-02-29T23:30:00+08:00",
        "last_published": "2024-02-29T23:30:00+08:00",
        "whose": {"own": 1, "unknown": 1},
        "reserved": {"train": 1},
        "excluded": {},
    }


def test_dates_are_ordered_by_their_moment_and_told_as_printed() -> None:
    (told,) = found(record(published=EARLY), record(published=LATE)).values()
    assert (told["first_published"], told["last_published"]) == (LATE, EARLY)


def test_what_is_left_out_counts_by_reason_at_its_host_also_where_nothing_is_in() -> None:
    domains = Domains()
    for reason in ("copy", "copy", "reserved/train"):
        domains.leave_out("http://b.example.cn/x", reason)
    told = domains.report()["b.example.cn"]
    assert (told["articles"], told["excluded"]) == (0, {"copy": 2, "reserved/train": 1})
    assert (told["first_published"], told["last_published"]) == (None, None)


RECORDS = st.builds(
    record,
    url=st.sampled_from(["http://a.cn/1", "http://b.cn/1"]),
    published=st.sampled_from([None, LATE, EARLY, "2024-03-01T00:30:00+07:00"]),
    rights=st.builds(
        lambda owned, use: {"notice": None, "owned": owned, "reserved": {use: True}},
        st.sampled_from([True, False, None]),
        st.sampled_from(USES),
    ),
)


@given(st.lists(RECORDS, max_size=8), st.randoms())
def test_the_order_of_the_records_does_not_matter(records: list[dict[str, Any]], random: Any) -> None:
    mixed = random.sample(records, len(records))
    assert found(*records) == found(*mixed)
