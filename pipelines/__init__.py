"""Everything that happens to bytes after they arrive.

    capture   = one HTTP exchange, live or out of a WARC file                     model.Capture
    result    = extract(capture, site)                 -> Article | Rejection     pure
    with one transaction:
        candidates = known versions of this URL, equal digests, fingerprint neighbours
        decision   = decide(result, candidates)        -> NEW | UNCHANGED | ...   pure
        record(result, decision)                       -> article, revision, cluster, change, URL state
    elect(cluster)                                     -> the representative      pure
    export, feed                                       -> the downstream corpus

`flow.ingest` is the only door; live crawl, replay and bulk all come in through it.
"""
