"""What read a page: the libraries by their versions, our own code by its digest.

A version number that a person must remember to raise is wrong on the day it matters. The digest of the source is never:
two records that name the same one were read by the same rules, and `scrapy verify` and `scrapy reextract` rely on it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files

LIBRARIES = ("beautifulsoup4", "lxml", "readability-lxml", "trafilatura")
_OWN = ("pipelines.extract", "pipelines")
_BESIDE = frozenset({"payload.py", "text.py", "urls.py", "site.py"})
"""modules of `pipelines` that extraction calls"""


@cache
def versions() -> dict[str, str]:
    """Name -> version of all that extraction depends on; "extract" is the digest of our own source, 16 hex digits."""
    return {"extract": own_digest(), **{name: version(name) for name in LIBRARIES}}


def own_digest() -> str:
    """SHA-256 over the source files that extraction is made of, in order of name; read once, when first asked."""
    found = ((f"{package}/{file.name}", file) for package in _OWN for file in files(package).iterdir() if _counts(package, file.name))
    sources = [(name, file.read_bytes()) for name, file in found]
    whole = hashlib.sha256()
    for name, source in sorted(sources):
        whole.update(f"{name}\n{len(source)}\n".encode())
        whole.update(source)
    return whole.hexdigest()[:16]


def _counts(package: str, name: str) -> bool:
    return name.endswith(".py") and (package != "pipelines" or name in _BESIDE)
