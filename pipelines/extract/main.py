"""From one capture to an article, or to the reason why there is none.

capture → HTTP status, Content-Encoding → decode → parse → layout of the site, else consensus of readers
        → furniture, captions and bylines apart → metadata → rights → verdict → Article | Rejection
"""

from __future__ import annotations

import dataclasses

from pipelines.extract import article, consensus, decode, layouts, metadata, page, verdict
from pipelines.extract.article import Reader
from pipelines.model import Article, Capture, Reason, Rejection
from pipelines.payload import decode_payload
from pipelines.site import Site
from pipelines.text import script


def extract(capture: Capture, site: Site) -> Article | Rejection:
    """The article of one page read by the rules of `site`, or why there is none."""
    refused = _refused(capture)
    if refused is not None:
        return refused
    body = decode_payload(capture.headers, capture.body)
    result = body if isinstance(body, Rejection) else _read(capture, body, site)
    return dataclasses.replace(result, status=capture.status) if isinstance(result, Rejection) else result


def explain(capture: Capture, site: Site) -> tuple[layouts.Fit, ...]:
    """What each layout of `site` makes of one page; nothing where it is none to be read. `extract` does not wait for it."""
    body = None if _refused(capture) is not None else decode_payload(capture.headers, capture.body)
    reader = _reader(capture, body, site) if isinstance(body, bytes) else None
    return layouts.explain(reader.page, reader, site, reader.where.url) if isinstance(reader, Reader) else ()


def _reader(capture: Capture, body: bytes, site: Site) -> Reader | Rejection:
    if not body or body.isspace():
        return Rejection(reason=Reason.EMPTY, detail="The body is empty.")
    if (foreign := verdict.not_html(body, capture.headers)) is not None:
        return foreign
    decoded = decode.decode(body, capture.header("content-type"))
    parsed = page.parse(decoded.text, capture.url, decoded.utf8)
    if parsed is None:
        return Rejection(reason=Reason.EMPTY, detail="The page holds no markup.")
    return Reader(capture=capture, site=site, page=parsed, decoded=decoded, said=metadata.declared(parsed.root))


def _read(capture: Capture, body: bytes, site: Site) -> Article | Rejection:
    reader = _reader(capture, body, site)
    if isinstance(reader, Rejection):
        return reader
    url = reader.where.url
    matched = layouts.match(reader.page, reader, site, url)
    if matched is not None:
        return article.from_layout(reader, matched)
    if (hollow := layouts.hollow(reader.page, site, url)) is not None:
        return hollow
    prose = script(" ".join(line.text for line in reader.reading.lines if line.prose))
    found = consensus.consensus(reader.page.root, reader.reading, reader.plain_title, prose, metadata.summary(reader.said))
    return article.from_consensus(reader, found)


def _refused(capture: Capture) -> Rejection | None:
    status = capture.status
    if status in (404, 410):
        return Rejection(reason=Reason.GONE, detail=f"The server answered {status}.", status=status)
    if status == 304:
        return Rejection(reason=Reason.NOT_MODIFIED, detail="Unchanged since the last capture.", status=status)
    if 300 <= status < 400:
        return Rejection(reason=Reason.REDIRECT, detail=f"To {capture.header('location') or 'nowhere'}.", status=status)
    if status != 200:
        return Rejection(reason=Reason.HTTP_ERROR, detail=f"The server answered {status}.", status=status)
    if capture.truncated is not None:
        return Rejection(reason=_cut(capture), detail=f"The transfer broke off ({capture.truncated}).", status=status)
    return None


def _cut(capture: Capture) -> Reason:
    """What a body is that was not read to its end (WARC-Truncated, ISO 28500 §5.13): stopped at the size limit, not worth
    reading by its headers, or broken off on the way."""
    if capture.truncated == "unspecified" and not capture.body:
        return Reason.NOT_HTML
    return Reason.TOO_LARGE if capture.truncated == "length" else Reason.PARTIAL
