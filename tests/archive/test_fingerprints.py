from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from benchmarks.dedup_corpus import edit_sentences
from pipelines.archive import fingerprints as stored
from pipelines.archive.catalogue import Catalogue
from pipelines.archive.fingerprints import candidates, fingerprint, forget, indexed_text, insert, lookup, remember, remove
from pipelines.archive.stored import CHUNK
from pipelines.dedup import fingerprint as comparison
from pipelines.dedup import index
from pipelines.dedup.fingerprint import text_digest
from tests.dedup.made import story, writer


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    made = Catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    made.create()
    yield made
    made.close()


@pytest.fixture
def tx(catalogue: Catalogue) -> Iterator[sa.Connection]:
    with catalogue.transaction() as connection:
        yield connection


def rows(tx: sa.Connection) -> int:
    return tx.scalar(sa.select(sa.func.count()).select_from(fingerprint)) or 0


def variant(seed: int, text: str) -> str:
    return edit_sentences(0.1)(text, writer(seed))


def test_a_text_is_found_by_its_variant_and_by_nothing_else(tx: sa.Connection) -> None:
    text = story(1)
    for seed in range(1, 8):
        remember(tx, story(seed))
    assert candidates(tx, variant(99, text)) == [text_digest(text)]
    assert candidates(tx, story(50)) == []


def test_a_text_is_no_candidate_of_itself(tx: sa.Connection) -> None:
    remember(tx, story(1))
    assert candidates(tx, story(1)) == []


def test_a_quotation_is_found_from_either_side(tx: sa.Connection) -> None:
    quoted = story(1, sentences=6)
    host = "\n".join([story(2, sentences=30), quoted, story(3, sentences=10)])
    remember(tx, quoted)
    assert candidates(tx, host) == [text_digest(quoted)]
    forget(tx, text_digest(quoted))
    remember(tx, host)
    assert candidates(tx, quoted) == [text_digest(host)]


def test_the_most_alike_comes_first(tx: sa.Connection) -> None:
    text = story(1)
    far, near = edit_sentences(0.4)(text, writer(8)), edit_sentences(0.05)(text, writer(9))
    remember(tx, far)
    remember(tx, near)
    assert candidates(tx, text) == [text_digest(near), text_digest(far)]


def test_a_text_without_letters_is_entered_and_never_found(tx: sa.Connection) -> None:
    remember(tx, "……")
    assert rows(tx) == 0
    assert candidates(tx, "。。。") == []
    forget(tx, text_digest("……"))
    assert tx.scalar(sa.select(sa.func.count()).select_from(indexed_text)) == 0


def test_remembering_twice_changes_nothing(tx: sa.Connection) -> None:
    remember(tx, story(1))
    before = rows(tx)
    remember(tx, story(1))
    assert rows(tx) == before == len(comparison.fingerprints(story(1)))


def test_copies_that_differ_in_width_take_no_rows(tx: sa.Connection) -> None:
    remember(tx, story(1))
    before = rows(tx)
    remember(tx, story(1).replace("，", ", ").replace("\n", "\u3000"))
    assert rows(tx) == before


def test_what_is_forgotten_is_not_found_and_leaves_no_row(tx: sa.Connection) -> None:
    text = story(1)
    remember(tx, text)
    remember(tx, story(2))
    forget(tx, text_digest(text))
    assert candidates(tx, variant(3, text)) == []
    assert rows(tx) == len(comparison.fingerprints(story(2)))


def test_forgetting_what_was_never_there_is_no_fault(tx: sa.Connection) -> None:
    forget(tx, "0" * 64)
    remove(tx, 17)


def test_fingerprints_of_all_64_bits_keep_their_bits(tx: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = np.array([0, 1, 2**63 - 1, 2**63, 2**64 - 1], dtype=np.uint64)
    monkeypatch.setattr(stored, "fingerprints_of", lambda _: marks)
    remember(tx, story(1))
    assert sorted(tx.scalars(sa.select(fingerprint.c.fp))) == [-(2**63), -1, 0, 1, 2**63 - 1]
    forget(tx, text_digest(story(1)))
    assert rows(tx) == 0


def test_a_fingerprint_that_fifty_stories_share_says_nothing(tx: sa.Connection) -> None:
    notice = story(77, sentences=12)
    for seed in range(index.BOILERPLATE):
        remember(tx, f"{story(seed + 100, sentences=6)}\n{notice}")
    assert candidates(tx, f"{story(1, sentences=6)}\n{notice}") == []
    assert all(len(documents) <= index.BOILERPLATE for documents in _postings(tx).values())


def test_a_story_with_sixty_variants_is_still_found(tx: sa.Connection) -> None:
    text = story(1)
    kin: list[str] = []
    for seed in range(index.BOILERPLATE + 10):
        one = variant(seed, text)
        remember(tx, one, kin)
        kin.append(text_digest(one))
    assert candidates(tx, variant(1_000, text))
    assert max(map(len, _postings(tx).values())) <= index.FAMILY


def test_a_variant_that_gets_rows_later_gets_those_that_another_stood_for(tx: sa.Connection) -> None:
    text = story(1)
    variants = [variant(seed, text) for seed in range(index.FAMILY + 1)]
    digests = [text_digest(one) for one in variants]
    for number, one in enumerate(variants):
        remember(tx, one, digests[:number])
    for one in digests[:-1]:
        forget(tx, one)
    assert rows(tx) < len(comparison.fingerprints(variants[-1]))
    remember(tx, variants[-1])
    assert rows(tx) == len(comparison.fingerprints(variants[-1]))


def test_a_transaction_that_fails_leaves_no_row(catalogue: Catalogue) -> None:
    def fail() -> None:
        with catalogue.transaction() as tx:
            remember(tx, story(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with catalogue.snapshot() as tx:
        assert rows(tx) == 0


def test_rows_of_another_version_are_not_read_and_are_replaced(tx: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    text = story(1)
    monkeypatch.setattr(stored, "VERSION", "0")
    remember(tx, text)
    monkeypatch.undo()
    assert candidates(tx, variant(2, text)) == []
    remember(tx, text)
    assert candidates(tx, variant(2, text)) == [text_digest(text)]
    assert rows(tx) == len(comparison.fingerprints(text))


def test_a_very_long_text_is_looked_up_as_any(tx: sa.Connection) -> None:
    long = "\n".join(story(seed, sentences=40) for seed in range(20))
    assert len(comparison.fingerprints(long)) > CHUNK
    remember(tx, long)
    assert candidates(tx, long + story(99, sentences=2)) == [text_digest(long)]
    forget(tx, text_digest(long))
    assert rows(tx) == 0


def test_insert_tells_how_many_rows_are_new(tx: sa.Connection) -> None:
    assert insert(tx, 5, [1, 2, -3]) == 3
    assert insert(tx, 5, [2, -3, 4]) == 1
    assert lookup(tx, [1, 4, 9]) == {1: 1, 4: 1}


def test_a_document_whose_text_is_not_known_is_no_candidate(tx: sa.Connection) -> None:
    insert(tx, 5, comparison.fingerprints(story(1)).tolist())
    assert candidates(tx, story(1)) == []


def test_it_agrees_with_the_index_in_memory_whatever_comes_and_goes(tx: sa.Connection) -> None:
    """Very short texts too, and kin that keeps rows out."""
    chance = random.Random(3)
    texts = [story(seed, sentences=chance.randint(3, 25)) for seed in range(12)]
    texts += [variant(seed, texts[seed % 12]) for seed in range(24)]
    texts += ["快讯：风力发电机组并网。", "快讯：风力发电机组并网成功。", "充电十分钟。", *(story(seed, sentences=1) for seed in range(4))]
    assert any(comparison.size(text) < index.VERY_SHORT for text in texts)
    numbers = {text_digest(text): number for number, text in enumerate(texts)}
    memory = index.MemoryIndex()
    found_at_all = 0
    for text in chance.choices(texts, k=200):
        number = numbers[text_digest(text)]
        marks, size = comparison.fingerprints(text).tolist(), comparison.size(text)
        found = set(memory.candidates(memory.lookup(marks), size)) - {number}
        assert {numbers[one] for one in candidates(tx, text)} == found
        found_at_all += len(found)
        if chance.random() < 0.7:
            kin = found if chance.random() < 0.5 else set()
            memory.insert(number, marks, size, kin)
            remember(tx, text, [text_digest(texts[one]) for one in kin])
        else:
            memory.remove(number)
            forget(tx, text_digest(text))
        assert rows(tx) == len(memory)
    assert found_at_all > 100


@pytest.mark.parametrize("size", [1, 2, 3])
def test_one_shared_fingerprint_is_enough_where_either_text_is_very_short(
    tx: sa.Connection, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(stored, "fingerprints_of", lambda text: np.array([7] if text == "short" else [7, 8, 9], dtype=np.uint64))
    monkeypatch.setattr(stored, "size", lambda text: size if text == "short" else 3)
    enough = size < index.VERY_SHORT
    for first, second in (("short", "other"), ("other", "short")):
        remember(tx, first)
        assert candidates(tx, second) == ([text_digest(first)] if enough else [])
        forget(tx, text_digest(first))


def _postings(tx: sa.Connection) -> dict[int, list[int]]:
    made: dict[int, list[int]] = {}
    for fp, doc in tx.execute(sa.select(fingerprint)):
        made.setdefault(fp, []).append(doc)
    return made
