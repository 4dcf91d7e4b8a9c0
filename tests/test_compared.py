"""What a capture says is what would be written of it; and a difference is shown by its kind."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from pipelines import flow, reading
from pipelines.archive import Archive, schema
from pipelines.archive.article_record import article_id
from pipelines.compared import SAMPLE_LINES, Said, What, sample, says
from pipelines.model import Article, Capture, Reason, Rejection, WarcRef
from tests.archive.made import archive_at
from tests.small_site import BATTERY, ROBOT, START, page, site, url

SITE = site()
AT = WarcRef(file="a.warc.gz", offset=0, length=1, record_id="<urn:uuid:1>")
CAPTURE = Capture(url=url("robot"), fetched_at=START, status=200, headers=(), body=page(ROBOT), warc=AT)
REJECTIONS = [Rejection(reason=reason, detail="so it is", status=200) for reason in Reason if reason is not Reason.TAKEN_DOWN]


def read(body: bytes = CAPTURE.body) -> Article:
    found = reading.read(replace(CAPTURE, body=body), SITE)
    assert isinstance(found, Article)
    return found


@pytest.fixture
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return archive_at(tmp_path_factory.mktemp("archive") / "archive")


def stored(archive: Archive) -> Said:
    """What the catalogue has of the one capture in it."""
    page_, capture = schema.page, schema.capture
    chosen = sa.select(capture.c.site, page_.c.article, page_.c.kind, page_.c.part, sa.func.coalesce(page_.c.content, capture.c.outcome))
    with archive.catalogue.snapshot() as tx:
        found, article, kind, part, word = tx.execute(chosen.outerjoin(page_, page_.c.capture == capture.c.id)).one()
    return Said(site=found, article=article, kind=kind, part=part, word=word)


@pytest.mark.parametrize("result", [read(), *REJECTIONS], ids=lambda one: one.reason if isinstance(one, Rejection) else "article")
@pytest.mark.parametrize("name", ["robot", "robot_2"])
def test_what_is_said_of_a_result_is_what_the_catalogue_has_when_it_is_written(
    archive: Archive, result: Article | Rejection, name: str
) -> None:
    capture = replace(CAPTURE, url=url(name))
    with archive.catalogue.transaction() as tx:
        flow.write(tx, capture, SITE, result)
    assert says(capture.url, SITE, result) == stored(archive)


SAID = says(CAPTURE.url, SITE, read())
CASES: dict[What, tuple[Article | None, Article | Rejection]] = {
    What.TEXT: (read(), read(page((*ROBOT[:2], BATTERY[0])))),
    What.FACTS: (read(), replace(read(), source="小站")),
    What.PROVENANCE: (read(), replace(read(), extraction=replace(read().extraction, rules_digest="0" * 64))),
    What.GAINED: (None, read()),
    What.LOST: (read(), REJECTIONS[0]),
    What.REASON: (None, REJECTIONS[0]),
    What.MOVED: (read(), replace(read(), part=2)),
}


@pytest.mark.parametrize("what", What)
def test_a_difference_is_shown_by_its_kind(what: What) -> None:
    before, after = CASES[what]
    shown = sample(CAPTURE.url, SAID, before, after, SITE)
    assert (shown.what, shown.url) == (what, CAPTURE.url)
    assert bool(shown.lines) is (what is not What.PROVENANCE)
    assert all(line[:2] in ("- ", "+ ") for line in shown.lines)


def test_of_facts_in_a_group_only_those_that_differ_are_shown() -> None:
    before = read()
    after = replace(before, source="小站", rights=replace(before.rights, notice="版权所有", owned=True))
    shown = sample(CAPTURE.url, SAID, before, after, SITE)
    assert set(shown.lines) == {
        f"- source: {before.source}",
        "+ source: 小站",
        f"- rights.notice: {before.rights.notice}",
        "+ rights.notice: 版权所有",
        f"- rights.owned: {before.rights.owned}",
        "+ rights.owned: True",
    }


def test_paragraphs_that_only_change_places_are_told_as_such() -> None:
    before = read()
    shown = sample(CAPTURE.url, SAID, before, replace(before, paragraphs=tuple(reversed(before.paragraphs))), SITE)
    assert (shown.what, len(shown.lines)) == (What.TEXT, 1)
    assert "order" in shown.lines[0]


def test_of_long_differences_the_first_lines_are_shown() -> None:
    before = replace(read(), paragraphs=tuple(f"旧{n}" for n in range(20)))
    shown = sample(CAPTURE.url, SAID, before, replace(before, paragraphs=tuple(f"新{n}" for n in range(20))), SITE)
    assert len(shown.lines) == 2 * SAMPLE_LINES
    assert article_id(CAPTURE.url) == SAID.article
