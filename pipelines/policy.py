"""May this article be used for that? The rights of a record in, the reason why not out. Pure.

A use is allowed unless the record says otherwise: `rights.reserved` holds, by use, the most restrictive of everything
that page, server, robots.txt and publisher said at the time of the fetch. Uses stand in a line, each is a case of the
one before: training is mining, and mining needs a copy. Who reserves the wider use has reserved the narrower one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.site import USES

IMPLIED = {use: USES[: n + 1] for n, use in enumerate(USES)}
"""use -> the uses that it is a case of, the widest first (Directive (EU) 2019/790, art. 4: training is text and data mining)"""


def refusal(rights: Mapping[str, Any], use: str) -> str | None:
    """Why an article with these rights (`record["rights"]`) is not for a use: "reserved/<use>", the widest that is
    reserved; None where it may be used. Raises KeyError for a use that is none of `pipelines.site.USES`."""
    reserved = rights["reserved"]
    return next((f"reserved/{one}" for one in IMPLIED[use] if reserved.get(one)), None)
