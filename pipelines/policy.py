"""May this article leave the archive for that use? The rights of a record in, the reason why not out.

A use is allowed unless the record says otherwise: `rights.reserved` holds, by use, the most restrictive of everything
that page, server, robots.txt and publisher said at the time of the fetch. Uses stand in a line, each is a case of the
one before: training is mining, and mining needs a copy. Who reserves the wider use has reserved the narrower one.

What the use is, two people may say: who asks for an export (`--use`), and who wrote the seeds file (`[rights]
export_for`). Of the two the narrower is asked for, so that neither can lift what the other wants. The seeds file is the
one that the record names, as the archive keeps it: what an archive gives away follows from the archive alone, and a
policy that changes comes to the followers of the feed with the records that `scrapy reextract` makes by it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pipelines.archive import Archive
from pipelines.errors import ConfigurationError
from pipelines.site import USES, generic_site

IMPLIED = {use: USES[: n + 1] for n, use in enumerate(USES)}
"""use -> the uses that it is a case of, the widest first (Directive (EU) 2019/790, art. 4: training is text and data mining)"""


def refusal(rights: Mapping[str, Any], use: str) -> str | None:
    """Why an article with these rights (`record["rights"]`) is not for a use: "reserved/<use>", the widest that is
    reserved; None where it may be used. Raises KeyError for a use that is none of `pipelines.site.USES`."""
    reserved = rights["reserved"]
    return next((f"reserved/{one}" for one in IMPLIED[use] if reserved.get(one)), None)


def narrowest(uses: Iterable[str | None]) -> str | None:
    """The use that asks most of the rights; None where none is named."""
    return max((use for use in uses if use is not None), key=USES.index, default=None)


class Policy:
    """What may leave an archive when it is asked for a use (one of USES, or None: for whatever the seeds files say).

    `kept` gives the seeds file with a digest.
    """

    def __init__(self, kept: Callable[[str], bytes], use: str | None = None) -> None:
        self.use = use
        self._kept = kept
        self._uses: dict[str, str | None] = {f"sha256:{generic_site().digest}": use}  # there is no seeds file of it

    def use_of(self, record: Mapping[str, Any]) -> str | None:
        """What a record is held against. Raises ArchiveUnusable, ConfigurationError where its seeds file does not tell."""
        digest = record["provenance"]["rules_digest"]
        if digest not in self._uses:
            name = digest.removeprefix("sha256:")
            self._uses[digest] = narrowest([self.use, _export_for(self._kept(name), name)])
        return self._uses[digest]

    def refusal(self, record: Mapping[str, Any]) -> str | None:
        """Why a record may not leave; None where it may. Raises what `use_of` does."""
        use = self.use_of(record)
        return None if use is None else refusal(record["rights"], use)


def policy_of(archive: Archive, use: str | None = None) -> Policy:
    """The policy of an archive and of who asks."""
    return Policy(archive.kept_rules, use)


def _export_for(raw: bytes, name: str) -> str | None:
    """Only this key is read: a seeds file that is kept may be older than today's rules for seeds files."""
    use: str | None = tomllib.loads(raw.decode("utf-8-sig")).get("rights", {}).get("export_for")
    if use is not None and use not in USES:
        raise ConfigurationError(
            f"seeds/{name}.toml: rights.export_for: {use!r} is none of {', '.join(USES)}. Is the software older than it?"
        )
    return use
