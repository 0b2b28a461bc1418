-- Between a decided alert and the try to deliver it: reasons to wait, digests,
-- silences, and what people said of alerts.

-- Several alerts told in one message.
CREATE TABLE digest (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    key TEXT NOT NULL,                 -- what its alerts were gathered by
    reason TEXT NOT NULL               -- why they were, for people
) STRICT;
CREATE INDEX digest_created ON digest (created_at);

-- A delivery carries an alert, a message of notices, or a digest.
CREATE TABLE new_delivery (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    alert_id INTEGER REFERENCES alert (id),
    notice_message_id INTEGER REFERENCES notice_message (id),
    digest_id INTEGER REFERENCES digest (id),
    update_id INTEGER REFERENCES alert_update (id),
    role TEXT NOT NULL DEFAULT 'alert', -- alert, update, repeat, escalation, reminder, digest, notice
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', -- waiting, sent, failed, suppressed, gathered
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    leased_until INTEGER,
    first_try INTEGER,
    finished_at INTEGER,
    reason TEXT,                       -- why it waits, or is not told
    gather TEXT,                       -- kept back for a digest of this key
    gathered_in INTEGER REFERENCES digest (id), -- the digest that told it
    outlets TEXT,                      -- JSON, frozen at the first attempt
    last_answer TEXT,
    CHECK ((alert_id IS NOT NULL) + (notice_message_id IS NOT NULL) + (digest_id IS NOT NULL) = 1)
) STRICT;
INSERT INTO new_delivery (id, uid, alert_id, notice_message_id, update_id, role, channel, recipient,
    state, attempts, created_at, due_at, leased_until, first_try, finished_at, outlets, last_answer)
    SELECT id, uid, alert_id, notice_message_id, update_id,
    CASE WHEN update_id IS NOT NULL THEN 'update'
         WHEN notice_message_id IS NOT NULL THEN 'notice' ELSE 'alert' END,
    channel, recipient, state, attempts, created_at, due_at, leased_until,
    (SELECT min(started_at) FROM attempt WHERE delivery_id = delivery.id),
    finished_at, outlets, last_answer FROM delivery;
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
CREATE INDEX delivery_notice ON delivery (notice_message_id) WHERE notice_message_id IS NOT NULL;
CREATE INDEX delivery_digest ON delivery (digest_id) WHERE digest_id IS NOT NULL;
CREATE INDEX delivery_gathered ON delivery (gathered_in) WHERE gathered_in IS NOT NULL;
CREATE INDEX delivery_update ON delivery (update_id) WHERE update_id IS NOT NULL;
CREATE INDEX delivery_state ON delivery (state, created_at);
CREATE INDEX delivery_other ON delivery (channel, due_at) WHERE state = 'waiting' AND alert_id IS NULL;
CREATE INDEX delivery_kept ON delivery (channel, recipient, gather)
    WHERE state = 'waiting' AND gather IS NOT NULL;
CREATE INDEX delivery_finished ON delivery (channel, state, finished_at);
CREATE INDEX notice_about ON notice (kind, feed, at);
CREATE INDEX delivery_told ON delivery (channel, recipient, first_try) WHERE first_try IS NOT NULL;

-- Times in which nobody is told of some alerts; what is null fits all.
CREATE TABLE silence (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    rule TEXT,
    story TEXT,
    feed TEXT,
    channel TEXT,
    since INTEGER NOT NULL,
    until INTEGER,
    author TEXT NOT NULL,
    comment TEXT NOT NULL
) STRICT;

-- What people said of alerts.
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY,
    alert_id INTEGER NOT NULL REFERENCES alert (id),
    kind TEXT NOT NULL,                -- acknowledged, snoozed, false-positive
    at INTEGER NOT NULL,
    until INTEGER,                     -- of a snooze
    author TEXT NOT NULL,
    comment TEXT NOT NULL
) STRICT;
CREATE INDEX feedback_alert ON feedback (alert_id);
