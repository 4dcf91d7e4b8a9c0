"""From one capture to an article, or to the reason why there is none. Pure: no I/O, no clock, never raises on any bytes.

capture → HTTP status, Content-Encoding → decode → parse → layout of the site, else consensus of readers
        → furniture, captions and bylines apart → metadata → rights → verdict → Article | Rejection
"""

from __future__ import annotations

from importlib.metadata import version

from pipelines.extract import blocks, decode, locator, page
from pipelines.model import Article, Capture, Extraction, Quality, Reason, Rejection
from pipelines.payload import decode_payload
from pipelines.site import Site
from pipelines.text import presence
from pipelines.urls import canonical

__all__ = ["extract"]

_VERSIONS = {name: version(name) for name in ("trafilatura", "readability-lxml", "lxml", "beautifulsoup4")}


def extract(capture: Capture, site: Site) -> Article | Rejection:
    """The article of one page read by the rules of `site`, or why there is none."""
    if refused := _refused(capture):
        return refused
    body = decode_payload(capture.headers, capture.body)
    if isinstance(body, Rejection):
        return body
    decoded = decode.decode(body, capture.header("content-type"))
    parsed = page.parse(decoded.text, capture.url)
    if parsed is None:
        return Rejection(reason=Reason.EMPTY, detail="The page holds no markup.", status=capture.status)
    reading = blocks.read(parsed.root)
    span = locator.locate(reading)
    paragraphs = tuple(line.text for line in reading.lines[span.start : span.end] if line.link_share < 0.5) if span else ()
    title = presence(parsed.root.findtext(".//h1")) or presence(parsed.root.findtext(".//title"))
    if not paragraphs or title is None:
        return Rejection(reason=Reason.NO_TEXT, detail="No reader found an article.", status=capture.status)
    where = canonical(capture.url, site)
    extraction = Extraction(
        method="consensus", charset=decoded.charset, charset_from=decoded.evidence, rules_digest=site.digest, versions=_VERSIONS
    )
    return Article(
        url=where.url,
        site=site.name,
        title=title,
        paragraphs=paragraphs,
        quality=Quality(confidence=0.5),
        extraction=extraction,
        part=where.part,
    )


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
        return Rejection(reason=Reason.PARTIAL, detail=f"The transfer broke off ({capture.truncated}).", status=status)
    return None
