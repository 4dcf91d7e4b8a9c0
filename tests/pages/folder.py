"""Reading and writing of page folders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.extract import extract
from pipelines.model import Article, Capture, Hints, Kind, Rejection
from pipelines.site import GENERIC, Site, generic_site, load_site

ROOT = Path(__file__).parent
SEEDS = ROOT.parent.parent / "seeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One page folder; `expected` holds "outcome" and the fields that are tested."""

    path: Path
    capture: Capture
    site: Site
    expected: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"


def folders(root: Path = ROOT) -> list[Path]:
    """All page folders below `root`, in order of name."""
    return sorted(path.parent for path in root.glob("*/*/capture.json"))


def load(path: Path) -> Folder:
    """One page folder. The first part of its name is the site: a seeds file, or "web" for the generic one."""
    about = json.loads((path / "capture.json").read_text("utf-8"))
    expected = json.loads((path / "expected.json").read_text("utf-8")) if (path / "expected.json").exists() else {}
    capture = Capture(
        url=about["url"],
        fetched_at=datetime.fromisoformat(about["fetched_at"]),
        status=about.get("status", 200),
        headers=tuple((name, value) for name, value in about.get("headers", [])),
        body=(path / "page.html").read_bytes(),
        kind=Kind.ARTICLE,
        hints=Hints(**about.get("hints", {})),
        truncated=about.get("truncated"),
    )
    return Folder(path=path, capture=capture, site=site_named(path.parent.name), expected=expected)


def site_named(name: str) -> Site:
    return generic_site() if name == GENERIC else load_site(SEEDS / f"{name}.toml")


def save(path: Path, capture: Capture, expected: dict[str, Any]) -> None:
    """Writes a folder; a page that stands there already is replaced."""
    path.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {"url": capture.url, "fetched_at": capture.fetched_at.isoformat(), "status": capture.status}
    about["headers"] = [list(pair) for pair in capture.headers]
    hints = {name: value for name in ("via", "title", "published", "section") if (value := getattr(capture.hints, name))}
    about |= {"hints": hints} if hints else {}
    about |= {"truncated": capture.truncated} if capture.truncated else {}
    (path / "page.html").write_bytes(capture.body)
    _write(path / "capture.json", about)
    _write(path / "expected.json", expected)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def observed(capture: Capture, site: Site) -> dict[str, Any]:
    """What extraction makes of a capture, in the form of expected.json."""
    return described(extract(capture, site))


def described(result: Article | Rejection) -> dict[str, Any]:
    """An article's fields, or a rejection's reason, as JSON values."""
    if isinstance(result, Rejection):
        return {"outcome": result.reason.value}
    plain = ("url", "title", "source", "section", "language", "part", "next_url", "published_precision", "published_from")
    fields: dict[str, Any] = {"outcome": "article", **{name: getattr(result, name) for name in plain}}
    fields |= {name: list(getattr(result, name)) for name in ("paragraphs", "authors", "editors", "keywords")}
    fields["captions"] = [[caption.text, caption.image_url] for caption in result.captions]
    fields |= {name: at.isoformat() if (at := getattr(result, name)) else None for name in ("published", "modified")}
    fields |= {name: getattr(result.rights, name) for name in ("notice", "owned", "image_notice")}
    fields |= {"robots": list(result.rights.robots), "signals": dict(result.rights.signals), "reserved": dict(result.rights.reserved)}
    fields |= {"method": result.extraction.method, "charset": result.extraction.charset, "charset_from": result.extraction.charset_from}
    return fields | {"flags": list(result.quality.flags), "quarantined": result.quarantine is not None}
