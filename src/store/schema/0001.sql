-- Times are milliseconds since 1970 UTC. Keys are 16 bytes of SHA-256.

CREATE TABLE feed (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    host TEXT NOT NULL,                -- requests to one host are spaced
    interval_ms INTEGER NOT NULL,
    title TEXT,                        -- the outlet's name for people
    active INTEGER NOT NULL DEFAULT 1, -- 0 once it left the configuration
    health TEXT NOT NULL DEFAULT 'new',
    etag BLOB,
    last_modified BLOB,
    validators_url TEXT,               -- validators go to no other URL
    body_hash BLOB,
    baselined INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    last_attempt INTEGER,
    last_success INTEGER,
    last_document INTEGER,             -- when its last new document came
    last_entry INTEGER,                -- when it last brought something new
    last_error TEXT,
    blocked_until INTEGER,             -- the server asked for a pause
    next_due INTEGER NOT NULL,
    leased_until INTEGER
) STRICT;
CREATE INDEX feed_due ON feed (next_due) WHERE active = 1;

CREATE TABLE story (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
) STRICT;
CREATE INDEX story_last_seen ON story (last_seen);

CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    story_id INTEGER NOT NULL REFERENCES story (id),
    guid TEXT,
    url TEXT,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    authors TEXT NOT NULL,             -- JSON array
    categories TEXT NOT NULL,          -- JSON array
    lang TEXT,
    published INTEGER,
    updated INTEGER,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    link_key BLOB,
    title_key BLOB NOT NULL,
    revision_key BLOB NOT NULL
) STRICT;
CREATE INDEX entry_story ON entry (story_id);
CREATE INDEX entry_feed ON entry (feed_id, first_seen);

-- Earlier wordings of revised entries.
CREATE TABLE entry_version (
    entry_id INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    replaced_at INTEGER NOT NULL,
    PRIMARY KEY (entry_id, version)
) STRICT, WITHOUT ROWID;

-- What an entry is recognised by, within its feed.
CREATE TABLE entry_key (
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    kind TEXT NOT NULL,
    key BLOB NOT NULL,
    entry_id INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    PRIMARY KEY (feed_id, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_key_entry ON entry_key (entry_id);

-- What a story is recognised by, over all feeds.
CREATE TABLE story_key (
    kind TEXT NOT NULL,
    key BLOB NOT NULL,
    story_id INTEGER NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX story_key_story ON story_key (story_id);

-- One row for a rule and story, however many entries tell it.
CREATE TABLE match (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    story_id INTEGER NOT NULL REFERENCES story (id),
    entry_id INTEGER NOT NULL REFERENCES entry (id),
    matched_at INTEGER NOT NULL,
    state TEXT NOT NULL,               -- raised, baseline, old-news
    title TEXT NOT NULL,               -- the wording that matched
    text TEXT NOT NULL,
    spans TEXT NOT NULL,               -- JSON
    UNIQUE (rule, story_id)
) STRICT;
CREATE INDEX match_story ON match (story_id);
CREATE INDEX match_entry ON match (entry_id);

CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    match_id INTEGER NOT NULL UNIQUE REFERENCES match (id),
    rule_title TEXT NOT NULL,
    severity TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_created ON alert (created_at);

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    alert_id INTEGER NOT NULL REFERENCES alert (id),
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    leased_until INTEGER,
    finished_at INTEGER,
    outlets TEXT,                      -- JSON, frozen at the first attempt
    last_answer TEXT
) STRICT;
CREATE INDEX delivery_due ON delivery (channel, due_at) WHERE state = 'waiting';
CREATE INDEX delivery_alert ON delivery (alert_id);
CREATE INDEX delivery_state ON delivery (state, created_at);

CREATE TABLE attempt (
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,             -- sent, retry, failed
    answer TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
