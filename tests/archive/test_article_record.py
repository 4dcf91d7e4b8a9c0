"""The record and its contract say the same; what is stored comes back equal."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.archive.article_record import (
    SCHEMA,
    Head,
    article_id,
    canonical_json,
    digest,
    from_json,
    moment,
    record,
    timestamp,
    to_json,
)
from pipelines.export import What, export
from pipelines.model import Article, Caption, Extraction, Precision, PublishedFrom, Quality, Rights, WarcRef
from tests.small_site import ROBOT, page, small, url

CONTRACT = (Path(__file__).parents[2] / "docs" / "article-record.md").read_text(encoding="utf-8")
HEAD = Head(
    id="ab" * 16,
    status="active",
    revision=1,
    first_seen="2024-03-01T02:00:00.000000Z",
    last_seen="2024-03-01T02:00:00.000000Z",
    fetched_at="2024-03-01T02:00:00.000000Z",
    warc=WarcRef(file="china_tech-1.warc.gz", offset=7, length=100, record_id="<urn:uuid:1>"),
    payload_digest=None,
    text_digest="cd" * 32,
    cluster={"id": "ab" * 16, "kind": None, "similarity": None, "size": 1, "representative": "ab" * 16},
)

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
printed = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=offsets)  # noqa: DTZ001 -- bounds are naive by contract
several = st.lists(words, max_size=3).map(tuple)
articles = st.builds(
    Article,
    url=words,
    site=words,
    title=words,
    paragraphs=several,
    captions=st.lists(st.builds(Caption, text=words, image_url=st.none() | words), max_size=2).map(tuple),
    published=st.none() | printed,
    published_precision=st.none() | st.sampled_from(Precision),
    published_from=st.none() | st.sampled_from(PublishedFrom),
    modified=st.none() | printed,
    source=st.none() | words,
    authors=several,
    editors=several,
    section=st.none() | words,
    keywords=several,
    language=st.none() | words,
    rights=st.builds(
        Rights,
        notice=st.none() | words,
        owned=st.none() | st.booleans(),
        image_notice=st.none() | words,
        robots=several,
        signals=st.dictionaries(words, words, max_size=2),
        reserved=st.dictionaries(words, st.booleans(), max_size=2),
    ),
    quality=st.builds(Quality, confidence=st.floats(0, 1), flags=several),
    extraction=st.builds(
        Extraction, method=words, charset=words, charset_from=words, rules_digest=words, versions=st.dictionaries(words, words, max_size=2)
    ),
    part=st.integers(1, 9),
    next_url=st.none() | words,
    quarantine=st.none() | words,
)
times = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds are naive by contract


# ── stored and back ──────────────────────────────────────────────────────────────────────────────────────────────────


@given(articles)
@settings(max_examples=60, deadline=None)
def test_what_is_stored_comes_back_equal(made: Article) -> None:
    back = from_json(to_json(made))
    assert back == made
    assert to_json(back) == to_json(made)
    for one, other in ((made.published, back.published), (made.modified, back.modified)):
        assert (one and one.utcoffset()) == (other and other.utcoffset()), "equal instants may have been printed in two zones"


@given(articles)
@settings(max_examples=30, deadline=None)
def test_kinds_come_back_as_kinds(made: Article) -> None:
    back = from_json(to_json(made))
    assert type(back.published_precision) is type(made.published_precision)
    assert type(back.published_from) is type(made.published_from)
    assert isinstance(back.rights.robots, tuple)


@given(st.dictionaries(words, st.integers() | words, max_size=5), st.randoms())
def test_one_value_has_one_canonical_form(value: dict[str, object], chance: Any) -> None:
    pairs = list(value.items())
    chance.shuffle(pairs)
    assert canonical_json(dict(pairs)) == canonical_json(value)
    assert json.loads(canonical_json(value)) == value


def test_what_json_does_not_know_has_no_canonical_form() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("inf"))


# ── names and times ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_id_is_what_the_contract_says() -> None:
    url = "https://tech.china.com.cn/a.shtml"
    assert article_id(url) == hashlib.sha256(url.encode()).hexdigest()[:32]
    assert digest("科技") == hashlib.sha256("科技".encode()).hexdigest()


@given(times, times)
def test_times_come_back_and_sort_as_text(one: datetime, other: datetime) -> None:
    assert moment(timestamp(one)) == one
    assert (timestamp(one) < timestamp(other)) == (one < other)


@given(printed)
def test_a_time_of_any_zone_is_written_in_utc(when: datetime) -> None:
    assert timestamp(when).endswith("Z")
    assert moment(timestamp(when)) == when


@pytest.mark.parametrize("text", ["", "2024-03-01", "2024-03-01T02:00:00Z", "2024-03-01T02:00:00.000000+00:00"])
def test_another_form_of_a_time_is_none_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match="does not match"):
        moment(text)


# ── the contract ─────────────────────────────────────────────────────────────────────────────────────────────────────


def fields_of(heading: str) -> dict[str, tuple[str, str]]:
    """field -> (type, what it is) of the table under a heading of the contract."""
    section = CONTRACT.split(f"\n{heading}\n")[1].split("\n#")[0]
    return {name: (kind, text) for name, kind, text in re.findall(r"^\| `(\w+)` \| ([^|]+?) \| (.+?) \|$", section, re.MULTILINE)}


JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "null": (type(None),),
}


def fits(value: object, kind: str) -> bool:
    if kind.startswith("list of "):
        return isinstance(value, list) and all(fits(one, kind.removeprefix("list of ").removesuffix("s")) for one in value)
    return any(type(value) in JSON_TYPES[one] for one in kind.split(" or "))


PARTS = {"## Fields": (), "### `rights`": ("rights",), "### `cluster`": ("cluster",), "### `provenance`": ("provenance",)}


@given(articles)
@settings(max_examples=40, deadline=None)
def test_every_record_is_as_the_contract_says_field_by_field(made: Article) -> None:
    whole = json.loads(json.dumps(record(made, HEAD)))
    for heading, path in PARTS.items():
        part = whole[path[0]] if path else whole
        contract = fields_of(heading)
        assert list(part) == list(contract), f"keys and their order, {heading}"
        assert [name for name, (kind, _) in contract.items() if not fits(part[name], kind)] == []


def test_what_the_contract_says_of_kinds_is_all_that_there_is() -> None:
    contract = fields_of("## Fields")
    for name, kinds in (("published_precision", Precision), ("published_from", PublishedFrom)):
        assert set(re.findall(r"`(\w+)`", contract[name][1])) == {str(kind) for kind in kinds}
    assert SCHEMA in CONTRACT
    assert fields_of("### `provenance`")["schema"][1] == f"`{SCHEMA}`."


def test_the_keys_of_small_objects_are_in_the_contract() -> None:
    contract = fields_of("## Fields")
    assert re.findall(r"`(\w+)`", contract["captions"][1]) == ["text", "image_url"]
    assert re.findall(r"`(\w+)`", contract["quality"][1])[:2] == ["confidence", "flags"]


DIGESTS = {
    "payload_digest": ("52 letters of base32 and `====`", r"sha256:[A-Z2-7]{52}===="),
    "text_digest": ("64 hex digits", r"sha256:[0-9a-f]{64}"),
    "rules_digest": ("64 hex digits", r"sha256:[0-9a-f]{64}"),
}
"""digest of a record -> its form in the contract's words, and as a pattern"""


def test_digests_and_the_record_id_of_a_real_record_are_written_as_the_contract_says(tmp_path: Path) -> None:
    out = io.BytesIO()
    with small(tmp_path).open() as archive:
        export(archive, What(), out)
    told = next(one for one in map(json.loads, out.getvalue().splitlines()) if one["url"] == url("robot"))
    written, contract = told["provenance"], fields_of("### `provenance`")
    for name, (words_of_it, form) in DIGESTS.items():
        assert words_of_it in contract[name][1]
        assert re.fullmatch(form, written[name])
    assert written["payload_digest"] == "sha256:" + base64.b32encode(hashlib.sha256(page(ROBOT)).digest()).decode()
    assert written["text_digest"] == "sha256:" + hashlib.sha256(told["text"].encode()).hexdigest()
    assert "without its angle brackets" in contract["record_id"][1]
    assert written["record_id"].startswith("urn:uuid:")


def test_captions_are_apart_from_the_text() -> None:
    made = from_json(to_json(_bare()))
    told = record(made, HEAD)
    assert told["text"] == "第一段。\n第二段。"
    assert told["captions"] == [{"text": "图为装配线。", "image_url": None}]


def test_absent_is_null_and_digests_name_their_algorithm() -> None:
    told = record(_bare(), HEAD)
    assert (told["published"], told["source"], told["language"]) == (None, None, None)
    provenance = told["provenance"]
    assert isinstance(provenance, dict)
    assert (provenance["text_digest"], provenance["rules_digest"]) == ("sha256:" + "cd" * 32, "sha256:ef")
    assert provenance["payload_digest"] is None


def _bare() -> Article:
    return Article(
        url="https://tech.example.cn/a.html",
        site="china_tech",
        title="题",
        paragraphs=("第一段。", "第二段。"),
        captions=(Caption(text="图为装配线。"),),
        quality=Quality(confidence=1.0),
        extraction=Extraction(method="consensus", charset="utf-8", charset_from="bom", rules_digest="ef", versions={}),
    )
