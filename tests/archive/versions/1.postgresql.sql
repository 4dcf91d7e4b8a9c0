-- The catalogue of schema version 1, as the software of that day made it. Never changed.
CREATE TABLE info (
    key VARCHAR NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (key)
);
CREATE TABLE url (
    id BIGSERIAL NOT NULL,
    site VARCHAR NOT NULL,
    url TEXT NOT NULL,
    host VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    depth INTEGER NOT NULL,
    page INTEGER NOT NULL,
    chain TEXT,
    complete_at FLOAT,
    priority INTEGER NOT NULL,
    discovered_at FLOAT NOT NULL,
    due_at FLOAT NOT NULL,
    leased_until FLOAT,
    tries INTEGER NOT NULL,
    reason VARCHAR,
    hints TEXT,
    last_status INTEGER,
    last_fetched FLOAT,
    last_changed FLOAT,
    interval FLOAT,
    visits INTEGER NOT NULL,
    etag TEXT,
    last_modified TEXT,
    captured_url TEXT,
    captured_at VARCHAR,
    PRIMARY KEY (id),
    UNIQUE (site, url)
);
CREATE TABLE host (
    host VARCHAR NOT NULL,
    next_at FLOAT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (host)
);
CREATE TABLE robots (
    host VARCHAR NOT NULL,
    fetched_at FLOAT NOT NULL,
    status INTEGER,
    body BYTEA,
    failure TEXT,
    PRIMARY KEY (host)
);
CREATE TABLE capture (
    id BIGSERIAL NOT NULL,
    site VARCHAR NOT NULL,
    url TEXT NOT NULL,
    kind VARCHAR NOT NULL,
    fetched_at VARCHAR NOT NULL,
    status INTEGER NOT NULL,
    file VARCHAR NOT NULL,
    "offset" BIGINT NOT NULL,
    length BIGINT NOT NULL,
    record_id VARCHAR NOT NULL,
    payload_digest VARCHAR,
    outcome VARCHAR NOT NULL,
    detail TEXT,
    article VARCHAR,
    PRIMARY KEY (id),
    UNIQUE (file, "offset")
);
CREATE TABLE content (
    digest VARCHAR NOT NULL,
    article TEXT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE TABLE page (
    article VARCHAR NOT NULL,
    capture BIGINT NOT NULL,
    part INTEGER NOT NULL,
    fetched_at VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    content VARCHAR,
    PRIMARY KEY (article, capture)
);
CREATE TABLE revision (
    article VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    fetched_at VARCHAR NOT NULL,
    capture BIGINT NOT NULL,
    content VARCHAR NOT NULL,
    text_digest VARCHAR NOT NULL,
    change VARCHAR,
    similarity FLOAT,
    PRIMARY KEY (article, number)
);
CREATE TABLE article (
    id VARCHAR NOT NULL,
    site VARCHAR NOT NULL,
    url TEXT NOT NULL,
    status VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    content VARCHAR NOT NULL,
    capture BIGINT NOT NULL,
    text_digest VARCHAR NOT NULL,
    comparison_digest VARCHAR NOT NULL,
    published VARCHAR,
    owned BOOLEAN,
    first_seen VARCHAR NOT NULL,
    last_seen VARCHAR NOT NULL,
    fetched_at VARCHAR NOT NULL,
    cluster VARCHAR NOT NULL,
    representative VARCHAR NOT NULL,
    shown BOOLEAN NOT NULL,
    record_digest VARCHAR NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE edge (
    low VARCHAR NOT NULL,
    high VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    similarity FLOAT NOT NULL,
    "inner" VARCHAR,
    PRIMARY KEY (low, high)
);
CREATE TABLE change (
    sequence BIGSERIAL NOT NULL,
    article VARCHAR NOT NULL,
    op VARCHAR NOT NULL,
    PRIMARY KEY (sequence)
);
CREATE TABLE tombstone (
    article VARCHAR NOT NULL,
    url TEXT NOT NULL,
    site VARCHAR NOT NULL,
    reason TEXT NOT NULL,
    at VARCHAR NOT NULL,
    PRIMARY KEY (article)
);
CREATE TABLE run (
    id BIGSERIAL NOT NULL,
    site VARCHAR NOT NULL,
    started VARCHAR NOT NULL,
    ended VARCHAR,
    status INTEGER,
    ledger TEXT,
    PRIMARY KEY (id)
);
CREATE TABLE warc_file (
    name VARCHAR NOT NULL,
    checked_to BIGINT NOT NULL,
    sealed BOOLEAN NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE template_line (
    article VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    site VARCHAR NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (article, digest)
);
CREATE TABLE indexed_text (
    doc BIGSERIAL NOT NULL,
    digest VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    size INTEGER NOT NULL,
    fingerprints BYTEA NOT NULL,
    PRIMARY KEY (doc),
    UNIQUE (digest)
);
CREATE TABLE fingerprint (
    fp BIGINT NOT NULL,
    doc BIGINT NOT NULL,
    PRIMARY KEY (fp, doc)
);
CREATE TABLE line (
    site VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    text TEXT NOT NULL,
    articles INTEGER NOT NULL,
    PRIMARY KEY (site, digest)
);
CREATE INDEX article_cluster ON article (cluster);
CREATE INDEX article_comparison ON article (comparison_digest);
CREATE INDEX article_site_url ON article (site, url);
CREATE INDEX capture_article ON capture (article);
CREATE INDEX change_article ON change (article);
CREATE INDEX edge_high ON edge (high);
CREATE INDEX template_line_digest ON template_line (site, digest);
CREATE INDEX url_due ON url (site, state, due_at);
INSERT INTO info (key, value) VALUES ('schema', '1');
