"""Who reserves the wider use has reserved the narrower one; who says nothing has reserved nothing; seeds file and command
line can each only narrow what the other lets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ArchiveUnusable, ConfigurationError
from pipelines.policy import Policy, narrowest, policy_of, refusal
from pipelines.site import USES, generic_site
from tests.archive.made import archive_at

RESERVED = st.dictionaries(st.sampled_from(USES), st.booleans())


@pytest.mark.parametrize("use", USES)
def test_silence_allows_every_use(use: str) -> None:
    assert refusal({"reserved": {}}, use) is None


@pytest.mark.parametrize("use", USES)
def test_a_use_that_was_allowed_in_words_is_allowed(use: str) -> None:
    assert refusal({"reserved": {use: False}}, use) is None


@pytest.mark.parametrize(
    ("reserved", "use", "reason"),
    [
        ("train", "train", "reserved/train"),
        ("train", "text-and-data-mining", None),
        ("train", "archive", None),
        ("text-and-data-mining", "train", "reserved/text-and-data-mining"),
        ("text-and-data-mining", "archive", None),
        ("archive", "train", "reserved/archive"),
        ("archive", "text-and-data-mining", "reserved/archive"),
        ("archive", "archive", "reserved/archive"),
    ],
)
def test_a_reserved_use_takes_those_that_are_cases_of_it_with_it(reserved: str, use: str, reason: str | None) -> None:
    assert refusal({"reserved": {reserved: True}}, use) == reason


def test_the_widest_reservation_is_the_reason() -> None:
    assert refusal({"reserved": dict.fromkeys(USES, True)}, "train") == "reserved/archive"


def test_permission_for_the_narrower_use_does_not_undo_the_reservation_of_the_wider() -> None:
    assert refusal({"reserved": {"text-and-data-mining": True, "train": False}}, "train") == "reserved/text-and-data-mining"


def test_a_use_that_there_is_not_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        refusal({"reserved": {}}, "sell")


@given(RESERVED, RESERVED, st.sampled_from(USES))
def test_one_more_reservation_never_allows_more(one: dict[str, bool], more: dict[str, bool], use: str) -> None:
    """The most restrictive wins: joining two statements refuses whatever either refuses."""
    both = {name: one.get(name, False) or more.get(name, False) for name in USES}
    refused_by_one = refusal({"reserved": one}, use) is not None or refusal({"reserved": more}, use) is not None
    assert (refusal({"reserved": both}, use) is not None) == refused_by_one


# ── two who say what it is for ───────────────────────────────────────────────────────────────────────────────────────


def record(rules: str = "ab", **reserved: bool) -> dict[str, Any]:
    return {"rights": {"reserved": reserved}, "provenance": {"rules_digest": f"sha256:{rules}"}}


def policy(seeds: str | None, asked: str | None) -> Policy:
    table = "" if seeds is None else f'[rights]\nexport_for = "{seeds}"\n'
    return Policy(lambda _: table.encode(), asked)


@pytest.mark.parametrize(
    ("seeds", "asked", "held_against"),
    [
        (None, None, None),
        ("archive", None, "archive"),
        (None, "train", "train"),
        ("train", "archive", "train"),
        ("archive", "train", "train"),
        ("text-and-data-mining", "text-and-data-mining", "text-and-data-mining"),
    ],
)
def test_of_seeds_file_and_command_line_the_narrower_use_counts(seeds: str | None, asked: str | None, held_against: str | None) -> None:
    assert policy(seeds, asked).use_of(record()) == held_against


def test_each_record_is_held_against_the_seeds_file_that_made_it() -> None:
    files = {"aa": b"[rights]\nexport_for = 'train'", "bb": b"name = 'another'"}
    both = Policy(files.__getitem__)
    assert [both.refusal(record(name, train=True)) for name in files] == ["reserved/train", None]


def test_a_seeds_file_is_read_once() -> None:
    asked: list[str] = []

    def kept(name: str) -> bytes:
        asked.append(name)
        return b""

    one = Policy(kept)
    assert [one.refusal(record()) for _ in range(3)] == [None] * 3
    assert asked == ["ab"]


def test_pages_of_no_site_have_no_seeds_file_and_are_held_against_what_is_asked() -> None:
    def lost(name: str) -> bytes:
        raise AssertionError(name)

    made = record(generic_site().digest, train=True)
    assert [Policy(lost, use).refusal(made) for use in (None, "train")] == [None, "reserved/train"]


def test_keys_that_the_software_no_longer_has_do_not_matter() -> None:
    old = Policy(lambda _: b"\xef\xbb\xbfforgotten = 1\n[rights]\nold = 2\nexport_for = 'train'\n")
    assert old.use_of(record()) == "train"


def test_a_use_that_the_software_does_not_know_is_no_licence() -> None:
    with pytest.raises(ConfigurationError, match=r"seeds/ab\.toml: rights\.export_for: 'sell' is none of archive"):
        Policy(lambda _: b"[rights]\nexport_for = 'sell'").refusal(record())


def test_a_seeds_file_that_is_lost_is_no_licence(tmp_path: Path) -> None:
    with archive_at(tmp_path / "archive") as archive, pytest.raises(ArchiveUnusable, match=r"cd\.toml: cannot be read .* Bring it back"):
        policy_of(archive).refusal(record("cd"))


@given(st.lists(st.sampled_from([None, *USES])), RESERVED)
def test_who_adds_a_word_never_lets_more_through(uses: list[str | None], reserved: dict[str, bool]) -> None:
    """The most restrictive of all that were named."""
    use, rights = narrowest(uses), {"reserved": reserved}
    refused = any(refusal(rights, one) is not None for one in uses if one is not None)
    assert (use is not None and refusal(rights, use) is not None) == refused
