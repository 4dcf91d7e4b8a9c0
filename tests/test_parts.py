"""Articles of several pages: one history, whatever told of their pages and in whatever order the files are read."""

from __future__ import annotations

import base64
import hashlib
from itertools import permutations
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.archive import schema
from pipelines.archive.exchange import Exchange
from pipelines.verify import verify
from tests.small_site import BATTERY, ROBOT, START, TELESCOPE, Small, confirmation, exchange, page, url, write_warc

LAYOUT = 'next_part = ["a.next"]\n'
NEXT = b'<a class="next" href="robot_2.html">2</a><!-- ' + b"x" * 1_200 + b" --></body>"
FIRST = page(ROBOT).replace(b"</body>", NEXT)
CHANGED = page((*ROBOT, TELESCOPE[1])).replace(b"</body>", NEXT)


def first(day: float, how: str) -> Exchange:
    """The first page, as it was on day 0."""
    if how == "304":
        return confirmation("robot", day)
    digest = "sha256:" + base64.b32encode(hashlib.sha256(FIRST).digest()).decode()
    return exchange("robot", FIRST, day, refers_to=(url("robot"), START), original_digest=digest)


def second(day: float, *more: str) -> Exchange:
    return exchange("robot_2", page((*BATTERY, *more)), day + 0.001)


def history(archive: Small) -> list[tuple[int, str, str]]:
    with archive.open() as opened, opened.catalogue.snapshot() as tx:
        rows = sa.select(schema.revision.c.number, schema.revision.c.fetched_at, schema.revision.c.content)
        assert verify(opened).passed
        return [(number, at, made) for number, at, made in tx.execute(rows.order_by(schema.revision.c.number))]


@pytest.mark.parametrize("how", ["304", "revisit"])
def test_a_later_page_that_changed_alone_is_a_revision_in_whatever_order_the_files_come(tmp_path: Path, how: str) -> None:
    nights = ([exchange("robot", FIRST), second(0)], [first(1, how), second(1, TELESCOPE[0])], [first(2, how), second(2, TELESCOPE[0])])
    files = [write_warc(tmp_path / str(number), night) for number, night in enumerate(nights)]
    told = []
    for number, order in enumerate(permutations(files)):
        archive = Small(tmp_path / f"a{number}", LAYOUT)
        archive.replay(*order)
        told.append(history(archive))
    assert [at[:10] for _, at, _ in told[0]] == ["2026-11-01", "2026-11-02"]
    assert told == [told[0]] * 6


def test_a_version_that_was_kept_stays_when_a_page_that_a_304_confirmed_changes_later(tmp_path: Path) -> None:
    archive = Small(tmp_path / "archive", LAYOUT)
    archive.bring([exchange("robot", FIRST), second(0)], "one")
    archive.bring([exchange("robot", CHANGED, 1), confirmation("robot_2", 1.001, 0.001)], "two")
    then = history(archive)
    archive.bring([exchange("robot", CHANGED, 2), second(2, TELESCOPE[0])], "three")
    assert history(archive)[:2] == then
    assert len(history(archive)) == 3
