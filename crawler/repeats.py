"""A page that answers 200 with the very bytes of last time is kept once: its record refers to the one that has them (WARC/1.1
§6.7.2, identical-payload-digest). That one is read before: where a disk has damaged it, the page is kept once more.
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.archive import Archive
from pipelines.archive.exchange import Exchange
from pipelines.archive.originals import originals

MIN_REPEATED = 1024
"""bytes of a body as received. Packed, a revisit record has 555 bytes, the response record of such a body 1,100 (text) to 1,640
(bytes that are packed already): below that, what is saved is not worth a record that needs another one to be read"""


def with_original(exchange: Exchange, archive: Archive) -> Exchange:
    """The exchange with the payload digest of the capture that its URL's row remembers. Where it brings the same payload, its
    record will be a revisit. To be asked when such an answer is there."""
    if exchange.refers_to is None or exchange.status != 200 or exchange.truncated or len(exchange.body) < MIN_REPEATED:
        return exchange
    found = originals(archive.catalogue, archive.warc_folder)(*exchange.refers_to)
    if found is None:
        return exchange
    return replace(exchange, refers_to=(found.url, found.fetched_at), original_digest=found.payload_digest)
