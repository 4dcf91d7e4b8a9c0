"""The Wayback Machine, as far as the replica's site is in it: its CDX server, and replays of what it has.

Rule of this file: parameters, fields and headers are those of the real one (web.archive.org); an unknown parameter is an error.
`/web/<14 digits>id_/<URL>` gives the body as it was sent then, its time in Memento-Datetime (RFC 7089 §2.1.1), the headers of
then behind X-Archive-Orig-.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from urllib.parse import parse_qsl, quote_plus, unquote_plus, urlsplit

from tests.replica import captures
from tests.replica.captures import WAYBACK, Held
from tests.replica.resource import Answer

HOST = "web.archive.org"
MOST_ROWS = 4
"""of one answer, whatever its `limit`: the real one's is 150,000"""
FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
PARAMETERS = {"url", "matchType", "output", "limit", "showResumeKey", "resumeKey", "filter"}

_REPLAY = re.compile(r"/web/(\d{14})id_/(https?://.+)")
_HTML: Mapping[str, str] = {"Content-Type": "text/html"}


def respond(url: str) -> tuple[str, Answer]:
    """The kind of answer, and the answer."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    if parts.path == "/robots.txt":
        return "robots", (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /save/\n")
    if parts.path == "/cdx/search/cdx":
        return "index", _index(dict(parse_qsl(parts.query)))
    if match := _REPLAY.fullmatch(target):
        return "replay", _replay(match[1], match[2])
    return "not found", (404, _HTML, b"<html><body>Not in the archive</body></html>")


# ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _index(question: Mapping[str, str]) -> Answer:
    if set(question) - PARAMETERS or "url" not in question:
        return 400, {"Content-Type": "text/plain"}, b"Bad Query"
    found = captures.asked_for(WAYBACK, question["url"], question.get("matchType"))
    found = tuple(one for one in found if _passes(one, question.get("filter")) and _resume_key(one) > _resumed(question))
    shown = found[: min(int(question.get("limit", MOST_ROWS)), MOST_ROWS)]
    on = _resume_key(shown[-1]) if len(shown) < len(found) and question.get("showResumeKey") == "true" else None
    return _table(shown, on) if question.get("output") == "json" else _plain(shown, on)


def _passes(one: Held, rule: str | None) -> bool:
    """`filter=[!]field:expression`."""
    if rule is None:
        return True
    name, _, expression = rule.removeprefix("!").partition(":")
    fits = re.fullmatch(expression, dict(zip(FIELDS, _row(one), strict=True))[name]) is not None
    return fits is not rule.startswith("!")


def _resumed(question: Mapping[str, str]) -> str:
    """The key as it was given out, escaped once more by who sends it."""
    return unquote_plus(question.get("resumeKey", ""))


def _resume_key(one: Held) -> str:
    return f"{one.key} {one.stamp}"


def _table(rows: Sequence[Held], on: str | None) -> Answer:
    """A header and rows; behind an empty one the key with which the next question goes on. `[]` for nothing."""
    table: list[Sequence[str]] = [FIELDS, *map(_row, rows)] if rows else []
    table += [(), (quote_plus(on),)] if on else []
    return 200, {"Content-Type": "application/json"}, json.dumps(table).encode()


def _plain(rows: Sequence[Held], on: str | None) -> Answer:
    lines = [" ".join(_row(one)) for one in rows] + (["", quote_plus(on)] if on else [])
    return 200, {"Content-Type": "text/plain"}, "".join(f"{text}\n" for text in lines).encode()


def _row(one: Held) -> tuple[str, ...]:
    return one.key, one.stamp, one.url, one.mime, str(one.status), one.digest, str(len(one.body))


# ── replay ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def replay_of(one: Held) -> str:
    """The URL at which a capture is replayed."""
    return f"https://{HOST}/web/{one.stamp}id_/{one.url}"


def _replay(stamp: str, url: str) -> Answer:
    """The capture of that second; of another second, the way to the nearest one."""
    found = captures.asked_for(WAYBACK, url, None)
    if not found:
        return 404, _HTML, b"<html><body>The Wayback Machine has not archived that URL.</body></html>"
    nearest = min(found, key=lambda one: abs(int(one.stamp) - int(stamp)))
    return replayed(nearest) if nearest.stamp == stamp else (302, {"Location": replay_of(nearest)}, b"")


def replayed(one: Held) -> Answer:
    """The answer that shows a capture."""
    memento = f"https://{HOST}/web/{one.stamp}/{one.url}"
    fields = {
        "Content-Type": one.headers.get("Content-Type", "text/html"),
        "Memento-Datetime": format_datetime(one.at, usegmt=True),
        "Link": f'<{one.url}>; rel="original", <{memento}>; rel="memento"; datetime="{format_datetime(one.at, usegmt=True)}"',
        "X-Archive-Src": "replica-00000.warc.gz",
        **{f"X-Archive-Orig-{name}": value for name, value in one.headers.items()},
    }
    fields |= {"Content-Encoding": "gzip"} if "Content-Encoding" in one.headers else {}
    return one.status, fields, one.body
