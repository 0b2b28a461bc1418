-- How feeds do, what they say of themselves, and word of it to operators.

ALTER TABLE feed ADD COLUMN fixed INTEGER NOT NULL DEFAULT 1;  -- 0: the interval follows the feed's rhythm
ALTER TABLE feed ADD COLUMN health_since INTEGER;
ALTER TABLE feed ADD COLUMN health_state TEXT;                 -- JSON: what the state machine remembers
ALTER TABLE feed ADD COLUMN arrivals TEXT;                     -- JSON array: when entries appeared
ALTER TABLE feed ADD COLUMN last_full INTEGER;                 -- when a whole document last came
ALTER TABLE feed ADD COLUMN unchanged_run INTEGER NOT NULL DEFAULT 0; -- "not modified" in a row
ALTER TABLE feed ADD COLUMN seen_url TEXT;                     -- a permanent redirect, seen to here
ALTER TABLE feed ADD COLUMN seen_since INTEGER;
ALTER TABLE feed ADD COLUMN seen_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN moved_url TEXT;                    -- polled instead of url
ALTER TABLE feed ADD COLUMN document TEXT;                     -- JSON: format, encoding, repairs, hints
ALTER TABLE feed ADD COLUMN older_pages TEXT;                  -- still to be read after a gap

-- Times between which entries may have come and gone unseen.
CREATE TABLE gap (
    id INTEGER PRIMARY KEY,
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    recovered INTEGER NOT NULL DEFAULT 0  -- entries found in older pages
) STRICT;
CREATE INDEX gap_feed ON gap (feed_id, until);

-- One message of one or more notices.
CREATE TABLE notice_message (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    feed TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    message_id INTEGER REFERENCES notice_message (id),
    told INTEGER NOT NULL DEFAULT 0       -- 1 once it is in a message or nobody wants it
) STRICT;
CREATE INDEX notice_untold ON notice (at) WHERE told = 0;
CREATE INDEX notice_message_id ON notice (message_id);

-- A delivery carries an alert or a message of notices.
CREATE TABLE new_delivery (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    alert_id INTEGER REFERENCES alert (id),
    notice_message_id INTEGER REFERENCES notice_message (id),
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    leased_until INTEGER,
    finished_at INTEGER,
    outlets TEXT,
    last_answer TEXT,
    CHECK ((alert_id IS NULL) <> (notice_message_id IS NULL))
) STRICT;
INSERT INTO new_delivery SELECT id, uid, alert_id, NULL, channel, recipient, state, attempts,
    created_at, due_at, leased_until, finished_at, outlets, last_answer FROM delivery;
CREATE TABLE new_attempt (
    delivery_id INTEGER NOT NULL REFERENCES new_delivery (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO new_attempt SELECT * FROM attempt;
DROP TABLE attempt;
DROP TABLE delivery;
ALTER TABLE new_delivery RENAME TO delivery;
ALTER TABLE new_attempt RENAME TO attempt;
CREATE INDEX delivery_due ON delivery (channel, due_at) WHERE state = 'waiting';
CREATE INDEX delivery_alert ON delivery (alert_id);
CREATE INDEX delivery_notice ON delivery (notice_message_id);
CREATE INDEX delivery_state ON delivery (state, created_at);
