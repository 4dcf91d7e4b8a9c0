"""What WARC files tell of pages is held against the records and rows, and only where these can know."""

from __future__ import annotations

import fcntl
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.archive import schema
from pipelines.archive.article_record import article_id, canonical_json, digest, from_json, to_json
from pipelines.archive.outcome_record import Told
from pipelines.archive.warc import WarcWriter, read_captures, told_in
from pipelines.findings import What
from pipelines.model import Capture, Reason
from pipelines.outcome_check import disagreement
from pipelines.verify import Result, verify
from tests.small_site import Small, told_warc, url


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    made = Small(folder / "archive")
    made.replay(*told_warc(folder / "warcs"))
    return made.folder


@pytest.fixture
def made(sound: Path, tmp_path: Path) -> Small:
    shutil.copytree(sound, tmp_path / "archive")
    return Small(tmp_path / "archive")


def checked(made: Small, workers: int = 0) -> Result:
    with made.open() as archive:
        return verify(archive, workers=workers)


def stored(made: Small, name: str) -> tuple[str, str]:
    with made.open() as archive, archive.catalogue.snapshot() as tx:
        said = sa.select(schema.content).join(schema.page, schema.page.c.content == schema.content.c.digest)
        row = tx.execute(said.where(schema.page.c.article == article_id(url(name)))).one()
    return row.digest, row.article


def put(made: Small, name: str, changed: str) -> None:
    """Puts another extraction result in the place of an article's, with every digest that follows from it."""
    was, _ = stored(made, name)
    now, article = digest(changed), article_id(url(name))
    whole = digest(from_json(changed).text)
    with made.open() as archive, archive.catalogue.transaction() as tx:
        tx.execute(schema.content.update().where(schema.content.c.digest == was).values(article=changed, digest=now))
        tx.execute(schema.page.update().where(schema.page.c.content == was).values(content=now))
        for table, key in ((schema.revision, schema.revision.c.article), (schema.article, schema.article.c.id)):
            tx.execute(table.update().where(key == article).values(content=canonical_json([now]), text_digest=whole))


@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_told_of_a_sound_archive_is_true_and_counted(made: Small, workers: int) -> None:
    result = checked(made, workers)
    assert result.findings == []
    assert result.checked["outcomes"] == 6, "of every capture but the list's"


def test_what_the_next_file_tells_is_true_as_well(tmp_path: Path) -> None:
    made = Small(tmp_path / "archive")
    files = told_warc(tmp_path / "warcs", apart=True)
    assert len(files) == 2
    made.replay(*files)
    result = checked(made)
    assert (result.findings, result.checked["outcomes"]) == ([], 6)


def test_of_files_that_the_archive_does_not_have_nobody_can_tell(tmp_path: Path) -> None:
    made = Small(tmp_path / "archive")
    _, later = told_warc(tmp_path / "warcs", apart=True)
    made.replay(later)
    assert checked(made).passed


def test_a_file_that_came_in_under_another_name_speaks_of_itself(tmp_path: Path) -> None:
    made = Small(tmp_path / "archive")
    (path,) = told_warc(tmp_path / "warcs")
    made.replay(path.rename(path.with_name("renamed.warc.gz")))
    result = checked(made)
    assert (result.findings, result.checked["outcomes"]) == ([], 6)


def test_a_text_that_was_changed_with_all_its_digests_contradicts_what_was_told(made: Small) -> None:
    _, was = stored(made, "battery")
    article = from_json(was)
    put(made, "battery", to_json(replace(article, paragraphs=("有人改过这一段话。", *article.paragraphs[1:]))))
    found = [one for one in checked(made).findings if one.what is What.OUTCOME]
    assert len(found) == 1
    assert "text-digest of http://news.example.cn/2026/battery.html" in found[0].detail


def test_what_was_read_again_by_other_rules_is_no_contradiction(made: Small) -> None:
    _, was = stored(made, "battery")
    article = from_json(was)
    extraction = replace(article.extraction, versions={**article.extraction.versions, "trafilatura": "99"})
    put(made, "battery", to_json(replace(article, paragraphs=("以后的规则读出这一段。",), extraction=extraction)))
    assert What.OUTCOME not in checked(made).counts


def test_what_is_told_of_a_record_that_is_not_there_is_a_lie(made: Small) -> None:
    (path,) = (made.folder / "warc").iterdir()
    captures = [one for one in read_captures(path) if isinstance(one, Capture)]
    assert captures[1].warc is not None
    lie = replace(next(told_in(path)), offset=captures[1].warc.offset + 1)
    another = replace(lie, offset=captures[1].warc.offset, of="urn:uuid:0")
    with WarcWriter(made.folder / "warc", prefix="lies", software="tests/1", rules={}) as writer:
        writer.tell([lie, another])
        assert writer.position is not None
        name = writer.position[0]
    result = checked(made)
    assert result.counts == {What.OUTCOME: 2}
    assert all(one.where.startswith(f"{name} at byte ") for one in result.findings)


def test_a_capture_that_the_catalogue_does_not_have_is_an_orphan_and_no_lie_of_what_is_told(made: Small) -> None:
    with made.open() as archive, archive.catalogue.transaction() as tx:
        lost = sa.select(schema.capture.c.id).where(schema.capture.c.url == url("lost")).scalar_subquery()
        tx.execute(schema.page.delete().where(schema.page.c.capture == lost))
        tx.execute(schema.capture.delete().where(schema.capture.c.url == url("lost")))
    assert checked(made).counts == {What.ORPHAN: 1}


def test_what_a_crawl_is_writing_is_not_held_against_it(made: Small) -> None:
    (path,) = (made.folder / "warc").iterdir()
    with path.open("rb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        assert checked(made).checked["outcomes"] == 0


def one_told(made: Small, name: str) -> Told:
    (path,) = (made.folder / "warc").iterdir()
    return next(one for one in told_in(path) if one.url == url(name))


def test_each_fact_that_is_told_is_compared(made: Small) -> None:
    article, name = from_json(stored(made, "battery")[1]), article_id(url("battery"))
    one = one_told(made, "battery")
    assert one.text is not None
    assert disagreement(one, article, name) is None
    lies = {
        "article": disagreement(one, article, "0" * 32),
        "canonical-url": disagreement(replace(one, canonical=url("other")), article, name),
        "method": disagreement(replace(one, text=replace(one.text, method="consensus")), article, name),
        "confidence": disagreement(replace(one, text=replace(one.text, confidence=0.5)), article, name),
        "text-digest": disagreement(replace(one, text=replace(one.text, digest="0")), article, name),
        "is gone": disagreement(replace(one, outcome=Reason.GONE, text=None), article, name),
    }
    assert {fact for fact, wrong in lies.items() if wrong and fact in wrong} == set(lies)


def test_what_was_too_expensive_once_may_be_read_later(made: Small) -> None:
    article, name = from_json(stored(made, "battery")[1]), article_id(url("battery"))
    assert disagreement(replace(one_told(made, "battery"), outcome=Reason.TOO_EXPENSIVE, text=None), article, name) is None


def test_a_row_without_a_text_contradicts_nothing(made: Small) -> None:
    assert disagreement(one_told(made, "battery"), None, None) is None
