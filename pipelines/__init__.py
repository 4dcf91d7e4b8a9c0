"""Everything that happens to bytes after they arrive.

    capture = one HTTP exchange, live or out of a WARC file               model.Capture
    result  = reading.read(capture, site)    -> Article | Rejection       pure
    with one transaction, flow.write:
        history.fold(all pages of the URL)   -> revisions, status         pure
        relate(article, each candidate)      -> duplicate, contained ...  pure; equal digests, fingerprint neighbours
        elect(cluster)                       -> the representative        pure
        record                               -> article, revision, cluster, change, URL state
    export, feed                             -> the downstream corpus

`flow` is the only door; live crawl, replay and bulk all come in through it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.archive import Archive
    from pipelines.choice import Chooser
    from pipelines.model import Article, Rejection

_SEEDS = next((place for place in (Path(__file__).parent / "seeds", Path(__file__).parent.parent / "seeds") if place.is_dir()), None)
"""In an installed package, or in the project's folder."""


def open_archive(path: Path | str, *, catalogue_url: str | None = None) -> Archive:
    """The archive in a folder, for notebooks and programs: a context manager that closes it. docs/library.md has what to do with it.

    `catalogue_url` is the PostgreSQL URL where the catalogue lies there. Nothing is made: where there is no archive, it is refused.
    An older archive is brought forward first, with a backup. Raises ArchiveUnusable, NewerArchive, CatalogueDamaged, OutOfSpace,
    and Locked while a takedown is at work.
    """
    from pipelines import archive  # noqa: PLC0415 -- `import pipelines` stays cheap

    return archive.open_archive(path, catalogue_url=catalogue_url)


def extract_page(body: bytes, url: str, headers: dict[str, str] | None = None) -> Article | Rejection:
    """The article of one page, without any archive: for notebooks, benchmarks and bulk workers.

    `body` is the entity as transferred (Content-Encoding as `headers` say), `url` absolute. The URL finds the site among the
    seeds files, mirrors included (pipelines/choice.py); else it is `pipelines.site.generic_site()`. The Date header is when
    the page was fetched, else now: a publication date after it is never believed.
    """
    from pipelines.extract import extract  # noqa: PLC0415 -- `import pipelines` stays cheap
    from pipelines.model import Capture  # noqa: PLC0415 -- `import pipelines` stays cheap

    pairs = tuple((headers or {}).items())
    capture = Capture(url=url, fetched_at=_fetched_at(pairs), status=200, headers=pairs, body=body)
    return extract(capture, _chooser()(url))


def _fetched_at(headers: tuple[tuple[str, str], ...]) -> datetime:
    value = next((value for name, value in headers if name.lower() == "date"), "")
    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return datetime.now(UTC)


@cache
def _chooser() -> Chooser:
    from pipelines.choice import chooser  # noqa: PLC0415 -- `import pipelines` stays cheap
    from pipelines.site import load_sites  # noqa: PLC0415 -- `import pipelines` stays cheap

    return chooser(load_sites(_SEEDS) if _SEEDS is not None else {})
