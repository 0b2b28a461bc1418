-- Feeds whose hubs bring the news (WebSub).

-- Until when a hub that has proved itself does; null: polled as ever.
ALTER TABLE feed ADD COLUMN pushed_until INTEGER;
-- When it last brought something new.
ALTER TABLE feed ADD COLUMN pushed_at INTEGER;
-- When the feed would be due if no hub brought its news.
ALTER TABLE feed ADD COLUMN plain_due INTEGER;
-- The soonest it may be asked when there is a reason to look.
ALTER TABLE feed ADD COLUMN soon_due INTEGER;

CREATE TABLE subscription (
    feed_id INTEGER PRIMARY KEY REFERENCES feed (id),
    topic TEXT NOT NULL,
    hubs TEXT NOT NULL,                -- JSON array, as the feed names them
    hub TEXT NOT NULL,                 -- the one that was asked last
    state TEXT NOT NULL DEFAULT 'wanted',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL,
    lease_until INTEGER,
    pushes INTEGER NOT NULL DEFAULT 0, -- taken in since it last began
    last_push INTEGER,
    last_hash BLOB,                    -- of the last one taken in
    missed_at INTEGER,                 -- a poll found what it should have brought
    distrust_until INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX subscription_due ON subscription (next_try);

-- The addresses that hubs were given, by the hash of the token in them: how
-- long a look-up takes says nothing of the token.
CREATE TABLE callback (
    key BLOB PRIMARY KEY,
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    role TEXT NOT NULL,                -- asked, held, retired
    url TEXT NOT NULL,
    hub TEXT NOT NULL,
    topic TEXT NOT NULL,
    secret TEXT,
    since INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, -- to give a retired one back
    next_try INTEGER,
    until INTEGER                      -- then a retired one is forgotten
) STRICT;
CREATE INDEX callback_feed ON callback (feed_id, role);

-- Documents that hubs brought, not yet read.
CREATE TABLE push (
    id INTEGER PRIMARY KEY,
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    url TEXT NOT NULL,                 -- the feed's, as configured when it came
    topic TEXT NOT NULL,
    content_type TEXT,
    body BLOB NOT NULL,
    hash BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX push_once ON push (feed_id, hash);
